//! Paired differences of units in a file, one by one or in blocks of rows.
//!
//! Invariant: a difference is synthetic minus real; blocks are of equal length, and rows that fill
//! none are left out and counted.
//! Units: those of the columns.

use tiepoint_assure::statistics::{
    choice::{Question, Units},
    dependence::{BlockedRun, REPLICATIONS, autocorrelation_time, simulated_size},
};
use tiepoint_model::Seed;

use super::super::{
    InputFile, Measured, MeasuredValue,
    input::{dropped_note, read_numbers},
};
use crate::Error;

/// Units in a file, and which of its columns are compared.
#[derive(Clone, Debug)]
pub struct PairedUnits {
    /// CSV or Parquet, one row for each unit, in the order in which they came.
    pub units: InputFile,
    /// What is compared.
    pub columns: PairColumns,
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
}

/// The columns of a comparison.
#[derive(Clone, Debug)]
pub enum PairColumns {
    /// One column of differences, synthetic minus real.
    Difference(String),
    /// The real and the synthetic value of each unit.
    Pair {
        /// Of the real value.
        real: String,
        /// Of the synthetic value.
        synthetic: String,
    },
}

/// What is tested: one value a unit.
pub(super) struct Differences {
    /// Of units, or means of blocks of rows.
    pub(super) values: Vec<f64>,
    pub(super) blocks: Option<Blocks>,
    /// Of the rows as they follow each other, rows; `None` if it cannot be measured.
    pub(super) autocorrelation_time: Option<f64>,
    notes: Vec<String>,
}

pub(super) struct Blocks {
    length: usize,
}

impl PairedUnits {
    /// Differences of rows, or of blocks of so many rows.
    pub(super) fn read(&self, block_length: Option<usize>) -> Result<Differences, Error> {
        let names = match &self.columns {
            PairColumns::Difference(name) => vec![name.clone()],
            PairColumns::Pair { real, synthetic } => vec![real.clone(), synthetic.clone()],
        };
        let table = read_numbers(&self.units, &names, self.drop_missing)?;
        let rows: Vec<f64> = match &table.columns[..] {
            [real, synthetic] => real.iter().zip(synthetic).map(|(r, s)| s - r).collect(),
            columns => columns[0].clone(),
        };
        let autocorrelation_time = autocorrelation_time(std::slice::from_ref(&rows));
        let mut notes: Vec<String> =
            dropped_note(&self.units, table.dropped_count, "rows").into_iter().collect();
        let Some(length) = block_length else {
            return Ok(Differences { values: rows, blocks: None, autocorrelation_time, notes });
        };
        if length == 0 {
            return Err(super::unknown("--block-length", "0", "whole numbers above zero"));
        }
        let blocks = rows.chunks_exact(length);
        let left_count = blocks.remainder().len();
        if left_count > 0 {
            notes.push(format!("{left_count} rows at the end fill no block: left out"));
        }
        let values = blocks.map(|block| block.iter().sum::<f64>() / length as f64).collect();
        Ok(Differences { values, blocks: Some(Blocks { length }), autocorrelation_time, notes })
    }
}

impl Differences {
    /// What decides the test: what the units are, and how many.
    pub(super) fn question(
        &self,
        [margin, alpha]: [f64; 2],
        bound: Option<f64>,
        simulated_size: Option<f64>,
    ) -> Question {
        let units = match &self.blocks {
            None => Units::Independent { bound },
            Some(blocks) => Units::Blocks {
                length_in_autocorrelation_times: self.length_in_times(blocks),
                simulated_size,
            },
        };
        Question { units, unit_count: self.values.len() as u64, margin, alpha }
    }

    /// The answer with how the rows depend on each other, and what was left out.
    pub(super) fn explain(self, mut measured: Measured, simulated_size: Option<f64>) -> Measured {
        measured.values.extend(self.dependence_values());
        if self.blocks.is_some() {
            measured.values.push(super::open_end("simulated_size", simulated_size, "1"));
        }
        measured.notes.extend(self.dependence_note());
        measured.notes.extend(self.notes);
        measured
    }

    /// The true size of the t test at this margin, for the dependence of the rows.
    pub(super) fn simulated_size(&self, margin: f64, alpha: f64, seed: Seed) -> Option<f64> {
        let blocks = self.blocks.as_ref()?;
        let run = BlockedRun {
            autocorrelation_time_samples: self.autocorrelation_time?,
            samples_per_block: blocks.length as f64,
            block_count: self.values.len(),
            margin_over_sd: margin / self.sd()?,
        };
        simulated_size(&run, alpha, seed, REPLICATIONS)
    }

    fn length_in_times(&self, blocks: &Blocks) -> Option<f64> {
        self.autocorrelation_time.map(|time| blocks.length as f64 / time)
    }

    fn sd(&self) -> Option<f64> {
        let count = self.values.len() as f64;
        let mean = self.mean();
        let squares: f64 = self.values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (count > 1.0).then(|| (squares / (count - 1.0)).sqrt())
    }

    pub(super) fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// How the rows depend on each other, and what blocks they make.
    fn dependence_values(&self) -> Vec<MeasuredValue> {
        let mut values =
            vec![super::open_end("autocorrelation_time", self.autocorrelation_time, "rows")];
        if let Some(blocks) = &self.blocks {
            values.push(MeasuredValue::count("block_length", blocks.length));
            let length = self.length_in_times(blocks);
            values.push(super::open_end("block_autocorrelation_times", length, "1"));
        }
        values
    }

    /// A warning where rows that follow each other are taken for independent units.
    fn dependence_note(&self) -> Option<String> {
        const TIME_MAX: f64 = 2.0;
        let time = self.autocorrelation_time.filter(|time| *time >= TIME_MAX)?;
        self.blocks.is_none().then(|| {
            format!(
                "rows remember each other for {time:.1} rows, so they are no independent units: \
                 give one row a run or scene, or `--block-length` of at least three such times"
            )
        })
    }
}
