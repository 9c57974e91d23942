//! How much to bet on the next value, from the values before it.
//!
//! Invariant: a bet never depends on the value it is for, nor on a later one.
//! Values lie in `[0, 1]`.
//!
//! Not here: what the bets win.

use tiepoint_model::math::{ln, ln_1p};

/// A bet risks at most this share of the capital. Source: Waudby-Smith and Ramdas, section 4.2.
const RISK_MAX: f64 = 0.5;

/// When the game will be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Schedule {
    /// After any value: bets fall as `1 / sqrt(t log t)`.
    Anytime,
    /// After this many values, for which the bets are tuned; earlier looks are valid too.
    Fixed(usize),
}

/// Predictable plug-in bets: `sqrt(2 log(1/alpha) / (variance * pace))`, the variance from the
/// values before, with one imagined value of mean 1/2 and variance 1/4.
///
/// The bets about `1 - value` are the same: mirroring moves neither the variance nor the imagined
/// value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bettor {
    twice_log: f64,
    schedule: Schedule,
    count: f64,
    sum: f64,
    square_sum: f64,
    variance: f64,
}

impl Bettor {
    pub(super) fn new(alpha: f64, schedule: Schedule) -> Self {
        let twice_log = -2.0 * ln(alpha);
        Self { twice_log, schedule, count: 0.0, sum: 0.5, square_sum: 0.25, variance: 0.25 }
    }

    /// The bet for a value, and only then the value.
    pub(super) fn bet_then_see(&mut self, value: f64) -> f64 {
        self.count += 1.0;
        let pace = match self.schedule {
            Schedule::Anytime => self.count * ln_1p(self.count),
            Schedule::Fixed(count) => count as f64,
        };
        let bet = (self.twice_log / (pace * self.variance)).sqrt();
        self.sum += value;
        let mean = self.sum / (self.count + 1.0);
        self.square_sum += (value - mean) * (value - mean);
        self.variance = self.square_sum / (self.count + 1.0);
        bet
    }
}

/// The largest bet that risks no more than it may against "the mean is at most `mean`".
pub(super) fn risk_bound(mean: f64) -> f64 {
    if mean > 0.0 { RISK_MAX / mean } else { f64::INFINITY }
}
