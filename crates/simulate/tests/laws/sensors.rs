//! Readings have the statistics that the models say, and noise stays with the reading it belongs
//! to.

use std::f64::consts::PI;

use tiepoint_model::{
    Pose2, Seed, math,
    sensor::{BeaconModel, LidarModel, NormalComponent, OdometryModel, RangeErrorModel, Regime},
};
use tiepoint_simulate::{
    LaserSweep, ScanGeometry, ScanStream, SimulateError, World,
    sensors::{range_errors, stationary_distribution},
    simulate_odometry, simulate_ranges, simulate_scan,
};

use crate::scene::{
    Room, half_turn_geometry, perfect_lidar, perfect_odometry, real_lidar, real_odometry,
};

fn square_world() -> (Room, World) {
    let room = Room { polygons: vec![vec![[0.0, 0.0], [8.0, 0.0], [8.0, 6.0], [0.0, 6.0]]] };
    let world = World::new(&room.map(0.1)).unwrap();
    (room, world)
}

/// Residuals reading - true range of `frame_count` sweeps from one place.
fn residuals(model: &LidarModel, frame_count: u64) -> Vec<f64> {
    let (room, world) = square_world();
    let map_from_laser = Pose2::new(3.0, 2.5, 0.4);
    let geometry = half_turn_geometry();
    let frames = (0..frame_count).flat_map(|frame_index| {
        let stream = ScanStream { seed: Seed(21), frame_index };
        let sweep = LaserSweep::still(map_from_laser);
        let ranges_m = simulate_scan(&world, sweep, &geometry, model, stream).unwrap();
        let residual = |(beam_index, range_m): (usize, &f32)| {
            let angle_rad = geometry.angle_min_rad
                + beam_index as f64 * geometry.angle_increment_rad
                + map_from_laser.yaw_rad;
            let (sin, cos) = math::sin_cos(angle_rad);
            f64::from(*range_m) - room.range_m([3.0, 2.5], [cos, sin])
        };
        ranges_m.iter().enumerate().map(residual).collect::<Vec<_>>()
    });
    frames.collect()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// Five standard errors: sigma / sqrt(n) for the mean, sigma / sqrt(2 n) for the deviation.
#[test]
fn noise_of_the_readings_is_the_models_noise() {
    for quantisation_m in [0.0, 0.01] {
        let model = LidarModel { sigma_m: 0.02, bias_m: -0.013, quantisation_m, ..perfect_lidar() };
        let residuals = residuals(&model, 100);
        let count = residuals.len() as f64;
        let (mean_m, deviation_m) = mean_and_deviation(&residuals);
        // A uniform error of a step adds step^2 / 12 (Sheppard; exact to 1e-17 for a step of half
        // a sigma).
        let expected_m = (0.02_f64 * 0.02 + quantisation_m * quantisation_m / 12.0).sqrt();
        assert!((mean_m + 0.013).abs() < 5.0 * expected_m / count.sqrt(), "{mean_m}");
        let error_m = (deviation_m - expected_m).abs();
        assert!(error_m < 5.0 * expected_m / (2.0 * count).sqrt(), "{deviation_m}");
    }
}

#[test]
fn quantised_readings_lie_on_the_grid_and_round_half_up() {
    let model = LidarModel { quantisation_m: 0.25, ..perfect_lidar() };
    let (_, world) = square_world();
    let geometry = ScanGeometry { beam_count: 1, angle_min_rad: 0.0, ..half_turn_geometry() };
    let read = |x_m: f64| {
        let sweep = LaserSweep::still(Pose2::new(x_m, 3.0, 0.0));
        let stream = ScanStream { seed: Seed(1), frame_index: 0 };
        simulate_scan(&world, sweep, &geometry, &model, stream).unwrap()[0]
    };
    assert_eq!([read(6.875), read(6.876), read(6.626), read(6.624)], [1.25, 1.0, 1.25, 1.5]);
}

/// Five binomial standard errors.
#[test]
fn failures_come_as_often_as_the_model_says() {
    let model = LidarModel { failed_share: 0.02, short_share: 0.05, ..perfect_lidar() };
    let (room, world) = square_world();
    let place = Pose2::new(4.0, 3.0, 0.0);
    let geometry = half_turn_geometry();
    let (mut failed, mut short, mut count) = (0.0, 0.0, 0.0);
    let mut short_places = Vec::new();
    for frame_index in 0..150 {
        let stream = ScanStream { seed: Seed(2), frame_index };
        let ranges_m =
            simulate_scan(&world, LaserSweep::still(place), &geometry, &model, stream).unwrap();
        for (beam_index, range_m) in ranges_m.into_iter().enumerate() {
            let (sin, cos) = math::sin_cos(-PI / 2.0 + beam_index as f64 * PI / 360.0);
            let true_m = room.range_m([4.0, 3.0], [cos, sin]);
            count += 1.0;
            if range_m == 0.0 {
                failed += 1.0;
            } else if f64::from(range_m) < true_m - 1e-5 {
                short += 1.0;
                short_places.push((f64::from(range_m) - 0.05) / (true_m - 0.05));
            }
        }
    }
    let within = |seen: f64, share: f64, n: f64| {
        (seen / n - share).abs() < 5.0 * (share * (1.0 - share) / n).sqrt()
    };
    assert!(within(failed, 0.02, count), "{failed}");
    assert!(within(short, 0.05 * 0.98, count), "{short}");
    // Uniform between the least range and the wall: mean 1/2, deviation 1/sqrt(12).
    let (mean, deviation) = mean_and_deviation(&short_places);
    let root = (short_places.len() as f64).sqrt();
    assert!((mean - 0.5).abs() < 5.0 * 0.289 / root && (deviation - 0.2887).abs() < 0.01);
}

#[test]
fn beams_that_see_no_wall_read_no_return() {
    let (_, world) = square_world();
    let model = LidarModel { range_max_m: 2.0, no_return_reading_m: 2.5, ..perfect_lidar() };
    let geometry =
        ScanGeometry { beam_count: 8, angle_increment_rad: PI / 4.0, ..half_turn_geometry() };
    let stream = ScanStream { seed: Seed(1), frame_index: 0 };
    let inside = LaserSweep::still(Pose2::new(4.0, 3.0, 0.0));
    let outside = LaserSweep::still(Pose2::new(-3.0, 3.0, 0.0));
    for sweep in [inside, outside] {
        let ranges_m = simulate_scan(&world, sweep, &geometry, &model, stream).unwrap();
        assert_eq!(ranges_m, vec![2.5; 8]);
    }
}

#[test]
fn adding_a_beam_moves_no_other_beam() {
    let (_, world) = square_world();
    let sweep = LaserSweep::still(Pose2::new(4.0, 3.0, 0.3));
    let stream = ScanStream { seed: Seed(9), frame_index: 7 };
    let geometry = half_turn_geometry();
    let longer = ScanGeometry { beam_count: 500, ..geometry };
    let [few, many] = [geometry, longer]
        .map(|geometry| simulate_scan(&world, sweep, &geometry, &real_lidar(), stream).unwrap());
    assert_eq!(few, many[..361]);
}

#[test]
fn a_moving_scanner_reads_each_beam_from_its_own_place() {
    let (_, world) = square_world();
    let (first, last) = (Pose2::new(3.0, 2.0, 3.0), Pose2::new(3.4, 2.6, -3.0));
    let sweep = LaserSweep { map_from_first: first, map_from_last: last };
    let stream = ScanStream { seed: Seed(9), frame_index: 0 };
    let geometry = ScanGeometry { beam_count: 11, ..half_turn_geometry() };
    let readings = simulate_scan(&world, sweep, &geometry, &perfect_lidar(), stream).unwrap();
    for (index, reading) in readings.into_iter().enumerate() {
        let pose = tiepoint_simulate::poses::interpolate(first, last, index as f64 / 10.0);
        let still = LaserSweep::still(pose);
        let alone = simulate_scan(&world, still, &geometry, &perfect_lidar(), stream).unwrap();
        assert_eq!(reading, alone[index]);
    }
}

#[test]
fn models_out_of_range_are_refused() {
    let (_, world) = square_world();
    let sweep = LaserSweep::still(Pose2::new(4.0, 3.0, 0.0));
    let stream = ScanStream { seed: Seed(9), frame_index: 0 };
    let refused = |model: LidarModel| {
        simulate_scan(&world, sweep, &half_turn_geometry(), &model, stream).unwrap_err()
    };
    for error in [
        refused(LidarModel { sigma_m: f64::NAN, ..perfect_lidar() }),
        refused(LidarModel { failed_share: 1.1, ..perfect_lidar() }),
        refused(LidarModel { range_max_m: 0.0, ..perfect_lidar() }),
    ] {
        assert!(matches!(error, SimulateError::Parameter { .. }), "{error}");
        assert!(!error.hint().is_empty());
    }
    let nowhere = LaserSweep::still(Pose2 { x_m: f64::NAN, ..Pose2::IDENTITY });
    let result = simulate_scan(&world, nowhere, &half_turn_geometry(), &real_lidar(), stream);
    assert!(matches!(result, Err(SimulateError::NotFinite { .. })));
}

/// Sums of up to 400 steps: 1e-10 is far above rounding.
#[test]
fn perfect_odometry_is_the_truth_seen_from_its_start() {
    let poses: Vec<Pose2> = (0..400)
        .map(|index| {
            let t = f64::from(index) * 0.05;
            Pose2::new(3.0 * math::cos(t), 2.0 * math::sin(t) + 1.0, 1.4 * t)
        })
        .collect();
    let odom = simulate_odometry(&poses, &perfect_odometry(), Seed(3)).unwrap();
    assert_eq!(odom[0], Pose2::IDENTITY);
    for (pose, odom_from_base) in poses.iter().zip(odom) {
        let expected = poses[0].inverse() * *pose;
        assert!(expected.distance_m(odom_from_base) < 1e-10);
        assert!(math::wrap_angle(expected.yaw_rad - odom_from_base.yaw_rad).abs() < 1e-10);
    }
    assert_eq!(simulate_odometry(&[], &real_odometry(), Seed(1)).unwrap(), vec![]);
    let still = vec![Pose2::new(1.0, 2.0, 3.0); 5];
    let odom = simulate_odometry(&still, &real_odometry(), Seed(1)).unwrap();
    assert_eq!(odom, vec![Pose2::IDENTITY; 5]);
}

/// Driving 10 m gives the same deviation in 10 steps as in 100; five standard errors of a
/// deviation from 2000 runs are 8 %.
#[test]
fn odometry_noise_grows_with_the_root_of_the_distance() {
    let model = OdometryModel { sigma_m_per_sqrt_m: 0.03, scale: 0.97, ..perfect_odometry() };
    for step_count in [10_u32, 100] {
        let poses: Vec<Pose2> = (0..=step_count)
            .map(|index| Pose2::new(f64::from(index) * 10.0 / f64::from(step_count), 0.0, 0.0))
            .collect();
        let ends: Vec<f64> = (0..2000)
            .map(|seed| simulate_odometry(&poses, &model, Seed(seed)).unwrap().last().unwrap().x_m)
            .collect();
        let (mean_m, deviation_m) = mean_and_deviation(&ends);
        let expected_m = 0.03 * 10.0_f64.sqrt();
        assert!((mean_m - 9.7).abs() < 5.0 * expected_m / 2000.0_f64.sqrt(), "{mean_m}");
        assert!((deviation_m / expected_m - 1.0).abs() < 0.08, "{deviation_m}");
    }
}

#[test]
fn a_perfect_range_is_the_distance_in_space() {
    let error = RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.0 };
    let beacon =
        BeaconModel { beacon_id: 4, position_m: [3.0, 4.0, 12.5], missing_share: 0.0, error };
    // A quarter turn puts the antenna, 1 m ahead in the robot, at (0, 0) in the map.
    let pose = Pose2::new(0.0, -1.0, PI / 2.0);
    let ranges_m = simulate_ranges(&[pose], [1.0, 0.0, 0.5], &beacon, Seed(1)).unwrap();
    assert_eq!(ranges_m, vec![Some(13.0)]);
}

/// Quantiles of Student's t with 3 degrees of freedom from any table: half within 0.764892, 1 %
/// outside 5.840909.
#[test]
fn heavy_tails_have_students_quantiles() {
    let model =
        RangeErrorModel::HeavyTailed { location_m: 0.5, scale_m: 2.0, degrees_of_freedom: 3.0 };
    let count = 40_000;
    let errors_m = range_errors(&model, count, Seed(8)).unwrap();
    let share = |limit: f64| {
        let inside = errors_m.iter().filter(|error| ((**error - 0.5) / 2.0).abs() < limit).count();
        inside as f64 / count as f64
    };
    // Five binomial standard errors.
    assert!((share(0.764_892) - 0.5).abs() < 5.0 * 0.0025);
    assert!((share(5.840_909) - 0.99).abs() < 5.0 * 0.0005);
    let below = errors_m.iter().filter(|error| **error < 0.5).count() as f64;
    assert!((below / count as f64 - 0.5).abs() < 5.0 * 0.0025);
}

#[test]
fn mixture_components_come_as_often_as_their_weights() {
    let far = |weight, mean_m| NormalComponent { weight, mean_m, sigma_m: 0.5 };
    let components = vec![far(0.7, 0.0), far(0.1, 20.0), far(0.2, -20.0)];
    let errors_m = range_errors(&RangeErrorModel::Mixture { components }, 20_000, Seed(8)).unwrap();
    for (mean_m, weight) in [(0.0, 0.7), (20.0, 0.1), (-20.0, 0.2)] {
        let near = |error: &&f64| (**error - mean_m).abs() < 10.0;
        let of: Vec<f64> = errors_m.iter().filter(near).copied().collect();
        let share = of.len() as f64 / 20_000.0;
        assert!((share - weight).abs() < 5.0 * (weight * (1.0 - weight) / 20_000.0_f64).sqrt());
        let (_, deviation_m) = mean_and_deviation(&of);
        assert!((deviation_m / 0.5 - 1.0).abs() < 5.0 / (2.0 * of.len() as f64).sqrt());
    }
}

/// Regimes 40 deviations apart tell themselves by their readings.
/// Over 4000 seeds the share of a regime at reading `k` has a standard error below 0.007.
#[test]
fn regime_switching_is_stationary_from_the_first_reading() {
    let regime = |mean_m, autocorrelation| Regime { mean_m, sigma_m: 0.5, autocorrelation };
    let model = RangeErrorModel::RegimeSwitching {
        regimes: vec![regime(0.0, 0.8), regime(20.0, 0.0)],
        transition: vec![vec![0.9, 0.1], vec![0.3, 0.7]],
    };
    let runs: Vec<Vec<f64>> =
        (0..4000).map(|seed| range_errors(&model, 12, Seed(seed)).unwrap()).collect();
    for reading_index in [0, 1, 11] {
        let at: Vec<f64> = runs.iter().map(|run| run[reading_index]).collect();
        let high = at.iter().filter(|error| **error > 10.0).count() as f64 / 4000.0;
        assert!((high - 0.25).abs() < 5.0 * 0.007, "{high} at {reading_index}");
        let low: Vec<f64> = at.into_iter().filter(|error| *error < 10.0).collect();
        let (mean_m, deviation_m) = mean_and_deviation(&low);
        // 3000 readings: standard errors 0.0091 and 0.0065 m.
        assert!(mean_m.abs() < 5.0 * 0.0091 && (deviation_m - 0.5).abs() < 5.0 * 0.0065);
    }
    let pairs: Vec<[f64; 2]> =
        runs.iter().flat_map(|run| run.windows(2).map(|w| [w[0], w[1]])).collect();
    let correlation = |centre_m: f64| {
        let both = pairs.iter().filter(|pair| pair.iter().all(|e| (e - centre_m).abs() < 10.0));
        let products: Vec<f64> =
            both.map(|pair| (pair[0] - centre_m) * (pair[1] - centre_m) / 0.25).collect();
        mean_and_deviation(&products).0
    };
    // About 30 000 and 7700 pairs; products of normals have deviation below 1.3.
    assert!((correlation(0.0) - 0.8).abs() < 5.0 * 0.0085, "{}", correlation(0.0));
    assert!(correlation(20.0).abs() < 5.0 * 0.015, "{}", correlation(20.0));
}

#[test]
fn stationary_distributions_of_known_chains() {
    let close = |got: Vec<f64>, expected: &[f64]| {
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{got:?}");
    };
    let of = |rows: &[&[f64]]| {
        stationary_distribution(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    };
    close(of(&[&[0.9, 0.1], &[0.3, 0.7]]).unwrap(), &[0.75, 0.25]);
    close(of(&[&[0.0, 1.0], &[1.0, 0.0]]).unwrap(), &[0.5, 0.5]);
    close(of(&[&[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0], &[1.0, 0.0, 0.0]]).unwrap(), &[1.0 / 3.0; 3]);
    close(of(&[&[1.0]]).unwrap(), &[1.0]);
    let cut = of(&[&[1.0, 0.0], &[0.0, 1.0]]);
    assert_eq!(cut, Err(SimulateError::NoStationaryDistribution { regime_index: 1 }));
    assert_eq!(of(&[]), Err(SimulateError::Empty { what: "transition" }));
    assert!(matches!(of(&[&[0.5, 0.5]]), Err(SimulateError::Length { .. })));
    assert!(matches!(of(&[&[0.5]]), Err(SimulateError::Parameter { .. })));
}

#[test]
fn missing_readings_come_as_often_as_the_model_says_and_move_no_error() {
    let error = RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.1 };
    let whole =
        BeaconModel { beacon_id: 4, position_m: [9.0, 4.0, 1.0], missing_share: 0.0, error };
    let holed = BeaconModel { missing_share: 0.1, ..whole.clone() };
    let poses = vec![Pose2::IDENTITY; 5000];
    let [whole, holed] =
        [whole, holed].map(|beacon| simulate_ranges(&poses, [0.0; 3], &beacon, Seed(6)).unwrap());
    let missing = holed.iter().filter(|range_m| range_m.is_none()).count() as f64;
    assert!((missing / 5000.0 - 0.1).abs() < 5.0 * 0.0043);
    for (all, some) in whole.into_iter().zip(holed).filter(|(_, some)| some.is_some()) {
        assert_eq!(all, some);
    }
}
