//! Whether two evaluations rank the same systems alike: real and synthetic scores of each.
//!
//! Invariant: scores are paired by position; nothing is said about a panel whose scores do not
//! vary. A correlation does not see bias or scale: a simulator that is 20 points too kind to
//! everyone correlates perfectly, so these serve claims about ranking only.
//! Scores are in any unit, a larger one is better or worse on both sides alike.
//!
//! Not here: how many systems make a panel.

use serde::Serialize;
use tiepoint_model::math::{exp, ln_1p};

use crate::{Interval, MeasureError, normal, statistics::require_finite};

/// Kendall's rank correlation with correction for ties, tau-b.
///
/// `(concordant - discordant) / sqrt((pairs - ties of a) (pairs - ties of b))`, in
/// `O(n log n)`.
///
/// # Inputs
/// Scores of the same systems in the same order, at least two.
///
/// # Output
/// In `[-1, 1]`; 1 if and only if both rank alike with the same ties.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::NotFinite`],
/// [`MeasureError::Constant`] where one side ties all systems.
///
/// # Invariants
/// `kendall_agrees_with_counting_pairs`, `kendall_sees_ranks_only`.
///
/// # Source
/// Kendall, Biometrika 33, 1945; Knight, JASA 61, 1966, for the count; equal to
/// `scipy.stats.kendalltau`.
///
/// # Example
/// ```
/// # use tiepoint_measure::ranking::kendall_tau_b;
/// assert_eq!(kendall_tau_b(&[1.0, 2.0, 3.0], &[10.0, 30.0, 20.0])?, 1.0 / 3.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn kendall_tau_b(a: &[f64], b: &[f64]) -> Result<f64, MeasureError> {
    check(a, b, 2)?;
    // -0.0 and 0.0 are one score.
    let mut rows: Vec<(f64, f64)> = a.iter().zip(b).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    rows.sort_unstable_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    let pairs_of = |count: u64| count * (count - 1) / 2;
    let ties_a = tied_pairs(&rows, |p, q| p.0 == q.0);
    let ties_both = tied_pairs(&rows, |p, q| p == q);
    let mut scores: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let exchanges = sort_counting_exchanges(&mut scores);
    let ties_b = tied_pairs(&scores, |p, q| p == q);
    let pairs = pairs_of(rows.len() as u64);
    let (room_a, room_b) = (pairs - ties_a, pairs - ties_b);
    for (room, what) in [(room_a, "a"), (room_b, "b")] {
        if room == 0 {
            return Err(MeasureError::Constant { what });
        }
    }
    // Concordant and discordant pairs; exchanges count the latter.
    let untied = pairs + ties_both - ties_a - ties_b;
    let difference = untied as f64 - 2.0 * exchanges as f64;
    let tau = if room_a == room_b {
        difference / room_a as f64
    } else {
        difference / (room_a as f64 * room_b as f64).sqrt()
    };
    Ok(tau.clamp(-1.0, 1.0))
}

/// Mean maximum rank violation: for each system the largest real difference to a system that the
/// synthetic scores order the other way, averaged.
///
/// # Inputs
/// Scores of the same systems in the same order, at least two.
///
/// # Output
/// In the unit of the real scores, at least 0; 0 if and only if the synthetic scores order every
/// pair as the real ones do, a tie counting as an order of its own.
///
/// # Errors
/// As [`kendall_tau_b`], except that scores may all be equal.
///
/// # Invariants
/// `mmrv_is_zero_for_the_same_order`, `mmrv_scales_with_the_real_scores`.
///
/// # Source
/// Li et al., *Evaluating Real-World Robot Manipulation Policies in Simulation*, CoRL 2024
/// (SIMPLER), equation 1: a pair is violated where `synthetic_i < synthetic_j` and
/// `real_i < real_j` differ.
pub fn mean_maximum_rank_violation(real: &[f64], synthetic: &[f64]) -> Result<f64, MeasureError> {
    check(real, synthetic, 2)?;
    let worst = |i: usize| {
        (0..real.len())
            .filter(|&j| (synthetic[i] < synthetic[j]) != (real[i] < real[j]))
            .map(|j| (real[i] - real[j]).abs())
            .fold(0.0_f64, f64::max)
    };
    Ok((0..real.len()).map(worst).sum::<f64>() / real.len() as f64)
}

/// The correlation of simulated and real scores, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// Pearson's coefficient, in `[-1, 1]`.
    pub value: f64,
    /// Fisher's interval.
    pub interval: Interval,
}

/// Sim-versus-real correlation coefficient: Pearson's correlation over a panel of systems.
///
/// # Inputs
/// Scores of the same systems in the same order, at least four; `level` of the interval, in
/// `(0, 1)`.
///
/// # Output
/// With nine systems .844 has the 95 % interval .41 to .97: the interval is the result.
///
/// # Errors
/// As [`kendall_tau_b`]; [`MeasureError::InvalidOption`] for the level.
///
/// # Invariants
/// `srcc_ignores_bias_and_scale`.
///
/// # Source
/// Kadian et al., *Sim2Real Predictivity*, RA-L 5(4), 2020; interval of Fisher, Metron 1, 1921.
pub fn srcc(real: &[f64], synthetic: &[f64], level: f64) -> Result<Correlation, MeasureError> {
    check(real, synthetic, 4)?;
    let scaled = |values: &[f64], what| {
        // In units of the largest, so that no square overflows.
        let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let mean = values.iter().map(|v| v / largest).sum::<f64>() / values.len() as f64;
        let varies = values.iter().any(|value| *value != values[0]);
        let centred: Vec<f64> = values.iter().map(|value| value / largest - mean).collect();
        if varies { Ok(centred) } else { Err(MeasureError::Constant { what }) }
    };
    let (x, y) = (scaled(real, "real")?, scaled(synthetic, "synthetic")?);
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
    let value = sum(&x, &y) / (sum(&x, &x).sqrt() * sum(&y, &y).sqrt());
    if !value.is_finite() {
        return Err(MeasureError::Constant { what: "scores" });
    }
    let value = value.clamp(-1.0, 1.0);
    Ok(Correlation { value, interval: fisher_interval(value, real.len(), level)? })
}

/// Fisher's interval of a correlation over a panel of `count` systems.
///
/// # Errors
/// [`MeasureError::TooFew`] below four, [`MeasureError::InvalidOption`] for a correlation outside
/// `[-1, 1]` or a level outside `(0, 1)`.
pub fn fisher_interval(
    correlation: f64,
    count: usize,
    level: f64,
) -> Result<Interval, MeasureError> {
    if count < 4 {
        return Err(MeasureError::TooFew { what: "systems", count, min: 4 });
    }
    let invalid =
        |name, value, requirement| MeasureError::InvalidOption { name, value, requirement };
    if !(level > 0.0 && level < 1.0) {
        return Err(invalid("level", level, "between 0 and 1"));
    }
    if !(-1.0..=1.0).contains(&correlation) {
        return Err(invalid("correlation", correlation, "between -1 and 1"));
    }
    if correlation.abs() >= 1.0 {
        return Ok(Interval { low: correlation, high: correlation, level });
    }
    let z = 0.5 * (ln_1p(correlation) - ln_1p(-correlation));
    let reach = normal::quantile(0.5 + 0.5 * level) / ((count - 3) as f64).sqrt();
    // tanh, from the exponential that cannot overflow.
    let back = |z: f64| {
        let shrunk = exp(-2.0 * z.abs());
        z.signum() * (1.0 - shrunk) / (1.0 + shrunk)
    };
    Ok(Interval { low: back(z - reach), high: back(z + reach), level })
}

fn check(a: &[f64], b: &[f64], min: usize) -> Result<(), MeasureError> {
    if a.len() != b.len() {
        return Err(MeasureError::LengthMismatch {
            left: "real",
            left_count: a.len(),
            right: "synthetic",
            right_count: b.len(),
        });
    }
    if a.len() < min {
        return Err(MeasureError::TooFew { what: "systems", count: a.len(), min });
    }
    require_finite(a, "real")?;
    require_finite(b, "synthetic")
}

/// Pairs within runs of equal neighbours.
fn tied_pairs<T>(sorted: &[T], equal: impl Fn(&T, &T) -> bool) -> u64 {
    let runs = sorted.chunk_by(equal).map(|run| run.len() as u64);
    runs.map(|count| count * (count - 1) / 2).sum()
}

/// Sorts, and counts the pairs that stood in the wrong order.
fn sort_counting_exchanges(values: &mut [f64]) -> u64 {
    let mut merged = Vec::with_capacity(values.len());
    let mut exchanges = 0;
    let mut width = 1;
    while width < values.len() {
        for run in values.chunks_mut(2 * width) {
            let middle = width.min(run.len());
            let (mut left, mut right) = (0, middle);
            merged.clear();
            while left < middle && right < run.len() {
                if run[right] < run[left] {
                    exchanges += (middle - left) as u64;
                    merged.push(run[right]);
                    right += 1;
                } else {
                    merged.push(run[left]);
                    left += 1;
                }
            }
            merged.extend_from_slice(&run[left..middle]);
            merged.extend_from_slice(&run[right..]);
            run.copy_from_slice(&merged);
        }
        width *= 2;
    }
    exchanges
}
