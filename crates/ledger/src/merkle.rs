//! The Merkle tree over the ledger's entries: roots, proofs, and their verification.
//!
//! Invariant: hashes are those of RFC 6962 (SHA-256; a zero byte before a leaf's data, a one byte
//! before a pair of children; the left subtree is the largest power of two below the size).
//! A proof that was changed in any byte does not verify.
//!
//! Not here: tiles (see [`crate::tiles`]), and signatures.

pub(crate) mod paths;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use crate::{LedgerError, decimal};

/// Hash of a leaf's data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// Hash of two neighbouring subtrees.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Digest {
    Digest(Sha256::digest([]).into())
}

/// What is needed to go on hashing a log: at most 64 hashes, whatever its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactRange {
    leaf_count: u64,
    /// Roots of the complete subtrees, the largest (leftmost) first.
    peaks: Vec<Digest>,
}

impl CompactRange {
    /// The range of so many leaves, given the roots of their complete subtrees, the largest first.
    pub(crate) fn of(leaf_count: u64, peaks: Vec<Digest>) -> Self {
        Self { leaf_count, peaks }
    }

    /// Adds the next leaf, given by its hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut right = leaf;
        // Each trailing one of the size is a complete subtree that now gets its sibling.
        for _ in 0..self.leaf_count.trailing_ones() {
            let left = self.peaks.pop().unwrap_or(right);
            right = node_hash(&left, &right);
        }
        self.peaks.push(right);
        self.leaf_count += 1;
    }

    /// How many leaves.
    #[must_use]
    pub fn leaf_count(&self) -> u64 {
        self.leaf_count
    }

    /// Proves that the leaf that would be added next is the last of the tree it makes.
    #[must_use]
    pub fn inclusion_of_next(&self) -> InclusionProof {
        let (leaf_index, tree_size) = (self.leaf_count, self.leaf_count + 1);
        InclusionProof { leaf_index, tree_size, path: self.peaks.iter().rev().copied().collect() }
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// All hashes of complete subtrees, so that any proof of any earlier size is a few look-ups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `levels[k][i]` covers leaves `i * 2^k` up to `(i + 1) * 2^k`.
    levels: Vec<Vec<Digest>>,
}

/// That a leaf is in the tree of a given size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// Position of the leaf, from 0.
    #[serde(with = "decimal::one")]
    pub leaf_index: u64,
    /// Leaves in the tree.
    #[serde(with = "decimal::one")]
    pub tree_size: u64,
    /// Siblings from the leaf up to the root.
    pub path: Vec<Digest>,
}

/// That a tree begins with all leaves of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// Leaves in the earlier tree.
    #[serde(with = "decimal::one")]
    pub old_size: u64,
    /// Leaves in the later tree.
    #[serde(with = "decimal::one")]
    pub new_size: u64,
    /// Hashes in the order of RFC 6962.
    pub path: Vec<Digest>,
}

impl Tree {
    /// Adds the next leaf, given by its hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// How many leaves.
    #[must_use]
    pub fn leaf_count(&self) -> u64 {
        self.levels.first().map_or(0, |row| row.len() as u64)
    }

    /// The hashes of the complete subtrees of `2^level` leaves, from the left.
    #[must_use]
    pub fn level(&self, level: usize) -> &[Digest] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The root over the first `size` leaves.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] if there are fewer.
    pub fn root(&self, size: u64) -> Result<Digest, LedgerError> {
        self.check_size(size)?;
        paths::root(&self.complete(), size)
    }

    /// Proves that leaf `leaf_index` is among the first `tree_size`. RFC 6962, 2.1.1.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] if the tree has no such leaf or size.
    pub fn inclusion(
        &self,
        leaf_index: u64,
        tree_size: u64,
    ) -> Result<InclusionProof, LedgerError> {
        self.check_size(tree_size)?;
        paths::inclusion(&self.complete(), leaf_index, tree_size)
    }

    /// Proves that the first `new_size` leaves begin with the first `old_size`. RFC 6962, 2.1.2.
    ///
    /// From size 0, and from a size to itself, nothing needs proof and the path is empty.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] if the tree is smaller, or the sizes are in the wrong order.
    pub fn consistency(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<ConsistencyProof, LedgerError> {
        self.check_size(new_size)?;
        paths::consistency(&self.complete(), old_size, new_size)
    }

    fn check_size(&self, size: u64) -> Result<(), LedgerError> {
        let entry_count = self.leaf_count();
        if size > entry_count {
            return Err(LedgerError::NoSuchPosition { position: size, entry_count });
        }
        Ok(())
    }

    fn complete(&self) -> impl Fn(u32, u64) -> Result<Digest, LedgerError> {
        |level, index| Ok(self.levels[level as usize][index as usize])
    }
}

impl InclusionProof {
    /// Checks that the leaf with this hash is in the tree with this root. RFC 9162, 2.1.3.2.
    ///
    /// The size is only as trustworthy as the root: take both from one checkpoint.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`], [`LedgerError::ProofLength`],
    /// [`LedgerError::DigestMismatch`].
    pub fn verify(&self, leaf: &Digest, root: &Digest) -> Result<(), LedgerError> {
        if self.leaf_index >= self.tree_size {
            let (position, entry_count) = (self.leaf_index, self.tree_size);
            return Err(LedgerError::NoSuchPosition { position, entry_count });
        }
        let wrong_length =
            LedgerError::ProofLength { what: "inclusion proof", found: self.path.len() };
        let (mut node, mut last) = (self.leaf_index, self.tree_size - 1);
        let mut hash = *leaf;
        for sibling in &self.path {
            if last == 0 {
                return Err(wrong_length);
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                // A last node without a right sibling rises until it is a right child.
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(wrong_length);
        }
        expect_root("inclusion proof", root, hash)
    }
}

impl ConsistencyProof {
    /// Checks that the tree with `new_root` begins with that of `old_root`. RFC 9162, 2.1.4.2.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`], [`LedgerError::ProofLength`],
    /// [`LedgerError::DigestMismatch`].
    pub fn verify(&self, old_root: &Digest, new_root: &Digest) -> Result<(), LedgerError> {
        let what = "consistency proof";
        let wrong_length = LedgerError::ProofLength { what, found: self.path.len() };
        if self.old_size > self.new_size {
            let (position, entry_count) = (self.old_size, self.new_size);
            return Err(LedgerError::NoSuchPosition { position, entry_count });
        }
        if self.old_size == 0 || self.old_size == self.new_size {
            if !self.path.is_empty() {
                return Err(wrong_length);
            }
            let expected = if self.old_size == 0 { empty_root() } else { *new_root };
            return expect_root(what, &expected, *old_root);
        }
        let (mut node, mut last) = (self.old_size - 1, self.new_size - 1);
        while node & 1 == 1 {
            node >>= 1;
            last >>= 1;
        }
        // An old tree that is one complete subtree is its own first hash and is left out.
        let left_out = self.old_size.is_power_of_two().then_some(old_root);
        let mut hashes = left_out.into_iter().chain(&self.path);
        let Some(first) = hashes.next() else { return Err(wrong_length) };
        let (mut old_hash, mut new_hash) = (*first, *first);
        for hash in hashes {
            if last == 0 {
                return Err(wrong_length);
            }
            if node & 1 == 1 || node == last {
                old_hash = node_hash(hash, &old_hash);
                new_hash = node_hash(hash, &new_hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new_hash = node_hash(&new_hash, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(wrong_length);
        }
        expect_root(what, old_root, old_hash)?;
        expect_root(what, new_root, new_hash)
    }
}

fn expect_root(what: &'static str, expected: &Digest, found: Digest) -> Result<(), LedgerError> {
    if found == *expected {
        return Ok(());
    }
    Err(LedgerError::DigestMismatch { what, expected: *expected, found })
}

#[cfg(test)]
mod tests;
