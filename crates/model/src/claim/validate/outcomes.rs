//! What kinds of claims, units and outcomes go together, and what a table of outcomes must declare.
//!
//! Invariant: a test that may be read only once has its number of units in the claim; one that may
//! be read at any time has a bound.
//!
//! Not here: fields that stand alone.

use super::{
    super::{Family, Outcome, OutcomeTable, PositiveControlKind},
    Claim, ClaimError, ClaimKind, Split, SyntheticSource,
};

fn incompatible(
    field: &'static str,
    value: &'static str,
    other: &'static str,
    fix: &'static str,
) -> Result<(), ClaimError> {
    Err(ClaimError::Incompatible { field, value, other, fix })
}

impl Claim {
    /// The kind of claim, of outcome and of unit must name one test.
    pub(super) fn check_kinds(&self) -> Result<(), ClaimError> {
        match (self.kind, self.worse) {
            (ClaimKind::Safety, None) => {
                let fix = "say which side is the bad one: `worse = \"larger\"` for errors and \
                           failures, `worse = \"smaller\"` for successes";
                return incompatible("kind", "safety", "no `worse`", fix);
            }
            (ClaimKind::Measurement, Some(_)) => {
                let fix = "leave `worse` out, or claim `kind = \"safety\"`: a measurement may be \
                           off to neither side";
                return incompatible("kind", "measurement", "worse", fix);
            }
            _ => {}
        }
        match self.outcome {
            Outcome::Continuous {} if self.unit.is_independent() => self.check_bets()?,
            Outcome::Continuous {} => {}
            Outcome::Binary { threshold } => self.check_binary(threshold)?,
        }
        let bets = self.outcome.is_continuous() && self.unit.is_independent();
        if self.family == Family::EBh && !bets {
            let fix = "use `family = \"holm\"`: only bounded outcomes of runs or scenes have \
                       e-values";
            return incompatible("family", "e_bh", "this outcome and unit", fix);
        }
        Ok(())
    }

    /// Runs and scenes with bounded differences, which may be read at any time.
    fn check_bets(&self) -> Result<(), ClaimError> {
        let Some(bound) = self.bound else {
            let fix = "state the largest possible difference: runs and scenes are judged by a test \
                       that needs it";
            return incompatible("unit.kind", self.unit.words()[0], "no bound", fix);
        };
        if bound <= self.margin.value {
            return Err(ClaimError::OutOfRange {
                field: "bound",
                value: bound,
                requirement: "above the margin",
                fix: "state the largest possible difference: a margin that no difference can \
                      exceed shows nothing",
            });
        }
        if self.unit.declared_count().is_some() {
            let fix = "leave `unit.count` out: this test may be read after any number of units";
            return incompatible("unit.count", "given", "a continuous outcome", fix);
        }
        Ok(())
    }

    /// Outcomes of 0 and 1, whose test is read once.
    fn check_binary(&self, threshold: Option<f64>) -> Result<(), ClaimError> {
        let out_of_range = |field, value, requirement, fix| {
            Err(ClaimError::OutOfRange { field, value, requirement, fix })
        };
        if !self.unit.is_independent() {
            let fix = "use runs or scenes as units: outcomes of stretches of one run depend on \
                       each other";
            return incompatible("outcome.kind", "binary", "unit.kind = block", fix);
        }
        if let Some(value) = threshold
            && !value.is_finite()
        {
            let fix = "give the value above which an outcome counts as 1";
            return out_of_range("outcome.threshold", value, "finite", fix);
        }
        if self.margin.value >= 1.0 {
            let fix = "give the margin as a share, such as 0.05";
            return out_of_range("margin.value", self.margin.value, "below 1", fix);
        }
        if self.margin.unit != "share" {
            let fix = "set `margin.unit = \"share\"`: binary outcomes are compared by their shares";
            return incompatible("margin.unit", "not `share`", "outcome.kind = binary", fix);
        }
        if self.unit.declared_count().is_none_or(|count| count == 0) {
            let fix = "set `unit.count` to the number of units there will be: an exact test is \
                       read once";
            return incompatible("unit.count", "missing or 0", "outcome.kind = binary", fix);
        }
        Ok(())
    }

    /// A table of outcomes needs its columns, and nothing else may name one.
    pub(super) fn check_outcomes(&self) -> Result<(), ClaimError> {
        let SyntheticSource::Outcomes(table) = &self.synthetic else {
            if matches!(self.controls.positive, PositiveControlKind::Column(_)) {
                let fix = "use `positive = \"halves\"`: only a table of outcomes has columns";
                return incompatible("controls.positive", "column", "no table of outcomes", fix);
            }
            if self.controls.negative.column.is_some() {
                let fix = "leave `controls.negative.column` out: the corruption is made here";
                return incompatible("controls.negative", "column", "no table of outcomes", fix);
            }
            return Ok(());
        };
        if !self.unit.is_independent() {
            let fix = "use `unit = { kind = \"run\" }` or `\"scene\"`: each row is one unit";
            return incompatible("unit.kind", "block", "a table of outcomes", fix);
        }
        if !matches!(self.split, Split::ByRun {}) {
            let fix = "leave `split` out: units of a table are whole runs or scenes";
            return incompatible("split.kind", "contiguous_halves", "a table of outcomes", fix);
        }
        if self.controls.positive == PositiveControlKind::NextScan {
            let fix = "use `positive = { column = \"...\" }` or `\"halves\"`";
            return incompatible("controls.positive", "next_scan", "a table of outcomes", fix);
        }
        if self.seeds.count != 1 {
            return Err(ClaimError::OutOfRange {
                field: "seeds.count",
                value: f64::from(self.seeds.count),
                requirement: "1",
                fix: "leave `seeds` out: a table has one synthetic outcome per unit (the mean, \
                      where it was drawn often)",
            });
        }
        self.check_columns(table)
    }

    fn check_columns(&self, table: &OutcomeTable) -> Result<(), ClaimError> {
        let columns = &table.columns;
        let mut named = vec![
            ("synthetic.outcomes.columns.unit", columns.unit.as_str()),
            ("synthetic.outcomes.columns.real", &columns.real),
            ("synthetic.outcomes.columns.synthetic", &columns.synthetic),
        ];
        let optional = [
            ("synthetic.outcomes.columns.cell", &columns.cell),
            ("synthetic.outcomes.columns.system", &columns.system),
            ("controls.negative.column", &self.controls.negative.column),
        ];
        named.extend(optional.iter().filter_map(|(field, name)| Some((*field, name.as_deref()?))));
        if let PositiveControlKind::Column(name) = &self.controls.positive {
            named.push(("controls.positive.column", name));
        }
        if table.file.trim().is_empty() {
            return Err(ClaimError::Empty { field: "synthetic.outcomes.file" });
        }
        if self.controls.negative.column.is_none() {
            return Err(ClaimError::Empty { field: "controls.negative.column" });
        }
        if columns.system.is_some() && self.metric.system().is_none() {
            return Err(ClaimError::Empty { field: "metric.parameters.system" });
        }
        for (index, (field, name)) in named.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(ClaimError::Empty { field });
            }
            if named[..index].iter().any(|(_, earlier)| earlier == name) {
                let column = (*name).to_owned();
                return Err(ClaimError::SameColumn { field, column });
            }
        }
        Ok(())
    }

    /// The reserve can pay for the question at all.
    pub(super) fn check_reserve(&self) -> Result<(), ClaimError> {
        let Some(reserve) = &self.reserve else { return Ok(()) };
        if reserve.name.trim().is_empty() {
            return Err(ClaimError::Empty { field: "reserve.name" });
        }
        if !(reserve.wealth > 0.0 && reserve.wealth < 1.0) {
            return Err(ClaimError::OutOfRange {
                field: "reserve.wealth",
                value: reserve.wealth,
                requirement: "between 0 and 1",
                fix: "state the chance of error that all questions to the reserve may make \
                      together, such as 0.05",
            });
        }
        Ok(())
    }
}
