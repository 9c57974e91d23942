//! The user's files as measures take them: columns of numbers and clouds of points.
//!
//! Invariant: every number handed on is finite. A missing or infinite one is an error that names
//! file, row and column, or, where the user asks for it, its row is left out and counted.
//!
//! Not here: opening files, and logs of messages.

use std::path::PathBuf;

use tiepoint_formats::{Container, Limits, ReadError, cloud::read_cloud, tabular};
use tiepoint_measure::distribution::COORDINATE_MAX;

use crate::Error;

/// A file of the user's, read.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Where it lies, for messages.
    pub path: PathBuf,
    /// The whole of it.
    pub bytes: Vec<u8>,
}

impl InputFile {
    /// An error of a reader, with the file's name.
    pub(super) fn refuse(&self, source: ReadError) -> Error {
        Error::Log { path: self.path.clone(), source: Box::new(source) }
    }
}

/// Columns of one length, every number finite.
#[derive(Debug)]
pub(super) struct NumberTable {
    /// As the file has them.
    pub(super) names: Vec<String>,
    /// One list per name.
    pub(super) columns: Vec<Vec<f64>>,
    /// Where each row stands in the file, from 0.
    row_indices: Vec<usize>,
    /// Rows that were left out.
    pub(super) dropped_count: usize,
}

impl NumberTable {
    /// Refuses numbers whose squares are not finite, by their place in the file.
    pub(super) fn require_squares(&self, file: &InputFile) -> Result<(), Error> {
        let is_large = |value: &f64| value.abs() > COORDINATE_MAX;
        let mut columns = self.names.iter().zip(&self.columns);
        let found =
            columns.find_map(|(name, column)| Some((name, column.iter().position(is_large)?)));
        match found {
            None => Ok(()),
            Some((column, index)) => Err(Error::BadNumber {
                path: file.path.clone(),
                row: self.row_indices[index] + 1,
                column: column.clone(),
                found: "larger than 1e150",
            }),
        }
    }

    /// All numbers, row by row.
    pub(super) fn row_major(&self) -> Vec<f64> {
        let row_count = self.columns.first().map_or(0, Vec::len);
        (0..row_count).flat_map(|row| self.columns.iter().map(move |column| column[row])).collect()
    }
}

/// The named columns of a CSV or Parquet file; without names every column of numbers.
pub(super) fn read_numbers(
    file: &InputFile,
    names: &[String],
    drop_missing: bool,
) -> Result<NumberTable, Error> {
    let columns = read_columns(file, names)?;
    let row_count = columns[0].values.len();
    let is_whole = |row: &usize| columns.iter().all(|column| column.values[*row].is_finite());
    let kept: Vec<usize> = (0..row_count).filter(is_whole).collect();
    if kept.len() < row_count && !drop_missing {
        return Err(first_bad_number(file, &columns));
    }
    if kept.is_empty() {
        return Err(Error::NoWholeRow { path: file.path.clone() });
    }
    let dropped_count = row_count - kept.len();
    let (names, columns) = columns
        .into_iter()
        .map(|column| (column.name, kept.iter().map(|row| column.values[*row]).collect()))
        .unzip();
    Ok(NumberTable { names, columns, row_indices: kept, dropped_count })
}

/// Columns as the file has them, missing numbers included; at least one column and one row.
pub(super) fn read_columns(
    file: &InputFile,
    names: &[String],
) -> Result<Vec<tabular::Column>, Error> {
    let container = table_container(file)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match tabular::read_columns(container, &file.bytes, &names, Limits::default()) {
        Ok(columns) => Ok(columns),
        // A file with rows of which no column is numbers.
        Err(ReadError::Empty) if names.is_empty() && has_rows(container, &file.bytes) => {
            Err(Error::NoNumbers { path: file.path.clone() })
        }
        Err(error) => Err(file.refuse(error)),
    }
}

/// Named columns of numbers, in the order of `names`; a missing one is NaN, an infinite one refused.
pub(crate) fn read_number_columns(
    file: &InputFile,
    names: &[String],
) -> Result<Vec<Vec<f64>>, Error> {
    let columns = read_columns(file, names)?;
    for column in &columns {
        if let Some(row_index) = column.values.iter().position(|value| value.is_infinite()) {
            return Err(bad_number(file, row_index, &column.name, f64::INFINITY));
        }
    }
    Ok(columns.into_iter().map(|column| column.values).collect())
}

/// Named columns of words, in the order of `names`; a missing one is `None`.
pub(crate) fn read_word_columns(
    file: &InputFile,
    names: &[String],
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let container = table_container(file)?;
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = tabular::read_words(container, &file.bytes, &wanted, Limits::default())
        .map_err(|error| file.refuse(error))?;
    Ok(columns.into_iter().map(|column| column.values).collect())
}

/// Named columns as words, every one present: missing ones are refused, or their rows are left out
/// and counted.
pub(super) fn read_words(
    file: &InputFile,
    names: &[String],
    drop_missing: bool,
) -> Result<(Vec<Vec<String>>, usize), Error> {
    let columns = read_word_columns(file, names)?;
    let (mut rows, mut dropped_count) = (Vec::new(), 0);
    for row_index in 0..columns[0].len() {
        let mut words = Vec::with_capacity(columns.len());
        for (column, name) in columns.iter().zip(names) {
            match &column[row_index] {
                Some(word) => words.push(word.clone()),
                None if drop_missing => break,
                None => return Err(bad_number(file, row_index, name, f64::NAN)),
            }
        }
        if words.len() == columns.len() {
            rows.push(words);
        } else {
            dropped_count += 1;
        }
    }
    if rows.is_empty() {
        return Err(Error::NoWholeRow { path: file.path.clone() });
    }
    Ok((rows, dropped_count))
}

fn has_rows(container: Container, bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    container == Container::Csv && lines.count() > 1
}

/// Parquet by its first bytes; every other text may be a CSV, also one of a single column.
fn table_container(file: &InputFile) -> Result<Container, Error> {
    let first = &file.bytes[..file.bytes.len().min(Container::DETECT_BYTES)];
    let found = Container::detect(&file.path.to_string_lossy(), first);
    match found {
        Ok(Container::Csv | Container::Parquet) => found.map_err(|error| file.refuse(error)),
        _ if is_text(first) => Ok(Container::Csv),
        Ok(other) => {
            let found = other.as_str();
            Err(Error::WrongFileKind { path: file.path.clone(), found, wanted: "CSV or Parquet" })
        }
        Err(error) => Err(file.refuse(error)),
    }
}

/// Text that is not empty; a character may be cut at the end.
pub(super) fn is_text(first: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(first) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && !first.is_empty() && !first.contains(&0)
}

fn first_bad_number(file: &InputFile, columns: &[tabular::Column]) -> Error {
    let place = |column: &tabular::Column| column.values.iter().position(|v| !v.is_finite());
    let first = columns.iter().filter_map(|column| Some((place(column)?, column))).min_by_key(
        // Of one row the leftmost column.
        |(row, _)| *row,
    );
    let (row_index, column) = first.unwrap_or((0, &columns[0]));
    bad_number(file, row_index, &column.name, column.values[row_index])
}

pub(super) fn bad_number(file: &InputFile, row_index: usize, column: &str, value: f64) -> Error {
    Error::BadNumber {
        path: file.path.clone(),
        row: row_index + 1,
        column: column.to_owned(),
        found: if value.is_nan() { "missing or not a number" } else { "infinite" },
    }
}

/// The points of a PLY or PCD file, and how many were left out.
pub(super) fn read_points_m(
    file: &InputFile,
    drop_missing: bool,
) -> Result<(Vec<[f64; 3]>, usize), Error> {
    let cloud = read_cloud(&file.bytes, Limits::default()).map_err(|error| file.refuse(error))?;
    let point_count = cloud.points.len();
    let is_whole = |point: &[f64; 3]| point.iter().all(|value| value.is_finite());
    let bad = cloud.points.iter().position(|point| !is_whole(point));
    if let (Some(index), false) = (bad, drop_missing) {
        let mut axes = ["x", "y", "z"].into_iter().zip(cloud.points[index]);
        let (axis, value) = axes.find(|(_, v)| !v.is_finite()).unwrap_or(("x", f64::NAN));
        return Err(bad_number(file, index, axis, value));
    }
    let points: Vec<[f64; 3]> = cloud.points.into_iter().filter(is_whole).collect();
    if points.is_empty() {
        return Err(Error::NoWholeRow { path: file.path.clone() });
    }
    let dropped_count = point_count - points.len();
    Ok((points, dropped_count))
}

/// A note of what was left out, if anything was.
pub(super) fn dropped_note(file: &InputFile, dropped_count: usize, what: &str) -> Option<String> {
    (dropped_count > 0)
        .then(|| format!("{dropped_count} {what} of `{}` were left out", file.path.display()))
}
