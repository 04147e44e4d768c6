//! Small symmetric systems, solved by Cholesky's factorisation.

/// A lower triangular factor of a positive definite matrix.
pub(crate) struct Cholesky {
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// `None` unless the matrix is positive definite to rounding.
    pub(crate) fn of(matrix: &[Vec<f64>]) -> Option<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, row) in matrix.iter().enumerate() {
            let mut l = Vec::with_capacity(i + 1);
            for (above, &x) in rows.iter().zip(row) {
                let inner: f64 = above.iter().zip(&l).map(|(a, b)| a * b).sum();
                l.push((x - inner) / above[l.len()]);
            }
            let left = row[i] - l.iter().map(|x| x * x).sum::<f64>();
            if left.is_nan() || left <= row[i].abs() * 1e-15 {
                return None;
            }
            l.push(left.sqrt());
            rows.push(l);
        }
        Some(Self { rows })
    }

    /// The x with `matrix · x = y`.
    pub(crate) fn solve(&self, y: &[f64]) -> Vec<f64> {
        let n = self.rows.len();
        let mut x = y.to_vec();
        for i in 0..n {
            let inner: f64 = self.rows[i][..i].iter().zip(&x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - inner) / self.rows[i][i];
        }
        for i in (0..n).rev() {
            let inner: f64 = (i + 1..n).map(|j| self.rows[j][i] * x[j]).sum();
            x[i] = (x[i] - inner) / self.rows[i][i];
        }
        x
    }

    /// The inverse, column by column.
    pub(crate) fn inverse(&self) -> Vec<Vec<f64>> {
        let n = self.rows.len();
        let unit = |i: usize| -> Vec<f64> { (0..n).map(|j| f64::from(u8::from(i == j))).collect() };
        (0..n).map(|i| self.solve(&unit(i))).collect()
    }
}
