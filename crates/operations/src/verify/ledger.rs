//! The ledger from its bytes: commits, bodies, tree, tiles, saved projection, signed and cosigned heads.
//!
//! Invariant: one pass over the commits recomputes everything (see [`super::pass`]); an entry whose commit is damaged is
//! read from its bundle, so that it can be said what it made, but the log does not pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use tiepoint_ledger::{Checkpoint, Entry, Note, Tile, VerifyingKey, WitnessKey, tiles};
use tiepoint_model::Digest;
use tiepoint_store::Objects;

use super::{Check, Wrong, affected, check, listed, made_by, witness_words};
use crate::{Error, signed_head::CHECKPOINT_FILE, witness::COSIGNED_FOLDER};

/// The entries on which something rests, as far as they can be read.
pub(super) struct ReadLog {
    /// Sorted by index; entries of damaged commits come from their bundles.
    pub(super) entries: Vec<Entry>,
    /// True if every entry was read from a good commit.
    pub(super) is_whole: bool,
    pub(super) check: Check,
}

impl ReadLog {
    /// The first position that can still be read.
    pub(super) fn retain_from(&self) -> u64 {
        self.entries.iter().filter_map(|entry| entry.retain_from).max().unwrap_or(0)
    }

    /// The entries of a span of indexes.
    pub(super) fn range(&self, first: u64, last: u64) -> &[Entry] {
        let begin = self.entries.partition_point(|entry| entry.index < first);
        let end = self.entries.partition_point(|entry| entry.index < last);
        self.entries.get(begin..end).unwrap_or_default()
    }

    /// What was read from whole commits, `read`, completed from bundles where the log is damaged.
    pub(super) async fn complete(
        objects: &Objects,
        mut entries: Vec<Entry>,
        mut wrong: Vec<Wrong>,
        (read, expected): (&[Range<u64>], u64),
    ) -> Result<Self, Error> {
        let is_whole = wrong.is_empty();
        if !is_whole {
            let (mut lost, mut next): (Vec<u64>, u64) = (Vec::new(), 0);
            for commit in read {
                lost.extend(next..commit.start);
                next = next.max(commit.end);
            }
            lost.extend(next..expected);
            for entry in from_bundles(objects, &lost).await? {
                if let Some(first) = wrong.first_mut() {
                    first.affects.extend(made_by(&entry));
                    first.affects.insert(affected(&entry));
                }
                entries.push(entry);
            }
            entries.sort_by_key(|entry| entry.index);
            entries.dedup_by_key(|entry| entry.index);
        }
        let what = "log: commits and their checksums";
        let check = listed(what, wrong, format!("{expected} entries"));
        Ok(Self { entries, is_whole, check })
    }
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

/// Signed heads of the lake as they lie there.
pub(super) struct Heads {
    pub(super) newest: Result<Checkpoint, String>,
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

    pub(super) fn sizes(&self) -> BTreeSet<u64> {
        let cosigned = self.cosigned.iter().filter_map(|(_, head)| head.as_ref().ok());
        let newest = self.newest.iter().map(|head| head.size);
        newest.chain(cosigned.map(|(_, head)| head.size)).collect()
    }
}

/// The tree as it follows from the entries; of a damaged log, nothing.
#[derive(Default)]
pub(super) struct Recomputed {
    pub(super) size: u64,
    /// By size: the roots that somebody has signed.
    pub(super) roots: BTreeMap<u64, Digest>,
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
        check.affects = log.entries.iter().flat_map(made_by).collect();
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
            let affects = log.entries.iter().flat_map(made_by);
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
