//! Proofs written, read and checked; every flipped bit of one is found.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::Timestamp;

use super::*;
use crate::{SigningKey, Tree};

fn entry(index: u64) -> Entry {
    Entry {
        blobs: BTreeSet::new(),
        body_commitment: Digest([7; 32]),
        format_version: crate::entry::FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::new(),
        tables: BTreeMap::new(),
        time_ns: Timestamp(1),
        verb: "ingest".to_owned(),
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed("log.example", [1; 32]).unwrap()
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    (0..9).for_each(|index| tree.append(entry(index).leaf_hash().unwrap()));
    tree
}

fn proof_of(index: u64) -> EntryProof {
    let (tree, size) = (tree(), 9);
    EntryProof {
        entry: entry(index).to_bytes().unwrap(),
        leaf_index: index,
        path: tree.inclusion(index, size).unwrap().path,
        checkpoint: Checkpoint::sign(size, tree.root(size).unwrap(), &key()).unwrap(),
    }
}

#[test]
fn an_entry_proof_reads_back_and_opens() {
    for index in 0..9 {
        let proof = proof_of(index);
        let text = proof.to_string();
        assert_eq!(EntryProof::parse(text.as_bytes()).unwrap(), proof);
        let (found, checkpoint) = proof.open(&key().verifying_key()).unwrap();
        assert_eq!((found, checkpoint.size), (entry(index), 9));
    }
    let text = proof_of(3).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    assert_eq!((lines[2], lines[7], lines[8], lines[9]), ("index 3", "", "log.example", "9"));
}

/// A line of a key that nobody asked about may change; anything else must not open.
#[test]
fn every_flipped_bit_of_an_entry_proof_is_found() {
    let (text, key) = (proof_of(5).to_string().into_bytes(), key().verifying_key());
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            let opened = EntryProof::parse(&changed).and_then(|proof| proof.open(&key));
            assert!(opened.is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_proof_under_the_wrong_key_index_or_path_does_not_open() {
    let stranger = SigningKey::from_seed("log.example", [9; 32]).unwrap();
    assert!(proof_of(2).open(&stranger.verifying_key()).is_err());
    let key = key().verifying_key();
    assert!(EntryProof { leaf_index: 3, ..proof_of(2) }.open(&key).is_err());
    assert!(EntryProof { entry: entry(3).to_bytes().unwrap(), ..proof_of(2) }.open(&key).is_err());
    assert!(EntryProof { path: proof_of(3).path, ..proof_of(2) }.open(&key).is_err());
}

#[test]
fn a_growth_proof_reads_back_and_verifies() {
    let tree = tree();
    for old_size in 0..=9 {
        let path = tree.consistency(old_size, 9).unwrap().path;
        let checkpoint = Checkpoint::sign(9, tree.root(9).unwrap(), &key()).unwrap();
        let proof = GrowthProof { old_size, path, checkpoint };
        assert_eq!(GrowthProof::parse(proof.to_string().as_bytes()).unwrap(), proof);
        let (checkpoint, consistency) = proof.open(&key().verifying_key()).unwrap();
        consistency.verify(&tree.root(old_size).unwrap(), &checkpoint.root).unwrap();
    }
}

#[test]
fn what_is_no_proof_is_refused_with_the_line() {
    let good = proof_of(1).to_string();
    let cases = [
        (good.replace("@v1", "@v2"), 1),
        (good.replace("extra ", "index "), 2),
        (good.replace("index 1", "index 01"), 3),
        (good.replacen("=\n\n", "\n\n", 1), 7),
        (good.replace("\n\n", "\n"), 1),
    ];
    for (text, expected) in cases {
        match EntryProof::parse(text.as_bytes()) {
            Err(LedgerError::Malformed { line, .. }) => assert_eq!(line, expected, "{text}"),
            other => panic!("{other:?} for {text}"),
        }
    }
    let long = format!("old 1\n{}\n{}", "A".repeat(43) + "=\n", "x").replace("=\n\n", "=\n");
    assert!(GrowthProof::parse(long.as_bytes()).is_err());
    assert!(GrowthProof::parse(b"").is_err());
    assert!(EntryProof::parse(&[0xff; 10]).is_err());
}
