//! How fast a ledger of a million entries is: appended to through the ordinary commit path, opened, verified.
//!
//! `ledger_speed grow FOLDER ENTRIES BATCH` makes a lake of so many remarks, `ledger_speed open FOLDER` and
//! `ledger_speed verify FOLDER` read it, `ledger_speed steps FOLDER LOG` ingests a log and says where the time goes.
//! Each prints rows of a table. `cargo xtask bench ledger` runs them all.
//!
//! Not here: the time that a process takes to start.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "room: clock, disk, environment, stdout: a benchmark"
)]

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use tiepoint_model::{Origin, Timestamp};
use tiepoint_operations::{
    Config, IngestRequest, LakeChecks, Platform, Remark, Source, ingest, log, note, query,
    verify_lake,
};
use tiepoint_store::{StepKind, WriteSeam};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RUNS: usize = 7;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match words.as_slice() {
            ["grow", folder, entries, batch] => {
                grow(Path::new(folder), entries.parse()?, batch.parse()?).await
            }
            ["open", folder] => open(Path::new(folder)).await,
            ["verify", folder] => verify(Path::new(folder)).await,
            ["steps", folder, log] => steps(Path::new(folder), Path::new(log)).await,
            _ => Err("usage: ledger_speed grow|open|verify|steps FOLDER ..".into()),
        }
    })
}

/// What one call of the program brings.
fn config(folder: &Path, call: u64) -> Config {
    let mut entropy = [3; 32];
    entropy[..8].copy_from_slice(&call.to_le_bytes());
    Config {
        config_folder: folder.join("config"),
        actor: "bench".to_owned(),
        now: Timestamp(1_700_000_000_000_000_000 + call as i64),
        code_version: "bench".to_owned(),
        entropy,
    }
}

/// A lake of so many entries; each remark is about the first of the batch before, so that lineage grows too.
async fn grow(folder: &Path, entries: u64, batch: u64) -> Outcome<()> {
    let lake = folder.join("lake");
    Platform::create(&lake, config(folder, 0)).await?;
    let mut platform = Platform::open(&lake, config(folder, 1)).await?;
    let (mut times_s, mut about): (Vec<f64>, Vec<String>) = (Vec::new(), Vec::new());
    let (began, mut count) = (Instant::now(), 1);
    while count < entries {
        let many = batch.min(entries - count);
        let remarks: Vec<Remark> = (count..count + many)
            .map(|index| Remark {
                about: about.clone(),
                text: format!("remark {index}: the left camera was dirty from here on"),
            })
            .collect();
        let began = Instant::now();
        let noted = note(&mut platform, &remarks).await?;
        times_s.push(began.elapsed().as_secs_f64());
        about = noted.ids.into_iter().take(1).collect();
        count += many;
    }
    let total_s = began.elapsed().as_secs_f64();
    for warning in platform.take_warnings() {
        println!("| warning | {warning} |");
    }
    times_s.sort_by(f64::total_cmp);
    let (median_s, most_s) = (times_s[times_s.len() / 2], times_s[times_s.len() - 1]);
    let rate = (count - 1) as f64 / total_s;
    println!(
        "| append, durable, commits of {batch} | {rate:.0} entries/s, {total_s:.1} s in all |"
    );
    println!("| one such commit | median {:.0} ms, most {:.0} ms |", 1e3 * median_s, 1e3 * most_s);
    Ok(())
}

/// Opening from the saved projection, and the first answers.
async fn open(folder: &Path) -> Outcome<()> {
    let lake = folder.join("lake");
    let mut times_s = Vec::new();
    let mut platform = Platform::open(&lake, config(folder, 2)).await?;
    for run in 0..RUNS {
        drop(platform);
        let began = Instant::now();
        platform = Platform::open(&lake, config(folder, 3 + run as u64)).await?;
        times_s.push(began.elapsed().as_secs_f64());
    }
    for warning in platform.take_warnings() {
        println!("| warning | {warning} |");
    }
    println!("| open, within the process | {} |", milliseconds(&mut times_s));
    let began = Instant::now();
    let newest = log(&platform, 1).await?;
    let index = newest.first().map_or(0, |entry| entry.index);
    println!("| newest entry ({index}) read | {:.1} ms |", 1e3 * began.elapsed().as_secs_f64());
    let began = Instant::now();
    drop(Platform::open_at(&lake, config(folder, 99), index / 2).await?);
    println!("| open at position {} | {:.0} ms |", index / 2, 1e3 * began.elapsed().as_secs_f64());
    let most = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = most.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("| most memory while opening | {} |", most.unwrap_or("unknown").trim());
    Ok(())
}

async fn verify(folder: &Path) -> Outcome<()> {
    let lake = folder.join("lake");
    let mut times_s = Vec::new();
    for run in 0..3 {
        let began = Instant::now();
        let report = verify_lake(&lake, config(folder, 200 + run), &LakeChecks::default()).await?;
        times_s.push(began.elapsed().as_secs_f64());
        if !report.passed() {
            return Err(format!("{:#?}", report.checks).into());
        }
    }
    println!("| verify | {} |", milliseconds(&mut times_s));
    Ok(())
}

/// What the disk is asked for, as people think of it.
fn part_of(kind: StepKind, path: &str) -> &'static str {
    let is_sync = matches!(kind, StepKind::SyncFile | StepKind::SyncFolder);
    match path {
        _ if path.contains("/tables/") && is_sync => "tables: forced to the disk",
        _ if path.contains(".lance/data/") => "tables: rows encoded and written",
        _ if path.contains("/tables/") => "tables: manifests",
        _ if path.contains("/blobs/") => "originals kept",
        _ if path.contains("/files/") => "digests of files",
        _ if path.contains("/bodies/") || path.contains("/log/") => "ledger: body and entry",
        _ if path.contains("/tile/") || path.ends_with("checkpoint") => "ledger: tiles and head",
        _ if path.contains("/projection") => "ledger: projection",
        _ => "other",
    }
}

/// Ingests a log and adds up the time from each durable step to the next by what the step was for.
async fn steps(folder: &Path, log: &Path) -> Outcome<()> {
    let lake = folder.join("steps");
    Platform::create(&lake, config(folder, 0)).await?;
    let taken: Arc<Mutex<Vec<(Instant, StepKind, PathBuf)>>> = Arc::default();
    let seen = Arc::clone(&taken);
    let seam = WriteSeam::with_hook(move |step| {
        if let Ok(mut seen) = seen.lock() {
            seen.push((Instant::now(), step.kind, step.path.to_owned()));
        }
        Ok(())
    });
    let began = Instant::now();
    let mut platform = Platform::open_through(&lake, config(folder, 1), seam).await?;
    let opened = Instant::now();
    let request = IngestRequest {
        log: Source::Path(log.to_owned()),
        ground_truth: None,
        origin: Origin::Real,
        unknown_generator: None,
        rig: None,
        recover: false,
        dry_run: false,
    };
    ingest(&mut platform, request).await?;
    let ended = Instant::now();
    let taken = std::mem::take(&mut *taken.lock().map_err(|_| "a hook failed")?);
    let first = taken.first().map_or(ended, |(at, ..)| *at);
    println!("| open an empty lake | {:.1} ms |", 1e3 * (opened - began).as_secs_f64());
    println!("| read until the first write | {:.1} ms |", 1e3 * (first - opened).as_secs_f64());
    for (part, seconds) in parts_of(&taken, ended) {
        println!("| {part} | {:.1} ms |", 1e3 * seconds);
    }
    println!("| ingest, in all | {:.1} ms |", 1e3 * (ended - opened).as_secs_f64());
    let began = Instant::now();
    let rows = query(&platform, "SELECT count(*) FROM recordings").await?.to_json()?;
    println!("| query: `{rows}` | {:.1} ms |", 1e3 * began.elapsed().as_secs_f64());
    Ok(())
}

/// Seconds by part; what is done under a temporary name belongs to the name that it gets.
fn parts_of(taken: &[(Instant, StepKind, PathBuf)], ended: Instant) -> BTreeMap<&str, f64> {
    let (mut parts, mut unnamed_s) = (BTreeMap::new(), 0.0);
    for (at, (begin, kind, path)) in taken.iter().enumerate() {
        let end = taken.get(at + 1).map_or(ended, |(next, ..)| *next);
        let seconds = (end - *begin).as_secs_f64();
        let path = path.to_string_lossy();
        let is_named = matches!(kind, StepKind::Link | StepKind::Replace);
        match path.contains("/tmp/") && !matches!(kind, StepKind::RemoveTemporary) {
            true => unnamed_s += seconds,
            false if is_named => {
                *parts.entry(part_of(*kind, &path)).or_insert(0.0) += seconds + unnamed_s;
                unnamed_s = 0.0;
            }
            false => *parts.entry(part_of(*kind, &path)).or_insert(0.0) += seconds,
        }
    }
    parts
}

fn milliseconds(times_s: &mut [f64]) -> String {
    times_s.sort_by(f64::total_cmp);
    let (median_s, least_s) = (times_s[times_s.len() / 2], times_s[0]);
    format!("median {:.0} ms, least {:.0} ms", 1e3 * median_s, 1e3 * least_s)
}
