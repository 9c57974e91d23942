//! The records of a ULog, and what earlier ones declared.
//!
//! Invariant: what definitions hold is counted before it is kept.

use std::{collections::BTreeMap, sync::Arc};

use tiepoint_model::{RawMessage, SignalField, SignalSample, Stamps, Timestamp};

use super::{
    NS_PER_US, RECORD_HEAD_BYTES, broken,
    format::{Formats, Layout},
    info, malformed,
    view::View,
};
use crate::{
    ChannelKey, DecodeError, Limits, ReadError, Samples, Table, container::Collector,
    message::cursor::Cursor,
};

const SYNC_MAGIC: &[u8] = &[0x2f, 0x73, 0x13, 0x20, 0x25, 0x0c, 0xbb, 0x12];
/// What one definition costs beyond its own bytes: map entries, a channel.
const DEFINITION_BYTES: usize = 512;

/// What earlier records declared.
pub(super) struct Records {
    formats: Formats,
    subscriptions: BTreeMap<u16, Subscription>,
    /// Behind it no flag bits may come.
    record_count: u64,
    /// The data section has begun: parameters are changes from here on.
    in_data: bool,
    /// Where records start again behind a tail that may be cut, rising.
    pub(super) appended_at: Vec<u64>,
    /// The latest so far: changes and dropouts carry none of their own.
    pub(super) last_time: Timestamp,
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

impl Records {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
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
        }
    }

    /// Reads one record. `at` is where it starts.
    pub(super) fn read(
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
        let Subscription { slot_index, layout, view } = self
            .subscriptions
            .get(&id)
            .ok_or_else(|| ReadError::UnknownChannel { channel_id: id.into(), offset_bytes: at })?;
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

    pub(super) fn finish(&mut self, out: &mut Collector) {
        if self.dropout_ms > 0 {
            let ms = self.dropout_ms;
            let file = out.metadata.entry("ulog".to_owned()).or_default();
            file.insert("dropout_ms".to_owned(), ms.to_string());
            out.notes.push(format!(
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
