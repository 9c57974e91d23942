//! Blobs and table versions: everything that the ledger names is there.
//!
//! Invariant: a file is looked at once, however many versions name it; the entry that named it first says what it
//! affects. What only positions reach that the ledger let go may be missing; what a later one reaches may not, nor the
//! digest of it.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_store::Store;

use super::{Check, Wrong, affected, ledger::ReadLog, listed, made_by, sha256_of};
use crate::{
    files::{FILES_ROOT, list_key, parse_list},
    retain::Reached,
};

/// Every blob that the ledger names is there and is what its name says.
pub(super) async fn blob_check(store: &Store, log: &ReadLog) -> Check {
    let mut owners = BTreeMap::new();
    for entry in &log.entries {
        for blob in &entry.blobs {
            owners.entry(*blob).or_insert_with(Vec::new).push(entry);
        }
    }
    let mut wrong = Vec::new();
    for (blob, entries) in &owners {
        if let Err(error) = store.objects.check_blob(blob).await {
            let path = tiepoint_store::blobs::blob_key(blob);
            let affects = entries.iter().flat_map(|e| made_by(e).into_iter().chain([affected(e)]));
            wrong.push(Wrong::of(format!("`{path}`: {error}"), affects));
        }
    }
    listed("originals and other blobs", wrong, format!("{} blobs, every byte", owners.len()))
}

/// Every table version that a retained position reaches is there with all its files, whole by their lengths. Answers with
/// those files, too.
pub(super) async fn version_check(store: &Store, log: &ReadLog) -> (Check, BTreeSet<String>) {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    let mut reached = Reached::from(log.retain_from());
    log.entries.iter().for_each(|entry| reached.add(entry));
    let mut waiting = reached.versions();
    let version_count = waiting.len();
    for entry in &log.entries {
        let affects = || made_by(entry).into_iter().chain([affected(entry)]);
        for (table, version) in &entry.tables {
            if !waiting.remove(&(table.clone(), *version)) {
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
    let let_go = match log.retain_from() {
        0 => String::new(),
        retain_from => format!("; positions before {retain_from} were let go"),
    };
    let found = format!("{version_count} versions with their {} files{let_go}", seen.len());
    (listed("table versions", wrong, found), seen)
}

/// Every file that a commit added to a table is byte for byte what it was; files that were swept are not looked for.
/// Each file that is still reached has a digest to be compared with.
pub(super) async fn file_check(store: &Store, log: &ReadLog, reached: &BTreeSet<String>) -> Check {
    let (mut wrong, mut count, mut listed_keys) = (Vec::new(), 0, BTreeSet::new());
    for entry in &log.entries {
        let Some(digest) = entry.roots.get(FILES_ROOT) else { continue };
        let affects = || made_by(entry).into_iter().chain([affected(entry)]);
        let path = list_key(digest);
        let bytes = store.objects.get(&path).await.unwrap_or_default();
        let list = String::from_utf8_lossy(&bytes);
        let files = parse_list(&list).filter(|_| sha256_of(&bytes) == *digest);
        let Some(files) = files else {
            if bytes.is_empty() && entry.index < log.retain_from() {
                continue;
            }
            let text =
                format!("`{path}`, the digests of entry {}, is missing or damaged", entry.index);
            wrong.push(Wrong::of(text, affects()));
            continue;
        };
        for (expected, key) in files {
            listed_keys.insert(key.to_owned());
            match store.objects.sha256(key).await {
                Ok(found) if found != expected => {
                    wrong.push(Wrong::of(format!("`{key}` is not what was committed"), affects()));
                }
                Ok(_) => count += 1,
                Err(_) => (),
            }
        }
    }
    // A damaged list has been told already.
    if wrong.is_empty() {
        let without = reached.difference(&listed_keys);
        wrong.extend(without.map(|key| Wrong::of(format!("the digest of `{key}` is missing"), [])));
    }
    listed("files of tables", wrong, format!("{count} files, every byte"))
}
