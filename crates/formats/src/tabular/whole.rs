//! Whole columns of a CSV or Parquet file that lies in memory, whatever their cells are read as.
//!
//! Invariant: every column that comes out has one cell per row.
//!
//! Not here: what a cell means (see [`super::numbers`] and [`super::words`]).

use arrow::{array::Array, datatypes::DataType};

use super::{
    csv::{CsvRows, Row},
    parquet::{guarded, open, project},
    projection::ProjectionError,
};
use crate::{Limits, ReadError, reader::Container};

/// A column that takes its cells from either kind of file.
pub(super) trait Cells: Sized {
    fn empty(name: &str) -> Self;

    fn has_rows(&self) -> bool;

    /// True for what a column of Parquet may be.
    fn holds(kind: &DataType) -> bool;

    /// Takes one cell of a CSV.
    fn push(&mut self, row: &Row<'_>, index: usize) -> Result<(), ReadError>;

    /// Takes a piece of a column of Parquet.
    fn extend(&mut self, array: &dyn Array) -> Result<(), ReadError>;
}

/// The columns in the order of `names`; without names all that can be read, in the file's order.
pub(super) fn read<C: Cells>(
    container: Container,
    bytes: &[u8],
    names: &[&str],
    limits: Limits,
) -> Result<Vec<C>, ReadError> {
    let columns: Vec<C> = match container {
        Container::Csv => read_csv(bytes, names, limits)?,
        Container::Parquet => read_parquet(bytes, names, limits)?,
        other => return Err(ReadError::NotALog { name: other.to_string() }),
    };
    match columns.first() {
        Some(column) if column.has_rows() => Ok(columns),
        _ => Err(ReadError::Empty),
    }
}

/// Where the names are in the header; all of it without names.
fn indexes(header: &[String], names: &[&str]) -> Result<Vec<usize>, ReadError> {
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

fn read_csv<C: Cells>(bytes: &[u8], names: &[&str], limits: Limits) -> Result<Vec<C>, ReadError> {
    let mut rows = CsvRows::new(b',', limits);
    let mut columns: Vec<(usize, C)> = Vec::new();
    let mut header_count = None;
    let mut take = |row: &Row<'_>| {
        let Some(header_count) = header_count else {
            let header = row.header()?;
            for index in indexes(&header, names)? {
                columns.push((index, C::empty(&header[index])));
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
        columns.retain_mut(|(index, column)| match column.push(row, *index) {
            Ok(()) => true,
            Err(error) => {
                failed.get_or_insert(error);
                // A column that cannot be read is left out unless it was asked for.
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

fn read_parquet<C: Cells>(
    bytes: &[u8],
    names: &[&str],
    limits: Limits,
) -> Result<Vec<C>, ReadError> {
    let builder = open(bytes::Bytes::copy_from_slice(bytes), limits)?;
    let schema = builder.schema().clone();
    let header: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut wanted = indexes(&header, names)?;
    let is_readable = |index: &usize| C::holds(schema.field(*index).data_type());
    if names.is_empty() {
        wanted.retain(is_readable);
    } else if let Some(index) = wanted.iter().find(|index| !is_readable(index)) {
        let (column, found) =
            (header[*index].clone(), schema.field(*index).data_type().to_string());
        return Err(ProjectionError::NoNumbers { column, found }.into());
    }
    let mut sorted = wanted.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let mut columns: Vec<C> = wanted.iter().map(|index| C::empty(&header[*index])).collect();
    let mut batches = project(builder, sorted.clone())?;
    while let Some(batch) = guarded(|| batches.next().transpose())? {
        for (index, column) in wanted.iter().zip(&mut columns) {
            column.extend(batch.column(sorted.binary_search(index).unwrap_or_default()))?;
        }
    }
    Ok(columns)
}
