//! Decodes a recording again and again, from its path as a user's would be:
//! `cargo bench -p tiepoint-formats --bench decode -- FILE_OR_FOLDER`, or `-- --points` for clouds.
//!
//! The last line is the mean seconds of one pass and the messages in it; `cargo xtask bench`
//! sets it against the peer. The lines before say the rate in bytes of the original.
//! Seconds are of processor time where the system tells it, so that a busy machine counts less.
//! `--points` makes its input: clouds of 32-byte points in an MCAP, plain and compressed.
//! `--make FILE BYTES SEED` writes a run of clouds, images and inertial readings of that size.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "room: benchmark clock, disk, environment, stdout"
)]

mod made;

use std::{error::Error, fs::File, io::BufWriter, path::Path, time::Instant};

use mcap::Compression;
use tiepoint_formats::{Container, Damage, Limits, LogReader, Reader};
use tiepoint_model::Seed;

/// Passes follow each other for so long.
const MEASURED_S: f64 = 1.0;
/// As much is fed at a time as [`LogReader`] reads.
const PIECE_BYTES: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--points"] => points(),
        ["--make", path, size_bytes, seed] => {
            let file = BufWriter::with_capacity(PIECE_BYTES, File::create(path)?);
            let seed = Seed(seed.parse()?);
            println!("{} messages", made::run(file, size_bytes.parse()?, seed)?);
            Ok(())
        }
        [path] => log(Path::new(path)),
        _ => {
            println!("usage: decode FILE_OR_FOLDER | --points | --make FILE BYTES SEED");
            Ok(())
        }
    }
}

fn points() -> Result<(), Box<dyn Error>> {
    for compression in [None, Some(Compression::Lz4), Some(Compression::Zstd)] {
        let bytes = made::clouds(compression)?;
        let name = format!("clouds, {compression:?}");
        report(&name, made::payload_bytes(), || {
            let mut reader = Reader::new(Container::Mcap, Limits::default());
            for piece in bytes.chunks(PIECE_BYTES) {
                reader.feed(piece)?;
                drop(reader.drain());
            }
            Ok(reader.finish()?.row_count())
        })?;
    }
    Ok(())
}

fn log(path: &Path) -> Result<(), Box<dyn Error>> {
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

/// Prints the rate of a pass, and the line that other programs read.
fn report(
    name: &str,
    bytes: u64,
    pass: impl Fn() -> Result<u64, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut message_count = pass()?;
    let (began, began_ns) = (Instant::now(), processor_ns());
    let mut passes = 0.0;
    let passed_s = loop {
        message_count = message_count.max(pass()?);
        passes += 1.0;
        let passed_s = match (began_ns, processor_ns()) {
            (Some(began_ns), Some(now_ns)) => (now_ns - began_ns) as f64 / 1e9,
            _ => began.elapsed().as_secs_f64(),
        };
        if passed_s > MEASURED_S {
            break passed_s / passes;
        }
    };
    println!("{name}: {:.0} MB/s of {bytes} bytes", bytes as f64 / passed_s / 1e6);
    println!("{passed_s:.6} {message_count}");
    Ok(())
}

/// Processor time of this thread so far, as Linux tells it, to a few milliseconds.
fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
