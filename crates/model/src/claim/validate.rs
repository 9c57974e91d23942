//! Everything about a claim that can be checked without data.
//!
//! Invariant: an error names the field, its value, and (in its hint) the fix.
//!
//! Not here: what a claim is.

mod outcomes;

use super::{
    CLAIM_FORMAT_VERSION, Claim, ClaimKind, GUARD_AUTOCORRELATION_TIMES_MIN, Independence,
    ParameterValue, SEED_COUNT_MIN, Split, SyntheticSource, UnitChoice,
};
use crate::ErrorKind;

/// Why a claim cannot be judged: the field, its value, and (in [`ClaimError::hint`]) the fix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClaimError {
    /// A number outside its range.
    #[error("claim field `{field}` is {value}, which is not {requirement}")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: f64,
        /// What it must be.
        requirement: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// A text without a letter, or a list without an element.
    #[error("claim field `{field}` is empty")]
    Empty {
        /// Which field.
        field: &'static str,
    },
    /// The metric is not one of those that can be measured.
    #[error("claim field `metric.id` is `{id}`, which is not a known metric")]
    UnknownMetric {
        /// What it holds.
        id: String,
        /// What is known.
        known: Vec<String>,
    },
    /// No judge exists for this kind of claim yet.
    #[error("claim field `kind` is `{kind}`, and claims of that kind are not yet judged")]
    NotYetJudged {
        /// What it holds.
        kind: ClaimKind,
    },
    /// Written for another version.
    #[error("claim field `format_version` is {found}, and only {CLAIM_FORMAT_VERSION} is read")]
    FormatVersion {
        /// What it holds.
        found: u32,
    },
    /// Two cells with one name.
    #[error("claim field `cells` names `{name}` twice")]
    DuplicateCell {
        /// The name.
        name: String,
    },
    /// One column for two things.
    #[error("claim field `{field}` is the column `{column}`, which another field names too")]
    SameColumn {
        /// Which field.
        field: &'static str,
        /// The column.
        column: String,
    },
    /// Two fields that exclude each other.
    #[error("claim field `{field}` is `{value}`, which does not go with `{other}`")]
    Incompatible {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: &'static str,
        /// The other field and its value.
        other: &'static str,
        /// What to do.
        fix: &'static str,
    },
}

impl ClaimError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::OutOfRange { fix, .. } | Self::Incompatible { fix, .. } => (*fix).to_owned(),
            Self::Empty { field } => format!("say in `{field}` what a reader must know"),
            Self::UnknownMetric { known, .. } => format!("use one of: {}", known.join(", ")),
            Self::NotYetJudged { .. } => {
                "claims of kind `measurement` and `safety` are judged: state the claim as a \
                 largest tolerable difference of one metric"
                    .to_owned()
            }
            Self::FormatVersion { .. } => format!("set `format_version = {CLAIM_FORMAT_VERSION}`"),
            Self::SameColumn { .. } => "name a column of its own for each".to_owned(),
            Self::DuplicateCell { .. } => "give each cell a name of its own".to_owned(),
        }
    }
}

impl Claim {
    /// Checks everything that can be checked without data.
    ///
    /// `known_metrics` are the ids that can be measured here.
    ///
    /// # Errors
    /// The first fault found, in the order of the fields.
    pub fn validate(&self, known_metrics: &[&str]) -> Result<(), ClaimError> {
        if self.format_version != CLAIM_FORMAT_VERSION {
            return Err(ClaimError::FormatVersion { found: self.format_version });
        }
        self.check_texts()?;
        if !matches!(self.kind, ClaimKind::Measurement | ClaimKind::Safety) {
            return Err(ClaimError::NotYetJudged { kind: self.kind });
        }
        // What was measured elsewhere has the name that it was given there.
        let is_measured_here = !matches!(self.synthetic, SyntheticSource::Outcomes(_));
        if is_measured_here && !known_metrics.contains(&self.metric.id.as_str()) {
            return Err(ClaimError::UnknownMetric {
                id: self.metric.id.clone(),
                known: known_metrics.iter().map(|id| (*id).to_owned()).collect(),
            });
        }
        self.check_numbers()?;
        self.check_cells()?;
        self.check_tiers()?;
        self.check_kinds()?;
        self.check_outcomes()?;
        self.check_reserve()
    }

    fn check_texts(&self) -> Result<(), ClaimError> {
        let synthetic = match &self.synthetic {
            SyntheticSource::Twin { .. } => "twin",
            SyntheticSource::Recording(name) => name,
            SyntheticSource::Outcomes(table) => &table.generator,
        };
        let texts = [
            ("name", self.name.as_str()),
            ("statement", &self.statement),
            ("task", &self.task),
            ("real", &self.real),
            ("synthetic", synthetic),
            ("metric.id", &self.metric.id),
            ("margin.unit", &self.margin.unit),
            ("margin.justification", &self.margin.justification),
            ("controls.negative.id", &self.controls.negative.id),
            ("controls.negative.unit", &self.controls.negative.unit),
        ];
        match texts.iter().find(|(_, text)| text.trim().is_empty()) {
            Some((field, _)) => Err(ClaimError::Empty { field }),
            None => Ok(()),
        }
    }

    fn check_numbers(&self) -> Result<(), ClaimError> {
        let above_zero = |field, value: f64, fix| {
            let fits = value.is_finite() && value > 0.0;
            let requirement = "a finite number above 0";
            if fits {
                Ok(())
            } else {
                Err(ClaimError::OutOfRange { field, value, requirement, fix })
            }
        };
        for value in self.metric.parameters.values() {
            if let ParameterValue::Number(value) = value
                && !value.is_finite()
            {
                let (field, requirement) = ("metric.parameters", "finite");
                let fix = "write every parameter of the metric as a finite number";
                return Err(ClaimError::OutOfRange { field, value: *value, requirement, fix });
            }
        }
        if let UnitChoice::Block { length_s } = self.unit {
            let fix = "give the length of a block in seconds, at least three autocorrelation times";
            above_zero("unit.length_s", length_s, fix)?;
        }
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            return Err(ClaimError::OutOfRange {
                field: "alpha",
                value: self.alpha,
                requirement: "between 0 and 0.5",
                fix: "use 0.05 unless the decision calls for less risk",
            });
        }
        let fix = "state the largest difference that does not matter, in the metric's unit";
        above_zero("margin.value", self.margin.value, fix)?;
        if let Some(bound) = self.bound {
            above_zero("bound", bound, "state the largest possible difference, or leave it out")?;
        }
        let fix = "declare a corruption that should matter, and how large it is";
        above_zero("controls.negative.size", self.controls.negative.size, fix)?;
        // What was measured elsewhere was drawn as often as it was.
        let is_drawn_here = !matches!(self.synthetic, SyntheticSource::Outcomes(_));
        if is_drawn_here && self.seeds.count < SEED_COUNT_MIN {
            return Err(ClaimError::OutOfRange {
                field: "seeds.count",
                value: f64::from(self.seeds.count),
                requirement: "20 or more",
                fix: "set `seeds.count = 20`: fewer leave the simulator's scatter in the result",
            });
        }
        let fix = "say after how many days the verdict must be renewed";
        above_zero("expires_days", f64::from(self.expires_days), fix)
    }

    fn check_cells(&self) -> Result<(), ClaimError> {
        if self.cells.is_empty() {
            return Err(ClaimError::Empty { field: "cells" });
        }
        for (index, cell) in self.cells.iter().enumerate() {
            if cell.name.trim().is_empty() {
                return Err(ClaimError::Empty { field: "cells.name" });
            }
            if self.cells[..index].iter().any(|earlier| earlier.name == cell.name) {
                return Err(ClaimError::DuplicateCell { name: cell.name.clone() });
            }
            for condition in &cell.when {
                if condition.descriptor.trim().is_empty() {
                    return Err(ClaimError::Empty { field: "cells.when.descriptor" });
                }
                if !condition.value.is_finite() {
                    return Err(ClaimError::OutOfRange {
                        field: "cells.when.value",
                        value: condition.value,
                        requirement: "finite",
                        fix: "compare the descriptor with a finite number",
                    });
                }
            }
        }
        Ok(())
    }

    /// The unit, the split and the independence must tell one story.
    fn check_tiers(&self) -> Result<(), ClaimError> {
        let incompatible =
            |field, value, other, fix| Err(ClaimError::Incompatible { field, value, other, fix });
        let within_run = self.independence == Independence::WithinRun;
        match self.unit {
            unit if unit.is_independent() && within_run => {
                let fix = "use blocks, or claim across runs";
                let value = unit.words()[0];
                return incompatible("unit.kind", value, "independence = within_run", fix);
            }
            UnitChoice::Block { .. } if !within_run => {
                let fix = "blocks of one run say nothing about another: use `independence = \
                           \"within_run\"`, or runs as units";
                return incompatible("unit.kind", "block", "independence across runs", fix);
            }
            _ => {}
        }
        match self.split {
            Split::ContiguousHalves { both_directions: false, .. } if within_run => {
                let fix = "set `both_directions = true`: within one run both must agree";
                incompatible("split.both_directions", "false", "independence = within_run", fix)
            }
            Split::ContiguousHalves { guard_autocorrelation_times: guard, .. }
                if !(guard.is_finite() && guard >= GUARD_AUTOCORRELATION_TIMES_MIN) =>
            {
                Err(ClaimError::OutOfRange {
                    field: "split.guard_autocorrelation_times",
                    value: guard,
                    requirement: "2 or more",
                    fix: "leave out at least two autocorrelation times between the halves",
                })
            }
            Split::ByRun {} if within_run => {
                let fix = "use `split.kind = \"contiguous_halves\"`";
                incompatible("split.kind", "by_run", "independence = within_run", fix)
            }
            Split::ContiguousHalves { .. } | Split::ByRun {} => Ok(()),
        }
    }
}
