//! Which test a claim gets, from the kind of units there are, and why it gets none.
//!
//! Invariant: total; every question has one test or one typed reason, and no reason is skipped by
//! choosing another test.
//! Margins and bounds share one unit; lengths of blocks are in autocorrelation times.
//!
//! Not here: the tests, and what follows from them.

use tiepoint_model::{
    ErrorKind,
    math::{ln, ln_1p},
};

use super::betting::unit_count_min;

/// A block is at least this long, in autocorrelation times of its samples.
pub const BLOCK_LENGTH_MIN: f64 = 3.0;

/// The simulated size of the t test may exceed alpha by this factor.
pub const SIZE_FACTOR_MAX: f64 = 1.5;

/// Fewer blocks leave the t test without degrees of freedom.
const BLOCK_COUNT_MIN: u64 = 2;

/// What the units are, and how they depend on each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Units {
    /// Runs or scenes that know nothing of each other.
    Independent {
        /// Largest possible absolute difference, if there is one.
        bound: Option<f64>,
    },
    /// Stretches of one run.
    Blocks {
        /// Length over the measured autocorrelation time, if it could be measured.
        length_in_autocorrelation_times: Option<f64>,
        /// Simulated chance of support at the margin for the measured dependence, if simulated.
        simulated_size: Option<f64>,
    },
    /// Independent pairs of outcomes, each a success or not.
    Outcomes,
}

/// What is to be tested, as far as it decides the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// What the units are.
    pub units: Units,
    /// How many there are.
    pub unit_count: u64,
    /// The margin, above 0.
    pub margin: f64,
    /// Error of each one-sided test, between 0 and 0.5.
    pub alpha: f64,
}

/// The test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Two one-sided betting tests, valid at any time:
    /// [`super::betting::betting_equivalence`].
    Betting,
    /// Two one-sided t tests for a number of blocks fixed beforehand:
    /// [`super::equivalence::paired_equivalence`].
    PairedT,
    /// Exact interval of the difference of two shares:
    /// [`super::binomial::paired::paired_equivalence_interval`].
    ExactPairs,
}

/// Why no test fits.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
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
    /// Betting needs differences that have a bound.
    #[error("differences without a bound cannot be bet on")]
    NoBound,
    /// No number of units could suffice.
    #[error("a margin of {margin} is too small a part of the bound {bound}")]
    MarginTooSmall {
        /// The margin.
        margin: f64,
        /// The bound.
        bound: f64,
    },
    /// Too few units to support the claim even if every difference were zero.
    #[error("{count} units cannot suffice: even without any difference {min} are needed")]
    TooFew {
        /// How many there are.
        count: u64,
        /// How many are needed at least.
        min: u64,
    },
    /// The dependence of successive samples is unknown.
    #[error("the dependence of successive samples was not measured")]
    DependenceUnknown,
    /// Blocks that remember the block before.
    #[error("blocks are {length} autocorrelation times long, and must be {min}")]
    BlocksTooShort {
        /// How long they are.
        length: f64,
        /// How long they must be.
        min: f64,
    },
    /// The test would err too often.
    #[error("the test would support a false claim with chance {size}, and may with {max}")]
    SizeTooLarge {
        /// Simulated.
        size: f64,
        /// Allowed.
        max: f64,
    },
}

impl Unfit {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::OutOfRange { name, requirement, .. } => {
                format!("choose `{name}` to be {requirement}")
            }
            Self::NoBound => "clip the metric and claim its bound".to_owned(),
            Self::MarginTooSmall { .. } => {
                "claim a wider margin, or a metric with a narrower bound".to_owned()
            }
            Self::TooFew { min, .. } => format!("measure at least {min} units"),
            Self::DependenceUnknown => "give the samples of the run as well".to_owned(),
            Self::BlocksTooShort { length, min } => {
                format!("use blocks {:.1} times as long", min / length)
            }
            Self::SizeTooLarge { .. } => "use longer blocks, or more of them".to_owned(),
        }
    }
}

/// The test for these units.
///
/// Independent units are bet on, which stays valid however often one looks. Betting errs inside one
/// drifting run, so blocks of one run get the t test at a number fixed beforehand, if they are long
/// enough and the test keeps its level. Outcomes get an exact test.
///
/// # Errors
/// [`Unfit`], the first reason in the order of its variants.
pub fn choose_test(question: &Question) -> Result<Test, Unfit> {
    let Question { units, unit_count, margin, alpha } = *question;
    check("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    check("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
    match units {
        Units::Independent { bound } => {
            let bound = bound.ok_or(Unfit::NoBound)?;
            check("bound", bound, bound.is_finite() && bound > 0.0, "finite and above 0")?;
            let least = unit_count_min(margin, bound, alpha);
            let min = least.ok_or(Unfit::MarginTooSmall { margin, bound })?;
            at_least(unit_count, min.max(2)).map(|()| Test::Betting)
        }
        Units::Blocks { length_in_autocorrelation_times, simulated_size } => {
            at_least(unit_count, BLOCK_COUNT_MIN)?;
            let length = length_in_autocorrelation_times.ok_or(Unfit::DependenceUnknown)?;
            let size = simulated_size.ok_or(Unfit::DependenceUnknown)?;
            check("length", length, length.is_finite() && length > 0.0, "finite and above 0")?;
            check("size", size, (0.0..=1.0).contains(&size), "between 0 and 1")?;
            if length < BLOCK_LENGTH_MIN {
                return Err(Unfit::BlocksTooShort { length, min: BLOCK_LENGTH_MIN });
            }
            let max = SIZE_FACTOR_MAX * alpha;
            if size > max { Err(Unfit::SizeTooLarge { size, max }) } else { Ok(Test::PairedT) }
        }
        Units::Outcomes => {
            check("margin", margin, margin < 1.0, "below 1")?;
            let min = outcome_count_min(margin, alpha);
            let min = min.ok_or(Unfit::MarginTooSmall { margin, bound: 1.0 })?;
            at_least(unit_count, min).map(|()| Test::ExactPairs)
        }
    }
}

/// Fewest pairs that can support a margin if no pair is discordant: `(1 - margin)^n <= alpha / 2`.
///
/// Half of alpha, for the two discordant shares of the exact interval share it.
#[must_use]
pub fn outcome_count_min(margin: f64, alpha: f64) -> Option<u64> {
    let count = (ln(alpha / 2.0) / ln_1p(-margin)).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked range")]
    (count.is_finite() && (1.0..1e15).contains(&count)).then_some(count as u64)
}

fn at_least(count: u64, min: u64) -> Result<(), Unfit> {
    if count < min { Err(Unfit::TooFew { count, min }) } else { Ok(()) }
}

fn check(
    name: &'static str,
    value: f64,
    inside: bool,
    requirement: &'static str,
) -> Result<(), Unfit> {
    if inside { Ok(()) } else { Err(Unfit::OutOfRange { name, value, requirement }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{
        betting::betting_equivalence,
        binomial::paired::{PairedCounts, paired_equivalence_interval},
    };

    fn ask(units: Units, unit_count: u64, margin: f64) -> Result<Test, Unfit> {
        choose_test(&Question { units, unit_count, margin, alpha: 0.05 })
    }

    const RUNS: Units = Units::Independent { bound: Some(1.0) };

    fn blocks(length: f64, size: f64) -> Units {
        Units::Blocks { length_in_autocorrelation_times: Some(length), simulated_size: Some(size) }
    }

    #[test]
    fn each_kind_of_units_has_its_test() {
        assert_eq!(ask(RUNS, 62, 0.05), Ok(Test::Betting));
        assert_eq!(ask(blocks(3.0, 0.075), 12, 0.05), Ok(Test::PairedT));
        assert_eq!(ask(Units::Outcomes, 72, 0.05), Ok(Test::ExactPairs));
    }

    #[test]
    fn each_reason_is_named() {
        assert_eq!(ask(RUNS, 61, 0.05), Err(Unfit::TooFew { count: 61, min: 62 }));
        assert_eq!(ask(Units::Independent { bound: None }, 500, 0.05), Err(Unfit::NoBound));
        assert!(matches!(ask(RUNS, 500, 1e-17), Err(Unfit::MarginTooSmall { .. })));
        assert!(matches!(ask(blocks(2.9, 0.05), 12, 0.05), Err(Unfit::BlocksTooShort { .. })));
        assert!(matches!(ask(blocks(3.1, 0.08), 12, 0.05), Err(Unfit::SizeTooLarge { .. })));
        let unknown =
            Units::Blocks { length_in_autocorrelation_times: None, simulated_size: Some(0.05) };
        assert_eq!(ask(unknown, 12, 0.05), Err(Unfit::DependenceUnknown));
        assert_eq!(ask(blocks(9.0, 0.05), 1, 0.05), Err(Unfit::TooFew { count: 1, min: 2 }));
        assert_eq!(ask(Units::Outcomes, 71, 0.05), Err(Unfit::TooFew { count: 71, min: 72 }));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            assert!(ask(RUNS, 500, bad).is_err());
            assert!(ask(Units::Independent { bound: Some(bad) }, 500, 0.05).is_err());
            assert!(ask(blocks(bad, 0.05), 12, 0.05).is_err());
            let question = Question { units: RUNS, unit_count: 500, margin: 0.05, alpha: bad };
            assert!(choose_test(&question).is_err());
        }
        assert!(ask(blocks(5.0, f64::NAN), 12, 0.05).is_err());
    }

    /// The least numbers are necessary: one unit fewer never supports, even without differences.
    #[test]
    fn fewer_units_than_the_least_number_never_support() {
        for margin in [0.05, 0.1, 0.3] {
            let least = unit_count_min(margin, 1.0, 0.05).unwrap();
            let zeros = vec![0.0; usize::try_from(least).unwrap() - 1];
            let test = betting_equivalence(&zeros, margin, 1.0, 0.05).unwrap();
            assert!(test.p_lower.max(test.p_upper) > 0.05, "{margin}");
            let least = outcome_count_min(margin, 0.05).unwrap();
            for (pairs, supports) in [(least, true), (least - 1, false)] {
                let counts =
                    PairedCounts { both: pairs, synthetic_only: 0, real_only: 0, neither: 0 };
                let [low, high] = paired_equivalence_interval(&counts, 0.1).unwrap();
                assert_eq!(low > -margin && high < margin, supports, "{margin} {pairs}");
            }
        }
    }
}
