//! A lake that is fed one small recording after the other: what a commit costs must not grow with the lake.
//!
//! The laws are about steps and fragments, never about time. `TIEPOINT_GROWTH=10000x1000` feeds so many recordings of so
//! many poses instead of the few hundred small ones that show one compaction, and prints what each tenth of them took.

use std::{collections::BTreeMap, path::Path, time::Instant};

use tiepoint_operations::{LakeChecks, compact, ingest, log, verify_lake};
use tiepoint_store::{WriteSeam, tables::compaction::FRAGMENT_COUNT_MAX};

use crate::yard::{Log, Yard, run};

/// Enough for one compaction, and a few after it.
const RECORDINGS: u64 = FRAGMENT_COUNT_MAX as u64 + 6;
const POSES: u64 = 2;

/// Bytes below each folder of the lake.
fn bytes_by_folder(lake: &Path) -> BTreeMap<String, u64> {
    let mut sizes = BTreeMap::new();
    let mut waiting = vec![lake.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
                continue;
            }
            let path = entry.path();
            let below: Vec<String> = path
                .strip_prefix(lake)
                .unwrap()
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            let kind = match below[0].as_str() {
                "tables" => format!("tables/{}", below[2]),
                other => other.to_owned(),
            };
            *sizes.entry(kind).or_default() += entry.metadata().unwrap().len();
        }
    }
    sizes
}

/// What this process has used so far, on all processors: a busy machine does not change it.
pub(crate) fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

#[test]
fn a_commit_costs_the_same_however_many_came_before() {
    let long_run: Option<(u64, u64)> = std::env::var("TIEPOINT_GROWTH").ok().map(|text| {
        let (count, poses) = text.split_once('x').unwrap();
        (count.parse().unwrap(), poses.parse().unwrap())
    });
    let (count, pose_count) = long_run.unwrap_or((RECORDINGS, POSES));
    run(async {
        let yard = Yard::new().await;
        let (lake, seam) = (yard.copy(), WriteSeam::default());
        let mut platform =
            tiepoint_operations::Platform::open_through(&lake, yard.config(), seam.clone())
                .await
                .unwrap();
        let (mut steps, mut original_bytes) = (Vec::new(), 0);
        let (mut seconds, mut began) = (Vec::new(), cpu_seconds());
        for index in 0..count {
            let recording = Log { serial: 5 * (index + 1), pose_count };
            original_bytes += recording.text().len() as u64;
            let before = seam.step_count();
            let done = ingest(&mut platform, recording.request()).await.unwrap();
            assert!(done.warnings.is_empty(), "{:?}", done.warnings);
            steps.push(seam.step_count() - before);
            if (index + 1) % (count / 10) == 0 {
                seconds.push(cpu_seconds() - began);
                began = cpu_seconds();
            }
        }
        let compactions = log(&platform, usize::MAX)
            .await
            .unwrap()
            .iter()
            .filter(|e| e.verb == "compact")
            .count();
        // The first makes a folder for its blob more often, the 256th entry of the ledger fills a tile, and a little
        // before it a projection is saved; the others take the same steps but for compactions.
        let usual = steps[steps.len() / 2];
        let unusual = steps.iter().filter(|count| count.abs_diff(usual) > 4).count();
        assert!(compactions > 0 && unusual <= compactions + 3, "{steps:?}");

        let sizes = bytes_by_folder(&lake);
        let lake_bytes: u64 = sizes.values().sum();
        if long_run.is_some() {
            let began = Instant::now();
            drop(yard.open(&lake).await);
            let opening_s = began.elapsed().as_secs_f64();
            println!("{count} recordings of {} bytes", original_bytes / count);
            println!("seconds of all processors for each tenth: {seconds:.1?}");
            let half = |tenths: &[f64]| tenths.iter().sum::<f64>();
            // A compaction falls into some tenths and not into others.
            println!("second half to first: {:.2}", half(&seconds[5..]) / half(&seconds[..5]));
            println!("opening: {opening_s:.2} s; compactions: {compactions}; {sizes:?}");
            println!("lake to originals: {:.2}", lake_bytes as f64 / original_bytes as f64);
            // Verifying reads the table of poses once for each recording.
            return;
        }
        let platform = &mut yard.open(&lake).await;
        let left = compact(platform).await.unwrap();
        let most = left.tables.iter().map(|table| table.replaced_fragments).max();
        assert!(most.is_some_and(|most| most <= FRAGMENT_COUNT_MAX), "{left:?}");
        let checks = LakeChecks { deep: true, ..LakeChecks::default() };
        assert!(verify_lake(&lake, yard.config(), &checks).await.unwrap().passed());
    });
}
