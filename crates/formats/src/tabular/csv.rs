//! CSV: the bytes of RFC 4180, as files really are.
//!
//! Lines end in LF or CRLF; cells may be quoted and then hold delimiters, quotes and line ends; a
//! byte order mark is passed over; empty lines are passed over. The first line is the header; a
//! leading `#` of it is no part of the first name. Every line must have as many cells.
//!
//! Invariant: one line is held, of [`Limits::line_bytes_max`] bytes at most.
//! Framing by `csv-core`, the engine of the crate `csv`, which is itself sans-I/O.

use csv_core::{ReadRecordResult, ReaderBuilder};
use tiepoint_model::Stamps;

use super::projection::{ProjectedClock, Projection, Resolved, example};
use crate::{Limits, ReadError, container::Collector, reader::Container};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts bytes into lines of cells.
pub(crate) struct CsvRows {
    core: csv_core::Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    cell_bytes: usize,
    cell_count: usize,
    /// How much of a byte order mark was seen; `None` once that is settled.
    mark_bytes: Option<usize>,
    /// Line of the next row's start, from 1.
    line: u64,
    limits: Limits,
}

/// One line's cells, and where it starts.
pub(crate) struct Row<'a> {
    cells: &'a [u8],
    ends: &'a [usize],
    pub(crate) line: u64,
}

impl<'a> Row<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell without blanks around it.
    pub(crate) fn cell(&self, index: usize) -> &'a [u8] {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before).copied());
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.cells.get(start.unwrap_or_default()..end).unwrap_or_default().trim_ascii()
    }

    /// The names of a header.
    pub(crate) fn header(&self) -> Result<Vec<String>, ReadError> {
        (0..self.len())
            .map(|index| {
                let mut cell = self.cell(index);
                if index == 0 {
                    cell = cell.strip_prefix(b"#").unwrap_or(cell).trim_ascii();
                }
                std::str::from_utf8(cell).map(str::to_owned).map_err(|_| {
                    let problem = "the name is not UTF-8".to_owned();
                    ReadError::Line { line: self.line, column: index + 1, problem }
                })
            })
            .collect()
    }

    /// A cell's number; `None` if it is missing.
    pub(crate) fn number(
        &self,
        index: usize,
        missing: &[String],
    ) -> Result<Option<f64>, ReadError> {
        let cell = self.cell(index);
        if cell.is_empty() || missing.iter().any(|text| text.as_bytes() == cell) {
            return Ok(None);
        }
        let number = std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.refuse(index, "number"))
    }

    pub(crate) fn refuse(&self, index: usize, wanted: &str) -> ReadError {
        const SHOWN_BYTES: usize = 80;
        let cell = self.cell(index);
        let shown = String::from_utf8_lossy(&cell[..cell.len().min(SHOWN_BYTES)]);
        let problem = match cell.is_empty() {
            true => format!("the {wanted} is missing"),
            false => format!("`{shown}` is no {wanted}"),
        };
        ReadError::Line { line: self.line, column: index + 1, problem }
    }
}

impl CsvRows {
    pub(crate) fn new(delimiter: u8, limits: Limits) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            cells: vec![0; 256],
            ends: vec![0; 16],
            cell_bytes: 0,
            cell_count: 0,
            mark_bytes: Some(0),
            line: 1,
            limits,
        }
    }

    /// Bytes of the line that is not whole yet.
    pub(crate) fn held_bytes(&self) -> usize {
        self.cell_bytes + self.cell_count
    }

    /// Cuts the bytes; no bytes means the end.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&Row<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut rest = bytes;
        if let Some(seen) = self.mark_bytes {
            let expected = &BYTE_ORDER_MARK[seen..];
            let count = rest.iter().zip(expected).take_while(|(a, b)| a == b).count();
            if count == rest.len() && !rest.is_empty() && count < expected.len() {
                self.mark_bytes = Some(seen + count);
                return Ok(());
            }
            self.mark_bytes = None;
            if count == expected.len() {
                rest = &rest[count..];
                if rest.is_empty() && !bytes.is_empty() {
                    return Ok(());
                }
            } else if seen > 0 {
                self.cut(&BYTE_ORDER_MARK[..seen], &mut each)?;
            }
        }
        self.cut(rest, &mut each)
    }

    fn cut(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&Row<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut rest = bytes;
        loop {
            // The core would take an empty input for the end.
            if rest.is_empty() && !bytes.is_empty() {
                return Ok(());
            }
            let (result, read, written, ended) = self.core.read_record(
                rest,
                &mut self.cells[self.cell_bytes..],
                &mut self.ends[self.cell_count..],
            );
            rest = &rest[read..];
            self.cell_bytes += written;
            self.cell_count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.grow()?,
                ReadRecordResult::Record => {
                    let row = Row {
                        cells: &self.cells[..self.cell_bytes],
                        ends: &self.ends[..self.cell_count],
                        line: self.line,
                    };
                    each(&row)?;
                    self.cell_bytes = 0;
                    self.cell_count = 0;
                    self.line = self.core.line();
                }
                ReadRecordResult::End => return Ok(()),
            }
        }
    }

    fn grow(&mut self) -> Result<(), ReadError> {
        let limit = self.limits.line_bytes_max;
        if self.held_bytes() > limit {
            let problem =
                format!("the line is longer than {limit} bytes, or a quote is not closed");
            return Err(ReadError::Line { line: self.line, column: 1, problem });
        }
        if self.cell_bytes == self.cells.len() {
            self.cells.resize(2 * self.cells.len(), 0);
        }
        if self.cell_count == self.ends.len() {
            self.ends.resize(2 * self.ends.len(), 0);
        }
        Ok(())
    }
}

/// Reads a CSV as a recording.
pub(crate) struct CsvReader {
    rows: CsvRows,
    body: Body,
    fed_bytes: u64,
}

/// What is known beside the framing.
struct Body {
    projection: Option<Projection>,
    header: Option<(usize, Resolved)>,
    row_count: u64,
    /// Numbers of the row at hand, by column.
    numbers: Vec<Option<f64>>,
}

impl CsvReader {
    /// Without a projection it reads the header and refuses.
    pub(crate) fn new(projection: Option<Projection>, limits: Limits) -> Self {
        let delimiter = projection.as_ref().map_or(',', |projection| projection.delimiter);
        let delimiter = u8::try_from(delimiter).unwrap_or(b',');
        let body = Body { projection, header: None, row_count: 0, numbers: Vec::new() };
        Self { rows: CsvRows::new(delimiter, limits), body, fed_bytes: 0 }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.fed_bytes += bytes.len() as u64;
        let body = &mut self.body;
        self.rows.feed(bytes, |row| body.row(row, out))
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let body = &mut self.body;
        self.rows.feed(&[], |row| body.row(row, out))?;
        if self.body.row_count == 0 {
            return Err(ReadError::Empty);
        }
        if let Some((_, resolved)) = &self.body.header {
            resolved.channels.iter().for_each(|channel| channel.note_missing(out));
        }
        Ok(())
    }

    /// Up to which byte every line was read, to a few bytes of line ends and quotes.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.fed_bytes.saturating_sub(self.rows.held_bytes() as u64)
    }
}

impl Body {
    fn row(&mut self, row: &Row<'_>, out: &mut Collector) -> Result<(), ReadError> {
        let Some((column_count, resolved)) = &mut self.header else {
            let header = row.header()?;
            let Some(projection) = &self.projection else {
                let (header, delimiter) = redelimited(header);
                let example = example(&header, delimiter);
                return Err(ReadError::NeedsProjection { container: Container::Csv, example });
            };
            self.numbers = vec![None; header.len()];
            self.header = Some((header.len(), projection.resolve(&header)?));
            return Ok(());
        };
        if row.len() != *column_count {
            let problem = format!("{} cells where the header has {column_count}", row.len());
            let column = row.len().min(*column_count) + 1;
            return Err(ReadError::Line { line: row.line, column, problem });
        }
        let missing = self.projection.as_ref().map_or(&[][..], |projection| &projection.missing);
        let time = std::str::from_utf8(row.cell(resolved.time)).ok();
        let time = time.and_then(|text| resolved.unit.parse(text));
        let log = time.ok_or_else(|| row.refuse(resolved.time, "time"))?;
        for column in &resolved.number_columns {
            self.numbers[*column] = row.number(*column, missing)?;
        }
        let sensor = (resolved.clock == ProjectedClock::Sensor).then_some(log);
        let stamps = Stamps { log, publish: None, sensor };
        let numbers = &self.numbers;
        for channel in &mut resolved.channels {
            channel.push(stamps, &|column| numbers[column], "csv", out);
        }
        self.row_count += 1;
        Ok(())
    }
}

/// A header that was cut at commas and has none: what else may part it.
fn redelimited(header: Vec<String>) -> (Vec<String>, char) {
    if let [whole] = header.as_slice() {
        for delimiter in [';', '\t'] {
            if whole.contains(delimiter) {
                let names = whole.split(delimiter).map(|name| name.trim().to_owned()).collect();
                return (names, delimiter);
            }
        }
    }
    (header, ',')
}
