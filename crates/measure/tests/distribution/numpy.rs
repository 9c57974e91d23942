//! NumPy's legacy generator, to repeat the draws of a reference tool: `RandomState(seed)`.
//!
//! Source: Matsumoto and Nishimura, *Mersenne Twister*, 1998; Marsaglia and Bray's polar method.

const N: usize = 624;

/// The state of MT19937, with the second normal of a pair kept.
pub(crate) struct RandomState {
    words: [u32; N],
    next: usize,
    spare: Option<f64>,
}

impl RandomState {
    pub(crate) fn new(seed: u32) -> Self {
        let mut words = [seed; N];
        for index in 1..N {
            let last = words[index - 1];
            words[index] =
                1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index as u32);
        }
        Self { words, next: N, spare: None }
    }

    fn bits(&mut self) -> u32 {
        if self.next == N {
            for index in 0..N {
                let joined =
                    (self.words[index] & 0x8000_0000) | (self.words[(index + 1) % N] & 0x7fff_ffff);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.words[index] = self.words[(index + 397) % N] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn uniform(&mut self) -> f64 {
        let (high, low) = (self.bits() >> 5, self.bits() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * tiepoint_model::math::ln(square) / square).sqrt();
                self.spare = Some(factor * x);
                return factor * y;
            }
        }
    }

    fn at_most(&mut self, max: u32) -> usize {
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let value = self.bits() & mask;
            if value <= max {
                return value as usize;
            }
        }
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let other = self.at_most(last as u32);
            values.swap(last, other);
        }
    }

    pub(crate) fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }
}
