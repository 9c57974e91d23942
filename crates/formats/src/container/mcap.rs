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
use tiepoint_model::{RawMessage, Stamps, Timestamp};

use crate::{
    ChannelKey, DecodeError, Limits, ReadError, Samples, Table,
    container::Collector,
    message::{MessageKind, cursor::Cursor, decode::decode},
    reader::Container,
};

/// Opcode and length before every record.
const RECORD_HEAD_BYTES: u64 = 9;

pub(crate) struct McapReader {
    framing: LinearReader,
    records: Records,
    /// Where the next record starts.
    offset_bytes: u64,
    fed_bytes: u64,
    limits: Limits,
}

/// What earlier records declared.
struct Records {
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Channel>,
    inflated: Vec<u8>,
    metadata_bytes: usize,
    attachment_count: u64,
    /// Behind the data section come copies of what was read.
    in_summary: bool,
    limits: Limits,
}

#[derive(Clone, PartialEq)]
struct Schema {
    name: String,
    encoding: String,
}

#[derive(Clone, Copy, PartialEq)]
struct Channel {
    slot_index: usize,
    decoder: Option<Decoder>,
}

#[derive(Clone, Copy, PartialEq)]
struct Decoder {
    kind: MessageKind,
    is_cdr: bool,
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
            in_summary: false,
            limits,
        };
        let framing = LinearReader::new_with_options(options);
        Self { framing, records, offset_bytes: 0, fed_bytes: 0, limits }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        // Small pieces keep the framing's buffer small whatever the size of a feed.
        const PIECE_BYTES: usize = 256 << 10;
        for piece in bytes.chunks(PIECE_BYTES) {
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
                    self.records.read(opcode, data, self.offset_bytes, out)?;
                    self.offset_bytes += RECORD_HEAD_BYTES + data.len() as u64;
                }
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if self.fed_bytes == 0 {
            return Err(ReadError::Empty);
        }
        self.framing.notify_read(0);
        if let Some(Err(error)) = self.framing.next_event() {
            return Err(self.explain(&error));
        }
        if self.records.attachment_count > 0 {
            let count = self.records.attachment_count;
            out.warnings.push(format!("{count} attachments are kept in the original only"));
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
        match opcode {
            op::CHUNK => self.read_chunk(data, offset_bytes, out),
            op::METADATA => self.read_metadata(data, offset_bytes, out),
            op::ATTACHMENT => {
                self.attachment_count += 1;
                Ok(())
            }
            op::DATA_END => {
                self.in_summary = true;
                Ok(())
            }
            _ => self.read_in_chunk(opcode, data, offset_bytes, out),
        }
    }

    /// Reads one record of those that may lie inside a chunk.
    fn read_in_chunk(
        &mut self,
        opcode: u8,
        data: &[u8],
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        match opcode {
            op::MESSAGE => self.read_message(data, offset_bytes, out),
            op::SCHEMA => self.read_schema(data, offset_bytes),
            op::CHANNEL => self.read_channel(data, offset_bytes, out),
            op::CHUNK => Err(malformed(offset_bytes, "a chunk lies inside a chunk")),
            _ => Ok(()),
        }
    }

    fn read_schema(&mut self, data: &[u8], offset_bytes: u64) -> Result<(), ReadError> {
        let parse = |c: &mut Cursor<'_>| {
            let id = c.u16("schema.id")?;
            let name = c.string("schema.name")?.to_owned();
            let encoding = c.string("schema.encoding")?.to_owned();
            Ok((id, Schema { name, encoding }))
        };
        let (id, schema) = parse(&mut Cursor::packed(data)).map_err(broken(offset_bytes))?;
        if id == 0 {
            return Err(malformed(offset_bytes, "a schema has the id 0, which means none"));
        }
        let known = self.schemas.entry(id).or_insert_with(|| schema.clone());
        if *known != schema {
            return Err(malformed(
                offset_bytes,
                format!("schema {id} is declared twice, not alike"),
            ));
        }
        Ok(())
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
        let none = Schema { name: String::new(), encoding: String::new() };
        let schema = match schema_id {
            0 => &none,
            _ => self.schemas.get(&schema_id).ok_or_else(|| ReadError::UnknownSchema {
                topic: topic.to_owned(),
                schema_id,
                offset_bytes,
            })?,
        };
        let decoder = match (encoding, schema.encoding.as_str()) {
            ("cdr", "ros2msg" | "ros2idl") => Some(true),
            ("ros1", "ros1msg") => Some(false),
            _ => None,
        }
        .and_then(|is_cdr| Some(Decoder { kind: MessageKind::of_name(&schema.name)?, is_cdr }));
        let key = ChannelKey {
            topic: topic.to_owned(),
            message_type: schema.name.clone(),
            encoding: encoding.to_owned(),
        };
        let table = decoder.map_or(Table::Raw, |decoder| decoder.kind.table());
        let channel = Channel { slot_index: out.slot_index(&key, table), decoder };
        if *self.channels.entry(id).or_insert(channel) != channel {
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
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let mut c = Cursor::packed(data);
        let parse = |c: &mut Cursor<'_>| {
            let channel_id = c.u16("message.channel_id")?;
            c.u32("message.sequence")?;
            Ok((channel_id, c.u64("message.log_time")?, c.u64("message.publish_time")?))
        };
        let (channel_id, log_ns, publish_ns) = parse(&mut c).map_err(broken(offset_bytes))?;
        let payload = &data[c.at()..];
        let channel = self
            .channels
            .get(&channel_id)
            .ok_or(ReadError::UnknownChannel { channel_id, offset_bytes })?;

        let slot = out.slot(channel.slot_index);
        let message_index = slot.message_count;
        let stamp = |time_ns: u64| {
            i64::try_from(time_ns).map(Timestamp).map_err(|_| ReadError::StampOutOfRange {
                topic: slot.channel.topic.clone(),
                message_index,
                time_ns,
            })
        };
        let stamps =
            Stamps { log: stamp(log_ns)?, publish: Some(stamp(publish_ns)?), sensor: None };
        match (channel.decoder, &mut slot.samples) {
            (Some(Decoder { kind, is_cdr }), rows) => {
                let cursor =
                    if is_cdr { Cursor::cdr(payload) } else { Ok(Cursor::packed(payload)) };
                cursor.and_then(|cursor| decode(kind, cursor, stamps, rows)).map_err(|source| {
                    ReadError::Message {
                        topic: slot.channel.topic.clone(),
                        message_type: slot.channel.message_type.clone(),
                        message_index,
                        offset_bytes,
                        source,
                    }
                })?;
            }
            (None, Samples::Raw(rows)) => {
                rows.push(RawMessage { stamps, payload: payload.to_vec() })
            }
            (None, _) => return Err(malformed(offset_bytes, "a raw channel has typed rows")),
        }
        slot.message_count += 1;
        Ok(())
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
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
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
        let limit = self.limits.record_bytes_max;
        let size = usize::try_from(size_bytes)
            .ok()
            .filter(|size| *size <= limit)
            .ok_or_else(|| too_large("a chunk", offset_bytes, size_bytes, limit))?;

        let mut buffer = std::mem::take(&mut self.inflated);
        let records: &[u8] = if compression.is_empty() {
            stored
        } else {
            inflate(compression, stored, size, &mut buffer)
                .map_err(|problem| malformed(offset_bytes, problem))?;
            &buffer
        };
        if records.len() != size {
            let problem = format!("a chunk holds {} bytes and claims {size}", records.len());
            return Err(malformed(offset_bytes, problem));
        }
        let calculated = crc32fast::hash(records);
        if saved != 0 && saved != calculated {
            return Err(checksum("a chunk", offset_bytes, saved, calculated));
        }
        self.read_chunk_records(records, offset_bytes, out)?;
        self.inflated = buffer;
        Ok(())
    }

    fn read_chunk_records(
        &mut self,
        records: &[u8],
        offset_bytes: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let mut c = Cursor::packed(records);
        while c.left() > 0 {
            let mut next = || {
                let opcode = c.u8("record.opcode")?;
                let length = usize::try_from(c.u64("record.length")?).unwrap_or(usize::MAX);
                Ok((opcode, c.bytes(length, "record in a chunk")?))
            };
            let (opcode, data) = next().map_err(broken(offset_bytes))?;
            self.read_in_chunk(opcode, data, offset_bytes, out)?;
        }
        Ok(())
    }
}

/// Inflates a chunk into `out`, at most one byte more than it claims.
fn inflate(compression: &str, stored: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    let most = size as u64 + 1;
    let inflated = match compression {
        "zstd" => zstd::stream::read::Decoder::with_buffer(stored)
            .and_then(|decoder| decoder.take(most).read_to_end(out)),
        "lz4" => lz4::Decoder::new(stored).and_then(|decoder| decoder.take(most).read_to_end(out)),
        other => return Err(format!("a chunk is compressed by `{other}`, not by zstd or lz4")),
    };
    inflated.map(|_| ()).map_err(|error| format!("a chunk does not inflate: {error}"))
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
