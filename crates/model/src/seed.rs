//! The seed of everything random, and the counter-based generator that turns it into draws.
//!
//! Invariant: a draw depends on the seed and on *what* it is for (domain, entity, frame, index), never on how many draws came before,
//! so that one beam more or less moves no other noise, and any number of threads gives the same bits.

use serde::{Deserialize, Serialize};

use crate::math;

/// A 64-bit seed. In JSON a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Serialize for Seed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Seed {
    /// A seed of its own for a named purpose: streams split by name, never by call order.
    #[must_use]
    pub fn for_purpose(self, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3) // FNV-1a, 64 bit
        });
        Self(philox(self.0, [hash, 0])[0])
    }

    /// The draws of one `(frame, index)` pair: any number of 64-bit words, addressed by position.
    #[must_use]
    pub fn draws(self, frame: u64, index: u64) -> Draws {
        Draws { key: self.0, frame, index, next: 0 }
    }
}

/// Draws addressed by seed, frame and index, in order.
#[derive(Clone, Debug)]
pub struct Draws {
    key: u64,
    frame: u64,
    index: u64,
    next: u64,
}

impl Draws {
    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let bits = self.pair(0)[usize::from(self.next % 2 == 1)];
        self.next += 1;
        bits
    }

    /// Two words that are computed together: those at the next position, or pairs after it.
    #[inline(always)]
    fn pair(&self, pairs_ahead: u64) -> [u64; 2] {
        // 40 bits of index and 24 of position: a frame has fewer than 10^12 entities, an entity fewer than 16 million draws.
        let word = (self.index << 24) | (self.next / 2 + pairs_ahead);
        philox(self.key, [self.frame, word])
    }

    /// Uniform in the open interval `(0, 1)`, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform integer in `0..count`; the bias of at most `count / 2^64` is far below any test.
    ///
    /// # Panics
    /// If `count` is zero.
    pub fn below(&mut self, count: usize) -> usize {
        assert!(count > 0, "a draw needs at least one choice");
        usize::try_from(scaled(self.bits(), count as u64)).unwrap_or(0)
    }

    /// Fills all places with what [`Self::below`] would give one after the other, many at a time.
    ///
    /// Inlined, so that a caller that lets the compiler use wide vectors gets them here.
    ///
    /// # Panics
    /// If `count` is zero, unless there are no places.
    #[inline(always)]
    pub fn fill_below(&mut self, count: u32, places: &mut [u32]) {
        assert!(count > 0 || places.is_empty(), "a draw needs at least one choice");
        #[expect(clippy::cast_possible_truncation, reason = "below count")]
        let scaled = |bits: u64| scaled(bits, u64::from(count)) as u32;
        let mut rest = places;
        if self.next % 2 == 1
            && let Some(first) = rest.split_off_first_mut()
        {
            *first = scaled(self.bits());
        }
        for places in rest.chunks_mut(2 * PAIRS_TOGETHER) {
            let mut pairs = [[0; 2]; PAIRS_TOGETHER];
            for (pairs_ahead, pair) in (0..).zip(&mut pairs) {
                *pair = self.pair(pairs_ahead);
            }
            for (place, bits) in places.iter_mut().zip(pairs.as_flattened()) {
                *place = scaled(*bits);
            }
            self.next += places.len() as u64;
        }
    }

    /// Standard normal, by Box and Muller (one value of the pair, so that draws stay addressable).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * math::ln(self.uniform())).sqrt();
        radius * math::cos(2.0 * std::f64::consts::PI * self.uniform())
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -math::ln(self.uniform())
    }
}

/// `count * bits / 2^64`, rounded down.
#[inline(always)]
fn scaled(bits: u64, count: u64) -> u64 {
    ((u128::from(bits) * u128::from(count)) >> 64) as u64
}

/// Pairs of words that [`Draws::fill_below`] computes together: two of the widest vectors.
const PAIRS_TOGETHER: usize = 16;

/// Philox4x32-10 with a 64-bit key and a 128-bit counter: Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, SC 2011.
#[inline(always)]
fn philox(key: u64, counter: [u64; 2]) -> [u64; 2] {
    let low = |word: u64| (word & 0xffff_ffff) as u32;
    let high = |word: u64| (word >> 32) as u32;
    let mut c = [low(counter[0]), high(counter[0]), low(counter[1]), high(counter[1])];
    let mut k = [low(key), high(key)];
    for _ in 0..10 {
        let p0 = u64::from(c[0]) * 0xD251_1F53;
        let p1 = u64::from(c[2]) * 0xCD9E_8D57;
        c = [high(p1) ^ c[1] ^ k[0], low(p1), high(p0) ^ c[3] ^ k[1], low(p0)];
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    [u64::from(c[0]) | u64::from(c[1]) << 32, u64::from(c[2]) | u64::from(c[3]) << 32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123's `kat_vectors`: `philox4x32 10`.
    #[test]
    fn philox_gives_the_published_vectors() {
        let words = |pair: [u64; 2]| {
            pair.map(|word| [word & 0xffff_ffff, word >> 32]).as_flattened().to_vec()
        };
        assert_eq!(words(philox(0, [0, 0])), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            words(philox(u64::MAX, [u64::MAX; 2])),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        let pi = [0x85a3_08d3_243f_6a88, 0x0370_7344_1319_8a2e];
        assert_eq!(
            words(philox(0x299f_31d0_a409_3822, pi)),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn draws_do_not_depend_on_each_other() {
        let seed = Seed(7);
        let mut one = seed.draws(3, 5);
        let first: Vec<u64> = (0..4).map(|_| one.bits()).collect();
        let mut other = seed.draws(3, 6);
        let _ = other.bits();
        let mut again = seed.draws(3, 5);
        assert_eq!(first, (0..4).map(|_| again.bits()).collect::<Vec<_>>());
        assert_ne!(seed.for_purpose("lidar"), seed.for_purpose("odometry"));
    }

    /// From either half of a pair, for lengths on both sides of what is computed together.
    #[test]
    fn many_draws_are_those_made_one_by_one() {
        for already_drawn in 0..3 {
            for length in [0, 1, 2, 31, 32, 33, 100] {
                let mut one_by_one = Seed(7).draws(3, 5);
                for _ in 0..already_drawn {
                    let _ = one_by_one.bits();
                }
                let mut many = one_by_one.clone();
                let mut places = vec![0; length];
                many.fill_below(1_000_003, &mut places);
                for place in places {
                    assert_eq!(place as usize, one_by_one.below(1_000_003));
                }
                assert_eq!(many.bits(), one_by_one.bits());
            }
        }
    }

    #[test]
    fn normal_draws_have_mean_zero_and_unit_variance() {
        let count = 200_000_u32;
        let values: Vec<f64> =
            (0..count).map(|index| Seed(1).draws(0, u64::from(index)).normal()).collect();
        let mean = values.iter().sum::<f64>() / f64::from(count);
        let variance =
            values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / f64::from(count);
        // Five standard errors: 1/sqrt(n) for the mean, sqrt(2/n) for the variance.
        assert!(mean.abs() < 5.0 * 0.00224, "{mean}");
        assert!((variance - 1.0).abs() < 5.0 * 0.00317, "{variance}");
    }
}
