//! Reading a table's rows in the channel's order, without SQL: what operations use.
//!
//! Invariant: rows come in (log time, sequence) order, ties in the order in which they were
//! stored, whatever fragments they lie in. [`Store::read`] holds all rows asked for, [`Store::stream`]
//! some megabytes of them.
//!
//! Not here: predicates other than equality with a text.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Schema, SchemaRef},
};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};

use crate::{
    Head, Store, StoreError,
    order::{LOG_TIME_COLUMN, OrderKey, SEQUENCE_COLUMN, in_order, order_keys, spans, within},
    provider::LakeTable,
    scan::{LakeScanSpec, partition_rows},
};

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
    /// No more than some megabytes of rows are held. The two columns of the order are read beforehand: rows that lie in
    /// it, as those of a channel do whose time never ran back, are then read once, others once for each of some spans.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn stream(
        &self,
        head: &Head,
        request: ReadRequest<'_>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, StoreError>>, StoreError> {
        let plan = self.plan(head, request).await?;
        let Some(keys) = self.sorted_keys(head, request).await? else {
            let stored = plan.stored(self);
            return Ok(stored.map(move |batch| plan.answer(&batch?)).boxed());
        };
        let size_bytes = plan.size_bytes(self, keys.len()).await?;
        let store = self.clone();
        let pieces = stream::iter(spans(&keys, size_bytes)).then(move |span| {
            let (plan, stored) = (plan.clone(), plan.stored(&store));
            async move {
                let held = stored.map(|batch| within(&batch?, span));
                let held = held.try_filter(|batch| std::future::ready(batch.num_rows() > 0));
                let held = held.try_collect().await?;
                let ordered = in_order(held)?.into_iter();
                Ok::<_, StoreError>(stream::iter(ordered.map(move |batch| plan.answer(&batch))))
            }
        });
        Ok(pieces.try_flatten().boxed())
    }

    /// The keys of all rows in order, unless the rows are stored in it or have none.
    async fn sorted_keys(
        &self,
        head: &Head,
        request: ReadRequest<'_>,
    ) -> Result<Option<Vec<OrderKey>>, StoreError> {
        let of_order = ReadRequest { columns: Some(&[]), ..request };
        let mut stored = self.plan(head, of_order).await?.stored(self);
        let mut all: Vec<OrderKey> = Vec::new();
        while let Some(batch) = stored.try_next().await? {
            let Some(keys) = order_keys(&batch) else { return Ok(None) };
            all.extend(keys);
        }
        if all.is_sorted() {
            return Ok(None);
        }
        all.sort_unstable();
        Ok(Some(all))
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
#[derive(Clone)]
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

    /// About what so many rows take in memory, by the first batch of them.
    async fn size_bytes(&self, store: &Store, row_count: usize) -> Result<u64, StoreError> {
        let first = self.stored(store).try_next().await?;
        Ok(first.map_or(0, |batch| {
            let bytes = batch.get_array_memory_size() as u64;
            bytes / (batch.num_rows() as u64).max(1) * row_count as u64
        }))
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
