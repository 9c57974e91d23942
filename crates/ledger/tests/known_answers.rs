//! Bytes that other programs made, and bytes of ours that must never change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tiepoint_ledger::{
    Body, BodyView, Checkpoint, Entry, Envelope, LedgerError, Note, SigningKey, Statement, Subject,
    VerifyingKey, commit_path, decode_commit, dsse, encode_commit,
    entry::{FORMAT_VERSION, RETAIN_VERB},
    first_index_of_path,
};
use tiepoint_model::{Digest, ErrorKind, Seed, Timestamp};

/// The example of the documentation of Go's `golang.org/x/mod/sumdb/note`.
const GO_PRIVATE: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv\
    qfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_note_of_go_verifies() {
    let keys = [GO_PUBLIC.parse::<VerifyingKey>().unwrap()];
    let note = Note::parse(GO_NOTE.as_bytes()).unwrap();
    assert_eq!(note.verify(&keys).unwrap(), [&keys[0]]);
    assert_eq!(note.to_string(), GO_NOTE);
}

#[test]
fn the_private_key_of_go_makes_the_same_note() {
    let key = SigningKey::from_private_text(GO_PRIVATE).unwrap();
    let text = Note::parse(GO_NOTE.as_bytes()).unwrap().text().to_owned();
    assert_eq!(key.verifying_key().to_string(), GO_PUBLIC);
    assert_eq!(key.to_private_text(), format!("{GO_PRIVATE}\n"));
    assert_eq!(Note::sign(&text, &[&key]).unwrap().to_string(), GO_NOTE);
}

#[test]
fn a_private_key_is_not_shown_by_debug_or_errors() {
    let key = SigningKey::from_private_text(GO_PRIVATE).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey(PeterNeumann+c74f20a3, private)");
    let wrong = GO_PRIVATE.replace("c74f20a3", "c74f20a4");
    let error = SigningKey::from_private_text(&wrong).unwrap_err();
    assert!(!format!("{error:?} {error} {}", error.hint()).contains("AYEK"));
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// The seed and public key of RFC 8032, section 7.1, test 2, and its signature.
#[test]
fn signatures_are_those_of_rfc_8032() {
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let key = SigningKey::from_seed("rfc8032", seed.parse::<Digest>().unwrap().0).unwrap();
    assert_eq!(Digest(key.verifying_key().to_bytes()).to_string(), public);
    let made: String = key.sign(&[0x72]).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(made, signature);
    assert!(key.verifying_key().verifies(&[0x72], &key.sign(&[0x72])));
    assert!(!key.verifying_key().verifies(&[0x73], &key.sign(&[0x72])));
}

#[test]
fn bad_keys_are_refused() {
    let refused = |text: &str| assert!(text.parse::<VerifyingKey>().is_err(), "{text}");
    refused("");
    refused("a+b");
    refused(&GO_PUBLIC.replace("Peter", "Paul"));
    refused(&GO_PUBLIC.replace("c74f20a3", "C74F20A3"));
    refused(&GO_PUBLIC.replace("ARpc", "AhpC"));
    refused(&format!("{GO_PUBLIC} "));
    for name in ["", "two words", "plus+plus", "line\nbreak", &"n".repeat(256)] {
        assert!(SigningKey::from_seed(name, [1; 32]).is_err(), "{name}");
    }
    // The neutral element: anything signed by nobody would verify.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(VerifyingKey::from_bytes("weak", neutral).is_err());
}

fn test_key() -> SigningKey {
    SigningKey::from_seed("tiepoint.test/key", std::array::from_fn(|at| at as u8)).expect("a key")
}

fn test_statement() -> Statement {
    let digest = BTreeMap::from([("sha256".to_owned(), "0f".repeat(32))]);
    let subject = Subject { name: "rec-0123456789abcdef".to_owned(), digest };
    let predicate = json!({"verdict": "refuted", "margin_m": 0.05, "units": [1, 2, 3]});
    Statement::new(vec![subject], "https://tiepoint.test/verdict/v1", predicate)
}

const ENVELOPE: &str = include_str!("../../../testdata/dsse/envelope.json");
const TAMPERED: &str = include_str!("../../../testdata/dsse/tampered.json");
const FOREIGN: &str = include_str!("../../../testdata/dsse/foreign.json");
const PUBLIC: &str = include_str!("../../../testdata/dsse/key.pub");

/// The stored envelope is the one that `verify_dsse.py` was run on.
#[test]
fn the_envelope_checked_by_securesystemslib_is_made_again() {
    let envelope = test_statement().sign(&[&test_key()]).unwrap();
    assert_eq!(String::from_utf8(envelope.to_bytes().unwrap()).unwrap(), ENVELOPE.trim_end());
    assert_eq!(test_key().verifying_key().to_string(), PUBLIC.trim_end());
}

#[test]
fn an_envelope_of_securesystemslib_verifies_and_its_key_id_is_ours() {
    let keys = [PUBLIC.parse::<VerifyingKey>().unwrap()];
    let envelope = Envelope::parse(FOREIGN.as_bytes()).unwrap();
    assert_eq!(envelope.signatures[0].key_id, dsse::key_id(&keys[0]).to_string());
    assert_eq!(Statement::open(&envelope, &keys, 1).unwrap(), test_statement());
}

#[test]
fn a_tampered_envelope_is_refused() {
    let keys = [PUBLIC.parse::<VerifyingKey>().unwrap()];
    let envelope = Envelope::parse(TAMPERED.as_bytes()).unwrap();
    let error = Statement::open(&envelope, &keys, 1).unwrap_err();
    assert!(matches!(error, LedgerError::TooFewSignatures { found: 0, needed: 1, .. }));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// The example of the DSSE protocol page.
#[test]
fn pre_authentication_encoding_is_that_of_the_specification() {
    let message =
        dsse::pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
    assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

#[test]
fn one_key_counts_once_and_nobody_is_not_enough() {
    let key = test_key();
    let alias = VerifyingKey::from_bytes("alias", key.verifying_key().to_bytes()).unwrap();
    let other = SigningKey::from_seed("other", [9; 32]).unwrap();
    let envelope = test_statement().sign(&[&key, &key]).unwrap();
    assert!(envelope.verify(&[key.verifying_key(), alias], 2).is_err());
    assert!(envelope.verify(&[other.verifying_key()], 1).is_err());
    assert!(envelope.verify(&[key.verifying_key()], 0).is_err());
    let both = test_statement().sign(&[&key, &other]).unwrap();
    let keys = [key.verifying_key(), other.verifying_key()];
    assert_eq!(both.verify(&keys, 2).unwrap().len(), 2);
}

#[test]
fn a_statement_without_subject_digest_or_predicate_is_not_signed() {
    let key = test_key();
    let mut none = test_statement();
    none.subject.clear();
    let mut unnamed = test_statement();
    unnamed.subject[0].digest.clear();
    let mut silent = test_statement();
    silent.predicate = json!({});
    let mut untyped = test_statement();
    untyped.predicate_type.clear();
    for statement in [none, unnamed, silent, untyped] {
        assert!(matches!(statement.sign(&[&key]), Err(LedgerError::BadField { .. })));
    }
}

#[test]
fn a_checkpoint_speaks_for_its_own_log_only() {
    let key = test_key();
    let note = Checkpoint::sign(7, Digest([5; 32]), &key).unwrap();
    let expected = "tiepoint.test/key\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n";
    assert_eq!(note.text(), expected);
    let bytes = note.to_string();
    let opened = Checkpoint::open(bytes.as_bytes(), &key.verifying_key()).unwrap();
    assert_eq!((opened.size, opened.root), (7, Digest([5; 32])));
    let foreign =
        Note::sign("another.log\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n", &[&key]);
    let foreign = foreign.unwrap().to_string();
    let error = Checkpoint::open(foreign.as_bytes(), &key.verifying_key()).unwrap_err();
    assert!(matches!(error, LedgerError::WrongPurpose { .. }));
    let root = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";
    for text in [
        "log\n07\nROOT\n",
        "log\n+7\nROOT\n",
        "log\n-1\nROOT\n",
        "log\n18446744073709551616\nROOT\n",
        "log\n7\nROOT",
        "log\n7\nROOT\nextension\n",
        "log\n7\nBQU=\n",
        "log\n7\n",
        "log\n",
        "",
        "two words\n7\nROOT\n",
    ] {
        assert!(Checkpoint::parse(&text.replace("ROOT", root)).is_err(), "{text}");
    }
}

fn test_body() -> Body {
    Body {
        actor: "ada".to_owned(),
        code_version: "tiepoint 0.1.0".to_owned(),
        format_version: FORMAT_VERSION,
        inputs: vec!["rec-1".to_owned()],
        names: BTreeMap::from([("rec-2".to_owned(), "twin of uwb.mcap".to_owned())]),
        obligations: json!({"purposes": ["research"]}),
        outputs: vec!["rec-2".to_owned()],
        parameters: json!({
            "sigma_m": 0.1, "beams": 360, "bias_m": -1e-9, "deep": {"b": 1, "a": 2.0},
        }),
        seed: Some(Seed(u64::MAX)),
    }
}

fn test_entry(index: u64) -> Entry {
    Entry {
        blobs: BTreeSet::from([Digest([2; 32]), Digest([1; 32])]),
        body_commitment: Digest([3; 32]),
        format_version: FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::from([("rec-2".to_owned(), Digest([4; 32]))]),
        tables: BTreeMap::from([("scans".to_owned(), 1 << 63), ("poses".to_owned(), 7)]),
        time_ns: Timestamp(1_700_000_000_000_000_001),
        verb: "twin".to_owned(),
    }
}

/// Stored bytes: if this test fails, `FORMAT_VERSION` must grow.
#[test]
fn the_form_of_entries_and_bodies_does_not_change() {
    let sealed = test_body().seal([0xAA; 32]).unwrap();
    let json = concat!(
        r#"{"actor":"ada","code_version":"tiepoint 0.1.0","format_version":1,"inputs":["rec-1"],"#,
        r#""names":{"rec-2":"twin of uwb.mcap"},"obligations":{"purposes":["research"]},"#,
        r#""outputs":["rec-2"],"parameters":{"beams":360,"bias_m":-1e-9,"deep":{"a":2.0,"b":1},"#,
        r#""sigma_m":0.1},"seed":"18446744073709551615"}"#
    );
    assert_eq!(std::str::from_utf8(&sealed.bytes[32..]).unwrap(), json);
    assert_eq!(sealed.bytes[..32], [0xAA; 32]);
    let entry = String::from_utf8(test_entry(7).to_bytes().unwrap()).unwrap();
    let expected = format!(
        concat!(
            r#"{{"blobs":["{}","{}"],"body_commitment":"{}","format_version":1,"index":"7","#,
            r#""roots":{{"rec-2":"{}"}},"tables":{{"poses":"7","scans":"9223372036854775808"}},"#,
            r#""time_ns":"1700000000000000001","verb":"twin"}}"#
        ),
        Digest([1; 32]),
        Digest([2; 32]),
        Digest([3; 32]),
        Digest([4; 32])
    );
    assert_eq!(entry, expected);
    let verb = RETAIN_VERB.to_owned();
    let retention = Entry { retain_from: Some(5), verb, ..test_entry(7) };
    let bytes = retention.to_bytes().unwrap();
    let written = String::from_utf8(bytes.clone()).unwrap();
    let with_position = expected.replace(r#""7","roots""#, r#""7","retain_from":"5","roots""#);
    let with_position = with_position.replace(r#""verb":"twin""#, r#""verb":"retain""#);
    assert_eq!(written, with_position);
    assert_eq!(Entry::from_bytes(&bytes, 1).unwrap(), retention);
    let later = Entry { retain_from: Some(8), ..retention }.to_bytes().unwrap_err();
    assert!(matches!(later, LedgerError::BadField { field: "retain_from", .. }), "{later}");
    let null = with_position.replace(r#""retain_from":"5""#, r#""retain_from":null"#);
    assert!(Entry::from_bytes(null.as_bytes(), 1).is_err());
}

#[test]
fn a_commit_is_refused_with_the_place_of_its_fault() {
    let entries = [test_entry(7), test_entry(8)];
    let bytes = encode_commit(7, &entries).unwrap();
    assert_eq!(decode_commit(7, &bytes).unwrap(), entries);
    let wrong = decode_commit(6, &bytes).unwrap_err();
    assert!(matches!(wrong, LedgerError::WrongIndex { place: "commit", expected: 6, found: 7 }));
    let gap = encode_commit(7, &[test_entry(7), test_entry(9)]).unwrap_err();
    assert!(matches!(gap, LedgerError::WrongIndex { expected: 8, found: 9, .. }));
    assert!(gap.hint().contains("head"));
    assert!(encode_commit::<Entry>(0, &[]).is_err());
    let text = String::from_utf8(bytes.clone()).unwrap();
    let newer = text.replacen("commit/1", "commit/2", 1);
    let error = decode_commit(7, newer.as_bytes()).unwrap_err();
    assert!(matches!(error, LedgerError::UnknownFormatVersion { line: 1, .. }), "{error}");
    for end in 0..bytes.len() {
        assert!(decode_commit(7, &bytes[..end]).is_err(), "torn at {end}");
    }
    let line = |entry: &str| Entry::from_bytes(entry.as_bytes(), 3).unwrap_err();
    let entry = String::from_utf8(test_entry(7).to_bytes().unwrap()).unwrap();
    let later = entry.replace("\"format_version\":1", "\"format_version\":2,\"more\":{}");
    assert!(matches!(line(&later), LedgerError::UnknownFormatVersion { line: 3, .. }));
    let spaced = entry.replace("\"index\":", "\"index\": ");
    assert!(matches!(line(&spaced), LedgerError::NotCanonical { line: 3, .. }));
    let plus = entry.replace("\"index\":\"7\"", "\"index\":\"+7\"");
    assert!(matches!(line(&plus), LedgerError::NotCanonical { .. }));
    let twice = entry.replace("\"poses\":\"7\"", "\"poses\":\"6\",\"poses\":\"7\"");
    assert!(matches!(line(&twice), LedgerError::NotCanonical { .. }));
    let unknown = entry.replace("\"verb\"", "\"extra\":1,\"verb\"");
    assert!(matches!(line(&unknown), LedgerError::NotJson { .. }));
    let empty = entry.replace("\"twin\"", "\"\"");
    assert!(matches!(line(&empty), LedgerError::BadField { field: "verb", .. }));
}

#[test]
fn an_entry_of_65535_bytes_fits_and_one_more_byte_does_not() {
    let mut entry = test_entry(0);
    let room = tiepoint_ledger::entry::ENTRY_BYTES_MAX - entry.to_bytes().unwrap().len();
    entry.verb.push_str(&"x".repeat(room));
    assert_eq!(entry.to_bytes().unwrap().len(), 65_535);
    entry.verb.push('x');
    let error = entry.to_bytes().unwrap_err();
    assert!(matches!(error, LedgerError::EntryTooLong { size_bytes: 65_536, .. }));
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn commit_paths_sort_as_their_indexes_and_have_one_form() {
    assert_eq!(commit_path(7), "log/00000000000000000007");
    assert_eq!(commit_path(u64::MAX), "log/18446744073709551615");
    assert_eq!(first_index_of_path("log/00000000000000000007"), Some(7));
    for path in ["log/7", "log/+0000000000000000007", "log/18446744073709551616", "log/", "x"] {
        assert_eq!(first_index_of_path(path), None, "{path}");
    }
    assert!(commit_path(9) < commit_path(10));
}

#[test]
fn parameters_that_nest_too_deep_are_refused_before_they_are_written() {
    let mut body = test_body();
    let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
    body.parameters = nested(64);
    let sealed = body.seal([0; 32]).unwrap();
    assert_eq!(Body::open(&sealed.bytes, &sealed.commitment).unwrap(), body);
    body.parameters = nested(65);
    assert!(matches!(body.seal([0; 32]), Err(LedgerError::TooMany { .. })));
}

#[test]
fn a_body_of_a_later_version_says_so() {
    let mut file = vec![0; 32];
    file.extend(br#"{"format_version":9,"new":true}"#);
    let error = Body::open(&file, &tiepoint_ledger::body::commitment(&file)).unwrap_err();
    assert!(matches!(error, LedgerError::UnknownFormatVersion { what: "body", .. }), "{error}");
    let short = tiepoint_ledger::body::commitment(b"short");
    assert!(matches!(Body::open(b"short", &short), Err(LedgerError::Malformed { .. })));
}
