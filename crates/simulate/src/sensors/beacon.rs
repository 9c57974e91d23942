//! Ranges to beacons: true distance plus an error that may have heavy tails, several components,
//! or a memory.
//!
//! Invariant: the error of reading `k` of a beacon needs the beacon's id, the seed and the
//! readings' count up to `k` only:
//! another beacon, or a reading that goes missing, moves no error.
//! Metres; frame `map` for beacons, `base_link` for the antenna.

use tiepoint_model::{
    Pose2, Seed,
    sensor::{BeaconModel, NormalComponent, RangeErrorModel, Regime},
};

use crate::{
    SimulateError,
    error::{at_least, finite, positive, share},
};

/// One reading per pose of the robot; `None` where the reading is missing.
///
/// The distance is in space: the antenna is at its height above the plane. A reading below 0 is
/// written as 0.
///
/// # Errors
/// [`SimulateError::NotFinite`] for a pose, the antenna or the beacon; the errors of
/// [`range_errors`].
pub fn simulate_ranges(
    map_from_base: &[Pose2],
    antenna_in_base_m: [f64; 3],
    beacon: &BeaconModel,
    seed: Seed,
) -> Result<Vec<Option<f32>>, SimulateError> {
    let refuse = |what, sample_index| Err(SimulateError::NotFinite { what, sample_index });
    if antenna_in_base_m.iter().any(|part| !part.is_finite()) {
        return refuse("antenna", 0);
    }
    if beacon.position_m.iter().any(|part| !part.is_finite()) {
        return refuse("beacon", beacon.beacon_id as usize);
    }
    if let Some(sample_index) = map_from_base.iter().position(|pose| !pose.is_finite()) {
        return refuse("pose for ranges", sample_index);
    }
    share("missing_share", beacon.missing_share)?;
    let seed = seed.for_purpose(&format!("beacon/{}", beacon.beacon_id));
    let errors_m = range_errors(&beacon.error, map_from_base.len(), seed)?;
    let missing_seed = seed.for_purpose("missing");
    let readings =
        map_from_base.iter().zip(errors_m).enumerate().map(|(index, (pose, error_m))| {
            let is_missing = missing_seed.draws(index as u64, 0).uniform() < beacon.missing_share;
            let distance_m = distance_to_beacon_m(*pose, antenna_in_base_m, beacon.position_m);
            (!is_missing).then_some((distance_m + error_m).max(0.0) as f32)
        });
    Ok(readings.collect())
}

/// From the antenna to the beacon, metres, in space.
pub(crate) fn distance_to_beacon_m(
    map_from_base: Pose2,
    antenna_in_base_m: [f64; 3],
    beacon_in_map_m: [f64; 3],
) -> f64 {
    let [x, y] = map_from_base.transform([antenna_in_base_m[0], antenna_in_base_m[1]]);
    let (dx, dy) = (x - beacon_in_map_m[0], y - beacon_in_map_m[1]);
    let dz = antenna_in_base_m[2] - beacon_in_map_m[2];
    (dx * dx + dy * dy + dz * dz).sqrt()
}

/// A run of errors, reading minus true distance, metres.
///
/// Student's t is drawn without rejection: Bailey, *Polar generation of random variates with the
/// t-distribution*,
/// Mathematics of Computation 62 (1994), in its form with an angle.
/// A hidden regime starts from the chain's stationary distribution; a reading in the regime of the
/// one before follows
/// `z' = a z + sqrt(1 - a^2) n`, and the first in a new regime starts afresh, so that within a
/// regime errors are N(mean, sigma).
///
/// # Errors
/// [`SimulateError::Parameter`], [`SimulateError::Length`], [`SimulateError::Empty`],
/// [`SimulateError::NoStationaryDistribution`].
///
/// # Invariants
/// `heavy_tails_have_students_quantiles`, `mixture_components_come_as_often_as_their_weights`,
/// `regime_switching_is_stationary_from_the_first_reading`.
pub fn range_errors(
    model: &RangeErrorModel,
    count: usize,
    seed: Seed,
) -> Result<Vec<f64>, SimulateError> {
    let each = |error_of: &dyn Fn(&mut tiepoint_model::seed::Draws) -> f64| {
        (0..count).map(|index| error_of(&mut seed.draws(index as u64, 0))).collect()
    };
    match model {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => {
            finite("mean_m", *mean_m)?;
            at_least("sigma_m", *sigma_m, 0.0)?;
            Ok(each(&|draws| mean_m + sigma_m * draws.normal()))
        }
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => {
            finite("location_m", *location_m)?;
            at_least("scale_m", *scale_m, 0.0)?;
            positive("degrees_of_freedom", *degrees_of_freedom)?;
            Ok(each(&|draws| location_m + scale_m * student_t(draws, *degrees_of_freedom)))
        }
        RangeErrorModel::Mixture { components } => {
            check_mixture(components)?;
            let weights: Vec<f64> = components.iter().map(|component| component.weight).collect();
            Ok(each(&|draws| {
                let component = components[choose(&weights, draws.uniform())];
                component.mean_m + component.sigma_m * draws.normal()
            }))
        }
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            switching_errors(regimes, transition, count, seed)
        }
    }
}

fn student_t(draws: &mut tiepoint_model::seed::Draws, degrees_of_freedom: f64) -> f64 {
    use tiepoint_model::math;
    let power = math::pow(draws.uniform(), -2.0 / degrees_of_freedom);
    let radius = (degrees_of_freedom * (power - 1.0)).max(0.0).sqrt();
    let t = radius * math::cos(2.0 * std::f64::consts::PI * draws.uniform());
    // With a fraction of a degree of freedom a draw can leave the numbers; the largest one is as
    // wrong, and finite.
    t.clamp(-f64::MAX, f64::MAX)
}

fn switching_errors(
    regimes: &[Regime],
    transition: &[Vec<f64>],
    count: usize,
    seed: Seed,
) -> Result<Vec<f64>, SimulateError> {
    for regime in regimes {
        finite("mean_m", regime.mean_m)?;
        at_least("sigma_m", regime.sigma_m, 0.0)?;
        share("autocorrelation magnitude", regime.autocorrelation.abs())?;
    }
    if transition.len() != regimes.len() {
        let (count, expected_count) = (transition.len(), regimes.len());
        return Err(SimulateError::Length { list: "transition", count, expected_count });
    }
    let initial = stationary_distribution(transition)?;
    let mut errors_m = Vec::with_capacity(count);
    let mut state: Option<(usize, f64)> = None;
    for index in 0..count {
        let mut draws = seed.draws(index as u64, 0);
        let choice = draws.uniform();
        let noise = draws.normal();
        let row = state.map_or(&initial, |(regime_index, _)| &transition[regime_index]);
        let regime_index = choose(row, choice);
        let regime = regimes[regime_index];
        let standard = match state {
            Some((before, standard)) if before == regime_index => {
                let a = regime.autocorrelation;
                a * standard + (1.0 - a * a).sqrt() * noise
            }
            _ => noise,
        };
        state = Some((regime_index, standard));
        errors_m.push(regime.mean_m + regime.sigma_m * standard);
    }
    Ok(errors_m)
}

/// The stationary distribution of a Markov chain from its rows of transition probabilities.
///
/// By elimination without subtraction, exact for periodic chains too:
/// Grassmann, Taksar and Heyman, *Regenerative analysis and steady state distributions for Markov
/// chains*, Operations Research 33 (1985).
///
/// # Errors
/// [`SimulateError::Empty`], [`SimulateError::Length`], [`SimulateError::Parameter`] for rows that
/// are no distribution (sum 1 within 1e-6),
/// [`SimulateError::NoStationaryDistribution`] if a regime has no way to the ones listed before it.
pub fn stationary_distribution(transition: &[Vec<f64>]) -> Result<Vec<f64>, SimulateError> {
    let count = transition.len();
    if count == 0 {
        return Err(SimulateError::Empty { what: "transition" });
    }
    for row in transition {
        if row.len() != count {
            let (list, count) = ("row of transition", row.len());
            return Err(SimulateError::Length { list, count, expected_count: transition.len() });
        }
        check_distribution("transition", row.iter().copied())?;
    }
    let mut a: Vec<Vec<f64>> = transition.to_vec();
    for last in (1..count).rev() {
        let outflow: f64 = a[last][..last].iter().sum();
        if outflow <= 0.0 {
            return Err(SimulateError::NoStationaryDistribution { regime_index: last });
        }
        for from in 0..last {
            a[from][last] /= outflow;
            for to in 0..last {
                a[from][to] += a[from][last] * a[last][to];
            }
        }
    }
    let mut stationary = vec![1.0];
    for to in 1..count {
        let inflow = stationary.iter().zip(&a).map(|(share, row)| share * row[to]).sum();
        stationary.push(inflow);
    }
    let total: f64 = stationary.iter().sum();
    Ok(stationary.into_iter().map(|part| part / total).collect())
}

fn check_mixture(components: &[NormalComponent]) -> Result<(), SimulateError> {
    if components.is_empty() {
        return Err(SimulateError::Empty { what: "components" });
    }
    for component in components {
        finite("mean_m", component.mean_m)?;
        at_least("sigma_m", component.sigma_m, 0.0)?;
    }
    check_distribution("weight", components.iter().map(|component| component.weight))
}

/// Shares that were rounded when they were written sum to 1 within this.
const DISTRIBUTION_TOLERANCE: f64 = 1e-6;

fn check_distribution(
    parameter: &'static str,
    parts: impl Iterator<Item = f64>,
) -> Result<(), SimulateError> {
    let mut total = 0.0;
    for part in parts {
        share(parameter, part)?;
        total += part;
    }
    if (total - 1.0).abs() > DISTRIBUTION_TOLERANCE {
        return Err(SimulateError::Parameter { parameter, value: total, must: "1 in sum" });
    }
    Ok(())
}

/// The index whose share of the unit interval holds `place`; rounding at the end falls to the last
/// index with a share.
fn choose(weights: &[f64], place: f64) -> usize {
    let mut rest = place;
    for (index, weight) in weights.iter().enumerate() {
        if rest < *weight {
            return index;
        }
        rest -= weight;
    }
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
}
