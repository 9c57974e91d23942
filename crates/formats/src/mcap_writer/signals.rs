//! Signals as JSON messages with a JSON Schema: what viewers read without a plug-in.
//!
//! Invariant: every value is there under its field's name; a missing number (NaN) is `null`, and the infinities, which
//! JSON lacks, are the texts `inf` and `-inf`. Numbers are the shortest text that reads back as the same `f64`.
//! The sensor's time, if there is one, is `@sensor_time_ns`, a decimal text, as JavaScript would round it.
//!
//! Not here: reading it back as signals; a reader of logs keeps such messages raw.

use serde_json::{Map, Value, json};
use tiepoint_model::{SignalField, SignalSample};

use crate::Definition;

/// Beside the fields: no container's field begins so.
const SENSOR_TIME: &str = "@sensor_time_ns";

/// How messages of these fields are defined: units stand in the descriptions.
#[must_use]
pub fn signals_definition(fields: &[SignalField]) -> Definition {
    let mut properties = Map::new();
    for field in fields {
        let mut property = json!({ "type": ["number", "null", "string"] });
        if !field.unit.is_empty() {
            property["description"] = Value::from(format!("unit: {}", field.unit));
        }
        properties.insert(field.name.clone(), property);
    }
    let text = "when the sensor measured, nanoseconds since the Unix epoch";
    properties.insert(SENSOR_TIME.to_owned(), json!({ "type": "string", "description": text }));
    let schema = json!({ "type": "object", "properties": properties });
    Definition { language: "jsonschema".to_owned(), text: schema.to_string().into_bytes() }
}

/// One message.
pub(super) fn signals_json(sample: &SignalSample) -> Vec<u8> {
    let mut message = Map::new();
    for (field, value) in sample.fields.iter().zip(&sample.values) {
        let value = match value {
            value if value.is_nan() => Value::Null,
            value if value.is_infinite() => Value::from(value.to_string()),
            value => json!(value),
        };
        message.insert(field.name.clone(), value);
    }
    if let Some(time) = sample.stamps.sensor {
        message.insert(SENSOR_TIME.to_owned(), Value::from(time.0.to_string()));
    }
    Value::Object(message).to_string().into_bytes()
}
