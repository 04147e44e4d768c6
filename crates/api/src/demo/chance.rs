//! Chance that falls the same way every time.

use sha2::{Digest, Sha256};

/// A stream of numbers from a seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream that belongs to a name.
    pub(super) fn new(name: &str) -> Self {
        Self(number(&[name]))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both possible.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.next() % width).unwrap_or(0)
    }

    /// One of some things.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.place(things.len())]
    }

    /// Puts things into another order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for i in (1..things.len()).rev() {
            things.swap(i, self.place(i + 1));
        }
    }

    fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count.max(1) as u64).unwrap_or(0)
    }
}

/// A number that belongs to these words, from 0 to 1.
pub(super) fn share(words: &[&str]) -> f64 {
    (number(words) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Words are kept apart, so that no two lists give the same text.
fn number(words: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.len().to_le_bytes());
        hash.update(word);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest
        .iter()
        .take(8)
        .fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_decides_everything() {
        let draw = |name| {
            let mut dice = Dice::new(name);
            (0..20).map(|_| dice.between(3, 9)).collect::<Vec<_>>()
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
        assert!(draw("a").iter().all(|n| (3..=9).contains(n)));
    }

    #[test]
    fn shares_are_even() {
        let below = (0..2000).filter(|i| share(&["x", &i.to_string()]) < 0.3).count();
        assert!((500..700).contains(&below), "{below}");
        assert_ne!(share(&["ab", "c"]).to_bits(), share(&["a", "bc"]).to_bits());
    }
}
