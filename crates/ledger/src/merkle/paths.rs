//! Roots and proofs of any earlier size, from the hashes of complete subtrees.
//!
//! Invariant: `complete(level, index)` is asked only for the root over leaves
//! `index * 2^level` up to `(index + 1) * 2^level`, and only inside the size in question.
//! So the same code proves from a tree in memory and from a handful of tiles.
//!
//! Not here: checking a proof.

use tiepoint_model::Digest;

use super::{ConsistencyProof, InclusionProof, empty_root, node_hash};
use crate::LedgerError;

/// The root over the first `size` leaves.
pub(crate) fn root(
    complete: &impl Fn(u32, u64) -> Result<Digest, LedgerError>,
    size: u64,
) -> Result<Digest, LedgerError> {
    if size == 0 { Ok(empty_root()) } else { range_root(complete, 0, size) }
}

/// RFC 6962, 2.1.1.
pub(crate) fn inclusion(
    complete: &impl Fn(u32, u64) -> Result<Digest, LedgerError>,
    leaf_index: u64,
    tree_size: u64,
) -> Result<InclusionProof, LedgerError> {
    if leaf_index >= tree_size {
        let (position, entry_count) = (leaf_index, tree_size);
        return Err(LedgerError::NoSuchPosition { position, entry_count });
    }
    let mut path = Vec::new();
    let (mut begin, mut end) = (0, tree_size);
    while end - begin > 1 {
        let middle = begin + left_size(end - begin);
        if leaf_index < middle {
            path.push(range_root(complete, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(complete, begin, middle)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(InclusionProof { leaf_index, tree_size, path })
}

/// RFC 6962, 2.1.2.
pub(crate) fn consistency(
    complete: &impl Fn(u32, u64) -> Result<Digest, LedgerError>,
    old_size: u64,
    new_size: u64,
) -> Result<ConsistencyProof, LedgerError> {
    if old_size > new_size {
        let (position, entry_count) = (old_size, new_size);
        return Err(LedgerError::NoSuchPosition { position, entry_count });
    }
    let mut path = Vec::new();
    if old_size > 0 {
        let (mut begin, mut end) = (0, new_size);
        while old_size < end {
            let middle = begin + left_size(end - begin);
            if old_size <= middle {
                path.push(range_root(complete, middle, end)?);
                end = middle;
            } else {
                path.push(range_root(complete, begin, middle)?);
                begin = middle;
            }
        }
        // The verifier knows the old root already when the old tree is this whole subtree.
        if begin > 0 {
            path.push(range_root(complete, begin, end)?);
        }
        path.reverse();
    }
    Ok(ConsistencyProof { old_size, new_size, path })
}

/// Root over `begin..end`, where `begin` is a multiple of the next power of two of the length.
fn range_root(
    complete: &impl Fn(u32, u64) -> Result<Digest, LedgerError>,
    begin: u64,
    end: u64,
) -> Result<Digest, LedgerError> {
    let size = end - begin;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return complete(level, begin >> level);
    }
    let middle = begin + left_size(size);
    let (left, right) = (range_root(complete, begin, middle)?, range_root(complete, middle, end)?);
    Ok(node_hash(&left, &right))
}

/// The largest power of two below `size`, for a size of at least 2.
fn left_size(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}
