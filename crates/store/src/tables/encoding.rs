//! How the columns of a table lie on disk: what the table engine is told beside names and types.
//!
//! Invariant: it changes bytes, never values, and readers never see it: [`told`] adds it when a table is made, and
//! [`plain`] takes it away. Texts that repeat cost nearly nothing without being told: the engine keeps each once.
//! zstd at its usual level: level 9 gained less than one part in a hundred on recordings of every kind.
//!
//! Not here: which version of the engine's file format is written (its default).

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray},
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
    error::ArrowError,
};

/// Every key that the engine reads begins so.
const PREFIX: &str = "lance-encoding:";

/// Metadata that is not repeated in every file and every version: it explains a column and changes nothing.
const NOT_STORED: &str = "description";

/// The columns with what the engine is told about each; of a list, its items are told.
pub(super) fn told(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(|field| told_field(field)).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The columns as they were before [`told`].
pub(crate) fn plain(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(|field| plain_field(field)).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A column of the engine's as a column of the type that [`plain`] gave.
pub(crate) fn plain_column(
    column: &ArrayRef,
    data_type: &DataType,
) -> Result<ArrayRef, ArrowError> {
    match (column.data_type(), data_type) {
        (DataType::List(told), DataType::List(item)) if told != item => {
            let lists = column.as_list::<i32>();
            let items = plain_column(lists.values(), item.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?))
        }
        _ => Ok(Arc::clone(column)),
    }
}

fn told_field(field: &Field) -> FieldRef {
    let words: &[(&str, &str)] = match field.data_type() {
        DataType::List(item) => {
            let list = DataType::List(told_field(item));
            return Arc::new(stored(field, &[]).with_data_type(list));
        }
        // Readings of sensors: signs and exponents repeat, the last bits do not, so bytes of one place lie together.
        DataType::Float32 => &[("compression", "zstd"), ("bss", "on")],
        DataType::Float64 | DataType::Int64 | DataType::Utf8 | DataType::Binary => {
            &[("compression", "zstd")]
        }
        // Counts and flags are packed bit by bit already.
        _ => &[],
    };
    Arc::new(stored(field, words))
}

fn stored(field: &Field, words: &[(&str, &str)]) -> Field {
    let kept = field.metadata().iter().filter(|(key, _)| *key != NOT_STORED);
    let kept = kept.map(|(key, value)| (key.clone(), value.clone()));
    let words = words.iter().map(|(key, value)| (format!("{PREFIX}{key}"), (*value).to_owned()));
    field.clone().with_metadata(kept.chain(words).collect())
}

fn plain_field(field: &Field) -> FieldRef {
    let metadata: HashMap<String, String> = field
        .metadata()
        .iter()
        .filter(|(key, _)| !key.starts_with(PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(plain_field(item)),
        data_type => data_type.clone(),
    };
    Arc::new(field.clone().with_data_type(data_type).with_metadata(metadata))
}
