//! The columns of the table `signals`: names, units and values of a message of plain numbers.
//!
//! Every row says its own fields, so that a row means something wherever it is read; a row of
//! ten numbers costs a few hundred bytes until the store's dictionary takes the repetition out.
//!
//! Invariant: `units` is empty exactly if no field of the row has a unit.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, Float64Array, Float64Builder, ListArray, ListBuilder, RecordBatch,
        StringArray, StringBuilder,
    },
    datatypes::{DataType, Field},
};
use tiepoint_model::{SignalField, SignalSample, Stamps};

use super::{ColumnsError, from_batch::Columns, to_batch::checked_count};
use crate::Table;

const TABLE: Table = Table::Signals;

/// The three columns behind the leading ones.
pub(super) fn signal_columns(rows: &[SignalSample]) -> Result<[ArrayRef; 3], ColumnsError> {
    let name_bytes = |field: &SignalField| field.name.len() + field.unit.len();
    let bytes = rows.iter().map(|row| row.fields.iter().map(name_bytes).sum::<usize>()).sum();
    checked_count(bytes, (TABLE, "field_names"))?;
    checked_count(rows.iter().map(|row| row.values.len()).sum(), (TABLE, "values"))?;
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let mut names = ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
    let mut units = ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
    let mut values = ListBuilder::new(Float64Builder::new()).with_field(item(DataType::Float64));
    for row in rows {
        let has_units = row.fields.iter().any(|field| !field.unit.is_empty());
        for field in row.fields.iter() {
            names.values().append_value(&field.name);
            if has_units {
                units.values().append_value(&field.unit);
            }
        }
        values.values().append_slice(&row.values);
        names.append(true);
        units.append(true);
        values.append(true);
    }
    Ok([Arc::new(names.finish()), Arc::new(units.finish()), Arc::new(values.finish())])
}

/// The rows of a batch, with the stamps that its leading columns say.
pub(super) fn signal_rows(
    batch: &RecordBatch,
    stamps: impl Fn(usize) -> Stamps,
) -> Result<Vec<SignalSample>, ColumnsError> {
    let columns = Columns { table: TABLE.as_str(), batch };
    let (names, name_items) = list::<StringArray>(&columns, "field_names", DataType::Utf8)?;
    let (units, unit_items) = list::<StringArray>(&columns, "units", DataType::Utf8)?;
    let (values, value_items) = list::<Float64Array>(&columns, "values", DataType::Float64)?;
    let span = |list: &ListArray, row: usize| {
        let offsets = list.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    };
    let mut rows = Vec::with_capacity(batch.num_rows());
    let mut fields: Arc<[SignalField]> = Arc::new([]);
    for row in 0..batch.num_rows() {
        let (own_names, own_units) = (span(names, row), span(units, row));
        let own_values = &value_items.values()[span(values, row)];
        if own_values.len() != own_names.len()
            || (!own_units.is_empty() && own_units.len() != own_names.len())
        {
            let problem = "names, units and values are not of one length".to_owned();
            let table = TABLE.as_str();
            return Err(ColumnsError::Value { table, column: "values", row, problem });
        }
        let unit = |index: usize| match own_units.is_empty() {
            true => "",
            false => unit_items.value(own_units.start + index),
        };
        let name = |index: usize| name_items.value(own_names.start + index);
        let is_same = fields.len() == own_names.len()
            && fields
                .iter()
                .enumerate()
                .all(|(index, field)| field.name == name(index) && field.unit == unit(index));
        if !is_same {
            let field = |index| SignalField { name: name(index).into(), unit: unit(index).into() };
            fields = (0..own_names.len()).map(field).collect();
        }
        rows.push(SignalSample {
            stamps: stamps(row),
            fields: Arc::clone(&fields),
            values: own_values.to_vec(),
        });
    }
    Ok(rows)
}

/// A column of lists and its items, none of them null.
fn list<'a, A: Array + 'static>(
    columns: &Columns<'a>,
    column: &'static str,
    item: DataType,
) -> Result<(&'a ListArray, &'a A), ColumnsError> {
    let table = columns.table;
    let expected = DataType::new_list(item, true);
    let lists = columns.column::<ListArray>(column, &expected)?;
    let items = lists.values();
    if let Some(index) = (0..items.len()).find(|index| items.is_null(*index)) {
        let is_behind = |end: &i32| *end as usize > index;
        let row = lists.value_offsets()[1..].iter().position(is_behind).unwrap_or_default();
        return Err(ColumnsError::Null { table, column, row });
    }
    let items = items.as_any().downcast_ref::<A>().ok_or_else(|| ColumnsError::ColumnType {
        table,
        column,
        expected: expected.to_string(),
        found: lists.data_type().to_string(),
    })?;
    Ok((lists, items))
}
