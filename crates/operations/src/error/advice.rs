//! What a program and what a person should do about an error of an operation.
//!
//! Invariant: every error has both; the hint names the next step, never the cause again.

use tiepoint_model::ErrorKind;

use super::Error;

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
            Self::NotAVerdict { .. } => "give a file that `assess` wrote",
            Self::NoVerifyingKey => "name the public key: `--key LAKE/key.pub`",
            Self::Json(_) | Self::Arrow(_) => "this is a fault of tiepoint; please report it",
            other => other.table_hint(),
        }
    }

    /// The hints about files of numbers.
    fn table_hint(&self) -> &'static str {
        match self {
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
            _ => "",
        }
    }
}
