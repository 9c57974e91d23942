//! A witness against every way to rewrite a log, and the published example of a cosignature.

use super::*;
use crate::{Tree, merkle::leaf_hash};

fn log_key() -> SigningKey {
    SigningKey::from_seed("log.example", [1; 32]).unwrap()
}

fn witness() -> WitnessSigningKey {
    WitnessSigningKey::from_seed("witness.example/w", [2; 32]).unwrap()
}

fn tree_of(leaves: &[&str]) -> Tree {
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf.as_bytes())));
    tree
}

fn head(tree: &Tree, size: u64) -> Checkpoint {
    let root = tree.root(size).unwrap();
    Checkpoint { origin: "log.example".to_owned(), size, root }
}

/// The example of the specification: its checkpoint is as printed there, and its line must be read
/// as a time and a signature. Its key is not published, so only the form is checked.
#[test]
fn the_published_cosignature_has_the_form_that_is_read_here() {
    let note = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZC\
        B9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = Note::parse(note.as_bytes()).unwrap();
    let line = &note.signatures()[0];
    assert_eq!(line.signature.len(), 8 + 64);
    let (time, _) = line.signature.split_first_chunk().unwrap();
    assert_eq!(u64::from_be_bytes(*time), 1_679_315_147);
    assert!(message(&note, 1_679_315_147).starts_with(
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUY"
    ));
}

#[test]
fn a_cosignature_holds_for_its_checkpoint_its_time_and_its_witness_only() {
    let tree = tree_of(&["a", "b", "c"]);
    let log = log_key();
    let note = Checkpoint::sign(3, tree.root(3).unwrap(), &log).unwrap();
    let (witness, time_s) = (witness(), 1_700_000_000);
    let line = witness.cosign(&note, time_s);
    let read: NoteSignature = line.to_string().parse().unwrap();
    assert_eq!(read, line);
    let cosigned = note.clone().with_signature(line.clone()).unwrap();
    let key = witness.witness_key();
    assert_eq!(key.cosigned_at(&cosigned).unwrap(), time_s);
    // The log's own signature still holds beside it.
    Checkpoint::open(cosigned.to_string().as_bytes(), &log.verifying_key()).unwrap();
    assert!(matches!(key.cosigned_at(&note), Err(LedgerError::TooFewSignatures { .. })));
    let other = Checkpoint::sign(2, tree.root(2).unwrap(), &log).unwrap();
    let moved = other.with_signature(line.clone()).unwrap();
    assert!(matches!(key.cosigned_at(&moved), Err(LedgerError::BadSignature { .. })));
    for at in 0..line.signature.len() {
        let mut changed = line.clone();
        changed.signature[at] ^= 1;
        let changed = note.clone().with_signature(changed).unwrap();
        assert!(key.cosigned_at(&changed).is_err(), "byte {at}");
    }
    let stranger = WitnessSigningKey::from_seed("witness.example/w", [3; 32]).unwrap();
    assert!(stranger.witness_key().cosigned_at(&cosigned).is_err());
}

#[test]
fn keys_of_logs_and_of_witnesses_do_not_stand_for_one_another() {
    let (log, witness) = (log_key(), witness());
    let text = witness.witness_key().to_string();
    assert_eq!(text.parse::<WitnessKey>().unwrap(), witness.witness_key());
    assert!(text.parse::<VerifyingKey>().is_err());
    assert!(log.verifying_key().to_string().parse::<WitnessKey>().is_err());
    let private = witness.to_private_text();
    let read = WitnessSigningKey::from_private_text(&private).unwrap();
    assert_eq!(read.witness_key(), witness.witness_key());
    assert!(SigningKey::from_private_text(&private).is_err());
    assert!(WitnessSigningKey::from_private_text(&log.to_private_text()).is_err());
    assert!(!format!("{witness:?}").contains(private.rsplit('+').next().unwrap().trim()));
}

#[test]
fn a_log_that_grew_is_accepted_from_every_earlier_size() {
    let leaves: Vec<String> = (0..20).map(|leaf: u32| leaf.to_string()).collect();
    let tree = tree_of(&leaves.iter().map(String::as_str).collect::<Vec<_>>());
    for new in 0..=20 {
        let first = tree.consistency(0, new).unwrap();
        expect_growth(None, &head(&tree, new), &first).unwrap();
        for old in 0..=new {
            let proof = tree.consistency(old, new).unwrap();
            expect_growth(Some(&head(&tree, old)), &head(&tree, new), &proof).unwrap();
        }
    }
}

#[test]
fn truncation_fork_and_edit_are_told_apart_from_a_wrong_proof() {
    let honest = tree_of(&["a", "b", "c", "d", "e"]);
    let seen = head(&honest, 4);
    // Truncated: the log shows three of the four entries that were seen.
    let shorter = honest.consistency(3, 3).unwrap();
    let refused = expect_growth(Some(&seen), &head(&honest, 3), &shorter).unwrap_err();
    assert!(matches!(refused, LedgerError::Rollback { seen_size: 4, size: 3, .. }), "{refused}");
    // Edited: the second entry was replaced; same size, and a later one.
    let edited = tree_of(&["a", "B", "c", "d", "e"]);
    for size in [4, 5] {
        let proof = edited.consistency(4, size).unwrap();
        let refused = expect_growth(Some(&seen), &head(&edited, size), &proof).unwrap_err();
        assert!(matches!(refused, LedgerError::Fork { seen_size: 4, .. }), "{refused}");
    }
    // Forked: three entries in common, then another history.
    let forked = tree_of(&["a", "b", "c", "x", "y", "z"]);
    for size in [4, 5, 6] {
        let proof = forked.consistency(4, size).unwrap();
        let refused = expect_growth(Some(&seen), &head(&forked, size), &proof).unwrap_err();
        assert!(matches!(refused, LedgerError::Fork { seen_size: 4, .. }), "{refused}");
    }
    // An honest log with a proof from another size is told which size to prove from.
    let proof = honest.consistency(3, 5).unwrap();
    let refused = expect_growth(Some(&seen), &head(&honest, 5), &proof).unwrap_err();
    assert!(matches!(refused, LedgerError::ProofFromElsewhere { seen_size: 4, old_size: 3, .. }));
    // Another log.
    let proof = honest.consistency(4, 5).unwrap();
    let other = Checkpoint { origin: "other.example".to_owned(), ..head(&honest, 5) };
    let refused = expect_growth(Some(&seen), &other, &proof).unwrap_err();
    assert!(matches!(refused, LedgerError::WrongPurpose { .. }));
}
