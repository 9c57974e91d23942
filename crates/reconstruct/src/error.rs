//! What can be wrong with the input of a reconstruction, and what to do about it.
//!
//! Invariant: a message says which item and which value; nothing is repaired silently.

use tiepoint_model::ErrorKind;

/// Why a reconstruction was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReconstructError {
    /// A reference without usable points.
    #[error("the reference of a scan match has `{usable_count}` usable points, `{minimum}` needed")]
    EmptyReference {
        /// Usable points.
        usable_count: usize,
        /// Least number needed.
        minimum: usize,
    },
    /// A scan without enough valid beams to match.
    #[error("the scan has `{valid_count}` valid beams, `{minimum}` needed to match it")]
    UnusableScan {
        /// Valid beams.
        valid_count: usize,
        /// Least number needed.
        minimum: usize,
    },
    /// No point of the scan came near the reference.
    #[error("`{paired_count}` points of the scan met the reference, `{minimum}` needed")]
    NoOverlap {
        /// Points with a partner.
        paired_count: usize,
        /// Least number needed.
        minimum: usize,
    },
    /// NaN or infinity where a number is needed.
    #[error("`{what}` number `{index}` is not finite")]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Position in it.
        index: usize,
    },
    /// A list that must not be empty is.
    #[error("there is no `{what}`")]
    Empty {
        /// Which input.
        what: &'static str,
    },
    /// Stamps that go backwards.
    #[error("`{what}` number `{index}` is earlier than the one before it")]
    Unsorted {
        /// Which input.
        what: &'static str,
        /// Position in it.
        index: usize,
    },
    /// Two lists that must have the same length do not.
    #[error("there are `{got}` `{what}` for `{expected}` scans")]
    LengthMismatch {
        /// Which input.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length needed.
        expected: usize,
    },
    /// An edge or a prior that names a node that is not there, or an edge from a node to itself.
    #[error("edge or prior number `{index}` names node `{node}`, the graph has `{node_count}`")]
    BadNode {
        /// Position among the edges or priors.
        index: usize,
        /// The node it names.
        node: usize,
        /// Nodes of the graph.
        node_count: usize,
    },
    /// A node that no chain of edges joins to a fixed node or a prior.
    #[error("node `{node}` is not joined to the rest of the pose graph")]
    Disconnected {
        /// The first such node.
        node: usize,
    },
    /// The normal equations have no unique solution.
    #[error("the pose graph does not determine node `{node}`")]
    Undetermined {
        /// The node whose pivot failed.
        node: usize,
    },
    /// An option outside its range.
    #[error("option `{option}` is `{value}`, it must be {allowed}")]
    BadOption {
        /// Its name.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        allowed: &'static str,
    },
    /// A map with more cells than this program makes.
    #[error("the map would have `{cell_count}` cells, the limit is `{limit}`")]
    MapTooLarge {
        /// Cells needed.
        cell_count: usize,
        /// The limit.
        limit: usize,
    },
}

impl ReconstructError {
    /// The class of the error, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What to do next, for people.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::EmptyReference { .. } | Self::UnusableScan { .. } => {
                "leave this scan out, or check the sensor's range limits".to_owned()
            }
            Self::NoOverlap { .. } => {
                "give a better first guess or a larger search window".to_owned()
            }
            Self::NotFinite { what, .. } => format!("remove the values of `{what}` that are NaN"),
            Self::Empty { what } => format!("give at least one `{what}`"),
            Self::Unsorted { what, .. } => format!("sort `{what}` by time first"),
            Self::LengthMismatch { what, .. } => format!("give one of `{what}` per scan"),
            Self::BadNode { .. } => "edges join two different nodes of the graph".to_owned(),
            Self::Disconnected { node } => {
                format!("add an edge from node `{node}` to a neighbour, or a prior")
            }
            Self::Undetermined { node } => {
                format!("give the edges at node `{node}` information of full rank")
            }
            Self::BadOption { option, allowed, .. } => format!("set `{option}` to {allowed}"),
            Self::MapTooLarge { .. } => "use larger cells or a smaller greatest range".to_owned(),
        }
    }
}

/// Refuses an option that is not finite and positive.
pub(crate) fn positive(option: &'static str, value: f64) -> Result<(), ReconstructError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(ReconstructError::BadOption { option, value, allowed: "finite and above zero" })
}

/// Refuses an option above a limit.
pub(crate) fn at_most(
    option: &'static str,
    value: f64,
    limit: f64,
) -> Result<(), ReconstructError> {
    if value <= limit {
        return Ok(());
    }
    Err(ReconstructError::BadOption { option, value, allowed: "not so large" })
}
