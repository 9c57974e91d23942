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
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use tiepoint_model::{RawMessage, SignalField, SignalSample, Stamps, Timestamp};

use crate::{
    ChannelKey, DecodeError, Limits, ReadError, Samples, Table, container::Collector,
    message::cursor::Cursor, reader::Container,
};
use format::{Formats, Layout};
use view::View;

/// Fixed part of the file's head.
pub(crate) const MAGIC: &[u8] = b"ULog\x01\x12\x35";
/// Magic, version, start time.
const FILE_HEAD_BYTES: usize = 16;
/// Size and type.
const RECORD_HEAD_BYTES: usize = 3;
const SYNC_MAGIC: &[u8] = &[0x2f, 0x73, 0x13, 0x20, 0x25, 0x0c, 0xbb, 0x12];
/// What one definition costs beyond its own bytes: map entries, a channel.
const DEFINITION_BYTES: usize = 512;
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

/// What earlier records declared.
struct Records {
    formats: Formats,
    subscriptions: BTreeMap<u16, Subscription>,
    /// Behind it no flag bits may come.
    record_count: u64,
    /// The data section has begun: parameters are changes from here on.
    in_data: bool,
    /// Where records start again behind a tail that may be cut, rising.
    appended_at: Vec<u64>,
    /// The latest so far: changes and dropouts carry none of their own.
    last_time: Timestamp,
    definition_bytes: usize,
    dropout_ms: u64,
    rounded_count: u64,
    has_utc: bool,
    /// How many values an information key has so far.
    multiple_counts: BTreeMap<String, u32>,
    unknown_counts: BTreeMap<char, u64>,
    limits: Limits,
}

/// What the messages of one id are.
struct Subscription {
    slot_index: usize,
    layout: Arc<Layout>,
    view: Option<(View, usize)>,
}

impl UlogReader {
    pub(crate) fn new(limits: Limits) -> Self {
        let records = Records {
            formats: Formats::default(),
            subscriptions: BTreeMap::new(),
            record_count: 0,
            in_data: false,
            appended_at: Vec::new(),
            last_time: Timestamp(0),
            definition_bytes: 0,
            dropout_ms: 0,
            rounded_count: 0,
            has_utc: false,
            multiple_counts: BTreeMap::new(),
            unknown_counts: BTreeMap::new(),
            limits,
        };
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

impl Records {
    /// Reads one record. `at` is where it starts.
    fn read(
        &mut self,
        kind: u8,
        body: &[u8],
        at: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        self.record_count += 1;
        if kind.is_ascii_uppercase() && !b"DLCORS".contains(&kind) {
            let is_row = kind == b'P' && self.in_data;
            self.charge(if is_row { 0 } else { body.len() + DEFINITION_BYTES }, at)?;
        }
        match kind {
            b'B' => self.flags(body, at, out),
            b'F' => self.formats.declare(body).map_err(|problem| malformed(at, problem)),
            b'I' => self.info(body, at, out),
            b'M' => self.info_multiple(body, at, out),
            b'P' => self.parameter(body, at, out),
            b'Q' => self.parameter_default(body, at, out),
            b'A' => self.subscribe(body, at, out),
            b'R' => {
                let id = Cursor::packed(body).u16("remove.msg_id").map_err(broken(at))?;
                self.subscriptions.remove(&id);
                Ok(())
            }
            b'D' => self.data(body, at, out),
            b'L' => self.logged_string("logged_string", 1, body, (at, out)),
            b'C' => self.logged_string("logged_string_tagged", 3, body, (at, out)),
            b'S' => match body.starts_with(SYNC_MAGIC) {
                true => Ok(()),
                false => Err(malformed(at, "a sync record has not its eight magic bytes")),
            },
            b'O' => self.dropout(body, at, out),
            other if other.is_ascii_alphabetic() => {
                *self.unknown_counts.entry(char::from(other)).or_default() += 1;
                Ok(())
            }
            other => Err(malformed(at, format!("no record is of type {other:#04x}"))),
        }
    }

    /// Counts what definitions hold.
    fn charge(&mut self, bytes: usize, at: u64) -> Result<(), ReadError> {
        self.definition_bytes = self.definition_bytes.saturating_add(bytes);
        let limit = self.limits.metadata_bytes_max;
        if self.definition_bytes > limit {
            return Err(ReadError::TooLarge {
                what: "the definitions",
                offset_bytes: at,
                size_bytes: self.definition_bytes as u64,
                limit_bytes: limit as u64,
            });
        }
        Ok(())
    }

    fn flags(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        const DATA_APPENDED: u8 = 1;
        if self.record_count != 1 {
            return Err(malformed(at, "flag bits that are not the first record"));
        }
        let mut c = Cursor::packed(body);
        let compatible = c.bytes(8, "flags.compatible").map_err(broken(at))?;
        let incompatible = c.bytes(8, "flags.incompatible").map_err(broken(at))?;
        let is_known = |(index, bits): (usize, &u8)| *bits & !u8::from(index == 0) == 0;
        if !incompatible.iter().enumerate().all(is_known) {
            let bits = info::hexadecimal(incompatible);
            return Err(malformed(at, format!("incompatible flags {bits} are not all known")));
        }
        let file = out.metadata.entry("ulog".to_owned()).or_default();
        file.insert("compatible_flags".to_owned(), info::hexadecimal(compatible));
        file.insert("incompatible_flags".to_owned(), info::hexadecimal(incompatible));
        let mut behind = at + (RECORD_HEAD_BYTES + body.len()) as u64;
        for _section in 0..3 {
            let offset = c.u64("flags.appended_offsets").map_err(broken(at))?;
            if offset == 0 || incompatible[0] & DATA_APPENDED == 0 {
                continue;
            }
            if offset < behind {
                return Err(malformed(at, format!("data is said to be appended at byte {offset}")));
            }
            behind = offset;
            self.appended_at.push(offset);
        }
        Ok(())
    }

    fn info(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        let (kind, key, value) = info::entry(body).map_err(broken(at))?;
        let text = info::text(kind, value).map_err(|problem| malformed(at, problem))?;
        out.metadata.entry("ulog.info".to_owned()).or_default().insert(key.to_owned(), text);
        Ok(())
    }

    /// Pieces of one value follow each other; the values of a key are numbered from 0.
    fn info_multiple(
        &mut self,
        body: &[u8],
        at: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let (is_continued, body) =
            body.split_first().ok_or_else(|| malformed(at, "an information record is empty"))?;
        let (kind, key, value) = info::entry(body).map_err(broken(at))?;
        let text = info::text(kind, value).map_err(|problem| malformed(at, problem))?;
        let list = out.metadata.entry("ulog.info".to_owned()).or_default();
        let count = self.multiple_counts.entry(key.to_owned()).or_default();
        let last = count.checked_sub(1).and_then(|last| list.get_mut(&format!("{key}[{last:04}]")));
        match last {
            Some(last) if is_continued & 1 == 1 => last.push_str(&text),
            _ => {
                list.insert(format!("{key}[{count:04}]"), text);
                *count += 1;
            }
        }
        Ok(())
    }

    fn parameter(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        let (kind, key, value) = info::entry(body).map_err(broken(at))?;
        let text = info::text(kind, value).map_err(|problem| malformed(at, problem))?;
        if !self.in_data {
            let list = out.metadata.entry("ulog.parameters".to_owned()).or_default();
            list.insert(key.to_owned(), text);
            return Ok(());
        }
        let number = info::number(kind, value)
            .ok_or_else(|| malformed(at, format!("parameter `{key}` is a `{kind}`, no number")))?;
        self.own_row("parameter_changes", (key, ""), number, out);
        Ok(())
    }

    fn parameter_default(
        &mut self,
        body: &[u8],
        at: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let (kinds, body) =
            body.split_first().ok_or_else(|| malformed(at, "a default record is empty"))?;
        let (kind, key, value) = info::entry(body).map_err(broken(at))?;
        let text = info::text(kind, value).map_err(|problem| malformed(at, problem))?;
        for (bit, name) in [(1, "system"), (2, "setup")] {
            if kinds & bit != 0 {
                let list = out.metadata.entry(format!("ulog.parameter_defaults.{name}"));
                list.or_default().insert(key.to_owned(), text.clone());
            }
        }
        Ok(())
    }

    fn dropout(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        let duration_ms = Cursor::packed(body).u16("dropout.duration").map_err(broken(at))?;
        self.dropout_ms += u64::from(duration_ms);
        self.own_row("dropouts", ("duration_ms", "ms"), f64::from(duration_ms), out);
        Ok(())
    }

    /// A row that the log keeps beside the messages, at the time of the last message.
    fn own_row(&self, topic: &str, field: (&str, &str), value: f64, out: &mut Collector) {
        let field = SignalField { name: field.0.to_owned(), unit: field.1.to_owned() };
        let slot_index = out.slot_index(&key(topic, topic), Table::Signals);
        let slot = out.slot(slot_index);
        slot.message_count += 1;
        if let Samples::Signals(rows) = &mut slot.samples {
            let stamps = Stamps { log: self.last_time, publish: None, sensor: None };
            rows.push(SignalSample { stamps, fields: Arc::new([field]), values: vec![value] });
        }
    }

    fn subscribe(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        self.in_data = true;
        let mut c = Cursor::packed(body);
        let mut parse = || Ok((c.u8("subscribe.multi_id")?, c.u16("subscribe.msg_id")?));
        let (instance, id) = parse().map_err(broken(at))?;
        let name = std::str::from_utf8(&body[c.at()..]).map_err(|_| {
            broken(at)(DecodeError::NotUtf8 { field: "subscribe.message_name", at_byte: c.at() })
        })?;
        let limit = self.limits.metadata_bytes_max;
        let (layout, new_bytes) =
            self.formats.layout(name, limit).map_err(|problem| malformed(at, problem))?;
        self.charge(new_bytes, at)?;
        let topic = if instance == 0 { name.to_owned() } else { format!("{name}/{instance}") };
        let table = if layout.is_numeric { Table::Signals } else { Table::Raw };
        let slot_index = out.slot_index(&key(&topic, name), table);
        let view = View::of(name, &layout).map(|view| {
            let table = view.table();
            (view, out.slot_index(&key(&format!("{topic}/{table}"), name), table))
        });
        self.subscriptions.insert(id, Subscription { slot_index, layout, view });
        Ok(())
    }

    fn data(&mut self, body: &[u8], at: u64, out: &mut Collector) -> Result<(), ReadError> {
        let id = Cursor::packed(body).u16("data.msg_id").map_err(broken(at))?;
        let unknown = ReadError::UnknownChannel { channel_id: id.into(), offset_bytes: at };
        let Subscription { slot_index, layout, view } =
            self.subscriptions.get(&id).ok_or(unknown)?;
        let payload = &body[2..];
        let slot = out.slot(*slot_index);
        let message_index = slot.message_count;
        let explain = |source| ReadError::Message {
            topic: slot.channel.topic.clone(),
            message_type: slot.channel.message_type.clone(),
            message_index,
            offset_bytes: at,
            source,
        };
        layout.check_size(payload).map_err(explain)?;
        let stamp = |time_us: u64| {
            let time_ns = time_us.checked_mul(NS_PER_US).and_then(|ns| i64::try_from(ns).ok());
            time_ns.map(Timestamp).ok_or_else(|| ReadError::StampOutOfRange {
                topic: slot.channel.topic.clone(),
                message_index,
                time_ns: time_us.saturating_mul(NS_PER_US),
            })
        };
        let log = stamp(layout.time_us(payload))?;
        let sensor = layout.sample_time_us(payload).map(stamp).transpose()?;
        let stamps = Stamps { log, publish: None, sensor };
        self.last_time = self.last_time.max(log);
        slot.message_count += 1;
        if !layout.is_numeric {
            if let Samples::Raw(rows) = &mut slot.samples {
                rows.push(RawMessage { stamps, payload: payload.to_vec() });
            }
            return Ok(());
        }
        let (values, rounded_count) = layout.values(payload);
        self.rounded_count += rounded_count;
        let row = SignalSample { stamps, fields: Arc::clone(&layout.fields), values };
        if let Some(utc_us) = layout.utc_us(&row.values).filter(|_| !self.has_utc) {
            self.has_utc = true;
            let topic = out.slot(*slot_index).channel.topic.clone();
            let list = out.metadata.entry("ulog.utc_reference".to_owned()).or_default();
            list.insert("topic".to_owned(), topic);
            list.insert("log_time_ns".to_owned(), log.to_string());
            list.insert("utc_time_us".to_owned(), utc_us.to_string());
        }
        if let Some((view, index)) = view {
            let slot = out.slot(*index);
            slot.message_count += 1;
            view.push(&row, &mut slot.samples);
        }
        if let Samples::Signals(rows) = &mut out.slot(*slot_index).samples {
            rows.push(row);
        }
        Ok(())
    }

    /// A text of the autopilot: level, tag if there is one, microseconds, text.
    fn logged_string(
        &mut self,
        topic: &str,
        time_at: usize,
        body: &[u8],
        place: (u64, &mut Collector),
    ) -> Result<(), ReadError> {
        let (at, out) = place;
        self.in_data = true;
        let mut c = Cursor::packed(body);
        c.skip(time_at, "logged_string.log_level").map_err(broken(at))?;
        let time_us = c.u64("logged_string.timestamp").map_err(broken(at))?;
        let slot_index = out.slot_index(&key(topic, topic), Table::Raw);
        let slot = out.slot(slot_index);
        let time_ns = time_us.saturating_mul(NS_PER_US);
        let log = i64::try_from(time_ns).map(Timestamp).map_err(|_| {
            let (topic, message_index) = (topic.to_owned(), slot.message_count);
            ReadError::StampOutOfRange { topic, message_index, time_ns }
        })?;
        slot.message_count += 1;
        if let Samples::Raw(rows) = &mut slot.samples {
            let stamps = Stamps { log, publish: None, sensor: None };
            rows.push(RawMessage { stamps, payload: body.to_vec() });
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector) {
        if self.dropout_ms > 0 {
            let ms = self.dropout_ms;
            let file = out.metadata.entry("ulog".to_owned()).or_default();
            file.insert("dropout_ms".to_owned(), ms.to_string());
            out.warnings.push(format!(
                "the logger lost messages for {ms} ms in all; the channel `dropouts` says when"
            ));
        }
        if self.rounded_count > 0 {
            out.warnings.push(format!(
                "{} integers beyond 2^53 are rounded in `signals`; the original has them whole",
                self.rounded_count
            ));
        }
        for (kind, count) in &self.unknown_counts {
            out.warnings.push(format!("{count} records of the unknown type `{kind}` are left out"));
        }
    }
}

fn key(topic: &str, message_type: &str) -> ChannelKey {
    ChannelKey {
        topic: topic.to_owned(),
        message_type: message_type.to_owned(),
        encoding: "ulog".to_owned(),
    }
}

fn malformed(offset_bytes: u64, problem: impl Into<String>) -> ReadError {
    ReadError::Malformed { container: Container::Ulog, offset_bytes, problem: problem.into() }
}

fn broken(offset_bytes: u64) -> impl Fn(DecodeError) -> ReadError {
    move |error| malformed(offset_bytes, error.to_string())
}
