//! Reading a table's rows in the channel's order, without SQL: what operations use.
//!
//! Invariant: rows come in (log time, sequence) order, ties in the order in which they were
//! stored, whatever fragments they lie in. [`Store::read`] holds all rows asked for, [`Store::stream`]
//! a batch of them where they are stored in order.
//!
//! Not here: predicates other than equality with a text.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    compute::interleave_record_batch,
    datatypes::{DataType, Schema, SchemaRef},
};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};

use crate::{
    Head, Store, StoreError,
    order::{LOG_TIME_COLUMN, OrderKey, SEQUENCE_COLUMN, order_keys},
    provider::LakeTable,
    scan::{LakeScanSpec, partition_rows},
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
        let plan = self.plan(head, request).await?;
        let batches: Vec<RecordBatch> = plan.stored(self).try_collect().await?;
        let batches = in_order(batches)?;
        batches.iter().map(|batch| plan.answer(batch)).collect()
    }

    /// The rows that a request asks for, in the channel's order, batch by batch.
    ///
    /// Rows that lie in that order, as those of a channel do whose time never ran back, are not held: the two columns of
    /// the order are read beforehand to make sure. Others are read and sorted as by [`Store::read`].
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn stream(
        &self,
        head: &Head,
        request: ReadRequest<'_>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, StoreError>>, StoreError> {
        let plan = self.plan(head, request).await?;
        if !self.lies_in_order(head, request).await? {
            let batches = self.read(head, request).await?;
            return Ok(stream::iter(batches.into_iter().map(Ok)).boxed());
        }
        let stored = plan.stored(self);
        Ok(stored.map(move |batch| plan.answer(&batch?)).boxed())
    }

    /// True if the rows are stored in the channel's order, or have none.
    async fn lies_in_order(
        &self,
        head: &Head,
        request: ReadRequest<'_>,
    ) -> Result<bool, StoreError> {
        let of_order = ReadRequest { columns: Some(&[]), ..request };
        let mut stored = self.plan(head, of_order).await?.stored(self);
        let mut last: Option<OrderKey> = None;
        while let Some(batch) = stored.try_next().await? {
            let Some(keys) = order_keys(&batch) else { return Ok(true) };
            if !keys.is_sorted() || keys.first().is_some_and(|first| last > Some(*first)) {
                return Ok(false);
            }
            last = keys.last().copied().or(last);
        }
        Ok(true)
    }

    async fn plan(&self, head: &Head, request: ReadRequest<'_>) -> Result<Plan, StoreError> {
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
        let wanted: Vec<usize> = match request.columns {
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
        Ok(Plan { spec: Arc::new(spec), wanted: wanted.len(), read: read.len() })
    }
}

/// What to read of a table.
struct Plan {
    spec: Arc<LakeScanSpec>,
    /// How many of the columns that are read were asked for; they come first.
    wanted: usize,
    read: usize,
}

impl Plan {
    /// The rows as they are stored.
    fn stored(&self, store: &Store) -> BoxStream<'static, Result<RecordBatch, StoreError>> {
        partition_rows(store.tables.clone(), Arc::clone(&self.spec), 0)
    }

    /// The columns that were asked for.
    fn answer(&self, batch: &RecordBatch) -> Result<RecordBatch, StoreError> {
        if self.read == self.wanted {
            return Ok(batch.clone());
        }
        let kept: Vec<usize> = (0..self.wanted).collect();
        Ok(batch.project(&kept)?)
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
