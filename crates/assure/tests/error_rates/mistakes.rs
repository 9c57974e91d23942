//! The common mistakes, reproduced: each accepts false claims far more often than it says.

use tiepoint_assure::statistics::{
    betting::{EquivalenceMonitor, Reading},
    binomial::clopper_pearson,
    distributions::{normal_quantile, student_t_survival},
    equivalence::paired_equivalence,
    investing::{AlphaLedger, Policy},
};
use tiepoint_model::{Seed, seed::Draws};

use crate::{assert_at_least, assert_at_most, assert_is, scenes, share};

/// The equivalence test without its interval, whose quantile takes a hundred times longer.
fn supports(differences: &[f64], margin: f64, alpha: f64) -> bool {
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let square_sum: f64 = differences.iter().map(|value| (value - mean) * (value - mean)).sum();
    let standard_error = (square_sum / (count - 1.0) / count).sqrt();
    let room = margin - mean.abs();
    student_t_survival(room / standard_error, count - 1.0) <= alpha
}

fn t_test_supports(differences: &[f64], margin: f64) -> bool {
    supports(differences, margin, 0.05)
}

/// The short form above and the library's test agree.
#[test]
fn the_t_test_of_the_mistakes_is_the_librarys() {
    for replication in 0..200 {
        let mut draws = Seed(20).draws(replication, 0);
        let differences = scenes(&mut draws, 0.03, 0.15, 30);
        let test = paired_equivalence(&differences, 0.08, 0.05).unwrap();
        let expected = test.p_lower.max(test.p_upper) <= 0.05;
        assert_eq!(t_test_supports(&differences, 0.08), expected);
    }
}

/// A t test read every 10 of 400 scenes from the twentieth on, stopped at the first support: 19.7 % false support
/// (published, 600 replications) where 5 % is promised.
#[test]
fn a_peeked_t_test_supports_false_claims_one_time_in_five() {
    let peeked = share(1000, 21, |draws| {
        let differences = scenes(draws, 0.05, 0.15, 400);
        (2..=40).any(|look| t_test_supports(&differences[..10 * look], 0.05))
    });
    assert_is(peeked, 0.197, [1000, 600]);
}

/// The same with a margin of .3 standard deviations and 29 looks from 20 to 300: 20.4 % (published,
/// 1500 replications).
#[test]
fn the_number_of_looks_matters_and_not_the_margin() {
    let peeked = share(1000, 22, |draws| {
        let differences: Vec<f64> = (0..300).map(|_| 0.3 + draws.normal()).collect();
        (2..=30).any(|look| t_test_supports(&differences[..10 * look], 0.3))
    });
    assert_is(peeked, 0.204, [1000, 1500]);
}

/// 20 scenes of 50 frames that share an offset: variance 1, of which `icc` lies between scenes.
fn frames(draws: &mut Draws, icc: f64, margin: f64) -> Vec<f64> {
    (0..20)
        .flat_map(|_| {
            let scene = margin + icc.sqrt() * draws.normal();
            (0..50).map(|_| scene + (1.0 - icc).sqrt() * draws.normal()).collect::<Vec<f64>>()
        })
        .collect()
}

/// Frames taken for units: 25 % and 38 % false support (published, 1500 replications); scenes 5 %.
#[test]
fn frames_are_no_units() {
    for (icc, published, seed) in [(0.0, 0.05, 23), (0.1, 0.249, 24), (0.5, 0.384, 25)] {
        let by_frame = share(2000, seed, |draws| t_test_supports(&frames(draws, icc, 2.0), 2.0));
        assert_is(by_frame, published, [2000, 1500]);
        let by_scene = share(2000, seed, |draws| {
            let scenes: Vec<f64> = frames(draws, icc, 2.0)
                .chunks(50)
                .map(|scene| scene.iter().sum::<f64>() / 50.0)
                .collect();
            t_test_supports(&scenes, 2.0)
        });
        assert_is(by_scene, 0.05, [2000, 0]);
    }
}

/// One run whose difference drifts about the margin for tens of samples: bets on its samples
/// support a false claim many times as often as they may, and sometimes refute it as well. Run
/// means, one bet a run, keep the level.
#[test]
fn betting_inside_one_drifting_run_breaks_its_promise() {
    let drifting = |draws: &mut Draws| -> Vec<f64> {
        let (keep, fresh) = (0.98, (1.0_f64 - 0.98 * 0.98).sqrt());
        let mut state = draws.normal();
        (0..400)
            .map(|_| {
                state = keep * state + fresh * draws.normal();
                (0.1 + 0.15 * state).clamp(-1.0, 1.0)
            })
            .collect()
    };
    let readings = |draws: &mut Draws| {
        let mut monitor = EquivalenceMonitor::new(0.1, 1.0, 0.05).unwrap();
        for difference in drifting(draws) {
            monitor.push(difference).unwrap();
        }
        monitor.look().reading
    };
    let count = 1000;
    let supported = share(count, 26, |draws| {
        matches!(readings(draws), Reading::Within | Reading::Contradiction)
    });
    assert!(supported > 0.15, "{supported}");
    let contradicted = share(count, 26, |draws| readings(draws) == Reading::Contradiction);
    assert!(contradicted > 0.005, "seen to support and to refute: {contradicted}");
    let by_run = share(200, 27, |draws| {
        let mut monitor = EquivalenceMonitor::new(0.1, 1.0, 0.05).unwrap();
        (0..80).any(|_| {
            let run = drifting(draws);
            let mean = run.iter().sum::<f64>() / run.len() as f64;
            monitor.push(mean).unwrap().reading == Reading::Within
        })
    });
    assert_at_most(by_run, 0.05, 200);
}

/// The best of k candidate sets on one reserve: 5 %, 22 % and 64 % false support (published, 2000
/// replications). Charged for each question, the reserve errs at most 5 %, and the twenty-first
/// question is refused.
#[test]
fn the_best_of_twenty_passes_two_times_in_three_unless_it_pays() {
    let candidate =
        |draws: &mut Draws| -> Vec<f64> { (0..40).map(|_| 2.0 + draws.normal()).collect() };
    for (candidates, published) in [(1, 0.048), (5, 0.219), (20, 0.6385)] {
        let passed = share(2000, 28, |draws| {
            (0..candidates).any(|_| t_test_supports(&candidate(draws), 2.0))
        });
        assert_is(passed, published, [2000, 2000]);
    }
    let charged = share(2000, 29, |draws| {
        let mut ledger = AlphaLedger::new(0.05, Policy::Spending).unwrap();
        let passed = (0..20).any(|_| {
            ledger.charge(0.0025).unwrap();
            let passed = supports(&candidate(draws), 2.0, 0.0025);
            ledger.settle(passed).unwrap();
            passed
        });
        assert!(passed || ledger.charge(0.0025).is_err());
        passed
    });
    assert_at_most(charged, 0.05, 2000);
}

/// A normal interval for a share of .9 or .97 with few trials: nominal 90 %, published 86.6 % of 20
/// and 83.6 % of 60 (2000 replications). The exact one covers.
#[test]
fn normal_intervals_of_few_outcomes_cover_too_rarely() {
    let z = normal_quantile(0.95);
    for (chance, trials, published, seed) in
        [(0.9, 20_u32, 0.866, 30), (0.97, 60, 0.836, 31), (0.97, 200, 0.845, 32)]
    {
        let hits = |draws: &mut Draws| (0..trials).filter(|_| draws.uniform() < chance).count();
        let normal = share(2000, seed, |draws| {
            let found = hits(draws) as f64 / f64::from(trials);
            let reach = z * (found * (1.0 - found) / f64::from(trials)).sqrt();
            (found - reach..=found + reach).contains(&chance)
        });
        assert_is(normal, published, [2000, 2000]);
        let exact = share(2000, seed, |draws| {
            let hits = hits(draws) as u64;
            let [low, high] = clopper_pearson(hits, u64::from(trials), 0.1).unwrap();
            (low..=high).contains(&chance)
        });
        assert_at_least(exact, 0.9, 2000);
    }
}
