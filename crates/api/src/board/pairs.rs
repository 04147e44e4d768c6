//! Which answers have been compared with which, so that a new run is compared with the others and no one else again.

use super::Difference;
use super::documents::{Answer, Overlap, matched, overlap};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The samples behind one cell: of a picked row, as they were ingested at that time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measured {
    /// The picked row.
    pub pick: Uuid,
    /// The benchmark.
    pub benchmark: Uuid,
    /// The filter.
    pub filter: String,
    /// When they were ingested: the same row may be measured again.
    pub ingested: Option<DateTime<Utc>>,
}

/// Answers by document, in order; none where they say nothing about the cell.
pub type Answers = Option<Vec<Answer>>;

/// What comparing two cells gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Compared {
    difference: Option<Difference>,
    overlap: Overlap,
}

/// The differences of pairs.
#[derive(Debug, Default)]
pub struct Pairs {
    numbers: HashMap<Measured, u32>,
    made: u32,
    found: HashMap<(u32, u32), Compared>,
}

impl Pairs {
    /// Those of a column that have not been compared with all others of it.
    pub fn unknown(&self, column: &[Measured]) -> Vec<usize> {
        let numbers: Vec<Option<u32>> = column.iter().map(|one| self.numbers.get(one).copied()).collect();
        let is_known = |i: usize, j: usize| match (numbers[i], numbers[j]) {
            (Some(a), Some(b)) => self.found.contains_key(&(a.min(b), a.max(b))),
            _ => false,
        };
        let any_unknown = |i: &usize| (0..column.len()).any(|j| j != *i && !is_known(*i, j));
        (0..column.len()).filter(any_unknown).collect()
    }

    /// Compares all of these with each other, but for what is known.
    pub fn learn(&mut self, column: &[(Measured, Answers)]) {
        let numbers: Vec<u32> = column.iter().map(|(one, _)| self.number(one)).collect();
        for (i, (_, first)) in column.iter().enumerate() {
            for (j, (_, second)) in column.iter().enumerate().skip(i + 1) {
                let (a, b) = (numbers[i], numbers[j]);
                let of = |low: &Answers, high: &Answers| {
                    let both = low.as_deref().zip(high.as_deref());
                    both.map(|(low, high)| compare(low, high)).unwrap_or_default()
                };
                self.found.entry((a.min(b), a.max(b))).or_insert_with(|| {
                    if a < b {
                        of(first, second)
                    } else {
                        of(second, first)
                    }
                });
            }
        }
    }

    /// How much higher the second is than the first.
    pub fn difference(&self, first: &Measured, second: &Measured) -> Option<Difference> {
        let (a, b) = (*self.numbers.get(first)?, *self.numbers.get(second)?);
        let found = self.found.get(&(a.min(b), a.max(b)))?.difference?;
        let sign = if a < b { 1.0 } else { -1.0 };
        Some(Difference {
            mean: sign * found.mean,
            ..found
        })
    }

    /// What both have in common; nothing where they were not compared.
    pub fn overlap(&self, first: &Measured, second: &Measured) -> Option<Overlap> {
        let (a, b) = (*self.numbers.get(first)?, *self.numbers.get(second)?);
        Some(self.found.get(&(a.min(b), a.max(b)))?.overlap)
    }

    /// Forgets what is none of these.
    pub fn keep(&mut self, cells: &HashSet<&Measured>) {
        self.numbers.retain(|one, _| cells.contains(one));
        let left: HashSet<u32> = self.numbers.values().copied().collect();
        self.found
            .retain(|(a, b), _| left.contains(a) && left.contains(b));
    }

    fn number(&mut self, one: &Measured) -> u32 {
        if let Some(number) = self.numbers.get(one) {
            return *number;
        }
        self.made += 1;
        self.numbers.insert(one.clone(), self.made);
        self.made
    }
}

fn compare(first: &[Answer], second: &[Answer]) -> Compared {
    let differences: Vec<f64> = matched(first, second).map(|(a, b)| b - a).collect();
    Compared {
        difference: Difference::of(&differences),
        overlap: overlap(first, second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(pick: u128) -> Measured {
        Measured {
            pick: Uuid::from_u128(pick),
            benchmark: Uuid::nil(),
            filter: "none".to_owned(),
            ingested: None,
        }
    }

    fn right(n: i64) -> Answers {
        let answer = |doc_id| Answer {
            doc_id,
            score: f64::from(u8::from(doc_id < n)),
            ..Answer::default()
        };
        Some((0..20).map(answer).collect())
    }

    #[test]
    fn only_what_is_new_is_compared() {
        let mut pairs = Pairs::default();
        let two = [cell(1), cell(2)];
        assert_eq!(pairs.unknown(&two), [0, 1]);
        pairs.learn(&[(cell(1), right(5)), (cell(2), right(10))]);
        assert_eq!(pairs.unknown(&two), [0; 0]);
        assert_eq!(pairs.difference(&two[0], &two[1]).unwrap().mean, 0.25);
        assert_eq!(pairs.difference(&two[1], &two[0]).unwrap().mean, -0.25);

        let three = [cell(2), cell(3), cell(1)];
        assert_eq!(pairs.unknown(&three), [0, 1, 2], "each has one that is new");
        pairs.learn(&[(cell(3), None), (cell(2), right(20)), (cell(1), right(0))]);
        assert_eq!(
            pairs.difference(&two[0], &two[1]).unwrap().mean,
            0.25,
            "known already"
        );
        assert!(pairs.difference(&three[1], &three[0]).is_none());
        assert_eq!(pairs.overlap(&two[0], &two[1]).unwrap().documents, 20);
        assert_eq!(pairs.unknown(&three), [0; 0]);

        pairs.keep(&HashSet::from([&three[0], &three[1]]));
        assert_eq!(pairs.unknown(&two), [0, 1]);
        assert_eq!(pairs.found.len(), 1);
    }

    #[test]
    fn the_same_row_measured_again_is_another() {
        let mut pairs = Pairs::default();
        pairs.learn(&[(cell(1), right(5)), (cell(2), right(10))]);
        let again = Measured {
            ingested: Some(DateTime::UNIX_EPOCH),
            ..cell(2)
        };
        assert_eq!(pairs.unknown(&[cell(1), again]), [0, 1]);
    }
}
