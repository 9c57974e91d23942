//! Clouds of points, whatever the types, offsets and order of bytes of their fields.
//!
//! Invariant: no point outside the data is read, and nothing is held that the data cannot fill.

use tiepoint_model::PointCloud;

use super::{Arrival, header};
use crate::{DecodeError, message::cursor::Cursor};

/// `sensor_msgs/PointField` datatypes.
#[derive(Clone, Copy)]
enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Number {
    fn of_datatype(datatype: u8) -> Option<Self> {
        Some(match datatype {
            1 => Self::I8,
            2 => Self::U8,
            3 => Self::I16,
            4 => Self::U16,
            5 => Self::I32,
            6 => Self::U32,
            7 => Self::F32,
            8 => Self::F64,
            _ => return None,
        })
    }

    fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

#[derive(Clone, Copy)]
struct PointField {
    offset_bytes: usize,
    number: Number,
}

/// Where the points of a cloud lie.
struct Grid<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    point_step_bytes: usize,
    row_step_bytes: usize,
    big_endian: bool,
}

/// `sensor_msgs/PointCloud2`: the columns x, y, z and, if there is one, intensity.
pub(super) fn point_cloud(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
) -> Result<PointCloud, DecodeError> {
    const FIELD_BYTES_MIN: usize = 4 + 4 + 1 + 4;
    let (stamps, frame_id) = header(c, arrival)?;
    let (height, width) = (c.u32("height")? as usize, c.u32("width")? as usize);
    let mut fields: [Option<PointField>; 4] = [None; 4];
    for _field in 0..c.count(FIELD_BYTES_MIN, "fields")? {
        let name = c.string("fields.name")?;
        let offset_bytes = c.u32("fields.offset")? as usize;
        let datatype = c.u8("fields.datatype")?;
        c.u32("fields.count")?;
        if let Some(index) = ["x", "y", "z", "intensity"].iter().position(|known| *known == name) {
            let number = Number::of_datatype(datatype).ok_or_else(|| {
                c.refuse("fields.datatype", format!("`{name}` has unknown datatype {datatype}"))
            })?;
            fields[index] = Some(PointField { offset_bytes, number });
        }
    }
    let big_endian = c.u8("is_bigendian")? != 0;
    let point_step_bytes = c.u32("point_step")? as usize;
    let row_step_bytes = c.u32("row_step")? as usize;
    let count = c.count(1, "data")?;
    let data = c.bytes(count, "data")?;
    c.u8("is_dense")?;

    let grid = Grid { data, width, height, point_step_bytes, row_step_bytes, big_endian };
    let [x, y, z, intensity] = fields;
    let column = |field: Option<PointField>, name: &str| match field {
        Some(field) => grid.column(field, name).map_err(|problem| c.refuse("data", problem)),
        None => Err(c.refuse("fields", format!("there is no field `{name}`"))),
    };
    Ok(PointCloud {
        stamps,
        frame_id: frame_id.to_owned(),
        x_m: column(x, "x")?,
        y_m: column(y, "y")?,
        z_m: column(z, "z")?,
        intensity: match intensity {
            Some(_) => column(intensity, "intensity")?,
            None => Vec::new(),
        },
    })
}

impl Grid<'_> {
    /// One field of every point, row by row. Numbers wider than `f32` are rounded to it.
    fn column(&self, field: PointField, name: &str) -> Result<Vec<f32>, String> {
        let Self { width, height, point_step_bytes, row_step_bytes, .. } = *self;
        if width == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let size_bytes = field.number.size_bytes();
        if field.offset_bytes.saturating_add(size_bytes) > point_step_bytes {
            return Err(format!(
                "`{name}` does not lie inside a point of {point_step_bytes} bytes"
            ));
        }
        let row_bytes = width.checked_mul(point_step_bytes);
        let need_bytes = row_bytes
            .and_then(|row| (height - 1).checked_mul(row_step_bytes)?.checked_add(row))
            .filter(|need| *need <= self.data.len());
        let Some(row_bytes) = row_bytes.filter(|_| need_bytes.is_some()) else {
            return Err(format!(
                "{height} rows of {width} points of {point_step_bytes} bytes, {row_step_bytes} \
                 bytes apart, do not fit in {} bytes",
                self.data.len()
            ));
        };
        if height > 1 && row_step_bytes < row_bytes {
            return Err(format!("a row step of {row_step_bytes} bytes is less than a row"));
        }
        // From here on every access is inside, and the points are no more than the bytes.
        let mut values = Vec::with_capacity(width * height);
        for row in 0..height {
            let row_data = &self.data[row * row_step_bytes..][..row_bytes];
            self.gather(row_data, field, &mut values);
        }
        Ok(values)
    }

    fn gather(&self, row: &[u8], field: PointField, values: &mut Vec<f32>) {
        let (start, step_bytes) = (field.offset_bytes, self.point_step_bytes);
        let points = row.chunks_exact(step_bytes);
        // By far the most: plain numbers. The loop is its own, so that it stays tight.
        if let (Number::F32, false) = (field.number, self.big_endian) {
            values.extend(points.map(|point| f32::from_le_bytes(bytes_at(point, start))));
            return;
        }
        let big_endian = self.big_endian;
        /// The number's bytes in little-endian order.
        fn number<const N: usize>(point: &[u8], start: usize, big_endian: bool) -> [u8; N] {
            let mut bytes = bytes_at(point, start);
            if big_endian {
                bytes.reverse();
            }
            bytes
        }
        #[expect(clippy::cast_possible_truncation, reason = "columns are f32; documented")]
        match field.number {
            Number::I8 => values.extend(points.map(|p| f32::from(p[start].cast_signed()))),
            Number::U8 => values.extend(points.map(|p| f32::from(p[start]))),
            Number::I16 => values.extend(
                points.map(|p| f32::from(i16::from_le_bytes(number(p, start, big_endian)))),
            ),
            Number::U16 => values.extend(
                points.map(|p| f32::from(u16::from_le_bytes(number(p, start, big_endian)))),
            ),
            Number::I32 => values
                .extend(points.map(|p| i32::from_le_bytes(number(p, start, big_endian)) as f32)),
            Number::U32 => values
                .extend(points.map(|p| u32::from_le_bytes(number(p, start, big_endian)) as f32)),
            Number::F32 => {
                values.extend(points.map(|p| f32::from_le_bytes(number(p, start, big_endian))));
            }
            Number::F64 => values
                .extend(points.map(|p| f64::from_le_bytes(number(p, start, big_endian)) as f32)),
        }
    }
}

/// The bytes of a number inside a point; that they are inside was checked for the whole cloud.
fn bytes_at<const N: usize>(point: &[u8], start: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&point[start..start + N]);
    bytes
}
