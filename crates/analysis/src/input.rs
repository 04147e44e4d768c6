//! What the analyses accept, and how they refuse.
//!
//! A missing score is NaN in a slice of numbers: it is removed, in paired analyses together with
//! its partner, and counted. An infinite number is refused, and so is anything beyond
//! [`LARGEST`], because its square or cube would be infinite.

use std::borrow::Cow;

/// The largest magnitude of a number that the analyses accept.
pub const LARGEST: f64 = 1e100;

/// The largest count of items; beyond it not every whole number is an `f64`.
pub const LARGEST_COUNT: u64 = 1 << 50;

/// The most resampling replicates of one call.
pub const MOST_REPLICATES: usize = 10_000_000;

/// The most samples that one call resamples: their numbers fit into 32 bits.
pub const MOST_SAMPLES: usize = u32::MAX as usize;

/// Why an analysis was not carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Two inputs that go together differ in length.
    #[error("`{name}` has {found} entries, expected {expected}")]
    Length {
        /// The input.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length that it should have.
        expected: usize,
    },
    /// A number is infinite or beyond [`LARGEST`].
    #[error("`{name}` has {value} at {index}, expected numbers within ±1e100, NaN for missing")]
    NotFinite {
        /// The input.
        name: &'static str,
        /// Position of the number.
        index: usize,
        /// The number.
        value: f64,
    },
    /// A parameter is outside its domain.
    #[error("`{name}` is {value}, expected {expected}")]
    Domain {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its domain, in words.
        expected: &'static str,
    },
    /// More than the analysis can do in reasonable time or memory.
    #[error("`{name}` is {found}, expected at most {limit}")]
    TooLarge {
        /// What is too large.
        name: &'static str,
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A name that is not known.
    #[error("`{name}` is not known, expected {expected}")]
    Unknown {
        /// The name.
        name: String,
        /// What is known.
        expected: &'static str,
    },
}

/// Scores as the analyses take them: `None` becomes NaN, which is how a slice says missing.
///
/// ```
/// let scores = analysis::with_missing(&[Some(0.5), None]);
/// assert!(scores[1].is_nan());
/// ```
#[must_use]
pub fn with_missing(scores: &[Option<f64>]) -> Vec<f64> {
    scores.iter().map(|score| score.unwrap_or(f64::NAN)).collect()
}

/// NaN and infinities become `None`: what leaves the crate is a number or undefined.
pub(crate) fn defined(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Whether every number is there and within ±[`LARGEST`]; without branches, for long slices.
pub(crate) fn all_sound(xs: &[f64]) -> bool {
    let unsound = |x: &&f64| x.is_nan() | (x.abs() > LARGEST);
    xs.chunks(1024).all(|xs| xs.iter().filter(unsound).count() == 0)
}

/// Refuses infinite and overlarge numbers; NaN passes.
pub(crate) fn check(name: &'static str, xs: &[f64]) -> Result<(), InputError> {
    match xs.iter().position(|x| x.abs() > LARGEST) {
        None => Ok(()),
        Some(index) => Err(InputError::NotFinite {
            name,
            index,
            value: xs[index],
        }),
    }
}

/// Refuses infinite, overlarge and missing numbers.
pub(crate) fn check_complete(name: &'static str, xs: &[f64]) -> Result<(), InputError> {
    match xs.iter().position(|x| x.is_nan() || x.abs() > LARGEST) {
        None => Ok(()),
        Some(index) => Err(InputError::NotFinite {
            name,
            index,
            value: xs[index],
        }),
    }
}

/// The values that are there.
pub(crate) fn present<'a>(name: &'static str, xs: &'a [f64]) -> Result<Cow<'a, [f64]>, InputError> {
    check(name, xs)?;
    if xs.iter().any(|x| x.is_nan()) {
        Ok(xs.iter().copied().filter(|x| !x.is_nan()).collect())
    } else {
        Ok(Cow::Borrowed(xs))
    }
}

pub(crate) fn same_length(name: &'static str, found: usize, expected: usize) -> Result<(), InputError> {
    if found == expected {
        Ok(())
    } else {
        Err(InputError::Length {
            name,
            found,
            expected,
        })
    }
}

/// A probability strictly between 0 and 1: levels, α, power.
pub(crate) fn check_level(name: &'static str, value: f64) -> Result<(), InputError> {
    domain(
        name,
        value,
        value > 0.0 && value < 1.0,
        "a number between 0 and 1",
    )
}

/// A finite number of at most [`LARGEST`].
pub(crate) fn check_number(name: &'static str, value: f64) -> Result<(), InputError> {
    domain(name, value, value.abs() <= LARGEST, "a finite number")
}

/// A number from 0 up.
pub(crate) fn check_size(name: &'static str, value: f64) -> Result<(), InputError> {
    domain(
        name,
        value,
        (0.0..=LARGEST).contains(&value),
        "a finite number of at least 0",
    )
}

pub(crate) fn domain(
    name: &'static str,
    value: f64,
    holds: bool,
    expected: &'static str,
) -> Result<(), InputError> {
    if holds {
        Ok(())
    } else {
        Err(InputError::Domain {
            name,
            value,
            expected,
        })
    }
}

pub(crate) fn at_most(name: &'static str, found: usize, limit: usize) -> Result<(), InputError> {
    if found <= limit {
        Ok(())
    } else {
        Err(InputError::TooLarge { name, found, limit })
    }
}

pub(crate) fn check_count(name: &'static str, count: u64) -> Result<f64, InputError> {
    domain(name, count as f64, count <= LARGEST_COUNT, "a count below 2^50")?;
    Ok(count as f64)
}

/// A count of successes with the number of trials it is out of.
pub(crate) fn check_share(k: u64, n: u64) -> Result<(f64, f64), InputError> {
    let of = check_count("n", n)?;
    domain("k", k as f64, k <= n, "at most `n`")?;
    Ok((k as f64, of))
}
