//! Laws of the scanner fits: the grid is found, the noise behind the grid comes back.

use tiepoint_model::{Seed, math};

use crate::fit::interval::{Stencil, deviation_density};
use crate::fit::{
    FitError, RangeNoiseMethod, ScannerReadings, StaticPair, detect_quantisation, fit_range_noise,
    fit_range_noise_from_pairs, fit_range_noise_from_walls,
};

const BEAMS: usize = 361;
const BEAM_STEP_RAD: f64 = std::f64::consts::PI / 360.0;

fn readings(quantisation_m: f64) -> ScannerReadings {
    ScannerReadings {
        quantisation_m,
        range_min_m: 0.05,
        range_max_m: 80.0,
        beam_step_rad: BEAM_STEP_RAD,
    }
}

fn on_grid(range_m: f64, step_m: f64) -> f32 {
    if step_m > 0.0 { ((range_m / step_m).round() * step_m) as f32 } else { range_m as f32 }
}

/// Scans of a room of 8 m by 6 m from a place inside, with noise and steps.
fn room_scan(sigma_m: f64, step_m: f64, frame: u64, seed: Seed) -> Vec<f32> {
    // A slightly different place per frame, so that the sub-cell offsets do not repeat.
    let (x, y) = (2.9 + 0.0137 * frame as f64, 2.3 + 0.0071 * frame as f64);
    (0..BEAMS)
        .map(|beam| {
            let angle_rad = 0.31 + beam as f64 * BEAM_STEP_RAD;
            let (sin, cos) = math::sin_cos(angle_rad);
            let to_x = if cos > 0.0 { (8.0 - x) / cos } else { -x / cos };
            let to_y = if sin > 0.0 { (6.0 - y) / sin } else { -y / sin };
            let noise = seed.draws(frame, beam as u64).normal();
            on_grid(to_x.min(to_y) + sigma_m * noise, step_m)
        })
        .collect()
}

/// Pairs of scans at rest: uniform true ranges, noise, steps, and a share of beams that jump.
fn rest(
    pair_count: u64,
    sigma_m: f64,
    step_m: f64,
    jump_share: f64,
    seed: Seed,
) -> Vec<[Vec<f32>; 2]> {
    (0..pair_count)
        .map(|pair| {
            let beam = |beam: usize| {
                let mut draws = seed.draws(pair, beam as u64);
                let true_m = 1.0 + 9.0 * draws.uniform();
                let jump_m = if draws.uniform() < jump_share { draws.uniform() - 0.5 } else { 0.0 };
                let first = on_grid(true_m + sigma_m * draws.normal(), step_m);
                [first, on_grid(true_m + jump_m + sigma_m * draws.normal(), step_m)]
            };
            let both: Vec<[f32; 2]> = (0..BEAMS).map(beam).collect();
            [0, 1].map(|which| both.iter().map(|pair| pair[which]).collect())
        })
        .collect()
}

fn pairs_of(scans: &[[Vec<f32>; 2]]) -> Vec<StaticPair<'_>> {
    scans.iter().map(|[first, second]| StaticPair { first_m: first, second_m: second }).collect()
}

#[test]
fn the_largest_step_of_the_grid_is_found() {
    for step_m in [0.001, 0.005, 0.01, 0.0254, 0.002, 0.003_906_25, 0.0317, 0.25, 0.000_25] {
        let readings_m: Vec<f32> = (0..2000)
            .map(|index| {
                let range_m = 0.3 + 11.0 * Seed(3).draws(0, index).uniform();
                ((range_m / step_m).round() * step_m) as f32
            })
            .collect();
        let report = detect_quantisation(&readings_m).unwrap();
        // A step that is not a known one comes from least squares over 32-bit readings.
        assert!((report.step_m / step_m - 1.0).abs() < 1e-6, "{step_m}: {report:?}");
        assert!(report.on_grid_share >= 0.99);
    }
}

#[test]
fn a_millimetre_grid_written_in_32_bits_by_another_way_is_found() {
    let readings_m: Vec<f32> =
        (0..3000_u16).map(|index| f32::from(300 + index * 7) * 0.001_f32).collect();
    let report = detect_quantisation(&readings_m).unwrap();
    assert!((report.step_m - 0.001).abs() < 1e-12, "{report:?}");
}

#[test]
fn continuous_readings_have_no_step() {
    let readings_m: Vec<f32> =
        (0..5000).map(|index| (0.5 + 20.0 * Seed(4).draws(0, index).uniform()) as f32).collect();
    let report = detect_quantisation(&readings_m).unwrap();
    assert_eq!(report.step_m, 0.0, "{report:?}");
    assert!(report.on_grid_share < 0.5);
}

#[test]
fn a_grid_needs_different_readings_and_zeros_do_not_count() {
    let few = [5.0_f32, 5.0, 0.0, f32::NAN, f32::INFINITY, 6.0];
    assert!(matches!(detect_quantisation(&few), Err(FitError::TooFew { count: 2, .. })));
    assert!(matches!(detect_quantisation(&[]), Err(FitError::TooFew { .. })));
}

/// The probabilities of all whole differences sum to one, wherever the wall's curvature lies.
/// 1e-9: four antiderivatives of size up to 1e3 cancel to it.
#[test]
fn interval_probabilities_sum_to_one() {
    for case in 0..200 {
        let mut draws = Seed(17).draws(0, case);
        let (noise, curvature) = (8.0 * draws.uniform(), 2.0 * draws.uniform() - 1.0);
        for (stencil, shift) in [(Stencil::Pair, 0.0), (Stencil::Triple, curvature)] {
            let total: f64 = (-200..=200)
                .map(|k| deviation_density(stencil, true, noise, f64::from(k) - shift))
                .sum();
            assert!((total - 1.0).abs() < 1e-9, "{stencil:?} {noise} {curvature} {total}");
        }
    }
}

/// 100 pairs of 361 beams; the law asks 3 %, the standard error there is 0.4 to 0.7 %.
#[test]
fn noise_comes_back_from_static_pairs_within_three_percent() {
    for (sigma_m, step_m) in
        [(0.003, 0.01), (0.01, 0.01), (0.02, 0.01), (0.02, 0.0), (0.0005, 0.01)]
    {
        let scans = rest(100, sigma_m, step_m, 0.0, Seed(11));
        let report = fit_range_noise_from_pairs(&pairs_of(&scans), &readings(step_m)).unwrap();
        let ratio = report.sigma_m.value / sigma_m;
        assert!((ratio - 1.0).abs() < 0.03, "{sigma_m} {step_m}: {report:?}");
        assert_eq!(report.method, RangeNoiseMethod::StaticPairs);
        assert!(report.outlier_share < 0.003);
    }
}

#[test]
fn people_who_walk_through_are_not_noise() {
    let scans = rest(100, 0.006, 0.01, 0.04, Seed(12));
    let report = fit_range_noise_from_pairs(&pairs_of(&scans), &readings(0.01)).unwrap();
    assert!((report.sigma_m.value / 0.006 - 1.0).abs() < 0.03, "{report:?}");
    assert!((report.outlier_share - 0.04).abs() < 0.004, "{report:?}");
}

/// 60 fits from two pairs each: the scatter of the estimates is what the standard error says,
/// within 30 % (the scatter of 60 values is itself known to 9 %).
#[test]
fn the_standard_error_is_the_scatter_of_the_estimates() {
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for seed in 0..60 {
        let scans = rest(2, 0.005, 0.01, 0.01, Seed(100 + seed));
        let report = fit_range_noise_from_pairs(&pairs_of(&scans), &readings(0.01)).unwrap();
        values.push(report.sigma_m.value);
        errors.push(report.sigma_m.standard_error.unwrap());
    }
    let (mean, scatter) = crate::fit::numeric::mean_and_sigma(&values);
    let ratio = scatter / crate::fit::numeric::mean(&errors);
    assert!((0.7..1.3).contains(&ratio), "{ratio}");
    assert!((mean / 0.005 - 1.0).abs() < 0.03, "{mean}");
}

#[test]
fn a_sensor_without_noise_is_reported_at_the_floor() {
    let scans = rest(3, 0.0, 0.01, 0.0, Seed(13));
    let report = fit_range_noise_from_pairs(&pairs_of(&scans), &readings(0.01)).unwrap();
    assert!(report.is_at_floor && report.sigma_m.standard_error.is_none(), "{report:?}");
    assert_eq!(report.zero_share, 1.0);
}

/// 150 scans of a room whose walls are exact; 3 % as for pairs.
#[test]
fn noise_comes_back_from_walls_within_three_percent() {
    for (sigma_m, step_m) in [(0.003, 0.01), (0.012, 0.01), (0.008, 0.0)] {
        let scans: Vec<Vec<f32>> =
            (0..150).map(|frame| room_scan(sigma_m, step_m, frame, Seed(14))).collect();
        let slices: Vec<&[f32]> = scans.iter().map(Vec::as_slice).collect();
        let report = fit_range_noise_from_walls(&slices, &readings(step_m)).unwrap();
        let ratio = report.sigma_m.value / sigma_m;
        assert!((ratio - 1.0).abs() < 0.03, "{sigma_m} {step_m}: {report:?}");
    }
}

#[test]
fn without_static_pairs_the_walls_are_used_and_named() {
    let scans: Vec<Vec<f32>> =
        (0..20).map(|frame| room_scan(0.01, 0.01, frame, Seed(15))).collect();
    let slices: Vec<&[f32]> = scans.iter().map(Vec::as_slice).collect();
    let by_walls = fit_range_noise(&[], &slices, &readings(0.01)).unwrap();
    assert_eq!(by_walls.method, RangeNoiseMethod::SecondDifferences);
    let pair = [StaticPair { first_m: &scans[0], second_m: &scans[0] }];
    let by_pair = fit_range_noise(&pair, &slices, &readings(0.01)).unwrap();
    assert_eq!(by_pair.method, RangeNoiseMethod::StaticPairs);
}

#[test]
fn odd_input_to_the_noise_fit_is_refused_by_name() {
    let (short, long) = ([1.0_f32; 3], [1.0_f32; 4]);
    let pair = [StaticPair { first_m: &short, second_m: &long }];
    let uneven = fit_range_noise_from_pairs(&pair, &readings(0.01));
    assert!(matches!(uneven, Err(FitError::LengthMismatch { count: 4, expected_count: 3, .. })));
    let silent = [StaticPair { first_m: &[0.0, f32::NAN], second_m: &[0.0, 1.0] }];
    let nothing = fit_range_noise(&silent, &[], &readings(0.01));
    assert!(matches!(nothing, Err(FitError::TooFew { count: 0, .. })));
    let no_limits = ScannerReadings { range_max_m: f64::NAN, ..readings(0.01) };
    let refused = fit_range_noise_from_pairs(&[], &no_limits).unwrap_err();
    assert!(matches!(refused, FitError::Parameter { parameter: "range_max_m", .. }));
    assert!(!refused.hint().is_empty());
}
