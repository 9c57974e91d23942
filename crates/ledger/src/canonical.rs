//! JSON values in canonical form: keys sorted by their UTF-8 bytes at every depth.
//!
//! Invariant: equal values have equal bytes, whatever order their fields were put in.
//! Integers are digits, floats the shortest decimal that reads back the same.
//!
//! Not here: RFC 8785, which sorts by UTF-16 and writes all numbers as JavaScript does.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Looks no deeper than `levels`, so that no value can exhaust the stack.
pub(crate) fn nests_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => true,
        Value::Array(values) => values.iter().any(|value| nests_deeper(value, levels - 1)),
        Value::Object(fields) => fields.values().any(|value| nests_deeper(value, levels - 1)),
        _ => false,
    }
}

pub(crate) fn sorted<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Sorted(value).serialize(serializer)
}

/// Another crate may ask `serde_json` to keep the order of insertion, so keys are sorted here.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            Value::Object(fields) => {
                let by_name: BTreeMap<_, _> = fields.iter().collect();
                serializer.collect_map(by_name.into_iter().map(|(name, v)| (name, Sorted(v))))
            }
            plain => plain.serialize(serializer),
        }
    }
}
