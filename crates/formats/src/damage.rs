//! What to do with a damaged recording, and what was lost of it.
//!
//! Invariant: with [`Damage::Keep`] nothing is left out silently: every byte range that gave no
//! messages although it should have is a [`Loss`] in the summary.
//!
//! Not here: the decision. The default refuses; a caller asks for the rest by name.

use std::ops::Range;

use crate::ReadError;

/// What a reader does at damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// The first damage is an error.
    #[default]
    Refuse,
    /// Keeps what precedes the damage, and what follows it where the next record's boundary is
    /// certain; what is lost is said in the summary. Without anything to keep it is an error.
    Keep,
}

/// One part of a damaged recording that gave no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Which file of the recording, from 0.
    pub file_index: u32,
    /// The bytes of the file: the damaged record, or all from the damage to the end; `None` in a
    /// database or a compressed stream, whose bytes are not messages.
    pub bytes: Option<Range<u64>>,
    /// How many messages, if anything in the file says.
    pub message_count: Option<u64>,
    /// The error that was met, in words.
    pub reason: String,
}

/// So many losses are kept one by one; further ones widen the last.
pub(crate) const LOSSES_MAX: usize = 1000;

/// An error with its causes, in one line.
pub(crate) fn in_words(error: &ReadError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
