//! When will this run be done?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_size, defined, domain};
use crate::order::{MAD_TO_SD, median, median_deviation};

/// Spread of the logarithm of the rate between runs, when history is too short to tell.
const USUAL_SPREAD: f64 = 0.35;

/// The normal quantile of an 80 % interval.
const EIGHTY_PERCENT: f64 = 1.281_551_565_544_600_4;

/// A finished run of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// Samples.
    pub n: f64,
    /// Seconds they took, without loading the model.
    pub seconds: f64,
}

/// How far the run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Samples in all.
    pub n_total: f64,
    /// Samples done.
    pub n_done: f64,
    /// Seconds since the first sample.
    pub elapsed: f64,
}

/// Remaining time, in seconds. Undefined with neither history nor progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eta {
    /// Seconds per sample.
    pub rate: Option<f64>,
    /// Expected remaining time; 0 when done.
    pub remaining: Option<f64>,
    /// Lower limit of an 80 % interval of the remaining time.
    pub lo: Option<f64>,
    /// Upper limit.
    pub hi: Option<f64>,
}

/// Blends the rate of past runs with that of this run, on a logarithmic scale.
///
/// The weight of this run is `w = done/(done + 0.05 total)`: history counts for little once a
/// fifth is done. The interval is `remaining · exp(±1.28155 s (1-w))` with s the spread of past
/// rates (1.4826 MAD of their logarithms from three runs on, else 0.35); without history
/// `s/√(1 + done/20)`. Past runs without samples or time are ignored.
///
/// ```
/// use analysis::eta::{PastRun, Progress, eta};
///
/// let past = [PastRun { n: 1000.0, seconds: 600.0 }];
/// let start = Progress { n_total: 500.0, n_done: 0.0, elapsed: 0.0 };
/// let remaining = eta(&past, &start)?.remaining.expect("one past run");
/// assert!((remaining - 300.0).abs() < 1e-9);
/// assert_eq!(eta(&[], &start)?.remaining, None);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is negative, missing or infinite, or more is done than there is.
pub fn eta(history: &[PastRun], progress: &Progress) -> Result<Eta, InputError> {
    let Progress {
        n_total,
        n_done,
        elapsed,
    } = *progress;
    check_size("n_total", n_total)?;
    check_size("n_done", n_done)?;
    check_size("elapsed", elapsed)?;
    domain("n_done", n_done, n_done <= n_total, "at most `n_total`")?;
    for run in history {
        check_size("history.n", run.n)?;
        check_size("history.seconds", run.seconds)?;
    }
    let own = (n_done > 0.0 && elapsed > 0.0).then(|| elapsed / n_done);
    if n_done == n_total {
        let none = Some(0.0);
        return Ok(Eta {
            rate: own.and_then(defined),
            remaining: none,
            lo: none,
            hi: none,
        });
    }
    let past: Vec<f64> = history
        .iter()
        .map(|run| (run.seconds / run.n).ln())
        .filter(|rate| rate.is_finite())
        .collect();
    let Some((log_rate, half_width)) = blend(&past, own, n_done, n_total) else {
        return Ok(Eta {
            rate: None,
            remaining: None,
            lo: None,
            hi: None,
        });
    };
    let rate = log_rate.exp();
    let remaining = (n_total - n_done) * rate;
    let reach = (EIGHTY_PERCENT * half_width).exp();
    Ok(Eta {
        rate: defined(rate),
        remaining: defined(remaining),
        lo: defined(remaining / reach),
        hi: defined(remaining * reach),
    })
}

/// Logarithm of the rate and its spread.
fn blend(past: &[f64], own: Option<f64>, n_done: f64, n_total: f64) -> Option<(f64, f64)> {
    if past.is_empty() {
        return Some((own?.ln(), USUAL_SPREAD / (1.0 + n_done / 20.0).sqrt()));
    }
    let spread = if past.len() >= 3 {
        MAD_TO_SD * median_deviation(past)
    } else {
        USUAL_SPREAD
    };
    let known = median(past);
    let weight = if own.is_some() {
        n_done / (n_done + 0.05 * n_total)
    } else {
        0.0
    };
    let blended = own.map_or(known, |own| weight * own.ln() + (1.0 - weight) * known);
    Some((blended, spread * (1.0 - weight)))
}
