//! What a program should do about an error. Each engine's error answers with one of these; surfaces turn it into codes.

/// The class of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller must change something.
    InvalidInput,
    /// There is no such thing.
    NotFound,
    /// Someone else changed it: try again.
    Conflict,
    /// Stored or ingested data is damaged.
    Corrupt,
    /// Disk, network or a limit: try again later.
    Unavailable,
    /// A fault of this program.
    Internal,
}
