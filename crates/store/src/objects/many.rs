//! Room: disk. Many objects put at once.
//!
//! Invariant: as for one object: bytes are synced before they have a name, and names before anything is acknowledged.
//! Steps are announced one by one; only the waiting for the disk is done at once.
//!
//! Not here: objects that must not exist yet.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
};

use super::{Inner, Objects, io_error};
use crate::{StoreError, seam::StepKind};

/// Files that are open at once.
const FILES_AT_ONCE: usize = 256;

/// Syncs that wait together.
const SYNCS_AT_ONCE: usize = 16;

impl Objects {
    /// [`Objects::put_replace`] for many objects, in the order of their names as given; each folder is synced once.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`]; after an error each object is the old or the new one.
    pub async fn put_replace_many(
        &self,
        objects: Vec<(String, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        let paths =
            objects.iter().map(|(key, _)| self.path_of(key)).collect::<Result<Vec<_>, _>>()?;
        self.in_background("replace objects", move |inner| {
            let mut folders = BTreeSet::new();
            for path in &paths {
                folders.insert(inner.ensure_parent(path)?);
            }
            for (objects, paths) in objects.chunks(FILES_AT_ONCE).zip(paths.chunks(FILES_AT_ONCE)) {
                for (temporary, path) in inner.write_temporaries(objects)?.iter().zip(paths) {
                    inner.step(StepKind::Replace, "name", path, || fs::rename(temporary, path))?;
                }
            }
            folders.iter().try_for_each(|folder| inner.sync_folder(folder))
        })
        .await
    }
}

impl Inner {
    /// Writes and syncs files under names that nothing refers to.
    ///
    /// The file system writes its journal once for syncs that wait together, so they are announced first and then wait
    /// on threads of their own.
    fn write_temporaries(&self, objects: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>, StoreError> {
        let fill =
            |(_, bytes): &(String, Vec<u8>)| self.fill_temporary(&mut |file| file.write_all(bytes));
        let written = objects.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
        for (path, _) in &written {
            self.step(StepKind::SyncFile, "sync", path, || Ok(()))?;
        }
        let sync = |(path, file): &(PathBuf, File)| file.sync_all().map_err(io_error("sync", path));
        std::thread::scope(|scope| {
            let share = written.len().div_ceil(SYNCS_AT_ONCE).max(1);
            let waiting: Vec<_> = written
                .chunks(share)
                .map(|files| scope.spawn(move || files.iter().try_for_each(sync)))
                .collect();
            let lost = |_| Err(StoreError::TaskLost { action: "sync files" });
            waiting.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(lost))
        })?;
        Ok(written.into_iter().map(|(path, _)| path).collect())
    }
}
