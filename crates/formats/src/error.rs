//! Why bytes could not be read: what, where, and what to do next.
//!
//! Invariant: every error names a place: a byte of the file (of the inflated stream for a
//! compressed rawlog), a line and column, or a topic with message and byte.

use std::path::PathBuf;

use tiepoint_model::ErrorKind;

use crate::{reader::Container, tabular::ProjectionError};

/// Why one message, record or object could not be decoded. Bytes count from its first.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It ends inside a field.
    #[error("`{field}` at byte {at_byte} needs {need_bytes} bytes and {left_bytes} are left")]
    Short {
        /// The field.
        field: &'static str,
        /// Where the field starts.
        at_byte: usize,
        /// What it takes.
        need_bytes: usize,
        /// What there is.
        left_bytes: usize,
    },
    /// An array or string claims more items than there are bytes.
    #[error(
        "`{field}` at byte {at_byte} claims {count} items of {item_bytes} bytes and \
         {left_bytes} bytes are left"
    )]
    Length {
        /// The array.
        field: &'static str,
        /// Where its items start.
        at_byte: usize,
        /// How many it claims.
        count: u64,
        /// The least size of one.
        item_bytes: usize,
        /// What there is.
        left_bytes: usize,
    },
    /// A text is not UTF-8.
    #[error("`{field}` at byte {at_byte} is not UTF-8")]
    NotUtf8 {
        /// The text.
        field: &'static str,
        /// Where it starts.
        at_byte: usize,
    },
    /// The first bytes announce another encapsulation than plain CDR.
    #[error("the encapsulation is {kind:#06x}; plain CDR is 0x0000 or 0x0001")]
    Encapsulation {
        /// What was read.
        kind: u16,
    },
    /// Bytes follow the last field: the message is of another definition than its name says.
    #[error("{left_bytes} bytes follow the last field, at byte {at_byte}")]
    Trailing {
        /// Where the message should end.
        at_byte: usize,
        /// What follows.
        left_bytes: usize,
    },
    /// A field has a value that no message can mean.
    #[error("`{field}` at byte {at_byte}: {problem}")]
    Value {
        /// The field.
        field: &'static str,
        /// Just behind it.
        at_byte: usize,
        /// What is wrong.
        problem: String,
    },
}

/// Why a recording could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing to read.
    #[error("there is no data in it")]
    Empty,
    /// The first bytes are of no known container.
    #[error("`{name}` is no log that can be read; known are {}", Container::KNOWN)]
    NotALog {
        /// The name given by the caller.
        name: String,
    },
    /// The first bytes are of a container that this version does not read.
    #[error("`{name}` is a {format}, which this version does not read")]
    NotYetReadable {
        /// The name given by the caller.
        name: String,
        /// What it is.
        format: &'static str,
    },
    /// The data ends inside a record, an object or the compressed stream.
    #[error("the {container} ends inside {what} at byte {offset_bytes}")]
    Truncated {
        /// The container.
        container: Container,
        /// What is cut.
        what: &'static str,
        /// Where the cut part starts.
        offset_bytes: u64,
        /// The field that is cut, if it is known.
        #[source]
        source: Option<DecodeError>,
    },
    /// The file starts or ends with the wrong bytes.
    #[error("the {container} has the wrong magic bytes at byte {offset_bytes}")]
    BadMagic {
        /// The container.
        container: Container,
        /// Where.
        offset_bytes: u64,
    },
    /// A checksum in the file does not fit its data.
    #[error("the checksum of {what} at byte {offset_bytes} is {calculated:08x}, not {saved:08x}")]
    BadChecksum {
        /// What it is about.
        what: &'static str,
        /// Where the record starts.
        offset_bytes: u64,
        /// As the file says.
        saved: u32,
        /// As computed.
        calculated: u32,
    },
    /// Something is larger than the caller's [`crate::Limits`].
    #[error("{what} at byte {offset_bytes} claims {size_bytes} bytes; the limit is {limit_bytes}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Where it starts.
        offset_bytes: u64,
        /// What it claims.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The container's own structure is broken.
    #[error("the {container} is broken at byte {offset_bytes}: {problem}")]
    Malformed {
        /// The container.
        container: Container,
        /// Where the broken record or object starts.
        offset_bytes: u64,
        /// What is wrong.
        problem: String,
    },
    /// A message names a channel that was not declared before it.
    #[error("a message at byte {offset_bytes} is on channel {channel_id}, which is not declared")]
    UnknownChannel {
        /// The channel.
        channel_id: u32,
        /// Where the record, or the chunk it lies in, starts.
        offset_bytes: u64,
    },
    /// A channel names a schema that was not declared before it.
    #[error("topic `{topic}` at byte {offset_bytes} names schema {schema_id}, not declared")]
    UnknownSchema {
        /// The topic.
        topic: String,
        /// The schema.
        schema_id: u16,
        /// Where the record, or the chunk it lies in, starts.
        offset_bytes: u64,
    },
    /// A stamp does not fit 63 bits of nanoseconds.
    #[error("message {message_index} on `{topic}` has the time {time_ns} ns, after year 2262")]
    StampOutOfRange {
        /// The topic.
        topic: String,
        /// Counts from 0 in the channel.
        message_index: u64,
        /// What was read.
        time_ns: u64,
    },
    /// A message of a known type does not decode.
    #[error(
        "message {message_index} on `{topic}` ({message_type}), in the record at byte \
         {offset_bytes}, does not decode"
    )]
    Message {
        /// The topic.
        topic: String,
        /// The type.
        message_type: String,
        /// Counts from 0 in the channel.
        message_index: u64,
        /// Where the record, or the chunk it lies in, starts.
        offset_bytes: u64,
        /// What is wrong, with the byte in the message.
        #[source]
        source: DecodeError,
    },
    /// A rawlog object of a class without decoder. Objects carry no length: reading ends here.
    #[error("the object at byte {offset_bytes} is of class `{class}`, which no decoder reads")]
    UnknownClass {
        /// The class.
        class: String,
        /// Where the object starts.
        offset_bytes: u64,
    },
    /// A rawlog object of a known class in a version without decoder.
    #[error("the `{class}` at byte {offset_bytes} has version {version}, which no decoder reads")]
    UnknownVersion {
        /// The class.
        class: String,
        /// The version.
        version: i8,
        /// Where the object starts.
        offset_bytes: u64,
    },
    /// A line of a text does not say what its format asks for.
    #[error("line {line}, column {column}: {problem}")]
    Line {
        /// Counts from 1.
        line: u64,
        /// Counts from 1, in fields.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A table of numbers without word of what its columns are.
    #[error("nothing says what the columns of this {container} are")]
    NeedsProjection {
        /// The container.
        container: Container,
        /// A projection to start from, as TOML.
        example: String,
    },
    /// The projection does not fit the table.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The bytes are of no file of points.
    #[error("it is no PLY and no PCD file")]
    NotACloud,
    /// A file of points is damaged, or of a kind that is not read.
    #[error("the {format} is broken at {place}: {problem}")]
    BadCloud {
        /// PLY or PCD.
        format: &'static str,
        /// The line or byte.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A Parquet file has its directory at its end.
    #[error("a Parquet file cannot be read from front to back")]
    NeedsRandomAccess,
    /// A database is read from a path, not from bytes.
    #[error("a rosbag2 database is read from its path, not from its bytes")]
    NeedsPath,
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite does not read a database.
    #[error("the database cannot be read at {place}: `{}`", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// The table or row.
        place: String,
        /// Why.
        #[source]
        source: Box<rusqlite::Error>,
        /// True unless `--recover` was tried already.
        may_recover: bool,
    },
    /// A folder or database that is not as rosbag2 makes them.
    #[error("{problem}: `{}`", path.display())]
    NotRosbag2 {
        /// Which.
        path: PathBuf,
        /// What is not as it should be.
        problem: String,
    },
    /// The reader met an error before and cannot go on.
    #[error("the reader stopped at an earlier error")]
    Stopped,
}

impl ReadError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty
            | Self::NotALog { .. }
            | Self::NotYetReadable { .. }
            | Self::TooLarge { .. }
            | Self::UnknownClass { .. }
            | Self::UnknownVersion { .. }
            | Self::NotRosbag2 { .. }
            | Self::Line { .. } => ErrorKind::InvalidInput,
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { source, .. } if is_callers(source) => ErrorKind::InvalidInput,
            Self::Io { .. } => ErrorKind::Unavailable,
            Self::Truncated { .. }
            | Self::BadMagic { .. }
            | Self::BadChecksum { .. }
            | Self::Malformed { .. }
            | Self::UnknownChannel { .. }
            | Self::UnknownSchema { .. }
            | Self::StampOutOfRange { .. }
            | Self::Database { .. }
            | Self::Message { .. } => ErrorKind::Corrupt,
            Self::NeedsPath
            | Self::NeedsProjection { .. }
            | Self::Projection(_)
            | Self::NotACloud
            | Self::NeedsRandomAccess => ErrorKind::InvalidInput,
            Self::BadCloud { .. } => ErrorKind::Corrupt,
            Self::Stopped => ErrorKind::Internal,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty => "check that the recording was copied whole".into(),
            Self::NotALog { .. } => {
                format!("give a recording in one of these formats: {}", Container::KNOWN)
            }
            Self::NotYetReadable { .. } => {
                "convert it to MCAP first, for instance with `mcap convert` or `rosbags-convert`"
                    .into()
            }
            Self::Truncated { container: Container::Mcap, .. }
            | Self::BadMagic { container: Container::Mcap, .. }
            | Self::BadChecksum { .. } => {
                "copy the file again; if the original is damaged, `--recover` keeps what can be \
                 read and says what was lost"
                    .into()
            }
            Self::Truncated { .. } | Self::BadMagic { .. } | Self::Malformed { .. } => {
                "copy the file again and compare its size and checksum with the original".into()
            }
            Self::TooLarge { .. } => {
                "the length is most likely damage; if it is not, raise the reader's limits".into()
            }
            Self::UnknownChannel { .. } | Self::UnknownSchema { .. } => {
                "the writer left out a declaration; `mcap doctor` lists what is wrong".into()
            }
            Self::StampOutOfRange { .. } => "check the clock of the recorder".into(),
            Self::Message { topic, .. } => {
                format!("leave the topic out with `mcap filter --exclude-topic-regex {topic}`")
            }
            Self::UnknownClass { class, .. } => {
                format!(
                    "take the `{class}` objects out first, for instance with MRPT's rawlog-edit"
                )
            }
            Self::UnknownVersion { .. } => {
                "write the log again with a version of MRPT between 1.0 and 2.x".into()
            }
            Self::Line { line, .. } => format!("correct line {line} or remove it"),
            Self::Stopped => "make a new reader".into(),
            Self::NeedsProjection { example, .. } => {
                format!(
                    "write a projection beside it, named as it is with `.toml` behind \
                     (`run.csv.toml`), starting from\n\n{example}"
                )
            }
            Self::Projection(error) => error.hint(),
            Self::NotACloud => "give a PLY or PCD file".into(),
            Self::BadCloud { .. } => {
                "copy the file again and compare its size and checksum with the original".into()
            }
            Self::NeedsRandomAccess => "read it with `tabular::ParquetReader`".into(),
            Self::NeedsPath => "open it with `LogReader`".into(),
            Self::Io { .. } => "check the path and that you may read it".into(),
            Self::Database { source, may_recover, .. } => {
                let is_database =
                    source.sqlite_error_code() != Some(rusqlite::ErrorCode::NotADatabase);
                match *may_recover && is_database {
                    true => "copy the file again; if the original is damaged, `--recover` keeps \
                             what stands before the damage"
                        .into(),
                    false => "copy the file again: nothing of this one can be read".into(),
                }
            }
            Self::NotRosbag2 { .. } => {
                "give a .db3 or .mcap file, or the folder that holds metadata.yaml; \
                 `ros2 bag reindex FOLDER` writes a missing one"
                    .into()
            }
        }
    }
}

/// True for what another path or other rights would cure; the rest is the disk's.
fn is_callers(source: &std::io::Error) -> bool {
    use std::io::ErrorKind as Io;
    matches!(
        source.kind(),
        Io::PermissionDenied
            | Io::IsADirectory
            | Io::NotADirectory
            | Io::InvalidInput
            | Io::InvalidFilename
    )
}
