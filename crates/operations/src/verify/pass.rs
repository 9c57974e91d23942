//! One pass over the commits of the log: entries, bodies, tree, tiles, and what a saved projection must say.
//!
//! Invariant: entries are taken in the order of the log, and what was hashed is the bytes as they were read. After the
//! first damage nothing is concluded about tree, tiles and projection; bodies are checked on.
//!
//! Not here: heads and witnesses, which are held against what is recomputed here.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use tiepoint_ledger::{
    BodyView as _, Entry, LedgerError, Links, Projection, Row, Tile, VerifyingKey, commit_path,
    first_index_of_path, split_bodies, tiles,
};
use tiepoint_model::Digest;
use tiepoint_store::{Objects, StoreError};

use super::{
    Check, Wrong, affected,
    ledger::{Heads, ReadLog, Recomputed},
    listed, made_by,
    piece::{self, Decoded, ReadCommit},
};
use crate::{
    Error,
    platform::{
        log::chunks,
        saved::{SAVED_FOLDER, saved_key, saved_position},
    },
};

/// What the pass gives.
pub(super) struct Found {
    pub(super) log: ReadLog,
    pub(super) bodies: Check,
    pub(super) tree: Recomputed,
    pub(super) tiles: Check,
    pub(super) saved: Check,
}

/// Reads the whole log once.
pub(super) async fn run(
    objects: &Objects,
    heads: Option<&Heads>,
    key: Option<&VerifyingKey>,
) -> Result<Found, Error> {
    let mut pass = Pass::new(objects, heads, key).await?;
    let mut firsts = Vec::new();
    for path in objects.list("log/").await? {
        match first_index_of_path(&path) {
            Some(first) => firsts.push(first),
            None => pass.damaged(format!("`{path}` is no commit")),
        }
    }
    // The next piece is read while one is put in order.
    let read = |firsts: &[u64]| tokio::spawn(piece::read(objects.clone(), firsts.to_vec()));
    let mut pieces = chunks(&firsts, u64::MAX).into_iter();
    let mut next = pieces.next().map(read);
    while let Some(reading) = next {
        let piece = reading.await.map_err(|_| StoreError::TaskLost { action: "read the log" })?;
        next = pieces.next().map(read);
        pass.take(piece?).await?;
    }
    pass.end().await
}

struct Pass<'o> {
    objects: &'o Objects,
    key: Option<&'o VerifyingKey>,
    /// Sizes of heads that somebody has signed.
    sizes: BTreeSet<u64>,
    signed: u64,
    /// Saved projections by position, until they are compared.
    saved: BTreeMap<u64, Vec<u8>>,
    /// The index that the next entry must have.
    expected: u64,
    /// Those on which something rests; of the others nothing is asked.
    entries: Vec<Entry>,
    /// The indexes of commits that are whole.
    read: Vec<Range<u64>>,
    log_wrong: Vec<Wrong>,
    bodies: Bodies,
    /// What follows from the entries so far; its state is kept only if there is something to compare it with.
    rebuilt: Projection,
    roots: BTreeMap<u64, Digest>,
    tiles: Vec<(Tile, Vec<u8>)>,
    tile_count: usize,
    /// Tiles that are wrong, and in which way.
    tiles_wrong: Vec<(Tile, &'static str)>,
    saved_wrong: Vec<Wrong>,
}

#[derive(Default)]
struct Bodies {
    count: usize,
    erased: Vec<String>,
    wrong: Vec<Wrong>,
}

impl<'o> Pass<'o> {
    async fn new(
        objects: &'o Objects,
        heads: Option<&Heads>,
        key: Option<&'o VerifyingKey>,
    ) -> Result<Self, Error> {
        let (mut saved, mut saved_wrong) = (BTreeMap::new(), Vec::new());
        for path in objects.list(&format!("{SAVED_FOLDER}/")).await? {
            match saved_position(&path) {
                Some(position) => {
                    let bytes = objects.get_many(std::slice::from_ref(&path)).await?.pop();
                    // A writer that has saved a newer one takes an older one away.
                    saved.extend(bytes.flatten().map(|bytes| (position, bytes)));
                }
                None => saved_wrong.push(Wrong::of(format!("`{path}` is no projection"), [])),
            }
        }
        let mut pass = Self {
            objects,
            key,
            sizes: heads.map(Heads::sizes).unwrap_or_default(),
            signed: heads.and_then(|heads| heads.newest.as_ref().ok()).map_or(0, |head| head.size),
            saved,
            expected: 0,
            entries: Vec::new(),
            read: Vec::new(),
            log_wrong: Vec::new(),
            bodies: Bodies::default(),
            rebuilt: Projection::default(),
            roots: BTreeMap::new(),
            tiles: Vec::new(),
            tile_count: 0,
            tiles_wrong: Vec::new(),
            saved_wrong,
        };
        pass.note_root();
        Ok(pass)
    }

    fn damaged(&mut self, text: String) {
        self.log_wrong.push(Wrong::of(text, []));
    }

    /// Puts some commits in order, behind those that were taken before.
    async fn take(&mut self, commits: Vec<ReadCommit>) -> Result<(), Error> {
        for ReadCommit { first, decoded } in commits {
            let (expected, path) = (self.expected, commit_path(first));
            if first != expected {
                let missing = commit_path(expected);
                self.damaged(format!("`{missing}` is missing, or `{path}` should not be"));
            }
            match decoded {
                Ok(mut decoded) => {
                    self.expected = first + decoded.entries.len() as u64;
                    let bodies = self.bodies.check(&mut decoded);
                    if self.log_wrong.is_empty() {
                        self.rebuild(first, &decoded, &bodies)?;
                    }
                    self.read.push(first..self.expected);
                    self.entries.extend(decoded.entries.into_iter().filter(names_something));
                }
                Err(error) => {
                    self.damaged(format!("`{path}`: {error}"));
                    self.expected = first + 1;
                }
            }
        }
        self.compare_tiles().await
    }

    /// Goes on with the tree, the tiles and the state.
    fn rebuild(
        &mut self,
        first: u64,
        decoded: &Decoded,
        bodies: &[Option<Links>],
    ) -> Result<(), Error> {
        let wants_state = self.saved.last_key_value().is_some_and(|(last, _)| first < *last);
        let Self {
            rebuilt: Projection { state, edge, commits }, sizes, signed, roots, tiles, ..
        } = self;
        let grow = || -> Result<(), LedgerError> {
            for bytes in decoded.lines() {
                let full = edge.append(bytes)?;
                let size = edge.leaf_count();
                if size <= *signed {
                    tiles.extend(full);
                }
                if size == *signed {
                    tiles.extend(edge.partial());
                }
                if sizes.contains(&size) {
                    roots.insert(size, edge.root());
                }
            }
            Ok(())
        };
        let apply = || -> Result<(), LedgerError> {
            let both = decoded.entries.iter().zip(bodies).filter(|_| wants_state);
            both.into_iter().try_for_each(|(entry, body)| state.apply(entry, body.as_ref()))
        };
        // Neither needs the other.
        let (grown, applied) = rayon::join(grow, apply);
        grown.and(applied)?;
        commits.push(first);
        let position = self.rebuilt.edge.leaf_count();
        if let Some(bytes) = self.saved.remove(&position)
            && wants_state
        {
            self.compare_saved(position, &bytes);
        }
        Ok(())
    }

    fn note_root(&mut self) {
        let size = self.rebuilt.edge.leaf_count();
        if self.sizes.contains(&size) {
            self.roots.insert(size, self.rebuilt.edge.root());
        }
    }

    /// A projection says what the log says up to its position, and is signed.
    fn compare_saved(&mut self, position: u64, bytes: &[u8]) {
        if !self.rebuilt.is_saved_as(bytes, self.key) {
            let path = saved_key(position);
            let text = format!("`{path}` is not what follows from the log and its bodies");
            self.saved_wrong.push(Wrong::of(text, []));
        }
    }

    /// Compares the tiles that have been cut so far with those in the lake.
    async fn compare_tiles(&mut self) -> Result<(), Error> {
        let tiles = std::mem::take(&mut self.tiles);
        let paths: Vec<String> = tiles.iter().map(|(tile, _)| tile.path()).collect();
        let found = self.objects.get_many(&paths).await?;
        self.tile_count += tiles.len();
        for ((tile, expected), found) in tiles.into_iter().zip(found) {
            match found {
                None => self.tiles_wrong.push((tile, "is missing")),
                Some(found) if found == expected => (),
                Some(_) => self.tiles_wrong.push((tile, "is not what follows from the log")),
            }
        }
        Ok(())
    }

    async fn end(mut self) -> Result<Found, Error> {
        self.compare_tiles().await?;
        let (entries, wrong) = (self.entries, self.log_wrong);
        let log =
            ReadLog::complete(self.objects, entries, wrong, (&self.read, self.expected)).await?;
        for position in self.saved.keys() {
            let text = format!("`{}` is of no position of the log", saved_key(*position));
            self.saved_wrong.push(Wrong::of(text, []));
        }
        let bodies_hold = self.bodies.wrong.is_empty();
        let mut found = Found {
            bodies: self.bodies.summary(),
            tree: Recomputed { size: self.rebuilt.edge.leaf_count(), roots: self.roots },
            tiles: listed(TILES, Vec::new(), String::new()),
            saved: listed(SAVED, self.saved_wrong, "as the log says".to_owned()),
            log,
        };
        if !found.log.is_whole || !bodies_hold {
            let why = "not compared, since the log or a body is damaged".to_owned();
            found.saved = super::check(SAVED, Ok(why));
        }
        if !found.log.is_whole {
            // Nothing follows from a damaged log.
            found.tree = Recomputed::default();
            (self.tiles_wrong, self.tile_count) = (Vec::new(), 0);
        }
        let mut wrong: Vec<Wrong> = self
            .tiles_wrong
            .iter()
            .map(|(tile, problem)| described(tile, problem, &found.log))
            .collect();
        let known: BTreeSet<String> = tiles::tiles_of(self.signed).iter().map(Tile::path).collect();
        for path in self.objects.list("tile/").await? {
            if !known.contains(&path) && Tile::from_path(&path).is_none() {
                wrong.push(Wrong::of(format!("`{path}` is no tile"), []));
            }
        }
        found.tiles = listed(TILES, wrong, format!("{} tiles, every byte", self.tile_count));
        Ok(found)
    }
}

fn names_something(entry: &Entry) -> bool {
    let Entry { blobs, roots, tables, retain_from, .. } = entry;
    !(blobs.is_empty() && roots.is_empty() && tables.is_empty() && retain_from.is_none())
}

const TILES: &str = "tiles: hashes and entries for others";
const SAVED: &str = "saved projection";

fn described(tile: &Tile, problem: &str, log: &ReadLog) -> Wrong {
    let (first, last) = tile.span();
    let affects: BTreeSet<String> = match tile.row {
        Row::Entries => log.range(first, last).iter().flat_map(made_by).collect(),
        Row::Hashes(_) => BTreeSet::new(),
    };
    let (path, last) = (tile.path(), last - 1);
    Wrong::of(format!("`{path}` {problem}: proofs of entries {first} to {last} fail"), affects)
}

impl Bodies {
    /// Every body is what its entry commits to, or was erased; answers with those that are.
    fn check(&mut self, decoded: &mut Decoded) -> Vec<Option<Links>> {
        let bodies = std::mem::replace(&mut decoded.bodies, Ok(Vec::new()));
        let bodies = bodies.unwrap_or_else(|error| self.sort_out(decoded, &error));
        let left = bodies.iter().flatten().count();
        self.count += left;
        if left < bodies.len() && self.wrong.is_empty() {
            let erased = decoded.entries.iter().zip(&bodies).filter(|(_, body)| body.is_none());
            self.erased.extend(erased.map(|(entry, _)| entry.index.to_string()));
        }
        bodies
    }

    /// Which bodies of a commit are wrong, and which are left.
    fn sort_out(&mut self, decoded: &Decoded, error: &LedgerError) -> Vec<Option<Links>> {
        let Decoded { entries, bodies_key: key, bodies_file, .. } = decoded;
        let affects = |entry: &Entry| made_by(entry).into_iter().chain([affected(entry)]);
        let Ok(files) = split_bodies(bodies_file.as_deref(), entries.len()) else {
            let all = entries.iter().flat_map(affects);
            self.wrong.push(Wrong::of(format!("`{key}`, several bodies: {error}"), all));
            return vec![None; entries.len()];
        };
        let open = |(entry, bytes): (&Entry, Option<&[u8]>)| match Links::open(
            bytes?,
            &entry.body_commitment,
        ) {
            Ok(body) => Some(body),
            Err(error) => {
                let text = format!("`{key}`, the body of entry {}: {error}", entry.index);
                self.wrong.push(Wrong::of(text, affects(entry)));
                None
            }
        };
        entries.iter().zip(files).map(open).collect()
    }

    fn summary(self) -> Check {
        let erased = match self.erased.len() {
            0 => String::new(),
            more => format!("; {more} erased: entries {}", self.erased.join(", ")),
        };
        listed("bodies", self.wrong, format!("{} bodies as committed{erased}", self.count))
    }
}
