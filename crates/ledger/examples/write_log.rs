//! Writes a log of many entries as outsiders see one, for the programs in `tests/verify_log.*`.
//!
//! usage: `cargo run -p tiepoint-ledger --example write_log -- FOLDER ENTRIES`
//! Writes `key.pub`, `checkpoint`, `tile/`, `cosigned/` and `witness.pub`. Keys and entries are fixed: the same
//! arguments give the same bytes.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "room: disk, stdout: an example is a program"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
};

use tiepoint_ledger::{Checkpoint, Edge, Entry, SigningKey, WitnessSigningKey};
use tiepoint_model::{Digest, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: write_log FOLDER ENTRIES")?;
    let size: u64 = arguments.next().ok_or("usage: write_log FOLDER ENTRIES")?.parse()?;
    let folder = Path::new(&folder);
    let mut edge = Edge::default();
    for index in 0..size {
        for (tile, bytes) in edge.append(&entry(index).to_bytes()?)? {
            write(folder, &tile.path(), &bytes)?;
        }
    }
    for (tile, bytes) in edge.partial() {
        write(folder, &tile.path(), &bytes)?;
    }
    let key = SigningKey::from_seed("log.example", [1; 32])?;
    let witness = WitnessSigningKey::from_seed("witness.example/w1", [2; 32])?;
    let checkpoint = Checkpoint::sign(size, edge.root(), &key)?;
    let line = witness.cosign(&checkpoint, 1_700_000_000);
    write(folder, "key.pub", format!("{}\n", key.verifying_key()).as_bytes())?;
    write(folder, "witness.pub", format!("{}\n", witness.witness_key()).as_bytes())?;
    write(folder, "checkpoint", checkpoint.to_string().as_bytes())?;
    let cosigned = checkpoint.with_signature(line)?;
    write(folder, &format!("cosigned/{size:020}"), cosigned.to_string().as_bytes())?;
    println!("{size} entries in {}", folder.display());
    Ok(())
}

fn entry(index: u64) -> Entry {
    Entry {
        blobs: BTreeSet::from([Digest([(index % 251) as u8; 32])]),
        body_commitment: Digest([7; 32]),
        format_version: tiepoint_ledger::entry::FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::new(),
        tables: BTreeMap::from([("poses".to_owned(), index)]),
        time_ns: Timestamp(1_700_000_000_000_000_000),
        verb: "ingest".to_owned(),
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), std::io::Error> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
}
