//! Bootstrap intervals and influences: golden values, coverage and laws.

use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use tiepoint_measure::{
    Bootstrap, MeasureError,
    influence::{jackknife, jackknife_of},
};
use tiepoint_model::Seed;

const BOOTSTRAP: Bootstrap =
    Bootstrap { seed: Seed(3), resample_count: 9999, block_length: 1, level: 0.9 };

fn mean_of(values: &[f64], indices: &[u32]) -> f64 {
    indices.iter().map(|&index| values[index as usize]).sum::<f64>() / indices.len() as f64
}

/// SciPy 1.17.1, `bootstrap` with 9999 resamples of another generator. An end of either has a
/// standard error of about .0003 (quantile of a mean with standard error .0143 at 5 %, 9999 draws);
/// four of the difference are .0017.
#[test]
fn intervals_of_a_mean_agree_with_scipy() {
    let text = include_str!("../../../testdata/equivalence_ppi/equivalence_ppi.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let (real, synthetic) = (numbers(&golden["real"]), numbers(&golden["syn"]));
    let differences: Vec<f64> = synthetic.iter().zip(&real).map(|(s, r)| s - r).collect();
    let case = &golden["bootstrap_bca_seed0_9999"];
    let mean = |indices: &[u32]| mean_of(&differences, indices);
    let accelerated = BOOTSTRAP.accelerated_interval(30, mean).unwrap();
    let percentile = BOOTSTRAP.interval(30, mean).unwrap();
    for (ours, theirs) in [(accelerated, "ci90"), (percentile, "ci90_percentile")] {
        let theirs = numbers(&case[theirs]);
        assert!((ours.low - theirs[0]).abs() < 0.0017, "{ours:?} {theirs:?}");
        assert!((ours.high - theirs[1]).abs() < 0.0017, "{ours:?} {theirs:?}");
    }
}

/// A skewed mean (exponential, n = 20): the accelerated interval misses less often on the far side
/// than the percentile interval. 600 samples; a miss rate of .1 has standard error .012.
#[test]
fn acceleration_helps_where_the_law_is_skewed() {
    let bootstrap = Bootstrap { resample_count: 600, ..BOOTSTRAP };
    let (mut missed, mut missed_accelerated) = (0, 0);
    for sample in 0..600 {
        let mut draws = Seed(77).draws(sample, 0);
        let values: Vec<f64> = (0..20).map(|_| draws.exponential()).collect();
        let mean = |indices: &[u32]| mean_of(&values, indices);
        missed += u32::from(bootstrap.interval(20, mean).unwrap().high < 1.0);
        let accelerated = bootstrap.accelerated_interval(20, mean).unwrap();
        missed_accelerated += u32::from(accelerated.high < 1.0);
    }
    assert!(missed_accelerated < missed, "{missed_accelerated} {missed}");
}

/// 20 scenes of 30 frames that share a scene's offset: drawing frames covers far too rarely,
/// drawing scenes nearly as promised (percentile intervals of 20 clusters fall short by about 4 %;
/// 300 data sets add four standard errors of 1.7 %).
#[test]
fn drawing_scenes_covers_where_drawing_frames_does_not() {
    let bootstrap = Bootstrap { resample_count: 300, ..BOOTSTRAP };
    let clusters: Vec<u32> = (0..20).flat_map(|scene| [scene; 30]).collect();
    let (mut by_frame, mut by_scene) = (0, 0);
    for sample in 0..300 {
        let mut draws = Seed(78).draws(sample, 0);
        let values: Vec<f64> = (0..20)
            .flat_map(|_| {
                let offset = draws.normal();
                (0..30).map(|_| offset + draws.normal()).collect::<Vec<f64>>()
            })
            .collect();
        let mean = |indices: &[u32]| mean_of(&values, indices);
        let covers =
            |interval: tiepoint_measure::Interval| interval.low <= 0.0 && 0.0 <= interval.high;
        by_frame += u32::from(covers(bootstrap.interval(600, mean).unwrap()));
        by_scene += u32::from(covers(bootstrap.cluster_interval(&clusters, mean).unwrap()));
    }
    assert!(f64::from(by_frame) / 300.0 < 0.45, "{by_frame}");
    assert!((f64::from(by_scene) / 300.0 - 0.86).abs() < 0.11, "{by_scene}");
}

/// A cluster of one element each is the ordinary bootstrap, bit for bit.
#[test]
fn clusters_of_one_are_the_ordinary_bootstrap() {
    let values: Vec<f64> = (0..40).map(|index| Seed(5).draws(0, index).normal()).collect();
    let mean = |indices: &[u32]| mean_of(&values, indices);
    let clusters: Vec<u32> = (0..40).collect();
    assert_eq!(BOOTSTRAP.cluster_interval(&clusters, mean), BOOTSTRAP.interval(40, mean));
    // Named in any way, in any order of elements: the same elements together.
    let names: Vec<u32> = (0..40).map(|index| 7 * index + 3).collect();
    assert_eq!(BOOTSTRAP.cluster_interval(&names, mean), BOOTSTRAP.interval(40, mean));
}

#[test]
fn resampling_that_cannot_be_is_refused() {
    let mean = |indices: &[u32]| mean_of(&[1.0, 2.0, 3.0], indices);
    assert!(BOOTSTRAP.cluster_interval(&[], mean).is_err());
    assert!(BOOTSTRAP.cluster_interval(&[4, 4, 4], mean).is_err());
    assert!(BOOTSTRAP.accelerated_interval(0, mean).is_err());
    assert!(BOOTSTRAP.accelerated_interval(1, mean).is_err());
    let blocks = Bootstrap { block_length: 2, ..BOOTSTRAP };
    assert!(blocks.accelerated_interval(3, mean).is_err());
    let constant = BOOTSTRAP.accelerated_interval(3, |_| 4.0);
    assert_eq!(constant, Err(MeasureError::Constant { what: "resampled statistic" }));
    let none = BOOTSTRAP.accelerated_interval(3, |_| f64::NAN);
    assert!(matches!(none, Err(MeasureError::NotFinite { .. })));
    assert_eq!(
        jackknife(1, |_| 0.0),
        Err(MeasureError::TooFew { what: "units", count: 1, min: 2 })
    );
    assert!(jackknife_of(f64::NAN, &[1.0, 2.0]).is_err());
    assert!(jackknife_of(1.0, &[1.0, f64::INFINITY]).is_err());
}

proptest! {
    /// Sums are exact on quarters, so that only divisions round.
    #[test]
    fn pseudo_values_of_a_mean_are_the_units(
        quarters in vec(-400_i32..400, 2..40),
    ) {
        let values: Vec<f64> = quarters.iter().map(|quarter| f64::from(*quarter) / 4.0).collect();
        let result = jackknife(values.len(), |indices| mean_of(&values, indices)).unwrap();
        for (pseudo, value) in result.pseudo_values().iter().zip(&values) {
            prop_assert!((pseudo - value).abs() < 1e-9, "{pseudo} {value}");
        }
        prop_assert!(result.bias.abs() < 1e-9);
        let sum: f64 = result.influences.iter().sum();
        prop_assert!(sum.abs() < 1e-8);
    }

    #[test]
    fn influences_scale_with_the_statistic(
        quarters in vec(-400_i32..400, 3..40), factor in 1_i32..50,
    ) {
        let values: Vec<f64> = quarters.iter().map(|quarter| f64::from(*quarter) / 4.0).collect();
        let spread = |indices: &[u32]| {
            let mean = mean_of(&values, indices);
            let deviations = indices.iter().map(|&i| values[i as usize] - mean);
            deviations.map(|deviation| deviation * deviation).sum::<f64>()
        };
        let one = jackknife(values.len(), spread).unwrap();
        let many = jackknife(values.len(), |i| f64::from(factor) * spread(i)).unwrap();
        for (a, b) in one.influences.iter().zip(&many.influences) {
            // A difference of sums of up to 40 squares, times 39.
            let rounding = 1e-13 * values.len() as f64 * many.estimate;
            prop_assert!((f64::from(factor) * a - b).abs() <= rounding, "{a} {b}");
        }
    }
}

/// The jackknife takes the bias out of a variance over n: its estimate is the one over n - 1.
#[test]
fn the_jackknife_unbiases_a_variance() {
    let values = [1.0, 4.0, 4.5, 9.0, 2.0];
    let biased = |indices: &[u32]| {
        let mean = mean_of(&values, indices);
        let deviations = indices.iter().map(|&i| values[i as usize] - mean);
        let squares = deviations.map(|deviation| deviation * deviation);
        squares.sum::<f64>() / indices.len() as f64
    };
    let result = jackknife(5, biased).unwrap();
    let unbiased = 5.0 / 4.0 * biased(&[0, 1, 2, 3, 4]);
    assert!((result.estimate - result.bias - unbiased).abs() < 1e-12);
}
