//! Laws of the offset of two clocks.

use nalgebra::{Rotation3, Vector3};
use tiepoint_measure::trajectory::{
    MotionSignal, TimeOffset, TimeOffsetOptions, TimedPoses, time_offset, time_offset::Obstacle,
};
use tiepoint_model::{Pose2, Pose3, Seed, Span, Timestamp, math};

use crate::{drift::stamps, trajectory::moved};

/// A path whose turning and speed are sums of incommensurate waves; `late_s` moves it in time.
fn winding(count: u32, interval_s: f64, late_s: f64) -> Vec<Pose3> {
    let at = |time_s: f64| {
        let yaw = 1.1 * math::sin(0.31 * time_s)
            + 0.7 * math::sin(0.83 * time_s)
            + 0.4 * math::sin(1.71 * time_s + 1.0);
        let place = Vector3::new(
            3.0 * time_s + 2.0 * math::sin(0.23 * time_s),
            2.0 * math::cos(0.61 * time_s) + math::sin(1.37 * time_s),
            0.3 * math::sin(0.45 * time_s),
        );
        Pose3 {
            rotation: *Rotation3::from_euler_angles(0.1 * yaw, 0.0, yaw).matrix(),
            translation_m: place,
        }
    };
    (0..count).map(|index| at(f64::from(index) * interval_s - late_s)).collect()
}

const OFFSETS: TimeOffsetOptions = TimeOffsetOptions {
    signal: MotionSignal::AngularSpeed,
    step: Span(50_000_000),
    guess: Span(0),
    search: Span(3_000_000_000),
    overlap_min: Span(20_000_000_000),
    correlation_min: 0.7,
    margin: 0.05,
};

fn found_ns(
    reference: &[Pose3],
    estimate: &[Pose3],
    guess_ns: i64,
    signal: MotionSignal,
) -> TimeOffset {
    let stamps = stamps(reference.len(), 50_000_000);
    let late: Vec<Timestamp> = stamps.iter().map(|t| t.plus(Span(-guess_ns))).collect();
    let options = TimeOffsetOptions { signal, guess: Span(guess_ns), ..OFFSETS };
    let [reference, estimate] = [(&stamps, reference), (&late, estimate)]
        .map(|(stamps, poses)| TimedPoses::new(stamps, poses).unwrap());
    time_offset(reference, estimate, &options).unwrap()
}

/// A hundredth of a step: what the parabola leaves of a smooth peak.
#[test]
fn a_shift_of_the_clock_is_found() {
    for signal in [MotionSignal::AngularSpeed, MotionSignal::Speed] {
        for late_s in [-1.234, -0.05, 0.0, 0.017, 0.4, 2.5] {
            let reference = winding(1500, 0.05, 0.0);
            let estimate = winding(1500, 0.05, late_s);
            for guess_ns in [0, 1_700_000_000_000_000_000] {
                let TimeOffset::Found(found) = found_ns(&reference, &estimate, guess_ns, signal)
                else {
                    panic!("{late_s} {signal:?}")
                };
                let off_s = (found.offset.0 - guess_ns) as f64 * 1e-9 + late_s;
                assert!(off_s.abs() < 5e-4, "{late_s} {signal:?}: {off_s} {found:?}");
                assert!(found.curvature_per_s2 < 0.0 && found.correlation > 0.99);
            }
        }
    }
}

/// The half width must cover: noise on the orientations, 40 seeds, at least 32 within (0.95 of 40
/// is 38, and 32 or fewer would have a probability below 0.001).
#[test]
fn the_half_width_covers_the_offset() {
    let reference = winding(1200, 0.05, 0.0);
    let mut covered_count = 0;
    for seed in 0..40 {
        let estimate: Vec<Pose3> = winding(1200, 0.05, 0.21)
            .into_iter()
            .enumerate()
            .map(|(index, pose)| {
                let mut draws = Seed(seed).draws(0, index as u64);
                let turn = Rotation3::from_euler_angles(0.0, 0.0, 0.004 * draws.normal());
                Pose3 { rotation: pose.rotation * turn.matrix(), ..pose }
            })
            .collect();
        let TimeOffset::Found(found) =
            found_ns(&reference, &estimate, 0, MotionSignal::AngularSpeed)
        else {
            panic!("{seed}")
        };
        let off_s = (found.offset.as_seconds() + 0.21).abs();
        covered_count += usize::from(off_s <= found.half_width_95_s);
        assert!(found.half_width_95_s < 0.05, "{found:?}");
    }
    assert!(covered_count > 32, "{covered_count}");
}

#[test]
fn time_offset_changes_sign_when_the_paths_are_exchanged() {
    let (reference, estimate) = (winding(1000, 0.05, 0.0), winding(1000, 0.05, 0.333));
    let offset = |a: &[Pose3], b: &[Pose3]| match found_ns(a, b, 0, MotionSignal::AngularSpeed) {
        TimeOffset::Found(found) => found.offset.0,
        TimeOffset::NotIdentifiable(obstacle) => panic!("{obstacle:?}"),
    };
    // Cells may begin elsewhere: a hundredth of a step.
    let sum = offset(&reference, &estimate) + offset(&estimate, &reference);
    assert!(sum.abs() < 500_000, "{sum}");
}

#[test]
fn time_offset_is_unchanged_by_moving_either_path() {
    let (reference, estimate) = (winding(600, 0.05, 0.0), winding(600, 0.05, -0.4));
    let elsewhere = Pose3 {
        rotation: *Rotation3::from_euler_angles(0.3, -1.0, 2.0).matrix(),
        translation_m: Vector3::new(5.0, -3.0, 100.0),
    };
    for signal in [MotionSignal::AngularSpeed, MotionSignal::Speed] {
        let one = found_ns(&reference, &estimate, 0, signal);
        let other =
            found_ns(&moved(&reference, elsewhere), &moved(&estimate, elsewhere), 0, signal);
        let (TimeOffset::Found(one), TimeOffset::Found(other)) = (one, other) else { panic!() };
        assert!((one.offset.0 - other.offset.0).abs() < 10, "{one:?} {other:?}");
    }
}

#[test]
fn motion_that_does_not_allow_an_offset_is_named() {
    let obstacle = |reference: &[Pose3], estimate: &[Pose3]| match found_ns(
        reference,
        estimate,
        0,
        MotionSignal::AngularSpeed,
    ) {
        TimeOffset::NotIdentifiable(obstacle) => obstacle,
        TimeOffset::Found(found) => panic!("{found:?}"),
    };
    let winding_path = winding(1000, 0.05, 0.0);
    let still = vec![Pose3::identity(); 1000];
    assert_eq!(obstacle(&winding_path, &still), Obstacle::ConstantSpeed);
    let circle = |rate: f64| -> Vec<Pose3> {
        (0..1000).map(|i| Pose2::new(0.0, 0.0, rate * f64::from(i)).in_space()).collect()
    };
    assert_eq!(obstacle(&circle(0.01), &circle(0.01)), Obstacle::ConstantSpeed);
    // A swing of 1 s looks the same a second later.
    let swing: Vec<Pose3> = (0..1000)
        .map(|i| {
            let time_s = 0.05 * f64::from(i);
            let yaw = 0.5 * time_s + 0.05 * math::sin(std::f64::consts::TAU * time_s);
            Pose2::new(0.0, 0.0, yaw).in_space()
        })
        .collect();
    assert!(matches!(obstacle(&swing, &swing), Obstacle::Ambiguous { .. }));
    // Ten seconds are beyond the search; the best within it lies anywhere, but is not found.
    let far = winding(1000, 0.05, 10.0);
    assert!(matches!(
        obstacle(&winding_path, &far),
        Obstacle::WeakCorrelation { .. }
            | Obstacle::PeakAtLimit { .. }
            | Obstacle::Ambiguous { .. }
    ));
}

#[test]
fn time_offset_has_the_same_bits_on_one_thread_and_on_many() {
    let (reference, estimate) = (winding(800, 0.05, 0.0), winding(800, 0.05, 0.333));
    let on = |thread_count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(thread_count).build().unwrap();
        pool.install(|| found_ns(&reference, &estimate, 0, MotionSignal::AngularSpeed))
    };
    let one = on(1);
    assert!(matches!(one, TimeOffset::Found(_)));
    assert_eq!(one, on(2));
    assert_eq!(one, on(5));
}
