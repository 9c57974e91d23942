//! Checks that may only fail a claim, never pass it: leaks, copies, and the identity of the sensor.
//!
//! Invariant: each says what was measured, against which limit, and why that limit.

use tiepoint_measure::scan::grid_share;
use tiepoint_model::{
    Scan, Seed, Span,
    verdict::{RuleStatus, Veto},
};

use super::evidence::{Measured, Question};
use crate::{
    Error, Half,
    twin::stored::{Channels, TwinInputs},
};

/// Readings on the real sensor's grid may differ by this share: real logs of one sensor agree to well below it,
/// and continuous readings miss a grid almost always.
const GRID_SHARE_DIFFERENCE_MAX: f64 = 0.05;

/// More equal scans than this share are copies: noise makes two scans of 100 beams equal once in longer than any log.
const COPIED_SHARE_MAX: f64 = 0.01;

/// A scan with fewer measured beams may equal another by chance.
const BEAMS_TO_COMPARE_MIN: usize = 50;

/// The vetoes on the twins of a run.
pub(super) fn of_twins(
    question: &Question<'_>,
    twins: &[(Half, TwinInputs)],
    measured: &Measured,
) -> Result<Vec<Veto>, Error> {
    let mut vetoes = vec![disjoint(question, twins, measured)];
    vetoes.extend(reference_known(question, measured));
    if question.metric.channels().scans {
        let seed = question.claim.seeds.base.for_purpose("vetoes");
        for (half, twin) in twins {
            let scans = scans_of(twin, seed)?;
            let title = format!("twin fitted on the {} half", half.as_str());
            vetoes.push(copies(&title, &question.run.scans, &scans));
            if let Some(quantisation) = &twin.manifest.report.quantisation {
                let step_m = quantisation.step_m;
                vetoes.extend(grid(&title, &question.run.scans, &scans, step_m)?);
            }
        }
    }
    Ok(vetoes)
}

fn scans_of(twin: &TwinInputs, seed: Seed) -> Result<Vec<Scan>, Error> {
    Ok(twin.simulate(seed, Channels { scans: true, ranges: false })?.scans)
}

/// No unit reaches into the half that its twin was fitted on, and nothing was fitted across the split.
fn disjoint(question: &Question<'_>, twins: &[(Half, TwinInputs)], measured: &Measured) -> Veto {
    let mut leaked = 0;
    for (direction, (_, twin)) in measured.directions.iter().zip(twins) {
        let fitted_on = twin.manifest.calibration;
        let touches = |time| question.span.is_in(fitted_on, time);
        let units = direction.units.iter();
        leaked += units
            .filter(|unit| {
                let last = unit.end_ns.map(|end| end.plus(Span(-1)));
                [unit.start_ns, last].into_iter().flatten().any(touches)
            })
            .count();
    }
    let crosses = question.run.truth.is_empty();
    let status = match (leaked, crosses) {
        (0, false) => RuleStatus::Pass,
        (0, true) => RuleStatus::Unknown,
        _ => RuleStatus::Fail,
    };
    let evidence = match crosses {
        true => {
            "without ground truth the whole run was placed by scan matching, so the poses of one \
             half rest on scans of the other too"
        }
        false => "units that reach into the half that their twin was fitted on: there may be none",
    };
    Veto {
        rule: "split.disjoint".to_owned(),
        status,
        measured: Some(leaked as f64),
        limit: Some(0.0),
        evidence: evidence.to_owned(),
    }
}

/// Where the reference enters the metric, its error must be known.
fn reference_known(question: &Question<'_>, measured: &Measured) -> Option<Veto> {
    let is_missing = question.metric.uses_reference() && measured.reference.is_none();
    is_missing.then(|| Veto {
        rule: "reference.error".to_owned(),
        status: RuleStatus::Unknown,
        measured: None,
        limit: Some(question.claim.margin.value),
        evidence: "the reference's own error could not be estimated on this recording".to_owned(),
    })
}

/// Synthetic scans that are a real scan of the same run, beam for beam.
pub(super) fn copies(title: &str, real: &[Scan], synthetic: &[Scan]) -> Veto {
    let of_real: std::collections::BTreeSet<Vec<u32>> =
        real.iter().filter_map(fingerprint).collect();
    let compared: Vec<Vec<u32>> = synthetic.iter().filter_map(fingerprint).collect();
    let copied = compared.iter().filter(|scan| of_real.contains(*scan)).count();
    let share = if compared.is_empty() { 0.0 } else { copied as f64 / compared.len() as f64 };
    Veto {
        rule: "data.copies".to_owned(),
        status: if share <= COPIED_SHARE_MAX { RuleStatus::Pass } else { RuleStatus::Fail },
        measured: Some(share),
        limit: Some(COPIED_SHARE_MAX),
        evidence: format!(
            "{title}: {copied} of {} synthetic scans equal a real one beam for beam",
            compared.len()
        ),
    }
}

/// The bits of a scan's readings, if enough of them are measurements.
fn fingerprint(scan: &Scan) -> Option<Vec<u32>> {
    let measured = (0..scan.ranges_m.len()).filter(|i| scan.valid_range_m(*i).is_some()).count();
    let bits = || scan.ranges_m.iter().map(|range| range.to_bits()).collect();
    (measured >= BEAMS_TO_COMPARE_MIN).then(bits)
}

/// Readings on the real sensor's grid, on both sides; none if the real sensor has no grid.
pub(super) fn grid(
    title: &str,
    real: &[Scan],
    synthetic: &[Scan],
    step_m: f64,
) -> Result<Option<Veto>, Error> {
    if step_m <= 0.0 {
        return Ok(None);
    }
    let shares = [grid_share(real, step_m)?.value(), grid_share(synthetic, step_m)?.value()];
    let [Some(of_real), Some(of_synthetic)] = shares else { return Ok(None) };
    let difference = (of_real - of_synthetic).abs();
    let fits = difference <= GRID_SHARE_DIFFERENCE_MAX;
    Ok(Some(Veto {
        rule: "sensor.quantisation".to_owned(),
        status: if fits { RuleStatus::Pass } else { RuleStatus::Fail },
        measured: Some(difference),
        limit: Some(GRID_SHARE_DIFFERENCE_MAX),
        evidence: format!(
            "{title}: {of_synthetic:.3} of the synthetic and {of_real:.3} of the real readings are \
             multiples of {:.1} mm",
            1e3 * step_m
        ),
    }))
}
