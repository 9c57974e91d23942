//! Mutual information of two columns of one file.
//!
//! Invariant: which columns took part is in the answer.
//! Unit: nats.

use serde_json::json;
use tiepoint_measure::distribution::{information_metric, mutual_information};

use super::{InputFile, Measured, MeasuredValue, dropped_note, read_numbers, value};
use crate::Error;

/// Two columns of one file.
#[derive(Clone, Debug)]
pub struct InformationRequest {
    /// CSV or Parquet; row i of both columns belongs together.
    pub table: InputFile,
    /// The two columns.
    pub columns: [String; 2],
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// How many nearest neighbours the estimate looks at.
    pub neighbours: usize,
}

/// Measures what one column says about the other.
///
/// # Errors
/// As [`super::measure_distribution`].
pub fn measure_information(request: &InformationRequest) -> Result<Measured, Error> {
    let InformationRequest { table: file, columns, drop_missing, neighbours } = request;
    let table = read_numbers(file, columns, *drop_missing)?;
    let [x, y] = [&table.columns[0], &table.columns[1]];
    let values = mutual_information(x, y, *neighbours).map(|found| vec![value(found, "nat")]);
    let mut measured = Measured::of(&information_metric(*neighbours), values)?;
    measured.values.push(MeasuredValue::json("columns", json!(table.names), ""));
    measured.values.push(MeasuredValue::count("count", x.len()));
    measured.notes.extend(dropped_note(file, table.dropped_count, "rows"));
    Ok(measured)
}
