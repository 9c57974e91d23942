//! Merkle tree hashing with SHA-256, as RFC 6962 section 2.1 defines it.
//!
//! Invariant: leaves and inner nodes have different prefixes, so neither can be taken for the
//! other. Memory is one digest per level.
//!
//! Not here: proofs (the ledger makes its own), and what a leaf holds (see [`crate::content`]).

use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

const LEAF_PREFIX: [u8; 1] = [0];
const NODE_PREFIX: [u8; 1] = [1];

/// The hash of one leaf, fed piece by piece.
#[derive(Clone, Debug)]
pub struct LeafHasher(Sha256);

impl LeafHasher {
    /// An empty leaf.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new_with_prefix(LEAF_PREFIX))
    }

    /// Adds bytes to the leaf.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The leaf's hash.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Default for LeafHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// The root of a tree whose leaves come one by one.
#[derive(Clone, Debug, Default)]
pub struct TreeHasher {
    leaf_count: u64,
    /// Roots of full subtrees, the largest first: one per bit set in `leaf_count`.
    full: Vec<Digest>,
}

impl TreeHasher {
    /// Adds the next leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        // Each full subtree of the same size is joined, like a carry in binary addition.
        for _ in 0..self.leaf_count.trailing_ones() {
            if let Some(left) = self.full.pop() {
                node = join(left, node);
            }
        }
        self.full.push(node);
        self.leaf_count += 1;
    }

    /// The root over the leaves so far; of none, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let joined = self.full.iter().rev().copied().reduce(|right, left| join(left, right));
        joined.unwrap_or_else(|| Digest(Sha256::digest([]).into()))
    }
}

fn join(left: Digest, right: Digest) -> Digest {
    let mut hasher = Sha256::new_with_prefix(NODE_PREFIX);
    hasher.update(left.0);
    hasher.update(right.0);
    Digest(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs and roots of the test vectors that Certificate Transparency implementations share
    /// (`merkletree` tests of the reference implementation of RFC 6962).
    #[test]
    fn roots_equal_the_certificate_transparency_vectors() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = TreeHasher::default();
        assert_eq!(tree.root().to_string(), roots[0]);
        for (leaf, root) in leaves.iter().zip(&roots[1..]) {
            let mut hasher = LeafHasher::new();
            hasher.update(leaf);
            tree.push(hasher.finish());
            assert_eq!(tree.root().to_string(), *root);
        }
    }
}
