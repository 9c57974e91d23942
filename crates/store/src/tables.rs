//! Versioned tables: created empty, appended to as detached versions, read at a named version.
//!
//! Invariant: no version is ever "the latest". A table is made once on Lance's main line without
//! rows (version 1); every later version is detached, has a random 64-bit id, and exists only
//! for those who are told the id. Every file a returned version names is on the disk, synced.
//! This is the only module that commits to Lance; `auto_cleanup` stays off because Lance's
//! cleanup does not see detached versions.
//!
//! Not here: which version is current (the ledger's head), reading rows (see [`crate::scan`]).

mod append;
pub mod compaction;
pub(crate) mod encoding;
mod fit;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{RecordBatch, RecordBatchIterator, RecordBatchReader},
    datatypes::{Schema, SchemaRef},
};
use datafusion::{
    error::DataFusionError, execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{TryStreamExt as _, stream};
use lance::{
    Dataset,
    dataset::{
        CommitBuilder, InsertBuilder, WriteMode, WriteParams,
        builder::DatasetBuilder,
        transaction::{Operation, Transaction},
    },
    index::DatasetIndexExt,
    session::Session,
};
use lance_io::object_store::ObjectStoreParams;
use lance_table::io::deletion::relative_deletion_file_path;

pub use self::append::AppendWriter;
pub use self::compaction::{PendingRewrite, Thoroughness};
use self::fit::check_fit;
use crate::{Objects, StoreError, wrapper::Recorder};

/// The version every table begins with: on the main line, without rows.
pub const EMPTY_VERSION: u64 = 1;

/// Lance buffers 8 MiB a column unless told otherwise; a table of lists would take hundreds.
const WRITE_BUFFER_BYTES_PER_COLUMN: u64 = 2 << 20;

/// A longer append becomes several fragments, so that a scan can share it out.
const FRAGMENT_BYTES_MAX: usize = 512 << 20;

const INDEX_CACHE_BYTES: usize = 64 << 20;
const METADATA_CACHE_BYTES: usize = 256 << 20;

/// Opened versions kept for readers.
const OPEN_VERSION_COUNT_MAX: usize = 64;

/// The tables of one lake. Clones share caches.
#[derive(Clone, Debug)]
pub struct Tables {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    objects: Objects,
    session: Arc<Session>,
    recorder: Arc<Recorder>,
    /// Opened for reading, by plain path; the last used is last.
    readers: Mutex<Vec<(String, u64, Arc<Dataset>)>>,
    /// Of each table, opened through the seam: the empty version, on which rows are written, and the
    /// one last opened or committed, on which the next is made.
    writers: Mutex<BTreeMap<(String, bool), Arc<Dataset>>>,
}

/// Rows written to disk, synced, and part of no version yet.
///
/// After a lost race it is committed again, on the new head, without writing the rows again.
#[derive(Clone, Debug)]
pub struct PendingAppend {
    table: String,
    transaction: Transaction,
    data_files: Vec<PathBuf>,
    row_count: u64,
}

/// A file that a version of a table needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionFile {
    /// Its key among the objects of the lake.
    pub key: String,
    /// Its length, where the version states it.
    pub size_bytes: Option<u64>,
}

impl PendingAppend {
    /// The table it appends to.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How many rows it appends.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// One append of this one's rows, then the other's: one version instead of two.
    ///
    /// # Errors
    /// [`StoreError::MixedAppend`] if the tables differ.
    pub fn and(mut self, other: Self) -> Result<Self, StoreError> {
        let mixed =
            || StoreError::MixedAppend { table: self.table.clone(), other: other.table.clone() };
        if self.table != other.table {
            return Err(mixed());
        }
        match (&mut self.transaction.operation, other.transaction.operation) {
            (Operation::Append { fragments }, Operation::Append { fragments: more }) => {
                fragments.extend(more);
            }
            _ => return Err(mixed()),
        }
        self.data_files.extend(other.data_files);
        self.row_count += other.row_count;
        Ok(self)
    }
}

impl Tables {
    pub(crate) fn new(objects: Objects) -> Self {
        let recorder = Arc::new(Recorder::new(objects.seam().clone()));
        let session = Session::new(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES, Arc::default());
        let inner = Inner {
            objects,
            session: Arc::new(session),
            recorder,
            readers: Mutex::default(),
            writers: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes a table without rows, or finds it; answers with its first version.
    ///
    /// # Errors
    /// [`StoreError::BadTableName`], [`StoreError::SchemaMismatch`] if it exists with other
    /// columns, [`StoreError::Table`], [`StoreError::Io`].
    pub async fn ensure(&self, table: &str, schema: &SchemaRef) -> Result<u64, StoreError> {
        let folder = self.folder_of(table)?;
        let manifest_key = format!("{}/_versions/{:020}.manifest", key_of(table), u64::MAX - 1);
        if !self.inner.objects.exists(&manifest_key).await? {
            let folders =
                ["data", "_versions", "_transactions"].map(|name| folder.join(name)).to_vec();
            self.inner.objects.ensure_folders(folders).await?;
            match self.create(table, schema).await {
                Err(StoreError::Table { source, .. }) if is_lost_race(&source) => (),
                created => created?,
            }
        }
        let dataset = self.writer(table, EMPTY_VERSION).await?;
        check_fit(table, &columns_of(&dataset), schema)?;
        // Whoever made it may not have synced it yet.
        let made: Vec<PathBuf> =
            named_files(&dataset).iter().map(|name| folder.join(name)).collect();
        self.inner.objects.sync_files(made.clone()).await?;
        made.iter().for_each(|path| {
            self.inner.recorder.take(path);
        });
        Ok(EMPTY_VERSION)
    }

    async fn create(&self, table: &str, schema: &SchemaRef) -> Result<(), StoreError> {
        let uri = self.writer_uri(table)?;
        let no_rows = RecordBatchIterator::new([], encoding::told(schema));
        let params = self.write_params(WriteMode::Create, schema.fields().len());
        InsertBuilder::new(uri.as_str())
            .with_params(&params)
            .execute_stream(no_rows)
            .await
            .map_err(table_error("create", table))?;
        Ok(())
    }

    /// Writes rows to disk, synced, without making them part of any version.
    ///
    /// `at` is a version of the table whose columns the rows have; any will do.
    ///
    /// # Errors
    /// [`StoreError::SchemaMismatch`], [`StoreError::NothingToAppend`],
    /// [`StoreError::VersionMissing`], [`StoreError::Table`], [`StoreError::Io`].
    pub async fn write(
        &self,
        table: &str,
        at: u64,
        rows: Box<dyn RecordBatchReader + Send>,
    ) -> Result<PendingAppend, StoreError> {
        let schema = rows.schema();
        let rows = stream::iter(rows).map_err(DataFusionError::from);
        self.write_stream(table, at, Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await
    }

    /// [`Tables::write`] of rows that come as a stream.
    pub(crate) async fn write_stream(
        &self,
        table: &str,
        at: u64,
        rows: SendableRecordBatchStream,
    ) -> Result<PendingAppend, StoreError> {
        let dataset = self.writer(table, at).await?;
        check_fit(table, &columns_of(&dataset), &rows.schema())?;
        let params = self.write_params(WriteMode::Append, rows.schema().fields().len());
        let transaction = InsertBuilder::new(Arc::clone(&dataset))
            .with_params(&params)
            .execute_uncommitted_stream(rows)
            .await
            .map_err(table_error("write rows of", table))?;
        let Operation::Append { fragments } = &transaction.operation else {
            return Err(StoreError::NothingToAppend { table: table.to_owned() });
        };
        let row_count: usize = fragments.iter().filter_map(|f| f.physical_rows).sum();
        if row_count == 0 {
            return Err(StoreError::NothingToAppend { table: table.to_owned() });
        }
        let data_folder = self.folder_of(table)?.join("data");
        let data_files: Vec<PathBuf> = fragments
            .iter()
            .flat_map(|fragment| &fragment.files)
            .map(|file| data_folder.join(&file.path))
            .collect();
        self.sync_written(&data_files).await?;
        let (table, row_count) = (table.to_owned(), row_count as u64);
        Ok(PendingAppend { table, transaction, data_files, row_count })
    }

    /// [`Tables::write`] of batches that are at hand, all of one schema.
    ///
    /// # Errors
    /// As [`Tables::write`].
    pub async fn write_batches(
        &self,
        table: &str,
        at: u64,
        batches: Vec<RecordBatch>,
    ) -> Result<PendingAppend, StoreError> {
        let Some(schema) = batches.first().map(RecordBatch::schema) else {
            return Err(StoreError::NothingToAppend { table: table.to_owned() });
        };
        let rows = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
        self.write(table, at, Box::new(rows)).await
    }

    /// Makes a detached version: the rows of version `at`, then the pending ones.
    ///
    /// Nobody sees it until the ledger names it. After a lost race, call it again with the new
    /// head's version: no rows are written again.
    ///
    /// # Errors
    /// [`StoreError::Swept`], [`StoreError::VersionMissing`], [`StoreError::Table`],
    /// [`StoreError::Io`].
    pub async fn commit(&self, pending: &PendingAppend, at: u64) -> Result<u64, StoreError> {
        let table = pending.table.as_str();
        self.expect_data_files(table, &pending.data_files).await?;
        let dataset = self.writer(table, at).await?;
        let committed = CommitBuilder::new(dataset)
            .with_detached(true)
            .with_skip_auto_cleanup(true)
            .execute(pending.transaction.clone())
            .await
            .map_err(table_error("commit rows to", table))?;
        self.adopt(table, committed).await
    }

    /// The files of pending appends and rewrites, and of the versions made of them, are still there.
    ///
    /// A commit asks under the lock that keeps a sweep out.
    ///
    /// # Errors
    /// [`StoreError::Swept`], [`StoreError::Io`].
    pub async fn expect_files(
        &self,
        appends: &[PendingAppend],
        rewrites: &[PendingRewrite],
        versions: &BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        for append in appends {
            self.expect_data_files(&append.table, &append.data_files).await?;
        }
        for rewrite in rewrites {
            self.expect_data_files(rewrite.table(), rewrite.data_files()).await?;
        }
        for (table, version) in versions {
            let dataset = self.writer(table, *version).await?;
            for name in named_files(&dataset) {
                let key = format!("{}/{name}", key_of(table));
                if !self.inner.objects.exists(&key).await? {
                    return Err(StoreError::Swept { path: self.inner.objects.path_of(&key)? });
                }
            }
        }
        Ok(())
    }

    /// The columns of a version, with their metadata.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn schema(&self, table: &str, version: u64) -> Result<SchemaRef, StoreError> {
        let dataset = self.reader(table, version).await?;
        Ok(columns_of(&dataset))
    }

    /// How many rows a version has.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn row_count(&self, table: &str, version: u64) -> Result<u64, StoreError> {
        let dataset = self.reader(table, version).await?;
        let count = dataset.count_rows(None).await.map_err(table_error("count rows of", table))?;
        Ok(count as u64)
    }

    /// How many fragments a version has; above 256 it wants compaction.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn fragment_count(&self, table: &str, version: u64) -> Result<usize, StoreError> {
        Ok(self.reader(table, version).await?.count_fragments())
    }

    /// Every file that a version needs, sorted by key.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn files_of_version(
        &self,
        table: &str,
        version: u64,
    ) -> Result<Vec<VersionFile>, StoreError> {
        let dataset = self.reader(table, version).await?;
        let base = key_of(table);
        let of_unknown_size =
            |name: &str| VersionFile { key: format!("{base}/{name}"), size_bytes: None };
        let mut files: Vec<VersionFile> =
            named_files(&dataset).iter().map(|name| of_unknown_size(name)).collect();
        for fragment in dataset.iter_fragments() {
            files.extend(fragment.files.iter().map(|file| VersionFile {
                key: format!("{base}/data/{}", file.path),
                size_bytes: file.file_size_bytes.get().map(std::num::NonZeroU64::get),
            }));
            if let Some(deletion_file) = &fragment.deletion_file {
                files.push(of_unknown_size(&relative_deletion_file_path(
                    fragment.id,
                    deletion_file,
                )));
            }
        }
        let indexes =
            dataset.load_indices().await.map_err(table_error("list indexes of", table))?;
        for index in indexes.iter() {
            let keys = self.inner.objects.list(&format!("{base}/_indices/{}/", index.uuid)).await?;
            files.extend(keys.into_iter().map(|key| VersionFile { key, size_bytes: None }));
        }
        files.sort_unstable();
        Ok(files)
    }

    /// A version opened by plain path, for reading.
    pub(crate) async fn reader(
        &self,
        table: &str,
        version: u64,
    ) -> Result<Arc<Dataset>, StoreError> {
        if let Some(dataset) = self.cached_reader(table, version) {
            return Ok(dataset);
        }
        let folder = self.folder_of(table)?;
        let builder = DatasetBuilder::from_uri(folder.to_string_lossy());
        let dataset = self.load(builder, table, version).await?;
        let mut readers = self.readers();
        if readers.len() >= OPEN_VERSION_COUNT_MAX {
            readers.remove(0);
        }
        readers.push((table.to_owned(), version, Arc::clone(&dataset)));
        Ok(dataset)
    }

    fn cached_reader(&self, table: &str, version: u64) -> Option<Arc<Dataset>> {
        let mut readers = self.readers();
        let at = readers.iter().position(|(name, id, _)| name == table && *id == version)?;
        let entry = readers.remove(at);
        let dataset = Arc::clone(&entry.2);
        readers.push(entry);
        Some(dataset)
    }

    /// A version opened through the seam, for writing on top of it.
    async fn writer(&self, table: &str, version: u64) -> Result<Arc<Dataset>, StoreError> {
        let key = (table.to_owned(), version == EMPTY_VERSION);
        let cached = self.writers().get(&key).map(Arc::clone);
        if let Some(dataset) = cached.filter(|dataset| dataset.version_id() == version) {
            return Ok(dataset);
        }
        let builder = DatasetBuilder::from_uri(self.writer_uri(table)?)
            .with_store_params(self.store_params());
        let dataset = self.load(builder, table, version).await?;
        self.writers().insert(key, Arc::clone(&dataset));
        Ok(dataset)
    }

    async fn load(
        &self,
        builder: DatasetBuilder,
        table: &str,
        version: u64,
    ) -> Result<Arc<Dataset>, StoreError> {
        let loaded = builder
            .with_version(version)
            .with_session(Arc::clone(&self.inner.session))
            .load()
            .await;
        match loaded {
            Ok(dataset) if dataset.version_id() == version => Ok(Arc::new(dataset)),
            Ok(_)
            | Err(
                lance::Error::NotFound { .. }
                | lance::Error::DatasetNotFound { .. }
                | lance::Error::VersionNotFound { .. },
            ) => Err(StoreError::VersionMissing { table: table.to_owned(), version }),
            Err(error) => Err(table_error("open", table)(error)),
        }
    }

    /// Syncs files that were just written through the seam.
    async fn sync_written(&self, paths: &[PathBuf]) -> Result<(), StoreError> {
        if let Some(path) = paths.iter().find(|path| !self.inner.recorder.take(path)) {
            return Err(StoreError::AroundTheSeam { path: path.clone() });
        }
        self.inner.objects.sync_files(paths.to_vec()).await
    }

    fn write_params(&self, mode: WriteMode, column_count: usize) -> WriteParams {
        let mut params = WriteParams {
            mode,
            store_params: Some(self.store_params()),
            session: Some(Arc::clone(&self.inner.session)),
            max_bytes_per_file: FRAGMENT_BYTES_MAX,
            auto_cleanup: None,
            skip_auto_cleanup: true,
            ..WriteParams::default()
        };
        let options = params.file_writer_options.get_or_insert_default();
        // The budget is divided by the number of top-level columns.
        options.data_cache_bytes = Some(WRITE_BUFFER_BYTES_PER_COLUMN * column_count.max(1) as u64);
        params
    }

    fn store_params(&self) -> ObjectStoreParams {
        let recorder = Arc::clone(&self.inner.recorder);
        ObjectStoreParams { object_store_wrapper: Some(recorder), ..ObjectStoreParams::default() }
    }

    fn folder_of(&self, table: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let is_name =
            table.starts_with(|c: char| c.is_ascii_lowercase()) && table.bytes().all(is_plain);
        if !is_name {
            return Err(StoreError::BadTableName { table: table.to_owned() });
        }
        self.inner.objects.path_of(&key_of(table))
    }

    /// The table's folder as Lance must be told it for its writes to pass the wrapper.
    fn writer_uri(&self, table: &str) -> Result<String, StoreError> {
        let folder = self.folder_of(table)?;
        let text = folder.to_string_lossy().replace('\\', "/");
        let mut uri = String::from("file-object-store://");
        if !text.starts_with('/') {
            uri.push('/');
        }
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
        Ok(uri)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<(String, u64, Arc<Dataset>)>> {
        self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writers(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, bool), Arc<Dataset>>> {
        self.inner.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a table's folder.
fn key_of(table: &str) -> String {
    format!("tables/{table}.lance")
}

/// A version's columns as its readers see them.
pub(crate) fn columns_of(dataset: &Dataset) -> SchemaRef {
    encoding::plain(&Schema::from(dataset.schema()))
}

/// The files a commit makes besides its data, within the table's folder: the manifest and the
/// record of the transaction.
fn named_files(dataset: &Dataset) -> Vec<String> {
    let manifest = dataset.manifest_location().path.filename().unwrap_or_default();
    let transaction = dataset.manifest().transaction_file.as_deref();
    let transaction = transaction.filter(|name| !name.is_empty());
    [format!("_versions/{manifest}")]
        .into_iter()
        .chain(transaction.map(|name| format!("_transactions/{name}")))
        .collect()
}

fn is_lost_race(error: &lance::Error) -> bool {
    matches!(
        error,
        lance::Error::DatasetAlreadyExists { .. }
            | lance::Error::CommitConflict { .. }
            | lance::Error::RetryableCommitConflict { .. }
    )
}

fn table_error(action: &'static str, table: &str) -> impl FnOnce(lance::Error) -> StoreError {
    move |source| StoreError::of_table(action, table, source)
}
