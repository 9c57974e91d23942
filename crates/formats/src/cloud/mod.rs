//! Clouds of points in files: PLY and PCD.
//!
//! A whole file lies in memory and its points come out as columns. Metres as a rule; the formats
//! do not say, and the numbers are not touched.
//!
//! Invariant: nothing is reserved for points that the bytes do not hold, so memory is bounded by
//! a small multiple of the file's size; a compressed block may inflate to
//! [`Limits::record_bytes_max`].
//!
//! Not here: faces, colours, meshes, and the order of an organised cloud.

mod lzf;
mod pcd;
mod ply;

use crate::{Limits, ReadError};

/// The points of one file; every column that is not empty has one value per point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud {
    /// Coordinates as the file has them; NaN points are kept.
    pub points: Vec<[f64; 3]>,
    /// In the sensor's own unit; empty if the file has none.
    pub intensity: Vec<f64>,
    /// Unit vectors as the file has them; empty if it has none.
    pub normals: Vec<[f64; 3]>,
}

/// Reads the points of a PLY (text or binary, either byte order) or a PCD (text, binary or
/// compressed).
///
/// Coordinates are the fields `x`, `y`, `z`; intensity is the first of `intensity`,
/// `scalar_intensity`, `scalar_Intensity`, `reflectance`, `i`; normals are `nx`, `ny`, `nz` or
/// `normal_x`, `normal_y`, `normal_z`.
///
/// # Errors
/// [`ReadError::NotACloud`] for other bytes, [`ReadError::BadCloud`] with the byte or line of what
/// is wrong, [`ReadError::TooLarge`] above the limits, [`ReadError::Empty`] without bytes.
pub fn read_cloud(bytes: &[u8], limits: Limits) -> Result<Cloud, ReadError> {
    let start = &bytes[..bytes.len().min(4096)];
    if bytes.is_empty() {
        Err(ReadError::Empty)
    } else if bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r\n") {
        ply::read(bytes)
    } else if pcd::is_pcd(start) {
        pcd::read(bytes, limits)
    } else {
        Err(ReadError::NotACloud)
    }
}

/// A number as a file holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Kind {
    fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// The number that a text says, rounded to the kind: every encoding gives the same points.
    fn parse(self, word: &[u8]) -> Option<f64> {
        let word = std::str::from_utf8(word).ok()?;
        match self {
            Self::F32 => word.parse::<f32>().ok().map(f64::from),
            _ => word.parse().ok(),
        }
    }

    /// The number in the first bytes, if there are enough.
    fn read(self, bytes: &[u8], is_big_endian: bool) -> Option<f64> {
        macro_rules! plain {
            ($number:ty) => {{
                let bytes = *bytes.first_chunk()?;
                match is_big_endian {
                    true => <$number>::from_be_bytes(bytes),
                    false => <$number>::from_le_bytes(bytes),
                }
            }};
        }
        Some(match self {
            Self::I8 => plain!(i8).into(),
            Self::U8 => plain!(u8).into(),
            Self::I16 => plain!(i16).into(),
            Self::U16 => plain!(u16).into(),
            Self::I32 => plain!(i32).into(),
            Self::U32 => plain!(u32).into(),
            Self::I64 => plain!(i64) as f64,
            Self::U64 => plain!(u64) as f64,
            Self::F32 => plain!(f32).into(),
            Self::F64 => plain!(f64),
        })
    }
}

/// Which fields hold what, by index.
struct Roles {
    point: [usize; 3],
    intensity: Option<usize>,
    normal: Option<[usize; 3]>,
}

impl Roles {
    /// Finds the fields; `None` without coordinates.
    fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let index = |wanted: &str| names.clone().position(|name| name == wanted);
        let three =
            |wanted: [&str; 3]| Some([index(wanted[0])?, index(wanted[1])?, index(wanted[2])?]);
        let intensities = ["intensity", "scalar_intensity", "scalar_Intensity", "reflectance", "i"];
        Some(Self {
            point: three(["x", "y", "z"])?,
            intensity: intensities.into_iter().find_map(index),
            normal: three(["nx", "ny", "nz"])
                .or_else(|| three(["normal_x", "normal_y", "normal_z"])),
        })
    }

    /// Adds a point; `value` gives the number of a field.
    fn push(&self, cloud: &mut Cloud, value: impl Fn(usize) -> Option<f64>) -> Option<()> {
        let three = |at: [usize; 3]| Some([value(at[0])?, value(at[1])?, value(at[2])?]);
        let point = three(self.point)?;
        let intensity = self.intensity.map(&value);
        let normal = self.normal.map(three);
        if let Some(intensity) = intensity {
            cloud.intensity.push(intensity?);
        }
        if let Some(normal) = normal {
            cloud.normals.push(normal?);
        }
        cloud.points.push(point);
        Some(())
    }
}

fn bad(format: &'static str, place: Place, problem: impl Into<String>) -> ReadError {
    ReadError::BadCloud { format, place: place.to_string(), problem: problem.into() }
}

/// Where in a file of points something is wrong.
enum Place {
    Line(usize),
    Byte(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

/// The lines of a header and where the data behind it starts.
///
/// `is_last` says which line ends the header.
fn header_lines<'a>(
    bytes: &'a [u8],
    format: &'static str,
    is_last: impl Fn(&str) -> bool,
) -> Result<(Vec<&'a str>, usize), ReadError> {
    const HEADER_BYTES_MAX: usize = 1 << 20;
    let mut lines = Vec::new();
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[at..at + length];
        at += length + 1;
        let line = std::str::from_utf8(line)
            .map_err(|_| bad(format, Place::Line(lines.len() + 1), "the header is no text"))?;
        lines.push(line.trim_end_matches('\r'));
        if is_last(lines[lines.len() - 1]) {
            return Ok((lines, at));
        }
        if at > HEADER_BYTES_MAX {
            break;
        }
    }
    Err(bad(format, Place::Byte(at), "the header does not end"))
}
