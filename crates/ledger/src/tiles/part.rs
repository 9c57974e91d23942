//! A tree of which only some tiles are at hand: enough for one proof.
//!
//! Invariant: what is proved follows from the tiles that were given and nothing else.
//! A wrong tile gives a proof that does not verify against the signed root.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::Digest;

use super::{Row, TILE_WIDTH, Tile, decode_hashes, edge::full_root, last_tile, row_tiles};
use crate::{ConsistencyProof, InclusionProof, LedgerError, merkle::paths};

/// Some tiles of a tree of a given size.
#[derive(Clone, Debug)]
pub struct TiledTree {
    size: u64,
    tiles: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl TiledTree {
    /// The tiles needed to prove things about leaf `leaf_index` in a tree of this size, and to
    /// prove consistency with the tree of size `leaf_index + 1`; at most 16.
    #[must_use]
    pub fn tiles_needed(leaf_index: u64, size: u64) -> BTreeSet<Tile> {
        let mut tiles = BTreeSet::new();
        for level in 0..super::ROWS_MAX as u8 {
            let bits = 8 * u32::from(level);
            let (at, count) = (leaf_index >> bits, size >> bits);
            if at < count {
                let end = count.min((at / TILE_WIDTH + 1) * TILE_WIDTH);
                tiles.extend(row_tiles(Row::Hashes(level), end - 1, end));
            }
            tiles.extend(last_tile(level, size));
        }
        tiles
    }

    /// A tree of this size without tiles.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, tiles: BTreeMap::new() }
    }

    /// Adds a tile of hashes.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] if the bytes are not of the tile's width.
    pub fn add(&mut self, tile: &Tile, bytes: &[u8]) -> Result<(), LedgerError> {
        if let Row::Hashes(level) = tile.row {
            self.tiles.insert((level, tile.index), decode_hashes(bytes, tile.width)?);
        }
        Ok(())
    }

    /// The root that follows from the tiles.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] if a needed tile was not given.
    pub fn root(&self) -> Result<Digest, LedgerError> {
        paths::root(&self.complete(), self.size)
    }

    /// Proves that a leaf is in the tree.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] beyond the tree, or if a needed tile was not given.
    pub fn inclusion(&self, leaf_index: u64) -> Result<InclusionProof, LedgerError> {
        paths::inclusion(&self.complete(), leaf_index, self.size)
    }

    /// Proves that the tree begins with all leaves of its earlier self.
    ///
    /// # Errors
    /// As [`TiledTree::inclusion`].
    pub fn consistency(&self, old_size: u64) -> Result<ConsistencyProof, LedgerError> {
        paths::consistency(&self.complete(), old_size, self.size)
    }

    /// A subtree of `2^level` leaves is the root over part of one tile.
    fn complete(&self) -> impl Fn(u32, u64) -> Result<Digest, LedgerError> {
        move |level, index| {
            let (row, bits) = ((level / 8) as u8, level % 8);
            let (width, first) = (1 << bits, index << bits);
            let begin = (first % TILE_WIDTH) as usize;
            let tile = self.tiles.get(&(row, first / TILE_WIDTH));
            let hashes = tile.and_then(|hashes| hashes.get(begin..begin + width));
            let (position, entry_count) = (index << level, self.size);
            hashes.map(full_root).ok_or(LedgerError::NoSuchPosition { position, entry_count })
        }
    }
}
