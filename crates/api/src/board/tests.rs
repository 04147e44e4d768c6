//! A board of a few models.

use super::*;
use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};
use types::NoteKind;

const BENCH: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

fn scored(benchmark: Uuid, metric: &str, up: Option<bool>) -> Scored {
    Scored {
        benchmark_id: benchmark,
        benchmark: format!("bench {}", benchmark.as_u128()),
        metric_name: metric.to_owned(),
        filter: "none".to_owned(),
        higher_is_better: up,
        is_primary: metric == "acc",
        is_group: false,
        entries: 3,
        with_error: 3,
    }
}

fn at(day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, day, 0, 0, 0).unwrap()
}

fn score(model: u128, variant: &str, benchmark: Uuid, value: f64, conditions: Value) -> Score {
    Score {
        benchmark_id: benchmark,
        metric_name: "acc".to_owned(),
        filter: "none".to_owned(),
        model_id: Uuid::from_u128(model),
        model_name: format!("model {model}"),
        family: None,
        num_parameters: None,
        checkpoint_variant: variant.to_owned(),
        checkpoint_index: None,
        run_id: Uuid::from_u128(100 + model),
        run_benchmark_id: Uuid::from_u128(200 + model),
        value,
        stderr: Some(0.01),
        sample_count: Some(1000),
        conditions,
        degraded: None,
        ingested_at: None,
        ran_at: at(1),
    }
}

fn answer(doc_id: i64, score: f64) -> Answer {
    Answer {
        doc_id,
        score,
        ..Answer::default()
    }
}

fn names(board: &Board) -> Vec<(String, String)> {
    board
        .entries
        .iter()
        .map(|e| (e.model_name.clone(), e.checkpoint.clone()))
        .collect()
}

#[test]
fn each_benchmark_has_one_column_and_groups_give_way() {
    let mut group = scored(Uuid::from_u128(9), "acc", Some(true));
    group.is_group = true;
    let all = [
        scored(BENCH[0], "f1", None),
        scored(BENCH[0], "acc", Some(true)),
        group.clone(),
    ];
    let (found, more) = columns(&all, None, false);
    assert_eq!(
        found.iter().map(|c| c.metric_name.as_str()).collect::<Vec<_>>(),
        ["acc"]
    );
    assert_eq!((found.len(), more), (1, 0));
    assert_eq!(columns(&all, None, true).0.len(), 2);
    assert_eq!(columns(&all, Some(&[group.benchmark_id]), false).0, [group]);
}

#[test]
fn the_best_checkpoint_stands_for_its_model() {
    let columns = [scored(BENCH[0], "acc", Some(true))];
    let scores = [
        score(1, "a", BENCH[0], 0.5, json!({})),
        score(1, "b", BENCH[0], 0.7, json!({})),
        score(2, "latest", BENCH[0], 0.6, json!({})),
    ];
    let board = build(&columns, &scores, &Options::default());
    assert_eq!(
        names(&board),
        [
            ("model 1".into(), "b".into()),
            ("model 2".into(), "latest".into())
        ]
    );
    let all = build(
        &columns,
        &scores,
        &Options {
            mode: Mode::All,
            ..Options::default()
        },
    );
    assert_eq!((all.total, all.entries[2].score), (3, Some(0.5)));
    let one = Options {
        mode: Mode::Specific("a".into()),
        ..Options::default()
    };
    assert_eq!(
        names(&build(&columns, &scores, &one)),
        [("model 1".into(), "a".into())]
    );
}

#[test]
fn what_was_measured_otherwise_is_marked_and_does_not_count() {
    let columns = [
        scored(BENCH[0], "acc", Some(true)),
        scored(BENCH[1], "acc", Some(true)),
    ];
    let usual = json!({"num_fewshot": 0, "version": "1"});
    let mut scores = vec![
        score(1, "latest", BENCH[0], 0.5, usual.clone()),
        score(2, "latest", BENCH[0], 0.6, usual.clone()),
        score(
            3,
            "latest",
            BENCH[0],
            0.9,
            json!({"num_fewshot": 5, "limit": 8.0}),
        ),
        score(3, "latest", BENCH[1], 0.1, json!({})),
        score(1, "latest", BENCH[1], 0.2, json!({})),
    ];
    scores[0].degraded = Some("3 failed requests".into());
    let board = build(&columns, &scores, &Options::default());
    let third = board.entries.iter().find(|e| e.model_name == "model 3").unwrap();
    let cell = third.cells[0].as_ref().unwrap();
    let kinds: Vec<NoteKind> = cell.notes.iter().map(|n| n.kind).collect();
    assert_eq!(
        (cell.counts, kinds),
        (false, vec![NoteKind::Limit, NoteKind::FewShot])
    );
    assert_eq!(cell.notes[0].text, "limit 8: the first documents only");
    assert_eq!((third.counted, third.win_rate), (1, Some(0.0)));
    let first = board.entries.iter().find(|e| e.model_name == "model 1").unwrap();
    assert!(first.cells[0].as_ref().unwrap().counts, "degraded scores count");
    let lenient = build(
        &columns,
        &scores,
        &Options {
            lenient: true,
            ..Options::default()
        },
    );
    assert!(
        lenient
            .entries
            .iter()
            .all(|e| e.cells.iter().flatten().all(|c| c.counts))
    );
}

#[test]
fn parts_of_the_same_size_can_be_compared() {
    let columns = [scored(BENCH[0], "acc", Some(true))];
    let part = json!({"limit": 8.0});
    let scores = [
        score(1, "l", BENCH[0], 0.5, part.clone()),
        score(2, "l", BENCH[0], 0.6, part),
    ];
    let board = build(&columns, &scores, &Options::default());
    assert!(board.entries.iter().all(|e| e.cells[0].as_ref().unwrap().counts));
}

#[test]
fn clear_differences_make_tiers() {
    let columns = [scored(BENCH[0], "acc", Some(true))];
    let scores: Vec<Score> = [0.90, 0.895, 0.5]
        .iter()
        .zip(1..)
        .map(|(value, model)| score(model, "l", BENCH[0], *value, json!({})))
        .collect();
    let mut board = build(&columns, &scores, &Options::default());
    let found = unpaired(&board);
    assert_eq!(found.tests, 3);
    rank(&mut board, &found);
    let places: Vec<_> = board
        .entries
        .iter()
        .map(|e| (e.rank_lo, e.rank_hi, e.tier))
        .collect();
    assert_eq!(
        places,
        [
            (Some(1), Some(2), Some(1)),
            (Some(1), Some(2), Some(1)),
            (Some(3), Some(3), Some(2))
        ]
    );
    assert_eq!(board.columns[0].n, Some(1000));
}

#[test]
fn pairs_are_matched_by_document_and_separate_what_errors_cannot() {
    let columns = [scored(BENCH[0], "acc", Some(true))];
    let mut scores = vec![
        score(1, "l", BENCH[0], 0.52, json!({})),
        score(2, "l", BENCH[0], 0.5, json!({})),
    ];
    scores.iter_mut().for_each(|s| s.stderr = Some(0.016));
    let board = build(&columns, &scores, &Options::default());
    let right = |n: i64| {
        (0..1000)
            .map(|doc| answer(doc, f64::from(u8::from(doc < n))))
            .collect::<Vec<_>>()
    };
    let measured = |model: u128| Measured {
        pick: Uuid::from_u128(200 + model),
        benchmark: BENCH[0],
        filter: "none".to_owned(),
        ingested: None,
    };
    let compared = |first, second| {
        let mut pairs = Pairs::default();
        pairs.learn(&[(measured(1), Some(first)), (measured(2), Some(second))]);
        let of = |entry: &BoardEntry| measured(entry.model_id.0.as_u128());
        paired(&board, |a, b, _| pairs.difference(&of(a), &of(b)))
    };
    let places = |found: &Intervals| found.places[&(Uuid::from_u128(2), "l".to_owned())];
    assert_eq!(places(&unpaired(&board)), (1, 2));
    assert_eq!(places(&compared(right(520), right(500))), (2, 2));
    let apart = compared(vec![answer(1, 1.0)], vec![answer(2, 0.0)]);
    assert_eq!(apart.tests, 0, "no document in common");
}

#[test]
fn a_column_without_direction_counts_for_nothing() {
    let columns = [scored(BENCH[0], "acc", None)];
    let board = build(
        &columns,
        &[score(1, "l", BENCH[0], 0.5, json!({}))],
        &Options::default(),
    );
    assert_eq!((board.entries[0].rank, board.entries[0].counted), (None, 0));
    assert_eq!(board.entries[0].score, Some(0.5));
    assert!(build(&[], &[], &Options::default()).entries.is_empty());
}
