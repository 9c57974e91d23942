//! Canonical JSON: one value, one text, so that a digest of it means the value.
//!
//! Invariant: RFC 8785 (JSON Canonicalization Scheme): sorted keys, no spaces, numbers as
//! ECMAScript writes them. Integers beyond 2^53 are refused: other readers would round them.
//!
//! Not here: hashing.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Number, Value};
use tiepoint_model::ErrorKind;

/// Why a value has no canonical JSON.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// It cannot be written as JSON at all.
    #[error("the value cannot be written as JSON")]
    NotJson(#[from] serde_json::Error),
    /// Readers that hold numbers as f64 would round it.
    #[error("the integer {0} is beyond 2^53")]
    IntegerTooLarge(Number),
}

impl CanonicalError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        "report this: every public form of this program has canonical JSON".to_owned()
    }
}

/// The canonical JSON of a value.
///
/// # Errors
/// [`CanonicalError`] for a value that is not JSON, or an integer beyond 2^53.
///
/// # Source
/// RFC 8785, sections 3.2.2 and 3.2.3.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    let mut text = String::new();
    write_value(&serde_json::to_value(value)?, &mut text)?;
    Ok(text)
}

fn write_value(value: &Value, text: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(number, text)?,
        Value::String(string) => text.push_str(&serde_json::to_string(string)?),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (index, (key, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(key)?);
                text.push(':');
                write_value(member, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn write_number(number: &Number, text: &mut String) -> Result<(), CanonicalError> {
    const EXACT_MAX: u64 = 1 << 53;
    if let Some(integer) = number.as_i64()
        && integer.unsigned_abs() <= EXACT_MAX
    {
        text.push_str(&integer.to_string());
        return Ok(());
    }
    if number.is_i64() || number.is_u64() {
        return Err(CanonicalError::IntegerTooLarge(number.clone()));
    }
    let value = number.as_f64().unwrap_or(0.0) + 0.0; // -0 becomes 0
    // ECMAScript: digits from 1e-6 up to below 1e21, an exponent elsewhere; both shortest.
    let written = if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        write!(text, "{value}")
    } else {
        let exponential = format!("{value:e}");
        let signed = match exponential.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
            _ => exponential,
        };
        write!(text, "{signed}")
    };
    written.map_err(|_| CanonicalError::IntegerTooLarge(number.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8785, section 3.2.4 (numbers) and 3.2.3 (sorting by UTF-16 code units).
    #[test]
    fn the_examples_of_the_standard_come_out_as_printed() {
        let numbers =
            json!([333_333_333.333_333_3, 1E30, 4.50, 2e-3, 0.000_000_000_000_000_000_000_000_001]);
        let expected = "[333333333.3333333,1e+30,4.5,0.002,1e-27]";
        assert_eq!(canonical_json(&numbers).unwrap(), expected);
        let keys = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5});
        let expected = "{\"\\r\":2,\"1\":4,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical_json(&keys).unwrap(), expected);
        assert_eq!(canonical_json(&json!([1.0, -0.0, 1e-6, 1e-7])).unwrap(), "[1,0,0.000001,1e-7]");
    }

    #[test]
    fn integers_that_others_would_round_are_refused() {
        assert!(canonical_json(&((1_u64 << 53) + 1)).is_err());
        assert_eq!(canonical_json(&(1_u64 << 53)).unwrap(), "9007199254740992");
    }
}
