//! `LakeScan`: the one plan node that reads the lake.
//!
//! Invariant: it is built without touching a disk, from a description that can be sent to another
//! machine; it opens its table version only when a partition runs. Rows whose label is not
//! allowed are dropped before anything else sees them. It claims no statistics, and says only its
//! name in a plan, because both would tell what a reader may not see.
//! A partition is a run of fragments; partitions in order give the version's rows in order.
//!
//! Not here: which version (the head), other predicates (DataFusion runs them on top).

mod spec;

use std::{fmt, sync::Arc};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use datafusion::{
    error::{DataFusionError, Result as DataFusionResult},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, col, ident, lit},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use lance::{Dataset, dataset::scanner::Scanner};

pub use self::spec::LakeScanSpec;
use crate::{StoreError, Tables, tables::encoding::plain_column};

/// The column that access is decided on, if a table has it.
pub(crate) const LABEL_COLUMN: &str = "label";

/// A batch holds about this many bytes at most: rows of clouds and images are large.
const BATCH_BYTES: u64 = 8 << 20;

/// The plan node: a description, and the tables to run it on.
#[derive(Debug)]
pub struct LakeScan {
    spec: Arc<LakeScanSpec>,
    tables: Tables,
    properties: Arc<PlanProperties>,
}

impl LakeScan {
    /// From a description. Nothing is opened.
    #[must_use]
    pub fn new(spec: LakeScanSpec, tables: Tables) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&spec.schema)),
            Partitioning::UnknownPartitioning(spec.partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { spec: Arc::new(spec), tables, properties: Arc::new(properties) }
    }

    /// What it reads.
    #[must_use]
    pub fn spec(&self) -> &LakeScanSpec {
        &self.spec
    }
}

impl DisplayAs for LakeScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LakeScan")
    }
}

impl ExecutionPlan for LakeScan {
    fn name(&self) -> &str {
        "LakeScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let rows = partition_rows(self.tables.clone(), Arc::clone(&self.spec), partition)
            .map_err(|error| DataFusionError::External(Box::new(error)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.spec.schema), rows)))
    }
}

/// The rows of one partition, in the version's order.
pub(crate) fn partition_rows(
    tables: Tables,
    spec: Arc<LakeScanSpec>,
    partition: usize,
) -> BoxStream<'static, Result<RecordBatch, StoreError>> {
    stream::once(open_partition(tables, spec, partition)).try_flatten().boxed()
}

async fn open_partition(
    tables: Tables,
    spec: Arc<LakeScanSpec>,
    partition: usize,
) -> Result<BoxStream<'static, Result<RecordBatch, StoreError>>, StoreError> {
    let fragment_ids = spec.partitions.get(partition).map_or(&[][..], Vec::as_slice);
    if fragment_ids.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let dataset = tables.reader(&spec.table, spec.version).await?;
    let predicate = spec.predicate(dataset.schema().field(LABEL_COLUMN).is_some());
    let mut scanner = dataset.scan();
    scanner.batch_size_bytes(BATCH_BYTES);
    scanner.with_fragments(fragments_of(&dataset, fragment_ids, &spec)?);
    if spec.schema.fields().is_empty() && predicate.is_none() {
        return count_rows(&dataset, fragment_ids, &spec).await;
    }
    project(&mut scanner, &spec).map_err(table_error(&spec))?;
    if let Some(predicate) = predicate {
        scanner.filter_expr(predicate);
    }
    let rows = scanner.try_into_stream().await.map_err(table_error(&spec))?;
    let failed = table_error(&spec);
    Ok(rows.map(move |batch| conformed(&batch.map_err(&failed)?, &spec.schema)).boxed())
}

/// Rows without columns: only their number matters, and fragments know it.
async fn count_rows(
    dataset: &Dataset,
    fragment_ids: &[u64],
    spec: &LakeScanSpec,
) -> Result<BoxStream<'static, Result<RecordBatch, StoreError>>, StoreError> {
    let mut batches = Vec::with_capacity(fragment_ids.len());
    for &id in fragment_ids {
        let fragment = usize::try_from(id).ok().and_then(|id| dataset.get_fragment(id));
        let fragment = fragment.ok_or_else(|| missing(spec))?;
        let count = fragment.count_rows(None).await.map_err(table_error(spec))?;
        batches.push(without_columns(&spec.schema, count));
    }
    Ok(stream::iter(batches).boxed())
}

fn project(scanner: &mut Scanner, spec: &LakeScanSpec) -> lance::Result<()> {
    let names: Vec<&str> = spec.schema.fields().iter().map(|f| f.name().as_str()).collect();
    scanner.project(&names)?;
    if names.is_empty() {
        // Lance refuses to scan nothing; the row id costs no reading and is dropped below.
        scanner.with_row_id();
    }
    Ok(())
}

fn fragments_of(
    dataset: &Dataset,
    ids: &[u64],
    spec: &LakeScanSpec,
) -> Result<Vec<lance_table::format::Fragment>, StoreError> {
    ids.iter()
        .map(|id| {
            let found = dataset.iter_fragments().find(|fragment| fragment.id == *id);
            found.cloned().ok_or_else(|| missing(spec))
        })
        .collect()
}

/// The batch with exactly the columns that the description promises.
fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    if schema.fields().is_empty() {
        return without_columns(schema, batch.num_rows());
    }
    let columns = schema.fields().iter().map(|field| {
        let missing = || StoreError::MissingColumn { column: field.name().clone() };
        let column = batch.column_by_name(field.name()).ok_or_else(missing)?;
        Ok(plain_column(column, field.data_type())?)
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, StoreError>>()?)?)
}

fn without_columns(schema: &SchemaRef, row_count: usize) -> Result<RecordBatch, StoreError> {
    let options = RecordBatchOptions::new().with_row_count(Some(row_count));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options)?)
}

impl LakeScanSpec {
    /// Allowed labels first, then the equalities; neither can fail on a value.
    fn predicate(&self, has_labels: bool) -> Option<Expr> {
        let allowed = self.allowed_labels.as_ref().filter(|_| has_labels);
        let labels = allowed
            .map(|labels| col(LABEL_COLUMN).in_list(labels.iter().map(lit).collect(), false));
        let equalities = self.equals.iter().map(|(name, value)| ident(name).eq(lit(value)));
        labels.into_iter().chain(equalities).reduce(Expr::and)
    }
}

fn missing(spec: &LakeScanSpec) -> StoreError {
    StoreError::VersionMissing { table: spec.table.clone(), version: spec.version }
}

fn table_error(spec: &LakeScanSpec) -> impl Fn(lance::Error) -> StoreError + use<> {
    let table = spec.table.clone();
    move |source| StoreError::Table {
        action: "read rows of",
        table: table.clone(),
        source: Box::new(source),
    }
}
