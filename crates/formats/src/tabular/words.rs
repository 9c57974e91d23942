//! Whole columns of words: categories and names, for measures that need no recording.
//!
//! Invariant: every column has one word per row; numbers are words as the file writes them, and a
//! missing cell is `None`.

use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::DataType,
};

use super::{
    csv::Row,
    parquet::malformed,
    whole::{self, Cells},
};
use crate::{Limits, ReadError, reader::Container};

/// One column of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordColumn {
    /// As the header has it.
    pub name: String,
    /// One per row; `None` where the cell is missing.
    pub values: Vec<Option<String>>,
}

/// Reads named columns of a CSV (parted by commas, with a header) or a Parquet file as words.
///
/// The columns come in the order of `names`, which holds at least one.
///
/// # Errors
/// As [`super::read_columns`]; [`ReadError::Line`] for a cell that is not UTF-8.
pub fn read_words(
    container: Container,
    bytes: &[u8],
    names: &[&str],
    limits: Limits,
) -> Result<Vec<WordColumn>, ReadError> {
    whole::read(container, bytes, names, limits)
}

impl Cells for WordColumn {
    fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), values: Vec::new() }
    }

    fn has_rows(&self) -> bool {
        !self.values.is_empty()
    }

    fn holds(_kind: &DataType) -> bool {
        true
    }

    fn push(&mut self, row: &Row<'_>, index: usize) -> Result<(), ReadError> {
        let word = std::str::from_utf8(row.cell(index)).map_err(|_| {
            let problem = "the cell is not UTF-8".to_owned();
            ReadError::Line { line: row.line, column: index + 1, problem }
        })?;
        self.values.push((!word.is_empty()).then(|| word.to_owned()));
        Ok(())
    }

    fn extend(&mut self, array: &dyn Array) -> Result<(), ReadError> {
        let array = cast(array, &DataType::Utf8).map_err(malformed)?;
        let words = array.as_string::<i32>();
        let word = |row: usize| words.is_valid(row).then(|| words.value(row).to_owned());
        self.values.extend((0..words.len()).map(word));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};

    use super::*;

    #[test]
    fn words_of_both_kinds_of_file_are_the_same_and_missing_ones_are_none() {
        let csv = b"weather,lane\nrain,1\n,2\nfog,3\n";
        let names = ["lane", "weather"];
        let found = read_words(Container::Csv, csv, &names, Limits::default()).unwrap();
        let weather: ArrayRef = Arc::new(StringArray::from(vec![Some("rain"), None, Some("fog")]));
        let lane: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter([("weather", weather), ("lane", lane)]).unwrap();
        let mut bytes = Vec::new();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let limits = Limits::default();
        assert_eq!(read_words(Container::Parquet, &bytes, &names, limits).unwrap(), found);
        assert_eq!(found[0].values[2].as_deref(), Some("3"));
        assert_eq!(found[1].values[1], None);
    }

    #[test]
    fn files_without_the_column_or_a_row_are_refused() {
        let read = |bytes: &[u8]| read_words(Container::Csv, bytes, &["a"], Limits::default());
        for bytes in [b"b\n1\n".as_slice(), b"a,a\n1,2\n", b"a\n", b"", b"a\n\xff\n", b"a\n1,2\n"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
