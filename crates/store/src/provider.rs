//! The lake's tables as DataFusion sees them.
//!
//! Invariant: a table is opened when a query names it, at the version the head names, and is read
//! through [`LakeScan`] alone. It says nothing about row counts or values.
//!
//! Not here: running queries (see [`crate::query`]).

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{SchemaProvider, Session, TableProvider},
    common::{ScalarValue, project_schema},
    error::{DataFusionError, Result as DataFusionResult},
    logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType},
    physical_plan::ExecutionPlan,
};

use crate::{Head, LakeScan, LakeScanSpec, StoreError, Tables, tables::columns_of};

/// One table at one version.
#[derive(Clone, Debug)]
pub struct LakeTable {
    tables: Tables,
    ledger_position: u64,
    table: String,
    version: u64,
    schema: SchemaRef,
    /// Ids and row counts, in the version's order.
    fragments: Vec<(u64, u64)>,
    allowed_labels: Option<Vec<String>>,
}

impl LakeTable {
    /// Opens a table at the version that a head names.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn open(
        tables: &Tables,
        head: &Head,
        table: &str,
        allowed_labels: Option<Vec<String>>,
    ) -> Result<Self, StoreError> {
        let version = head.version_of(table)?;
        let dataset = tables.reader(table, version).await?;
        let row_count = |rows: Option<usize>| rows.map_or(0, |rows| rows as u64);
        let fragments =
            dataset.iter_fragments().map(|f| (f.id, row_count(f.physical_rows))).collect();
        Ok(Self {
            tables: tables.clone(),
            ledger_position: head.position,
            table: table.to_owned(),
            version,
            schema: columns_of(&dataset),
            fragments,
            allowed_labels,
        })
    }

    /// The table's columns, with their metadata.
    #[must_use]
    pub fn columns(&self) -> &SchemaRef {
        &self.schema
    }

    /// The description of a scan of some columns, in at most `partition_count` partitions.
    #[must_use]
    pub fn spec(
        &self,
        columns: SchemaRef,
        equals: Vec<(String, String)>,
        partition_count: usize,
    ) -> LakeScanSpec {
        LakeScanSpec {
            ledger_position: self.ledger_position,
            table: self.table.clone(),
            version: self.version,
            partitions: LakeScanSpec::deal(&self.fragments, partition_count),
            schema: columns,
            equals,
            allowed_labels: self.allowed_labels.clone(),
        }
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let columns = project_schema(&self.schema, projection)?;
        let equals = filters.iter().filter_map(|filter| text_equality(filter, &self.schema));
        let partition_count = state.config().target_partitions();
        let spec = self.spec(columns, equals.collect(), partition_count);
        Ok(Arc::new(LakeScan::new(spec, self.tables.clone())))
    }

    /// Equality of a text column with a literal may skip rows early, because it cannot fail and
    /// so cannot tell about rows that the label filter hides. The query checks it again.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match text_equality(filter, &self.schema) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(answer).collect())
    }
}

/// `column = 'text'`, either way round, if the column holds text.
fn text_equality(filter: &Expr, schema: &SchemaRef) -> Option<(String, String)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else {
        return None;
    };
    let (column, value) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _))
        | (Expr::Literal(value, _), Expr::Column(column)) => (column, value),
        _ => return None,
    };
    let field = schema.field_with_name(&column.name).ok()?;
    match (field.data_type(), value) {
        (DataType::Utf8, ScalarValue::Utf8(Some(text))) => {
            Some((column.name.clone(), text.clone()))
        }
        _ => None,
    }
}

/// The tables of a head, each opened when a query names it.
#[derive(Debug)]
pub(crate) struct LakeSchema {
    pub(crate) tables: Tables,
    pub(crate) head: Head,
    pub(crate) allowed_labels: Option<Vec<String>>,
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        self.head.versions.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if !self.table_exist(name) {
            return Ok(None);
        }
        let labels = self.allowed_labels.clone();
        let table = LakeTable::open(&self.tables, &self.head, name, labels)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Some(Arc::new(table)))
    }

    async fn table_type(&self, name: &str) -> DataFusionResult<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.head.versions.contains_key(name)
    }
}
