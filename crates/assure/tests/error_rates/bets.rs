//! Betting, looked at after every unit, and the t test at a fixed number.

use tiepoint_assure::statistics::{
    betting::{
        BettingPlan, ConfidenceSequence, EquivalenceMonitor, Reading, betting_equivalence,
        betting_units_needed, fixed_count_interval,
    },
    equivalence::paired_equivalence,
    noninferiority::{betting_noninferiority, paired_noninferiority},
};
use tiepoint_model::seed::Draws;

use crate::{assert_at_least, assert_at_most, assert_is, scenes, share};

const MARGIN: f64 = 0.05;
const SD: f64 = 0.15;

/// Ever supports within so many scenes, looked at after each.
fn ever_within(draws: &mut Draws, mean: f64, count: usize) -> bool {
    let mut monitor = EquivalenceMonitor::new(MARGIN, 1.0, 0.05).unwrap();
    scenes(draws, mean, SD, count)
        .into_iter()
        .any(|difference| monitor.push(difference).unwrap().reading == Reading::Within)
}

/// True difference exactly at the margin, and beyond it: support at any of 400 looks at most alpha.
/// Published for other bets: 1.7 % and 0.
#[test]
fn betting_keeps_its_level_under_optional_stopping() {
    let at_margin = share(2000, 1, |draws| ever_within(draws, MARGIN, 400));
    assert_at_most(at_margin, 0.05, 2000);
    let beyond = share(1000, 2, |draws| ever_within(draws, 0.06, 400));
    assert!(beyond <= 0.01, "{beyond}");
}

/// The other answer errs as rarely: a difference at the margin is called different at most alpha
/// often, at any look.
#[test]
fn betting_refutes_the_equivalent_at_most_alpha_often() {
    for mean in [MARGIN, -MARGIN, 0.0] {
        let refuted = share(500, 3, |draws| {
            let mut monitor = EquivalenceMonitor::new(MARGIN, 1.0, 0.05).unwrap();
            scenes(draws, mean, SD, 400)
                .into_iter()
                .any(|difference| monitor.push(difference).unwrap().p_different <= 0.05)
        });
        assert_at_most(refuted, 0.05, 500);
    }
}

/// No difference: most of 200 scenes suffice, all of 400 do; the t test at 100 needs fewer. The
/// price of validity at any time. Published for other bets: 94 % by 200, for the t test 90 % at 100.
#[test]
fn betting_has_power_and_its_price_is_known() {
    let by = |count| share(1000, 4, |draws| ever_within(draws, 0.0, count));
    let (by_100, by_200, by_400) = (by(100), by(200), by(400));
    assert!(by_100 < 0.3 && by_200 > 0.7 && by_400 > 0.99, "{by_100} {by_200} {by_400}");
    let fixed = share(1000, 5, |draws| {
        let test = paired_equivalence(&scenes(draws, 0.0, SD, 100), MARGIN, 0.05).unwrap();
        test.p_lower.max(test.p_upper) <= 0.05
    });
    assert_is(fixed, 0.9, [1000, 600]);
}

/// The t test keeps its level at a number of scenes fixed beforehand.
#[test]
fn the_t_test_keeps_its_level_at_a_fixed_number() {
    for (count, seed) in [(12, 6), (400, 7)] {
        // A margin of many standard errors: one side decides.
        let supported = share(4000, seed, |draws| {
            let test = paired_equivalence(&scenes(draws, 0.5, SD, count), 0.5, 0.05).unwrap();
            test.p_lower.max(test.p_upper) <= 0.05
        });
        assert_is(supported, 0.05, [4000, 0]);
    }
}

/// One-sided tests at the edge of the margin.
#[test]
fn noninferiority_keeps_its_level() {
    let t = share(4000, 8, |draws| {
        let differences = scenes(draws, -0.1, SD, 30);
        paired_noninferiority(&differences, 0.1, 0.05).unwrap().p <= 0.05
    });
    assert_is(t, 0.05, [4000, 0]);
    let bets = share(2000, 9, |draws| {
        let differences = scenes(draws, -0.1, SD, 300);
        betting_noninferiority(&differences, 0.1, 1.0, 0.05).unwrap().p <= 0.05
    });
    assert_at_most(bets, 0.05, 2000);
}

/// The whole sequence covers the mean: missed at any of 300 looks at most alpha often, for laws
/// that defeat normal intervals.
#[test]
fn a_confidence_sequence_covers_at_every_look_at_once() {
    for (chance, seed) in [(0.03, 10), (0.5, 11), (0.97, 12)] {
        let missed = share(1000, seed, |draws| {
            let mut sequence = ConfidenceSequence::new(0.1, 1000).unwrap();
            (0..300).any(|_| {
                let value = f64::from(u8::from(draws.uniform() < chance));
                let interval = sequence.push(value).unwrap();
                interval.is_none_or(|[low, high]| chance < low || high < chance)
            })
        });
        assert_at_most(missed, 0.1, 1000);
    }
}

/// The interval for a fixed number covers, where the normal one of 30 rare failures does not (see
/// `mistakes`).
#[test]
fn the_interval_for_a_fixed_number_covers() {
    for (chance, seed) in [(0.03, 13), (0.3, 14)] {
        let covered = share(2000, seed, |draws| {
            let values: Vec<f64> =
                (0..30).map(|_| f64::from(u8::from(draws.uniform() < chance))).collect();
            let [low, high] = fixed_count_interval(&values, 0.1).unwrap();
            low <= chance && chance <= high
        });
        assert_at_least(covered, 0.9, 2000);
    }
}

/// The margin chosen afterwards as the smallest that passes, at the time when it looks best, is
/// below the true difference at most alpha often.
#[test]
fn the_smallest_passing_margin_may_be_chosen_afterwards() {
    for (mean, seed) in [(0.0, 15), (0.04, 16), (-0.1, 17)] {
        let false_margin = share(1000, seed, |draws| {
            let differences = scenes(draws, mean, SD, 150);
            let looks = [30, 60, 90, 120, 150];
            let margin = looks
                .iter()
                .map(|&count| {
                    let seen = &differences[..count];
                    betting_equivalence(seen, MARGIN, 1.0, 0.05).unwrap().smallest_passing_margin
                })
                .fold(f64::INFINITY, f64::min);
            margin <= mean.abs()
        });
        assert_at_most(false_margin, 0.05, 1000);
    }
}

/// A plan for 80 % power gives between 70 and 92 %: it takes the mean and the spread of the log
/// capital where the chance of ever reaching the threshold is asked for.
#[test]
fn a_betting_plan_has_the_power_it_says() {
    for (mean, sd, margin, seed) in
        [(0.0, 0.15, 0.05, 81), (0.02, 0.15, 0.05, 82), (0.0, 0.3, 0.1, 83), (0.0, 0.05, 0.05, 84)]
    {
        let plan = BettingPlan { estimate: mean, sd, margin, bound: 1.0, alpha: 0.05, power: 0.8 };
        let count = betting_units_needed(&plan).unwrap().unwrap();
        let power = share(500, seed, |draws| {
            let mut monitor = EquivalenceMonitor::new(margin, 1.0, 0.05).unwrap();
            scenes(draws, mean, sd, usize::try_from(count).unwrap())
                .into_iter()
                .any(|difference| monitor.push(difference).unwrap().reading == Reading::Within)
        });
        assert!((0.7..=0.92).contains(&power), "{mean} {sd} {margin}: {power} with {count}");
    }
}
