//! ROS 1 bag, version 2.0: chunks stored plain or compressed by bz2 or lz4.
//!
//! Invariant: one record (a chunk as a rule) is held at a time, as stored and as inflated. A
//! channel's rows come in file order, which is the recorder's.
//!
//! Read from front to back, so a bag without index (a recorder that was killed) reads as well;
//! of the index only its counts are looked at, to notice an end that was cut off.
//! A type is known by name and by the digest of its definition; a message type of a known name
//! with another digest has another layout and is kept raw.
//!
//! An own reader, because the crates of the field map or open files themselves, hold a whole
//! chunk index, trust lengths, and bring SQLite and Zstandard a second time.
//!
//! Source: the bag format 2.0 of ROS.

use std::{collections::BTreeMap, io::Read};

use tiepoint_model::{PayloadBase, Stamps, Timestamp, time::NS_PER_S};

use crate::{
    ChannelKey, DecodeError, Limits, ReadError,
    container::{
        Collector,
        intake::{self, Layout, Route},
    },
    message::{MessageKind, cursor::Cursor, decode::Arrival},
    reader::Container,
};

/// The first line of a bag.
pub(crate) const MAGIC: &[u8] = b"#ROSBAG V2.0\n";

/// Kinds of records, the field `op` of their headers.
mod op {
    pub(super) const MESSAGE: u8 = 2;
    pub(super) const BAG: u8 = 3;
    pub(super) const INDEX: u8 = 4;
    pub(super) const CHUNK: u8 = 5;
    pub(super) const CHUNK_INFO: u8 = 6;
    pub(super) const CONNECTION: u8 = 7;
}

pub(crate) struct BagReader {
    /// Bytes that no record has taken yet.
    pending: Vec<u8>,
    /// Where `pending` starts in the file.
    offset_bytes: u64,
    has_magic: bool,
    records: Records,
    limits: Limits,
}

/// What earlier records declared.
struct Records {
    connections: BTreeMap<u32, Connection>,
    inflated: Vec<u8>,
    definition_bytes: usize,
    /// The loss of the chunk just skipped, and the messages read of it before the damage.
    skipped_chunk: Option<(usize, u64)>,
    /// As the first record says; the index position is 0 in a bag that was not closed.
    promised: Option<Promised>,
    found: Found,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Promised {
    index_offset_bytes: u64,
    connection_count: u32,
    chunk_count: u32,
}

/// What the index section holds.
#[derive(Default)]
struct Found {
    connection_count: u32,
    chunk_count: u32,
}

#[derive(Clone, PartialEq)]
struct Connection {
    key: ChannelKey,
    digest: String,
    route: Route,
}

/// One record: its header's fields and its data.
struct Record<'a> {
    header: &'a [u8],
    data: &'a [u8],
}

/// Where a record lies.
#[derive(Clone, Copy)]
struct Place {
    /// Where it, or the chunk that holds it, starts in the file, and where that ends.
    record_offset_bytes: u64,
    record_end_bytes: u64,
    base: PayloadBase,
    /// Of the record's data, from the base.
    data_offset_bytes: u64,
}

impl BagReader {
    pub(crate) fn new(limits: Limits) -> Self {
        let records = Records {
            connections: BTreeMap::new(),
            inflated: Vec::new(),
            definition_bytes: 0,
            skipped_chunk: None,
            promised: None,
            found: Found::default(),
            limits,
        };
        Self { pending: Vec::new(), offset_bytes: 0, has_magic: false, records, limits }
    }

    /// Up to here every record was read or is a loss of its own.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.offset_bytes
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        // Small pieces keep the buffer near the size of one record whatever the size of a feed.
        const PIECE_BYTES: usize = 1 << 20;
        for piece in bytes.chunks(PIECE_BYTES) {
            if self.pending.is_empty() {
                let taken = self.advance(piece, out)?;
                self.pending.extend_from_slice(&piece[taken..]);
            } else {
                self.pending.extend_from_slice(piece);
                let pending = std::mem::take(&mut self.pending);
                let taken = self.advance(&pending, out)?;
                self.pending = pending;
                self.pending.drain(..taken);
            }
        }
        Ok(())
    }

    /// Reads every record that is complete; gives how many bytes they take.
    fn advance(&mut self, bytes: &[u8], out: &mut Collector) -> Result<usize, ReadError> {
        let mut taken = 0;
        if !self.has_magic {
            let seen = bytes.len().min(MAGIC.len());
            if bytes[..seen] != MAGIC[..seen] {
                let container = Container::Ros1Bag;
                return Err(ReadError::BadMagic { container, offset_bytes: 0 });
            }
            if seen < MAGIC.len() {
                return Ok(0);
            }
            self.has_magic = true;
            self.offset_bytes = MAGIC.len() as u64;
            taken = MAGIC.len();
        }
        while let Some((record, record_bytes)) = self.next_record(&bytes[taken..])? {
            let start = self.offset_bytes;
            let end = start + record_bytes as u64;
            let place = Place {
                record_offset_bytes: start,
                record_end_bytes: end,
                base: PayloadBase::File,
                data_offset_bytes: end - record.data.len() as u64,
            };
            self.records.read(&record, place, out)?;
            taken += record_bytes;
            self.offset_bytes = end;
        }
        Ok(taken)
    }

    /// The record at the front, if it is complete, with its size.
    fn next_record<'a>(&self, bytes: &'a [u8]) -> Result<Option<(Record<'a>, usize)>, ReadError> {
        let Some(header) = self.block(bytes, "a record's header")? else { return Ok(None) };
        let Some(data) = self.block(&bytes[4 + header.len()..], "a record")? else {
            return Ok(None);
        };
        let record_bytes = 8 + header.len() + data.len();
        Ok(Some((Record { header, data }, record_bytes)))
    }

    /// A length and as many bytes, if they are there.
    fn block<'a>(
        &self,
        bytes: &'a [u8],
        what: &'static str,
    ) -> Result<Option<&'a [u8]>, ReadError> {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length);
        let limit = self.limits.record_bytes_max;
        match usize::try_from(length) {
            Ok(length) if length <= limit => Ok(rest.get(..length)),
            _ => Err(too_large(what, self.offset_bytes, length.into(), limit)),
        }
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if self.offset_bytes == 0 && self.pending.is_empty() {
            return Err(ReadError::Empty);
        }
        let cut = |what| ReadError::Truncated {
            container: Container::Ros1Bag,
            what,
            offset_bytes: self.offset_bytes,
            source: None,
        };
        if !self.pending.is_empty() || !self.has_magic {
            return Err(cut("a record"));
        }
        let Some(promised) = self.records.promised else { return Err(cut("its first record")) };
        if promised.index_offset_bytes == 0 {
            out.warnings.push("the bag was not closed: its end may never have been written".into());
            return Ok(());
        }
        let Found { connection_count, chunk_count } = self.records.found;
        if (connection_count, chunk_count) != (promised.connection_count, promised.chunk_count) {
            return Err(cut("its index"));
        }
        Ok(())
    }
}

impl Records {
    /// Reads one record of the file.
    fn read(
        &mut self,
        record: &Record<'_>,
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let offset_bytes = place.record_offset_bytes;
        // A header that does not parse leaves no certain boundary.
        let fields = Fields::parse(record.header).map_err(broken(offset_bytes))?;
        if fields.op != Some(op::INDEX) {
            self.skipped_chunk = None;
        }
        let is_chunk = fields.op == Some(op::CHUNK);
        let before = if is_chunk { out.message_count() } else { 0 };
        let in_index = self.promised.is_some_and(|promised| {
            promised.index_offset_bytes != 0 && offset_bytes >= promised.index_offset_bytes
        });
        let read = match fields.op {
            Some(op::BAG) => self.read_bag_header(&fields, offset_bytes),
            Some(op::CHUNK) => self.read_chunk(&fields, record.data, place, out),
            Some(op::INDEX) => {
                self.count_skipped(&fields, out);
                Ok(())
            }
            Some(op::CHUNK_INFO) => {
                self.found.chunk_count += u32::from(in_index);
                Ok(())
            }
            _ => {
                self.found.connection_count +=
                    u32::from(in_index && fields.op == Some(op::CONNECTION));
                self.read_in_chunk(&fields, record.data, place, out)
            }
        };
        let Err(error) = read else { return Ok(()) };
        if fields.op.is_none() {
            return Err(error);
        }
        out.lose_or_refuse(error, Some(offset_bytes..place.record_end_bytes), None)?;
        if is_chunk {
            self.skipped_chunk = Some((out.losses.len() - 1, out.message_count() - before));
        }
        Ok(())
    }

    /// The indexes behind a chunk that was skipped say how many messages it held.
    fn count_skipped(&mut self, fields: &Fields<'_>, out: &mut Collector) {
        let Some((loss_index, kept)) = &mut self.skipped_chunk else { return };
        let count = u64::from(fields.count.unwrap_or(0));
        // Those that were read before the damage are not lost.
        let lost = count.saturating_sub(*kept);
        *kept -= count - lost;
        if let Some(loss) = out.losses.get_mut(*loss_index) {
            let sum = loss.message_count.unwrap_or(0).saturating_add(lost);
            loss.message_count = Some(sum);
        }
    }

    fn read_bag_header(&mut self, fields: &Fields<'_>, at: u64) -> Result<(), ReadError> {
        let (Some(index), Some(connections), Some(chunks)) =
            (fields.index_position, fields.connection_count, fields.chunk_count)
        else {
            return Err(malformed(at, "the first record lacks index_pos, conn_count, chunk_count"));
        };
        self.promised.get_or_insert(Promised {
            index_offset_bytes: index,
            connection_count: connections,
            chunk_count: chunks,
        });
        Ok(())
    }

    /// Reads one record of those that may lie inside a chunk.
    fn read_in_chunk(
        &mut self,
        fields: &Fields<'_>,
        data: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let at = place.record_offset_bytes;
        match fields.op {
            Some(op::MESSAGE) => self.read_message(fields, data, place, out),
            Some(op::CONNECTION) => self.read_connection(fields, data, at, out),
            Some(op::CHUNK) => Err(malformed(at, "a chunk lies inside a chunk")),
            Some(op) => Err(malformed(at, format!("a record is of the unknown kind {op}"))),
            None => Err(malformed(at, "a record does not say its kind")),
        }
    }

    fn read_connection(
        &mut self,
        fields: &Fields<'_>,
        data: &[u8],
        at: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let declared = Fields::parse(data).map_err(broken(at))?;
        let (Some(id), Some(topic), Some(message_type)) =
            (fields.connection, fields.topic, declared.message_type)
        else {
            return Err(malformed(at, "a connection lacks conn, topic or type"));
        };
        let digest = declared.digest.unwrap_or("*").to_owned();
        let encoding = "ros1".to_owned();
        let key =
            ChannelKey { topic: topic.to_owned(), message_type: message_type.to_owned(), encoding };
        if let Some(known) = self.connections.get(&id) {
            if (&known.key, &known.digest) != (&key, &digest) {
                return Err(malformed(at, format!("connection {id} is declared twice, not alike")));
            }
            return Ok(());
        }
        self.definition_bytes = self.definition_bytes.saturating_add(data.len());
        let limit = self.limits.metadata_bytes_max;
        if self.definition_bytes > limit {
            return Err(too_large("definitions", at, self.definition_bytes as u64, limit));
        }
        let text = declared.definition.unwrap_or_default();
        out.define(&key, "ros1msg", text.as_bytes());
        let is_as_known = MessageKind::of_name(message_type)
            .and_then(MessageKind::ros1_md5)
            .is_none_or(|known| known == digest || digest == "*");
        if !is_as_known {
            out.notes.push(format!(
                "`{topic}` is kept raw: its `{message_type}` is defined otherwise ({digest})"
            ));
        }
        let route = intake::route(out, &key, is_as_known.then_some(Layout::Packed));
        self.connections.insert(id, Connection { key, digest, route });
        Ok(())
    }

    fn read_message(
        &mut self,
        fields: &Fields<'_>,
        data: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let at = place.record_offset_bytes;
        let (Some(connection_id), Some(time)) = (fields.connection, fields.time) else {
            return Err(malformed(at, "a message lacks conn or time"));
        };
        let Some(connection) = self.connections.get(&connection_id) else {
            let error = ReadError::UnknownChannel { channel_id: connection_id, offset_bytes: at };
            return out.lose_or_refuse(error, Some(at..place.record_end_bytes), Some(1));
        };
        let arrival = Arrival {
            stamps: Stamps { log: time, publish: None, sensor: None },
            file_index: out.file_index,
            base: place.base,
            offset_bytes: place.data_offset_bytes,
            record_offset_bytes: at,
            record_end_bytes: place.record_end_bytes,
        };
        intake::take(out, connection.route, &arrival, data)
    }

    fn read_chunk(
        &mut self,
        fields: &Fields<'_>,
        stored: &[u8],
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let at = place.record_offset_bytes;
        let mut buffer = std::mem::take(&mut self.inflated);
        let (records, is_inflated) = open_chunk(fields, stored, at, (self.limits, &mut buffer))?;
        let (base, first) = match is_inflated {
            false => (place.base, place.data_offset_bytes),
            true => (PayloadBase::Chunk { chunk_offset_bytes: at }, 0),
        };
        let mut c = Cursor::packed(records);
        let mut read = Ok(());
        while read.is_ok() && c.left() > 0 {
            read = next_in_chunk(&mut c).map_err(broken(at)).and_then(|record| {
                let fields = Fields::parse(record.header).map_err(broken(at))?;
                let data_offset_bytes = first + (c.at() - record.data.len()) as u64;
                let place = Place { base, data_offset_bytes, ..place };
                self.read_in_chunk(&fields, record.data, place, out)
            });
        }
        self.inflated = buffer;
        read
    }
}

fn next_in_chunk<'a>(c: &mut Cursor<'a>) -> Result<Record<'a>, DecodeError> {
    let header_bytes = c.count(1, "record.header")?;
    let header = c.bytes(header_bytes, "record.header")?;
    let data_bytes = c.count(1, "record.data")?;
    Ok(Record { header, data: c.bytes(data_bytes, "record.data")? })
}

/// The records of a chunk, held against what it claims, and whether they were inflated, into `buffer`.
fn open_chunk<'a>(
    fields: &Fields<'_>,
    stored: &'a [u8],
    at: u64,
    (limits, buffer): (Limits, &'a mut Vec<u8>),
) -> Result<(&'a [u8], bool), ReadError> {
    let (Some(compression), Some(size_bytes)) = (fields.compression, fields.size_bytes) else {
        return Err(malformed(at, "a chunk lacks compression or size"));
    };
    let limit = limits.record_bytes_max;
    let size = usize::try_from(size_bytes)
        .ok()
        .filter(|size| *size <= limit)
        .ok_or_else(|| too_large("a chunk", at, size_bytes.into(), limit))?;
    let is_inflated = compression != "none";
    let records: &[u8] = if is_inflated {
        inflate(compression, stored, size, buffer).map_err(|problem| malformed(at, problem))?;
        buffer
    } else {
        stored
    };
    if records.len() != size {
        let problem = format!("a chunk holds {} bytes and claims {size}", records.len());
        return Err(malformed(at, problem));
    }
    Ok((records, is_inflated))
}

/// Inflates a compressed chunk into the buffer, given its record and where it starts.
pub(crate) fn inflate_chunk(
    header: &[u8],
    stored: &[u8],
    at: u64,
    (limits, buffer): (Limits, &mut Vec<u8>),
) -> Result<(), ReadError> {
    let fields = Fields::parse(header).map_err(broken(at))?;
    let is_chunk = fields.op == Some(op::CHUNK);
    match is_chunk && open_chunk(&fields, stored, at, (limits, buffer))?.1 {
        true => Ok(()),
        false => Err(malformed(at, "the record is no compressed chunk")),
    }
}

/// Inflates a chunk into `out`, at most one byte more than it claims.
fn inflate(compression: &str, stored: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    let most = size as u64 + 1;
    let inflated = match compression {
        "bz2" => bzip2::bufread::BzDecoder::new(stored).take(most).read_to_end(out),
        "lz4" => lz4::Decoder::new(stored).and_then(|decoder| decoder.take(most).read_to_end(out)),
        other => return Err(format!("a chunk is compressed by `{other}`, not by bz2 or lz4")),
    };
    inflated.map(|_| ()).map_err(|error| format!("a chunk does not inflate: {error}"))
}

/// The fields of a record's header, or of a connection's data, that anybody looks at.
#[derive(Default)]
struct Fields<'a> {
    op: Option<u8>,
    connection: Option<u32>,
    time: Option<Timestamp>,
    topic: Option<&'a str>,
    message_type: Option<&'a str>,
    digest: Option<&'a str>,
    definition: Option<&'a str>,
    compression: Option<&'a str>,
    size_bytes: Option<u32>,
    count: Option<u32>,
    index_position: Option<u64>,
    connection_count: Option<u32>,
    chunk_count: Option<u32>,
}

impl<'a> Fields<'a> {
    /// A field is a length, a name, an equal sign and a value; of two with one name the last wins.
    fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Self::default();
        let mut c = Cursor::packed(bytes);
        while c.left() > 0 {
            let length = c.count(1, "field")?;
            let field = c.bytes(length, "field")?;
            let end = field.iter().position(|byte| *byte == b'=');
            let end = end.ok_or_else(|| c.refuse("field", "there is no `=` in it"))?;
            let (name, value) = (&field[..end], &field[end + 1..]);
            fields.set(name, value).map_err(|problem| c.refuse("field", problem))?;
        }
        Ok(fields)
    }

    fn set(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), String> {
        match name {
            b"op" => self.op = Some(u8::from_le_bytes(number("op", value)?)),
            b"conn" => self.connection = Some(u32::from_le_bytes(number("conn", value)?)),
            b"time" => {
                let [s0, s1, s2, s3, n0, n1, n2, n3] = number("time", value)?;
                let seconds = i64::from(u32::from_le_bytes([s0, s1, s2, s3]));
                let nanoseconds = i64::from(u32::from_le_bytes([n0, n1, n2, n3]));
                // 32 bits of each: far inside 63.
                self.time = Some(Timestamp(seconds * NS_PER_S + nanoseconds));
            }
            b"topic" => self.topic = Some(text("topic", value)?),
            b"type" => self.message_type = Some(text("type", value)?),
            b"md5sum" => self.digest = Some(text("md5sum", value)?),
            // Comments in definitions are in any encoding: one that is not UTF-8 is left out.
            b"message_definition" => self.definition = std::str::from_utf8(value).ok(),
            b"compression" => self.compression = Some(text("compression", value)?),
            b"size" => self.size_bytes = Some(u32::from_le_bytes(number("size", value)?)),
            b"count" => self.count = Some(u32::from_le_bytes(number("count", value)?)),
            b"index_pos" => {
                self.index_position = Some(u64::from_le_bytes(number("index_pos", value)?));
            }
            b"conn_count" => {
                self.connection_count = Some(u32::from_le_bytes(number("conn_count", value)?));
            }
            b"chunk_count" => {
                self.chunk_count = Some(u32::from_le_bytes(number("chunk_count", value)?));
            }
            _ => {}
        }
        Ok(())
    }
}

fn number<const N: usize>(name: &str, value: &[u8]) -> Result<[u8; N], String> {
    value.try_into().map_err(|_| format!("`{name}` has {} bytes, not {N}", value.len()))
}

fn text<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, String> {
    std::str::from_utf8(value).map_err(|_| format!("`{name}` is not UTF-8"))
}

fn broken(offset_bytes: u64) -> impl Fn(DecodeError) -> ReadError {
    move |error| malformed(offset_bytes, error.to_string())
}

fn malformed(offset_bytes: u64, problem: impl Into<String>) -> ReadError {
    ReadError::Malformed { container: Container::Ros1Bag, offset_bytes, problem: problem.into() }
}

fn too_large(what: &'static str, offset_bytes: u64, size_bytes: u64, limit: usize) -> ReadError {
    ReadError::TooLarge { what, offset_bytes, size_bytes, limit_bytes: limit as u64 }
}
