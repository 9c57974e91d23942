//! PLY: the vertices of a polygon file.
//!
//! The field's crate `ply-rs-bw` (4.0) is not used: it keeps every element of the file, faces and
//! their lists too, before it answers, each as a map from names to values unless told otherwise.
//!
//! Invariant: elements and list properties that are not needed are passed over, each checked
//! against the bytes that are left.
//! Source: Greg Turk, "The PLY Polygon File Format", 1994.

use super::{Cloud, Kind, Place, Roles, bad, header_lines};
use crate::ReadError;

const FORMAT: &str = "PLY";

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Text,
    Binary { is_big_endian: bool },
}

struct Element<'a> {
    name: &'a str,
    count: u64,
    properties: Vec<Property<'a>>,
}

struct Property<'a> {
    name: &'a str,
    kind: Kind,
    /// The kind of the count, for a list.
    list: Option<Kind>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Cloud, ReadError> {
    let (lines, data_at) = header_lines(bytes, FORMAT, |line| line.trim() == "end_header")?;
    let (encoding, elements) = header(&lines)?;
    let vertex = elements.iter().find(|element| element.name == "vertex");
    let vertex = vertex.ok_or_else(|| bad(FORMAT, Place::Line(1), "there is no `vertex`"))?;
    let roles = Roles::of(vertex.properties.iter().map(|property| property.name))
        .ok_or_else(|| bad(FORMAT, Place::Line(1), "`vertex` has no x, y and z"))?;
    let is_list = |index: usize| vertex.properties[index].list.is_some();
    let used = roles.point.iter().chain(&roles.intensity).chain(roles.normal.iter().flatten());
    if used.copied().any(is_list) {
        return Err(bad(FORMAT, Place::Line(1), "a coordinate of `vertex` is a list"));
    }
    let mut source = match encoding {
        Encoding::Text => Source::Words(Words { bytes, at: data_at, line: lines.len() }),
        Encoding::Binary { is_big_endian } => {
            Source::Data(Data { bytes, at: data_at, is_big_endian })
        }
    };
    let ahead = elements.iter().take_while(|element| element.name != "vertex");
    for element in ahead.filter(|element| !element.properties.is_empty()) {
        for _item in 0..element.count {
            for property in &element.properties {
                source.property(property)?;
            }
        }
    }
    let mut cloud = Cloud::default();
    let mut values = vec![0.0; vertex.properties.len()];
    for _point in 0..vertex.count {
        for (value, property) in values.iter_mut().zip(&vertex.properties) {
            *value = source.property(property)?;
        }
        // Every role is an index of a property.
        let _ = roles.push(&mut cloud, |index| values.get(index).copied());
    }
    Ok(cloud)
}

/// Where the numbers come from.
enum Source<'a> {
    Words(Words<'a>),
    Data(Data<'a>),
}

impl Source<'_> {
    /// The value; of a list its count, and its items are passed over.
    fn property(&mut self, property: &Property<'_>) -> Result<f64, ReadError> {
        match self {
            Self::Words(words) => words.property(property),
            Self::Data(data) => data.property(property),
        }
    }
}

fn header<'a>(lines: &[&'a str]) -> Result<(Encoding, Vec<Element<'a>>), ReadError> {
    let mut encoding = None;
    let mut elements: Vec<Element<'a>> = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(1) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let wrong = || bad(FORMAT, Place::Line(index + 1), format!("`{line}` is not understood"));
        match words.as_slice() {
            ["format", name, "1.0"] => {
                encoding = Some(match *name {
                    "ascii" => Encoding::Text,
                    "binary_little_endian" => Encoding::Binary { is_big_endian: false },
                    "binary_big_endian" => Encoding::Binary { is_big_endian: true },
                    _ => return Err(wrong()),
                });
            }
            ["element", name, count] => {
                let count = count.parse().map_err(|_| wrong())?;
                elements.push(Element { name, count, properties: Vec::new() });
            }
            ["property", "list", count, kind, name] => {
                let list = Some(kind_of(count).ok_or_else(wrong)?);
                let kind = kind_of(kind).ok_or_else(wrong)?;
                let element = elements.last_mut().ok_or_else(wrong)?;
                element.properties.push(Property { name, kind, list });
            }
            ["property", kind, name] => {
                let kind = kind_of(kind).ok_or_else(wrong)?;
                let element = elements.last_mut().ok_or_else(wrong)?;
                element.properties.push(Property { name, kind, list: None });
            }
            [] | ["comment" | "obj_info", ..] | ["end_header"] => {}
            _ => return Err(wrong()),
        }
    }
    let encoding =
        encoding.ok_or_else(|| bad(FORMAT, Place::Line(1), "there is no `format` line"))?;
    Ok((encoding, elements))
}

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "char" | "int8" => Kind::I8,
        "uchar" | "uint8" => Kind::U8,
        "short" | "int16" => Kind::I16,
        "ushort" | "uint16" => Kind::U16,
        "int" | "int32" => Kind::I32,
        "uint" | "uint32" => Kind::U32,
        "float" | "float32" => Kind::F32,
        "double" | "float64" => Kind::F64,
        _ => return None,
    })
}

/// Numbers as text.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Words<'_> {
    fn number(&mut self, kind: Kind) -> Result<f64, ReadError> {
        let rest = &self.bytes[self.at..];
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.line += rest[..blanks].iter().filter(|byte| **byte == b'\n').count();
        let rest = &rest[blanks..];
        let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        self.at += blanks + length;
        kind.parse(&rest[..length]).ok_or_else(|| {
            let shown = String::from_utf8_lossy(&rest[..length.min(80)]);
            let problem = match length {
                0 => "the file ends before its points do".to_owned(),
                _ => format!("`{shown}` is no number"),
            };
            bad(FORMAT, Place::Line(self.line + 1), problem)
        })
    }

    fn property(&mut self, property: &Property<'_>) -> Result<f64, ReadError> {
        let value = self.number(property.list.unwrap_or(property.kind))?;
        if property.list.is_some() {
            let count = list_count(value);
            let count = count.ok_or_else(|| {
                bad(FORMAT, Place::Line(self.line + 1), format!("`{value}` is no list's count"))
            })?;
            for _item in 0..count {
                self.number(property.kind)?;
            }
        }
        Ok(value)
    }
}

fn list_count(value: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    (value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0).then_some(value as u64)
}

/// Numbers as bytes.
struct Data<'a> {
    bytes: &'a [u8],
    at: usize,
    is_big_endian: bool,
}

impl Data<'_> {
    fn number(&mut self, kind: Kind) -> Result<f64, ReadError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let value = kind.read(rest, self.is_big_endian);
        let ends = || bad(FORMAT, Place::Byte(self.at), "the file ends before its points do");
        let value = value.ok_or_else(ends)?;
        self.at += kind.size_bytes();
        Ok(value)
    }

    fn property(&mut self, property: &Property<'_>) -> Result<f64, ReadError> {
        let Some(count_kind) = property.list else { return self.number(property.kind) };
        let count = self.number(count_kind)?;
        let wrong = || bad(FORMAT, Place::Byte(self.at), format!("`{count}` is no list's count"));
        let item_bytes = property.kind.size_bytes() as u64;
        let bytes = list_count(count).ok_or_else(wrong)?.saturating_mul(item_bytes);
        let left = (self.bytes.len() - self.at) as u64;
        if bytes > left {
            return Err(bad(FORMAT, Place::Byte(self.at), "a list is longer than the file"));
        }
        self.at += usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(count)
    }
}
