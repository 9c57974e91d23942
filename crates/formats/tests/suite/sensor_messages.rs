//! Cameras, joints, satellites, ranges, paths and maps, written by hand in every layout.

use tiepoint_formats::{Container, Samples, read_all};
use tiepoint_model::{ImageRegion, PayloadBase, Timestamp};

use crate::{
    make::{MessageBytes, Wire, bare_mcap},
    messages::decode,
};

#[test]
fn a_satellite_fix_keeps_degrees_and_a_known_covariance() {
    for kind in [0, 2] {
        let samples = decode("sensor_msgs", "NavSatFix", |m| {
            let m = m.header(1, 2, "gps").u8(0xff).u16(9).f64s(&[48.5, -9.25, 300.0]);
            m.f64s(&[0.5; 9]).u8(kind)
        });
        let Samples::Gnss(rows) = samples else { panic!("{samples:?}") };
        assert_eq!((rows[0].status, rows[0].service), (-1, 9));
        let place = (rows[0].latitude_deg, rows[0].longitude_deg, rows[0].altitude_m);
        assert_eq!(place, (48.5, -9.25, 300.0));
        assert_eq!(rows[0].position_covariance_enu_m2, (kind > 0).then_some([0.5; 9]));
    }
}

#[test]
fn a_magnetic_field_is_in_tesla() {
    let samples = decode("sensor_msgs", "MagneticField", |m| {
        m.header(1, 2, "mag").f64s(&[1e-5, 2e-5, f64::INFINITY]).f64s(&[0.0; 9])
    });
    let Samples::Magnetic(rows) = samples else { panic!("{samples:?}") };
    assert_eq!(rows[0].field_t, [1e-5, 2e-5, f64::INFINITY]);
}

/// Empty lists bring no padding in CDR, so what follows starts at once.
#[test]
fn joints_are_read_with_and_without_each_list() {
    let samples = decode("sensor_msgs", "JointState", |m| {
        let m = m.header(1, 2, "").u32(2).string("left").string("right_wheel");
        m.u32(0).u32(2).f64s(&[0.5, -0.5]).u32(0)
    });
    let Samples::Joints(rows) = samples else { panic!("{samples:?}") };
    assert_eq!(rows[0].names, ["left", "right_wheel"]);
    assert_eq!(rows[0].positions_rad_or_m, [0.0; 0]);
    assert_eq!(rows[0].velocities_rad_or_m_per_s, [0.5, -0.5]);
    assert_eq!(rows[0].efforts_nm_or_n, [0.0; 0]);
}

#[test]
fn a_camera_gives_its_matrices_and_region() {
    let samples = decode("sensor_msgs", "CameraInfo", |m| {
        let m = m.header(1, 2, "camera_optical").u32(480).u32(640).string("plumb_bob");
        let m = m.u32(5).f64s(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        let m = m.f64s(&[1.0; 9]).f64s(&[2.0; 9]).f64s(&[3.0; 12]);
        m.u32(1).u32(2).u32(3).u32(4).u32(5).u32(6).u8(1)
    });
    let Samples::Cameras(rows) = samples else { panic!("{samples:?}") };
    let camera = &rows[0];
    assert_eq!((camera.height_px, camera.width_px), (480, 640));
    assert_eq!((camera.distortion_model.as_str(), camera.distortion.len()), ("plumb_bob", 5));
    assert_eq!(camera.camera_matrix_px, [1.0; 9]);
    assert_eq!(camera.rectified_from_optical, [2.0; 9]);
    assert_eq!(camera.projection_px, [3.0; 12]);
    assert_eq!((camera.binning_x, camera.binning_y), (1, 2));
    let region = ImageRegion {
        x_offset_px: 3,
        y_offset_px: 4,
        height_px: 5,
        width_px: 6,
        is_rectified: true,
    };
    assert_eq!(camera.region, region);
}

#[test]
fn a_compressed_image_is_addressed_in_the_file_and_has_no_size_of_its_own() {
    for wire in Wire::ALL {
        let name = match wire {
            Wire::Ros1 => "sensor_msgs/CompressedImage",
            _ => "sensor_msgs/msg/CompressedImage",
        };
        let m = MessageBytes::new(wire).header(1, 2, "camera_optical").string("jpeg");
        let file = bare_mcap(wire, name, &[m.blob(b"not a jpeg").bytes]);
        let (batches, _) = read_all(Container::Mcap, &file).unwrap();
        let Samples::Images(rows) = &batches[0].samples else { panic!("{batches:?}") };
        let place = rows[0].payload;
        assert_eq!((rows[0].height_px, rows[0].encoding.as_str()), (None, "jpeg"));
        assert_eq!((place.base, place.file_index), (PayloadBase::File, 0));
        let start = usize::try_from(place.offset_bytes).unwrap();
        let length = usize::try_from(place.length_bytes).unwrap();
        assert_eq!(&file[start..start + length], b"not a jpeg");
    }
}

#[test]
fn a_range_without_hit_is_minus_infinity_as_the_sensor_said() {
    let samples = decode("sensor_msgs", "Range", |m| {
        m.header(1, 2, "sonar").u8(1).f32s(&[0.25, 0.5, 4.0, f32::NEG_INFINITY])
    });
    let Samples::RangeReadings(rows) = samples else { panic!("{samples:?}") };
    let limits = (rows[0].field_of_view_rad, rows[0].range_min_m, rows[0].range_max_m);
    assert_eq!((rows[0].radiation, limits), (1, (0.25, 0.5, 4.0)));
    assert_eq!(rows[0].range_m, f32::NEG_INFINITY);
}

#[test]
fn a_path_keeps_the_stamp_and_frame_of_each_pose() {
    let samples = decode("nav_msgs", "Path", |m| {
        let m = m.header(1, 2, "map").u32(2);
        let m = m.header(0, 0, "").f64s(&[1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        m.header(5, 0, "odom").f64s(&[3.0, 4.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    });
    let Samples::Paths(rows) = samples else { panic!("{samples:?}") };
    let poses = &rows[0].poses;
    assert_eq!((poses[0].time, poses[0].frame_id.as_str()), (None, ""));
    assert_eq!(poses[1].time, Some(Timestamp(5_000_000_000)));
    assert_eq!(
        (poses[1].frame_id.as_str(), poses[1].frame_from_child.translation_m.y),
        ("odom", 4.0)
    );
}

#[test]
fn a_grid_gives_its_cells_and_origin() {
    let samples = decode("nav_msgs", "OccupancyGrid", |m| {
        let m = m.header(1, 2, "map").u32(0).u32(0).f32s(&[0.05]).u32(2).u32(1);
        m.f64s(&[-1.0, -2.0, 0.0, 0.0, 0.0, 0.0, 1.0]).blob(&[100, 0xff])
    });
    let Samples::Grids(rows) = samples else { panic!("{samples:?}") };
    let grid = &rows[0];
    assert_eq!((grid.loaded, grid.cell_size_m, grid.width_cells), (None, 0.05, 2));
    assert_eq!(grid.occupancy_percent, [100, -1]);
    assert_eq!(grid.frame_from_grid.translation_m.y, -2.0);
}

#[test]
fn a_pose_with_covariance_is_a_pose() {
    let samples = decode("geometry_msgs", "PoseWithCovarianceStamped", |m| {
        m.header(1, 2, "map").f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0]).f64s(&[0.25; 36])
    });
    let Samples::Poses(rows) = samples else { panic!("{samples:?}") };
    assert_eq!(rows[0].frame_from_child.translation_m.z, 3.0);
}
