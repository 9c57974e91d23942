//! Worlds made of straight segments, whose ranges are known by formula, and a run through one of
//! them.
//!
//! Frame: `map`; metres. Shared with the benchmark.

use tiepoint_model::{
    Cell, Pose2, Stamps, Timestamp, WallMap, math,
    sensor::{
        BeaconModel, LidarModel, NormalComponent, OdometryModel, RangeErrorModel, Regime,
        TwinParameters,
    },
};
use tiepoint_simulate::{FrameNames, RangeSlot, ScanGeometry, TimedPose};

/// A straight piece of wall; the room lies to its left.
pub(crate) type Segment = [[f64; 2]; 2];

/// Polygons: the first is the room's outline, counter-clockwise; the others stand in it, clockwise.
pub(crate) struct Room {
    pub(crate) polygons: Vec<Vec<[f64; 2]>>,
}

impl Room {
    /// A hall of 24 m x 16 m with six things standing in it, turned by an angle.
    pub(crate) fn hall(turn_rad: f64) -> Self {
        let boxes = [
            [3.0, 2.5, 1.2, 2.0],
            [9.0, 1.0, 2.5, 1.5],
            [16.0, 3.0, 1.0, 5.0],
            [4.0, 9.5, 3.0, 1.0],
            [10.5, 11.0, 2.0, 2.5],
            [19.5, 11.5, 1.5, 1.5],
        ];
        let mut polygons = vec![rectangle([0.0, 0.0, 24.0, 16.0])];
        polygons.extend(boxes.map(|part| {
            let mut corners = rectangle(part);
            corners.reverse();
            corners
        }));
        // Off the cells' edges, so that no wall is a special case.
        let map_from_plan = Pose2::new(0.0317, 0.0411, turn_rad);
        for corner in polygons.iter_mut().flatten() {
            *corner = map_from_plan.transform(*corner);
        }
        Self { polygons }
    }

    pub(crate) fn segments(&self) -> Vec<Segment> {
        let of = |corners: &Vec<[f64; 2]>| {
            let next = corners.iter().skip(1).chain(corners.first());
            corners.iter().zip(next).map(|(a, b)| [*a, *b]).collect::<Vec<_>>()
        };
        self.polygons.iter().flat_map(of).collect()
    }

    /// True inside the outline and outside the things in it: an odd number of edges lies to the
    /// right.
    pub(crate) fn holds(&self, point_m: [f64; 2]) -> bool {
        let crosses = |[a, b]: &Segment| {
            (a[1] > point_m[1]) != (b[1] > point_m[1])
                && point_m[0] < a[0] + (point_m[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        };
        self.segments().iter().filter(|segment| crosses(segment)).count() % 2 == 1
    }

    /// Distance from a point to the nearest wall, metres.
    pub(crate) fn clearance_m(&self, point_m: [f64; 2]) -> f64 {
        let distance = |[a, b]: &Segment| {
            let (ux, uy) = (b[0] - a[0], b[1] - a[1]);
            let (px, py) = (point_m[0] - a[0], point_m[1] - a[1]);
            let share = ((px * ux + py * uy) / (ux * ux + uy * uy)).clamp(0.0, 1.0);
            math::hypot(px - share * ux, py - share * uy)
        };
        self.segments().iter().map(distance).fold(f64::INFINITY, f64::min)
    }

    /// Distance along a ray to the nearest wall, by formula; infinite if there is none.
    pub(crate) fn range_m(&self, origin_m: [f64; 2], direction: [f64; 2]) -> f64 {
        let range = |[a, b]: Segment| {
            let (ux, uy) = (b[0] - a[0], b[1] - a[1]);
            let (px, py) = (a[0] - origin_m[0], a[1] - origin_m[1]);
            let turn = direction[0] * uy - direction[1] * ux;
            let range_m = (px * uy - py * ux) / turn;
            let share = (px * direction[1] - py * direction[0]) / turn;
            let is_met = range_m >= 0.0 && (0.0..=1.0).contains(&share);
            if is_met { range_m } else { f64::INFINITY }
        };
        self.segments().into_iter().map(range).fold(f64::INFINITY, f64::min)
    }

    /// The map that a perfect reconstruction would make: in each cell the segment that is longest
    /// there.
    pub(crate) fn map(&self, cell_m: f64) -> WallMap {
        let corners = self.polygons.iter().flatten();
        let bounds = corners
            .fold([f64::INFINITY, f64::INFINITY, -f64::INFINITY, -f64::INFINITY], |b, c| {
                [b[0].min(c[0]), b[1].min(c[1]), b[2].max(c[0]), b[3].max(c[1])]
            });
        let origin =
            [bounds[0], bounds[1]].map(|low| (low / cell_m).floor() * cell_m - 3.0 * cell_m);
        let count = |axis: usize| ((bounds[axis + 2] - origin[axis]) / cell_m).ceil() as usize + 3;
        let (column_count, row_count) = (count(0), count(1));
        let mut longest: Vec<(f64, Option<Segment>)> = vec![(0.0, None); column_count * row_count];
        for segment in self.segments() {
            for (cell_index, length_m) in pieces(segment, origin, cell_m, column_count) {
                if length_m > longest[cell_index].0 {
                    longest[cell_index] = (length_m, Some(segment));
                }
            }
        }
        let cells = longest.iter().enumerate().map(|(cell_index, (_, segment))| match segment {
            Some([a, b]) => {
                let length_m = math::hypot(b[0] - a[0], b[1] - a[1]);
                Cell::Wall {
                    x_m: a[0],
                    y_m: a[1],
                    normal_x: -(b[1] - a[1]) / length_m,
                    normal_y: (b[0] - a[0]) / length_m,
                    thickness_m: 0.0,
                    return_count: 10,
                }
            }
            None => {
                let middle =
                    |axis: usize, index: usize| origin[axis] + (index as f64 + 0.5) * cell_m;
                let (column, row) = (cell_index % column_count, cell_index / column_count);
                if self.holds([middle(0, column), middle(1, row)]) {
                    Cell::Free
                } else {
                    Cell::Unknown
                }
            }
        });
        WallMap {
            origin_x_m: origin[0],
            origin_y_m: origin[1],
            cell_m,
            column_count,
            row_count,
            cells: cells.collect(),
        }
    }
}

/// The cells that a segment crosses and its length in each, by exact crossings of the grid's lines.
fn pieces(segment: Segment, origin: [f64; 2], cell_m: f64, columns: usize) -> Vec<(usize, f64)> {
    let [a, b] = segment.map(|p| [(p[0] - origin[0]) / cell_m, (p[1] - origin[1]) / cell_m]);
    let mut shares = vec![0.0, 1.0];
    for axis in 0..2 {
        let (low, high) = (a[axis].min(b[axis]), a[axis].max(b[axis]));
        let lines = (low.ceil() as i64)..=(high.floor() as i64);
        shares.extend(lines.map(|line| (line as f64 - a[axis]) / (b[axis] - a[axis])));
    }
    shares.retain(|share| (0.0..=1.0).contains(share));
    shares.sort_by(f64::total_cmp);
    let length_m = math::hypot(b[0] - a[0], b[1] - a[1]) * cell_m;
    let piece = |pair: &[f64]| {
        let middle = (pair[0] + pair[1]) / 2.0;
        let at = |axis: usize| (a[axis] + middle * (b[axis] - a[axis])).floor() as usize;
        (at(1) * columns + at(0), (pair[1] - pair[0]) * length_m)
    };
    shares.windows(2).map(piece).collect()
}

fn rectangle([x, y, width, height]: [f64; 4]) -> Vec<[f64; 2]> {
    vec![[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
}

/// A scanner like that of the range-only log: 361 beams over half a turn, 1 cm steps.
pub(crate) fn half_turn_geometry() -> ScanGeometry {
    ScanGeometry {
        angle_min_rad: -std::f64::consts::FRAC_PI_2,
        angle_increment_rad: std::f64::consts::PI / 360.0,
        beam_count: 361,
        range_min_m: 0.05,
        range_max_m: 80.0,
        time_increment_s: 0.0,
    }
}

pub(crate) fn perfect_lidar() -> LidarModel {
    LidarModel {
        sigma_m: 0.0,
        bias_m: 0.0,
        quantisation_m: 0.0,
        failed_share: 0.0,
        short_share: 0.0,
        range_min_m: 0.05,
        range_max_m: 80.0,
        no_return_reading_m: 81.0,
    }
}

pub(crate) fn real_lidar() -> LidarModel {
    LidarModel {
        sigma_m: 0.011,
        bias_m: -0.004,
        quantisation_m: 0.01,
        failed_share: 0.003,
        short_share: 0.005,
        ..perfect_lidar()
    }
}

pub(crate) fn perfect_odometry() -> OdometryModel {
    OdometryModel {
        scale: 1.0,
        yaw_bias_rad_per_m: 0.0,
        yaw_scale: 1.0,
        sigma_m_per_sqrt_m: 0.0,
        yaw_sigma_rad_per_sqrt_m: 0.0,
        yaw_sigma_rad_per_sqrt_rad: 0.0,
    }
}

pub(crate) fn real_odometry() -> OdometryModel {
    OdometryModel {
        scale: 0.985,
        yaw_bias_rad_per_m: 0.001,
        yaw_scale: 1.01,
        sigma_m_per_sqrt_m: 0.01,
        yaw_sigma_rad_per_sqrt_m: 0.005,
        yaw_sigma_rad_per_sqrt_rad: 0.01,
    }
}

/// Beacons at the hall's walls, one per kind of error.
pub(crate) fn beacons() -> Vec<BeaconModel> {
    let regimes = vec![
        Regime { mean_m: 0.0, sigma_m: 0.1, autocorrelation: 0.6 },
        Regime { mean_m: -1.2, sigma_m: 0.3, autocorrelation: 0.9 },
    ];
    let components = vec![
        NormalComponent { weight: 0.9, mean_m: 0.0, sigma_m: 0.08 },
        NormalComponent { weight: 0.1, mean_m: 0.4, sigma_m: 0.3 },
    ];
    let errors = [
        RangeErrorModel::RegimeSwitching {
            regimes,
            transition: vec![vec![0.97, 0.03], vec![0.08, 0.92]],
        },
        RangeErrorModel::Mixture { components },
        RangeErrorModel::HeavyTailed { location_m: 0.02, scale_m: 0.08, degrees_of_freedom: 3.0 },
        RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.1 },
    ];
    let places = [[0.5, 0.5, 2.0], [23.5, 0.7, 1.1], [23.0, 15.5, 1.4], [0.6, 15.2, 1.8]];
    let ids = 1..;
    ids.zip(errors.into_iter().zip(places))
        .map(|(beacon_id, (error, position_m))| BeaconModel {
            beacon_id,
            position_m,
            missing_share: 0.02,
            error,
        })
        .collect()
}

/// The same places without error.
pub(crate) fn perfect_beacons() -> Vec<BeaconModel> {
    let perfect = RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.0 };
    let strip = |beacon| BeaconModel { missing_share: 0.0, error: perfect.clone(), ..beacon };
    beacons().into_iter().map(strip).collect()
}

pub(crate) fn real_parameters() -> TwinParameters {
    TwinParameters {
        base_from_laser: Pose2::new(0.12, 0.0, 0.02),
        lidar: real_lidar(),
        odometry: Some(real_odometry()),
        beacons: beacons(),
    }
}

pub(crate) fn perfect_parameters() -> TwinParameters {
    TwinParameters {
        base_from_laser: Pose2::new(0.12, 0.0, 0.02),
        lidar: perfect_lidar(),
        odometry: Some(perfect_odometry()),
        beacons: perfect_beacons(),
    }
}

pub(crate) const ANTENNA_IN_BASE_M: [f64; 3] = [0.05, -0.1, 0.6];

pub(crate) fn frames() -> FrameNames {
    let [map, odom, base, laser, antenna] =
        ["map", "odom", "base_link", "laser", "uwb"].map(str::to_owned);
    FrameNames { map, odom, base, laser, antenna }
}

pub(crate) fn stamps(time_ns: i64) -> Stamps {
    Stamps { log: Timestamp(time_ns), publish: None, sensor: Some(Timestamp(time_ns)) }
}

/// About one scan per second, as in the range-only log.
const STEP_NS: i64 = 1_060_000_000;

/// An oval between the things in the hall, 0.31 m from pose to pose, starting at (8, 6.5).
pub(crate) fn trajectory(pose_count: usize) -> Vec<TimedPose> {
    let poses = (0..pose_count).map(|index| {
        let angle_rad = index as f64 * 0.085;
        let (sin, cos) = math::sin_cos(angle_rad);
        let place = [8.0 + 3.2 * sin, 6.5 + 1.2 * (1.0 - cos)];
        let heading_rad = math::atan2(1.2 * sin, 3.2 * cos);
        TimedPose {
            stamps: stamps(1_000_000_000 + index as i64 * STEP_NS),
            map_from_base: Pose2::new(place[0], place[1], heading_rad),
        }
    });
    poses.collect()
}

pub(crate) fn scan_stamps(trajectory: &[TimedPose]) -> Vec<Stamps> {
    trajectory.iter().map(|knot| knot.stamps).collect()
}

/// Three odometry poses per scan.
pub(crate) fn odometry_stamps(pose_count: usize) -> Vec<Stamps> {
    let third = |index: usize| stamps(1_000_000_000 + index as i64 * STEP_NS / 3);
    (0..3 * pose_count.saturating_sub(1) + 1).map(third).collect()
}

/// Every beacon once per scan, 0.2 s after it.
pub(crate) fn range_slots(trajectory: &[TimedPose]) -> Vec<RangeSlot> {
    let slots = trajectory.iter().flat_map(|knot| {
        let stamps = stamps(knot.stamps.log.0 + 200_000_000);
        (1..=4).map(move |beacon_id| RangeSlot { stamps, beacon_id })
    });
    slots.collect()
}
