//! Fewer marks for many points.

use serde::{Deserialize, Serialize};

use super::distribution::{bin_of, even_edges};
use crate::input::{InputError, check, check_complete, domain, same_length};

/// The most bins along an axis.
const MOST_BINS: usize = 4096;

/// Points of a line that keep its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lttb {
    /// The points to draw, ascending.
    pub indices: Vec<usize>,
}

/// Largest-triangle-three-buckets (Steinarsson 2013): k points of a line that look like all.
///
/// The first and last point stay; the others are cut into k-2 buckets of neighbours, and of each
/// the point stays that spans the largest triangle with the point kept before and the average of
/// the next bucket, the first of equals. With k below 3, or no fewer than there are, all stay. It
/// may drop a single spike: for alerts draw the extremes of each pixel.
///
/// ```
/// use analysis::display::lttb;
///
/// let x: Vec<f64> = (0..100).map(f64::from).collect();
/// let mut y = vec![0.0; 100];
/// y[42] = 1.0;
/// assert!(lttb(&x, &y, 10)?.indices.contains(&42));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ or a number is missing or infinite.
pub fn lttb(x: &[f64], y: &[f64], k: usize) -> Result<Lttb, InputError> {
    same_length("y", y.len(), x.len())?;
    check_complete("x", x)?;
    check_complete("y", y)?;
    let n = x.len();
    if k >= n || k < 3 {
        return Ok(Lttb {
            indices: (0..n).collect(),
        });
    }
    let every = (n - 2) as f64 / (k - 2) as f64;
    let bucket = |i: usize| ((i as f64 * every).floor() as usize + 1).min(n);
    let mut indices = vec![0];
    for i in 0..k - 2 {
        let next = bucket(i + 1)..bucket(i + 2);
        let count = next.len() as f64;
        let average = |xs: &[f64]| xs[next.clone()].iter().sum::<f64>() / count;
        let (to_x, to_y) = (average(x), average(y));
        let from = indices[i];
        let area = |j: usize| {
            ((x[from] - to_x) * (y[j] - y[from]) - (x[from] - x[j]) * (to_y - y[from])).abs() / 2.0
        };
        let mut best = bucket(i);
        for j in bucket(i)..bucket(i + 1) {
            if area(j) > area(best) {
                best = j;
            }
        }
        indices.push(best);
    }
    indices.push(n - 1);
    Ok(Lttb { indices })
}

/// Counts of points on a grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin2d {
    /// `counts[ix][iy]`.
    pub counts: Vec<Vec<usize>>,
}

/// Counts points on an even grid of `nx` by `ny` cells over `range`, `[[x lo, x hi], [y lo, y
/// hi]]`.
///
/// A point on an edge belongs to the cell above, on the last edge to the last cell; points
/// outside, and with a missing number, are left out.
///
/// ```
/// use analysis::display::bin2d;
///
/// let of = bin2d(&[0.1, 0.9, 1.0], &[0.1, 0.9, 1.0], 2, 2, [[0.0, 1.0], [0.0, 1.0]])?;
/// assert_eq!(of.counts, [[1, 0], [0, 2]]);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the lengths differ, a number is infinite, a range is empty, or there are no or more than
/// 4 096 bins along an axis.
pub fn bin2d(x: &[f64], y: &[f64], nx: usize, ny: usize, range: [[f64; 2]; 2]) -> Result<Bin2d, InputError> {
    same_length("y", y.len(), x.len())?;
    check("x", x)?;
    check("y", y)?;
    check_complete("range", range.as_flattened())?;
    for (bins, [lo, hi]) in [nx, ny].into_iter().zip(range) {
        domain("bins", bins as f64, (1..=MOST_BINS).contains(&bins), "1 to 4096")?;
        domain("range", hi - lo, hi > lo, "an upper end above the lower")?;
    }
    let [x_edges, y_edges] =
        [(range[0], nx), (range[1], ny)].map(|([lo, hi], bins)| even_edges(lo, hi, bins));
    let mut counts = vec![vec![0; ny]; nx];
    for (x, y) in x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan()) {
        if let Some((ix, iy)) = bin_of(*x, &x_edges).zip(bin_of(*y, &y_edges)) {
            counts[ix][iy] += 1;
        }
    }
    Ok(Bin2d { counts })
}
