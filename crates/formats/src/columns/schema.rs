//! What columns each table has: names, types, units, frames and what they mean.
//!
//! Invariant: a name carries its unit. These lists are a stored format: the snapshot test
//! `schemas_are_as_published` fails when one changes, and `format_version` must then rise.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::Table;

/// Rises when a column changes its name, type, unit or meaning.
const FORMAT_VERSION: &str = "1";

/// Name of the items of every list column.
const ITEM: &str = "item";

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Int,
    UnsignedInt,
    Id,
    Float,
    SmallFloat,
    SmallFloats,
    Floats,
    Ints,
    SmallInts,
    Texts,
    Bytes,
}

impl Kind {
    fn data_type(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new(ITEM, item, true)));
        match self {
            Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::UnsignedInt => DataType::UInt64,
            Self::Id => DataType::UInt32,
            Self::Float => DataType::Float64,
            Self::SmallFloat => DataType::Float32,
            Self::SmallFloats => list(DataType::Float32),
            Self::Floats => list(DataType::Float64),
            Self::Ints => list(DataType::Int64),
            Self::SmallInts => list(DataType::Int8),
            Self::Texts => list(DataType::Utf8),
            Self::Bytes => DataType::Binary,
        }
    }
}

struct Column {
    name: &'static str,
    kind: Kind,
    nullable: bool,
    unit: &'static str,
    frame: &'static str,
    description: &'static str,
}

const fn column(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    frame: &'static str,
    description: &'static str,
) -> Column {
    Column { name, kind, nullable: false, unit, frame, description }
}

const fn optional(column: Column) -> Column {
    Column { nullable: true, ..column }
}

const fn text(name: &'static str, description: &'static str) -> Column {
    column(name, Kind::Text, "", "", description)
}

const fn count(name: &'static str, description: &'static str) -> Column {
    column(name, Kind::UnsignedInt, "1", "", description)
}

const fn time(name: &'static str, description: &'static str) -> Column {
    column(name, Kind::Int, "ns", "", description)
}

const LEADING: [Column; 7] = [
    text("recording_id", "the recording the row belongs to"),
    text("topic", "the channel's name in the recording"),
    count("sequence", "index of the row in its channel, from 0"),
    time("log_time_ns", "when the recorder received it, since the Unix epoch"),
    optional(time("publish_time_ns", "when the sender published it, if the container says")),
    optional(time("sensor_time_ns", "when the sensor measured, if the message says")),
    text("frame_id", "the frame of the row's values; empty if the message does not say"),
];

const CHILD: Column = text("child_frame_id", "the frame whose pose this is; empty if not said");

const POSE: [Column; 7] = [
    column("x_m", Kind::Float, "m", "frame_id", "origin of the child frame"),
    column("y_m", Kind::Float, "m", "frame_id", "origin of the child frame"),
    column("z_m", Kind::Float, "m", "frame_id", "origin of the child frame"),
    column("qx", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from child_frame_id"),
    column("qy", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from child_frame_id"),
    column("qz", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from child_frame_id"),
    column("qw", Kind::Float, "1", "frame_id", "unit quaternion, w >= 0"),
];

const SCANS: [Column; 7] = [
    column("angle_min_rad", Kind::Float, "rad", "frame_id", "angle of beam 0 from x"),
    column("angle_increment_rad", Kind::Float, "rad", "frame_id", "from beam to beam, signed"),
    column("range_min_m", Kind::Float, "m", "frame_id", "readings below are no measurements"),
    column("range_max_m", Kind::Float, "m", "frame_id", "readings above are no measurements"),
    column("time_increment_s", Kind::Float, "s", "", "from beam to beam; 0 for one instant"),
    column("ranges_m", Kind::SmallFloats, "m", "frame_id", "one per beam, as the sensor gave it"),
    column("intensities", Kind::SmallFloats, "sensor", "", "one per beam, or none"),
];

const POINTS: [Column; 4] = [
    column("x_m", Kind::SmallFloats, "m", "frame_id", "one per point; NaN points are kept"),
    column("y_m", Kind::SmallFloats, "m", "frame_id", "one per point"),
    column("z_m", Kind::SmallFloats, "m", "frame_id", "one per point"),
    column("intensity", Kind::SmallFloats, "sensor", "", "one per point, or none"),
];

const IMU: [Column; 10] = [
    optional(column("qx", Kind::Float, "1", "frame_id", "orientation as given, if there is one")),
    optional(column("qy", Kind::Float, "1", "frame_id", "orientation as given, if there is one")),
    optional(column("qz", Kind::Float, "1", "frame_id", "orientation as given, if there is one")),
    optional(column("qw", Kind::Float, "1", "frame_id", "orientation as given, if there is one")),
    column("angular_rate_x_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular rate"),
    column("angular_rate_y_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular rate"),
    column("angular_rate_z_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular rate"),
    column("acceleration_x_m_per_s2", Kind::Float, "m/s2", "frame_id", "specific force"),
    column("acceleration_y_m_per_s2", Kind::Float, "m/s2", "frame_id", "specific force"),
    column("acceleration_z_m_per_s2", Kind::Float, "m/s2", "frame_id", "specific force"),
];

const TWISTS: [Column; 6] = [
    column("linear_x_m_per_s", Kind::Float, "m/s", "frame_id", "linear velocity"),
    column("linear_y_m_per_s", Kind::Float, "m/s", "frame_id", "linear velocity"),
    column("linear_z_m_per_s", Kind::Float, "m/s", "frame_id", "linear velocity"),
    column("angular_x_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular velocity"),
    column("angular_y_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular velocity"),
    column("angular_z_rad_per_s", Kind::Float, "rad/s", "frame_id", "angular velocity"),
];

const RANGES: [Column; 5] = [
    column("beacon_id", Kind::Id, "", "", "which beacon; it stands at the frame beacon_<id>"),
    column("range_m", Kind::SmallFloat, "m", "", "from antenna to beacon, as the sensor gave it"),
    column("antenna_x_m", Kind::Float, "m", "base_link", "the antenna on the robot"),
    column("antenna_y_m", Kind::Float, "m", "base_link", "the antenna on the robot"),
    column("antenna_z_m", Kind::Float, "m", "base_link", "the antenna on the robot"),
];

const SIGNALS: [Column; 3] = [
    column("field_names", Kind::Texts, "", "", "what each value is, as the container names it"),
    column("units", Kind::Texts, "", "", "one per field, or none if no unit is known"),
    column("values", Kind::Floats, "units", "", "one per field; NaN where there is none"),
];

const GNSS: [Column; 7] = [
    column("status", Kind::Int, "", "", "-1 no fix, 0 fix, 1 space-, 2 ground-based augmentation"),
    column("service", Kind::Id, "", "", "bits: 1 GPS, 2 GLONASS, 4 Compass, 8 Galileo"),
    column("latitude_deg", Kind::Float, "deg", "WGS 84", "positive north"),
    column("longitude_deg", Kind::Float, "deg", "WGS 84", "positive east"),
    column("altitude_m", Kind::Float, "m", "WGS 84", "above the ellipsoid; NaN if there is none"),
    optional(column(
        "position_covariance_enu_m2",
        Kind::Floats,
        "m2",
        "east north up",
        "3 x 3, row-major, if it is known",
    )),
    column(
        "position_covariance_type",
        Kind::Id,
        "",
        "",
        "0 unknown, 1 approximated, 2 diagonal known, 3 known",
    ),
];

const MAGNETIC: [Column; 3] = [
    column("field_x_t", Kind::Float, "T", "frame_id", "flux density; NaN for an axis not there"),
    column("field_y_t", Kind::Float, "T", "frame_id", "flux density; NaN for an axis not there"),
    column("field_z_t", Kind::Float, "T", "frame_id", "flux density; NaN for an axis not there"),
];

const JOINTS: [Column; 4] = [
    column("joint_names", Kind::Texts, "", "", "which joints"),
    column("positions_rad_or_m", Kind::Floats, "rad or m", "", "turning or sliding joint; or none"),
    column("velocities_rad_or_m_per_s", Kind::Floats, "rad/s or m/s", "", "one per joint, or none"),
    column("efforts_nm_or_n", Kind::Floats, "N m or N", "", "one per joint, or none"),
];

const CAMERAS: [Column; 14] = [
    column("height_px", Kind::Id, "px", "", "rows of the calibrated image; 0 if not calibrated"),
    column("width_px", Kind::Id, "px", "", "columns of the calibrated image; 0 if not calibrated"),
    text("distortion_model", "names the meaning of the parameters"),
    column("distortion", Kind::Floats, "1", "", "parameters of the distortion model"),
    column("camera_matrix_px", Kind::Floats, "px", "frame_id", "K, 3 x 3, row-major"),
    column("rectified_from_optical", Kind::Floats, "1", "frame_id", "R, 3 x 3, row-major"),
    column("projection_px", Kind::Floats, "px", "frame_id", "P, 3 x 4, row-major"),
    column("binning_x", Kind::Id, "1", "", "columns per pixel; 0 means 1"),
    column("binning_y", Kind::Id, "1", "", "rows per pixel; 0 means 1"),
    column("region_x_offset_px", Kind::Id, "px", "", "leftmost column that is read"),
    column("region_y_offset_px", Kind::Id, "px", "", "topmost row that is read"),
    column("region_height_px", Kind::Id, "px", "", "rows that are read; 0 means all"),
    column("region_width_px", Kind::Id, "px", "", "columns that are read; 0 means all"),
    column("region_is_rectified", Kind::Bool, "", "", "the region moves with rectification"),
];

const IMAGES: [Column; 10] = [
    optional(column("height_px", Kind::Id, "px", "", "rows; none if only the payload says")),
    optional(column("width_px", Kind::Id, "px", "", "columns; none if only the payload says")),
    text("image_encoding", "how pixels are laid out, or the compression"),
    column("is_big_endian", Kind::Bool, "", "", "of numbers of more than one byte"),
    optional(column("row_step_bytes", Kind::Id, "byte", "", "from row to row, if not compressed")),
    column("payload_file_index", Kind::Id, "1", "", "which original of the recording, from 0"),
    text("payload_base", "what the offset counts from: file, chunk or row"),
    optional(column(
        "payload_base_id",
        Kind::Int,
        "",
        "",
        "byte of the file where the chunk's record starts, or the row's id in the database",
    )),
    column("payload_offset_bytes", Kind::UnsignedInt, "byte", "", "in file, inflated chunk, row"),
    column("payload_length_bytes", Kind::UnsignedInt, "byte", "", "how long it is"),
];

const RANGE_READINGS: [Column; 5] = [
    column("radiation", Kind::Id, "", "", "0 ultrasound, 1 infrared"),
    column("field_of_view_rad", Kind::SmallFloat, "rad", "frame_id", "full opening about x"),
    column("range_min_m", Kind::SmallFloat, "m", "frame_id", "readings below are no measurements"),
    column("range_max_m", Kind::SmallFloat, "m", "frame_id", "readings above are no measurements"),
    column("range_m", Kind::SmallFloat, "m", "frame_id", "as the sensor gave it"),
];

const PATHS: [Column; 9] = [
    column("pose_times_ns", Kind::Ints, "ns", "", "when to be there; null if the path is silent"),
    column("pose_frame_ids", Kind::Texts, "", "", "the fixed frame; empty means frame_id"),
    column("x_m", Kind::Floats, "m", "pose_frame_ids", "one per pose"),
    column("y_m", Kind::Floats, "m", "pose_frame_ids", "one per pose"),
    column("z_m", Kind::Floats, "m", "pose_frame_ids", "one per pose"),
    column("qx", Kind::Floats, "1", "pose_frame_ids", "unit quaternion, frame from robot"),
    column("qy", Kind::Floats, "1", "pose_frame_ids", "unit quaternion, frame from robot"),
    column("qz", Kind::Floats, "1", "pose_frame_ids", "unit quaternion, frame from robot"),
    column("qw", Kind::Floats, "1", "pose_frame_ids", "unit quaternion, w >= 0"),
];

const GRIDS: [Column; 12] = [
    optional(time("loaded_time_ns", "when the map was loaded, if it was")),
    column("cell_size_m", Kind::SmallFloat, "m", "", "side of a cell"),
    column("width_cells", Kind::Id, "1", "", "cells along the grid's x"),
    column("height_cells", Kind::Id, "1", "", "cells along the grid's y"),
    column(
        "occupancy_percent",
        Kind::SmallInts,
        "%",
        "",
        "row by row, x first: 0 free to 100 occupied, -1 unknown",
    ),
    column("origin_x_m", Kind::Float, "m", "frame_id", "corner of cell (0, 0)"),
    column("origin_y_m", Kind::Float, "m", "frame_id", "corner of cell (0, 0)"),
    column("origin_z_m", Kind::Float, "m", "frame_id", "corner of cell (0, 0)"),
    column("origin_qx", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from grid"),
    column("origin_qy", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from grid"),
    column("origin_qz", Kind::Float, "1", "frame_id", "unit quaternion, frame_id from grid"),
    column("origin_qw", Kind::Float, "1", "frame_id", "unit quaternion, w >= 0"),
];

const RAW: [Column; 1] = [column("payload", Kind::Bytes, "byte", "", "the message as it was")];

const RECORDINGS: [Column; 17] = [
    text("recording_id", "names the recording"),
    text("name", "the file's name without its folder"),
    text("origin", "real, semi_synthetic, synthetic or curated"),
    optional(text("rig", "the rig that made it, if its owner says")),
    optional(text("derivation_json", "how anything that is not real was made")),
    optional(text("generator", "name and version of the generator, if it can be named")),
    optional(column("generation_depth", Kind::Id, "1", "", "steps of synthetic from synthetic")),
    text("container", "what it was read from"),
    time("start_time_ns", "first log time, since the Unix epoch"),
    time("end_time_ns", "last log time, since the Unix epoch"),
    column("originals", Kind::Texts, "", "", "BLAKE3 of each original file, hexadecimal"),
    column("original_names", Kind::Texts, "", "", "path of each original below what was given"),
    text("content_digest", "Merkle root over channels and originals, hexadecimal"),
    count("channel_count", "how many channels"),
    count("message_count", "messages of every channel together"),
    count("loss_count", "places of the original that could not be read"),
    text("quality_json", "lags, findings and losses of the recording as a whole"),
];

const FINDINGS: [Column; 9] = [
    text("recording_id", "the recording it was found in"),
    text("subject", "the channel's topic, or the frames or channels it is about"),
    text("kind", "what was checked"),
    column("value", Kind::Float, "unit", "", "the measured value"),
    column("limit", Kind::Float, "unit", "", "the limit it is over"),
    text("unit", "unit of value and limit; 1 for shares, count for counts"),
    count("count", "messages, values or frames it concerns"),
    text("definition", "what is measured"),
    text("source", "where definition and limit come from"),
];

const CHANNELS: [Column; 20] = [
    text("recording_id", "the recording the channel belongs to"),
    text("topic", "its name in the recording"),
    text("message_type", "as the container names it"),
    text("encoding", "how messages are encoded"),
    text("table_name", "the table that holds the samples"),
    count("message_count", "how many messages"),
    time("start_time_ns", "first log time, since the Unix epoch"),
    time("end_time_ns", "last log time, since the Unix epoch"),
    text("content_digest", "Merkle root over the rows, hexadecimal"),
    text("quality_verdict", "pass, fail or unknown"),
    column("passes_quality", Kind::Bool, "", "", "true if the verdict is pass"),
    optional(column("rate_hz", Kind::Float, "Hz", "", "one over the median interval")),
    optional(column("jitter_share", Kind::Float, "1", "", "interval deviation over the median")),
    count("gap_count", "intervals longer than the gap factor times the median"),
    optional(column("gap_share", Kind::Float, "1", "", "missing over expected messages")),
    count("runs_back_count", "messages whose log time runs back"),
    count("duplicate_count", "messages with the log time of the one ahead"),
    count("nan_count", "values that are NaN"),
    count("out_of_range_count", "values outside the sensor's limits"),
    text("quality_json", "every number and finding"),
];

const FILES: [Column; 5] = [
    text("file_id", "names the file: of its name and its bytes"),
    text("name", "its name, or a path from the folder that was given on"),
    count("size_bytes", "how many bytes"),
    text("blake3", "BLAKE3 of the bytes, hexadecimal"),
    text("sha256", "SHA-256 of the bytes, hexadecimal"),
];

const DERIVATIONS: [Column; 9] = [
    text("kind", "why the child came from the parent"),
    text("child_id", "the recording, verdict or comparison that was made"),
    optional(text("child_part", "channel, or unit of a verdict; none for all of it")),
    optional(time(
        "child_start_time_ns",
        "first measured time; none for everything from the start",
    )),
    optional(time("child_end_time_ns", "one past the last; none for everything to the end")),
    text("parent_id", "the recording it was made from"),
    optional(text("parent_part", "the channel; none for all of it")),
    optional(time("parent_start_time_ns", "first measured time; none: from the start")),
    optional(time("parent_end_time_ns", "one past the last; none for everything to the end")),
];

/// The schema of a table of samples.
///
/// Every one starts with `recording_id`, `topic`, `sequence`, `log_time_ns`,
/// `publish_time_ns`, `sensor_time_ns` and `frame_id`.
#[must_use]
pub fn schema(table: Table) -> SchemaRef {
    let own: Vec<&Column> = match table {
        Table::Scans => SCANS.iter().collect(),
        Table::Points => POINTS.iter().collect(),
        Table::Imu => IMU.iter().collect(),
        Table::Poses | Table::Transforms => std::iter::once(&CHILD).chain(&POSE).collect(),
        Table::Twists => TWISTS.iter().collect(),
        Table::Ranges => RANGES.iter().collect(),
        Table::Signals => SIGNALS.iter().collect(),
        Table::Gnss => GNSS.iter().collect(),
        Table::Magnetic => MAGNETIC.iter().collect(),
        Table::Joints => JOINTS.iter().collect(),
        Table::Cameras => CAMERAS.iter().collect(),
        Table::Images => IMAGES.iter().collect(),
        Table::RangeReadings => RANGE_READINGS.iter().collect(),
        Table::Paths => PATHS.iter().collect(),
        Table::Grids => GRIDS.iter().collect(),
        Table::Raw => RAW.iter().collect(),
    };
    schema_of(table.as_str(), LEADING.iter().chain(own))
}

/// The schema of the table `recordings`: one row per recording.
#[must_use]
pub fn recordings_schema() -> SchemaRef {
    schema_of("recordings", RECORDINGS.iter())
}

/// The schema of the table `channels`: one row per channel of a recording.
#[must_use]
pub fn channels_schema() -> SchemaRef {
    schema_of("channels", CHANNELS.iter())
}

/// The schema of the table `findings`: one row per failed check at the door.
#[must_use]
pub fn findings_schema() -> SchemaRef {
    schema_of("findings", FINDINGS.iter())
}

/// The schema of the table `files`: one row per file that is kept without being read as a log.
#[must_use]
pub fn files_schema() -> SchemaRef {
    schema_of("files", FILES.iter())
}

/// The schema of the table `derivations`: one row per edge from an excerpt to what it came from.
///
/// Measured time is `sensor_time_ns` of a row, or `log_time_ns` where that is null.
#[must_use]
pub fn derivations_schema() -> SchemaRef {
    schema_of("derivations", DERIVATIONS.iter())
}

fn schema_of<'a>(table: &str, columns: impl Iterator<Item = &'a Column>) -> SchemaRef {
    let fields: Vec<Field> = columns.map(field).collect();
    let pairs = [("table", table), ("format_version", FORMAT_VERSION)];
    Arc::new(Schema::new_with_metadata(fields, owned(pairs)))
}

fn field(column: &Column) -> Field {
    let Column { name, kind, nullable, unit, frame, description } = column;
    let pairs = [("unit", *unit), ("frame", *frame), ("description", *description)];
    Field::new(*name, kind.data_type(), *nullable).with_metadata(owned(pairs))
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
