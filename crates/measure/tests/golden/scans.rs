//! Scans, and scans against a map of walls, against NumPy, SciPy and Shapely. Data:
//! `testdata/scans_and_maps/PROVENANCE.md`.

use std::f64::consts::{PI, TAU};

use serde_json::Value;
use tiepoint_measure::{
    map::{MapOptions, map_agreement},
    registry,
    scan::{
        beam_agreement, grid_share, range_residuals_m, reprojected_agreement, roughness_m,
        valid_share,
    },
};
use tiepoint_model::{Cell, Pose2, Scan, Stamps, Timestamp, WallMap};

use crate::{assert_close, conformance, numbers};

fn golden() -> Value {
    let text = include_str!("../../../../testdata/scans_and_maps/expected.json");
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn scans(golden: &Value, side: &str) -> Vec<Scan> {
    let series: Vec<Vec<f32>> = serde_json::from_value(golden[side].clone()).unwrap();
    let scan = |ranges_m: Vec<f32>| Scan {
        stamps: Stamps { log: Timestamp(0), publish: None, sensor: None },
        frame_id: "laser".into(),
        angle_min_rad: -PI,
        angle_increment_rad: TAU / ranges_m.len() as f64,
        range_min_m: number(&golden["range_min_m"]),
        range_max_m: number(&golden["range_max_m"]),
        time_increment_s: 0.0,
        ranges_m,
        intensities: vec![],
    };
    series.into_iter().map(scan).collect()
}

/// Expected: arrays of NumPy in which a reading that is no measurement is NaN.
#[test]
fn measures_of_scans_agree_with_numpy() {
    let golden = golden();
    let [real, synthetic] = ["real_m", "synthetic_m"].map(|side| scans(&golden, side));
    let expected = &golden["scans"];
    let roughness = roughness_m(&real, number(&golden["clip_m"])).unwrap();
    assert_eq!(roughness.triple_count as f64, number(&expected["triple_count"]));
    assert_eq!(roughness.clipped_count as f64, number(&expected["clipped_count"]));
    let tolerance_m = number(&golden["tolerance_m"]);
    let on_grid = grid_share(&real, number(&golden["step_m"])).unwrap();
    let agreement = beam_agreement(&real, &synthetic, tolerance_m).unwrap();
    for (id, got, name) in [
        (registry::SCAN_VALID_SHARE, valid_share(&real).value().unwrap(), "valid_share"),
        (registry::SCAN_ROUGHNESS, roughness.roughness_m, "roughness_m"),
        (registry::SCAN_GRID_SHARE, on_grid.value().unwrap(), "grid_share"),
        (registry::SCAN_BEAM_AGREEMENT, agreement.value().unwrap(), "beam_agreement"),
    ] {
        let _case = conformance::case(id, "one", &golden, "numpy");
        assert_close(got, number(&expected[name]), 1e-13, name);
    }
    let residuals = range_residuals_m(&real, &synthetic).unwrap().residuals_m;
    let expected = numbers(&expected["residuals_m"]);
    assert_eq!(residuals.len(), expected.len());
    let _case = conformance::case(registry::SCAN_RANGE_RESIDUAL, "one", &golden, "numpy");
    for (got, expected) in residuals.into_iter().zip(expected) {
        assert_close(got, expected, 0.0, "residual");
    }
}

/// Expected: ends moved by NumPy, the beam nearest in angle found by SciPy's tree of directions.
#[test]
fn reprojected_agreement_agrees_with_scipy() {
    let golden = golden();
    let case = &golden["reprojected"];
    let [x_m, y_m, yaw_rad] = serde_json::from_value(case["pose"].clone()).unwrap();
    let (a, b) = (&scans(&golden, "real_m")[0], &scans(&golden, "synthetic_m")[1]);
    let tolerance_m = number(&case["tolerance_m"]);
    let got = reprojected_agreement(a, b, Pose2 { x_m, y_m, yaw_rad }, tolerance_m).unwrap();
    assert_eq!(got.count as f64, number(&case["count"]));
    let id = registry::SCAN_REPROJECTED_AGREEMENT;
    let _case = conformance::case(id, "one", &golden, "scipy");
    assert_close(got.value().unwrap(), number(&case["share"]), 1e-13, "share");
}

fn wall_map(case: &Value) -> WallMap {
    let cell = |value: &Value| match value.as_str() {
        Some("free") => Cell::Free,
        Some(_) => Cell::Unknown,
        None => {
            let [x_m, y_m, normal_x, normal_y] = serde_json::from_value(value.clone()).unwrap();
            Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m: 0.0, return_count: 9 }
        }
    };
    WallMap {
        origin_x_m: number(&case["origin_m"][0]),
        origin_y_m: number(&case["origin_m"][1]),
        cell_m: number(&case["cell_m"]),
        column_count: case["columns"].as_u64().unwrap().try_into().unwrap(),
        row_count: case["rows"].as_u64().unwrap().try_into().unwrap(),
        cells: case["cells"].as_array().unwrap().iter().map(cell).collect(),
    }
}

/// Expected: pieces of wall and distances of Shapely, the cell of an end point and quantiles of
/// NumPy.
///
/// Tolerance 1e-12 m: end points some metres away, by another sine and cosine.
#[test]
fn agreement_with_a_map_agrees_with_shapely() {
    let golden = golden();
    let case = &golden["map"];
    let scans = scans(&golden, "real_m");
    let poses: Vec<[f64; 3]> = serde_json::from_value(case["poses"].clone()).unwrap();
    let placed: Vec<(Pose2, &Scan)> = poses
        .into_iter()
        .map(|[x_m, y_m, yaw_rad]| Pose2 { x_m, y_m, yaw_rad })
        .zip(&scans)
        .collect();
    let options = MapOptions {
        tolerance_m: number(&golden["tolerance_m"]),
        reach_m: number(&case["reach_m"]),
    };
    let got = map_agreement(&wall_map(case), &placed, &options).unwrap();
    assert_eq!(got.without_wall.hit_count as f64, number(&case["without_wall_count"]));
    for (id, share, name) in [
        (registry::MAP_WITHIN_SHARE, got.within, "within_share"),
        (registry::MAP_UNKNOWN_SHARE, got.unknown, "unknown_share"),
    ] {
        let _case = conformance::case(id, "one", &golden, "shapely");
        assert_close(share.value().unwrap(), number(&case[name]), 1e-13, name);
    }
    let expected = numbers(&case["residuals_m"]);
    assert_eq!(got.residuals_m.len(), expected.len());
    let _case = conformance::case(registry::MAP_WALL_RESIDUAL, "one", &golden, "shapely");
    for (got, expected) in got.residuals_m.iter().zip(expected) {
        assert_close(*got, expected, 1e-12, "residual");
    }
    assert_close(got.median_m.unwrap(), number(&case["median_m"]), 1e-12, "median");
    assert_close(got.p95_m.unwrap(), number(&case["p95_m"]), 1e-12, "95 percent");
}
