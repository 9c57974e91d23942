//! The order of a channel: log time, then sequence.
//!
//! Invariant: where a batch lacks one of the two columns the other decides; without both there
//! is no order. A missing value comes before every value.
//!
//! Rows that lie in another order are put in order some at a time: they are read again for each span
//! of keys, and only those within it are held.

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::{filter_record_batch, interleave_record_batch},
    datatypes::{
        DataType, Int32Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt32Type, UInt64Type,
    },
};

use crate::StoreError;

/// When the recorder received the message, nanoseconds since the Unix epoch.
pub(crate) const LOG_TIME_COLUMN: &str = "log_time_ns";
/// The message's number in its channel.
pub(crate) const SEQUENCE_COLUMN: &str = "sequence";

/// Sorts like the row: log time, then sequence; wide enough for `i64` and `u64`.
pub type OrderKey = (i128, i128);

/// One key per row, or `None` if the batch has neither column as an integer.
#[must_use]
pub fn order_keys(batch: &RecordBatch) -> Option<Vec<OrderKey>> {
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

/// Rows in a batch that was put together anew.
const ROWS_PER_BATCH: usize = 8192;

/// Bytes of rows that are held to put them in order.
pub const HELD_BYTES: u64 = 32 << 20;

/// First and last key of some rows.
pub type Span = (OrderKey, OrderKey);

/// Cuts all keys, sorted, into spans of rows that may be held at a time; `size_bytes` is what all the rows take.
/// Equal keys stay together, and no span is empty.
#[must_use]
pub fn spans(keys: &[OrderKey], size_bytes: u64) -> Vec<Span> {
    let row_bytes = (size_bytes / (keys.len() as u64).max(1)).max(1);
    let rows = usize::try_from((HELD_BYTES / row_bytes).max(1)).unwrap_or(usize::MAX);
    let (mut rest, mut spans) = (keys, Vec::new());
    while let Some(first) = rest.first() {
        let last = rest[rows.min(rest.len()) - 1];
        spans.push((*first, last));
        rest = &rest[rest.partition_point(|key| *key <= last)..];
    }
    spans
}

/// The rows of a batch that lie in a span; all of them if it has no order.
///
/// # Errors
/// [`StoreError::Arrow`].
pub fn within(batch: &RecordBatch, span: Span) -> Result<RecordBatch, StoreError> {
    let Some(keys) = order_keys(batch) else { return Ok(batch.clone()) };
    let is_within = |key: &OrderKey| Some((span.0..=span.1).contains(key));
    let wanted: BooleanArray = keys.iter().map(is_within).collect();
    Ok(filter_record_batch(batch, &wanted)?)
}

/// The same rows in order, ties as they come. Batches that are in order already are not copied.
///
/// # Errors
/// [`StoreError::Arrow`].
pub fn in_order(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, StoreError> {
    let Some(keys) = batches.iter().map(order_keys).collect::<Option<Vec<_>>>() else {
        return Ok(batches);
    };
    if keys.iter().flatten().is_sorted() {
        return Ok(batches);
    }
    let mut rows: Vec<(OrderKey, (usize, usize))> = Vec::new();
    for (batch_index, keys) in keys.into_iter().enumerate() {
        let places = keys.into_iter().enumerate();
        rows.extend(places.map(|(row_index, key)| (key, (batch_index, row_index))));
    }
    // The place breaks ties, so the stored order is kept.
    rows.sort_unstable();
    let sources: Vec<&RecordBatch> = batches.iter().collect();
    rows.chunks(ROWS_PER_BATCH)
        .map(|chunk| {
            let places: Vec<(usize, usize)> = chunk.iter().map(|(_, place)| *place).collect();
            Ok(interleave_record_batch(&sources, &places)?)
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_every_key_once_and_keep_equal_ones_together() {
        let keys: Vec<OrderKey> = (0..100).map(|n| (n / 7, 0)).collect();
        for rows_at_once in [1, 5, 7, 8, 99, 1000] {
            let spans = spans(&keys, 100 * (HELD_BYTES / rows_at_once));
            let of =
                |span: &Span| keys.iter().filter(|key| (span.0..=span.1).contains(key)).count();
            assert_eq!(spans.iter().map(of).sum::<usize>(), 100);
            assert!(spans.windows(2).all(|pair| pair[0].1 < pair[1].0));
            assert!(spans.iter().all(|span| of(span) < rows_at_once as usize + 7));
        }
        assert_eq!(spans(&[], 0), []);
        assert_eq!(spans(&keys, 0).len(), 1);
    }
}
