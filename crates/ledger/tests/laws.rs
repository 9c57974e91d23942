//! Laws of the ledger, on random values from fixed seeds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::{Value, json};
use tiepoint_ledger::{
    Body, BodyView, Checkpoint, Entry, Envelope, Links, Note, SealedBody, SigningKey, State,
    VerifyingKey, decode_commit, encode_commit,
    entry::{FORMAT_VERSION, RETAIN_VERB},
    join_bodies,
    lineage::Graph,
    open_bodies, split_bodies,
};
use tiepoint_model::{Digest, Seed, Timestamp};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_101),
        ..ProptestConfig::default()
    }
}

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn names() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| format!("n{text}"))
}

prop_compose! {
    fn entries()(
        blobs in prop::collection::btree_set(digests(), 0..4),
        body_commitment in digests(),
        roots in prop::collection::btree_map(names(), digests(), 0..3),
        tables in prop::collection::btree_map(names(), any::<u64>(), 0..3),
        time in any::<i64>(),
        is_retention in any::<bool>(),
        verb in names(),
    ) -> Entry {
        let (format_version, index, time_ns) = (FORMAT_VERSION, 0, Timestamp(time));
        let retain_from = is_retention.then_some(0);
        let verb = if is_retention { RETAIN_VERB.to_owned() } else { verb };
        Entry {
            blobs,
            body_commitment,
            format_version,
            index,
            retain_from,
            roots,
            tables,
            time_ns,
            verb,
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from), // Not finite becomes null.
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

prop_compose! {
    fn bodies()(
        words in any::<[String; 2]>(),
        inputs in prop::collection::vec(any::<String>(), 0..4),
        outputs in prop::collection::vec(any::<String>(), 0..4),
        names in prop::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        values in [values(), values()],
        seed in any::<Option<u64>>(),
    ) -> Body {
        let [actor, code_version] = words;
        let [obligations, parameters] = values;
        let (format_version, seed) = (FORMAT_VERSION, seed.map(Seed));
        Body {
            actor, code_version, format_version, inputs, names, obligations, outputs, parameters,
            seed,
        }
    }
}

fn numbered(first_index: u64, mut entries: Vec<Entry>) -> Vec<Entry> {
    (first_index..).zip(&mut entries).for_each(|(index, entry)| entry.index = index);
    entries
}

fn key() -> SigningKey {
    SigningKey::from_seed("tiepoint.test/laws", [42; 32]).expect("a key")
}

/// Every twin of `bytes` with one bit flipped.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut twin = bytes.to_vec();
        twin[bit / 8] ^= 1 << (bit % 8);
        twin
    })
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_commit_reads_back_as_it_was_written(
        first_index in 0..u64::MAX - 8,
        entries in prop::collection::vec(entries(), 1..4),
    ) {
        let entries = numbered(first_index, entries);
        let bytes = encode_commit(first_index, &entries).unwrap();
        let read = decode_commit(first_index, &bytes).unwrap();
        prop_assert_eq!(&read, &entries);
        prop_assert_eq!(encode_commit(first_index, &read).unwrap(), bytes);
    }

    #[test]
    fn a_body_reads_back_as_it_was_sealed(body in bodies(), salt in any::<[u8; 32]>()) {
        let sealed = body.seal(salt).unwrap();
        let read = Body::open(&sealed.bytes, &sealed.commitment).unwrap();
        prop_assert_eq!(&read, &body);
        prop_assert_eq!(read.seal(salt).unwrap(), sealed);
    }

    /// Two bodies that are alike tell nothing about each other.
    #[test]
    fn another_salt_is_another_commitment(body in bodies(), salts in any::<[[u8; 32]; 2]>()) {
        prop_assume!(salts[0] != salts[1]);
        let [first, second] = salts.map(|salt| body.seal(salt).unwrap().commitment);
        prop_assert_ne!(first, second);
    }

    /// The file of a commit's bodies gives them back, tells which were erased, and which were changed or cut.
    #[test]
    fn the_bodies_of_a_commit_read_back_from_their_file(
        all in prop::collection::vec((bodies(), any::<[u8; 32]>()), 1..5),
        erased in any::<prop::sample::Index>(),
    ) {
        let sealed: Vec<SealedBody> =
            all.iter().map(|(body, salt)| body.seal(*salt).unwrap()).collect();
        let commitments: Vec<Digest> = sealed.iter().map(|body| body.commitment).collect();
        let file = join_bodies(&sealed).unwrap();
        let expected: Vec<Option<Body>> = all.iter().map(|(body, _)| Some(body.clone())).collect();
        prop_assert_eq!(&open_bodies(Some(&file), &commitments).unwrap(), &expected);
        // What replay asks for is the same, however much of a body is read.
        let read = open_bodies::<Links>(Some(&file), &commitments).unwrap();
        for (links, (body, _)) in read.iter().zip(&all) {
            let links = links.as_ref().unwrap();
            prop_assert_eq!(links.inputs(), body.inputs());
            prop_assert_eq!(links.outputs(), body.outputs());
            prop_assert_eq!(links.names(), body.names());
        }
        let open = open_bodies::<Body>;
        prop_assert!(open(None, &commitments).unwrap().iter().all(Option::is_none));
        prop_assert!(open(Some(&file[..file.len() - 1]), &commitments).is_err());
        if all.len() > 1 {
            let erased = erased.index(all.len());
            let mut left = sealed;
            left[erased].bytes.clear();
            let mut expected = expected;
            expected[erased] = None;
            let file = join_bodies(&left).unwrap();
            prop_assert_eq!(open_bodies(Some(&file), &commitments).unwrap(), expected);
            prop_assert!(split_bodies(Some(&file), all.len() + 1).is_err());
            prop_assert!(split_bodies(Some(&file), all.len() - 1).is_err() || all.len() == 2);
        }
    }

    #[test]
    fn a_note_reads_back_as_it_was_signed(lines in prop::collection::vec("[^\\x00-\\x1f]*", 1..5)) {
        let text = lines.join("\n") + "\n";
        let note = Note::sign(&text, &[&key()]).unwrap();
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.text(), text);
        prop_assert!(read.verify(&[key().verifying_key()]).is_ok());
        prop_assert_eq!(read, note);
    }

    #[test]
    fn an_envelope_reads_back_as_it_was_signed(
        kind in any::<String>(),
        payload in any::<Vec<u8>>(),
    ) {
        let envelope = Envelope::sign(&kind, payload, &[&key()]);
        let read = Envelope::parse(&envelope.to_bytes().unwrap()).unwrap();
        prop_assert!(read.verify(&[key().verifying_key()], 1).is_ok());
        prop_assert_eq!(read, envelope);
    }

    #[test]
    fn a_key_reads_back_from_its_texts(seed in any::<[u8; 32]>()) {
        let key = SigningKey::from_seed("tiepoint.test/laws", seed).unwrap();
        let public = key.verifying_key();
        prop_assert_eq!(&public.to_string().parse::<VerifyingKey>().unwrap(), &public);
        let again = SigningKey::from_private_text(&key.to_private_text()).unwrap();
        prop_assert_eq!(again.to_private_text(), key.to_private_text());
    }
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn every_flipped_bit_of_a_commit_is_found(entries in prop::collection::vec(entries(), 1..3)) {
        let bytes = encode_commit(5, &numbered(5, entries)).unwrap();
        for twin in flips(&bytes) {
            prop_assert!(decode_commit(5, &twin).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_of_a_body_is_found(body in bodies(), salt in any::<[u8; 32]>()) {
        let sealed = body.seal(salt).unwrap();
        for twin in flips(&sealed.bytes) {
            prop_assert!(Body::open(&twin, &sealed.commitment).is_err());
            prop_assert!(Links::open(&twin, &sealed.commitment).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_of_a_checkpoint_is_found(size in any::<u64>(), root in digests()) {
        let bytes = Checkpoint::sign(size, root, &key()).unwrap().to_string().into_bytes();
        let public = key().verifying_key();
        prop_assert!(Checkpoint::open(&bytes, &public).is_ok());
        for twin in flips(&bytes) {
            prop_assert!(Checkpoint::open(&twin, &public).is_err());
        }
    }

    /// A flip in the key id, which nothing covers and nobody believes, may pass; what was signed
    /// may not change.
    #[test]
    fn every_flipped_bit_of_what_an_envelope_says_is_found(payload in any::<Vec<u8>>()) {
        let envelope = Envelope::sign("application/vnd.in-toto+json", payload, &[&key()]);
        let keys = [key().verifying_key()];
        for twin in flips(&envelope.to_bytes().unwrap()) {
            let Ok(read) = Envelope::parse(&twin) else { continue };
            if read.verify(&keys, 1).is_ok() {
                prop_assert_eq!(&read.payload, &envelope.payload);
                prop_assert_eq!(&read.payload_type, &envelope.payload_type);
                prop_assert_eq!(&read.signatures[0].signature, &envelope.signatures[0].signature);
            }
        }
    }
}

/// A short history over few names, so that tables, ids and cycles meet again.
#[derive(Clone, Debug)]
struct Step {
    tables: BTreeMap<String, u64>,
    roots: BTreeMap<String, Digest>,
    blobs: BTreeSet<Digest>,
    /// `None` if the body was erased.
    made: Option<(Vec<String>, Vec<String>)>,
}

fn few<T: std::fmt::Debug>(of: impl Fn(u8) -> T + Clone) -> impl Strategy<Value = T> {
    (0_u8..8).prop_map(of)
}

fn few_names() -> impl Strategy<Value = String> + Clone {
    (0_u8..8).prop_map(|number| format!("id-{number}"))
}

prop_compose! {
    fn steps()(
        tables in prop::collection::btree_map(few_names(), any::<u64>(), 0..3),
        roots in prop::collection::btree_map(few_names(), digests(), 0..3),
        blobs in prop::collection::btree_set(few(|number| Digest([number; 32])), 0..3),
        inputs in prop::collection::vec(few_names(), 0..3),
        outputs in prop::collection::vec(few_names(), 0..3),
        erased in prop::bool::weighted(0.2),
    ) -> Step {
        let made = (!erased).then_some((inputs, outputs));
        Step { tables, roots, blobs, made }
    }
}

fn entry_of(index: u64, step: &Step) -> Entry {
    Entry {
        blobs: step.blobs.clone(),
        body_commitment: Digest([0; 32]),
        format_version: FORMAT_VERSION,
        index,
        retain_from: None,
        roots: step.roots.clone(),
        tables: step.tables.clone(),
        time_ns: Timestamp(0),
        verb: "ingest".to_owned(),
    }
}

fn body_of(step: &Step) -> Option<Body> {
    let (inputs, outputs) = step.made.clone()?;
    Some(Body {
        actor: String::new(),
        code_version: String::new(),
        format_version: FORMAT_VERSION,
        inputs,
        names: BTreeMap::new(),
        obligations: json!({}),
        outputs,
        parameters: json!({}),
        seed: None,
    })
}

fn replay(steps: &[Step]) -> State {
    let mut state = State::default();
    for (index, step) in (0..).zip(steps) {
        state.apply(&entry_of(index, step), body_of(step).as_ref()).expect("the next entry");
    }
    state
}

/// The oracle: follow every pair of input and output until nothing is new.
fn naive_closure(steps: &[Step], start: &str, forward: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::from([start.to_owned()]);
    loop {
        let count = found.len();
        for (inputs, outputs) in steps.iter().filter_map(|step| step.made.as_ref()) {
            let (from, to) = if forward { (inputs, outputs) } else { (outputs, inputs) };
            if from.iter().any(|id| found.contains(id)) {
                found.extend(to.iter().cloned());
            }
        }
        if found.len() == count {
            found.remove(start);
            return found;
        }
    }
}

fn mentioned(steps: &[Step]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for (inputs, outputs) in steps.iter().filter_map(|step| step.made.as_ref()) {
        for id in inputs.iter().chain(outputs) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
    }
    ids
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn the_state_at_a_position_is_the_replay_up_to_it(
        steps in prop::collection::vec(steps(), 0..12),
    ) {
        let state = replay(&steps);
        for position in 0..=steps.len() {
            prop_assert_eq!(state.at(position as u64).unwrap(), replay(&steps[..position]));
        }
        prop_assert!(state.at(steps.len() as u64 + 1).is_err());
    }

    /// However entries are grouped into commits, and read from their bytes.
    #[test]
    fn replay_does_not_see_commits(
        steps in prop::collection::vec(steps(), 1..12),
        ends in prop::collection::btree_set(1_usize..12, 0..5),
    ) {
        let mut state = State::default();
        let mut begin = 0;
        let ends = ends.into_iter().filter(|end| *end < steps.len()).chain([steps.len()]);
        for end in ends {
            let entries: Vec<Entry> =
                (begin..end).map(|at| entry_of(at as u64, &steps[at])).collect();
            let bytes = encode_commit(begin as u64, &entries).unwrap();
            for entry in decode_commit(begin as u64, &bytes).unwrap() {
                let step = &steps[usize::try_from(entry.index).unwrap()];
                state.apply(&entry, body_of(step).as_ref()).unwrap();
            }
            begin = end;
        }
        prop_assert_eq!(state, replay(&steps));
    }

    #[test]
    fn the_state_equals_a_naive_model(steps in prop::collection::vec(steps(), 0..12)) {
        let (mut tables, mut roots) = (BTreeMap::new(), BTreeMap::new());
        let mut blobs = BTreeMap::new();
        for (index, step) in (0..).zip(&steps) {
            tables.extend(step.tables.iter().map(|(name, version)| (name.as_str(), *version)));
            roots.extend(step.roots.iter().map(|(name, root)| (name.as_str(), *root)));
            step.blobs.iter().for_each(|blob| _ = blobs.entry(*blob).or_insert(index));
        }
        let state = replay(&steps);
        prop_assert_eq!(state.tables(), tables);
        prop_assert_eq!(state.roots(), roots);
        prop_assert!(state.blobs().eq(blobs.keys()));
        prop_assert!(blobs.iter().all(|(blob, entry)| state.entry_of_blob(blob) == Some(*entry)));
        for id in mentioned(&steps) {
            let made = (0_u64..).zip(&steps).filter(|(_, step)| {
                step.made.as_ref().is_some_and(|(_, outputs)| outputs.contains(&id))
            });
            let expected: Vec<u64> = made.map(|(index, _)| index).collect();
            prop_assert_eq!(state.entries_of_output(&id).unwrap(), expected);
        }
    }

    #[test]
    fn lineage_equals_a_naive_closure(steps in prop::collection::vec(steps(), 0..12)) {
        let state = replay(&steps);
        let lineage = state.lineage().unwrap();
        let ids = mentioned(&steps);
        for id in &ids {
            for forward in [false, true] {
                let found = if forward { lineage.descendants(id) } else { lineage.ancestors(id) };
                let closure = naive_closure(&steps, id, forward);
                let expected = ids.iter().filter(|id| closure.contains(*id));
                prop_assert_eq!(found.unwrap(), expected.collect::<Vec<_>>());
            }
        }
        prop_assert!(lineage.ancestors("nobody").is_err());
    }

    #[test]
    fn a_graph_equals_a_naive_closure(edges in prop::collection::vec((0_u32..9, 0_u32..9), 0..20)) {
        let graph = Graph::new(9, &edges).unwrap();
        for start in 0..9 {
            let mut found = BTreeSet::from([start]);
            for _ in 0..9 {
                let next = edges.iter().filter(|(from, _)| found.contains(from)).map(|(_, to)| *to);
                found = next.chain(found.iter().copied()).collect();
            }
            found.remove(&start);
            let descendants = graph.descendants(start).unwrap();
            prop_assert_eq!(&descendants, &found.into_iter().collect::<Vec<_>>());
            prop_assert!(descendants.iter().all(|d| graph.ancestors(*d).unwrap().contains(&start)));
        }
        prop_assert!(Graph::new(8, &[(0, 8)]).is_err());
        prop_assert!(graph.ancestors(9).is_err());
    }

    #[test]
    fn a_wrong_index_changes_nothing(
        steps in prop::collection::vec(steps(), 1..5),
        index in 0_u64..9,
    ) {
        let mut state = replay(&steps);
        prop_assume!(index != state.entry_count());
        let before = state.clone();
        let wrong = entry_of(index, &steps[0]);
        prop_assert!(state.apply(&wrong, body_of(&steps[0]).as_ref()).is_err());
        prop_assert_eq!(state, before);
    }
}
