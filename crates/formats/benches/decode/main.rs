//! Decodes a recording again and again, from its path as a user's would be:
//! `cargo bench -p tiepoint-formats --bench decode -- FILE_OR_FOLDER`, or `-- --points` for clouds.
//!
//! The last line is the median seconds of one pass and the messages in it; `cargo xtask bench`
//! sets it against the peer. The lines before say the rate in bytes of the original.
//! `--points` makes its input: clouds of 32-byte points in an MCAP, plain and compressed.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "room: benchmark clock, disk, environment, stdout"
)]

use std::{collections::BTreeMap, error::Error, io::Cursor, path::Path, time::Instant};

use mcap::{Compression, WriteOptions, records::MessageHeader};
use tiepoint_formats::{Container, Damage, Limits, LogReader, read_all};
use tiepoint_model::Seed;

const PASSES: usize = 15;
const CLOUDS: u32 = 64;
const POINTS_PER_CLOUD: u32 = 32_768;
const POINT_BYTES: u32 = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--points") {
        for compression in [None, Some(Compression::Lz4), Some(Compression::Zstd)] {
            let bytes = clouds(compression)?;
            let name = format!("clouds, {compression:?}");
            report(&name, payload_bytes(), || {
                let (batches, summary) = read_all(Container::Mcap, &bytes)?;
                drop(batches);
                Ok(summary.row_count())
            })?;
        }
        return Ok(());
    }
    let Some(path) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        println!("usage: decode FILE_OR_FOLDER | --points");
        return Ok(());
    };
    let path = Path::new(path);
    let files = LogReader::open(path, Limits::default(), Damage::Refuse)?.files().to_vec();
    let sizes = files.iter().map(|file| Ok(std::fs::metadata(file)?.len()));
    let bytes = sizes.sum::<Result<u64, std::io::Error>>()?;
    report(&path.to_string_lossy(), bytes, || {
        let mut log = LogReader::open(path, Limits::default(), Damage::Refuse)?;
        while let Some(batches) = log.next_batches()? {
            drop(batches);
        }
        Ok(log.finish()?.channels.iter().map(|channel| channel.message_count).sum())
    })
}

/// Prints the rate of the median pass, and the line that other programs read.
fn report(
    name: &str,
    bytes: u64,
    pass: impl Fn() -> Result<u64, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut seconds = Vec::with_capacity(PASSES);
    let mut message_count = 0;
    for _ in 0..PASSES {
        let began = Instant::now();
        message_count = pass()?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median_s = seconds[PASSES / 2];
    println!("{name}: {:.0} MB/s of {bytes} bytes", bytes as f64 / median_s / 1e6);
    println!("{median_s:.6} {message_count}");
    Ok(())
}

fn payload_bytes() -> u64 {
    u64::from(CLOUDS) * u64::from(POINTS_PER_CLOUD) * u64::from(POINT_BYTES)
}

/// An MCAP of clouds as a spinning LiDAR's driver makes them: x, y, z, intensity, ring, time.
fn clouds(compression: Option<Compression>) -> Result<Vec<u8>, Box<dyn Error>> {
    let options = WriteOptions::new().compression(compression);
    let mut writer = options.create(Cursor::new(Vec::new()))?;
    let schema = writer.add_schema("sensor_msgs/msg/PointCloud2", "ros2msg", b"")?;
    let channel_id = writer.add_channel(schema, "/points", "cdr", &BTreeMap::new())?;
    for index in 0..CLOUDS {
        let time = u64::from(index) * 100_000_000;
        let header =
            MessageHeader { channel_id, sequence: index, log_time: time, publish_time: time };
        writer.write_to_known_channel(&header, &cloud(index))?;
    }
    writer.finish()?;
    Ok(writer.into_inner().into_inner())
}

fn cloud(index: u32) -> Vec<u8> {
    let fields: [(&str, u32, u8); 6] = [
        ("x", 0, 7),
        ("y", 4, 7),
        ("z", 8, 7),
        ("intensity", 16, 7),
        ("ring", 20, 4),
        ("time", 24, 7),
    ];
    let mut out = vec![0, 1, 0, 0];
    let aligned = |out: &mut Vec<u8>| out.resize(out.len().next_multiple_of(4), 0);
    let number = |out: &mut Vec<u8>, value: u32| out.extend(value.to_le_bytes());
    let text = |out: &mut Vec<u8>, text: &str| {
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend((text.len() as u32 + 1).to_le_bytes());
        out.extend(text.as_bytes());
        out.push(0);
    };
    number(&mut out, index);
    number(&mut out, 1);
    text(&mut out, "lidar");
    aligned(&mut out);
    [1, POINTS_PER_CLOUD, 6].iter().for_each(|value| number(&mut out, *value));
    for (name, offset, datatype) in fields {
        text(&mut out, name);
        aligned(&mut out);
        number(&mut out, offset);
        out.push(datatype);
        aligned(&mut out);
        number(&mut out, 1);
    }
    out.push(0);
    aligned(&mut out);
    let data_bytes = POINTS_PER_CLOUD * POINT_BYTES;
    [POINT_BYTES, data_bytes, data_bytes].iter().for_each(|value| number(&mut out, *value));
    let draws = Seed(1).for_purpose("clouds");
    for point in 0..POINTS_PER_CLOUD {
        let mut draw = draws.draws(index.into(), point.into());
        let mut bytes = [0; POINT_BYTES as usize];
        for (slot, scale) in [(0, 100.0), (4, 100.0), (8, 5.0), (16, 255.0), (24, 0.1)] {
            let value = draw.below(1 << 20) as f32 / (1 << 20) as f32 * scale;
            bytes[slot..slot + 4].copy_from_slice(&value.to_le_bytes());
        }
        out.extend(bytes);
    }
    out.push(1);
    out
}
