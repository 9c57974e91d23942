//! Prints every decoded field of a recording as JSON lines, for a comparison with other decoders.
//!
//! `cargo run -p tiepoint-formats --example dump_samples -- FILE_OR_FOLDER`
//!
//! One line per row: `topic`, `table`, `log_time_ns` and the columns of the table but for those
//! of the lake. Floats are printed so that reading them back gives the same bits; NaN and the
//! infinities are the texts `NaN`, `inf` and `-inf`. The last line is the summary.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "room: example, arguments and stdout"
)]

use std::{error::Error, io::Write, path::Path};

use arrow::array::{
    Array, AsArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringArray, UInt32Array, UInt64Array,
};
use serde_json::{Map, Value, json};
use tiepoint_formats::{Damage, Limits, LogReader, columns};
use tiepoint_model::RecordingId;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args().nth(1) else {
        println!("usage: dump_samples FILE_OR_FOLDER");
        return Ok(());
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut log = LogReader::open(Path::new(&path), Limits::default(), Damage::Refuse)?;
    let id = RecordingId("rec-0000000000000000".into());
    while let Some(batches) = log.next_batches()? {
        for piece in batches {
            let topic = &piece.channel.topic;
            let batch = columns::to_batch(&id, topic, piece.first_sequence, &piece.samples)?;
            for row in 0..batch.num_rows() {
                let mut line = row_of(&batch, row);
                line.insert("table".into(), json!(piece.table().as_str()));
                serde_json::to_writer(&mut out, &line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    let summary = log.finish()?;
    let channels: Vec<Value> = summary
        .channels
        .iter()
        .map(|channel| {
            json!({
                "topic": channel.channel.topic,
                "message_type": channel.channel.message_type,
                "encoding": channel.channel.encoding,
                "message_count": channel.message_count,
                "row_count": channel.row_count,
            })
        })
        .collect();
    let last = json!({"channels": channels, "warnings": summary.warnings});
    serde_json::to_writer(&mut out, &last)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn row_of(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut line = Map::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name() != "recording_id" {
            line.insert(field.name().clone(), value(column, row));
        }
    }
    line
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    if let Some(list) = column.as_list_opt::<i32>() {
        let items = list.value(row);
        return (0..items.len()).map(|index| value(&items, index)).collect();
    }
    let any = column.as_any();
    if let Some(column) = any.downcast_ref::<StringArray>() {
        json!(column.value(row))
    } else if let Some(column) = any.downcast_ref::<Float64Array>() {
        float(column.value(row))
    } else if let Some(column) = any.downcast_ref::<Float32Array>() {
        float(column.value(row).into())
    } else if let Some(column) = any.downcast_ref::<Int64Array>() {
        json!(column.value(row))
    } else if let Some(column) = any.downcast_ref::<UInt64Array>() {
        json!(column.value(row))
    } else if let Some(column) = any.downcast_ref::<UInt32Array>() {
        json!(column.value(row))
    } else if let Some(column) = any.downcast_ref::<Int8Array>() {
        json!(column.value(row))
    } else if let Some(column) = any.downcast_ref::<BooleanArray>() {
        json!(column.value(row))
    } else if let Some(column) = column.as_binary_opt::<i32>() {
        let hex = column.value(row).iter().map(|byte| format!("{byte:02x}"));
        json!(hex.collect::<String>())
    } else {
        json!(format!("a column of {} is not printed", column.data_type()))
    }
}

fn float(number: f64) -> Value {
    if number.is_finite() { json!(number) } else { json!(format!("{number}")) }
}
