//! Range noise and missing returns: known noise, laws and hostile input.

use std::panic::catch_unwind;

use proptest::prelude::*;
use tiepoint_measure::{
    Interval, MeasureError,
    sensor::{
        NotIdentifiable,
        lidar::{
            BeamReturn, RangeCells, RangeNoise, RangeNoiseOptions, RangePair, drop_out, range_noise,
        },
    },
};
use tiepoint_model::Seed;

fn cells() -> RangeCells {
    RangeCells { range_edges_m: vec![0.0, 10.0, 30.0], incidence_edges_rad: vec![0.0, 0.7, 1.6] }
}

fn options(quantisation_m: f64) -> RangeNoiseOptions {
    RangeNoiseOptions { quantisation_m, outlier_span_m: 0.5, pairs_min: 50, level: 0.95 }
}

/// Rounded readings of places anywhere within a step, with some outliers.
fn pairs(seed: u64, count: u64, sigma_m: f64, step_m: f64) -> Vec<RangePair> {
    (0..count)
        .map(|index| {
            let mut draws = Seed(seed).draws(0, index);
            let true_m = 2.0 + 6.0 * draws.uniform();
            let mut reading = || {
                let value = true_m + sigma_m * draws.normal();
                if step_m > 0.0 { (value / step_m).round() * step_m } else { value }
            };
            let mut difference_m = reading() - reading();
            if draws.uniform() < 0.02 {
                difference_m = draws.uniform() - 0.5;
            }
            RangePair { range_m: true_m, incidence_rad: 0.3, difference_m }
        })
        .collect()
}

fn first_cell(pairs: &[RangePair], quantisation_m: f64) -> RangeNoise {
    range_noise(pairs, &cells(), &options(quantisation_m)).unwrap().cells[0].value.clone().unwrap()
}

/// Noise from a fifth of the step to five steps, and without rounding: each interval of 20 runs holds
/// the truth at least 16 times (fewer has a chance of 0.3 % at 95 %).
#[test]
fn range_noise_is_recovered_also_below_the_step() {
    for (sigma_m, step_m) in [(0.003, 0.01), (0.002, 0.01), (0.01, 0.01), (0.05, 0.01), (0.02, 0.0)]
    {
        let mut held = 0;
        for seed in 0..20 {
            let got = first_cell(&pairs(seed, 1500, sigma_m, step_m), step_m);
            held += usize::from(got.interval.low <= sigma_m && sigma_m <= got.interval.high);
            assert!((got.sigma_m / sigma_m - 1.0).abs() < 0.2, "{sigma_m} {step_m} {got:?}");
            assert!((got.outlier_share - 0.02).abs() < 0.02, "{got:?}");
        }
        assert!(held >= 16, "{sigma_m} {step_m} {held}");
    }
}

/// All differences zero: the noise is below a bound, and the bound is not zero.
#[test]
fn readings_without_any_difference_bound_the_noise() {
    let still: Vec<RangePair> = (0..200)
        .map(|_| RangePair { range_m: 5.0, incidence_rad: 0.1, difference_m: 0.0 })
        .collect();
    let got = first_cell(&still, 0.01);
    assert!(got.sigma_m == 0.0 && got.interval.low == 0.0, "{got:?}");
    assert!(got.interval.high > 1e-5 && got.interval.high < 1e-3);
    let continuous = range_noise(&still, &cells(), &options(0.0)).unwrap();
    assert!(matches!(continuous.cells[0].value, Err(NotIdentifiable::NoVariation { .. })));
}

/// Noise that grows with range is told cell by cell; empty cells say so.
#[test]
fn noise_is_told_cell_by_cell() {
    let near = pairs(1, 2000, 0.01, 0.0);
    let far: Vec<RangePair> = pairs(2, 2000, 0.04, 0.0)
        .into_iter()
        .map(|pair| RangePair { range_m: pair.range_m + 10.0, ..pair })
        .collect();
    let beyond = RangePair { range_m: 30.0, incidence_rad: 0.1, difference_m: 0.0 };
    let table = range_noise(&[near, far, vec![beyond]].concat(), &cells(), &options(0.0)).unwrap();
    assert_eq!(table.outside_count, 1);
    let sigma = |cell: usize| table.cells[cell].value.clone().unwrap().sigma_m;
    assert!((sigma(0) / 0.01 - 1.0).abs() < 0.1 && (sigma(2) / 0.04 - 1.0).abs() < 0.1);
    assert_eq!(table.cells[2].range_m, [10.0, 30.0]);
    for empty in [1, 3] {
        assert!(matches!(table.cells[empty].value, Err(NotIdentifiable::TooFew { .. })));
    }
}

#[test]
fn range_noise_scales_with_length() {
    let small = pairs(5, 800, 0.004, 0.01);
    let large: Vec<RangePair> = small
        .iter()
        .map(|pair| RangePair { difference_m: 4.0 * pair.difference_m, ..*pair })
        .collect();
    let one = first_cell(&small, 0.01);
    let wide = RangeNoiseOptions { outlier_span_m: 2.0, ..options(0.04) };
    let other = range_noise(&large, &cells(), &wide).unwrap().cells[0].value.clone().unwrap();
    assert!((4.0 * one.sigma_m / other.sigma_m - 1.0).abs() < 1e-9);
}

#[test]
fn cells_are_the_same_on_any_number_of_threads() {
    let pairs = pairs(6, 3000, 0.004, 0.01);
    let with_threads = |count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        pool.install(|| range_noise(&pairs, &cells(), &options(0.01)).unwrap())
    };
    assert_eq!(with_threads(1), with_threads(3));
}

proptest! {
    #[test]
    fn every_beam_is_counted_once(
        beams in proptest::collection::vec((-1.0..40.0_f64, -0.2..1.7_f64, any::<bool>()), 1..200),
    ) {
        let beams: Vec<BeamReturn> = beams
            .into_iter()
            .map(|(range_m, incidence_rad, is_return)| {
                BeamReturn { range_m, incidence_rad, is_return }
            })
            .collect();
        let table = drop_out(&beams, &cells(), 0.95).unwrap();
        let counted: u64 = table.cells.iter().map(|cell| cell.value.share.count).sum();
        prop_assert_eq!(counted as usize + table.outside_count, beams.len());
        for cell in &table.cells {
            let (share, interval) = (cell.value.share.value(), cell.value.interval);
            prop_assert_eq!(share.is_some(), interval.is_some());
            if let (Some(share), Some(interval)) = (share, interval) {
                prop_assert!(interval.low <= share && share <= interval.high);
            }
        }
    }
}

#[test]
fn degenerate_cells_are_refused_by_name() {
    let one = [RangePair { range_m: 1.0, incidence_rad: 0.1, difference_m: 0.0 }];
    let with = |range_edges_m: Vec<f64>| RangeCells { range_edges_m, ..cells() };
    assert!(matches!(
        range_noise(&one, &with(vec![1.0]), &options(0.0)),
        Err(MeasureError::TooFew { what: "range edges", .. })
    ));
    assert!(matches!(
        range_noise(&one, &with(vec![1.0, 1.0]), &options(0.0)),
        Err(MeasureError::InvalidOption { name: "range edges", .. })
    ));
    assert!(matches!(range_noise(&[], &cells(), &options(0.0)), Err(MeasureError::Empty { .. })));
    assert!(drop_out(&[], &cells(), 0.95).is_err());
}

#[test]
fn hostile_ranges_do_not_panic() {
    const HOSTILE: [f64; 8] = [0.0, -0.0, 0.01, -0.02, 1e-320, f64::NAN, f64::INFINITY, 1e308];
    for seed in 0..400 {
        let mut draws = Seed(seed).draws(3, 0);
        let kinds = if draws.uniform() < 0.7 { 5 } else { HOSTILE.len() };
        let pairs: Vec<RangePair> = (0..draws.below(120))
            .map(|_| RangePair {
                range_m: 5.0,
                incidence_rad: 0.1,
                difference_m: HOSTILE[draws.below(kinds)],
            })
            .collect();
        let chosen = RangeNoiseOptions {
            quantisation_m: HOSTILE[draws.below(HOSTILE.len())],
            outlier_span_m: HOSTILE[draws.below(HOSTILE.len())],
            pairs_min: 0,
            level: 0.9,
        };
        let outcome = catch_unwind(|| {
            if let Ok(table) = range_noise(&pairs, &cells(), &chosen) {
                for noise in table.cells.into_iter().filter_map(|cell| cell.value.ok()) {
                    let Interval { low, high, .. } = noise.interval;
                    assert!(noise.sigma_m.is_finite() && high >= low, "{noise:?}");
                }
            }
        });
        assert!(outcome.is_ok(), "seed {seed}: {chosen:?}");
    }
}
