//! How far a rig's calibration moved between two files or two logs.
//!
//! Invariant: what only one of both has is named, never passed over in silence; a lens that is not
//! known has no shift, with the reason.
//! Millimetres, milliradians, pixels.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use tiepoint_formats::{
    Container, Damage, Samples, TopicBatch, calibration::read_calibration, open_original,
};
use tiepoint_measure::{
    Metric,
    quality::{TransformGraph, camera_model},
    registry,
    sensor::{ExtrinsicDrift, extrinsic_drift, reprojection_drift},
};
use tiepoint_model::{CameraIntrinsics, Pose3};

use super::{InputFile, Measured, MeasuredTable, MeasuredValue, input::is_text};
use crate::{Error, Source, ingest::decode::each_piece};

/// Two calibrations of one rig.
#[derive(Clone, Debug)]
pub struct CalibrationRequest {
    /// The earlier one: Kalibr camera chain or ROS camera file (YAML), or a log.
    pub earlier: PathBuf,
    /// The later one.
    pub later: PathBuf,
    /// One sensor or camera; `None` for all that both have.
    pub name: Option<String>,
}

/// What a file or log says of a rig.
#[derive(Default)]
struct Rig {
    poses: BTreeMap<String, Pose3>,
    cameras: BTreeMap<String, CameraIntrinsics>,
}

fn read(path: &Path) -> Result<Rig, Error> {
    let file_error = |source| Error::File { path: path.to_owned(), source };
    if let Ok(mut input) = open_original(path) {
        let mut bytes = Vec::new();
        let first_bytes = Container::DETECT_BYTES as u64;
        input.by_ref().take(first_bytes).read_to_end(&mut bytes).map_err(file_error)?;
        if is_text(&bytes) {
            input.read_to_end(&mut bytes).map_err(file_error)?;
            let file = InputFile { path: path.to_owned(), bytes };
            let found = read_calibration(&file.bytes).map_err(|error| file.refuse(error))?;
            return Ok(Rig { poses: found.poses, cameras: found.cameras });
        }
    }
    let mut graph = TransformGraph::default();
    let mut cameras = BTreeMap::new();
    let mut take = |piece: TopicBatch| {
        match &piece.samples {
            Samples::Transforms(rows) if piece.channel.topic.ends_with("tf_static") => {
                rows.iter().for_each(|row| graph.add(row, true));
            }
            Samples::Cameras(rows) => {
                cameras.extend(rows.last().map(|row| (piece.channel.topic.clone(), row.clone())));
            }
            _ => {}
        }
        Ok(())
    };
    each_piece(&Source::Path(path.to_owned()), Damage::Refuse, &mut take)?;
    let name = |(child, parent): (String, String)| format!("{child} in {parent}");
    let poses = graph.mountings().into_iter().map(|(key, pose)| (name(key), pose)).collect();
    Ok(Rig { poses, cameras })
}

/// A name, and what it has earlier and later.
type Pair<'a, T> = (&'a String, [&'a T; 2]);

/// What both have, by name, and notes of what one lacks.
fn in_both<'a, T>(
    [earlier, later]: [&'a BTreeMap<String, T>; 2],
    request: &CalibrationRequest,
) -> Result<(Vec<Pair<'a, T>>, Vec<String>), Error> {
    // A sensor's name alone is enough, such as `cam0` for `cam0 in imu`.
    let is_wanted = |name: &str| match &request.name {
        Some(wanted) => name == wanted || name.split(" in ").next() == Some(wanted.as_str()),
        None => true,
    };
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for (name, before) in earlier.iter().filter(|(name, _)| is_wanted(name)) {
        match later.get(name) {
            Some(now) => found.push((name, [before, now])),
            None => notes.push(format!("`{name}` is in the earlier calibration only")),
        }
    }
    let is_new = |name: &&String| is_wanted(name) && !earlier.contains_key(*name);
    let new = later.keys().filter(is_new);
    notes.extend(new.map(|name| format!("`{name}` is in the later calibration only")));
    if found.is_empty() {
        let known = earlier.keys().chain(later.keys()).cloned().collect();
        let channel = request.name.clone().unwrap_or_else(|| "anything in both".to_owned());
        return Err(Error::NoChannel { path: request.later.clone(), channel, known });
    }
    Ok((found, notes))
}

/// Measures how far sensors moved in their mountings.
///
/// # Errors
/// [`Error::Log`] naming the line of a file; [`Error::NoChannel`] where nothing is in both; those of
/// the measure.
pub fn measure_extrinsics(request: &CalibrationRequest) -> Result<Measured, Error> {
    let (earlier, later) = (read(&request.earlier)?, read(&request.later)?);
    let (found, notes) = in_both([&earlier.poses, &later.poses], request)?;
    let translation = Metric::new(registry::CALIBRATION_EXTRINSIC_TRANSLATION);
    let rotation = Metric::new(registry::CALIBRATION_EXTRINSIC_ROTATION);
    let (mut rows, mut largest) = (Vec::new(), [0.0_f64; 2]);
    for (name, poses) in found {
        let drift = extrinsic_drift(poses, None)?;
        largest = [largest[0].max(drift.distance_mm), largest[1].max(drift.angle_mrad)];
        rows.push(row(name, &drift));
    }
    let values = vec![
        MeasuredValue::real("value", largest[0], "mm").of(&translation),
        MeasuredValue::real("rotation_mrad", largest[1], "mrad").of(&rotation),
        MeasuredValue::count("sensor_count", rows.len()),
    ];
    let mut measured = Measured::new(&translation, values);
    measured.tables.push(MeasuredTable { name: "sensors".to_owned(), rows });
    measured.notes.push("values are the largest of all sensors".to_owned());
    measured.notes.extend(notes);
    Ok(measured)
}

fn row(name: &str, drift: &ExtrinsicDrift) -> Vec<MeasuredValue> {
    let mut row = vec![
        MeasuredValue::word("sensor", name),
        MeasuredValue::real("translation_mm", drift.distance_mm, "mm"),
        MeasuredValue::real("rotation_mrad", drift.angle_mrad, "mrad"),
    ];
    let parts = [("x_mm", 0), ("y_mm", 1), ("z_mm", 2)];
    row.extend(parts.map(|(name, at)| MeasuredValue::real(name, drift.translation_mm[at], "mm")));
    let parts = [("rx_mrad", 0), ("ry_mrad", 1), ("rz_mrad", 2)];
    row.extend(parts.map(|(name, at)| MeasuredValue::real(name, drift.rotation_mrad[at], "mrad")));
    row
}

/// Measures how far the same rays moved in the images of cameras; `grid` points along each side.
///
/// # Errors
/// As [`measure_extrinsics`].
pub fn measure_reprojection(request: &CalibrationRequest, grid: u32) -> Result<Measured, Error> {
    let (earlier, later) = (read(&request.earlier)?, read(&request.later)?);
    let (found, notes) = in_both([&earlier.cameras, &later.cameras], request)?;
    let metric = Metric::new(registry::CALIBRATION_REPROJECTION_SHIFT).with("grid", grid);
    let (mut rows, mut largest, mut is_defined) = (Vec::new(), None, true);
    for (name, [before, now]) in found {
        let mut row = vec![MeasuredValue::word("camera", name)];
        let size_px = [before.width_px, before.height_px];
        let models = camera_model(before).zip(camera_model(now));
        match models.filter(|_| size_px == [now.width_px, now.height_px]) {
            Some((before, now)) => {
                let drift = reprojection_drift(&before, &now, size_px, grid)?;
                largest = Some(drift.shift_px_max.max(largest.unwrap_or(0.0)));
                row.push(MeasuredValue::real("shift_px_max", drift.shift_px_max, "px"));
                row.push(MeasuredValue::real("shift_px_rms", drift.shift_px_rms, "px"));
                row.push(MeasuredValue::real("at_x_px", drift.at_px[0], "px"));
                row.push(MeasuredValue::real("at_y_px", drift.at_px[1], "px"));
                let seen = drift.seen.value().unwrap_or_default();
                row.push(MeasuredValue::real("seen_share", seen, "1"));
            }
            None => {
                is_defined = false;
                let lenses = [&before.distortion_model, &now.distortion_model];
                row.push(MeasuredValue::undefined("shift_px_max", "px"));
                row.push(MeasuredValue::word(
                    "reason",
                    &format!(
                        "images of another size, or a lens that is not known: `{}`, `{}`",
                        lenses[0], lenses[1]
                    ),
                ));
            }
        }
        rows.push(row);
    }
    let value = match largest {
        Some(shift_px) => MeasuredValue::real("value", shift_px, "px"),
        None => MeasuredValue::undefined("value", "px"),
    };
    let values = vec![value, MeasuredValue::count("camera_count", rows.len())];
    let mut measured = Measured { is_defined, ..Measured::new(&metric, values) };
    measured.tables.push(MeasuredTable { name: "cameras".to_owned(), rows });
    measured.notes.push("`value` is the largest of all cameras".to_owned());
    measured.notes.extend(notes);
    Ok(measured)
}
