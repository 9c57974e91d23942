//! A claim: what synthetic data is said to stand in for, written down before the data is looked at.
//!
//! Invariant: a claim that [`Claim::validate`] accepts can be judged without any further choice;
//! whatever could change the answer (metric, margin, unit, cells, seeds, controls) is in it.
//! Lengths of time are seconds; the margin and the bound are in the unit the margin names.
//!
//! Not here: reading TOML, hashing, and judging.

mod cells;
mod outcomes;
mod validate;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

pub use self::{
    cells::{Condition, ConditionCell, Operator},
    outcomes::{Family, Outcome, OutcomeColumns, OutcomeTable, Reserve, ReservePolicy, Worse},
    validate::ClaimError,
};
use crate::Seed;

/// The only format of a claim so far.
pub const CLAIM_FORMAT_VERSION: u32 = 1;

/// Fewer seeds than this leave the simulator's own scatter in the result.
pub const SEED_COUNT_MIN: u32 = 20;

/// The guard between what was fitted and what is tested is at least this many autocorrelation
/// times.
pub const GUARD_AUTOCORRELATION_TIMES_MIN: f64 = 2.0;

/// "This synthetic data may stand in for that real data, for this task, within this margin."
///
/// Its JSON is a public form: it is printed inside the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// [`CLAIM_FORMAT_VERSION`].
    pub format_version: u32,
    /// A short name, for lists.
    pub name: String,
    /// What is claimed, in words.
    pub statement: String,
    /// Which of the four tests applies.
    pub kind: ClaimKind,
    /// What the data is wanted for, in words.
    pub task: String,
    /// The real recording: its name or id.
    pub real: String,
    /// The synthetic data.
    pub synthetic: SyntheticSource,
    /// What is measured on both.
    pub metric: MetricChoice,
    /// What kind of number it is.
    #[serde(default, skip_serializing_if = "Outcome::is_continuous")]
    pub outcome: Outcome,
    /// Which side of the metric is the bad one; claims of safety only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<Worse>,
    /// What counts as one independent unit.
    pub unit: UnitChoice,
    /// Chance of supporting a false claim that is accepted, per claim.
    pub alpha: f64,
    /// The largest difference that does not matter.
    pub margin: Margin,
    /// Largest possible absolute difference synthetic minus real, in the margin's unit.
    ///
    /// For a metric that is never negative and clipped, its clip. Needed where units are runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// How far the units are apart, and so how far the answer reaches.
    pub independence: Independence,
    /// How what is fitted is kept apart from what is tested; by run if nothing is said.
    #[serde(default = "by_run")]
    pub split: Split,
    /// How often the synthetic side is drawn; once if nothing is said.
    #[serde(default = "one_draw")]
    pub seeds: Seeds,
    /// The conditions, each judged alone; one cell `all` if none is declared.
    #[serde(default = "cells::one_cell")]
    pub cells: Vec<ConditionCell>,
    /// How looking at several cells is paid for.
    #[serde(default, skip_serializing_if = "Family::is_holm")]
    pub family: Family,
    /// The account of the real data that this question is charged to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Reserve>,
    /// What shows that the test can pass and can fail.
    pub controls: Controls,
    /// Days after which the verdict no longer holds.
    pub expires_days: u32,
}

/// Four kinds of claim, four tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// The metric on synthetic data is within the margin of the metric on real data.
    Measurement,
    /// Synthetic data is not optimistic about failures.
    Safety,
    /// The same decision over a declared panel of systems.
    Ranking,
    /// A model trained with it does no worse on real data.
    Training,
}

impl fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Measurement => "measurement",
            Self::Safety => "safety",
            Self::Ranking => "ranking",
            Self::Training => "training",
        })
    }
}

/// Where the synthetic side comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SyntheticSource {
    /// A twin of the same run: every unit has a real partner.
    Twin {
        /// How the errors of beacon ranges are modelled.
        range_error: RangeErrorKind,
    },
    /// A recording of another world, by name or id: no unit has a real partner.
    Recording(String),
    /// Paired outcomes that were measured elsewhere, one row per independent unit.
    Outcomes(OutcomeTable),
}

/// The names of [`crate::sensor::RangeErrorModel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeErrorKind {
    /// Independent normal errors.
    Gaussian,
    /// Independent errors with heavy tails.
    HeavyTailed,
    /// Independent errors from several normal components.
    Mixture,
    /// A hidden regime that persists.
    RegimeSwitching,
}

impl RangeErrorKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::Gaussian, Self::HeavyTailed, Self::Mixture, Self::RegimeSwitching];

    /// The word used in claims and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::HeavyTailed => "heavy_tailed",
            Self::Mixture => "mixture",
            Self::RegimeSwitching => "regime_switching",
        }
    }
}

/// A metric with its conventions pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricChoice {
    /// Its id in the list of known metrics.
    pub id: String,
    /// Everything that changes its value: `clip_m`, `tolerance_m`, `system`, ...
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterValue>,
}

impl MetricChoice {
    /// The system under test, if the metric has one: the parameter `system`.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        match self.parameters.get("system") {
            Some(ParameterValue::Text(system)) => Some(system),
            _ => None,
        }
    }
}

/// One parameter of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// Yes or no.
    Flag(bool),
    /// A number in the unit its name says.
    Number(f64),
    /// A word.
    Text(String),
}

/// What counts as one independent unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum UnitChoice {
    /// A stretch of one run.
    Block {
        /// Its length, seconds.
        length_s: f64,
    },
    /// A whole run that knows nothing of the others.
    Run {
        /// How many there will be; declared where the test may be read only once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
    /// A scene or scenario that knows nothing of the others.
    Scene {
        /// As of runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
}

impl UnitChoice {
    /// The word for one and for several.
    #[must_use]
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Block { .. } => ["block", "blocks"],
            Self::Run { .. } => ["run", "runs"],
            Self::Scene { .. } => ["scene", "scenes"],
        }
    }

    /// True where one unit says nothing about the next.
    #[must_use]
    pub fn is_independent(self) -> bool {
        !matches!(self, Self::Block { .. })
    }

    /// How many units were declared beforehand, if that was.
    #[must_use]
    pub fn declared_count(self) -> Option<u64> {
        match self {
            Self::Block { .. } => None,
            Self::Run { count } | Self::Scene { count } => count,
        }
    }
}

/// The largest difference that does not matter, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// Above zero, in `unit`.
    pub value: f64,
    /// The metric's unit.
    pub unit: String,
    /// What a larger difference would cost: why this number and not another.
    pub justification: String,
}

/// How far the units lie apart, and so how far the answer reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Independence {
    /// Disjoint by site.
    AcrossSites,
    /// Disjoint by recording and by site or route group.
    AcrossRuns,
    /// Disjoint in time only.
    WithinRun,
}

/// How what is fitted is kept apart from what is tested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Split {
    /// Fit on one half of the time, test on the other.
    ContiguousHalves {
        /// Also the other way round; both must agree.
        both_directions: bool,
        /// Time left out between the halves, in autocorrelation times.
        guard_autocorrelation_times: f64,
    },
    /// Fit on some runs, test on others.
    ByRun {},
}

/// How often the synthetic side is drawn, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seeds {
    /// At least [`SEED_COUNT_MIN`].
    pub count: u32,
    /// The seed that all others follow from; a decimal string.
    pub base: Seed,
}

/// What shows that the test can pass and can fail. There is no way to do without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// Real against real: must be found equivalent.
    pub positive: PositiveControlKind,
    /// Synthetic made worse on purpose: must be refuted.
    pub negative: Corruption,
}

/// Which real data is set against which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositiveControlKind {
    /// The units of one half against those of the other.
    Halves,
    /// Each unit measured again with the next real scan in the place of each.
    NextScan,
    /// Each unit measured again on real data of its own: this column of the table of outcomes.
    Column(String),
}

/// A corruption declared before it is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corruption {
    /// Which.
    pub id: String,
    /// How large, in `unit`.
    pub size: f64,
    /// The unit of its size.
    pub unit: String,
    /// The column of the table of outcomes that holds what came out under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

fn by_run() -> Split {
    Split::ByRun {}
}

fn one_draw() -> Seeds {
    Seeds { count: 1, base: Seed(0) }
}
