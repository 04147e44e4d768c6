//! Statistics of column totals: a replicate costs one addition per draw and column.

use std::mem;

use multiversion::multiversion;

use super::{Resample, Statistic};
use crate::clusters::Clusters;
use crate::moments::sum;
use crate::streams::{Lanes, replicate};

/// Replicates drawn side by side: their generators and memory accesses overlap.
const LANES: usize = 8;

/// Draws between two additions to the grand total, which keeps the rounding error small.
const BLOCK: usize = 1024;

/// How many draws the generators are ahead of the rows: the processor generates and fetches at
/// the same time, where a step waits for neither.
const AHEAD: usize = 16;

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
        resampled_totals(rows, seed, first).map(|totals| self.statistic(&totals, self.units))
    }
}

/// The column totals of the resamples `first` to `first + LANES - 1`, each with as many draws as
/// there are rows, at most `MOST_SAMPLES`.
///
/// Compiled for several instruction sets, of which the processor's own is chosen; the additions
/// are the same in all of them, and so is the result, to the bit.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn resampled_totals<const W: usize>(rows: &[[f64; W]], seed: u64, first: u64) -> [[f64; W]; LANES] {
    let n = rows.len() as u32;
    let mut lanes = Lanes::<LANES>::new(seed, first);
    let mut ahead = [[0; LANES]; AHEAD];
    ahead.fill_with(|| lanes.below(n));
    let mut totals = [[0.0; W]; LANES];
    let mut left = rows.len();
    while left > 0 {
        let draws = left.min(BLOCK);
        let mut sums = [[0.0; W]; LANES];
        for draw in 0..draws {
            let drawn = mem::replace(&mut ahead[draw % AHEAD], lanes.below(n));
            for (sums, at) in sums.iter_mut().zip(drawn) {
                for (sum, x) in sums.iter_mut().zip(&rows[at as usize]) {
                    *sum += x;
                }
            }
        }
        for (total, sum) in totals.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *total += sum;
        }
        left -= draws;
    }
    totals
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The same sums by one generator, draw by draw.
    fn alone(rows: &[[f64; 2]], mut stream: Stream) -> [f64; 2] {
        let mut totals = [0.0; 2];
        for block in rows.chunks(BLOCK) {
            let mut sums = [0.0; 2];
            for _ in block {
                let row = rows[stream.below(rows.len())];
                sums = [sums[0] + row[0], sums[1] + row[1]];
            }
            totals = [totals[0] + sums[0], totals[1] + sums[1]];
        }
        totals
    }

    #[test]
    fn resampling_side_by_side_is_resampling_alone_to_the_bit() {
        for n in [1, 15, 16, 17, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let rows: Vec<[f64; 2]> = (0..n)
                .map(|i| [(i as f64).sqrt(), 1.0 / (i + 1) as f64])
                .collect();
            let together = resampled_totals(&rows, 42, 8);
            for (lane, totals) in together.into_iter().enumerate() {
                assert_eq!(totals, alone(&rows, Stream::new(42, 8 + lane as u64)), "{n} rows");
            }
        }
    }
}
