//! The right edge of the log's tiles: what a writer keeps so as to cut the next ones.
//!
//! Invariant: at any size the edge and the full tiles handed out before it are all the tiles of that
//! size. It holds at most 255 entries and 255 hashes a row, whatever the length of the log.

use tiepoint_model::Digest;

use super::{Row, TILE_WIDTH, Tile, decode_bundle, decode_hashes, encode_hashes, push_entry};
use crate::{
    CompactRange, LedgerError,
    merkle::{leaf_hash, node_hash},
};

/// The tiles at the right edge of a log, still growing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    leaf_count: u64,
    bundle: Vec<u8>,
    /// Hashes of the last tile of each row, 0 to 255 of them.
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// How many entries the log has.
    #[must_use]
    pub fn leaf_count(&self) -> u64 {
        self.leaf_count
    }

    /// Adds the next entry, given by its bytes; answers with the tiles that this fills.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`] for an entry of more than 65,535 bytes; nothing is changed then.
    pub fn append(&mut self, entry: &[u8]) -> Result<Vec<(Tile, Vec<u8>)>, LedgerError> {
        push_entry(&mut self.bundle, entry)?;
        let mut full = Vec::new();
        let width = TILE_WIDTH as u16;
        let (mut hash, mut index) = (leaf_hash(entry), self.leaf_count / TILE_WIDTH);
        self.leaf_count += 1;
        if self.leaf_count.is_multiple_of(TILE_WIDTH) {
            let tile = Tile { row: Row::Entries, index, width };
            full.push((tile, std::mem::take(&mut self.bundle)));
        }
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[level];
            row.push(hash);
            if row.len() as u64 != TILE_WIDTH {
                break;
            }
            let tile = Tile { row: Row::Hashes(level as u8), index, width };
            full.push((tile, encode_hashes(row)));
            hash = full_root(row);
            row.clear();
            index /= TILE_WIDTH;
        }
        Ok(full)
    }

    /// The leaf hashes of the last tile that is not full; none where the log ends with a full one.
    #[must_use]
    pub fn last_leaves(&self) -> &[Digest] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// The partial tiles at this size.
    #[must_use]
    pub fn partial(&self) -> Vec<(Tile, Vec<u8>)> {
        let mut tiles = Vec::new();
        let width = (self.leaf_count % TILE_WIDTH) as u16;
        if width > 0 {
            let index = self.leaf_count / TILE_WIDTH;
            tiles.push((Tile { row: Row::Entries, index, width }, self.bundle.clone()));
        }
        for (level, row) in (0_u8..).zip(&self.rows) {
            if !row.is_empty() {
                let index = (self.leaf_count >> (8 * u32::from(level))) / TILE_WIDTH;
                let tile = Tile { row: Row::Hashes(level), index, width: row.len() as u16 };
                tiles.push((tile, encode_hashes(row)));
            }
        }
        tiles
    }

    /// The edge of a log of this size, from the bytes of its partial tiles.
    ///
    /// `read` is asked for each; what it answers is believed, so check the root that follows.
    ///
    /// # Errors
    /// Those of `read`; [`LedgerError::Malformed`].
    pub fn read<E: From<LedgerError>>(
        leaf_count: u64,
        mut read: impl FnMut(&Tile) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let mut edge = Self { leaf_count, ..Self::default() };
        for tile in Self::partial_tiles(leaf_count) {
            let bytes = read(&tile)?;
            match tile.row {
                Row::Entries => {
                    decode_bundle(&bytes, tile.width)?;
                    edge.bundle = bytes;
                }
                Row::Hashes(level) => {
                    edge.rows.resize(usize::from(level) + 1, Vec::new());
                    edge.rows[usize::from(level)] = decode_hashes(&bytes, tile.width)?;
                }
            }
        }
        // A log of 256 entries has an empty row 0; one that had them written it would be equal.
        let row_count = (0..8).take_while(|level| leaf_count >> (8 * level) > 0).count();
        edge.rows.resize(row_count, Vec::new());
        Ok(edge)
    }

    /// The names of the partial tiles of a log of this size.
    #[must_use]
    pub fn partial_tiles(leaf_count: u64) -> Vec<Tile> {
        let mut tiles = super::edge_tiles(leaf_count);
        tiles.retain(|tile| !tile.is_full());
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// What is needed to go on hashing the log.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        // Row by row from the top, the largest subtree first.
        let peaks = self.rows.iter().rev().flat_map(|row| peaks(row)).collect();
        CompactRange::of(self.leaf_count, peaks)
    }

    /// The root over all entries.
    #[must_use]
    pub fn root(&self) -> Digest {
        let complete = self.rows.iter().flat_map(|row| peaks(row).into_iter().rev());
        let folded = complete.reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(crate::merkle::empty_root)
    }
}

/// Roots of the complete subtrees of a row, the largest (leftmost) first.
fn peaks(row: &[Digest]) -> Vec<Digest> {
    let mut peaks = Vec::new();
    let mut rest = row;
    while !rest.is_empty() {
        let width = 1 << rest.len().ilog2();
        peaks.push(full_root(&rest[..width]));
        rest = &rest[width..];
    }
    peaks
}

/// The root over hashes whose number is a power of two.
pub(super) fn full_root(hashes: &[Digest]) -> Digest {
    let mut hashes = hashes.to_vec();
    while hashes.len() > 1 {
        hashes = hashes.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes[0]
}
