//! The lake on disk: tables, SQL over them, blobs, content digests and the objects room.
//!
//! Invariant: nothing here decides what exists. Every read names its table versions through a
//! [`Head`], which the ledger keeps; data that no head names is invisible.
//! This is the only crate that sees Lance and DataFusion; callers see Arrow batches.
//!
//! Not here: file formats, the ledger, obligations, and any judgement.

pub mod blobs;
pub mod content;
pub mod error;
pub mod merkle;
pub mod objects;
pub mod order;
pub mod provider;
pub mod query;
pub mod read;
pub mod scan;
pub mod seam;
pub mod tables;
mod wrapper;

use std::{collections::BTreeMap, path::Path};

pub use blobs::BlobId;
pub use content::{ContentHasher, recording_root};
pub use error::StoreError;
pub use objects::{AgedFile, CommitLock, Objects, PutOutcome, Sharing};
pub use query::QueryStream;
pub use read::ReadRequest;
pub use scan::{LakeScan, LakeScanSpec};
pub use seam::{StepKind, WriteSeam, WriteStep};
pub use tables::{AppendWriter, PendingAppend, PendingRewrite, Tables, Thoroughness, VersionFile};

/// What the ledger says exists: a position in it, and the version of every table there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many ledger entries precede this view.
    pub position: u64,
    /// Table name to version id.
    pub versions: BTreeMap<String, u64>,
}

impl Head {
    /// The version of a table.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`] if the head does not name it.
    pub fn version_of(&self, table: &str) -> Result<u64, StoreError> {
        self.versions.get(table).copied().ok_or_else(|| StoreError::UnknownTable {
            table: table.to_owned(),
            known: self.versions.keys().cloned().collect(),
        })
    }
}

/// One lake: its objects and its tables under one folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// Small named objects and blobs.
    pub objects: Objects,
    /// Versioned tables.
    pub tables: Tables,
}

impl Store {
    /// Opens the lake in a folder. Nothing is made.
    ///
    /// # Errors
    /// [`StoreError::NoLake`] if there is no such folder, [`StoreError::Io`].
    pub fn open(root: &Path, seam: WriteSeam) -> Result<Self, StoreError> {
        Ok(Self::of(Objects::open(root, seam)?))
    }

    /// Opens the lake in a folder, which is made, durably, if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be made or resolved.
    pub fn create(root: &Path, seam: WriteSeam) -> Result<Self, StoreError> {
        Ok(Self::of(Objects::create(root, seam)?))
    }

    fn of(objects: Objects) -> Self {
        let tables = Tables::new(objects.clone());
        Self { objects, tables }
    }
}
