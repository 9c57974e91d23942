//! PX4 ULog: the flight controller's own log, version 0 and 1.
//!
//! Invariant: one record (64 KiB at most) and the definitions are held, never more; all that
//! definitions cost is charged to [`Limits::metadata_bytes_max`]. No record makes it panic.
//!
//! Times are microseconds since the controller started: they are the log clock (`log_time_ns`),
//! and `timestamp_sample`, where a message has one, is the sensor's stamp on the same clock. A
//! UTC reference goes to the metadata `ulog.utc_reference` and never into a stamp.
//!
//! Every message of numbers becomes a row of `signals` under its own topic, all fields, so
//! nothing needs to be known of a topic to query it. What [`view`] knows becomes a row of a typed
//! table too, under `<topic>/<table>`. Messages with text fields and logged strings stay raw.
//!
//! | topic | table | what |
//! |---|---|---|
//! | `sensor_accel`, `sensor_accel/1` | `signals` | instance 0, instance 1 |
//! | `sensor_combined/imu` | `imu` | the typed view |
//! | `dropouts` | `signals` | `duration_ms` that the logger lost, at the latest stamp before it |
//! | `parameter_changes` | `signals` | one row a change, the field is the parameter |
//! | `logged_string`, `logged_string_tagged` | `raw` | the record as it was |
//!
//! Metadata: `ulog` (file), `ulog.info`, `ulog.parameters`, `ulog.parameter_defaults.system` and
//! `.setup`, `ulog.utc_reference`. Numbers are decimal text, byte arrays hexadecimal.
//!
//! The crate `px4-ulog` (0.6.1) is not used: an empty parameter record makes it panic (it indexes
//! before it checks), it flattens every declared format without a bound (`float[4000000000] x`),
//! follows nested formats without a bound, and its errors say no byte.
//!
//! Not here: guessing behind damage. Sync records are checked and not searched for.
//! Source: PX4 user guide, "ULog File Format".

mod format;
mod info;
mod records;
mod view;

use tiepoint_model::Timestamp;

use crate::{
    DecodeError, Limits, ReadError, container::Collector, message::cursor::Cursor,
    reader::Container,
};
use records::Records;

/// Fixed part of the file's head.
pub(crate) const MAGIC: &[u8] = b"ULog\x01\x12\x35";
/// Magic, version, start time.
const FILE_HEAD_BYTES: usize = 16;
/// Size and type.
const RECORD_HEAD_BYTES: usize = 3;
const NS_PER_US: u64 = 1_000;

pub(crate) struct UlogReader {
    /// The start of a record whose end was not fed yet.
    partial: Vec<u8>,
    /// Where the record in `partial` starts.
    record_at: u64,
    fed_bytes: u64,
    has_head: bool,
    records: Records,
}

impl UlogReader {
    pub(crate) fn new(limits: Limits) -> Self {
        let records = Records::new(limits);
        Self { partial: Vec::new(), record_at: 0, fed_bytes: 0, has_head: false, records }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // An appended section starts afresh: the record before it may be cut.
            let boundary = self.records.appended_at.first().copied();
            let until = boundary.map_or(u64::MAX, |at| at - self.fed_bytes);
            if until == 0 {
                self.cross_into_appended(out);
                continue;
            }
            let piece = &rest[..rest.len().min(usize::try_from(until).unwrap_or(usize::MAX))];
            let used = self.step(piece, out)?;
            self.fed_bytes += used as u64;
            rest = &rest[used..];
        }
        Ok(())
    }

    /// Takes at least one byte of the piece and reads one record at most.
    fn step(&mut self, piece: &[u8], out: &mut Collector) -> Result<usize, ReadError> {
        if self.partial.is_empty() {
            self.record_at = self.fed_bytes;
            let whole = self.bytes_wanted(piece);
            if piece.len() >= RECORD_HEAD_BYTES && piece.len() >= whole {
                self.record(&piece[..whole], out)?;
                return Ok(whole);
            }
        }
        let mut used = 0;
        loop {
            let wanted = self.bytes_wanted(&self.partial);
            if self.partial.len() == wanted {
                let mut whole = std::mem::take(&mut self.partial);
                self.record(&whole, out)?;
                whole.clear();
                self.partial = whole;
                return Ok(used);
            }
            let count = (wanted - self.partial.len()).min(piece.len() - used);
            if count == 0 {
                return Ok(used);
            }
            self.partial.extend_from_slice(&piece[used..used + count]);
            used += count;
        }
    }

    /// How many bytes the record takes that starts so, as far as its start says.
    fn bytes_wanted(&self, start: &[u8]) -> usize {
        match start {
            _ if !self.has_head => FILE_HEAD_BYTES,
            [low, high, _, ..] => {
                RECORD_HEAD_BYTES + usize::from(u16::from_le_bytes([*low, *high]))
            }
            _ => RECORD_HEAD_BYTES,
        }
    }

    fn record(&mut self, whole: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        if self.has_head {
            let (kind, body) = (whole[2], &whole[RECORD_HEAD_BYTES..]);
            return self.records.read(kind, body, self.record_at, out);
        }
        self.has_head = true;
        let container = Container::Ulog;
        if !whole.starts_with(MAGIC) {
            return Err(ReadError::BadMagic { container, offset_bytes: 0 });
        }
        let mut c = Cursor::packed(&whole[MAGIC.len()..]);
        let mut parse = || Ok((c.u8("version")?, c.u64("start_time")?));
        let (version, start_us) = parse().map_err(broken(0))?;
        if version > 1 {
            return Err(malformed(0, format!("version {version} is not known; 0 and 1 are")));
        }
        let start_ns = i64::try_from(start_us.saturating_mul(NS_PER_US));
        self.records.last_time = Timestamp(start_ns.unwrap_or_default());
        let file = out.metadata.entry("ulog".to_owned()).or_default();
        file.insert("version".to_owned(), version.to_string());
        file.insert("start_time_us".to_owned(), start_us.to_string());
        file.insert("log_clock".to_owned(), "since the start of the controller".to_owned());
        Ok(())
    }

    fn cross_into_appended(&mut self, out: &mut Collector) {
        let at = self.records.appended_at.remove(0);
        if !self.partial.is_empty() {
            let count = self.partial.len();
            let text = format!("{count} bytes of a cut record lie before the section at byte {at}");
            out.warnings.push(text);
            self.partial.clear();
        }
    }

    /// Up to which byte every record was read.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.fed_bytes - self.partial.len() as u64
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if self.fed_bytes == 0 {
            return Err(ReadError::Empty);
        }
        let truncated = |what, offset_bytes| {
            Err(ReadError::Truncated {
                container: Container::Ulog,
                what,
                offset_bytes,
                source: None,
            })
        };
        if !self.has_head {
            return truncated("the file's head", 0);
        }
        if self.records.appended_at.iter().any(|at| *at > self.fed_bytes) {
            return truncated("the part before its appended data", self.fed_bytes);
        }
        if !self.partial.is_empty() {
            return truncated("a record", self.record_at);
        }
        self.records.finish(out);
        Ok(())
    }
}

fn malformed(offset_bytes: u64, problem: impl Into<String>) -> ReadError {
    ReadError::Malformed { container: Container::Ulog, offset_bytes, problem: problem.into() }
}

fn broken(offset_bytes: u64) -> impl Fn(DecodeError) -> ReadError {
    move |error| malformed(offset_bytes, error.to_string())
}
