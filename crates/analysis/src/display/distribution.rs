//! The shape of a sample: quantiles, histogram, density.

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, present};
use crate::moments::Moments;
use crate::order::{quantile, sorted};

/// The quantiles of [`Distribution::quantiles`].
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The most bins of a histogram.
const MOST_BINS: usize = 200;

/// The most points at which a density is evaluated.
const MOST_KDE_POINTS: usize = 10_000;

/// A kernel density estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Density {
    /// Standard deviation of the kernel.
    pub bandwidth: f64,
    /// Where the density is given: evenly from the smallest to the largest value.
    pub x: Vec<f64>,
    /// The density there, per unit of x.
    pub density: Vec<f64>,
}

/// The shape of a sample. Undefined when empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Values that were there.
    pub n: usize,
    /// The 5, 25, 50, 75 and 95 % quantiles.
    pub quantiles: Option<[f64; 5]>,
    /// Bins of the histogram, by Freedman and Diaconis, at most 200.
    pub fd_bins: Option<usize>,
    /// Lower end of the first and upper end of the last bin.
    pub fd_edges: Option<[f64; 2]>,
    /// Values in each bin; a value on an edge belongs to the bin above, on the last to the last.
    pub counts: Option<Vec<usize>>,
    /// Gaussian density with Silverman's bandwidth `(3n/4)^(-1/5) sd`; undefined below three
    /// values or when all are equal.
    pub kde: Option<Density>,
}

/// Quantiles, histogram and kernel density of a sample; the density at `kde_points` points.
///
/// Equal values get one bin of width one about them. Below thirty values draw the values
/// themselves, never a violin.
///
/// ```
/// use analysis::display::distribution;
///
/// let of = distribution(&[0.1, 0.4, 0.5, 0.6, 0.9], 50)?;
/// assert_eq!(of.quantiles.expect("five values")[2], 0.5);
/// assert_eq!(of.counts.expect("five values").iter().sum::<usize>(), 5);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a value is infinite, or the density is asked for at more than 10 000 points. NaN is
/// missing and left out.
pub fn distribution(y: &[f64], kde_points: usize) -> Result<Distribution, InputError> {
    at_most("kde_points", kde_points, MOST_KDE_POINTS)?;
    let ascending = sorted(&present("y", y)?);
    let (Some(&lo), Some(&hi)) = (ascending.first(), ascending.last()) else {
        return Ok(Distribution {
            n: 0,
            quantiles: None,
            fd_bins: None,
            fd_edges: None,
            counts: None,
            kde: None,
        });
    };
    let (bins, edges) = if lo == hi {
        (1, [lo - 0.5, hi + 0.5])
    } else {
        (fd_bins(&ascending), [lo, hi])
    };
    Ok(Distribution {
        n: ascending.len(),
        quantiles: Some(QUANTILES.map(|q| quantile(&ascending, q))),
        fd_bins: Some(bins),
        fd_edges: Some(edges),
        counts: Some(counts(&ascending, &even_edges(edges[0], edges[1], bins))),
        kde: kde(&ascending, kde_points),
    })
}

/// Bins of width `2 IQR n^(-1/3)`; one when the quartiles coincide.
fn fd_bins(ascending: &[f64]) -> usize {
    let iqr = quantile(ascending, 0.75) - quantile(ascending, 0.25);
    let width = 2.0 * iqr * (ascending.len() as f64).powf(-1.0 / 3.0);
    let range = ascending[ascending.len() - 1] - ascending[0];
    if width > 0.0 {
        ((range / width).ceil().min(MOST_BINS as f64) as usize).max(1)
    } else {
        1
    }
}

/// The `bins + 1` edges from lo to hi.
pub(super) fn even_edges(lo: f64, hi: f64, bins: usize) -> Vec<f64> {
    let step = (hi - lo) / bins as f64;
    let mut edges: Vec<f64> = (0..=bins).map(|i| lo + step * i as f64).collect();
    edges[bins] = hi;
    edges
}

/// The bin of x among ascending edges; the last bin is closed.
pub(super) fn bin_of(x: f64, edges: &[f64]) -> Option<usize> {
    let bins = edges.len().checked_sub(2)?;
    if x < edges[0] || x > edges[bins + 1] {
        return None;
    }
    Some((edges.partition_point(|edge| *edge <= x).max(1) - 1).min(bins))
}

fn counts(values: &[f64], edges: &[f64]) -> Vec<usize> {
    let mut counts = vec![0; edges.len() - 1];
    for bin in values.iter().filter_map(|x| bin_of(*x, edges)) {
        counts[bin] += 1;
    }
    counts
}

fn kde(ascending: &[f64], points: usize) -> Option<Density> {
    let of = Moments::of(ascending);
    let sd = of.sd().filter(|sd| of.n > 2 && *sd > 0.0)?;
    let bandwidth = (of.count() * 0.75).powf(-0.2) * sd;
    let (lo, hi) = (ascending[0], ascending[ascending.len() - 1]);
    let x = match points {
        0 => Vec::new(),
        1 => vec![lo],
        points => even_edges(lo, hi, points - 1),
    };
    let scale = of.count() * bandwidth * (2.0 * core::f64::consts::PI).sqrt();
    let kernel = |z: f64| (-0.5 * z * z).exp();
    let at = |x: &f64| {
        // Beyond nine bandwidths a kernel is below rounding.
        let from = ascending.partition_point(|y| *y < x - 9.0 * bandwidth);
        let near = ascending[from..]
            .iter()
            .take_while(|y| **y <= x + 9.0 * bandwidth);
        near.map(|y| kernel((x - y) / bandwidth)).sum::<f64>() / scale
    };
    let density = x.iter().map(at).collect();
    Some(Density {
        bandwidth,
        x,
        density,
    })
}

/// Evenly spaced quantiles of a sample, for a dot plot in which each dot is `1/dots` of the
/// distribution: bootstrap replicates and posteriors are read better so than as a density.
/// Empty when the sample is.
///
/// ```
/// use analysis::display::quantile_dots;
///
/// let replicates: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
/// assert_eq!(quantile_dots(&replicates, 2)?, [0.25, 0.75]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a value is infinite or there are more than 10 000 dots. NaN is missing and left out.
pub fn quantile_dots(values: &[f64], dots: usize) -> Result<Vec<f64>, InputError> {
    at_most("dots", dots, MOST_KDE_POINTS)?;
    let ascending = sorted(&present("values", values)?);
    if ascending.is_empty() {
        return Ok(Vec::new());
    }
    let at = |i: usize| quantile(&ascending, (i as f64 + 0.5) / dots as f64);
    Ok((0..dots).map(at).collect())
}
