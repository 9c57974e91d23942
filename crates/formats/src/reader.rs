//! One streaming reader for every container: feed bytes, drain typed samples, finish.
//!
//! Invariant: the samples are the same however the bytes are cut into feeds.
//! Sans-I/O: the caller owns the file. Memory is bounded by [`Limits`] plus what one feed
//! decodes to, so feed pieces (a MiB, say) and drain after each.
//!
//! Not here: order and quality of the samples. Time that runs back is kept as it is.

use std::{collections::BTreeMap, fmt};

use crate::{
    ChannelKey, ReadError, Samples, Table, TopicBatch,
    container::{
        Collector, mcap::McapReader, rawlog::RawlogReader, sniff, trajectory::TextReader,
        trajectory::TrajectoryFormat, ulog::UlogReader,
    },
};

/// What a recording is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Container {
    /// MCAP, any profile.
    Mcap,
    /// MRPT rawlog, compressed by gzip or plain.
    Rawlog,
    /// PX4 ULog.
    Ulog,
    /// TUM trajectory text.
    Tum,
    /// KITTI odometry poses text.
    Kitti,
    /// EuRoC ground truth csv.
    Euroc,
}

impl Container {
    /// The known containers, for messages to people.
    pub const KNOWN: &str = "MCAP, MRPT rawlog, PX4 ULog, TUM, KITTI and EuRoC trajectories";

    /// How many first bytes [`Self::detect`] should be given, if there are so many.
    pub const DETECT_BYTES: usize = 4096;

    /// The word used in tables and options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mcap => "mcap",
            Self::Rawlog => "rawlog",
            Self::Ulog => "ulog",
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

/// What was learnt of the whole recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Every channel that was declared, sorted, those without messages too.
    pub channels: Vec<ChannelSummary>,
    /// Metadata records by name; records of one name are merged, the later key wins.
    pub metadata: BTreeMap<String, BTreeMap<String, String>>,
    /// Messages kept raw, by message type.
    pub raw_message_counts: BTreeMap<String, u64>,
    /// What was left out or could not be used, in words.
    pub warnings: Vec<String>,
}

/// Reads one recording from its bytes.
pub struct Reader {
    decoder: Decoder,
    collector: Collector,
    state: State,
}

/// One variant per container; a new container adds one here, in [`Container`] and in `sniff`.
enum Decoder {
    Mcap(Box<McapReader>),
    Rawlog(Box<RawlogReader>),
    Ulog(Box<UlogReader>),
    Text(TextReader),
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Finished,
    Stopped,
}

impl Reader {
    /// A reader of one recording.
    #[must_use]
    pub fn new(container: Container, limits: Limits) -> Self {
        let text = |format| Decoder::Text(TextReader::new(format, limits));
        let decoder = match container {
            Container::Mcap => Decoder::Mcap(Box::new(McapReader::new(limits))),
            Container::Rawlog => Decoder::Rawlog(Box::new(RawlogReader::new(limits))),
            Container::Ulog => Decoder::Ulog(Box::new(UlogReader::new(limits))),
            Container::Tum => text(TrajectoryFormat::Tum),
            Container::Kitti => text(TrajectoryFormat::Kitti),
            Container::Euroc => text(TrajectoryFormat::Euroc),
        };
        Self { decoder, collector: Collector::default(), state: State::Open }
    }

    /// Takes the next bytes and decodes what they complete.
    ///
    /// # Errors
    /// At the first damage. What was decoded before it can still be drained; the reader itself
    /// answers [`ReadError::Stopped`] from then on.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        if self.state != State::Open {
            return Err(ReadError::Stopped);
        }
        let collector = &mut self.collector;
        let fed = match &mut self.decoder {
            Decoder::Mcap(mcap) => mcap.feed(bytes, collector),
            Decoder::Rawlog(rawlog) => rawlog.feed(bytes, collector),
            Decoder::Ulog(ulog) => ulog.feed(bytes, collector),
            Decoder::Text(text) => text.feed(bytes, collector),
        };
        if fed.is_err() {
            self.state = State::Stopped;
        }
        fed
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
        if self.state != State::Open {
            return Err(ReadError::Stopped);
        }
        self.state = State::Stopped;
        let collector = &mut self.collector;
        match &mut self.decoder {
            Decoder::Mcap(mcap) => mcap.finish(collector)?,
            Decoder::Rawlog(rawlog) => rawlog.finish(collector)?,
            Decoder::Ulog(ulog) => ulog.finish(collector)?,
            Decoder::Text(text) => text.finish(collector)?,
        }
        self.state = State::Finished;
        Ok(collector.summary())
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
