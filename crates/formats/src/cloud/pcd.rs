//! PCD: the Point Cloud Library's own file, version 0.5 to 0.7.
//!
//! The field's crate `pcd-rs` (0.13) is not used: it reserves what a compressed file claims, up to
//! 4 GiB, before it looks whether the bytes are there.
//!
//! Invariant: the size of a point times their number is checked against the data first.
//! Source: PCL documentation, "The PCD (Point Cloud Data) file format".

use super::{Cloud, Kind, Place, Roles, bad, header_lines, lzf};
use crate::{Limits, ReadError};

const FORMAT: &str = "PCD";

struct Header<'a> {
    fields: Vec<Field<'a>>,
    point_count: usize,
    /// Of one point.
    size_bytes: usize,
    data: &'a str,
}

/// One field, which may hold several numbers.
struct Field<'a> {
    name: &'a str,
    kind: Kind,
    count: usize,
    /// Where its first number starts in a point.
    at: usize,
    /// Index of its first number among all.
    first: usize,
}

/// True for a header of a PCD: comments, then `VERSION` or `FIELDS`.
pub(super) fn is_pcd(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n');
    let line = lines.find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    let is_first = |line: &[u8]| line.starts_with(b"VERSION") || line.starts_with(b"FIELDS");
    start.starts_with(b"# .PCD") || line.is_some_and(is_first)
}

pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Cloud, ReadError> {
    let (lines, data_at) = header_lines(bytes, FORMAT, |line| line.trim().starts_with("DATA"))?;
    let header = header(&lines)?;
    let roles = Roles::of(header.fields.iter().map(|field| field.name))
        .ok_or_else(|| bad(FORMAT, Place::Line(1), "there are no fields x, y and z"))?;
    let data = &bytes[data_at..];
    let total_bytes = header.point_count.checked_mul(header.size_bytes);
    let claims = || {
        let (count, size) = (header.point_count, header.size_bytes);
        bad(FORMAT, Place::Byte(data_at), format!("the data does not hold {count} x {size} bytes"))
    };
    match header.data {
        "ascii" => text(data, lines.len(), &header, &roles),
        "binary" => {
            let held = total_bytes.and_then(|total| data.get(..total)).ok_or_else(claims)?;
            binary(held, &header, &roles, |field, point| point * header.size_bytes + field.at)
                .ok_or_else(claims)
        }
        "binary_compressed" => {
            let size = |at: usize| data.get(at..at + 4)?.first_chunk().copied();
            let sizes = size(0).zip(size(4)).ok_or_else(claims)?;
            let stored_bytes = u32::from_le_bytes(sizes.0) as usize;
            let inflated_bytes = u32::from_le_bytes(sizes.1) as usize;
            let limit = limits.record_bytes_max;
            if inflated_bytes > limit {
                return Err(ReadError::TooLarge {
                    what: "the inflated data",
                    offset_bytes: data_at as u64,
                    size_bytes: inflated_bytes as u64,
                    limit_bytes: limit as u64,
                });
            }
            if total_bytes != Some(inflated_bytes) {
                return Err(claims());
            }
            let stored = data[8..].get(..stored_bytes).ok_or_else(claims)?;
            let held = lzf::inflate(stored, inflated_bytes).map_err(|at| {
                bad(FORMAT, Place::Byte(data_at + 8 + at), "the compressed data is damaged")
            })?;
            // Compressed data has all values of a field together.
            binary(&held, &header, &roles, |field, point| {
                field.at * header.point_count + point * field.kind.size_bytes() * field.count
            })
            .ok_or_else(claims)
        }
        other => Err(bad(FORMAT, Place::Line(lines.len()), format!("`DATA {other}` is not known"))),
    }
}

fn binary(
    held: &[u8],
    header: &Header<'_>,
    roles: &Roles,
    place: impl Fn(&Field<'_>, usize) -> usize,
) -> Option<Cloud> {
    let mut cloud = Cloud::default();
    cloud.points.reserve(header.point_count.min(held.len() / header.size_bytes.max(1)));
    for point in 0..header.point_count {
        roles.push(&mut cloud, |index| {
            let field = &header.fields[index];
            field.kind.read(held.get(place(field, point)..)?, false)
        })?;
    }
    Some(cloud)
}

fn text(
    data: &[u8],
    header_lines: usize,
    header: &Header<'_>,
    roles: &Roles,
) -> Result<Cloud, ReadError> {
    let mut cloud = Cloud::default();
    // One per number of a point.
    let mut kinds: Vec<Kind> = Vec::new();
    for field in &header.fields {
        if kinds.len() + field.count > data.len() {
            return Err(bad(
                FORMAT,
                Place::Line(header_lines),
                "a point has more numbers than bytes",
            ));
        }
        kinds.resize(kinds.len() + field.count, field.kind);
    }
    let mut numbers: Vec<f64> = Vec::new();
    for (index, line) in data.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if cloud.points.len() == header.point_count {
            break;
        }
        let place = || Place::Line(header_lines + index + 1);
        numbers.clear();
        for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            // A number too many is refused below.
            let kind = kinds.get(numbers.len()).copied().unwrap_or(Kind::F64);
            let number = kind.parse(word);
            numbers.push(number.ok_or_else(|| {
                let shown = String::from_utf8_lossy(&word[..word.len().min(80)]);
                bad(FORMAT, place(), format!("`{shown}` is no number"))
            })?);
        }
        if numbers.len() != kinds.len() {
            let problem =
                format!("{} numbers where there should be {}", numbers.len(), kinds.len());
            return Err(bad(FORMAT, place(), problem));
        }
        let _ = roles.push(&mut cloud, |field| numbers.get(header.fields[field].first).copied());
    }
    if cloud.points.len() != header.point_count {
        let problem = format!("{} points of {}", cloud.points.len(), header.point_count);
        return Err(bad(FORMAT, Place::Line(header_lines), problem));
    }
    Ok(cloud)
}

fn header<'a>(lines: &[&'a str]) -> Result<Header<'a>, ReadError> {
    let entry = |name: &str| {
        let found = lines
            .iter()
            .position(|line| line.split_ascii_whitespace().next().is_some_and(|word| word == name));
        found.map(|index| {
            (index + 1, lines[index].split_ascii_whitespace().skip(1).collect::<Vec<&'a str>>())
        })
    };
    let needed = |name: &str| {
        entry(name).ok_or_else(|| bad(FORMAT, Place::Line(1), format!("there is no `{name}`")))
    };
    let (line, names) = needed("FIELDS")?;
    let (_, sizes) = needed("SIZE")?;
    let (_, types) = needed("TYPE")?;
    let counts = entry("COUNT").map_or_else(|| vec!["1"; names.len()], |(_, counts)| counts);
    if [sizes.len(), types.len(), counts.len()] != [names.len(); 3] {
        let problem = "FIELDS, SIZE, TYPE and COUNT differ in length";
        return Err(bad(FORMAT, Place::Line(line), problem));
    }
    let mut fields = Vec::with_capacity(names.len());
    let (mut at, mut first) = (0_usize, 0_usize);
    for (index, name) in names.iter().enumerate() {
        let wrong =
            || bad(FORMAT, Place::Line(line), format!("the field `{name}` has no known type"));
        let kind = kind_of(types[index], sizes[index]).ok_or_else(wrong)?;
        let count: u16 = counts[index].parse().map_err(|_| wrong())?;
        let count = usize::from(count);
        fields.push(Field { name, kind, count, at, first });
        at += kind.size_bytes() * count;
        first += count;
    }
    if let Some(field) = fields.iter().find(|field| field.count == 0) {
        let problem = format!("the field `{}` has the count 0", field.name);
        return Err(bad(FORMAT, Place::Line(line), problem));
    }
    let number = |(line, words): (usize, Vec<&str>)| {
        let number = words.first().and_then(|word| word.parse::<usize>().ok());
        number.ok_or_else(|| bad(FORMAT, Place::Line(line), "no number of points"))
    };
    let point_count = match entry("POINTS") {
        Some(points) => number(points)?,
        None => {
            let (width, height) = (number(needed("WIDTH")?)?, number(needed("HEIGHT")?)?);
            width.saturating_mul(height)
        }
    };
    let (_, data) = needed("DATA")?;
    let data = data.first().copied().unwrap_or_default();
    Ok(Header { fields, point_count, size_bytes: at, data })
}

fn kind_of(name: &str, size: &str) -> Option<Kind> {
    Some(match (name, size) {
        ("I", "1") => Kind::I8,
        ("U", "1") => Kind::U8,
        ("I", "2") => Kind::I16,
        ("U", "2") => Kind::U16,
        ("I", "4") => Kind::I32,
        ("U", "4") => Kind::U32,
        ("I", "8") => Kind::I64,
        ("U", "8") => Kind::U64,
        ("F", "4") => Kind::F32,
        ("F", "8") => Kind::F64,
        _ => return None,
    })
}
