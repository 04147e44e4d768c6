//! A model's scores as a grid of benchmarks by checkpoints.

use std::collections::HashSet;

use serde_json::json;
use types::ModelScore;

use crate::{
    charts::plot::{Hue, Mark, Plot, Series},
    format::{Sheet, half_width, interval, scored},
};

/// The fewest points on either side of a change point.
const SEGMENT: usize = 3;

/// A checkpoint: a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Its place in training; those without come last.
    pub index: Option<i32>,
    /// Its name.
    pub name: String,
}

/// A metric: a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is known by in the address.
    pub key: String,
    /// The benchmark.
    pub benchmark: String,
    /// The metric, with its filter.
    pub metric: String,
    /// Whether more is better.
    pub up: Option<bool>,
    /// One per column.
    pub cells: Vec<Option<ModelScore>>,
    /// The largest value of the scale: 1 or 100; none where it is unbounded.
    pub top: Option<f64>,
}

/// The grid.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// Checkpoints, first to last.
    pub columns: Vec<Checkpoint>,
    /// Metrics, by benchmark.
    pub rows: Vec<Row>,
}

fn key_of(score: &ModelScore) -> String {
    format!("{}/{}/{}", score.benchmark, score.metric, score.filter)
}

/// The grid of these scores: one row for each benchmark, or for each metric.
pub fn grid(scores: &[ModelScore], all_metrics: bool) -> Grid {
    let mut columns: Vec<Checkpoint> = scores
        .iter()
        .map(|score| Checkpoint {
            index: score.checkpoint_index,
            name: score.checkpoint.clone(),
        })
        .collect();
    columns.sort_by(|a, b| (a.index.is_none(), a.index, &a.name).cmp(&(b.index.is_none(), b.index, &b.name)));
    columns.dedup();
    let mut keys: Vec<(String, &ModelScore)> = scores.iter().map(|score| (key_of(score), score)).collect();
    keys.sort_by(|a, b| {
        let worth = |s: &ModelScore| {
            (
                s.benchmark.clone(),
                !s.is_primary,
                s.higher_is_better.is_none(),
                s.stderr.is_none(),
            )
        };
        worth(a.1).cmp(&worth(b.1)).then_with(|| a.0.cmp(&b.0))
    });
    let mut seen = HashSet::new();
    keys.retain(|(key, _)| seen.insert(key.clone()));
    if !all_metrics {
        keys.dedup_by(|a, b| a.1.benchmark_id == b.1.benchmark_id);
    }
    let rows = keys
        .into_iter()
        .map(|(key, first)| row(key, first, scores, &columns))
        .collect();
    Grid { columns, rows }
}

fn row(key: String, first: &ModelScore, scores: &[ModelScore], columns: &[Checkpoint]) -> Row {
    let cell = |column: &Checkpoint| {
        let own = |score: &&ModelScore| key_of(score) == key && score.checkpoint == column.name;
        scores.iter().find(own).cloned()
    };
    let cells: Vec<Option<ModelScore>> = columns.iter().map(cell).collect();
    let values = || cells.iter().flatten().map(|score| score.value);
    let top = match values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    }) {
        (low, high) if low >= 0.0 && high <= 1.0 => Some(1.0),
        (low, high) if low >= 0.0 && high <= 100.0 => Some(100.0),
        _ => None,
    };
    let filter = if first.filter == "none" {
        String::new()
    } else {
        format!(", {}", first.filter)
    };
    Row {
        benchmark: first.benchmark.clone(),
        metric: format!("{}{filter}", first.metric),
        up: first.higher_is_better,
        cells,
        top,
        key,
    }
}

impl Row {
    /// The column of the best score, if more than one was measured.
    pub fn best(&self) -> Option<usize> {
        let sign = if self.up? { 1.0 } else { -1.0 };
        let known = self
            .cells
            .iter()
            .enumerate()
            .filter_map(|(at, cell)| Some((at, sign * cell.as_ref()?.value)));
        let known: Vec<(usize, f64)> = known.collect();
        let best = known.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (known.len() > 1).then_some(best.0)
    }

    /// How good a value is, from 0 to 1: for its colour.
    pub fn goodness(&self, value: f64) -> Option<f64> {
        let share = value / self.top?;
        Some(if self.up == Some(false) {
            1.0 - share
        } else {
            share
        })
    }

    /// The line over checkpoints, with its ribbon and its change points.
    pub fn plot(&self, columns: &[Checkpoint]) -> Plot {
        let spot = |(at, cell): (usize, &Option<ModelScore>)| {
            let x = columns.get(at)?.index.map_or(at as f64, f64::from);
            Some((x, cell.as_ref()?.clone()))
        };
        let known: Vec<(f64, ModelScore)> = self.cells.iter().enumerate().filter_map(spot).collect();
        let band = known.iter().filter_map(|(x, score)| {
            let (low, high) = range(score)?;
            Some((*x, low, high))
        });
        Plot {
            series: vec![Series {
                name: self.metric.clone(),
                hue: Hue::D1,
                points: known.iter().map(|(x, score)| (*x, score.value)).collect(),
                band: band.collect(),
                rings: true,
            }],
            marks: changes(&known),
            from_zero: false,
            ..Plot::default()
        }
    }
}

/// Where the level shifts, between the two points around it.
fn changes(known: &[(f64, ModelScore)]) -> Vec<Mark> {
    let values: Vec<f64> = known.iter().map(|(_, score)| score.value).collect();
    let Ok(found) = analysis::changepoint::changepoint_pelt(&values, SEGMENT) else {
        return Vec::new();
    };
    let mark = |(segment, &at): (usize, &usize)| {
        let step = found.segment_means.get(segment + 1)? - found.segment_means.get(segment)?;
        let (before, after) = (known.get(at.checked_sub(1)?)?.0, known.get(at)?.0);
        Some(Mark {
            x: f64::midpoint(before, after),
            words: format!("change of {}", crate::format::signed(step, 3)),
            ..Mark::default()
        })
    };
    found.breakpoints.iter().enumerate().filter_map(mark).collect()
}

/// A score as it is shown in a cell.
pub fn shown(score: &ModelScore) -> String {
    scored(score.value, half_width(range(score))).0
}

fn range(score: &ModelScore) -> Option<(f64, f64)> {
    interval(score.value, score.stderr, score.n)
}

/// What a cell says on hover.
pub fn title(row: &Row, score: &ModelScore) -> String {
    let (value, margin) = scored(score.value, half_width(range(score)));
    let doubt = margin.map_or_else(
        || ", no standard error".to_owned(),
        |margin| format!(" ± {margin} (95 %)"),
    );
    let n = score
        .n
        .map(|n| format!(", n = {}", crate::format::count(n)))
        .unwrap_or_default();
    let limit = if score.limited {
        ", only a part of the documents"
    } else {
        ""
    };
    format!(
        "{} {}, {}: {value}{doubt}{n}{limit}",
        row.benchmark, row.metric, score.checkpoint
    )
}

/// Every score, with what is needed to understand it.
pub fn sheet(model: &str, grid: &Grid) -> Sheet {
    let mut sheet = Sheet::new([
        "model",
        "checkpoint",
        "checkpoint_index",
        "benchmark",
        "metric",
        "filter",
        "higher_is_better",
        "value",
        "stderr",
        "n",
        "limited",
        "run_id",
        "ran_at",
    ]);
    for score in grid.rows.iter().flat_map(|row| row.cells.iter().flatten()) {
        sheet.rows.push(vec![
            json!(model),
            json!(score.checkpoint),
            json!(score.checkpoint_index),
            json!(score.benchmark),
            json!(score.metric),
            json!(score.filter),
            json!(score.higher_is_better),
            json!(score.value),
            json!(score.stderr),
            json!(score.n),
            json!(score.limited),
            json!(score.run_id),
            json!(score.ran_at),
        ]);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(benchmark: u128, metric: &str, checkpoint: &str, index: Option<i32>, value: f64) -> ModelScore {
        serde_json::from_value(json!({
            "benchmark_id": uuid::Uuid::from_u128(benchmark), "benchmark": format!("b{benchmark}"), "metric": metric,
            "filter": "none", "higher_is_better": true, "is_primary": metric == "acc", "is_group": false,
            "checkpoint": checkpoint, "checkpoint_index": index, "value": value, "stderr": 0.01, "n": 100, "limited": false,
            "run_id": uuid::Uuid::nil(), "run_benchmark_id": uuid::Uuid::nil(), "ran_at": "2026-11-20T13:00:00Z"
        }))
        .unwrap()
    }

    #[test]
    fn checkpoints_stand_in_training_order() {
        let scores = [
            score(1, "acc", "b", Some(2), 0.6),
            score(1, "acc", "latest", None, 0.7),
            score(1, "acc", "a", Some(1), 0.5),
            score(1, "f1", "a", Some(1), 0.4),
            score(2, "f1", "a", Some(1), 40.0),
        ];
        let grid_of = |all| grid(&scores, all);
        let grid = grid_of(false);
        let names: Vec<&str> = grid.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "latest"]);
        let keys: Vec<&str> = grid.rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(keys, ["b1/acc/none", "b2/f1/none"]);
        assert_eq!(grid_of(true).rows.len(), 3);
        assert_eq!((grid.rows[0].best(), grid.rows[1].best()), (Some(2), None));
        assert_eq!(
            (grid.rows[0].goodness(0.25), grid.rows[1].top),
            (Some(0.25), Some(100.0))
        );
        assert_eq!(sheet("m", &grid).rows.len(), 4);
        assert!(title(&grid.rows[0], &scores[0]).contains("b: 0.600 ± 0.020 (95 %), n = 100"));
    }

    #[test]
    fn a_shift_is_marked_between_its_points() {
        let wobble = |i: i32| if i % 2 == 0 { 0.001 } else { -0.001 };
        let scores: Vec<ModelScore> = (0..12)
            .map(|i| {
                score(
                    1,
                    "acc",
                    &format!("c{i:02}"),
                    Some(i),
                    if i < 6 { 0.5 } else { 0.7 } + wobble(i),
                )
            })
            .collect();
        let grid = grid(&scores, false);
        let plot = grid.rows[0].plot(&grid.columns);
        assert_eq!(plot.series[0].points.len(), 12);
        assert_eq!(plot.marks.len(), 1);
        assert_eq!(
            (plot.marks[0].x, plot.marks[0].words.as_str()),
            (5.5, "change of +0.200")
        );
    }
}
