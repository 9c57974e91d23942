//! How fast rays, twins and the systems under test are, on one thread: prints a line each.
//!
//! Run with `cargo bench -p tiepoint-simulate`. The clock is read here only.
#![expect(clippy::disallowed_methods, reason = "room: benchmark clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(dead_code, reason = "the laws use more of the scene than the benchmark")]

#[path = "../tests/laws/scene.rs"]
mod scene;

use std::{collections::BTreeMap, time::Instant};

use tiepoint_model::{Pose2, Seed, math};
use tiepoint_simulate::{
    Hit, SimulateError, TwinInput, TwinOutput, World, simulate_twin,
    systems::{RangeFilterInput, RangeFilterOptions, ScanToScanInput, range_filter, scan_to_scan},
};

fn main() -> Result<(), SimulateError> {
    for turn_rad in [0.0, 0.3] {
        rays(turn_rad)?;
    }
    let world = World::new(&scene::Room::hall(0.0).map(0.1))?;
    for thread_count in [1, 2] {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(thread_count);
        let Ok(pool) = builder.build() else { continue };
        let (twin, seconds) = pool.install(|| timed(|| twin(&world)));
        let scan_count = twin?.scans.len();
        println!("twin of {scan_count} scans of 361 beams, {thread_count} threads: {seconds:.4} s");
    }
    systems(&twin(&world)?)
}

fn rays(turn_rad: f64) -> Result<(), SimulateError> {
    const POSES: u64 = 1_000;
    const BEAMS: u32 = 1_080;
    let room = scene::Room::hall(turn_rad);
    let world = World::new(&room.map(0.1))?;
    let places = (0..).filter_map(|index| {
        let mut draws = Seed(3).draws(0, index);
        let place = [draws.uniform() * 40.0 - 12.0, draws.uniform() * 30.0 - 4.0];
        (room.holds(place) && room.clearance_m(place) > 0.3).then_some(place)
    });
    let places: Vec<[f64; 2]> = places.take(POSES as usize).collect();
    let directions: Vec<[f64; 2]> = (0..BEAMS)
        .map(|beam| {
            let (sin, cos) = math::sin_cos(f64::from(beam) * std::f64::consts::PI / 540.0);
            [cos, sin]
        })
        .collect();
    let mut best_s = f64::INFINITY;
    let mut sum_m = 0.0;
    let mut wall_count = 0_u32;
    for _ in 0..5 {
        (sum_m, wall_count) = (0.0, 0);
        let ((), seconds) = timed(|| {
            for place in &places {
                for direction in &directions {
                    if let Hit::Wall { range_m, .. } = world.cast(*place, *direction, 80.0) {
                        sum_m += range_m;
                        wall_count += 1;
                    }
                }
            }
        });
        best_s = best_s.min(seconds);
    }
    let ray_count = places.len() * directions.len();
    let rate = ray_count as f64 / best_s / 1e6;
    let mean_m = sum_m / f64::from(wall_count);
    let missed = ray_count - wall_count as usize;
    println!("{rate:.2} Mray/s, hall turned by {turn_rad}: mean {mean_m:.2} m, {missed} missed");
    Ok(())
}

fn twin(world: &World) -> Result<TwinOutput, SimulateError> {
    let trajectory = scene::trajectory(343);
    let input = TwinInput {
        world,
        trajectory: &trajectory,
        geometry: scene::half_turn_geometry(),
        scan_stamps: &scene::scan_stamps(&trajectory),
        odometry_stamps: &scene::odometry_stamps(343),
        range_slots: &scene::range_slots(&trajectory),
        antenna_in_base_m: scene::ANTENNA_IN_BASE_M,
        parameters: &scene::real_parameters(),
        frames: &scene::frames(),
    };
    simulate_twin(&input, Seed(1))
}

fn systems(twin: &TwinOutput) -> Result<(), SimulateError> {
    let beacons: BTreeMap<u32, [f64; 3]> =
        scene::beacons().into_iter().map(|beacon| (beacon.beacon_id, beacon.position_m)).collect();
    let filter_input = RangeFilterInput {
        odometry: &twin.odometry,
        ranges: &twin.ranges,
        beacons: &beacons,
        map_from_base_start: scene::trajectory(1)[0].map_from_base,
    };
    let (output, seconds) = timed(|| range_filter(&filter_input, &RangeFilterOptions::GATED));
    let output = output?;
    println!("range filter, {} poses: {seconds:.6} s", output.poses.len());
    let matcher_input = ScanToScanInput {
        scans: &twin.scans,
        odometry: &twin.odometry,
        base_from_laser: Pose2::new(0.12, 0.0, 0.02),
    };
    let (output, seconds) = timed(|| scan_to_scan(&matcher_input));
    let output = output?;
    let guesses = output.first_guess_count;
    println!("scan to scan, {} pairs: {seconds:.4} s, {guesses} guesses", output.motions.len());
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}
