//! One samples file, line by line, on a thread of its own.

use super::docs::Docs;
use super::pump::ChannelReader;
use super::rows::{Leaf, row_of};
use super::slices::Judges;
use crate::db::copy;
use crate::db::samples::{NewSample, Owner};
use lmms::samples::{FilterCursor, SampleFlags, SampleReader};
use std::collections::BTreeMap;

/// What a samples file amounted to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// Samples read.
    pub(super) total: u64,
    /// Lines that are no sample, or belong to a second run in the same file.
    pub(super) bad_lines: u64,
    /// Why the first of them is none.
    pub(super) first_bad: Option<String>,
    /// Samples by what is odd about them.
    pub(super) odd: Odd,
    /// Scores by filter.
    pub(super) scores: BTreeMap<String, Scores>,
    /// Whether any of them names media.
    pub(super) names_media: bool,
    /// What stands for the documents: their fields, and their targets.
    contents: Contents,
    targets: Contents,
}

/// Whether the hashes of the documents differ at all.
#[derive(Clone, Debug, Default, PartialEq)]
enum Contents {
    /// There are none.
    #[default]
    None,
    /// All of so many samples are this one.
    Same(Vec<u8>, u64),
    /// They differ.
    Differ,
}

/// Answers that should not be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) failed: u64,
    pub(super) budget: u64,
    pub(super) empty: u64,
}

impl Odd {
    fn count(&mut self, flags: SampleFlags) {
        self.failed += u64::from(flags.failed_request);
        self.budget += u64::from(flags.budget);
        self.empty += u64::from(flags.empty && !flags.failed_request && !flags.budget);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.failed += other.failed;
        self.budget += other.budget;
        self.empty += other.empty;
    }

    /// In one sentence; nothing when every answer can be trusted.
    pub(super) fn sentence(self, total: u64) -> Option<String> {
        let parts = [
            (self.failed, "failed requests"),
            (self.budget, "requests over the token budget"),
            (self.empty, "empty answers"),
        ];
        let named: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        (!named.is_empty()).then(|| format!("{} among {total} samples", named.join(", ")))
    }
}

/// Mean and spread of scores, one by one (Welford).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Scores {
    pub(super) n: u64,
    pub(super) mean: f64,
    m2: f64,
    is_unit: Option<bool>,
}

impl Scores {
    fn push(&mut self, score: f64) {
        self.n += 1;
        let delta = score - self.mean;
        self.mean += delta / self.n as f64;
        self.m2 += delta * (score - self.mean);
        let unit = (0.0..=1.0).contains(&score);
        self.is_unit = Some(self.is_unit.unwrap_or(true) && unit);
    }

    /// Standard error of the mean, as lmms-eval computes it: sd / sqrt(n).
    pub(super) fn stderr(&self) -> Option<f64> {
        let n = self.n as f64;
        (self.n > 1).then(|| (self.m2 / (n - 1.0)).sqrt() / n.sqrt())
    }

    /// Whether every score lay in [0, 1].
    pub(super) fn is_unit(&self) -> bool {
        self.is_unit.unwrap_or(false)
    }
}

/// Reads a samples file to its end and hands its rows to the copy. Returns early when nobody takes them.
pub(super) fn read(
    input: ChannelReader,
    owner: Owner,
    leaf: &Leaf,
    filters: &[String],
    docs: &Docs,
    judges: &Judges,
    sender: copy::Sender,
) -> Tally {
    let mut tally = Tally::default();
    let mut cursor = FilterCursor::new(filters);
    let mut rows = copy::Rows::default();
    for (index, line) in (0..).zip(SampleReader::new(std::io::BufReader::new(input))) {
        match line {
            Ok(sample) => {
                let Some(filter) = cursor.filter_of(sample.doc_id).map(str::to_owned) else {
                    tally.bad(|| "more blocks of documents than the task has filters".to_owned());
                    continue;
                };
                tally.odd.count(sample.flags);
                tally.names_media |= !sample.input_media.is_empty();
                let mut row = row_of(leaf, docs, index, &filter, sample);
                judges.judge(&mut row);
                tally.take(&row);
                row.encode(owner, &mut rows);
            }
            Err(bad) => tally.bad(|| bad.to_string()),
        }
        if rows.is_full() && sender.send(&mut rows).is_err() {
            return tally;
        }
    }
    // Nobody takes them only when the transaction has failed, and then nothing counts.
    if sender.send(&mut rows).is_ok() {
        let _ = sender.end();
    }
    tally
}

impl Contents {
    fn take(&mut self, hash: Option<&Vec<u8>>) {
        let Some(hash) = hash else {
            return;
        };
        *self = match std::mem::take(self) {
            Self::None => Self::Same(hash.clone(), 1),
            Self::Same(first, n) if first == *hash => Self::Same(first, n + 1),
            Self::Same(..) | Self::Differ => Self::Differ,
        };
    }

    /// A hash that all documents share tells them apart no better than none: many tasks write the
    /// name of a column as every target.
    fn is_constant(&self) -> bool {
        matches!(self, Self::Same(_, samples) if *samples > 1)
    }
}

impl Tally {
    fn take(&mut self, row: &NewSample) {
        self.total += 1;
        self.contents.take(row.content_hash.as_ref());
        self.targets.take(row.target_hash.as_ref());
        if let Some(score) = row.score {
            self.scores.entry(row.filter.clone()).or_default().push(score);
        }
    }

    /// Which hashes say nothing: those of the documents, and those of the targets.
    pub(super) fn constant(&self) -> (bool, bool) {
        (self.contents.is_constant(), self.targets.is_constant())
    }

    fn bad(&mut self, why: impl FnOnce() -> String) {
        self.bad_lines += 1;
        if self.first_bad.is_none() {
            self.first_bad = Some(why());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_the_textbook() {
        let mut scores = Scores::default();
        [1.0, 0.0, 1.0, 1.0].into_iter().for_each(|s| scores.push(s));
        assert!((scores.mean - 0.75).abs() < 1e-12 && scores.is_unit());
        assert!((scores.stderr().unwrap() - 0.25).abs() < 1e-12);
        scores.push(2.0);
        assert!(!scores.is_unit());
    }

    #[test]
    fn a_hash_that_all_share_says_nothing() {
        let tally = |hashes: &[u8]| {
            let mut tally = Tally::default();
            for hash in hashes {
                tally.take(&NewSample {
                    content_hash: Some(vec![*hash]),
                    target_hash: Some(vec![7]),
                    ..NewSample::default()
                });
            }
            tally.constant()
        };
        assert_eq!(tally(&[1, 1, 1]), (true, true));
        assert_eq!(tally(&[1, 2, 1]), (false, true));
        assert_eq!((tally(&[1]), tally(&[])), ((false, false), (false, false)));
    }

    #[test]
    fn odd_answers_are_told_in_one_sentence() {
        let odd = Odd {
            failed: 2,
            budget: 0,
            empty: 1,
        };
        assert_eq!(
            odd.sentence(9).unwrap(),
            "2 failed requests, 1 empty answers among 9 samples"
        );
        assert_eq!(Odd::default().sentence(9), None);
    }
}
