//! Random numbers that are the same on every machine and for every number of threads.
//!
//! Replicate `b` of a resampling analysis draws from its own xoshiro256++ generator, seeded
//! through SplitMix64 with `seed + b`. Bounded integers are the high word of a product, signs are
//! bit 63, and the shuffle is Fisher and Yates from the end. None of this goes through `rand`'s
//! own distributions, whose values change between versions.
//!
//! ```
//! use analysis::streams::Stream;
//!
//! let mut dice = Stream::new(42, 0);
//! let throws: Vec<usize> = (0..3).map(|_| 1 + dice.below(6)).collect();
//! assert_eq!(throws, [5, 2, 6]);
//! ```

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The random numbers of one replicate.
#[derive(Debug, Clone)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of replicate `replicate` under `seed`.
    #[must_use]
    pub fn new(seed: u64, replicate: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(replicate)))
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `n - 1`; 0 when `n` is 0.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Whether a sign is to be flipped: true half of the time.
    #[inline]
    pub fn flip(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// `L` consecutive replicates' streams, advanced together: the same numbers as `L` [`Stream`]s,
/// with the generators' words side by side and no step that depends on them, so that the compiler
/// can use vector registers. Everything is inlined, because only then does it take over the
/// instruction set that its caller is compiled for.
#[derive(Debug, Clone)]
pub(crate) struct Lanes<const L: usize> {
    s: [[u64; L]; 4],
}

impl<const L: usize> Lanes<L> {
    /// The streams of the replicates `first` to `first + L - 1`.
    #[inline(always)]
    pub(crate) fn new(seed: u64, first: u64) -> Self {
        let mut s = [[0; L]; 4];
        for lane in 0..L {
            let mut state = seed.wrapping_add(first).wrapping_add(lane as u64);
            for word in &mut s {
                word[lane] = split_mix(&mut state);
            }
        }
        Self { s }
    }

    #[inline(always)]
    fn bits(&mut self) -> [u64; L] {
        let mut out = [0; L];
        let [s0, s1, s2, s3] = &mut self.s;
        for l in 0..L {
            out[l] = s0[l].wrapping_add(s3[l]).rotate_left(23).wrapping_add(s0[l]);
            let t = s1[l] << 17;
            s2[l] ^= s0[l];
            s3[l] ^= s1[l];
            s1[l] ^= s2[l];
            s0[l] ^= s3[l];
            s2[l] ^= t;
            s3[l] = s3[l].rotate_left(45);
        }
        out
    }

    /// A number below `n` of every lane. With `n` in 32 bits the high word of the product is two
    /// products of 32 bits, which vector registers have; the 128-bit one they have not.
    #[inline(always)]
    pub(crate) fn below(&mut self, n: u32) -> [u64; L] {
        let n = u64::from(n);
        self.bits().map(|bits| {
            let (high, low) = (bits >> 32, bits & 0xffff_ffff);
            (high * n + ((low * n) >> 32)) >> 32
        })
    }
}

/// One step of SplitMix64, which spreads a seed over a generator's state.
#[inline(always)]
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Applies `f` to 0..count, on all cores with the feature `parallel`; the order is kept.
#[cfg(not(feature = "parallel"))]
pub(crate) fn replicate<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    (0..count).map(f).collect()
}

/// Applies `f` to 0..count, on all cores with the feature `parallel`; the order is kept.
#[cfg(feature = "parallel")]
pub(crate) fn replicate<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    use rayon::prelude::*;
    (0..count).into_par_iter().map(f).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_first_number_of_seed_42_is_the_reference_one() {
        assert_eq!(Stream::new(42, 0).bits(), 15_021_278_609_987_233_951);
    }

    #[test]
    fn lanes_draw_what_their_streams_draw() {
        for n in [1, 1000, u32::MAX] {
            let mut lanes = Lanes::<8>::new(u64::MAX, 3);
            let mut streams: [Stream; 8] = std::array::from_fn(|lane| Stream::new(u64::MAX, 3 + lane as u64));
            for _ in 0..1000 {
                let alone = streams.each_mut().map(|stream| stream.below(n as usize) as u64);
                assert_eq!(lanes.below(n), alone);
            }
        }
    }
}
