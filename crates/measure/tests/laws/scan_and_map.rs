//! Laws of measures on scans, and of scans against maps.

use std::f64::consts::TAU;

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::{
    MeasureError, Share,
    map::{MapOptions, map_agreement},
    scan::{
        beam_agreement, grid_share, range_residuals_m, reprojected_agreement, roughness_m,
        valid_share,
    },
};
use tiepoint_model::{Cell, Pose2, Scan, Seed, Stamps, Timestamp, WallMap, math};

fn scan_of(ranges_m: Vec<f32>) -> Scan {
    Scan {
        stamps: Stamps { log: Timestamp(0), publish: None, sensor: None },
        frame_id: "laser".into(),
        angle_min_rad: -TAU / 2.0,
        angle_increment_rad: TAU / ranges_m.len().max(1) as f64,
        range_min_m: 0.1,
        range_max_m: 30.0,
        time_increment_s: 0.0,
        ranges_m,
        intensities: vec![],
    }
}

fn reading() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => 0.2_f32..29.0,
        1 => Just(0.0_f32),
        1 => Just(f32::INFINITY),
        1 => Just(f32::NAN),
    ]
}

fn two_scans() -> impl Strategy<Value = (Scan, Scan)> {
    (1_usize..60).prop_flat_map(|count| {
        (vec(reading(), count), vec(reading(), count)).prop_map(|(a, b)| (scan_of(a), scan_of(b)))
    })
}

fn noisy_wall(sigma_m: f64, count: u64) -> Scan {
    let ranges_m = (0..count)
        .map(|index| (10.0 + sigma_m * Seed(4).draws(0, index).normal()) as f32)
        .collect();
    scan_of(ranges_m)
}

proptest! {
    #[test]
    fn a_scan_agrees_with_itself((scan, _) in two_scans()) {
        let pair = ([scan.clone()], [scan.clone()]);
        let seen = valid_share(&pair.0).hit_count;
        let all = Share { hit_count: seen, count: seen };
        prop_assert_eq!(beam_agreement(&pair.0, &pair.1, 0.0), Ok(all));
        let residuals = range_residuals_m(&pair.0, &pair.1).unwrap();
        prop_assert!(residuals.residuals_m.iter().all(|residual| *residual == 0.0));
        prop_assert_eq!(residuals.beams.both_count, seen);
        // Sine and cosine and back: some 1e-15 of 30 m.
        prop_assert_eq!(reprojected_agreement(&scan, &scan, Pose2::IDENTITY, 1e-12), Ok(all));
    }

    #[test]
    fn beam_agreement_is_symmetric((a, b) in two_scans(), tolerance_m in 0.0..10.0_f64) {
        let (a, b) = ([a], [b]);
        prop_assert_eq!(beam_agreement(&a, &b, tolerance_m), beam_agreement(&b, &a, tolerance_m));
    }

    #[test]
    fn range_residuals_change_sign_when_swapped((a, b) in two_scans()) {
        let (a, b) = ([a], [b]);
        let (one, other) = (range_residuals_m(&a, &b).unwrap(), range_residuals_m(&b, &a).unwrap());
        let mirrored: Vec<f64> = other.residuals_m.iter().map(|residual| -residual).collect();
        prop_assert_eq!(one.residuals_m, mirrored);
        prop_assert_eq!(one.beams.real_only_count, other.beams.synthetic_only_count);
        prop_assert_eq!(one.beams.neither_count, other.beams.neither_count);
    }

    #[test]
    fn agreement_grows_with_the_tolerance(
        (a, b) in two_scans(),
        small_m in 0.0..5.0_f64,
        more_m in 0.0..5.0_f64,
        x_m in -1.0..1.0_f64,
        yaw_rad in -3.0..3.0_f64,
    ) {
        let b_from_a = Pose2::new(x_m, 0.0, yaw_rad);
        let (one, other) = (
            reprojected_agreement(&a, &b, b_from_a, small_m).unwrap(),
            reprojected_agreement(&a, &b, b_from_a, small_m + more_m).unwrap(),
        );
        prop_assert!(one.hit_count <= other.hit_count && one.count == other.count);
        let (a, b) = ([a], [b]);
        let (one, other) = (
            beam_agreement(&a, &b, small_m).unwrap(),
            beam_agreement(&a, &b, small_m + more_m).unwrap(),
        );
        prop_assert!(one.hit_count <= other.hit_count && one.count == other.count);
    }

    /// A scanner that turned by whole beams sees the same readings, turned.
    #[test]
    fn reprojection_by_whole_beams_is_a_turn_of_the_readings(
        ranges_m in vec(0.2_f32..29.0, 4..60),
        turn in 0_usize..60,
    ) {
        let a = scan_of(ranges_m.clone());
        let mut turned = ranges_m;
        let turn = turn % turned.len();
        turned.rotate_left(turn);
        let b = scan_of(turned);
        let b_from_a = Pose2::new(0.0, 0.0, -(turn as f64) * a.angle_increment_rad);
        let count = a.ranges_m.len() as u64;
        prop_assert_eq!(
            reprojected_agreement(&a, &b, b_from_a, 1e-9),
            Ok(Share { hit_count: count, count })
        );
    }

    #[test]
    fn shares_add_up_over_scans((a, b) in two_scans(), step_m in 0.001..0.5_f64) {
        let both = [a.clone(), b.clone()];
        let (a, b) = ([a], [b]);
        prop_assert_eq!(valid_share(&both), valid_share(&a).and(valid_share(&b)));
        prop_assert_eq!(
            grid_share(&both, step_m).unwrap(),
            grid_share(&a, step_m).unwrap().and(grid_share(&b, step_m).unwrap())
        );
    }

    #[test]
    fn quantised_readings_are_on_their_grid_and_moved_ones_are_not(
        steps in vec(100_u32..2900, 1..40),
        offset_share in 0.05..0.95_f64,
    ) {
        let step_m = 0.01;
        let at = |offset: f64| {
            let range = |k: &u32| ((f64::from(*k) + offset) * step_m) as f32;
            grid_share(&[scan_of(steps.iter().map(range).collect())], step_m).unwrap().value()
        };
        prop_assert_eq!(at(0.0), Some(1.0));
        prop_assert_eq!(at(offset_share), Some(0.0));
    }

    #[test]
    fn roughness_scales_with_length((scan, _) in two_scans(), power in -2_i32..1) {
        let scale = [0.25, 0.5, 1.0][(power + 2) as usize];
        let mut scaled = scan.clone();
        scaled.range_min_m *= scale;
        scaled.range_max_m *= scale;
        for range_m in &mut scaled.ranges_m {
            *range_m *= scale as f32; // powers of two are exact
        }
        match (roughness_m(&[scan], 1.0), roughness_m(&[scaled], scale)) {
            (Ok(one), Ok(other)) => {
                prop_assert!((one.roughness_m * scale - other.roughness_m).abs() < 1e-15);
                prop_assert_eq!(one.clipped_count, other.clipped_count);
            }
            (one, other) => prop_assert!(one.is_err() && other.is_err()),
        }
    }

    #[test]
    fn roughness_grows_with_the_clip((scan, _) in two_scans(), clip_m in 0.01..5.0_f64) {
        let scans = [scan];
        let (Ok(one), Ok(other)) = (roughness_m(&scans, clip_m), roughness_m(&scans, 2.0 * clip_m))
        else {
            return Ok(());
        };
        prop_assert!(one.roughness_m <= other.roughness_m);
        prop_assert!(one.roughness_m <= clip_m / 6.0_f64.sqrt() * (1.0 + 1e-15));
    }

    /// A map and the scans in it moved together by whole cells (a power of two, so exactly): the
    /// residuals stay.
    #[test]
    fn map_agreement_is_unchanged_by_whole_cells(
        columns in -40_i32..40,
        rows in -40_i32..40,
        x_m in -1.0..1.0_f64,
        y_m in -1.0..1.0_f64,
    ) {
        let map = room();
        let mut moved_map = map.clone();
        let (dx_m, dy_m) = (f64::from(columns) * map.cell_m, f64::from(rows) * map.cell_m);
        moved_map.origin_x_m += dx_m;
        moved_map.origin_y_m += dy_m;
        for cell in &mut moved_map.cells {
            if let Cell::Wall { x_m, y_m, .. } = cell {
                *x_m += dx_m;
                *y_m += dy_m;
            }
        }
        let scan = scan_of(vec![2.5; 90]);
        let options = MapOptions { tolerance_m: 0.1, reach_m: 0.6 };
        let one = map_agreement(&map, &[(Pose2::new(x_m, y_m, 0.3), &scan)], &options).unwrap();
        let moved = Pose2::new(x_m + dx_m, y_m + dy_m, 0.3);
        let other = map_agreement(&moved_map, &[(moved, &scan)], &options).unwrap();
        prop_assert_eq!(one.residuals_m.len(), other.residuals_m.len());
        for (a, b) in one.residuals_m.iter().zip(&other.residuals_m) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }

    /// The nearest wall is found among the cells within reach: looking at all walls must give the
    /// same.
    #[test]
    fn a_wall_farther_than_the_reach_is_none(x_m in -6.0..6.0_f64, y_m in -6.0..6.0_f64) {
        let map = room();
        let near = tiepoint_measure::map::distance_to_wall_m(&map, [x_m, y_m], 0.7);
        let any = tiepoint_measure::map::distance_to_wall_m(&map, [x_m, y_m], 100.0).unwrap();
        prop_assert_eq!(near, (any <= 0.7).then_some(any));
        // The room's walls stand at 3 m.
        let outside = [x_m, y_m].map(|v: f64| (v.abs() - 3.0).max(0.0));
        let expected = if outside[0] == 0.0 && outside[1] == 0.0 {
            (3.0 - x_m.abs()).min(3.0 - y_m.abs())
        } else {
            math::hypot(outside[0], outside[1])
        };
        prop_assert!((any - expected).abs() < 1e-12);
    }
}

/// A square room with walls at 3 m from its middle, each on the inner edge of its cells of a
/// quarter metre; outside unknown, inside free.
fn room() -> WallMap {
    const CELLS: usize = 32;
    let (origin_m, cell_m) = (-4.0, 0.25);
    let mut cells = Vec::new();
    for row in 0..CELLS {
        for column in 0..CELLS {
            let [x_m, y_m] = [column, row].map(|index| origin_m + index as f64 * cell_m);
            let is_inside = |v: f64| (-3.0..3.0).contains(&v);
            let wall_at = |v: f64| match v {
                -3.25 => Some(-3.0),
                3.0 => Some(3.0),
                _ => None,
            };
            let wall = |x_m: f64, y_m: f64, normal_x: f64, normal_y: f64| Cell::Wall {
                x_m,
                y_m,
                normal_x,
                normal_y,
                thickness_m: 0.0,
                return_count: 10,
            };
            cells.push(match (wall_at(x_m), wall_at(y_m)) {
                (Some(x_m), None) if is_inside(y_m) => wall(x_m, y_m + 0.1, -x_m.signum(), 0.0),
                (None, Some(y_m)) if is_inside(x_m) => wall(x_m + 0.1, y_m, 0.0, -y_m.signum()),
                (None, None) if is_inside(x_m) && is_inside(y_m) => Cell::Free,
                _ => Cell::Unknown,
            });
        }
    }
    WallMap {
        origin_x_m: origin_m,
        origin_y_m: origin_m,
        cell_m,
        column_count: CELLS,
        row_count: CELLS,
        cells,
    }
}

/// What a perfect scanner reads in the room.
fn scan_of_room(map_from_laser: Pose2) -> Scan {
    let mut scan = scan_of(vec![0.0; 90]);
    for index in 0..90 {
        let (sin, cos) = math::sin_cos(scan.angle_rad(index) + map_from_laser.yaw_rad);
        let along = |place: f64, slope: f64| (3.0 * slope.signum() - place) / slope;
        let range_m = along(map_from_laser.x_m, cos).min(along(map_from_laser.y_m, sin));
        scan.ranges_m[index] = range_m as f32;
    }
    scan
}

/// Residuals are the rounding of 32-bit ranges, 2.4e-7 m at 4 m; no end point is lost, and a wrong
/// pose is seen at once.
#[test]
fn scans_made_from_a_map_agree_with_it() {
    let map = room();
    let options = MapOptions { tolerance_m: 1e-6, reach_m: 0.5 };
    let poses = [Pose2::new(0.1, 0.2, 0.3), Pose2::new(-1.7, 2.1, -2.0)];
    let scans = poses.map(scan_of_room);
    let [one, other] = [0, 1].map(|index| (poses[index], &scans[index]));
    let got = map_agreement(&map, &[one, other], &options).unwrap();
    assert_eq!(got.within, Share { hit_count: 180, count: 180 });
    assert_eq!((got.unknown.hit_count, got.without_wall.hit_count), (0, 0));
    assert!(got.p95_m.unwrap() < 5e-7 && got.median_m <= got.p95_m);

    let wrong = map_agreement(&map, &[(poses[1], &scans[0])], &options).unwrap();
    assert!(wrong.within.value().unwrap() < 0.1 && wrong.unknown.hit_count > 0);
    assert_eq!(wrong.residuals_m.len() as u64, 90 - wrong.without_wall.hit_count);
}

#[test]
fn degenerate_maps_and_scans_are_refused_with_a_reason() {
    let map = room();
    let options = MapOptions { tolerance_m: 0.1, reach_m: 0.5 };
    let scan = scan_of_room(Pose2::IDENTITY);
    let at_origin = [(Pose2::IDENTITY, &scan)];
    let blind = scan_of(vec![0.0; 5]);
    assert_eq!(
        map_agreement(&map, &[(Pose2::IDENTITY, &blind)], &options),
        Err(MeasureError::Empty { what: "valid beams" })
    );
    assert!(map_agreement(&map, &[], &options).is_err());
    let too_wide = MapOptions { tolerance_m: 0.6, ..options };
    assert!(map_agreement(&map, &at_origin, &too_wide).is_err());
    let mut short = map.clone();
    short.cells.pop();
    assert!(map_agreement(&short, &at_origin, &options).is_err());
    let lost = Pose2 { x_m: f64::NAN, ..Pose2::IDENTITY };
    assert!(map_agreement(&map, &[(lost, &scan)], &options).is_err());
    // Far outside the grid there is no wall and no panic.
    let away = map_agreement(&map, &[(Pose2::new(1e9, -1e9, 0.0), &scan)], &options).unwrap();
    assert_eq!((away.median_m, away.unknown.value()), (None, Some(1.0)));
    assert_eq!(
        roughness_m(&[blind], 0.1),
        Err(MeasureError::Empty { what: "triples of neighbouring valid beams" })
    );
    assert!(roughness_m(std::slice::from_ref(&scan), 0.0).is_err());
    assert!(grid_share(std::slice::from_ref(&scan), f64::NAN).is_err());
    assert_eq!(valid_share(&[]).value(), None);
    assert!(reprojected_agreement(&scan, &scan, lost, 0.1).is_err());
    let mut still = scan.clone();
    still.angle_increment_rad = 0.0;
    assert!(reprojected_agreement(&scan, &still, Pose2::IDENTITY, 0.1).is_err());
}

/// The estimate from 100,000 triples that overlap has a standard error of about 0.5 %; 2 % is four
/// of them.
#[test]
fn roughness_of_white_noise_is_its_sigma() {
    for sigma_m in [0.005, 0.02] {
        let got = roughness_m(&[noisy_wall(sigma_m, 100_000)], 1.0).unwrap();
        assert!((got.roughness_m / sigma_m - 1.0).abs() < 0.02, "{got:?}");
        assert_eq!(got.clipped_count, 0);
    }
}
