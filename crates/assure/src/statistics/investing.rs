//! The alpha ledger of one reserve of validation data: every question costs, an answer may pay.
//!
//! Invariant: wealth is never negative, and a question that it cannot pay for is refused before the
//! data is opened. Charges stay whatever the answer, so that the best of many candidates pays for
//! all of them.
//! Wealth is a chance: the error that may still be made.
//!
//! Not here: keeping the ledger, and what the questions are.

use tiepoint_model::ErrorKind;

/// What an answer pays back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// Nothing: the chance of any false answer stays at the first wealth, under any dependence.
    Spending,
    /// Each rejection returns its charge and earns a reward of at most the first wealth: the
    /// expected number of false rejections over that of rejections stays near the first wealth, if
    /// each p-value is valid given the answers before it.
    Investing {
        /// Earned by a rejection.
        reward: f64,
    },
}

/// Why a question was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The reserve is spent.
    #[error("the question costs {cost} and the reserve holds {wealth}")]
    Spent {
        /// What it would cost.
        cost: f64,
        /// What is left.
        wealth: f64,
    },
    /// A number out of range.
    #[error("`{name}` is {value}, which is not {requirement}")]
    OutOfRange {
        /// What.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// An answer to a question that was not asked or is answered.
    #[error("no question is open")]
    NoOpenQuestion,
    /// A second question before the first is answered.
    #[error("the question before is still open")]
    OpenQuestion,
}

impl Refusal {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OpenQuestion | Self::NoOpenQuestion => ErrorKind::Conflict,
            _ => ErrorKind::InvalidInput,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Spent { wealth, .. } => {
                format!("ask at a level that costs at most {wealth}, or open a fresh reserve")
            }
            Self::OutOfRange { name, requirement, .. } => {
                format!("choose `{name}` to be {requirement}")
            }
            Self::NoOpenQuestion => "charge the question first".to_owned(),
            Self::OpenQuestion => "record the answer of the question before".to_owned(),
        }
    }
}

/// The account of one reserve.
#[derive(Clone, Debug, PartialEq)]
pub struct AlphaLedger {
    policy: Policy,
    wealth: f64,
    /// What the open question cost.
    open: Option<f64>,
    question_count: u64,
    rejection_count: u64,
}

impl AlphaLedger {
    /// An account of a reserve that may err with chance `wealth`.
    ///
    /// # Errors
    /// Wealth outside `(0, 1)`, or a reward below 0 or above the wealth.
    ///
    /// # Source
    /// Foster and Stine, JRSS-B 70(2), 2008, for investing.
    pub fn new(wealth: f64, policy: Policy) -> Result<Self, Refusal> {
        check("wealth", wealth, wealth > 0.0 && wealth < 1.0, "between 0 and 1")?;
        if let Policy::Investing { reward } = policy {
            check("reward", reward, (0.0..=wealth).contains(&reward), "at most the first wealth")?;
        }
        Ok(Self { policy, wealth, open: None, question_count: 0, rejection_count: 0 })
    }

    /// What a test at this level costs: alpha itself, or `alpha / (1 - alpha)` where it may pay.
    #[must_use]
    pub fn cost(&self, alpha: f64) -> f64 {
        match self.policy {
            Policy::Spending => alpha,
            Policy::Investing { .. } => alpha / (1.0 - alpha),
        }
    }

    /// Charges one question; the data may be opened for it afterwards.
    ///
    /// # Errors
    /// [`Refusal::Spent`] if the wealth does not suffice, [`Refusal::OpenQuestion`],
    /// [`Refusal::OutOfRange`]; nothing is charged then.
    pub fn charge(&mut self, alpha: f64) -> Result<f64, Refusal> {
        check("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
        if self.open.is_some() {
            return Err(Refusal::OpenQuestion);
        }
        let cost = self.cost(alpha);
        // Twenty charges of a twentieth must fit: sums of decimal fractions round.
        if cost > self.wealth * (1.0 + 1e-12) + 1e-15 {
            return Err(Refusal::Spent { cost, wealth: self.wealth });
        }
        self.wealth = (self.wealth - cost).max(0.0);
        self.open = Some(cost);
        self.question_count += 1;
        Ok(self.wealth)
    }

    /// Records the answer to the open question: whether it rejected. Gives the wealth after it.
    ///
    /// # Errors
    /// [`Refusal::NoOpenQuestion`].
    pub fn settle(&mut self, rejected: bool) -> Result<f64, Refusal> {
        let cost = self.open.take().ok_or(Refusal::NoOpenQuestion)?;
        if rejected {
            self.rejection_count += 1;
            if let Policy::Investing { reward } = self.policy {
                self.wealth += cost + reward;
            }
        }
        Ok(self.wealth)
    }

    /// The error that may still be made.
    #[must_use]
    pub fn wealth(&self) -> f64 {
        self.wealth
    }

    /// The highest level at which one question more can be asked; 0 when spent.
    #[must_use]
    pub fn alpha_max(&self) -> f64 {
        match self.policy {
            Policy::Spending => self.wealth,
            Policy::Investing { .. } => self.wealth / (1.0 + self.wealth),
        }
    }

    /// Questions charged and rejections recorded.
    #[must_use]
    pub fn counts(&self) -> [u64; 2] {
        [self.question_count, self.rejection_count]
    }
}

fn check(
    name: &'static str,
    value: f64,
    inside: bool,
    requirement: &'static str,
) -> Result<(), Refusal> {
    if inside { Ok(()) } else { Err(Refusal::OutOfRange { name, value, requirement }) }
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;

    #[test]
    fn a_reserve_admits_what_it_can_pay_and_no_more() {
        let mut ledger = AlphaLedger::new(0.05, Policy::Spending).unwrap();
        for question in 1..=20 {
            ledger.charge(0.0025).unwrap();
            ledger.settle(question % 2 == 0).unwrap();
        }
        assert!(ledger.wealth() < 1e-15);
        assert!(matches!(ledger.charge(0.0025), Err(Refusal::Spent { .. })));
        assert_eq!(ledger.counts(), [20, 10]);
    }

    #[test]
    fn a_refused_question_costs_nothing() {
        let mut ledger = AlphaLedger::new(0.05, Policy::Investing { reward: 0.05 }).unwrap();
        let before = ledger.clone();
        assert!(matches!(ledger.charge(0.06), Err(Refusal::Spent { .. })));
        assert!(ledger.charge(f64::NAN).is_err() && ledger.charge(0.0).is_err());
        assert_eq!(ledger.settle(true), Err(Refusal::NoOpenQuestion));
        assert_eq!(ledger, before);
        ledger.charge(0.02).unwrap();
        assert_eq!(ledger.charge(0.02), Err(Refusal::OpenQuestion));
    }

    /// A rejection returns its charge and earns the reward; an acceptance costs alpha/(1 - alpha).
    #[test]
    fn wealth_follows_foster_and_stine() {
        let mut ledger = AlphaLedger::new(0.05, Policy::Investing { reward: 0.04 }).unwrap();
        ledger.charge(0.02).unwrap();
        assert!((ledger.settle(true).unwrap() - 0.09).abs() < 1e-15);
        ledger.charge(0.02).unwrap();
        assert!((ledger.settle(false).unwrap() - (0.09 - 0.02 / 0.98)).abs() < 1e-15);
        let all = ledger.alpha_max();
        ledger.charge(all).unwrap();
        assert!(ledger.settle(false).unwrap() < 1e-15);
    }

    /// Nothing but false hypotheses of no effect: false rejections over rejections plus one, each in
    /// expectation, stay at 5 %. 4000 ledgers, counts with spread below .5: four standard errors
    /// are .032.
    #[test]
    fn investing_keeps_its_rate_where_nothing_is_true() {
        let count = 4000_u32;
        let mut rejections = 0_u32;
        for replication in 0..count {
            let mut draws = Seed(17).draws(u64::from(replication), 0);
            let mut ledger = AlphaLedger::new(0.05, Policy::Investing { reward: 0.05 }).unwrap();
            for _ in 0..200 {
                let alpha = 0.2 * ledger.alpha_max();
                if alpha < 1e-6 || ledger.charge(alpha).is_err() {
                    break;
                }
                let rejected = draws.uniform() <= alpha;
                rejections += u32::from(rejected);
                ledger.settle(rejected).unwrap();
            }
        }
        let mean = f64::from(rejections) / f64::from(count);
        assert!(mean / (mean + 0.95) < 0.05 + 0.032, "{mean}");
    }

    #[test]
    fn accounts_out_of_range_are_refused() {
        for wealth in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(AlphaLedger::new(wealth, Policy::Spending).is_err());
        }
        assert!(AlphaLedger::new(0.05, Policy::Investing { reward: 0.06 }).is_err());
        assert!(AlphaLedger::new(0.05, Policy::Investing { reward: f64::NAN }).is_err());
    }
}
