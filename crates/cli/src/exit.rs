//! How answers and errors become exit codes: the one table of this surface.

use tiepoint_model::ErrorKind;

/// A fault of this program.
pub(crate) const INTERNAL: u8 = 70;

/// An outcome that is not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or the answer is yes.
    Yes,
    /// The answer is no: a claim refuted, a check failed.
    No,
    /// Done with loss, or inconclusive.
    Incomplete,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Incomplete => 3,
        }
    }
}

pub(crate) fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidInput | ErrorKind::NotFound => 2,
        ErrorKind::Conflict | ErrorKind::Unavailable => 4,
        ErrorKind::Corrupt => 5,
        ErrorKind::Internal => INTERNAL,
    }
}

/// The chain of causes below an error, outermost first.
pub(crate) fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}
