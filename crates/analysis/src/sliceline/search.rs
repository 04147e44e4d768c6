//! The search: level by level, each level a walk over the slices of one predicate less.
//!
//! One pass over a slice's samples and one further column gives size, error sum and largest error
//! of all its children in that column at once. A slice whose children cannot reach the k-th best
//! score is not entered; the bound is exact, so the result is that of looking at every slice.

use super::{SearchRules, Table};
use crate::streams::replicate;

/// A slice by column and code, with what the score needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) predicates: Vec<(usize, u32)>,
    pub(super) size: usize,
    pub(super) error_sum: f64,
    pub(super) score: f64,
}

pub(super) struct Outcome {
    pub(super) best: Vec<Candidate>,
    pub(super) truncated: bool,
    pub(super) level_reached: usize,
}

/// Size, error sum and largest error of a slice.
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    size: usize,
    sum: f64,
    largest: f64,
}

impl Errors {
    fn add(&mut self, error: f64) {
        self.size += 1;
        self.sum += error;
        self.largest = self.largest.max(error);
    }
}

pub(super) struct Search<'a> {
    table: &'a Table,
    errors: &'a [f64],
    rules: &'a SearchRules,
    min_support: usize,
    mean: f64,
}

/// What one walk found.
struct Walk {
    best: Vec<Candidate>,
    work: u64,
    limit: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(table: &'a Table, errors: &'a [f64], rules: &'a SearchRules) -> Self {
        let mean = crate::moments::mean(errors);
        Self {
            table,
            errors,
            rules,
            min_support: rules.min_support.max(1),
            mean,
        }
    }

    pub(super) fn run(&self) -> Outcome {
        let mut best: Vec<Candidate> = Vec::new();
        let levels = self.rules.max_level.min(self.table.columns().len());
        let mut outcome = Outcome {
            best: Vec::new(),
            truncated: false,
            level_reached: levels,
        };
        if self.mean.is_nan() || self.mean <= 0.0 || self.rules.k == 0 {
            return outcome;
        }
        let starts = self.starts();
        let share = self.rules.max_work / starts.len().max(1) as u64;
        for level in 1..=levels {
            let floor = self.kth_score(&best);
            let walks = replicate(starts.len(), |i| {
                let mut walk = Walk {
                    best: Vec::new(),
                    work: 0,
                    limit: share,
                };
                let (first, errors) = &starts[i];
                self.enter(
                    &mut walk,
                    &[*first],
                    *errors,
                    &self.rows_of(*first, level),
                    level,
                    floor,
                );
                walk
            });
            outcome.truncated |= walks.iter().any(|walk| walk.work > walk.limit);
            best.extend(walks.into_iter().flat_map(|walk| walk.best));
            self.keep_best(&mut best);
            if outcome.truncated {
                outcome.level_reached = level - 1;
                break;
            }
        }
        outcome.best = best;
        outcome
    }

    /// The slices of one predicate that are large enough.
    fn starts(&self) -> Vec<((usize, u32), Errors)> {
        let mut starts = Vec::new();
        for (c, column) in self.table.columns().iter().enumerate() {
            let mut of = vec![Errors::default(); column.values().len()];
            for (&code, &error) in column.codes().iter().zip(self.errors) {
                of[code as usize].add(error);
            }
            let codes = of
                .into_iter()
                .enumerate()
                .map(|(code, of)| ((c, code as u32), of));
            starts.extend(codes.filter(|(_, of)| self.can_grow(of)));
        }
        starts
    }

    fn can_grow(&self, of: &Errors) -> bool {
        of.size >= self.min_support && of.sum > 0.0
    }

    fn rows_of(&self, (column, code): (usize, u32), level: usize) -> Vec<u32> {
        if level == 1 {
            return Vec::new();
        }
        let codes = self.table.columns()[column].codes().iter().enumerate();
        codes
            .filter(|(_, of)| **of == code)
            .map(|(row, _)| row as u32)
            .collect()
    }

    /// Looks at the slices below this one that have `left - 1` more predicates.
    fn enter(
        &self,
        walk: &mut Walk,
        predicates: &[(usize, u32)],
        of: Errors,
        rows: &[u32],
        left: usize,
        floor: f64,
    ) {
        if left == 1 {
            return self.consider(walk, predicates, of);
        }
        if self.bound(of) < floor.max(self.kth_score(&walk.best)) - 1e-9 || self.bound(of) <= 0.0 {
            return;
        }
        let last = predicates.last().map_or(0, |(column, _)| *column);
        for column in last + 1..self.table.columns().len() {
            walk.work += rows.len() as u64;
            if walk.work > walk.limit {
                return;
            }
            let codes = self.table.columns()[column].codes();
            let mut children = vec![Errors::default(); self.table.columns()[column].values().len()];
            for &row in rows {
                children[codes[row as usize] as usize].add(self.errors[row as usize]);
            }
            for (code, child) in children.into_iter().enumerate() {
                if !self.can_grow(&child) {
                    continue;
                }
                let code = code as u32;
                let inside: Vec<u32> = if left == 2 {
                    Vec::new()
                } else {
                    rows.iter()
                        .copied()
                        .filter(|row| codes[*row as usize] == code)
                        .collect()
                };
                let deeper = [predicates, &[(column, code)]].concat();
                self.enter(walk, &deeper, child, &inside, left - 1, floor);
            }
        }
    }

    fn consider(&self, walk: &mut Walk, predicates: &[(usize, u32)], of: Errors) {
        let score = self.score(of.size as f64, of.sum);
        if rounded(score) > 0.0 {
            walk.best.push(Candidate {
                predicates: predicates.to_vec(),
                size: of.size,
                error_sum: of.sum,
                score,
            });
            if walk.best.len() >= 2 * self.rules.k + 64 {
                self.keep_best(&mut walk.best);
            }
        }
    }

    fn score(&self, size: f64, sum: f64) -> f64 {
        let (alpha, n) = (self.rules.alpha, self.errors.len() as f64);
        alpha * (sum / size / self.mean - 1.0) - (1.0 - alpha) * (n / size - 1.0)
    }

    /// The best score that any part of this slice could have.
    fn bound(&self, of: Errors) -> f64 {
        let (least, most) = (self.min_support as f64, of.size as f64);
        let at = |s: f64| self.score(s, (s * of.largest).min(of.sum));
        [least, (of.sum / of.largest).clamp(least, most), most]
            .into_iter()
            .map(at)
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// The score that a further slice has to reach; 0 while there are fewer than k.
    fn kth_score(&self, best: &[Candidate]) -> f64 {
        if best.len() < self.rules.k {
            return 0.0;
        }
        let mut scores: Vec<f64> = best.iter().map(|c| c.score).collect();
        let at = self.rules.k - 1;
        *scores.select_nth_unstable_by(at, |x, y| y.total_cmp(x)).1
    }

    fn keep_best(&self, best: &mut Vec<Candidate>) {
        best.sort_by(|x, y| {
            rounded(y.score)
                .total_cmp(&rounded(x.score))
                .then(x.predicates.len().cmp(&y.predicates.len()))
                .then_with(|| x.predicates.cmp(&y.predicates))
        });
        best.truncate(self.rules.k);
    }
}

/// Scores that differ by rounding alone are equal.
fn rounded(score: f64) -> f64 {
    (score * 1e12).round() / 1e12
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_search_that_runs_out_of_work_says_how_far_it_came() {
        let mut dice = Stream::new(1, 0);
        let rows: Vec<Vec<String>> = (0..400)
            .map(|_| (0..6).map(|_| dice.below(3).to_string()).collect())
            .collect();
        let errors: Vec<f64> = (0..400).map(|_| dice.below(2) as f64).collect();
        let table = Table::from_rows(&rows).expect("the rows have six columns");
        let rules = SearchRules {
            min_support: 5,
            max_work: 18_000,
            ..SearchRules::for_samples(400)
        };
        let outcome = Search::new(&table, &errors, &rules).run();
        assert!(outcome.truncated);
        assert_eq!(outcome.level_reached, 2);
        assert!(!outcome.best.is_empty());
    }
}
