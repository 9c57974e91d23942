//! Independent range errors: normal, Student's t, and mixtures of normal components, by maximum
//! likelihood.
//!
//! Invariant: the likelihood never falls from one step to the next; components are sorted by mean.
//! Metres. No standard deviation is below [`RANGE_SIGMA_FLOOR_M`].
//!
//! Not here: errors with a memory (see [`super::hidden_markov`]).

use tiepoint_model::math;
use tiepoint_model::sensor::{NormalComponent, RangeErrorModel};

use super::numeric::{
    LN_SQRT_TWO_PI, log_normal_pdf, log_sum_exp, maximise, mean_and_sigma, median_and_mad_sigma,
    quantile, sorted,
};

/// Least standard deviation of a range error, metres: without it a component that sits on one
/// reading has infinite likelihood. Well below the resolution of radio ranging.
pub const RANGE_SIGMA_FLOOR_M: f64 = 0.005;

/// Least share of a component: an empty one could never fill again.
const WEIGHT_FLOOR: f64 = 1e-6;

/// Readings that a component or regime must stand for, if any fit of its kind allows it.
const PART_MIN: f64 = 5.0;

/// Degrees of freedom of a heavy-tailed law. Below 2 it has no spread, and a twin would read
/// ranges that no building holds; above 1000 it is the normal law.
const DEGREES_LIMITS: [f64; 2] = [2.0, 1000.0];

const ITERATIONS_MAX: usize = 1000;

/// A fitted model and the way there.
pub(crate) struct Fitted {
    pub(crate) model: RangeErrorModel,
    /// What the fit maximised, after each step.
    pub(crate) trace: Vec<f64>,
    pub(crate) is_converged: bool,
    /// Readings that the smallest component or regime stands for.
    pub(crate) least_part: f64,
}

impl Fitted {
    fn last(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// True once a step no longer pays.
pub(crate) fn has_settled(trace: &[f64]) -> bool {
    match trace {
        [.., before, after] => after - before <= 1e-9 * after.abs().max(1.0),
        _ => false,
    }
}

/// The best of several fits whose every part stands for some readings; the first of equals.
///
/// A part that sits on one reading has a likelihood that only the floor bounds, and says nothing.
pub(crate) fn best_of(fits: impl IntoIterator<Item = Fitted>) -> Option<Fitted> {
    let rank = |fit: &Fitted| (fit.least_part >= PART_MIN, fit.last());
    fits.into_iter().reduce(|kept, fit| if rank(&fit) > rank(&kept) { fit } else { kept })
}

/// Mean and standard deviation.
pub(crate) fn fit_gaussian(values: &[f64]) -> Fitted {
    let (mean_m, sigma) = mean_and_sigma(values);
    let sigma_m = sigma.max(RANGE_SIGMA_FLOOR_M);
    let trace = vec![values.iter().map(|value| log_normal_pdf(*value, mean_m, sigma_m)).sum()];
    Fitted {
        model: RangeErrorModel::Gaussian { mean_m, sigma_m },
        trace,
        is_converged: true,
        least_part: values.len() as f64,
    }
}

/// Logarithm of Student's density with location and scale.
pub(crate) fn log_student_pdf(x: f64, location: f64, scale: f64, degrees_of_freedom: f64) -> f64 {
    let z = (x - location) / scale;
    let half = 0.5 * (degrees_of_freedom + 1.0);
    // ln(gamma(n/2 + 1/2) / gamma(n/2)) - ln(n pi) / 2, without cancelling for many degrees.
    let front = if degrees_of_freedom > 1e6 {
        -LN_SQRT_TWO_PI
    } else {
        math::ln_gamma(half)
            - math::ln_gamma(0.5 * degrees_of_freedom)
            - 0.5 * math::ln(degrees_of_freedom * std::f64::consts::PI)
    };
    front - math::ln(scale) - half * math::ln_1p(z * z / degrees_of_freedom)
}

/// Student's t by ECME: weights, then location and scale, then the degrees of freedom by search.
///
/// Liu and Rubin, Biometrika 81(4), 1994. Degrees of freedom between 2 and 1000.
pub(crate) fn fit_heavy_tailed(values: &[f64]) -> Fitted {
    let (median, mad_sigma) = median_and_mad_sigma(values);
    let (mut location, mut scale) = (median, mad_sigma.max(RANGE_SIGMA_FLOOR_M));
    let mut degrees = 5.0;
    let score = |location: f64, scale: f64, degrees: f64| {
        values.iter().map(|value| log_student_pdf(*value, location, scale, degrees)).sum::<f64>()
    };
    let [lower, upper] = DEGREES_LIMITS.map(math::ln);
    let mut trace = vec![score(location, scale, degrees)];
    while trace.len() < ITERATIONS_MAX && !has_settled(&trace) {
        let weight = |value: f64| {
            let z = (value - location) / scale;
            (degrees + 1.0) / (degrees + z * z)
        };
        let total: f64 = values.iter().map(|value| weight(*value)).sum();
        let centre = values.iter().map(|value| weight(*value) * value).sum::<f64>() / total;
        let square: f64 =
            values.iter().map(|value| weight(*value) * (value - centre) * (value - centre)).sum();
        scale = (square / values.len() as f64).sqrt().max(RANGE_SIGMA_FLOOR_M);
        location = centre;
        let kept = score(location, scale, degrees);
        let (log_degrees, best) =
            maximise(lower, upper, |log_degrees| score(location, scale, math::exp(log_degrees)));
        if best > kept {
            degrees = math::exp(log_degrees);
        }
        trace.push(best.max(kept));
    }
    let model = RangeErrorModel::HeavyTailed {
        location_m: location,
        scale_m: scale,
        degrees_of_freedom: degrees,
    };
    let is_converged = has_settled(&trace);
    Fitted { model, trace, is_converged, least_part: values.len() as f64 }
}

/// A mixture of `component_count` normal components by expectation-maximisation from several
/// starts.
pub(crate) fn fit_mixture(values: &[f64], component_count: usize) -> Fitted {
    let starts = mixture_starts(values, component_count);
    let fits = starts.into_iter().map(|start| climb(values, start));
    best_of(fits).unwrap_or_else(|| fit_gaussian(values))
}

/// Starts: equal parts by value; a narrow and wide ones around the median; a far part on either
/// side.
fn mixture_starts(values: &[f64], component_count: usize) -> Vec<Vec<NormalComponent>> {
    let ordered = sorted(values.iter().copied());
    let (median, mad_sigma) = median_and_mad_sigma(values);
    let narrow = mad_sigma.max(RANGE_SIGMA_FLOOR_M);
    let wide = mean_and_sigma(values).1.max(narrow);
    let weight = 1.0 / component_count as f64;
    let by_value = |edges: &[f64]| -> Vec<NormalComponent> {
        edges
            .windows(2)
            .map(|edge| {
                let (start, end) = (quantile(&ordered, edge[0]), quantile(&ordered, edge[1]));
                let part: Vec<f64> = ordered
                    .iter()
                    .copied()
                    .filter(|value| *value >= start && *value <= end)
                    .collect();
                let (mean_m, sigma) = mean_and_sigma(&part);
                let sigma_m = sigma.max(RANGE_SIGMA_FLOOR_M);
                NormalComponent { weight: edge[1] - edge[0], mean_m, sigma_m }
            })
            .collect()
    };
    let by_width = (0..component_count).map(|index| {
        let factor = if index == 0 { 1.0 } else { 3.0 * index as f64 };
        NormalComponent { weight, mean_m: median, sigma_m: (narrow * factor).max(wide * weight) }
    });
    let mut starts = vec![by_width.collect()];
    let parts: &[&[f64]] = match component_count {
        2 => &[&[0.0, 0.5, 1.0], &[0.0, 0.15, 1.0], &[0.0, 0.85, 1.0], &[0.0, 0.3, 1.0]],
        3 => &[&[0.0, 0.33, 0.67, 1.0], &[0.0, 0.1, 0.3, 1.0], &[0.0, 0.1, 0.9, 1.0]],
        _ => &[],
    };
    starts.extend(parts.iter().map(|edges| by_value(edges)));
    starts
}

fn climb(values: &[f64], mut components: Vec<NormalComponent>) -> Fitted {
    let mut trace = Vec::new();
    loop {
        let mut log_likelihood = 0.0;
        let mut sums = vec![[0.0; 3]; components.len()];
        for value in values {
            let logs = component_logs(*value, &components);
            let total = log_sum_exp(&logs);
            log_likelihood += total;
            for (sum, log) in sums.iter_mut().zip(&logs) {
                let share = math::exp(log - total);
                sum[0] += share;
                sum[1] += share * value;
                sum[2] += share * value * value;
            }
        }
        trace.push(log_likelihood);
        if trace.len() >= ITERATIONS_MAX || has_settled(&trace) {
            break;
        }
        for (component, [weight, first, second]) in components.iter_mut().zip(sums) {
            component.weight = (weight / values.len() as f64).max(WEIGHT_FLOOR);
            if weight > 1e-9 {
                component.mean_m = first / weight;
                let variance = second / weight - component.mean_m * component.mean_m;
                component.sigma_m = variance.max(0.0).sqrt().max(RANGE_SIGMA_FLOOR_M);
            }
        }
        let total: f64 = components.iter().map(|component| component.weight).sum();
        components.iter_mut().for_each(|component| component.weight /= total);
    }
    components.sort_by(|a, b| a.mean_m.total_cmp(&b.mean_m).then(a.sigma_m.total_cmp(&b.sigma_m)));
    let is_converged = has_settled(&trace);
    let least = components.iter().map(|part| part.weight).fold(1.0, f64::min);
    let least_part = least * values.len() as f64;
    Fitted { model: RangeErrorModel::Mixture { components }, trace, is_converged, least_part }
}

/// Logarithms of weight times density per component.
pub(crate) fn component_logs(value: f64, components: &[NormalComponent]) -> Vec<f64> {
    components
        .iter()
        .map(|part| math::ln(part.weight) + log_normal_pdf(value, part.mean_m, part.sigma_m))
        .collect()
}
