//! Paths to follow and planar maps of cells.
//!
//! Invariant: a path's poses keep their own stamps and frames.

use tiepoint_model::{GridSample, PathPose, PathSample};

use super::{Arrival, header, time};
use crate::{DecodeError, message::cursor::Cursor, pose::pose_or_nan};

pub(super) fn path(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<PathSample, DecodeError> {
    // The smallest pose: stamp, an empty string, seven numbers.
    const POSE_BYTES_MIN: usize = 8 + 4 + 56;
    let (stamps, frame_id) = header(c, arrival)?;
    let count = c.count(POSE_BYTES_MIN, "poses")?;
    let mut poses = Vec::with_capacity(count);
    for _pose in 0..count {
        let (own, frame_id) = header(c, arrival)?;
        let (position_m, quaternion_xyzw) = (c.f64s("position")?, c.f64s("orientation")?);
        poses.push(PathPose {
            time: own.sensor,
            frame_id: frame_id.to_owned(),
            frame_from_child: pose_or_nan(position_m, quaternion_xyzw),
        });
    }
    Ok(PathSample { stamps, frame_id: frame_id.to_owned(), poses })
}

pub(super) fn grid(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<GridSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let loaded = time(c, "info.map_load_time")?;
    let cell_size_m = c.f32("info.resolution")?;
    let (width_cells, height_cells) = (c.u32("info.width")?, c.u32("info.height")?);
    let (position_m, quaternion_xyzw) = (c.f64s("info.origin")?, c.f64s("info.origin")?);
    let count = c.count(1, "data")?;
    let cells = c.bytes(count, "data")?;
    Ok(GridSample {
        stamps,
        frame_id: frame_id.to_owned(),
        loaded,
        cell_size_m,
        width_cells,
        height_cells,
        frame_from_grid: pose_or_nan(position_m, quaternion_xyzw),
        occupancy_percent: cells.iter().map(|cell| cell.cast_signed()).collect(),
    })
}
