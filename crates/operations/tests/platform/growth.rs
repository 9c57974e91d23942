//! A lake that is fed one small recording after the other: what a commit costs must not grow with the lake, and the lake
//! must not grow much faster than what is put in.
//!
//! The laws are about steps, fragments and bytes, never about time. `TIEPOINT_GROWTH=10000x90` feeds so many recordings
//! of so many messages instead of the few that show one compaction, and prints what each tenth of them took and what lies
//! where before and after `compact`, `retain` and `sweep`.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use tiepoint_operations::{
    IngestRequest, LakeChecks, Platform, Retention, Source, compact, ingest, log, retain, sweep,
    verify_lake,
};
use tiepoint_store::{WriteSeam, tables::compaction::FRAGMENT_COUNT_MAX};

use crate::yard::{Yard, run};

/// Enough for one compaction, and a few after it.
const RECORDINGS: u64 = FRAGMENT_COUNT_MAX as u64 + 6;

/// About 100 KB of scans and odometry.
const MESSAGES: usize = 90;

/// What ships here: scans and odometry, two of real robots and two of a simulator.
const SHIPPED: [&str; 4] = ["range_030", "sena", "simul", "uwb"];

/// The lake's bytes over those of the originals, once what is of no use any more is gone.
const OVERHEAD_MAX: f64 = 1.6;

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

/// The bytes of the lake over those of the originals.
fn overhead(lake: &Path, original_bytes: u64) -> f64 {
    bytes_by_folder(lake).values().sum::<u64>() as f64 / original_bytes as f64
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
    let long_run: Option<(u64, usize)> = std::env::var("TIEPOINT_GROWTH").ok().map(|text| {
        let (count, messages) = text.split_once('x').unwrap();
        (count.parse().unwrap(), messages.parse().unwrap())
    });
    let (count, message_count) = long_run.unwrap_or((RECORDINGS, MESSAGES));
    let logs = SHIPPED.map(|name| shipped(name, true));
    run(async {
        let yard = Yard::new().await;
        let (lake, seam) = (yard.copy(), WriteSeam::default());
        let mut platform =
            Platform::open_through(&lake, yard.config(), seam.clone()).await.unwrap();
        let (mut steps, mut original_bytes) = (Vec::new(), 0);
        let (mut seconds, mut began) = (Vec::new(), cpu_seconds());
        for index in 0..count {
            let bytes = piece(&logs[index as usize % logs.len()], index, message_count);
            original_bytes += bytes.len() as u64;
            let before = seam.step_count();
            let request = request(&format!("piece-{index}"), bytes);
            let done = ingest(&mut platform, request).await.unwrap();
            assert!(done.warnings.is_empty(), "{:?}", done.warnings);
            steps.push(seam.step_count() - before);
            if (index + 1) % (count / 10) == 0 {
                seconds.push(cpu_seconds() - began);
                began = cpu_seconds();
                if long_run.is_some() {
                    println!("{} recordings: {:.1?} s", index + 1, seconds.last());
                }
            }
        }
        let compactions = log(&platform, usize::MAX)
            .await
            .unwrap()
            .iter()
            .filter(|e| e.verb == "compact")
            .count();
        // The first makes a folder for its blob more often, each 256th entry of the ledger fills a tile, and now and
        // then a projection is saved; the others take the same steps but for compactions.
        // A recording with findings, or with a channel more, writes a table more, which is a dozen steps.
        let usual = steps[steps.len() / 2];
        let unusual = steps.iter().filter(|count| count.abs_diff(usual) > 12).count();
        assert!(compactions > 0 && unusual <= compactions + 3 + steps.len() / 100, "{steps:?}");

        if long_run.is_some() {
            let began = Instant::now();
            drop(yard.open(&lake).await);
            let opening_s = began.elapsed().as_secs_f64();
            println!("{count} recordings of {} bytes", original_bytes / count);
            println!("seconds of all processors for each tenth: {seconds:.1?}");
            let half = |tenths: &[f64]| tenths.iter().sum::<f64>();
            // A compaction falls into some tenths and not into others.
            println!("second half to first: {:.2}", half(&seconds[5..]) / half(&seconds[..5]));
            println!("opening: {opening_s:.2} s; compactions: {compactions}");
            let sizes = bytes_by_folder(&lake);
            println!("lake to originals: {:.2}; {sizes:?}", overhead(&lake, original_bytes));
        }
        drop(platform);
        let most = tidied(&yard, &lake).await;
        let tidy = overhead(&lake, original_bytes);
        if long_run.is_some() {
            println!("compacted, retained, swept: {tidy:.2}; {:?}", bytes_by_folder(&lake));
            // A deep check reads every table once for each recording.
            let checks = LakeChecks::default();
            assert!(verify_lake(&lake, yard.config(), &checks).await.unwrap().passed());
            return;
        }
        assert!(most <= FRAGMENT_COUNT_MAX, "{most}");
        assert!(tidy < OVERHEAD_MAX, "{tidy}: {:?}", bytes_by_folder(&lake));
        let checks = LakeChecks { deep: true, ..LakeChecks::default() };
        assert!(verify_lake(&lake, yard.config(), &checks).await.unwrap().passed());
    });
}

/// Compacts a lake, lets all but its newest state go, and sweeps; answers with the most fragments that a table had.
async fn tidied(yard: &Yard, lake: &Path) -> usize {
    let mut platform = yard.open(lake).await;
    let left = compact(&mut platform).await.unwrap();
    let most = left.tables.iter().map(|table| table.replaced_fragments).max();
    let mut later = Platform::open(lake, yard.a_day_later(lake).await).await.unwrap();
    let newest = log(&later, usize::MAX).await.unwrap().len() as u64;
    retain(&mut later, Retention::From(newest)).await.unwrap();
    sweep(&mut later, false).await.unwrap();
    most.unwrap_or(0)
}

/// A log that ships here, with its chunks compressed as they are or, as robots mostly write them, not at all.
fn shipped(name: &str, is_compressed: bool) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/quickstart");
    let bytes = std::fs::read(folder.join(format!("{name}.mcap"))).unwrap();
    match is_compressed {
        true => bytes,
        false => uncompressed(messages_of(&bytes)),
    }
}

fn messages_of(log: &[u8]) -> impl Iterator<Item = mcap::Message<'static>> {
    mcap::MessageStream::new(log).unwrap().map(Result::unwrap)
}

fn uncompressed(messages: impl Iterator<Item = mcap::Message<'static>>) -> Vec<u8> {
    let options = mcap::WriteOptions::new().compression(None).profile("ros2");
    let mut writer = options.create(std::io::Cursor::new(Vec::new())).unwrap();
    messages.for_each(|message| writer.write(&message).unwrap());
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

/// Some messages of a log from a place of its own on, with times of its own, not compressed.
fn piece(log: &[u8], serial: u64, message_count: usize) -> Vec<u8> {
    let messages: Vec<mcap::Message<'static>> = messages_of(log).collect();
    let first = serial as usize * 37 % messages.len().saturating_sub(message_count).max(1);
    let chosen = messages.into_iter().skip(first).take(message_count);
    uncompressed(chosen.map(|mut message| {
        message.log_time += serial;
        message.publish_time += serial;
        message
    }))
}

fn request(name: &str, bytes: Vec<u8>) -> IngestRequest {
    IngestRequest::real(Source::Memory { name: name.to_owned(), bytes: Arc::new(bytes) })
}

/// The same recordings take what they take beside originals of either kind. Where an original is compressed as a whole,
/// its rows, which are compressed a few kilobytes at a time so that they can be read singly, take about as much again.
#[test]
fn rows_take_less_than_the_originals_that_they_come_from() {
    run(async {
        let yard = Yard::new().await;
        for (is_compressed, most) in [(false, OVERHEAD_MAX), (true, 2.0)] {
            let lake = yard.copy();
            let mut platform = yard.open(&lake).await;
            let mut original_bytes = 0;
            for name in SHIPPED {
                let bytes = shipped(name, is_compressed);
                original_bytes += bytes.len() as u64;
                ingest(&mut platform, request(name, bytes)).await.unwrap();
            }
            let found = overhead(&lake, original_bytes);
            assert!(found < most, "{found}: {:?}", bytes_by_folder(&lake));
        }
    });
}
