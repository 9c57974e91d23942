//! MCAP: framing and checksums by the `mcap` crate, records and messages by our own cursor.
//!
//! Invariant: one record or chunk is held at a time. A channel's rows come in file order, which
//! is the recorder's; MCAP does not promise that log times rise.
//!
//! Chunks are inflated here and not by `mcap`'s reader, which subtracts lengths of records in an
//! uncompressed chunk without a check and so panics on a damaged one.
//!
//! Not here: attachments, indexes and statistics, which say nothing that the messages do not.
//! Source: the MCAP specification, version 0.

use std::{collections::BTreeMap, io::Read};

use mcap::{
    McapError,
    records::op,
    sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions},
};
use tiepoint_model::{PayloadBase, Stamps, Timestamp};

use crate::{
    ChannelKey, DecodeError, Limits, ReadError,
    container::{
        Collector,
        intake::{self, Layout, Route},
    },
    message::{cursor::Cursor, decode::Arrival},
    reader::Container,
};

/// Opcode and length before every record.
const RECORD_HEAD_BYTES: u64 = 9;

/// The opcode of a chunk.
pub(crate) const CHUNK: u8 = op::CHUNK;

pub(crate) struct McapReader {
    framing: LinearReader,
    records: Records,
    /// Where the next record starts.
    offset_bytes: u64,
    fed_bytes: u64,
    /// What follows is the summary, which nobody needs.
    ended: bool,
    limits: Limits,
}

/// What earlier records declared.
struct Records {
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Route>,
    inflated: Vec<u8>,
    metadata_bytes: usize,
    attachment_count: u64,
    /// The loss of the chunk just skipped, and the messages read of it before the damage.
    skipped_chunk: Option<(usize, u64)>,
    definition_bytes: usize,
    /// Behind the data section come copies of what was read.
    in_summary: bool,
    limits: Limits,
}

#[derive(Clone, PartialEq)]
struct Schema {
    name: String,
    encoding: String,
    text: Vec<u8>,
}

/// Where a record lies.
#[derive(Clone, Copy)]
struct Place {
    /// Where it, or the chunk that holds it, starts in the file.
    record_offset_bytes: u64,
    /// Where that ends.
    record_end_bytes: u64,
    base: PayloadBase,
    /// Of the record's data, from the base.
    data_offset_bytes: u64,
}

impl McapReader {
    pub(crate) fn new(limits: Limits) -> Self {
        let options = LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_validate_data_section_crc(true)
            .with_validate_summary_section_crc(true)
            .with_check_finishes_after_end_magic(true)
            .with_record_length_limit(limits.record_bytes_max);
        let records = Records {
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            inflated: Vec::new(),
            metadata_bytes: 0,
            attachment_count: 0,
            skipped_chunk: None,
            definition_bytes: 0,
            in_summary: false,
            limits,
        };
        let framing = LinearReader::new_with_options(options);
        Self { framing, records, offset_bytes: 0, fed_bytes: 0, ended: false, limits }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        // Small pieces keep the framing's buffer small whatever the size of a feed.
        const PIECE_BYTES: usize = 256 << 10;
        for piece in bytes.chunks(PIECE_BYTES) {
            if self.ended {
                return Ok(());
            }
            self.framing.insert(piece.len()).copy_from_slice(piece);
            self.framing.notify_read(piece.len());
            self.fed_bytes += piece.len() as u64;
            self.advance(out)?;
        }
        Ok(())
    }

    /// Reads every record that is complete.
    fn advance(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        while let Some(event) = self.framing.next_event() {
            match event {
                Ok(LinearReadEvent::ReadRequest(_)) => return Ok(()),
                Ok(LinearReadEvent::Record { data, opcode }) => {
                    if self.offset_bytes == 0 {
                        self.offset_bytes = mcap::MAGIC.len() as u64;
                    }
                    let start = self.offset_bytes;
                    let end = start + RECORD_HEAD_BYTES + data.len() as u64;
                    self.records.read(opcode, data, start, out)?;
                    self.offset_bytes = end;
                }
                Err(McapError::BadDataCrc { .. }) if is_known_damage(out) => {
                    self.ended = true;
                    return Ok(());
                }
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(())
    }

    /// Up to here every record was read or is a loss of its own.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.offset_bytes
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if self.fed_bytes == 0 {
            return Err(ReadError::Empty);
        }
        if !self.ended {
            self.framing.notify_read(0);
            if let Some(Err(error)) = self.framing.next_event() {
                return Err(self.explain(&error));
            }
        }
        if self.records.attachment_count > 0 {
            let count = self.records.attachment_count;
            out.notes.push(format!("{count} attachments are kept in the original only"));
        }
        Ok(())
    }

    fn explain(&self, error: &McapError) -> ReadError {
        let container = Container::Mcap;
        let is_start = matches!(error, McapError::BadMagic) || self.offset_bytes > 0;
        let offset_bytes = if is_start { self.offset_bytes } else { mcap::MAGIC.len() as u64 };
        match error {
            McapError::UnexpectedEof => ReadError::Truncated {
                container,
                what: "a record",
                offset_bytes: self.fed_bytes,
                source: None,
            },
            McapError::BadMagic => ReadError::BadMagic { container, offset_bytes },
            McapError::BadDataCrc { saved, calculated } => {
                checksum("the data section", offset_bytes, *saved, *calculated)
            }
            McapError::BadSummaryCrc { saved, calculated } => {
                checksum("the summary section", offset_bytes, *saved, *calculated)
            }
            McapError::RecordTooLarge { len, .. } | McapError::ChunkTooLarge(len) => {
                too_large("a record", offset_bytes, *len, self.limits.record_bytes_max)
            }
            error => malformed(offset_bytes, error.to_string()),
        }
    }
}

impl Records {
    /// Reads one record of the file. `offset_bytes` is where it starts.
    fn read(
        &mut self,
        opcode: u8,
        data: &[u8],
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        if self.in_summary {
            return Ok(());
        }
        let record_end_bytes = offset_bytes + RECORD_HEAD_BYTES + data.len() as u64;
        let place = Place {
            record_offset_bytes: offset_bytes,
            record_end_bytes,
            base: PayloadBase::File,
            data_offset_bytes: offset_bytes + RECORD_HEAD_BYTES,
        };
        if opcode != op::MESSAGE_INDEX {
            self.skipped_chunk = None;
        }
        let before = if opcode == op::CHUNK { out.message_count() } else { 0 };
        let read = match opcode {
            op::CHUNK => self.read_chunk(data, place, out),
            op::METADATA => self.read_metadata(data, offset_bytes, out),
            op::MESSAGE_INDEX => {
                self.count_skipped(data, out);
                Ok(())
            }
            op::ATTACHMENT => {
                self.attachment_count += 1;
                Ok(())
            }
            op::DATA_END => {
                self.in_summary = true;
                Ok(())
            }
            _ => self.read_in_chunk(opcode, data, place, out),
        };
        let Err(error) = read else { return Ok(()) };
        out.lose_or_refuse(error, Some(offset_bytes..record_end_bytes), None)?;
        if opcode == op::CHUNK {
            self.skipped_chunk = Some((out.losses.len() - 1, out.message_count() - before));
        }
        Ok(())
    }

    /// The indexes behind a chunk that was skipped say how many messages it held.
    fn count_skipped(&mut self, data: &[u8], out: &mut Collector) {
        const ENTRY_BYTES: u64 = 16;
        let Some((loss_index, kept)) = &mut self.skipped_chunk else { return };
        let mut c = Cursor::packed(data);
        let length = c.u16("index.channel_id").and_then(|_| c.u32("index.records"));
        let count = length.map_or(0, |length| u64::from(length) / ENTRY_BYTES);
        // Those that were read before the damage are not lost.
        let lost = count.saturating_sub(*kept);
        *kept -= count - lost;
        if let Some(loss) = out.losses.get_mut(*loss_index) {
            *loss.message_count.get_or_insert(0) += lost;
        }
    }

    /// Reads one record of those that may lie inside a chunk.
    fn read_in_chunk(
        &mut self,
        opcode: u8,
        data: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let offset_bytes = place.record_offset_bytes;
        match opcode {
            op::MESSAGE => self.read_message(data, place, out),
            op::SCHEMA => self.read_schema(data, offset_bytes),
            op::CHANNEL => self.read_channel(data, offset_bytes, out),
            op::CHUNK => Err(malformed(offset_bytes, "a chunk lies inside a chunk")),
            0 => Err(malformed(offset_bytes, "a record has the kind 0, which there is not")),
            _ => Ok(()),
        }
    }

    fn read_schema(&mut self, data: &[u8], offset_bytes: u64) -> Result<(), ReadError> {
        let parse = |c: &mut Cursor<'_>| {
            let id = c.u16("schema.id")?;
            let name = c.string("schema.name")?.to_owned();
            let encoding = c.string("schema.encoding")?.to_owned();
            let count = c.count(1, "schema.data")?;
            let text = c.bytes(count, "schema.data")?.to_vec();
            Ok((id, Schema { name, encoding, text }))
        };
        let (id, schema) = parse(&mut Cursor::packed(data)).map_err(broken(offset_bytes))?;
        if id == 0 {
            return Err(malformed(offset_bytes, "a schema has the id 0, which means none"));
        }
        match self.schemas.get(&id) {
            None => {
                self.definition_bytes = self.definition_bytes.saturating_add(data.len());
                let limit = self.limits.metadata_bytes_max;
                if self.definition_bytes > limit {
                    let size_bytes = self.definition_bytes as u64;
                    return Err(too_large("definitions", offset_bytes, size_bytes, limit));
                }
                self.schemas.insert(id, schema);
                Ok(())
            }
            Some(known) if *known == schema => Ok(()),
            Some(_) => {
                let problem = format!("schema {id} is declared twice, not alike");
                Err(malformed(offset_bytes, problem))
            }
        }
    }

    fn read_channel(
        &mut self,
        data: &[u8],
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let mut c = Cursor::packed(data);
        let mut parse = || {
            let (id, schema_id) = (c.u16("channel.id")?, c.u16("channel.schema_id")?);
            Ok((id, schema_id, c.string("channel.topic")?, c.string("channel.message_encoding")?))
        };
        let (id, schema_id, topic, encoding) = parse().map_err(broken(offset_bytes))?;
        let none = Schema { name: String::new(), encoding: String::new(), text: Vec::new() };
        let schema = match (schema_id, self.schemas.get(&schema_id)) {
            (0, _) => &none,
            (_, Some(schema)) => schema,
            (_, None) => {
                let topic = topic.to_owned();
                let error = ReadError::UnknownSchema { topic, schema_id, offset_bytes };
                out.lose_or_refuse(error, None, Some(0))?;
                &none
            }
        };
        let layout = match (encoding, schema.encoding.as_str()) {
            ("cdr", "ros2msg" | "ros2idl") => Some(Layout::Cdr),
            ("ros1", "ros1msg") => Some(Layout::Packed),
            _ => None,
        };
        let key = ChannelKey {
            topic: topic.to_owned(),
            message_type: schema.name.clone(),
            encoding: encoding.to_owned(),
        };
        out.define(&key, &schema.encoding, &schema.text);
        let route = intake::route(out, &key, layout);
        if *self.channels.entry(id).or_insert(route) != route {
            return Err(malformed(
                offset_bytes,
                format!("channel {id} is declared twice, not alike"),
            ));
        }
        Ok(())
    }

    fn read_message(
        &mut self,
        data: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let offset_bytes = place.record_offset_bytes;
        let mut c = Cursor::packed(data);
        let parse = |c: &mut Cursor<'_>| {
            let channel_id = c.u16("message.channel_id")?;
            c.u32("message.sequence")?;
            Ok((channel_id, c.u64("message.log_time")?, c.u64("message.publish_time")?))
        };
        let (channel_id, log_ns, publish_ns) = parse(&mut c).map_err(broken(offset_bytes))?;
        let record = Some(offset_bytes..place.record_end_bytes);
        let Some(route) = self.channels.get(&channel_id).copied() else {
            let error = ReadError::UnknownChannel { channel_id: channel_id.into(), offset_bytes };
            return out.lose_or_refuse(error, record, Some(1));
        };
        let stamp = |time_ns: u64| i64::try_from(time_ns).map(Timestamp);
        let (Ok(log), Ok(publish)) = (stamp(log_ns), stamp(publish_ns)) else {
            let (topic, message_index) = intake::next_message(out, route);
            let time_ns = log_ns.max(publish_ns);
            let error = ReadError::StampOutOfRange { topic, message_index, time_ns };
            return out.lose_or_refuse(error, record, Some(1));
        };
        let arrival = Arrival {
            stamps: Stamps { log, publish: Some(publish), sensor: None },
            file_index: out.file_index,
            base: place.base,
            offset_bytes: place.data_offset_bytes + c.at() as u64,
            record_offset_bytes: offset_bytes,
            record_end_bytes: place.record_end_bytes,
        };
        intake::take(out, route, &arrival, &data[c.at()..])
    }

    fn read_metadata(
        &mut self,
        data: &[u8],
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        self.metadata_bytes = self.metadata_bytes.saturating_add(data.len());
        if self.metadata_bytes > self.limits.metadata_bytes_max {
            let size_bytes = self.metadata_bytes as u64;
            let limit = self.limits.metadata_bytes_max;
            return Err(too_large("metadata", offset_bytes, size_bytes, limit));
        }
        let mut parse = |c: &mut Cursor<'_>| {
            let values = out.metadata.entry(c.string("metadata.name")?.to_owned()).or_default();
            let map_bytes = c.count(1, "metadata.metadata")?;
            let end = c.at() + map_bytes;
            while c.at() < end {
                let key = c.string("metadata.key")?.to_owned();
                values.insert(key, c.string("metadata.value")?.to_owned());
            }
            Ok(())
        };
        parse(&mut Cursor::packed(data)).map_err(broken(offset_bytes))
    }

    fn read_chunk(
        &mut self,
        data: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let offset_bytes = place.record_offset_bytes;
        let mut buffer = std::mem::take(&mut self.inflated);
        let Chunk { compression, records, stored_bytes } =
            open_chunk(data, offset_bytes, self.limits, &mut buffer)?;
        // Uncompressed records lie in the file itself.
        let at_stored = RECORD_HEAD_BYTES + (data.len() - stored_bytes) as u64;
        let (base, data_offset_bytes) = match compression {
            "" => (PayloadBase::File, offset_bytes + at_stored),
            _ => (PayloadBase::Chunk { chunk_offset_bytes: offset_bytes }, 0),
        };
        let read =
            self.read_chunk_records(records, Place { base, data_offset_bytes, ..place }, out);
        self.inflated = buffer;
        read
    }

    fn read_chunk_records(
        &mut self,
        records: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let offset_bytes = place.record_offset_bytes;
        let mut c = Cursor::packed(records);
        while c.left() > 0 {
            let mut next = || {
                let opcode = c.u8("record.opcode")?;
                let length = usize::try_from(c.u64("record.length")?).unwrap_or(usize::MAX);
                Ok((opcode, c.bytes(length, "record in a chunk")?))
            };
            let (opcode, data) = next().map_err(broken(offset_bytes))?;
            let behind = (c.at() - data.len()) as u64;
            let data_offset_bytes = place.data_offset_bytes + behind;
            self.read_in_chunk(opcode, data, Place { data_offset_bytes, ..place }, out)?;
        }
        Ok(())
    }
}

/// Behind a chunk that was skipped the checksum over all chunks says nothing new.
fn is_known_damage(out: &Collector) -> bool {
    out.losses.iter().any(|loss| loss.file_index == out.file_index)
}

/// A chunk, inflated and held against what it claims.
struct Chunk<'a> {
    compression: &'a str,
    records: &'a [u8],
    stored_bytes: usize,
}

/// Opens a chunk record, given its data and where it starts; `buffer` takes what is inflated.
fn open_chunk<'a>(
    data: &'a [u8],
    offset_bytes: u64,
    limits: Limits,
    buffer: &'a mut Vec<u8>,
) -> Result<Chunk<'a>, ReadError> {
    let mut c = Cursor::packed(data);
    let mut parse = || {
        c.skip(16, "chunk.start_and_end_time")?;
        let size_bytes = c.u64("chunk.uncompressed_size")?;
        let crc = c.u32("chunk.uncompressed_crc")?;
        let compression = c.string("chunk.compression")?;
        let stored_bytes = usize::try_from(c.u64("chunk.compressed_size")?);
        let stored = c.bytes(stored_bytes.unwrap_or(usize::MAX), "chunk.records")?;
        Ok((size_bytes, crc, compression, stored))
    };
    let (size_bytes, saved, compression, stored) = parse().map_err(broken(offset_bytes))?;
    let limit = limits.record_bytes_max;
    let size = usize::try_from(size_bytes)
        .ok()
        .filter(|size| *size <= limit)
        .ok_or_else(|| too_large("a chunk", offset_bytes, size_bytes, limit))?;

    let records: &[u8] = if compression.is_empty() {
        stored
    } else {
        inflate(compression, stored, size, buffer)
            .map_err(|problem| malformed(offset_bytes, problem))?;
        buffer
    };
    if records.len() != size {
        let problem = format!("a chunk holds {} bytes and claims {size}", records.len());
        return Err(malformed(offset_bytes, problem));
    }
    let calculated = crc32fast::hash(records);
    if saved != 0 && saved != calculated {
        return Err(checksum("a chunk", offset_bytes, saved, calculated));
    }
    Ok(Chunk { compression, records, stored_bytes: stored.len() })
}

/// Inflates a compressed chunk into `out`, given its record's data and where it starts.
pub(crate) fn inflate_chunk(
    data: &[u8],
    offset_bytes: u64,
    limits: Limits,
    out: &mut Vec<u8>,
) -> Result<(), ReadError> {
    match open_chunk(data, offset_bytes, limits, out)?.compression {
        "" => Err(malformed(offset_bytes, "the chunk is not compressed")),
        _ => Ok(()),
    }
}

/// Inflates a chunk into `out`, at most one byte more than it claims.
fn inflate(compression: &str, stored: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    if compression == "zstd" && inflate_at_once(stored, size, out) {
        return Ok(());
    }
    let most = size as u64 + 1;
    let inflated = match compression {
        "zstd" => zstd::stream::read::Decoder::with_buffer(stored)
            .and_then(|decoder| decoder.take(most).read_to_end(out)),
        "lz4" => lz4::Decoder::new(stored).and_then(|decoder| decoder.take(most).read_to_end(out)),
        other => return Err(format!("a chunk is compressed by `{other}`, not by zstd or lz4")),
    };
    inflated.map(|_| ()).map_err(|error| format!("a chunk does not inflate: {error}"))
}

/// Inflates straight into `out`, without the copy that a stream makes; `false` leaves it empty.
///
/// Only if what is claimed is believable, so that a lie costs no memory; who claims more, or
/// lies, goes the way of the stream, which says what is wrong.
fn inflate_at_once(stored: &[u8], size: usize, out: &mut Vec<u8>) -> bool {
    const RATIO_MAX: usize = 16;
    if size > stored.len().saturating_mul(RATIO_MAX) {
        return false;
    }
    out.reserve_exact(size);
    let inflated = zstd::bulk::Decompressor::new()
        .and_then(|mut decompressor| decompressor.decompress_to_buffer(stored, out));
    let is_whole = inflated.is_ok_and(|count| count == size);
    if !is_whole {
        out.clear();
    }
    is_whole
}

fn broken(offset_bytes: u64) -> impl Fn(DecodeError) -> ReadError {
    move |error| malformed(offset_bytes, error.to_string())
}

fn malformed(offset_bytes: u64, problem: impl Into<String>) -> ReadError {
    ReadError::Malformed { container: Container::Mcap, offset_bytes, problem: problem.into() }
}

fn checksum(what: &'static str, offset_bytes: u64, saved: u32, calculated: u32) -> ReadError {
    ReadError::BadChecksum { what, offset_bytes, saved, calculated }
}

fn too_large(what: &'static str, offset_bytes: u64, size_bytes: u64, limit: usize) -> ReadError {
    ReadError::TooLarge { what, offset_bytes, size_bytes, limit_bytes: limit as u64 }
}
