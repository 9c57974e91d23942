//! Laws of the wall map, on scans of a known world.

use tiepoint_model::{Cell, Pose2, Scan, WallMap, math};

use super::{MapOptions, PosedScan, build_map, wall_crossing_m, wall_residual_m};
use crate::ReconstructError;
use crate::grid::Beam;
use crate::test_world::{Scanner, Wall, drive, range_m, ring, walls_of_box};

fn map_of(walls: &[Wall], poses: &[Pose2], scanner: Scanner, options: &MapOptions) -> WallMap {
    let scans: Vec<Scan> =
        poses.iter().enumerate().map(|(frame, pose)| scanner.scan(walls, *pose, frame)).collect();
    let posed: Vec<PosedScan<'_>> = poses
        .iter()
        .zip(&scans)
        .map(|(pose, scan)| PosedScan { map_from_base: *pose, scan })
        .collect();
    build_map(&posed, scanner.base_from_laser, options).unwrap()
}

fn beam(origin_m: [f64; 2], yaw_rad: f64) -> Beam {
    Beam { origin_m, direction: [math::cos(yaw_rad), math::sin(yaw_rad)] }
}

/// Errors of re-simulated beams at places between those that made the map, metres, and neighbours'
/// second differences.
fn cast_errors(map: &WallMap, walls: &[Wall], poses: &[Pose2]) -> (Vec<f64>, Vec<f64>) {
    let (mut errors, mut bends) = (Vec::new(), Vec::new());
    for pose in poses {
        let mut ranges = Vec::new();
        for step in -80..=80 {
            let yaw_rad = pose.yaw_rad + f64::from(step) * 0.0171;
            let origin = [pose.x_m, pose.y_m];
            let expected = range_m(walls, origin, yaw_rad).unwrap();
            let found = wall_crossing_m(map, beam(origin, yaw_rad), 30.0);
            errors.push(found.map_or(f64::INFINITY, |found| (found - expected).abs()));
            ranges.push(found.map(|found| found - expected));
        }
        bends.extend(ranges.windows(3).filter_map(|w| {
            let bend = (w[0]? - 2.0 * w[1]? + w[2]?).abs();
            (bend < 0.1).then_some(bend)
        }));
    }
    errors.sort_by(f64::total_cmp);
    bends.sort_by(f64::total_cmp);
    (errors, bends)
}

/// Held-out places: the middle between the poses that made the map, 2 cm of noise.
#[test]
fn beams_cast_from_new_places_land_on_the_walls() {
    let walls = ring();
    let poses = drive(200);
    let map = map_of(&walls, &poses, Scanner::new(0.02), &MapOptions::indoor());
    let between: Vec<Pose2> =
        poses.iter().step_by(3).map(|pose| *pose * Pose2::new(0.12, 0.1, 0.05)).collect();
    let (errors, bends) = cast_errors(&map, &walls, &between);
    let share = errors.partition_point(|error| *error < 0.1) as f64 / errors.len() as f64;
    assert!(share > 0.93, "{share}");
    assert!(errors[errors.len() / 2] < 0.01, "{}", errors[errors.len() / 2]);
    // Pieces of one wall are collinear: neighbouring beams bend by far less than the 2 cm of noise
    // that made them.
    assert!(bends[bends.len() / 2] < 0.002, "{}", bends[bends.len() / 2]);
    assert!(bends[bends.len() * 9 / 10] < 0.02, "{}", bends[bends.len() * 9 / 10]);
}

#[test]
fn a_room_is_free_inside_walled_around_and_unknown_beyond() {
    let walls = walls_of_box([-3.0, -2.0], [3.0, 2.0]);
    let poses: Vec<Pose2> =
        (0..16).map(|k| Pose2::new(0.03 * f64::from(k), 0.02, 0.4 * f64::from(k))).collect();
    let map = map_of(&walls, &poses, Scanner::new(0.01), &MapOptions::indoor());
    assert_eq!(map.cell_at(0.5, 0.5), Cell::Free);
    assert_eq!(map.cell_at(-2.0, 1.0), Cell::Free);
    assert_eq!(map.cell_at(3.15, 0.5), Cell::Unknown);
    assert_eq!(map.cell_at(100.0, 0.5), Cell::Unknown);
    assert_eq!(map.cell_at(f64::NAN, 0.5), Cell::Unknown);
    let mut wall_count = 0;
    for cell in &map.cells {
        let Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, .. } = *cell else { continue };
        wall_count += 1;
        let off_m = (x_m.abs() - 3.0).abs().min((y_m.abs() - 2.0).abs());
        // The cells of a corner round it a little.
        let is_corner = x_m.abs() > 2.85 && y_m.abs() > 1.85;
        assert!(off_m < if is_corner { 0.05 } else { 0.02 }, "{x_m} {y_m}");
        assert!((math::hypot(normal_x, normal_y) - 1.0).abs() < 1e-9);
        // The normal points into the room.
        assert!(normal_x * x_m + normal_y * y_m < 0.0, "{cell:?}");
        assert!(thickness_m < 0.03);
    }
    // 20 m of wall in cells of 0.1 m, on either side of a cell edge at most.
    assert!((190..=420).contains(&wall_count), "{wall_count}");
}

/// Someone stands before the wall in 3 of 20 scans: beams of the others pass there, so nothing of
/// him stays.
#[test]
fn what_moved_away_is_not_a_wall() {
    let room = walls_of_box([-3.0, -2.0], [3.0, 2.0]);
    let mut with_person = room.clone();
    with_person.extend(walls_of_box([1.4, -0.2], [1.7, 0.2]));
    let scanner = Scanner::new(0.01);
    let pose = |k: usize| Pose2::new(-1.5 + 0.02 * k as f64, 0.1, 0.0);
    let scans: Vec<Scan> = (0..20)
        .map(|k| scanner.scan(if k < 3 { &with_person } else { &room }, pose(k), k))
        .collect();
    let posed: Vec<PosedScan<'_>> = scans
        .iter()
        .enumerate()
        .map(|(k, scan)| PosedScan { map_from_base: pose(k), scan })
        .collect();
    let map = build_map(&posed, scanner.base_from_laser, &MapOptions::indoor()).unwrap();
    assert_eq!(map.cell_at(1.4, 0.0), Cell::Free);
    let seen = wall_crossing_m(&map, beam([0.0, 0.0], 0.0), 10.0).unwrap();
    assert!((seen - 3.0).abs() < 0.02, "{seen}");
    // From the scans with him alone, he is there.
    let map = build_map(&posed[..3], scanner.base_from_laser, &MapOptions::indoor()).unwrap();
    let seen = wall_crossing_m(&map, beam([0.0, 0.0], 0.0), 10.0).unwrap();
    assert!((seen - 1.4).abs() < 0.03, "{seen}");
}

#[test]
fn the_residual_is_signed_along_the_beam() {
    let walls = walls_of_box([-3.0, -2.0], [3.0, 2.0]);
    let poses: Vec<Pose2> = (0..16).map(|k| Pose2::new(0.0, 0.0, 0.4 * f64::from(k))).collect();
    let map = map_of(&walls, &poses, Scanner::new(0.0), &MapOptions::indoor());
    let ahead = beam([0.5, 0.3], 0.2);
    let expected = range_m(&walls, [0.5, 0.3], 0.2).unwrap();
    for off_m in [-0.2, -0.03, 0.0, 0.05, 0.25] {
        let residual = wall_residual_m(&map, ahead, expected + off_m, 0.4).unwrap();
        // Ranges are stored as f32 and the walls are fitted: a millimetre.
        assert!((residual - off_m).abs() < 1e-3, "{off_m}: {residual}");
    }
    assert_eq!(wall_residual_m(&map, ahead, 1.0, 0.4), None);
    assert_eq!(wall_residual_m(&map, ahead, f64::NAN, 0.4), None);
}

/// Moving poses by whole cells moves the map by them; anything else would show a hidden origin.
/// Tolerance: moved coordinates round differently by some 1e-15 of 50 m.
#[test]
fn moving_the_poses_moves_the_map() {
    let walls = ring();
    let poses = drive(40);
    let moved: Vec<Wall> = walls
        .iter()
        .map(|(a, b)| ([a[0] + 51.2, a[1] - 25.6], [b[0] + 51.2, b[1] - 25.6]))
        .collect();
    let shift = Pose2::new(51.2, -25.6, 0.0);
    let moved_poses: Vec<Pose2> = poses.iter().map(|pose| shift * *pose).collect();
    let options = MapOptions::indoor();
    let plain = map_of(&walls, &poses, Scanner::new(0.01), &options);
    let other = map_of(&moved, &moved_poses, Scanner::new(0.01), &options);
    let mut errors = Vec::new();
    for pose in poses.iter().step_by(4) {
        for step in -50..=50 {
            let yaw_rad = pose.yaw_rad + f64::from(step) * 0.03;
            let here = beam([pose.x_m, pose.y_m], yaw_rad);
            let there = beam([pose.x_m + 51.2, pose.y_m - 25.6], yaw_rad);
            let a = wall_crossing_m(&plain, here, 30.0);
            let b = wall_crossing_m(&other, there, 30.0);
            errors.push((a.unwrap_or(40.0) - b.unwrap_or(40.0)).abs());
        }
    }
    errors.sort_by(f64::total_cmp);
    // A return on a cell's edge may fall to the other side of it: rare.
    assert!(errors[errors.len() * 95 / 100] < 1e-3, "{}", errors[errors.len() * 95 / 100]);
}

#[test]
fn the_same_scans_give_the_same_map() {
    let make = || map_of(&ring(), &drive(60), Scanner::new(0.02), &MapOptions::indoor());
    let (a, b) = (make(), make());
    assert_eq!(a, b);
}

#[test]
fn maps_that_cannot_be_made_are_refused() {
    let scanner = Scanner::new(0.0);
    let scan = scanner.scan(&ring(), Pose2::new(6.0, 2.0, 0.0), 0);
    let mut blind = scan.clone();
    blind.ranges_m.fill(f32::INFINITY);
    let build = |scan: &Scan, map_from_base: Pose2, options: &MapOptions| {
        build_map(&[PosedScan { map_from_base, scan }], scanner.base_from_laser, options)
    };
    let options = MapOptions::indoor();
    let here = Pose2::new(6.0, 2.0, 0.0);
    let empty = ReconstructError::Empty { what: "scan with a return" };
    assert_eq!(build_map(&[], scanner.base_from_laser, &options).unwrap_err(), empty);
    assert_eq!(build(&blind, here, &options).unwrap_err(), empty);
    let nowhere = Pose2 { x_m: f64::INFINITY, y_m: 0.0, yaw_rad: 0.0 };
    assert!(matches!(build(&scan, nowhere, &options), Err(ReconstructError::NotFinite { .. })));
    let tiny = MapOptions { cell_m: 1e-4, ..options };
    assert!(matches!(build(&scan, here, &tiny), Err(ReconstructError::MapTooLarge { .. })));
    let bad = MapOptions { cell_m: -1.0, ..options };
    assert!(matches!(
        build(&scan, here, &bad),
        Err(ReconstructError::BadOption { option: "cell_m", .. })
    ));
}
