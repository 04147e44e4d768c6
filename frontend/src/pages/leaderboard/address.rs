//! What the address says about the leaderboard.

use std::cmp::Ordering;

use leptos::prelude::*;
use types::{BoardColumn, BoardEntry, LeaderboardView};

use crate::{api::endpoints::BoardQuery, shell::slice::use_slice, url::use_param};

/// The parts of the address.
#[derive(Clone, Copy)]
pub struct Address {
    /// Benchmarks or groups, by id.
    pub benchmarks: Signal<String>,
    /// `best`, `all` or `specific`; empty is `best`.
    pub mode: Signal<String>,
    /// The checkpoint of `specific`.
    pub checkpoint: Signal<String>,
    /// The order.
    pub sorting: Memo<Sorting>,
    /// Pinned rows, by [`key_of`].
    pub pins: Memo<Vec<String>>,
    /// Only these are shown.
    pub only_pins: Memo<bool>,
    /// Scores under other conditions count as well.
    pub lenient: Memo<bool>,
    /// Every metric has a column.
    pub all_metrics: Memo<bool>,
    /// The slice of the header.
    pub slice: Signal<String>,
}

impl Address {
    /// Reads it.
    pub fn read() -> Self {
        let (sort, pins, only) = (use_param("sort"), use_param("pin"), use_param("only"));
        let (lenient, metrics) = (use_param("lenient"), use_param("metrics"));
        Self {
            benchmarks: use_param("benchmarks"),
            mode: use_param("mode"),
            checkpoint: use_param("checkpoint"),
            sorting: Memo::new(move |_| sort.with(|text| Sorting::parse(text))),
            pins: Memo::new(move |_| pins.with(|text| list(text))),
            only_pins: Memo::new(move |_| only.with(|text| text == "pinned")),
            lenient: Memo::new(move |_| lenient.with(|text| !text.is_empty())),
            all_metrics: Memo::new(move |_| metrics.with(|text| text == "all")),
            slice: use_slice(),
        }
    }

    /// What is asked of the server. `specific` without a checkpoint waits for one.
    pub fn query(self) -> Option<BoardQuery> {
        let (mode, checkpoint) = (self.mode.get(), self.checkpoint.get());
        if mode == "specific" && checkpoint.is_empty() {
            return None;
        }
        Some(BoardQuery {
            benchmarks: self.benchmarks.get(),
            mode,
            checkpoint,
            slice: self.slice.get(),
            lenient: self.lenient.get(),
            all_metrics: self.all_metrics.get(),
        })
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a row is known by in the address.
pub fn key_of(entry: &BoardEntry) -> String {
    format!("{}~{}", entry.model_id, entry.checkpoint)
}

/// What a column is known by in the address.
pub fn column_key(column: &BoardColumn) -> String {
    format!("{}/{}/{}", column.benchmark, column.metric, column.filter)
}

/// What the table is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum By {
    /// The rank interval; the order in which the server answers.
    #[default]
    Rank,
    /// The name.
    Model,
    /// The win rate.
    Win,
    /// The age of the newest run.
    Run,
    /// A column.
    Column(String),
}

/// The order of the table: `win` is largest first, `-win` smallest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sorting {
    /// By what.
    pub by: By,
    /// Smallest first; worst first for ranks.
    pub up: bool,
}

impl Sorting {
    /// Reads it from the address.
    pub fn parse(text: &str) -> Self {
        let (up, id) = text.strip_prefix('-').map_or((false, text), |id| (true, id));
        let by = match id {
            "" | "rank" => By::Rank,
            "model" => By::Model,
            "win" => By::Win,
            "run" => By::Run,
            column => By::Column(column.to_owned()),
        };
        Self { by, up }
    }

    /// As the address says it.
    pub fn param(&self) -> String {
        let id = match &self.by {
            By::Rank if self.up => "rank",
            By::Rank => "",
            By::Model => "model",
            By::Win => "win",
            By::Run => "run",
            By::Column(column) => column,
        };
        format!("{}{id}", if self.up { "-" } else { "" })
    }

    /// Whether rows stand in tiers.
    pub fn in_tiers(&self) -> bool {
        *self == Self::default()
    }

    /// Puts rows in this order; those without a value stay last either way.
    pub fn apply(&self, board: &LeaderboardView, rows: &mut [BoardEntry]) {
        let column = match &self.by {
            By::Column(key) => board.columns.iter().position(|column| column_key(column) == *key),
            _ => None,
        };
        let turned = |order: Ordering| if self.up { order.reverse() } else { order };
        match &self.by {
            By::Rank if self.up => rows.reverse(),
            By::Rank => {}
            By::Model => {
                rows.sort_by(|a, b| turned(b.model_name.to_lowercase().cmp(&a.model_name.to_lowercase())));
            }
            By::Run => rows.sort_by(|a, b| turned(b.last_run.cmp(&a.last_run))),
            By::Win => rows.sort_by(|a, b| by_number(a.win_rate, b.win_rate, turned)),
            By::Column(_) => {
                let value = |row: &BoardEntry| Some(row.cells.get(column?)?.as_ref()?.value);
                rows.sort_by(|a, b| by_number(value(a), value(b), turned));
            }
        }
    }
}

/// Largest first before turning; what is missing last.
fn by_number(a: Option<f64>, b: Option<f64>, turned: impl Fn(Ordering) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => turned(b.total_cmp(&a)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// A key more or less.
pub fn toggled(keys: &[String], key: &str) -> String {
    let mut next: Vec<&str> = keys
        .iter()
        .map(String::as_str)
        .filter(|known| *known != key)
        .collect();
    if next.len() == keys.len() {
        next.push(key);
    }
    next.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::leaderboard::words::tests::{board, entry};

    #[test]
    fn the_address_is_read_and_written() {
        for text in [
            "",
            "-rank",
            "win",
            "-win",
            "model",
            "mmmu/acc/none",
            "-mmmu/acc/none",
        ] {
            assert_eq!(Sorting::parse(text).param(), text);
        }
        assert_eq!(Sorting::parse("rank"), Sorting::default());
        assert_eq!(toggled(&["a".into(), "b".into()], "a"), "b");
        assert_eq!(toggled(&["a".into()], "b"), "a,b");
        assert_eq!(list(",a,,b"), ["a", "b"]);
    }

    #[test]
    fn what_is_missing_stays_last() {
        let board = board(vec![
            entry("a", Some(0.2), Some(0.1)),
            entry("b", None, None),
            entry("c", Some(0.9), Some(0.5)),
        ]);
        let order = |text: &str| {
            let mut rows = board.entries.clone();
            Sorting::parse(text).apply(&board, &mut rows);
            rows.iter().map(|row| row.model_name.clone()).collect::<String>()
        };
        assert_eq!(order(""), "abc");
        assert_eq!(order("mmmu/acc/none"), "cab");
        assert_eq!(order("-mmmu/acc/none"), "acb");
        assert_eq!(order("-win"), "acb");
        assert_eq!(order("model"), "cba");
        assert_eq!(order("-model"), "abc");
    }
}
