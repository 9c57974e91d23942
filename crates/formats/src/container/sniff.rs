//! What a file is, by its first bytes.
//!
//! Invariant: contents decide, never the name; a name only makes the error readable.

use flate2::{Decompress, FlushDecompress};

use crate::{
    Container, ReadError,
    container::{ros1_bag, trajectory::fields_of_line, ulog},
    tabular::parquet,
};

/// First bytes of formats that are known but not read.
const NOT_YET_READABLE: [(&[u8], &str); 3] = [
    (b"#ROSBAG V1", "ROS 1 bag of version 1"),
    (b"\xd4\xc3\xb2\xa1", "packet capture"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 file"),
];

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

pub(crate) fn detect(name: &str, first_bytes: &[u8]) -> Result<Container, ReadError> {
    if first_bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    for (magic, format) in NOT_YET_READABLE {
        if first_bytes.starts_with(magic) {
            return Err(ReadError::NotYetReadable { name: name.to_owned(), format });
        }
    }
    if first_bytes.starts_with(mcap::MAGIC) {
        return Ok(Container::Mcap);
    }
    if first_bytes.starts_with(parquet::MAGIC) {
        return Ok(Container::Parquet);
    }
    if first_bytes.starts_with(ulog::MAGIC) {
        return Ok(Container::Ulog);
    }
    if first_bytes.starts_with(ros1_bag::MAGIC) {
        return Ok(Container::Ros1Bag);
    }
    if first_bytes.starts_with(SQLITE_MAGIC) {
        return Ok(Container::Rosbag2);
    }
    let inflated =
        if first_bytes.starts_with(GZIP_MAGIC) { inflate_start(first_bytes) } else { None };
    if starts_an_object(inflated.as_deref().unwrap_or(first_bytes)) {
        return Ok(Container::Rawlog);
    }
    detect_text(first_bytes).ok_or_else(|| ReadError::NotALog { name: name.to_owned() })
}

/// A rawlog starts with an object: its name's length with the highest bit set, then the name.
fn starts_an_object(bytes: &[u8]) -> bool {
    let Some((head, rest)) = bytes.split_first() else { return false };
    let name_bytes = usize::from(head & 0x7f);
    let name = rest.get(..name_bytes).unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b':' || *byte == b'_';
    *head & 0x80 != 0
        && !name.is_empty()
        && name.iter().all(is_name)
        && (name.starts_with(b"C") || name.starts_with(b"mrpt::"))
}

/// The first inflated bytes of a gzip stream without optional header fields beyond its name.
fn inflate_start(bytes: &[u8]) -> Option<Vec<u8>> {
    const HEADER_BYTES: usize = 10;
    let flags = *bytes.get(3)?;
    let mut at = HEADER_BYTES;
    if flags & 0x04 != 0 {
        at += 2 + usize::from(*bytes.get(at)?) + (usize::from(*bytes.get(at + 1)?) << 8);
    }
    for _text in 0..(flags >> 3 & 1) + (flags >> 4 & 1) {
        at += 1 + bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
    }
    at += usize::from(flags & 0x02);
    let mut out = vec![0; 256];
    let mut inflate = Decompress::new(false);
    inflate.decompress(bytes.get(at..)?, &mut out, FlushDecompress::None).ok()?;
    out.truncate(usize::try_from(inflate.total_out()).ok()?);
    Some(out)
}

/// The first line that is no comment says which text it is: how many numbers, and what parts
/// them.
fn detect_text(bytes: &[u8]) -> Option<Container> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character may be cut at the end of what was given, nowhere else.
        Err(error) if bytes.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    detect_trajectory(text).or_else(|| is_table(text).then_some(Container::Csv))
}

/// True for a line of names above a line of as many cells, one of them a number.
fn is_table(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(names), Some(cells)) = (lines.next(), lines.next()) else { return false };
    [',', ';', '\t'].into_iter().any(|delimiter| {
        let count = |line: &str| line.split(delimiter).count();
        let is_number = |cell: &str| cell.trim().trim_matches('"').parse::<f64>().is_ok();
        count(names) >= 2
            && count(names) == count(cells)
            && !names.split(delimiter).any(is_number)
            && cells.split(delimiter).any(is_number)
    })
}

fn detect_trajectory(text: &str) -> Option<Container> {
    let line = text.lines().find(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    })?;
    let is_csv = line.contains(',');
    let numbers: Vec<bool> = fields_of_line(line.as_bytes(), is_csv)
        .map(|field| std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok()))
        .collect();
    if !numbers.iter().all(|is_number| *is_number) {
        return None;
    }
    match (is_csv, numbers.len()) {
        (true, 8..) => Some(Container::Euroc),
        (false, 8) => Some(Container::Tum),
        (false, 12) => Some(Container::Kitti),
        _ => None,
    }
}
