//! What a judge is given: units measured on both sides, controls, vetoes and what was fitted.
//!
//! Invariant: plain values. Publishing them (`publish`) is the only step that reads the per-sample
//! series, whose dependence is then published in their place.
//! Values are in the margin's unit, times in integer nanoseconds.
//!
//! Not here: how the values were measured.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::{
    Digest, Timestamp,
    claim::{Claim, Independence, Split, SyntheticSource},
    verdict::{
        Charge, Dependence, DirectionFacts, Fit, PublishedEvidence, ReferenceError, UnitOutcome,
        UnitValues, Veto,
    },
};

use crate::{
    judge::JudgeError,
    statistics::{dependence::autocorrelation_time, mean},
};

/// Everything measured for a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Digest of the claim's canonical JSON, as committed.
    pub claim_digest: Digest,
    /// Now.
    pub judged_at_ns: Timestamp,
    /// One per way of dividing what is fitted from what is tested; empty for unpaired data.
    pub directions: Vec<DirectionEvidence>,
    /// The reference's own error, if a reference enters the metric.
    pub reference: Option<ReferenceError>,
    /// How the data came to be inspected before the claim was committed, if it was.
    pub inspected_before: Option<String>,
    /// The checks that may only fail.
    pub vetoes: Vec<Veto>,
    /// What was fitted on what.
    pub fitted: Vec<Fit>,
    /// Digests of the inputs by name.
    pub inputs: BTreeMap<String, Digest>,
    /// What the question cost the reserve that it was charged to, if there is one.
    pub charge: Option<Charge>,
}

/// One direction: fitted on one part, tested on another.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectionEvidence {
    /// Its name, such as `first_to_second`.
    pub direction: String,
    /// What was fitted on.
    pub fitted_on: String,
    /// What was tested on.
    pub tested_on: String,
    /// Time left out between the two, seconds; 0 for runs.
    pub guard_s: f64,
    /// The units tested.
    pub units: Vec<UnitValues>,
    /// Synthetic minus real per sample, to measure its dependence; empty for runs.
    pub differences: SampleSeries,
}

/// Equally spaced samples in unbroken pieces. NaN marks a missing sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleSeries {
    /// Seconds from one sample to the next.
    pub interval_s: f64,
    /// The pieces, in order of time.
    pub pieces: Vec<Vec<f64>>,
}

/// Checks the evidence and turns it into what a verdict publishes.
pub(crate) fn publish(claim: &Claim, given: &Evidence) -> Result<PublishedEvidence, JudgeError> {
    let mut directions = Vec::with_capacity(given.directions.len());
    let mut units = Vec::new();
    for direction in &given.directions {
        directions.push(DirectionFacts {
            direction: direction.direction.clone(),
            fitted_on: direction.fitted_on.clone(),
            tested_on: direction.tested_on.clone(),
            guard_s: direction.guard_s,
            dependence: dependence(&direction.differences),
        });
        let mut values: Vec<&UnitValues> = direction.units.iter().collect();
        values.sort_by_key(|unit| unit.unit_index);
        for unit in values {
            units.push(outcome(claim, &direction.direction, unit)?);
        }
    }
    let published = PublishedEvidence {
        directions,
        units,
        reference: given.reference.clone(),
        inspected_before: given.inspected_before.clone(),
        vetoes: given.vetoes.iter().map(without_nan).collect(),
        fitted: given.fitted.clone(),
        inputs: given.inputs.clone(),
        charge: given.charge.clone(),
    };
    check(claim, &published)?;
    Ok(published)
}

/// What follows from one unit's values: its cells, its synthetic mean and its difference.
pub(crate) fn outcome(
    claim: &Claim,
    direction: &str,
    values: &UnitValues,
) -> Result<UnitOutcome, JudgeError> {
    let unit_index = values.unit_index;
    let not_finite = values.descriptors.iter().find(|(_, value)| !value.is_finite());
    if let Some((descriptor, _)) = not_finite {
        return Err(JudgeError::DescriptorNotFinite {
            direction: direction.to_owned(),
            unit_index,
            descriptor: descriptor.clone(),
        });
    }
    let (found, expected) = (values.synthetic_by_seed.len(), claim.seeds.count);
    if u32::try_from(found) != Ok(expected) {
        let direction = direction.to_owned();
        return Err(JudgeError::SeedCount { direction, unit_index, found, expected });
    }
    let mut cells = Vec::new();
    for cell in &claim.cells {
        let is_named = values.cell.as_ref().is_none_or(|name| *name == cell.name);
        let inside = is_named
            && cell.admits(&values.descriptors).map_err(|descriptor| {
                JudgeError::MissingDescriptor {
                    direction: direction.to_owned(),
                    unit_index,
                    cell: cell.name.clone(),
                    descriptor,
                }
            })?;
        if inside {
            cells.push(cell.name.clone());
        }
    }
    let values = UnitValues {
        real: finite(values.real),
        synthetic_by_seed: values.synthetic_by_seed.iter().copied().map(finite).collect(),
        negative_control_by_seed: values
            .negative_control_by_seed
            .iter()
            .copied()
            .map(finite)
            .collect(),
        positive_control: finite(values.positive_control),
        ..values.clone()
    };
    let synthetic_mean = mean_over_seeds(&values.synthetic_by_seed);
    let others = values.negative_control_by_seed.iter().copied().flatten();
    let measured = values.real.into_iter().chain(synthetic_mean).chain(values.positive_control);
    if let Some(value) = measured.chain(others).find(|value| claim.outcome.read(*value).is_none()) {
        let direction = direction.to_owned();
        return Err(JudgeError::NotBinary { direction, unit_index, value });
    }
    let difference = difference(claim, synthetic_mean, values.real);
    if let (Some(difference), Some(bound)) = (difference, claim.bound)
        && difference.abs() > bound
    {
        let direction = direction.to_owned();
        return Err(JudgeError::BeyondBound { direction, unit_index, difference, bound });
    }
    Ok(UnitOutcome { direction: direction.to_owned(), cells, synthetic_mean, difference, values })
}

/// Checks what concerns the evidence as a whole.
pub(crate) fn check(claim: &Claim, evidence: &PublishedEvidence) -> Result<(), JudgeError> {
    let found = evidence.directions.len();
    if matches!(claim.synthetic, SyntheticSource::Recording(_)) {
        return if found == 0 { Ok(()) } else { Err(JudgeError::PairsOfUnpaired { found }) };
    }
    let needed = match claim.split {
        Split::ContiguousHalves { both_directions: true, .. } => 2,
        Split::ContiguousHalves { .. } | Split::ByRun {} => 1,
    };
    if found < needed || (claim.independence == Independence::WithinRun && found != needed) {
        return Err(JudgeError::DirectionCount { found, needed });
    }
    let mut names = BTreeSet::new();
    for facts in &evidence.directions {
        if !names.insert(facts.direction.as_str()) {
            return Err(JudgeError::DuplicateDirection { direction: facts.direction.clone() });
        }
        check_finite("guard_s", facts.guard_s)?;
    }
    let mut seen = BTreeSet::new();
    for unit in &evidence.units {
        let (direction, unit_index) = (&unit.direction, unit.values.unit_index);
        if !names.contains(direction.as_str()) {
            return Err(JudgeError::UnknownDirection { direction: direction.clone() });
        }
        if !seen.insert((direction, unit_index)) {
            let direction = direction.clone();
            return Err(JudgeError::DuplicateUnit { direction, unit_index });
        }
    }
    if let Some(reference) = &evidence.reference {
        check_finite("reference.value", reference.value)?;
        check_finite("reference share", reference.share_of_real_variance.unwrap_or(0.0))?;
        if reference.unit != claim.margin.unit {
            return Err(JudgeError::ReferenceUnit {
                found: reference.unit.clone(),
                expected: claim.margin.unit.clone(),
            });
        }
    }
    Ok(())
}

fn check_finite(what: &'static str, value: f64) -> Result<(), JudgeError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(JudgeError::NotANumber { what, value })
    }
}

fn dependence(series: &SampleSeries) -> Option<Dependence> {
    if !(series.interval_s.is_finite() && series.interval_s > 0.0) {
        return None;
    }
    Some(Dependence {
        autocorrelation_time_samples: autocorrelation_time(&series.pieces)?,
        sample_interval_s: series.interval_s,
        sample_count: series.pieces.iter().flatten().filter(|value| value.is_finite()).count(),
    })
}

/// Synthetic minus real as the claim's outcomes are compared; `None` if one is missing.
pub(crate) fn difference(claim: &Claim, synthetic: Option<f64>, real: Option<f64>) -> Option<f64> {
    Some(claim.outcome.read(synthetic?)? - claim.outcome.read(real?)?)
}

/// `None` if there is no seed or one is missing.
pub(crate) fn mean_over_seeds(by_seed: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = by_seed.iter().copied().collect::<Option<_>>()?;
    (!values.is_empty()).then(|| mean(&values))
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn without_nan(veto: &Veto) -> Veto {
    Veto { measured: finite(veto.measured), limit: finite(veto.limit), ..veto.clone() }
}
