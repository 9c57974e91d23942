//! Synthetic data of another world: there are no pairs, so vetoes and diagnostics are all that can be said.
//!
//! Invariant: nothing here can support a claim.

use tiepoint_assure::statistics::equivalence::welch_equivalence;
use tiepoint_measure::scan::valid_share;
use tiepoint_model::{
    Derivation, Recording, Span,
    claim::UnitChoice,
    verdict::{RuleStatus, Veto},
};
use tiepoint_reconstruct::fit::detect_quantisation;

use super::{
    Case,
    metric::{Series, Side},
    vetoes::{copies, grid},
};
use crate::{
    Error, Platform,
    report::{Pictures, ValuePicture},
    run::Run,
};

/// Shares of measured beams may differ by this much: so far apart are real indoor logs of two robots (.885 and .997).
const VALID_SHARE_DIFFERENCE_MAX: f64 = 0.112;

/// What was found.
pub(super) struct Unpaired {
    pub(super) vetoes: Vec<Veto>,
    pub(super) pictures: Pictures,
}

/// Measures the claim's metric on both recordings and compares what can be compared without pairs.
pub(super) async fn measure(
    platform: &Platform,
    case: &Case,
    run: &Run,
    other: &Recording,
) -> Result<Unpaired, Error> {
    let other = Run::load(platform, other.clone()).await?;
    let (real, synthetic) = (series(case, run)?, series(case, &other)?);
    let title = format!("`{}` against `{}`", other.recording.name, run.recording.name);
    let readings: Vec<f32> = run.scans.iter().flat_map(|s| s.ranges_m.iter().copied()).collect();
    let step_m = detect_quantisation(&readings).map_or(0.0, |report| report.step_m);
    let mut vetoes = vec![provenance(&other.recording), copies(&title, &run.scans, &other.scans)];
    vetoes.extend(grid(&title, &run.scans, &other.scans, step_m)?);
    vetoes.extend(valid_beams(&title, run, &other));
    vetoes.extend(two_samples(case, &real, &synthetic));
    let shift = match (real.keys().next(), synthetic.keys().next()) {
        (Some(real), Some(synthetic)) => real.since(*synthetic),
        _ => Span(0),
    };
    let values = ValuePicture {
        what: case.written.claim.metric.id.clone(),
        unit: case.written.claim.margin.unit.clone(),
        real: real.iter().map(|(time, value)| (*time, *value)).collect(),
        synthetic: synthetic.iter().map(|(time, value)| (time.plus(shift), *value)).collect(),
    };
    let pictures = Pictures { map: None, paths: Vec::new(), values: Some(values) };
    Ok(Unpaired { vetoes, pictures })
}

fn series(case: &Case, run: &Run) -> Result<Series, Error> {
    let truth = run.truth_in_plane();
    let side = Side {
        scans: &run.scans,
        odometry: &run.odometry,
        ranges: &run.ranges,
        truth: &truth,
        beacons: &run.beacons,
        base_from_laser: run.base_from_laser,
    };
    case.metric.series(&side, &run.scans)
}

/// Data whose generator cannot be named is worth nothing to a claim.
fn provenance(recording: &Recording) -> Veto {
    let (status, evidence) = match &recording.derivation {
        Some(Derivation::Generated { generator, .. }) => {
            (RuleStatus::Pass, format!("made by {generator}"))
        }
        Some(Derivation::Unknown { reason }) => {
            (RuleStatus::Unknown, format!("the generator cannot be named: {reason}"))
        }
        None => (RuleStatus::Unknown, "it has no derivation".to_owned()),
    };
    Veto {
        rule: "provenance.generator".to_owned(),
        status,
        measured: None,
        limit: None,
        evidence: format!("`{}`: {evidence}", recording.name),
    }
}

/// The share of measured beams on both sides.
fn valid_beams(title: &str, run: &Run, other: &Run) -> Option<Veto> {
    let (real, synthetic) = (valid_share(&run.scans).value()?, valid_share(&other.scans).value()?);
    let difference = (real - synthetic).abs();
    let fits = difference <= VALID_SHARE_DIFFERENCE_MAX;
    Some(Veto {
        rule: "sensor.valid_beams".to_owned(),
        status: if fits { RuleStatus::Pass } else { RuleStatus::Fail },
        measured: Some(difference),
        limit: Some(VALID_SHARE_DIFFERENCE_MAX),
        evidence: format!(
            "{title}: {synthetic:.3} of the synthetic and {real:.3} of the real beams are measurements"
        ),
    })
}

/// The means of both over blocks of the claim's length; fails if they are shown to lie farther apart than the margin.
fn two_samples(case: &Case, real: &Series, synthetic: &Series) -> Option<Veto> {
    let UnitChoice::Block { length_s } = case.written.claim.unit else { return None };
    let length = Span::from_seconds(length_s);
    let (margin, alpha) = (case.written.claim.margin.value, case.written.claim.alpha);
    let (a, b) = (block_means(synthetic, length), block_means(real, length));
    let test = welch_equivalence(&a, &b, margin, alpha).ok()?;
    let [low, high] = test.interval;
    let status = if low > margin || high < -margin {
        RuleStatus::Fail
    } else if low > -margin && high < margin {
        RuleStatus::Pass
    } else {
        RuleStatus::Unknown
    };
    Some(Veto {
        rule: "two_sample.mean".to_owned(),
        status,
        measured: Some(test.estimate),
        limit: Some(margin),
        evidence: format!(
            "mean of `{}` over blocks, synthetic minus real: {:.4} [{low:.4}, {high:.4}] {}, from {} \
             and {} blocks",
            case.written.claim.metric.id,
            test.estimate,
            case.written.claim.margin.unit,
            a.len(),
            b.len()
        ),
    })
}

/// Means over whole blocks from the first value on.
fn block_means(series: &Series, length: Span) -> Vec<f64> {
    let Some(first) = series.keys().next().copied() else { return Vec::new() };
    let mut blocks: std::collections::BTreeMap<i64, (f64, f64)> = std::collections::BTreeMap::new();
    for (time, value) in series {
        let block = blocks.entry(time.since(first).0 / length.0.max(1)).or_default();
        *block = (block.0 + value, block.1 + 1.0);
    }
    // The last block is not whole.
    blocks.pop_last();
    blocks.into_values().map(|(sum, count)| sum / count).collect()
}
