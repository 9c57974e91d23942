//! Formats of a ULog: nested types flattened to the list of numbers that a message holds.
//!
//! Invariant: a layout describes no more bytes than one record can hold, and the names of all
//! layouts together are bounded by the caller, whatever the formats declare.

use std::{collections::BTreeMap, sync::Arc};

use tiepoint_model::SignalField;

use crate::DecodeError;

/// What a data record can hold behind its id.
const PAYLOAD_BYTES_MAX: usize = 65_535 - 2;
/// PX4 nests three deep.
const DEPTH_MAX: usize = 16;
/// The largest integer below which every one is an `f64`.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// Every declared format, and the layouts that were asked for.
#[derive(Default)]
pub(super) struct Formats {
    declared: BTreeMap<String, Vec<Declared>>,
    layouts: BTreeMap<String, Arc<Layout>>,
    name_bytes: usize,
}

/// One field as declared: `type[count] name`.
#[derive(Clone, PartialEq)]
struct Declared {
    type_name: String,
    /// `None` for a single value.
    count: Option<usize>,
    name: String,
}

/// How the payload of a message is laid out.
pub(super) struct Layout {
    /// One per number, trailing padding left out.
    pub(super) fields: Arc<[SignalField]>,
    /// How many numbers of which kind follow each other.
    runs: Vec<(Kind, usize)>,
    /// Without trailing padding.
    size_bytes: usize,
    /// With it.
    padded_bytes: usize,
    time_at: usize,
    sample_time_at: Option<usize>,
    utc_index: Option<usize>,
    /// No field is text.
    pub(super) is_numeric: bool,
}

#[derive(Clone, Copy, PartialEq)]
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
    Char,
}

impl Kind {
    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "int8_t" => Self::I8,
            "uint8_t" | "bool" => Self::U8,
            "int16_t" => Self::I16,
            "uint16_t" => Self::U16,
            "int32_t" => Self::I32,
            "uint32_t" => Self::U32,
            "int64_t" => Self::I64,
            "uint64_t" => Self::U64,
            "float" => Self::F32,
            "double" => Self::F64,
            "char" => Self::Char,
            _ => return None,
        })
    }

    fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Char => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

/// Numbers as they are collected from nested formats.
struct Flat {
    names: Vec<String>,
    kinds: Vec<Kind>,
    size_bytes: usize,
    name_bytes_left: usize,
}

impl Formats {
    /// Reads `name:type field;type[3] field;...`.
    pub(super) fn declare(&mut self, body: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(body).map_err(|_| "a format is not UTF-8".to_owned())?;
        let (name, list) =
            text.split_once(':').ok_or_else(|| format!("the format `{text}` has no colon"))?;
        let mut fields = Vec::new();
        for part in list.split(';').filter(|part| !part.is_empty()) {
            let wrong = || format!("`{part}` in the format of `{name}` is no field");
            let (kind, field) = part.split_once(' ').ok_or_else(wrong)?;
            let (type_name, count) = match kind.split_once('[') {
                None => (kind, None),
                Some((type_name, rest)) => {
                    let digits = rest.strip_suffix(']').ok_or_else(wrong)?;
                    let count = digits.parse().ok().filter(|count| *count > 0);
                    (type_name, Some(count.ok_or_else(wrong)?))
                }
            };
            let (type_name, name) = (type_name.to_owned(), field.to_owned());
            fields.push(Declared { type_name, count, name });
        }
        if fields.is_empty() {
            return Err(format!("the format of `{name}` has no field"));
        }
        match self.declared.get(name) {
            Some(known) if *known != fields => {
                Err(format!("`{name}` is declared twice, not alike"))
            }
            _ => {
                self.declared.insert(name.to_owned(), fields);
                Ok(())
            }
        }
    }

    /// The layout of a format, and how many bytes it newly holds.
    pub(super) fn layout(
        &mut self,
        name: &str,
        name_bytes_max: usize,
    ) -> Result<(Arc<Layout>, usize), String> {
        if let Some(known) = self.layouts.get(name) {
            return Ok((Arc::clone(known), 0));
        }
        let mut flat = Flat {
            names: Vec::new(),
            kinds: Vec::new(),
            size_bytes: 0,
            name_bytes_left: name_bytes_max.saturating_sub(self.name_bytes),
        };
        self.flatten(name, "", DEPTH_MAX, &mut flat)?;
        let name_bytes = name_bytes_max.saturating_sub(self.name_bytes) - flat.name_bytes_left;
        self.name_bytes += name_bytes;
        let cost = name_bytes + flat.names.len() * size_of::<SignalField>();
        let layout = Arc::new(Layout::new(name, flat)?);
        self.layouts.insert(name.to_owned(), Arc::clone(&layout));
        Ok((layout, cost))
    }

    fn flatten(
        &self,
        name: &str,
        prefix: &str,
        depth_left: usize,
        flat: &mut Flat,
    ) -> Result<(), String> {
        let fields = self
            .declared
            .get(name)
            .ok_or_else(|| format!("`{name}` is used and its format was not declared"))?;
        if depth_left == 0 {
            return Err(format!("`{name}` is nested more than {DEPTH_MAX} deep"));
        }
        for field in fields {
            for index in 0..field.count.unwrap_or(1) {
                let path = match field.count {
                    Some(_) => format!("{prefix}{}[{index}]", field.name),
                    None => format!("{prefix}{}", field.name),
                };
                flat.name_bytes_left = flat
                    .name_bytes_left
                    .checked_sub(path.len())
                    .ok_or_else(|| format!("the names of the fields of `{name}` are too long"))?;
                match Kind::of_name(&field.type_name) {
                    Some(kind) => flat.push(path, kind)?,
                    None => self.flatten(&field.type_name, &(path + "."), depth_left - 1, flat)?,
                }
            }
        }
        Ok(())
    }
}

impl Flat {
    fn push(&mut self, name: String, kind: Kind) -> Result<(), String> {
        self.size_bytes += kind.size_bytes();
        if self.size_bytes > PAYLOAD_BYTES_MAX {
            return Err(format!("a format describes more than {PAYLOAD_BYTES_MAX} bytes"));
        }
        self.names.push(name);
        self.kinds.push(kind);
        Ok(())
    }
}

impl Layout {
    fn new(name: &str, mut flat: Flat) -> Result<Self, String> {
        let padded_bytes = flat.size_bytes;
        while flat.names.last().is_some_and(|name| name.starts_with("_padding")) {
            flat.names.pop();
            flat.size_bytes -= flat.kinds.pop().map_or(0, Kind::size_bytes);
        }
        let index_of = |wanted: &str| flat.names.iter().position(|name| name == wanted);
        let start_of = |index: usize| flat.kinds[..index].iter().map(|k| k.size_bytes()).sum();
        let is_time = |index: &usize| flat.kinds[*index] == Kind::U64;
        let time_at = index_of("timestamp")
            .filter(is_time)
            .map(start_of)
            .ok_or_else(|| format!("the format of `{name}` has no `uint64_t timestamp`"))?;
        Ok(Self {
            time_at,
            sample_time_at: index_of("timestamp_sample").filter(is_time).map(start_of),
            utc_index: index_of("time_utc_usec"),
            is_numeric: !flat.kinds.contains(&Kind::Char),
            size_bytes: flat.size_bytes,
            padded_bytes,
            runs: flat.kinds.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect(),
            fields: flat
                .names
                .into_iter()
                .map(|name| SignalField { name, unit: String::new() })
                .collect(),
        })
    }

    /// A message may carry its trailing padding, part of it, or none.
    pub(super) fn check_size(&self, payload: &[u8]) -> Result<(), DecodeError> {
        let (need_bytes, left_bytes) = (self.size_bytes, payload.len());
        if left_bytes < need_bytes {
            return Err(DecodeError::Short { field: "data", at_byte: 0, need_bytes, left_bytes });
        }
        if left_bytes > self.padded_bytes {
            let at_byte = self.padded_bytes;
            return Err(DecodeError::Trailing { at_byte, left_bytes: left_bytes - at_byte });
        }
        Ok(())
    }

    /// Microseconds since the start of the controller. The size must have been checked.
    pub(super) fn time_us(&self, payload: &[u8]) -> u64 {
        u64_at(payload, self.time_at)
    }

    /// When the sensor measured; 0 means that the message does not say.
    pub(super) fn sample_time_us(&self, payload: &[u8]) -> Option<u64> {
        self.sample_time_at.map(|at| u64_at(payload, at)).filter(|time_us| *time_us != 0)
    }

    /// Microseconds since the Unix epoch, if the message says them.
    pub(super) fn utc_us(&self, values: &[f64]) -> Option<f64> {
        values.get(self.utc_index?).copied().filter(|utc_us| *utc_us > 0.0)
    }

    /// Every number in order, and how many integers were rounded to the nearest `f64`.
    pub(super) fn values(&self, payload: &[u8]) -> (Vec<f64>, u64) {
        let mut values = Vec::with_capacity(self.fields.len());
        let mut rounded_count = 0;
        let mut rest = payload;
        for (kind, count) in &self.runs {
            let Some((bytes, behind)) = rest.split_at_checked(count * kind.size_bytes()) else {
                break;
            };
            rest = behind;
            rounded_count += numbers(*kind, bytes, &mut values);
        }
        (values, rounded_count)
    }
}

fn u64_at(payload: &[u8], at: usize) -> u64 {
    let bytes = payload.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    u64::from_le_bytes(bytes.unwrap_or_default())
}

/// Adds the numbers of a run; gives how many integers were rounded.
fn numbers(kind: Kind, bytes: &[u8], values: &mut Vec<f64>) -> u64 {
    macro_rules! plain {
        ($number:ty) => {
            bytes.as_chunks().0.iter().map(|item| <$number>::from_le_bytes(*item))
        };
    }
    let mut rounded_count = 0;
    match kind {
        Kind::I8 => values.extend(plain!(i8).map(f64::from)),
        Kind::U8 | Kind::Char => values.extend(plain!(u8).map(f64::from)),
        Kind::I16 => values.extend(plain!(i16).map(f64::from)),
        Kind::U16 => values.extend(plain!(u16).map(f64::from)),
        Kind::I32 => values.extend(plain!(i32).map(f64::from)),
        Kind::U32 => values.extend(plain!(u32).map(f64::from)),
        Kind::I64 => values.extend(plain!(i64).map(|whole| {
            rounded_count += u64::from(whole.unsigned_abs() > EXACT_INTEGER_MAX);
            whole as f64
        })),
        Kind::U64 => values.extend(plain!(u64).map(|whole| {
            rounded_count += u64::from(whole > EXACT_INTEGER_MAX);
            whole as f64
        })),
        Kind::F32 => values.extend(plain!(f32).map(f64::from)),
        Kind::F64 => values.extend(plain!(f64)),
    }
    rounded_count
}
