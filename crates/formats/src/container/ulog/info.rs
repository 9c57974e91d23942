//! Named values of a ULog: information and parameters, as text.
//!
//! Invariant: a number is written so that reading it back gives the same bits.

use std::fmt::Write;

use crate::{DecodeError, message::cursor::Cursor};

/// Splits a record into type, name and value: `u8` length, `type name`, value.
pub(super) fn entry(body: &[u8]) -> Result<(&str, &str, &[u8]), DecodeError> {
    let mut c = Cursor::packed(body);
    let key_bytes = usize::from(c.u8("information.key_len")?);
    let at_byte = c.at();
    let key = c.bytes(key_bytes, "information.key")?;
    let field = "information.key";
    let key = std::str::from_utf8(key).map_err(|_| DecodeError::NotUtf8 { field, at_byte })?;
    let (kind, name) = key
        .split_once(' ')
        .ok_or_else(|| c.refuse(field, format!("`{key}` is not a type and a name")))?;
    Ok((kind, name, &body[c.at()..]))
}

/// The value as text: a number, text of `char[n]`, or hexadecimal.
pub(super) fn text(kind: &str, value: &[u8]) -> Result<String, String> {
    if kind.starts_with("char[") {
        return Ok(String::from_utf8_lossy(value).into_owned());
    }
    let wrong = || format!("a `{kind}` of {} bytes", value.len());
    macro_rules! plain {
        ($number:ty) => {
            <$number>::from_le_bytes(value.try_into().map_err(|_| wrong())?).to_string()
        };
    }
    Ok(match kind {
        "int8_t" => plain!(i8),
        "uint8_t" | "char" => plain!(u8),
        "bool" => plain!(u8),
        "int16_t" => plain!(i16),
        "uint16_t" => plain!(u16),
        "int32_t" => plain!(i32),
        "uint32_t" => plain!(u32),
        "int64_t" => plain!(i64),
        "uint64_t" => plain!(u64),
        "float" => plain!(f32),
        "double" => plain!(f64),
        _ => hexadecimal(value),
    })
}

/// The value of a parameter: PX4 has `int32_t` and `float`.
pub(super) fn number(kind: &str, value: &[u8]) -> Option<f64> {
    match kind {
        "int32_t" => Some(i32::from_le_bytes(value.try_into().ok()?).into()),
        "float" => Some(f32::from_le_bytes(value.try_into().ok()?).into()),
        _ => None,
    }
}

/// Two digits a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
