//! How many units a claim needs, before any is measured.
//!
//! Invariant: counts are rounded up; a plan that no count fulfils is `null` with the reason.

use tiepoint_assure::statistics::{
    StatisticsError,
    betting::{BettingPlan, betting_units_needed, unit_count_min},
    choice::outcome_count_min,
    equivalence::units_needed,
    planning::{Errors, effective_count, paired_units, two_group_units, zero_failure_trials},
};

use super::{Measured, MeasuredValue, Statistic, count, unknown};
use crate::Error;

/// What a claim expects; which numbers count depends on the test.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// `equivalence`, `betting`, `noninferiority`, `two-shares`, `paired-outcomes`, `zero-failures`
    /// or `scenes`.
    pub test: String,
    /// Expected mean difference.
    pub estimate: f64,
    /// Standard deviation of the differences.
    pub sd: Option<f64>,
    /// The margin.
    pub margin: Option<f64>,
    /// Largest possible absolute difference.
    pub bound: Option<f64>,
    /// A share of outcomes.
    pub share: Option<f64>,
    /// Scenes, frames of a scene, and the correlation within scenes.
    pub scenes: Option<(u64, u64, f64)>,
    /// Error of each one-sided test.
    pub alpha: f64,
    /// Wanted chance of support.
    pub power: f64,
}

/// Plans the number of units.
///
/// # Errors
/// [`Error::UnknownWord`] for a test that is not known and a number that it needs;
/// those of the statistic for numbers out of range.
pub fn measure_plan(request: &PlanRequest) -> Result<Measured, Error> {
    let PlanRequest { test, estimate, alpha, power, .. } = request;
    let (estimate, alpha, power) = (*estimate, *alpha, *power);
    let errors = Errors { alpha, power };
    let margin = || needed(request, "--margin", request.margin);
    let sd = || needed(request, "--sd", request.sd);
    let share = || needed(request, "--share", request.share);
    let mut statistic = Statistic::new("stat.sample_size").with("test", test);
    if test != "scenes" {
        statistic = statistic.with("alpha", alpha);
    }
    let found = match test.as_str() {
        "equivalence" => {
            statistic = statistic.with("power", 0.8).with("estimate", estimate);
            equivalence(estimate, sd()?, margin()?, alpha)
        }
        "betting" => {
            let (sd, margin) = (sd()?, margin()?);
            let bound = needed(request, "--bound", request.bound)?;
            statistic = statistic.with("power", power).with("estimate", estimate);
            betting(&BettingPlan { estimate, sd, margin, bound, alpha, power })
        }
        "noninferiority" => {
            statistic = statistic.with("power", power);
            let (sd, margin) = (sd()?, margin()?);
            paired_units(sd, margin, errors).map(one)
        }
        "two-shares" => {
            statistic = statistic.with("power", power);
            let (share, margin) = (share()?, margin()?);
            two_group_units(share, margin, errors).map(one)
        }
        "paired-outcomes" => paired_outcomes(margin()?, alpha),
        "zero-failures" => zero_failure_trials(share()?, alpha).map(one),
        "scenes" => {
            let Some((scene_count, frame_count, icc)) = request.scenes else {
                return Err(missing(request, "--scenes"));
            };
            effective_count(scene_count, frame_count, icc)
                .map(|scenes| vec![MeasuredValue::real("value", scenes, "1")])
        }
        other => {
            let known = "equivalence, betting, noninferiority, two-shares, paired-outcomes, \
                         zero-failures, scenes";
            return Err(unknown("--test", other, known));
        }
    };
    statistic.of(found)
}

fn one(units: u64) -> Vec<MeasuredValue> {
    vec![count("value", Some(units))]
}

fn needed(request: &PlanRequest, option: &'static str, value: Option<f64>) -> Result<f64, Error> {
    value.ok_or_else(|| missing(request, option))
}

fn missing(request: &PlanRequest, option: &'static str) -> Error {
    Error::NeedsOption { what: format!("--test {}", request.test), option }
}

const NO_NUMBER: StatisticsError = StatisticsError::NotIdentified {
    name: "number of units",
    reason: "the estimate lies at or outside the margin, or no number below a billion suffices",
};

fn equivalence(
    estimate: f64,
    sd: f64,
    margin: f64,
    alpha: f64,
) -> Result<Vec<MeasuredValue>, StatisticsError> {
    let check = |name, value, inside: bool, requirement| match inside {
        true => Ok(()),
        false => Err(StatisticsError::OutOfRange { name, value, requirement }),
    };
    check("estimate", estimate, estimate.is_finite(), "finite")?;
    check("sd", sd, sd.is_finite() && sd >= 0.0, "finite and 0 or more")?;
    check("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    check("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
    units_needed(estimate, sd, margin, alpha).map(one).ok_or(NO_NUMBER)
}

fn betting(plan: &BettingPlan) -> Result<Vec<MeasuredValue>, StatisticsError> {
    let units = betting_units_needed(plan)?.ok_or(NO_NUMBER)?;
    let least = unit_count_min(plan.margin, plan.bound, plan.alpha);
    Ok(vec![count("value", Some(units)), count("least_without_difference", least)])
}

fn paired_outcomes(margin: f64, alpha: f64) -> Result<Vec<MeasuredValue>, StatisticsError> {
    let is_sound = margin > 0.0 && margin < 1.0 && alpha > 0.0 && alpha < 0.5;
    if !is_sound {
        let requirement = "between 0 and 1, and alpha between 0 and 0.5";
        let (name, value) = ("margin", margin);
        return Err(StatisticsError::OutOfRange { name, value, requirement });
    }
    outcome_count_min(margin, alpha).map(one).ok_or(NO_NUMBER)
}
