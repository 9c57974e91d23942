//! Images leave the lake with their pixels, or the export fails and says where the original is damaged.

use std::{borrow::Cow, collections::BTreeMap};

use tiepoint_formats::{
    ChannelKey, Container, ExportChannel, Limits, McapExport, PayloadError, PayloadReader,
    Payloads, Samples, Table, read_all,
};
use tiepoint_model::{ImageSample, PayloadBase, PayloadPlace, Stamps, Timestamp};

use crate::Desk;

const PIXELS: [u8; 6] = [1, 2, 3, 4, 5, 6];

struct SamePixels;

impl Payloads for SamePixels {
    fn fetch(&mut self, _: &PayloadPlace) -> Result<&[u8], PayloadError> {
        Ok(&PIXELS)
    }
}

fn image(second: i64) -> ImageSample {
    let time = Timestamp(second * 1_000_000_000);
    ImageSample {
        stamps: Stamps { log: time, publish: Some(time), sensor: Some(time) },
        frame_id: "camera_optical".into(),
        height_px: Some(1),
        width_px: Some(2),
        encoding: "rgb8".into(),
        is_big_endian: false,
        row_step_bytes: Some(6),
        payload: PayloadPlace {
            file_index: 0,
            base: PayloadBase::File,
            offset_bytes: 4,
            length_bytes: 6,
        },
    }
}

/// A log of images in chunks compressed by Zstandard.
fn log() -> Vec<u8> {
    let key = ChannelKey {
        topic: "/image".into(),
        message_type: "sensor_msgs/msg/Image".into(),
        encoding: "cdr".into(),
    };
    let metadata = BTreeMap::new();
    let channel = ExportChannel { key, table: Table::Images, definition: None, metadata };
    let mut export = McapExport::new(Vec::new(), "ros2", &BTreeMap::new(), vec![channel])
        .unwrap()
        .with_payloads(SamePixels);
    let rows = (1..=20).map(image).collect();
    export.give(0, Cow::Owned(Samples::Images(rows))).unwrap();
    export.finish().unwrap()
}

#[test]
fn images_are_exported_with_their_pixels_and_a_damaged_original_is_named() {
    let desk = Desk::with_lake();
    let bytes = log();
    desk.write("camera.mcap", &bytes);
    desk.run(&["ingest", "camera.mcap"]).expect_code(0);
    let exported = ["export", "camera", "--out", "again.mcap", "--json"];
    let exported = desk.run(&exported).expect_code(0).json();
    assert_eq!(exported["left_out"].as_array().map(Vec::len), Some(0), "{exported}");
    assert_eq!(exported["message_count"], 20, "{exported}");
    let (rows, pixels) = images_of(&desk.path("again.mcap"));
    assert_eq!(pixels, vec![PIXELS.to_vec(); 20]);
    assert_eq!((rows, pixels), images_of(&desk.path("camera.mcap")));

    // The original is as long as it was, and one bit in it is another.
    let is_original = |path: &std::path::Path| {
        path.components().any(|part| part.as_os_str() == "blobs")
            && std::fs::read(path).is_ok_and(|found| found == bytes)
    };
    let (path, _) = desk.lake_files().into_iter().find(|(path, _)| is_original(path)).unwrap();
    let mut damaged = bytes.clone();
    let at = damaged.windows(4).position(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).unwrap() + 30;
    damaged[at] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &damaged).unwrap();
    let failed = desk.run(&["export", "camera", "--out", "third.mcap"]);
    assert_ne!(failed.code, 0, "{}", failed.stdout);
    assert_ne!(failed.code, 3, "{}", failed.stdout);
    assert!(failed.stderr.contains("`camera.mcap`"), "{}", failed.stderr);
    assert!(failed.stderr.contains("inflated chunk at byte"), "{}", failed.stderr);
    assert!(!desk.path("third.mcap").exists());
}

/// Each image of a log without its address, and its pixels.
fn images_of(path: &std::path::Path) -> (Vec<ImageSample>, Vec<Vec<u8>>) {
    let (batches, _) = read_all(Container::Mcap, &std::fs::read(path).unwrap()).unwrap();
    let Samples::Images(rows) = &batches[0].samples else { panic!("{batches:?}") };
    let originals = vec![("the log".to_owned(), path.to_owned())];
    let mut reader = PayloadReader::new(originals, Limits::default());
    let pixels = rows.iter().map(|row| reader.fetch(&row.payload).unwrap().to_vec()).collect();
    let without_place =
        |row: &ImageSample| ImageSample { payload: image(0).payload, ..row.clone() };
    (rows.iter().map(without_place).collect(), pixels)
}
