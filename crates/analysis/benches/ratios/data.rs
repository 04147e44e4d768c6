//! Inputs that are the same in every run.

use analysis::sliceline::{SearchRules, Table};
use analysis::streams::Stream;

/// Scores from 0 to 1.
pub(crate) fn uniform(n: usize, seed: u64) -> Vec<f64> {
    let mut dice = Stream::new(seed, 0);
    (0..n).map(|_| dice.bits() as f64 / u64::MAX as f64).collect()
}

/// Dots that crowd in the middle of a panel 900 pixels wide.
pub(crate) fn swarm(n: usize) -> Vec<f64> {
    let (a, b, c) = (uniform(n, 11), uniform(n, 12), uniform(n, 13));
    (0..n).map(|i| 300.0 * (a[i] + b[i] + c[i])).collect()
}

/// Samples with properties, of which two combinations fail more often.
pub(crate) struct SliceData {
    pub(crate) codes: Vec<Vec<usize>>,
    pub(crate) errors: Vec<f64>,
}

impl SliceData {
    /// Columns of 3 to 8 values.
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        let mut dice = Stream::new(5, 0);
        let codes: Vec<Vec<usize>> = (0..rows)
            .map(|_| (0..columns).map(|c| dice.below(3 + c % 6)).collect())
            .collect();
        let errors = codes
            .iter()
            .map(|row| {
                let hard = (row[0] == 1 && row[3] == 2) || (row[2] == 0 && row[5] == 4);
                f64::from(u8::from(dice.below(10) < if hard { 6 } else { 2 }))
            })
            .collect();
        Self { codes, errors }
    }

    pub(crate) fn table(&self) -> Table {
        let name = |row: &Vec<usize>| row.iter().map(ToString::to_string).collect::<Vec<String>>();
        Table::from_rows(&self.codes.iter().map(name).collect::<Vec<_>>()).expect("rows of one length")
    }

    pub(crate) fn rules(&self) -> SearchRules {
        SearchRules::for_samples(self.codes.len())
    }
}
