//! A channel whose time runs back and that is too large to be held: digested and read in order, some megabytes at a time.

use std::{borrow::Cow, path::Path, sync::Arc};

use tiepoint_operations::{
    IngestRequest, LakeChecks, Source, export_mcap, ingest, query, verify_lake,
};

use crate::yard::{Yard, run};

/// Four bytes each: so the rows take more than twice what is held at a time.
const RANGES: usize = 200_000;
const SCANS: u64 = 96;

/// A LaserScan of ROS 2 with many ranges, as CDR.
fn scan(serial: u64) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0];
    let words = |bytes: &mut Vec<u8>, words: &[u32]| {
        words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    };
    words(&mut bytes, &[serial as u32, 0, 2]);
    bytes.extend(*b"l\0\0\0");
    words(&mut bytes, &[0.0, 1.0, 0.1, 0.0, 0.0, 0.0, 100.0].map(f32::to_bits));
    words(&mut bytes, &[RANGES as u32]);
    (0..RANGES).for_each(|at| {
        let range_m = (at as u64 * (serial + 1) % 997) as f32 * 0.01;
        bytes.extend(range_m.to_le_bytes());
    });
    words(&mut bytes, &[0]);
    bytes
}

/// Scans whose log time goes to and fro over the whole log.
fn log() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/quickstart");
    let shipped = std::fs::read(folder.join("sena.mcap")).unwrap();
    let of_scans =
        mcap::MessageStream::new(&shipped).unwrap().map(Result::unwrap).find(|message| {
            message.channel.schema.as_ref().is_some_and(|schema| schema.name.ends_with("LaserScan"))
        });
    let channel = of_scans.unwrap().channel;
    let options = mcap::WriteOptions::new().compression(None).profile("ros2");
    let mut writer = options.create(std::io::Cursor::new(Vec::new())).unwrap();
    for serial in 0..SCANS {
        let log_time = 1_000_000_000 * (1 + serial * 37 % SCANS);
        let (channel, data) = (Arc::clone(&channel), Cow::Owned(scan(serial)));
        let sequence = serial as u32;
        writer
            .write(&mcap::Message { channel, sequence, log_time, publish_time: log_time, data })
            .unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

#[test]
fn large_rows_in_another_order_are_digested_read_and_exported_in_theirs() {
    run(async {
        let yard = Yard::new().await;
        let lake = yard.copy();
        let mut platform = yard.open(&lake).await;
        let log = Source::Memory { name: "to-and-fro".to_owned(), bytes: Arc::new(log()) };
        let done = ingest(&mut platform, IngestRequest::real(log)).await.unwrap();
        let channel = &done.recording.channels[0];
        assert_eq!((channel.message_count, channel.quality.runs_back_count), (SCANS, 36));
        // The deep check reads the rows as the store orders them; the digest was made as they came.
        let deep = LakeChecks { deep: true, ..LakeChecks::default() };
        let report = verify_lake(&lake, yard.config(), &deep).await.unwrap();
        assert!(report.passed(), "{report:?}");
        let mut exported = Vec::new();
        let report = export_mcap(&platform, "to-and-fro", &mut exported).await.unwrap();
        assert_eq!(report.row_count, SCANS);
        let times: Vec<u64> = mcap::MessageStream::new(&exported)
            .unwrap()
            .map(|message| message.unwrap().log_time)
            .collect();
        let expected: Vec<u64> = (1..=SCANS).map(|second| second * 1_000_000_000).collect();
        assert_eq!(times, expected);
        let sql = "SELECT count(DISTINCT sequence) AS n FROM scans WHERE topic <> ''";
        let rows = query(&platform, sql).await.unwrap().to_json().unwrap();
        assert_eq!(serde_json::json!(rows)[0]["n"], SCANS);
    });
}
