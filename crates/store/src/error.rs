//! The one error of this crate: what failed, where, and what to do next.
//!
//! Invariant: every variant answers [`StoreError::kind`] for programs and [`StoreError::hint`]
//! for people. A message never contains rows.

use std::{
    io,
    path::{Path, PathBuf},
};

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use tiepoint_model::{Digest, ErrorKind};

/// Why the store could not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no lake where one was to be opened.
    #[error("there is no lake at {}", path.display())]
    NoLake {
        /// The folder.
        path: PathBuf,
    },
    /// An object's name is not a relative path of plain segments.
    #[error("`{key}` is not an object key")]
    BadKey {
        /// The name.
        key: String,
    },
    /// There is no such object.
    #[error("object `{key}` does not exist")]
    NotFound {
        /// The name.
        key: String,
    },
    /// A range lies outside its object.
    #[error("bytes {start}..{end} are outside object `{key}` of {size_bytes} bytes")]
    OutOfRange {
        /// The object.
        key: String,
        /// First byte asked for.
        start: u64,
        /// Byte after the last one asked for.
        end: u64,
        /// Length of the object.
        size_bytes: u64,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: io::Error,
    },
    /// There is no room on the disk.
    #[error("the disk is full: cannot {action} {}", path.display())]
    DiskFull {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Reading the bytes to store failed.
    #[error("cannot read the bytes to store")]
    Source(#[source] io::Error),
    /// A stored blob is not the bytes it is named by.
    #[error("blob `{expected}` holds bytes whose BLAKE3 is `{found}`")]
    BlobDamaged {
        /// Its name.
        expected: Digest,
        /// The digest of what it holds.
        found: Digest,
    },
    /// A table's name is not lower-case letters, digits and underscores.
    #[error("`{table}` is not a table name")]
    BadTableName {
        /// The name.
        table: String,
    },
    /// The head names no such table.
    #[error("table `{table}` does not exist")]
    UnknownTable {
        /// The name.
        table: String,
        /// The tables that exist.
        known: Vec<String>,
    },
    /// A version of a table cannot be found on disk.
    #[error("version {version} of table `{table}` is missing")]
    VersionMissing {
        /// The table.
        table: String,
        /// The version id.
        version: u64,
    },
    /// Batches differ from their table.
    #[error("batch does not fit table `{table}`: {difference}")]
    SchemaMismatch {
        /// The table.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// An append without rows.
    #[error("nothing to append to table `{table}`")]
    NothingToAppend {
        /// The table.
        table: String,
    },
    /// Two pending appends of different tables cannot be one.
    #[error("an append to `{other}` cannot be committed with one to `{table}`")]
    MixedAppend {
        /// The table of the first.
        table: String,
        /// The table of the second.
        other: String,
    },
    /// A pending append's file has been swept before it was committed.
    #[error("data of an uncommitted append is gone: {}", path.display())]
    Swept {
        /// The file.
        path: PathBuf,
    },
    /// Lance wrote a file that did not pass the seam: it would not be durable.
    #[error("a file was written around the seam: {}", path.display())]
    AroundTheSeam {
        /// The file.
        path: PathBuf,
    },
    /// The table engine wrote fewer or more rows than it was given.
    #[error("compacting table `{table}` made {after} rows of {before}")]
    RowsLost {
        /// The table.
        table: String,
        /// Rows before.
        before: u64,
        /// Rows after.
        after: u64,
    },
    /// The table engine failed.
    #[error("cannot {action} table `{table}`")]
    Table {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: String,
        /// Its answer.
        #[source]
        source: Box<lance::Error>,
    },
    /// The statement is not one query.
    #[error("`{statement}` is refused: the lake is changed by operations, never by SQL")]
    NotAQuery {
        /// The first word of the statement.
        statement: String,
    },
    /// The text holds no statement, or several.
    #[error("expected one SQL statement, found {count}")]
    StatementCount {
        /// How many.
        count: usize,
    },
    /// A column that no table of the query has.
    #[error("column `{column}` does not exist")]
    UnknownColumn {
        /// The name.
        column: String,
        /// The columns that exist there.
        known: Vec<String>,
    },
    /// A column that is to equal a text holds something else.
    #[error("column `{column}` is {data_type}, not text")]
    NotText {
        /// The name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// The query cannot be parsed or planned.
    #[error("the query cannot be planned")]
    BadQuery {
        /// The tables that exist.
        known: Vec<String>,
        /// The planner's answer.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The query failed while it ran.
    #[error("the query failed")]
    QueryFailed(#[source] Box<DataFusionError>),
    /// A description of a scan is damaged or of another format.
    #[error("scan description is damaged: {what}")]
    BadScanSpec {
        /// What is wrong.
        what: &'static str,
    },
    /// A column type that has no canonical form.
    #[error("column `{column}` of type {data_type} has no content digest")]
    UnsupportedColumn {
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A column that the digest needs is not in a batch, or has another type there.
    #[error("column `{column}` is missing from the batch or has another type")]
    MissingColumn {
        /// The column.
        column: String,
    },
    /// Rows of a channel are not in (log time, sequence) order.
    #[error("row {row_index} is before its predecessor in log time and sequence")]
    RowsOutOfOrder {
        /// Counted from the channel's first row.
        row_index: u64,
    },
    /// A value is longer than a `u32` can say.
    #[error("row {row_index} of column `{column}` is longer than 2^32 - 1")]
    ValueTooLong {
        /// The column.
        column: String,
        /// Counted from the channel's first row.
        row_index: u64,
    },
    /// Arrow refused.
    #[error("batches cannot be handled")]
    Arrow(#[from] ArrowError),
    /// A background task of ours panicked or was cancelled.
    #[error("a background task ended early while it was to {action}")]
    TaskLost {
        /// What it did.
        action: &'static str,
    },
}

impl StoreError {
    /// A refusal of the file system.
    pub(crate) fn of_io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match is_full(&source) {
            true => Self::DiskFull { action, path, source: Box::new(source) },
            false => Self::Io { action, path, source },
        }
    }

    /// A failure of the table engine, which carries the file system's refusal if that was the cause.
    pub(crate) fn of_table(action: &'static str, table: &str, source: lance::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
        while let Some(error) = cause {
            if error.downcast_ref().is_some_and(is_full) {
                let path = Path::new("tables").join(table);
                return Self::DiskFull { action, path, source: Box::new(source) };
            }
            cause = error.source();
        }
        Self::Table { action, table: table.to_owned(), source: Box::new(source) }
    }

    /// What a program should do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::BadKey { .. }
            | Self::OutOfRange { .. }
            | Self::BadTableName { .. }
            | Self::SchemaMismatch { .. }
            | Self::NothingToAppend { .. }
            | Self::NotAQuery { .. }
            | Self::StatementCount { .. }
            | Self::UnknownColumn { .. }
            | Self::NotText { .. }
            | Self::BadQuery { .. }
            | Self::UnsupportedColumn { .. }
            | Self::MissingColumn { .. }
            | Self::RowsOutOfOrder { .. }
            | Self::ValueTooLong { .. } => ErrorKind::InvalidInput,
            Self::NoLake { .. } | Self::NotFound { .. } | Self::UnknownTable { .. } => {
                ErrorKind::NotFound
            }
            Self::QueryFailed(source) => query_error_kind(source),
            Self::Swept { .. } => ErrorKind::Conflict,
            Self::BlobDamaged { .. } | Self::VersionMissing { .. } | Self::BadScanSpec { .. } => {
                ErrorKind::Corrupt
            }
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                ErrorKind::InvalidInput
            }
            Self::Io { .. } | Self::DiskFull { .. } | Self::Source(_) => ErrorKind::Unavailable,
            Self::Table { source, .. } => table_error_kind(source),
            Self::MixedAppend { .. }
            | Self::AroundTheSeam { .. }
            | Self::RowsLost { .. }
            | Self::Arrow(_)
            | Self::TaskLost { .. } => ErrorKind::Internal,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoLake { .. } => "check the folder; `ingest` makes a lake".into(),
            Self::NotText { .. } => "compare it in SQL, with `query`".into(),
            Self::BadKey { .. } => {
                "use letters, digits, `.`, `-` and `_` in segments parted by `/`".into()
            }
            Self::BadTableName { .. } => {
                "begin with a letter; use lower-case letters, digits and `_`".into()
            }
            Self::UnknownTable { known, .. } | Self::BadQuery { known, .. } => {
                format!("the tables are: {}", listed(known))
            }
            Self::UnknownColumn { known, .. } => format!("the columns are: {}", listed(known)),
            Self::SchemaMismatch { table, .. } => {
                format!("see the columns of the table with `DESCRIBE {table}`")
            }
            Self::NothingToAppend { .. } => "leave empty channels out of the append".into(),
            Self::NotAQuery { .. } => {
                "use SELECT, EXPLAIN, DESCRIBE or SHOW; data enters by `ingest`".into()
            }
            Self::StatementCount { .. } => "send one statement at a time".into(),
            Self::QueryFailed(source) => match carried(source) {
                Some(error) => error.hint(),
                None => "check the values that the query computes with".into(),
            },
            Self::Swept { .. } => "run the operation again; nothing was committed".into(),
            Self::NotFound { .. } | Self::VersionMissing { .. } | Self::BlobDamaged { .. } => {
                "run `verify`; it lists what is missing or damaged".into()
            }
            Self::RowsOutOfOrder { .. } => "sort the channel by log time and sequence".into(),
            Self::UnsupportedColumn { .. } => {
                "store the values as numbers, text, bytes, lists or structs of them".into()
            }
            Self::ValueTooLong { .. } => "keep payloads of this size as blobs".into(),
            Self::MissingColumn { .. } => {
                "give every batch the columns the digest was begun with".into()
            }
            Self::OutOfRange { size_bytes, .. } => {
                format!("ask for bytes within 0..{size_bytes}")
            }
            Self::BadScanSpec { .. } => "plan the query again with this version".into(),
            Self::Io { .. } | Self::Source(_) => {
                "check free space, permissions and that the disk is there; then try again".into()
            }
            Self::Table { .. } => "try again; if it persists, run `verify`".into(),
            Self::DiskFull { .. } => "nothing that was acknowledged is lost; make room there \
                (`tiepoint sweep` removes what runs cut short have left), then run it again"
                .into(),
            Self::MixedAppend { .. }
            | Self::AroundTheSeam { .. }
            | Self::RowsLost { .. }
            | Self::Arrow(_)
            | Self::TaskLost { .. } => "report this; nothing was committed".into(),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The class of a failure of the table engine.
fn table_error_kind(error: &lance::Error) -> ErrorKind {
    match error {
        lance::Error::CorruptFile { .. }
        | lance::Error::NotFound { .. }
        | lance::Error::DatasetNotFound { .. }
        | lance::Error::VersionNotFound { .. } => ErrorKind::Corrupt,
        lance::Error::InvalidInput { .. }
        | lance::Error::SchemaMismatch { .. }
        | lance::Error::Schema { .. }
        | lance::Error::Arrow { .. } => ErrorKind::InvalidInput,
        lance::Error::CommitConflict { .. } | lance::Error::DatasetAlreadyExists { .. } => {
            ErrorKind::Conflict
        }
        lance::Error::IO { .. }
        | lance::Error::Timeout { .. }
        | lance::Error::DiskCapExceeded { .. } => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

/// The class of a failure while a query ran.
fn query_error_kind(error: &DataFusionError) -> ErrorKind {
    if let Some(error) = carried(error) {
        return error.kind();
    }
    match error.find_root() {
        DataFusionError::IoError(_) | DataFusionError::ResourcesExhausted(_) => {
            ErrorKind::Unavailable
        }
        DataFusionError::Internal(_) | DataFusionError::External(_) => ErrorKind::Internal,
        _ => ErrorKind::InvalidInput,
    }
}

/// Our own error at the root of DataFusion's, if it only carried it.
fn carried(error: &DataFusionError) -> Option<&StoreError> {
    match error.find_root() {
        DataFusionError::External(error) => error.downcast_ref(),
        _ => None,
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none yet".into() } else { names.join(", ") }
}
