//! A confidence sequence: one interval after every value, all of them true at once.
//!
//! Every mean on a grid is a pair of games, "at most this" and "at least this"; a mean that either
//! refutes is out for good, so that only the means still in play cost anything.
//! Invariant: the interval never grows, and holds the exact one: its ends are the nearest means
//! that were refuted.
//! Values lie in `[0, 1]`.
//!
//! Not here: the exact ends (see [`super::hedged_interval`]).

use std::ops::Range;

use super::{
    super::{StatisticsError, check_range},
    bets::{Bettor, Schedule, risk_bound},
};

/// The hedged capital process on a grid of means, fed one value at a time.
///
/// A value costs one multiplication per mean still in play, of which about
/// `grid_steps / sqrt(count)` are left after `count` values; memory does not grow.
///
/// # Source
/// Waudby-Smith and Ramdas, *Estimating means of bounded random variables by betting*, JRSS-B
/// 86(1), 2024, theorem 3; `hedged_cs` of the package `confseq` gives the same ends on the same
/// grid.
#[derive(Clone, Debug)]
pub struct ConfidenceSequence {
    bettor: Bettor,
    threshold: f64,
    /// Against "at most", for the means of the grid.
    above: Games,
    /// Against "at least", as games about `1 - value`, for the same means in the same order.
    below: Games,
    /// The means in play, as indices of the grid.
    in_play: Range<usize>,
    count: u64,
}

/// One game per mean.
#[derive(Clone, Debug)]
struct Games {
    means: Vec<f64>,
    bets_max: Vec<f64>,
    capitals: Vec<f64>,
}

impl Games {
    fn new(means: Vec<f64>) -> Self {
        let bets_max = means.iter().map(|&mean| risk_bound(mean)).collect();
        Self { bets_max, capitals: vec![1.0; means.len()], means }
    }

    fn play(&mut self, in_play: Range<usize>, bet: f64, value: f64) {
        let games = self.capitals[in_play.clone()]
            .iter_mut()
            .zip(&self.means[in_play.clone()])
            .zip(&self.bets_max[in_play]);
        for ((capital, mean), bet_max) in games {
            *capital *= 1.0 + bet.min(*bet_max) * (value - mean);
        }
    }
}

impl ConfidenceSequence {
    /// A sequence at confidence `1 - alpha`, both sides at half of alpha, with ends on multiples of
    /// `1 / grid_steps`.
    ///
    /// # Errors
    /// Alpha outside `(0, 1)`, or steps outside `2..=1_000_000`.
    pub fn new(alpha: f64, grid_steps: usize) -> Result<Self, StatisticsError> {
        check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
        let in_range = (2..=1_000_000).contains(&grid_steps);
        check_range("grid_steps", grid_steps as f64, in_range, "between 2 and 1000000")?;
        let means: Vec<f64> =
            (0..=grid_steps).map(|index| index as f64 / grid_steps as f64).collect();
        Ok(Self {
            bettor: Bettor::new(alpha / 2.0, Schedule::Anytime),
            threshold: 2.0 / alpha,
            below: Games::new(means.iter().map(|mean| 1.0 - mean).collect()),
            in_play: 0..means.len(),
            above: Games::new(means),
            count: 0,
        })
    }

    /// The interval after one value more; `None` from the value on at which every mean is refuted.
    ///
    /// # Errors
    /// A value outside `[0, 1]` or not a number; the sequence is then as before.
    pub fn push(&mut self, value: f64) -> Result<Option<[f64; 2]>, StatisticsError> {
        check_range("value", value, (0.0..=1.0).contains(&value), "between 0 and 1")?;
        self.count += 1;
        let bet = self.bettor.bet_then_see(value);
        self.above.play(self.in_play.clone(), bet, value);
        self.below.play(self.in_play.clone(), bet, 1.0 - value);
        // The larger the mean, the smaller the capital above it and the larger that below it.
        let Range { mut start, mut end } = self.in_play;
        while start < end && self.above.capitals[start] >= self.threshold {
            start += 1;
        }
        while start < end && self.below.capitals[end - 1] >= self.threshold {
            end -= 1;
        }
        self.in_play = start..end;
        Ok(self.interval())
    }

    /// The interval so far, `[0, 1]` at first; `None` where every mean is refuted, which happens to
    /// values that keep one mean with chance at most alpha.
    #[must_use]
    pub fn interval(&self) -> Option<[f64; 2]> {
        let Range { start, end } = self.in_play;
        let (first_refuted_above, last) = (end, self.above.means.len() - 1);
        (start < end).then(|| {
            [start.saturating_sub(1), first_refuted_above.min(last)].map(|i| self.above.means[i])
        })
    }

    /// Values seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}
