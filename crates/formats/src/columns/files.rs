//! The table `files`: what is kept without being read, as batches and back.
//!
//! Invariant: what goes in comes out.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, StringArray, UInt64Array},
    datatypes::DataType,
};
use tiepoint_model::RegisteredFile;

use super::{ColumnsError, from_batch::Columns, schema::files_schema, value_error};

const FILES: &str = "files";

/// One row per file.
///
/// # Errors
/// Those of Arrow, for columns that do not fit the schema.
pub fn files_to_batch(files: &[RegisteredFile]) -> Result<RecordBatch, ColumnsError> {
    let texts = |text: fn(&RegisteredFile) -> String| {
        Arc::new(StringArray::from_iter_values(files.iter().map(text)))
    };
    let sizes = UInt64Array::from_iter_values(files.iter().map(|file| file.size_bytes));
    let columns: Vec<arrow::array::ArrayRef> = vec![
        texts(|file| file.file_id.clone()),
        texts(|file| file.name.clone()),
        Arc::new(sizes),
        texts(|file| file.blake3.to_string()),
        texts(|file| file.sha256.to_string()),
    ];
    Ok(RecordBatch::try_new(files_schema(), columns)?)
}

/// The files of a batch, in the order of its rows.
///
/// # Errors
/// [`ColumnsError`], if the batch is not of the table's schema or a digest is none.
pub fn files_from_batch(batch: &RecordBatch) -> Result<Vec<RegisteredFile>, ColumnsError> {
    let columns = Columns { table: FILES, batch };
    let (ids, names) = (columns.texts("file_id")?, columns.texts("name")?);
    let sizes = columns.column::<UInt64Array>("size_bytes", &DataType::UInt64)?;
    let (blake3, sha256) = (columns.texts("blake3")?, columns.texts("sha256")?);
    let digest = |column, texts: &StringArray, row| {
        texts.value(row).parse().map_err(value_error(FILES, column, row))
    };
    let file = |row| {
        Ok(RegisteredFile {
            file_id: ids.value(row).to_owned(),
            name: names.value(row).to_owned(),
            size_bytes: sizes.value(row),
            blake3: digest("blake3", blake3, row)?,
            sha256: digest("sha256", sha256, row)?,
        })
    };
    (0..batch.num_rows()).map(file).collect()
}
