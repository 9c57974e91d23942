//! E-processes, fed one unit at a time: evidence that may be read, and acted on, at any time.
//!
//! Invariant: an e-value has mean at most 1 while its hypothesis holds, at any stopping time, so
//! that e-values of several families may be averaged and given to e-BH; one over the largest
//! e-value ever is a p-value at any time.
//! Values of [`EProcess`] lie in `[0, 1]`, differences of [`EquivalenceMonitor`] in
//! `[-bound, bound]`; all values of a process must come from units for which the hypothesis holds
//! given those before: independent runs or scenes, never stretches of one run.
//! Cost: `O(1)` for each value, and constant memory.
//!
//! Not here: a whole batch of units at once (see [`super::betting_equivalence`]).

use tiepoint_model::math::{exp, ln, ln_1p};

use super::{
    super::{StatisticsError, check_range},
    bets::{Bettor, Schedule, risk_bound},
};

/// The hypothesis that a process tries to refute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// "The mean is at most m."
    AtMost,
    /// "The mean is at least m."
    AtLeast,
}

/// One betting game against one hypothesis about the mean of values in `[0, 1]`.
#[derive(Clone, Debug)]
pub struct EProcess {
    bettor: Bettor,
    side: Side,
    /// Of the game, which is against "at most".
    mean: f64,
    log_capital: f64,
    log_peak: f64,
}

impl EProcess {
    /// A process against "the mean is at most (or at least) `mean`", with bets tuned for `alpha`;
    /// it is valid at every level.
    ///
    /// # Errors
    /// A mean outside `[0, 1]` or alpha outside `(0, 1)`.
    pub fn new(side: Side, mean: f64, alpha: f64) -> Result<Self, StatisticsError> {
        check_range("mean", mean, (0.0..=1.0).contains(&mean), "between 0 and 1")?;
        check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
        let mean = match side {
            Side::AtMost => mean,
            Side::AtLeast => 1.0 - mean,
        };
        let bettor = Bettor::new(alpha, Schedule::Anytime);
        Ok(Self { bettor, side, mean, log_capital: 0.0, log_peak: 0.0 })
    }

    /// The e-value after one value more.
    ///
    /// # Errors
    /// A value outside `[0, 1]` or not a number; the process is then as before.
    pub fn push(&mut self, value: f64) -> Result<f64, StatisticsError> {
        check_range("value", value, (0.0..=1.0).contains(&value), "between 0 and 1")?;
        let value = match self.side {
            Side::AtMost => value,
            Side::AtLeast => 1.0 - value,
        };
        let bet = self.bettor.bet_then_see(value).min(risk_bound(self.mean));
        self.log_capital += ln_1p(bet * (value - self.mean));
        self.log_peak = self.log_peak.max(self.log_capital);
        Ok(self.e_value())
    }

    /// Evidence against the hypothesis: capital now, 1 at first.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        exp(self.log_capital)
    }

    /// Chance of ever having had this much evidence if the hypothesis holds, at most 1.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        exp(-self.log_peak)
    }
}

/// What the evidence so far says about a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Neither; more units may tell.
    Open,
    /// Equivalent within the margin.
    Within,
    /// Not equivalent.
    Outside,
    /// Both were shown at some time: the units do not keep one mean, and nothing follows.
    Contradiction,
}

/// The evidence after some units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Units so far.
    pub unit_count: u64,
    /// Evidence for equivalence now: the smaller one of the two sides, for both must be refuted.
    pub e_equivalent: f64,
    /// Evidence against equivalence now: the average of the two sides, for either suffices.
    pub e_different: f64,
    /// Of "not equivalent", valid at any time.
    pub p_equivalent: f64,
    /// Of "equivalent", valid at any time.
    pub p_different: f64,
    /// At the level of the monitor.
    pub reading: Reading,
}

/// Two-sided equivalence within a margin, watched unit by unit.
#[derive(Clone, Debug)]
pub struct EquivalenceMonitor {
    bound: f64,
    alpha: f64,
    unit_count: u64,
    /// Against "at most minus the margin" and "at least the margin".
    equivalent: [EProcess; 2],
    /// Against "at most the margin" and "at least minus the margin".
    different: [EProcess; 2],
    /// Logarithm of the largest average of the two above.
    log_peak_different: f64,
}

impl EquivalenceMonitor {
    /// A monitor of differences in `[-bound, bound]`, at error `alpha` of each answer.
    ///
    /// # Errors
    /// A margin that is not inside the bound, or alpha outside `(0, 0.5)`.
    pub fn new(margin: f64, bound: f64, alpha: f64) -> Result<Self, StatisticsError> {
        check_range("bound", bound, bound.is_finite() && bound > 0.0, "finite and above 0")?;
        let inside = margin > 0.0 && margin < bound;
        check_range("margin", margin, inside, "above 0 and below the bound")?;
        check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
        let game = |side, difference| EProcess::new(side, unit_value(difference, bound), alpha);
        Ok(Self {
            bound,
            alpha,
            unit_count: 0,
            equivalent: [game(Side::AtMost, -margin)?, game(Side::AtLeast, margin)?],
            different: [game(Side::AtMost, margin)?, game(Side::AtLeast, -margin)?],
            log_peak_different: 0.0,
        })
    }

    /// The evidence after one unit more.
    ///
    /// # Errors
    /// A difference beyond the bound or not a number; the monitor is then as before.
    pub fn push(&mut self, difference: f64) -> Result<Look, StatisticsError> {
        let inside = difference.abs() <= self.bound;
        check_range("difference", difference, inside, "within the bound")?;
        let value = unit_value(difference, self.bound);
        for process in self.equivalent.iter_mut().chain(&mut self.different) {
            process.push(value)?;
        }
        self.unit_count += 1;
        self.log_peak_different = self.log_peak_different.max(self.log_different());
        Ok(self.look())
    }

    /// The evidence so far.
    #[must_use]
    pub fn look(&self) -> Look {
        let [low, high] = &self.equivalent;
        let p_equivalent = low.p_value().max(high.p_value());
        let p_different = exp(-self.log_peak_different);
        let reading = match (p_equivalent <= self.alpha, p_different <= self.alpha) {
            (false, false) => Reading::Open,
            (true, false) => Reading::Within,
            (false, true) => Reading::Outside,
            (true, true) => Reading::Contradiction,
        };
        Look {
            unit_count: self.unit_count,
            e_equivalent: low.e_value().min(high.e_value()),
            e_different: exp(self.log_different()),
            p_equivalent,
            p_different,
            reading,
        }
    }

    /// Logarithm of the average of two capitals.
    fn log_different(&self) -> f64 {
        let [a, b] = [self.different[0].log_capital, self.different[1].log_capital];
        let (larger, smaller) = (a.max(b), a.min(b));
        larger + ln_1p(exp(smaller - larger)) - ln(2.0)
    }
}

/// A difference in `[-bound, bound]` as a value in `[0, 1]`.
fn unit_value(difference: f64, bound: f64) -> f64 {
    ((difference + bound) / (2.0 * bound)).clamp(0.0, 1.0)
}
