//! Samples: those of real runs, and one of our own for each trap.

use std::fmt::Write as _;
use std::io::{self, BufReader, Read};

use insta::{assert_debug_snapshot, assert_snapshot};
use lmms::samples::{
    BadLineReason, FilterCursor, LINE_CAP, NoScore, Sample, SampleReader, SampleVariant, TokenCounts,
    of_dump, of_old, score,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{bytes, corpus, files, folder};

fn sample(value: &Value) -> Sample {
    lmms::samples::parse_line(value.to_string().as_bytes()).expect("a sample")
}

fn score_of(metric: &Value) -> Result<f64, NoScore> {
    score(&sample(&json!({"doc_id": 0, "acc": metric})), "acc")
}

#[test]
fn captured_samples() {
    let mut text = String::new();
    for path in files(&folder().join("captures/out"), ".jsonl") {
        let name = path.strip_prefix(folder()).expect("below").display().to_string();
        let reader = SampleReader::new(BufReader::new(std::fs::File::open(&path).expect("a file")));
        let samples: Vec<Sample> = reader.collect::<Result<_, _>>().expect("no broken line");
        let count = |wanted: fn(&Sample) -> bool| samples.iter().filter(|sample| wanted(sample)).count();
        _ = writeln!(
            text,
            "{name}: {} {:?}, metrics {:?}, failed {}, budget {}, empty {}, raw {}",
            samples.len(),
            samples[0].variant,
            samples[0].metrics.keys().collect::<Vec<_>>(),
            count(|sample| sample.flags.failed_request),
            count(|sample| sample.flags.budget),
            count(|sample| sample.flags.empty),
            count(|sample| sample.raw.is_some()),
        );
    }
    assert_snapshot!(text);
}

#[test]
fn one_of_each_shape() {
    let bytes = bytes("traps/samples_mixed.jsonl");
    let read: Vec<_> = SampleReader::new(&bytes[..]).collect();
    assert_debug_snapshot!(read);
}

#[test]
fn filters_come_back_from_the_order() {
    let names = ["strict".to_owned(), "flexible".to_owned()];
    let filters = |docs: &[i64], names: &[String]| -> Vec<Option<String>> {
        let mut cursor = FilterCursor::new(names);
        docs.iter()
            .map(|&doc| cursor.filter_of(doc).map(str::to_owned))
            .collect()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(
        filters(&[0, 1, 0, 1], &names),
        [some("strict"), some("strict"), some("flexible"), some("flexible")]
    );
    // Two ranks, each with its own blocks.
    assert_eq!(
        filters(&[0, 2, 0, 2, 1, 3, 1, 3], &names),
        [
            "strict", "strict", "flexible", "flexible", "strict", "strict", "flexible", "flexible"
        ]
        .map(some)
    );
    assert_eq!(filters(&[5, 5], &[]), [some("none"), None]);
}

#[test]
fn scores() {
    assert_eq!(score_of(&json!(1)), Ok(1.0));
    assert_eq!(score_of(&json!(0.25)), Ok(0.25));
    assert_eq!(score_of(&json!(true)), Ok(1.0));
    assert_eq!(score_of(&json!("0.8333")), Ok(0.8333));
    assert_eq!(score_of(&json!({"score": 1, "category": "a"})), Ok(1.0));
    assert_eq!(score_of(&json!({"answer": "B"})), Err(NoScore::Object));
    assert_eq!(score_of(&json!({"score": null})), Err(NoScore::Object));
    assert_eq!(
        score_of(&json!({"pred_answer": "B", "answer": "B", "duration": "short"})),
        Ok(1.0)
    );
    assert_eq!(score_of(&json!({"pred_answer": "", "answer": "B"})), Ok(0.0));
    let mmmu = |kind: &str, answer: Value, pred: Value| json!({"question_type": kind, "answer": answer, "parsed_pred": pred});
    assert_eq!(
        score_of(&mmmu("multiple-choice", json!("C"), json!("B"))),
        Ok(0.0)
    );
    assert_eq!(
        score_of(&mmmu("multiple-choice", json!(["C", "B"]), json!("B"))),
        Ok(1.0)
    );
    assert_eq!(
        score_of(&mmmu("short-answer", json!("C"), json!("C"))),
        Err(NoScore::Object)
    );
    assert_eq!(
        score_of(&mmmu("multiple-choice", json!("C"), json!(["B", "C"]))),
        Ok(1.0),
        "as MMMU counts it, one right answer of several is enough"
    );
    assert_eq!(
        score_of(&mmmu("multiple-choice", json!("C"), json!([["C"]]))),
        Err(NoScore::Object)
    );
    assert_eq!(score_of(&json!({"accuracy": 0.5, "prediction": "A"})), Ok(0.5));
    assert_eq!(
        score_of(&json!({"parsed_pred": "a cat", "answer": "cat"})),
        Err(NoScore::Object)
    );
    assert_eq!(score_of(&json!(null)), Err(NoScore::Null));
    assert_eq!(score_of(&json!("nan")), Err(NoScore::NotANumber));
    assert_eq!(score_of(&json!([1])), Err(NoScore::NotANumber));
    let sample = sample(&json!({"doc_id": 0, "vsi": {"score": 0.5}, "a/b": 1}));
    assert_eq!(score(&sample, "vsi/overall"), Ok(0.5));
    assert_eq!(score(&sample, "a/b"), Ok(1.0));
    assert_eq!(score(&sample, "none"), Err(NoScore::Missing));
}

#[test]
fn tokens_of_all_requests_are_added() {
    let tokens = |counts: Value| sample(&json!({"doc_id": 0, "token_counts": counts})).tokens;
    let request = json!({"input_tokens": 2, "output_tokens": 3, "reasoning_tokens": 1});
    let both = TokenCounts {
        input: 4,
        output: 6,
        reasoning: 2,
    };
    assert_eq!(tokens(json!([request, request])), Some(both));
    assert_eq!(tokens(json!([null])), None);
    assert_eq!(tokens(json!([{}])), None);
}

#[test]
fn flags() {
    let flags = |answer: Value| sample(&json!({"doc_id": 0, "filtered_resps": answer})).flags;
    assert!(flags(json!("[LMMS_EVAL_REQUEST_FAILED after 2 retries] Error")).failed_request);
    assert!(flags(json!(["[LMMS_EVAL_BUDGET_EXCEEDED]"])).budget);
    assert!(flags(json!("  \n")).empty && flags(json!([])).empty && flags(json!([""])).empty);
    assert!(flags(json!("[invalid]")).unparsed);
    let unread =
        sample(&json!({"doc_id": 0, "filtered_resps": "hm", "acc": {"parsed_pred": "", "answer": "A"}}));
    assert!(unread.flags.unparsed);
    let read = sample(&json!({"doc_id": 0, "filtered_resps": "A", "acc": {"parsed_pred": ["A"]}}));
    assert_eq!(read.flags, lmms::samples::SampleFlags::default());
}

#[test]
fn samples_inside_other_documents() {
    let record = json!({"doc_id": 3, "doc": {"q": 1}, "target": "A", "arguments": ["x"], "resps": [["A"]], "filtered_resps": ["A"], "acc": 1});
    let dump = of_dump(json!({"results": {}, "samples": {"t": [record, {"target": 1}]}}));
    assert_eq!(dump[0].0, "t");
    assert_eq!(
        dump[0].1[0].as_ref().map(|sample| sample.variant),
        Ok(SampleVariant::Sd)
    );
    assert_eq!(dump[0].1[1].as_ref().map_err(|bad| bad.line_no), Err(2));
    let old = of_old(json!({"args": {}, "logs": [record], "time": "x"}));
    assert_eq!(
        old[0].as_ref().map(|sample| (sample.variant, sample.doc_id)),
        Ok((SampleVariant::S0, 3))
    );
}

/// Bytes that need no memory: a line of `x` of any length, then a sample.
struct LongLine {
    left: u64,
    rest: &'static [u8],
}

impl Read for LongLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let take = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if take > 0 {
            buffer[..take].fill(b'x');
            self.left -= take as u64;
            return Ok(take);
        }
        self.rest.read(buffer)
    }
}

#[test]
fn a_line_of_50_megabytes_costs_one_sample() {
    let input = LongLine {
        left: 50_000_000,
        rest: b"\n{\"doc_id\": 7}\n",
    };
    let read: Vec<_> = SampleReader::new(BufReader::with_capacity(65536, input)).collect();
    assert_eq!(
        read[0].as_ref().map_err(|bad| (bad.line_no, &bad.reason)),
        Err((1, &BadLineReason::TooLong))
    );
    assert_eq!(read[1].as_ref().map(|sample| sample.doc_id), Ok(7));
    assert_eq!(read.len(), 2);
    const { assert!(LINE_CAP < 50_000_000) };
}

/// A disk that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_read_error_is_told_once() {
    let input = (&b"{\"doc_id\": 7}\n"[..]).chain(Broken);
    let read: Vec<_> = SampleReader::new(BufReader::new(input)).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(
        read[1].as_ref().map_err(ToString::to_string),
        Err("line 2 is not readable: the disk is gone".to_owned())
    );
}

proptest! {
    #![proptest_config(crate::fixtures::cases(256))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(SampleReader::new(&bytes[..]).count(), lines);
    }

    #[test]
    fn broken_lines_do_not_spoil_the_next(noise in "[^\n]{0,40}") {
        let text = format!("{noise}\n{{\"doc_id\": 7}}");
        let last = SampleReader::new(text.as_bytes()).last().expect("a line");
        prop_assert_eq!(last.expect("a sample").doc_id, 7);
    }
}

/// Tasks of the corpus whose aggregation is a mean of what each sample says: the mean of our scores
/// is theirs. Of the others the reason is one of ours.
#[test]
fn scores_of_the_corpus_agree_with_its_documents() {
    let Some(corpus) = corpus() else { return };
    let mean = |file: &str, metric: &str| {
        let bytes = std::fs::read(corpus.join(file)).expect("a file of the corpus");
        let samples = SampleReader::new(&bytes[..]).map(|line| line.expect("a sample"));
        let scores: Vec<f64> = samples
            .map(|sample| score(&sample, metric).expect("a score"))
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    for (stem, task, metric, expected) in [
        (
            "UESTC-Simon__lmms-eval-for-llama__mmmu__20260131_222302",
            "mmmu_val",
            "mmmu_acc",
            0.35,
        ),
        (
            "B1ueDrops__lmms-eval__urban_q25vl__20250526_141119",
            "urbanvideobench",
            "urbanvideobench_score/overall",
            25.0 / 48.0,
        ),
    ] {
        let found = mean(&format!("{stem}_samples_{task}.jsonl"), metric);
        assert!((found - expected).abs() < 1e-9, "{task}: {found}");
    }
}
