//! Golden values and laws of the equivalence tests.
//!
//! `REAL` and `SYNTHETIC` are 30 made-up paired scores; expected values are from statsmodels 0.15.0
//! (`ttost_paired`, `ttost_ind` with unequal variances) and pingouin 0.7.0 (`tost`) on the same
//! pairs.

use super::*;

const REAL: [f64; 30] = [
    0.7463, 0.7621, 0.7358, 0.5622, 0.491, 0.7106, 0.6006, 0.6169, 0.6208, 0.7167, 0.492, 0.6707,
    0.4918, 0.8941, 0.7871, 0.612, 0.7679, 0.6545, 0.7965, 0.6681, 0.7714, 0.8633, 0.57, 0.5938,
    0.7298, 0.6889, 0.5234, 0.8586, 0.4041, 0.4857,
];
const SYNTHETIC: [f64; 30] = [
    0.8523, 0.6698, 0.6316, 0.5993, 0.5321, 0.716, 0.6161, 0.5828, 0.6414, 0.7626, 0.4265, 0.8639,
    0.4416, 1.0411, 0.6822, 0.743, 0.7994, 0.7063, 0.7758, 0.6881, 0.9311, 0.8209, 0.5532, 0.6811,
    0.7799, 0.6316, 0.5083, 0.9161, 0.5335, 0.5375,
];

fn differences() -> Vec<f64> {
    SYNTHETIC.iter().zip(REAL).map(|(synthetic, real)| synthetic - real).collect()
}

/// Both sides evaluate the same closed form in f64; 1e-9 leaves room for another gamma function.
#[track_caller]
fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
}

#[test]
fn paired_test_agrees_with_statsmodels() {
    let test = paired_equivalence(&differences(), 0.03, 0.05).unwrap();
    close(test.p_lower, 0.000_268_365_821_510_567_16);
    close(test.p_upper, 0.389_996_863_413_047_1);
    close(test.interval[0], 0.001_518_810_356_957_618_6);
    close(test.interval[1], 0.050_374_522_976_375_71);
    close(test.smallest_passing_margin, 0.050_374_522_976_375_71);
    assert_eq!(test.degrees_of_freedom, Some(29.0));
}

#[test]
fn welch_test_agrees_with_statsmodels() {
    let test = welch_equivalence(&SYNTHETIC, &REAL, 0.03, 0.05).unwrap();
    close(test.p_lower, 0.060_057_796_424_813_965);
    close(test.p_upper, 0.454_688_981_670_732_3);
    assert!((test.degrees_of_freedom.unwrap() - 56.587_710_117_411_206).abs() < 1e-8);
}

/// The interval and the two tests say the same.
#[test]
fn both_tests_reject_exactly_when_the_interval_lies_inside() {
    for step in 1..200 {
        let margin = f64::from(step) * 0.001;
        let test = paired_equivalence(&differences(), margin, 0.05).unwrap();
        let rejects = test.p_lower.max(test.p_upper) <= 0.05;
        let inside = test.interval[0] > -margin && test.interval[1] < margin;
        assert_eq!(rejects, inside, "margin {margin}");
        assert_eq!(rejects, test.smallest_passing_margin < margin);
        let outside = test.interval[0] > margin || test.interval[1] < -margin;
        assert_eq!(test.p_outside <= 0.05, outside, "margin {margin}");
    }
}

/// Exchanging real and synthetic mirrors everything.
#[test]
fn exchanging_the_sides_mirrors_the_test() {
    let test = paired_equivalence(&differences(), 0.03, 0.05).unwrap();
    let negated: Vec<f64> = differences().iter().map(|value| -value).collect();
    let mirror = paired_equivalence(&negated, 0.03, 0.05).unwrap();
    close(test.p_lower, mirror.p_upper);
    close(test.interval[0], -mirror.interval[1]);
    close(test.p_outside, mirror.p_outside);
}

#[test]
fn differences_that_never_vary_are_decided_by_their_side() {
    let test = paired_equivalence(&[0.1; 5], 0.2, 0.05).unwrap();
    assert_eq!((test.sd, test.p_lower, test.p_upper, test.p_outside), (0.0, 0.0, 0.0, 1.0));
    let test = paired_equivalence(&[0.1; 5], 0.1, 0.05).unwrap();
    assert_eq!((test.p_upper, test.p_outside), (1.0, 1.0));
}

#[test]
fn bad_input_is_named() {
    assert_eq!(
        paired_equivalence(&[1.0], 0.1, 0.05),
        Err(StatisticsError::TooFew { count: 1, min: 2 })
    );
    assert_eq!(
        paired_equivalence(&[1.0, f64::NAN], 0.1, 0.05),
        Err(StatisticsError::NotFinite { index: 1 })
    );
    assert!(paired_equivalence(&[1.0, 2.0], 0.0, 0.05).is_err());
    assert!(paired_equivalence(&[1.0, 2.0], 0.1, 0.5).is_err());
}

/// Published numbers of scenes for 80 % power at zero difference, alpha .05, by margin in sd.
#[test]
fn units_needed_are_those_of_the_exact_power() {
    for (margin, expected) in [(0.5, 36), (0.3, 97), (0.2, 216), (0.1, 858), (0.05, 3427)] {
        let needed = units_needed(0.0, 1.0, margin, 0.05).unwrap();
        // The shifted t is an approximation of the noncentral one: one unit either way.
        assert!(needed.abs_diff(expected) <= 1, "{margin}: {needed}");
    }
    assert_eq!(units_needed(0.3, 1.0, 0.3, 0.05), None);
    assert_eq!(units_needed(0.0, 0.0, 0.3, 0.05), Some(2));
    assert!(units_needed(0.1, 1.0, 0.3, 0.05) > units_needed(0.0, 1.0, 0.3, 0.05));
}
