//! The catalogue joined with what was measured.

use std::collections::HashMap;

use serde_json::json;
use types::{BenchmarkCoverage, BenchmarkId, BenchmarkKind, BenchmarkList, CoverageList, Modality};

use crate::format::Sheet;

/// One line of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Task, group or tag.
    pub kind: BenchmarkKind,
    /// What the model is given.
    pub modality: Modality,
    /// E.g. `VQA`.
    pub category: String,
    /// The metric that decides.
    pub metric: Option<String>,
    /// Where the data come from.
    pub dataset: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// Documents, once seen.
    pub documents: Option<i64>,
    /// Models with a score.
    pub models: u64,
    /// Members with scores.
    pub measured: u64,
    /// Leaf tasks inside.
    pub leaves: u64,
    /// When the newest score was measured, in milliseconds.
    pub last_run: Option<f64>,
    /// An LLM judge scores it.
    pub judge: bool,
    /// Its data must be fetched.
    pub download: bool,
    /// No longer installed.
    pub missing: bool,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Text in name, data set or metric.
    pub search: String,
    /// Only of this modality.
    pub modality: Option<Modality>,
    /// Only of this category.
    pub category: String,
    /// Only of this kind.
    pub kind: Option<BenchmarkKind>,
    /// Only with a score.
    pub measured: bool,
}

impl Wanted {
    /// Whether a row is among them.
    pub fn fits(&self, row: &Row) -> bool {
        let search = self.search.to_lowercase();
        let texts = [Some(&row.name), row.dataset.as_ref(), row.metric.as_ref()];
        let found = texts
            .iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&search));
        let measured = row.models > 0 || row.measured > 0;
        found
            && self.modality.is_none_or(|modality| modality == row.modality)
            && (self.category.is_empty() || self.category == row.category)
            && self.kind.is_none_or(|kind| kind == row.kind)
            && (measured || !self.measured)
    }
}

/// The lines, by name.
pub fn joined(list: &BenchmarkList, coverage: &CoverageList) -> Vec<Row> {
    let known: HashMap<BenchmarkId, &BenchmarkCoverage> =
        coverage.benchmarks.iter().map(|b| (b.id, b)).collect();
    let row = |benchmark: &types::BenchmarkView| {
        let seen = known.get(&benchmark.id);
        Row {
            id: benchmark.id.to_string(),
            name: benchmark.name.clone(),
            kind: benchmark.kind,
            modality: benchmark.modality,
            category: benchmark.category.clone(),
            metric: benchmark.primary_metrics.first().cloned(),
            dataset: benchmark.dataset.clone(),
            description: benchmark.description.clone(),
            documents: benchmark.num_samples,
            models: seen.map_or(0, |seen| seen.models),
            measured: seen.map_or(0, |seen| seen.measured),
            leaves: benchmark.leaf_tasks.len() as u64,
            last_run: seen
                .and_then(|seen| seen.last_run)
                .map(|at| at.timestamp_millis() as f64),
            judge: benchmark.needs_judge,
            download: benchmark.needs_download,
            missing: benchmark.missing,
        }
    };
    list.benchmarks.iter().map(row).collect()
}

/// How many have a score, and how many there are.
pub fn counted(rows: &[Row]) -> (u64, u64) {
    let measured = rows
        .iter()
        .filter(|row| row.models > 0 || row.measured > 0)
        .count();
    (measured as u64, rows.len() as u64)
}

/// A kind in one word.
pub fn kind_word(kind: BenchmarkKind) -> &'static str {
    match kind {
        BenchmarkKind::Task => "Task",
        BenchmarkKind::Group => "Group",
        BenchmarkKind::Tag => "Tag",
    }
}

/// The lines as a table.
pub fn sheet(rows: &[Row]) -> Sheet {
    let mut sheet = Sheet::new([
        "benchmark",
        "kind",
        "modality",
        "category",
        "metric",
        "dataset",
        "documents",
        "models",
        "measured_tasks",
        "tasks",
        "needs_judge",
        "needs_download",
        "id",
    ]);
    for row in rows {
        sheet.rows.push(vec![
            json!(row.name),
            json!(row.kind.as_str()),
            json!(row.modality.as_str()),
            json!(row.category),
            json!(row.metric),
            json!(row.dataset),
            json!(row.documents),
            json!(row.models),
            json!(row.measured),
            json!(row.leaves),
            json!(row.judge),
            json!(row.download),
            json!(row.id),
        ]);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, models: u64) -> Row {
        Row {
            id: name.to_owned(),
            name: name.to_owned(),
            kind: BenchmarkKind::Task,
            modality: Modality::Vision,
            category: "VQA".to_owned(),
            metric: Some("acc".to_owned()),
            dataset: None,
            description: None,
            documents: None,
            models,
            measured: 0,
            leaves: 1,
            last_run: None,
            judge: false,
            download: false,
            missing: false,
        }
    }

    #[test]
    fn rows_are_filtered() {
        let rows = [row("mmmu", 2), row("chartqa", 0)];
        let fits = |wanted: Wanted| {
            rows.iter()
                .filter(|row| wanted.fits(row))
                .map(|row| row.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(fits(Wanted::default()).len(), 2);
        assert_eq!(
            fits(Wanted {
                search: "MMM".into(),
                ..Wanted::default()
            }),
            ["mmmu"]
        );
        assert_eq!(
            fits(Wanted {
                search: "acc".into(),
                ..Wanted::default()
            })
            .len(),
            2
        );
        assert_eq!(
            fits(Wanted {
                measured: true,
                ..Wanted::default()
            }),
            ["mmmu"]
        );
        assert!(
            fits(Wanted {
                modality: Some(Modality::Audio),
                ..Wanted::default()
            })
            .is_empty()
        );
        assert_eq!(counted(&rows), (1, 2));
        assert_eq!(sheet(&rows).rows[0].len(), sheet(&rows).head.len());
    }
}
