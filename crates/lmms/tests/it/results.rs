//! Results documents: those of real runs, and one of our own for each trap.

use std::fmt::Write as _;

use insta::assert_snapshot;
use lmms::results::{MetricKind, ProblemKind, Results, ResultsError, Variant, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{bytes, files, folder};

/// What a page shows of a document.
pub(crate) fn summary(results: &Results) -> String {
    let mut text = format!(
        "{:?} model {:?} backend {:?} args {:?} date {:?} limit {:?}\n",
        results.variant,
        results.model_label,
        results.model_backend,
        results.model_args,
        results.date,
        results.limit
    );
    for metric in &results.metrics {
        _ = writeln!(
            text,
            "{}{} | {},{} = {:?} ± {:?} clt {:?} clustered {:?} n {:?}/{:?} up {:?} {:?}",
            if metric.is_group { "group " } else { "" },
            metric.task,
            metric.name,
            metric.filter,
            metric.value,
            metric.stderr,
            metric.stderr_clt,
            metric.stderr_clustered,
            metric.n,
            metric.original_n,
            metric.higher_is_better,
            metric.kind
        );
    }
    for group in &results.groups {
        _ = writeln!(text, "group {} = {}", group.name, group.members.join(", "));
    }
    for task in &results.tasks {
        _ = writeln!(
            text,
            "task {} version {:?} shots {:?} type {:?} filters {:?} generation {}",
            task.name,
            task.version,
            task.num_fewshot,
            task.output_type,
            task.filters,
            task.generation_kwargs.as_ref().unwrap_or(&Value::Null)
        );
    }
    for problem in &results.problems {
        _ = writeln!(
            text,
            "problem {:?} {:?} {}",
            problem.kind, problem.task, problem.message
        );
    }
    text
}

fn read(document: &Value) -> Results {
    parse(document.to_string().as_bytes()).expect("a document")
}

fn of_row(row: &Value) -> Results {
    read(&json!({"results": {"t": row}, "configs": {"t": {}}, "config": {}, "model_name": "m"}))
}

#[test]
fn captured_documents() {
    let mut text = String::new();
    for path in files(&folder().join("captures/out"), "_results.json") {
        let name = path.strip_prefix(folder()).expect("below").display().to_string();
        let results = parse(&std::fs::read(&path).expect("a file")).expect("a document");
        _ = writeln!(text, "== {name}\n{}", summary(&results));
    }
    assert_snapshot!(text);
}

#[test]
fn variants() {
    let variant = |document: Value| parse(document.to_string().as_bytes()).map(|results| results.variant);
    assert_eq!(
        variant(json!({"results": {}, "model_configs": {"model": "llava"}})),
        Ok(Variant::A)
    );
    assert_eq!(variant(json!({"results": {}, "config": {}})), Ok(Variant::B));
    assert_eq!(
        variant(json!({"results": {}, "config": {}, "model_name": null})),
        Ok(Variant::C)
    );
    assert_eq!(
        variant(json!({"results": {}, "config": {}, "samples": {}})),
        Ok(Variant::D)
    );
    assert_eq!(variant(json!({"results": []})), Err(ResultsError::NoResults));
    assert_eq!(variant(json!([1])), Err(ResultsError::NoResults));
    assert!(matches!(parse(b"{\"results\": {"), Err(ResultsError::NotJson(_))));
}

#[test]
fn old_documents() {
    let text = summary(&parse(&bytes("traps/results_a.json")).expect("a document"));
    assert_snapshot!(text);
    let text = summary(&parse(&bytes("traps/results_b.json")).expect("a document"));
    assert_snapshot!(text);
}

#[test]
fn values_that_are_no_numbers() {
    assert_snapshot!(summary(&parse(&bytes("traps/values.json")).expect("a document")));
}

#[test]
fn python_literals_are_no_values() {
    let results = parse(br#"{"results": {"t": {"a,none": NaN, "b,none": -Infinity, "c,none": 1, "alias": "NaN, \"Infinity"}}, "config": {}}"#)
        .expect("a document");
    let kinds: Vec<_> = results
        .metrics
        .iter()
        .map(|metric| (metric.name.as_str(), metric.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("a", MetricKind::Null),
            ("b", MetricKind::Null),
            ("c", MetricKind::Numeric)
        ]
    );
}

#[test]
fn errors_are_no_metrics() {
    let results = of_row(&json!({
        "acc,none": 0.5, "acc_stderr,none": "N/A", "acc_stderr_clt,none": 0.1, "acc_stderr_clustered,none": 0.2,
        "lonely_stderr,none": 3.0, "empty,none": [], "empty_stderr,none": []
    }));
    let names: Vec<_> = results
        .metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect();
    assert_eq!(names, ["acc", "lonely_stderr", "empty"]);
    let acc = &results.metrics[0];
    assert_eq!(
        (acc.stderr, acc.stderr_clt, acc.stderr_clustered),
        (None, Some(0.1), Some(0.2))
    );
}

#[test]
fn names_are_split_at_the_last_comma() {
    let results = of_row(&json!({"failure rate, all@1,flexible-extract": 1, "pass@1,none": 0}));
    let names: Vec<_> = results
        .metrics
        .iter()
        .map(|m| (m.name.as_str(), m.filter.as_str()))
        .collect();
    assert_eq!(
        names,
        [("failure rate, all@1", "flexible-extract"), ("pass@1", "none")]
    );
}

#[test]
fn objects_are_flattened() {
    let results = of_row(
        &json!({"score,none": {"overall": 0.5, "Optical Illusion": {"a": 1, "b": "x"}, "none": null}}),
    );
    let found: Vec<_> = results
        .metrics
        .iter()
        .map(|m| (m.name.as_str(), m.value, m.kind))
        .collect();
    assert_eq!(
        found,
        [
            ("score/overall", Some(0.5), MetricKind::FromObject),
            ("score/Optical Illusion/a", Some(1.0), MetricKind::FromObject)
        ]
    );
}

#[test]
fn secrets_are_blotted_out() {
    for args in [
        json!("model=m,api_key=sk-abcdefghijklmnop1234,mm={\"a\":1,\"b\":2}"),
        json!({"model": "m", "api_key": "abc-secret", "mm": {"a": 1}}),
    ] {
        let results = read(
            &json!({"results": {"t": {"a,none": 1}}, "config": {"model": "openai", "model_args": args}}),
        );
        let whole = serde_json::to_string(&results).expect("JSON");
        assert!(
            !whole.contains("sk-abc") && !whole.contains("abc-secret"),
            "{whole}"
        );
        assert!(
            results
                .problems
                .iter()
                .any(|problem| problem.kind == ProblemKind::Redacted)
        );
        assert_eq!(results.model_label.as_deref(), Some("m"));
        assert_eq!(results.model_arg_pairs.len(), 3);
    }
}

#[test]
fn limits_are_said() {
    let results = read(&json!({
        "results": {"t": {"a,none": 1}}, "config": {"limit": 8.0},
        "n-samples": {"t": {"original": 100, "effective": 8}}, "configs": {"t": {}}
    }));
    let limited = results
        .problems
        .iter()
        .filter(|problem| problem.kind == ProblemKind::Limited);
    assert_eq!(limited.count(), 2);
    assert_eq!(
        (results.metrics[0].n, results.metrics[0].original_n),
        (Some(8), Some(100))
    );
}

#[test]
fn the_primary_metric_has_a_direction_and_a_number() {
    let results = read(&json!({
        "results": {"t": {"submission,none": null, "other,none": 2, "acc,none": 1}},
        "configs": {"t": {}}, "config": {}, "higher_is_better": {"t": {"acc": true, "submission": true}}
    }));
    assert_eq!(
        results.primary_metric("t").map(|metric| metric.name.as_str()),
        Some("acc")
    );
}

proptest! {
    #![proptest_config(crate::fixtures::cases(200))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_document_panics(text in "(\\{|\\}|\\[|\\]|,|:|NaN|-Infinity|null|1e999|\"(results|config|configs|t|a,none|\\\\ud83d|\\\\)\"| ){0,40}") {
        let _ = parse(text.as_bytes());
        let _ = parse(format!("{{\"results\":{{\"t\":{{\"a,none\":{text}}}}}}}").as_bytes());
    }
}
