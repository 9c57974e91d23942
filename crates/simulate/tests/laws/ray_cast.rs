//! Rays end where geometry says.

use std::f64::consts::{FRAC_PI_2, PI};

use tiepoint_model::{Cell, Pose2, Seed, WallMap, math};
use tiepoint_simulate::{Hit, SimulateError, World};

use crate::scene::Room;

const CELL_M: f64 = 0.1;

/// Places in a room at least `clearance_m` from its walls, and directions.
fn rays(room: &Room, count: usize, clearance_m: f64) -> Vec<([f64; 2], [f64; 2])> {
    let mut found = Vec::new();
    let mut index = 0;
    while found.len() < count {
        let mut draws = Seed(11).draws(0, index);
        index += 1;
        let place = [draws.uniform() * 40.0 - 15.0, draws.uniform() * 40.0 - 10.0];
        let (sin, cos) = math::sin_cos(2.0 * PI * draws.uniform());
        if room.holds(place) && room.clearance_m(place) > clearance_m {
            found.push((place, [cos, sin]));
        }
    }
    found
}

/// A cell's line is the wall itself, and in a corner's cell the neighbour's line is there too:
/// ranges agree to rounding, 1e-9 m over tens of metres.
/// Where a corner's point lies so near a cell's edge that one wall has no piece in any cell beside
/// it, a ray within a cell of the corner may pass or end there:
/// at most 2 rays in 1000, and none is lost.
#[test]
fn ranges_agree_with_geometry_in_rooms_at_any_angle() {
    for turn_rad in [0.0, 0.1, 0.3, PI / 4.0, 1.1] {
        let room = Room::hall(turn_rad);
        let world = World::new(&room.map(CELL_M)).unwrap();
        let rays = rays(&room, 20_000, 0.2);
        let mut exact_count = 0;
        for (origin_m, direction) in &rays {
            let expected_m = room.range_m(*origin_m, *direction);
            match world.cast(*origin_m, *direction, 100.0) {
                Hit::Wall { range_m, incidence_cos } => {
                    assert!((0.0..=1.0).contains(&incidence_cos));
                    exact_count += usize::from((range_m - expected_m).abs() < 1e-9);
                }
                lost => panic!("{lost:?} from {origin_m:?} along {direction:?} at {turn_rad}"),
            }
        }
        assert!(exact_count >= 19_960, "{exact_count} exact at {turn_rad}");
    }
}

#[test]
fn incidence_is_the_angle_to_the_wall() {
    let room = Room { polygons: vec![vec![[0.0, 0.0], [6.0, 0.0], [6.0, 4.0], [0.0, 4.0]]] };
    let world = World::new(&room.map(CELL_M)).unwrap();
    for degrees_from_normal in 0..80 {
        let angle_rad = f64::from(degrees_from_normal) * PI / 180.0;
        let (sin, cos) = math::sin_cos(angle_rad);
        // From the bottom's neighbourhood towards the right wall; high incidence still ends there.
        let origin_m = [5.75, 0.25];
        match world.cast(origin_m, [cos, sin], 50.0) {
            Hit::Wall { range_m, incidence_cos } => {
                assert!((incidence_cos - cos).abs() < 1e-12);
                assert!((range_m - 0.25 / cos).abs() < 1e-9, "{degrees_from_normal}");
            }
            other => panic!("{other:?} at {degrees_from_normal} degrees"),
        }
    }
}

/// Rays almost along a wall, at every small angle, must not slip between its pieces, even where
/// pieces disagree:
/// each cell's line is moved by up to 1 cm and turned by up to 2 degrees, as fits to noisy returns
/// are.
#[test]
fn a_wall_of_uneven_pieces_has_no_pin_holes() {
    for turn_rad in [0.0, 0.2, 0.6] {
        let room = Room::hall(turn_rad);
        let mut map = room.map(CELL_M);
        unsettle(&mut map, 0.01, 2.0 * PI / 180.0);
        let world = World::new(&map).unwrap();
        let rays = rays(&room, 40_000, 0.15);
        let missed = rays.iter().filter(|(origin_m, direction)| {
            !matches!(world.cast(*origin_m, *direction, 100.0), Hit::Wall { .. })
        });
        let missed_count = missed.count();
        // At most 3 in 10 000, all at corners: a tenth of the beams that fail on a good scanner.
        assert!(missed_count <= 12, "{missed_count} of 40000 at {turn_rad}");
    }
}

fn unsettle(map: &mut WallMap, shift_m_max: f64, turn_rad_max: f64) {
    let (columns, cell_m) = (map.column_count, map.cell_m);
    let corner = [map.origin_x_m, map.origin_y_m];
    for (index, cell) in map.cells.iter_mut().enumerate() {
        let Cell::Wall { x_m, y_m, normal_x, normal_y, .. } = cell else { continue };
        let mut draws = Seed(5).draws(0, index as u64);
        let shift_m = (2.0 * draws.uniform() - 1.0) * shift_m_max;
        let (sin, cos) = math::sin_cos((2.0 * draws.uniform() - 1.0) * turn_rad_max);
        // Turn about the point of the line that is nearest to the cell's middle.
        let middle = [
            corner[0] + ((index % columns) as f64 + 0.5) * cell_m,
            corner[1] + ((index / columns) as f64 + 0.5) * cell_m,
        ];
        let along = (*x_m - middle[0]) * *normal_x + (*y_m - middle[1]) * *normal_y + shift_m;
        *x_m = middle[0] + along * *normal_x;
        *y_m = middle[1] + along * *normal_y;
        (*normal_x, *normal_y) =
            (cos * *normal_x - sin * *normal_y, sin * *normal_x + cos * *normal_y);
    }
}

/// Moving by a vector and turning by a quarter, with the same cells: ranges agree to rounding.
#[test]
fn moving_the_world_and_the_ray_together_changes_nothing() {
    let room = Room::hall(0.2);
    let map = room.map(CELL_M);
    let moved = WallMap {
        origin_x_m: map.origin_x_m + 103.7,
        origin_y_m: map.origin_y_m - 41.3,
        cells: map
            .cells
            .iter()
            .map(|cell| moved_cell(cell, Pose2::new(103.7, -41.3, 0.0)))
            .collect(),
        ..map.clone()
    };
    let quarter = Pose2::new(0.0, 0.0, FRAC_PI_2);
    let turned_cells = (0..map.column_count).flat_map(|row| {
        let map = &map;
        (0..map.row_count).map(move |column| {
            let cell = map.cells[(map.row_count - 1 - column) * map.column_count + row];
            moved_cell(&cell, quarter)
        })
    });
    let turned = WallMap {
        origin_x_m: -(map.origin_y_m + map.row_count as f64 * CELL_M),
        origin_y_m: map.origin_x_m,
        cell_m: CELL_M,
        column_count: map.row_count,
        row_count: map.column_count,
        cells: turned_cells.collect(),
    };
    let [world, moved, turned] = [map, moved, turned].map(|map| World::new(&map).unwrap());
    for (origin_m, direction) in rays(&room, 5_000, 0.2) {
        let expected = world.cast(origin_m, direction, 100.0);
        let shifted = [origin_m[0] + 103.7, origin_m[1] - 41.3];
        let [x, y] = origin_m;
        let [dx, dy] = direction;
        for hit in [moved.cast(shifted, direction, 100.0), turned.cast([-y, x], [-dy, dx], 100.0)] {
            match (expected, hit) {
                (Hit::Wall { range_m: a, .. }, Hit::Wall { range_m: b, .. }) => {
                    assert!((a - b).abs() < 1e-9, "{a} {b}");
                }
                (a, b) => assert_eq!(std::mem::discriminant(&a), std::mem::discriminant(&b)),
            }
        }
    }
}

fn moved_cell(cell: &Cell, there_from_here: Pose2) -> Cell {
    match *cell {
        Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, return_count } => {
            let [x_m, y_m] = there_from_here.transform([x_m, y_m]);
            let turn = Pose2::new(0.0, 0.0, there_from_here.yaw_rad);
            let [normal_x, normal_y] = turn.transform([normal_x, normal_y]);
            Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, return_count }
        }
        other => other,
    }
}

#[test]
fn a_ray_leaves_the_map_where_it_becomes_unknown() {
    // Ten cells free, the eleventh unknown for good, in one row of five.
    let mut map = free_map(20, 5);
    for row in 0..5 {
        for column in 10..20 {
            map.cells[row * 20 + column] = Cell::Unknown;
        }
    }
    let world = World::new(&map).unwrap();
    let hit = world.cast([0.05, 0.25], [1.0, 0.0], 50.0);
    let Hit::LeftMap { range_m } = hit else { panic!("{hit:?}") };
    assert!((range_m - 0.95).abs() < 1e-12, "{range_m}");
    // Shorter than that there is nothing.
    assert_eq!(world.cast([0.05, 0.25], [1.0, 0.0], 0.9), Hit::Nothing);
    // Out of the grid on the free side.
    let hit = world.cast([0.55, 0.25], [-1.0, 0.0], 50.0);
    let Hit::LeftMap { range_m } = hit else { panic!("{hit:?}") };
    assert!((range_m - 0.55).abs() < 1e-12, "{range_m}");
}

#[test]
fn an_unknown_speck_does_not_stop_a_ray() {
    let mut map = free_map(20, 5);
    map.cells[2 * 20 + 8] = Cell::Unknown;
    map.cells[2 * 20 + 15] = wall([1.53, 0.25], [-1.0, 0.0]);
    let world = World::new(&map).unwrap();
    let hit = world.cast([0.05, 0.25], [1.0, 0.0], 50.0);
    let Hit::Wall { range_m, .. } = hit else { panic!("{hit:?}") };
    assert!((range_m - 1.48).abs() < 1e-12, "{range_m}");
}

#[test]
fn axis_aligned_rays_from_cell_edges_end_like_their_neighbours() {
    let mut map = free_map(20, 20);
    for row in 0..20 {
        map.cells[row * 20 + 17] = wall([1.72, 0.0], [-1.0, 0.0]);
        map.cells[row * 20 + 1] = wall([0.18, 0.0], [1.0, 0.0]);
    }
    let world = World::new(&map).unwrap();
    for origin_y_m in [0.5, 0.500_001, 1.0, 0.95] {
        for zero in [0.0, -0.0, 1e-320, -1e-320] {
            for (direction, expected_m) in [([1.0, zero], 0.72), ([-1.0, zero], 0.82)] {
                let hit = world.cast([1.0, origin_y_m], direction, 50.0);
                let Hit::Wall { range_m, .. } = hit else { panic!("{hit:?}") };
                assert!((range_m - expected_m).abs() < 1e-12, "{range_m}");
            }
        }
    }
}

#[test]
fn rays_that_make_no_sense_are_outside_the_map() {
    let world = World::new(&free_map(20, 5)).unwrap();
    let outside = Hit::LeftMap { range_m: 0.0 };
    assert_eq!(world.cast([f64::NAN, 0.2], [1.0, 0.0], 5.0), outside);
    assert_eq!(world.cast([0.2, 0.2], [f64::NAN, 0.0], 5.0), outside);
    assert_eq!(world.cast([0.2, 0.2], [0.0, 0.0], 5.0), outside);
    assert_eq!(world.cast([-7.0, 0.2], [1.0, 0.0], 5.0), outside);
    assert_eq!(world.cast([0.2, f64::INFINITY], [1.0, 0.0], 5.0), outside);
}

#[test]
fn maps_that_make_no_geometry_are_refused() {
    let good = free_map(4, 3);
    let short = WallMap { cells: vec![Cell::Free; 11], ..good.clone() };
    let empty = WallMap { cells: Vec::new(), column_count: 0, row_count: 0, ..good.clone() };
    for map in [short, empty] {
        assert!(matches!(World::new(&map), Err(SimulateError::MapShape { .. })));
    }
    let zero_cell = WallMap { cell_m: 0.0, ..good.clone() };
    let nan_origin = WallMap { origin_y_m: f64::NAN, ..good.clone() };
    let mut long_normal = good.clone();
    long_normal.cells[5] = wall([0.1, 0.1], [1.0, 0.5]);
    let mut nan_piece = good;
    nan_piece.cells[5] = wall([f64::NAN, 0.1], [1.0, 0.0]);
    for map in [zero_cell, nan_origin, long_normal, nan_piece] {
        assert!(matches!(World::new(&map), Err(SimulateError::MapValue { .. })));
    }
}

fn free_map(column_count: usize, row_count: usize) -> WallMap {
    let cells = vec![Cell::Free; column_count * row_count];
    WallMap { origin_x_m: 0.0, origin_y_m: 0.0, cell_m: 0.1, column_count, row_count, cells }
}

fn wall(place_m: [f64; 2], normal: [f64; 2]) -> Cell {
    Cell::Wall {
        x_m: place_m[0],
        y_m: place_m[1],
        normal_x: normal[0],
        normal_y: normal[1],
        thickness_m: 0.01,
        return_count: 9,
    }
}
