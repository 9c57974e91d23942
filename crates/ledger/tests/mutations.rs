//! Seeded mutation of everything that is read: no reader panics, and what is read is written alike.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tiepoint_ledger::{
    Body, BodyView, Checkpoint, ConsistencyProof, Entry, EntryProof, Envelope, GrowthProof,
    InclusionProof, Links, Note, SigningKey, Statement, Subject, Tile, VerifyingKey, WitnessKey,
    WitnessSigningKey, body, decode_commit, encode_commit, entry::FORMAT_VERSION,
    first_index_of_path, tiles,
};
use tiepoint_model::{Digest, Seed, Timestamp, seed::Draws};

const ROUNDS: u64 = 20_000;

/// Bytes that readers treat specially.
const TOKENS: [&[u8]; 20] = [
    b"\n",
    b"\n\n",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"+",
    b"-",
    b"0",
    b"=",
    b"\0",
    b"\xff",
    b"\xe2\x80\x94 ",
    b"18446744073709551616",
    b"1e999",
    b"\\ud800",
];

/// One to four changes: flip, set, cut out, repeat, insert, cut off.
fn mutated(original: &[u8], draws: &mut Draws) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=draws.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = draws.below(bytes.len());
        let end = (at + 1 + draws.below(12)).min(bytes.len());
        match draws.below(6) {
            0 => bytes[at] ^= 1 << draws.below(8),
            1 => bytes[at] = (draws.bits() & 0xff) as u8,
            2 => _ = bytes.drain(at..end),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => _ = bytes.splice(at..at, TOKENS[draws.below(TOKENS.len())].iter().copied()),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Runs `read` on mutations; the round in a failure's message replays it.
fn fuzz(purpose: &str, original: &[u8], read: impl Fn(&[u8])) {
    let seed = Seed(7).for_purpose(purpose);
    for round in 0..ROUNDS {
        read(&mutated(original, &mut seed.draws(0, round)));
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed("tiepoint.test/fuzz", [1; 32]).expect("a key")
}

fn entry(index: u64) -> Entry {
    Entry {
        blobs: [Digest([1; 32])].into(),
        body_commitment: Digest([3; 32]),
        format_version: FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::from([("rec-2".to_owned(), Digest([4; 32]))]),
        tables: BTreeMap::from([("scans".to_owned(), 1 << 63)]),
        time_ns: Timestamp(-5),
        verb: "twin".to_owned(),
    }
}

#[test]
fn no_commit_makes_the_reader_panic() {
    let original = encode_commit(0, &[entry(0), entry(1)]).unwrap();
    fuzz("commit", &original, |bytes| {
        assert!(bytes == original || decode_commit(0, bytes).is_err());
    });
    // With the checksum put right, so that the entries are reached.
    let content = &original[..original.len() - 72];
    fuzz("content", content, |content| {
        let mut bytes = content.to_vec();
        bytes.extend(format!("sha256 {}\n", Digest(Sha256::digest(content).into())).as_bytes());
        if let Ok(entries) = decode_commit(0, &bytes) {
            assert_eq!(encode_commit(0, &entries).unwrap(), bytes);
        }
    });
}

#[test]
fn no_body_makes_the_reader_panic() {
    let body = Body {
        actor: "ada".to_owned(),
        code_version: "1".to_owned(),
        format_version: FORMAT_VERSION,
        inputs: vec!["a".to_owned()],
        names: BTreeMap::new(),
        obligations: json!({"a": [1, 2.5, null]}),
        outputs: vec!["b".to_owned()],
        parameters: json!([[[]]]),
        seed: Some(Seed(3)),
    };
    let original = body.seal([7; 32]).unwrap();
    fuzz("body", &original.bytes, |bytes| {
        assert!(bytes == original.bytes || Body::open(bytes, &original.commitment).is_err());
        let links = Links::open(bytes, &body::commitment(bytes));
        if let Ok(body) = Body::open(bytes, &body::commitment(bytes)) {
            assert_eq!(links.unwrap().outputs(), body.outputs());
        }
    });
    let deep = [vec![0; 32], vec![b'['; 100_000]].concat();
    assert!(Body::open(&deep, &body::commitment(&deep)).is_err());
    assert!(Links::open(&deep, &body::commitment(&deep)).is_err());
}

#[test]
fn no_note_makes_the_reader_panic() {
    let public = key().verifying_key();
    let original = Checkpoint::sign(70, Digest([9; 32]), &key()).unwrap();
    fuzz("note", original.to_string().as_bytes(), |bytes| {
        if let Ok(note) = Note::parse(bytes) {
            assert_eq!(note.to_string().as_bytes(), bytes);
            let _ = Checkpoint::parse(note.text());
        }
        // A repeated or foreign signature line may be added; what is signed may not change.
        if let Ok(opened) = Checkpoint::open(bytes, &public) {
            assert_eq!(opened.to_string(), original.text());
        }
    });
    fuzz("checkpoint", original.text().as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            assert_eq!(checkpoint.to_string(), text);
        }
    });
}

#[test]
fn no_envelope_makes_the_reader_panic() {
    let keys = [key().verifying_key()];
    let digest = BTreeMap::from([("sha256".to_owned(), "00".repeat(32))]);
    let subject = Subject { name: "a".to_owned(), digest };
    let statement = Statement::new(vec![subject], "https://tiepoint.test/x", json!({"a": 1}));
    let original = statement.sign(&[&key()]).unwrap();
    fuzz("envelope", &original.to_bytes().unwrap(), |bytes| {
        let Ok(envelope) = Envelope::parse(bytes) else { return };
        if let Ok(read) = Statement::open(&envelope, &keys, 1) {
            assert_eq!(read, statement);
        }
    });
    fuzz("statement", &original.payload, |payload| {
        let bytes = payload.to_vec();
        let envelope = Envelope::sign(&original.payload_type, bytes, &[]);
        assert!(Statement::open(&envelope, &keys, 1).is_err());
        let _ = serde_json::from_slice::<Statement>(payload);
    });
}

#[test]
fn no_key_or_path_makes_the_reader_panic() {
    fuzz("public", key().verifying_key().to_string().as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(key) = text.parse::<VerifyingKey>() {
            assert_eq!(key.to_string(), text.trim_end_matches('\n'));
        }
    });
    fuzz("private", key().to_private_text().as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(key) = SigningKey::from_private_text(&text) {
            assert_eq!(key.to_private_text().trim_end(), text.trim_end_matches('\n'));
        }
    });
    fuzz("path", b"log/00000000000000000007", |bytes| {
        let _ = first_index_of_path(&String::from_utf8_lossy(bytes));
    });
}

/// Sizes and path lengths that no tree has: an answer, in time that does not grow with the sizes.
#[test]
fn no_proof_makes_the_verifier_panic() {
    let draws_of = |round| Seed(7).for_purpose("proofs").draws(0, round);
    for round in 0..ROUNDS {
        let mut draws = draws_of(round);
        let mut size = || draws.bits() >> draws.below(64);
        let (leaf_index, tree_size, old_size, new_size) = (size(), size(), size(), size());
        let path = vec![Digest([1; 32]); draws.below(130)];
        let proof = InclusionProof { leaf_index, tree_size, path: path.clone() };
        assert!(proof.verify(&Digest([2; 32]), &Digest([3; 32])).is_err());
        let proof = ConsistencyProof { old_size, new_size, path };
        assert!(proof.verify(&Digest([2; 32]), &Digest([3; 32])).is_err());
    }
}

#[test]
fn no_file_for_outsiders_makes_the_reader_panic() {
    let leaf = tiepoint_ledger::merkle::leaf_hash(b"one");
    let checkpoint = Checkpoint::sign(2, Digest([9; 32]), &key()).unwrap();
    let entry = EntryProof {
        entry: b"one".to_vec(),
        leaf_index: 1,
        path: vec![leaf],
        checkpoint: checkpoint.clone(),
    };
    fuzz("entry proof", entry.to_string().as_bytes(), |bytes| {
        if let Ok(proof) = EntryProof::parse(bytes) {
            assert_eq!(proof.to_string().as_bytes(), bytes);
            assert!(proof.open(&key().verifying_key()).is_err());
        }
    });
    let growth = GrowthProof { old_size: 1, path: vec![leaf], checkpoint };
    fuzz("growth proof", growth.to_string().as_bytes(), |bytes| {
        if let Ok(proof) = GrowthProof::parse(bytes) {
            assert_eq!(proof.to_string().as_bytes(), bytes);
        }
    });
    let witness = WitnessSigningKey::from_seed("w", [2; 32]).unwrap();
    fuzz("witness key", witness.witness_key().to_string().as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(key) = text.parse::<WitnessKey>() {
            assert_eq!(key.to_string(), text.trim_end_matches('\n'));
        }
    });
    fuzz("tile path", b"tile/entries/x001/x234/067.p/12", |bytes| {
        let path = String::from_utf8_lossy(bytes);
        if let Some(tile) = Tile::from_path(&path) {
            assert_eq!(tile.path(), path);
            let _ = tile.span();
        }
    });
    let mut bundle = Vec::new();
    tiles::push_entry(&mut bundle, b"one").unwrap();
    tiles::push_entry(&mut bundle, b"three").unwrap();
    fuzz("bundle", &bundle, |bytes| {
        if let Ok(entries) = tiles::decode_bundle(bytes, 2) {
            let mut again = Vec::new();
            entries.iter().for_each(|entry| tiles::push_entry(&mut again, entry).unwrap());
            assert_eq!(again, bytes);
        }
    });
}
