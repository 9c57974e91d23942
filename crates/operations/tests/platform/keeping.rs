//! What compaction, sweep and later writers leave as it was.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tiepoint_model::{ErrorKind, Seed};
use tiepoint_operations::{
    Error, LakeChecks, Platform, Retention, compact, ingest, log, query, retain, sweep, verify_lake,
};
use tiepoint_store::{StepKind, WriteSeam};

use crate::{
    disk::{Disk, Fault},
    yard::{self, FIRST, Log, Yard, run},
};

const LOGS: [Log; 6] = [
    FIRST,
    Log { serial: 1, pose_count: 4 },
    Log { serial: 2, pose_count: 2 },
    Log { serial: 3, pose_count: 7 },
    Log { serial: 4, pose_count: 1 },
    Log { serial: 5, pose_count: 3 },
];

/// A lake with the first `count` logs.
async fn filled(yard: &Yard, count: usize) -> PathBuf {
    let lake = yard.copy();
    let mut platform = yard.open(&lake).await;
    for log in &LOGS[1..count] {
        ingest(&mut platform, log.request()).await.unwrap();
    }
    lake
}

/// Every row of the poses and of the catalogue at a position, in an order of their own.
async fn rows_at(yard: &Yard, lake: &Path, position: u64) -> String {
    let platform = Platform::open_at(lake, yard.config(), position).await.unwrap();
    let mut text = String::new();
    for sql in [
        "SELECT * FROM poses ORDER BY recording_id, log_time_ns, sequence",
        "SELECT * FROM recordings ORDER BY recording_id",
        "SELECT * FROM channels ORDER BY recording_id, topic",
    ] {
        let (header, rows) = query(&platform, sql).await.unwrap().to_table().unwrap();
        text.push_str(&format!("{header:?} {rows:?}\n"));
    }
    text
}

/// Leaves behind what a process leaves that dies just before its entry is written.
async fn litter(yard: &Yard, lake: &Path, log: Log) {
    let seam = WriteSeam::with_hook(|step| match step.path.parent() {
        Some(folder) if folder.ends_with("log") => Err(std::io::Error::other("gone")),
        _ => Ok(()),
    });
    yard.ingest_through(lake, log, seam).await.unwrap_err();
}

#[test]
fn compaction_changes_no_row_and_is_done_once() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 6).await;
        let mut platform = yard.open(&lake).await;
        let position = log(&platform, usize::MAX).await.unwrap().len() as u64;
        let before = rows_at(&yard, &lake, position).await;
        let report = compact(&mut platform).await.unwrap();
        assert_eq!(report.entry_index, Some(position));
        let poses = report.tables.iter().find(|table| table.table == "poses").unwrap();
        assert_eq!((poses.replaced_fragments, poses.made_fragments, poses.rows), (6, 1, 20));
        assert_eq!(rows_at(&yard, &lake, position + 1).await, before);
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 6);
        assert_eq!(compact(&mut platform).await.unwrap().entry_index, None);
    });
}

/// Two that compact at once, and one that ingests meanwhile: the second compaction is void, and no row is lost.
#[test]
fn a_compaction_that_lost_its_race_is_planned_again() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 4).await;
        let mut late = yard.open(&lake).await;
        yard.ingest_through(&lake, LOGS[4], WriteSeam::default()).await.unwrap();
        compact(&mut yard.open(&lake).await).await.unwrap();
        yard.ingest_through(&lake, LOGS[5], WriteSeam::default()).await.unwrap();
        // Its head is three entries old: what it replaces is gone, and what came since must stay.
        let report = compact(&mut late).await.unwrap();
        let poses = report.tables.iter().find(|table| table.table == "poses").unwrap();
        assert_eq!((poses.replaced_fragments, poses.rows), (2, 20));
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 6);
    });
}

#[test]
fn every_position_reads_the_same_after_ingest_compaction_and_sweep() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 4).await;
        let last = log(&yard.open(&lake).await, usize::MAX).await.unwrap().len() as u64;
        let mut before = Vec::new();
        for position in 1..=last {
            before.push(rows_at(&yard, &lake, position).await);
        }
        compact(&mut yard.open(&lake).await).await.unwrap();
        yard.ingest_through(&lake, LOGS[4], WriteSeam::default()).await.unwrap();
        litter(&yard, &lake, LOGS[5]).await;
        compact(&mut yard.open(&lake).await).await.unwrap();
        let later = yard.a_day_later(&lake).await;
        let swept = sweep(&mut Platform::open(&lake, later).await.unwrap(), false).await.unwrap();
        assert!(!swept.swept.is_empty());
        for (position, before) in (1..=last).zip(&before) {
            assert_eq!(&rows_at(&yard, &lake, position).await, before, "position {position}");
        }
        let names = yard.sound(&lake, &LOGS).await;
        assert_eq!(names.len(), 5);

        let mut past = Platform::open_at(&lake, yard.config(), 2).await.unwrap();
        let refused = ingest(&mut past, LOGS[5].request()).await.unwrap_err();
        assert!(matches!(refused, Error::ReadOnly { position: 2 }), "{refused}");
        let refused = Platform::open_at(&lake, yard.config(), 99).await.err().unwrap();
        assert!(matches!(refused, Error::NoSuchPosition { position: 99, .. }), "{refused}");
    });
}

#[test]
fn a_sweep_takes_what_nothing_names_once_it_is_old_and_nothing_else() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 3).await;
        let clean = sweep(&mut yard.open(&lake).await, true).await.unwrap();
        // The table engine leaves a hint at its main line's last version in each table, which nobody reads.
        assert!(clean.swept.is_empty() && clean.young_bytes < 1000, "{clean:?}");
        litter(&yard, &lake, LOGS[4]).await;
        let mut later = yard.a_day_later(&lake).await;
        let day_later = later.now;
        later.now = tiepoint_model::Timestamp(later.now.0 - 2 * 3600 * 1_000_000_000);
        let early = sweep(&mut Platform::open(&lake, later.clone()).await.unwrap(), false).await;
        let early = early.unwrap();
        assert!(early.swept.is_empty() && early.young_count > 5, "{early:?}");
        later.now = day_later;
        let mut platform = Platform::open(&lake, later).await.unwrap();
        let shown = sweep(&mut platform, true).await.unwrap();
        let swept = sweep(&mut platform, false).await.unwrap();
        let keys = |report: &tiepoint_operations::SweepReport| {
            report.swept.iter().map(|file| file.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&shown), keys(&swept));
        assert_eq!(keys(&swept).len(), early.young_count);
        for kind in ["blobs/", "bodies/", "tables/poses.lance/data/", "tmp/"] {
            assert!(keys(&swept).iter().any(|key| key.starts_with(kind)), "{kind}: {swept:?}");
        }
        assert!(sweep(&mut platform, false).await.unwrap().swept.is_empty());
        yard.ingest_through(&lake, LOGS[4], WriteSeam::default()).await.unwrap();
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 4);
    });
}

/// Every file below the tables and the lists of digests.
fn stored_files(lake: &Path) -> Vec<PathBuf> {
    let (mut files, mut waiting) = (Vec::new(), vec![lake.join("tables"), lake.join("files")]);
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Three recordings, compacted, then a fourth; and from which position it is all one compacted table.
async fn compacted(yard: &Yard) -> (PathBuf, u64) {
    let lake = filled(yard, 3).await;
    let position = compact(&mut yard.open(&lake).await).await.unwrap().entry_index.unwrap() + 1;
    yard.ingest_through(&lake, LOGS[3], WriteSeam::default()).await.unwrap();
    (lake, position)
}

#[test]
fn what_was_let_go_is_swept_and_every_later_position_stays_whole() {
    run(async {
        let yard = Yard::new().await;
        let (lake, first) = compacted(&yard).await;
        let rows = [rows_at(&yard, &lake, first).await, rows_at(&yard, &lake, first + 1).await];
        let later = yard.a_day_later(&lake).await;
        let mut platform = Platform::open(&lake, later.clone()).await.unwrap();
        // Without being told so, a sweep lets nothing go.
        let young = sweep(&mut platform, false).await.unwrap();
        assert_eq!((platform.retain_from(), young.kept_from), (0, 0));
        let before = stored_files(&lake).len();
        let told = retain(&mut platform, Retention::From(first)).await.unwrap();
        assert_eq!((told.entry_index, told.retain_from), (Some(first + 1), first));
        assert_eq!(stored_files(&lake).len(), before);
        let swept = sweep(&mut platform, false).await.unwrap();
        assert_eq!(swept.kept_from, first);
        for kind in ["poses.lance/data/", "poses.lance/_versions/", "poses.lance/_transactions/"] {
            assert!(swept.swept.iter().any(|file| file.key.contains(kind)), "{kind}: {swept:?}");
        }
        assert!(swept.swept.iter().any(|file| file.key.starts_with("files/")), "{swept:?}");
        assert_eq!(stored_files(&lake).len(), before - swept.swept.len());

        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 4);
        for (position, rows) in (first..).zip(&rows) {
            assert_eq!(&rows_at(&yard, &lake, position).await, rows, "position {position}");
        }
        for position in 0..first {
            let error = Platform::open_at(&lake, yard.config(), position).await.err().unwrap();
            let is_told = matches!(error, Error::LetGo { retain_from, .. } if retain_from == first);
            assert!(is_told && error.kind() == ErrorKind::InvalidInput, "{error}");
        }
        assert!(sweep(&mut platform, false).await.unwrap().swept.is_empty());
        yard.ingest_through(&lake, LOGS[4], WriteSeam::default()).await.unwrap();
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 5);
    });
}

/// After a sweep that let positions go, each file that is left is still needed, and `verify` misses it.
#[test]
fn a_file_that_a_retained_position_reaches_is_missed() {
    run(async {
        let yard = Yard::new().await;
        let (lake, first) = compacted(&yard).await;
        let later = yard.a_day_later(&lake).await;
        let mut platform = Platform::open(&lake, later).await.unwrap();
        retain(&mut platform, Retention::From(first)).await.unwrap();
        sweep(&mut platform, false).await.unwrap();
        let mut count = 0;
        for file in stored_files(&lake) {
            let text = file.to_string_lossy().into_owned();
            if text.ends_with("latest_version_hint.json") {
                continue;
            }
            count += 1;
            let aside = yard.path("aside");
            std::fs::rename(&file, &aside).unwrap();
            let report = verify_lake(&lake, yard.config(), &LakeChecks::default()).await;
            assert!(!report.unwrap().passed(), "{text} is not missed");
            std::fs::rename(&aside, &file).unwrap();
        }
        assert!(count > 20, "{count}");
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 4);
    });
}

#[test]
fn positions_are_let_go_once_and_never_taken_back() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 3).await;
        let mut platform = yard.open(&lake).await;
        let count = log(&platform, usize::MAX).await.unwrap().len() as u64;
        let error = retain(&mut platform, Retention::From(count + 1)).await.unwrap_err();
        assert!(matches!(error, Error::NoSuchPosition { .. }), "{error}");
        assert_eq!(retain(&mut platform, Retention::From(0)).await.unwrap().entry_index, None);
        let done = retain(&mut platform, Retention::From(2)).await.unwrap();
        assert_eq!((done.entry_index, done.retain_from), (Some(count), 2));
        assert_eq!(retain(&mut platform, Retention::From(2)).await.unwrap().entry_index, None);
        let error = retain(&mut platform, Retention::From(1)).await.unwrap_err();
        assert!(matches!(error, Error::LetGo { position: 1, retain_from: 2 }), "{error}");
        // The clock of a test's call is a nanosecond per call: nothing is a day old.
        let day = tiepoint_model::Span(24 * 3600 * 1_000_000_000);
        assert_eq!(retain(&mut platform, Retention::For(day)).await.unwrap().entry_index, None);
        // And so a sweep leaves every position alone at which somebody may still be reading.
        assert_eq!(sweep(&mut platform, false).await.unwrap().kept_from, 0);
        let mut later = Platform::open(&lake, yard.a_day_later(&lake).await).await.unwrap();
        assert_eq!(later.retain_from(), 2);
        let day_ago = retain(&mut later, Retention::For(day)).await.unwrap();
        assert_eq!(day_ago.retain_from, count + 1);
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 3);
    });
}

/// A process whose head is so old that a sweep took what it reached writes on top of the newest head.
#[test]
fn a_writer_with_a_head_that_was_let_go_commits_on_the_newest() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 2).await;
        let mut late = yard.open(&lake).await;
        yard.ingest_through(&lake, LOGS[2], WriteSeam::default()).await.unwrap();
        let newest = compact(&mut yard.open(&lake).await).await.unwrap().entry_index.unwrap() + 1;
        let mut other = Platform::open(&lake, yard.a_day_later(&lake).await).await.unwrap();
        retain(&mut other, Retention::From(newest)).await.unwrap();
        assert!(!sweep(&mut other, false).await.unwrap().swept.is_empty());
        ingest(&mut late, LOGS[3].request()).await.unwrap();
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 4);
    });
}

#[test]
fn a_sweep_retention_or_compaction_that_dies_at_any_step_changes_nothing_that_is_named() {
    run(async {
        let yard = Yard::new().await;
        let (lake, first) = compacted(&yard).await;
        litter(&yard, &lake, LOGS[4]).await;
        let let_go = yard.path("let-go");
        yard::copy_folder(&lake, &let_go);
        retain(&mut yard.open(&let_go).await, Retention::From(first)).await.unwrap();
        for (verb, lake) in
            [("sweep", &lake), ("sweep", &let_go), ("compact", &lake), ("retain", &lake)]
        {
            for at_step in (0..).step_by(if lake == &let_go { 7 } else { 3 }) {
                let copy = yard.path(&format!("copy-{verb}-{}-{at_step}", lake == &let_go));
                yard::copy_folder(lake, &copy);
                let config = yard.a_day_later(&copy).await;
                let disk = Disk::new(&copy, Seed(at_step));
                disk.arm(Fault::PowerCut, at_step);
                let mut platform =
                    Platform::open_through(&copy, config, disk.seam(0)).await.unwrap();
                let done = match verb {
                    "sweep" => sweep(&mut platform, false).await.is_ok(),
                    "compact" => compact(&mut platform).await.is_ok(),
                    _ => retain(&mut platform, Retention::From(first)).await.is_ok(),
                };
                if !disk.has_struck() {
                    assert!(done && at_step > 10);
                    break;
                }
                let (after, _) = disk.aftermath();
                let names = yard.sound(&after, &LOGS).await;
                assert_eq!(names.len(), 4, "{verb} at step {at_step}");
            }
        }
    });
}

/// A sweep that takes a writer's files just before it commits, as if it had been stopped for a day: the commit notices.
#[test]
fn a_writer_whose_files_were_swept_commits_nothing_and_can_try_again() {
    run(async {
        let yard = Arc::new(Yard::new().await);
        let lake = yard.copy();
        let handle = tokio::runtime::Handle::current();
        let has_swept = Arc::new(AtomicBool::new(false));
        let (sweeper, swept_lake, done) = (Arc::clone(&yard), lake.clone(), Arc::clone(&has_swept));
        let seam = WriteSeam::with_hook(move |step| {
            if step.kind == StepKind::Lock && !done.swap(true, Ordering::SeqCst) {
                handle.block_on(async {
                    let later = sweeper.a_day_later(&swept_lake).await;
                    let mut platform = Platform::open(&swept_lake, later).await.unwrap();
                    assert!(!sweep(&mut platform, false).await.unwrap().swept.is_empty());
                });
            }
            Ok(())
        });
        let refused = yard.ingest_through(&lake, LOGS[1], seam).await.unwrap_err();
        assert!(has_swept.load(Ordering::SeqCst));
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
        assert_eq!(yard.sound(&lake, &LOGS).await, [FIRST.name()]);
        yard.ingest_through(&lake, LOGS[1], WriteSeam::default()).await.unwrap();
        assert_eq!(yard.sound(&lake, &LOGS).await.len(), 2);
    });
}
