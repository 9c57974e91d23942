//! Laws of the saved projection: it is the replay, it goes on as the replay does, and no bytes break it.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::{Seed, Timestamp};

use super::*;
use crate::{Body, Entry};

fn key() -> SigningKey {
    SigningKey::from_seed("log.example", [1; 32]).unwrap()
}

fn open(bytes: &[u8]) -> Result<Projection, LedgerError> {
    Projection::open(bytes, &key().verifying_key())
}

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
        names: BTreeMap::from([(format!("rec-{index}"), format!("run {}", index % 11))]),
        obligations: serde_json::Value::Null,
        outputs: vec![format!("rec-{index}")],
        parameters: serde_json::Value::Null,
        seed: None,
    })
}

fn push(projection: &mut Projection, index: u64) {
    projection.state.apply(&entry(index), body(index).as_ref()).unwrap();
    projection.edge.append(&entry(index).to_bytes().unwrap()).unwrap();
    if index.is_multiple_of(3) {
        projection.commits.push(index);
    }
}

#[test]
fn what_is_read_is_what_was_saved_and_goes_on_in_the_same_way() {
    let mut replayed = Projection::default();
    for index in 0..600 {
        let bytes = replayed.save(&key()).unwrap();
        let mut read = open(&bytes).unwrap();
        assert_eq!(read, replayed, "{index} entries");
        assert!(replayed.is_saved_as(&bytes, Some(&key().verifying_key())));
        assert_eq!(read.range().root(), read.edge.root());
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
    assert!(projection.save(&key()).is_err());
}

#[test]
fn every_flipped_bit_is_found() {
    let mut projection = Projection::default();
    (0..9).for_each(|index| push(&mut projection, index));
    let bytes = projection.save(&key()).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(open(&changed).is_err(), "byte {at}");
        assert!(open(&bytes[..at]).is_err(), "cut at {at}");
        let known = Some(key().verifying_key());
        assert!(!projection.is_saved_as(&changed, known.as_ref()), "byte {at}");
        assert!(!projection.is_saved_as(&bytes[..at], known.as_ref()), "cut at {at}");
    }
}

#[test]
fn only_the_key_of_the_log_is_believed() {
    let mut projection = Projection::default();
    (0..9).for_each(|index| push(&mut projection, index));
    let other = SigningKey::from_seed("log.example", [2; 32]).unwrap();
    assert!(open(&projection.save(&other).unwrap()).is_err());
    let saved = projection.save(&other).unwrap();
    assert!(projection.is_saved_as(&saved, None));
    assert!(!projection.is_saved_as(&saved, Some(&key().verifying_key())));
    let named = SigningKey::from_seed("other.example", [1; 32]).unwrap();
    assert!(open(&projection.save(&named).unwrap()).is_err());
}

/// A liar with the key signs anything: whatever is accepted then can be asked anything without a panic.
#[test]
fn no_columns_make_the_reader_panic_or_hang() {
    let mut projection = Projection::default();
    (0..9).for_each(|index| push(&mut projection, index));
    let Projection { state, edge, commits } = &projection;
    let mut content = FIRST_LINE.to_vec();
    write_columns(state, edge, commits, &mut content).unwrap();
    let mut accepted = 0;
    for case in 0..20_000 {
        let mut draws = Seed(1).draws(0, case);
        let mut changed = content.clone();
        for _ in 0..1 + case % 3 {
            let at = (draws.uniform() * changed.len() as f64) as usize;
            changed[at] = (draws.uniform() * 256.0) as u8;
        }
        let Ok(read) = read_columns(&changed) else { continue };
        accepted += 1;
        let state = read.state;
        let _ = (state.tables(), state.roots(), state.blobs().len(), state.lineage().is_ok());
        let _ = (state.root("rec-3"), state.entries_of_output("rec-8"), state.at(4));
        let _ = (state.entry_of_blob(&a_blob_of(&state)), read.edge.root());
        let _ = (state.name_of("rec-3"), state.ids_called("run 3"), state.outputs_of(3));
        let _ = (state.verb(3), state.entries_of_verb("ingest"), state.names());
    }
    assert!(accepted > 0, "the cases must reach what lies behind the signature");
}

fn a_blob_of(state: &State) -> Digest {
    state.blobs().next().copied().unwrap_or(Digest([0; 32]))
}

#[test]
fn a_later_version_says_so() {
    let later = [b"tiepoint-projection/2\n".as_slice(), &[0; 40]].concat();
    assert!(matches!(open(&later), Err(LedgerError::UnknownFormatVersion { known: 1, .. })));
    assert!(open(b"").is_err());
}

#[test]
fn names_verbs_and_outputs_are_found_at_every_position() {
    let mut projection = Projection::default();
    (0..60).for_each(|index| push(&mut projection, index));
    let state = &projection.state;
    assert_eq!(state.name_of("rec-25"), Some("run 3"));
    assert_eq!(state.ids_called("run 3"), ["rec-25", "rec-3", "rec-36", "rec-47", "rec-58"]);
    assert_eq!((state.names().len(), state.ids_called("run 99").len()), (11, 0));
    assert_eq!(state.outputs_of(25), ["rec-25"]);
    assert!(state.outputs_of(24).is_empty(), "its body is erased");
    assert_eq!((state.verb(59), state.verb(60)), (Some("ingest"), None));
    assert_eq!(state.entries_of_verb("ingest"), (0..60).collect::<Vec<u64>>());
    assert!(state.has_id("rec-25") && !state.has_id("rec-99"));
    for position in [0, 1, 17, 60] {
        let mut earlier = Projection::default();
        (0..position).for_each(|index| push(&mut earlier, index));
        assert_eq!(state.at(position).unwrap(), earlier.state, "{position}");
    }
}
