//! What was measured, exactly: the id of a metric and every convention that its value depends on.
//!
//! Invariant: two values may be compared if and only if their metrics print the same text.
//!
//! Not here: the values.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer};

use crate::{MeasureError, registry};

/// The id of a metric that the registry knows, such as `traj.ape.translation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricId(pub(crate) &'static str);

impl MetricId {
    /// The metric with this id.
    ///
    /// # Errors
    /// [`MeasureError::UnknownMetric`].
    pub fn find(id: &str) -> Result<Self, MeasureError> {
        registry::all()
            .iter()
            .find(|entry| entry.id.0 == id)
            .map(|entry| entry.id)
            .ok_or_else(|| MeasureError::UnknownMetric { id: id.to_owned() })
    }

    /// As written in tables, files and options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A metric with its conventions: alignment, association, delta, relation, compatible tool.
///
/// Prints as `traj.ape.translation[alignment=se3;compat=evo==1.38.1]`, the conventions sorted by
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    id: MetricId,
    conventions: BTreeMap<&'static str, String>,
}

impl Metric {
    /// A metric without conventions.
    #[must_use]
    pub fn new(id: MetricId) -> Self {
        Self { id, conventions: BTreeMap::new() }
    }

    /// The same metric with one convention more, or another choice for it.
    ///
    /// # Panics
    /// If the choice holds `;`, `[` or `]`, which would make the printed text ambiguous.
    #[must_use]
    pub fn with(mut self, convention: &'static str, choice: impl fmt::Display) -> Self {
        let choice = choice.to_string();
        assert!(!choice.contains([';', '[', ']']), "convention `{choice}` holds a separator");
        self.conventions.insert(convention, choice);
        self
    }

    /// The id without conventions.
    #[must_use]
    pub fn id(&self) -> MetricId {
        self.id
    }

    /// The conventions, sorted by name.
    #[must_use]
    pub fn conventions(&self) -> &BTreeMap<&'static str, String> {
        &self.conventions
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.0)?;
        for (index, (name, choice)) in self.conventions.iter().enumerate() {
            let before = if index == 0 { '[' } else { ';' };
            write!(f, "{before}{name}={choice}")?;
        }
        if self.conventions.is_empty() { Ok(()) } else { f.write_str("]") }
    }
}

/// In JSON the printed text: that text is the identity.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// In JSON the id's text.
impl Serialize for MetricId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_prints_the_same_text_whatever_the_order_of_its_conventions() {
        let id = registry::TRAJ_APE_TRANSLATION;
        let one = Metric::new(id).with("b", 0.1).with("a", "x");
        let other = Metric::new(id).with("a", "x").with("b", 0.1);
        assert_eq!(one.to_string(), "traj.ape.translation[a=x;b=0.1]");
        assert_eq!(one.to_string(), other.to_string());
        assert_eq!(Metric::new(id).to_string(), "traj.ape.translation");
    }

    #[test]
    fn an_unknown_id_is_refused() {
        assert_eq!(
            MetricId::find("traj.ape"),
            Err(MeasureError::UnknownMetric { id: "traj.ape".into() })
        );
        assert_eq!(MetricId::find("traj.ape.translation"), Ok(registry::TRAJ_APE_TRANSLATION));
    }
}
