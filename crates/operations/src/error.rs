//! Why an operation could not be done: engines' errors as they are, and what only the whole can know.

use std::path::PathBuf;

use tiepoint_model::ErrorKind;

/// Why an operation could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The environment could not be read.
    #[error("the environment could not be read")]
    Environment(#[source] std::io::Error),
    /// A file of the user's.
    #[error("cannot read or write `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no lake.
    #[error("there is no lake in `{}`", path.display())]
    NotALake {
        /// Where.
        path: PathBuf,
    },
    /// The past was opened, and it cannot be changed.
    #[error("the lake was opened at position {position}, where it can only be read")]
    ReadOnly {
        /// How many entries precede it.
        position: u64,
    },
    /// The ledger is shorter.
    #[error("the ledger has {entry_count} entries, so it has no position {position}")]
    NoSuchPosition {
        /// What was asked for.
        position: u64,
        /// The last position.
        entry_count: u64,
    },
    /// What only this position reached may be gone.
    #[error("position {position} was let go: the lake can be read from position {retain_from} on")]
    LetGo {
        /// What was asked for.
        position: u64,
        /// The first position that can be read.
        retain_from: u64,
    },
    /// There is no room for what was to be kept.
    #[error("the disk is full: `{name}` of {size_bytes} bytes does not fit in `{}`", lake.display())]
    DiskFull {
        /// What was to be ingested.
        name: String,
        /// Its length, all files together.
        size_bytes: u64,
        /// Where.
        lake: PathBuf,
        /// The step that found no room.
        #[source]
        source: Box<tiepoint_store::StoreError>,
    },
    /// There is one already.
    #[error("there is a lake already in `{}`", path.display())]
    LakeExists {
        /// Where.
        path: PathBuf,
    },
    /// `lake.json` is damaged.
    #[error("the lake's description is damaged: `{}`", path.display())]
    DamagedLakeFile {
        /// Which.
        path: PathBuf,
        /// Where in it.
        source: serde_json::Error,
    },
    /// Written by a later program.
    #[error("the lake has format {found}, this program knows {known}: `{}`", path.display())]
    LakeVersion {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The private key is not here.
    #[error("the lake's signing key is not here: `{}`", path.display())]
    NoSigningKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another key lies in its place.
    #[error("the signing key is not this lake's: `{}`", path.display())]
    WrongSigningKey {
        /// Which.
        path: PathBuf,
    },
    /// No signed head covers what is asked for.
    #[error("the ledger's head does not vouch for that: {why}")]
    NotSigned {
        /// What is missing.
        why: String,
    },
    /// A file that is neither a verdict nor a proof.
    #[error("the file is neither a signed verdict nor a proof of the ledger")]
    NotAProof,
    /// A name that no witness may have.
    #[error("`{name}` is no name for a witness")]
    BadWitnessName {
        /// As given.
        name: String,
    },
    /// Two calls of one witness at once.
    #[error("the witness has just seen another head of `{origin}`")]
    WitnessRaced {
        /// Names the log.
        origin: String,
    },
    /// Others commit without end.
    #[error("{races} commits in a row were overtaken by other writers")]
    Contended {
        /// How many.
        races: usize,
    },
    /// `--ground-truth` with several logs.
    #[error("a ground truth belongs to one log, and {count} were given")]
    GroundTruthForMany {
        /// How many.
        count: usize,
    },
    /// The ground truth is not a trajectory.
    #[error("the ground truth is not a trajectory but {container}: `{}`", path.display())]
    NotATrajectory {
        /// Which file.
        path: PathBuf,
        /// What it is.
        container: String,
    },
    /// Data that is not real needs a derivation.
    #[error("data of origin `{origin}` must say where it comes from")]
    NoDerivation {
        /// Which origin.
        origin: String,
    },
    /// Real data has none.
    #[error("real data has no generator")]
    RealHasNoGenerator,
    /// The file is in the lake under another origin.
    #[error("recording `{recording}` is in the lake as `{stored}`, not `{given}`")]
    OtherOrigin {
        /// Which.
        recording: String,
        /// As stored.
        stored: String,
        /// As given.
        given: String,
    },
    /// The log is in the lake, with another ground truth or without.
    #[error("the log is in the lake already, as {recording}: `{}`", path.display())]
    KnownLog {
        /// Which file.
        path: PathBuf,
        /// The recording that it is part of.
        recording: String,
    },
    /// The file was written to while it was read.
    #[error("the file changed while it was read: `{}`", path.display())]
    ChangedWhileRead {
        /// Which.
        path: PathBuf,
    },
    /// A log without a message.
    #[error("the log holds no message: `{}`", path.display())]
    NoMessages {
        /// Which.
        path: PathBuf,
    },
    /// Two channels of one recording would be one.
    #[error("the log has two channels `{topic}`: `{first}` and `{second}`")]
    TwoChannels {
        /// Their topic.
        topic: String,
        /// The type of one.
        first: String,
        /// The type of the other.
        second: String,
    },
    /// `init` in a folder that is used for something else.
    #[error("the folder is not empty: `{}`", path.display())]
    FolderNotEmpty {
        /// Which.
        path: PathBuf,
    },
    /// A log could not be read.
    #[error("cannot read the log `{}`", path.display())]
    Log {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Box<tiepoint_formats::ReadError>,
    },
    /// No recording, claim or verdict has this id or name.
    #[error("nothing in the lake is called `{name}`")]
    NotFound {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several recordings have this name.
    #[error("{} recordings are called `{name}`", ids.len())]
    AmbiguousName {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// A twin needs scans.
    #[error("recording `{recording}` cannot be twinned: {reason}")]
    CannotTwin {
        /// Which.
        recording: String,
        /// What is missing.
        reason: String,
    },
    /// Only real recordings are twinned and stand as reference.
    #[error("recording `{recording}` is `{origin}`, not real")]
    NotReal {
        /// Which.
        recording: String,
        /// Its origin.
        origin: String,
    },
    /// The recording was not made by this program.
    #[error("recording `{recording}` is no twin that this lake can make again")]
    NotATwin {
        /// Which.
        recording: String,
    },
    /// The claim speaks of a twin that was not made.
    #[error("there is no twin of `{real}` with {range_error} range errors, fitted on each half")]
    NoTwin {
        /// Which real recording.
        real: String,
        /// Which range-error model.
        range_error: String,
    },
    /// A metric, system or corruption that the claim's data cannot give.
    #[error("claim `{claim}`: {reason}")]
    CannotMeasure {
        /// Which claim.
        claim: String,
        /// What is missing.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A claim file is not one.
    #[error("not a claim: `{}`", path.display())]
    Claim {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: tiepoint_assure::ClaimFileError,
    },
    /// A word that is not one of the known ones.
    #[error("`{value}` is not one of {known} for {what}")]
    UnknownWord {
        /// Which option.
        what: &'static str,
        /// What was given.
        value: String,
        /// What is known.
        known: &'static str,
    },
    /// Rows that a trace cannot find.
    #[error("`{subject}`: {problem}")]
    BadPlace {
        /// As given.
        subject: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An option that another one needs.
    #[error("`{what}` needs `{option}`")]
    NeedsOption {
        /// What was asked for.
        what: String,
        /// What is missing.
        option: &'static str,
    },
    /// A cell of a file is not what it must be.
    #[error("row {row} of column `{column}` {problem}: `{}`", path.display())]
    BadCell {
        /// Which file.
        path: PathBuf,
        /// Counted from 1, without the header.
        row: usize,
        /// Its name.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// A number of a file is missing, infinite, or too large.
    #[error("row {row} of column `{column}` is {found}: `{}`", path.display())]
    BadNumber {
        /// Which file.
        path: PathBuf,
        /// Counted from 1, without the header.
        row: usize,
        /// Its name.
        column: String,
        /// What is there.
        found: &'static str,
    },
    /// A table without a column of numbers.
    #[error("no column holds numbers only: `{}`", path.display())]
    NoNumbers {
        /// Which file.
        path: PathBuf,
    },
    /// A file whose every row lacks a number.
    #[error("no row has all its numbers: `{}`", path.display())]
    NoWholeRow {
        /// Which file.
        path: PathBuf,
    },
    /// A readable file of another kind than the measure takes.
    #[error("the file is {found}, not {wanted}: `{}`", path.display())]
    WrongFileKind {
        /// Which file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What the measure takes.
        wanted: &'static str,
    },
    /// A table of readings does not say when they were taken.
    #[error("nothing says when the readings were taken: `{}`", path.display())]
    NoTime {
        /// Which file.
        path: PathBuf,
    },
    /// A log has no such channel, or several.
    #[error("`{channel}` is not one channel of numbers: `{}`", path.display())]
    NoChannel {
        /// Which log.
        path: PathBuf,
        /// As given.
        channel: String,
        /// The channels that fit, or all inertial ones.
        known: Vec<String>,
    },
    /// One trajectory has stamps and the other has none.
    #[error(
        "one trajectory has stamps and the other has none: `{}`, `{}`",
        reference.display(), estimate.display()
    )]
    MixedTrajectories {
        /// Which file.
        reference: PathBuf,
        /// Which other file.
        estimate: PathBuf,
    },
    /// No trusted key made the signature.
    #[error("no key to check the verdict with")]
    NoVerifyingKey,
    /// JSON could not be written or read.
    #[error("JSON could not be written or read")]
    Json(#[source] serde_json::Error),
    /// Arrow could not be written or read.
    #[error("Arrow data could not be written or read")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The lake.
    #[error(transparent)]
    Store(#[from] tiepoint_store::StoreError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] tiepoint_ledger::LedgerError),
    /// A format.
    #[error(transparent)]
    Format(#[from] tiepoint_formats::ReadError),
    /// Samples and columns.
    #[error(transparent)]
    Columns(#[from] tiepoint_formats::columns::ColumnsError),
    /// Writing a format.
    #[error(transparent)]
    Write(#[from] tiepoint_formats::WriteError),
    /// A measure.
    #[error(transparent)]
    Measure(#[from] tiepoint_measure::MeasureError),
    /// A judgement.
    #[error(transparent)]
    Judge(#[from] tiepoint_assure::JudgeError),
    /// A statistic.
    #[error(transparent)]
    Statistics(#[from] tiepoint_assure::statistics::StatisticsError),
    /// A reserve of real data.
    #[error(transparent)]
    Reserve(#[from] crate::assess::ReserveError),
    /// A signed statement about something else.
    #[error("the statement is of type `{found}`, not a verdict")]
    NotAVerdict {
        /// Its predicate's type.
        found: String,
    },
    /// Canonical JSON.
    #[error(transparent)]
    Canonical(#[from] tiepoint_assure::canonical::CanonicalError),
    /// A reconstruction.
    #[error(transparent)]
    Reconstruct(#[from] tiepoint_reconstruct::ReconstructError),
    /// A fit of a sensor model.
    #[error(transparent)]
    Fit(#[from] tiepoint_reconstruct::fit::FitError),
    /// A simulation.
    #[error(transparent)]
    Simulate(#[from] tiepoint_simulate::SimulateError),
}

impl Error {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotALake { .. } | Self::NotFound { .. } | Self::NoTwin { .. } => {
                ErrorKind::NotFound
            }
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::File { .. }
            | Self::LakeExists { .. }
            | Self::ReadOnly { .. }
            | Self::NoSuchPosition { .. }
            | Self::LetGo { .. }
            | Self::LakeVersion { .. }
            | Self::NoSigningKey { .. }
            | Self::WrongSigningKey { .. }
            | Self::GroundTruthForMany { .. }
            | Self::NotATrajectory { .. }
            | Self::NoDerivation { .. }
            | Self::RealHasNoGenerator
            | Self::OtherOrigin { .. }
            | Self::KnownLog { .. }
            | Self::NoMessages { .. }
            | Self::TwoChannels { .. }
            | Self::FolderNotEmpty { .. }
            | Self::AmbiguousName { .. }
            | Self::CannotTwin { .. }
            | Self::NotReal { .. }
            | Self::NotATwin { .. }
            | Self::CannotMeasure { .. }
            | Self::UnknownWord { .. }
            | Self::BadPlace { .. }
            | Self::NeedsOption { .. }
            | Self::BadCell { .. }
            | Self::BadNumber { .. }
            | Self::NoNumbers { .. }
            | Self::NoWholeRow { .. }
            | Self::WrongFileKind { .. }
            | Self::NoTime { .. }
            | Self::NoChannel { .. }
            | Self::MixedTrajectories { .. }
            | Self::NotAVerdict { .. }
            | Self::NotAProof
            | Self::NotSigned { .. }
            | Self::BadWitnessName { .. }
            | Self::NoVerifyingKey => ErrorKind::InvalidInput,
            Self::WitnessRaced { .. } | Self::Contended { .. } | Self::ChangedWhileRead { .. } => {
                ErrorKind::Conflict
            }
            Self::DamagedLakeFile { .. } => ErrorKind::Corrupt,
            Self::Environment(_) | Self::DiskFull { .. } => ErrorKind::Unavailable,
            Self::Json(_) | Self::Arrow(_) => ErrorKind::Internal,
            Self::Log { source, .. } => source.kind(),
            Self::Format(source) => source.kind(),
            Self::Claim { source, .. } => source.kind(),
            Self::Judge(source) => source.kind(),
            Self::Statistics(source) => source.kind(),
            Self::Reserve(source) => source.kind(),
            Self::Canonical(source) => source.kind(),
            Self::Store(source) => source.kind(),
            Self::Ledger(source) => source.kind(),
            Self::Columns(source) => source.kind(),
            Self::Write(source) => source.kind(),
            Self::Measure(source) => source.kind(),
            Self::Reconstruct(source) => source.kind(),
            Self::Fit(source) => source.kind(),
            Self::Simulate(source) => source.kind(),
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::ReadOnly { .. } => "leave out `--at` to change the lake as it is now".into(),
            Self::NoSuchPosition { entry_count, .. } => {
                format!(
                    "choose a position from 0 to {entry_count}; `tiepoint log` lists the entries"
                )
            }
            Self::LetGo { retain_from, .. } => format!(
                "choose {retain_from} or a later one; every recording is still there, only older states of the tables \
                 are not"
            ),
            Self::DiskFull { size_bytes, lake, .. } => format!(
                "nothing was added and nothing is lost; make room for about {} bytes on the disk of `{}` \
                 (`tiepoint sweep` removes what runs cut short have left), then ingest it again",
                size_bytes.saturating_mul(2),
                lake.display()
            ),
            Self::NotALake { path } => {
                format!(
                    "make one with `tiepoint init {}`, or name one with `--lake`",
                    path.display()
                )
            }
            Self::NotFound { known, .. } if known.is_empty() => {
                "the lake is empty; bring a log in with `tiepoint ingest`".to_owned()
            }
            Self::NotFound { known, .. } => format!("there is: {}", known.join(", ")),
            Self::NoTwin { real, .. } => format!("make it with `tiepoint twin {real}`"),
            Self::AmbiguousName { ids, .. } => format!("name one by its id: {}", ids.join(", ")),
            Self::CannotMeasure { hint, .. } => hint.clone(),
            Self::NoChannel { known, .. } if known.is_empty() => {
                "the log has no inertial channel; name a number of it as `TOPIC:FIELD`".to_owned()
            }
            Self::NoChannel { known, .. } => format!("name one of: {}", known.join(", ")),
            Self::Log { source, .. } => source.hint(),
            Self::Format(source) => source.hint(),
            Self::Claim { source, .. } => source.hint(),
            Self::Judge(source) => source.hint(),
            Self::Statistics(source) => source.hint(),
            Self::Reserve(source) => source.hint(),
            Self::Canonical(source) => source.hint(),
            Self::Store(source) => source.hint(),
            Self::Ledger(source) => source.hint(),
            Self::Columns(source) => source.hint(),
            Self::Write(source) => source.hint(),
            Self::Measure(source) => source.hint(),
            Self::Reconstruct(source) => source.hint(),
            Self::Fit(source) => source.hint(),
            Self::Simulate(source) => source.hint(),
            other => other.fixed_hint().to_owned(),
        }
    }

    /// The hints that need no value.
    fn fixed_hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path and your rights to it",
            Self::LakeExists { .. } => "use it as it is, or choose another folder",
            Self::DamagedLakeFile { .. } => {
                "restore `lake.json` from a copy; the data is untouched"
            }
            Self::LakeVersion { .. } => "use the program that wrote it, or a later one",
            Self::NoSigningKey { .. } => {
                "copy the key there from the machine that made the lake, or set TIEPOINT_CONFIG"
            }
            Self::WrongSigningKey { .. } => "restore the key that `init` made for this lake",
            Self::Contended { .. } | Self::WitnessRaced { .. } => "run the same command again",
            Self::NotSigned { .. } => {
                "commit something with the lake's signing key at hand, or restore the head"
            }
            Self::NotAProof => "give a file that `assess` or `prove` wrote",
            Self::BadWitnessName { .. } => {
                "use letters, digits, `.`, `_`, `-` and `/`, for instance `witness.example/w1`"
            }
            Self::ChangedWhileRead { .. } => "wait until the recorder has closed it, then again",
            Self::GroundTruthForMany { .. } => "ingest the logs one by one",
            Self::NotATrajectory { .. } => {
                "give a trajectory in TUM form: `time x y z qx qy qz qw`"
            }
            Self::NoDerivation { .. } => {
                "say why the generator cannot be named: `--unknown-generator REASON`; \
                 twins made here carry their derivation by themselves"
            }
            Self::RealHasNoGenerator => {
                "leave `--unknown-generator` out, or give another `--origin`"
            }
            Self::OtherOrigin { .. } => "the first origin stands; recordings are immutable",
            Self::TwoChannels { .. } => {
                "give one of them another topic, for instance with `mcap filter`; \
                 a log with its own `/ground_truth` needs no `--ground-truth`"
            }
            Self::FolderNotEmpty { .. } => "choose a folder that does not exist yet",
            Self::KnownLog { .. } => {
                "recordings are immutable: give the ground truth when a log first comes in; \
                 in a lake of its own the log can come in anew"
            }
            Self::NoMessages { .. } => "record again: the file has no message in it",
            Self::CannotTwin { .. } => {
                "a twin needs planar laser scans, and odometry or ground truth"
            }
            Self::NotReal { .. } => "name a recording of origin `real`",
            Self::NotATwin { .. } => "name a recording that `tiepoint twin` made",
            Self::UnknownWord { .. } => "use one of the words given",
            Self::BadPlace { .. } => {
                "name rows as `RECORDING/TOPIC@TIME` in nanoseconds, or `RECORDING/TOPIC#ROW`"
            }
            Self::NeedsOption { .. } => "give it as well; `--help` says what it is",
            Self::BadCell { .. } => "correct it; `--help` says what the file must hold",
            Self::BadNumber { .. } => {
                "correct it, or leave such rows out with `--drop-missing` where their order is no matter"
            }
            Self::NoNumbers { .. } => {
                "give a first line of names and numbers parted by commas, or `--columns` to see \
                 which cell is no number"
            }
            Self::NoWholeRow { .. } => {
                "give a file with at least one whole row or point, or name other columns"
            }
            Self::WrongFileKind { .. } => "export the numbers to a CSV or Parquet file first",
            Self::NoTime { .. } => "give `--time-column NAME` with `--time-unit`, or `--rate-hz`",
            Self::MixedTrajectories { .. } => {
                "give both in KITTI form, row by row, or both with stamps, as TUM or EuRoC"
            }
            Self::NotAVerdict { .. } => "give a file that `assess` wrote",
            Self::NoVerifyingKey => "name the public key: `--key LAKE/key.pub`",
            Self::Json(_) | Self::Arrow(_) => "this is a fault of tiepoint; please report it",
            _ => "",
        }
    }
}
