//! What compaction, sweep and later writers leave as it was.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tiepoint_model::{ErrorKind, Seed};
use tiepoint_operations::{Error, Platform, compact, ingest, log, query, sweep};
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
async fn filled(yard: &Yard, count: usize) -> std::path::PathBuf {
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

#[test]
fn a_sweep_or_compaction_that_dies_at_any_step_changes_nothing_that_is_named() {
    run(async {
        let yard = Yard::new().await;
        let lake = filled(&yard, 3).await;
        litter(&yard, &lake, LOGS[4]).await;
        for is_sweep in [true, false] {
            for at_step in (0..).step_by(3) {
                let copy = yard.path(&format!("copy-{is_sweep}-{at_step}"));
                yard::copy_folder(&lake, &copy);
                let config = yard.a_day_later(&copy).await;
                let disk = Disk::new(&copy, Seed(at_step));
                disk.arm(Fault::PowerCut, at_step);
                let mut platform =
                    Platform::open_through(&copy, config, disk.seam(0)).await.unwrap();
                let done = match is_sweep {
                    true => sweep(&mut platform, false).await.is_ok(),
                    false => compact(&mut platform).await.is_ok(),
                };
                if !disk.has_struck() {
                    assert!(done && at_step > 10);
                    break;
                }
                let (after, _) = disk.aftermath();
                assert_eq!(yard.sound(&after, &LOGS).await.len(), 3, "step {at_step}");
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
