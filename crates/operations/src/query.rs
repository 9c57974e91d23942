//! `query`: SQL over the lake at its head, as batches, rows of text, JSON or an Arrow file.

use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    ipc::writer::FileWriter,
    util::display::{ArrayFormatter, FormatOptions},
};

use crate::{Error, Platform};

/// Rows and their columns.
pub struct QueryResult {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// Runs one query on the lake as its ledger says it is.
///
/// # Errors
/// Those of the store: no query, unknown tables and columns, and what SQL itself refuses.
pub async fn query(platform: &Platform, sql: &str) -> Result<QueryResult, Error> {
    let (schema, batches) = platform.store.query(&platform.head(), sql).await?;
    Ok(QueryResult { schema, batches })
}

impl QueryResult {
    /// How many rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The column names, and each row as text; an empty text where there is no value.
    ///
    /// # Errors
    /// [`Error::Arrow`] for a type that has no text.
    pub fn to_table(&self) -> Result<(Vec<String>, Vec<Vec<String>>), Error> {
        let header = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        let options = FormatOptions::default();
        let mut rows = Vec::with_capacity(self.row_count());
        for batch in &self.batches {
            let columns = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
                .collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cells = columns.iter().map(|column| column.value(row).try_to_string());
                rows.push(cells.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok((header, rows))
    }

    /// One object per row. Columns whose name ends in `_ns` are decimal strings: JavaScript would round them.
    ///
    /// # Errors
    /// [`Error::Arrow`] for a type that JSON cannot hold, [`Error::Json`].
    pub fn to_json(&self) -> Result<serde_json::Value, Error> {
        let mut writer = arrow::json::ArrayWriter::new(Vec::new());
        for batch in &self.batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        let bytes = writer.into_inner();
        if bytes.is_empty() {
            return Ok(serde_json::Value::Array(Vec::new()));
        }
        let mut rows: serde_json::Value = serde_json::from_slice(&bytes).map_err(Error::Json)?;
        for row in rows.as_array_mut().into_iter().flatten() {
            for (name, value) in row.as_object_mut().into_iter().flatten() {
                if name.ends_with("_ns") && value.is_number() {
                    *value = serde_json::Value::String(value.to_string());
                }
            }
        }
        Ok(rows)
    }

    /// The bytes of an Arrow IPC file.
    ///
    /// # Errors
    /// [`Error::Arrow`].
    pub fn to_arrow_file(&self) -> Result<Vec<u8>, Error> {
        let mut writer = FileWriter::try_new(Vec::new(), &self.schema)?;
        for batch in &self.batches {
            writer.write(batch)?;
        }
        Ok(writer.into_inner()?)
    }
}
