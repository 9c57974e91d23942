//! The columns of cameras, satellite receivers, joints, magnetometers, paths and maps.
//!
//! Invariant: as in [`super`]: values are copied bit by bit, rotations become unit quaternions.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Float32Array, Int64Array, ListArray, StringArray,
        UInt32Array, UInt64Array,
    },
    buffer::NullBuffer,
    datatypes::{Float64Type, Int8Type},
};
use tiepoint_model::{
    CameraIntrinsics, GnssFix, GridSample, ImageSample, JointSample, PathPose, PathSample,
    PayloadBase, RangeReading,
};

use super::{checked_count, floats, list_column, lists, poses, texts};
use crate::{Table, columns::ColumnsError};

fn ids<T>(rows: &[T], value: impl Fn(&T) -> u32) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(rows.iter().map(value)))
}

fn optional_ids<T>(rows: &[T], value: impl Fn(&T) -> Option<u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter(rows.iter().map(value)))
}

fn flags<T>(rows: &[T], value: impl Fn(&T) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(value(row)))))
}

fn small_floats<T>(rows: &[T], value: impl Fn(&T) -> f32) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(rows.iter().map(value)))
}

fn text_lists<'a, T>(
    rows: &'a [T],
    list: impl Fn(&'a T) -> Vec<&'a str>,
    place: (Table, &'static str),
) -> Result<ArrayRef, ColumnsError> {
    let items: Vec<Vec<&str>> = rows.iter().map(list).collect();
    checked_count(items.iter().flatten().map(|text| text.len()).sum(), place)?;
    let values: Vec<&str> = items.iter().flatten().copied().collect();
    let values = StringArray::from(values);
    list_column(items.iter().map(Vec::len), Arc::new(values))
}

pub(super) fn gnss(rows: &[GnssFix]) -> Result<Vec<ArrayRef>, ColumnsError> {
    let statuses = rows.iter().map(|row| i64::from(row.status));
    let known: Vec<bool> =
        rows.iter().map(|row| row.position_covariance_enu_m2.is_some()).collect();
    let covariances = lists::<Float64Type, _>(
        rows,
        |row| row.position_covariance_enu_m2.as_ref().map_or(&[][..], |values| &values[..]),
        (Table::Gnss, "position_covariance_enu_m2"),
    )?;
    let covariances: ArrayRef = match covariances.as_any().downcast_ref::<ListArray>().cloned() {
        Some(list) => {
            let (field, offsets, values, _) = list.into_parts();
            Arc::new(ListArray::try_new(field, offsets, values, Some(NullBuffer::from(known)))?)
        }
        None => covariances,
    };
    Ok(vec![
        Arc::new(Int64Array::from_iter_values(statuses)),
        ids(rows, |row| row.service.into()),
        floats(rows, |row| row.latitude_deg),
        floats(rows, |row| row.longitude_deg),
        floats(rows, |row| row.altitude_m),
        covariances,
        ids(rows, |row| row.position_covariance_type.into()),
    ])
}

pub(super) fn joints(rows: &[JointSample]) -> Result<Vec<ArrayRef>, ColumnsError> {
    const T: Table = Table::Joints;
    Ok(vec![
        text_lists(rows, |row| row.names.iter().map(String::as_str).collect(), (T, "joint_names"))?,
        lists::<Float64Type, _>(rows, |row| &row.positions_rad_or_m, (T, "positions_rad_or_m"))?,
        lists::<Float64Type, _>(
            rows,
            |row| &row.velocities_rad_or_m_per_s,
            (T, "velocities_rad_or_m_per_s"),
        )?,
        lists::<Float64Type, _>(rows, |row| &row.efforts_nm_or_n, (T, "efforts_nm_or_n"))?,
    ])
}

pub(super) fn cameras(rows: &[CameraIntrinsics]) -> Result<Vec<ArrayRef>, ColumnsError> {
    const T: Table = Table::Cameras;
    Ok(vec![
        ids(rows, |row| row.height_px),
        ids(rows, |row| row.width_px),
        texts(rows.iter().map(|row| row.distortion_model.as_str())),
        lists::<Float64Type, _>(rows, |row| &row.distortion, (T, "distortion"))?,
        lists::<Float64Type, _>(rows, |row| &row.camera_matrix_px, (T, "camera_matrix_px"))?,
        lists::<Float64Type, _>(
            rows,
            |row| &row.rectified_from_optical,
            (T, "rectified_from_optical"),
        )?,
        lists::<Float64Type, _>(rows, |row| &row.projection_px, (T, "projection_px"))?,
        ids(rows, |row| row.binning_x),
        ids(rows, |row| row.binning_y),
        ids(rows, |row| row.region.x_offset_px),
        ids(rows, |row| row.region.y_offset_px),
        ids(rows, |row| row.region.height_px),
        ids(rows, |row| row.region.width_px),
        flags(rows, |row| row.region.is_rectified),
    ])
}

pub(super) fn images(rows: &[ImageSample]) -> Vec<ArrayRef> {
    let bases = rows.iter().map(|row| match row.payload.base {
        PayloadBase::File => "file",
        PayloadBase::Chunk { .. } => "chunk",
        PayloadBase::Row { .. } => "row",
    });
    let base_ids = rows.iter().map(|row| match row.payload.base {
        PayloadBase::File => None,
        PayloadBase::Chunk { chunk_offset_bytes } => Some(chunk_offset_bytes.cast_signed()),
        PayloadBase::Row { row_id } => Some(row_id),
    });
    let offsets = rows.iter().map(|row| row.payload.offset_bytes);
    let lengths = rows.iter().map(|row| row.payload.length_bytes);
    vec![
        optional_ids(rows, |row| row.height_px),
        optional_ids(rows, |row| row.width_px),
        texts(rows.iter().map(|row| row.encoding.as_str())),
        flags(rows, |row| row.is_big_endian),
        optional_ids(rows, |row| row.row_step_bytes),
        ids(rows, |row| row.payload.file_index),
        texts(bases),
        Arc::new(Int64Array::from_iter(base_ids)),
        Arc::new(UInt64Array::from_iter_values(offsets)),
        Arc::new(UInt64Array::from_iter_values(lengths)),
    ]
}

pub(super) fn range_readings(rows: &[RangeReading]) -> Vec<ArrayRef> {
    vec![
        ids(rows, |row| row.radiation.into()),
        small_floats(rows, |row| row.field_of_view_rad),
        small_floats(rows, |row| row.range_min_m),
        small_floats(rows, |row| row.range_max_m),
        small_floats(rows, |row| row.range_m),
    ]
}

pub(super) fn paths(rows: &[PathSample]) -> Result<Vec<ArrayRef>, ColumnsError> {
    let all: Vec<&PathPose> = rows.iter().flat_map(|row| &row.poses).collect();
    checked_count(all.len(), (Table::Paths, "pose_times_ns"))?;
    let lengths = || rows.iter().map(|row| row.poses.len());
    let times = Int64Array::from_iter(all.iter().map(|pose| pose.time.map(|time| time.0)));
    let mut columns = vec![
        list_column(lengths(), Arc::new(times))?,
        text_lists(
            rows,
            |row| row.poses.iter().map(|pose| pose.frame_id.as_str()).collect(),
            (Table::Paths, "pose_frame_ids"),
        )?,
    ];
    for values in poses(all.iter().map(|pose| &pose.frame_from_child)) {
        columns.push(list_column(lengths(), values)?);
    }
    Ok(columns)
}

pub(super) fn grids(rows: &[GridSample]) -> Result<Vec<ArrayRef>, ColumnsError> {
    let loaded = rows.iter().map(|row| row.loaded.map(|time| time.0));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter(loaded)),
        small_floats(rows, |row| row.cell_size_m),
        ids(rows, |row| row.width_cells),
        ids(rows, |row| row.height_cells),
        lists::<Int8Type, _>(
            rows,
            |row| &row.occupancy_percent,
            (Table::Grids, "occupancy_percent"),
        )?,
    ];
    columns.extend(poses(rows.iter().map(|row| &row.frame_from_grid)));
    Ok(columns)
}
