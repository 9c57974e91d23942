//! Distances of clouds and changes of surfaces.

use std::fmt::Write as _;

use super::{Desk, assert_close, golden, rows, run};

fn ply(points: &[Vec<f64>]) -> String {
    let mut text = format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty double x\nproperty double y\n\
         property double z\nend_header\n",
        points.len()
    );
    for point in points {
        writeln!(text, "{} {} {}", point[0], point[1], point[2]).unwrap();
    }
    text
}

fn pcd(points: &[Vec<f64>]) -> String {
    let count = points.len();
    let mut text = format!(
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nCOUNT 1 1 1\n\
         WIDTH {count}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA ascii\n"
    );
    for point in points {
        writeln!(text, "{} {} {}", point[0], point[1], point[2]).unwrap();
    }
    text
}

#[test]
fn distances_of_clouds_are_those_of_scipy_and_open3d() {
    let desk = Desk::new();
    let golden = golden("pointcloud_geometry/pointcloud_geometry.json");
    desk.write("a.ply", ply(&rows(&golden["A_gt"])).as_bytes());
    desk.write("b.pcd", pcd(&rows(&golden["B_pred"])).as_bytes());
    let of = |metric: &str, more: &[&str]| {
        run(&desk, metric, &[&["a.ply", "b.pcd"], more].concat()).expect_code(0).json()
    };
    for (form, name, unit) in [
        ("open3d", "sum_of_mean_L2 (d1.mean+d2.mean)", "m"),
        ("mean-distance", "half_sum (mean of the two)", "m"),
        ("pytorch3d", "sum_of_mean_squared (PyTorch3D default chamfer)", "m^2"),
        ("fan2017", "sum_of_sums_squared (Fan 2017)", "m^2"),
        ("root_mean_square/max", "sqrt_mean_sq_max", "m"),
    ] {
        let chamfer = of("geom.chamfer", &["--form", form]);
        assert_close(&chamfer["value"], &golden["chamfer_variants"][name]);
        assert_eq!(chamfer["unit"], unit);
        assert_eq!(chamfer["forms"].as_array().unwrap().len(), 4);
    }
    let hausdorff = of("geom.hausdorff", &[]);
    assert_close(&hausdorff["value"], &golden["hausdorff"]["symmetric"]);
    let directed = &golden["hausdorff"];
    assert_close(&hausdorff["largest_first_to_second"], &directed["directed_AB_scipy"]);
    assert_close(&hausdorff["largest_second_to_first"], &directed["directed_BA_scipy"]);
    for tau in ["0.05", "0.1", "0.2"] {
        let score = of("geom.f_score", &["--tau-m", tau]);
        let expected = &golden["fscore"][tau];
        assert_close(&score["value"], &expected["fscore"]);
        assert_close(&score["precision"], &expected["precision_pred_to_gt(B->A)"]);
        assert_close(&score["recall"], &expected["recall_gt_to_pred(A->B)"]);
    }
    let density_aware = of("geom.chamfer.density_aware", &["--alpha", "10"]);
    let value = density_aware["value"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&value), "{density_aware}");
}

#[test]
fn changes_of_a_surface_are_those_of_py4dgeo() {
    let desk = Desk::new();
    let (given, golden) = (golden("m3c2/m3c2.json"), golden("m3c2/odd_slabs.json"));
    for name in ["epoch1", "epoch2", "corepoints"] {
        desk.write(&format!("{name}.ply"), ply(&rows(&given[name])).as_bytes());
    }
    let case = &golden["cases"][0];
    let radii: Vec<f64> = serde_json::from_value(case["normal_radii"].clone()).unwrap();
    let radii: Vec<String> = radii.iter().map(f64::to_string).collect();
    let word = |name: &str| case[name].as_f64().unwrap().to_string();
    let (radii, radius) = (radii.join(","), word("cyl_radius"));
    let (reach, registration) = (word("max_distance"), word("registration_error"));
    let files = ["epoch1.ply", "epoch2.ply", "--core", "corepoints.ply", "--mode", "compat"];
    let options = [
        "--normal-radii-m",
        &radii,
        "--cylinder-radius-m",
        &radius,
        "--distance-m-max",
        &reach,
        "--registration-error-m",
        &registration,
        "--points-min",
        "2",
        "--each",
    ];
    let found = run(&desk, "geom.m3c2", &[files.as_slice(), &options].concat());
    let found = found.expect_code(0).json();
    let points = found["core_points"].as_array().unwrap();
    assert_eq!(found["core_count"], points.len());
    for (index, point) in points.iter().enumerate() {
        assert_close(&point["distance_m"], &case["distances"][index]);
        assert_close(&point["detection_level_m"], &case["lodetection"][index]);
    }
}

#[test]
fn bad_clouds_are_refused_by_file_and_point() {
    let desk = Desk::new();
    let points = vec![vec![0.0, 0.0, 0.0], vec![1.0, f64::NAN, 0.0], vec![1.0, 1.0, 0.0]];
    desk.write("hole.pcd", pcd(&points).as_bytes());
    desk.write("whole.ply", ply(&points[..1]).as_bytes());
    desk.write("none.ply", ply(&[]).as_bytes());
    desk.write("table.csv", b"a,b\n1,2\n");
    desk.write("empty.ply", b"");
    let of = |second: &str, more: &[&str]| {
        run(&desk, "geom.chamfer", &[&["whole.ply", second], more].concat())
    };
    let hole = of("hole.pcd", &[]).expect_code(2).stderr;
    assert!(hole.contains("hole.pcd") && hole.contains("row 2") && hole.contains("`y`"), "{hole}");
    let kept = of("hole.pcd", &["--drop-missing"]).expect_code(0).json();
    assert_eq!(kept["second_count"], 2);
    for name in ["none.ply", "table.csv", "empty.ply", "absent.ply"] {
        let outcome = of(name, &[]).expect_code(2);
        assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    }
    of("whole.ply", &["--form", "odd"]).expect_code(2);
}

/// Two points over one cell of the floor and one over another, by hand.
#[test]
fn residuals_off_a_plane_and_off_a_cloud_fall_into_cells() {
    let desk = Desk::new();
    let above = [vec![0.2, 0.2, 0.1], vec![0.8, 0.2, -0.3], vec![1.5, 0.5, 0.2]];
    let floor: Vec<Vec<f64>> = above.iter().map(|p| vec![p[0], p[1], 0.0]).collect();
    desk.write("twin.ply", ply(&above).as_bytes());
    desk.write("floor.pcd", pcd(&floor).as_bytes());
    let of = |more: &[&str]| run(&desk, "geom.residual", &[&["twin.ply"], more].concat());
    let plane = of(&["--plane", "0,0,2,0"]).expect_code(0).json();
    assert!(plane["mean_m"].as_f64().unwrap().abs() < 1e-15, "{plane}");
    assert_close(&plane["value"], &(0.14_f64 / 3.0).sqrt().into());
    assert_close(&plane["cells"][0]["mean_m"], &(-0.1).into());
    assert_close(&plane["cells"][0]["rms_m"], &0.05_f64.sqrt().into());
    assert_eq!((&plane["cell_count"], &plane["cells"][1]["x"]), (&2.into(), &1.into()));
    let cloud = of(&["floor.pcd", "--out", "all.csv"]).expect_code(0).json();
    assert_close(&cloud["mean_m"], &0.2.into());
    assert!(cloud["metric"].as_str().unwrap().contains("against=nearest"), "{cloud}");
    let written = std::fs::read_to_string(desk.path("all.csv")).unwrap();
    assert_eq!(written.lines().next(), Some("x_m,y_m,z_m,residual_m"));
    assert_eq!(written.lines().nth(2), Some("0.8,0.2,-0.3,0.3"));
    let again = of(&["floor.pcd", "--out", "all.csv"]).expect_code(2).stderr;
    assert!(again.contains("all.csv"), "{again}");
    of(&["floor.pcd", "--out", "all.ply"]).expect_code(0);
    // What was written is a cloud like another.
    let back = run(&desk, "geom.chamfer", &["all.ply", "twin.ply"]).expect_code(0).json();
    assert_eq!(back["value"], 0.0);
    of(&["floor.pcd", "--out", "all.txt"]).expect_code(2);
    of(&["--plane", "0,0,0,1"]).expect_code(2);
    of(&["floor.pcd", "--plane", "0,0,1,0"]).expect_code(2);
    of(&[]).expect_code(2);
}
