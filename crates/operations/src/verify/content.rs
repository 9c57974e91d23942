//! The deep check: every row of every channel against the digests that were committed.
//!
//! Invariant: digests are made again from the rows as they are read, never taken from a file of a table.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use tiepoint_formats::{Table, columns};
use tiepoint_model::{Digest, Recording};
use tiepoint_store::{ContentHasher, ReadRequest, blobs::blob_key, recording_root};

use super::{Check, Wrong, listed};
use crate::{Error, Platform, derivations, ingest::catalogue_digest, recording, register};

/// The rows of every channel have the digest that was committed.
pub(super) async fn content_check(platform: &Platform) -> Result<Check, Error> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let recordings = recording::all(platform).await?;
    let mut channel_count = 0;
    for recording in &recordings {
        channel_count += recording.channels.len();
        match content_digest(platform, recording, &mut wrong).await {
            Err(error) => {
                let id = recording.recording_id.to_string();
                wrong.push(Wrong::of(format!("{id}: {error}"), [id]));
            }
            Ok(root) => {
                let id = &recording.recording_id.0;
                let committed = platform.log.state.root(id);
                if committed != Some(root) {
                    let text = format!("{id}: the content is not what the ledger names");
                    wrong.push(Wrong::of(text, [id.clone()]));
                }
            }
        }
    }
    for (name, root) in platform.log.state.roots() {
        if let Some(id) = name.strip_suffix(" catalogue") {
            match recordings.iter().find(|recording| recording.recording_id.0 == id) {
                None => {
                    let text = format!("{id} is in the ledger and not in the catalogue");
                    wrong.push(Wrong::of(text, [id.to_owned()]));
                }
                Some(found) if catalogue_digest(found)? != root => {
                    let text = format!("{id}: the catalogue is not what the ledger names");
                    wrong.push(Wrong::of(text, [id.to_owned()]));
                }
                Some(_) => (),
            }
        }
    }
    let edges = edges_wrong(platform, &mut wrong).await?;
    let files = files_wrong(platform, &mut wrong).await?;
    let found = format!(
        "{} recordings, {channel_count} channels, {edges} lineages, {files} files",
        recordings.len()
    );
    Ok(listed("catalogue and content digests", wrong, found))
}

/// The edges of every thing are those that were committed, and no others; answers with the number of things.
async fn edges_wrong(platform: &Platform, wrong: &mut Vec<Wrong>) -> Result<usize, Error> {
    let mut found = derivations::digests(platform).await?;
    let count = found.len();
    for (name, root) in platform.log.state.roots() {
        let Some(id) = derivations::child_of_root(name) else { continue };
        if found.remove(name) != Some(root) {
            let text = format!("{id}: its rows in `derivations` are not what the ledger names");
            wrong.push(Wrong::of(text, [id.to_owned()]));
        }
    }
    for name in found.keys() {
        let id = derivations::child_of_root(name).unwrap_or(name);
        let text = format!("{id} has rows in `derivations` and none in the ledger");
        wrong.push(Wrong::of(text, [id.to_owned()]));
    }
    Ok(count)
}

/// Every registered file is what was committed, and no others are listed; answers with their number.
async fn files_wrong(platform: &Platform, wrong: &mut Vec<Wrong>) -> Result<usize, Error> {
    let files = register::all(platform).await?;
    let objects = &platform.store.objects;
    for file in &files {
        let id = &file.file_id;
        let is_named = *id == register::id_of(&file.name, &file.blake3);
        if !is_named || platform.log.state.root(id) != Some(file.sha256) {
            let text = format!("{id}: its row in `files` is not what the ledger names");
            wrong.push(Wrong::of(text, [id.clone()]));
        }
        match objects.sha256(&blob_key(&file.blake3)).await {
            Ok(found) if found == file.sha256 => (),
            Ok(_) => {
                let text = format!("{id}: `{}` has other bytes than were registered", file.name);
                wrong.push(Wrong::of(text, [id.clone()]));
            }
            Err(error) => {
                wrong.push(Wrong::of(format!("{id}: `{}`: {error}", file.name), [id.clone()]));
            }
        }
    }
    let listed: BTreeSet<&str> = files.iter().map(|file| file.file_id.as_str()).collect();
    let committed = platform.log.state.roots().into_keys().filter(|id| id.starts_with("file-"));
    for id in committed.filter(|id| !listed.contains(id)) {
        let text = format!("{id} is in the ledger and not in `files`");
        wrong.push(Wrong::of(text, [id.to_owned()]));
    }
    Ok(files.len())
}

/// The root over a recording's rows and originals as they lie in the lake; names each channel that differs.
async fn content_digest(
    platform: &Platform,
    recording: &Recording,
    wrong: &mut Vec<Wrong>,
) -> Result<Digest, Error> {
    let id = recording.recording_id.to_string();
    let mut roots = Vec::new();
    for channel in &recording.channels {
        let table: Table = channel.table.parse().map_err(|_| Error::NotFound {
            name: channel.table.clone(),
            known: Table::ALL.iter().map(|table| table.as_str().to_owned()).collect(),
        })?;
        let equals = [("recording_id", id.as_str()), ("topic", channel.topic.as_str())];
        let head = platform.head();
        let request = ReadRequest { table: table.as_str(), columns: None, equals: &equals };
        let mut rows = platform.store.stream(&head, request).await?;
        let mut hasher = ContentHasher::of_channel(&columns::schema(table))?;
        while let Some(batch) = rows.try_next().await? {
            hasher.update(&batch)?;
        }
        let digest = hasher.finish();
        if digest != channel.content_digest {
            let text = format!("{id} {}: rows differ from the digest", channel.topic);
            wrong.push(Wrong::of(text, [id.clone()]));
        }
        roots.push((channel.topic.clone(), digest));
    }
    let mut originals = Vec::new();
    for blake3 in &recording.originals {
        platform.store.objects.check_blob(blake3).await?;
        originals.push(platform.store.objects.sha256(&blob_key(blake3)).await?);
    }
    Ok(recording_root(&roots, &originals)?)
}
