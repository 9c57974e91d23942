//! Calibrations in the files that calibrators write: Kalibr's camera chains and ROS camera files.
//!
//! Invariant: a pose is that of the sensor in its base (Kalibr writes the inverse); a lens is named as
//! ROS names it, and one of another kind keeps its own name.
//! Metres, pixels.
//!
//! Not here: calibrations inside logs, which are samples like others, and comparing two.
//! Source: Kalibr's wiki, "YAML formats"; ROS `camera_calibration_parsers`.

mod yaml;

use std::collections::BTreeMap;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{CameraIntrinsics, ImageRegion, Pose3, Stamps, Timestamp};

use self::yaml::FlatYaml;
use crate::ReadError;

/// What a file says of a rig.
#[derive(Clone, Debug, Default)]
pub struct FileCalibration {
    /// The pose of a sensor in its base, by the words `SENSOR in BASE`.
    pub poses: BTreeMap<String, Pose3>,
    /// Cameras by name.
    pub cameras: BTreeMap<String, CameraIntrinsics>,
}

/// Reads a camera chain of Kalibr or a camera file of ROS.
///
/// # Errors
/// [`ReadError::Line`] for what is not such a file, with the line.
pub fn read_calibration(bytes: &[u8]) -> Result<FileCalibration, ReadError> {
    let yaml = FlatYaml::read(bytes)?;
    if yaml.has("camera_matrix.data") {
        return camera_file(&yaml);
    }
    let mut found = FileCalibration::default();
    for name in yaml.roots() {
        let of = |field: &str| format!("{name}.{field}");
        if yaml.has(&of("intrinsics")) {
            found.cameras.insert(name.clone(), chain_camera(&yaml, &name)?);
        }
        let before = name.strip_prefix("cam").and_then(|number| number.parse::<u32>().ok());
        let before = before.and_then(|number| number.checked_sub(1));
        let bases = [
            ("T_cam_imu", Some("imu".to_owned())),
            ("T_cn_cnm1", before.map(|number| format!("cam{number}"))),
        ];
        for (field, base) in bases {
            if let (true, Some(base)) = (yaml.has(&of(field)), base) {
                let sensor_from_base = matrix(&yaml, &of(field))?;
                found.poses.insert(format!("{name} in {base}"), sensor_from_base.inverse());
            }
        }
    }
    if found.cameras.is_empty() && found.poses.is_empty() {
        return Err(yaml.refuse("", "neither a camera chain of Kalibr nor a camera file of ROS"));
    }
    Ok(found)
}

fn camera_file(yaml: &FlatYaml) -> Result<FileCalibration, ReadError> {
    let matrix: [f64; 9] = yaml.numbers("camera_matrix.data")?;
    let size = [yaml.count("image_width")?, yaml.count("image_height")?];
    let model = yaml.word("distortion_model").unwrap_or("plumb_bob").to_owned();
    let distortion = yaml.list("distortion_coefficients.data")?;
    let name = yaml.word("camera_name").unwrap_or("camera").to_owned();
    let camera = intrinsics(size, matrix, (model, distortion));
    Ok(FileCalibration { poses: BTreeMap::new(), cameras: BTreeMap::from([(name, camera)]) })
}

fn chain_camera(yaml: &FlatYaml, name: &str) -> Result<CameraIntrinsics, ReadError> {
    let of = |field: &str| format!("{name}.{field}");
    let model = yaml.word(&of("camera_model")).unwrap_or("pinhole");
    let list = yaml.list(&of("intrinsics"))?;
    // Models with more parameters than a pinhole have them first.
    let [.., fx, fy, cx, cy] = list[..] else {
        return Err(yaml.refuse(&of("intrinsics"), "fewer than four numbers"));
    };
    let resolution = of("resolution");
    let [width, height]: [f64; 2] = yaml.numbers(&resolution)?;
    let pixels = |value: f64| {
        let is_count = value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let count = value as u32;
        is_count.then_some(count).ok_or_else(|| yaml.refuse(&resolution, "no size in pixels"))
    };
    let lens = match (model, yaml.word(&of("distortion_model")).unwrap_or("none")) {
        ("pinhole", "radtan") => "plumb_bob".to_owned(),
        ("pinhole", "equidistant" | "equi") => "equidistant".to_owned(),
        ("pinhole", "none") => "plumb_bob".to_owned(),
        (model, lens) => format!("{model}-{lens}"),
    };
    let coefficients = of("distortion_coeffs");
    let distortion = if yaml.has(&coefficients) { yaml.list(&coefficients)? } else { Vec::new() };
    let matrix = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0];
    Ok(intrinsics([pixels(width)?, pixels(height)?], matrix, (lens, distortion)))
}

fn intrinsics(
    [width_px, height_px]: [u32; 2],
    camera_matrix_px: [f64; 9],
    (distortion_model, distortion): (String, Vec<f64>),
) -> CameraIntrinsics {
    CameraIntrinsics {
        stamps: Stamps { log: Timestamp(0), publish: None, sensor: None },
        frame_id: String::new(),
        height_px,
        width_px,
        distortion_model,
        distortion,
        camera_matrix_px,
        rectified_from_optical: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        projection_px: [0.0; 12],
        binning_x: 0,
        binning_y: 0,
        region: ImageRegion::default(),
    }
}

/// A homogeneous matrix, row by row.
fn matrix(yaml: &FlatYaml, key: &str) -> Result<Pose3, ReadError> {
    let m: [f64; 16] = yaml.numbers(key)?;
    if m[12..] != [0.0, 0.0, 0.0, 1.0] {
        return Err(yaml.refuse(key, "the last row is not 0, 0, 0, 1"));
    }
    let rotation = Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]);
    Ok(Pose3 { rotation, translation_m: Vector3::new(m[3], m[7], m[11]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &str = "cam0:\n  T_cam_imu:\n  - [0.0, -1.0, 0.0, 0.1]\n  - [1.0, 0.0, 0.0, \
                         0.2]\n  - [0.0, 0.0, 1.0, 0.3]\n  - [0.0, 0.0, 0.0, 1.0]\n  \
                         camera_model: pinhole\n  distortion_coeffs: [-0.28, 0.07, 0.0002, \
                         1.8e-05]\n  distortion_model: radtan\n  intrinsics: [458.6, 457.2,\n    \
                         367.2, 248.3]\n  resolution: [752, 480] # pixels\n  rostopic: \
                         /cam0/image_raw\n";

    #[test]
    fn a_chain_of_kalibr_gives_the_sensor_in_its_base() {
        let found = read_calibration(CHAIN.as_bytes()).unwrap();
        let camera = &found.cameras["cam0"];
        assert_eq!((camera.width_px, camera.height_px), (752, 480));
        assert_eq!(camera.camera_matrix_px[2], 367.2);
        assert_eq!(camera.distortion_model, "plumb_bob");
        // The camera's origin, turned back into the frame of the inertial unit.
        let pose = &found.poses["cam0 in imu"];
        assert!((pose.translation_m - Vector3::new(-0.2, 0.1, -0.3)).norm() < 1e-12, "{pose:?}");
    }

    #[test]
    fn a_camera_file_of_ros_is_read() {
        let text = "image_width: 640\nimage_height: 480\ncamera_name: \"narrow\"\n\
                    camera_matrix:\n  rows: 3\n  cols: 3\n  data: [500, 0, 320,\n         0, 501, \
                    240, 0, 0, 1]\ndistortion_model: plumb_bob\ndistortion_coefficients:\n  rows: \
                    1\n  cols: 5\n  data:\n    - -0.1\n    - 0.01\n    - 0\n    - 0\n    - 0\n";
        let found = read_calibration(text.as_bytes()).unwrap();
        let camera = &found.cameras["narrow"];
        assert_eq!(camera.camera_matrix_px[4], 501.0);
        assert_eq!(camera.distortion, [-0.1, 0.01, 0.0, 0.0, 0.0]);
    }

    /// Every byte replaced by each that means something, and every end: an answer or an error.
    #[test]
    fn a_damaged_chain_never_panics() {
        let whole = CHAIN.as_bytes();
        for at in 0..whole.len() {
            let _ = read_calibration(&whole[..at]);
            for byte in *b"\n :-[],#0\xff" {
                let mut damaged = whole.to_vec();
                damaged[at] = byte;
                let _ = read_calibration(&damaged);
            }
        }
    }

    #[test]
    fn what_is_no_calibration_is_refused_with_its_line() {
        for text in [
            "",
            "a: 1\n",
            "cam0:\n  intrinsics: [1, 2]\n  resolution: [1, 1]\n",
            "cam0:\n  intrinsics: [1, 2, 3, 4]\n",
            "cam0:\n  intrinsics: [1, 2, 3, x]\n  resolution: [1, 1]\n",
            "cam0:\n  intrinsics: [1, 2, 3, 4]\n  resolution: [0.5, 1]\n",
            "cam0:\n  T_cam_imu: [1, 2, 3]\n",
            "cam0:\n  intrinsics: [1, 2\n",
            "camera_matrix: {data: [1]}\n",
            "a: |\n  text\n",
            "\ta: 1\n",
            "- 1\n",
            "a: &b 1\n",
        ] {
            assert!(
                matches!(read_calibration(text.as_bytes()), Err(ReadError::Line { .. })),
                "{text}"
            );
        }
        assert!(read_calibration(b"\xff\xfe").is_err());
        let far = CHAIN.replace("[0.0, 0.0, 0.0, 1.0]", "[0.0, 0.0, 0.0, 2.0]");
        assert!(read_calibration(far.as_bytes()).is_err());
    }
}
