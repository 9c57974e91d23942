//! A small world for tests: walls as segments, a scanner that reads them, a robot that drives
//! round.
//!
//! Invariant: everything follows from the seed. Metres, radians.

use tiepoint_model::{Pose2, Scan, Seed, Stamps, Timestamp, math};

use crate::trajectory::StampedPose;

/// Nanoseconds between two scans.
pub(crate) const PERIOD_NS: i64 = 250_000_000;

/// A segment of wall.
pub(crate) type Wall = ([f64; 2], [f64; 2]);

/// The four walls of a box.
pub(crate) fn walls_of_box(lower: [f64; 2], upper: [f64; 2]) -> Vec<Wall> {
    let ([x0, y0], [x1, y1]) = (lower, upper);
    vec![([x0, y0], [x1, y0]), ([x1, y0], [x1, y1]), ([x1, y1], [x0, y1]), ([x0, y1], [x0, y0])]
}

/// A ring of corridors, 20 by 14 metres, with pillars and niches that make its places differ.
pub(crate) fn ring() -> Vec<Wall> {
    let mut walls = walls_of_box([0.0, 0.0], [20.0, 14.0]);
    walls.extend(walls_of_box([4.0, 4.0], [16.0, 10.0]));
    for ([x, y], side) in [
        ([7.0, 0.4], 0.5),
        ([11.5, 3.0], 0.4),
        ([17.5, 0.5], 0.6),
        ([19.0, 6.0], 0.7),
        ([18.2, 12.5], 0.3),
        ([12.0, 13.0], 0.8),
        ([8.5, 10.3], 0.5),
        ([1.0, 12.0], 0.6),
        ([0.3, 7.5], 0.5),
        ([3.0, 5.5], 0.4),
        ([1.0, 0.6], 0.3),
    ] {
        walls.extend(walls_of_box([x, y], [x + side, y + 0.7 * side]));
    }
    walls
}

/// Distance to the first wall along a direction, metres.
pub(crate) fn range_m(walls: &[Wall], origin: [f64; 2], yaw_rad: f64) -> Option<f64> {
    let (sin, cos) = math::sin_cos(yaw_rad);
    let hit = |(a, b): &Wall| {
        let (ex, ey) = (b[0] - a[0], b[1] - a[1]);
        let (dx, dy) = (a[0] - origin[0], a[1] - origin[1]);
        let cross = cos * ey - sin * ex;
        let along = (dx * ey - dy * ex) / cross;
        let share = (dx * sin - dy * cos) / cross;
        (cross.abs() > 1e-12 && along > 0.0 && (0.0..=1.0).contains(&share)).then_some(along)
    };
    walls.iter().filter_map(hit).min_by(f64::total_cmp)
}

/// A scanner on the robot: 181 beams over 180 degrees.
#[derive(Clone, Copy)]
pub(crate) struct Scanner {
    pub(crate) base_from_laser: Pose2,
    pub(crate) sigma_m: f64,
    pub(crate) seed: Seed,
}

impl Scanner {
    pub(crate) fn new(sigma_m: f64) -> Self {
        Self { base_from_laser: Pose2::new(0.1, 0.0, 0.0), sigma_m, seed: Seed(11) }
    }

    pub(crate) fn scan(&self, walls: &[Wall], map_from_base: Pose2, frame: usize) -> Scan {
        let map_from_laser = map_from_base * self.base_from_laser;
        let angle_min_rad = -std::f64::consts::FRAC_PI_2;
        let angle_increment_rad = std::f64::consts::PI / 180.0;
        let ranges_m = (0..181_u64)
            .map(|beam| {
                let angle = angle_min_rad + beam as f64 * angle_increment_rad;
                let origin = [map_from_laser.x_m, map_from_laser.y_m];
                let noise_m = self.sigma_m * self.seed.draws(frame as u64, beam).normal();
                range_m(walls, origin, map_from_laser.yaw_rad + angle)
                    .map_or(0.0, |range_m| (range_m + noise_m) as f32)
            })
            .collect();
        let log = Timestamp(frame as i64 * PERIOD_NS);
        Scan {
            stamps: Stamps { log, publish: None, sensor: None },
            frame_id: "laser".to_owned(),
            angle_min_rad,
            angle_increment_rad,
            range_min_m: 0.05,
            range_max_m: 30.0,
            time_increment_s: 0.0,
            ranges_m,
            intensities: Vec::new(),
        }
    }
}

/// Poses 0.25 m apart along the middle of the ring, with rounded turns; one lap is about 48 m.
pub(crate) fn drive(pose_count: usize) -> Vec<Pose2> {
    let corners = [[2.2, 2.2], [17.8, 2.2], [17.8, 11.8], [2.2, 11.8]];
    let mut pose = Pose2::new(4.0, 2.0, 0.0);
    let mut target = 1;
    let mut poses = Vec::with_capacity(pose_count);
    for _ in 0..pose_count {
        poses.push(pose);
        let goal: [f64; 2] = corners[target];
        let bearing = math::atan2(goal[1] - pose.y_m, goal[0] - pose.x_m);
        let turn = math::wrap_angle(bearing - pose.yaw_rad).clamp(-0.2, 0.2);
        pose = pose * Pose2::new(0.25, 0.0, turn);
        if math::hypot(goal[0] - pose.x_m, goal[1] - pose.y_m) < 1.3 {
            target = (target + 1) % corners.len();
        }
    }
    poses
}

/// Odometry of a drive: 3 % too long, drifting to the left, noisy.
pub(crate) fn odometry(truth: &[Pose2], seed: Seed) -> Vec<StampedPose> {
    let mut odom_from_base = Pose2::IDENTITY;
    let mut odometry = Vec::with_capacity(truth.len());
    for (frame, pose) in truth.iter().enumerate() {
        if frame > 0 {
            let step = truth[frame - 1].inverse() * *pose;
            let mut draws = seed.draws(frame as u64, 0);
            let yaw_rad = step.yaw_rad + 0.004 + 0.01 * draws.normal();
            let x_m = 1.03 * step.x_m + 0.01 * draws.normal();
            odom_from_base = odom_from_base * Pose2::new(x_m, step.y_m, yaw_rad);
        }
        odometry.push(StampedPose {
            stamp: Timestamp(frame as i64 * PERIOD_NS),
            fixed_from_base: odom_from_base,
        });
    }
    odometry
}
