//! A twin is the run's own samples, simulated: same stamps, same order, same bits whoever computes
//! it.

use tiepoint_model::{Pose2, Seed, Stamps, WallMap};
use tiepoint_simulate::{
    Corruption, RangeSlot, SimulateError, TimedPose, TwinInput, TwinOutput, World, corrupt,
    corruption::CORRUPTION_IDS, simulate_twin,
};

use crate::scene::{
    ANTENNA_IN_BASE_M, Room, frames, half_turn_geometry, odometry_stamps, range_slots, real_lidar,
    real_parameters, scan_stamps, stamps, trajectory,
};

/// A run's stamps and trajectory.
pub(crate) struct Run {
    pub(crate) trajectory: Vec<TimedPose>,
    pub(crate) scan_stamps: Vec<Stamps>,
    pub(crate) odometry_stamps: Vec<Stamps>,
    pub(crate) range_slots: Vec<RangeSlot>,
    pub(crate) parameters: tiepoint_model::sensor::TwinParameters,
}

impl Run {
    pub(crate) fn new(pose_count: usize) -> Self {
        let trajectory = trajectory(pose_count);
        Self {
            scan_stamps: scan_stamps(&trajectory),
            odometry_stamps: odometry_stamps(pose_count),
            range_slots: range_slots(&trajectory),
            parameters: real_parameters(),
            trajectory,
        }
    }

    pub(crate) fn twin(&self, world: &World, seed: Seed) -> Result<TwinOutput, SimulateError> {
        let input = TwinInput {
            world,
            trajectory: &self.trajectory,
            geometry: half_turn_geometry(),
            scan_stamps: &self.scan_stamps,
            odometry_stamps: &self.odometry_stamps,
            range_slots: &self.range_slots,
            antenna_in_base_m: ANTENNA_IN_BASE_M,
            parameters: &self.parameters,
            frames: &frames(),
        };
        simulate_twin(&input, seed)
    }
}

pub(crate) fn hall() -> World {
    World::new(&Room::hall(0.0).map(0.1)).unwrap()
}

/// NaN is not equal to itself, so the bits are compared.
fn bits(twin: &TwinOutput) -> u64 {
    let mut parity = tiepoint_simulate::parity::Parity::EMPTY;
    parity.twin(twin);
    parity.value()
}

#[test]
fn a_twin_is_the_same_on_any_number_of_threads() {
    let (world, run) = (hall(), Run::new(70));
    let of = |thread_count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(thread_count).build().unwrap();
        bits(&pool.install(|| run.twin(&world, Seed(4)).unwrap()))
    };
    assert_eq!(of(1), of(2));
    assert_eq!(of(1), of(5));
    assert_ne!(bits(&run.twin(&world, Seed(5)).unwrap()), of(1));
}

#[test]
fn a_twin_keeps_the_stamps_and_the_order_of_the_run() {
    let (world, mut run) = (hall(), Run::new(30));
    run.range_slots.reverse();
    let twin = run.twin(&world, Seed(4)).unwrap();
    assert!(twin.scans.iter().map(|scan| scan.stamps).eq(run.scan_stamps.iter().copied()));
    assert!(twin.odometry.iter().map(|pose| pose.stamps).eq(run.odometry_stamps.iter().copied()));
    // The last scan's ranges come 0.2 s after the trajectory's end: they are not made.
    assert_eq!(twin.skipped.range_count, 4);
    let made = twin.ranges.iter().map(|range| (range.stamps, range.beacon_id));
    assert!(made.eq(run.range_slots[4..].iter().map(|slot| (slot.stamps, slot.beacon_id))));
    assert!(twin.truth.iter().map(|pose| pose.stamps).eq(run.trajectory.iter().map(|k| k.stamps)));
    assert_eq!(twin.static_transforms.len(), 2 + 4);
}

#[test]
fn samples_outside_the_trajectory_are_counted_and_move_no_other() {
    let (world, run) = (hall(), Run::new(30));
    let whole = run.twin(&world, Seed(4)).unwrap();
    let mut longer = Run::new(30);
    longer.scan_stamps.push(stamps(i64::MAX / 2));
    longer.odometry_stamps.push(stamps(i64::MAX / 2));
    let twin = longer.twin(&world, Seed(4)).unwrap();
    assert_eq!((twin.skipped.scan_count, twin.skipped.odometry_count), (1, 1));
    assert_eq!(bits(&twin), bits(&whole));
}

/// One beacon fewer: the other three read the same.
#[test]
fn a_beacon_moves_no_other_beacons_noise() {
    let (world, run) = (hall(), Run::new(30));
    let whole = run.twin(&world, Seed(4)).unwrap();
    let mut fewer = Run::new(30);
    fewer.range_slots.retain(|slot| slot.beacon_id != 2);
    fewer.parameters.beacons.retain(|beacon| beacon.beacon_id != 2);
    let fewer = fewer.twin(&world, Seed(4)).unwrap();
    let of = |twin: &TwinOutput| {
        let others = twin.ranges.iter().filter(|range| range.beacon_id != 2);
        others.map(|range| range.range_m.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(of(&whole), of(&fewer));
    assert_eq!(whole.scans, fewer.scans);
}

/// A move by whole metres: readings in 1 cm steps agree in every bit, but for a range within
/// rounding of the middle of a step,
/// of which 30 x 361 beams hold none.
#[test]
fn moving_world_and_poses_together_changes_no_reading() {
    let map = Room::hall(0.0).map(0.1);
    let (dx, dy) = (64.0, -32.0);
    let moved_cells = map.cells.iter().map(|cell| match *cell {
        tiepoint_model::Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, return_count } => {
            let (x_m, y_m) = (x_m + dx, y_m + dy);
            tiepoint_model::Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, return_count }
        }
        other => other,
    });
    let moved = WallMap {
        origin_x_m: map.origin_x_m + dx,
        origin_y_m: map.origin_y_m + dy,
        cells: moved_cells.collect(),
        ..map.clone()
    };
    let run = Run::new(30);
    let mut moved_run = Run::new(30);
    for knot in &mut moved_run.trajectory {
        let Pose2 { x_m, y_m, yaw_rad } = knot.map_from_base;
        knot.map_from_base = Pose2::new(x_m + dx, y_m + dy, yaw_rad);
    }
    for beacon in &mut moved_run.parameters.beacons {
        beacon.position_m[0] += dx;
        beacon.position_m[1] += dy;
    }
    let here = run.twin(&World::new(&map).unwrap(), Seed(4)).unwrap();
    let there = moved_run.twin(&World::new(&moved).unwrap(), Seed(4)).unwrap();
    assert_eq!(here.scans, there.scans);
    for (a, b) in here.ranges.iter().zip(&there.ranges) {
        // One step of f32 at 30 m is 2e-6 m.
        assert!(a.range_m.is_nan() && b.range_m.is_nan() || (a.range_m - b.range_m).abs() < 4e-6);
    }
}

#[test]
fn samples_without_a_model_and_runs_without_order_are_refused() {
    let world = hall();
    let mut run = Run::new(10);
    run.parameters.odometry = None;
    assert_eq!(run.twin(&world, Seed(1)), Err(SimulateError::NoOdometryModel));
    let mut run = Run::new(10);
    run.parameters.beacons.remove(0);
    let refused = SimulateError::NoBeaconModel { slot_index: 0, beacon_id: 1 };
    assert_eq!(run.twin(&world, Seed(1)), Err(refused));
    let mut run = Run::new(10);
    run.odometry_stamps.swap(3, 4);
    assert!(matches!(
        run.twin(&world, Seed(1)),
        Err(SimulateError::TimeRunsBack { channel: "odometry", sample_index: 4, .. })
    ));
    let mut run = Run::new(10);
    run.trajectory.clear();
    assert_eq!(run.twin(&world, Seed(1)), Err(SimulateError::Empty { what: "trajectory" }));
    let mut run = Run::new(10);
    run.trajectory[3].map_from_base.yaw_rad = f64::NAN;
    assert!(matches!(run.twin(&world, Seed(1)), Err(SimulateError::NotFinite { .. })));
}

#[test]
fn a_run_without_samples_gives_only_truth_and_transforms() {
    let mut run = Run::new(1);
    run.scan_stamps.clear();
    run.odometry_stamps.clear();
    run.range_slots.clear();
    let twin = run.twin(&hall(), Seed(1)).unwrap();
    assert!(twin.scans.is_empty() && twin.odometry.is_empty() && twin.ranges.is_empty());
    assert_eq!(twin.truth.len(), 1);
}

fn corrupted(twin: &TwinOutput, id: &str, size: f64) -> TwinOutput {
    let mut copy = twin.clone();
    let corruption = Corruption::parse(id, size).unwrap();
    assert_eq!((corruption.id(), corruption.size()), (id, if id == "none" { 0.0 } else { size }));
    corrupt(&mut copy, corruption, &real_lidar(), Seed(4)).unwrap();
    copy
}

#[test]
fn a_corruption_of_no_size_changes_no_bit() {
    let twin = Run::new(20).twin(&hall(), Seed(4)).unwrap();
    for id in CORRUPTION_IDS {
        let size = if id.ends_with("_scale") { 1.0 } else { 0.0 };
        assert_eq!(bits(&corrupted(&twin, id, size)), bits(&twin), "{id}");
    }
}

#[test]
fn a_corruption_touches_its_own_channel_only() {
    let twin = Run::new(20).twin(&hall(), Seed(4)).unwrap();
    for id in &CORRUPTION_IDS[1..] {
        let damaged = corrupted(&twin, id, 0.25);
        let ranges =
            |twin: &TwinOutput| twin.ranges.iter().map(|r| r.range_m.to_bits()).collect::<Vec<_>>();
        let touched = [
            damaged.scans != twin.scans,
            ranges(&damaged) != ranges(&twin),
            damaged.odometry != twin.odometry,
            damaged.truth != twin.truth,
        ];
        let expected = match *id {
            "beacon_bias" | "beacon_noise" => [false, true, false, false],
            "odometry_scale" => [false, false, true, false],
            "pose_offset" => [false, false, false, true],
            _ => [true, false, false, false],
        };
        assert_eq!(touched, expected, "{id}");
    }
}

/// Sizes come through: bias and factor to within half a step of the 1 cm grid, shares and
/// deviations to five standard errors.
#[test]
fn corruptions_have_the_size_that_they_say() {
    let twin = Run::new(40).twin(&hall(), Seed(4)).unwrap();
    let changes = |id: &str, size: f64| {
        let damaged = corrupted(&twin, id, size);
        let beams = twin.scans.iter().zip(&damaged.scans).flat_map(|(a, b)| {
            let pairs = a.ranges_m.iter().zip(&b.ranges_m);
            pairs.filter(|(a, _)| **a > 0.3).map(|(a, b)| (f64::from(*a), f64::from(*b)))
        });
        beams.collect::<Vec<_>>()
    };
    for (before_m, after_m) in changes("range_bias", 0.1) {
        assert!((after_m - before_m - 0.1).abs() < 0.005 + 1e-6);
    }
    for (before_m, after_m) in changes("range_scale", 1.02) {
        assert!((after_m - before_m * 1.02).abs() < 0.005 + 2e-6);
        let steps = after_m / 0.01;
        assert!((steps - steps.round()).abs() < 1e-3, "{after_m} is off the grid");
    }
    let dropped = changes("drop_beams", 0.2);
    let count = dropped.len() as f64;
    let share = dropped.iter().filter(|(_, after_m)| *after_m == 0.0).count() as f64 / count;
    assert!((share - 0.2).abs() < 5.0 * 0.4 / count.sqrt());
    let noisy = changes("range_noise", 0.05);
    let square_m2: f64 = noisy.iter().map(|(a, b)| (a - b) * (a - b)).sum();
    let expected_m = (0.05_f64 * 0.05 + 0.01 * 0.01 / 12.0).sqrt();
    assert!(((square_m2 / count).sqrt() / expected_m - 1.0).abs() < 5.0 / (2.0 * count).sqrt());
    let scaled = corrupted(&twin, "odometry_scale", 1.5);
    for pair in [&twin, &scaled].map(|twin| twin.odometry.windows(2).collect::<Vec<_>>())[0]
        .iter()
        .zip(scaled.odometry.windows(2))
    {
        let step = |w: &[tiepoint_model::PoseSample]| {
            w[0].frame_from_child.in_plane().distance_m(w[1].frame_from_child.in_plane())
        };
        assert!((step(pair.1) - 1.5 * step(pair.0)).abs() < 1e-9);
    }
}

#[test]
fn corruptions_out_of_range_or_without_a_name_are_refused() {
    assert!(matches!(Corruption::parse("drop_beams", 1.5), Err(SimulateError::Parameter { .. })));
    assert!(matches!(Corruption::parse("range_noise", -0.1), Err(SimulateError::Parameter { .. })));
    assert!(matches!(
        Corruption::parse("range_scale", f64::NAN),
        Err(SimulateError::Parameter { .. })
    ));
    let error = Corruption::parse("fog", 1.0).unwrap_err();
    assert!(error.hint().contains("beacon_bias"));
}
