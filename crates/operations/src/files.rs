//! Digests of the files of tables: every byte that a commit adds to a table is under the signed head.
//!
//! Invariant: the list of a commit is kept under its own digest, which is the entry's root `files`, before the entry
//! is created. It is one line a file as `sha256sum` writes and checks them, relative to the lake, sorted.
//!
//! Not here: blobs, whose names are their digests.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::Digest;

use crate::{Error, Platform, verify::sha256_of};

/// The name of the root that the list has in its entry.
pub(crate) const FILES_ROOT: &str = "files";

/// Where a list lies.
pub(crate) fn list_key(digest: &Digest) -> String {
    format!("files/{digest}")
}

/// Digest and key of each file of a list; `None` if it is no list.
pub(crate) fn parse_list(text: &str) -> Option<Vec<(Digest, &str)>> {
    let pair = |line| {
        let (digest, key): (&str, &str) = str::split_once(line, "  ")?;
        Some((digest.parse().ok()?, key))
    };
    text.lines().map(pair).collect()
}

impl Platform {
    /// Stores the list of the files that these versions add, and answers with the root that names it.
    pub(crate) async fn keep_file_digests(
        &self,
        tables: &BTreeMap<String, u64>,
    ) -> Result<Option<(String, Digest)>, Error> {
        let mut list = String::new();
        for (table, version) in tables {
            let mut added = self.file_keys(table, *version).await?;
            if let Some(before) = self.log.state.table(table) {
                let known = self.file_keys(table, before).await?;
                added.retain(|key| !known.contains(key));
            }
            for key in added {
                let digest = self.store.objects.sha256(&key).await?;
                list.push_str(&format!("{digest}  {key}\n"));
            }
        }
        if list.is_empty() {
            return Ok(None);
        }
        let digest = sha256_of(list.as_bytes());
        self.store.objects.put_if_absent(&list_key(&digest), list).await?;
        Ok(Some((FILES_ROOT.to_owned(), digest)))
    }

    async fn file_keys(&self, table: &str, version: u64) -> Result<BTreeSet<String>, Error> {
        let files = self.store.tables.files_of_version(table, version).await?;
        Ok(files.into_iter().map(|file| file.key).collect())
    }
}
