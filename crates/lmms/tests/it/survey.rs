//! What is in a file of unknown kind, and which files belong together.

use std::io::Cursor;

use lmms::document::Kind;
use lmms::outcome::Outcome;
use lmms::survey::{Candidate, Survey, pair, survey};
use proptest::prelude::*;

use crate::fixtures::{bytes, corpus, files, folder};

fn look(name: &str, bytes: &[u8]) -> Survey {
    survey(name, &mut Cursor::new(bytes)).expect("memory can be read")
}

fn kind(name: &str, text: &str) -> Kind {
    look(name, text.as_bytes()).kind
}

const SAMPLE: &str = r#"{"doc_id": 0, "target": "a", "filtered_resps": ["a"], "acc": 1}"#;
const RESULTS: &str = r#"{"results": {"t": {"alias": "t", "acc,none": 0.5, "acc_stderr,none": "N/A"}}, "config": {"model": "m"}, "model_name": "org/m", "n-samples": {"t": {"original": 9, "effective": 4}}}"#;

#[test]
fn a_renamed_file_is_what_it_holds() {
    for name in [
        "x.json",
        "x.jsonl",
        "x.txt",
        "results",
        "20260101_000000_samples_t.jsonl",
    ] {
        assert_eq!(kind(name, RESULTS), Kind::Results, "{name}");
        assert_eq!(kind(name, SAMPLE), Kind::Samples, "{name}");
        assert_eq!(
            kind(name, r#"{"results": {"t": {}}, "samples": {"t": []}}"#),
            Kind::ApiDump
        );
        assert_eq!(kind(name, "hello"), Kind::NotLmmsEval);
    }
}

#[test]
fn codings_of_windows_are_read() {
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for coded in [wide, marked] as [fn(&str) -> Vec<u8>; 2] {
        let found = look("r.json", &coded(RESULTS));
        assert_eq!(found.results.expect("results").metrics[0].value, Some(0.5));
        let two = format!("{SAMPLE}\r\n{}\r\n", SAMPLE.replace(": 0,", ": 1,"));
        assert_eq!(look("s.jsonl", &coded(&two)).samples[0].count, 2);
        assert_eq!(
            look("r.log", &coded("Error during evaluation: x")).kind,
            Kind::Log
        );
    }
}

#[test]
fn a_broken_line_costs_one_sample_and_is_named() {
    let long = format!(r#"{{"doc_id": 5, "target": "{}"}}"#, "x".repeat(50 << 20));
    let deep = format!(
        r#"{{"doc_id": 6, "target": {}1{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    for broken in [
        &long,
        &deep,
        r#"{"doc_id": 1, "tar"#,
        r#"{"target": "no id"}"#,
        "[1]",
        "\u{0}",
    ] {
        for text in [
            format!("{SAMPLE}\n{broken}\n{SAMPLE}\n"),
            format!("{broken}\n{SAMPLE}\n\n{SAMPLE}"),
        ] {
            let found = look("20260101_000000_samples_t.jsonl", text.as_bytes());
            assert_eq!(found.kind, Kind::Samples, "{broken:.40}");
            assert_eq!((found.samples[0].count, found.samples[0].bad), (2, 1));
            let line = if text.starts_with(SAMPLE) {
                "line 2 "
            } else {
                "line 1 "
            };
            assert!(found.problems[0].starts_with(line), "{:?}", found.problems);
        }
    }
}

#[test]
fn what_cannot_be_used_is_said() {
    for (name, text, kind, part) in [
        ("a.json", "", Kind::Unreadable, "empty"),
        ("a.json", " \n ", Kind::Unreadable, "blanks"),
        ("a.json", "\u{1}\u{2}\0\0\0\0PNG", Kind::Unreadable, "binary"),
        ("a.json", &RESULTS[..90], Kind::Unreadable, "EOF"),
        (
            "a",
            r#"{"results": {"t": {"lmms_eval": "#,
            Kind::Unreadable,
            "EOF",
        ),
        (
            "a.json",
            r#"[{"image_id": 1, "caption": "x"}]"#,
            Kind::NotLmmsEval,
            "`results`",
        ),
        ("a.json", r#"{"results": [1]}"#, Kind::NotLmmsEval, "`results`"),
        (
            "a.jsonl",
            "{\"id\": 1}\n{\"id\": 2}\n",
            Kind::NotLmmsEval,
            "doc_id",
        ),
        (
            "a.md",
            "# lmms-eval\n`python -m lmms_eval --model x`",
            Kind::NotLmmsEval,
            "text",
        ),
        (
            "a.sh",
            "cd /opt/lmms_eval/tasks\npython -m lmms_eval",
            Kind::NotLmmsEval,
            "text",
        ),
        (
            "a.log",
            "[2026-01-01] training\nTraceback (most recent call last):\n  File \"/x/lmms-eval/f.py\", line 1\nE: x",
            Kind::NotLmmsEval,
            "text",
        ),
    ] {
        let found = look(name, text.as_bytes());
        assert_eq!(found.kind, kind, "{text:.40}");
        assert!(found.problems.join(" ").contains(part), "{:?}", found.problems);
    }
    assert_eq!(
        kind("a.json", r#"{"results": {"AP": 0.5, "per class": {"cat": 1}}}"#),
        Kind::NotLmmsEval
    );
    assert_eq!(
        kind("a.json", r#"{"results": {"t": {"acc,none": 1}}}"#),
        Kind::Results
    );
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        kind("a.json", &format!(r#"{{"results": {deep}}}"#)),
        Kind::Unreadable
    );
}

#[test]
fn a_key_that_stands_twice_is_told() {
    let text = r#"{"results": {"t": {"acc,none": 0.1, "acc,none": 0.2}}, "model_name": "m"}"#;
    let found = look("a.json", text.as_bytes());
    assert_eq!(found.results.expect("results").metrics[0].value, Some(0.2));
    assert!(
        found.problems.iter().any(|p| p.contains("`results.t.acc,none`")),
        "{:?}",
        found.problems
    );
}

#[test]
fn objects_are_flattened_and_the_rest_is_counted() {
    let text = r#"{"results": {"t": {"s,none": {"a b": 0.1, "deep": {"c": 1}, "why": "text", "no": null}}}, "model_name": "m"}"#;
    let found = look("a.json", text.as_bytes());
    let names: Vec<_> = found
        .results
        .iter()
        .flat_map(|r| &r.metrics)
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(names, ["s/a b", "s/deep/c"]);
    assert!(
        found.problems.iter().any(|p| p.contains("2 values")),
        "{:?}",
        found.problems
    );
}

#[test]
fn old_samples_name_their_task_and_model() {
    let text = r#"{"args": {"model": "llava", "model_args": "pretrained=org/m,api_key=sk-abcdefghij0123456789"}, "model_configs": {"task": "mme"}, "logs": [{"doc_id": 1, "target": "x", "doc": {}, "resps": [["y"]], "filtered_resps": ["y"]}, 7], "time": "0101_0101"}"#;
    let found = look("renamed.json", text.as_bytes());
    assert_eq!(found.kind, Kind::OldSamples);
    assert_eq!(found.model.as_deref(), Some("org/m"));
    assert_eq!(
        (found.samples[0].task.as_deref(), found.samples[0].count),
        (Some("mme"), 1)
    );
    assert_eq!(found.problems.len(), 1);
}

#[test]
fn logs_tell_outcome_and_model_but_no_metric() {
    let table = "2026-01-01 10:00:00 | INFO     | lmms_eval.evaluator:evaluate:1 - x\n\
        m (pretrained=org/m,kw={\"a\":1,\"b\":2}), gen_kwargs: (), limit: None, num_fewshot: None, batch_size: 1\n\
        |Tasks|Version|Filter|n-shot|Metric|   |Value|   |Stderr|\n|-----|---|\n|mme|Yaml|none|0|s|↑|1.5|±|N/A|\n";
    let found = look("nohup.out", table.as_bytes());
    assert_eq!((found.kind, found.outcome), (Kind::Log, Some(Outcome::Completed)));
    assert_eq!(found.model.as_deref(), Some("org/m"));
    assert!(found.results.is_none() && !found.problems.is_empty());
    let failed = format!(
        "{table}2026-01-01 10:00:00 | ERROR    | __main__:cli_evaluate:1 - Error during evaluation: CUDA out of memory sk-abcdefghij0123456789."
    );
    let found = look("nohup.out", failed.as_bytes());
    assert_eq!(found.outcome, Some(Outcome::OutOfMemory));
    assert!(
        !found.problems.join(" ").contains("abcdefghij"),
        "{:?}",
        found.problems
    );
    let cut = look(
        "a.log",
        b"\rModel Responding:  50%|#####     | 1/2 [00:01<00:01]\n",
    );
    assert_eq!((cut.kind, cut.outcome), (Kind::Log, None));
    assert!(cut.problems[0].contains("ends before"), "{:?}", cut.problems);
}

fn found(
    path: &str,
    task: Option<&str>,
    results: &[(&str, Option<&str>, &[&str])],
) -> Result<(usize, String), String> {
    let candidates: Vec<Candidate<'_>> = results
        .iter()
        .map(|(path, date, tasks)| Candidate {
            path,
            date: *date,
            tasks,
        })
        .collect();
    pair(path, task, &candidates).map(|paired| (paired.results, paired.task))
}

#[test]
fn samples_find_their_results() {
    let stamped = "20260101_000000";
    let (a, b) = (["a", "a-b"], ["c"]);
    let results: [(&str, Option<&str>, &[&str]); 4] = [
        ("m/x__20260101_000000_results.json", Some(stamped), &a),
        ("m/y__20260101_000000_results.json", Some(stamped), &a),
        ("n/renamed.json", Some("20260202_000000"), &b),
        ("o/run7_results.json", None, &a),
    ];
    let ok = |at: usize, task: &str| Ok((at, task.to_owned()));
    assert_eq!(
        found("m/y__20260101_000000_samples_a.jsonl", Some("a"), &results),
        ok(1, "a")
    );
    assert_eq!(
        found("n/20260202_000000_samples_c.jsonl", Some("c"), &results),
        ok(2, "c")
    );
    assert_eq!(
        found("z/20260202_000000_samples_c.jsonl", Some("c"), &results),
        ok(2, "c")
    );
    assert_eq!(
        found("o/run7_samples_a-b.jsonl", Some("a-b"), &results),
        ok(3, "a-b")
    );
    assert_eq!(found("o/run7.a-b.jsonl", None, &results), ok(3, "a-b"));
    assert_eq!(found("n/anything.jsonl", None, &results), ok(2, "c"));
    for (path, task) in [
        ("m/20260101_000000_samples_a.jsonl", Some("a")),
        ("m/20260303_000000_samples_a.jsonl", Some("a")),
        ("n/20260202_000000_samples_zz.jsonl", Some("zz")),
        ("p/a.jsonl", Some("a")),
    ] {
        assert!(found(path, task, &results).is_err(), "{path}");
    }
}

#[test]
fn every_file_of_the_corpus_is_surveyed() {
    let Some(corpus) = corpus() else {
        return;
    };
    for path in files(&corpus, "") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let found = survey(&name, &mut std::fs::File::open(&path).expect("a file")).expect("readable");
        match found.kind {
            Kind::Samples => assert!(found.problems.is_empty(), "{name}: {:?}", found.problems),
            Kind::Log => {
                let failed = name.starts_with("bdevnani3");
                assert_eq!(found.outcome == Some(Outcome::Completed), !failed, "{name}");
                assert_eq!(found.model.is_some(), !failed, "{name}");
            }
            Kind::Results | Kind::ApiDump => assert!(found.model.is_some(), "{name}"),
            _ => assert!(name == "MANIFEST.md" || name.starts_with("momofodr"), "{name}"),
        }
    }
}

#[test]
fn captured_output_folders_pair() {
    for path in files(&folder().join("captures"), ".jsonl") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let of_file = look(&name, &std::fs::read(&path).expect("a file"));
        if of_file.kind == Kind::Samples {
            assert!(of_file.samples[0].count > 0, "{name}");
        }
    }
    assert_eq!(look("x", &bytes("traps/results_b.json")).kind, Kind::Results);
}

proptest! {
    #![proptest_config(crate::fixtures::cases(256))]

    #[test]
    fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "\\PC{0,30}") {
        let _ = look(&name, &bytes);
    }

    #[test]
    fn no_text_panics(text in "(\\{|\\}|\\[|\"|:|,|results|logs|doc_id|\\||Tasks|Metric|Value| \\(|\\), gen_kwargs: \\(|a|1| |\n){0,60}") {
        let _ = look("x", text.as_bytes());
    }

    #[test]
    fn no_pair_panics(path in "(/|_|samples|results|20260101_000000|a|é|.json|.jsonl){0,8}", task in proptest::option::of("[aé]{0,3}")) {
        let tasks = ["a", "é", ""];
        let one = Candidate { path: &path, date: None, tasks: &tasks };
        let _ = pair(&path, task.as_deref(), &[one, one]);
    }
}
