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

/// The same grid and the same rounding outwards: equal to the last printed digit.
#[test]
fn confidence_sequence_agrees_with_confseq_on_its_grid() {
    let check = |values: &[f64], alpha: f64, expected: [f64; 2]| {
        let mut sequence = ConfidenceSequence::new(alpha, 1000).unwrap();
        for &value in values {
            sequence.push(value).unwrap();
        }
        let interval = sequence.interval().unwrap();
        for (ours, theirs) in interval.iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-12, "{alpha}: {interval:?} {expected:?}");
        }
    };
    check(&BETA, 0.05, [0.726, 0.869]);
    check(&BETA, 0.1, [0.742, 0.865]);
    check(&BERNOULLI, 0.05, [0.824, 1.0]);
    check(&BERNOULLI, 0.1, [0.842, 1.0]);
}

/// `betting_ci` of the package searches the same grid of 1/1000 and adds one step on each side.
#[test]
fn fixed_count_interval_agrees_with_confseq() {
    let check = |values: &[f64], alpha: f64, expected: [f64; 2]| {
        let [low, high] = fixed_count_interval(values, alpha).unwrap();
        assert!((-1e-9..0.002).contains(&(low - expected[0])), "{alpha}: {low} {expected:?}");
        assert!((-1e-9..0.002).contains(&(expected[1] - high)), "{alpha}: {high} {expected:?}");
    };
    check(&BETA, 0.05, [0.752, 0.894]);
    check(&BETA, 0.1, [0.764, 0.881]);
    check(&BERNOULLI, 0.05, [0.828, 1.0]);
    check(&BERNOULLI, 0.1, [0.837, 1.0]);
}

/// `predmix_empbern_ci` and `predmix_hoeffding_ci`: the same sums in f64.
#[test]
fn closed_form_intervals_agree_with_confseq() {
    let check = |ours: [f64; 2], theirs: [f64; 2]| {
        assert!((ours[0] - theirs[0]).abs() < 1e-12, "{ours:?} {theirs:?}");
        assert!((ours[1] - theirs[1]).abs() < 1e-12, "{ours:?} {theirs:?}");
    };
    check(
        empirical_bernstein_interval(&BETA, 0.05).unwrap(),
        [0.687_917_360_787_451_5, 0.953_681_658_732_774_2],
    );
    check(
        empirical_bernstein_interval(&BETA, 0.1).unwrap(),
        [0.711_022_266_806_116_4, 0.930_576_752_714_109_3],
    );
    check(empirical_bernstein_interval(&BERNOULLI, 0.05).unwrap(), [0.800_559_307_463_289_4, 1.0]);
    check(
        hoeffding_interval(&BETA, 0.05).unwrap(),
        [0.648_649_848_235_917_9, 0.998_854_983_558_693_1],
    );
    check(
        hoeffding_interval(&BETA, 0.1).unwrap(),
        [0.665_978_621_484_019_5, 0.981_379_356_300_013_5],
    );
    check(hoeffding_interval(&BERNOULLI, 0.1).unwrap(), [0.791_998_621_484_020_2, 1.0]);
}

/// The running interval after every unit holds the exact one and exceeds it by two steps at most.
#[test]
fn confidence_sequence_holds_the_exact_interval_after_every_value() {
    let mut sequence = ConfidenceSequence::new(0.05, 500).unwrap();
    let mut before = [0.0, 1.0];
    for (index, &value) in BETA.iter().enumerate() {
        let [low, high] = sequence.push(value).unwrap().unwrap();
        assert!(before[0] <= low && high <= before[1], "the interval never grows");
        before = [low, high];
        if index > 0 {
            let exact = hedged_interval(&BETA[..=index], 0.05).unwrap();
            assert!((-1e-12..0.004).contains(&(exact[0] - low)), "{index}: {exact:?} {low}");
            assert!((-1e-12..0.004).contains(&(high - exact[1])), "{index}: {exact:?} {high}");
        }
    }
    assert_eq!(sequence.count(), 60);
}

/// Values whose mean moves from 0 to 1 refute every mean: that is said, and stays.
#[test]
fn a_mean_that_moves_empties_the_sequence() {
    let mut sequence = ConfidenceSequence::new(0.05, 100).unwrap();
    for value in [0.0, 1.0].into_iter().flat_map(|value| std::iter::repeat_n(value, 500)) {
        sequence.push(value).unwrap();
    }
    assert_eq!(sequence.interval(), None);
    assert_eq!(sequence.push(0.5).unwrap(), None);
}

/// The monitor, unit by unit, ends at the p-values of the whole batch.
#[test]
fn the_monitor_agrees_with_the_batch() {
    let differences = runs(0.01, 300, 3);
    let mut monitor = EquivalenceMonitor::new(0.05, 1.0, 0.05).unwrap();
    let mut peak = 0.0_f64;
    for &difference in &differences {
        let look = monitor.push(difference).unwrap();
        peak = peak.max(look.e_equivalent);
        assert!(look.p_equivalent * peak <= 1.0 + 1e-12, "an e-value is at most one over p");
    }
    let (look, batch) =
        (monitor.look(), betting_equivalence(&differences, 0.05, 1.0, 0.05).unwrap());
    let p = batch.p_lower.max(batch.p_upper);
    // Products against sums of 300 logarithms: 1e-13 each.
    assert!((look.p_equivalent / p - 1.0).abs() < 1e-10, "{} {p}", look.p_equivalent);
    assert_eq!(look.unit_count, 300);
}

/// An e-value has mean 1 at most at the edge of the hypothesis, at a stopping time too: here where
/// it first reaches 3, or after 50 values. Five standard errors of 20,000 bounded draws are allowed
/// for: the spread of the stopped e-value is below 2.
#[test]
fn the_mean_of_a_stopped_e_value_is_at_most_one() {
    let count = 20_000_u64;
    let mut sum = 0.0;
    for replication in 0..count {
        let mut draws = Seed(8).draws(replication, 0);
        let mut process = EProcess::new(Side::AtMost, 0.3, 0.05).unwrap();
        for _ in 0..50 {
            let value = f64::from(u8::from(draws.uniform() < 0.3));
            if process.push(value).unwrap() >= 3.0 {
                break;
            }
        }
        sum += process.e_value();
    }
    let mean = sum / count as f64;
    assert!(mean < 1.0 + 5.0 * 2.0 / (count as f64).sqrt(), "{mean}");
    assert!(mean > 0.9, "at the edge the game is fair: {mean}");
}

/// The two sides are one game, mirrored.
#[test]
fn the_sides_of_an_e_process_mirror_each_other() {
    let mut at_most = EProcess::new(Side::AtMost, 0.25, 0.05).unwrap();
    let mut at_least = EProcess::new(Side::AtLeast, 0.75, 0.05).unwrap();
    for value in [0.125, 0.5, 0.25, 1.0, 0.0] {
        assert_eq!(at_most.push(value), at_least.push(1.0 - value));
    }
}

/// Every open input gives a typed reason and leaves the state alone.
#[test]
fn what_is_no_value_is_refused_and_forgotten() {
    let mut sequence = ConfidenceSequence::new(0.05, 100).unwrap();
    let mut process = EProcess::new(Side::AtMost, 0.5, 0.05).unwrap();
    let mut monitor = EquivalenceMonitor::new(0.1, 1.0, 0.05).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.5, 1.5] {
        assert!(sequence.push(bad).is_err() && process.push(bad).is_err());
        assert!(monitor.push(bad).is_err());
    }
    assert_eq!((sequence.count(), process.e_value()), (0, 1.0));
    assert_eq!(monitor.look().reading, Reading::Open);
    assert_eq!(sequence.interval(), Some([0.0, 1.0]));
    for values in [&[][..], &[f64::NAN], &[0.5, f64::INFINITY], &[1.5]] {
        assert!(hoeffding_interval(values, 0.05).is_err());
        assert!(empirical_bernstein_interval(values, 0.05).is_err());
        assert!(fixed_count_interval(values, 0.05).is_err());
        assert!(mean_lower_bound(values, 0.05).is_err());
    }
    assert!(ConfidenceSequence::new(0.0, 100).is_err());
    assert!(ConfidenceSequence::new(0.05, 1).is_err());
    assert!(EquivalenceMonitor::new(1.0, 1.0, 0.05).is_err());
    assert!(EProcess::new(Side::AtMost, f64::NAN, 0.05).is_err());
}

/// One value decides nothing at these levels, whatever it is.
#[test]
fn one_value_leaves_every_interval_wide() {
    for value in [0.0, 0.5, 1.0] {
        let interval = hoeffding_interval(&[value], 0.05).unwrap();
        assert!(interval[1] - interval[0] >= 0.5);
        let mut sequence = ConfidenceSequence::new(0.05, 100).unwrap();
        assert_eq!(sequence.push(value).unwrap(), Some([0.0, 1.0]));
    }
}

/// A million units in one batch and in one sequence; run to be timed by hand, here for its result.
#[test]
fn a_million_units_narrow_the_interval_to_their_mean() {
    let count = 1_000_000;
    let mut draws = Seed(2).draws(0, 0);
    let values: Vec<f64> = (0..count).map(|_| draws.uniform()).collect();
    let mut sequence = ConfidenceSequence::new(0.05, 10_000).unwrap();
    for &value in &values {
        sequence.push(value).unwrap();
    }
    let [low, high] = sequence.interval().unwrap();
    let exact = hedged_interval(&values, 0.05).unwrap();
    assert!(low <= exact[0] && exact[1] <= high && high - low < 0.006, "{low} {high} {exact:?}");
    assert!(low < 0.5 && 0.5 < high);
}
