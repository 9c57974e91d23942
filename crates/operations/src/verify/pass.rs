//! One pass over the commits of the log: entries, bodies, tree, tiles, and what a saved projection must say.
//!
//! Invariant: entries are taken in the order of the log, and what was hashed is the bytes as they were read. After the
//! first damage nothing is concluded about tree, tiles and projection; bodies are checked on.
//!
//! Not here: heads and witnesses, which are held against what is recomputed here.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_ledger::{
    Body, Entry, LedgerError, Projection, Row, Tile, VerifyingKey, bodies_path, commit_path,
    decode_commit_lines, first_index_of_path, open_bodies, split_bodies, tiles,
};
use tiepoint_model::Digest;
use tiepoint_store::Objects;

use super::{
    Check, Wrong, affected,
    ledger::{Heads, ReadLog, Recomputed},
    listed, made_by,
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
    for firsts in chunks(&firsts, u64::MAX) {
        pass.take(firsts).await?;
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
    entries: Vec<Entry>,
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

    /// Reads and checks some commits with their bodies.
    async fn take(&mut self, firsts: &[u64]) -> Result<(), Error> {
        let paths: Vec<String> = firsts.iter().map(|first| commit_path(*first)).collect();
        let files = self.objects.get_many(&paths).await?;
        let mut commits = Vec::new();
        for ((first, path), bytes) in firsts.iter().zip(&paths).zip(&files) {
            let expected = self.expected;
            if *first != expected {
                let missing = commit_path(expected);
                self.damaged(format!("`{missing}` is missing, or `{path}` should not be"));
            }
            match decode_commit_lines(*first, bytes.as_deref().unwrap_or_default()) {
                Ok(lines) => {
                    self.expected = first + lines.len() as u64;
                    commits.push((*first, lines));
                }
                Err(error) => {
                    self.damaged(format!("`{path}`: {error}"));
                    self.expected = first + 1;
                }
            }
        }
        let keys: Vec<String> = commits.iter().map(|(_, lines)| bodies_key(lines)).collect();
        let bodies = self.objects.get_many(&keys).await?;
        for (((first, lines), key), file) in commits.into_iter().zip(keys).zip(bodies) {
            let bodies = self.bodies.check(&lines, &key, file.as_deref());
            if self.log_wrong.is_empty() {
                self.rebuild(first, &lines, &bodies)?;
            }
            self.entries.extend(lines.into_iter().map(|(entry, _)| entry));
        }
        self.compare_tiles().await
    }

    /// Goes on with the tree, the tiles and the state.
    fn rebuild(
        &mut self,
        first: u64,
        lines: &[(Entry, &[u8])],
        bodies: &[Option<Body>],
    ) -> Result<(), Error> {
        let wants_state = self.saved.last_key_value().is_some_and(|(last, _)| first < *last);
        for ((entry, bytes), body) in lines.iter().zip(bodies) {
            let full = self.rebuilt.edge.append(bytes)?;
            let size = self.rebuilt.edge.leaf_count();
            if size <= self.signed {
                self.tiles.extend(full);
            }
            if size == self.signed {
                self.tiles.extend(self.rebuilt.edge.partial());
            }
            self.note_root();
            if wants_state {
                self.rebuilt.state.apply(entry, body.as_ref())?;
            }
        }
        self.rebuilt.commits.push(first);
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
        let (is_signed, is_it) = rayon::join(
            || self.key.is_none_or(|key| Projection::open(bytes, key).is_ok()),
            || self.rebuilt.is_saved_as(bytes),
        );
        if !is_signed || !is_it {
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
        let read = (self.entries, self.log_wrong);
        let log = ReadLog::complete(self.objects, read, self.expected).await?;
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

const TILES: &str = "tiles: hashes and entries for others";
const SAVED: &str = "saved projection";

fn bodies_key(lines: &[(Entry, &[u8])]) -> String {
    let first = lines.first().map_or(Digest([0; 32]), |(entry, _)| entry.body_commitment);
    bodies_path(&first, lines.len())
}

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
    fn check(
        &mut self,
        lines: &[(Entry, &[u8])],
        key: &str,
        file: Option<&[u8]>,
    ) -> Vec<Option<Body>> {
        let commitments: Vec<Digest> =
            lines.iter().map(|(entry, _)| entry.body_commitment).collect();
        let bodies = open_bodies(file, &commitments);
        let bodies = bodies.unwrap_or_else(|error| self.sort_out(lines, key, file, &error));
        let left = bodies.iter().flatten().count();
        self.count += left;
        if left < bodies.len() && self.wrong.is_empty() {
            let erased = lines.iter().zip(&bodies).filter(|(_, body)| body.is_none());
            self.erased.extend(erased.map(|((entry, _), _)| entry.index.to_string()));
        }
        bodies
    }

    /// Which bodies of a commit are wrong, and which are left.
    fn sort_out(
        &mut self,
        lines: &[(Entry, &[u8])],
        key: &str,
        file: Option<&[u8]>,
        error: &LedgerError,
    ) -> Vec<Option<Body>> {
        let affects = |entry: &Entry| made_by(entry).into_iter().chain([affected(entry)]);
        let Ok(files) = split_bodies(file, lines.len()) else {
            let all = lines.iter().flat_map(|(entry, _)| affects(entry));
            self.wrong.push(Wrong::of(format!("`{key}`, several bodies: {error}"), all));
            return vec![None; lines.len()];
        };
        let open = |((entry, _), bytes): (&(Entry, &[u8]), Option<&[u8]>)| match Body::open(
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
        lines.iter().zip(files).map(open).collect()
    }

    fn summary(self) -> Check {
        let erased = match self.erased.len() {
            0 => String::new(),
            more => format!("; {more} erased: entries {}", self.erased.join(", ")),
        };
        listed("bodies", self.wrong, format!("{} bodies as committed{erased}", self.count))
    }
}
