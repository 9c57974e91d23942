//! Laws of association, absolute and relative pose error.

use nalgebra::{Rotation3, Vector3};
use proptest::{collection::vec, prelude::*};
use tiepoint_measure::trajectory::{
    AbsoluteOptions, Alignment, AssociationOptions, Delta, Pairing, PairsFrom, Relation,
    RelativeErrors, RelativeOptions, StampArithmetic, absolute_pose_error, associate,
    relative::DELTA_TOLERANCE_SHARE, relative_pose_error,
};
use tiepoint_model::{Pose3, Span, Timestamp, Trajectory};

const RELATIONS: [Relation; 5] = [
    Relation::Translation,
    Relation::RotationAngleRad,
    Relation::RotationAngleDeg,
    Relation::RotationFrobenius,
    Relation::FullTransformation,
];

pub(crate) fn pose() -> impl Strategy<Value = Pose3> {
    (vec(-20.0..20.0_f64, 3), vec(-1.5..1.5_f64, 3)).prop_map(|(p, r)| Pose3 {
        rotation: *Rotation3::from_euler_angles(r[0], r[1], r[2]).matrix(),
        translation_m: Vector3::new(p[0], p[1], p[2]),
    })
}

/// Two paths of the same length, at least five poses: enough that no alignment is degenerate by
/// chance.
pub(crate) fn two_paths() -> impl Strategy<Value = (Vec<Pose3>, Vec<Pose3>)> {
    (5_usize..40).prop_flat_map(|count| (vec(pose(), count), vec(pose(), count)))
}

pub(crate) fn moved(path: &[Pose3], elsewhere_from_fixed: Pose3) -> Vec<Pose3> {
    path.iter().map(|&pose| elsewhere_from_fixed * pose).collect()
}

fn errors(
    reference: &[Pose3],
    estimate: &[Pose3],
    relation: Relation,
    alignment: Alignment,
) -> Vec<f64> {
    absolute_pose_error(reference, estimate, &AbsoluteOptions { relation, alignment })
        .unwrap()
        .errors
}

fn frames(relation: Relation, frame_count: usize) -> RelativeOptions {
    RelativeOptions {
        relation,
        alignment: Alignment::None,
        delta: Delta::Frames(frame_count),
        pairing: Pairing::All,
        pairs_from: PairsFrom::Estimate,
        delta_tolerance_share: DELTA_TOLERANCE_SHARE,
    }
}

/// Positions of up to 40 m and angles of up to 180 degrees, each after some 20 roundings.
fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

proptest! {
    #[test]
    fn ape_of_a_path_with_itself_is_zero((path, _) in two_paths()) {
        for relation in RELATIONS {
            for alignment in [Alignment::None, Alignment::Origin, Alignment::SE3, Alignment::SIM3] {
                let errors = errors(&path, &path, relation, alignment);
                let is_zero = close(&errors, &vec![0.0; path.len()], 1e-11);
                prop_assert!(is_zero, "{relation} {errors:?}");
            }
        }
    }

    /// Alignment must remove any rigid motion. A measure that fails this measures the origin, not
    /// the path.
    #[test]
    fn aligned_ape_is_unchanged_by_moving_the_estimate(
        (reference, estimate) in two_paths(),
        elsewhere_from_fixed in pose(),
    ) {
        let elsewhere = moved(&estimate, elsewhere_from_fixed);
        for relation in RELATIONS {
            for alignment in [Alignment::Origin, Alignment::SE3, Alignment::SIM3] {
                let one = errors(&reference, &estimate, relation, alignment);
                let other = errors(&reference, &elsewhere, relation, alignment);
                // Random clouds correlate little: the singular values of their cross covariance may
                // be a thousandth of its size.
                prop_assert!(close(&one, &other, 1e-8), "{relation} {alignment}");
            }
        }
    }

    #[test]
    fn ape_scales_with_length((reference, estimate) in two_paths(), scale in 0.01..100.0_f64) {
        let scaled = |path: &[Pose3]| -> Vec<Pose3> {
            path.iter()
                .map(|pose| Pose3 { translation_m: pose.translation_m * scale, ..*pose })
                .collect()
        };
        let one = errors(&reference, &estimate, Relation::Translation, Alignment::SE3);
        let other =
            errors(&scaled(&reference), &scaled(&estimate), Relation::Translation, Alignment::SE3);
        let expected: Vec<f64> = one.iter().map(|error| error * scale).collect();
        prop_assert!(close(&other, &expected, 1e-8 * scale));
    }

    /// The identity is among the rigid motions, and scale 1 among the similarities.
    #[test]
    fn alignment_never_makes_the_rmse_worse((reference, estimate) in two_paths()) {
        let rmse = |alignment| {
            let options = AbsoluteOptions { relation: Relation::Translation, alignment };
            absolute_pose_error(&reference, &estimate, &options).unwrap().statistics.rmse
        };
        let (none, rigid, similar) =
            (rmse(Alignment::None), rmse(Alignment::SE3), rmse(Alignment::SIM3));
        prop_assert!(rigid <= none * (1.0 + 1e-12) && similar <= rigid * (1.0 + 1e-12));
    }

    #[test]
    fn unaligned_ape_is_symmetric((reference, estimate) in two_paths()) {
        for relation in &RELATIONS[..4] {
            let one = errors(&reference, &estimate, *relation, Alignment::None);
            let other = errors(&estimate, &reference, *relation, Alignment::None);
            prop_assert!(close(&one, &other, 1e-11), "{relation}");
        }
    }

    #[test]
    fn statistics_agree_with_each_other((reference, estimate) in two_paths()) {
        let options =
            AbsoluteOptions { relation: Relation::Translation, alignment: Alignment::None };
        let s = absolute_pose_error(&reference, &estimate, &options).unwrap().statistics;
        let square = s.rmse * s.rmse;
        prop_assert!((square - s.mean * s.mean - s.std * s.std).abs() <= 1e-12 * square);
        prop_assert!((s.sse - s.n as f64 * square).abs() <= 1e-12 * s.sse);
        prop_assert!(s.min <= s.median && s.median <= s.max && s.mean <= s.rmse * (1.0 + 1e-15));
    }

    #[test]
    fn rpe_of_a_path_with_itself_is_zero((path, _) in two_paths(), frame_count in 1_usize..4) {
        for relation in RELATIONS.into_iter().chain([Relation::DistanceRatioPercent]) {
            let got = relative_pose_error(&path, &path, &frames(relation, frame_count)).unwrap();
            prop_assert!(got.series.errors.iter().all(|error| *error < 1e-11), "{relation}");
        }
    }

    #[test]
    fn rpe_is_unchanged_by_moving_either_path(
        (reference, estimate) in two_paths(),
        a in pose(),
        b in pose(),
        frame_count in 1_usize..4,
    ) {
        for relation in RELATIONS {
            let options = frames(relation, frame_count);
            let errors = |got: RelativeErrors| got.series.errors;
            let one = errors(relative_pose_error(&reference, &estimate, &options).unwrap());
            let other = errors(
                relative_pose_error(&moved(&reference, a), &moved(&estimate, b), &options).unwrap(),
            );
            prop_assert!(close(&one, &other, 1e-9), "{relation}");
        }
    }

    #[test]
    fn rpe_over_frames_is_symmetric((reference, estimate) in two_paths()) {
        for relation in &RELATIONS[..4] {
            let options = frames(*relation, 2);
            let one = relative_pose_error(&reference, &estimate, &options).unwrap();
            let other = relative_pose_error(&estimate, &reference, &options).unwrap();
            prop_assert!(close(&one.series.errors, &other.series.errors, 1e-11), "{relation}");
        }
    }

    /// Consecutive pairs cut the path without overlap, and each is at least as long as delta.
    #[test]
    fn consecutive_pairs_tile_the_path((path, _) in two_paths(), length_m in 1.0..60.0_f64) {
        let options = RelativeOptions {
            delta: Delta::Metres(length_m),
            pairing: Pairing::Consecutive,
            ..frames(Relation::Translation, 1)
        };
        let Ok(got) = relative_pose_error(&path, &path, &options) else { return Ok(()) };
        prop_assert_eq!(got.pairs[0].0, 0);
        prop_assert!(got.pairs.windows(2).all(|two| two[0].1 == two[1].0));
        for (start, end) in got.pairs {
            let travelled_m: f64 = path[start..=end]
                .windows(2)
                .map(|two| (two[1].translation_m - two[0].translation_m).norm())
                .sum();
            prop_assert!(travelled_m >= length_m);
        }
    }

    /// Sorted stamps are searched by bisection: the pairs must be those of looking at every stamp.
    #[test]
    fn association_equals_a_linear_scan(
        mut long in vec(0_i64..60, 1..40),
        short in vec(0_i64..60, 1..40),
        limit_ns in 0_i64..8,
        is_sorted in any::<bool>(),
    ) {
        if is_sorted {
            long.sort_unstable();
        }
        prop_assume!(long.len() >= short.len());
        let difference_max = Span(limit_ns);
        let options = AssociationOptions { difference_max, arithmetic: StampArithmetic::Exact };
        let got = associate(&at(&long), &at(&short), options).map_or(vec![], |a| a.pairs);
        let mut expected = vec![];
        for (index, stamp) in short.iter().enumerate() {
            // `min_by_key` answers the first of equal ones.
            let best = (0..long.len()).min_by_key(|&i| (long[i] - stamp).abs()).unwrap();
            if (long[best] - stamp).abs() <= limit_ns {
                expected.push((best, index));
            }
        }
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn association_is_unchanged_by_a_shift_of_the_clock(
        reference in vec(0_i64..1000, 1..40),
        estimate in vec(0_i64..1000, 1..40),
        shift_ns in -1_000_000_000_000_000_000..1_000_000_000_000_000_000_i64,
    ) {
        let options =
            AssociationOptions { difference_max: Span(20), arithmetic: StampArithmetic::Exact };
        let shifted = |stamps: &[i64]| at(&stamps.iter().map(|t| t + shift_ns).collect::<Vec<_>>());
        let one = associate(&at(&reference), &at(&estimate), options).map(|a| a.pairs);
        let other = associate(&shifted(&reference), &shifted(&estimate), options).map(|a| a.pairs);
        prop_assert_eq!(one, other);
    }
}

fn at(stamps_ns: &[i64]) -> Trajectory {
    let stamps = stamps_ns.iter().copied().map(Timestamp).collect();
    Trajectory::new(stamps, vec![Pose3::identity(); stamps_ns.len()]).unwrap()
}

#[test]
fn degenerate_paths_are_refused_with_a_reason() {
    use tiepoint_measure::MeasureError;
    let options = AbsoluteOptions { relation: Relation::Translation, alignment: Alignment::None };
    let identity = Pose3::identity();
    let mut broken = identity;
    broken.translation_m.x = f64::NAN;
    assert_eq!(
        absolute_pose_error(&[], &[], &options),
        Err(MeasureError::Empty { what: "reference" })
    );
    assert!(matches!(
        absolute_pose_error(&[identity], &[identity; 2], &options),
        Err(MeasureError::LengthMismatch { .. })
    ));
    assert_eq!(
        absolute_pose_error(&[identity; 2], &[identity, broken], &options),
        Err(MeasureError::NotFinite { what: "estimate", index: 1 })
    );
    assert!(matches!(
        relative_pose_error(&[identity], &[identity], &frames(Relation::Translation, 1)),
        Err(MeasureError::NoPairs { .. })
    ));
    assert!(matches!(
        relative_pose_error(&[identity; 2], &[identity; 2], &frames(Relation::Translation, 0)),
        Err(MeasureError::InvalidOption { .. })
    ));
    // A robot that stands still has no ratio of distances.
    assert!(matches!(
        relative_pose_error(
            &[identity; 3],
            &[identity; 3],
            &frames(Relation::DistanceRatioPercent, 1)
        ),
        Err(MeasureError::NoPairs { .. })
    ));
    let of_ratio =
        AbsoluteOptions { relation: Relation::DistanceRatioPercent, alignment: Alignment::None };
    assert!(of_ratio.metric().is_err());
    assert!(absolute_pose_error(&[identity], &[identity], &of_ratio).is_err());
}
