//! Samples to a batch: one row per sample, columns in the order of the schema.
//!
//! Invariant: values are copied bit by bit; rotations become unit quaternions.

mod sensors;

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, Float32Array, Float64Array, Int64Array, ListArray, PrimitiveArray,
        RecordBatch, StringArray, UInt32Array, UInt64Array,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{ArrowPrimitiveType, Field, Float32Type},
};
use tiepoint_model::{Pose3, RecordingId, Timestamp};

use super::{ColumnsError, schema::schema, signals::signal_columns};
use crate::{Samples, Table};

/// The rows of one channel as a batch of its table.
///
/// `first_sequence` is the index in the channel of the first row.
///
/// # Errors
/// [`ColumnsError::TooLarge`] if the lists hold 2^31 items or more together.
///
/// # Invariants
/// `a_batch_gives_back_its_samples`.
pub fn to_batch(
    recording_id: &RecordingId,
    topic: &str,
    first_sequence: u64,
    samples: &Samples,
) -> Result<RecordBatch, ColumnsError> {
    let table = samples.table();
    let mut columns = leading(recording_id, topic, first_sequence, samples);
    match samples {
        Samples::Scans(rows) => columns.extend([
            floats(rows, |row| row.angle_min_rad),
            floats(rows, |row| row.angle_increment_rad),
            floats(rows, |row| row.range_min_m),
            floats(rows, |row| row.range_max_m),
            floats(rows, |row| row.time_increment_s),
            float_lists(rows, |row| &row.ranges_m, (table, "ranges_m"))?,
            float_lists(rows, |row| &row.intensities, (table, "intensities"))?,
        ]),
        Samples::Points(rows) => columns.extend([
            float_lists(rows, |row| &row.x_m, (table, "x_m"))?,
            float_lists(rows, |row| &row.y_m, (table, "y_m"))?,
            float_lists(rows, |row| &row.z_m, (table, "z_m"))?,
            float_lists(rows, |row| &row.intensity, (table, "intensity"))?,
        ]),
        Samples::Imu(rows) => {
            columns.extend((0..4).map(|axis| -> ArrayRef {
                let values = rows.iter().map(|row| row.orientation_xyzw.map(|q| q[axis]));
                Arc::new(Float64Array::from_iter(values))
            }));
            columns.extend((0..3).map(|axis| floats(rows, |row| row.angular_rate_rad_per_s[axis])));
            columns.extend((0..3).map(|axis| floats(rows, |row| row.acceleration_m_per_s2[axis])));
        }
        Samples::Poses(rows) => {
            columns.push(texts(rows.iter().map(|row| row.child_frame_id.as_str())));
            columns.extend(poses(rows.iter().map(|row| &row.frame_from_child)));
        }
        Samples::Transforms(rows) => {
            columns.push(texts(rows.iter().map(|row| row.child_frame_id.as_str())));
            columns.extend(poses(rows.iter().map(|row| &row.parent_from_child)));
        }
        Samples::Twists(rows) => {
            columns.extend((0..3).map(|axis| floats(rows, |row| row.linear_m_per_s[axis])));
            columns.extend((0..3).map(|axis| floats(rows, |row| row.angular_rad_per_s[axis])));
        }
        Samples::Ranges(rows) => {
            let ids = rows.iter().map(|row| row.beacon_id);
            columns.push(Arc::new(UInt32Array::from_iter_values(ids)));
            let ranges_m = rows.iter().map(|row| row.range_m);
            columns.push(Arc::new(Float32Array::from_iter_values(ranges_m)));
            columns.extend((0..3).map(|axis| floats(rows, |row| row.antenna_in_base_m[axis])));
        }
        Samples::Signals(rows) => columns.extend(signal_columns(rows)?),
        Samples::Gnss(rows) => columns.extend(sensors::gnss(rows)?),
        Samples::Magnetic(rows) => {
            columns.extend((0..3).map(|axis| floats(rows, |row| row.field_t[axis])));
        }
        Samples::Joints(rows) => columns.extend(sensors::joints(rows)?),
        Samples::Cameras(rows) => columns.extend(sensors::cameras(rows)?),
        Samples::Images(rows) => columns.extend(sensors::images(rows)),
        Samples::RangeReadings(rows) => columns.extend(sensors::range_readings(rows)),
        Samples::Paths(rows) => columns.extend(sensors::paths(rows)?),
        Samples::Grids(rows) => columns.extend(sensors::grids(rows)?),
        Samples::Raw(rows) => {
            let payload_bytes = rows.iter().map(|row| row.payload.len()).sum();
            checked_count(payload_bytes, (table, "payload"))?;
            let payloads = rows.iter().map(|row| row.payload.as_slice());
            columns.push(Arc::new(BinaryArray::from_iter_values(payloads)));
        }
    }
    Ok(RecordBatch::try_new(schema(table), columns)?)
}

fn leading(
    recording_id: &RecordingId,
    topic: &str,
    first_sequence: u64,
    samples: &Samples,
) -> Vec<ArrayRef> {
    let count = samples.len();
    let stamps = samples.stamps();
    let nanoseconds = |stamp: Option<Timestamp>| stamp.map(|stamp| stamp.0);
    let publish = stamps.iter().map(|stamps| nanoseconds(stamps.publish));
    let sensor = stamps.iter().map(|stamps| nanoseconds(stamps.sensor));
    let sequence = (0..count as u64).map(|index| first_sequence.wrapping_add(index));
    vec![
        texts(std::iter::repeat_n(recording_id.0.as_str(), count)),
        texts(std::iter::repeat_n(topic, count)),
        Arc::new(UInt64Array::from_iter_values(sequence)),
        Arc::new(Int64Array::from_iter_values(stamps.iter().map(|stamps| stamps.log.0))),
        Arc::new(Int64Array::from_iter(publish)),
        Arc::new(Int64Array::from_iter(sensor)),
        frame_ids(samples),
    ]
}

fn frame_ids(samples: &Samples) -> ArrayRef {
    match samples {
        Samples::Transforms(rows) => texts(rows.iter().map(|row| row.parent_frame_id.as_str())),
        Samples::Raw(rows) => texts(rows.iter().map(|_| "")),
        Samples::Scans(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Points(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Imu(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Poses(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Twists(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Ranges(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Signals(rows) => texts(rows.iter().map(|_| "")),
        Samples::Gnss(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Magnetic(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Joints(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Cameras(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Images(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::RangeReadings(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Paths(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
        Samples::Grids(rows) => texts(rows.iter().map(|row| row.frame_id.as_str())),
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn floats<T>(rows: &[T], value: impl Fn(&T) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(value)))
}

/// Three columns of position and four of quaternion.
fn poses<'a>(poses: impl Iterator<Item = &'a Pose3>) -> Vec<ArrayRef> {
    let mut columns: [Vec<f64>; 7] = Default::default();
    for pose in poses {
        let values = pose.translation_m.iter().copied().chain(pose.quaternion_xyzw());
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    columns.into_iter().map(|column| -> ArrayRef { Arc::new(Float64Array::from(column)) }).collect()
}

/// A column of lists of `f32`, by one copy of each list.
fn float_lists<'a, T>(
    rows: &'a [T],
    list: impl Fn(&'a T) -> &'a Vec<f32>,
    place: (Table, &'static str),
) -> Result<ArrayRef, ColumnsError> {
    lists::<Float32Type, T>(rows, |row| list(row).as_slice(), place)
}

/// A column of lists of numbers, by one copy of each list.
fn lists<'a, P: ArrowPrimitiveType, T>(
    rows: &'a [T],
    list: impl Fn(&'a T) -> &'a [P::Native],
    place: (Table, &'static str),
) -> Result<ArrayRef, ColumnsError> {
    let count = checked_count(rows.iter().map(|row| list(row).len()).sum(), place)?;
    let mut values = Vec::with_capacity(count);
    rows.iter().for_each(|row| values.extend_from_slice(list(row)));
    let values = PrimitiveArray::<P>::new(ScalarBuffer::from(values), None);
    list_column(rows.iter().map(|row| list(row).len()), Arc::new(values))
}

/// A column of lists from their lengths and their items behind each other.
fn list_column(
    lengths: impl Iterator<Item = usize>,
    items: ArrayRef,
) -> Result<ArrayRef, ColumnsError> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, items, None)?))
}

/// Arrow's offsets have 31 bits.
pub(super) fn checked_count(
    count: usize,
    place: (Table, &'static str),
) -> Result<usize, ColumnsError> {
    let (table, column) = place;
    if i32::try_from(count).is_err() {
        return Err(ColumnsError::TooLarge { table: table.as_str(), column, count });
    }
    Ok(count)
}
