//! One streaming reader for every container: feed bytes, drain typed samples, finish.
//!
//! Invariant: the samples are the same however the bytes are cut into feeds.
//! Sans-I/O: the caller owns the file. Memory is bounded by [`Limits`] plus what one feed
//! decodes to, so feed pieces (a MiB, say) and drain after each.
//!
//! Not here: order and quality of the samples. Time that runs back is kept as it is.

use std::{collections::BTreeMap, fmt};

use crate::{
    ChannelKey, Damage, Loss, ReadError, Samples, Table, TopicBatch,
    container::{
        Collector, mcap::McapReader, rawlog::RawlogReader, ros1_bag::BagReader, sniff,
        trajectory::TextReader, trajectory::TrajectoryFormat, ulog::UlogReader,
    },
    damage::in_words,
    tabular::{Projection, csv::CsvReader},
};

/// What a recording is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Container {
    /// MCAP, any profile.
    Mcap,
    /// ROS 1 bag, version 2.0.
    Ros1Bag,
    /// SQLite database of rosbag2; only [`crate::LogReader`] reads it, from a path.
    Rosbag2,
    /// MRPT rawlog, compressed by gzip or plain.
    Rawlog,
    /// PX4 ULog.
    Ulog,
    /// Comma-separated values; needs a [`Projection`].
    Csv,
    /// Parquet; needs a [`Projection`], and only [`crate::tabular::ParquetReader`] reads it.
    Parquet,
    /// TUM trajectory text.
    Tum,
    /// KITTI odometry poses text.
    Kitti,
    /// EuRoC ground truth csv.
    Euroc,
}

impl Container {
    /// The known containers, for messages to people.
    pub const KNOWN: &str = "MCAP, ROS 1 bag, rosbag2, MRPT rawlog, PX4 ULog, CSV, Parquet, \
                              TUM, KITTI and EuRoC trajectories";

    /// How many first bytes [`Self::detect`] should be given, if there are so many.
    pub const DETECT_BYTES: usize = 4096;

    /// The word used in tables and options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mcap => "mcap",
            Self::Ros1Bag => "ros1-bag",
            Self::Rosbag2 => "rosbag2",
            Self::Rawlog => "rawlog",
            Self::Ulog => "ulog",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Tum => "tum",
            Self::Kitti => "kitti",
            Self::Euroc => "euroc",
        }
    }

    /// What the first bytes are of. The name is used for the error only: contents decide.
    ///
    /// # Errors
    /// [`ReadError::Empty`], [`ReadError::NotALog`], [`ReadError::NotYetReadable`].
    pub fn detect(name: &str, first_bytes: &[u8]) -> Result<Self, ReadError> {
        sniff::detect(name, first_bytes)
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a reader may hold at once. They bound memory; they change no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest record or chunk, as stored and as inflated, and the largest rawlog object.
    pub record_bytes_max: usize,
    /// The longest line of a text.
    pub line_bytes_max: usize,
    /// All metadata records together; for a ULog all that it declares.
    pub metadata_bytes_max: usize,
}

impl Default for Limits {
    /// A chunk of 256 MiB is far above what recorders write (about 1 MiB) and fits any machine.
    fn default() -> Self {
        Self { record_bytes_max: 256 << 20, line_bytes_max: 64 << 10, metadata_bytes_max: 16 << 20 }
    }
}

/// One channel as read to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSummary {
    /// The channel.
    pub channel: ChannelKey,
    /// The table of its samples.
    pub table: Table,
    /// Messages, or objects, or lines.
    pub message_count: u64,
    /// Rows: more than messages where a message holds several transforms or ranges.
    pub row_count: u64,
}

/// How the messages of a type are defined, as the recording says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// MCAP's word: `ros2msg`, `ros2idl`, `ros1msg`, `protobuf`.
    pub language: String,
    /// The definition with all that it uses.
    pub text: Vec<u8>,
}

/// What was learnt of the whole recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Every channel that was declared, sorted, those without messages too.
    pub channels: Vec<ChannelSummary>,
    /// Metadata records by name; records of one name are merged, the later key wins.
    pub metadata: BTreeMap<String, BTreeMap<String, String>>,
    /// Messages kept raw, by message type.
    pub raw_message_counts: BTreeMap<String, u64>,
    /// How messages are defined, by type and encoding, if the recording says.
    pub definitions: BTreeMap<(String, String), Definition>,
    /// What a damaged recording lost, in the order met; empty unless [`Damage::Keep`] was asked.
    pub losses: Vec<Loss>,
    /// What was left out or could not be used, in words.
    pub warnings: Vec<String>,
    /// What is worth knowing though the rows hold everything that can be held: values that are not numbers, types that
    /// are kept raw, what only the original has.
    pub notes: Vec<String>,
}

/// Reads one recording from its bytes.
pub struct Reader {
    decoder: Decoder,
    pub(crate) collector: Collector,
    state: State,
    limits: Limits,
    /// Of the file being read.
    fed_bytes: u64,
}

/// One variant per container; a new container adds one here, in [`Container`] and in `sniff`.
enum Decoder {
    Mcap(Box<McapReader>),
    Ros1Bag(Box<BagReader>),
    Rawlog(Box<RawlogReader>),
    Ulog(Box<UlogReader>),
    Csv(Box<CsvReader>),
    /// A file with its directory at the end, which is not read from front to back.
    Parquet,
    Text(TextReader),
    /// A database, which is not read from its bytes.
    Rosbag2,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    /// Damage was met and kept quiet: the rest of the file is passed over.
    Skipping {
        /// Which loss grows to the end of the file.
        loss_index: usize,
    },
    Finished,
    Stopped,
}

impl Decoder {
    fn new(container: Container, limits: Limits) -> Self {
        let text = |format| Self::Text(TextReader::new(format, limits));
        match container {
            Container::Mcap => Self::Mcap(Box::new(McapReader::new(limits))),
            Container::Ros1Bag => Self::Ros1Bag(Box::new(BagReader::new(limits))),
            Container::Rosbag2 => Self::Rosbag2,
            Container::Rawlog => Self::Rawlog(Box::new(RawlogReader::new(limits))),
            Container::Ulog => Self::Ulog(Box::new(UlogReader::new(limits))),
            Container::Csv => Self::Csv(Box::new(CsvReader::new(None, limits))),
            Container::Parquet => Self::Parquet,
            Container::Tum => text(TrajectoryFormat::Tum),
            Container::Kitti => text(TrajectoryFormat::Kitti),
            Container::Euroc => text(TrajectoryFormat::Euroc),
        }
    }

    fn feed(&mut self, bytes: &[u8], collector: &mut Collector) -> Result<(), ReadError> {
        match self {
            Self::Mcap(mcap) => mcap.feed(bytes, collector),
            Self::Ros1Bag(bag) => bag.feed(bytes, collector),
            Self::Rawlog(rawlog) => rawlog.feed(bytes, collector),
            Self::Ulog(ulog) => ulog.feed(bytes, collector),
            Self::Csv(csv) => csv.feed(bytes, collector),
            Self::Parquet => Err(ReadError::NeedsRandomAccess),
            Self::Text(text) => text.feed(bytes, collector),
            Self::Rosbag2 => Err(ReadError::NeedsPath),
        }
    }

    fn finish(&mut self, collector: &mut Collector) -> Result<(), ReadError> {
        match self {
            Self::Mcap(mcap) => mcap.finish(collector),
            Self::Ros1Bag(bag) => bag.finish(collector),
            Self::Rawlog(rawlog) => rawlog.finish(collector),
            Self::Ulog(ulog) => ulog.finish(collector),
            Self::Csv(csv) => csv.finish(collector),
            Self::Parquet => Err(ReadError::NeedsRandomAccess),
            Self::Text(text) => text.finish(collector),
            // `LogReader` has put the rows into the collector.
            Self::Rosbag2 if collector.has_channels() => Ok(()),
            Self::Rosbag2 => Err(ReadError::Empty),
        }
    }

    /// Up to which byte of the file everything was read; `None` where bytes of the file say
    /// nothing, inside a compressed stream.
    fn taken_bytes(&self) -> Option<u64> {
        match self {
            Self::Mcap(mcap) => Some(mcap.taken_bytes()),
            Self::Ros1Bag(bag) => Some(bag.taken_bytes()),
            Self::Rawlog(rawlog) => rawlog.taken_bytes(),
            Self::Ulog(ulog) => Some(ulog.taken_bytes()),
            Self::Csv(csv) => Some(csv.taken_bytes()),
            Self::Parquet => None,
            Self::Text(text) => Some(text.taken_bytes()),
            Self::Rosbag2 => None,
        }
    }
}

impl Reader {
    /// A reader of one recording, which refuses damage.
    #[must_use]
    pub fn new(container: Container, limits: Limits) -> Self {
        Self {
            decoder: Decoder::new(container, limits),
            collector: Collector::default(),
            state: State::Open,
            limits,
            fed_bytes: 0,
        }
    }

    /// A reader of one CSV whose columns are said. Parquet has its own,
    /// [`crate::tabular::ParquetReader`].
    #[must_use]
    pub fn of_csv(projection: Projection, limits: Limits) -> Self {
        let mut reader = Self::new(Container::Csv, limits);
        reader.decoder = Decoder::Csv(Box::new(CsvReader::new(Some(projection), limits)));
        reader
    }

    /// The same reader with another answer to damage. To be called before the first feed.
    #[must_use]
    pub fn on_damage(mut self, damage: Damage) -> Self {
        self.collector.damage = damage;
        self
    }

    /// Takes the next bytes and decodes what they complete.
    ///
    /// # Errors
    /// At the first damage. What was decoded before it can still be drained; the reader itself
    /// answers [`ReadError::Stopped`] from then on.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        self.fed_bytes += bytes.len() as u64;
        match self.state {
            State::Open => {}
            State::Skipping { .. } => return Ok(()),
            State::Finished | State::Stopped => return Err(ReadError::Stopped),
        }
        match self.decoder.feed(bytes, &mut self.collector) {
            Ok(()) => Ok(()),
            Err(error) => self.stop_or_skip(error),
        }
    }

    /// What was decoded since the last drain, one batch per channel with rows, sorted by channel.
    pub fn drain(&mut self) -> Vec<TopicBatch> {
        self.collector.drain()
    }

    /// Says that no bytes follow. Drain once more afterwards: the end may complete a sample.
    ///
    /// # Errors
    /// If the recording is cut, empty, or stopped at an earlier error.
    pub fn finish(&mut self) -> Result<Summary, ReadError> {
        self.finish_file()?;
        self.state = State::Finished;
        Ok(self.collector.summary())
    }

    /// Says that the next bytes are of the next file of the same recording.
    pub(crate) fn next_file(&mut self, container: Container) -> Result<(), ReadError> {
        self.finish_file()?;
        self.decoder = Decoder::new(container, self.limits);
        self.collector.file_index += 1;
        self.fed_bytes = 0;
        self.state = State::Open;
        Ok(())
    }

    fn finish_file(&mut self) -> Result<(), ReadError> {
        if self.state == State::Open
            && let Err(error) = self.decoder.finish(&mut self.collector)
        {
            self.stop_or_skip(error)?;
        }
        match self.state {
            State::Open => Ok(()),
            State::Skipping { loss_index } => {
                let loss = self.collector.losses.get_mut(loss_index);
                if let Some(bytes) = loss.and_then(|loss| loss.bytes.as_mut()) {
                    bytes.end = self.fed_bytes.max(bytes.start);
                }
                Ok(())
            }
            State::Finished | State::Stopped => Err(ReadError::Stopped),
        }
    }

    /// Ends the reading of this file: as an error, or with the rest as a loss if there is
    /// anything to keep.
    fn stop_or_skip(&mut self, error: ReadError) -> Result<(), ReadError> {
        let has_anything = self.collector.message_count() > 0;
        if self.collector.damage == Damage::Refuse || !has_anything {
            self.state = State::Stopped;
            return Err(error);
        }
        let bytes = self.decoder.taken_bytes().map(|taken| taken..self.fed_bytes.max(taken));
        self.collector.lose(in_words(&error), bytes, None);
        self.state = State::Skipping { loss_index: self.collector.losses.len() - 1 };
        Ok(())
    }
}

/// Reads a whole recording that lies in memory: every channel once, sorted.
///
/// # Errors
/// As [`Reader::feed`] and [`Reader::finish`].
pub fn read_all(
    container: Container,
    bytes: &[u8],
) -> Result<(Vec<TopicBatch>, Summary), ReadError> {
    let mut reader = Reader::new(container, Limits::default());
    reader.feed(bytes)?;
    let summary = reader.finish()?;
    Ok((reader.drain(), summary))
}

impl Summary {
    /// Rows of every channel together.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.channels.iter().map(|channel| channel.row_count).sum()
    }
}

impl TopicBatch {
    /// The table of the samples.
    #[must_use]
    pub fn table(&self) -> Table {
        Samples::table(&self.samples)
    }
}
