//! What every comparison comes to: a reference and ours, measured in turn, and the ratio of the two.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::process::say;

/// The two figures of one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) reference: f64,
    pub(crate) ours: f64,
}

/// What was aimed at. A target that is missed is shown, and fails nothing: figures belong to machines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Ours is at least this share of the reference.
    RatioAtLeast(f64),
    /// Ours is at most this share of the reference.
    RatioAtMost(f64),
    /// Ours is at most this much, whatever the reference does.
    AtMost(f64),
    /// Ours is at least this much, whatever the reference does.
    AtLeast(f64),
    /// Told without a target.
    Open,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) target: Target,
    pub(crate) rounds: Vec<Round>,
    /// What a reader must know to read the figures.
    pub(crate) notes: Vec<String>,
}

impl Comparison {
    /// The median of the ratios of each round, the smallest and the largest.
    pub(crate) fn ratio(&self) -> [f64; 3] {
        let ratios: Vec<f64> = self.rounds.iter().map(|r| r.ours / r.reference).collect();
        spread(&ratios)
    }

    fn median(&self, side: fn(&Round) -> f64) -> f64 {
        spread(&self.rounds.iter().map(side).collect::<Vec<_>>())[0]
    }

    /// Whether the target is reached.
    pub(crate) fn is_reached(&self) -> bool {
        match self.target {
            Target::RatioAtLeast(least) => self.ratio()[0] >= least,
            Target::RatioAtMost(most) => self.ratio()[0] <= most,
            Target::AtMost(most) => self.median(|r| r.ours) <= most,
            Target::AtLeast(least) => self.median(|r| r.ours) >= least,
            Target::Open => true,
        }
    }

    fn required(&self) -> String {
        match self.target {
            Target::RatioAtLeast(least) => format!(">= {}", short(least)),
            Target::RatioAtMost(most) => format!("<= {}", short(most)),
            Target::AtMost(most) => format!("<= {} {}", short(most), self.unit),
            Target::AtLeast(least) => format!(">= {} {}", short(least), self.unit),
            Target::Open => "-".to_owned(),
        }
    }

    fn row(&self) -> [String; 8] {
        let [median, low, high] = self.ratio();
        [
            self.id.to_owned(),
            self.name.clone(),
            format!("{} {}", self.reference, short(self.median(|r| r.reference))),
            format!("{} {}", short(self.median(|r| r.ours)), self.unit),
            format!("x{}", short(median)),
            format!("{} - {}", short(low), short(high)),
            self.required(),
            if self.is_reached() { "yes" } else { "NO" }.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let [median, low, high] = self.ratio();
        json!({
            "id": self.id, "name": self.name, "unit": self.unit, "reference": self.reference,
            "rounds": self.rounds.iter().map(|r| json!({"reference": r.reference, "ours": r.ours})).collect::<Vec<_>>(),
            "ratio": {"median": median, "min": low, "max": high},
            "required": self.required(), "reached": self.is_reached(), "notes": self.notes,
        })
    }
}

/// Median, smallest, largest.
pub(crate) fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    let last = sorted.len().saturating_sub(1);
    let middle = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
    [middle, at(0), at(last)]
}

/// Three digits are what such figures are good for.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// Measures the reference, then ours, as many times as asked.
pub(crate) fn alternate(
    rounds: usize,
    mut reference: impl FnMut() -> Result<f64>,
    mut ours: impl FnMut() -> Result<f64>,
) -> Result<Vec<Round>> {
    let mut done = Vec::with_capacity(rounds);
    for number in 1..=rounds {
        let round = Round {
            reference: reference()?,
            ours: ours()?,
        };
        let (reference, ours) = (short(round.reference), short(round.ours));
        say(format_args!("round {number}: reference {reference}, ours {ours}"));
        done.push(round);
    }
    Ok(done)
}

/// Looks until something is so.
pub(crate) fn wait_for(what: &str, limit: Duration, mut seen: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + limit;
    while !seen() {
        if Instant::now() > end {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The table for people.
pub(crate) fn table(done: &[Comparison]) -> String {
    let head = [
        "",
        "",
        "reference",
        "ours",
        "ours/reference",
        "min - max",
        "required",
        "reached",
    ];
    let rows: Vec<[String; 8]> = std::iter::once(head.map(str::to_owned))
        .chain(done.iter().map(Comparison::row))
        .collect();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!(" {cell:width$} |"));
        text += &format!("|{}\n", cells.collect::<String>());
        if number == 0 {
            let rule = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2)));
            text += &format!("|{}\n", rule.collect::<String>());
        }
    }
    text
}

/// The rows for programs.
pub(crate) fn json(done: &[Comparison]) -> Value {
    done.iter().map(Comparison::json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(target: Target, rounds: &[(f64, f64)]) -> Comparison {
        let round = |&(reference, ours): &(f64, f64)| Round { reference, ours };
        Comparison {
            id: "P0",
            name: "nothing".to_owned(),
            unit: "s",
            reference: "bare",
            target,
            rounds: rounds.iter().map(round).collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_ratio_is_the_median_of_the_ratios_of_rounds() {
        let rounds = [(1.0, 2.0), (10.0, 5.0), (1.0, 4.0), (2.0, 2.0)];
        assert_eq!(comparison(Target::Open, &rounds).ratio(), [1.5, 0.5, 4.0]);
    }

    #[test]
    fn a_target_judges_the_ratio_or_ours() {
        let rounds = [(10.0, 6.0)];
        assert!(comparison(Target::RatioAtLeast(0.6), &rounds).is_reached());
        assert!(!comparison(Target::RatioAtLeast(0.7), &rounds).is_reached());
        assert!(comparison(Target::RatioAtMost(1.0), &rounds).is_reached());
        assert!(!comparison(Target::AtMost(5.0), &rounds).is_reached());
    }

    #[test]
    fn the_table_says_what_was_missed() {
        let text = table(&[comparison(Target::AtMost(5.0), &[(10.0, 6.0)])]);
        assert!(text.contains("<= 5.00 s") && text.contains("NO"), "{text}");
        assert_eq!(text.lines().count(), 3);
    }
}
