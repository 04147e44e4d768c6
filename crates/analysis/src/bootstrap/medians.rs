//! Medians, which have no totals: every replicate gathers its values.

use super::Resample;
use crate::clusters::Clusters;
use crate::order::{median, median_in_place};
use crate::streams::{Stream, replicate};

/// One column of values, or those of baseline and candidate.
pub(super) struct Medians<'a> {
    systems: &'a [&'a [f64]],
    members: Option<Vec<Vec<usize>>>,
}

impl<'a> Medians<'a> {
    pub(super) fn new(systems: &'a [&'a [f64]], clusters: Option<&Clusters>) -> Self {
        Self {
            systems,
            members: clusters.map(Clusters::members),
        }
    }

    fn samples(&self) -> usize {
        self.systems.first().map_or(0, |values| values.len())
    }

    /// The median of the chosen samples; of two systems the candidate's minus the baseline's.
    fn of(&self, chosen: &[usize], values: &mut Vec<f64>) -> f64 {
        let mut medians = self.systems.iter().map(|system| {
            values.clear();
            values.extend(chosen.iter().map(|&i| system[i]));
            median_in_place(values)
        });
        let first = medians.next().unwrap_or(f64::NAN);
        medians.next().map_or(first, |second| second - first)
    }

    fn replicate(&self, stream: &mut Stream) -> f64 {
        let units = self.units();
        let mut chosen = Vec::with_capacity(self.samples());
        for _ in 0..units {
            let unit = stream.below(units);
            match &self.members {
                None => chosen.push(unit),
                Some(members) => chosen.extend(&members[unit]),
            }
        }
        self.of(&chosen, &mut Vec::with_capacity(chosen.len()))
    }

    /// The median without sample i depends on its rank alone.
    fn leave_one_out(values: &[f64]) -> Vec<f64> {
        let mut by_value: Vec<usize> = (0..values.len()).collect();
        by_value.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        let ascending: Vec<f64> = by_value.iter().map(|&i| values[i]).collect();
        let rest = values.len() - 1;
        let mut medians = vec![f64::NAN; values.len()];
        for (rank, &i) in by_value.iter().enumerate() {
            let nth = |k: usize| ascending[k + usize::from(k >= rank)];
            medians[i] = match rest {
                0 => f64::NAN,
                rest if rest % 2 == 1 => nth(rest / 2),
                rest => 0.5 * (nth(rest / 2 - 1) + nth(rest / 2)),
            };
        }
        medians
    }
}

impl Resample for Medians<'_> {
    fn theta(&self) -> f64 {
        match self.systems {
            [a, b] => median(b) - median(a),
            [a, ..] => median(a),
            [] => f64::NAN,
        }
    }

    fn units(&self) -> usize {
        self.members.as_ref().map_or(self.samples(), Vec::len)
    }

    fn replicates(&self, b: usize, seed: u64) -> Vec<f64> {
        replicate(b, |b| self.replicate(&mut Stream::new(seed, b as u64)))
    }

    fn jackknife(&self) -> Vec<f64> {
        let Some(members) = &self.members else {
            let mut left = self.systems.iter().map(|values| Self::leave_one_out(values));
            let first = left.next().unwrap_or_default();
            return match left.next() {
                None => first,
                Some(second) => second.iter().zip(&first).map(|(b, a)| b - a).collect(),
            };
        };
        let mut values = Vec::new();
        let without = |left_out: usize| {
            let others = members.iter().enumerate().filter(move |(g, _)| *g != left_out);
            let chosen: Vec<usize> = others.flat_map(|(_, of)| of.iter().copied()).collect();
            self.of(&chosen, &mut values)
        };
        (0..members.len()).map(without).collect()
    }
}
