//! Fewer points without losing what they show: per pixel column the first, the lowest, the highest and the last.

/// At most four points per column of `columns` over the x range `from..to`, in order. Points outside stay out,
/// but for one on either side, so that a line runs to the edge.
pub fn decimate(points: &[(f64, f64)], from: f64, to: f64, columns: usize) -> Vec<(f64, f64)> {
    let start = points.partition_point(|point| point.0 < from).saturating_sub(1);
    let end = (points.partition_point(|point| point.0 <= to) + 1).min(points.len());
    let visible = points.get(start..end).unwrap_or_default();
    if visible.len() <= columns * 4 || columns == 0 || to <= from {
        return visible.to_vec();
    }
    let scale = columns as f64 / (to - from);
    let column = |point: &(f64, f64)| ((point.0 - from) * scale).floor() as i64;
    let mut out = Vec::with_capacity(columns * 4);
    for group in visible.chunk_by(|a, b| column(a) == column(b)) {
        push_extremes(group, &mut out);
    }
    out
}

fn push_extremes(group: &[(f64, f64)], out: &mut Vec<(f64, f64)>) {
    let by_height = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
    let lowest = (0..group.len()).min_by(by_height).unwrap_or(0);
    let highest = (0..group.len()).max_by(by_height).unwrap_or(0);
    let mut keep = [0, lowest, highest, group.len() - 1];
    keep.sort_unstable();
    let mut last = usize::MAX;
    for index in keep {
        if index != last {
            out.push(group[index]);
        }
        last = index;
    }
}

/// The index of the point nearest to `x`; points are in order of x.
pub fn nearest(points: &[(f64, f64)], x: f64) -> Option<usize> {
    let after = points.partition_point(|point| point.0 < x);
    let near = [
        after.checked_sub(1),
        Some(after).filter(|&index| index < points.len()),
    ];
    near.into_iter()
        .flatten()
        .min_by(|&a, &b| (points[a].0 - x).abs().total_cmp(&(points[b].0 - x).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_survive() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|k| (f64::from(k), 1.0)).collect();
        points[50_123].1 = 99.0;
        points[77_001].1 = -5.0;
        let few = decimate(&points, 0.0, 99_999.0, 300);
        assert!(few.len() <= 1204, "{}", few.len());
        assert!(few.contains(&(50_123.0, 99.0)) && few.contains(&(77_001.0, -5.0)));
        assert_eq!((few[0], few[few.len() - 1]), ((0.0, 1.0), (99_999.0, 1.0)));
        assert!(few.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)];
        assert_eq!(decimate(&points, 0.0, 2.0, 10), points);
        assert_eq!(decimate(&points, 1.0, 1.5, 10), points);
        assert!(decimate(&[], 0.0, 1.0, 10).is_empty());
    }

    #[test]
    fn the_nearest_point_is_found() {
        let points = [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)];
        assert_eq!(nearest(&points, 14.0), Some(1));
        assert_eq!(nearest(&points, 16.0), Some(2));
        assert_eq!(nearest(&points, -5.0), Some(0));
        assert_eq!(nearest(&[], 1.0), None);
    }
}
