//! The ledger from its bytes: commits, bodies, tree, tiles, signed and cosigned heads.
//!
//! Invariant: one pass over the entries recomputes everything; an entry whose commit is damaged is read from its
//! bundle, so that it can be said what it made, but the log does not pass.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_ledger::{
    Body, Checkpoint, Edge, Entry, Note, Row, Tile, VerifyingKey, WitnessKey, commit_path,
    decode_commit, first_index_of_path, tiles,
};
use tiepoint_model::Digest;
use tiepoint_store::Objects;

use super::{Check, Wrong, affected, check, listed, made_by, witness_words};
use crate::{Error, platform::body_key, signed_head::CHECKPOINT_FILE, witness::COSIGNED_FOLDER};

/// The entries as far as they can be read.
pub(super) struct ReadLog {
    /// By index; entries of damaged commits come from their bundles.
    pub(super) entries: BTreeMap<u64, Entry>,
    /// True if every entry was read from a good commit.
    is_whole: bool,
    pub(super) check: Check,
}

impl ReadLog {
    /// The first position that can still be read.
    pub(super) fn retain_from(&self) -> u64 {
        self.entries.values().filter_map(|entry| entry.retain_from).max().unwrap_or(0)
    }
}

/// Reads every commit of the log.
pub(super) async fn read_log(objects: &Objects) -> Result<ReadLog, Error> {
    let (mut entries, mut wrong, mut expected) = (BTreeMap::new(), Vec::new(), 0);
    for path in objects.list("log/").await? {
        let Some(first) = first_index_of_path(&path) else {
            wrong.push(Wrong::of(format!("`{path}` is no commit"), []));
            continue;
        };
        if first != expected {
            let text = format!("`{}` is missing, or `{path}` should not be", commit_path(expected));
            wrong.push(Wrong::of(text, []));
        }
        match decode_commit(first, &objects.get(&path).await?) {
            Ok(commit) => {
                expected = first + commit.len() as u64;
                entries.extend(commit.into_iter().map(|entry| (entry.index, entry)));
            }
            Err(error) => {
                wrong.push(Wrong::of(format!("`{path}`: {error}"), []));
                expected = first + 1;
            }
        }
    }
    let is_whole = wrong.is_empty();
    if !is_whole {
        let end = entries.keys().last().map_or(expected, |last| last + 1).max(expected);
        let lost: Vec<u64> = (0..end).filter(|index| !entries.contains_key(index)).collect();
        for entry in from_bundles(objects, &lost).await? {
            if let Some(first) = wrong.first_mut() {
                first.affects.extend(made_by(&entry));
                first.affects.insert(affected(&entry));
            }
            entries.insert(entry.index, entry);
        }
    }
    let check = listed("log: commits and their checksums", wrong, format!("{expected} entries"));
    Ok(ReadLog { entries, is_whole, check })
}

/// Entries as their bundles show them: good enough to name what is affected.
async fn from_bundles(objects: &Objects, lost: &[u64]) -> Result<Vec<Entry>, Error> {
    let mut found = Vec::new();
    let paths = match lost.is_empty() {
        true => Vec::new(),
        false => objects.list("tile/entries/").await?,
    };
    for tile in paths.iter().filter_map(|path| Tile::from_path(path)) {
        let (first, last) = tile.span();
        if !lost.iter().any(|index| (first..last).contains(index)) {
            continue;
        }
        let bytes = objects.get(&tile.path()).await?;
        let Ok(bundle) = tiles::decode_bundle(&bytes, tile.width) else { continue };
        for (index, bytes) in (first..).zip(bundle) {
            if lost.contains(&index) {
                found.extend(Entry::from_bytes(bytes, 1));
            }
        }
    }
    Ok(found)
}

/// Every body is what its entry commits to, or was erased.
pub(super) async fn bodies_check(objects: &Objects, log: &ReadLog) -> Result<Check, Error> {
    let (mut wrong, mut erased, mut count) = (Vec::new(), Vec::new(), 0);
    for entry in log.entries.values() {
        let key = body_key(&entry.body_commitment);
        if !objects.exists(&key).await? {
            erased.push(entry.index.to_string());
            continue;
        }
        count += 1;
        if let Err(error) = Body::open(&objects.get(&key).await?, &entry.body_commitment) {
            let text = format!("`{key}`, the body of entry {}: {error}", entry.index);
            wrong.push(Wrong::of(text, made_by(entry).into_iter().chain([affected(entry)])));
        }
    }
    let erased = match erased.len() {
        0 => String::new(),
        more => format!("; {more} erased: entries {}", erased.join(", ")),
    };
    Ok(listed("bodies", wrong, format!("{count} bodies as committed{erased}")))
}

/// Signed heads of the lake as they lie there.
pub(super) struct Heads {
    newest: Result<Checkpoint, String>,
    cosigned: Vec<(String, Cosigned)>,
}

/// A head as a witness returned it, or why it is none.
type Cosigned = Result<(Note, Checkpoint), String>;

impl Heads {
    pub(super) async fn read(objects: &Objects, key: &VerifyingKey) -> Result<Self, Error> {
        let newest = match objects.exists(CHECKPOINT_FILE).await? {
            false => Err("there is no signed checkpoint".to_owned()),
            true => Checkpoint::open(&objects.get(CHECKPOINT_FILE).await?, key)
                .map_err(|error| format!("`{CHECKPOINT_FILE}`: {error}")),
        };
        let mut cosigned = Vec::new();
        for path in objects.list(COSIGNED_FOLDER).await? {
            let bytes = objects.get(&path).await?;
            let head = Note::parse(&bytes)
                .and_then(|note| Checkpoint::open(&bytes, key).map(|head| (note, head)));
            cosigned.push((path, head.map_err(|error| error.to_string())));
        }
        Ok(Self { newest, cosigned })
    }

    fn sizes(&self) -> BTreeSet<u64> {
        let cosigned = self.cosigned.iter().filter_map(|(_, head)| head.as_ref().ok());
        let newest = self.newest.iter().map(|head| head.size);
        newest.chain(cosigned.map(|(_, head)| head.size)).collect()
    }
}

/// What one pass over the entries gives.
pub(super) struct Recomputed {
    size: u64,
    roots: BTreeMap<u64, Digest>,
    pub(super) tiles: Check,
}

/// Recomputes the tree, and compares every tile under the newest head with the entries.
pub(super) async fn recompute(
    objects: &Objects,
    log: &ReadLog,
    heads: &Heads,
) -> Result<Recomputed, Error> {
    let (sizes, mut roots) = (heads.sizes(), BTreeMap::new());
    let (mut edge, mut wrong, mut count) = (Edge::default(), Vec::new(), 0);
    let signed = heads.newest.as_ref().map_or(0, |head| head.size);
    if sizes.contains(&0) {
        roots.insert(0, edge.root());
    }
    for (at, entry) in (0..).zip(log.entries.values()) {
        if entry.index != at || !log.is_whole {
            break;
        }
        let full = edge.append(&entry.to_bytes()?)?;
        let size = edge.leaf_count();
        let partial = if size == signed { edge.partial() } else { Vec::new() };
        for (tile, bytes) in full.iter().filter(|_| size <= signed).chain(&partial) {
            count += 1;
            wrong.extend(compare_tile(objects, tile, bytes, log).await?);
        }
        if sizes.contains(&size) {
            roots.insert(size, edge.root());
        }
    }
    let known: BTreeSet<String> = tiles::tiles_of(signed).iter().map(Tile::path).collect();
    for path in objects.list("tile/").await? {
        if !known.contains(&path) && Tile::from_path(&path).is_none() {
            wrong.push(Wrong::of(format!("`{path}` is no tile"), []));
        }
    }
    let found = format!("{count} tiles, every byte");
    let tiles = listed("tiles: hashes and entries for others", wrong, found);
    Ok(Recomputed { size: edge.leaf_count(), roots, tiles })
}

async fn compare_tile(
    objects: &Objects,
    tile: &Tile,
    expected: &[u8],
    log: &ReadLog,
) -> Result<Option<Wrong>, Error> {
    let path = tile.path();
    let problem = match objects.exists(&path).await? {
        false => "is missing",
        true if objects.get(&path).await? == expected => return Ok(None),
        true => "is not what follows from the log",
    };
    let (first, last) = tile.span();
    let affects = match tile.row {
        Row::Entries => log.entries.range(first..last).flat_map(|(_, e)| made_by(e)).collect(),
        Row::Hashes(_) => BTreeSet::new(),
    };
    let text = format!("`{path}` {problem}: proofs of entries {first} to {} fail", last - 1);
    Ok(Some(Wrong::of(text, affects)))
}

/// The newest signed head, against the log.
pub(super) fn head_check(log: &ReadLog, heads: &Heads, found: &Recomputed) -> Check {
    let outcome = heads.newest.as_ref().map_err(Clone::clone).and_then(|head| {
        held(head, log, found)?;
        let (size, root) = (found.size, head.root);
        Ok(format!("{size} entries, {} under the signed root {root}", head.size))
    });
    let mut check = check("ledger: entries, tree head, signature", outcome);
    if !check.passed {
        check.affects = log.entries.values().flat_map(made_by).collect();
    }
    check
}

/// A head that was signed holds for the log as it is.
fn held(head: &Checkpoint, log: &ReadLog, found: &Recomputed) -> Result<(), String> {
    if !log.is_whole {
        return Err("the tree cannot be recomputed from a damaged log".to_owned());
    }
    let size = head.size;
    if size > found.size {
        return Err(format!(
            "the log was truncated: {size} entries were signed and only {} are there",
            found.size
        ));
    }
    match found.roots.get(&size) {
        Some(root) if *root == head.root => Ok(()),
        _ => Err(format!(
            "the log was edited or forked: the root over {size} entries is not the signed one"
        )),
    }
}

/// Heads that witnesses have cosigned hold for the log as it is; each `asked` witness must be among them.
pub(super) fn witness_check(
    log: &ReadLog,
    heads: &Heads,
    found: &Recomputed,
    (known, asked): (&[WitnessKey], &[WitnessKey]),
) -> Check {
    let (mut wrong, mut words) = (Vec::new(), Vec::new());
    let mut newest: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (path, head) in &heads.cosigned {
        let outcome = head.as_ref().map_err(Clone::clone).and_then(|(note, head)| {
            held(head, log, found)?;
            for key in known.iter().chain(asked) {
                match key.cosigned_at(note) {
                    Ok(time_s) => {
                        newest.insert(key.to_string(), (head.size, time_s));
                    }
                    Err(tiepoint_ledger::LedgerError::TooFewSignatures { .. }) => (),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        });
        if let Err(problem) = outcome {
            let affects = log.entries.values().flat_map(made_by);
            wrong.push(Wrong::of(format!("`{path}`: {problem}"), affects));
        }
    }
    for key in asked.iter().filter(|key| !newest.contains_key(&key.to_string())) {
        wrong.push(Wrong::of(format!("`{}` has cosigned nothing here", key.name()), []));
    }
    for (key, (size, time_s)) in &newest {
        let name = key.split('+').next().unwrap_or(key);
        words.push(format!("{name}: {size} entries, {}", witness_words(*time_s)));
    }
    let found = match (heads.cosigned.len(), words.is_empty()) {
        (0, _) => "none; nobody else vouches that history was not rewritten".to_owned(),
        (count, true) => format!("{count} cosigned heads, no key of a witness to check them with"),
        (_, false) => words.join("; "),
    };
    listed("witnesses", wrong, found)
}
