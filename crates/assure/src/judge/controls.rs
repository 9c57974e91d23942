//! The controls: real against real must pass, synthetic made worse on purpose must fail.
//!
//! Invariant: the same metric, margin, unit and level as the claim, cell by cell.
//!
//! Not here: what a failed control does to the answer.

use tiepoint_model::{
    claim::{Claim, PositiveControlKind},
    verdict::{ControlResult, ControlResults, EquivalenceTest, PublishedEvidence, UnitOutcome},
};

use super::{
    direction::LOST_SHARE_MAX,
    tested::{group_test, paired_test, supports},
};
use crate::{
    evidence::{difference, mean_over_seeds},
    limitation::significant,
};

/// Runs both controls in every cell.
pub(crate) fn run(claim: &Claim, evidence: &PublishedEvidence) -> ControlResults {
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    for cell in &claim.cells {
        let units_of =
            |direction: &str| -> Vec<&UnitOutcome> { units_of(evidence, &cell.name, direction) };
        let names: Vec<&str> = evidence.directions.iter().map(|d| d.direction.as_str()).collect();
        match &claim.controls.positive {
            PositiveControlKind::Halves if !names.is_empty() => {
                let groups: Vec<_> = names.iter().map(|name| units_of(name)).collect();
                positive.push(halves(claim, &cell.name, &groups));
            }
            PositiveControlKind::Halves => {}
            PositiveControlKind::NextScan | PositiveControlKind::Column(_) => {
                positive.extend(names.iter().map(|name| {
                    let pairs = pairs(claim, &units_of(name), |unit| unit.values.positive_control);
                    again(claim, &cell.name, name, &pairs)
                }));
            }
        }
        negative.extend(names.iter().map(|name| {
            let pairs = pairs(claim, &units_of(name), |unit| {
                mean_over_seeds(&unit.values.negative_control_by_seed)
            });
            corrupted(claim, &cell.name, name, &pairs)
        }));
    }
    let corruption = &claim.controls.negative;
    let corruption =
        format!("{} of {} {}", corruption.id, significant(corruption.size), corruption.unit);
    ControlResults { positive, negative, corruption }
}

/// The units of one cell and direction, in order of time.
pub(crate) fn units_of<'a>(
    evidence: &'a PublishedEvidence,
    cell: &str,
    direction: &str,
) -> Vec<&'a UnitOutcome> {
    let inside = |unit: &&UnitOutcome| {
        unit.direction == direction && unit.cells.iter().any(|name| name == cell)
    };
    evidence.units.iter().filter(inside).collect()
}

/// Paired differences of a control, and how many units lack one.
struct Pairs {
    differences: Vec<f64>,
    lost_count: usize,
}

impl Pairs {
    /// Why they cannot be used, if they cannot.
    fn obstacle(&self) -> Option<String> {
        let (count, lost) = (self.differences.len(), self.lost_count);
        if count < 2 {
            return Some(format!("{count} units are too few for the control"));
        }
        let total = (count + lost) as f64;
        (lost as f64 > LOST_SHARE_MAX * total)
            .then(|| format!("the control could not be measured on {lost} units, more than 5 %"))
    }
}

fn pairs(
    claim: &Claim,
    units: &[&UnitOutcome],
    other: impl Fn(&UnitOutcome) -> Option<f64>,
) -> Pairs {
    let differences: Vec<f64> =
        units.iter().filter_map(|unit| difference(claim, other(unit), unit.values.real)).collect();
    Pairs { lost_count: units.len() - differences.len(), differences }
}

/// The real units of one half against those of the other: the two directions' test halves, or the
/// earlier and the later units of a single direction.
fn halves(claim: &Claim, cell: &str, groups: &[Vec<&UnitOutcome>]) -> ControlResult {
    let real = |units: &[&UnitOutcome]| -> Vec<f64> {
        let values = units.iter().filter_map(|unit| unit.values.real);
        values.filter_map(|value| claim.outcome.read(value)).collect()
    };
    let (first, second) = match groups {
        [only] => (real(&only[..only.len() / 2]), real(&only[only.len() / 2..])),
        [first, rest @ ..] => (real(first), real(&rest.concat())),
        [] => (Vec::new(), Vec::new()),
    };
    let test = group_test(claim, &first, &second).ok();
    let (passed, reason) = match test {
        Some(test) => real_against_real(claim, &test),
        None => {
            let (a, b) = (first.len(), second.len());
            (false, format!("{a} and {b} real units in the halves are too few: 2 each are needed"))
        }
    };
    ControlResult {
        cell: cell.to_owned(),
        direction: None,
        passed,
        reason,
        unit_count: first.len() + second.len(),
        test,
        floor: test.map(|test| test.estimate.abs()),
    }
}

/// Each unit's real value against another real value of the same unit.
fn again(claim: &Claim, cell: &str, direction: &str, pairs: &Pairs) -> ControlResult {
    let test = paired_test(claim, &pairs.differences).ok();
    let (passed, reason) = match (pairs.obstacle(), test) {
        (None, Some(test)) => real_against_real(claim, &test),
        (obstacle, _) => (false, obstacle.unwrap_or_else(|| "a value is beyond the bound".into())),
    };
    ControlResult {
        cell: cell.to_owned(),
        direction: Some(direction.to_owned()),
        passed,
        reason,
        unit_count: pairs.differences.len(),
        test,
        floor: test.map(|test| test.estimate.abs()),
    }
}

fn real_against_real(claim: &Claim, test: &EquivalenceTest) -> (bool, String) {
    let unit = &claim.margin.unit;
    let (floor, margin) = (significant(test.estimate.abs()), significant(test.margin));
    let [low, high] = test.interval.map(significant);
    if supports(test, claim.alpha) {
        (true, format!("real data differs from real data by {floor} {unit}, within the margin"))
    } else if test.estimate.abs() >= test.margin {
        let reason = format!(
            "the margin, {margin} {unit}, is below the real-against-real floor, {floor} {unit}"
        );
        (false, reason)
    } else {
        let reason = format!(
            "real data could not be shown equivalent to real data: the interval [{low}, {high}] \
             {unit} reaches past the margin, {margin} {unit}"
        );
        (false, reason)
    }
}

fn corrupted(claim: &Claim, cell: &str, direction: &str, pairs: &Pairs) -> ControlResult {
    let test = paired_test(claim, &pairs.differences).ok();
    let (passed, reason) = match (pairs.obstacle(), test) {
        (None, Some(test)) if test.p_outside <= claim.alpha => {
            (true, "the declared corruption was refuted, as it must be".to_owned())
        }
        (None, Some(_)) => (
            false,
            "no assay sensitivity: the declared corruption was not refuted, so that a good result \
             means nothing"
                .to_owned(),
        ),
        (obstacle, _) => (false, obstacle.unwrap_or_else(|| "a value is beyond the bound".into())),
    };
    ControlResult {
        cell: cell.to_owned(),
        direction: Some(direction.to_owned()),
        passed,
        reason,
        unit_count: pairs.differences.len(),
        test,
        floor: None,
    }
}
