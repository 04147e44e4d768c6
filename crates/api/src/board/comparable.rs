//! Which scores of a column were measured alike.

use super::Key;
use crate::db::board::Score;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use types::{BoardEntry, BoardNote, NoteKind};

/// The most common of some values; of equally common ones the largest.
pub(super) fn most_common<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(value, _)| value)
}

/// What most scores of a column were measured under.
#[derive(Default)]
struct Usual {
    /// None: all documents.
    limit: Option<String>,
    shots: Option<String>,
    version: Option<String>,
}

fn condition(score: &Score, name: &str) -> Option<String> {
    match score.conditions.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.as_f64().map_or_else(|| n.to_string(), |x| x.to_string())),
        other => Some(other.to_string()),
    }
}

impl Usual {
    fn of(scores: &[&Score]) -> Self {
        let common = |name: &str| most_common(scores.iter().filter_map(|s| condition(s, name)));
        let full = scores.iter().any(|s| condition(s, "limit").is_none());
        Self {
            limit: if full { None } else { common("limit") },
            shots: common("num_fewshot"),
            version: common("version"),
        }
    }

    /// What is to be known about a score, and whether it can be compared.
    fn notes(&self, score: &Score) -> (Vec<BoardNote>, bool) {
        let mut notes = Vec::new();
        let mut note = |kind, text| notes.push(BoardNote { kind, text });
        let mut same = true;
        if let Some(limit) = condition(score, "limit") {
            note(
                NoteKind::Limit,
                format!("limit {limit}: the first documents only"),
            );
            same &= self.limit.as_ref() == Some(&limit);
        }
        if let (Some(own), Some(usual)) = (condition(score, "num_fewshot"), &self.shots)
            && own != *usual
        {
            note(NoteKind::FewShot, format!("{own}-shot, the others {usual}-shot"));
            same = false;
        }
        if let (Some(own), Some(usual)) = (condition(score, "version"), &self.version)
            && own != *usual
        {
            note(
                NoteKind::Version,
                format!("version {own} of the task, the others {usual}"),
            );
            same = false;
        }
        if let Some(why) = &score.degraded {
            note(NoteKind::Degraded, why.clone());
        }
        (notes, same)
    }
}

/// Notes on every cell what differs, and whether it counts.
pub(super) fn judge(
    entries: &mut [BoardEntry],
    columns: usize,
    scores: &HashMap<(Key, usize), &Score>,
    lenient: bool,
) {
    for at in 0..columns {
        let of_entry = |entry: &BoardEntry| {
            let key = ((entry.model_id.0, entry.checkpoint.clone()), at);
            scores.get(&key).copied()
        };
        let all: Vec<&Score> = entries.iter().filter_map(of_entry).collect();
        let usual = Usual::of(&all);
        for entry in entries.iter_mut() {
            let Some(score) = of_entry(entry) else { continue };
            let (notes, same) = usual.notes(score);
            if let Some(cell) = entry.cells[at].as_mut() {
                cell.counts = same || lenient;
                cell.notes = notes;
            }
        }
    }
}
