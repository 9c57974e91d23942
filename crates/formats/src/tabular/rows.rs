//! Rows of numbers to samples of the table that a channel asks for.
//!
//! Invariant: a field is the file's number times one factor, or NaN if the cell is missing.

use std::f64::consts::PI;
use std::sync::Arc;

use tiepoint_model::{
    GnssFix, ImuSample, MagneticSample, PoseSample, SignalField, SignalSample, Stamps, TwistSample,
};

use super::projection::{ChannelProjection, ProjectionError};
use crate::{ChannelKey, Samples, Table, container::Collector, pose::pose_or_nan};

/// Standard gravity, by definition of the 3rd CGPM, 1901.
const GRAVITY_M_PER_S2: f64 = 9.806_65;

/// One field of a typed table.
pub(super) struct TypedField {
    pub(super) name: &'static str,
    unit: &'static str,
    /// Fields of one group are given together or not at all; group 0 must be there.
    group: u8,
}

const fn field(name: &'static str, unit: &'static str, group: u8) -> TypedField {
    TypedField { name, unit, group }
}

const IMU: [TypedField; 10] = [
    field("qx", "1", 1),
    field("qy", "1", 1),
    field("qz", "1", 1),
    field("qw", "1", 1),
    field("angular_rate_x_rad_per_s", "rad/s", 2),
    field("angular_rate_y_rad_per_s", "rad/s", 2),
    field("angular_rate_z_rad_per_s", "rad/s", 2),
    field("acceleration_x_m_per_s2", "m/s2", 3),
    field("acceleration_y_m_per_s2", "m/s2", 3),
    field("acceleration_z_m_per_s2", "m/s2", 3),
];

const POSES: [TypedField; 7] = [
    field("x_m", "m", 0),
    field("y_m", "m", 0),
    field("z_m", "m", 0),
    field("qx", "1", 1),
    field("qy", "1", 1),
    field("qz", "1", 1),
    field("qw", "1", 1),
];

const TWISTS: [TypedField; 6] = [
    field("linear_x_m_per_s", "m/s", 1),
    field("linear_y_m_per_s", "m/s", 1),
    field("linear_z_m_per_s", "m/s", 1),
    field("angular_x_rad_per_s", "rad/s", 2),
    field("angular_y_rad_per_s", "rad/s", 2),
    field("angular_z_rad_per_s", "rad/s", 2),
];

const GNSS: [TypedField; 3] = [
    field("latitude_deg", "deg", 0),
    field("longitude_deg", "deg", 0),
    field("altitude_m", "m", 1),
];

const MAGNETIC: [TypedField; 3] =
    [field("field_x_t", "T", 0), field("field_y_t", "T", 0), field("field_z_t", "T", 0)];

/// The fields of a table that a projection can fill; none for the others.
pub(super) fn typed_fields(table: Table) -> &'static [TypedField] {
    match table {
        Table::Imu => &IMU,
        Table::Poses => &POSES,
        Table::Twists => &TWISTS,
        Table::Gnss => &GNSS,
        Table::Magnetic => &MAGNETIC,
        _ => &[],
    }
}

/// What one of a unit is in another, if both measure the same.
fn factor(from: &str, to: &str) -> Option<f64> {
    Some(match (from, to) {
        (from, to) if from == to => 1.0,
        ("deg/s", "rad/s") => PI / 180.0,
        ("g", "m/s2") => GRAVITY_M_PER_S2,
        ("mg", "m/s2") => GRAVITY_M_PER_S2 / 1e3,
        ("km", "m") | ("km/s", "m/s") => 1e3,
        ("cm", "m") | ("cm/s", "m/s") => 1e-2,
        ("mm", "m") | ("mm/s", "m/s") => 1e-3,
        ("km/h", "m/s") => 1.0 / 3.6,
        ("rad", "deg") => 180.0 / PI,
        ("mT", "T") => 1e-3,
        ("uT", "T") => 1e-6,
        ("nT", "T") => 1e-9,
        ("gauss", "T") => 1e-4,
        ("mgauss", "T") => 1e-7,
        _ => return None,
    })
}

/// A channel with its columns found.
pub(crate) struct ResolvedChannel {
    key: (String, Table),
    frame_id: String,
    child_frame_id: String,
    /// Column and factor of each field of the table, in the table's order.
    fields: Vec<Option<(usize, f64)>>,
    /// Of a channel of signals.
    signals: Arc<[SignalField]>,
    pub(super) missing_count: u64,
}

impl ResolvedChannel {
    pub(super) fn new(
        channel: &ChannelProjection,
        index: &impl Fn(&str) -> Result<usize, ProjectionError>,
    ) -> Result<Self, ProjectionError> {
        let topic = &channel.topic;
        let refuse = |problem: String| ProjectionError::Channel { topic: topic.clone(), problem };
        let table = channel.table.parse().ok();
        let table: Table = table
            .filter(|table| *table == Table::Signals || !typed_fields(*table).is_empty())
            .ok_or_else(|| {
                let known = "imu, poses, twists, gnss, magnetic, signals";
                refuse(format!("no columns make the table `{}`; known are {known}", channel.table))
            })?;
        let mut resolved = Self {
            key: (topic.clone(), table),
            frame_id: channel.frame_id.clone(),
            child_frame_id: channel.child_frame_id.clone(),
            fields: Vec::new(),
            signals: Arc::new([]),
            missing_count: 0,
        };
        let unit = |column: &str| channel.units.get(column).map(String::as_str);
        if table == Table::Signals {
            if channel.columns.is_empty() || !channel.fields.is_empty() {
                return Err(refuse(
                    "`signals` takes `columns`, at least one, and no `fields`".into(),
                ));
            }
            for column in &channel.columns {
                resolved.fields.push(Some((index(column)?, 1.0)));
            }
            let signal = |column: &String| SignalField {
                name: column.clone(),
                unit: unit(column).unwrap_or_default().to_owned(),
            };
            resolved.signals = channel.columns.iter().map(signal).collect();
        } else {
            let known = typed_fields(table);
            let is_known = |name: &String| known.iter().any(|field| field.name == name);
            if let Some(name) = channel.fields.keys().find(|name| !is_known(name)) {
                let names: Vec<&str> = known.iter().map(|field| field.name).collect();
                let names = names.join(", ");
                return Err(refuse(format!("`{table}` has no field `{name}`; it has {names}")));
            }
            if channel.fields.is_empty() || !channel.columns.is_empty() {
                return Err(refuse(format!("`{table}` takes `fields`, and no `columns`")));
            }
            for field in known {
                let Some(column) = channel.fields.get(field.name) else {
                    let is_whole = |other: &TypedField| {
                        other.group == field.group && channel.fields.contains_key(other.name)
                    };
                    if field.group == 0 || known.iter().any(is_whole) {
                        return Err(refuse(format!("the field `{}` is not given", field.name)));
                    }
                    resolved.fields.push(None);
                    continue;
                };
                let unit = unit(column).unwrap_or(field.unit);
                let factor = factor(unit, field.unit).ok_or_else(|| {
                    refuse(format!("`{unit}` of `{column}` is no unit for {}", field.unit))
                })?;
                resolved.fields.push(Some((index(column)?, factor)));
            }
        }
        let is_used = |column: &String| {
            channel.columns.contains(column) || channel.fields.values().any(|used| used == column)
        };
        match channel.units.keys().find(|column| !is_used(column)) {
            Some(column) => Err(refuse(format!("a unit is given for `{column}`, not used here"))),
            None => Ok(resolved),
        }
    }

    /// The columns it reads.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.fields.iter().flatten().map(|(column, _)| *column)
    }

    /// Adds the row that the cells make; `cells` gives the number of a column.
    pub(super) fn push(
        &mut self,
        stamps: Stamps,
        cells: &impl Fn(usize) -> Option<f64>,
        encoding: &str,
        out: &mut Collector,
    ) {
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            values.push(match field {
                None => f64::NAN,
                Some((column, factor)) => match cells(*column) {
                    Some(number) => number * factor,
                    None => {
                        self.missing_count += 1;
                        f64::NAN
                    }
                },
            });
        }
        let (topic, table) = &self.key;
        let key = ChannelKey {
            topic: topic.clone(),
            message_type: table.as_str().to_owned(),
            encoding: encoding.to_owned(),
        };
        let index = out.slot_index(&key, *table);
        let slot = out.slot(index);
        slot.message_count += 1;
        self.push_sample(stamps, values, &mut slot.samples);
    }

    fn push_sample(&self, stamps: Stamps, values: Vec<f64>, samples: &mut Samples) {
        let frame_id = self.frame_id.clone();
        let three = |first: usize| [values[first], values[first + 1], values[first + 2]];
        let four =
            |first: usize| [values[first], values[first + 1], values[first + 2], values[first + 3]];
        match samples {
            Samples::Signals(rows) => {
                rows.push(SignalSample { stamps, fields: Arc::clone(&self.signals), values });
            }
            Samples::Imu(rows) => rows.push(ImuSample {
                stamps,
                frame_id,
                orientation_xyzw: self.fields[0].is_some().then(|| four(0)),
                angular_rate_rad_per_s: three(4),
                acceleration_m_per_s2: three(7),
            }),
            Samples::Poses(rows) => rows.push(PoseSample {
                stamps,
                frame_id,
                child_frame_id: self.child_frame_id.clone(),
                frame_from_child: pose_or_nan(three(0), four(3)),
            }),
            Samples::Twists(rows) => rows.push(TwistSample {
                stamps,
                frame_id,
                linear_m_per_s: three(0),
                angular_rad_per_s: three(3),
            }),
            Samples::Gnss(rows) => rows.push(GnssFix {
                stamps,
                frame_id,
                status: 0,
                service: 0,
                latitude_deg: values[0],
                longitude_deg: values[1],
                altitude_m: values[2],
                position_covariance_enu_m2: None,
                position_covariance_type: 0,
            }),
            Samples::Magnetic(rows) => {
                rows.push(MagneticSample { stamps, frame_id, field_t: three(0) });
            }
            _ => {}
        }
    }

    /// What is said at the end of missing cells.
    pub(super) fn note_missing(&self, out: &mut Collector) {
        if self.missing_count > 0 {
            let (count, topic) = (self.missing_count, &self.key.0);
            out.notes.push(format!("{count} cells of `{topic}` are missing; they are NaN"));
        }
    }
}
