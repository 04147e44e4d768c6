//! The statistics that can be resampled, and their columns.

use serde::{Deserialize, Serialize};

/// A statistic of a whole set of samples, with the numbers that each sample contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Mean of one column. ANLS, ROUGE-L, and CIDEr with frozen document frequencies are means.
    Mean,
    /// Median of one column.
    Median,
    /// Sum of the first column over the sum of the second: word error rate is edits over
    /// reference words.
    Ratio,
    /// F1 from true positives, false positives and false negatives; 0 when there are none.
    F1,
    /// Corpus BLEU-4 in percent: matches of 1- to 4-grams, their totals, hypothesis length,
    /// reference length; 0 when some order has no match.
    Bleu4,
}

impl Statistic {
    /// How many numbers a sample contributes.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            Self::Mean | Self::Median => 1,
            Self::Ratio => 2,
            Self::F1 => 3,
            Self::Bleu4 => 10,
        }
    }

    /// The statistic from column totals, a mean from its total and count; NaN when undefined.
    pub(super) fn of_totals(self, totals: &[f64]) -> f64 {
        match (self, totals) {
            (Self::F1, &[tp, fp, fn_, ..]) => f1(tp, fp, fn_),
            (Self::Bleu4, totals) => bleu4(totals),
            (_, &[numerator, denominator, ..]) => numerator / denominator,
            _ => f64::NAN,
        }
    }
}

fn f1(tp: f64, fp: f64, fn_: f64) -> f64 {
    let denominator = 2.0 * tp + fp + fn_;
    if denominator == 0.0 {
        0.0
    } else {
        2.0 * tp / denominator
    }
}

fn bleu4(totals: &[f64]) -> f64 {
    let (matches, rest) = totals.split_at(4);
    if matches.iter().any(|&m| m <= 0.0) {
        return 0.0;
    }
    let precision: f64 = matches.iter().zip(rest).map(|(m, total)| (m / total).ln()).sum();
    let (hypothesis, reference) = (rest[4], rest[5]);
    let brevity = (1.0 - reference / hypothesis).min(0.0);
    100.0 * (precision / 4.0 + brevity).exp()
}
