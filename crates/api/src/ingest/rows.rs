//! From one parsed sample to one row: no I/O.

use super::docs::Docs;
use crate::db::samples::NewSample;
use lmms::samples::{Sample, SampleFlags, score};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Names of columns that a task's target may hold instead of a value.
const COLUMNS: [&str; 7] = [
    "answer",
    "answers",
    "ground_truth",
    "gt",
    "label",
    "solution",
    "target",
];

/// What all samples of a leaf task share.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The task's row in the catalogue.
    pub(super) benchmark: Uuid,
    /// The metric that decides.
    pub(super) primary: Option<String>,
    /// Its direction.
    pub(super) higher_is_better: Option<bool>,
}

/// The row of a sample.
pub(super) fn row_of(leaf: &Leaf, docs: &Docs, index: i64, filter: &str, sample: Sample) -> NewSample {
    let (score, score_reason) = scored(leaf, &sample);
    let doc = docs.get(sample.doc_id);
    let fields = doc.and_then(|d| d.fields.clone()).or_else(|| sample.doc.clone());
    let prompt_hash = sample
        .input
        .as_deref()
        .map(|text| Sha256::digest(text.as_bytes()).to_vec());
    NewSample {
        benchmark_id: leaf.benchmark,
        sample_index: index,
        doc_id: sample.doc_id,
        filter: filter.to_owned(),
        ground_truth: truth(sample.target.as_deref(), fields.as_ref()),
        score,
        score_reason,
        error: score.and_then(|s| error_of(s, leaf.higher_is_better)),
        // lmms-eval's samples hold no log-likelihoods.
        confidence: None,
        flags: flags(sample.flags),
        content_hash: doc.map(|doc| doc.hash.clone()),
        target_hash: sample.target.as_deref().map(hash_of_target),
        prompt_hash,
        doc: fields,
        input_data: input(&sample),
        prediction: Some(Value::String(sample.filtered)),
        raw_prediction: sample.raw.map(Value::String),
        metrics: Value::Object(sample.metrics),
        slices: Vec::new(),
    }
}

/// The hash of a target, by which documents are told apart that nobody kept.
fn hash_of_target(target: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update("target:");
    hash.update(target);
    hash.finalize().to_vec()
}

fn input(sample: &Sample) -> Value {
    let mut input = json!({ "text": sample.input });
    if !sample.input_media.is_empty() {
        let sources: Vec<&str> = sample.input_media.iter().map(|s| named(s)).collect();
        input["media"] = json!(sources);
    }
    if let Some(tokens) = sample.tokens {
        input["tokens"] = json!(tokens);
    }
    input
}

/// Of embedded data only what they are said to be: they are kept as media.
fn named(source: &str) -> &str {
    match source.split_once(',') {
        Some((head, _)) if head.starts_with("data:") => head,
        _ => source,
    }
}

fn scored(leaf: &Leaf, sample: &Sample) -> (Option<f64>, Option<String>) {
    let Some(primary) = &leaf.primary else {
        return (None, Some("the task has no metric with a number".to_owned()));
    };
    match score(sample, primary) {
        Ok(score) => (Some(score), None),
        Err(reason) => (None, Some(reason.to_string())),
    }
}

/// How far a score on [0, 1] is from the best.
fn error_of(score: f64, higher_is_better: Option<bool>) -> Option<f64> {
    if !(0.0..=1.0).contains(&score) {
        return None;
    }
    higher_is_better.map(|up| if up { 1.0 - score } else { score })
}

/// Where a target is the name of a column, the document holds the value.
fn truth(target: Option<&str>, doc: Option<&Value>) -> Option<Value> {
    let target = target?;
    let column = COLUMNS
        .contains(&target)
        .then(|| doc?.get(target).cloned())
        .flatten();
    Some(column.unwrap_or_else(|| Value::String(target.to_owned())))
}

fn flags(flags: SampleFlags) -> Vec<&'static str> {
    [
        (flags.failed_request, "failed_request"),
        (flags.budget, "budget"),
        (flags.empty, "empty"),
        (flags.truncated, "truncated"),
        (flags.unparsed, "unparsed"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str, docs: &str, up: Option<bool>) -> NewSample {
        let leaf = Leaf {
            benchmark: Uuid::nil(),
            primary: Some("acc".into()),
            higher_is_better: up,
        };
        let sample = lmms::samples::parse_line(line.as_bytes()).unwrap();
        row_of(&leaf, &Docs::read(docs.as_bytes()), 4, "none", sample)
    }

    const LINE: &str =
        r#"{"doc_id": 7, "target": "answer", "filtered_resps": "B", "input": "Which?", "acc": 0.25}"#;

    #[test]
    fn score_and_error_follow_the_direction() {
        let errors = [Some(true), Some(false), None].map(|up| row(LINE, "", up).error);
        assert_eq!(errors, [Some(0.75), Some(0.25), None]);
        let hundred = LINE.replace("0.25", "25.0");
        assert_eq!(row(&hundred, "", Some(true)).score, Some(25.0));
        assert_eq!(row(&hundred, "", Some(true)).error, None);
    }

    #[test]
    fn a_target_that_names_a_column_is_looked_up() {
        let docs = r#"{"doc_id": 7, "doc": {"answer": "C", "B": "no"}}"#;
        let found = row(LINE, docs, None);
        assert_eq!(found.ground_truth, Some(json!("C")));
        assert!(found.content_hash.is_some() && found.prompt_hash.is_some());
        let alone = row(LINE, "", None);
        assert_eq!(alone.ground_truth, Some(json!("answer")));
        // Without the document the target is all that tells it apart, and the same hash stands beside the document's.
        assert_eq!(alone.content_hash, None);
        assert!(alone.target_hash.is_some() && alone.target_hash == found.target_hash);
        let letter = LINE.replace("\"target\": \"answer\"", "\"target\": \"B\"");
        assert_eq!(row(&letter, docs, None).ground_truth, Some(json!("B")));
    }

    #[test]
    fn without_a_score_the_reason_is_kept() {
        let found = row(&LINE.replace("0.25", "{\"pred\": 1}"), "", Some(true));
        assert_eq!((found.score, found.error), (None, None));
        assert!(found.score_reason.unwrap().contains("object"));
    }
}
