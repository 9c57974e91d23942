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

    #[inline]
    fn align(&mut self, size: usize) {
        if let Layout::Cdr { .. } = self.layout {
            let offset = self.at - ENCAPSULATION_BYTES;
            self.at += offset.wrapping_neg() & (size - 1);
        }
    }

    /// The next `count` bytes.
    #[inline]
    pub(crate) fn bytes(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        match self.ahead(count) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => Err(self.short(count, field)),
        }
    }

    /// The next `count` bytes, left where they are.
    #[inline]
    fn ahead(&self, count: usize) -> Option<&'a [u8]> {
        self.bytes.get(self.at..)?.get(..count)
    }

    /// Errors are made out of line: what succeeds must not pay for them.
    #[cold]
    fn short(&self, need_bytes: usize, field: &'static str) -> DecodeError {
        DecodeError::Short { field, at_byte: self.at, need_bytes, left_bytes: self.left() }
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: usize, field: &'static str) -> Result<(), DecodeError> {
        self.bytes(count, field).map(|_| ())
    }

    #[inline]
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.align(N);
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>) {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(self.short(N, field)),
        }
    }

    /// A number's bytes in little-endian order.
    #[inline]
    fn number<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut bytes = self.take::<N>(field)?;
        if let Layout::Cdr { big_endian: true } = self.layout {
            bytes.reverse();
        }
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.number(field).map(u8::from_le_bytes)
    }

    #[inline]
    pub(crate) fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.number(field).map(i8::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.number(field).map(u16::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.number(field).map(u32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.number(field).map(i32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.number(field).map(u64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.number(field).map(i64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn f32(&mut self, field: &'static str) -> Result<f32, DecodeError> {
        self.number(field).map(f32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn f64(&mut self, field: &'static str) -> Result<f64, DecodeError> {
        self.number(field).map(f64::from_le_bytes)
    }

    /// `N` numbers of 8 bytes.
    #[inline]
    pub(crate) fn f64s<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[f64; N], DecodeError> {
        self.align(8);
        let mut values = [0.0; N];
        if let Some(block) = self.ahead(8 * N) {
            self.fill(block, &mut values);
            self.at += 8 * N;
        } else {
            // One by one, to say where the bytes end.
            for value in &mut values {
                *value = self.f64(field)?;
            }
        }
        Ok(values)
    }

    #[inline]
    fn fill(&self, block: &[u8], values: &mut [f64]) {
        let items = values.iter_mut().zip(block.as_chunks::<8>().0);
        if let Layout::Cdr { big_endian: true } = self.layout {
            items.for_each(|(value, item)| *value = f64::from_be_bytes(*item));
        } else {
            items.for_each(|(value, item)| *value = f64::from_le_bytes(*item));
        }
    }

    /// An array of `f64` with its count. CDR pads ahead of the first item, so not if there is none.
    pub(crate) fn f64_array(&mut self, field: &'static str) -> Result<Vec<f64>, DecodeError> {
        let count = self.count(8, field)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        self.align(8);
        match count.checked_mul(8).and_then(|size| self.ahead(size)) {
            Some(block) => {
                let mut values = vec![0.0; count];
                self.fill(block, &mut values);
                self.at += block.len();
                Ok(values)
            }
            None => (0..count).map(|_| self.f64(field)).collect(),
        }
    }

    /// A count of items that follow, each of at least `item_bytes`, checked against what is left.
    pub(crate) fn count(
        &mut self,
        item_bytes: usize,
        field: &'static str,
    ) -> Result<usize, DecodeError> {
        let count = self.u32(field)?;
        let left_bytes = self.left();
        match usize::try_from(count) {
            Ok(count) if count.checked_mul(item_bytes).is_some_and(|need| need <= left_bytes) => {
                Ok(count)
            }
            _ => {
                let (at_byte, count) = (self.at, count.into());
                Err(DecodeError::Length { field, at_byte, count, item_bytes, left_bytes })
            }
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
