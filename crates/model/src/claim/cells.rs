//! Condition cells: where a claim is judged alone.
//!
//! Invariant: a unit whose conditions cannot be told is in no cell and out of none: it is an error.
//!
//! Not here: which cells a claim may declare (see [`super::Claim::validate`]).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// A set of conditions under which the claim is judged alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionCell {
    /// Its name.
    pub name: String,
    /// Every one must hold; none means everywhere.
    #[serde(default)]
    pub when: Vec<Condition>,
}

impl ConditionCell {
    /// Whether a unit with these descriptors lies in the cell; the missing descriptor if it
    /// cannot be told.
    ///
    /// # Errors
    /// The name of the first descriptor that is absent or not finite.
    pub fn admits(&self, descriptors: &BTreeMap<String, f64>) -> Result<bool, String> {
        let mut inside = true;
        for condition in &self.when {
            let value = descriptors.get(&condition.descriptor).copied();
            let value = value
                .filter(|value| value.is_finite())
                .ok_or_else(|| condition.descriptor.clone())?;
            inside &= condition.holds(value);
        }
        Ok(inside)
    }
}

/// `descriptor operator value`, such as `mean_speed_m_per_s >= 0.3`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A descriptor of the unit, its unit in its name.
    pub descriptor: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: f64,
}

impl Condition {
    fn holds(&self, value: f64) -> bool {
        match self.operator {
            Operator::Below => value < self.value,
            Operator::AtMost => value <= self.value,
            Operator::AtLeast => value >= self.value,
            Operator::Above => value > self.value,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Below => "<",
            Operator::AtMost => "<=",
            Operator::AtLeast => ">=",
            Operator::Above => ">",
        };
        write!(f, "{} {operator} {}", self.descriptor, self.value)
    }
}

/// How a descriptor is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Less.
    #[serde(rename = "<")]
    Below,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Greater.
    #[serde(rename = ">")]
    Above,
}

pub(super) fn one_cell() -> Vec<ConditionCell> {
    vec![ConditionCell { name: "all".to_owned(), when: Vec::new() }]
}
