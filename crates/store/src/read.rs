//! Reading a table's rows in the channel's order, without SQL: what operations use.
//!
//! Invariant: rows come in (log time, sequence) order, ties in the order in which they were
//! stored, whatever fragments they lie in. All rows asked for are held at once.
//!
//! Not here: predicates other than equality with a text.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    compute::interleave_record_batch,
    datatypes::{DataType, Schema, SchemaRef},
};
use futures::TryStreamExt;

use crate::{
    Head, Store, StoreError,
    order::{LOG_TIME_COLUMN, OrderKey, SEQUENCE_COLUMN, order_keys},
    provider::LakeTable,
    scan::partition_rows,
};

/// Rows in a batch that had to be put together anew.
const ROWS_PER_BATCH: usize = 8192;

/// Which rows and columns of a table to read.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    /// The table.
    pub table: &'a str,
    /// Columns to give, in this order; all of them if `None`.
    pub columns: Option<&'a [&'a str]>,
    /// Columns that must equal a text: `recording_id`, `topic`.
    pub equals: &'a [(&'a str, &'a str)],
}

impl Store {
    /// The rows of a table whose columns equal the given texts, in the channel's order.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_table(
        &self,
        head: &Head,
        table: &str,
        equals: &[(&str, &str)],
    ) -> Result<Vec<RecordBatch>, StoreError> {
        self.read(head, ReadRequest { table, columns: None, equals }).await
    }

    /// The rows that a request asks for, in the channel's order. Without rows, no batches.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::UnknownColumn`], [`StoreError::NotText`],
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn read(
        &self,
        head: &Head,
        request: ReadRequest<'_>,
    ) -> Result<Vec<RecordBatch>, StoreError> {
        let table = LakeTable::open(&self.tables, head, request.table, None).await?;
        let schema = table.columns();
        for (name, _) in request.equals {
            let field = schema.field(index_of(schema, name)?);
            if *field.data_type() != DataType::Utf8 {
                return Err(StoreError::NotText {
                    column: field.name().clone(),
                    data_type: field.data_type().to_string(),
                });
            }
        }
        let wanted = match request.columns {
            None => (0..schema.fields().len()).collect(),
            Some(names) => {
                names.iter().map(|name| index_of(schema, name)).collect::<Result<Vec<_>, _>>()?
            }
        };
        // The order's columns are read too, and dropped at the end if nobody asked for them.
        let mut read = wanted.clone();
        for name in [LOG_TIME_COLUMN, SEQUENCE_COLUMN] {
            read.extend(schema.index_of(name).ok().filter(|index| !wanted.contains(index)));
        }
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let equals = request.equals.iter().map(owned).collect();
        let spec = table.spec(Arc::new(projected(schema, &read)), equals, 1);
        let batches: Vec<RecordBatch> =
            partition_rows(self.tables.clone(), Arc::new(spec), 0).try_collect().await?;
        let batches = in_order(batches)?;
        if read.len() == wanted.len() {
            return Ok(batches);
        }
        let kept: Vec<usize> = (0..wanted.len()).collect();
        batches.iter().map(|batch| Ok(batch.project(&kept)?)).collect()
    }
}

fn index_of(schema: &SchemaRef, name: &str) -> Result<usize, StoreError> {
    schema.index_of(name).map_err(|_| StoreError::UnknownColumn {
        column: name.to_owned(),
        known: schema.fields().iter().map(|field| field.name().clone()).collect(),
    })
}

fn projected(schema: &SchemaRef, indices: &[usize]) -> Schema {
    let fields: Vec<_> = indices.iter().map(|&index| Arc::clone(&schema.fields()[index])).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

/// The same rows in the channel's order. Batches that are in order already are not copied.
fn in_order(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, StoreError> {
    let Some(keys) = batches.iter().map(order_keys).collect::<Option<Vec<_>>>() else {
        return Ok(batches);
    };
    if keys.iter().flatten().is_sorted() {
        return Ok(batches);
    }
    let mut rows: Vec<(OrderKey, (usize, usize))> = Vec::new();
    for (batch_index, keys) in keys.into_iter().enumerate() {
        let places = keys.into_iter().enumerate();
        rows.extend(places.map(|(row_index, key)| (key, (batch_index, row_index))));
    }
    // The place breaks ties, so the stored order is kept.
    rows.sort_unstable();
    let sources: Vec<&RecordBatch> = batches.iter().collect();
    rows.chunks(ROWS_PER_BATCH)
        .map(|chunk| {
            let places: Vec<(usize, usize)> = chunk.iter().map(|(_, place)| *place).collect();
            Ok(interleave_record_batch(&sources, &places)?)
        })
        .collect()
}
