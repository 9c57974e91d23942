//! Decodes a log from memory again and again: `cargo bench -p tiepoint-formats --bench decode -- FILE`.
//!
//! Prints the median seconds of one pass and the messages in it; `cargo xtask bench` sets it against the peer.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "room: benchmark clock, disk, environment, stdout"
)]

use std::{error::Error, time::Instant};

use tiepoint_formats::{Container, read_all};

const PASSES: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(file) = file else {
        println!("usage: decode FILE");
        return Ok(());
    };
    let bytes = std::fs::read(&file)?;
    let container = Container::detect(&file, &bytes[..bytes.len().min(Container::DETECT_BYTES)])?;
    let mut seconds = Vec::with_capacity(PASSES);
    let mut message_count = 0;
    for _ in 0..PASSES {
        let began = Instant::now();
        let (batches, summary) = read_all(container, &bytes)?;
        seconds.push(began.elapsed().as_secs_f64());
        message_count = summary.channels.iter().map(|channel| channel.message_count).sum();
        drop(batches);
    }
    seconds.sort_by(f64::total_cmp);
    println!("{:.6} {message_count}", seconds[PASSES / 2]);
    Ok(())
}
