//! The leaderboard in words and marks: tiers, footnotes, the sheet that is exported.

use serde_json::{Value, json};
use types::{BoardCell, BoardEntry, LeaderboardView, NoteKind, RankKind};

use crate::format::{Sheet, count, plural, real};

/// The words of a footnote, by its letter's place.
pub fn footnotes(rows: &[BoardEntry]) -> Vec<(NoteKind, String)> {
    let mut notes: Vec<(NoteKind, String)> = rows
        .iter()
        .flat_map(|row| row.cells.iter().flatten())
        .flat_map(|cell| cell.notes.iter().map(|note| (note.kind, note.text.clone())))
        .collect();
    notes.sort();
    notes.dedup();
    notes
}

/// The letter of a footnote: a to z, then aa.
pub fn letter(place: usize) -> String {
    let own = char::from(b'a' + (place % 26) as u8);
    if place < 26 {
        own.to_string()
    } else {
        format!("{}{own}", letter(place / 26 - 1))
    }
}

/// The letters of a cell.
pub fn letters(cell: &BoardCell, notes: &[(NoteKind, String)]) -> String {
    let place = |kind: NoteKind, text: &str| notes.iter().position(|note| note.0 == kind && note.1 == text);
    let all: Vec<String> = cell
        .notes
        .iter()
        .filter_map(|note| place(note.kind, &note.text))
        .map(letter)
        .collect();
    all.join(",")
}

/// What stands over a tier.
pub fn tier_words(rows: &[BoardEntry], tier: Option<u32>) -> (String, String) {
    let members = rows.iter().filter(|row| row.tier == tier).count() as u64;
    let many = plural(members, "model", "models");
    match tier {
        Some(1) if members > 1 => (
            "Tier 1".to_owned(),
            format!("{many}, not separable from the first at 95 %"),
        ),
        Some(tier) => (format!("Tier {tier}"), many),
        None => (
            "Not ranked".to_owned(),
            format!("{many} without a comparable score"),
        ),
    }
}

/// A rank interval: `4–7`, `1`, or a dash.
pub fn rank_words(entry: &BoardEntry) -> String {
    match (entry.rank_lo, entry.rank_hi) {
        (Some(lo), Some(hi)) if lo == hi => lo.to_string(),
        (Some(lo), Some(hi)) => format!("{lo}–{hi}"),
        _ => crate::format::MISSING.to_owned(),
    }
}

/// What a rank interval means.
pub fn rank_title(entry: &BoardEntry, ranked: usize) -> String {
    match (entry.rank_lo, entry.rank_hi) {
        (Some(lo), Some(hi)) => format!(
            "{} surely better, {} surely worse",
            plural(u64::from(lo - 1), "model is", "models are"),
            count((ranked as u64).saturating_sub(u64::from(hi)))
        ),
        _ => "no score that can be compared".to_owned(),
    }
}

/// Where the rank intervals come from.
pub fn basis_words(board: &LeaderboardView) -> String {
    let tests = plural(board.ranks.tests.into(), "test", "tests");
    match board.ranks.kind {
        RankKind::Paired => format!("From {tests} paired sample by sample, Holm corrected."),
        RankKind::Unpaired => format!(
            "From {tests} of the scores' own errors, Holm corrected; wider than tests paired sample by sample."
        ),
    }
}

/// What a cell says on hover.
pub fn cell_title(cell: &BoardCell) -> String {
    let n = cell.n.map(|n| format!(", n = {}", count(n))).unwrap_or_default();
    let doubt = match (cell.low, cell.high) {
        (Some(low), Some(high)) => format!("95 % interval {} to {}", real(low, 4), real(high, 4)),
        _ => "no standard error".to_owned(),
    };
    let notes: String = cell.notes.iter().map(|note| format!("; {}", note.text)).collect();
    format!("{}; {doubt}{n}{notes}", cell.value)
}

/// The table as it is filtered, one row per score, with what is needed to understand it.
pub fn sheet(board: &LeaderboardView, rows: &[BoardEntry]) -> Sheet {
    let mut sheet = Sheet::new([
        "model",
        "checkpoint",
        "family",
        "parameters",
        "rank_lo",
        "rank_hi",
        "tier",
        "win_rate",
        "benchmark",
        "metric",
        "filter",
        "direction",
        "value",
        "stderr",
        "low_95",
        "high_95",
        "n",
        "comparable",
        "notes",
        "run_id",
        "ran_at",
        "slice",
    ]);
    for row in rows {
        for (column, cell) in board.columns.iter().zip(&row.cells) {
            let Some(cell) = cell else { continue };
            let direction = match column.higher_is_better {
                Some(true) => json!("higher is better"),
                Some(false) => json!("lower is better"),
                None => Value::Null,
            };
            let notes: Vec<&str> = cell.notes.iter().map(|note| note.text.as_str()).collect();
            sheet.rows.push(vec![
                json!(row.model_name),
                json!(row.checkpoint),
                json!(row.family),
                json!(row.num_parameters),
                json!(row.rank_lo),
                json!(row.rank_hi),
                json!(row.tier),
                json!(row.win_rate),
                json!(column.benchmark),
                json!(column.metric),
                json!(column.filter),
                direction,
                json!(cell.value),
                json!(cell.stderr),
                json!(cell.low),
                json!(cell.high),
                json!(cell.n),
                json!(cell.counts),
                json!(notes.join("; ")),
                json!(cell.run_id),
                json!(cell.ran_at),
                json!(board.slice),
            ]);
        }
    }
    sheet
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn entry(name: &str, value: Option<f64>, win: Option<f64>) -> BoardEntry {
        let cell = value.map(|value| {
            json!({"value": value, "stderr": 0.01, "low": value - 0.02, "high": value + 0.02, "n": 1204,
                "run_id": uuid::Uuid::nil(), "run_benchmark_id": uuid::Uuid::nil(), "ran_at": "2026-11-20T13:00:00Z",
                "counts": true, "notes": [{"kind": "limit", "text": "limit 8"}]})
        });
        serde_json::from_value(json!({
            "rank": 1, "rank_lo": 4, "rank_hi": 7, "tier": 2, "model_id": uuid::Uuid::nil(), "model_name": name,
            "family": null, "num_parameters": null, "checkpoint": "latest", "checkpoint_index": null, "score": value,
            "win_rate": win, "counted": 1, "last_run": "2026-11-20T13:00:00Z", "run_id": uuid::Uuid::nil(), "cells": [cell]
        }))
        .unwrap()
    }

    pub(crate) fn board(entries: Vec<BoardEntry>) -> LeaderboardView {
        let mut board: LeaderboardView = serde_json::from_value(json!({
            "benchmark": "mmmu", "slice": "all", "entries": [], "total": entries.len(), "more_columns": 0,
            "columns": [{"benchmark_id": uuid::Uuid::nil(), "benchmark": "mmmu", "metric": "acc", "filter": "none",
                "higher_is_better": true, "n": 900, "low": 0.0, "high": 1.0}],
            "ranks": {"kind": "paired", "tests": 91, "at": null, "outdated": false}
        }))
        .unwrap();
        board.entries = entries;
        board
    }

    #[test]
    fn ranks_and_tiers_are_said() {
        let row = entry("a", Some(0.5), None);
        assert_eq!(rank_words(&row), "4–7");
        assert_eq!(rank_title(&row, 14), "3 models are surely better, 7 surely worse");
        let rows = [row.clone(), row];
        assert_eq!(tier_words(&rows, Some(2)), ("Tier 2".into(), "2 models".into()));
        assert!(tier_words(&rows, None).0.starts_with("Not ranked"));
        assert!(basis_words(&board(vec![])).contains("91 tests paired"));
    }

    #[test]
    fn footnotes_have_letters() {
        let rows = [entry("a", Some(0.5), None), entry("b", Some(0.6), None)];
        let notes = footnotes(&rows);
        assert_eq!(notes, [(NoteKind::Limit, "limit 8".into())]);
        assert_eq!(letters(rows[0].cells[0].as_ref().unwrap(), &notes), "a");
        assert_eq!(
            (letter(0), letter(25), letter(26)),
            ("a".into(), "z".into(), "aa".into())
        );
        assert!(cell_title(rows[0].cells[0].as_ref().unwrap()).contains("n = 1\u{202f}204; limit 8"));
    }

    #[test]
    fn the_export_has_a_row_for_each_score() {
        let board = board(vec![entry("a", Some(0.5), Some(1.0)), entry("b", None, None)]);
        let sheet = sheet(&board, &board.entries);
        assert_eq!(sheet.rows.len(), 1);
        assert_eq!(sheet.head.len(), sheet.rows[0].len());
    }
}
