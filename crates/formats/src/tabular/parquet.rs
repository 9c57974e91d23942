//! Parquet: row group by row group, from a source of random access that the caller owns.
//!
//! A source is anything that implements [`ChunkReader`]: bytes in memory, or an open file.
//!
//! Invariant: only the columns that the projection names are read, one batch of rows at a time,
//! so memory is bounded by the pages of one row group and by the footer.
//!
//! The crate `parquet` is written for files that are whole and asserts some of what it reads, so
//! each call into it is guarded: what it would panic at becomes [`ReadError::Malformed`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, Schema},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    file::reader::ChunkReader,
};
use tiepoint_model::{Stamps, Timestamp};

use super::projection::{ProjectedClock, Projection, ProjectionError, Resolved, TimeUnit, example};
use crate::{Limits, ReadError, Summary, TopicBatch, container::Collector, reader::Container};

/// The first bytes, and the last ones.
pub(crate) const MAGIC: &[u8] = b"PAR1";
/// How many rows are held at a time.
const BATCH_ROWS: usize = 8_192;

/// Reads one Parquet file as a recording.
pub struct ParquetReader {
    batches: ParquetRecordBatchReader,
    resolved: Resolved,
    /// Index in a batch of each of the file's columns.
    batch_index: Vec<Option<usize>>,
    collector: Collector,
    row_count: u64,
    is_stopped: bool,
}

impl ParquetReader {
    /// Reads the footer and finds the columns.
    ///
    /// # Errors
    /// [`ReadError::Malformed`] if it is no whole Parquet file, [`ReadError::NeedsProjection`]
    /// without a projection, [`ReadError::Projection`] if the projection does not fit,
    /// [`ReadError::TooLarge`] for a column of a row group above [`Limits::record_bytes_max`].
    pub fn new<R: ChunkReader + 'static>(
        source: R,
        projection: Option<&Projection>,
        limits: Limits,
    ) -> Result<Self, ReadError> {
        let builder = open(source, limits)?;
        let schema = builder.schema().clone();
        let header: Vec<String> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        let Some(projection) = projection else {
            let example = example(&header, ',');
            return Err(ReadError::NeedsProjection { container: Container::Parquet, example });
        };
        let resolved = projection.resolve(&header)?;
        check_types(&schema, &resolved)?;
        let mut columns = resolved.number_columns.clone();
        columns.push(resolved.time);
        columns.sort_unstable();
        columns.dedup();
        let mut batch_index = vec![None; header.len()];
        for (index, column) in columns.iter().enumerate() {
            batch_index[*column] = Some(index);
        }
        let batches = project(builder, columns)?;
        let collector = Collector::default();
        Ok(Self { batches, resolved, batch_index, collector, row_count: 0, is_stopped: false })
    }

    /// The samples of the next rows, one batch per channel; `None` behind the last.
    ///
    /// # Errors
    /// [`ReadError::Malformed`] at damage, [`ReadError::Line`] with the row for a time that is
    /// missing or out of range.
    pub fn next_batches(&mut self) -> Result<Option<Vec<TopicBatch>>, ReadError> {
        if self.is_stopped {
            return Err(ReadError::Stopped);
        }
        self.is_stopped = true;
        let batches = &mut self.batches;
        let next = guarded(|| batches.next().transpose())?;
        let Some(batch) = next else {
            self.is_stopped = false;
            return Ok(None);
        };
        self.take(&batch)?;
        self.is_stopped = false;
        Ok(Some(self.collector.drain()))
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), ReadError> {
        let column = |index: usize| self.batch_index[index].map(|index| batch.column(index));
        let missing = || malformed("a batch lacks a column");
        let times = column(self.resolved.time).ok_or_else(missing)?;
        let times = Times::new(times, self.resolved.unit)?;
        let mut numbers: Vec<Option<ArrayRef>> = vec![None; self.batch_index.len()];
        for index in &self.resolved.number_columns {
            let array = column(*index).ok_or_else(missing)?;
            numbers[*index] = Some(cast(array, &DataType::Float64).map_err(malformed)?);
        }
        for row in 0..batch.num_rows() {
            let log = times.at(row).ok_or_else(|| ReadError::Line {
                line: self.row_count + 1,
                column: self.resolved.time + 1,
                problem: "the time is missing or does not fit 63 bits of nanoseconds".to_owned(),
            })?;
            let sensor = (self.resolved.clock == ProjectedClock::Sensor).then_some(log);
            let stamps = Stamps { log, publish: None, sensor };
            let cell = |index: usize| {
                let array = numbers[index].as_ref()?.as_primitive_opt::<Float64Type>()?;
                array.is_valid(row).then(|| array.value(row))
            };
            for channel in &mut self.resolved.channels {
                channel.push(stamps, &cell, "parquet", &mut self.collector);
            }
            self.row_count += 1;
        }
        Ok(())
    }

    /// What was learnt of the whole; call it behind the last batch.
    ///
    /// # Errors
    /// [`ReadError::Empty`] without a row, [`ReadError::Stopped`] after an error.
    pub fn finish(mut self) -> Result<Summary, ReadError> {
        if self.is_stopped {
            return Err(ReadError::Stopped);
        }
        if self.row_count == 0 {
            return Err(ReadError::Empty);
        }
        for channel in &self.resolved.channels {
            channel.note_missing(&mut self.collector);
        }
        Ok(self.collector.summary())
    }
}

/// Opens a file and checks what its footer claims.
pub(super) fn open<R: ChunkReader + 'static>(
    source: R,
    limits: Limits,
) -> Result<ParquetRecordBatchReaderBuilder<R>, ReadError> {
    let length = source.len();
    if length == 0 {
        return Err(ReadError::Empty);
    }
    let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(source))?;
    let limit = limits.record_bytes_max;
    for column in builder.metadata().row_groups().iter().flat_map(|group| group.columns()) {
        let claimed = column.uncompressed_size().max(column.compressed_size());
        let size_bytes = u64::try_from(claimed).unwrap_or(u64::MAX);
        let offset_bytes = u64::try_from(column.data_page_offset()).unwrap_or(u64::MAX);
        let stored_bytes = u64::try_from(column.compressed_size()).unwrap_or(u64::MAX);
        if size_bytes > limit as u64 {
            let (what, limit_bytes) = ("a column of a row group", limit as u64);
            return Err(ReadError::TooLarge { what, offset_bytes, size_bytes, limit_bytes });
        }
        if offset_bytes.saturating_add(stored_bytes) > length.saturating_add(stored_bytes) {
            return Err(malformed("a column starts behind the end of the file"));
        }
    }
    Ok(builder)
}

/// A reader of some top-level columns.
pub(super) fn project<R: ChunkReader + 'static>(
    builder: ParquetRecordBatchReaderBuilder<R>,
    columns: Vec<usize>,
) -> Result<ParquetRecordBatchReader, ReadError> {
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    guarded(|| builder.with_projection(mask).with_batch_size(BATCH_ROWS).build())
}

/// Calls into the crate; its errors and its panics are the file's fault.
pub(super) fn guarded<T, E: ToString>(call: impl FnOnce() -> Result<T, E>) -> Result<T, ReadError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| malformed(error.to_string())),
        Err(_) => Err(malformed("the pages contradict the footer")),
    }
}

pub(super) fn malformed(problem: impl ToString) -> ReadError {
    let problem = problem.to_string();
    ReadError::Malformed { container: Container::Parquet, offset_bytes: 0, problem }
}

/// True for a column of plain numbers.
pub(super) fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_floating() || *data_type == DataType::Boolean
}

fn check_types(schema: &Schema, resolved: &Resolved) -> Result<(), ProjectionError> {
    for index in &resolved.number_columns {
        let field = schema.field(*index);
        if !is_numeric(field.data_type()) {
            let (column, found) = (field.name().clone(), field.data_type().to_string());
            return Err(ProjectionError::NoNumbers { column, found });
        }
    }
    let field = schema.field(resolved.time);
    let is_time = match field.data_type() {
        DataType::Timestamp(unit, _) => unit_of(*unit) == resolved.unit,
        data_type => is_numeric(data_type) && *data_type != DataType::Boolean,
    };
    if !is_time {
        let (column, found) = (field.name().clone(), field.data_type().to_string());
        let problem = format!("the time `{column}` is {found}, not what the projection says");
        return Err(ProjectionError::Whole { problem });
    }
    Ok(())
}

fn unit_of(unit: arrow::datatypes::TimeUnit) -> TimeUnit {
    match unit {
        arrow::datatypes::TimeUnit::Second => TimeUnit::S,
        arrow::datatypes::TimeUnit::Millisecond => TimeUnit::Ms,
        arrow::datatypes::TimeUnit::Microsecond => TimeUnit::Us,
        arrow::datatypes::TimeUnit::Nanosecond => TimeUnit::Ns,
    }
}

/// A column of times: whole numbers stay whole, floats are read as their shortest decimal.
enum Times {
    Whole(ArrayRef, TimeUnit),
    Decimal(ArrayRef, TimeUnit),
}

impl Times {
    fn new(array: &ArrayRef, unit: TimeUnit) -> Result<Self, ReadError> {
        let is_float = array.data_type().is_floating();
        let target = if is_float { DataType::Float64 } else { DataType::Int64 };
        let array = cast(array, &target).map_err(malformed)?;
        Ok(if is_float { Self::Decimal(array, unit) } else { Self::Whole(array, unit) })
    }

    fn at(&self, row: usize) -> Option<Timestamp> {
        match self {
            Self::Whole(array, unit) => {
                let array = array.as_primitive_opt::<Int64Type>()?;
                array.is_valid(row).then(|| array.value(row)).and_then(|n| unit.of_integer(n))
            }
            Self::Decimal(array, unit) => {
                let array = array.as_primitive_opt::<Float64Type>()?;
                let value = array.is_valid(row).then(|| array.value(row))?;
                unit.parse(&format!("{value:e}"))
            }
        }
    }
}
