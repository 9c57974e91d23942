//! How fast trajectory errors are, on one thread: prints one JSON line for each.
//!
//! Run with `cargo bench -p tiepoint-measure --bench trajectory`, and with
//! `-- REFERENCE ESTIMATE` on two files of 3x4 matrices (KITTI's format). Its own paths have 4541
//! poses, as many as the longest public sequence that is usually reported.
//! `peer_trajectory.py` measures the same calls of the reference tool in the same run.
#![expect(clippy::disallowed_methods, reason = "room: benchmark clock, arguments and files")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{error::Error, hint::black_box, time::Instant};

use nalgebra::{Matrix3, Rotation3, Vector3};
use tiepoint_measure::{
    MeasureError,
    trajectory::{
        AbsoluteOptions, Alignment, Delta, MotionSignal, Pairing, PairsFrom, Relation,
        RelativeOptions, TimeOffsetOptions, TimedPoses, absolute_pose_error,
        drift::{DriftOptions, kitti_drift},
        relative::DELTA_TOLERANCE_SHARE,
        relative_pose_error, time_offset,
    },
};
use tiepoint_model::{Pose3, Seed, Span, Timestamp, math};

const POSE_COUNT: usize = 4541;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds an option of its own.
    let files: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [reference, estimate] = match files.as_slice() {
        [reference, estimate] => [read(reference)?, read(estimate)?],
        _ => [path(0.0, 1.0), path(0.05, 1.02)],
    };
    absolute(&reference, &estimate)?;
    relative(&reference, &estimate)?;
    Ok(())
}

fn read(file: &str) -> Result<Vec<Pose3>, Box<dyn Error>> {
    let mut poses = vec![];
    for line in std::fs::read_to_string(file)?.lines() {
        let n = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [a, b, c, x, d, e, f, y, g, h, i, z] = n.as_slice() else {
            return Err(format!("`{line}` has not 12 numbers").into());
        };
        poses.push(Pose3 {
            rotation: Matrix3::new(*a, *b, *c, *d, *e, *f, *g, *h, *i),
            translation_m: Vector3::new(*x, *y, *z),
        });
    }
    Ok(poses)
}

fn absolute(reference: &[Pose3], estimate: &[Pose3]) -> Result<(), MeasureError> {
    for (name, relation, alignment) in [
        ("ape_translation_se3", Relation::Translation, Alignment::SE3),
        ("ape_translation_sim3", Relation::Translation, Alignment::SIM3),
        ("ape_rotation_deg_se3", Relation::RotationAngleDeg, Alignment::SE3),
    ] {
        let options = AbsoluteOptions { relation, alignment };
        report(name, || Ok(absolute_pose_error(reference, estimate, &options)?.statistics.rmse))?;
    }
    Ok(())
}

fn relative(reference: &[Pose3], estimate: &[Pose3]) -> Result<(), MeasureError> {
    let options = RelativeOptions {
        relation: Relation::Translation,
        alignment: Alignment::None,
        delta: Delta::Metres(100.0),
        pairing: Pairing::All,
        pairs_from: PairsFrom::Estimate,
        delta_tolerance_share: DELTA_TOLERANCE_SHARE,
    };
    report("rpe_translation_100m_all", || {
        Ok(relative_pose_error(reference, estimate, &options)?.series.statistics.rmse)
    })?;
    report("kitti_drift_float32", || {
        let options = DriftOptions::KITTI_COMPATIBLE;
        Ok(kitti_drift(reference, estimate, &options)?.mean.translation_percent)
    })?;
    let stamps: Vec<Timestamp> =
        (0..reference.len() as i64).map(|index| Timestamp(index * 100_000_000)).collect();
    let options = TimeOffsetOptions {
        signal: MotionSignal::AngularSpeed,
        step: Span(100_000_000),
        guess: Span(0),
        search: Span(10_000_000_000),
        overlap_min: Span(60_000_000_000),
        correlation_min: 0.5,
        margin: 0.05,
    };
    report("time_offset_201_lags", || {
        let paths = [reference, estimate].map(|poses| TimedPoses::new(&stamps, poses));
        let [reference, estimate] = paths;
        black_box(time_offset(reference?, estimate?, &options)?);
        Ok(0.0)
    })
}

/// A path of some 3.7 km with turns, and noise of the given size (metres; a hundredth in radians).
fn path(noise_m: f64, scale: f64) -> Vec<Pose3> {
    let mut position_m = Vector3::zeros();
    let mut yaw_rad = 0.0;
    (0..POSE_COUNT)
        .map(|index| {
            let mut draws = Seed(7).draws(0, index as u64);
            yaw_rad += 0.03 * math::sin(index as f64 * 0.01) + 0.01 * (draws.uniform() - 0.5);
            let (sin, cos) = math::sin_cos(yaw_rad);
            let step_m = 0.82 * (1.0 + 0.5 * math::sin(index as f64 * 0.003));
            position_m += Vector3::new(cos, sin, 0.01 * sin) * step_m;
            let mut noise = |size: f64| size * draws.normal();
            let angles = [0.0, 0.0, yaw_rad].map(|angle| angle + noise(0.01 * noise_m));
            let off_m = Vector3::new(noise(noise_m), noise(noise_m), noise(noise_m));
            Pose3 {
                rotation: *Rotation3::from_euler_angles(angles[0], angles[1], angles[2]).matrix(),
                translation_m: position_m * scale + off_m,
            }
        })
        .collect()
}

/// The least of many runs, which is the one that was least disturbed.
fn report(name: &str, run: impl Fn() -> Result<f64, MeasureError>) -> Result<(), MeasureError> {
    let mut best_s = f64::INFINITY;
    let mut value = 0.0;
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 1.0 {
        let before = Instant::now();
        value = black_box(run()?);
        best_s = best_s.min(before.elapsed().as_secs_f64());
    }
    println!("{{\"name\":\"{name}\",\"seconds\":{best_s:e},\"value\":{value}}}");
    Ok(())
}
