//! Laws of drift, sub-trajectory errors, conditions, loop closure, the three-cornered hat, and of
//! the two further ways of association.

use nalgebra::{Rotation3, Vector3};
use proptest::{collection::vec, prelude::*};
use tiepoint_measure::{
    MeasureError, Statistics,
    trajectory::{
        Alignment, AssociationOptions, Similarity, StampArithmetic, TimedPoses,
        condition::errors_by_condition,
        drift::{DriftArithmetic, DriftOptions, kitti_drift},
        greedy::associate_greedily,
        interpolation::interpolate_at,
        loop_closure::loop_closure_error,
        reference_error::{OwnVariance, reference_error, three_cornered_hat},
        sub_trajectory::{
            ErrorBox, SubTrajectoryMode, SubTrajectoryOptions, step_scale_errors,
            sub_trajectory_errors,
        },
    },
};
use tiepoint_model::{Pose2, Pose3, Seed, Span, Timestamp};

use crate::trajectory::{moved, pose, two_paths};

const SHORT: DriftOptions<'static> = DriftOptions {
    lengths_m: &[20.0, 50.0, 90.0],
    start_step: 2,
    frame_interval_s: 0.1,
    arithmetic: DriftArithmetic::Float64,
};

/// Paths long enough for every length of `SHORT`: steps of random poses are some 20 m.
fn two_long_paths() -> impl Strategy<Value = (Vec<Pose3>, Vec<Pose3>)> {
    (15_usize..40).prop_flat_map(|count| (vec(pose(), count), vec(pose(), count)))
}

fn sub_options(mode: SubTrajectoryMode) -> SubTrajectoryOptions {
    SubTrajectoryOptions { length_m: 40.0, tolerance_share: 0.5, scale: 1.0, mode }
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

fn stretched(path: &[Pose3], scale: f64) -> Vec<Pose3> {
    path.iter().map(|p| Pose3 { translation_m: p.translation_m * scale, ..*p }).collect()
}

fn boxes(
    got: &tiepoint_measure::trajectory::sub_trajectory::SubTrajectoryErrors,
) -> [&ErrorBox; 5] {
    [&got.translation, &got.translation_percent, &got.rotation, &got.yaw, &got.gravity]
}

proptest! {
    /// The arc cosine of a trace that is 3 up to rounding is up to 5e-8 rad, over 20 m and more.
    #[test]
    fn drift_of_a_path_with_itself_is_zero((path, _) in two_long_paths()) {
        for arithmetic in [DriftArithmetic::Float64, DriftArithmetic::Float32] {
            let drift = kitti_drift(&path, &path, &DriftOptions { arithmetic, ..SHORT }).unwrap();
            prop_assert!(drift.mean.translation_percent < 1e-10, "{:?}", drift.mean);
            prop_assert!(drift.mean.rotation_deg_per_m < 1e-6, "{:?}", drift.mean);
        }
    }

    #[test]
    fn drift_is_unchanged_by_moving_either_path(
        (reference, estimate) in two_long_paths(), a in pose(), b in pose(),
    ) {
        let one = kitti_drift(&reference, &estimate, &SHORT).unwrap();
        let other = kitti_drift(&moved(&reference, a), &moved(&estimate, b), &SHORT).unwrap();
        let ends = |drift: &tiepoint_measure::trajectory::drift::Drift| -> Vec<usize> {
            drift.segments.iter().map(|segment| segment.last_index).collect()
        };
        prop_assert_eq!(ends(&one), ends(&other));
        let numbers = |mean: tiepoint_measure::trajectory::drift::DriftMean| {
            [mean.translation_percent, mean.rotation_deg_per_m]
        };
        prop_assert!(close(&numbers(one.mean), &numbers(other.mean), 1e-7));
    }

    /// The translation error of a stretched path is the stretch times the straight distance.
    #[test]
    fn drift_of_a_stretched_path_is_the_stretch(
        (path, _) in two_long_paths(), scale in 0.5..2.0_f64,
    ) {
        let drift = kitti_drift(&path, &stretched(&path, scale), &SHORT).unwrap();
        for s in drift.segments {
            let direct_m =
                (path[s.last_index].translation_m - path[s.first_index].translation_m).norm();
            let expected = (scale - 1.0).abs() * direct_m / s.length_m;
            prop_assert!((s.translation_share - expected).abs() < 1e-10);
        }
    }

    /// Ends, errors and mean written out by the definition.
    #[test]
    fn drift_agrees_with_a_direct_sum((reference, estimate) in two_long_paths()) {
        let drift = kitti_drift(&reference, &estimate, &SHORT).unwrap();
        let mut shares = vec![];
        for first in (0..reference.len()).step_by(SHORT.start_step) {
            for &length_m in SHORT.lengths_m {
                let mut sum_m = 0.0;
                for last in first + 1..reference.len() {
                    let step = reference[last].translation_m - reference[last - 1].translation_m;
                    sum_m += step.norm();
                    if sum_m > length_m {
                        let p = reference[first].inverse() * reference[last];
                        let q = estimate[first].inverse() * estimate[last];
                        shares.push((q.inverse() * p).translation_m.norm() / length_m);
                        break;
                    }
                }
            }
        }
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        prop_assert_eq!(drift.segments.len(), shares.len());
        prop_assert!((drift.mean.translation_percent - 100.0 * mean).abs() < 1e-9);
    }

    #[test]
    fn sub_trajectory_errors_of_a_path_with_itself_are_zero((path, _) in two_long_paths()) {
        let options = sub_options(SubTrajectoryMode::Corrected);
        let Ok(got) = sub_trajectory_errors(&path, &path, &options) else { return Ok(()) };
        for errors in boxes(&got) {
            prop_assert!(errors.statistics.max < 1e-11, "{}", errors.id);
        }
    }

    #[test]
    fn sub_trajectory_lengths_and_angles_are_unchanged_by_moving_either_path(
        (reference, estimate) in two_long_paths(), a in pose(), b in pose(),
    ) {
        let options = sub_options(SubTrajectoryMode::Corrected);
        let Ok(one) = sub_trajectory_errors(&reference, &estimate, &options) else {
            return Ok(());
        };
        let [reference, estimate] = [moved(&reference, a), moved(&estimate, b)];
        let other = sub_trajectory_errors(&reference, &estimate, &options).unwrap();
        prop_assert_eq!(&one.pairs, &other.pairs);
        for (one, other) in boxes(&one).into_iter().zip(boxes(&other)).take(3) {
            prop_assert!(close(&one.errors, &other.errors, 1e-9), "{}", one.id);
        }
    }

    #[test]
    fn modes_agree_where_every_start_has_an_end(count in 10_usize..60, step_m in 0.5..2.0_f64) {
        let straight: Vec<Pose3> =
            (0..count).map(|i| Pose2::new(step_m * i as f64, 0.0, 0.0).in_space()).collect();
        let estimate = stretched(&straight, 1.1);
        let [compatible, corrected] =
            [SubTrajectoryMode::Compatible, SubTrajectoryMode::Corrected].map(|mode| {
                let (length_m, tolerance_share) = (4.0, 0.3);
                let options =
                    SubTrajectoryOptions { length_m, tolerance_share, ..sub_options(mode) };
                sub_trajectory_errors(&straight, &estimate, &options)
            });
        prop_assert_eq!(compatible, corrected);
    }

    #[test]
    fn boxes_are_ordered((reference, estimate) in two_long_paths()) {
        let options = sub_options(SubTrajectoryMode::Corrected);
        let Ok(got) = sub_trajectory_errors(&reference, &estimate, &options) else {
            return Ok(());
        };
        for b in boxes(&got) {
            let figures = [
                b.statistics.min, b.whiskers[0], b.quartile_first, b.statistics.median,
                b.quartile_third, b.whiskers[1], b.statistics.max,
            ];
            prop_assert!(figures.is_sorted(), "{figures:?}");
        }
    }

    #[test]
    fn step_scale_of_a_stretched_path_is_the_stretch(
        (path, _) in two_paths(), scale in 0.1..10.0_f64,
    ) {
        let mode = SubTrajectoryMode::Corrected;
        let identity = Similarity::identity();
        let got = step_scale_errors(&path, &stretched(&path, scale), &identity, mode).unwrap();
        let expected = vec![100.0 * (scale - 1.0).abs(); got.errors.len()];
        prop_assert!(close(&got.errors, &expected, 1e-9));
    }

    #[test]
    fn conditions_partition_the_errors(
        rows in vec((0.0..9.0_f64, 0_usize..30, 0_usize..6), 1..50),
        labels in vec(0_u8..3, 36),
    ) {
        let errors: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let pairs: Vec<(usize, usize)> = rows.iter().map(|row| (row.1, row.1 + row.2)).collect();
        match errors_by_condition(&errors, &pairs, &labels) {
            Ok(got) => {
                let grouped: usize = got.groups.values().map(|group| group.n).sum();
                prop_assert_eq!(grouped + got.crossing_count, errors.len());
                for (label, group) in &got.groups {
                    let of_label: Vec<f64> = rows
                        .iter()
                        .filter(|row| labels[row.1..=row.1 + row.2].iter().all(|l| l == label))
                        .map(|row| row.0)
                        .collect();
                    prop_assert_eq!(*group, Statistics::of(&of_label, "errors").unwrap());
                }
            }
            Err(error) => {
                let is_expected = matches!(error, MeasureError::NoPairs { .. });
                prop_assert!(is_expected, "{error}");
            }
        }
    }

    #[test]
    fn one_condition_gives_the_overall_statistics(errors in vec(0.0..9.0_f64, 1..50)) {
        let pairs = vec![(0, 4); errors.len()];
        let got = errors_by_condition(&errors, &pairs, &["dry"; 5]).unwrap();
        prop_assert_eq!(got.groups["dry"], Statistics::of(&errors, "errors").unwrap());
        prop_assert_eq!(got.crossing_count, 0);
    }

    #[test]
    fn a_closed_loop_has_no_error((mut path, _) in two_paths()) {
        path.push(path[0]);
        let closure = loop_closure_error(&path, &Pose3::identity()).unwrap();
        prop_assert!(closure.translation_m < 1e-13 && closure.rotation_rad < 1e-14);
    }

    #[test]
    fn loop_closure_is_unchanged_by_moving_the_path((path, _) in two_paths(), a in pose()) {
        let known = path[0].inverse() * path[path.len() - 1];
        let zero = loop_closure_error(&path, &known).unwrap();
        prop_assert!(zero.translation_m < 1e-12 && zero.rotation_rad < 1e-13);
        let one = loop_closure_error(&path, &Pose3::identity()).unwrap();
        let other = loop_closure_error(&moved(&path, a), &Pose3::identity()).unwrap();
        prop_assert!((one.translation_m - other.translation_m).abs() < 1e-12);
        prop_assert!((one.rotation_rad - other.rotation_rad).abs() < 1e-13);
        prop_assert!((one.share - other.share).abs() < 1e-13);
    }

    #[test]
    fn loop_closure_scales_with_length((path, _) in two_paths(), scale in 0.01..100.0_f64) {
        let one = loop_closure_error(&path, &Pose3::identity()).unwrap();
        let other = loop_closure_error(&stretched(&path, scale), &Pose3::identity()).unwrap();
        prop_assert!((other.translation_m - scale * one.translation_m).abs() < 1e-11 * scale);
        prop_assert!((other.share - one.share).abs() < 1e-12);
        prop_assert_eq!(other.rotation_rad, one.rotation_rad);
    }

    #[test]
    fn hat_scales_with_the_square(
        rows in vec(vec(-5.0..5.0_f64, 4), 3..40), scale in 0.01..100.0_f64,
    ) {
        let one = hat(&rows, |value, _| value);
        let other = hat(&rows, |value, _| scale * value);
        let expected: Vec<f64> = one.iter().map(|variance| variance * scale * scale).collect();
        prop_assert!(close(&other, &expected, 1e-11 * scale * scale));
    }

    /// A motion that all share, and a constant offset of each, change nothing.
    #[test]
    fn hat_is_blind_to_the_motion_and_to_offsets(
        rows in vec(vec(-5.0..5.0_f64, 4), 3..40),
        motion in vec(-50.0..50.0_f64, 40),
        offsets in vec(-50.0..50.0_f64, 4),
    ) {
        let one = hat(&rows, |value, _| value);
        let other = hat(&rows, |value, (row, side)| value + motion[row] + offsets[side]);
        prop_assert!(close(&one, &other, 1e-10));
    }

    #[test]
    fn hat_follows_the_order_of_the_series(rows in vec(vec(-5.0..5.0_f64, 4), 3..40)) {
        let one = hat(&rows, |value, _| value);
        let reversed: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().rev().copied().collect()).collect();
        let mut other = hat(&reversed, |value, _| value);
        other.reverse();
        prop_assert!(close(&one, &other, 1e-11));
    }

    #[test]
    fn position_hat_is_unchanged_by_moving_all_paths(
        (a, b) in two_paths(), noise in vec(-1.0..1.0_f64, 40), elsewhere in pose(),
    ) {
        let c: Vec<Pose3> = a
            .iter()
            .zip(&noise)
            .map(|(p, n)| Pose3 { translation_m: p.translation_m.add_scalar(*n), ..*p })
            .collect();
        let one = reference_error(&[&a, &b, &c]).unwrap();
        let [a, b, c] = [a, b, c].map(|path| moved(&path, elsewhere));
        let other = reference_error(&[&a, &b, &c]).unwrap();
        prop_assert!(close(&values(&one), &values(&other), 1e-9));
    }

    /// All pairs below the limit, sorted by difference and then by stamp, taken while free.
    #[test]
    fn greedy_association_equals_sorting_all_pairs(
        reference in vec(0_i64..200, 1..30),
        estimate in vec(0_i64..200, 1..30),
        limit_ns in 1_i64..12,
    ) {
        let mut all = vec![];
        for (i, a) in reference.iter().enumerate() {
            for (j, b) in estimate.iter().enumerate() {
                if (a - b).abs() < limit_ns {
                    all.push(((a - b).abs(), (*a, i), (*b, j)));
                }
            }
        }
        all.sort_unstable();
        let mut expected: Vec<(usize, usize)> = vec![];
        for (_, (_, i), (_, j)) in all {
            if expected.iter().all(|pair| pair.0 != i && pair.1 != j) {
                expected.push((i, j));
            }
        }
        expected.sort_unstable();
        prop_assert_eq!(greedy(&reference, &estimate, limit_ns), expected);
    }

    /// Where all differences differ, neither side is preferred.
    #[test]
    fn greedy_association_is_symmetric(
        reference in vec(0_i64..1_000_000, 1..30),
        estimate in vec(0_i64..1_000_000, 1..30),
    ) {
        let limit_ns = 100_000;
        let one = greedy(&reference, &estimate, limit_ns);
        let mut other: Vec<_> =
            greedy(&estimate, &reference, limit_ns).into_iter().map(|(i, j)| (j, i)).collect();
        other.sort_unstable();
        let mut differences: Vec<i64> = reference
            .iter()
            .flat_map(|a| estimate.iter().map(move |b| (a - b).abs()))
            .collect();
        let count = differences.len();
        differences.sort_unstable();
        differences.dedup();
        prop_assume!(differences.len() == count);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn interpolation_at_the_stamps_answers_the_poses((path, _) in two_paths(), step in 1_i64..99) {
        let stamps = stamps(path.len(), step);
        let timed = TimedPoses::new(&stamps, &path).unwrap();
        let got = interpolate_at(timed, &stamps, Span(1)).unwrap();
        prop_assert_eq!(got.poses, path);
        prop_assert_eq!((got.outside_count, got.gap_count), (0, 0));
    }

    #[test]
    fn interpolation_commutes_with_moving_the_path(
        (path, _) in two_paths(), a in pose(), instants in vec(0_i64..4000, 1..20),
    ) {
        let stamps = stamps(path.len(), 100);
        let instants: Vec<Timestamp> = instants.into_iter().map(Timestamp).collect();
        let at = |poses: &[Pose3]| {
            interpolate_at(TimedPoses::new(&stamps, poses).unwrap(), &instants, Span(100))
        };
        let Ok(one) = at(&path) else { return Ok(()) };
        let other = at(&moved(&path, a)).unwrap();
        for (one, other) in moved(&one.poses, a).iter().zip(&other.poses) {
            prop_assert!((one.translation_m - other.translation_m).norm() < 1e-12);
            // Near a half turn either way round is the shortest.
            let turn = (one.rotation.transpose() * other.rotation).trace();
            prop_assert!(turn > 3.0 - 1e-9 || is_near_half_turn(&path));
        }
    }

    #[test]
    fn interpolated_positions_lie_between_their_neighbours(
        (path, _) in two_paths(), instants in vec(0_i64..4000, 1..20),
    ) {
        let stamps = stamps(path.len(), 100);
        let instants: Vec<Timestamp> = instants.into_iter().map(Timestamp).collect();
        let timed = TimedPoses::new(&stamps, &path).unwrap();
        let Ok(got) = interpolate_at(timed, &instants, Span(100)) else { return Ok(()) };
        prop_assert_eq!(got.poses.len() + got.outside_count + got.gap_count, instants.len());
        for (pose, &index) in got.poses.iter().zip(&got.instant_indices) {
            let before = usize::try_from(instants[index].0 / 100).unwrap();
            let after = (before + 1).min(path.len() - 1);
            let [p, q] = [before, after].map(|i| path[i].translation_m);
            let detour_m = (pose.translation_m - p).norm() + (pose.translation_m - q).norm();
            prop_assert!(detour_m <= (p - q).norm() + 1e-12);
            let deviation = pose.rotation.transpose() * pose.rotation;
            prop_assert!((deviation - nalgebra::Matrix3::identity()).amax() < 1e-13);
        }
    }

    /// Yaw-only alignment undoes any turn about the vertical and any shift.
    #[test]
    fn yaw_alignment_undoes_a_turn_about_the_vertical(
        (path, _) in two_paths(), yaw_rad in -3.0..3.0_f64, x_m in -9.0..9.0_f64,
    ) {
        let turn = Pose2::new(x_m, 2.0, yaw_rad).in_space();
        for alignment in [Alignment::YAW_ONLY, Alignment::OriginYaw] {
            let found = alignment.find(&path, &moved(&path, turn.inverse())).unwrap();
            prop_assert!((found.rotation - turn.rotation).amax() < 1e-11, "{alignment}");
            prop_assert!((found.translation_m - turn.translation_m).norm() < 1e-9);
            prop_assert_eq!(found.scale, 1.0);
        }
    }
}

/// The definition in `f32`, written out: lengths along the path, ends, errors and the mean.
///
/// The angle is compared to one unit in the last place of its cosine, since the arc cosine of two
/// libraries may differ there.
#[test]
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is tested")]
fn float32_drift_agrees_with_arithmetic_in_f32() {
    let options = DriftOptions { arithmetic: DriftArithmetic::Float32, ..SHORT };
    for seed in 0..20 {
        let [reference, estimate] = [0, 1].map(|side| -> Vec<Pose3> {
            let at = |index: u64| {
                let mut draws = Seed(seed).draws(side, index);
                let [a, b, c] = [0; 3].map(|_| 0.2 * draws.normal());
                let off_m = Vector3::new(draws.normal(), draws.normal(), draws.normal());
                Pose3 {
                    rotation: *Rotation3::from_euler_angles(a, b, c).matrix(),
                    translation_m: Vector3::new(2.0 * index as f64, 0.0, 0.0) + off_m,
                }
            };
            (0..200).map(at).collect()
        });
        let mut travelled = vec![0.0_f32];
        for two in reference.windows(2) {
            let step = two[0].translation_m - two[1].translation_m;
            let [x, y, z] = [step.x as f32, step.y as f32, step.z as f32];
            travelled.push(travelled[travelled.len() - 1] + (x * x + y * y + z * z).sqrt());
        }
        let got = kitti_drift(&reference, &estimate, &options).unwrap();
        let mut segments = got.segments.iter();
        let (mut sum, mut count) = (0.0_f32, 0);
        for first in (0..reference.len()).step_by(options.start_step) {
            for length in options.lengths_m.iter().map(|length_m| *length_m as f32) {
                let is_beyond = |&last: &usize| travelled[last] > travelled[first] + length;
                let Some(last) = (first..reference.len()).find(is_beyond) else { continue };
                let segment = segments.next().unwrap();
                assert_eq!((segment.first_index, segment.last_index), (first, last));
                let expected = reference[first].inverse() * reference[last];
                let back = estimate[last].inverse() * estimate[first];
                let error = back * expected;
                let [x, y, z] = [0, 1, 2].map(|axis| error.translation_m[axis] as f32);
                let share = (x * x + y * y + z * z).sqrt() / length;
                // The two inverses round differently in `f64`, which may change the last bit.
                assert!((segment.translation_share as f32 - share).abs() <= 2e-7 * share);
                sum += share;
                count += 1;
            }
        }
        assert!(segments.next().is_none());
        let mean = sum / count as f32;
        assert!(
            (got.mean.translation_percent / 100.0 - f64::from(mean)).abs() < 1e-6 * f64::from(mean)
        );
    }
}

/// The tool's list of ends has no place for a start without one: the ends after it slip to earlier
/// starts.
#[test]
fn the_compatible_mode_slips_after_a_start_without_an_end() {
    // From 1 m on the next pose is 20 m away, so that no end lies 4 m from there.
    let places_m = [0.0, 1.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0];
    let path = places_m.map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
    let pairs = |mode| {
        let options =
            SubTrajectoryOptions { length_m: 4.0, tolerance_share: 0.2, ..sub_options(mode) };
        sub_trajectory_errors(&path, &path, &options).unwrap().pairs
    };
    assert_eq!(pairs(SubTrajectoryMode::Corrected), [(2, 6), (3, 7)]);
    assert_eq!(pairs(SubTrajectoryMode::Compatible), [(0, 6), (1, 7)]);
}

/// The tool's "steps" are positions: a constant offset of the estimate becomes a scale error.
#[test]
fn the_compatible_step_scale_depends_on_the_origin() {
    let path = [1.0, 2.0, 4.0].map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
    let elsewhere = [2.0, 3.0, 5.0].map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
    let errors = |mode| step_scale_errors(&path, &elsewhere, &Similarity::identity(), mode);
    assert_eq!(errors(SubTrajectoryMode::Compatible).unwrap().errors, [100.0, 50.0, 25.0]);
    assert_eq!(errors(SubTrajectoryMode::Corrected).unwrap().errors, [0.0, 0.0]);
}

/// The variances of four series given by rows.
fn hat(rows: &[Vec<f64>], value: impl Fn(f64, (usize, usize)) -> f64) -> Vec<f64> {
    let series: Vec<Vec<f64>> = (0..4)
        .map(|side| {
            rows.iter().enumerate().map(|(row, all)| value(all[side], (row, side))).collect()
        })
        .collect();
    let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
    values(&three_cornered_hat(&series).unwrap())
}

fn values(variances: &[OwnVariance]) -> Vec<f64> {
    variances
        .iter()
        .map(|own| match own {
            OwnVariance::Estimated { variance } | OwnVariance::Negative { variance } => *variance,
        })
        .collect()
}

fn greedy(reference: &[i64], estimate: &[i64], limit_ns: i64) -> Vec<(usize, usize)> {
    let options =
        AssociationOptions { difference_max: Span(limit_ns), arithmetic: StampArithmetic::Exact };
    let [reference, estimate] = [reference, estimate]
        .map(|stamps| stamps.iter().copied().map(Timestamp).collect::<Vec<_>>());
    associate_greedily(&reference, &estimate, options).unwrap_or_default()
}

pub(crate) fn stamps(count: usize, step: i64) -> Vec<Timestamp> {
    (0..count as i64).map(|index| Timestamp(index * step)).collect()
}

fn is_near_half_turn(path: &[Pose3]) -> bool {
    path.windows(2).any(|two| (two[0].rotation.transpose() * two[1].rotation).trace() < -0.999)
}

/// 20 000 values, so that a variance is known to about 1 %; the differences of three are known to
/// about 2 % of the largest.
#[test]
fn three_cornered_hat_finds_the_noise_that_was_added() {
    let sigmas = [0.5_f64, 1.0, 2.0];
    let series = sigmas.map(|sigma| -> Vec<f64> {
        (0..20_000_u64)
            .map(|row| {
                10.0 * (row as f64 * 0.01) + sigma * Seed(4).draws(sigma.to_bits(), row).normal()
            })
            .collect()
    });
    let got = three_cornered_hat(&[&series[0], &series[1], &series[2]]).unwrap();
    for (own, sigma) in got.iter().zip(sigmas) {
        let OwnVariance::Estimated { variance } = *own else { panic!("{own:?}") };
        assert!((variance - sigma * sigma).abs() < 0.08, "{variance} {sigma}");
    }
}

/// Two series with the same error look better than they are; the third pays for it.
#[test]
fn correlated_errors_can_answer_a_negative_variance() {
    let noise =
        |salt: u64| -> Vec<f64> { (0..500).map(|row| Seed(salt).draws(0, row).normal()).collect() };
    let (shared, own) = (noise(1), noise(2));
    // a = s, b = −s + small, c = 0: the difference of a and b is larger than both allow c to be.
    let a = shared.clone();
    let b: Vec<f64> = shared.iter().zip(&own).map(|(s, o)| -s + 0.1 * o).collect();
    let c = vec![0.0; 500];
    let got = three_cornered_hat(&[&a, &b, &c]).unwrap();
    assert!(matches!(got[2], OwnVariance::Negative { .. }) && got[2].sigma().is_none());
    assert!(got[0].sigma().unwrap() > 1.2);
}
