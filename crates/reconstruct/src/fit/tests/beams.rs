//! Laws of the beam shares: counted once, recovered, and fitted without losing likelihood.

use tiepoint_model::Seed;

use crate::fit::{BeamLimits, FitError, beam_census, fit_beam_mixture};

const LIMITS: BeamLimits = BeamLimits { range_min_m: 0.1, range_max_m: 30.0 };

#[test]
fn every_reading_is_counted_once() {
    let readings_m =
        [1.0, 0.0, f32::NAN, f32::INFINITY, 0.05, -1.0, 30.0, 31.83, 31.83, 2.0, f32::NEG_INFINITY];
    let census = beam_census(&readings_m, &LIMITS).unwrap();
    let parts = [
        census.measured_share,
        census.zero_share,
        census.nan_share,
        census.infinite_share,
        census.below_min_share,
        census.at_max_share,
    ];
    let wanted = [2.0, 1.0, 1.0, 2.0, 2.0, 3.0];
    for (part, count) in parts.iter().zip(wanted) {
        assert!((part - count / 11.0).abs() < 1e-15, "{census:?}");
    }
    // What the sensor writes most often when nothing returns.
    assert_eq!(census.no_return_reading_m, Some(f64::from(31.83_f32)));
}

#[test]
fn readings_that_are_all_measurements_show_no_silent_value() {
    let census = beam_census(&[1.0, 2.0], &LIMITS).unwrap();
    assert_eq!(census.no_return_reading_m, None);
    assert!(matches!(beam_census(&[], &LIMITS), Err(FitError::TooFew { .. })));
    let zeros = beam_census(&[0.0, 0.0, 1.0], &LIMITS).unwrap();
    assert_eq!(zeros.no_return_reading_m, Some(0.0));
}

fn beams(count: u64, shares: [f64; 3]) -> Vec<(Option<f64>, f32)> {
    let [failed, short, stray] = shares;
    (0..count)
        .map(|index| {
            let mut draws = Seed(21).draws(0, index);
            let wall_m = 2.0 + 10.0 * draws.uniform();
            if draws.uniform() < 0.1 {
                return (None, 0.0);
            }
            let kind = draws.uniform();
            if draws.uniform() < failed {
                return (Some(wall_m), 0.0);
            }
            let before_m = LIMITS.range_min_m + (wall_m - LIMITS.range_min_m) * draws.uniform();
            let behind_m = wall_m + (LIMITS.range_max_m - wall_m) * draws.uniform();
            let reading_m = if kind < short {
                before_m
            } else if kind < short + stray {
                if draws.uniform() < 0.5 { before_m } else { behind_m }
            } else {
                wall_m + 0.02 + 0.03 * draws.normal()
            };
            (Some(wall_m), reading_m as f32)
        })
        .collect()
}

/// 18 000 measurements: the standard errors of the shares are 0.1 to 0.2 %; four of them are
/// allowed.
#[test]
fn failed_short_and_stray_shares_come_back() {
    let report = fit_beam_mixture(&beams(20_000, [0.03, 0.05, 0.02]), &LIMITS).unwrap();
    for (estimate, truth) in
        [(report.failed_share, 0.03), (report.short_share, 0.05), (report.stray_share, 0.02)]
    {
        let error = estimate.standard_error.unwrap();
        assert!(error < 0.004 && (estimate.value - truth).abs() < 4.0 * error, "{estimate:?}");
    }
    assert!((report.bias_m.value - 0.02).abs() < 0.002);
    assert!((report.spread_m / 0.03 - 1.0).abs() < 0.03);
    assert_eq!(report.no_return_reading_m, Some(0.0));
    assert_eq!(report.open_measured_share, Some(0.0));
}

#[test]
fn beams_that_only_hit_have_no_short_share() {
    let report = fit_beam_mixture(&beams(5000, [0.0, 0.0, 0.0]), &LIMITS).unwrap();
    assert!(report.short_share.value < 1e-3 && report.failed_share.value == 0.0, "{report:?}");
}

#[test]
fn the_likelihood_of_the_beam_mixture_never_falls() {
    let report = fit_beam_mixture(&beams(3000, [0.1, 0.2, 0.1]), &LIMITS).unwrap();
    assert!(report.log_likelihoods.len() > 2);
    for pair in report.log_likelihoods.windows(2) {
        // Rounding of a sum of 3000 terms.
        assert!(pair[1] >= pair[0] - 1e-9 * pair[0].abs(), "{pair:?}");
    }
}

#[test]
fn odd_predicted_ranges_are_refused_or_open() {
    let mut with_nan = beams(200, [0.0; 3]);
    with_nan[7].0 = Some(f64::NAN);
    let refused = fit_beam_mixture(&with_nan, &LIMITS);
    assert_eq!(refused, Err(FitError::NotFinite { what: "predicted range", index: 7 }));
    let beyond = vec![(Some(35.0), 0.0_f32); 100];
    let nothing = fit_beam_mixture(&beyond, &LIMITS);
    assert!(matches!(nothing, Err(FitError::TooFew { count: 0, .. })));
}
