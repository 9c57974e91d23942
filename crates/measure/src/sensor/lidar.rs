//! Range noise and missing returns of a LiDAR, by range and angle of incidence.
//!
//! Invariant: the noise is told from the rounding of the readings, and cells that hold too little
//! say so; a cell is half open, and a reading belongs to at most one.
//! Metres, radians; incidence 0 looks straight at the surface.
//!
//! Cost: `O(n)` to sort into cells, and some hundred passes over each cell's distinct differences.
//!
//! Not here: which readings see the same surface, and the surface itself.

mod interval;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    NotIdentifiable,
    chance::{require_level, share_interval},
};
use crate::{
    Interval, MeasureError, Share,
    statistics::{require_not_below_zero, require_positive},
};

/// A grid of cells over range and incidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeCells {
    /// Edges in range, ascending, metres.
    pub range_edges_m: Vec<f64>,
    /// Edges in incidence, ascending, radians.
    pub incidence_edges_rad: Vec<f64>,
}

impl RangeCells {
    fn check(&self) -> Result<(), MeasureError> {
        for (edges, what) in
            [(&self.range_edges_m, "range edges"), (&self.incidence_edges_rad, "incidence edges")]
        {
            if edges.len() < 2 {
                return Err(MeasureError::TooFew { what, count: edges.len(), min: 2 });
            }
            crate::statistics::require_finite(edges, what)?;
            if let Some(pair) = edges.windows(2).find(|pair| pair[1] <= pair[0]) {
                let requirement = "ascending";
                return Err(MeasureError::InvalidOption {
                    name: what,
                    value: pair[1],
                    requirement,
                });
            }
        }
        Ok(())
    }

    fn count(&self) -> usize {
        (self.range_edges_m.len() - 1) * (self.incidence_edges_rad.len() - 1)
    }

    /// Row-major, range first; `None` outside.
    fn place(&self, range_m: f64, incidence_rad: f64) -> Option<usize> {
        let within = |edges: &[f64], value: f64| {
            let above = edges.partition_point(|edge| *edge <= value);
            (above > 0 && above < edges.len()).then(|| above - 1)
        };
        let columns = self.incidence_edges_rad.len() - 1;
        let row = within(&self.range_edges_m, range_m)?;
        Some(row * columns + within(&self.incidence_edges_rad, incidence_rad)?)
    }

    /// From and to in range and incidence.
    fn bounds(&self, cell: usize) -> [[f64; 2]; 2] {
        let columns = self.incidence_edges_rad.len() - 1;
        let (row, column) = (cell / columns, cell % columns);
        [
            [self.range_edges_m[row], self.range_edges_m[row + 1]],
            [self.incidence_edges_rad[column], self.incidence_edges_rad[column + 1]],
        ]
    }
}

/// Two readings of the same surface from the same place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangePair {
    /// Range, metres.
    pub range_m: f64,
    /// Angle between beam and normal, radians.
    pub incidence_rad: f64,
    /// Second reading less first, metres.
    pub difference_m: f64,
}

/// How the readings were made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeNoiseOptions {
    /// Step of the readings, metres; 0 if continuous.
    pub quantisation_m: f64,
    /// Differences above are another surface; below, those that are not noise are uniform. Metres.
    pub outlier_span_m: f64,
    /// Pairs that a cell needs; at least 30.
    pub pairs_min: usize,
    /// Of the intervals, in `(0, 1)`.
    pub level: f64,
}

/// The noise of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeNoise {
    /// Standard deviation of one reading before rounding, metres.
    pub sigma_m: f64,
    /// By the profile of the likelihood; from 0 where the data show no noise at all.
    pub interval: Interval,
    /// Share of the differences that are not noise.
    pub outlier_share: f64,
    /// Differences used.
    pub pair_count: usize,
    /// Differences above the outlier span, left out.
    pub excluded_count: usize,
}

/// What holds for one cell of range and incidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeCell<T> {
    /// From and to, metres.
    pub range_m: [f64; 2],
    /// From and to, radians.
    pub incidence_rad: [f64; 2],
    /// The answer.
    pub value: T,
}

/// Cells in order of range, then incidence, and what lay outside of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellTable<T> {
    /// Every cell.
    pub cells: Vec<RangeCell<T>>,
    /// Readings outside of the grid.
    pub outside_count: usize,
}

/// Noise of range readings in cells of range and incidence, by interval likelihood.
///
/// The difference of two rounded readings of the same surface has a probability that depends on the
/// noise before rounding; its maximum is the answer, also where most differences are zero.
///
/// # Inputs
/// - `pairs`: differences of readings that must be equal but for noise.
///
/// # Output
/// For each cell the noise, or that it holds too few pairs.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`],
/// [`MeasureError::TooFew`] for edges.
///
/// # Invariants
/// `range_noise_is_recovered_also_below_the_step`, `range_noise_scales_with_length`.
///
/// # Source
/// Interval likelihood of rounded data: Heitjan, *Inference from grouped continuous data*, 1989.
pub fn range_noise(
    pairs: &[RangePair],
    cells: &RangeCells,
    options: &RangeNoiseOptions,
) -> Result<CellTable<Result<RangeNoise, NotIdentifiable>>, MeasureError> {
    const PAIRS_MIN: usize = 30;
    cells.check()?;
    require_not_below_zero(options.quantisation_m, "quantisation_m")?;
    require_positive(options.outlier_span_m, "outlier_span_m")?;
    require_level(options.level)?;
    let step_m = options.quantisation_m;
    if step_m > 0.0 && step_m < options.outlier_span_m / interval::SPAN_MAX {
        let requirement = "0, or at least a billionth of the outlier span";
        let name = "quantisation_m";
        return Err(MeasureError::InvalidOption { name, value: step_m, requirement });
    }
    if pairs.is_empty() {
        return Err(MeasureError::Empty { what: "range pairs" });
    }
    let mut sorted = vec![Vec::new(); cells.count()];
    let mut outside_count = 0;
    for (index, pair) in pairs.iter().enumerate() {
        let values = [pair.range_m, pair.incidence_rad, pair.difference_m];
        if values.iter().any(|value| !value.is_finite()) {
            return Err(MeasureError::NotFinite { what: "range pairs", index });
        }
        match cells.place(pair.range_m, pair.incidence_rad) {
            Some(cell) => sorted[cell].push(pair.difference_m),
            None => outside_count += 1,
        }
    }
    let pairs_min = options.pairs_min.max(PAIRS_MIN);
    let found = sorted
        .par_iter()
        .enumerate()
        .map(|(cell, differences_m)| {
            let [range_m, incidence_rad] = cells.bounds(cell);
            let used_m: Vec<f64> = differences_m
                .iter()
                .copied()
                .filter(|value| value.abs() <= options.outlier_span_m)
                .collect();
            let excluded_count = differences_m.len() - used_m.len();
            let value = if used_m.len() < pairs_min {
                let (count, min) = (used_m.len() as f64, pairs_min as f64);
                Err(NotIdentifiable::TooFew { what: "pairs in the cell".to_owned(), count, min })
            } else {
                interval::fit(&used_m, options).map(|noise| RangeNoise { excluded_count, ..noise })
            };
            RangeCell { range_m, incidence_rad, value }
        })
        .collect();
    Ok(CellTable { cells: found, outside_count })
}

/// A beam towards a surface at a known place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeamReturn {
    /// Range of the surface, metres.
    pub range_m: f64,
    /// Angle between beam and normal, radians.
    pub incidence_rad: f64,
    /// True if a reading came back.
    pub is_return: bool,
}

/// Missing beams of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropOut {
    /// Beams without a return.
    pub share: Share,
    /// Exact interval of the share, as if beams were independent; `None` for an empty cell.
    pub interval: Option<Interval>,
}

/// Share of beams without a return in cells of range and incidence.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`],
/// [`MeasureError::TooFew`] for edges.
///
/// # Invariants
/// `every_beam_is_counted_once`.
///
/// # Source
/// This project; interval of Clopper and Pearson, 1934.
pub fn drop_out(
    beams: &[BeamReturn],
    cells: &RangeCells,
    level: f64,
) -> Result<CellTable<DropOut>, MeasureError> {
    cells.check()?;
    require_level(level)?;
    if beams.is_empty() {
        return Err(MeasureError::Empty { what: "beams" });
    }
    let mut shares = vec![Share::default(); cells.count()];
    let mut outside_count = 0;
    for (index, beam) in beams.iter().enumerate() {
        if !(beam.range_m.is_finite() && beam.incidence_rad.is_finite()) {
            return Err(MeasureError::NotFinite { what: "beams", index });
        }
        match cells.place(beam.range_m, beam.incidence_rad) {
            Some(cell) => shares[cell].count(!beam.is_return),
            None => outside_count += 1,
        }
    }
    let found = shares.into_iter().enumerate().map(|(cell, share)| {
        let [range_m, incidence_rad] = cells.bounds(cell);
        let value = DropOut { share, interval: share_interval(share, level)? };
        Ok(RangeCell { range_m, incidence_rad, value })
    });
    Ok(CellTable { cells: found.collect::<Result<_, MeasureError>>()?, outside_count })
}
