//! What a file is.

use lmms::document::{FileName, Kind, file_name, kind_of};
use proptest::prelude::*;

use crate::fixtures::{bytes, files, folder};

fn kind(text: &str) -> Kind {
    kind_of(text.as_bytes(), "file", true)
}

#[test]
fn captured_files() {
    for path in files(&folder().join("captures"), "") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let expected = if name.ends_with("_results.json") {
            Kind::Results
        } else if name.contains("_samples_") {
            Kind::Samples
        } else if name.ends_with(".stdout") && name != "bad_flag.stdout" {
            Kind::Log
        } else {
            continue;
        };
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(kind_of(&bytes, "renamed.json", true), expected, "{name}");
        // The first 4 kB are enough.
        let head = &bytes[..bytes.len().min(4096)];
        assert_eq!(
            kind_of(head, "renamed.json", bytes.len() <= 4096),
            expected,
            "{name} cut"
        );
    }
}

#[test]
fn traps() {
    assert_eq!(
        kind_of(&bytes("traps/samples_mixed.jsonl"), "x", true),
        Kind::Samples
    );
    assert_eq!(
        kind_of(&bytes("traps/results_a.json"), "mme.json", true),
        Kind::Results
    );
    assert_eq!(
        kind(r#"{"results": {"t": {}}, "samples": {"t": []}}"#),
        Kind::ApiDump
    );
    assert_eq!(kind(r#"{"args": {}, "logs": [], "time": "x"}"#), Kind::OldSamples);
    assert_eq!(kind(r#"[{"image_id": 1, "caption": "x"}]"#), Kind::NotLmmsEval);
    assert_eq!(kind(r#"{"results": [1]}"#), Kind::NotLmmsEval);
    assert_eq!(kind(""), Kind::Unreadable);
    assert_eq!(kind(" \n\t"), Kind::Unreadable);
    assert_eq!(kind("\u{1}\u{2}\0\0\0\0PNG"), Kind::Unreadable);
    assert_eq!(kind("hello world"), Kind::NotLmmsEval);
    assert_eq!(kind("x\n  0%|   | Model Responding: 1/2"), Kind::Log);
    assert_eq!(
        kind_of(b"{\"results\": {\"t\": ", "x_results.json", true),
        Kind::Unreadable
    );
    assert_eq!(
        kind_of(b"{\"results\": {\"t\": {\"logs\": [", "x", false),
        Kind::Results
    );
    assert_eq!(kind("[1;32mINFO lmms_eval: starting"), Kind::Log);
}

#[test]
fn a_first_line_that_is_broken_does_not_hide_the_samples() {
    assert_eq!(
        kind("{\"doc_id\": 0, \"tar\n{\"doc_id\": 1, \"target\": \"x\"}\n"),
        Kind::Samples
    );
}

#[test]
fn names_of_files() {
    let of = |prefix: &str, task: Option<&str>| {
        Some(FileName {
            prefix: prefix.to_owned(),
            stamp: "20260923_213352".to_owned(),
            task: task.map(str::to_owned),
        })
    };
    assert_eq!(file_name("20260923_213352_results.json"), of("", None));
    assert_eq!(file_name("a__20260923_213352_results.json"), of("a__", None));
    assert_eq!(
        file_name("20260923_213352_samples_alm-bench-nl.jsonl"),
        of("", Some("alm-bench-nl"))
    );
    assert_eq!(
        file_name("20260923_213352_samples_refcoco+_samples_x.jsonl"),
        of("", Some("refcoco+_samples_x"))
    );
    for name in [
        "results.json",
        "captions_nocaps_val_alg_results.json",
        "é_samples_x.jsonl",
        "20260923_213352_samples_.jsonl",
    ] {
        assert_eq!(file_name(name), None, "{name}");
    }
}

proptest! {
    #![proptest_config(crate::fixtures::cases(256))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "\\PC{0,30}", whole: bool) {
        let _ = (kind_of(&bytes, &name, whole), file_name(&name));
    }

    #[test]
    fn no_json_panics(text in "(\\{|\\}|\\[|\"|\\\\|:|,|results|logs|a| |\n){0,40}", whole: bool) {
        let _ = kind_of(text.as_bytes(), "x", whole);
    }
}
