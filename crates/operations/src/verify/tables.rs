//! Blobs and table versions: everything that the ledger names is there.
//!
//! Invariant: a file is looked at once, however many versions name it; the entry that named it first says what it
//! affects.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_store::Store;

use super::{Check, Wrong, affected, ledger::ReadLog, listed, made_by};

/// Every blob that the ledger names is there and is what its name says.
pub(super) async fn blob_check(store: &Store, log: &ReadLog) -> Check {
    let mut owners = BTreeMap::new();
    for entry in log.entries.values() {
        for blob in &entry.blobs {
            owners.entry(*blob).or_insert_with(Vec::new).push(entry);
        }
    }
    let mut wrong = Vec::new();
    for (blob, entries) in &owners {
        if let Err(error) = store.objects.get_blob(blob).await {
            let path = tiepoint_store::blobs::blob_key(blob);
            let affects = entries.iter().flat_map(|e| made_by(e).into_iter().chain([affected(e)]));
            wrong.push(Wrong::of(format!("`{path}`: {error}"), affects));
        }
    }
    listed("originals and other blobs", wrong, format!("{} blobs, every byte", owners.len()))
}

/// Every table version that the ledger names is there with all its files, whole by their lengths.
pub(super) async fn version_check(store: &Store, log: &ReadLog) -> Check {
    let (mut wrong, mut versions, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for entry in log.entries.values() {
        let affects = || made_by(entry).into_iter().chain([affected(entry)]);
        for (table, version) in &entry.tables {
            if !versions.insert((table.clone(), *version)) {
                continue;
            }
            let files = match store.tables.files_of_version(table, *version).await {
                Ok(files) => files,
                Err(error) => {
                    let text = format!("table `{table}` of entry {}: {error}", entry.index);
                    wrong.push(Wrong::of(text, affects()));
                    continue;
                }
            };
            for file in files {
                if !seen.insert(file.key.clone()) {
                    continue;
                }
                let found = store.objects.size_bytes(&file.key).await;
                let fits = match found {
                    Ok(Some(size)) => file.size_bytes.is_none_or(|expected| expected == size),
                    _ => false,
                };
                if !fits {
                    wrong.push(Wrong::of(format!("`{}` is missing or cut", file.key), affects()));
                }
            }
        }
    }
    let found = format!("{} versions with their {} files", versions.len(), seen.len());
    listed("table versions", wrong, found)
}
