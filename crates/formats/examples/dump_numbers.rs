//! Prints every number of a recording's `signals`, and its metadata, for `independent_ulog.py`.
//!
//! `cargo run --example dump_numbers -- FILE > DUMP`: one line of JSON for the recording, then
//! for each channel one line of JSON and behind it its values, `f64`, little endian, row by row.
//! Raw channels follow the same way, with the length of each payload and then the payloads.
#![expect(clippy::disallowed_methods, reason = "room: example disk, arguments, stdout")]

use std::{error::Error, io::Write};

use tiepoint_formats::{Container, Samples, read_all};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: dump_numbers FILE")?;
    let bytes = std::fs::read(&file)?;
    let container = Container::detect(&file, &bytes[..bytes.len().min(Container::DETECT_BYTES)])?;
    let (batches, summary) = read_all(container, &bytes)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let head = serde_json::json!({ "metadata": summary.metadata, "warnings": summary.warnings });
    writeln!(out, "{head}")?;
    for batch in &batches {
        let channel = &batch.channel;
        let stamps = batch.samples.stamps();
        let times: Vec<i64> = stamps.iter().map(|stamps| stamps.log.0).collect();
        let mut line = serde_json::json!({
            "topic": channel.topic,
            "message_type": channel.message_type,
            "table": batch.table().as_str(),
            "log_time_ns": times,
        });
        match &batch.samples {
            Samples::Signals(rows) => {
                let names = |row: &tiepoint_model::SignalSample| -> Vec<String> {
                    row.fields.iter().map(|field| field.name.clone()).collect()
                };
                let alike = rows.windows(2).all(|pair| pair[0].fields == pair[1].fields);
                let listed = if alike { &rows[..1] } else { &rows[..] };
                line["fields"] = listed.iter().map(names).collect();
                writeln!(out, "{line}")?;
                for value in rows.iter().flat_map(|row| &row.values) {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
            Samples::Raw(rows) => {
                let sizes: Vec<usize> = rows.iter().map(|row| row.payload.len()).collect();
                line["payload_bytes"] = sizes.into();
                writeln!(out, "{line}")?;
                for row in rows {
                    out.write_all(&row.payload)?;
                }
            }
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(out.flush()?)
}
