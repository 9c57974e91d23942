//! `register`: files of any kind into the lake, byte for byte, without being read as logs.
//!
//! Invariant: some files are one commit, so what is cut short has registered whole files and none half; run again, it
//! goes on with the rest. The same bytes under the same name are registered once.
//!
//! Not here: what is in the files. A log that was registered can be ingested: its bytes are kept once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use arrow::compute::concat_batches;
use futures::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};
use tiepoint_formats::{NamedFile, ReadError, columns, files_below, open_original};
use tiepoint_ledger::State;
use tiepoint_model::{Digest, RegisteredFile};
use tiepoint_store::{
    StoreError,
    blobs::{BlobId, blob_id},
    tables::EMPTY_VERSION,
};

use crate::{
    Error, Platform,
    platform::{Commit, Committed},
    prove::{Proof, entry_proof_json},
};

/// Files of one commit: an entry names them all, and it may have 64 KiB.
const FILES_PER_COMMIT: usize = 256;

/// The table of files.
pub(crate) const FILES_TABLE: &str = "files";

/// What was registered.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Sorted by name.
    pub files: Vec<RegisteredFile>,
    /// Ids of those that the lake had already.
    pub present: BTreeSet<String>,
    /// That the last entry is in the ledger; none if nothing was added or the signing key was not at hand.
    pub proof: Option<Proof>,
}

impl Registered {
    /// The bytes of all files, also of those that were there.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// Keeps files, and all files below folders.
///
/// # Errors
/// [`Error::File`] for a path that cannot be read or is neither file nor folder, before anything is written;
/// [`Error::DiskFull`]; [`Error::ReadOnly`]; those of the store and the ledger. What was committed before stays.
pub async fn register(
    platform: &mut Platform,
    paths: &[PathBuf],
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Registered, Error> {
    platform.expect_writable()?;
    let mut found: Vec<NamedFile> = Vec::new();
    for path in paths {
        found.extend(files_below(path).map_err(refuse)?);
    }
    refuse_lake(platform, &found)?;
    // A lake that was made before there were such files has no table for them.
    platform.store.tables.ensure(FILES_TABLE, &columns::files_schema()).await?;
    let known = sizes_by_name(platform).await?;
    let mut registered = Registered { files: Vec::new(), present: BTreeSet::new(), proof: None };
    for some in found.chunks(FILES_PER_COMMIT) {
        let done = registered.files.len();
        progress(&format!("registering {} of {} files", done + some.len(), found.len()));
        let kept = keep(platform, some, &known).await?;
        commit(platform, &kept, &mut registered).await?;
        registered.files.extend(kept);
    }
    registered.files.sort_by(|a, b| (&a.name, &a.file_id).cmp(&(&b.name, &b.file_id)));
    registered.files.dedup();
    Ok(registered)
}

/// Every file of the lake, sorted by name.
pub(crate) async fn all(platform: &Platform) -> Result<Vec<RegisteredFile>, Error> {
    if platform.log.state.table(FILES_TABLE).is_none() {
        return Ok(Vec::new());
    }
    let rows = platform.store.read_table(&platform.head(), FILES_TABLE, &[]).await?;
    let mut files = columns::files_from_batch(&concat_batches(&columns::files_schema(), &rows)?)?;
    files.sort_by(|a, b| (&a.name, &a.file_id).cmp(&(&b.name, &b.file_id)));
    Ok(files)
}

/// The same bytes under the same name have the same id.
pub(crate) fn id_of(name: &str, blake3: &Digest) -> String {
    let digest = Digest(Sha256::new().chain_update(blake3.0).chain_update(name).finalize().into());
    format!("file-{}", &digest.to_string()[..16])
}

/// Files that probably have not changed need not be written again to learn that they have not.
async fn sizes_by_name(platform: &Platform) -> Result<BTreeSet<(String, u64)>, Error> {
    Ok(all(platform).await?.into_iter().map(|file| (file.name, file.size_bytes)).collect())
}

/// Stores the bytes of some files, several at a time.
async fn keep(
    platform: &Platform,
    files: &[NamedFile],
    known: &BTreeSet<(String, u64)>,
) -> Result<Vec<RegisteredFile>, Error> {
    // Twice the cores: while one file is forced to the disk another is hashed.
    let at_once = 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let keep = |file: &NamedFile| {
        let NamedFile { path, name, size_bytes } = file.clone();
        let may_be_there = known.contains(&(name.clone(), size_bytes));
        async move {
            let kept = keep_one(platform, &path, may_be_there).await;
            let BlobId { blake3, sha256, size_bytes } = kept.map_err(|error| match error {
                Error::Store(source @ StoreError::DiskFull { .. }) => {
                    let lake = platform.store.objects.root().to_owned();
                    let (name, source) = (name.clone(), Box::new(source));
                    Error::DiskFull { name, size_bytes, lake, source }
                }
                Error::Store(StoreError::Source(source)) => Error::File { path, source },
                error => error,
            })?;
            let file_id = id_of(&name, &blake3);
            Ok(RegisteredFile { file_id, name, size_bytes, blake3, sha256 })
        }
    };
    // Boxed one by one: a stream of closures over references is not `Send` for every lifetime.
    let futures: Vec<_> = files.iter().map(keep).collect();
    futures::stream::iter(futures).buffered(at_once).try_collect().await
}

async fn keep_one(platform: &Platform, path: &Path, may_be_there: bool) -> Result<BlobId, Error> {
    let open = || open_original(path).map_err(refuse);
    let objects = &platform.store.objects;
    if may_be_there {
        let id = blob_id(&mut open()?)?;
        if platform.log.state.entry_of_blob(&id.blake3).is_some() {
            return Ok(id);
        }
    }
    Ok(objects.put_blob(open()?).await?.0)
}

/// Commits those that the ledger does not have, if there are any.
async fn commit(
    platform: &mut Platform,
    kept: &[RegisteredFile],
    registered: &mut Registered,
) -> Result<(), Error> {
    loop {
        let state = &platform.log.state;
        let mut new: BTreeMap<&str, &RegisteredFile> = BTreeMap::new();
        for file in kept {
            match state.root(&file.file_id) {
                Some(_) => _ = registered.present.insert(file.file_id.clone()),
                None => _ = new.insert(&file.file_id, file),
            }
        }
        if new.is_empty() {
            platform.acknowledge().await?;
            return Ok(());
        }
        let rows: Vec<RegisteredFile> = new.values().copied().cloned().collect();
        let batch = columns::files_to_batch(&rows)?;
        let tables = &platform.store.tables;
        let append = tables.write_batches(FILES_TABLE, EMPTY_VERSION, vec![batch]).await?;
        let ids: Vec<String> = rows.iter().map(|file| file.file_id.clone()).collect();
        let commit = Commit {
            appends: vec![append.clone()],
            blobs: rows.iter().map(|file| file.blake3).collect(),
            roots: rows.iter().map(|file| (file.file_id.clone(), file.sha256)).collect(),
            names: rows.iter().map(|file| (file.file_id.clone(), file.name.clone())).collect(),
            outputs: ids.clone(),
            ..Commit::empty("register")
        };
        let is_there = |state: &State| ids.iter().any(|id| state.root(id).is_some());
        match platform.commit(commit, is_there).await? {
            Committed::Entry(receipt) => {
                registered.proof = receipt.proof.as_ref().map(entry_proof_json).transpose()?;
                return Ok(());
            }
            // Somebody registers the same files beside us: what is left of them is committed.
            // What cannot be removed is invisible, and the next sweep takes it.
            Committed::AlreadyThere => _ = platform.store.tables.discard(append).await,
        }
    }
}

/// A folder that holds the lake would be registered with what is being written.
fn refuse_lake(platform: &Platform, found: &[NamedFile]) -> Result<(), Error> {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let lake = whole(platform.store.objects.root());
    match found.iter().find(|file| whole(&file.path).starts_with(&lake)) {
        None => Ok(()),
        Some(file) => {
            let source = std::io::Error::other("it is part of the lake; name what lies beside it");
            Err(Error::File { path: file.path.clone(), source })
        }
    }
}

fn refuse(error: ReadError) -> Error {
    match error {
        ReadError::Io { path, source } => Error::File { path, source },
        other => Error::Log { path: PathBuf::new(), source: Box::new(other) },
    }
}
