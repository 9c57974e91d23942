//! `cargo xtask bench [--release] [FOLDER]`: speed as ratios against a named peer, measured in one run. Never a test.
//! `cargo xtask bench measure` is in [`measures`], `cargo xtask bench ingest` in [`ingest`].
//!
//! Without `--release` the program of the demo is measured: our pure crates are optimised there, Lance and DataFusion are not.
//! FOLDER may hold `KITTI_00_gt.txt`, `KITTI_00_ORB.txt` and logs as `*.mcap`; without it, inputs of the same size are made or shipped ones are used.
//! Each command is timed as a whole process, peer and ours in turn; medians are compared.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    demo,
    shell::{self, root},
};

pub(crate) mod ingest;
pub(crate) mod ledger;
pub(crate) mod measures;

const RUNS: usize = 7;

pub(crate) fn run(release: bool, data: Option<&str>) -> Result<(), String> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let program = program(release)?;
    let python = peers()?;
    let bench = Bench { program, python, folder };
    let data = data.map(PathBuf::from);
    let mut page = String::from("| what | ours | peer | ratio |\n|---|---|---|---|\n");
    for row in [
        bench.trajectory_error(data.as_deref())?,
        bench.ray_casting()?,
        bench.twin_and_count()?,
        bench.decoding(data.as_deref())?,
    ] {
        page.push_str(&row);
    }
    println!("\n{page}");
    Ok(())
}

/// Builds the program and says where it lies.
fn program(release: bool) -> Result<PathBuf, String> {
    if !release {
        demo::build()?;
        return Ok(demo::program());
    }
    println!("building in release (Lance and DataFusion compile again: 40 minutes)");
    shell::run(shell::cargo(&["build", "--release", "--workspace"])?)?;
    Ok(root().join("target/release/tiepoint"))
}

struct Bench {
    program: PathBuf,
    python: PathBuf,
    folder: PathBuf,
}

impl Bench {
    /// Absolute pose error of 4541 poses, reading both files: a process of ours against a process of evo's.
    fn trajectory_error(&self, data: Option<&Path>) -> Result<String, String> {
        let files =
            trajectories(data, &self.folder)?.map(|file| file.to_string_lossy().into_owned());
        let ours = || {
            let arguments = ["measure", "traj.ape", "--reference", &files[0], "--estimate"];
            let rest = [files[1].as_str(), "--format", "kitti", "--align", "se3", "--json"];
            shell::command(&self.program, &[arguments.as_slice(), &rest].concat())
        };
        let evo = self.python.with_file_name("evo_ape");
        let peer = || shell::command(&evo, &["kitti", &files[0], &files[1], "--align"]);
        let (ours_s, peer_s) = in_turn(&ours, &peer)?;
        Ok(row("APE of 4541 poses, files read", ours_s, "evo 1.38.1", peer_s))
    }

    /// Planar scans: rays per second of one core, by the engine's own benchmark.
    fn ray_casting(&self) -> Result<String, String> {
        let arguments = ["bench", "-p", "tiepoint-simulate", "--bench", "speed"];
        let (text, code) = shell::output(shell::cargo(&arguments)?)?;
        if code != 0 {
            return Err("the ray casting benchmark failed".to_owned());
        }
        let line = text.lines().rev().find(|line| line.contains("Mray/s")).unwrap_or("no figure");
        Ok(format!("| planar ray casting, one core | {} | target 2.5 Mray/s | |\n", line.trim()))
    }

    /// The twins of the 363 s run, and `SELECT count(*)` on the lake that holds them.
    fn twin_and_count(&self) -> Result<String, String> {
        let lake = self.folder.join("lake");
        if lake.exists() {
            std::fs::remove_dir_all(&lake).map_err(|e| format!("{}: {e}", lake.display()))?;
        }
        let lake = lake.to_string_lossy().into_owned();
        let quick = "testdata/quickstart";
        let (log, truth) = (format!("{quick}/uwb.mcap"), format!("{quick}/uwb.tum"));
        let step = |arguments: &[&str]| {
            let mut command = self.ours(arguments);
            command.stderr(Stdio::null()).stdout(Stdio::null());
            seconds(command)
        };
        step(&["init", &lake])?;
        step(&["ingest", &log, "--ground-truth", &truth, "--lake", &lake])?;
        let twin_s = step(&["twin", "uwb", "--lake", &lake])?;
        let sql = "SELECT count(*) FROM recordings";
        let mut counts = Vec::new();
        for _ in 0..RUNS {
            counts.push(step(&["query", sql, "--lake", &lake])?);
        }
        Ok(format!(
            "| eight twins of the 363 s run | {twin_s:.2} s | target 10 s for one | |\n\
             | open a lake and count | {:.0} ms | target 150 ms | |\n",
            1e3 * median(&mut counts)
        ))
    }

    /// Decoding every message of a log, both from within their own process: no start-up counts on either side.
    fn decoding(&self, data: Option<&Path>) -> Result<String, String> {
        let mut logs: Vec<PathBuf> = data
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "mcap"))
            .collect();
        logs.sort();
        if logs.is_empty() {
            logs.push(root().join("testdata/quickstart/simul.mcap"));
        }
        let mut rows = String::new();
        for log in logs {
            let file = log.to_string_lossy().into_owned();
            let bench = ["bench", "-p", "tiepoint-formats", "--bench", "decode", "--", &file];
            let ours = pass_of(shell::cargo(&bench)?)?;
            let script = ["xtask/bench/rosbags_read.py", file.as_str()];
            let peer = pass_of(shell::command(&self.python, &script))?;
            let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let what = format!("decode {name}, {} messages", ours.1);
            rows.push_str(&row(&what, ours.0, "rosbags 0.11.9", peer.0));
        }
        Ok(rows)
    }

    fn ours(&self, arguments: &[&str]) -> Command {
        let mut command = shell::command(&self.program, arguments);
        command.env("TIEPOINT_CONFIG", self.folder.join("config"));
        command
    }
}

/// Reference and estimate: the given ones, or made ones of the same size.
fn trajectories(data: Option<&Path>, folder: &Path) -> Result<[PathBuf; 2], String> {
    let given = data.map(|data| ["KITTI_00_gt.txt", "KITTI_00_ORB.txt"].map(|n| data.join(n)));
    match given.filter(|files| files.iter().all(|file| file.is_file())) {
        Some(files) => Ok(files),
        None => made_trajectories(folder),
    }
}

/// Two trajectories of the size of KITTI 00, of a car that drives in circles.
fn made_trajectories(folder: &Path) -> Result<[PathBuf; 2], String> {
    let mut texts = [String::new(), String::new()];
    for index in 0..4541_u32 {
        let angle = f64::from(index) * 0.01;
        let (sin, cos) = angle.sin_cos();
        for (which, text) in texts.iter_mut().enumerate() {
            let (x, z) = (100.0 * sin + which as f64 * (angle * 7.0).sin(), 100.0 * cos);
            let _ = writeln!(text, "{cos} 0 {sin} {x} 0 1 0 0 {} 0 {cos} {z}", -sin);
        }
    }
    let paths = ["reference.txt", "estimate.txt"].map(|name| folder.join(name));
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(paths)
}

/// Seconds of a pass and messages in it, as a benchmark prints them in its last line.
fn pass_of(command: Command) -> Result<(f64, u64), String> {
    let shown = shell::describe(&command);
    let (text, code) = shell::output(command)?;
    let last = text.lines().last().unwrap_or_default();
    let read = last.split_once(' ').and_then(|(s, n)| Some((s.parse().ok()?, n.parse().ok()?)));
    read.filter(|_| code == 0).ok_or_else(|| format!("{shown} ended with {code}: {text}"))
}

/// Median seconds of both, run in turn after one warm-up each.
fn in_turn(ours: &dyn Fn() -> Command, peer: &dyn Fn() -> Command) -> Result<(f64, f64), String> {
    let (mut ours_s, mut peer_s) = (Vec::new(), Vec::new());
    for run in 0..=RUNS {
        for (make, times) in [(ours, &mut ours_s), (peer, &mut peer_s)] {
            let mut command = make();
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let taken = seconds(command)?;
            if run > 0 {
                times.push(taken);
            }
        }
    }
    Ok((median(&mut ours_s), median(&mut peer_s)))
}

fn seconds(command: Command) -> Result<f64, String> {
    let began = Instant::now();
    shell::run(command)?;
    Ok(began.elapsed().as_secs_f64())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(what: &str, ours_s: f64, peer: &str, peer_s: f64) -> String {
    let ratio = peer_s / ours_s;
    format!("| {what} | {:.1} ms | {peer}: {:.1} ms | {ratio:.0}x |\n", 1e3 * ours_s, 1e3 * peer_s)
}

/// As [`row`], with the peer's time in a column of its own.
fn row_with(what: &str, ours_s: f64, peer: &str, peer_s: f64) -> String {
    let ratio = peer_s / ours_s;
    let ratio = if ratio < 10.0 { format!("{ratio:.2}x") } else { format!("{ratio:.0}x") };
    let ms = |seconds: f64| format!("{:.1} ms", 1e3 * seconds);
    format!("| {what} | {} | {peer} | {} | {ratio} |\n", ms(ours_s), ms(peer_s))
}

/// A Python with the peers, made once under `target/`.
fn peers() -> Result<PathBuf, String> {
    python_with(
        "peers",
        &[
            "evo==1.38.1",
            "rosbags==0.11.9",
            "numpy==2.4.6",
            "scipy==1.17.1",
            "scikit-learn==1.9.1",
            "prdc==0.2",
            "AllanTools==2024.6",
        ],
    )
}

/// A Python with some packages, made once in a folder of its own under `target/`.
fn python_with(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = root().join("target").join(name);
    let python = folder.join("bin/python");
    // Another list of packages is installed anew.
    let marker = folder.join("packages");
    let list = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == list) {
        return Ok(python);
    }
    let folder = folder.to_string_lossy().into_owned();
    shell::run(shell::command("python3", &["-m", "venv", &folder]))?;
    let mut install = shell::command(&python, &["-m", "pip", "install", "--quiet"]);
    install.args(packages);
    shell::run(install)?;
    std::fs::write(&marker, list).map_err(|e| format!("{}: {e}", marker.display()))?;
    Ok(python)
}
