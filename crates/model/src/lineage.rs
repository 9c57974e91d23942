//! Which rows came from which rows: edges between excerpts of recordings, verdicts and comparisons.
//!
//! Invariant: an excerpt's span is in measured time ([`crate::Stamps::measured`]), its start included, its end not.
//! Times are nanoseconds since the Unix epoch.
//!
//! Not here: edges between whole things, which the ledger's entries tell, and walks along edges.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Span, Timestamp};

/// Some of a thing: a channel of a recording over a span of time, a unit of a verdict, or all of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// Id of the recording, verdict or comparison.
    pub id: String,
    /// The channel's topic, or the unit as `direction/number`; `None` for all of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<String>,
    /// First instant; `None` for everything from the start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_time_ns: Option<Timestamp>,
    /// One past the last instant; `None` for everything to the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_time_ns: Option<Timestamp>,
}

impl Excerpt {
    /// All of a thing.
    #[must_use]
    pub fn whole(id: impl Into<String>) -> Self {
        Self { id: id.into(), part: None, start_time_ns: None, end_time_ns: None }
    }

    /// One part of it, at all times.
    #[must_use]
    pub fn of_part(self, part: impl Into<String>) -> Self {
        Self { part: Some(part.into()), ..self }
    }

    /// The same from `start` to before `end`.
    #[must_use]
    pub fn between(self, start: Timestamp, end: Timestamp) -> Self {
        Self { start_time_ns: Some(start), end_time_ns: Some(end), ..self }
    }

    /// The same from `first` to `last`, both included.
    #[must_use]
    pub fn through(self, first: Timestamp, last: Timestamp) -> Self {
        self.between(first, last.plus(Span(1)))
    }
}

/// Why an excerpt came from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The child's robot is where the parent's rows say that it was.
    Anchor,
    /// The child's map and sensor models were fitted on the parent's rows.
    Calibration,
    /// The child, a unit of a verdict, was measured on the parent's rows.
    Validation,
    /// Rows around the unit that its values depend on too: a system under test had seen them before.
    Context,
    /// The child's synthetic values are the parent, simulated again over this span with the claim's seeds.
    Resimulation,
    /// The parent's rows were looked at beside others.
    Comparison,
    /// The child's rows were read out of the parent's bytes.
    Decoding,
    /// The ledger says that the child was made from the parent, and nothing finer.
    Entry,
}

impl EdgeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Anchor,
        Self::Calibration,
        Self::Validation,
        Self::Context,
        Self::Resimulation,
        Self::Comparison,
        Self::Decoding,
        Self::Entry,
    ];

    /// The word used in tables and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Calibration => "calibration",
            Self::Validation => "validation",
            Self::Context => "context",
            Self::Resimulation => "resimulation",
            Self::Comparison => "comparison",
            Self::Decoding => "decoding",
            Self::Entry => "entry",
        }
    }
}

impl fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not a kind of edge.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of edge")]
pub struct UnknownEdgeKind(pub String);

impl FromStr for EdgeKind {
    type Err = UnknownEdgeKind;
    fn from_str(word: &str) -> Result<Self, UnknownEdgeKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| UnknownEdgeKind(word.to_owned()))
    }
}

/// One row of the table `derivations`: the child came from the parent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineageEdge {
    /// What was made.
    pub child: Excerpt,
    /// Why.
    pub kind: EdgeKind,
    /// What it was made from.
    pub parent: Excerpt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in EdgeKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("magic".parse::<EdgeKind>(), Err(UnknownEdgeKind("magic".to_owned())));
    }
}
