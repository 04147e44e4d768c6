//! Small folders, and the corpus where it is present.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const RESULTS: &str = r#"{"results": {"t": {"acc,none": 0.5, "acc_stderr,none": 0.1, "o,none": {"a b": 2}, "n,none": null},
    "g": {" ": " ", "alias": "g"}}, "group_subtasks": {"g": ["t"], "t": []}, "configs": {"t": {}}, "config": {"model_args": "api_key=sk-abcdefghij0123456789,pretrained=org/m"},
    "higher_is_better": {"t": {"acc": true}}, "n-samples": {"t": {"original": 9, "effective": 2}}, "model_name": ""}"#;
const SAMPLES: &str =
    "{\"doc_id\": 0, \"target\": \"a\", \"filtered_resps\": [\"a\"]}\n{\"doc_id\": 1, \"tar\n";

fn checked(paths: &[&Path]) -> (Vec<serde_json::Value>, bool) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let mut out = Vec::new();
    let all = check(&paths, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    (
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        all,
    )
}

fn problems(line: &serde_json::Value) -> String {
    line["problems"].to_string()
}

#[test]
fn a_folder_is_told_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("m")).unwrap();
    fs::write(at("m/20260101_000000_results.json"), RESULTS).unwrap();
    fs::write(at("m/20260101_000000_samples_t.jsonl"), SAMPLES).unwrap();
    fs::write(at("m/20260202_000000_samples_t.jsonl"), SAMPLES).unwrap();
    fs::write(at("zero.log"), "").unwrap();
    symlink(folder.path(), at("loop")).unwrap();
    symlink(at("m/20260101_000000_results.json"), at("link.json")).unwrap();
    let (lines, all) = checked(&[folder.path(), &at("gone")]);
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert!(!all);
    assert_eq!(
        kinds,
        [
            "unreadable",
            "unreadable",
            "results",
            "samples",
            "samples",
            "unreadable",
            "unreadable"
        ]
    );
    let results = &lines[2];
    assert_eq!(results["model"], "org/m");
    assert_eq!(results["lmms_eval_version"], serde_json::Value::Null);
    let metric = |metric: &str,
                  value: serde_json::Value,
                  stderr: serde_json::Value,
                  up: serde_json::Value| {
        serde_json::json!({"task": "t", "metric": metric, "filter": "none", "value": value, "stderr": stderr,
            "n": 2, "higher_is_better": up})
    };
    let null = serde_json::Value::Null;
    assert_eq!(
        results["metrics"],
        serde_json::json!([
            metric("acc", 0.5.into(), 0.1.into(), true.into()),
            metric("o/a b", 2.0.into(), null.clone(), null.clone()),
            metric("n", null.clone(), null.clone(), null),
        ])
    );
    assert!(!results.to_string().contains("abcdefghij"));
    let (paired, alone) = (&lines[3], &lines[4]);
    assert_eq!(paired["samples"], serde_json::json!([{"task": "t", "count": 1}]));
    assert!(
        paired["results_file"]
            .as_str()
            .unwrap()
            .ends_with("20260101_000000_results.json")
    );
    assert!(problems(paired).contains("line 2 ") && problems(paired).contains("samples of 1 documents"));
    assert!(problems(alone).contains("without their results document"));
    assert!(problems(alone).contains("the same bytes as"));
    assert!(problems(&lines[0]).contains("symbolic link") && problems(&lines[6]).contains("No such file"));
}

#[test]
fn an_archive_is_told_like_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.zip");
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, text) in [
        ("m/20260101_000000_results.json", RESULTS),
        ("m/20260101_000000_samples_t.jsonl", SAMPLES),
        ("inner.zip", "PK\u{3}\u{4}"),
    ] {
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let (lines, _) = checked(&[folder.path()]);
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["results", "samples", "unreadable"]);
    assert!(
        lines[1]["results_file"]
            .as_str()
            .unwrap()
            .contains("runs.zip/m/2026")
    );
    assert!(problems(&lines[2]).contains("archive inside"));
}

#[test]
fn the_corpus_is_told_as_its_manifest_says() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: no corpus at {}", corpus.display());
        return;
    }
    let (lines, all) = checked(&[&corpus]);
    assert!(all);
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(
        (of("results"), of("api_dump"), of("samples"), of("log")),
        (20, 1, 8, 4)
    );
    // The manifest itself, and the output of another script.
    assert_eq!((of("not_lmms_eval"), of("unreadable")), (2, 0));
    for line in lines.iter().filter(|line| line["kind"] == "samples") {
        let alone = line["file"].as_str().unwrap().contains("alm2bi");
        assert_eq!(line["results_file"].is_null(), alone, "{line}");
        assert_eq!(
            problems(line).contains("without their results document"),
            alone,
            "{line}"
        );
    }
    assert_eq!(checked(&[&corpus]).0, lines);
}
