//! Statistics of column totals: a replicate costs one addition per draw and column.

use super::{Resample, Statistic};
use crate::clusters::Clusters;
use crate::moments::sum;
use crate::streams::{Lanes, replicate};

/// Replicates drawn side by side: their generators and memory accesses overlap.
const LANES: usize = 8;

/// Draws between two additions to the grand total, which keeps the rounding error small.
const BLOCK: usize = 1024;

/// Units (samples or clusters) with the totals of their columns.
pub(super) struct Sums {
    values: Vec<f64>,
    width: usize,
    units: usize,
    form: Form,
}

/// How totals become the statistic.
enum Form {
    /// One column, divided by the number of units.
    Mean,
    Single(Statistic),
    /// The columns of the baseline, then those of the candidate.
    Difference(Statistic),
}

impl Sums {
    /// A mean is one column over a known count, and the difference of two means is the mean
    /// difference. With clusters the count varies, and a mean becomes a ratio.
    pub(super) fn new(systems: &[&[f64]], statistic: Statistic, clusters: Option<&Clusters>) -> Self {
        if statistic == Statistic::Mean && clusters.is_none() {
            let values: Vec<f64> = match systems {
                [a, b] => a.iter().zip(*b).map(|(a, b)| b - a).collect(),
                [a, ..] => a.to_vec(),
                [] => Vec::new(),
            };
            return Self {
                width: 1,
                units: values.len(),
                values,
                form: Form::Mean,
            };
        }
        let columns = statistic.columns();
        let counted = usize::from(statistic == Statistic::Mean);
        let width = (columns + counted) * systems.len();
        let n = systems.first().map_or(0, |rows| rows.len() / columns);
        let units = clusters.map_or(n, Clusters::count);
        let mut values = vec![0.0; units * width];
        for i in 0..n {
            let unit = clusters.map_or(i, |of| of.numbers()[i] as usize);
            let row = systems.iter().flat_map(|rows| {
                let row = rows[i * columns..(i + 1) * columns].iter().copied();
                row.chain((counted == 1).then_some(1.0))
            });
            for (total, x) in values[unit * width..(unit + 1) * width].iter_mut().zip(row) {
                *total += x;
            }
        }
        let form = match systems.len() {
            2 => Form::Difference(statistic),
            _ => Form::Single(statistic),
        };
        Self {
            values,
            width,
            units,
            form,
        }
    }

    fn statistic(&self, totals: &[f64], units: usize) -> f64 {
        match self.form {
            Form::Mean => totals[0] / units as f64,
            Form::Single(of) => of.of_totals(totals),
            Form::Difference(of) => {
                let (a, b) = totals.split_at(self.width / 2);
                of.of_totals(b) - of.of_totals(a)
            }
        }
    }

    fn totals(&self) -> Vec<f64> {
        let column = |c| self.values.iter().skip(c).step_by(self.width).copied();
        (0..self.width)
            .map(|c| sum(&column(c).collect::<Vec<f64>>()))
            .collect()
    }

    /// The statistic on the replicates `first` to `first + LANES - 1`, for rows of `W` numbers.
    fn lanes<const W: usize>(&self, seed: u64, first: u64) -> [f64; LANES] {
        let (rows, _) = self.values.as_chunks::<W>();
        let mut lanes = Lanes::<LANES>::new(seed, first);
        let mut totals = [[0.0; W]; LANES];
        let mut left = self.units;
        while left > 0 {
            let draws = left.min(BLOCK);
            let mut sums = [[0.0; W]; LANES];
            lanes.draw(draws, rows.len(), |lane, at| {
                for (sum, x) in sums[lane].iter_mut().zip(&rows[at]) {
                    *sum += x;
                }
            });
            for (total, sum) in totals.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                *total += sum;
            }
            left -= draws;
        }
        totals.map(|totals| self.statistic(&totals, self.units))
    }
}

impl Resample for Sums {
    fn theta(&self) -> f64 {
        self.statistic(&self.totals(), self.units)
    }

    fn units(&self) -> usize {
        self.units
    }

    fn replicates(&self, b: usize, seed: u64) -> Vec<f64> {
        let batches = replicate(b.div_ceil(LANES), |batch| {
            let first = (batch * LANES) as u64;
            match self.width {
                1 => self.lanes::<1>(seed, first),
                2 => self.lanes::<2>(seed, first),
                3 => self.lanes::<3>(seed, first),
                4 => self.lanes::<4>(seed, first),
                6 => self.lanes::<6>(seed, first),
                10 => self.lanes::<10>(seed, first),
                _ => self.lanes::<20>(seed, first),
            }
        });
        let mut replicates = batches.concat();
        replicates.truncate(b);
        replicates
    }

    fn jackknife(&self) -> Vec<f64> {
        let totals = self.totals();
        let without = |row: &[f64]| {
            let left: Vec<f64> = totals.iter().zip(row).map(|(total, x)| total - x).collect();
            self.statistic(&left, self.units - 1)
        };
        if let Form::Mean = self.form {
            let rest = self.units as f64 - 1.0;
            return self.values.iter().map(|x| (totals[0] - x) / rest).collect();
        }
        self.values.chunks_exact(self.width).map(without).collect()
    }
}
