//! Whole columns of numbers, for measures that need no recording.
//!
//! Invariant: every column has one value per row; a missing one is NaN and counted.

use arrow::{
    array::Array, array::AsArray, compute::cast, datatypes::DataType, datatypes::Float64Type,
};

use super::{
    csv::CsvRows,
    parquet::{guarded, is_numeric, malformed, open, project},
    projection::ProjectionError,
};
use crate::{Limits, ReadError, reader::Container};

/// One column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// As the header has it.
    pub name: String,
    /// One per row, in the file's unit; NaN where the cell is missing.
    pub values: Vec<f64>,
    /// How many cells are missing.
    pub null_count: u64,
}

/// Reads columns of a CSV (parted by commas, with a header) or a Parquet file that lies in memory.
///
/// The columns come in the order of `names`; no names means every column whose cells are all
/// numbers or missing, in the file's order.
///
/// Holds the numbers and one line or one row group.
///
/// # Errors
/// [`ReadError::Line`] for a cell of a named column that is no number and for a line with too
/// many or too few cells, [`ReadError::Projection`] for a name that is not in the header exactly
/// once, [`ReadError::Malformed`] for a damaged Parquet file, [`ReadError::Empty`] without a row,
/// [`ReadError::NotALog`] for any other container.
pub fn read_columns(
    container: Container,
    bytes: &[u8],
    names: &[&str],
    limits: Limits,
) -> Result<Vec<Column>, ReadError> {
    let columns = match container {
        Container::Csv => read_csv(bytes, names, limits)?,
        Container::Parquet => read_parquet(bytes, names, limits)?,
        other => return Err(ReadError::NotALog { name: other.to_string() }),
    };
    match columns.first() {
        None => Err(ReadError::Empty),
        Some(column) if column.values.is_empty() => Err(ReadError::Empty),
        Some(_) => Ok(columns),
    }
}

fn empty(name: &str) -> Column {
    Column { name: name.to_owned(), values: Vec::new(), null_count: 0 }
}

/// Where the names are in the header; all of it without names.
pub(super) fn indexes(header: &[String], names: &[&str]) -> Result<Vec<usize>, ReadError> {
    if names.is_empty() {
        return Ok((0..header.len()).collect());
    }
    let find = |name: &&str| {
        let mut found = (0..header.len()).filter(|index| header[*index] == *name);
        let count = found.clone().count();
        let column = (*name).to_owned();
        match (found.next(), count) {
            (Some(index), 1) => Ok(index),
            (None, _) => Err(ProjectionError::NoColumn { column, known: header.join(", ") }.into()),
            _ => Err(ProjectionError::SameColumn { column, count }.into()),
        }
    };
    names.iter().map(find).collect()
}

fn read_csv(bytes: &[u8], names: &[&str], limits: Limits) -> Result<Vec<Column>, ReadError> {
    let mut rows = CsvRows::new(b',', limits);
    let mut columns: Vec<(usize, Column)> = Vec::new();
    let mut header_count = None;
    let mut take = |row: &super::csv::Row<'_>| {
        let Some(header_count) = header_count else {
            let header = row.header()?;
            for index in indexes(&header, names)? {
                columns.push((index, empty(&header[index])));
            }
            header_count = Some(header.len());
            return Ok(());
        };
        if row.len() != header_count {
            let problem = format!("{} cells where the header has {header_count}", row.len());
            let column = row.len().min(header_count) + 1;
            return Err(ReadError::Line { line: row.line, column, problem });
        }
        let mut failed = None;
        columns.retain_mut(|(index, column)| match row.number(*index, &[]) {
            Ok(number) => {
                column.null_count += u64::from(number.is_none());
                column.values.push(number.unwrap_or(f64::NAN));
                true
            }
            Err(error) => {
                failed.get_or_insert(error);
                // A column of text is left out unless it was asked for.
                !names.is_empty()
            }
        });
        match failed {
            Some(error) if !names.is_empty() => Err(error),
            _ => Ok(()),
        }
    };
    if !bytes.is_empty() {
        rows.feed(bytes, &mut take)?;
    }
    rows.feed(&[], &mut take)?;
    Ok(columns.into_iter().map(|(_, column)| column).collect())
}

fn read_parquet(bytes: &[u8], names: &[&str], limits: Limits) -> Result<Vec<Column>, ReadError> {
    let builder = open(bytes::Bytes::copy_from_slice(bytes), limits)?;
    let schema = builder.schema().clone();
    let header: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut wanted = indexes(&header, names)?;
    if names.is_empty() {
        wanted.retain(|index| is_numeric(schema.field(*index).data_type()));
    }
    for index in &wanted {
        let field = schema.field(*index);
        if !is_numeric(field.data_type()) {
            let (column, found) = (field.name().clone(), field.data_type().to_string());
            return Err(ProjectionError::NoNumbers { column, found }.into());
        }
    }
    let mut sorted = wanted.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let mut columns: Vec<Column> = wanted.iter().map(|index| empty(&header[*index])).collect();
    let mut batches = project(builder, sorted.clone())?;
    while let Some(batch) = guarded(|| batches.next().transpose())? {
        for (index, column) in wanted.iter().zip(&mut columns) {
            let at = sorted.binary_search(index).unwrap_or_default();
            let array = cast(batch.column(at), &DataType::Float64).map_err(malformed)?;
            let array = array.as_primitive::<Float64Type>();
            column.null_count += array.null_count() as u64;
            column.values.extend(array.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
    }
    Ok(columns)
}
