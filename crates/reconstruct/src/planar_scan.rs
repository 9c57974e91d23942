//! A laser scan as points of the plane in `base_link`, each with the direction of the surface it
//! lies on.
//!
//! Invariant: only beams that are measurements become points, in beam order.
//! The sweep counts as one instant: motion during a sweep is not undone here.
//! Metres, radians.

use tiepoint_model::{Pose2, Scan, math};

use crate::geometry::{Line, Moments, Motion, dot, length_squared, minus};

/// Fewest valid beams with which a scan can be matched.
pub const MINIMUM_VALID_BEAMS: usize = 20;

/// Longer readings are left out, metres: no planar scanner measures so far, whatever its limit says.
pub const RANGE_M_MAX: f64 = 250.0;

/// Scatter above this is clutter, not noise, metres.
const SCATTER_M_MAX: f64 = 0.5;

/// One return of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanPoint {
    /// The return, metres in `base_link`.
    pub in_base_m: [f64; 2],
    /// Unit normal of the surface, towards the scanner, in `base_link`; `None` where the
    /// neighbours form no line.
    pub normal: Option<[f64; 2]>,
    /// As the sensor gave it, metres.
    pub range_m: f64,
    /// Which beam of the scan.
    pub beam_index: usize,
}

/// The returns of one scan in `base_link`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanarScan {
    /// In beam order.
    pub points: Vec<ScanPoint>,
    /// Scatter of neighbouring ranges, one standard deviation, metres: a scale for matching, not a
    /// sensor calibration.
    pub scatter_m: f64,
    /// The scanner in `base_link`, metres.
    pub laser_in_base_m: [f64; 2],
}

impl PlanarScan {
    /// The valid returns of a scan whose scanner sits at `base_from_laser`.
    #[must_use]
    pub fn new(scan: &Scan, base_from_laser: Pose2) -> Self {
        let base_from_laser_motion = Motion::of(base_from_laser);
        let mut points = Vec::with_capacity(scan.ranges_m.len());
        for beam_index in 0..scan.ranges_m.len() {
            let Some(range_m) = scan.valid_range_m(beam_index) else { continue };
            if range_m > RANGE_M_MAX {
                continue;
            }
            let (sin, cos) = math::sin_cos(scan.angle_rad(beam_index));
            let in_base_m = base_from_laser_motion.point([range_m * cos, range_m * sin]);
            points.push(ScanPoint { in_base_m, normal: None, range_m, beam_index });
        }
        let scatter_m = range_scatter_m(&points);
        let laser_in_base_m = [base_from_laser.x_m, base_from_laser.y_m];
        let mut planar = Self { points, scatter_m, laser_in_base_m };
        planar.set_normals(scan.angle_increment_rad.abs());
        planar
    }

    /// True if there are enough returns to match.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.points.len() >= MINIMUM_VALID_BEAMS
    }

    /// Median of the ranges, metres; 0 without returns.
    #[must_use]
    pub fn median_range_m(&self) -> f64 {
        let mut ranges_m: Vec<f64> = self.points.iter().map(|point| point.range_m).collect();
        ranges_m.sort_by(f64::total_cmp);
        ranges_m.get(ranges_m.len() / 2).copied().unwrap_or(0.0)
    }

    fn set_normals(&mut self, increment_rad: f64) {
        for index in 0..self.points.len() {
            let point = self.points[index];
            let spacing_m = (point.range_m * increment_rad).max(1e-4);
            let radius_m = 0.15_f64.max(3.5 * spacing_m).max(4.0 * self.scatter_m);
            let reach = ((radius_m / spacing_m).ceil() as usize).clamp(2, 40);
            let Some(line) = self.local_line(index, reach, radius_m) else { continue };
            let to_laser = minus(self.laser_in_base_m, point.in_base_m);
            let sign = if dot(line.normal, to_laser) < 0.0 { -1.0 } else { 1.0 };
            self.points[index].normal = Some([sign * line.normal[0], sign * line.normal[1]]);
        }
    }

    /// The line through the neighbours of a point, walking outwards until the surface breaks off.
    fn local_line(&self, index: usize, reach: usize, radius_m: f64) -> Option<Line> {
        let centre = self.points[index].in_base_m;
        let mut moments = Moments::about(centre);
        moments.add(centre, 1.0);
        let mut count = 1;
        let is_near = |other: [f64; 2]| length_squared(minus(other, centre)) <= radius_m * radius_m;
        let before = index.saturating_sub(reach)..index;
        let after = index + 1..(index + 1 + reach).min(self.points.len());
        let noisy = self.scatter_m > 0.1;
        for neighbour in before.rev() {
            let other = self.points[neighbour].in_base_m;
            if is_near(other) {
                moments.add(other, 1.0);
                count += 1;
            } else if !noisy {
                break;
            }
        }
        for neighbour in after {
            let other = self.points[neighbour].in_base_m;
            if is_near(other) {
                moments.add(other, 1.0);
                count += 1;
            } else if !noisy {
                break;
            }
        }
        let line = moments.line()?;
        (count >= 4 && line.across_m < 0.45 * line.along_m).then_some(line)
    }
}

/// Robust standard deviation of ranges about a straight line through their neighbours.
///
/// The second difference of independent readings has six times their variance; its median absolute
/// value is
/// 0.6745 standard deviations of a normal distribution. Edges are rarer than half of the beams, so
/// the median skips them.
fn range_scatter_m(points: &[ScanPoint]) -> f64 {
    let mut differences: Vec<f64> = points
        .windows(3)
        .filter(|triple| triple[2].beam_index == triple[0].beam_index + 2)
        .map(|triple| (triple[0].range_m - 2.0 * triple[1].range_m + triple[2].range_m).abs())
        .collect();
    if differences.is_empty() {
        return 0.0;
    }
    differences.sort_by(f64::total_cmp);
    (differences[differences.len() / 2] / (0.6745 * 6.0_f64.sqrt())).min(SCATTER_M_MAX)
}
