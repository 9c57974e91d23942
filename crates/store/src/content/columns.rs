//! Canonical bytes of the values of one Arrow array.
//!
//! Invariant: the bytes depend on the values alone: not on offsets, on what lies under a null,
//! or on the width of Arrow's offsets. Runs of numbers in a list are copied as one slice.

use arrow::{
    array::{Array, AsArray},
    buffer::{BooleanBuffer, Buffer, NullBuffer},
    datatypes::{DataType, Field},
};

use super::{put_bytes, put_length};

/// Arrow keeps numbers in the machine's order and the digest is over little-endian bytes.
const _: () = assert!(cfg!(target_endian = "little"), "content digests need a little-endian CPU");

/// An array, taken apart so that one row can be encoded without looking at types again.
pub(super) struct ColumnBytes {
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    /// `width` bytes a value, back to back; every NaN has the same bits.
    Fixed {
        bytes: Buffer,
        width: usize,
    },
    Boolean(BooleanBuffer),
    /// `ends[row]..ends[row + 1]` of `bytes`.
    Variable {
        ends: Vec<usize>,
        bytes: Buffer,
    },
    /// `ends[row]..ends[row + 1]` of `items`.
    List {
        ends: Vec<usize>,
        items: Box<ColumnBytes>,
    },
    Struct(Vec<ColumnBytes>),
}

/// The type as the digest names it, or `None` if it has no canonical form.
pub(super) fn type_name(data_type: &DataType) -> Option<String> {
    use DataType as T;
    Some(match data_type {
        T::Utf8 | T::LargeUtf8 => "utf8".into(),
        T::Binary | T::LargeBinary => "binary".into(),
        T::FixedSizeBinary(width) => format!("binary[{width}]"),
        T::List(item) | T::LargeList(item) => format!("list<{}>", type_name(item.data_type())?),
        T::FixedSizeList(item, count) => format!("list[{count}]<{}>", type_name(item.data_type())?),
        T::Struct(fields) => {
            let named = fields.iter().map(|field| field_name(field));
            format!("struct<{}>", named.collect::<Option<Vec<_>>>()?.join(","))
        }
        T::Boolean => "bool".into(),
        T::Timestamp(unit, zone) => {
            format!("timestamp[{unit:?},{}]", zone.as_deref().unwrap_or_default()).to_lowercase()
        }
        T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float16
        | T::Float32
        | T::Float64 => data_type.to_string().to_lowercase(),
        _ => return None,
    })
}

/// A struct's field: name, type, unit and frame; lengths keep any two apart.
fn field_name(field: &Field) -> Option<String> {
    let type_name = type_name(field.data_type())?;
    let of = |key: &str| field.metadata().get(key).map_or("", String::as_str);
    let texts = [field.name().as_str(), of("unit"), of("frame")];
    let texts = texts.map(|text| format!("{}:{text}", text.len()));
    Some(format!("{type_name} {}", texts.join(" ")))
}

impl ColumnBytes {
    /// Takes an array apart; `None` if its type has no canonical form.
    pub(super) fn of(array: &dyn Array) -> Option<Self> {
        use DataType as T;
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let values = match array.data_type() {
            T::Boolean => Values::Boolean(array.as_boolean().values().clone()),
            T::Utf8 => {
                let array = array.as_string::<i32>();
                variable(array.value_offsets(), array.values())
            }
            T::LargeUtf8 => {
                let array = array.as_string::<i64>();
                variable(array.value_offsets(), array.values())
            }
            T::Binary => {
                let array = array.as_binary::<i32>();
                variable(array.value_offsets(), array.values())
            }
            T::LargeBinary => {
                let array = array.as_binary::<i64>();
                variable(array.value_offsets(), array.values())
            }
            T::List(_) => {
                let array = array.as_list::<i32>();
                list(array.value_offsets(), array.values().as_ref())?
            }
            T::LargeList(_) => {
                let array = array.as_list::<i64>();
                list(array.value_offsets(), array.values().as_ref())?
            }
            T::FixedSizeList(_, count) => {
                let count = usize::try_from(*count).ok()?;
                let items = Self::of(array.as_fixed_size_list().values().as_ref())?;
                let ends = (0..=array.len()).map(|row| row * count).collect();
                Values::List { ends, items: Box::new(items) }
            }
            T::Struct(_) => {
                let columns = array.as_struct().columns().iter();
                Values::Struct(columns.map(|c| Self::of(c.as_ref())).collect::<Option<_>>()?)
            }
            T::FixedSizeBinary(width) => fixed(array, usize::try_from(*width).ok()?),
            other => fixed(array, other.primitive_width()?),
        };
        Some(Self { nulls, values })
    }

    /// Appends presence and value of a row; `None` if the value is longer than a `u32` can say.
    pub(super) fn encode(&self, row: usize, out: &mut Vec<u8>) -> Option<()> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.push(0);
            return Some(());
        }
        out.push(1);
        self.encode_value(row, out)
    }

    fn encode_value(&self, row: usize, out: &mut Vec<u8>) -> Option<()> {
        match &self.values {
            Values::Fixed { .. } => self.encode_run(row, row + 1, out)?,
            Values::Boolean(bits) => out.push(u8::from(bits.value(row))),
            Values::Variable { ends, bytes } => {
                put_bytes(out, &bytes[ends[row]..ends[row + 1]])?;
            }
            Values::List { ends, items } => {
                let (start, end) = (ends[row], ends[row + 1]);
                put_length(out, end - start)?;
                let missing = items
                    .nulls
                    .as_ref()
                    .is_some_and(|nulls| nulls.slice(start, end - start).null_count() > 0);
                out.push(u8::from(missing));
                if missing {
                    (start..end).try_for_each(|item| items.encode(item, out))?;
                } else {
                    items.encode_run(start, end, out)?;
                }
            }
            Values::Struct(fields) => {
                fields.iter().try_for_each(|field| field.encode(row, out))?;
            }
        }
        Some(())
    }

    /// Appends the values of rows that are all present, without presence bytes.
    fn encode_run(&self, start: usize, end: usize, out: &mut Vec<u8>) -> Option<()> {
        match &self.values {
            Values::Fixed { bytes, width } => {
                out.extend_from_slice(&bytes[start * width..end * width]);
            }
            _ => (start..end).try_for_each(|row| self.encode_value(row, out))?,
        }
        Some(())
    }
}

/// The values of an array of fixed width, as the bytes of its rows alone.
fn fixed(array: &dyn Array, width: usize) -> Values {
    let data = array.to_data();
    let bytes = data.buffers()[0].slice_with_length(data.offset() * width, data.len() * width);
    let bytes = match array.data_type() {
        DataType::Float16 => {
            let is_nan = |b| u16::from_le_bytes(b) & 0x7fff > 0x7c00;
            canonical(bytes, is_nan, 0x7e00_u16.to_le_bytes())
        }
        DataType::Float32 => {
            canonical(bytes, |b| f32::from_le_bytes(b).is_nan(), 0x7fc0_0000_u32.to_le_bytes())
        }
        DataType::Float64 => {
            let quiet = 0x7ff8_0000_0000_0000_u64.to_le_bytes();
            canonical(bytes, |b| f64::from_le_bytes(b).is_nan(), quiet)
        }
        _ => bytes,
    };
    Values::Fixed { bytes, width }
}

/// The same numbers with every NaN replaced; they are copied only if there is one.
fn canonical<const N: usize>(
    bytes: Buffer,
    is_nan: impl Fn([u8; N]) -> bool,
    replacement: [u8; N],
) -> Buffer {
    let (values, _) = bytes.as_chunks::<N>();
    if !values.iter().any(|value| is_nan(*value)) {
        return bytes;
    }
    let mut copy = bytes.to_vec();
    for value in copy.as_chunks_mut::<N>().0 {
        if is_nan(*value) {
            *value = replacement;
        }
    }
    Buffer::from_vec(copy)
}

fn variable<O: Copy + TryInto<usize>>(offsets: &[O], bytes: &Buffer) -> Values {
    Values::Variable { ends: widened(offsets), bytes: bytes.clone() }
}

/// A slice of a list array still holds all items; only those of its rows are taken apart.
fn list<O: Copy + TryInto<usize>>(offsets: &[O], items: &dyn Array) -> Option<Values> {
    let mut ends = widened(offsets);
    let (first, last) = (*ends.first()?, *ends.last()?);
    let items = ColumnBytes::of(items.slice(first, last - first).as_ref())?;
    ends.iter_mut().for_each(|end| *end -= first);
    Some(Values::List { ends, items: Box::new(items) })
}

/// Arrow's offsets are never negative, so none is lost.
fn widened<O: Copy + TryInto<usize>>(offsets: &[O]) -> Vec<usize> {
    offsets.iter().filter_map(|&offset| offset.try_into().ok()).collect()
}
