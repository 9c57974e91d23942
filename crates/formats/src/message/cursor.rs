//! A cursor over one message: CDR (ROS 2) or packed (ROS 1, and MCAP's own records).
//!
//! Invariant: no read leaves the bytes given, and no allocation is larger than they are.
//! CDR aligns a number to its size, counted from the byte behind the 4-byte encapsulation
//! header; packed aligns nothing. Both put a `u32` count before arrays and strings; CDR counts
//! a closing zero byte into a string.
//!
//! Source: OMG DDS-RTPS 2.5 section 10 (encapsulation), DDS-XTypes 1.3 section 7.4 (plain CDR).

use crate::DecodeError;

/// Size of the encapsulation header; alignment counts from behind it.
const ENCAPSULATION_BYTES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Cdr { big_endian: bool },
    Packed,
}

/// Reads numbers, strings and arrays from front to back.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    layout: Layout,
}

impl<'a> Cursor<'a> {
    /// Over a CDR message with its encapsulation header.
    pub(crate) fn cdr(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Self::packed(bytes);
        let [high, low, _, _] = cursor.take::<ENCAPSULATION_BYTES>("encapsulation")?;
        let big_endian = match u16::from_be_bytes([high, low]) {
            0 => true,
            1 => false,
            kind => return Err(DecodeError::Encapsulation { kind }),
        };
        cursor.layout = Layout::Cdr { big_endian };
        Ok(cursor)
    }

    /// Over packed little-endian bytes.
    pub(crate) fn packed(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, layout: Layout::Packed }
    }

    /// True for a ROS 1 message.
    pub(crate) fn is_packed(&self) -> bool {
        self.layout == Layout::Packed
    }

    /// Where the next field starts, before alignment.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn align(&mut self, size: usize) {
        if let Layout::Cdr { .. } = self.layout {
            let offset = self.at - ENCAPSULATION_BYTES;
            self.at += offset.wrapping_neg() & (size - 1);
        }
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Short {
            field,
            at_byte: self.at,
            need_bytes: count,
            left_bytes: self.left(),
        };
        let end = self.at.checked_add(count).ok_or(short.clone())?;
        let bytes = self.bytes.get(self.at..end).ok_or(short)?;
        self.at = end;
        Ok(bytes)
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: usize, field: &'static str) -> Result<(), DecodeError> {
        self.bytes(count, field).map(|_| ())
    }

    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.align(N);
        let at_byte = self.at;
        let left_bytes = self.left();
        self.bytes(N, field)?.try_into().map_err(|_| DecodeError::Short {
            field,
            at_byte,
            need_bytes: N,
            left_bytes,
        })
    }

    /// A number's bytes in little-endian order.
    fn number<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut bytes = self.take::<N>(field)?;
        if let Layout::Cdr { big_endian: true } = self.layout {
            bytes.reverse();
        }
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.number(field).map(u8::from_le_bytes)
    }

    pub(crate) fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.number(field).map(i8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.number(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.number(field).map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.number(field).map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.number(field).map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.number(field).map(i64::from_le_bytes)
    }

    pub(crate) fn f32(&mut self, field: &'static str) -> Result<f32, DecodeError> {
        self.number(field).map(f32::from_le_bytes)
    }

    pub(crate) fn f64(&mut self, field: &'static str) -> Result<f64, DecodeError> {
        self.number(field).map(f64::from_le_bytes)
    }

    /// `N` numbers of 8 bytes.
    pub(crate) fn f64s<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[f64; N], DecodeError> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.f64(field)?;
        }
        Ok(values)
    }

    /// An array of `f64` with its count. CDR pads ahead of the first item, so not if there is none.
    pub(crate) fn f64_array(&mut self, field: &'static str) -> Result<Vec<f64>, DecodeError> {
        let count = self.count(8, field)?;
        (0..count).map(|_| self.f64(field)).collect()
    }

    /// A count of items that follow, each of at least `item_bytes`, checked against what is left.
    pub(crate) fn count(
        &mut self,
        item_bytes: usize,
        field: &'static str,
    ) -> Result<usize, DecodeError> {
        let count = self.u32(field)?;
        let left_bytes = self.left();
        let refuse = DecodeError::Length {
            field,
            at_byte: self.at,
            count: count.into(),
            item_bytes,
            left_bytes,
        };
        let count = usize::try_from(count).map_err(|_| refuse.clone())?;
        match count.checked_mul(item_bytes) {
            Some(need) if need <= left_bytes => Ok(count),
            _ => Err(refuse),
        }
    }

    /// A string.
    pub(crate) fn string(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        let count = self.count(1, field)?;
        let at_byte = self.at;
        let mut bytes = self.bytes(count, field)?;
        if let (Layout::Cdr { .. }, [text @ .., 0]) = (self.layout, bytes) {
            bytes = text;
        }
        std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8 { field, at_byte })
    }

    /// An array of `f32` with its count, in one copy.
    pub(crate) fn f32_array(&mut self, field: &'static str) -> Result<Vec<f32>, DecodeError> {
        let count = self.count(4, field)?;
        self.f32_block(count, field)
    }

    /// `count` numbers of 4 bytes, in one copy.
    pub(crate) fn f32_block(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<Vec<f32>, DecodeError> {
        let bytes = self.bytes(count.saturating_mul(4), field)?;
        let (items, _) = bytes.as_chunks::<4>();
        Ok(match self.layout {
            Layout::Cdr { big_endian: true } => {
                items.iter().map(|item| f32::from_be_bytes(*item)).collect()
            }
            _ => items.iter().map(|item| f32::from_le_bytes(*item)).collect(),
        })
    }

    /// Refuses what follows the last field. CDR may pad a message to a multiple of 8.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        let padding_max = if self.is_packed() { 0 } else { 7 };
        let left_bytes = self.left();
        if left_bytes > padding_max {
            return Err(DecodeError::Trailing { at_byte: self.at, left_bytes });
        }
        Ok(())
    }

    /// An error about the field just read.
    pub(crate) fn refuse(&self, field: &'static str, problem: impl Into<String>) -> DecodeError {
        DecodeError::Value { field, at_byte: self.at, problem: problem.into() }
    }
}
