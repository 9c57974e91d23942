//! Lakes to damage: a template that is copied, small logs to ingest, and what must hold of a lake afterwards.

use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;
use tiepoint_model::{Origin, Seed, Span, Timestamp};
use tiepoint_operations::{
    Config, Error, IngestRequest, IngestedRecording, LakeChecks, Platform, Remark, Source, ingest,
    note, query, verify_lake,
};
use tiepoint_store::{Objects, WriteSeam};

/// A folder with the keys of lakes, a template lake with one recording, and its copies.
pub(crate) struct Yard {
    folder: TempDir,
    runs: Arc<AtomicU64>,
}

/// A trajectory with this many poses; the serial number makes its bytes and its samples its own. One in five is synthetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Log {
    pub(crate) serial: u64,
    pub(crate) pose_count: u64,
}

/// The recording that every lake of a yard has from the start.
pub(crate) const FIRST: Log = Log { serial: 0, pose_count: 3 };

impl Log {
    pub(crate) fn name(self) -> String {
        format!("run-{}", self.serial)
    }

    pub(crate) fn text(self) -> String {
        // Four decimals and noise, as in the trajectories of the TUM benchmark.
        let mut draws = Seed(self.serial).draws(9, 0);
        let mut position_m = [0.0; 3];
        let mut text = String::new();
        for index in 0..self.pose_count {
            let seconds = 1_700_000_000 + self.serial * 10_000 + index;
            position_m.iter_mut().for_each(|x| *x += 0.4 * draws.uniform() - 0.2);
            let [x, y, z] = position_m;
            let [qx, qy, qz] = [(); 3].map(|()| 0.2 * draws.uniform() - 0.1);
            let fraction = draws.below(10_000);
            text.push_str(&format!(
                "{seconds}.{fraction:04} {x:.4} {y:.4} {z:.4} {qx:.4} {qy:.4} {qz:.4} 0.9900\n"
            ));
        }
        text
    }

    pub(crate) fn request(self) -> IngestRequest {
        let bytes = Arc::new(self.text().into_bytes());
        let is_synthetic = self.serial % 5 == 4;
        IngestRequest {
            origin: if is_synthetic { Origin::Synthetic } else { Origin::Real },
            unknown_generator: is_synthetic.then(|| "a test".to_owned()),
            ..IngestRequest::real(Source::Memory { name: self.name(), bytes })
        }
    }
}

impl Yard {
    pub(crate) async fn new() -> Self {
        let yard = Self { folder: tempfile::tempdir().unwrap(), runs: Arc::default() };
        let template = yard.path("template");
        Platform::create(&template, yard.config()).await.unwrap();
        let mut platform = yard.open(&template).await;
        ingest(&mut platform, FIRST.request()).await.unwrap();
        yard
    }

    /// A yard whose lakes have so many entries that the next commit saves a projection.
    pub(crate) async fn almost_due() -> Self {
        let yard = Self::new().await;
        yard.remark(&yard.path("template"), 4046).await;
        yard
    }

    /// Adds so many entries to a lake, in one commit.
    pub(crate) async fn remark(&self, lake: &Path, count: u64) {
        let text = |index: u64| Remark { about: vec![FIRST.name()], text: index.to_string() };
        let remarks: Vec<Remark> = (0..count).map(text).collect();
        note(&mut self.open(lake).await, &remarks).await.unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a call of the program brings: each has entropy of its own.
    pub(crate) fn config(&self) -> Config {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let mut entropy = [7; 32];
        entropy[..8].copy_from_slice(&run.to_le_bytes());
        Config {
            config_folder: self.path("config"),
            actor: "tester".to_owned(),
            now: Timestamp(1_700_000_000_000_000_000 + i64::try_from(run).unwrap()),
            code_version: "test".to_owned(),
            entropy,
        }
    }

    /// What a call brings a day after the lake was last written: by then, all that nothing names is old.
    pub(crate) async fn a_day_later(&self, lake: &Path) -> Config {
        let mut newest = Timestamp(0);
        let objects = Objects::open(lake, WriteSeam::default()).unwrap();
        for folder in ["blobs", "bodies", "log", "projection", "tables", "tmp"] {
            let files = objects.list_aged(folder).await.unwrap();
            newest = files.iter().map(|file| file.modified).fold(newest, Timestamp::max);
        }
        Config { now: newest.plus(Span(25 * 3600 * 1_000_000_000)), ..self.config() }
    }

    /// A fresh copy of the template.
    pub(crate) fn copy(&self) -> PathBuf {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let lake = self.path(&format!("lake-{run}"));
        copy_folder(&self.path("template"), &lake);
        lake
    }

    pub(crate) async fn open(&self, lake: &Path) -> Platform {
        Platform::open(lake, self.config()).await.unwrap()
    }

    /// One call of the program: opens the lake, ingests, and is gone.
    pub(crate) async fn ingest_through(
        &self,
        lake: &Path,
        log: Log,
        seam: WriteSeam,
    ) -> Result<IngestedRecording, Error> {
        let mut platform = Platform::open_through(lake, self.config(), seam).await?;
        ingest(&mut platform, log.request()).await
    }

    /// The lake opens and verifies, and holds all or nothing of each recording; answers with the names of those it holds.
    #[track_caller]
    pub(crate) fn sound(&self, lake: &Path, logs: &[Log]) -> impl Future<Output = Vec<String>> {
        let caller = std::panic::Location::caller();
        let (lake, config, logs) = (lake.to_owned(), self.config(), logs.to_vec());
        async move {
            let checks = LakeChecks { deep: true, ..LakeChecks::default() };
            let report = verify_lake(&lake, config.clone(), &checks).await.unwrap();
            let platform = Platform::open(&lake, config).await.unwrap();
            assert!(report.passed(), "{caller}: {:#?}", report.checks);
            held(&platform, &logs).await
        }
    }
}

/// The names of the recordings that the lake holds, sorted; each of `logs` that is among them has all its rows, and
/// there are no rows of any other.
pub(crate) async fn held(platform: &Platform, logs: &[Log]) -> Vec<String> {
    let names = rows(platform, "SELECT recording_id, name FROM recordings ORDER BY name").await;
    let counts = "SELECT recording_id, count(*) AS n FROM poses GROUP BY recording_id";
    let mut counts: BTreeMap<String, u64> = rows(platform, counts)
        .await
        .iter()
        .map(|row| (row["recording_id"].as_str().unwrap().to_owned(), row["n"].as_u64().unwrap()))
        .collect();
    let mut held = Vec::new();
    for row in names {
        let name = row["name"].as_str().unwrap().to_owned();
        let log = logs.iter().find(|log| log.name() == name).unwrap();
        let count = counts.remove(row["recording_id"].as_str().unwrap());
        assert_eq!(count, Some(log.pose_count), "{name}");
        held.push(name);
    }
    assert!(counts.is_empty(), "rows of no recording: {counts:?}");
    held
}

pub(crate) async fn rows(platform: &Platform, sql: &str) -> Vec<serde_json::Value> {
    serde_json::from_value(query(platform, sql).await.unwrap().to_json().unwrap()).unwrap()
}

/// Copies a folder with all it holds.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            // A lake's files are written once and never changed, so a link is a copy.
            std::fs::hard_link(entry.path(), target).unwrap();
        }
    }
}

/// Runs a test on threads enough for a hook that waits.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().unwrap().block_on(work)
}
