//! Many metrics and many cells.

use tiepoint_assure::statistics::{
    betting::EquivalenceMonitor,
    distributions::student_t_survival,
    multiplicity::{benjamini_hochberg, e_bh, holm},
};
use tiepoint_model::seed::Draws;

use crate::{assert_at_most, assert_is, share};

/// p of "the difference is at or above the margin" for 20 units that lie at it, or far inside.
fn p_value(draws: &mut Draws, at_margin: bool) -> f64 {
    let shift = if at_margin { 0.0 } else { 3.0 };
    let values: Vec<f64> = (0..20).map(|_| draws.normal()).collect();
    let mean = values.iter().sum::<f64>() / 20.0;
    let square_sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let standard_error = (square_sum / 19.0 / 20.0).sqrt();
    student_t_survival((shift - mean) / standard_error, 19.0)
}

/// All metrics must pass: no correction is needed, with one metric at its margin (published 4.9 and
/// 5.0 %, 4000 replications) or with all (0).
#[test]
fn all_metrics_at_alpha_are_together_at_alpha() {
    for (metrics, seed) in [(1, 41), (3, 42), (8, 43)] {
        let one = share(4000, seed, |draws| {
            (0..metrics).all(|metric| p_value(draws, metric == 0) <= 0.05)
        });
        assert_is(one, 0.05, [4000, 0]);
        let all = share(4000, seed, |draws| (0..metrics).all(|_| p_value(draws, true) <= 0.05));
        assert_at_most(all, if metrics == 1 { 0.05 } else { 0.001 }, 4000);
    }
}

/// "Passes in some cell", all 1, 5, 20 or 50 cells at their margin: `1 - .95^k` without a
/// correction, 5 % with Holm's.
#[test]
fn shopping_for_a_cell_is_paid_for() {
    for (cells, uncorrected, seed) in
        [(1, 0.05, 44), (5, 0.2262, 45), (20, 0.6415, 46), (50, 0.9231, 47)]
    {
        let p_values =
            |draws: &mut Draws| -> Vec<f64> { (0..cells).map(|_| p_value(draws, true)).collect() };
        let any = |p: &[f64]| p.iter().any(|p| *p <= 0.05);
        assert_is(share(3000, seed, |d| any(&p_values(d))), uncorrected, [3000, 0]);
        assert_at_most(share(3000, seed, |d| any(&holm(&p_values(d)))), 0.05, 3000);
    }
}

/// Expected share of false rejections, over replications.
fn false_share(count: u64, seed: u64, of: impl Fn(&mut Draws) -> Vec<(bool, bool)>) -> f64 {
    let shares = (0..count).map(|replication| {
        let cells = of(&mut tiepoint_model::Seed(seed).draws(replication, 0));
        let rejected = cells.iter().filter(|(rejected, _)| *rejected).count();
        let wrong = cells.iter().filter(|(rejected, at_margin)| *rejected && *at_margin).count();
        wrong as f64 / rejected.max(1) as f64
    });
    shares.sum::<f64>() / count as f64
}

/// Half of 20 cells at their margin, half well inside: false discoveries at most alpha. With half
/// of the hypotheses true Benjamini and Hochberg's rate is alpha / 2. The share in one replication
/// has a standard deviation below .1; 1000 replications.
#[test]
fn false_discoveries_stay_at_the_promised_rate() {
    let found = false_share(1000, 48, |draws| {
        let p: Vec<f64> = (0..20).map(|cell| p_value(draws, cell < 10)).collect();
        benjamini_hochberg(&p).iter().zip(0..20).map(|(p, cell)| (*p <= 0.1, cell < 10)).collect()
    });
    assert!((found - 0.05).abs() < 4.5 * 0.1 / 1000_f64.sqrt(), "{found}");
}

/// e-BH on e-values of cells that share their runs, stopped when the first cell looks best: the
/// dependence and the stopping do not matter.
#[test]
fn e_values_bear_dependence_and_stopping() {
    let found = false_share(400, 49, |draws| {
        let mut monitors: Vec<EquivalenceMonitor> =
            (0..10).map(|_| EquivalenceMonitor::new(0.2, 1.0, 0.05).unwrap()).collect();
        for _ in 0..120 {
            let shared = 0.1 * draws.normal();
            for (cell, monitor) in monitors.iter_mut().enumerate() {
                let mean = if cell < 5 { 0.2 } else { 0.0 };
                let difference = (mean + shared + 0.05 * draws.normal()).clamp(-1.0, 1.0);
                monitor.push(difference).unwrap();
            }
            if monitors[0].look().e_equivalent > 5.0 {
                break;
            }
        }
        let e: Vec<f64> = monitors.iter().map(|monitor| monitor.look().e_equivalent).collect();
        e_bh(&e, 0.1).into_iter().zip((0..10).map(|cell| cell < 5)).collect()
    });
    assert!(found < 0.1, "{found}");
}
