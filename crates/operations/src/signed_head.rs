//! The signed head of the log and its tiles, written after a commit so that outsiders can check it.
//!
//! Invariant: the checkpoint is written last, so a checkpoint says that its tiles are there; a head is
//! signed only over a log that begins with all that was signed before.
//! Both can be made again from the log: a commit whose head could not be written is no lost commit, and
//! the next one writes what is missing.
//!
//! Not here: proofs on request (see [`crate::prove`]).

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_ledger::{
    Checkpoint, CompactRange, Edge, EntryProof, InclusionProof, LedgerError, Tile,
    merkle::leaf_hash, tiles,
};
use tiepoint_model::Digest;

use crate::{Error, Platform, platform::log::Wanted};

/// Where the newest signed head lies.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";

/// What is kept in memory of the head: the edge of the tiles, and roots since the head last signed.
#[derive(Default)]
pub(crate) struct SignedHead {
    edge: Edge,
    /// The newest checkpoint that was found with a good signature.
    signed: Option<Checkpoint>,
    /// Roots by size, from the first signed size that was found on.
    roots: BTreeMap<u64, Digest>,
    /// Full tiles are kept from this size on: the signed one, or that of the log when it was first read through.
    kept_from: Option<u64>,
    /// Full tiles cut since then.
    full: Vec<(Tile, Vec<u8>)>,
    /// The entry that this program committed last, and its place in the tree.
    pub(crate) last_entry: Option<(Vec<u8>, InclusionProof)>,
    /// The proof of it under the head that was signed over it.
    pub(crate) last_proof: Option<EntryProof>,
}

impl SignedHead {
    /// Takes the next entry; `tree` has it already.
    pub(crate) fn push(&mut self, entry: &[u8], tree: &CompactRange) -> Result<(), LedgerError> {
        let full = self.edge.append(entry)?;
        if self.kept_from.is_some_and(|kept_from| self.edge.leaf_count() > kept_from) {
            self.full.extend(full);
        }
        if self.signed.as_ref().is_some_and(|signed| signed.size == tree.leaf_count()) {
            self.note_root(tree);
        }
        Ok(())
    }

    /// Starts at the edge of a log that was saved.
    pub(crate) fn begin_at(&mut self, edge: Edge) {
        self.edge = edge;
    }

    /// True if the newest head that was found or written is of this size.
    pub(crate) fn is_signed_at(&self, size: u64) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.size == size)
    }

    /// The edge of the tiles.
    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// True if the log ends with these entries, as far as its partial tiles tell.
    pub(crate) fn ends_with(&self, entries: &[&[u8]]) -> bool {
        let mut hashes = entries.iter().rev().map(|entry| leaf_hash(entry));
        let leaves = self.edge.last_leaves().iter().rev();
        leaves.zip(&mut hashes).all(|(expected, found)| *expected == found)
    }

    /// Remembers what was signed, which the log that is read next must hold.
    pub(crate) fn expect(&mut self, signed: Option<Checkpoint>, tree: &CompactRange) {
        if let Some(signed) = signed {
            self.kept_from.get_or_insert(signed.size);
            self.signed = Some(signed);
        }
        self.note_root(tree);
    }

    /// The log was read to its end.
    pub(crate) fn loaded(&mut self, tree: &CompactRange) {
        self.kept_from.get_or_insert(tree.leaf_count());
    }

    /// Refuses a log that does not hold what was signed: on it nothing may be built.
    pub(crate) fn expect_whole(&self, tree: &CompactRange) -> Result<(), LedgerError> {
        let Some(signed) = &self.signed else { return Ok(()) };
        let (origin, seen_size) = (signed.origin.clone(), signed.size);
        let size = tree.leaf_count();
        if size < seen_size {
            return Err(LedgerError::Rollback { origin, seen_size, size });
        }
        match self.roots.get(&seen_size) {
            Some(root) if *root != signed.root => {
                Err(LedgerError::Fork { origin, seen_size, size })
            }
            _ => Ok(()),
        }
    }

    /// Heads are signed where a commit ends. Before anything was signed and read no root is needed.
    pub(crate) fn note_root(&mut self, tree: &CompactRange) {
        let first = match (&self.signed, self.kept_from) {
            (Some(signed), _) => signed.size,
            (None, Some(kept_from)) => kept_from,
            (None, None) => return,
        };
        if tree.leaf_count() >= first {
            self.roots.insert(tree.leaf_count(), tree.root());
        }
    }
}

impl Platform {
    /// The signed tree head as it lies in the lake, if there is one.
    pub(crate) async fn checkpoint_bytes(&self) -> Result<Option<Vec<u8>>, Error> {
        match self.store.objects.exists(CHECKPOINT_FILE).await? {
            true => Ok(Some(self.store.objects.get(CHECKPOINT_FILE).await?)),
            false => Ok(None),
        }
    }

    /// The signed head, if there is one whose signature holds. A damaged one is as good as none: it is
    /// made again from the log, and `verify` reports it until then.
    pub(crate) async fn signed_checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        let Some(bytes) = self.checkpoint_bytes().await? else { return Ok(None) };
        Ok(Checkpoint::open(&bytes, &self.verifying_key()?).ok())
    }

    /// Writes new tiles and signs the head, if the key is at hand; a lake without its key still grows, and says so
    /// when verified.
    pub(crate) async fn write_checkpoint(&mut self) -> Result<(), Error> {
        let key = match self.signing_key().await {
            Ok(key) => key,
            Err(Error::NoSigningKey { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let (size, root) = (self.log.tree.leaf_count(), self.log.tree.root());
        let signed = self.signed_checkpoint().await?;
        let signed_size = signed.as_ref().map_or(0, |signed| signed.size);
        if signed_size <= size {
            self.log.head.expect(signed, &self.log.tree);
            self.log.head.expect_whole(&self.log.tree)?;
        }
        let checkpoint = Checkpoint::sign(size, root, &key)?;
        if let Some((entry, inclusion)) = self.log.head.last_entry.take() {
            let (leaf_index, path) = (inclusion.leaf_index, inclusion.path);
            let checkpoint = checkpoint.clone();
            self.log.head.last_proof = Some(EntryProof { entry, leaf_index, path, checkpoint });
        }
        // Another writer may have signed a longer log by now; its head covers this one.
        if signed_size > size {
            return Ok(());
        }
        self.write_tiles_since(signed_size).await?;
        self.store.objects.put_replace(CHECKPOINT_FILE, checkpoint.to_string()).await?;
        let origin = key.name().to_owned();
        self.log.head.signed = Some(Checkpoint { origin, size, root });
        self.log.head.full.retain(|(tile, _)| tile.span().1 > size);
        for tile in tiles::replaced_tiles(signed_size, size) {
            self.store.objects.remove(&tile.path()).await?;
        }
        Ok(())
    }

    /// Writes all tiles and the head again from the log. Whether the head may be signed is asked first.
    pub(crate) async fn rewrite_head(&mut self) -> Result<(), Error> {
        self.log.head.expect_whole(&self.log.tree)?;
        self.write_tiles_since(0).await?;
        self.write_checkpoint().await?;
        match self.log.head.is_signed_at(self.log.tree.leaf_count()) {
            true => self.save_anew().await,
            false => Ok(()),
        }
    }

    /// Writes the tiles of the log as it is that a log of `size` did not have.
    async fn write_tiles_since(&self, size: u64) -> Result<(), Error> {
        let head = &self.log.head;
        let wanted: BTreeSet<Tile> =
            tiles::new_tiles(size, head.edge.leaf_count()).into_iter().collect();
        let write = async |tiles: Vec<(Tile, Vec<u8>)>| {
            let tiles = tiles.into_iter().filter(|(tile, _)| wanted.contains(tile));
            let objects = tiles.map(|(tile, bytes)| (tile.path(), bytes)).collect();
            self.store.objects.put_replace_many(objects).await
        };
        if head.kept_from.is_none_or(|kept_from| size < kept_from) {
            // Tiles are missing from before this program was started: they follow from the entries.
            let mut edge = Edge::default();
            for firsts in self.commits_from(0) {
                let (commits, mut full) =
                    (self.read_commits(firsts, Wanted::Entries).await?, Vec::new());
                for line in commits.iter().flatten() {
                    full.extend(edge.append(&line.bytes)?);
                }
                write(full).await?;
            }
            return Ok(write(edge.partial()).await?);
        }
        Ok(write([head.full.clone(), head.edge.partial()].concat()).await?)
    }
}
