//! Seeded fuzz of everything that takes trajectories: NaN, infinity, nothing, one element,
//! duplicates, disorder, huge and tiny coordinates. The answer is a number or a typed reason.

use nalgebra::{Matrix3, Rotation3, Vector3};
use tiepoint_measure::trajectory::{
    AbsoluteOptions, Alignment, AssociationOptions, Delta, Freedom, MotionSignal, Pairing,
    PairsFrom, Relation, RelativeOptions, StampArithmetic, TimeOffset, TimeOffsetOptions,
    TimedPoses, absolute_pose_error, associate_stamps,
    condition::errors_by_condition,
    drift::{DriftArithmetic, DriftOptions, kitti_drift},
    greedy::associate_greedily,
    interpolation::interpolate_at,
    loop_closure::loop_closure_error,
    reference_error::{OwnVariance, reference_error},
    relative_pose_error,
    sub_trajectory::{
        SubTrajectoryMode, SubTrajectoryOptions, default_lengths_m, step_scale_errors,
        sub_trajectory_errors,
    },
    time_offset,
};
use tiepoint_model::{Pose3, Seed, Span, Timestamp, seed::Draws};

const ALIGNMENTS: [Alignment; 8] = [
    Alignment::None,
    Alignment::Origin,
    Alignment::OriginYaw,
    Alignment::SE3,
    Alignment::SIM3,
    Alignment::SCALE_ONLY,
    Alignment::YAW_ONLY,
    Alignment::LeastSquares { freedom: Freedom::Rigid, first_pose_count: Some(3) },
];

const RELATIONS: [Relation; 7] = [
    Relation::Translation,
    Relation::RotationAngleRad,
    Relation::RotationAngleDeg,
    Relation::RotationFrobenius,
    Relation::FullTransformation,
    Relation::PointDistance,
    Relation::DistanceRatioPercent,
];

/// One number of a trajectory's kind, of every size.
fn number(draws: &mut Draws, is_hostile: bool) -> f64 {
    const HOSTILE: [f64; 10] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e160,
        1e-160,
        5e-324,
        -0.0,
        0.0,
    ];
    if is_hostile && draws.below(30) == 0 {
        return HOSTILE[draws.below(HOSTILE.len())];
    }
    10.0 * draws.normal()
}

fn path(draws: &mut Draws, count: usize) -> Vec<Pose3> {
    let is_hostile = draws.below(2) == 0;
    let is_still = draws.below(4) == 0;
    let offset_m = [0.0, 1e6, 1e12, 1e150][draws.below(4)];
    let mut poses: Vec<Pose3> = vec![];
    for _ in 0..count {
        if let Some(last) = poses.last()
            && (is_still || draws.below(5) == 0)
        {
            poses.push(*last);
            continue;
        }
        let [x, y, z] = [0; 3].map(|_| number(draws, is_hostile) + offset_m);
        let mut rotation =
            *Rotation3::from_euler_angles(draws.normal(), draws.normal(), draws.normal()).matrix();
        if is_hostile && draws.below(40) == 0 {
            rotation = [Matrix3::zeros(), Matrix3::repeat(f64::NAN), rotation * 1e200, -rotation]
                [draws.below(4)];
        }
        poses.push(Pose3 { rotation, translation_m: Vector3::new(x, y, z) });
    }
    poses
}

fn stamps(draws: &mut Draws, count: usize) -> Vec<Timestamp> {
    let kind = draws.below(5);
    let mut stamps: Vec<Timestamp> = (0..count as i64)
        .map(|index| {
            Timestamp(match kind {
                0 => index * 100_000_000,
                1 => i64::MAX - index,
                2 => [i64::MIN, 0, i64::MAX][draws.below(3)],
                3 => draws.below(5) as i64,
                _ => draws.below(1_000_000_000) as i64,
            })
        })
        .collect();
    if draws.below(2) == 0 {
        stamps.sort_unstable();
    }
    stamps
}

fn count(draws: &mut Draws) -> usize {
    [0, 1, 2, 3, 5, 20][draws.below(6)]
}

fn all_finite(values: &[f64], what: &str, seed: u64) {
    assert!(values.iter().all(|value| value.is_finite()), "{what}, seed {seed}: {values:?}");
}

#[test]
fn every_answer_about_paired_poses_is_finite_or_a_reason() {
    for seed in 0..3000 {
        let draws = &mut Seed(seed).draws(0, 0);
        let length = count(draws);
        let reference = path(draws, length);
        let length = if draws.below(20) == 0 { count(draws) } else { length };
        let estimate = path(draws, length);
        let alignment = ALIGNMENTS[draws.below(ALIGNMENTS.len())];
        let relation = RELATIONS[draws.below(RELATIONS.len())];
        let options = AbsoluteOptions { relation, alignment };
        if let Ok(got) = absolute_pose_error(&reference, &estimate, &options) {
            all_finite(&got.errors, "absolute", seed);
        }
        let size = [0.0, 1.0, 10.0, 1e9, f64::NAN, -1.0][draws.below(6)];
        let options = RelativeOptions {
            relation,
            alignment,
            delta: [
                Delta::Frames(draws.below(3)),
                Delta::Metres(size),
                Delta::Radians(size),
                Delta::Degrees(size),
            ][draws.below(4)],
            pairing: [Pairing::Consecutive, Pairing::All][draws.below(2)],
            pairs_from: [PairsFrom::Estimate, PairsFrom::Reference][draws.below(2)],
            delta_tolerance_share: [0.1, 0.0, 1e9, f64::NAN][draws.below(4)],
        };
        if let Ok(got) = relative_pose_error(&reference, &estimate, &options) {
            all_finite(&got.series.errors, "relative", seed);
        }
        fuzz_drift(draws, [&reference, &estimate], seed);
    }
}

fn fuzz_drift(draws: &mut Draws, [reference, estimate]: [&[Pose3]; 2], seed: u64) {
    let lengths = [[10.0, 30.0], [1.0, 1e9], [0.0, 1.0], [f64::INFINITY, 1.0]][draws.below(4)];
    let options = DriftOptions {
        lengths_m: &lengths[..draws.below(3)],
        start_step: draws.below(4),
        frame_interval_s: [0.1, 0.0, 1e-320][draws.below(3)],
        arithmetic: [DriftArithmetic::Float32, DriftArithmetic::Float64][draws.below(2)],
    };
    if let Ok(got) = kitti_drift(reference, estimate, &options) {
        let mean = got.mean;
        all_finite(&[mean.translation_percent, mean.rotation_deg_per_m], "drift", seed);
        for s in got.segments {
            let numbers = [s.translation_share, s.rotation_rad_per_m, s.speed_m_per_s];
            all_finite(&numbers, "drift segment", seed);
        }
    }
    let mode = [SubTrajectoryMode::Compatible, SubTrajectoryMode::Corrected][draws.below(2)];
    let options = SubTrajectoryOptions {
        length_m: [10.0, 1e-300, 1e300, 0.0, f64::NAN][draws.below(5)],
        tolerance_share: [0.2, 5.0, 0.0][draws.below(3)],
        scale: [1.0, 1e300, 0.0][draws.below(3)],
        mode,
    };
    if let Ok(got) = sub_trajectory_errors(reference, estimate, &options) {
        for errors in [got.translation, got.translation_percent, got.rotation, got.yaw, got.gravity]
        {
            all_finite(&errors.errors, "sub-trajectory", seed);
            all_finite(&errors.whiskers, "whiskers", seed);
        }
    }
    if let Ok(lengths_m) = default_lengths_m(reference) {
        all_finite(&lengths_m, "lengths", seed);
    }
    if let Ok(found) = Alignment::SIM3.find(reference, estimate)
        && let Ok(got) = step_scale_errors(reference, estimate, &found, mode)
    {
        all_finite(&got.errors, "step scale", seed);
    }
    if let Ok(got) = loop_closure_error(reference, estimate.first().unwrap_or(&Pose3::identity())) {
        all_finite(&[got.translation_m, got.rotation_rad, got.share], "loop closure", seed);
    }
    if let Ok(got) = reference_error(&[reference, estimate, reference]) {
        for own in got {
            let (OwnVariance::Estimated { variance } | OwnVariance::Negative { variance }) = own;
            all_finite(&[variance], "hat", seed);
        }
    }
    let errors: Vec<f64> = reference.iter().map(|pose| pose.translation_m.x).collect();
    let pairs: Vec<(usize, usize)> =
        errors.iter().map(|_| (draws.below(8), draws.below(12))).collect();
    let labels: Vec<usize> = (0..10).map(|_| draws.below(2)).collect();
    if let Ok(got) = errors_by_condition(&errors, &pairs, &labels) {
        assert!(got.groups.values().all(|group| group.n > 0), "seed {seed}");
    }
}

#[test]
fn every_answer_about_stamps_is_in_range_or_a_reason() {
    for seed in 0..3000 {
        let draws = &mut Seed(seed).draws(1, 0);
        let counts = [count(draws), count(draws)];
        let both = counts.map(|count| (stamps(draws, count), path(draws, count)));
        let [(reference, reference_poses), (estimate, estimate_poses)] = &both;
        let options = AssociationOptions {
            difference_max: Span([-1, 0, 1, 1_000_000, i64::MAX][draws.below(5)]),
            arithmetic: [StampArithmetic::Exact, StampArithmetic::FloatSeconds][draws.below(2)],
        };
        let nearest = associate_stamps(reference, estimate, options);
        let greedy = associate_greedily(reference, estimate, options);
        for (i, j) in [nearest, greedy].into_iter().flatten().flatten() {
            assert!(i < reference.len() && j < estimate.len(), "seed {seed}");
        }
        let timed = TimedPoses::new(reference, reference_poses).unwrap();
        let gap_max = Span([0, 1, 1_000_000_000, i64::MAX][draws.below(4)]);
        if let Ok(got) = interpolate_at(timed, estimate, gap_max) {
            for pose in got.poses {
                let sum = pose.rotation.sum() + pose.translation_m.sum();
                all_finite(&[sum], "interpolation", seed);
            }
        }
        let options = TimeOffsetOptions {
            signal: [MotionSignal::AngularSpeed, MotionSignal::Speed][draws.below(2)],
            step: Span([0, 1, 50_000_000, i64::MAX][draws.below(4)]),
            guess: Span([0, i64::MIN, i64::MAX][draws.below(3)]),
            search: Span([0, 1_000, 500_000_000, i64::MIN][draws.below(4)]),
            overlap_min: Span([0, -1, 300_000_000][draws.below(3)]),
            correlation_min: [0.5, 0.01, 0.0, f64::NAN][draws.below(4)],
            margin: [0.05, 0.9, 1.0][draws.below(3)],
        };
        let other = TimedPoses::new(estimate, estimate_poses).unwrap();
        if let Ok(TimeOffset::Found(got)) = time_offset(timed, other, &options) {
            let numbers = [got.half_width_95_s, got.correlation, got.curvature_per_s2];
            all_finite(&numbers, "time offset", seed);
        }
    }
}
