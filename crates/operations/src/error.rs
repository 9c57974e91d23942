//! Why an operation could not be done: engines' errors as they are, and what only the whole can know.

mod advice;

use std::path::PathBuf;

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
