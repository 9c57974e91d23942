//! The same bits in every build profile and on any number of threads.
//!
//! The number below was computed in one build and holds in all: run this test with the crate at
//! opt-level 0, at 3 and in release.

use std::collections::BTreeMap;

use tiepoint_model::Seed;
use tiepoint_simulate::{
    Corruption, World, corrupt,
    parity::Parity,
    systems::{RangeFilterInput, RangeFilterOptions, ScanToScanInput, range_filter, scan_to_scan},
};

use crate::{
    scene::{Room, beacons, real_lidar},
    twin::Run,
};

/// Of the mixed scene below: rays at all angles, all sensors, all error models, two corruptions,
/// both systems.
const GOLDEN: u64 = 0x02c9_2969_2995_7ff2;

fn mixed_scene() -> u64 {
    let world = World::new(&Room::hall(0.0).map(0.1)).unwrap();
    let run = Run::new(60);
    let mut twin = run.twin(&world, Seed(2026)).unwrap();
    let mut parity = Parity::EMPTY;
    parity.twin(&twin);
    for (id, size) in [("range_noise", 0.03), ("odometry_scale", 0.98)] {
        let corruption = Corruption::parse(id, size).unwrap();
        corrupt(&mut twin, corruption, &real_lidar(), Seed(2026)).unwrap();
        parity.twin(&twin);
    }
    let places: BTreeMap<u32, [f64; 3]> =
        beacons().into_iter().map(|beacon| (beacon.beacon_id, beacon.position_m)).collect();
    let input = RangeFilterInput {
        odometry: &twin.odometry,
        ranges: &twin.ranges,
        beacons: &places,
        map_from_base_start: run.trajectory[0].map_from_base,
    };
    let filtered = range_filter(&input, &RangeFilterOptions::GATED).unwrap();
    filtered.poses.iter().for_each(|pose| parity.timed_pose(pose));
    let input = ScanToScanInput {
        scans: &twin.scans,
        odometry: &twin.odometry,
        base_from_laser: run.parameters.base_from_laser,
    };
    let matched = scan_to_scan(&input).unwrap();
    matched.motions.iter().for_each(|motion| parity.pose(motion.previous_from_current));
    parity.value()
}

#[test]
fn the_mixed_scene_has_the_same_bits_in_every_build_and_on_any_number_of_threads() {
    for thread_count in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(thread_count).build().unwrap();
        let value = pool.install(mixed_scene);
        assert_eq!(value, GOLDEN, "{value:#018x} on {thread_count} threads");
    }
}
