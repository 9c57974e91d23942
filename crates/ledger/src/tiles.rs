//! Tiles: the tree and the entries cut into files that anybody can fetch (C2SP tlog-tiles).
//!
//! `tile/<L>/<N>` holds 256 hashes of row `L` (roots over `256^L` entries each), `tile/entries/<N>`
//! 256 entries, each after its length (big-endian, 16 bits); `.p/<W>` marks a tile of only `W`.
//! Invariant: tiles follow from the entries, so any of them can be written again; a full tile never
//! changes, and a partial one is a prefix of the tile that replaces it.
//!
//! Not here: where tiles lie and when they are written. A tile is only as true as the signed root
//! that its hashes lead to: check proofs made from tiles.

mod edge;
mod part;

use tiepoint_model::Digest;

use crate::LedgerError;

pub use edge::Edge;
pub use part::TiledTree;

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Rows of a tree of at most 2^64 entries.
const ROWS_MAX: u32 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The entries themselves.
    Entries,
    /// Hashes, each over `256^L` entries; row 0 holds the leaf hashes.
    Hashes(u8),
}

/// Names one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Of what.
    pub row: Row,
    /// Position in its row, in tiles.
    pub index: u64,
    /// Hashes or entries in it, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Where the tile lies, relative to the log.
    #[must_use]
    pub fn path(&self) -> String {
        let row = match self.row {
            Row::Entries => "entries".to_owned(),
            Row::Hashes(level) => level.to_string(),
        };
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        match self.is_full() {
            true => format!("tile/{row}/{number}"),
            false => format!("tile/{row}/{number}.p/{}", self.width),
        }
    }

    /// The inverse of [`Tile::path`]; `None` for any other name.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Hashes(level.parse().ok()?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH as u16),
        };
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let tile = Self { row, index: digits.parse().ok()?, width };
        let exists = (1..=TILE_WIDTH).contains(&u64::from(width))
            && row <= Row::Hashes(ROWS_MAX as u8 - 1)
            && tile.index.leading_zeros() >= tile.bits() + 8;
        (exists && tile.path() == path).then_some(tile)
    }

    /// True if the tile will never change.
    #[must_use]
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The entries that the tile speaks of: from the first up to, and without, the last.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let first = self.index * TILE_WIDTH;
        (first << self.bits(), (first + u64::from(self.width)) << self.bits())
    }

    /// Each hash of the tile is over `2^bits` entries.
    fn bits(&self) -> u32 {
        match self.row {
            Row::Entries => 0,
            Row::Hashes(level) => 8 * u32::from(level),
        }
    }
}

/// The tiles of a log of this size: entries first, then the rows from the leaves up.
#[must_use]
pub fn tiles_of(size: u64) -> Vec<Tile> {
    new_tiles(0, size)
}

/// The tiles of a log of `new_size` that it did not have at `old_size`, in the order of
/// [`tiles_of`].
#[must_use]
pub fn new_tiles(old_size: u64, new_size: u64) -> Vec<Tile> {
    let mut tiles = row_tiles(Row::Entries, old_size, new_size);
    for level in 0..ROWS_MAX {
        let (old_count, new_count) = (old_size >> (8 * level), new_size >> (8 * level));
        tiles.extend(row_tiles(Row::Hashes(level as u8), old_count, new_count));
    }
    tiles
}

/// The partial tiles of a log of `old_size` that a log of `new_size` has replaced.
#[must_use]
pub fn replaced_tiles(old_size: u64, new_size: u64) -> Vec<Tile> {
    let kept = edge_tiles(new_size);
    let mut tiles = edge_tiles(old_size);
    tiles.retain(|tile| !tile.is_full() && !kept.contains(tile));
    tiles
}

/// The last tile of the entries and of each row.
fn edge_tiles(size: u64) -> Vec<Tile> {
    new_tiles(size.saturating_sub(1), size)
        .into_iter()
        .chain((1..ROWS_MAX).filter_map(|level| last_tile(level as u8, size)))
        .collect()
}

/// The last tile of a row of hashes, if the row has any.
fn last_tile(level: u8, size: u64) -> Option<Tile> {
    let count = size >> (8 * u32::from(level));
    row_tiles(Row::Hashes(level), count.saturating_sub(1), count).pop()
}

fn row_tiles(row: Row, old_count: u64, new_count: u64) -> Vec<Tile> {
    if old_count >= new_count {
        return Vec::new();
    }
    let tiles = old_count / TILE_WIDTH..new_count.div_ceil(TILE_WIDTH);
    tiles
        .map(|index| {
            let width = (new_count - index * TILE_WIDTH).min(TILE_WIDTH) as u16;
            Tile { row, index, width }
        })
        .collect()
}

/// The bytes of a tile of hashes.
#[must_use]
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Reads a tile of `width` hashes.
///
/// # Errors
/// [`LedgerError::Malformed`] for another length.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Digest>, LedgerError> {
    let (hashes, rest) = bytes.as_chunks();
    if !rest.is_empty() || hashes.len() != usize::from(width) {
        let problem = "does not hold as many hashes as its name says";
        return Err(LedgerError::Malformed { what: "tile", line: 1, problem });
    }
    Ok(hashes.iter().copied().map(Digest).collect())
}

/// Adds an entry to the bytes of a bundle.
///
/// # Errors
/// [`LedgerError::TooMany`] for more than 65,535 bytes.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LedgerError> {
    let (what, unit, max) = ("entry", "bytes", usize::from(u16::MAX));
    let count = entry.len();
    let length =
        u16::try_from(count).map_err(|_| LedgerError::TooMany { what, count, unit, max })?;
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
    Ok(())
}

/// Reads a bundle of `width` entries.
///
/// # Errors
/// [`LedgerError::Malformed`], naming the entry (from 1), unless it holds exactly so many.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, LedgerError> {
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    for line in 1..=usize::from(width) {
        let cut = LedgerError::Malformed { what: "entry bundle", line, problem: "is cut short" };
        let Some((length, tail)) = rest.split_first_chunk() else { return Err(cut) };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((entry, tail)) = tail.split_at_checked(length) else { return Err(cut) };
        entries.push(entry);
        rest = tail;
    }
    if !rest.is_empty() {
        let (what, line) = ("entry bundle", usize::from(width) + 1);
        return Err(LedgerError::Malformed { what, line, problem: "goes on after its last entry" });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
