//! The program as a user meets it: real files in, exit status and text out. One binary, since it links the whole lake.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "room: process, disk, environment: these tests are users"
)]

mod bad_input;
mod check;
mod first_steps;
mod images;
mod ledger;
mod many;
mod measures;
mod outcomes;
mod register;
mod retain;
mod trace;
mod trajectories;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A folder that vanishes with the test, a program that keeps its keys there, and a lake.
struct Desk {
    folder: tempfile::TempDir,
}

/// How a call of the program ended.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A desk with an empty lake called `lake`.
    fn with_lake() -> Self {
        let desk = Self::new();
        desk.run(&["init", "lake"]).expect_code(0);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_tiepoint"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TIEPOINT_CONFIG", self.path("config"))
            .env("USER", "tester")
            .output()
            .unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// How many files the lake has while somebody writes to it.
    fn lake_file_count(&self) -> usize {
        let mut count = 0;
        let mut folders = vec![self.path("lake")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => count += 1,
                }
            }
        }
        count
    }

    /// Every file of the lake with its size, sorted: what "nothing was written" is held against.
    fn lake_files(&self) -> Vec<(PathBuf, u64)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path("lake")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push((entry.path(), entry.metadata().unwrap().len()));
                }
            }
        }
        files.sort();
        files
    }
}

impl Outcome {
    #[track_caller]
    fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

/// A recording that ships with the project.
fn quickstart(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/quickstart").join(name)
}
