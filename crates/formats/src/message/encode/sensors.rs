//! Satellite fixes, magnetometers, joints, cameras, images, single ranges, paths and maps as CDR.
//!
//! Invariant: as in [`super`]: what the decoder reads back is what was written.

use tiepoint_model::{
    CameraIntrinsics, GnssFix, GridSample, ImageSample, JointSample, MagneticSample, PathSample,
    RangeReading,
};

use super::{CdrWriter, EncodeError};

pub(super) fn gnss(out: &mut CdrWriter, fix: &GnssFix) -> Result<(), EncodeError> {
    if fix.position_covariance_enu_m2.is_some() && fix.position_covariance_type == 0 {
        return Err(EncodeError::NoPlace { field: "a covariance of unknown type" });
    }
    if fix.position_covariance_enu_m2.is_none() && fix.position_covariance_type != 0 {
        return Err(EncodeError::NoPlace { field: "a covariance type without covariance" });
    }
    out.header(fix.stamps.sensor, &fix.frame_id)?;
    out.put(fix.status.to_le_bytes());
    out.put(fix.service.to_le_bytes());
    out.f64s(&[fix.latitude_deg, fix.longitude_deg, fix.altitude_m]);
    out.f64s(&fix.position_covariance_enu_m2.unwrap_or_default());
    out.put([fix.position_covariance_type]);
    Ok(())
}

pub(super) fn magnetic(out: &mut CdrWriter, sample: &MagneticSample) -> Result<(), EncodeError> {
    out.header(sample.stamps.sensor, &sample.frame_id)?;
    out.f64s(&sample.field_t);
    out.f64s(&[0.0; 9]);
    Ok(())
}

pub(super) fn joints(out: &mut CdrWriter, sample: &JointSample) -> Result<(), EncodeError> {
    out.header(sample.stamps.sensor, &sample.frame_id)?;
    out.count(sample.names.len(), "name")?;
    for name in &sample.names {
        out.string(name, "name")?;
    }
    out.f64_array(&sample.positions_rad_or_m, "position")?;
    out.f64_array(&sample.velocities_rad_or_m_per_s, "velocity")?;
    out.f64_array(&sample.efforts_nm_or_n, "effort")
}

pub(super) fn camera(out: &mut CdrWriter, camera: &CameraIntrinsics) -> Result<(), EncodeError> {
    out.header(camera.stamps.sensor, &camera.frame_id)?;
    out.u32(camera.height_px);
    out.u32(camera.width_px);
    out.string(&camera.distortion_model, "distortion_model")?;
    out.f64_array(&camera.distortion, "d")?;
    out.f64s(&camera.camera_matrix_px);
    out.f64s(&camera.rectified_from_optical);
    out.f64s(&camera.projection_px);
    out.u32(camera.binning_x);
    out.u32(camera.binning_y);
    out.u32(camera.region.x_offset_px);
    out.u32(camera.region.y_offset_px);
    out.u32(camera.region.height_px);
    out.u32(camera.region.width_px);
    out.put([u8::from(camera.region.is_rectified)]);
    Ok(())
}

pub(super) fn image(
    out: &mut CdrWriter,
    image: &ImageSample,
    payload: &[u8],
) -> Result<(), EncodeError> {
    let (Some(height_px), Some(width_px), Some(row_step_bytes)) =
        (image.height_px, image.width_px, image.row_step_bytes)
    else {
        return Err(EncodeError::NoPlace { field: "an unknown height, width or row step" });
    };
    out.header(image.stamps.sensor, &image.frame_id)?;
    out.u32(height_px);
    out.u32(width_px);
    out.string(&image.encoding, "encoding")?;
    out.put([u8::from(image.is_big_endian)]);
    out.u32(row_step_bytes);
    out.u8_array(payload, "data")
}

pub(super) fn compressed_image(
    out: &mut CdrWriter,
    image: &ImageSample,
    payload: &[u8],
) -> Result<(), EncodeError> {
    let has_layout = image.height_px.or(image.width_px).or(image.row_step_bytes).is_some();
    if has_layout || image.is_big_endian {
        return Err(EncodeError::NoPlace { field: "height, width, row step or byte order" });
    }
    out.header(image.stamps.sensor, &image.frame_id)?;
    out.string(&image.encoding, "format")?;
    out.u8_array(payload, "data")
}

/// As ROS 2 defines it up to Humble, without the variance that later versions end with.
pub(super) fn range(out: &mut CdrWriter, reading: &RangeReading) -> Result<(), EncodeError> {
    out.header(reading.stamps.sensor, &reading.frame_id)?;
    out.put([reading.radiation]);
    out.f32(reading.field_of_view_rad);
    out.f32(reading.range_min_m);
    out.f32(reading.range_max_m);
    out.f32(reading.range_m);
    Ok(())
}

pub(super) fn path(out: &mut CdrWriter, path: &PathSample) -> Result<(), EncodeError> {
    out.header(path.stamps.sensor, &path.frame_id)?;
    out.count(path.poses.len(), "poses")?;
    for pose in &path.poses {
        out.header(pose.time, &pose.frame_id)?;
        out.pose(&pose.frame_from_child);
    }
    Ok(())
}

pub(super) fn grid(out: &mut CdrWriter, grid: &GridSample) -> Result<(), EncodeError> {
    out.header(grid.stamps.sensor, &grid.frame_id)?;
    out.time(grid.loaded)?;
    out.f32(grid.cell_size_m);
    out.u32(grid.width_cells);
    out.u32(grid.height_cells);
    out.pose(&grid.frame_from_grid);
    out.count(grid.occupancy_percent.len(), "data")?;
    out.bytes.extend(grid.occupancy_percent.iter().map(|cell| cell.cast_unsigned()));
    Ok(())
}
