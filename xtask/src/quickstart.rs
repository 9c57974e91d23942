//! `cargo xtask quickstart-data`: downloads the Debian package of the recordings, converts them again and compares digests.
//!
//! The shipped files lie in `testdata/quickstart`; `SHA256SUMS` there lists them and the package's originals.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::shell::{self, root};

const DATASETS: &str = "usr/share/mrpt/datasets";

pub(crate) fn run() -> Result<(), String> {
    let work = root().join("target/quickstart-data");
    std::fs::create_dir_all(&work).map_err(|e| format!("{}: {e}", work.display()))?;
    let unpacked = unpack(&work)?;
    let made = work.join("made");
    std::fs::create_dir_all(&made).map_err(|e| format!("{}: {e}", made.display()))?;
    let example = "convert_quickstart";
    shell::run(shell::cargo(&["build", "--workspace", "--example", example])?)?;
    let program = root().join("target/debug/examples").join(example);
    let (from, to) = (unpacked.to_string_lossy(), made.to_string_lossy());
    shell::run(shell::command(program, &[&from, &to]))?;
    compare(&made)
}

/// The package's datasets: downloaded by the ordinary client, unpacked beside the build.
fn unpack(work: &Path) -> Result<PathBuf, String> {
    let unpacked = work.join("package");
    let datasets = unpacked.join(DATASETS);
    if !datasets.is_dir() {
        let mut download = shell::command("apt-get", &["download", "mrpt-common"]);
        download.current_dir(work);
        shell::run(download)?;
        let package = std::fs::read_dir(work)
            .map_err(|e| format!("{}: {e}", work.display()))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .ok_or("apt-get download left no package")?;
        let (from, to) = (package.to_string_lossy(), unpacked.to_string_lossy());
        shell::run(shell::command("dpkg", &["-x", &from, &to]))?;
    }
    Ok(datasets)
}

/// Every file that ships must come out of the conversion with the same digest.
fn compare(made: &Path) -> Result<(), String> {
    let shipped = root().join("testdata/quickstart");
    let sums = std::fs::read_to_string(shipped.join("SHA256SUMS"))
        .map_err(|e| format!("testdata/quickstart/SHA256SUMS: {e}"))?;
    let mut count = 0;
    for line in sums.lines() {
        let (expected, name) = line.split_once("  ").ok_or_else(|| format!("odd line `{line}`"))?;
        for folder in [&shipped, made] {
            let path = folder.join(name);
            let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            if found != expected {
                return Err(format!("{}: sha256 {found}, expected {expected}", path.display()));
            }
        }
        count += 1;
    }
    println!("{count} files: shipped and converted again, same digests");
    Ok(())
}
