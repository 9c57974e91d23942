//! Range errors with hidden regimes that persist and a first-order autoregressive error within
//! one.
//!
//! Invariant: the penalised likelihood never falls from one step to the next; regimes are sorted
//! by mean; every transition stays possible, so the chain has one stationary distribution.
//! Metres; one step of the chain per reading, missing ones included.
//!
//! A reading in the regime of the reading before follows `mean + a (e - mean)` with variance
//! `sigma^2 (1 - a^2)`; the first reading after a change of regime starts afresh with `sigma`.
//! Over missing readings `a` becomes `a^gap`, if the regime was never left. That "never left" is
//! a part of the hidden state: twice as many states as regimes. All in logarithms.
//!
//! Not here: which number of regimes to take.

use std::collections::BTreeMap;

use tiepoint_model::math;
use tiepoint_model::sensor::{RangeErrorModel, Regime};

use super::mixture::{Fitted, RANGE_SIGMA_FLOOR_M, best_of, has_settled};
use super::numeric::{
    log_normal_pdf, log_sum_exp, maximise, mean_and_sigma, median_and_mad_sigma, quantile, sorted,
};

/// Pseudo-count of every transition (half a transition, Jeffreys): none becomes impossible.
const TRANSITION_PRIOR: f64 = 0.5;

/// Bounds of the autocorrelation: at 1 the regime's mean would not be defined.
const AUTOCORRELATION_LIMITS: [f64; 2] = [-0.95, 0.99];

/// Weight of the prior `(1 - a^2)^w` on each autocorrelation: half a reading's worth, so that a
/// regime of few readings does not run to the border.
const MEMORY_PRIOR: f64 = 0.5;

const ITERATIONS_MAX: usize = 300;

const NEVER: f64 = f64::NEG_INFINITY;

/// One step of the series: the reading, and the reading observed before it with its distance.
#[derive(Clone, Copy)]
struct Step {
    value: Option<f64>,
    before: Option<(f64, usize)>,
}

fn steps_of(series: &[Option<f64>]) -> Vec<Step> {
    let mut last: Option<(usize, f64)> = None;
    let mut steps = Vec::with_capacity(series.len());
    for (index, value) in series.iter().enumerate() {
        steps.push(Step { value: *value, before: last.map(|(at, seen)| (seen, index - at)) });
        if let Some(seen) = value {
            last = Some((index, *seen));
        }
    }
    steps
}

/// The chain with its logarithms at hand.
struct Chain<'a> {
    regimes: &'a [Regime],
    log_transition: Vec<Vec<f64>>,
    log_initial: Vec<f64>,
}

impl<'a> Chain<'a> {
    fn new(regimes: &'a [Regime], transition: &[Vec<f64>], initial: &[f64]) -> Self {
        let logs = |row: &[f64]| row.iter().map(|share| math::ln(*share)).collect::<Vec<f64>>();
        let log_transition = transition.iter().map(|row| logs(row)).collect();
        Self { regimes, log_transition, log_initial: logs(initial) }
    }

    /// Log-density of a step in a regime; `is_linked`: the regime was not left since the reading
    /// before.
    fn emission(&self, step: &Step, regime_index: usize, is_linked: bool) -> f64 {
        let Some(value) = step.value else { return 0.0 };
        let regime = &self.regimes[regime_index];
        match step.before {
            Some((before, gap)) if is_linked => {
                let memory = power(regime.autocorrelation, gap);
                let mean = regime.mean_m + memory * (before - regime.mean_m);
                log_normal_pdf(value, mean, regime.sigma_m * (1.0 - memory * memory).sqrt())
            }
            _ => log_normal_pdf(value, regime.mean_m, regime.sigma_m),
        }
    }

    /// Both emissions of every regime at every step: `[regime][is_linked]`.
    fn emissions(&self, steps: &[Step]) -> Vec<Vec<[f64; 2]>> {
        let both = |step: &Step, regime: usize| {
            [self.emission(step, regime, false), self.emission(step, regime, true)]
        };
        steps
            .iter()
            .map(|step| (0..self.regimes.len()).map(|regime| both(step, regime)).collect())
            .collect()
    }

    /// Log joint density of everything up to a step and the state there: `[regime][is_linked]`.
    fn forward(&self, steps: &[Step], emissions: &[Vec<[f64; 2]>]) -> Vec<Vec<[f64; 2]>> {
        let count = self.regimes.len();
        let mut all: Vec<Vec<[f64; 2]>> = Vec::with_capacity(steps.len());
        for (index, emission) in emissions.iter().enumerate() {
            let Some(previous) = index.checked_sub(1) else {
                all.push(
                    (0..count).map(|j| [self.log_initial[j] + emission[j][0], NEVER]).collect(),
                );
                continue;
            };
            let was_observed = steps[previous].value.is_some();
            let before = &all[previous];
            let here = (0..count).map(|j| {
                let mut fresh = Vec::with_capacity(2 * count);
                let mut linked = [NEVER; 2];
                for (i, states) in before.iter().enumerate() {
                    for (flag, state) in states.iter().enumerate() {
                        let log = state + self.log_transition[i][j];
                        if i == j && (was_observed || flag == 1) {
                            linked[flag] = log;
                        } else {
                            fresh.push(log);
                        }
                    }
                }
                [log_sum_exp(&fresh) + emission[j][0], log_sum_exp(&linked) + emission[j][1]]
            });
            let here = here.collect();
            all.push(here);
        }
        all
    }

    /// Log-density of everything after a step, given the state there: `[regime][is_linked]`.
    fn backward(&self, steps: &[Step], emissions: &[Vec<[f64; 2]>]) -> Vec<Vec<[f64; 2]>> {
        let count = self.regimes.len();
        let mut all = vec![vec![[0.0; 2]; count]; steps.len()];
        for index in (0..steps.len().saturating_sub(1)).rev() {
            let is_observed = steps[index].value.is_some();
            for i in 0..count {
                for flag in [0, 1] {
                    let ahead: Vec<f64> = (0..count)
                        .map(|j| {
                            let link = usize::from(i == j && (is_observed || flag == 1));
                            self.log_transition[i][j]
                                + emissions[index + 1][j][link]
                                + all[index + 1][j][link]
                        })
                        .collect();
                    all[index][i][flag] = log_sum_exp(&ahead);
                }
            }
        }
        all
    }
}

fn power(base: f64, exponent: usize) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

/// Log-density of each observed reading given those before it; the chain starts stationary.
pub(crate) fn predictive(
    regimes: &[Regime],
    transition: &[Vec<f64>],
    series: &[Option<f64>],
) -> Vec<f64> {
    let chain = Chain::new(regimes, transition, &stationary_distribution(transition));
    let steps = steps_of(series);
    let forward = chain.forward(&steps, &chain.emissions(&steps));
    let totals = forward.iter().map(|states| log_sum_exp(states.as_flattened()));
    let mut before = 0.0;
    let mut densities = Vec::new();
    for (total, step) in totals.zip(&steps) {
        if step.value.is_some() {
            densities.push(total - before);
        }
        before = total;
    }
    densities
}

/// Shares of the regimes in the long run, by elimination without subtraction (Grassmann, Taksar
/// and Heyman, Operations Research 33, 1985). Rows must be distributions without zeros.
pub(crate) fn stationary_distribution(transition: &[Vec<f64>]) -> Vec<f64> {
    let mut a = transition.to_vec();
    for last in (1..a.len()).rev() {
        let outflow: f64 = a[last][..last].iter().sum();
        for from in 0..last {
            a[from][last] /= outflow.max(f64::MIN_POSITIVE);
            for to in 0..last {
                a[from][to] += a[from][last] * a[last][to];
            }
        }
    }
    let mut shares: Vec<f64> = vec![1.0];
    while shares.len() < a.len() {
        let to = shares.len();
        shares.push(shares.iter().zip(&a).map(|(share, row)| share * row[to]).sum());
    }
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

/// Baum and Welch's algorithm from several starts; the best by penalised likelihood.
pub(crate) fn fit_regime_switching(series: &[Option<f64>], regime_count: usize) -> Fitted {
    let steps = steps_of(series);
    let starts = starts(series, regime_count);
    let fits = starts.into_iter().map(|regimes| climb(&steps, regimes));
    best_of(fits).unwrap_or_else(|| climb(&steps, vec![whole(series, 0.0)]))
}

fn whole(series: &[Option<f64>], autocorrelation: f64) -> Regime {
    let values: Vec<f64> = series.iter().flatten().copied().collect();
    let (mean_m, sigma) = mean_and_sigma(&values);
    Regime { mean_m, sigma_m: sigma.max(RANGE_SIGMA_FLOOR_M), autocorrelation }
}

/// Parts by value, and narrow with wide around the median, each without and with a memory.
fn starts(series: &[Option<f64>], regime_count: usize) -> Vec<Vec<Regime>> {
    let ordered = sorted(series.iter().flatten().copied());
    let (median, mad_sigma) = median_and_mad_sigma(&ordered);
    let narrow = mad_sigma.max(RANGE_SIGMA_FLOOR_M);
    let parts: &[&[f64]] = match regime_count {
        2 => &[&[0.0, 0.5, 1.0], &[0.0, 0.2, 1.0], &[0.0, 0.35, 1.0], &[0.0, 0.8, 1.0]],
        3 => &[&[0.0, 0.33, 0.67, 1.0], &[0.0, 0.15, 0.35, 1.0], &[0.0, 0.1, 0.9, 1.0]],
        _ => &[],
    };
    let mut all = Vec::new();
    for autocorrelation in [0.0, 0.8] {
        if regime_count == 1 {
            all.push(vec![whole(series, autocorrelation)]);
            continue;
        }
        for edges in parts {
            let part = |edge: &[f64]| {
                let (low, high) = (quantile(&ordered, edge[0]), quantile(&ordered, edge[1]));
                let inside = ordered.iter().filter(|value| **value >= low && **value <= high);
                let (mean_m, sigma) = mean_and_sigma(&inside.copied().collect::<Vec<f64>>());
                Regime { mean_m, sigma_m: sigma.max(RANGE_SIGMA_FLOOR_M), autocorrelation }
            };
            all.push(edges.windows(2).map(part).collect());
        }
        let scale = |index: usize| if index == 0 { 0.7 } else { 3.0 * index as f64 };
        let by_width = (0..regime_count).map(|index| Regime {
            mean_m: median,
            sigma_m: (narrow * scale(index)).max(RANGE_SIGMA_FLOOR_M),
            autocorrelation,
        });
        all.push(by_width.collect());
    }
    all
}

fn climb(steps: &[Step], mut regimes: Vec<Regime>) -> Fitted {
    let count = regimes.len();
    let stay = if count == 1 { 1.0 } else { 0.95 };
    let leave = if count == 1 { 0.0 } else { 0.05 / (count - 1) as f64 };
    let row = |i: usize| (0..count).map(|j| if i == j { stay } else { leave }).collect();
    let mut transition: Vec<Vec<f64>> = (0..count).map(row).collect();
    let initial = vec![1.0 / count as f64; count];
    let mut trace = Vec::new();
    let mut least_part;
    loop {
        let chain = Chain::new(&regimes, &transition, &initial);
        let expected = expect(&chain, steps);
        let moves: f64 = chain.log_transition.iter().flatten().sum();
        let memories: f64 = regimes.iter().map(|regime| memory_prior(regime.autocorrelation)).sum();
        trace.push(expected.log_likelihood + TRANSITION_PRIOR * moves + memories);
        least_part = expected.least_part();
        if trace.len() >= ITERATIONS_MAX || has_settled(&trace) {
            break;
        }
        let better = (0..count).map(|j| improve(steps, &expected.weights, j, regimes[j])).collect();
        regimes = better;
        if count > 1 {
            transition = expected.transitions.iter().map(|counts| shares(counts)).collect();
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| {
        let (a, b) = (regimes[*a], regimes[*b]);
        a.mean_m.total_cmp(&b.mean_m).then(a.sigma_m.total_cmp(&b.sigma_m))
    });
    let model = RangeErrorModel::RegimeSwitching {
        regimes: order.iter().map(|i| regimes[*i]).collect(),
        transition: order
            .iter()
            .map(|i| order.iter().map(|j| transition[*i][*j]).collect())
            .collect(),
    };
    let is_converged = has_settled(&trace);
    Fitted { model, trace, is_converged, least_part }
}

fn shares(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().map(|count| count + TRANSITION_PRIOR).sum();
    counts.iter().map(|count| (count + TRANSITION_PRIOR) / total).collect()
}

/// What the hidden states look like under the current parameters.
struct Expected {
    log_likelihood: f64,
    /// Per step: `[regime][is_linked]`.
    weights: Vec<Vec<[f64; 2]>>,
    /// Expected number of transitions.
    transitions: Vec<Vec<f64>>,
}

impl Expected {
    /// Expected readings of the regime with the fewest.
    fn least_part(&self) -> f64 {
        let count = self.transitions.len();
        let part = |j: usize| self.weights.iter().map(|step| step[j][0] + step[j][1]).sum::<f64>();
        (0..count).map(part).fold(f64::INFINITY, f64::min)
    }
}

fn expect(chain: &Chain, steps: &[Step]) -> Expected {
    let count = chain.regimes.len();
    let emissions = chain.emissions(steps);
    let forward = chain.forward(steps, &emissions);
    let backward = chain.backward(steps, &emissions);
    let log_likelihood = forward.last().map_or(0.0, |states| log_sum_exp(states.as_flattened()));
    let weight = |a: f64, b: f64| math::exp(a + b - log_likelihood);
    let weights = forward
        .iter()
        .zip(&backward)
        .map(|(ahead, behind)| {
            (0..count).map(|j| [0, 1].map(|flag| weight(ahead[j][flag], behind[j][flag]))).collect()
        })
        .collect();
    let mut transitions = vec![vec![0.0; count]; count];
    for index in 1..steps.len() {
        let was_observed = steps[index - 1].value.is_some();
        for (i, row) in transitions.iter_mut().enumerate() {
            for (j, sum) in row.iter_mut().enumerate() {
                for flag in [0, 1] {
                    let link = usize::from(i == j && (was_observed || flag == 1));
                    let step = chain.log_transition[i][j] + emissions[index][j][link];
                    *sum += weight(forward[index - 1][i][flag] + step, backward[index][j][link]);
                }
            }
        }
    }
    Expected { log_likelihood, weights, transitions }
}

fn memory_prior(autocorrelation: f64) -> f64 {
    MEMORY_PRIOR * math::ln(1.0 - autocorrelation * autocorrelation)
}

/// Weighted sums over the readings that remember one `gap` steps back; they are all that a fit
/// needs.
#[derive(Default)]
struct Sums {
    weight: f64,
    value: f64,
    before: f64,
    value_value: f64,
    value_before: f64,
    before_before: f64,
}

impl Sums {
    fn add(&mut self, weight: f64, value: f64, before: f64) {
        self.weight += weight;
        self.value += weight * value;
        self.before += weight * before;
        self.value_value += weight * value * value;
        self.value_before += weight * value * before;
        self.before_before += weight * before * before;
    }
}

/// The best mean, standard deviation and autocorrelation of one regime for fixed weights.
///
/// Mean and variance are closed for a given autocorrelation, which is searched; the old value is
/// kept if the search finds no better one, so the step never loses.
fn improve(steps: &[Step], weights: &[Vec<[f64; 2]>], regime_index: usize, old: Regime) -> Regime {
    let mut by_gap: BTreeMap<usize, Sums> = BTreeMap::new();
    for (step, weight) in steps.iter().zip(weights) {
        let Some(value) = step.value else { continue };
        let [fresh, linked] = weight[regime_index];
        // Centred on the old mean, so that the squares do not cancel.
        let value = value - old.mean_m;
        by_gap.entry(0).or_default().add(fresh, value, 0.0);
        if let Some((before, gap)) = step.before {
            by_gap.entry(gap).or_default().add(linked, value, before - old.mean_m);
        }
    }
    let total: f64 = by_gap.values().map(|sums| sums.weight).sum();
    if total < 1e-6 {
        return old;
    }
    let profile = |autocorrelation: f64| profile(&by_gap, total, autocorrelation);
    let [lower, upper] = AUTOCORRELATION_LIMITS;
    let (found, score) = maximise(lower, upper, |autocorrelation| profile(autocorrelation).1);
    let kept = profile(old.autocorrelation);
    let better = if score >= kept.1 { profile(found).0 } else { kept.0 };
    Regime { mean_m: better.mean_m + old.mean_m, ..better }
}

/// The best mean and standard deviation for an autocorrelation, and how good they are.
fn profile(by_gap: &BTreeMap<usize, Sums>, total: f64, autocorrelation: f64) -> (Regime, f64) {
    let (mut design, mut product, mut square, mut logs) = (0.0, 0.0, 0.0, 0.0);
    for (gap, sums) in by_gap {
        let memory = if *gap == 0 { 0.0 } else { power(autocorrelation, *gap) };
        let variance = 1.0 - memory * memory;
        let slope = 1.0 - memory;
        design += sums.weight * slope * slope / variance;
        product += slope * (sums.value - memory * sums.before) / variance;
        let crossed = memory * memory * sums.before_before - 2.0 * memory * sums.value_before;
        square += (sums.value_value + crossed) / variance;
        logs += sums.weight * math::ln(variance);
    }
    let mean_m = product / design;
    let square = (square - product * mean_m).max(0.0);
    let sigma_m = (square / total).sqrt().max(RANGE_SIGMA_FLOOR_M);
    let score = -0.5 * (logs + square / (sigma_m * sigma_m)) - total * math::ln(sigma_m);
    (Regime { mean_m, sigma_m, autocorrelation }, score + memory_prior(autocorrelation))
}
