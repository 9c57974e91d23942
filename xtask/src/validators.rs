//! Programs that nobody here wrote check what we write: signatures, containers, the ledger.
//!
//! Invariant: each must accept ours and refuse a tampered twin, else it proves nothing.
//! securesystemslib reads the envelopes, the `mcap` package our recordings, Go's `sumdb` and tlog-scales the ledger:
//! that of the demo, and one of 70,000 entries, which has every row of tiles.

use std::path::{Path, PathBuf};

use crate::{
    ci::files_of,
    demo::{self, tiepoint},
    shell::{self, root},
};

/// Where Debian's packages put the compiler; the one on the path comes first.
const GO_PROGRAMS: &[&str] = &["go", "/usr/lib/go/bin/go", "/usr/lib/go-1.19/bin/go"];

/// Where Debian's packages put Go's sources.
const GO_SOURCES: &str = "/usr/share/gocode";

pub(crate) fn run() -> Result<(), String> {
    let python = python_environment()?;
    let lake = format!("{}/lake", demo::FOLDER);
    let key = std::fs::read_to_string(root().join(&lake).join("key.pub"))
        .map_err(|e| format!("{lake}/key.pub: {e}"))?;
    for verdict in files_of("verdicts", ".json")? {
        let script = "crates/ledger/tests/verify_dsse.py";
        shell::run(shell::command(&python, &[script, &verdict, key.trim()]))?;
    }
    recordings(&python, &lake)?;
    decoders(&python)?;
    ledgers(&python, &lake)
}

/// The recordings that ship, and one that left the lake again, read by the `mcap` package.
fn recordings(python: &Path, lake: &str) -> Result<(), String> {
    let exported = "target/validators/exported.mcap";
    // `export` replaces nothing, and an earlier run may have left its file.
    match std::fs::remove_file(root().join(exported)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{exported}: {e}"));
        }
        _ => {}
    }
    shell::run(tiepoint(&["export", "uwb", "--out", exported, "--lake", lake]))?;
    let shipped = ["uwb", "sena", "simul", "range_030"];
    let shipped = shipped.map(|name| format!("testdata/quickstart/{name}.mcap"));
    for file in shipped.into_iter().chain([exported.to_owned()]) {
        let script = "crates/formats/tests/independent_reader.py";
        let (text, code) = shell::output(shell::command(python, &[script, &file]))?;
        if code != 0 {
            return Err(format!("the `mcap` package refuses {file}"));
        }
        if file == exported {
            expect_metadata(&text)?;
        }
        println!("{file}: {} bytes of summary from the `mcap` package", text.len());
    }
    Ok(())
}

/// What the lake says of a recording is in the file, as the `mcap` package reads it.
fn expect_metadata(summary: &str) -> Result<(), String> {
    for word in ["tiepoint.recording", "origin", "content_digest", "original_0_blake3"] {
        if !summary.contains(&format!("\"{word}\":")) {
            return Err(format!("the `mcap` package does not find `{word}` in the metadata"));
        }
    }
    Ok(())
}

/// Bags and rosbag2 that `rosbags` writes: it and we must read the same, field by field.
fn decoders(python: &Path) -> Result<(), String> {
    let script = "crates/formats/tests/independent_decoder.py";
    shell::run(shell::command(python, &[script, "target/debug/examples/dump_samples"]))?;
    // The images of the same logs, once they left as MCAP.
    let script = "crates/formats/tests/independent_images.py";
    shell::run(shell::command(python, &[script, "target/debug/examples/export_images"]))
}

/// The demo's ledger, cosigned by a witness first, and a long one; each by both programs.
fn ledgers(python: &Path, lake: &str) -> Result<(), String> {
    shell::run(tiepoint(&["witness", "--name", "ci.example/w1", "--lake", lake]))?;
    shell::run(tiepoint(&["verify", "--deep", "--lake", lake]))?;
    let config = root().join(demo::FOLDER).join("config");
    let witness_of_lake = config.join("witness/ci.example#w1/key.pub");
    let long = "target/validators/log";
    let example = ["run", "--quiet", "-p", "tiepoint-ledger", "--example", "write_log"];
    let mut write = shell::cargo(&example)?;
    write.args(["--", long, "70000"]);
    shell::run(write)?;
    let witness_of_long = root().join(long).join("witness.pub");
    let go = go()?;
    for (folder, witness) in [(lake, witness_of_lake), (long, witness_of_long)] {
        let witness = witness.to_string_lossy().into_owned();
        let script = "crates/ledger/tests/verify_log.py";
        shell::run(shell::command(python, &[script, folder, &witness]))?;
        let mut command =
            shell::command(&go, &["run", "crates/ledger/tests/verify_log.go", folder]);
        // Debian's sources, no module proxy, no network.
        command.env("GO111MODULE", "off").env("GOPATH", GO_SOURCES).env("GOFLAGS", "");
        command.env("GOCACHE", root().join("target/validators/go"));
        shell::run(command)?;
    }
    Ok(())
}

/// A Go compiler beside `golang.org/x/mod`; installed from Debian's packages where missing.
fn go() -> Result<PathBuf, String> {
    let works = |program: &&&str| {
        shell::command(program, &["version"]).output().is_ok_and(|output| output.status.success())
    };
    let found = || GO_PROGRAMS.iter().find(works).map(PathBuf::from);
    let sources = Path::new(GO_SOURCES).join("src/golang.org/x/mod/sumdb/tlog");
    if let Some(go) = found().filter(|_| sources.exists()) {
        return Ok(go);
    }
    shell::run(shell::command("apt-get", &["update", "-qq"]))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    let mut packages = shell::command("apt-get", &install);
    packages.args(["golang-go", "golang-golang-x-mod-dev"]);
    shell::run(packages)?;
    found().ok_or_else(|| "Debian's `golang-go` gave no Go compiler".to_owned())
}

/// A Python with the independent validators, made once under `target/`.
fn python_environment() -> Result<PathBuf, String> {
    let folder = root().join("target/validators");
    let python = folder.join("bin/python");
    // Another list of packages is another marker.
    let marker = folder.join("ready-3");
    if !marker.exists() {
        let folder = folder.to_string_lossy().into_owned();
        shell::run(shell::command("python3", &["-m", "venv", &folder]))?;
        let mut install = shell::command(&python, &["-m", "pip", "install", "--quiet"]);
        install.args(["mcap==1.6.0", "mcap-ros2-support==0.6.0", "tlog-scales==0.0.3"]);
        install.args(["rosbags==0.11.9", "numpy"]);
        install.args(["securesystemslib[crypto]==1.6.0", "in-toto-attestation==0.9.3"]);
        shell::run(install)?;
        std::fs::write(&marker, b"").map_err(|e| format!("{}: {e}", marker.display()))?;
    }
    Ok(python)
}
