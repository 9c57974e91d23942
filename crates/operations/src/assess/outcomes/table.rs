//! A table of outcomes as units: one row per unit of the system under test.
//!
//! Invariant: every row is used, left out because it is about another system, or refused; a cell
//! without a number is a lost value, never a zero. The order is that of the table.
//!
//! Not here: what a threshold makes of a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use tiepoint_model::{
    claim::{Claim, OutcomeTable, PositiveControlKind},
    verdict::UnitValues,
};

use super::super::metric::refuse;
use crate::{
    Error, InputFile,
    measure::{read_number_columns, read_word_columns},
};

/// Numbers by column.
struct Numbers(BTreeMap<String, Vec<f64>>);

impl Numbers {
    fn at(&self, column: &str, row: usize) -> Option<f64> {
        self.0.get(column).and_then(|values| values.get(row)).copied().filter(|v| v.is_finite())
    }
}

/// The units of a claim's table, in the order of its rows.
///
/// # Errors
/// [`Error::Log`] for a file that is no table or has not the columns; [`Error::BadNumber`] for an infinite number;
/// [`Error::CannotMeasure`] for a unit without a name or named twice, or a table without the system under test.
pub(super) fn units(
    claim: &Claim,
    table: &OutcomeTable,
    path: &Path,
    bytes: &[u8],
) -> Result<Vec<UnitValues>, Error> {
    let file = InputFile { path: path.to_owned(), bytes: bytes.to_vec() };
    let columns = &table.columns;
    let mut names = vec![columns.unit.clone()];
    names.extend(columns.cell.clone());
    names.extend(columns.system.clone());
    let words = read_word_columns(&file, &names)?;
    let (unit_names, mut others) = match words.split_first() {
        Some((first, rest)) => (first, rest.iter()),
        None => return Err(Error::NoWholeRow { path: path.to_owned() }),
    };
    let cells = columns.cell.as_ref().and_then(|_| others.next());
    let systems = columns.system.as_ref().and_then(|_| others.next());
    let numbers = numbers(claim, table, &file)?;
    let mut units: Vec<UnitValues> = Vec::new();
    let mut seen = BTreeSet::new();
    for (row, name) in unit_names.iter().enumerate() {
        if let Some(systems) = systems
            && systems[row].as_deref() != claim.metric.system()
        {
            continue;
        }
        let Some(name) = name else {
            let hint = format!("give every row a name in `{}`", columns.unit);
            return Err(refuse(claim, &format!("row {} has no name of a unit", row + 1), hint));
        };
        if !seen.insert(name) {
            let reason = format!("unit `{name}` stands in two rows, the second being {}", row + 1);
            let hint = "give one row per unit and system; average repeated draws first".to_owned();
            return Err(refuse(claim, &reason, hint));
        }
        if let Some(cells) = cells
            && cells[row].is_none()
        {
            let hint = "name the cell of every unit".to_owned();
            return Err(refuse(claim, &format!("unit `{name}` has no cell"), hint));
        }
        let cell = cells.and_then(|cells| cells[row].clone());
        units.push(unit(claim, table, &numbers, (row, units.len()), (name, cell)));
    }
    if units.is_empty() {
        let system = claim.metric.system().unwrap_or_default();
        let reason = format!("no row of `{}` is about system `{system}`", table.file);
        let hint = "name a system that the table holds".to_owned();
        return Err(refuse(claim, &reason, hint));
    }
    Ok(units)
}

/// Every column of numbers that the claim speaks of.
fn numbers(claim: &Claim, table: &OutcomeTable, file: &InputFile) -> Result<Numbers, Error> {
    let mut wanted = BTreeSet::from([table.columns.real.clone(), table.columns.synthetic.clone()]);
    wanted.extend(claim.controls.negative.column.clone());
    if let PositiveControlKind::Column(column) = &claim.controls.positive {
        wanted.insert(column.clone());
    }
    let conditions = claim.cells.iter().flat_map(|cell| &cell.when);
    wanted.extend(conditions.map(|condition| condition.descriptor.clone()));
    let names: Vec<String> = wanted.into_iter().collect();
    Ok(Numbers(names.iter().cloned().zip(read_number_columns(file, &names)?).collect()))
}

fn unit(
    claim: &Claim,
    table: &OutcomeTable,
    numbers: &Numbers,
    (row, unit_index): (usize, usize),
    (name, cell): (&str, Option<String>),
) -> UnitValues {
    let conditions = claim.cells.iter().flat_map(|cell| &cell.when);
    let descriptors = conditions.filter_map(|condition| {
        let name = &condition.descriptor;
        Some((name.clone(), numbers.at(name, row)?))
    });
    let corrupted = claim.controls.negative.column.as_deref();
    let again = match &claim.controls.positive {
        PositiveControlKind::Column(column) => numbers.at(column, row),
        PositiveControlKind::Halves | PositiveControlKind::NextScan => None,
    };
    UnitValues {
        unit_index,
        unit: Some(name.to_owned()),
        cell,
        start_ns: None,
        end_ns: None,
        sample_count: 1,
        descriptors: descriptors.collect(),
        real: numbers.at(&table.columns.real, row),
        synthetic_by_seed: vec![numbers.at(&table.columns.synthetic, row)],
        negative_control_by_seed: vec![corrupted.and_then(|column| numbers.at(column, row))],
        positive_control: again,
    }
}
