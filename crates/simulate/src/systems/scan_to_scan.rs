//! An odometry from scans: each is matched to the one before it by point-to-line iterations, with
//! wheel odometry as the first guess.
//!
//! Invariant: a pair of scans that cannot be matched gives the first guess and is counted, never a
//! guess that looks like a match.
//! Motions are of `base_link`: `previous_from_current`; metres, radians.
//!
//! Not here: maps, loops, and motion during a sweep.

use tiepoint_model::{Pose2, PoseSample, Scan, Stamps, math};

use crate::{SimulateError, Track};

/// What the matcher runs on.
#[derive(Clone, Copy, Debug)]
pub struct ScanToScanInput<'a> {
    /// Sweeps in order of time.
    pub scans: &'a [Scan],
    /// Wheel odometry for the first guess; without any the first guess is that the robot stood
    /// still.
    pub odometry: &'a [PoseSample],
    /// The scanner in the robot.
    pub base_from_laser: Pose2,
}

/// The motion from one scan to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanMotion {
    /// Stamps of the later scan.
    pub stamps: Stamps,
    /// The robot at the later scan, seen from the earlier.
    pub previous_from_current: Pose2,
    /// Points of the later scan that found a line in the earlier, in the last iteration.
    pub matched_count: usize,
    /// True if the scans gave no answer and this is the first guess.
    pub is_first_guess: bool,
}

/// The motions of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanToScanOutput {
    /// One fewer than scans.
    pub motions: Vec<ScanMotion>,
    /// Motions that are the first guess.
    pub first_guess_count: usize,
    /// Readings that were no measurements, over all scans.
    pub missing_count: usize,
    /// Odometry poses that are not finite or not later than the one ahead.
    pub odometry_left_out_count: usize,
}

/// At most this many iterations; a pair with a good first guess needs four to eight.
const ITERATIONS_MAX: usize = 20;
/// Points look this far for a line at first, metres: more than odometry errs between two scans.
const REACH_FIRST_M: f64 = 0.5;
/// And this far in the end, metres: six deviations of a scanner with 2 cm of noise.
const REACH_LAST_M: f64 = 0.12;
/// From one iteration to the next the reach shrinks by this.
const REACH_SHRINK: f64 = 0.6;
/// Points look at most this many beams to each side.
const WINDOW_BEAMS_MAX: f64 = 30.0;
/// Deviation of a point from a line that is taken for noise, metres; the scale of the Cauchy
/// weight and of the information.
const RESIDUAL_SIGMA_M: f64 = 0.02;
/// The first guess counts as a measurement with this deviation: it holds the motion along a
/// corridor, and little else.
const GUESS_SIGMA_M: f64 = 0.1;
/// The same for the heading, radians.
const GUESS_SIGMA_RAD: f64 = 0.05;
/// Fewer matches than this say nothing.
const MATCHES_MIN: usize = 30;
/// A step below this ends the iterations, metres and radians.
const STEP_MIN: f64 = 1e-4;

/// Matches each scan to the one before it.
///
/// # Errors
/// [`SimulateError::Diverged`] if a motion is not finite, [`SimulateError::NotFinite`] for the
/// scanner's place. Fewer than two scans give no motion.
///
/// # Invariants
/// `scan_matching_recovers_a_known_motion`.
///
/// # Source
/// Censi, *An ICP variant using a point-to-line metric*, ICRA 2008; correspondence by search
/// around the beam that points the same way.
/// Differs in taking lines from a fit to neighbouring beams, and weights from Cauchy's function.
pub fn scan_to_scan(input: &ScanToScanInput<'_>) -> Result<ScanToScanOutput, SimulateError> {
    if !input.base_from_laser.is_finite() {
        return Err(SimulateError::NotFinite { what: "scanner in the robot", sample_index: 0 });
    }
    let (track, odometry_left_out_count) = Track::from_samples(input.odometry);
    let (base_from_laser, laser_from_base) =
        (input.base_from_laser, input.base_from_laser.inverse());
    let mut output = ScanToScanOutput {
        motions: Vec::with_capacity(input.scans.len().saturating_sub(1)),
        first_guess_count: 0,
        missing_count: 0,
        odometry_left_out_count,
    };
    let mut previous: Option<(&Scan, Surface)> = None;
    for scan in input.scans {
        let surface = Surface::of(scan);
        output.missing_count += scan.ranges_m.len() - surface.beams.iter().flatten().count();
        if let Some((scan_before, before)) = previous {
            let guess = track.as_ref().map_or(Pose2::IDENTITY, |track| {
                let odom_from_previous = track.at_or_held(scan_before.stamps.measured());
                odom_from_previous.inverse() * track.at_or_held(scan.stamps.measured())
            });
            let laser_guess = laser_from_base * guess * base_from_laser;
            let answer = align(&before, &surface, laser_guess);
            let (previous_from_current, matched_count, is_first_guess) = match answer {
                Some((motion, count)) => (base_from_laser * motion * laser_from_base, count, false),
                None => (guess, 0, true),
            };
            if !previous_from_current.is_finite() {
                let time = scan.stamps.measured();
                return Err(SimulateError::Diverged { system: "scan_to_scan", time });
            }
            output.first_guess_count += usize::from(is_first_guess);
            let stamps = scan.stamps;
            output.motions.push(ScanMotion {
                stamps,
                previous_from_current,
                matched_count,
                is_first_guess,
            });
        }
        previous = Some((scan, surface));
    }
    Ok(output)
}

/// A beam's end and, where neighbours lie on a line with it, that line's unit normal.
#[derive(Clone, Copy)]
struct Beam {
    point_m: [f64; 2],
    normal: Option<[f64; 2]>,
}

/// A scan's points by beam, in the scanner's frame.
struct Surface {
    beams: Vec<Option<Beam>>,
    middle_angle_rad: f64,
    angle_increment_rad: f64,
}

impl Surface {
    fn of(scan: &Scan) -> Self {
        let points: Vec<Option<([f64; 2], f64)>> = (0..scan.ranges_m.len())
            .map(|beam_index| {
                let range_m = scan.valid_range_m(beam_index)?;
                let (sin, cos) = math::sin_cos(scan.angle_rad(beam_index));
                Some(([range_m * cos, range_m * sin], range_m))
            })
            .collect();
        let spacing_rad = scan.angle_increment_rad.abs();
        let beams = (0..points.len()).map(|index| {
            let (point_m, range_m) = points[index]?;
            Some(Beam { point_m, normal: normal_at(&points, index, range_m * spacing_rad) })
        });
        let beams: Vec<Option<Beam>> = beams.collect();
        let middle_index = beams.len().saturating_sub(1) as f64 / 2.0;
        Self {
            beams,
            middle_angle_rad: scan.angle_min_rad + middle_index * scan.angle_increment_rad,
            angle_increment_rad: scan.angle_increment_rad,
        }
    }

    /// The nearest point with a line within `reach_m`, among the beams that point about there.
    fn nearest(&self, point_m: [f64; 2], reach_m: f64) -> Option<([f64; 2], [f64; 2])> {
        let range_m = (point_m[0] * point_m[0] + point_m[1] * point_m[1]).sqrt();
        let angle_rad = math::atan2(point_m[1], point_m[0]);
        let middle_index = self.beams.len().saturating_sub(1) as f64 / 2.0;
        let from_middle_rad = math::wrap_angle(angle_rad - self.middle_angle_rad);
        let index = (from_middle_rad / self.angle_increment_rad + middle_index).round();
        let spacing_m = range_m.max(reach_m) * self.angle_increment_rad.abs();
        let window = (reach_m / spacing_m).ceil().clamp(1.0, WINDOW_BEAMS_MAX);
        let last = self.beams.len() as f64 - 1.0;
        if !(index - window <= last && index + window >= 0.0) {
            return None;
        }
        let first = (index - window).max(0.0) as usize;
        let last = (index + window).min(last) as usize;
        let mut best: Option<([f64; 2], [f64; 2])> = None;
        let mut best_m2 = reach_m * reach_m;
        for beam in self.beams[first..=last].iter().flatten() {
            let (dx, dy) = (beam.point_m[0] - point_m[0], beam.point_m[1] - point_m[1]);
            let distance_m2 = dx * dx + dy * dy;
            if let Some(normal) = beam.normal.filter(|_| distance_m2 < best_m2) {
                best_m2 = distance_m2;
                best = Some((beam.point_m, normal));
            }
        }
        best
    }
}

/// Neighbours on each side that a line is fitted to.
const NEIGHBOUR_BEAMS: usize = 3;
/// A line needs this many points.
const LINE_POINTS_MIN: f64 = 4.0;
/// Variance across over variance along that still counts as a line.
const LINE_FLATNESS_MAX: f64 = 0.1;

/// The unit normal of the line through a beam's end and its neighbours; `None` where they lie on
/// no line.
fn normal_at(points: &[Option<([f64; 2], f64)>], index: usize, spacing_m: f64) -> Option<[f64; 2]> {
    let (centre_m, _) = points[index]?;
    let first = index.saturating_sub(NEIGHBOUR_BEAMS);
    let last = (index + NEIGHBOUR_BEAMS).min(points.len() - 1);
    // Sums relative to the beam's own end keep their digits.
    let mut sum = [0.0; 6];
    for (neighbour, point) in points.iter().enumerate().take(last + 1).skip(first) {
        let Some((point_m, _)) = point else { continue };
        let (dx, dy) = (point_m[0] - centre_m[0], point_m[1] - centre_m[1]);
        // Up to 65 degrees of incidence, and 5 cm for noise; farther off is another surface.
        let limit_m = 0.05 + 2.5 * spacing_m * neighbour.abs_diff(index) as f64;
        if dx * dx + dy * dy <= limit_m * limit_m {
            let terms = [1.0, dx, dy, dx * dx, dx * dy, dy * dy];
            sum.iter_mut().zip(terms).for_each(|(total, term)| *total += term);
        }
    }
    let [count, sx, sy, sxx, sxy, syy] = sum;
    if count < LINE_POINTS_MIN {
        return None;
    }
    let (cxx, cxy, cyy) = (sxx - sx * sx / count, sxy - sx * sy / count, syy - sy * sy / count);
    let half_difference = (cxx - cyy) / 2.0;
    let root = (half_difference * half_difference + cxy * cxy).sqrt();
    let (across, along) = ((cxx + cyy) / 2.0 - root, (cxx + cyy) / 2.0 + root);
    if !(along > 0.0 && across <= LINE_FLATNESS_MAX * along) {
        return None;
    }
    // The direction along the line, from the longer of two forms of the eigenvector.
    let (x, y) = if half_difference >= 0.0 {
        (half_difference + root, cxy)
    } else {
        (cxy, root - half_difference)
    };
    let length = (x * x + y * y).sqrt();
    (length > 0.0).then(|| [-y / length, x / length])
}

/// The motion that lays a scan's points on the lines of the one before it, and the matches of the
/// last iteration.
fn align(before: &Surface, current: &Surface, guess: Pose2) -> Option<(Pose2, usize)> {
    let mut motion = guess;
    let mut matched_count = 0;
    let mut reach_m = REACH_FIRST_M;
    for _ in 0..ITERATIONS_MAX {
        let (equations, count) = gather(before, current, motion, reach_m);
        matched_count = count;
        if matched_count < MATCHES_MIN {
            return None;
        }
        let step = equations.with_guess(guess, motion).solve()?;
        motion = Pose2::new(motion.x_m + step[0], motion.y_m + step[1], motion.yaw_rad + step[2]);
        let has_settled = step.iter().all(|part| part.abs() < STEP_MIN);
        if has_settled && reach_m <= REACH_LAST_M {
            break;
        }
        reach_m = (reach_m * REACH_SHRINK).max(REACH_LAST_M);
    }
    Some((motion, matched_count))
}

/// The equations of one iteration and how many points they hold.
fn gather(
    before: &Surface,
    current: &Surface,
    motion: Pose2,
    reach_m: f64,
) -> (NormalEquations, usize) {
    let (sin, cos) = math::sin_cos(motion.yaw_rad);
    let mut equations = NormalEquations::default();
    let mut count = 0;
    for beam in current.beams.iter().flatten() {
        let [x, y] = beam.point_m;
        let turned = [cos * x - sin * y, sin * x + cos * y];
        let point_m = [turned[0] + motion.x_m, turned[1] + motion.y_m];
        let Some((line_point_m, normal)) = before.nearest(point_m, reach_m) else { continue };
        let residual_m =
            normal[0] * (point_m[0] - line_point_m[0]) + normal[1] * (point_m[1] - line_point_m[1]);
        let standard = residual_m / RESIDUAL_SIGMA_M;
        let weight = 1.0 / ((1.0 + standard * standard) * RESIDUAL_SIGMA_M * RESIDUAL_SIGMA_M);
        let by_yaw = normal[1] * turned[0] - normal[0] * turned[1];
        equations.add([normal[0], normal[1], by_yaw], residual_m, weight);
        count += 1;
    }
    (equations, count)
}

/// `information * step = pull`, for x, y and yaw; the upper triangle is kept.
#[derive(Default)]
struct NormalEquations {
    information: [f64; 6],
    pull: [f64; 3],
}

impl NormalEquations {
    fn add(&mut self, gradient: [f64; 3], residual: f64, weight: f64) {
        let [a, b, c] = gradient;
        let terms = [a * a, a * b, a * c, b * b, b * c, c * c];
        self.information.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term);
        self.pull.iter_mut().zip(gradient).for_each(|(sum, part)| *sum -= weight * part * residual);
    }

    /// With the first guess as one more measurement of each part.
    fn with_guess(mut self, guess: Pose2, motion: Pose2) -> Self {
        let weight_m = 1.0 / (GUESS_SIGMA_M * GUESS_SIGMA_M);
        let weight_rad = 1.0 / (GUESS_SIGMA_RAD * GUESS_SIGMA_RAD);
        let turn_rad = math::wrap_angle(motion.yaw_rad - guess.yaw_rad);
        self.add([1.0, 0.0, 0.0], motion.x_m - guess.x_m, weight_m);
        self.add([0.0, 1.0, 0.0], motion.y_m - guess.y_m, weight_m);
        self.add([0.0, 0.0, 1.0], turn_rad, weight_rad);
        self
    }

    /// By Cholesky's decomposition; `None` if the information is not positive.
    fn solve(&self) -> Option<[f64; 3]> {
        let [a, b, c, d, e, f] = self.information;
        let root = |value: f64| (value > 0.0).then(|| value.sqrt());
        let l0 = root(a)?;
        let (l1, l2) = (b / l0, c / l0);
        let l3 = root(d - l1 * l1)?;
        let l4 = (e - l1 * l2) / l3;
        let l5 = root(f - l2 * l2 - l4 * l4)?;
        let y0 = self.pull[0] / l0;
        let y1 = (self.pull[1] - l1 * y0) / l3;
        let y2 = (self.pull[2] - l2 * y0 - l4 * y1) / l5;
        let yaw = y2 / l5;
        let y = (y1 - l4 * yaw) / l3;
        let x = (y0 - l1 * y - l2 * yaw) / l0;
        Some([x, y, yaw])
    }
}
