//! How fast the ledger is at a million entries, on one thread: prints a line each.
//!
//! Run with `cargo bench -p tiepoint-ledger`. The clock and the disk are used here only.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "room: benchmark clock, disk, stdout"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::File,
    io::Write as _,
    path::Path,
    time::Instant,
};

use tiepoint_ledger::{
    Body, Checkpoint, Edge, Entry, Projection, SigningKey, commit_path, decode_commit_lines,
    encode_commit,
    excerpts::{ExcerptEdges, Place},
    lineage::Graph,
};
use tiepoint_model::{Digest, EdgeKind, Seed, Timestamp};

type Outcome = Result<(), Box<dyn Error>>;

/// Entries of the log that is verified.
const ENTRIES: u64 = 1_000_000;

/// Entries in one commit.
const BATCH: u64 = 1_000;

fn main() -> Outcome {
    append()?;
    verify()?;
    replay()?;
    closure()?;
    closure_of_excerpts()
}

/// Entries made durable: encoded, hashed, tiles cut; a file a commit, file and folder forced to the disk, head signed.
fn append() -> Outcome {
    const COUNT: u64 = 200_000;
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("log"))?;
    let key = SigningKey::from_seed("log.example", [1; 32])?;
    let log = File::open(folder.path().join("log"))?;
    let (mut edge, began) = (Edge::default(), Instant::now());
    for first in (0..COUNT).step_by(BATCH as usize) {
        let entries: Vec<Entry> = (first..first + BATCH).map(entry).collect();
        write(folder.path(), &commit_path(first), &encode_commit(first, &entries)?)?;
        log.sync_all()?;
        for entry in &entries {
            for (tile, bytes) in edge.append(&entry.to_bytes()?)? {
                write(folder.path(), &tile.path().replace('/', "-"), &bytes)?;
            }
        }
        let head = Checkpoint::sign(edge.leaf_count(), edge.root(), &key)?;
        write(folder.path(), "checkpoint", head.to_string().as_bytes())?;
    }
    let rate = COUNT as f64 / began.elapsed().as_secs_f64();
    println!("append: {rate:.0} entries/s durable, commits of {BATCH}, tiles and head included");
    Ok(())
}

/// Every commit decoded and checked, the tree and every tile made again and compared.
fn verify() -> Outcome {
    let (mut commits, mut tiles, mut edge) = (Vec::new(), Vec::new(), Edge::default());
    for first in (0..ENTRIES).step_by(BATCH as usize) {
        let entries: Vec<Entry> = (first..first + BATCH).map(entry).collect();
        commits.push(encode_commit(first, &entries)?);
        for entry in &entries {
            tiles.extend(edge.append(&entry.to_bytes()?)?);
        }
    }
    let root = edge.root();
    let bytes: usize = commits.iter().map(Vec::len).sum();
    let began = Instant::now();
    let (mut edge, mut expected) = (Edge::default(), tiles.iter());
    for (first, commit) in (0..).step_by(BATCH as usize).zip(&commits) {
        for (_, bytes) in decode_commit_lines(first, commit)? {
            for tile in edge.append(bytes)? {
                assert_eq!(Some(&tile), expected.next());
            }
        }
    }
    assert_eq!(edge.root(), root);
    let (seconds, size_mb) = (began.elapsed().as_secs_f64(), bytes as f64 / 1e6);
    println!("verify: {ENTRIES} entries ({size_mb:.0} MB) in {seconds:.2} s");
    Ok(())
}

/// What the entries and their bodies say, applied one by one; then saved, and opened from what was saved.
fn replay() -> Outcome {
    let (mut projection, mut seconds) = (Projection::default(), 0.0);
    for first in (0..ENTRIES).step_by(BATCH as usize) {
        let entries: Vec<(Entry, Body)> =
            (first..first + BATCH).map(|index| (entry(index), body(index))).collect();
        let began = Instant::now();
        for (entry, body) in &entries {
            projection.state.apply(entry, Some(body))?;
        }
        seconds += began.elapsed().as_secs_f64();
        for (entry, _) in &entries {
            projection.edge.append(&entry.to_bytes()?)?;
        }
    }
    let rate = ENTRIES as f64 / seconds;
    println!("replay: {rate:.0} entries/s with their bodies, read and checked before");
    projection.commits = (0..ENTRIES).collect();
    let key = SigningKey::from_seed("log.example", [1; 32])?;
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    write(folder.path(), "projection", &projection.save(&key)?)?;
    println!("projection: saved in {:.3} s", began.elapsed().as_secs_f64());
    for _ in 0..3 {
        let began = Instant::now();
        let bytes = std::fs::read(folder.path().join("projection"))?;
        let read_s = began.elapsed().as_secs_f64();
        let opened = Projection::open(&bytes, &key.verifying_key())?;
        let (seconds, size_mb) = (began.elapsed().as_secs_f64(), bytes.len() as f64 / 1e6);
        println!(
            "projection: {ENTRIES} entries, {size_mb:.0} MB, opened in {seconds:.3} s, \
             of which {read_s:.3} s reading the file"
        );
        assert_eq!(opened.state.table("poses"), Some(ENTRIES - 1));
    }
    Ok(())
}

/// Everything above and below a thing, over ten million edges: each node was made from earlier ones.
fn closure() -> Outcome {
    const EDGES: usize = 10_000_000;
    const NODES: u32 = 2_500_000;
    let mut draws = Seed(1).draws(0, 0);
    let edges: Vec<(u32, u32)> = (0..EDGES)
        .map(|_| {
            let to = 1 + (draws.uniform() * f64::from(NODES - 1)) as u32;
            let back = 1 + (draws.uniform() * f64::from(to.min(50_000) - 1)) as u32;
            (to - back, to)
        })
        .collect();
    let began = Instant::now();
    let graph = Graph::new(NODES, &edges)?;
    let built_s = began.elapsed().as_secs_f64();
    for (what, start) in [("first", 0), ("middle", NODES / 2), ("last", NODES - 1)] {
        let began = Instant::now();
        let (up, down) = (graph.ancestors(start)?.len(), graph.descendants(start)?.len());
        let seconds = began.elapsed().as_secs_f64();
        println!("closure of the {what} of {NODES} nodes: {up} up, {down} down in {seconds:.3} s");
    }
    println!("graph of {EDGES} edges built in {built_s:.3} s");
    Ok(())
}

/// The same for rows of the table `derivations`, batch by batch as they are read: spans of channels of recordings, each
/// made from spans of earlier ones. Only adding, building and walking are timed.
fn closure_of_excerpts() -> Outcome {
    const EDGES: usize = 10_000_000;
    const BATCH_ROWS: usize = 65_536;
    const SPANS: u32 = 2_500_000;
    const SPANS_OF_CHANNEL: u32 = 20;
    let channel = |span: u32| {
        let channel = span / SPANS_OF_CHANNEL;
        (format!("rec-{:016x}", channel / 5), format!("/channel_{}", channel % 5))
    };
    let start_ns = |span: u32| i64::from(span % SPANS_OF_CHANNEL) * 1_000_000_000;
    let place = |(id, part): &'_ (String, String), span: u32| -> (String, String, i64) {
        (id.clone(), part.clone(), start_ns(span))
    };
    let mut draws = Seed(1).draws(0, 1);
    let (mut edges, mut add_s) = (ExcerptEdges::default(), 0.0);
    for first in (0..EDGES).step_by(BATCH_ROWS) {
        let rows: Vec<[(String, String, i64); 2]> = (first..EDGES.min(first + BATCH_ROWS))
            .map(|_| {
                let to = 1 + (draws.uniform() * f64::from(SPANS - 1)) as u32;
                let from = to - 1 - (draws.uniform() * f64::from(to.min(50_000) - 1)) as u32;
                [to, from].map(|span| place(&channel(span), span))
            })
            .collect();
        let began = Instant::now();
        for [child, parent] in &rows {
            edges.add(borrowed(child), EdgeKind::Anchor, borrowed(parent))?;
        }
        add_s += began.elapsed().as_secs_f64();
    }
    let began = Instant::now();
    let graph = edges.build();
    let built_s = began.elapsed().as_secs_f64();
    for (what, span) in [("first", 0), ("middle", SPANS / 2), ("last", SPANS - 1)] {
        let of = place(&channel(span), span);
        let began = Instant::now();
        let (up, down) =
            (graph.ancestors(borrowed(&of)).len(), graph.descendants(borrowed(&of)).len());
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "closure of the {what} of {SPANS} excerpts: {up} up, {down} down in {seconds:.3} s"
        );
    }
    println!("{EDGES} rows of `derivations` taken in {add_s:.2} s, put in order in {built_s:.2} s");
    Ok(())
}

fn borrowed((id, part, start_ns): &(String, String, i64)) -> Place<'_> {
    let end_ns = Some(start_ns + 1_000_000_000);
    Place { id, part: Some(part), start_ns: Some(*start_ns), end_ns }
}

fn entry(index: u64) -> Entry {
    Entry {
        blobs: BTreeSet::from([digest(index)]),
        body_commitment: digest(index + 1),
        format_version: tiepoint_ledger::entry::FORMAT_VERSION,
        index,
        retain_from: None,
        roots: BTreeMap::from([(format!("rec-{index:016x}"), digest(index + 2))]),
        tables: BTreeMap::from([("poses".to_owned(), index), ("scans".to_owned(), index)]),
        time_ns: Timestamp(1_700_000_000_000_000_000),
        verb: "ingest".to_owned(),
    }
}

fn body(index: u64) -> Body {
    let before = index.saturating_sub(1);
    Body {
        actor: "tester".to_owned(),
        code_version: "tiepoint 0.1.0".to_owned(),
        format_version: tiepoint_ledger::entry::FORMAT_VERSION,
        inputs: vec![format!("rec-{before:016x}"), format!("blob-{index}")],
        names: BTreeMap::from([(format!("rec-{index:016x}"), format!("run {index}"))]),
        obligations: serde_json::Value::Null,
        outputs: vec![format!("rec-{index:016x}")],
        parameters: serde_json::Value::Null,
        seed: None,
    }
}

fn digest(index: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    Digest(bytes)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Outcome {
    let mut file = File::create(folder.join(name))?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
