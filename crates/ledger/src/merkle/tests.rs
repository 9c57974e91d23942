//! Known answers of Certificate Transparency, and laws of every size up to 70.

use super::*;

fn digest(text: &str) -> Digest {
    text.parse().unwrap()
}

/// The eight leaves used by the test suites of Certificate Transparency implementations.
fn known_tree() -> Tree {
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
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
    tree
}

fn tree_of(size: u64) -> Tree {
    let mut tree = Tree::default();
    (0..size).for_each(|index| tree.append(leaf_hash(&index.to_le_bytes())));
    tree
}

#[test]
fn roots_are_those_of_certificate_transparency() {
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
    let tree = known_tree();
    let mut range = CompactRange::default();
    for (size, expected) in (0..).zip(roots) {
        assert_eq!(tree.root(size).unwrap(), digest(expected), "size {size}");
        assert_eq!(range.root(), digest(expected), "size {size}");
        if size < 8 {
            range.append(tree.level(0)[usize::try_from(size).unwrap()]);
        }
    }
}

#[test]
fn proofs_are_those_of_certificate_transparency() {
    let tree = known_tree();
    let leaf_0 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    let pair_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    let half_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
    let leaf_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    let pair_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    let half_0_3 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
    let pair_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
    let inclusion = |index, size| tree.inclusion(index, size).unwrap().path;
    let consistency = |old, new| tree.consistency(old, new).unwrap().path;
    assert_eq!(inclusion(0, 1), []);
    assert_eq!(inclusion(0, 8), [tree.level(0)[1], digest(pair_2_3), digest(half_4_7)]);
    assert_eq!(inclusion(5, 8), [leaf_4, pair_6_7, half_0_3].map(digest));
    assert_eq!(consistency(1, 8), [tree.level(0)[1], digest(pair_2_3), digest(half_4_7)]);
    assert_eq!(consistency(6, 8), [pair_4_5, pair_6_7, half_0_3].map(digest));
    assert_eq!(consistency(2, 5), [pair_2_3, leaf_4].map(digest));
    assert_eq!(tree.level(0)[1], digest(leaf_0));
}

#[test]
fn every_inclusion_proof_up_to_70_verifies_and_breaks_with_any_byte() {
    let tree = tree_of(70);
    for size in 1..=70 {
        let root = tree.root(size).unwrap();
        for index in 0..size {
            let leaf = leaf_hash(&index.to_le_bytes());
            let proof = tree.inclusion(index, size).unwrap();
            proof.verify(&leaf, &root).unwrap();
            for at in 0..32 {
                let bad = changed(leaf, at);
                assert!(proof.verify(&bad, &root).is_err());
                assert!(proof.verify(&leaf, &changed(root, at)).is_err());
                for hash in 0..proof.path.len() {
                    let mut proof = proof.clone();
                    proof.path[hash] = changed(proof.path[hash], at);
                    assert!(proof.verify(&leaf, &root).is_err());
                }
            }
            let mut other = proof.clone();
            other.leaf_index = (index + 1) % size;
            assert!(size == 1 || other.verify(&leaf, &root).is_err(), "{index} of {size}");
            let mut shorter = proof.clone();
            assert!(shorter.path.pop().is_none() || shorter.verify(&leaf, &root).is_err());
            let mut longer = proof;
            longer.path.push(leaf);
            assert!(longer.verify(&leaf, &root).is_err());
        }
    }
}

#[test]
fn every_consistency_proof_up_to_70_verifies_and_breaks_with_any_byte() {
    let tree = tree_of(70);
    for new_size in 0..=70 {
        let new_root = tree.root(new_size).unwrap();
        for old_size in 0..=new_size {
            let old_root = tree.root(old_size).unwrap();
            let proof = tree.consistency(old_size, new_size).unwrap();
            proof.verify(&old_root, &new_root).unwrap();
            for at in 0..32 {
                assert!(proof.verify(&changed(old_root, at), &new_root).is_err());
                let says_something = old_size > 0;
                let bad_new = proof.verify(&old_root, &changed(new_root, at));
                assert!(!says_something || bad_new.is_err(), "{old_size} to {new_size}");
            }
            for hash in 0..proof.path.len() {
                for at in 0..32 {
                    let mut proof = proof.clone();
                    proof.path[hash] = changed(proof.path[hash], at);
                    assert!(proof.verify(&old_root, &new_root).is_err());
                }
            }
            let mut shorter = proof.clone();
            assert!(shorter.path.pop().is_none() || shorter.verify(&old_root, &new_root).is_err());
            let mut longer = proof;
            longer.path.push(old_root);
            assert!(longer.verify(&old_root, &new_root).is_err());
        }
    }
}

/// RFC 6962's definition, word for word, as the oracle.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
        }
    }
}

#[test]
fn tree_and_compact_range_equal_the_definition() {
    let tree = tree_of(300);
    let mut range = CompactRange::default();
    for size in 0..=300 {
        let leaves = &tree.level(0)[..size];
        assert_eq!(tree.root(size as u64).unwrap(), naive_root(leaves), "size {size}");
        assert_eq!(range.root(), naive_root(leaves), "size {size}");
        assert_eq!(range.leaf_count(), size as u64);
        range.append(leaf_hash(&(size as u64).to_le_bytes()));
    }
}

#[test]
fn what_the_tree_does_not_hold_is_not_found() {
    let tree = tree_of(5);
    assert!(tree.root(6).is_err());
    assert!(tree.inclusion(5, 5).is_err());
    assert!(tree.inclusion(0, 6).is_err());
    assert!(tree.consistency(3, 2).is_err());
    assert!(tree.consistency(3, 6).is_err());
}

fn changed(digest: Digest, at: usize) -> Digest {
    let mut bytes = digest.0;
    bytes[at] ^= 1 << (at % 8);
    Digest(bytes)
}
