//! The wall map of posed scans: where beams end, a fitted piece of wall; where they only pass,
//! free space.
//!
//! Invariant: a cell is a wall only if most of the beams that meet its line end there; a cell that
//! no beam crossed stays unknown.
//! Metres, in the frame of the poses (`map`).
//!
//! Not here: choosing the scans (pass those of the calibration half only), and simulating a
//! scanner.

mod pieces;
mod residual;
mod votes;

use tiepoint_model::{Cell, Pose2, Scan, WallMap, math};

use crate::ReconstructError;
use crate::error::{at_most, positive};
use crate::geometry::Motion;
use crate::grid::{Beam, Grid};
use crate::planar_scan::PlanarScan;

pub use residual::{wall_crossing_m, wall_residual_m};

/// Cells of a map, at most: 4 million are 200 MB.
pub const CELL_COUNT_MAX: usize = 4_000_000;

/// Greatest neighbourhood of a cell that is looked at, metres.
pub const NEIGHBOURHOOD_M_MAX: f64 = 2.0;

/// A scan and where the robot was.
#[derive(Clone, Copy, Debug)]
pub struct PosedScan<'a> {
    /// The robot at the scan.
    pub map_from_base: Pose2,
    /// Its readings.
    pub scan: &'a Scan,
}

/// Choices of the map. All of them change it: keep them with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapOptions {
    /// Edge of a cell, metres.
    pub cell_m: f64,
    /// Returns that a cell needs to become a wall.
    pub return_count_min: u32,
    /// How far along the wall its line is fitted, metres: longer is smoother, shorter keeps small
    /// things.
    /// At least four times the scatter of the scanner's ranges is used.
    pub fit_radius_m: f64,
    /// Greatest share of beams that may pass through a piece of wall: above, it was moving or is
    /// not there.
    pub passed_share_max: f64,
    /// Longest gap between two pieces of one wall that is closed, metres.
    pub gap_m_max: f64,
    /// Returns farther than this are left out, metres.
    pub range_m_max: f64,
}

impl MapOptions {
    /// Choices that serve indoor scanners with 1 to 3 cm of noise.
    #[must_use]
    pub fn indoor() -> Self {
        Self {
            cell_m: 0.1,
            return_count_min: 2,
            fit_radius_m: 0.2,
            passed_share_max: 0.5,
            gap_m_max: 0.3,
            range_m_max: 40.0,
        }
    }
}

/// One beam in the map.
#[derive(Clone, Copy, Debug)]
struct MapBeam {
    beam: Beam,
    range_m: f64,
    end_m: [f64; 2],
    /// Unit normal of the surface it ended on, towards the scanner.
    normal: Option<[f64; 2]>,
}

/// Builds the map that the scans saw.
///
/// # Errors
/// [`ReconstructError::Empty`] without a scan that has a return, [`ReconstructError::NotFinite`]
/// for a pose,
/// [`ReconstructError::BadOption`], [`ReconstructError::MapTooLarge`].
pub fn build_map(
    scans: &[PosedScan<'_>],
    base_from_laser: Pose2,
    options: &MapOptions,
) -> Result<WallMap, ReconstructError> {
    positive("cell_m", options.cell_m)?;
    positive("fit_radius_m", options.fit_radius_m)?;
    positive("passed_share_max", options.passed_share_max)?;
    positive("range_m_max", options.range_m_max)?;
    at_most("fit_radius_m", options.fit_radius_m, NEIGHBOURHOOD_M_MAX)?;
    at_most("gap_m_max", options.gap_m_max, NEIGHBOURHOOD_M_MAX)?;
    if !(options.gap_m_max.is_finite() && options.gap_m_max >= 0.0) {
        let value = options.gap_m_max;
        let allowed = "finite and not below zero";
        return Err(ReconstructError::BadOption { option: "gap_m_max", value, allowed });
    }
    let (beams, scatter_m) = beams(scans, base_from_laser, options)?;
    let grid = grid_about(&beams, options)?;
    // A noisier scanner blurs its walls: the fit must look farther than the blur.
    let fit_radius_m = options.fit_radius_m.max(4.0 * scatter_m).min(NEIGHBOURHOOD_M_MAX);
    let options = &MapOptions { fit_radius_m, ..*options };
    let mut cells = pieces::fit(&grid, &beams, options, scatter_m);
    pieces::close_gaps(&grid, &mut cells, options);
    votes::apply(&grid, &beams, options, &mut cells);
    Ok(WallMap {
        origin_x_m: grid.origin_m[0],
        origin_y_m: grid.origin_m[1],
        cell_m: grid.cell_m,
        column_count: grid.column_count,
        row_count: grid.row_count,
        cells,
    })
}

/// All beams that ended, and the median scatter of neighbouring ranges over the scans, metres.
fn beams(
    scans: &[PosedScan<'_>],
    base_from_laser: Pose2,
    options: &MapOptions,
) -> Result<(Vec<MapBeam>, f64), ReconstructError> {
    let mut beams = Vec::new();
    let mut scatters_m = Vec::with_capacity(scans.len());
    for (index, posed) in scans.iter().enumerate() {
        if !posed.map_from_base.is_finite() {
            return Err(ReconstructError::NotFinite { what: "map pose", index });
        }
        let motion = Motion::of(posed.map_from_base);
        let planar = PlanarScan::new(posed.scan, base_from_laser);
        scatters_m.push(planar.scatter_m);
        let origin_m = motion.point(planar.laser_in_base_m);
        let yaw_rad = posed.map_from_base.yaw_rad + base_from_laser.yaw_rad;
        for point in &planar.points {
            if point.range_m > options.range_m_max {
                continue;
            }
            let (sin, cos) = math::sin_cos(yaw_rad + posed.scan.angle_rad(point.beam_index));
            let beam = Beam { origin_m, direction: [cos, sin] };
            beams.push(MapBeam {
                beam,
                range_m: point.range_m,
                end_m: beam.point_m(point.range_m),
                normal: point.normal.map(|normal| motion.direction(normal)),
            });
        }
    }
    if beams.is_empty() {
        return Err(ReconstructError::Empty { what: "scan with a return" });
    }
    scatters_m.sort_by(f64::total_cmp);
    Ok((beams, scatters_m[scatters_m.len() / 2]))
}

fn grid_about(beams: &[MapBeam], options: &MapOptions) -> Result<Grid, ReconstructError> {
    let mut lower = [f64::INFINITY; 2];
    let mut upper = [f64::NEG_INFINITY; 2];
    for beam in beams {
        for axis in 0..2 {
            lower[axis] = lower[axis].min(beam.end_m[axis]).min(beam.beam.origin_m[axis]);
            upper[axis] = upper[axis].max(beam.end_m[axis]).max(beam.beam.origin_m[axis]);
        }
    }
    // Cell edges at multiples of the cell: the same place falls in the same cell of two maps of
    // one frame.
    let first = lower.map(|c| (c / options.cell_m).floor() - 2.0);
    let count = [0, 1].map(|axis| (upper[axis] / options.cell_m).floor() - first[axis] + 3.0);
    let cell_count = count[0] * count[1];
    if cell_count > CELL_COUNT_MAX as f64 {
        let cell_count = cell_count as usize;
        return Err(ReconstructError::MapTooLarge { cell_count, limit: CELL_COUNT_MAX });
    }
    Ok(Grid {
        origin_m: first.map(|c| c * options.cell_m),
        cell_m: options.cell_m,
        column_count: count[0] as usize,
        row_count: count[1] as usize,
    })
}

/// A piece of wall, as the cell of a [`WallMap`] holds it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    point_m: [f64; 2],
    normal: [f64; 2],
    thickness_m: f64,
    return_count: u32,
}

impl Piece {
    fn of(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Wall { x_m, y_m, normal_x, normal_y, thickness_m, return_count } => Some(Self {
                point_m: [x_m, y_m],
                normal: [normal_x, normal_y],
                thickness_m,
                return_count,
            }),
            Cell::Unknown | Cell::Free => None,
        }
    }

    fn cell(self) -> Cell {
        Cell::Wall {
            x_m: self.point_m[0],
            y_m: self.point_m[1],
            normal_x: self.normal[0],
            normal_y: self.normal[1],
            thickness_m: self.thickness_m,
            return_count: self.return_count,
        }
    }
}

#[cfg(test)]
mod tests;
