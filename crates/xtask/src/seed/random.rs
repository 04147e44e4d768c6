//! Numbers that are the same for the same seed: SplitMix64, one stream for each thing that is made.

/// A stream of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of the `number`th thing of a kind. Each can be made again without those before it.
    pub(super) fn of(seed: u64, kind: u64, number: u64) -> Self {
        let mut random = Self(seed ^ kind.rotate_left(48) ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        random.next();
        random.next();
        random
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// In [0, `end`).
    pub(super) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// With this chance.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// From the standard normal distribution (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_own_and_the_same_again() {
        let first = |number| Random::of(7, 1, number).next();
        assert_eq!(first(3), first(3));
        assert_ne!(first(3), first(4));
        assert_ne!(Random::of(7, 1, 3).next(), Random::of(8, 1, 3).next());
    }

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut random = Random::of(1, 0, 0);
        let n = 20_000;
        let units: f64 = (0..n).map(|_| random.unit()).sum::<f64>() / f64::from(n);
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let spread = normals.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!((units - 0.5).abs() < 0.01 && mean.abs() < 0.03 && (spread - 1.0).abs() < 0.03);
    }
}
