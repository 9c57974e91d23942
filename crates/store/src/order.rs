//! The order of a channel: log time, then sequence.
//!
//! Invariant: where a batch lacks one of the two columns the other decides; without both there
//! is no order. A missing value comes before every value.

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{
        DataType, Int32Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt32Type, UInt64Type,
    },
};

/// When the recorder received the message, nanoseconds since the Unix epoch.
pub(crate) const LOG_TIME_COLUMN: &str = "log_time_ns";
/// The message's number in its channel.
pub(crate) const SEQUENCE_COLUMN: &str = "sequence";

/// Sorts like the row: log time, then sequence; wide enough for `i64` and `u64`.
pub(crate) type OrderKey = (i128, i128);

/// One key per row, or `None` if the batch has neither column as an integer.
pub(crate) fn order_keys(batch: &RecordBatch) -> Option<Vec<OrderKey>> {
    let log_time = batch.column_by_name(LOG_TIME_COLUMN).and_then(|column| integers(column));
    let sequence = batch.column_by_name(SEQUENCE_COLUMN).and_then(|column| integers(column));
    let zeros = || vec![0; batch.num_rows()];
    match (log_time, sequence) {
        (None, None) => None,
        (log_time, sequence) => {
            let log_time = log_time.unwrap_or_else(zeros);
            Some(log_time.into_iter().zip(sequence.unwrap_or_else(zeros)).collect())
        }
    }
}

fn integers(column: &dyn Array) -> Option<Vec<i128>> {
    let missing = i128::MIN;
    macro_rules! widened {
        ($kind:ty) => {
            column
                .as_primitive::<$kind>()
                .iter()
                .map(|value| value.map_or(missing, i128::from))
                .collect()
        };
    }
    Some(match column.data_type() {
        DataType::Int64 => widened!(Int64Type),
        DataType::UInt64 => widened!(UInt64Type),
        DataType::Int32 => widened!(Int32Type),
        DataType::UInt32 => widened!(UInt32Type),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => widened!(TimestampNanosecondType),
        _ => return None,
    })
}
