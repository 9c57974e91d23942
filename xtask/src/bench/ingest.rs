//! `cargo xtask bench ingest [--release] [--bytes N] [FOLDER]`: how fast logs are decoded, checked and taken in.
//!
//! Decoders are set against Python's in one run: FOLDER may hold logs (`*.bag`, `*.mcap`, `*.ulg`, folders of rosbag2);
//! without it the shipped recordings are read. Whole programs get made logs of N bytes in all (2 GB if not said):
//! `check` against reading the file, the peak memory of `ingest`, and `register` and `ingest` of many logs against
//! `dvc add`, which takes files in without a look, and against copying them.
//! Where it may (as root), it empties the machine's page cache once, to read files from the disk.
//! With 0 bytes only decoders are measured, and the program is not built.
//! The table is written to `docs/ingest_speed.md`. What is made lies under `target/bench` and is removed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{Bench, pass_of, program, row_with};
use crate::shell::{self, root};

const PAGE: &str = "docs/ingest_speed.md";
const BYTES: u64 = 2_000_000_000;
/// Logs that are registered one by one; together they have the bytes asked for.
const LOGS: u64 = 20;
/// How often a child's peak memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Runs of a program that only reads: the least counts.
const PROGRAM_RUNS: usize = 3;
/// How Linux counts processor time.
const TICKS_PER_S: f64 = 100.0;

const HEAD: &str = "| what | ours | peer | its time | ratio |\n|---|---|---|---|---|\n";

pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (release, words) = match words {
        ["--release", rest @ ..] => (true, rest),
        words => (false, words),
    };
    let (size_bytes, data) = match words {
        [] => (BYTES, None),
        ["--bytes", count, rest @ ..] if rest.len() < 2 => {
            let count = count.parse().map_err(|e| format!("--bytes {count}: {e}"))?;
            (count, rest.first().copied())
        }
        [folder] => (BYTES, Some(*folder)),
        _ => return Err(crate::USAGE.to_owned()),
    };
    let folder = root().join("target/bench/ingest");
    remove(&folder)?;
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    // The benchmark of a crate runs in the folder of that crate.
    let data = data.map(std::path::absolute).transpose().map_err(|e| format!("FOLDER: {e}"))?;
    let program = if size_bytes > 0 { program(release)? } else { PathBuf::new() };
    let bench = Bench { program, python: peers()?, folder };
    let measured = rows(&bench, size_bytes, data.as_deref());
    remove(&bench.folder)?;
    let table = HEAD.to_owned() + &measured?;
    println!("\n{table}");
    let page = root().join(PAGE);
    std::fs::write(&page, about(release)? + &table).map_err(|e| format!("{PAGE}: {e}"))?;
    println!("written to {PAGE}");
    Ok(())
}

fn rows(bench: &Bench, size_bytes: u64, data: Option<&Path>) -> Result<String, String> {
    let mut table = String::new();
    for log in logs(data)? {
        table.push_str(&decoding(bench, &log)?);
    }
    table.push_str(&clouds()?);
    if size_bytes > 0 {
        table.push_str(&whole_run(bench, size_bytes)?);
        table.push_str(&registering(bench, size_bytes)?);
    }
    Ok(table)
}

/// The logs of a folder, and of those below it the folders of rosbag2; or what ships.
fn logs(data: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let shipped = root().join("testdata/quickstart");
    let folder = data.unwrap_or(&shipped);
    let list = |folder: &Path| -> Result<Vec<PathBuf>, String> {
        let entries =
            std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
    };
    let mut logs = Vec::new();
    for path in list(folder)? {
        let below = if path.is_dir() { list(&path)? } else { Vec::new() };
        logs.extend(below.into_iter().chain([path]).filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("bag" | "mcap" | "ulg")) || path.join("metadata.yaml").exists()
        }));
    }
    logs.sort();
    Ok(logs)
}

/// Every message of a log, both from within their own process: no start-up counts on either side.
fn decoding(bench: &Bench, log: &Path) -> Result<String, String> {
    let file = log.to_string_lossy().into_owned();
    let ours = pass_of(decoder(&[&file])?)?;
    let peers: &[(&str, &str)] = match log.extension().and_then(|extension| extension.to_str()) {
        Some("ulg") => &[("pyulog 1.3.0", "pyulog_read.py")],
        Some("mcap") => &[("rosbags 0.11.9", "rosbags_read.py"), ("mcap 1.6.0", "mcap_read.py")],
        _ => &[("rosbags 0.11.9", "rosbags_read.py")],
    };
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let what = format!("decode `{name}`, {} messages", ours.1);
    let mut rows = String::new();
    for (peer, script) in peers {
        let script = format!("xtask/bench/{script}");
        // A peer may know no decoder for a type; then there is nothing to compare.
        match pass_of(shell::command(&bench.python, &[&script, &file])) {
            Ok((peer_s, _)) => rows.push_str(&row_with(&what, ours.0, peer, peer_s)),
            Err(error) => println!("left out: {what} by {peer}: {error}"),
        }
    }
    Ok(rows)
}

/// Clouds of points, in bytes of their data.
fn clouds() -> Result<String, String> {
    let (text, code) = shell::output(decoder(&["--points"])?)?;
    if code != 0 {
        return Err("the benchmark of clouds failed".to_owned());
    }
    let rows = text.lines().filter_map(|line| {
        let (what, rate) = line.split_once(": ")?;
        let rate = rate.split_once(" of ")?.0;
        Some(format!("| decode {what}, one core | {rate} | target 200 MB/s | | |\n"))
    });
    Ok(rows.collect())
}

/// One long log: `check` against reading it, and the memory of `ingest`.
fn whole_run(bench: &Bench, size_bytes: u64) -> Result<String, String> {
    let log = bench.folder.join("run.mcap");
    let file = log.to_string_lossy().into_owned();
    make(&file, size_bytes, 0)?;
    let size = std::fs::metadata(&log).map_err(|e| format!("{file}: {e}"))?.len();
    let least = |make: &dyn Fn() -> Command| -> Result<f64, String> {
        let mut least_s = f64::INFINITY;
        for _ in 0..PROGRAM_RUNS {
            least_s = least_s.min(cost(make())?.processor_s);
        }
        Ok(least_s)
    };
    let check_s = least(&|| bench.ours(&["check", &file]))?;
    let (size_gb, rate) = (size as f64 / 1e9, |seconds: f64| size as f64 / seconds / 1e6);
    let mut rows = String::new();
    for peer in ["cat", "sha256sum"] {
        let peer_s = least(&|| shell::command(peer, &[&file]))?;
        let what = format!("check {size_gb:.1} GB, {:.0} MB/s", rate(check_s));
        rows.push_str(&row_with(&what, check_s, peer, peer_s));
    }
    let lake = bench.folder.join("lake").to_string_lossy().into_owned();
    shell::run(bench.ours(&["init", &lake]))?;
    let Cost { wall_s, processor_s, peak_mb } =
        cost(bench.ours(&["ingest", &file, "--lake", &lake]))?;
    rows.push_str(&format!(
        "| ingest {size_gb:.1} GB | {wall_s:.1} s, {processor_s:.1} s of processor, \
         peak memory {peak_mb:.0} MB | target 500 MB | | |\n"
    ));
    remove(Path::new(&lake))?;
    std::fs::remove_file(&log).map_err(|e| format!("{file}: {e}"))?;
    Ok(rows)
}

/// Many logs into a lake, against `dvc add` of the same files, and against a copy that is on the disk.
fn registering(bench: &Bench, size_bytes: u64) -> Result<String, String> {
    let folder = bench.folder.join("logs");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files = Vec::new();
    for index in 0..LOGS {
        let file = folder.join(format!("run_{index}.mcap")).to_string_lossy().into_owned();
        make(&file, size_bytes / LOGS, index + 1)?;
        files.push(file);
    }
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let dvc = |arguments: &[&str]| {
        let mut command = shell::command(bench.python.with_file_name("dvc"), arguments);
        command.current_dir(&folder).env("DVC_NO_ANALYTICS", "1");
        command
    };
    shell::run(dvc(&["init", "--no-scm", "--quiet"]))?;
    let theirs = cost(dvc(&[&["add", "--quiet"], names.as_slice()].concat()))?;
    remove(&folder.join(".dvc"))?;
    let copy = bench.folder.join("copy").to_string_lossy().into_owned();
    let copy_all = format!("mkdir '{copy}' && cp *.mcap '{copy}' && sync");
    let mut copying = shell::command("sh", &["-c", &copy_all]);
    copying.current_dir(&folder);
    shell::run(shell::command("sync", &[]))?;
    let copied = cost(copying)?;
    remove(Path::new(&copy))?;
    let mut rows = String::new();
    if forget() {
        // As files are that nobody has just written: read from the disk, too.
        let mut copying = shell::command("sh", &["-c", &copy_all]);
        copying.current_dir(&folder);
        let copied = cost(copying)?;
        remove(Path::new(&copy))?;
        let lake = bench.folder.join("cold").to_string_lossy().into_owned();
        shell::run(bench.ours(&["init", &lake]))?;
        forget();
        let register = [&["register", "--lake", &lake], names.as_slice()].concat();
        let ours = cost(bench.ours(&register))?;
        remove(Path::new(&lake))?;
        let what = format!(
            "register {LOGS} logs, {:.1} GB, not in the page cache, wall time",
            size_bytes as f64 / 1e9
        );
        rows.push_str(&row_with(&what, ours.wall_s, "cp and sync", copied.wall_s));
    }
    for verb in ["register", "ingest"] {
        let lake = bench.folder.join(verb).to_string_lossy().into_owned();
        shell::run(bench.ours(&["init", &lake]))?;
        shell::run(shell::command("sync", &[]))?;
        let ours = cost(bench.ours(&[&[verb, "--lake", &lake], names.as_slice()].concat()))?;
        remove(Path::new(&lake))?;
        let size_gb = size_bytes as f64 / 1e9;
        let what = |clock| format!("{verb} {LOGS} logs, {size_gb:.1} GB, {clock} time");
        for (peer, theirs) in [("dvc 3.67.1 add", &theirs), ("cp and sync", &copied)] {
            rows.push_str(&row_with(&what("wall"), ours.wall_s, peer, theirs.wall_s));
        }
        let (ours_s, theirs_s) = (ours.processor_s, theirs.processor_s);
        rows.push_str(&row_with(&what("processor"), ours_s, "dvc 3.67.1 add", theirs_s));
    }
    Ok(rows)
}

/// Empties the page cache; false where only the owner of the machine may.
fn forget() -> bool {
    let synced = shell::run(shell::command("sync", &[])).is_ok();
    synced && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// Makes a log of clouds, images and inertial readings.
fn make(file: &str, size_bytes: u64, seed: u64) -> Result<(), String> {
    let (size, seed) = (size_bytes.to_string(), seed.to_string());
    let (text, code) = shell::output(decoder(&["--make", file, &size, &seed])?)?;
    if code == 0 { Ok(()) } else { Err(format!("{file} could not be made: {text}")) }
}

/// The decoders' own benchmark, which makes logs too.
fn decoder(arguments: &[&str]) -> Result<Command, String> {
    let bench = ["bench", "--quiet", "-p", "tiepoint-formats", "--bench", "decode", "--"];
    shell::cargo(&[&bench, arguments].concat())
}

/// What a program cost.
struct Cost {
    wall_s: f64,
    /// Of all its threads, to a hundredth of a second; its wall time where the system does not say.
    processor_s: f64,
    /// The most memory it held; 0 where the system does not say.
    peak_mb: f64,
}

/// Runs to the end with nothing shown.
fn cost(mut command: Command) -> Result<Cost, String> {
    let shown = shell::describe(&command);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("cannot start {shown}: {e}"))?;
    let about = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", child.id()));
    let (mut peak_kib, mut processor_s) = (0, None);
    loop {
        let memory = about("status").unwrap_or_default();
        let line = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        let Some((has_ended, taken_s)) = about("stat").ok().as_deref().and_then(state) else {
            break;
        };
        processor_s = Some(taken_s);
        if has_ended {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let status = child.wait().map_err(|e| format!("{shown}: {e}"))?;
    let wall_s = began.elapsed().as_secs_f64();
    // `check` says by its status what it found; only a signal or a refusal is a failure.
    match status.code() {
        Some(0 | 1 | 3) => Ok(Cost {
            wall_s,
            processor_s: processor_s.unwrap_or(wall_s),
            peak_mb: peak_kib as f64 * 1.024e-3,
        }),
        _ => Err(format!("{shown} ended with {status}")),
    }
}

/// Whether a process has ended, and the processor time it took, from Linux's line about it.
fn state(line: &str) -> Option<(bool, f64)> {
    // The name, in parentheses, may hold anything.
    let words: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = words.get(11)?.parse::<u64>().ok()? + words.get(12)?.parse::<u64>().ok()?;
    Some((*words.first()? == "Z", ticks as f64 / TICKS_PER_S))
}

fn remove(path: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// A Python with the peers of the formats, made once under `target/`.
fn peers() -> Result<PathBuf, String> {
    super::python_with(
        "peers-formats",
        &[
            "rosbags==0.11.9",
            "pyulog==1.3.0",
            "mcap==1.6.0",
            "mcap-ros2-support==0.6.0",
            "dvc==3.67.1",
        ],
    )
}

fn about(release: bool) -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_err(|e| format!("cores: {e}"))?;
    let built = match release {
        true => "everything optimised",
        false => "Lance and DataFusion not optimised, as the demo builds it",
    };
    Ok(format!(
        "# Speed of reading logs\n\n\
         Our decoders and whole programs beside the field's, in one run on {cores} cores.\n\
         This page is made by `cargo xtask bench ingest`; do not edit it.\n\
         The ratio says how many times faster ours is; \
         the times themselves belong to one machine in one hour.\n\
         Decoders are compared within their processes, which start once; ours are optimised.\n\
         Whole programs (`check`, `ingest`): {built}.\n\
         Where nothing else is said, files lie in the page cache, and times are of the processor.\n\
         `register` keeps files with two digests, forced to the disk; \
         `ingest` also decodes every message, checks it and writes its rows; \
         `dvc add` copies files and leaves the disk to the system.\n\n"
    ))
}
