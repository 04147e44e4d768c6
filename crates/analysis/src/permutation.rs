//! Could the difference between A and B be chance, whatever its distribution?

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::input::{InputError, MOST_REPLICATES, at_most, present, same_length};
use crate::streams::{Stream, replicate};

/// The most non-zero differences whose sign patterns can be enumerated.
const MOST_FOR_EXACT: usize = 20;

/// How to carry out a sign-flip test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignFlips {
    /// Random sign patterns.
    pub b: usize,
    /// Seed of the streams.
    pub seed: u64,
    /// Up to how many non-zero differences all patterns are enumerated; at most 20.
    pub exact_max_n: usize,
}

impl Default for SignFlips {
    fn default() -> Self {
        Self {
            b: 2000,
            seed: 0,
            exact_max_n: 16,
        }
    }
}

/// A sign-flip permutation test of the sum of paired differences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Permutation {
    /// Exact two-sided p over all sign patterns; undefined with too many non-zero differences.
    pub p_exact: Option<f64>,
    /// Random patterns whose absolute sum reaches the observed one.
    pub mc_count: usize,
    /// Two-sided p by random patterns, `(1 + mc_count)/(b + 1)`.
    pub p_mc: f64,
    /// The p to use: exact if there is one.
    pub p: f64,
}

/// Tests whether paired differences are symmetric about zero, by flipping their signs.
///
/// A pattern counts as extreme when `|Σ ±d| ≥ |Σ d| - 1e-9 max(1, Σ|d|)`. Random patterns take
/// one draw per difference, zeros included, from a stream of their own. With clusters the signs
/// of whole clusters are flipped, which keeps the dependence inside them. NaN is missing and left
/// out.
///
/// ```
/// use analysis::permutation::{SignFlips, permutation};
///
/// let of = permutation(&[1.0, 1.0, 1.0, 1.0], None, &SignFlips::default())?;
/// assert_eq!(of.p, 2.0 / 16.0);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a difference is infinite, `clusters` has another length, or there are too many patterns.
pub fn permutation(
    d: &[f64],
    clusters: Option<&Clusters>,
    how: &SignFlips,
) -> Result<Permutation, InputError> {
    at_most("b", how.b, MOST_REPLICATES)?;
    at_most("exact_max_n", how.exact_max_n, MOST_FOR_EXACT)?;
    let there = present("d", d)?;
    let sums = match clusters {
        None => there.into_owned(),
        Some(of) => {
            same_length("clusters", of.len(), d.len())?;
            of.retain(|i| !d[i].is_nan()).deviations(&there, 0.0)
        }
    };
    let whole: f64 = sums.iter().map(|x| x.abs()).sum();
    let limit = sums.iter().sum::<f64>().abs() - 1e-9 * whole.max(1.0);
    let extreme = replicate(how.b, |b| flipped_sum(&sums, how.seed, b as u64).abs() >= limit);
    let mc_count = extreme.into_iter().filter(|&reached| reached).count();
    let p_mc = (1 + mc_count) as f64 / (how.b + 1) as f64;
    let p_exact = exact_p(&sums, limit, how.exact_max_n);
    Ok(Permutation {
        p_exact,
        mc_count,
        p_mc,
        p: p_exact.unwrap_or(p_mc),
    })
}

fn flipped_sum(d: &[f64], seed: u64, b: u64) -> f64 {
    let mut stream = Stream::new(seed, b);
    d.iter().map(|&x| if stream.flip() { -x } else { x }).sum()
}

fn exact_p(d: &[f64], limit: f64, most: usize) -> Option<f64> {
    let nonzero: Vec<f64> = d.iter().copied().filter(|x| *x != 0.0).collect();
    if nonzero.len() > most {
        return None;
    }
    let mut sums = vec![0.0];
    for x in nonzero {
        sums = sums.iter().flat_map(|sum| [sum + x, sum - x]).collect();
    }
    let reached = sums.iter().filter(|sum: &&f64| sum.abs() >= limit).count();
    Some(reached as f64 / sums.len() as f64)
}
