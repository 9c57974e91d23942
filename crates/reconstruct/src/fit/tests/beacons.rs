//! Laws of the beacon geometry: residuals keep their places, positions come back through outliers.

use tiepoint_model::{Pose2, Seed, math};

use crate::fit::{FitError, RangeObservation, fit_beacon_position, range_residuals};

const ANTENNA_M: [f64; 3] = [0.16, 0.05, 1.12];

/// A path through a room, ranges with noise, and a share of ranges that are far too short.
fn observations(beacon_m: [f64; 3], bad_share: f64, is_straight: bool) -> Vec<RangeObservation> {
    (0..200)
        .map(|index| {
            let mut draws = Seed(51).draws(index, 0);
            let t = index as f64 * 0.05;
            let map_from_base = if is_straight {
                Pose2::new(0.5 * t, 1.0, 0.0)
            } else {
                Pose2::new(2.0 + 1.8 * math::cos(t), 2.0 + 1.2 * math::sin(1.3 * t), t)
            };
            let bare =
                RangeObservation { map_from_base, antenna_in_base_m: ANTENNA_M, range_m: None };
            let antenna_m = bare.antenna_in_map_m();
            let square: f64 = antenna_m.iter().zip(beacon_m).map(|(a, b)| (a - b) * (a - b)).sum();
            let bad_m = if draws.uniform() < bad_share { -1.5 } else { 0.0 };
            let range_m = square.sqrt() + 0.03 * draws.normal() + bad_m;
            RangeObservation { range_m: (index % 10 != 3).then_some(range_m), ..bare }
        })
        .collect()
}

#[test]
fn residuals_keep_their_places_and_missing_ranges() {
    let beacon_m = [5.0, 1.0, 1.9];
    let seen = observations(beacon_m, 0.0, false);
    let residuals = range_residuals(&seen, beacon_m).unwrap();
    assert_eq!(residuals.len(), seen.len());
    for (residual, observation) in residuals.iter().zip(&seen) {
        assert_eq!(residual.is_none(), observation.range_m.is_none());
        // Five standard deviations of the noise.
        assert!(residual.unwrap_or(0.0).abs() < 0.15);
    }
}

/// 180 ranges with 3 cm of noise, a quarter of them 1.5 m too short: five standard errors per
/// axis.
#[test]
fn a_beacon_is_found_through_outliers() {
    let beacon_m = [5.0, 1.0, 2.4];
    let report = fit_beacon_position(&observations(beacon_m, 0.25, false), None).unwrap();
    let found = report.position_m.iter().zip(&report.standard_error_m);
    for ((place, error), wanted) in found.zip(&beacon_m) {
        assert!(*error < 0.06 && (place - wanted).abs() < 5.0 * error, "{report:?}");
    }
    assert!((report.outlier_share - 0.25).abs() < 0.1, "{report:?}");
}

#[test]
fn a_given_height_is_kept() {
    let beacon_m = [-1.0, 4.0, 1.0];
    let report = fit_beacon_position(&observations(beacon_m, 0.0, false), Some(1.0)).unwrap();
    assert_eq!((report.position_m[2], report.standard_error_m[2]), (1.0, 0.0));
    for (place, wanted) in report.position_m.iter().zip(&beacon_m) {
        assert!((place - wanted).abs() < 0.03, "{report:?}");
    }
}

#[test]
fn a_straight_path_does_not_fix_a_place_in_space() {
    let seen = observations([5.0, 4.0, 2.4], 0.0, true);
    let refused = fit_beacon_position(&seen, None);
    assert!(matches!(refused, Err(FitError::Undetermined { .. })), "{refused:?}");
}

#[test]
fn odd_ranges_are_refused() {
    let mut seen = observations([5.0, 4.0, 2.4], 0.0, false);
    assert!(matches!(fit_beacon_position(&seen[..5], None), Err(FitError::TooFew { .. })));
    seen[2].range_m = Some(f64::INFINITY);
    let refused = range_residuals(&seen, [0.0; 3]);
    assert_eq!(refused, Err(FitError::NotFinite { what: "range", index: 2 }));
    assert!(range_residuals(&[], [f64::NAN, 0.0, 0.0]).is_err());
    assert_eq!(range_residuals(&[], [0.0; 3]), Ok(Vec::new()));
}
