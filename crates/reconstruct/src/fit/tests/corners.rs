//! Laws of the three-cornered hat: known variances come back, correlated errors are named.

use tiepoint_model::{Pose2, Seed};

use crate::fit::{FitError, VarianceStatus, three_cornered_hat};

fn source(sigma: [f64; 3], count: u64, which: u64, common: f64) -> Vec<Pose2> {
    (0..count)
        .map(|index| {
            let mut path = Seed(41).draws(index, 99);
            let mut own = Seed(41).draws(index, which);
            let mut shared = Seed(41).draws(index, 50);
            let mut error = |size: f64| size * own.normal() + common * shared.normal();
            Pose2::new(
                0.3 * path.normal() + error(sigma[0]),
                0.05 * path.normal() + error(sigma[1]),
                0.2 * path.normal() + error(sigma[2]),
            )
        })
        .collect()
}

/// 2000 steps: the standard error of a variance is 3 % of the variances involved, four are
/// allowed.
#[test]
fn known_error_variances_come_back() {
    let sigmas = [[0.018, 0.018, 0.01], [0.008, 0.004, 0.02], [0.01, 0.012, 0.005]];
    let lists: Vec<Vec<Pose2>> =
        sigmas.iter().enumerate().map(|(which, s)| source(*s, 2000, which as u64, 0.0)).collect();
    let report = three_cornered_hat([&lists[0], &lists[1], &lists[2]], 10, Seed(1)).unwrap();
    for (which, axes) in report.sources.iter().enumerate() {
        for (axis, corner) in axes.iter().enumerate() {
            let truth = sigmas[which][axis] * sigmas[which][axis];
            let scale: f64 = sigmas.iter().map(|s| s[axis] * s[axis]).sum();
            assert!((corner.variance - truth).abs() < 0.13 * scale, "{which} {axis}: {corner:?}");
            assert!(corner.interval[0] <= corner.variance && corner.variance <= corner.interval[1]);
        }
    }
    assert_eq!(report.sources[0][0].status, VarianceStatus::Resolved);
    assert!((report.sources[0][0].sigma().unwrap() / 0.018 - 1.0).abs() < 0.1);
}

/// Two sources that share an error look better than they are, and one of them can turn negative.
#[test]
fn a_negative_variance_keeps_its_sign_and_is_named() {
    let a = source([0.001, 0.001, 0.001], 500, 0, 0.02);
    let b = source([0.02, 0.02, 0.02], 500, 1, -0.02);
    let c = source([0.001, 0.001, 0.001], 500, 2, 0.0);
    let report = three_cornered_hat([&c, &a, &b], 5, Seed(1)).unwrap();
    let corner = report.sources[0][0];
    assert!(corner.variance < 0.0 && corner.sigma().is_none(), "{corner:?}");
    assert_eq!(corner.status, VarianceStatus::CorrelatedErrors);
}

#[test]
fn a_constant_difference_is_bias_and_not_variance() {
    let a = source([0.01, 0.01, 0.01], 200, 0, 0.0);
    let b = source([0.01, 0.01, 0.01], 200, 1, 0.0);
    let c = source([0.01, 0.01, 0.01], 200, 2, 0.0);
    let moved: Vec<Pose2> =
        c.iter().map(|pose| Pose2::new(pose.x_m + 0.5, pose.y_m, pose.yaw_rad)).collect();
    let plain = three_cornered_hat([&a, &b, &c], 5, Seed(2)).unwrap();
    let shifted = three_cornered_hat([&a, &b, &moved], 5, Seed(2)).unwrap();
    let off = plain.sources[2][0].variance - shifted.sources[2][0].variance;
    assert!(off.abs() < 1e-12, "{off}");
}

#[test]
fn odd_corners_are_refused() {
    let a = source([0.01; 3], 30, 0, 0.0);
    let short = &a[..10];
    assert!(matches!(
        three_cornered_hat([&a, &a, short], 5, Seed(1)),
        Err(FitError::LengthMismatch { .. })
    ));
    assert!(matches!(
        three_cornered_hat([short, short, short], 5, Seed(1)),
        Err(FitError::TooFew { .. })
    ));
    assert!(three_cornered_hat([&a, &a, &a], 0, Seed(1)).is_err());
    assert!(three_cornered_hat([&[], &[], &[]], 1, Seed(1)).is_err());
}
