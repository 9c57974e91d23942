//! SQL over the tables of a head, read only.
//!
//! Invariant: a statement that would change anything is refused twice: by its kind before it is
//! planned, and by its plan before it runs. A query sees exactly the versions its head names.
//!
//! Not here: who may ask (the caller gives the allowed labels), and formatting answers.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{
    catalog::{CatalogProvider, MemoryCatalogProvider},
    common::{SchemaError, TableReference},
    error::DataFusionError,
    execution::{
        SessionState, SessionStateBuilder,
        context::{SQLOptions, SessionContext},
    },
    prelude::SessionConfig,
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast::Statement as Sql,
    },
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use crate::{Head, Store, StoreError, provider::LakeSchema};

const CATALOG: &str = "tiepoint";
const SCHEMA: &str = "lake";

/// The answer to a query: its columns, and its rows as they come.
pub struct QueryStream {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch, StoreError>>,
}

impl Store {
    /// Runs one SQL query on the tables of a head, rows as they come.
    ///
    /// `allowed_labels`: if set, rows of tables with a `label` column are there only with one of
    /// them.
    ///
    /// # Errors
    /// [`StoreError::NotAQuery`], [`StoreError::StatementCount`], [`StoreError::UnknownTable`],
    /// [`StoreError::UnknownColumn`], [`StoreError::BadQuery`], [`StoreError::QueryFailed`].
    pub async fn query_stream(
        &self,
        head: &Head,
        sql: &str,
        allowed_labels: Option<Vec<String>>,
    ) -> Result<QueryStream, StoreError> {
        let statement = one_query(sql).map_err(|error| explained(error, head))?;
        let state = self.session(head, allowed_labels);
        check_tables(&state, &statement, head)?;
        let bad = |source: DataFusionError| explained(Failure::Plan(source), head);
        let plan = state.statement_to_plan(statement).await.map_err(bad)?;
        let reads_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        reads_only.verify_plan(&plan).map_err(bad)?;
        let context = SessionContext::new_with_state(state);
        let frame = context.execute_logical_plan(plan).await.map_err(bad)?;
        let stream = frame.execute_stream().await.map_err(bad)?;
        let schema = stream.schema();
        Ok(QueryStream { schema, batches: stream.map_err(ran_into).boxed() })
    }

    /// Runs one SQL query on the tables of a head.
    ///
    /// # Errors
    /// As [`Store::query_stream`].
    pub async fn query(
        &self,
        head: &Head,
        sql: &str,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), StoreError> {
        let QueryStream { schema, batches } = self.query_stream(head, sql, None).await?;
        Ok((schema, batches.try_collect().await?))
    }

    fn session(&self, head: &Head, allowed_labels: Option<Vec<String>>) -> SessionState {
        let config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(true);
        let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
        let schema = LakeSchema { tables: self.tables.clone(), head: head.clone(), allowed_labels };
        let catalog = MemoryCatalogProvider::new();
        // A new catalog takes any schema.
        let _ = catalog.register_schema(SCHEMA, Arc::new(schema));
        state.catalog_list().register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        state
    }
}

/// What went wrong before a query ran.
enum Failure {
    Plan(DataFusionError),
    Refused(StoreError),
}

/// Parses one statement that only reads.
fn one_query(sql: &str) -> Result<Statement, Failure> {
    let mut statements = DFParser::parse_sql(sql).map_err(Failure::Plan)?;
    let count = statements.len();
    match statements.pop_front() {
        Some(statement) if count == 1 => match refused_word(&statement) {
            None => Ok(statement),
            Some(word) => Err(Failure::Refused(StoreError::NotAQuery { statement: word })),
        },
        _ => Err(Failure::Refused(StoreError::StatementCount { count })),
    }
}

/// The first word of a statement that does more than read.
fn refused_word(statement: &Statement) -> Option<String> {
    match statement {
        Statement::Statement(sql) => match sql.as_ref() {
            Sql::Query(_)
            | Sql::Explain { .. }
            | Sql::ExplainTable { .. }
            | Sql::ShowTables { .. }
            | Sql::ShowColumns { .. } => None,
            other => Some(first_word(&other.to_string())),
        },
        Statement::Explain(explain) => refused_word(&explain.statement),
        other => Some(first_word(&other.to_string())),
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_uppercase()
}

/// Names the first table that the head does not have; the planner would only say "not found".
fn check_tables(
    state: &SessionState,
    statement: &Statement,
    head: &Head,
) -> Result<(), StoreError> {
    let bad = |source| explained(Failure::Plan(source), head);
    for reference in state.resolve_table_references(statement).map_err(bad)? {
        if let TableReference::Bare { table } = &reference {
            head.version_of(table)?;
        }
    }
    Ok(())
}

fn explained(failure: Failure, head: &Head) -> StoreError {
    let source = match failure {
        Failure::Refused(error) => return error,
        Failure::Plan(source) => source,
    };
    if let DataFusionError::SchemaError(schema_error, _) = source.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
    {
        let known = valid_fields.iter().map(|column| column.name.clone()).collect();
        return StoreError::UnknownColumn { column: field.name.clone(), known };
    }
    match own_error(source) {
        Ok(error) => error,
        Err(source) => {
            let known = head.versions.keys().cloned().collect();
            StoreError::BadQuery { known, source: Box::new(source) }
        }
    }
}

fn ran_into(source: DataFusionError) -> StoreError {
    own_error(source).unwrap_or_else(|source| StoreError::QueryFailed(Box::new(source)))
}

/// Our own error, if DataFusion only carried it.
fn own_error(source: DataFusionError) -> Result<StoreError, DataFusionError> {
    match source {
        DataFusionError::External(error) => match error.downcast::<StoreError>() {
            Ok(error) => Ok(*error),
            Err(error) => Err(DataFusionError::External(error)),
        },
        DataFusionError::Context(text, inner) => {
            own_error(*inner).map_err(|inner| DataFusionError::Context(text, Box::new(inner)))
        }
        other => Err(other),
    }
}
