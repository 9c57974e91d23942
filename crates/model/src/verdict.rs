//! A verdict: the answer to a claim with everything it rests on, so that anyone can derive it
//! again.
//!
//! Invariant: every number in it follows from its `claim` and its `evidence` alone.
//! Its JSON is a public form; a number that does not exist is `null`, never NaN.
//! Values, differences and margins are in the claim's margin unit; times are integer nanoseconds.
//!
//! Not here: the rules by which the answer follows.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp, claim::Claim};

/// The answer. Only `supported` is a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Shown, within the margin, under the stated conditions.
    Supported,
    /// Shown to be outside the margin, or vetoed.
    Refuted,
    /// Neither was shown.
    InsufficientEvidence,
    /// There is nothing to show it with.
    NotAssessed,
}

impl Answer {
    /// The word used in tables and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::InsufficientEvidence => "insufficient_evidence",
            Self::NotAssessed => "not_assessed",
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The whole verdict: the predicate of the signed statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The rules that were applied: name and version.
    pub method: String,
    /// The answer.
    pub answer: Answer,
    /// The first sentence: how far the answer reaches, and what it is.
    pub first_sentence: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Why the verdict is exploratory, if it is.
    pub exploratory: Option<String>,
    /// The claim as it was judged.
    pub claim: Claim,
    /// Digest of the claim's canonical JSON.
    pub claim_digest: Digest,
    /// One per declared cell, in the claim's order.
    pub cells: Vec<CellResult>,
    /// Real against real, and corrupted synthetic against real.
    pub controls: ControlResults,
    /// Whether the metric can tell anything beyond the reference's own error.
    pub admissibility: Admissibility,
    /// What was not shown: the complement of what was.
    pub limitation: Vec<String>,
    /// What must hold for the answer to hold.
    pub assumptions: Vec<String>,
    /// When it was judged.
    pub judged_at_ns: Timestamp,
    /// When it ends.
    pub expires_at_ns: Timestamp,
    /// Everything that the above was derived from.
    pub evidence: PublishedEvidence,
}

/// One condition cell, judged alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// Which.
    pub cell: String,
    /// The cell's answer.
    pub answer: Answer,
    /// Why.
    pub reason: String,
    /// Adjusted over the declared cells, by Holm or as the claim says (for e-BH, of e-values turned
    /// into p): chance of this or better if the claim were false.
    pub p_equivalence_adjusted: Option<f64>,
    /// Holm-adjusted over cells and directions: chance of this or worse if the claim were true.
    pub p_refutation_adjusted: Option<f64>,
    /// One per direction.
    pub directions: Vec<DirectionResult>,
}

/// One cell in one direction: fitted on one part, tested on the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionResult {
    /// Which.
    pub direction: String,
    /// What this direction says, before the correction for many cells.
    pub answer: Answer,
    /// Why.
    pub reason: String,
    /// Units with a real and every synthetic value.
    pub unit_count: usize,
    /// Units without.
    pub lost_count: usize,
    /// The test, where there are units enough.
    pub test: Option<EquivalenceTest>,
    /// What the test promises, and under which condition.
    pub guarantee: String,
    /// Evidence for the claim now, as a factor: at most 1 on average if it were false; betting only.
    pub e_equivalence: Option<f64>,
    /// Autocorrelation time of the per-sample differences, seconds; blocks only.
    pub autocorrelation_time_s: Option<f64>,
    /// Length of a block in autocorrelation times; blocks only.
    pub block_autocorrelation_times: Option<f64>,
    /// True chance of supporting a claim at the margin, for the measured dependence; blocks only.
    pub simulated_size: Option<f64>,
    /// Units that would decide it with 80 % chance, if the estimate stays as it is.
    pub unit_count_needed: Option<u64>,
}

/// Which test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// Two one-sided t tests on paired differences, fixed number of units.
    PairedT,
    /// Two one-sided Welch t tests on two groups.
    WelchT,
    /// Two one-sided betting tests on bounded paired differences, valid at any time.
    Betting,
    /// Exact interval of the difference of two shares, paired, at a number of units fixed before.
    ExactPairs,
    /// Exact interval of the difference of two shares of two groups.
    ExactGroups,
}

/// Which hypotheses a test must reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Both: the difference is within the margin.
    Both,
    /// "The synthetic side is below the real one by the margin or more."
    NotBelow,
    /// "The synthetic side is above the real one by the margin or more."
    NotAbove,
}

/// Two one-sided tests against a margin, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquivalenceTest {
    /// Which.
    pub kind: TestKind,
    /// Which hypotheses it must reject; the p of another is 0.
    pub sides: Sides,
    /// Mean difference.
    pub estimate: f64,
    /// Standard deviation of the differences over units (Welch: of the estimate, times the root
    /// of the mean group size).
    pub sd: f64,
    /// Degrees of freedom of the t tests.
    pub degrees_of_freedom: Option<f64>,
    /// Ends of the interval at confidence `1 - 2 alpha`.
    pub interval: [f64; 2],
    /// The margin.
    pub margin: f64,
    /// Of "the difference is at or below minus the margin".
    pub p_lower: f64,
    /// Of "the difference is at or above the margin".
    pub p_upper: f64,
    /// Of "the difference is within the margin" (one-sided tests: on the allowed side of it).
    pub p_outside: f64,
    /// The smallest margin that would have passed.
    pub smallest_passing_margin: f64,
}

/// The controls, at the claim's metric, margin, unit and level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlResults {
    /// Real against real; one per cell (and direction, where units are paired).
    pub positive: Vec<ControlResult>,
    /// Synthetic with the declared corruption against real; one per cell and direction.
    pub negative: Vec<ControlResult>,
    /// The corruption with its size, as the claim declares it.
    pub corruption: String,
}

/// One control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlResult {
    /// In which cell.
    pub cell: String,
    /// In which direction; `null` where both halves are compared.
    pub direction: Option<String>,
    /// Whether it came out as it must.
    pub passed: bool,
    /// Why.
    pub reason: String,
    /// Units used.
    pub unit_count: usize,
    /// The test, where there are units enough.
    pub test: Option<EquivalenceTest>,
    /// For real against real: the absolute difference, below which no margin can lie.
    pub floor: Option<f64>,
}

/// Whether the metric can tell anything beyond the reference's own error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admissibility {
    /// Whether the claim can be judged with this metric and margin.
    pub admissible: bool,
    /// Why.
    pub reason: String,
}

/// The error of the reference (ground truth), as it enters the metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceError {
    /// Its size.
    pub value: f64,
    /// Its unit: the margin's.
    pub unit: String,
    /// How it was estimated.
    pub method: String,
    /// Its share of the variance of the real values, if known, 0 to 1.
    pub share_of_real_variance: Option<f64>,
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleStatus {
    /// Held.
    Pass,
    /// Did not hold.
    Fail,
    /// Could not be told: counts as a failure for support.
    Unknown,
}

/// A check that may only fail a claim, never pass it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// Which rule.
    pub rule: String,
    /// How it came out.
    pub status: RuleStatus,
    /// What was measured.
    pub measured: Option<f64>,
    /// The limit it was held against.
    pub limit: Option<f64>,
    /// What was seen, in words.
    pub evidence: String,
}

/// Something that was fitted, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Which parameters.
    pub what: String,
    /// On which data: ids or words.
    pub on: String,
}

/// Everything that a verdict is derived from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedEvidence {
    /// How units were divided; empty for unpaired data.
    pub directions: Vec<DirectionFacts>,
    /// Every unit in every direction, by direction and index.
    pub units: Vec<UnitOutcome>,
    /// The reference's own error, if there is a reference.
    pub reference: Option<ReferenceError>,
    /// How the data came to be inspected before the claim was committed, if it was.
    pub inspected_before: Option<String>,
    /// The checks that may only fail.
    pub vetoes: Vec<Veto>,
    /// What was fitted on what.
    pub fitted: Vec<Fit>,
    /// Digests of the inputs by name.
    pub inputs: BTreeMap<String, Digest>,
    /// What this question cost the reserve that it was charged to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
}

/// What one question cost the reserve of real data that it was asked of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// The reserve.
    pub reserve: String,
    /// Which question of the reserve this was, from 1.
    pub question: u64,
    /// What it cost: a chance of error.
    pub cost: f64,
    /// What was left when the data was opened for it.
    pub wealth_left: f64,
}

/// One direction: fitted on one part, tested on another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionFacts {
    /// Its name.
    pub direction: String,
    /// What was fitted on, in words or ids.
    pub fitted_on: String,
    /// What was tested on.
    pub tested_on: String,
    /// Time left out between the two, seconds.
    pub guard_s: f64,
    /// How strongly successive samples depend on each other, if it could be measured.
    pub dependence: Option<Dependence>,
}

/// How strongly successive samples depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependence {
    /// Integrated autocorrelation time, `1 + 2 * sum of correlations`, in samples; at least 1.
    pub autocorrelation_time_samples: f64,
    /// Seconds from one sample to the next.
    pub sample_interval_s: f64,
    /// Samples it was measured on.
    pub sample_count: usize,
}

impl Dependence {
    /// Integrated autocorrelation time, seconds.
    #[must_use]
    pub fn autocorrelation_time_s(&self) -> f64 {
        self.autocorrelation_time_samples * self.sample_interval_s
    }
}

/// What was measured on one unit. `None` where a value could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitValues {
    /// Position of the unit in its direction, from 0, in order of time.
    pub unit_index: usize,
    /// Its name, where units have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The name of its cell, where the table of outcomes gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Start; `None` where only the outcome is known.
    pub start_ns: Option<Timestamp>,
    /// End.
    pub end_ns: Option<Timestamp>,
    /// Samples in it.
    pub sample_count: usize,
    /// Conditions, each with its unit in its name.
    pub descriptors: BTreeMap<String, f64>,
    /// The metric on real data.
    pub real: Option<f64>,
    /// The metric on synthetic data, one per seed.
    pub synthetic_by_seed: Vec<Option<f64>>,
    /// The metric on synthetic data with the declared corruption, one per seed used.
    pub negative_control_by_seed: Vec<Option<f64>>,
    /// The metric on other real data, for controls that pair units.
    pub positive_control: Option<f64>,
}

/// One unit in one direction, with what follows from its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitOutcome {
    /// In which direction.
    pub direction: String,
    /// The declared cells it lies in.
    pub cells: Vec<String>,
    /// Mean over seeds; `None` if one is missing.
    pub synthetic_mean: Option<f64>,
    /// Synthetic mean minus real; `None` if the unit is lost.
    pub difference: Option<f64>,
    /// What was measured.
    pub values: UnitValues,
}
