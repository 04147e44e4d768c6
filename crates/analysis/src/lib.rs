//! Statistics for evaluating models: pure functions over slices of numbers.
//!
//! One module per question. A score is an `f64`, a missing one NaN; results are plain structs that
//! serialise to JSON, in which what is undefined is `None` and never NaN. Nothing here does input
//! or output, nothing panics, and everything compiles to WebAssembly.
//!
//! | Question | Module |
//! |---|---|
//! | How precise is this mean? | [`mean`] |
//! | How precise is this accuracy? Do two differ? | [`proportion`] |
//! | How precise is a score that is not a mean? | [`bootstrap`] |
//! | What do repeated answers tell? | [`repeats`] |
//! | What can this benchmark detect? | [`power`] |
//! | What can be said about a handful of questions? | [`bayes`] |
//! | Is B better than A? | [`paired`], [`mcnemar`], [`ordinal`], [`permutation`], [`unpaired`] |
//! | Which of many p-values still count? | [`multiplicity`] |
//! | Is B at most a little worse than A? | [`noninferiority`] |
//! | May this candidate replace the baseline? | [`gate`] |
//! | On which scale is this score? | [`scale`] |
//! | Which model is best? How sure is its rank? | [`leaderboard`], [`bradley_terry`], [`rank_ci`] |
//! | Where does the model do worse? | [`slices`], [`overlap`], [`sliceline`], [`odds`], [`simpson`] |
//! | Does the score change, and when? | [`trend`], [`changepoint`] |
//! | Where will it be? | [`forecast`] |
//! | Is this run out of the ordinary? When is it done? | [`anomaly`], [`eta`] |
//! | Which benchmarks say the same? Which are worth running? | [`similarity`], [`selection`] |
//! | May this evaluation stop early? Which setting deserves more? | [`adaptive`], [`sweep`] |
//! | How is this drawn? | [`display`] |
//!
//! ```
//! use analysis::{mean::mean_ci, paired::paired_diff};
//!
//! let baseline = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
//! let candidate = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0];
//!
//! let score = mean_ci(&candidate, 0.95)?;
//! assert_eq!(score.mean, Some(0.8));
//!
//! let better = paired_diff(&baseline, &candidate, None, 0.95)?;
//! let ci = better.ci_t.expect("ten pairs have an interval");
//! println!("{:+.2} [{:+.2}, {:+.2}], p = {:.3}", 0.3, ci.lo, ci.hi, better.p_t.unwrap_or(1.0));
//! # Ok::<(), analysis::InputError>(())
//! ```
//!
//! Sums are pairwise, variances two-pass, p-values computed as tails; resampling is the same to the
//! bit on every machine ([`streams`]). Unless a function says otherwise, quantiles are linear between
//! order statistics (type 7 of Hyndman and Fan, as numpy's), ranks of ties are averaged, standard
//! deviations have the divisor n-1, and a level of 0.95 means a two-sided interval. Of two runs `a`
//! is the baseline and `b` the candidate; differences are b - a.

pub mod adaptive;
pub mod anomaly;
pub mod bayes;
pub mod bootstrap;
pub mod bradley_terry;
pub mod changepoint;
mod clusters;
pub mod display;
pub mod eta;
pub mod forecast;
pub mod gate;
mod infinite;
mod input;
mod interval;
pub mod leaderboard;
mod linear;
pub mod mcnemar;
pub mod mean;
mod moments;
pub mod multiplicity;
pub mod noninferiority;
pub mod odds;
mod order;
pub mod ordinal;
pub mod overlap;
pub mod paired;
pub mod permutation;
pub mod power;
pub mod proportion;
mod quadrature;
pub mod rank_ci;
pub mod repeats;
pub mod scale;
pub mod selection;
pub mod similarity;
pub mod simpson;
pub mod sliceline;
pub mod slices;
pub mod special;
pub mod streams;
pub mod sweep;
pub mod trend;
pub mod unpaired;

pub use clusters::Clusters;
pub use input::{InputError, LARGEST, LARGEST_COUNT, MOST_REPLICATES, MOST_SAMPLES, with_missing};
pub use interval::Interval;
