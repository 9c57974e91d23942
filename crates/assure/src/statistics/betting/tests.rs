//! Golden intervals and error rates of betting.
//!
//! Inputs and expected intervals: 60 made-up values each, evaluated with a source snapshot of the
//! package `confseq` (numpy 2.4.6).

use tiepoint_model::Seed;

use super::*;

const BETA: [f64; 60] = [
    0.994, 0.5823, 0.823, 0.9113, 0.6094, 0.9102, 0.959, 0.6978, 0.7332, 0.8884, 0.9234, 0.7504,
    0.8016, 0.8799, 0.7769, 0.6643, 0.9474, 0.6458, 0.8093, 0.8921, 0.9451, 0.9562, 0.9032, 0.9408,
    0.884, 0.7401, 0.9817, 0.9898, 0.6551, 0.8617, 0.7855, 0.7399, 0.7805, 0.7297, 0.6427, 0.741,
    0.9011, 0.913, 0.6474, 0.952, 0.8261, 0.9261, 0.4503, 0.8231, 0.9085, 0.695, 0.9196, 0.7896,
    0.8147, 0.9463, 0.7661, 0.9248, 0.724, 0.9692, 0.9167, 0.922, 0.8466, 0.5477, 0.8937, 0.9385,
];
const BERNOULLI: [f64; 60] = [
    1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0,
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0, 1.0, 1.0,
];

/// The package searches a grid of 1/1000 and adds one step on each side: its interval is wider than
/// ours by up to two steps and never narrower than the exact one.
#[test]
fn hedged_interval_agrees_with_confseq() {
    let check = |values: &[f64], alpha: f64, expected: [f64; 2]| {
        let [low, high] = hedged_interval(values, alpha).unwrap();
        assert!((-1e-9..0.002).contains(&(low - expected[0])), "{alpha}: {low} {expected:?}");
        assert!((-1e-9..0.002).contains(&(expected[1] - high)), "{alpha}: {high} {expected:?}");
    };
    check(&BETA, 0.05, [0.726, 0.869]);
    check(&BETA, 0.1, [0.742, 0.865]);
    check(&BERNOULLI, 0.05, [0.824, 1.0]);
    check(&BERNOULLI, 0.1, [0.842, 1.0]);
}

fn runs(mean: f64, count: usize, replication: u64) -> Vec<f64> {
    let mut draws = Seed(21).draws(replication, 0);
    (0..count).map(|_| (mean + 0.15 * draws.normal()).clamp(-1.0, 1.0)).collect()
}

fn supports(differences: &[f64]) -> bool {
    let test = betting_equivalence(differences, 0.05, 1.0, 0.05).unwrap();
    test.p_lower.max(test.p_upper) <= 0.05
}

/// True difference exactly at the margin, looked at after each of 400 units: support at most
/// alpha. (p-values are of the running maximum, so the last one holds every look.)
#[test]
fn peeking_does_not_break_the_level() {
    let count = 1000;
    let accepted = (0..count).filter(|&seed| supports(&runs(0.05, 400, seed))).count();
    // Published for another way of betting: 1.7 %. The promise is 5 %, less sampling error.
    assert!(accepted as f64 / (count as f64) < 0.05, "{accepted} of {count}");
}

/// No difference: most of 200 units suffice, few of 50 do.
#[test]
fn support_is_found_where_there_is_no_difference() {
    let share = |units: usize| {
        let count = 400;
        let found = (0..count).filter(|&seed| supports(&runs(0.0, units, 5000 + seed))).count();
        found as f64 / count as f64
    };
    let (at_100, at_200, at_400) = (share(100), share(200), share(400));
    assert!(at_100 < at_200 && at_200 < at_400, "{at_100} {at_200} {at_400}");
    assert!(at_200 > 0.6 && at_400 > 0.97, "{at_100} {at_200} {at_400}");
}

/// The interval and the tests say the same.
#[test]
fn support_is_an_interval_inside_the_margin() {
    let differences = runs(0.01, 300, 3);
    for step in 1..60 {
        let margin = f64::from(step) * 0.005;
        let test = betting_equivalence(&differences, margin, 1.0, 0.05).unwrap();
        let inside = test.interval[0] > -margin && test.interval[1] < margin;
        assert_eq!(test.p_lower.max(test.p_upper) <= 0.05, inside, "{margin}");
    }
}

#[test]
fn fewer_units_than_the_least_number_never_support() {
    let least = unit_count_min(0.05, 1.0, 0.05).unwrap();
    assert_eq!(least, 62); // ln 20 / ln 1.05 = 61.4
    let test = betting_equivalence(&vec![0.0; 61], 0.05, 1.0, 0.05).unwrap();
    assert!(test.p_lower.max(test.p_upper) > 0.05);
}

#[test]
fn values_beyond_the_bound_are_refused() {
    assert!(betting_equivalence(&[0.0, 1.5], 0.05, 1.0, 0.05).is_err());
    assert!(hedged_interval(&[0.5, 1.1], 0.05).is_err());
    assert!(hedged_interval(&[0.5], 0.05).is_err());
}
