//! The seam between the table engine and the disk: Lance writes through this object store.
//!
//! Invariant: every file that Lance writes is announced to the [`WriteSeam`] and remembered until
//! it has been synced, so that a commit can tell whether a file it names came around the seam.
//! Only stores opened as `file-object-store://` pass here; with a plain path Lance's data files
//! bypass any wrapper. It is object_store 0.14; DataFusion's 0.13 never meets it.
//!
//! Not here: syncing (see [`crate::tables`]) and reading, which uses plain paths.

use std::{
    collections::BTreeSet,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use lance_io::object_store::WrappingObjectStore;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart, list::PaginatedListStore, local::LocalFileSystem, path::Path as StorePath,
};

use crate::seam::{StepKind, WriteSeam};

/// Wraps every store that Lance opens for writing in one lake. Clones share the memory.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    seam: WriteSeam,
    written: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Recorder {
    pub(crate) fn new(seam: WriteSeam) -> Self {
        Self { seam, written: Arc::default() }
    }

    /// Forgets a written file; false if it never came through here.
    pub(crate) fn take(&self, path: &Path) -> bool {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(path)
    }

    fn admit(&self, kind: StepKind, location: &StorePath) -> Result<PathBuf> {
        let path = LocalFileSystem::new().path_to_filesystem(location)?;
        self.seam.admit(kind, &path).map_err(generic)?;
        Ok(path)
    }

    fn remember(&self, path: PathBuf) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }
}

impl WrappingObjectStore for Recorder {
    fn wrap(&self, _store_prefix: &str, original: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(SeamedStore { inner: original, recorder: self.clone() })
    }

    fn wrap_paginated(
        &self,
        _store_prefix: &str,
        original: Arc<dyn PaginatedListStore>,
    ) -> Option<Arc<dyn PaginatedListStore>> {
        // Listings are only watched, never changed.
        Some(original)
    }
}

#[derive(Debug)]
struct SeamedStore {
    inner: Arc<dyn ObjectStore>,
    recorder: Recorder,
}

impl fmt::Display for SeamedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeamedStore({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for SeamedStore {
    async fn put_opts(
        &self,
        location: &StorePath,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let path = self.recorder.admit(StepKind::WriteTableFile, location)?;
        let result = self.inner.put_opts(location, payload, opts).await?;
        self.recorder.remember(path);
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        location: &StorePath,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(location, opts).await?;
        let (location, recorder) = (location.clone(), self.recorder.clone());
        Ok(Box::new(SeamedUpload { inner: upload, location, recorder }))
    }

    async fn get_opts(&self, location: &StorePath, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<StorePath>>,
    ) -> BoxStream<'static, Result<StorePath>> {
        let recorder = self.recorder.clone();
        let admitted = locations.map(move |location| {
            let location = location?;
            recorder.admit(StepKind::ChangeTableFile, &location)?;
            Ok(location)
        });
        self.inner.delete_stream(admitted.boxed())
    }

    fn list(&self, prefix: Option<&StorePath>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&StorePath>,
        offset: &StorePath,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&StorePath>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &StorePath,
        to: &StorePath,
        options: CopyOptions,
    ) -> Result<()> {
        let path = self.recorder.admit(StepKind::ChangeTableFile, to)?;
        self.inner.copy_opts(from, to, options).await?;
        self.recorder.remember(path);
        Ok(())
    }

    async fn rename_opts(
        &self,
        from: &StorePath,
        to: &StorePath,
        options: RenameOptions,
    ) -> Result<()> {
        let path = self.recorder.admit(StepKind::ChangeTableFile, to)?;
        self.inner.rename_opts(from, to, options).await?;
        self.recorder.remember(path);
        Ok(())
    }
}

/// A file written in parts: it appears, and counts as one step, when it is completed.
#[derive(Debug)]
struct SeamedUpload {
    inner: Box<dyn MultipartUpload>,
    location: StorePath,
    recorder: Recorder,
}

#[async_trait]
impl MultipartUpload for SeamedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let path = self.recorder.admit(StepKind::WriteTableFile, &self.location)?;
        let result = self.inner.complete().await?;
        self.recorder.remember(path);
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

fn generic(source: io::Error) -> Error {
    Error::Generic { store: "seam", source: Box::new(source) }
}
