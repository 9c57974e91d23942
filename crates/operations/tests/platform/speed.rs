//! How fast a ledger of a million entries is: appended to through the ordinary commit path, opened, verified; and where
//! the time of an ingest goes.
//!
//! Nothing is measured unless `TIEPOINT_LEDGER_SPEED` names a folder, which must not exist; `cargo xtask bench ledger`
//! does. The rows of its tables are left there, in `million.md` and `steps.md`; the lake is `lake`.
//!
//! Not here: the time that a process takes to start.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use tiepoint_model::Timestamp;
use tiepoint_operations::{
    Config, IngestRequest, LakeChecks, Platform, Remark, Source, ingest, log, note, query,
    verify_lake,
};
use tiepoint_store::{StepKind, WriteSeam};

use crate::{growth::cpu_seconds, yard::run};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RUNS: usize = 7;

const ENTRIES: u64 = 1_000_000;
const BATCH: u64 = 10_000;
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/quickstart/uwb.mcap");

#[test]
fn a_ledger_of_a_million_entries() {
    let Ok(folder) = std::env::var("TIEPOINT_LEDGER_SPEED") else { return };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let count = std::env::var("TIEPOINT_LEDGER_ENTRIES").ok();
    let entries = count.map_or(ENTRIES, |count| count.parse().unwrap());
    run(async {
        let mut rows = String::new();
        if !folder.join("lake").exists() {
            rows.push_str(&grow(&folder, entries).await.unwrap());
        }
        rows.push_str(&open(&folder).await.unwrap());
        rows.push_str(&verify(&folder).await.unwrap());
        std::fs::write(folder.join("million.md"), rows).unwrap();
        let rows = steps(&folder, Path::new(LOG)).await.unwrap();
        std::fs::write(folder.join("steps.md"), rows).unwrap();
    });
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
async fn grow(folder: &Path, entries: u64) -> Outcome<String> {
    let mut rows = String::new();
    let lake = folder.join("lake");
    Platform::create(&lake, config(folder, 0)).await?;
    let mut platform = Platform::open(&lake, config(folder, 1)).await?;
    let (mut times_s, mut about): (Vec<f64>, Vec<String>) = (Vec::new(), Vec::new());
    let (began, began_cpu_s, mut count) = (Instant::now(), cpu_seconds(), 1);
    while count < entries {
        let many = BATCH.min(entries - count);
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
    let (total_s, cpu_s) = (began.elapsed().as_secs_f64(), cpu_seconds() - began_cpu_s);
    for warning in platform.take_warnings() {
        writeln!(rows, "| warning | {warning} |")?;
    }
    times_s.sort_by(f64::total_cmp);
    let (median_s, most_s) = (times_s[times_s.len() / 2], times_s[times_s.len() - 1]);
    let rate = (count - 1) as f64 / total_s;
    writeln!(
        rows,
        "| append, durable, commits of {BATCH} | {rate:.0} entries/s, {total_s:.1} s in all, \
         {cpu_s:.1} s of processors |"
    )?;
    writeln!(
        rows,
        "| one such commit | median {:.0} ms, most {:.0} ms |",
        1e3 * median_s,
        1e3 * most_s
    )?;
    Ok(rows)
}

/// Opening from the saved projection, and the first answers.
async fn open(folder: &Path) -> Outcome<String> {
    let mut rows = String::new();
    let lake = folder.join("lake");
    let mut times_s = Vec::new();
    let mut platform = Platform::open(&lake, config(folder, 2)).await?;
    let began_cpu_s = cpu_seconds();
    for run in 0..RUNS {
        drop(platform);
        let began = Instant::now();
        platform = Platform::open(&lake, config(folder, 3 + run as u64)).await?;
        times_s.push(began.elapsed().as_secs_f64());
    }
    let cpu_ms = 1e3 * (cpu_seconds() - began_cpu_s) / RUNS as f64;
    for warning in platform.take_warnings() {
        writeln!(rows, "| warning | {warning} |")?;
    }
    let times = milliseconds(&mut times_s);
    writeln!(rows, "| open, within the process | {times}, {cpu_ms:.0} ms of processors |")?;
    let began = Instant::now();
    let newest = log(&platform, 1).await?;
    let index = newest.first().map_or(0, |entry| entry.index);
    writeln!(
        rows,
        "| newest entry ({index}) read | {:.1} ms |",
        1e3 * began.elapsed().as_secs_f64()
    )?;
    let began = Instant::now();
    drop(Platform::open_at(&lake, config(folder, 99), index / 2).await?);
    writeln!(
        rows,
        "| open at position {} | {:.0} ms |",
        index / 2,
        1e3 * began.elapsed().as_secs_f64()
    )?;
    let most = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = most.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    writeln!(rows, "| most memory while opening | {} |", most.unwrap_or("unknown").trim())?;
    Ok(rows)
}

async fn verify(folder: &Path) -> Outcome<String> {
    let mut rows = String::new();
    let lake = folder.join("lake");
    let (mut times_s, began_cpu_s) = (Vec::new(), cpu_seconds());
    for run in 0..3 {
        let began = Instant::now();
        let report = verify_lake(&lake, config(folder, 200 + run), &LakeChecks::default()).await?;
        times_s.push(began.elapsed().as_secs_f64());
        if !report.passed() {
            return Err(format!("{:#?}", report.checks).into());
        }
    }
    let cpu_ms = 1e3 * (cpu_seconds() - began_cpu_s) / times_s.len() as f64;
    let times = milliseconds(&mut times_s);
    writeln!(rows, "| verify | {times}, {cpu_ms:.0} ms of processors |")?;
    Ok(rows)
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
async fn steps(folder: &Path, log: &Path) -> Outcome<String> {
    let mut rows = String::new();
    let lake = folder.join("steps");
    Platform::create(&lake, config(folder, 0)).await?;
    let taken: Arc<Mutex<Vec<(Instant, StepKind, PathBuf)>>> = Arc::default();
    let (seen, within) = (Arc::clone(&taken), lake.clone());
    let seam = WriteSeam::with_hook(move |step| {
        if let Ok(mut seen) = seen.lock() {
            // Below the lake: the lake itself may lie in a folder called `tmp`.
            let path = step.path.strip_prefix(&within).unwrap_or(step.path);
            seen.push((Instant::now(), step.kind, Path::new("/").join(path)));
        }
        Ok(())
    });
    let began = Instant::now();
    let mut platform = Platform::open_through(&lake, config(folder, 1), seam).await?;
    let opened = Instant::now();
    let request = IngestRequest::real(Source::Path(log.to_owned()));
    ingest(&mut platform, request).await?;
    let ended = Instant::now();
    let taken = std::mem::take(&mut *taken.lock().map_err(|_| "a hook failed")?);
    let first = taken.first().map_or(ended, |(at, ..)| *at);
    writeln!(rows, "| open an empty lake | {:.1} ms |", 1e3 * (opened - began).as_secs_f64())?;
    writeln!(
        rows,
        "| read until the first write | {:.1} ms |",
        1e3 * (first - opened).as_secs_f64()
    )?;
    for (part, seconds) in parts_of(&taken, ended) {
        writeln!(rows, "| {part} | {:.1} ms |", 1e3 * seconds)?;
    }
    writeln!(rows, "| ingest, in all | {:.1} ms |", 1e3 * (ended - opened).as_secs_f64())?;
    let began = Instant::now();
    let count = query(&platform, "SELECT count(*) FROM recordings").await?.to_json()?;
    writeln!(rows, "| query: `{count}` | {:.1} ms |", 1e3 * began.elapsed().as_secs_f64())?;
    Ok(rows)
}

/// Seconds by part; what is done under a temporary name belongs to the name that it gets.
fn parts_of(taken: &[(Instant, StepKind, PathBuf)], ended: Instant) -> BTreeMap<&str, f64> {
    let (mut parts, mut unnamed_s) = (BTreeMap::new(), 0.0);
    for (at, (begin, kind, path)) in taken.iter().enumerate() {
        let end = taken.get(at + 1).map_or(ended, |(next, ..)| *next);
        let seconds = (end - *begin).as_secs_f64();
        let path = path.to_string_lossy();
        let is_named = matches!(kind, StepKind::Link | StepKind::Replace);
        match path.starts_with("/tmp/") && !matches!(kind, StepKind::RemoveTemporary) {
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
