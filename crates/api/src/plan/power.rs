//! The smallest difference that a number of paired documents can show.

/// z(0.975) + z(0.8): two-sided 5 %, power 80 %.
const Z: f64 = 1.959_963_984_540_054 + 0.841_621_233_572_914;
/// Assumed standard deviation of a document's score.
const SD: f64 = 0.5;
/// Assumed correlation of two models' scores on the same document.
const RHO: f64 = 0.5;

/// `(z_a/2 + z_b) sqrt(v_d / n)` with `v_d = 2 sd² (1 - rho)`, on the 0-1 scale; none without
/// documents.
pub fn detectable_difference(n: u64) -> Option<f64> {
    let v_d = 2.0 * SD * SD * (1.0 - RHO);
    (n > 0).then(|| (Z * (v_d / n as f64).sqrt()).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_times_the_documents_halve_it() {
        let at = |n| detectable_difference(n).unwrap();
        assert!((at(400) - 0.070_04).abs() < 1e-4, "{}", at(400));
        assert!((at(100) / at(400) - 2.0).abs() < 1e-9);
        assert_eq!(detectable_difference(0), None);
        assert!(at(1) <= 1.0);
    }
}
