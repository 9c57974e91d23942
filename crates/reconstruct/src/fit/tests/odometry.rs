//! Laws of the odometry fit and of stationarity: parameters come back, the reference's error does
//! not become the wheels'.

use tiepoint_model::sensor::OdometryModel;
use tiepoint_model::{Pose2, Seed};

use crate::fit::{
    FitError, Identification, OdometryStep, ReferenceErrorGrowth, StationarityThresholds,
    find_static_steps, fit_odometry, join_steps,
};

const TRUTH: OdometryModel = OdometryModel {
    scale: 0.98,
    yaw_bias_rad_per_m: 0.004,
    yaw_scale: 1.03,
    sigma_m_per_sqrt_m: 0.02,
    yaw_sigma_rad_per_sqrt_m: 0.01,
    yaw_sigma_rad_per_sqrt_rad: 0.03,
};

/// True motion: some way and some turn per step, now and then a rest.
fn motion(count: u64, seed: Seed) -> Vec<Pose2> {
    (0..count)
        .map(|index| {
            let mut draws = seed.draws(index, 0);
            let distance_m = 0.2 + 0.3 * draws.uniform();
            Pose2::new(distance_m, 0.0, 0.25 * draws.normal())
        })
        .collect()
}

/// Reads the wheels as the model says.
fn wheels(step: Pose2, index: u64, seed: Seed) -> Pose2 {
    let mut draws = seed.draws(index, 1);
    let (root_m, root_rad) = (step.x_m.sqrt(), step.yaw_rad.abs().sqrt());
    Pose2::new(
        TRUTH.scale * step.x_m + TRUTH.sigma_m_per_sqrt_m * root_m * draws.normal(),
        0.0,
        TRUTH.yaw_scale * step.yaw_rad
            + TRUTH.yaw_bias_rad_per_m * step.x_m
            + TRUTH.yaw_sigma_rad_per_sqrt_m * root_m * draws.normal()
            + TRUTH.yaw_sigma_rad_per_sqrt_rad * root_rad * draws.normal(),
    )
}

/// Steps with an independent reference error per increment.
fn steps(count: u64, sigma_m: f64, sigma_rad: f64, seed: Seed) -> Vec<OdometryStep> {
    motion(count, seed)
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let index = index as u64;
            let mut draws = seed.draws(index, 2);
            let reference = Pose2::new(
                step.x_m + sigma_m * draws.normal(),
                step.y_m + sigma_m * draws.normal(),
                step.yaw_rad + sigma_rad * draws.normal(),
            );
            let measured = wheels(step, index, seed);
            OdometryStep::new(measured, reference, sigma_m * sigma_m, sigma_rad * sigma_rad)
        })
        .collect()
}

/// 8000 steps; four jackknife standard errors, and those errors small enough to mean something.
#[test]
fn odometry_parameters_come_back_beside_a_noisy_reference() {
    let report = fit_odometry(&steps(8000, 0.01, 0.01, Seed(31))).unwrap();
    for (parameter, truth, error_max) in [
        (report.scale, TRUTH.scale, 0.002),
        (report.yaw_bias_rad_per_m, TRUTH.yaw_bias_rad_per_m, 0.001),
        (report.yaw_scale, TRUTH.yaw_scale, 0.004),
        (report.sigma_m_per_sqrt_m, TRUTH.sigma_m_per_sqrt_m, 0.001),
        (report.yaw_sigma_rad_per_sqrt_m, TRUTH.yaw_sigma_rad_per_sqrt_m, 0.002),
        (report.yaw_sigma_rad_per_sqrt_rad, TRUTH.yaw_sigma_rad_per_sqrt_rad, 0.002),
    ] {
        let error = parameter.estimate.standard_error.unwrap();
        let off = (parameter.estimate.value - truth).abs();
        assert!(error < error_max && off < 4.0 * error, "{truth}: {parameter:?}");
        assert_eq!(parameter.identification, Identification::Identified);
    }
}

/// With a perfect reference the noise comes back within 3 % (standard error of 4000 steps: 1.1 %).
#[test]
fn wheel_noise_comes_back_from_a_perfect_reference() {
    let report = fit_odometry(&steps(4000, 0.0, 0.0, Seed(32))).unwrap();
    let ratio = report.model.sigma_m_per_sqrt_m / TRUTH.sigma_m_per_sqrt_m;
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    assert!((report.model.scale - TRUTH.scale).abs() < 0.002);
}

/// The reference's error is twelve times the wheels' noise: the fit says so, with a bound above
/// the truth.
#[test]
fn noise_below_the_reference_is_reported_as_hidden_with_a_bound() {
    let report = fit_odometry(&steps(300, 0.15, 0.15, Seed(33))).unwrap();
    let Identification::BelowReferenceError { upper_bound } =
        report.sigma_m_per_sqrt_m.identification
    else {
        panic!("{report:?}");
    };
    assert!(upper_bound > TRUTH.sigma_m_per_sqrt_m, "{upper_bound}");
    assert!(report.model.sigma_m_per_sqrt_m >= 0.0);
}

/// A reference of poses with an error of 2 cm each: single steps hide 1 cm of wheel noise, joined
/// steps show it, because the wheels' error grows and the reference's does not.
#[test]
fn joined_steps_show_noise_that_single_steps_hide() {
    let seed = Seed(34);
    let (pose_sigma_m, count) = (0.02, 4000);
    let mut before = [0.0; 2];
    let single: Vec<OdometryStep> = (0..count)
        .map(|index| {
            let step = Pose2::new(0.3, 0.0, 0.0);
            let mut draws = seed.draws(index, 3);
            let after = [pose_sigma_m * draws.normal(), pose_sigma_m * draws.normal()];
            let reference = Pose2::new(0.3 + after[0] - before[0], after[1] - before[1], 0.0);
            before = after;
            let variance = 2.0 * pose_sigma_m * pose_sigma_m;
            OdometryStep::new(wheels(step, index, seed), reference, variance, 0.0)
        })
        .collect();
    let joined = join_steps(&single, 10, ReferenceErrorGrowth::PerPose).unwrap();
    assert_eq!(joined.len(), 400);
    assert!((joined[0].reference_variance_m2 - 2.0 * pose_sigma_m * pose_sigma_m).abs() < 1e-15);
    let report = fit_odometry(&joined).unwrap();
    assert_eq!(report.sigma_m_per_sqrt_m.identification, Identification::Identified);
    let error = report.sigma_m_per_sqrt_m.estimate.standard_error.unwrap();
    let off = (report.model.sigma_m_per_sqrt_m - TRUTH.sigma_m_per_sqrt_m).abs();
    assert!(off < 4.0 * error && error < 0.004, "{report:?}");
    let summed = join_steps(&single, 10, ReferenceErrorGrowth::PerStep).unwrap();
    assert!(
        (summed[0].reference_variance_m2 / joined[0].reference_variance_m2 - 10.0).abs() < 1e-9
    );
}

#[test]
fn a_robot_that_stands_still_gives_neutral_values_and_says_so() {
    let still = vec![OdometryStep::new(Pose2::IDENTITY, Pose2::IDENTITY, 1e-4, 1e-4); 40];
    let report = fit_odometry(&still).unwrap();
    assert_eq!((report.model.scale, report.model.yaw_scale), (1.0, 1.0));
    assert_eq!(report.model.sigma_m_per_sqrt_m, 0.0);
    for parameter in [report.scale, report.yaw_scale, report.yaw_bias_rad_per_m] {
        assert_eq!(parameter.identification, Identification::NoMotion);
    }
}

#[test]
fn odd_steps_are_refused_by_name() {
    assert!(matches!(fit_odometry(&[]), Err(FitError::TooFew { count: 0, .. })));
    let mut broken = steps(20, 0.01, 0.01, Seed(35));
    broken[3].reference_rad = f64::NAN;
    assert_eq!(fit_odometry(&broken), Err(FitError::NotFinite { what: "rotation", index: 3 }));
    broken[3].reference_rad = 0.0;
    broken[4].reference_variance_m2 = -1.0;
    assert!(matches!(fit_odometry(&broken), Err(FitError::Parameter { .. })));
    assert!(join_steps(&broken, 0, ReferenceErrorGrowth::PerStep).is_err());
}

const THRESHOLDS: StationarityThresholds = StationarityThresholds {
    odometry_m: 0.001,
    odometry_rad: 0.001,
    reference_m: 0.05,
    reference_rad: 0.02,
};

#[test]
fn a_step_is_static_only_if_every_source_says_so() {
    let (rest, turn) = (Pose2::IDENTITY, Pose2::new(0.0, 0.0, -0.01));
    let odometry = [rest, rest, turn, rest, Pose2::new(0.2, 0.0, 0.0), rest];
    let slide = Pose2::new(0.2, 0.0, 0.0);
    let reference = [Some(rest), None, Some(rest), Some(slide), Some(rest), Some(rest)];
    let report = find_static_steps(&odometry, &reference, THRESHOLDS).unwrap();
    assert_eq!(report.static_steps, [0, 1, 5]);
    assert_eq!(report.run_count, 2);
    let alone = find_static_steps(&odometry, &[], THRESHOLDS).unwrap();
    assert_eq!(alone.static_steps, [0, 1, 3, 5]);
    assert_eq!(find_static_steps(&[], &[], THRESHOLDS).unwrap().step_count, 0);
    assert!(find_static_steps(&odometry, &reference[..2], THRESHOLDS).is_err());
    let broken = [Pose2 { x_m: f64::NAN, ..rest }];
    let refused = find_static_steps(&broken, &[], THRESHOLDS);
    assert_eq!(refused, Err(FitError::NotFinite { what: "odometry", index: 0 }));
}
