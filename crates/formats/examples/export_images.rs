//! Writes the images of a log as an MCAP of ROS 2 messages, for programs that nobody here wrote to read.
//!
//! Usage: `export_images LOG OUT.mcap`
#![expect(clippy::disallowed_methods, reason = "room: process and disk, of an example")]

use std::{borrow::Cow, collections::BTreeMap, error::Error, path::Path};

use tiepoint_formats::{
    ChannelKey, Damage, ExportChannel, Limits, LogReader, McapExport, PayloadReader, Samples, Table,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [log, out] = arguments.as_slice() else {
        return Err("usage: export_images LOG OUT.mcap".into());
    };
    let mut log = LogReader::open(Path::new(log), Limits::default(), Damage::Refuse)?;
    let named = log.files().iter().map(|path| (path.display().to_string(), path.clone()));
    let payloads = PayloadReader::new(named.collect(), Limits::default());
    let mut images: BTreeMap<ChannelKey, Vec<Samples>> = BTreeMap::new();
    while let Some(batches) = log.next_batches()? {
        for batch in batches {
            if batch.table() == Table::Images {
                images.entry(batch.channel).or_default().push(batch.samples);
            }
        }
    }
    let declared = images.keys().map(|key| {
        let name = key.message_type.rsplit('/').next().unwrap_or_default();
        let message_type = format!("sensor_msgs/msg/{name}");
        let key = ChannelKey { topic: key.topic.clone(), message_type, encoding: "cdr".into() };
        let metadata = BTreeMap::new();
        ExportChannel { key, table: Table::Images, definition: None, metadata }
    });
    let mut export = McapExport::new(Vec::new(), "ros2", &BTreeMap::new(), declared.collect())?
        .with_payloads(payloads);
    for (channel_index, pieces) in images.values().enumerate() {
        for piece in pieces {
            export.give(channel_index, Cow::Borrowed(piece))?;
        }
        export.end(channel_index)?;
    }
    Ok(std::fs::write(out, export.finish()?)?)
}
