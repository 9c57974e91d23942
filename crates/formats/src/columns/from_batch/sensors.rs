//! The rows of cameras, satellite receivers, joints, magnetometers, paths and maps.
//!
//! Invariant: as in [`super`]: what is missing, mistyped, null or no value of its type is an
//! error that names table, column and row.

use arrow::{
    array::{Array, BooleanArray, Float32Array, Int64Array, StringArray, UInt32Array, UInt64Array},
    datatypes::{DataType, Float64Type, Int8Type},
};
use tiepoint_model::{
    CameraIntrinsics, GnssFix, GridSample, ImageRegion, ImageSample, JointSample, MagneticSample,
    PathPose, PathSample, PayloadBase, PayloadPlace, RangeReading, Timestamp,
};

use super::Columns;
use crate::{columns::ColumnsError, pose::pose_or_nan};

impl<'a> Columns<'a> {
    fn ids(&self, column: &'static str) -> Result<&'a [u32], ColumnsError> {
        Ok(self.column::<UInt32Array>(column, &DataType::UInt32)?.values())
    }

    fn optional_ids(&self, column: &'static str) -> Result<Vec<Option<u32>>, ColumnsError> {
        let ids = self.optional::<UInt32Array>(column, &DataType::UInt32)?;
        Ok(ids.iter().collect())
    }

    fn small_floats(&self, column: &'static str) -> Result<&'a [f32], ColumnsError> {
        Ok(self.column::<Float32Array>(column, &DataType::Float32)?.values())
    }

    fn flags(&self, column: &'static str) -> Result<&'a BooleanArray, ColumnsError> {
        self.column(column, &DataType::Boolean)
    }

    fn counts(&self, column: &'static str) -> Result<&'a [u64], ColumnsError> {
        Ok(self.column::<UInt64Array>(column, &DataType::UInt64)?.values())
    }

    fn value_error(&self, column: &'static str, row: usize, problem: String) -> ColumnsError {
        ColumnsError::Value { table: self.table, column, row, problem }
    }

    /// A number as the narrower type of its field.
    fn narrow<T: TryFrom<N>, N: Copy + ToString>(
        &self,
        column: &'static str,
        row: usize,
        number: N,
    ) -> Result<T, ColumnsError> {
        let refuse =
            |_| self.value_error(column, row, format!("{} is too large", number.to_string()));
        T::try_from(number).map_err(refuse)
    }

    /// A list of exactly `N` numbers.
    fn exactly<const N: usize>(
        &self,
        column: &'static str,
        row: usize,
        list: &[f64],
    ) -> Result<[f64; N], ColumnsError> {
        let problem = || format!("{} numbers instead of {N}", list.len());
        list.try_into().map_err(|_| self.value_error(column, row, problem()))
    }

    fn matrices<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<Vec<[f64; N]>, ColumnsError> {
        let lists = self.lists::<Float64Type>(column)?;
        lists.iter().enumerate().map(|(row, list)| self.exactly(column, row, list)).collect()
    }

    fn text_lists(&self, column: &'static str) -> Result<Vec<Vec<String>>, ColumnsError> {
        let (lists, items) = self.list_items::<StringArray>(column, &DataType::Utf8)?;
        let mut rows = Vec::with_capacity(lists.len());
        for (row, ends) in lists.value_offsets().windows(2).enumerate() {
            let range = ends[0] as usize..ends[1] as usize;
            if lists.is_null(row) || range.clone().any(|index| items.is_null(index)) {
                return Err(ColumnsError::Null { table: self.table, column, row });
            }
            rows.push(range.map(|index| items.value(index).to_owned()).collect());
        }
        Ok(rows)
    }

    pub(super) fn gnss(&self) -> Result<Vec<GnssFix>, ColumnsError> {
        const COVARIANCE: &str = "position_covariance_enu_m2";
        const TYPE: &str = "position_covariance_type";
        let leading = self.leading()?;
        let status = self.column::<Int64Array>("status", &DataType::Int64)?;
        let (service, covariance_type) = (self.ids("service")?, self.ids(TYPE)?);
        let [latitude, longitude, altitude] =
            self.float_columns(["latitude_deg", "longitude_deg", "altitude_m"])?;
        let mut rows = Vec::with_capacity(self.batch.num_rows());
        for (row, covariance) in self.optional_lists::<Float64Type>(COVARIANCE)?.iter().enumerate()
        {
            let covariance = covariance.as_ref();
            rows.push(GnssFix {
                stamps: leading.stamps(row),
                frame_id: leading.frame_id(row),
                status: self.narrow("status", row, status.value(row))?,
                service: self.narrow("service", row, service[row])?,
                latitude_deg: latitude[row],
                longitude_deg: longitude[row],
                altitude_m: altitude[row],
                position_covariance_enu_m2: covariance
                    .map(|list| self.exactly(COVARIANCE, row, list))
                    .transpose()?,
                position_covariance_type: self.narrow(TYPE, row, covariance_type[row])?,
            });
        }
        Ok(rows)
    }

    pub(super) fn magnetic(&self) -> Result<Vec<MagneticSample>, ColumnsError> {
        let leading = self.leading()?;
        let field = self.float_columns(["field_x_t", "field_y_t", "field_z_t"])?;
        let row = |row| MagneticSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            field_t: field.map(|column| column[row]),
        };
        Ok(self.rows().map(row).collect())
    }

    pub(super) fn joints(&self) -> Result<Vec<JointSample>, ColumnsError> {
        let leading = self.leading()?;
        let names = self.text_lists("joint_names")?;
        let positions = self.lists::<Float64Type>("positions_rad_or_m")?;
        let velocities = self.lists::<Float64Type>("velocities_rad_or_m_per_s")?;
        let efforts = self.lists::<Float64Type>("efforts_nm_or_n")?;
        let lists = names.into_iter().zip(positions).zip(velocities).zip(efforts);
        let row = |(row, (((names, positions), velocities), efforts))| JointSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            names,
            positions_rad_or_m: positions,
            velocities_rad_or_m_per_s: velocities,
            efforts_nm_or_n: efforts,
        };
        Ok(lists.enumerate().map(row).collect())
    }

    pub(super) fn cameras(&self) -> Result<Vec<CameraIntrinsics>, ColumnsError> {
        let leading = self.leading()?;
        let model = self.texts("distortion_model")?;
        let mut distortion = self.lists::<Float64Type>("distortion")?.into_iter();
        let camera_matrix = self.matrices("camera_matrix_px")?;
        let rectified = self.matrices("rectified_from_optical")?;
        let projection = self.matrices("projection_px")?;
        let (height, width) = (self.ids("height_px")?, self.ids("width_px")?);
        let (binning_x, binning_y) = (self.ids("binning_x")?, self.ids("binning_y")?);
        let region = self.regions()?;
        let row = |row: usize| CameraIntrinsics {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            height_px: height[row],
            width_px: width[row],
            distortion_model: model.value(row).to_owned(),
            distortion: distortion.next().unwrap_or_default(),
            camera_matrix_px: camera_matrix[row],
            rectified_from_optical: rectified[row],
            projection_px: projection[row],
            binning_x: binning_x[row],
            binning_y: binning_y[row],
            region: region(row),
        };
        Ok(self.rows().map(row).collect())
    }

    fn regions(&self) -> Result<impl Fn(usize) -> ImageRegion + use<'a>, ColumnsError> {
        let (x, y) = (self.ids("region_x_offset_px")?, self.ids("region_y_offset_px")?);
        let (height, width) = (self.ids("region_height_px")?, self.ids("region_width_px")?);
        let rectified = self.flags("region_is_rectified")?;
        Ok(move |row| ImageRegion {
            x_offset_px: x[row],
            y_offset_px: y[row],
            height_px: height[row],
            width_px: width[row],
            is_rectified: rectified.value(row),
        })
    }

    pub(super) fn images(&self) -> Result<Vec<ImageSample>, ColumnsError> {
        let leading = self.leading()?;
        let (height, width) = (self.optional_ids("height_px")?, self.optional_ids("width_px")?);
        let encoding = self.texts("image_encoding")?;
        let (big_endian, row_step) =
            (self.flags("is_big_endian")?, self.optional_ids("row_step_bytes")?);
        let file_index = self.ids("payload_file_index")?;
        let (offset, length) =
            (self.counts("payload_offset_bytes")?, self.counts("payload_length_bytes")?);
        let mut rows = Vec::with_capacity(self.batch.num_rows());
        for row in self.rows() {
            rows.push(ImageSample {
                stamps: leading.stamps(row),
                frame_id: leading.frame_id(row),
                height_px: height[row],
                width_px: width[row],
                encoding: encoding.value(row).to_owned(),
                is_big_endian: big_endian.value(row),
                row_step_bytes: row_step[row],
                payload: PayloadPlace {
                    file_index: file_index[row],
                    base: self.payload_base(row)?,
                    offset_bytes: offset[row],
                    length_bytes: length[row],
                },
            });
        }
        Ok(rows)
    }

    fn payload_base(&self, row: usize) -> Result<PayloadBase, ColumnsError> {
        let word = self.texts("payload_base")?.value(row);
        let ids = self.optional::<Int64Array>("payload_base_id", &DataType::Int64)?;
        let id = (!ids.is_null(row)).then(|| ids.value(row));
        match (word, id) {
            ("file", None) => Ok(PayloadBase::File),
            ("chunk", Some(id)) => {
                Ok(PayloadBase::Chunk { chunk_offset_bytes: id.cast_unsigned() })
            }
            ("row", Some(row_id)) => Ok(PayloadBase::Row { row_id }),
            (word, id) => {
                let problem = format!("`{word}` with the id {id:?} is no base of a payload");
                Err(self.value_error("payload_base", row, problem))
            }
        }
    }

    pub(super) fn range_readings(&self) -> Result<Vec<RangeReading>, ColumnsError> {
        let leading = self.leading()?;
        let radiation = self.ids("radiation")?;
        let field_of_view = self.small_floats("field_of_view_rad")?;
        let (min, max) = (self.small_floats("range_min_m")?, self.small_floats("range_max_m")?);
        let range = self.small_floats("range_m")?;
        let row = |row: usize| {
            Ok(RangeReading {
                stamps: leading.stamps(row),
                frame_id: leading.frame_id(row),
                radiation: self.narrow("radiation", row, radiation[row])?,
                field_of_view_rad: field_of_view[row],
                range_min_m: min[row],
                range_max_m: max[row],
                range_m: range[row],
            })
        };
        self.rows().map(row).collect()
    }

    pub(super) fn paths(&self) -> Result<Vec<PathSample>, ColumnsError> {
        const TIMES: &str = "pose_times_ns";
        let leading = self.leading()?;
        let (lists, times) = self.list_items::<Int64Array>(TIMES, &DataType::Int64)?;
        let frames = self.text_lists("pose_frame_ids")?;
        let mut numbers = Vec::with_capacity(7);
        for name in ["x_m", "y_m", "z_m", "qx", "qy", "qz", "qw"] {
            numbers.push(self.lists::<Float64Type>(name)?);
        }
        let mut rows = Vec::with_capacity(self.batch.num_rows());
        for (row, ends) in lists.value_offsets().windows(2).enumerate() {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let count = end - start;
            let is_even = frames[row].len() == count
                && numbers.iter().all(|column| column[row].len() == count);
            if lists.is_null(row) || !is_even {
                let problem = "the lists of a path are not equally long".to_owned();
                return Err(self.value_error(TIMES, row, problem));
            }
            let pose = |index: usize| {
                let [x, y, z, qx, qy, qz, qw] =
                    std::array::from_fn(|column| numbers[column][row][index]);
                let time = start + index;
                PathPose {
                    time: (!times.is_null(time)).then(|| Timestamp(times.value(time))),
                    frame_id: frames[row][index].clone(),
                    frame_from_child: pose_or_nan([x, y, z], [qx, qy, qz, qw]),
                }
            };
            rows.push(PathSample {
                stamps: leading.stamps(row),
                frame_id: leading.frame_id(row),
                poses: (0..count).map(pose).collect(),
            });
        }
        Ok(rows)
    }

    pub(super) fn grids(&self) -> Result<Vec<GridSample>, ColumnsError> {
        let leading = self.leading()?;
        let loaded = self.optional::<Int64Array>("loaded_time_ns", &DataType::Int64)?;
        let cell_size = self.small_floats("cell_size_m")?;
        let (width, height) = (self.ids("width_cells")?, self.ids("height_cells")?);
        let cells = self.lists::<Int8Type>("occupancy_percent")?;
        let origin = self.pose_of(
            ["origin_x_m", "origin_y_m", "origin_z_m"],
            ["origin_qx", "origin_qy", "origin_qz", "origin_qw"],
        )?;
        let row = |(row, occupancy_percent): (usize, Vec<i8>)| GridSample {
            stamps: leading.stamps(row),
            frame_id: leading.frame_id(row),
            loaded: (!loaded.is_null(row)).then(|| Timestamp(loaded.value(row))),
            cell_size_m: cell_size[row],
            width_cells: width[row],
            height_cells: height[row],
            frame_from_grid: origin(row),
            occupancy_percent,
        };
        Ok(cells.into_iter().enumerate().map(row).collect())
    }
}
