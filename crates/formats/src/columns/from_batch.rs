//! A batch back to samples. Columns are found by name; further columns are not looked at.
//!
//! Invariant: a missing, mistyped or null value is an error that names table, column and row.

mod sensors;

use arrow::{
    array::{
        Array, BinaryArray, Float32Array, Float64Array, Int64Array, ListArray, PrimitiveArray,
        RecordBatch, StringArray, UInt32Array,
    },
    datatypes::{ArrowPrimitiveType, DataType, Float32Type},
};
use tiepoint_model::{
    BeaconRange, ImuSample, PointCloud, Pose3, PoseSample, RawMessage, Scan, Stamps, Timestamp,
    TransformSample, TwistSample,
};

use super::{ColumnsError, signals::signal_rows};
use crate::{Samples, Table, pose::pose_or_nan};

/// The samples of a batch of a table, in the order of its rows.
///
/// # Errors
/// [`ColumnsError`], if the batch is not of the table's schema.
pub fn from_batch(table: Table, batch: &RecordBatch) -> Result<Samples, ColumnsError> {
    let columns = Columns { table: table.as_str(), batch };
    Ok(match table {
        Table::Scans => Samples::Scans(columns.scans()?),
        Table::Points => Samples::Points(columns.points()?),
        Table::Imu => Samples::Imu(columns.imu()?),
        Table::Poses => Samples::Poses(columns.poses()?),
        Table::Transforms => Samples::Transforms(columns.transforms()?),
        Table::Twists => Samples::Twists(columns.twists()?),
        Table::Ranges => Samples::Ranges(columns.ranges()?),
        Table::Signals => {
            let leading = columns.leading()?;
            Samples::Signals(signal_rows(batch, |row| leading.stamps(row))?)
        }
        Table::Gnss => Samples::Gnss(columns.gnss()?),
        Table::Magnetic => Samples::Magnetic(columns.magnetic()?),
        Table::Joints => Samples::Joints(columns.joints()?),
        Table::Cameras => Samples::Cameras(columns.cameras()?),
        Table::Images => Samples::Images(columns.images()?),
        Table::RangeReadings => Samples::RangeReadings(columns.range_readings()?),
        Table::Paths => Samples::Paths(columns.paths()?),
        Table::Grids => Samples::Grids(columns.grids()?),
        Table::Raw => Samples::Raw(columns.raw()?),
    })
}

/// The columns of a batch by name, checked.
pub(super) struct Columns<'a> {
    pub(super) table: &'static str,
    pub(super) batch: &'a RecordBatch,
}

/// What every row starts with.
struct Leading<'a> {
    log: &'a Int64Array,
    publish: &'a Int64Array,
    sensor: &'a Int64Array,
    frame_id: &'a StringArray,
}

impl Leading<'_> {
    fn stamps(&self, row: usize) -> Stamps {
        let optional =
            |column: &Int64Array| (!column.is_null(row)).then(|| Timestamp(column.value(row)));
        Stamps {
            log: Timestamp(self.log.value(row)),
            publish: optional(self.publish),
            sensor: optional(self.sensor),
        }
    }

    fn frame_id(&self, row: usize) -> String {
        self.frame_id.value(row).to_owned()
    }
}

impl<'a> Columns<'a> {
    /// A column of an Arrow array type; nulls allowed.
    pub(super) fn optional<A: Array + 'static>(
        &self,
        column: &'static str,
        expected: &DataType,
    ) -> Result<&'a A, ColumnsError> {
        let table = self.table;
        let found = self
            .batch
            .column_by_name(column)
            .ok_or(ColumnsError::MissingColumn { table, column })?;
        found.as_any().downcast_ref::<A>().ok_or_else(|| ColumnsError::ColumnType {
            table,
            column,
            expected: expected.to_string(),
            found: found.data_type().to_string(),
        })
    }

    /// A column without nulls.
    pub(super) fn column<A: Array + 'static>(
        &self,
        column: &'static str,
        expected: &DataType,
    ) -> Result<&'a A, ColumnsError> {
        let array = self.optional::<A>(column, expected)?;
        match (0..array.len()).find(|row| array.is_null(*row)) {
            Some(row) if array.null_count() > 0 => {
                Err(ColumnsError::Null { table: self.table, column, row })
            }
            _ => Ok(array),
        }
    }

    pub(super) fn texts(&self, column: &'static str) -> Result<&'a StringArray, ColumnsError> {
        self.column(column, &DataType::Utf8)
    }

    pub(super) fn times(&self, column: &'static str) -> Result<&'a Int64Array, ColumnsError> {
        self.column(column, &DataType::Int64)
    }

    fn floats(&self, column: &'static str) -> Result<&'a Float64Array, ColumnsError> {
        self.column(column, &DataType::Float64)
    }

    fn float_columns<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<[&'a [f64]; N], ColumnsError> {
        let mut columns: [&[f64]; N] = [&[]; N];
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.floats(name)?.values();
        }
        Ok(columns)
    }

    fn rows(&self) -> std::ops::Range<usize> {
        0..self.batch.num_rows()
    }

    fn leading(&self) -> Result<Leading<'a>, ColumnsError> {
        Ok(Leading {
            log: self.times("log_time_ns")?,
            publish: self.optional("publish_time_ns", &DataType::Int64)?,
            sensor: self.optional("sensor_time_ns", &DataType::Int64)?,
            frame_id: self.texts("frame_id")?,
        })
    }

    /// A column of lists of `f32`, one copy a row.
    fn float_lists(&self, column: &'static str) -> Result<Vec<Vec<f32>>, ColumnsError> {
        self.lists::<Float32Type>(column)
    }

    /// A column of lists, and the array behind them.
    fn list_items<A: Array + 'static>(
        &self,
        column: &'static str,
        item: &DataType,
    ) -> Result<(&'a ListArray, &'a A), ColumnsError> {
        let expected = DataType::new_list(item.clone(), true);
        let lists = self.optional::<ListArray>(column, &expected)?;
        let items = lists.values().as_any().downcast_ref::<A>().ok_or_else(|| {
            ColumnsError::ColumnType {
                table: self.table,
                column,
                expected: expected.to_string(),
                found: lists.data_type().to_string(),
            }
        })?;
        Ok((lists, items))
    }

    /// A column of lists of numbers without nulls, one copy a row.
    fn lists<P: ArrowPrimitiveType>(
        &self,
        column: &'static str,
    ) -> Result<Vec<Vec<P::Native>>, ColumnsError> {
        let null = |row| ColumnsError::Null { table: self.table, column, row };
        let rows = self.optional_lists::<P>(column)?.into_iter().enumerate();
        rows.map(|(row, list)| list.ok_or_else(|| null(row))).collect()
    }

    /// A column of lists of numbers; a list may be null, its items not.
    fn optional_lists<P: ArrowPrimitiveType>(
        &self,
        column: &'static str,
    ) -> Result<Vec<Option<Vec<P::Native>>>, ColumnsError> {
        let (lists, values) = self.list_items::<PrimitiveArray<P>>(column, &P::DATA_TYPE)?;
        let mut rows = Vec::with_capacity(lists.len());
        for (row, ends) in lists.value_offsets().windows(2).enumerate() {
            if lists.is_null(row) {
                rows.push(None);
                continue;
            }
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            if values.null_count() > 0 && (start..end).any(|index| values.is_null(index)) {
                return Err(ColumnsError::Null { table: self.table, column, row });
            }
            rows.push(Some(values.values()[start..end].to_vec()));
        }
        Ok(rows)
    }

    fn scans(&self) -> Result<Vec<Scan>, ColumnsError> {
        let leading = self.leading()?;
        let [angle_min, angle_increment, range_min, range_max, time_increment] = self
            .float_columns([
                "angle_min_rad",
                "angle_increment_rad",
                "range_min_m",
                "range_max_m",
                "time_increment_s",
            ])?;
        let lists = self.float_lists("ranges_m")?.into_iter().zip(self.float_lists("intensities")?);
        let row = |(row, (ranges_m, intensities))| Scan {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            angle_min_rad: angle_min[row],
            angle_increment_rad: angle_increment[row],
            range_min_m: range_min[row],
            range_max_m: range_max[row],
            time_increment_s: time_increment[row],
            ranges_m,
            intensities,
        };
        Ok(lists.enumerate().map(row).collect())
    }

    fn points(&self) -> Result<Vec<PointCloud>, ColumnsError> {
        let leading = self.leading()?;
        let (x, y) = (self.float_lists("x_m")?, self.float_lists("y_m")?);
        let (z, intensity) = (self.float_lists("z_m")?, self.float_lists("intensity")?);
        let lists = x.into_iter().zip(y).zip(z).zip(intensity);
        let row = |(row, (((x_m, y_m), z_m), intensity))| PointCloud {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            x_m,
            y_m,
            z_m,
            intensity,
        };
        Ok(lists.enumerate().map(row).collect())
    }

    fn imu(&self) -> Result<Vec<ImuSample>, ColumnsError> {
        let leading = self.leading()?;
        let mut quaternion: Vec<&Float64Array> = Vec::with_capacity(4);
        for name in ["qx", "qy", "qz", "qw"] {
            quaternion.push(self.optional(name, &DataType::Float64)?);
        }
        let rates = self.float_columns([
            "angular_rate_x_rad_per_s",
            "angular_rate_y_rad_per_s",
            "angular_rate_z_rad_per_s",
        ])?;
        let accelerations = self.float_columns([
            "acceleration_x_m_per_s2",
            "acceleration_y_m_per_s2",
            "acceleration_z_m_per_s2",
        ])?;
        let row = |row| ImuSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            orientation_xyzw: quaternion
                .iter()
                .all(|column| !column.is_null(row))
                .then(|| std::array::from_fn(|axis| quaternion[axis].value(row))),
            angular_rate_rad_per_s: rates.map(|column| column[row]),
            acceleration_m_per_s2: accelerations.map(|column| column[row]),
        };
        Ok(self.rows().map(row).collect())
    }

    /// The pose columns, by row.
    fn pose_at(&self) -> Result<impl Fn(usize) -> Pose3 + use<'a>, ColumnsError> {
        self.pose_of(["x_m", "y_m", "z_m"], ["qx", "qy", "qz", "qw"])
    }

    /// A pose from columns of these names, by row.
    fn pose_of(
        &self,
        position: [&'static str; 3],
        quaternion: [&'static str; 4],
    ) -> Result<impl Fn(usize) -> Pose3 + use<'a>, ColumnsError> {
        let position = self.float_columns(position)?;
        let quaternion = self.float_columns(quaternion)?;
        Ok(move |row: usize| {
            pose_or_nan(position.map(|column| column[row]), quaternion.map(|column| column[row]))
        })
    }

    fn poses(&self) -> Result<Vec<PoseSample>, ColumnsError> {
        let (leading, pose_at) = (self.leading()?, self.pose_at()?);
        let child_frame_id = self.texts("child_frame_id")?;
        let row = |row| PoseSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            child_frame_id: child_frame_id.value(row).to_owned(),
            frame_from_child: pose_at(row),
        };
        Ok(self.rows().map(row).collect())
    }

    fn transforms(&self) -> Result<Vec<TransformSample>, ColumnsError> {
        let (leading, pose_at) = (self.leading()?, self.pose_at()?);
        let child_frame_id = self.texts("child_frame_id")?;
        let row = |row| TransformSample {
            stamps: leading.stamps(row),
            parent_frame_id: leading.frame_id(row),
            child_frame_id: child_frame_id.value(row).to_owned(),
            parent_from_child: pose_at(row),
        };
        Ok(self.rows().map(row).collect())
    }

    fn twists(&self) -> Result<Vec<TwistSample>, ColumnsError> {
        let leading = self.leading()?;
        let linear =
            self.float_columns(["linear_x_m_per_s", "linear_y_m_per_s", "linear_z_m_per_s"])?;
        let angular = self.float_columns([
            "angular_x_rad_per_s",
            "angular_y_rad_per_s",
            "angular_z_rad_per_s",
        ])?;
        let row = |row| TwistSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            linear_m_per_s: linear.map(|column| column[row]),
            angular_rad_per_s: angular.map(|column| column[row]),
        };
        Ok(self.rows().map(row).collect())
    }

    fn ranges(&self) -> Result<Vec<BeaconRange>, ColumnsError> {
        let leading = self.leading()?;
        let beacon_id = self.column::<UInt32Array>("beacon_id", &DataType::UInt32)?;
        let range_m = self.column::<Float32Array>("range_m", &DataType::Float32)?;
        let antenna = self.float_columns(["antenna_x_m", "antenna_y_m", "antenna_z_m"])?;
        let row = |row| BeaconRange {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            beacon_id: beacon_id.value(row),
            range_m: range_m.value(row),
            antenna_in_base_m: antenna.map(|column| column[row]),
        };
        Ok(self.rows().map(row).collect())
    }

    fn raw(&self) -> Result<Vec<RawMessage>, ColumnsError> {
        let leading = self.leading()?;
        let payload = self.column::<BinaryArray>("payload", &DataType::Binary)?;
        let row =
            |row| RawMessage { stamps: leading.stamps(row), payload: payload.value(row).to_vec() };
        Ok(self.rows().map(row).collect())
    }
}
