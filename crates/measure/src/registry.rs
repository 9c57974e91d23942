//! The metrics that this crate measures: id, unit, one sentence, source.
//!
//! One file per family; a new metric is one entry there.
//! Invariant: no id twice, and [`all`] is sorted by id. The unit `value` stands for the unit of the
//! numbers that were given.
//!
//! Not here: conventions, which belong to each use of a metric (see [`crate::Metric`]).

use std::sync::LazyLock;

use crate::metric::MetricId;

mod channel;
mod distribution;
mod geometry;
mod ranking;
mod scan;
mod sensor;
mod signal;
mod trajectory;

pub use self::{
    channel::*, distribution::*, geometry::*, ranking::*, scan::*, sensor::*, signal::*,
    trajectory::*,
};

/// Every family.
const FAMILIES: &[&[MetricEntry]] = &[
    channel::ENTRIES,
    distribution::ENTRIES,
    geometry::ENTRIES,
    ranking::ENTRIES,
    scan::ENTRIES,
    sensor::ENTRIES,
    signal::ENTRIES,
    trajectory::ENTRIES,
];
/// One line of the list of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MetricEntry {
    /// Names it in tables, files and options.
    pub id: MetricId,
    /// Unit of its value: SI, `1` for a pure number, `value` for the unit of the input.
    pub unit: &'static str,
    /// What it says, in one sentence.
    pub description: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
}

/// Declares the metrics of one family: `NAME = id, unit, sentence, source;`.
macro_rules! metrics {
    ($($name:ident = $id:literal, $unit:literal, $description:literal, $source:literal;)*) => {
        $(
            #[doc = $description]
            pub const $name: crate::MetricId = crate::metric::MetricId($id);
        )*
        pub(super) const ENTRIES: &[super::MetricEntry] = &[$(super::MetricEntry {
            id: $name,
            unit: $unit,
            description: $description,
            source: $source,
        }),*];
    };
}
use metrics;

/// Every metric, sorted by id.
#[must_use]
pub fn all() -> &'static [MetricEntry] {
    static ALL: LazyLock<Vec<MetricEntry>> = LazyLock::new(|| {
        let mut entries = FAMILIES.concat();
        entries.sort_by_key(|entry| entry.id);
        entries
    });
    &ALL
}

/// The entry of a metric.
#[must_use]
pub fn entry(id: MetricId) -> Option<&'static MetricEntry> {
    all().iter().find(|entry| entry.id == id)
}

/// The unit of a metric.
#[must_use]
pub fn unit(id: MetricId) -> &'static str {
    entry(id).map_or("", |entry| entry.unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_stands_twice_and_each_entry_is_one_sentence() {
        assert!(all().windows(2).all(|pair| pair[0].id < pair[1].id));
        for metric in all() {
            assert_eq!(entry(metric.id), Some(metric));
            assert!(metric.description.ends_with('.') && !metric.unit.is_empty());
        }
    }
}
