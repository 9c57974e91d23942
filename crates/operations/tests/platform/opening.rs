//! What the saved projection may and may not do: a lake opens from it, and never believes it without reason.

use std::path::{Path, PathBuf};

use tiepoint_model::ErrorKind;
use tiepoint_operations::{LakeChecks, Platform, ingest, log, query, sweep, trace, verify_lake};
use tiepoint_store::WriteSeam;

use crate::{
    crash::{self, NEW},
    disk::{Fault, syncs, takes_room, writes},
    yard::{self, FIRST, Log, Yard, run},
};

const LATER: Log = Log { serial: 2, pose_count: 4 };

/// A lake with a projection at its end, one recording more than the template.
async fn saved(yard: &Yard) -> PathBuf {
    let lake = yard.copy();
    yard.ingest_through(&lake, NEW, WriteSeam::default()).await.unwrap();
    assert_eq!(projections(&lake).len(), 1);
    lake
}

fn projections(lake: &Path) -> Vec<PathBuf> {
    files_of(&lake.join("projection"))
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Everything that people may see of a lake.
async fn seen(platform: &Platform) -> String {
    let entries = log(platform, usize::MAX).await.unwrap();
    let trace = trace(platform, &FIRST.name()).await.unwrap();
    let rows = query(platform, "SELECT * FROM recordings ORDER BY name").await.unwrap();
    format!("{entries:?} {trace:?} {:?}", rows.to_table().unwrap())
}

/// What the failed checks of a lake say.
async fn failures(yard: &Yard, lake: &Path, repair: bool) -> String {
    let checks = LakeChecks { repair, ..LakeChecks::default() };
    let report = verify_lake(lake, yard.config(), &checks).await.unwrap();
    let failed = report.checks.iter().filter(|check| !check.passed);
    failed.map(|check| format!("{}: {}\n", check.what, check.detail)).collect()
}

/// Writes a file anew: in a copied lake it is shared with the template.
fn rewrite(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_lake_opens_from_its_projection_as_from_its_log_at_every_position() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = saved(&yard).await;
        yard.ingest_through(&lake, LATER, WriteSeam::default()).await.unwrap();
        let bare = yard.path("bare");
        yard::copy_folder(&lake, &bare);
        std::fs::remove_dir_all(bare.join("projection")).unwrap();
        let (fast, slow) = (yard.open(&lake).await, yard.open(&bare).await);
        assert_eq!(seen(&fast).await, seen(&slow).await);
        let end = log(&fast, 1).await.unwrap()[0].index + 1;
        for position in [1, 2, 3, 1000, end - 2, end - 1, end] {
            let fast = Platform::open_at(&lake, yard.config(), position).await.unwrap();
            let slow = Platform::open_at(&bare, yard.config(), position).await.unwrap();
            if position < 2 {
                continue;
            }
            assert_eq!(seen(&fast).await, seen(&slow).await, "position {position}");
        }
        assert!(Platform::open_at(&lake, yard.config(), end + 1).await.is_err());
    });
}

/// What came before the projection is not read for opening; `verify` reads it.
#[test]
fn an_early_commit_is_read_when_it_is_asked_for() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = saved(&yard).await;
        let first = files_of(&lake.join("log")).remove(0);
        let good = std::fs::read(&first).unwrap();
        rewrite(&first, &good[..good.len() - 1]);
        let mut platform = yard.open(&lake).await;
        assert_eq!(log(&platform, 3).await.unwrap().len(), 3);
        assert_eq!(yard::held(&platform, &[FIRST, NEW]).await.len(), 2);
        ingest(&mut platform, LATER.request()).await.unwrap();
        assert!(log(&platform, usize::MAX).await.is_err());
        assert!(failures(&yard, &lake, false).await.contains("log/00000000000000000000"));
    });
}

#[test]
fn a_damaged_projection_is_passed_over_with_a_warning_and_named_by_verify() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = saved(&yard).await;
        let path = projections(&lake).remove(0);
        let good = std::fs::read(&path).unwrap();
        let expected = seen(&yard.open(&lake).await).await;
        let end = good.len();
        for at in [0, 30, end / 3, end / 2, end - 150, end - 60, end - 1] {
            let mut changed = good.clone();
            changed[at] ^= 1;
            for bytes in [changed.as_slice(), &good[..at]] {
                rewrite(&path, bytes);
                let mut platform = yard.open(&lake).await;
                let warnings = platform.take_warnings();
                assert_eq!(warnings.len(), 1, "byte {at}: {warnings:?}");
                assert!(warnings[0].contains("is not believed"), "{warnings:?}");
                assert_eq!(seen(&platform).await, expected, "byte {at}");
                let told = failures(&yard, &lake, false).await;
                assert!(told.starts_with("saved projection: `projection/0"), "byte {at}: {told}");
            }
        }
        // The next commit saves another one, since the damaged one counts for nothing.
        yard.ingest_through(&lake, LATER, WriteSeam::default()).await.unwrap();
        assert!(projections(&lake).len() > 1);
        assert!(yard.open(&lake).await.take_warnings().is_empty());
        assert_eq!(failures(&yard, &lake, true).await, "");
        assert_eq!(projections(&lake).len(), 1);
        std::fs::remove_dir_all(lake.join("projection")).unwrap();
        assert_eq!(yard.sound(&lake, &[FIRST, NEW, LATER]).await.len(), 3);
    });
}

/// Another position's projection, another lake's, and one whose head was taken away.
#[test]
fn a_projection_that_does_not_fit_is_not_believed() {
    run(async {
        let yard = Yard::almost_due().await;
        let (lake, other) = (saved(&yard).await, yard.copy());
        yard.ingest_through(&other, LATER, WriteSeam::default()).await.unwrap();
        let expected = seen(&yard.open(&lake).await).await;
        let path = projections(&lake).remove(0);
        let good = std::fs::read(&path).unwrap();
        // The same key, the same position, another history.
        rewrite(&path, &std::fs::read(projections(&other).remove(0)).unwrap());
        let mut platform = yard.open(&lake).await;
        assert_eq!(platform.take_warnings().len(), 1);
        assert_eq!(seen(&platform).await, expected);
        assert!(failures(&yard, &lake, false).await.starts_with("saved projection"));
        rewrite(&path, &good);
        let renamed = path.with_file_name(format!("{:020}", 7));
        std::fs::rename(&path, &renamed).unwrap();
        assert_eq!(yard.open(&lake).await.take_warnings().len(), 1);
        std::fs::rename(&renamed, &path).unwrap();
        std::fs::remove_file(lake.join("checkpoint")).unwrap();
        let mut platform = yard.open(&lake).await;
        assert_eq!(platform.take_warnings().len(), 1);
        assert_eq!(seen(&platform).await, expected);
    });
}

/// A log that lost its end below the projection is read, and nothing is built on it.
#[test]
fn a_projection_does_not_hide_that_the_log_was_cut() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = saved(&yard).await;
        yard.ingest_through(&lake, LATER, WriteSeam::default()).await.unwrap();
        for lost in 1..=2 {
            std::fs::remove_file(files_of(&lake.join("log")).pop().unwrap()).unwrap();
            let mut platform = yard.open(&lake).await;
            let whole = 4049 + 1 - lost;
            assert_eq!(log(&platform, 1).await.unwrap()[0].index + 1, whole);
            let again = Log { serial: 3, pose_count: 1 };
            let refused = ingest(&mut platform, again.request()).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
            assert!(failures(&yard, &lake, false).await.contains("truncated"));
        }
    });
}

#[test]
fn a_process_that_dies_while_it_saves_leaves_all_or_nothing() {
    run(async {
        let yard = Yard::almost_due().await;
        let steps = crash::steps(&yard).await;
        let is_entry = |path: &Path| path.parent().is_some_and(|folder| folder.ends_with("log"));
        let named_at = steps.iter().position(|(_, path)| is_entry(path)).unwrap();
        let saves = |path: &Path| path.to_string_lossy().contains("projection");
        let saved_at = steps.iter().position(|(_, path)| saves(path)).unwrap();
        assert!(saved_at > named_at, "a projection is saved after its entry");
        for (at, (kind, _)) in steps.iter().enumerate().skip(saved_at - 5) {
            let at_step = at as u64;
            for fault in [Fault::Crash, Fault::PowerCut] {
                crash::strike(&yard, fault, at_step).await;
            }
            if writes(*kind) && at + 1 < steps.len() {
                crash::strike(&yard, Fault::TornWrite, at_step).await;
            }
            if takes_room(*kind) {
                crash::strike(&yard, Fault::FullDisk, at_step).await;
            }
            if syncs(*kind) {
                crash::strike(&yard, Fault::FailedSync, at_step).await;
            }
        }
    });
}

/// Both save; whoever opens next finds one that fits.
#[test]
fn two_writers_save_side_by_side() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = yard.copy();
        let (mut one, mut two) = (yard.open(&lake).await, yard.open(&lake).await);
        let logs: Vec<Log> = (1..5).map(|serial| Log { serial, pose_count: serial }).collect();
        for pair in logs.chunks(2) {
            ingest(&mut one, pair[0].request()).await.unwrap();
            ingest(&mut two, pair[1].request()).await.unwrap();
        }
        assert_eq!(projections(&lake).len(), 2, "one each");
        assert!(yard.open(&lake).await.take_warnings().is_empty());
        let all: Vec<Log> = [vec![FIRST], logs].concat();
        assert_eq!(yard.sound(&lake, &all).await.len(), 5);
    });
}

#[test]
fn older_projections_go_and_a_sweep_takes_what_is_left_of_them() {
    run(async {
        let yard = Yard::almost_due().await;
        let lake = saved(&yard).await;
        for _ in 0..3 {
            yard.remark(&lake, 6000).await;
        }
        let kept = projections(&lake);
        assert_eq!(kept.len(), 2, "the newest and the one before");
        std::fs::write(lake.join("projection/left-over"), b"x").unwrap();
        let later = yard.a_day_later(&lake).await;
        let mut platform = Platform::open(&lake, later).await.unwrap();
        let swept = sweep(&mut platform, false).await.unwrap();
        let swept: Vec<String> = swept.swept.into_iter().map(|file| file.key).collect();
        assert!(swept.contains(&"projection/left-over".to_owned()), "{swept:?}");
        assert_eq!(projections(&lake), kept[1..]);
        assert_eq!(yard.sound(&lake, &[FIRST, NEW]).await.len(), 2);
        assert_eq!(failures(&yard, &lake, false).await, "");
    });
}
