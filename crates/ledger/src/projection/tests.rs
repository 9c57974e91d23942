//! Laws of the saved projection: it is the replay, it goes on as the replay does, and no bytes break it.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::{Seed, Timestamp};

use super::*;
use crate::{Body, Entry};

fn digest(index: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    Digest(bytes)
}

fn entry(index: u64) -> Entry {
    Entry {
        blobs: BTreeSet::from([digest(index / 2), digest(index)]),
        body_commitment: digest(index),
        format_version: crate::entry::FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::from([(format!("rec-{}", index % 7), digest(index))]),
        tables: BTreeMap::from([("poses".to_owned(), index), (format!("t{}", index % 3), index)]),
        time_ns: Timestamp(1),
        verb: "ingest".to_owned(),
    }
}

fn body(index: u64) -> Option<Body> {
    (index % 5 != 4).then(|| Body {
        actor: String::new(),
        code_version: String::new(),
        format_version: crate::entry::FORMAT_VERSION,
        inputs: vec![format!("rec-{}", index / 2), "ä".to_owned()],
        names: BTreeMap::new(),
        obligations: serde_json::Value::Null,
        outputs: vec![format!("rec-{index}")],
        parameters: serde_json::Value::Null,
        seed: None,
    })
}

fn push(projection: &mut Projection, index: u64) {
    projection.state.apply(&entry(index), body(index).as_ref()).unwrap();
    projection.edge.append(&entry(index).to_bytes().unwrap()).unwrap();
}

#[test]
fn what_is_read_is_what_was_saved_and_goes_on_in_the_same_way() {
    let mut replayed = Projection::default();
    for index in 0..600 {
        let bytes = replayed.encode().unwrap();
        let mut read = Projection::decode(&bytes).unwrap();
        assert_eq!(read, replayed, "{index} entries");
        push(&mut replayed, index);
        push(&mut read, index);
        assert_eq!(read, replayed, "after entry {index}");
    }
    assert_eq!(replayed.state.root("rec-3"), Some(digest(598)));
    assert_eq!(replayed.state.entries_of_output("rec-8").unwrap(), [8]);
    // The body that made `rec-4` is erased, so nothing before it is known.
    let lineage = replayed.state.lineage().unwrap();
    assert_eq!(lineage.ancestors("rec-8").unwrap(), ["ä", "rec-4"]);
}

#[test]
fn an_edge_elsewhere_than_the_state_is_not_saved() {
    let mut projection = Projection::default();
    projection.edge.append(b"x").unwrap();
    assert!(projection.encode().is_err());
}

#[test]
fn every_flipped_bit_is_found() {
    let mut projection = Projection::default();
    (0..9).for_each(|index| push(&mut projection, index));
    let bytes = projection.encode().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(Projection::decode(&changed).is_err(), "byte {at}");
        assert!(Projection::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

/// A liar makes the digest right too: whatever is accepted then can be asked anything without a panic.
#[test]
fn no_columns_make_the_reader_panic_or_hang() {
    let mut projection = Projection::default();
    (0..9).for_each(|index| push(&mut projection, index));
    let bytes = projection.encode().unwrap();
    let content = &bytes[..bytes.len() - DIGEST_BYTES];
    let mut accepted = 0;
    for case in 0..20_000 {
        let mut draws = Seed(1).draws(0, case);
        let mut changed = content.to_vec();
        for _ in 0..1 + case % 3 {
            let at = (draws.uniform() * changed.len() as f64) as usize;
            changed[at] = (draws.uniform() * 256.0) as u8;
        }
        let digest = blake3::hash(&changed);
        changed.extend(digest.as_bytes());
        let Ok(read) = Projection::decode(&changed) else { continue };
        accepted += 1;
        let state = read.state;
        let _ = (state.tables(), state.roots(), state.blobs().len(), state.lineage().is_ok());
        let _ = (state.root("rec-3"), state.entries_of_output("rec-8"), state.at(4));
        let _ = (state.entry_of_blob(&digest_of(&state)), read.edge.root());
    }
    assert!(accepted > 0, "the cases must reach what lies behind the digest");
}

fn digest_of(state: &State) -> Digest {
    state.blobs().next().copied().unwrap_or(Digest([0; 32]))
}

#[test]
fn a_later_version_says_so() {
    let later = [b"tiepoint-projection/2\n".as_slice(), &[0; 40]].concat();
    assert!(matches!(
        Projection::decode(&later),
        Err(LedgerError::UnknownFormatVersion { known: 1, .. })
    ));
    assert!(Projection::decode(b"").is_err());
}
