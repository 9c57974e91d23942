//! Total variation of categories in two files.
//!
//! Invariant: a category is the word of a row, of several columns their words together; a category
//! that one side lacks counts whole.

use std::collections::BTreeMap;

use serde_json::json;
use tiepoint_measure::distribution::{category_distance, category_metric};

use super::super::{
    InputFile, Measured, MeasuredTable, MeasuredValue,
    input::{dropped_note, read_words},
};
use crate::Error;

/// Categories in two files.
#[derive(Clone, Debug)]
pub struct CategoryRequest {
    /// The real sample: CSV or Parquet.
    pub real: InputFile,
    /// The synthetic sample, with the same columns.
    pub synthetic: InputFile,
    /// Columns of words, at least one; of several a category is their combination.
    pub columns: Vec<String>,
    /// Leave out rows with a missing word instead of refusing the file.
    pub drop_missing: bool,
}

/// Measures how far the shares of categories differ.
///
/// # Errors
/// [`Error::Log`] naming line and column, [`Error::BadNumber`] for a missing word,
/// [`Error::NoWholeRow`].
pub fn measure_categories(request: &CategoryRequest) -> Result<Measured, Error> {
    let CategoryRequest { real, synthetic, columns, drop_missing } = request;
    if columns.is_empty() {
        let what = "dist.total_variation".to_owned();
        return Err(Error::NeedsOption { what, option: "--columns" });
    }
    let (real_rows, real_dropped) = read_words(real, columns, *drop_missing)?;
    let (synthetic_rows, synthetic_dropped) = read_words(synthetic, columns, *drop_missing)?;
    let mut counts: BTreeMap<&Vec<String>, [usize; 2]> = BTreeMap::new();
    for (side, rows) in [&real_rows, &synthetic_rows].into_iter().enumerate() {
        for row in rows {
            counts.entry(row).or_default()[side] += 1;
        }
    }
    let code: BTreeMap<&Vec<String>, u64> = counts.keys().copied().zip(0_u64..).collect();
    let codes = |rows: &[Vec<String>]| rows.iter().map(|row| code[row]).collect::<Vec<u64>>();
    let distance = category_distance(&codes(&real_rows), &codes(&synthetic_rows));
    let values = distance.map(|distance| vec![MeasuredValue::real("value", distance, "1")]);
    let mut measured = Measured::of(&category_metric(), values)?;
    measured.values.push(MeasuredValue::json("columns", json!(columns), ""));
    measured.values.push(MeasuredValue::count("real_count", real_rows.len()));
    measured.values.push(MeasuredValue::count("synthetic_count", synthetic_rows.len()));
    let share = |count: usize, all: &[Vec<String>]| count as f64 / all.len() as f64;
    let rows = counts.iter().map(|(words, [real, synthetic])| {
        vec![
            MeasuredValue::word("category", &words.join(", ")),
            MeasuredValue::real("real_share", share(*real, &real_rows), "1"),
            MeasuredValue::real("synthetic_share", share(*synthetic, &synthetic_rows), "1"),
        ]
    });
    let rows = rows.collect();
    measured.tables.push(MeasuredTable { name: "categories".to_owned(), rows });
    measured.notes.extend(dropped_note(real, real_dropped, "rows"));
    measured.notes.extend(dropped_note(synthetic, synthetic_dropped, "rows"));
    Ok(measured)
}
