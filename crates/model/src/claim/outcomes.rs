//! Outcomes that were measured elsewhere, the kind of number they are, and what questions cost.
//!
//! Invariant: every choice about such a table that could change the answer is in the claim, and so
//! is committed before the table is opened.
//! Outcomes are in the unit of the claim's margin; binary ones are shares.
//!
//! Not here: reading the table.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A CSV or Parquet table with one row per unit (and system): both sides of every pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeTable {
    /// Where it lies, from the folder of the claim.
    pub file: String,
    /// What made the synthetic side: generator, version, seeds, in words.
    pub generator: String,
    /// Digest of the synthetic set, if it was fixed beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Digest>,
    /// Which column holds what.
    #[serde(default)]
    pub columns: OutcomeColumns,
}

/// Which column of a table of outcomes holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeColumns {
    /// Names the unit; each name once.
    #[serde(default = "unit_column")]
    pub unit: String,
    /// The outcome on real data.
    #[serde(default = "real_column")]
    pub real: String,
    /// The outcome on synthetic data of the same conditions.
    #[serde(default = "synthetic_column")]
    pub synthetic: String,
    /// Names the unit's cell; without it cells are told by their conditions alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Names the system under test; rows of other systems than the metric's are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

impl Default for OutcomeColumns {
    fn default() -> Self {
        Self {
            unit: unit_column(),
            real: real_column(),
            synthetic: synthetic_column(),
            cell: None,
            system: None,
        }
    }
}

fn unit_column() -> String {
    "unit".to_owned()
}

fn real_column() -> String {
    "real".to_owned()
}

fn synthetic_column() -> String {
    "synthetic".to_owned()
}

/// What kind of number an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Outcome {
    /// Any number within the bound.
    Continuous {},
    /// 0 or 1.
    Binary {
        /// Values above it count as 1, others as 0; without it every value is 0 or 1 already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<f64>,
    },
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Continuous {}
    }
}

impl Outcome {
    /// True for any number.
    #[must_use]
    pub fn is_continuous(&self) -> bool {
        *self == Self::Continuous {}
    }

    /// The number that is compared; `None` for a value that is neither 0 nor 1 and must be.
    #[must_use]
    pub fn read(self, value: f64) -> Option<f64> {
        match self {
            Self::Continuous {} => Some(value),
            Self::Binary { threshold: Some(threshold) } if value.is_finite() => {
                Some(f64::from(u8::from(value > threshold)))
            }
            Self::Binary { threshold: None } if value == 0.0 || value == 1.0 => Some(value),
            Self::Binary { .. } => None,
        }
    }
}

/// Which side of a metric is the bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// An error, a failure: more of it is worse.
    Larger,
    /// A success: less of it is worse.
    Smaller,
}

/// How looking at several cells is paid for; the declared cells are the family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The chance of one false support or more stays at alpha, under any dependence.
    #[default]
    Holm,
    /// The expected share of false supports stays at alpha, under any dependence; by e-values.
    EBh,
}

impl Family {
    /// True for the default.
    #[must_use]
    pub fn is_holm(&self) -> bool {
        *self == Self::Holm
    }
}

/// The account of a reserve of real data that several claims may be asked of.
///
/// The first claim that names it opens it; every claim pays before the data is opened for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// Its name in the lake.
    pub name: String,
    /// The chance of error that all its questions may make together, between 0 and 1.
    pub wealth: f64,
    /// What an answer pays back.
    #[serde(default)]
    pub policy: ReservePolicy,
}

/// What an answer pays back into a reserve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservePolicy {
    /// Nothing: the chance of any false support stays at the wealth, under any dependence.
    #[default]
    Spending,
    /// A support returns its charge and earns as much as the wealth was at first.
    Investing,
}
