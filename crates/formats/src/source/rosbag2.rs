//! The SQLite storage of rosbag2: topics and messages of one `.db3`, in order of time and id.
//!
//! Invariant: the database is never written; how it is opened is in [`connection`].
//!
//! Rows are fetched in pages behind the last (time, id), which the index that rosbag2 makes
//! gives in order; without that index SQLite sorts the ids, never the messages. If damage is to
//! be kept quiet and gives no row in that order, rows come by id, which needs the table alone.
//! A message longer than the limit is refused before it is loaded.
//!
//! Source: `rosbag2_storage_sqlite3`, schemas 1 to 4.

mod connection;

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, types::ValueRef};
use tiepoint_model::{PayloadBase, Stamps, Timestamp};

use crate::{
    ChannelKey, Damage, Limits, ReadError,
    container::{
        Collector,
        intake::{self, Layout, Route},
    },
    message::decode::Arrival,
};

/// So many rows, or so many bytes of messages, make one page.
const PAGE_ROWS: usize = 4096;
const PAGE_BYTES: usize = 1 << 20;

/// Ahead of every row.
const NOTHING_READ: (i64, i64) = (i64::MIN, i64::MIN);

pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
    topics: Option<BTreeMap<i64, Topic>>,
    /// What is asked for as the message: its length if it may be above the limit, and is.
    message: String,
    /// The last row that was read: its time and id.
    last: (i64, i64),
    /// Without an index on the time: every id in order, and how many were read.
    sorted_ids: Option<(Vec<i64>, usize)>,
    order: Order,
    compresses_messages: bool,
    has_log_beside: bool,
    inflated: Vec<u8>,
    limits: Limits,
}

struct Topic {
    route: Route,
    name: String,
}

/// In which order rows are asked for.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Time,
    /// Behind damage.
    Id,
}

/// What one page ended with.
enum Page {
    More,
    End,
}

impl Database {
    /// Opens a database to read all its rows.
    pub(super) fn open(
        path: &Path,
        limits: Limits,
        damage: Damage,
        compresses_messages: bool,
    ) -> Result<Self, ReadError> {
        let whole = connection::whole(path, limits.record_bytes_max);
        let is_whole = whole.is_some();
        let connection = whole.map_or_else(|| connection::of_file(path), Ok);
        let mut database = Self::of(connection, path, limits, damage)?;
        database.compresses_messages = compresses_messages;
        if is_whole {
            // No message is longer than its database, and that one is within the limit.
            "data".clone_into(&mut database.message);
        }
        Ok(database)
    }

    /// Opens a database to read single messages of it, whatever of it is damaged.
    pub(super) fn open_for_messages(path: &Path, limits: Limits) -> Result<Self, ReadError> {
        Self::of(connection::of_file(path), path, limits, Damage::Keep)
    }

    fn of(
        connection: rusqlite::Result<Connection>,
        path: &Path,
        limits: Limits,
        damage: Damage,
    ) -> Result<Self, ReadError> {
        let connection = connection.and_then(|opened| connection::prepare(opened, damage));
        let connection = connection.map_err(|source| ReadError::Database {
            path: path.to_owned(),
            place: "its header".into(),
            source: Box::new(source),
            may_recover: damage == Damage::Refuse,
        })?;
        let limit = limit_of(limits);
        let message = format!("CASE WHEN length(data) > {limit} THEN length(data) ELSE data END");
        Ok(Self {
            path: path.to_owned(),
            connection,
            topics: None,
            message,
            last: NOTHING_READ,
            sorted_ids: None,
            order: Order::Time,
            compresses_messages: false,
            has_log_beside: connection::has_log_beside(path),
            inflated: Vec::new(),
            limits,
        })
    }

    /// What a person should know of the way it was opened.
    pub(super) fn warning(&self) -> Option<String> {
        self.has_log_beside.then(|| {
            format!(
                "`{}` has a write-ahead log beside it: its recorder may still be writing, and \
                 the file alone is not the whole recording",
                self.path.display()
            )
        })
    }

    /// Reads the next page of rows; `false` at the end.
    pub(super) fn read_some(&mut self, out: &mut Collector) -> Result<bool, ReadError> {
        match self.read_page(out) {
            Ok(Page::More) => Ok(true),
            Ok(Page::End) => Ok(false),
            Err(ReadError::Database { .. })
                if out.damage == Damage::Keep
                    && self.topics.is_some()
                    && self.last == NOTHING_READ
                    && self.order == Order::Time =>
            {
                (self.order, self.sorted_ids) = (Order::Id, None);
                let path = self.path.display();
                out.notes.push(format!("`{path}` is read by id: its index is broken"));
                Ok(true)
            }
            Err(error @ ReadError::Database { .. })
                if out.damage == Damage::Keep && out.message_count() > 0 =>
            {
                // SQLite cannot go on behind a broken page; how much lies there nobody knows.
                out.lose_or_refuse(error, None, None)?;
                Ok(false)
            }
            Err(ReadError::Database { path, place, source, .. }) => {
                let may_recover = out.damage == Damage::Refuse;
                Err(ReadError::Database { path, place, source, may_recover })
            }
            Err(error) => Err(error),
        }
    }

    /// The message of a row, inflated if it was compressed by itself; `false` if there is none, or none within the
    /// limit.
    ///
    /// CDR begins with a zero byte and a Zstandard frame does not, so the message itself says what it is.
    pub(super) fn read_message(
        &mut self,
        row_id: i64,
        out: &mut Vec<u8>,
    ) -> Result<bool, ReadError> {
        const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        let failed = |source| self.broken(&format!("the message of id {row_id}"))(source);
        let limit = limit_of(self.limits);
        let sql = "SELECT data FROM messages WHERE id = ?1 AND length(data) <= ?2";
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query((row_id, limit)).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else { return Ok(false) };
        let ValueRef::Blob(stored) = row.get_ref(0).map_err(failed)? else { return Ok(false) };
        if stored.starts_with(&ZSTD_MAGIC) {
            let refuse = |problem: String| ReadError::NotRosbag2 {
                path: self.path.clone(),
                problem: format!("the message of id {row_id} {problem}"),
            };
            inflate(stored, self.limits.record_bytes_max, out).map_err(refuse)?;
        } else {
            out.clear();
            out.extend_from_slice(stored);
        }
        Ok(true)
    }

    fn broken(&self, place: &str) -> impl Fn(rusqlite::Error) -> ReadError + use<> {
        let (path, place) = (self.path.clone(), place.to_owned());
        let may_recover = true;
        move |source| {
            let (path, place, source) = (path.clone(), place.clone(), Box::new(source));
            ReadError::Database { path, place, source, may_recover }
        }
    }

    fn read_page(&mut self, out: &mut Collector) -> Result<Page, ReadError> {
        let topics = match self.topics.take() {
            Some(topics) => topics,
            None => self.read_topics(out)?,
        };
        let read = self.read_rows(&topics, out);
        self.topics = Some(topics);
        read
    }

    fn read_rows(
        &mut self,
        topics: &BTreeMap<i64, Topic>,
        out: &mut Collector,
    ) -> Result<Page, ReadError> {
        let is_start = self.last == NOTHING_READ && self.sorted_ids.is_none();
        if self.order == Order::Time && is_start && !self.has_time_index()? {
            self.sorted_ids = Some((self.ids_in_order()?, 0));
        }
        match self.sorted_ids.is_some() {
            true => self.read_by_id(topics, out),
            false => self.read_in_order(topics, out),
        }
    }

    /// Tables, topics and definitions.
    fn read_topics(&mut self, out: &mut Collector) -> Result<BTreeMap<i64, Topic>, ReadError> {
        let tables = self.names("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        for needed in ["topics", "messages"] {
            if !tables.iter().any(|table| table == needed) {
                let problem = format!("the database is no rosbag2: it has no table `{needed}`");
                return Err(ReadError::NotRosbag2 { path: self.path.clone(), problem });
            }
        }
        let definitions = match tables.iter().any(|table| table == "message_definitions") {
            true => self.definitions()?,
            false => BTreeMap::new(),
        };
        let failed = self.broken("table `topics`");
        let sql = "SELECT id, name, type, serialization_format FROM topics ORDER BY id";
        let mut statement = self.connection.prepare(sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut topics = BTreeMap::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let id: i64 = row.get(0).map_err(&failed)?;
            let key = ChannelKey {
                topic: row.get(1).map_err(&failed)?,
                message_type: row.get(2).map_err(&failed)?,
                encoding: row.get(3).map_err(&failed)?,
            };
            if let Some((language, text)) = definitions.get(&key.message_type) {
                out.define(&key, language, text.as_bytes());
            }
            let layout = (key.encoding == "cdr").then_some(Layout::Cdr);
            topics.insert(id, Topic { route: intake::route(out, &key, layout), name: key.topic });
        }
        drop(rows);
        drop(statement);
        Ok(topics)
    }

    fn names(&self, sql: &str) -> Result<Vec<String>, ReadError> {
        let failed = self.broken("its tables");
        let mut statement = self.connection.prepare(sql).map_err(&failed)?;
        let names = statement.query_map([], |row| row.get(0)).map_err(&failed)?;
        names.collect::<Result<_, _>>().map_err(&failed)
    }

    /// Language and text by type, of schema 4 and later.
    fn definitions(&self) -> Result<BTreeMap<String, (String, String)>, ReadError> {
        let failed = self.broken("table `message_definitions`");
        let sql = "SELECT topic_type, encoding, encoded_message_definition \
                   FROM message_definitions \
                   WHERE length(encoded_message_definition) <= ?1";
        let mut statement = self.connection.prepare(sql).map_err(&failed)?;
        let limit = i64::try_from(self.limits.metadata_bytes_max).unwrap_or(i64::MAX);
        let rows =
            statement.query_map([limit], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
        rows.map_err(&failed)?.collect::<Result<_, _>>().map_err(&failed)
    }

    fn has_time_index(&self) -> Result<bool, ReadError> {
        let sql = "SELECT ii.name FROM pragma_index_list('messages') AS il \
                   JOIN pragma_index_info(il.name) AS ii ON ii.seqno = 0 \
                   WHERE il.partial = 0";
        Ok(self.names(sql)?.iter().any(|column| column == "timestamp"))
    }

    fn ids_in_order(&self) -> Result<Vec<i64>, ReadError> {
        const ID_BYTES: usize = 8;
        let failed = self.broken("table `messages`");
        let sql = "SELECT id FROM messages ORDER BY timestamp, id";
        let mut statement = self.connection.prepare(sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let limit = self.limits.record_bytes_max;
            if ids.len() >= limit / ID_BYTES {
                return Err(ReadError::TooLarge {
                    what: "a table of messages without an index",
                    offset_bytes: 0,
                    size_bytes: (ids.len() * ID_BYTES) as u64,
                    limit_bytes: limit as u64,
                });
            }
            ids.push(row.get(0).map_err(&failed)?);
        }
        Ok(ids)
    }

    fn read_in_order(
        &mut self,
        topics: &BTreeMap<i64, Topic>,
        out: &mut Collector,
    ) -> Result<Page, ReadError> {
        let (time_ns, id) = self.last;
        let failed = self.broken(&format!("the message behind id {id}"));
        let behind = match self.order {
            Order::Time => {
                "timestamp >= ?1 AND NOT (timestamp = ?1 AND id <= ?2) ORDER BY timestamp, id"
            }
            // The time is named so that both questions take the same three values.
            Order::Id => "id > ?2 AND ?1 = ?1 ORDER BY id",
        };
        let message = &self.message;
        let sql = format!(
            "SELECT id, topic_id, timestamp, {message} FROM messages WHERE {behind} LIMIT ?3"
        );
        let mut statement = self.connection.prepare(&sql).map_err(&failed)?;
        let mut rows = statement.query((time_ns, id, PAGE_ROWS as i64)).map_err(&failed)?;
        let (mut count, mut bytes) = (0, 0);
        let mut last = self.last;
        let mut inflated = std::mem::take(&mut self.inflated);
        let context = Context { path: &self.path, limits: self.limits, topics };
        while count < PAGE_ROWS && bytes < PAGE_BYTES {
            let behind_last =
                |source| self.broken(&format!("the message behind id {}", last.1))(source);
            let Some(row) = rows.next().map_err(behind_last)? else { break };
            let into = self.compresses_messages.then_some(&mut inflated);
            let read = context.take(row, into, out)?;
            last = (read.time_ns, read.id);
            self.last = last;
            bytes += read.size_bytes;
            count += 1;
        }
        drop(rows);
        drop(statement);
        self.inflated = inflated;
        let is_end = count < PAGE_ROWS && bytes < PAGE_BYTES;
        Ok(if is_end { Page::End } else { Page::More })
    }

    fn read_by_id(
        &mut self,
        topics: &BTreeMap<i64, Topic>,
        out: &mut Collector,
    ) -> Result<Page, ReadError> {
        let Some((ids, read_count)) = self.sorted_ids.take() else { return Ok(Page::End) };
        let message = &self.message;
        let sql = format!("SELECT id, topic_id, timestamp, {message} FROM messages WHERE id = ?1");
        let failed = self.broken("table `messages`");
        let mut inflated = std::mem::take(&mut self.inflated);
        let context = Context { path: &self.path, limits: self.limits, topics };
        let page = ids[read_count..].iter().take(PAGE_ROWS);
        let (mut count, mut bytes) = (0, 0);
        let mut statement = self.connection.prepare(&sql).map_err(&failed)?;
        for id in page {
            if bytes >= PAGE_BYTES {
                break;
            }
            let failed = |source| self.broken(&format!("the message of id {id}"))(source);
            let mut rows = statement.query([id]).map_err(failed)?;
            if let Some(row) = rows.next().map_err(failed)? {
                let into = self.compresses_messages.then_some(&mut inflated);
                bytes += context.take(row, into, out)?.size_bytes;
            }
            count += 1;
        }
        drop(statement);
        self.inflated = inflated;
        let read_count = read_count + count;
        let is_end = read_count == ids.len();
        self.sorted_ids = Some((ids, read_count));
        Ok(if is_end { Page::End } else { Page::More })
    }
}

/// What a row is read with.
struct Context<'a> {
    path: &'a Path,
    limits: Limits,
    topics: &'a BTreeMap<i64, Topic>,
}

/// One row as read.
struct ReadRow {
    id: i64,
    time_ns: i64,
    size_bytes: usize,
}

impl Context<'_> {
    /// Takes the message of a row. Its bytes are inflated into `inflated` if that is given.
    fn take(
        &self,
        row: &rusqlite::Row<'_>,
        inflated: Option<&mut Vec<u8>>,
        out: &mut Collector,
    ) -> Result<ReadRow, ReadError> {
        let failed = |source| ReadError::Database {
            path: self.path.to_owned(),
            place: "table `messages`".to_owned(),
            source: Box::new(source),
            may_recover: true,
        };
        let id: i64 = row.get(0).map_err(failed)?;
        let topic_id: i64 = row.get(1).map_err(failed)?;
        let time_ns: i64 = row.get(2).map_err(failed)?;
        let read = |size_bytes| ReadRow { id, time_ns, size_bytes };
        let refuse = |problem: String| ReadError::NotRosbag2 {
            path: self.path.to_owned(),
            problem: format!("the message of id {id} {problem}"),
        };
        let Some(topic) = self.topics.get(&topic_id) else {
            let error = refuse(format!("is on topic {topic_id}, which is not declared"));
            out.lose_or_refuse(error, None, Some(1))?;
            return Ok(read(0));
        };
        let stored = match row.get_ref(3).map_err(failed)? {
            ValueRef::Blob(bytes) => bytes,
            value => {
                let problem = match value {
                    ValueRef::Integer(size) if size > limit_of(self.limits) => {
                        format!("{size} bytes long, above the limit")
                    }
                    value => format!("no message: it is of type {}", value.data_type()),
                };
                let problem = format!("on `{}` is {problem}", topic.name);
                out.lose_or_refuse(refuse(problem), None, Some(1))?;
                return Ok(read(0));
            }
        };
        let data = match inflated {
            None => stored,
            Some(buffer) => match inflate(stored, self.limits.record_bytes_max, buffer) {
                Ok(()) => buffer.as_slice(),
                Err(problem) => {
                    out.lose_or_refuse(refuse(problem), None, Some(1))?;
                    return Ok(read(stored.len()));
                }
            },
        };
        let arrival = Arrival {
            stamps: Stamps { log: Timestamp(time_ns), publish: None, sensor: None },
            file_index: out.file_index,
            base: PayloadBase::Row { row_id: id },
            offset_bytes: 0,
            record_offset_bytes: 0,
            record_end_bytes: 0,
        };
        intake::take(out, topic.route, &arrival, data)?;
        Ok(read(data.len()))
    }
}

/// The longest message, as SQLite counts.
fn limit_of(limits: Limits) -> i64 {
    i64::try_from(limits.record_bytes_max).unwrap_or(i64::MAX)
}

fn inflate(stored: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    let most = limit as u64 + 1;
    zstd::stream::read::Decoder::with_buffer(stored)
        .and_then(|decoder| decoder.take(most).read_to_end(out))
        .map_err(|error| format!("does not inflate: {error}"))?;
    match out.len() > limit {
        true => Err(format!("inflates to more than the limit of {limit} bytes")),
        false => Ok(()),
    }
}
