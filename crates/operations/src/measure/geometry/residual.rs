//! Where a cloud lies off another one, or off a plane, cell by cell and point by point.
//!
//! Invariant: every point is in exactly one cell; a distance to a cloud has no sign, one to a plane
//! is positive on the side of the normal.
//! Metres, as a rule: the files do not say.

use std::fmt::Write as _;

use tiepoint_measure::{
    Metric, MetricId, Statistics,
    geometry::{CloudPair, MapGrid, ResidualMap, residual_map},
    registry,
};

use super::super::{
    InputFile, Measured, MeasuredTable, MeasuredValue,
    input::{dropped_note, read_points_m},
    unknown,
};
use crate::Error;

/// A cloud and what it is held against.
#[derive(Clone, Debug)]
pub struct ResidualMapRequest {
    /// PLY or PCD: the cloud whose points have residuals.
    pub points: InputFile,
    /// What the residual is the distance to.
    pub against: ResidualAgainst,
    /// Leave out points with a missing coordinate instead of refusing the file.
    pub drop_missing: bool,
    /// A corner of a cell, metres.
    pub origin_m: [f64; 3],
    /// Edges of a cell, metres; infinite for an axis that is not divided.
    pub cell_m: [f64; 3],
    /// Form of the file of residuals, `csv` or `ply`; `None` for no such file.
    pub file: Option<String>,
}

/// What residuals are distances to.
#[derive(Clone, Debug)]
pub enum ResidualAgainst {
    /// The nearest point of a cloud, PLY or PCD.
    Cloud(InputFile),
    /// The plane `a x + b y + c z + d = 0`, metres.
    Plane([f64; 4]),
}

/// Measures residuals; gives the file of all of them if one is wanted.
///
/// # Errors
/// [`Error::Log`] naming byte or line, [`Error::BadNumber`], [`Error::NoWholeRow`],
/// [`Error::UnknownWord`]; those of the measure.
pub fn measure_residual_map(
    request: &ResidualMapRequest,
) -> Result<(Measured, Option<String>), Error> {
    let ResidualMapRequest { points, against, drop_missing, origin_m, cell_m, file } = request;
    let (points_m, dropped_count) = read_points_m(points, *drop_missing)?;
    let mut notes: Vec<String> =
        dropped_note(points, dropped_count, "points").into_iter().collect();
    let (residuals_m, name) = match against {
        ResidualAgainst::Cloud(reference) => {
            let (reference_m, dropped_count) = read_points_m(reference, *drop_missing)?;
            notes.extend(dropped_note(reference, dropped_count, "points"));
            let pair = CloudPair::new(&points_m, &reference_m)?;
            let residuals_m: Vec<f64> =
                pair.first_to_second().iter().map(|near| near.distance_m()).collect();
            (residuals_m, "nearest".to_owned())
        }
        ResidualAgainst::Plane(plane) => {
            (to_plane_m(&points_m, *plane)?, format!("plane {}", words(plane)))
        }
    };
    let grid = MapGrid { origin_m: *origin_m, cell_m: *cell_m };
    let map = residual_map(&points_m, &residuals_m, grid)?;
    let of = |id: MetricId| {
        Metric::new(id)
            .with("against", &name)
            .with("cell_m", words(cell_m))
            .with("origin_m", words(origin_m))
    };
    let statistics = Statistics::of(&residuals_m, "residuals");
    let values = statistics.map(|s| {
        vec![
            MeasuredValue::real("value", s.rmse, "m"),
            MeasuredValue::real("mean_m", s.mean, "m").of(&of(registry::GEOM_RESIDUAL_MEAN)),
            MeasuredValue::real("min_m", s.min, "m"),
            MeasuredValue::real("max_m", s.max, "m"),
            MeasuredValue::count("point_count", s.n),
            MeasuredValue::count("cell_count", map.cells.len()),
        ]
    });
    let mut measured = Measured::of(&of(registry::GEOM_RESIDUAL_RMS), values)?;
    measured.tables.push(MeasuredTable { name: "cells".to_owned(), rows: cell_rows(&map) });
    measured.notes.push("`value` is the root mean square over all points".to_owned());
    measured.notes.extend(notes);
    let text = match file.as_deref() {
        None => None,
        Some("csv") => Some(csv(&points_m, &residuals_m)),
        Some("ply") => Some(ply(&points_m, &residuals_m)),
        Some(other) => return Err(unknown("--out", other, "a file that ends in .csv or .ply")),
    };
    Ok((measured, text))
}

/// Blanks between the numbers: a semicolon would end the convention.
fn words(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

fn to_plane_m(points_m: &[[f64; 3]], [a, b, c, d]: [f64; 4]) -> Result<Vec<f64>, Error> {
    let length = (a * a + b * b + c * c).sqrt();
    if !(length.is_finite() && length > 0.0 && d.is_finite()) {
        return Err(unknown("--plane", &words(&[a, b, c, d]), "four numbers with a normal"));
    }
    Ok(points_m.iter().map(|[x, y, z]| (a * x + b * y + c * z + d) / length).collect())
}

fn cell_rows(map: &ResidualMap) -> Vec<Vec<MeasuredValue>> {
    let row = |cell: &tiepoint_measure::geometry::residual_map::CellResidual| {
        let [x, y, z] = cell.cell;
        vec![
            MeasuredValue::json("x", x.into(), ""),
            MeasuredValue::json("y", y.into(), ""),
            MeasuredValue::json("z", z.into(), ""),
            MeasuredValue::count("count", cell.count),
            MeasuredValue::real("mean_m", cell.mean_m, "m"),
            MeasuredValue::real("rms_m", cell.rms_m, "m"),
        ]
    };
    map.cells.iter().map(row).collect()
}

fn csv(points_m: &[[f64; 3]], residuals_m: &[f64]) -> String {
    let mut text = "x_m,y_m,z_m,residual_m\n".to_owned();
    for ([x, y, z], residual) in points_m.iter().zip(residuals_m) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{x},{y},{z},{residual}");
    }
    text
}

fn ply(points_m: &[[f64; 3]], residuals_m: &[f64]) -> String {
    let mut text = format!(
        "ply\nformat ascii 1.0\ncomment residual in metres\nelement vertex {}\n\
         property double x\nproperty double y\nproperty double z\nproperty double residual\n\
         end_header\n",
        points_m.len()
    );
    for ([x, y, z], residual) in points_m.iter().zip(residuals_m) {
        let _ = writeln!(text, "{x} {y} {z} {residual}");
    }
    text
}
