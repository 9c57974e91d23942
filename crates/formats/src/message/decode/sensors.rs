//! Satellite fixes, magnetometers, joints, cameras, images and single ranges.
//!
//! Invariant: the bytes of an image are passed over and addressed, never copied.

use tiepoint_model::{
    CameraIntrinsics, GnssFix, ImageRegion, ImageSample, JointSample, MagneticSample, PayloadPlace,
    RangeReading,
};

use super::{Arrival, header};
use crate::{DecodeError, message::cursor::Cursor};

pub(super) fn gnss(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<GnssFix, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let (status, service) = (c.i8("status.status")?, c.u16("status.service")?);
    let [latitude_deg, longitude_deg] = c.f64s("latitude, longitude")?;
    let altitude_m = c.f64("altitude")?;
    let covariance = c.f64s::<9>("position_covariance")?;
    let position_covariance_type = c.u8("position_covariance_type")?;
    Ok(GnssFix {
        stamps,
        frame_id: frame_id.to_owned(),
        status,
        service,
        latitude_deg,
        longitude_deg,
        altitude_m,
        position_covariance_enu_m2: (position_covariance_type != 0).then_some(covariance),
        position_covariance_type,
    })
}

pub(super) fn magnetic(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
) -> Result<MagneticSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let field_t = c.f64s("magnetic_field")?;
    c.f64s::<9>("magnetic_field_covariance")?;
    Ok(MagneticSample { stamps, frame_id: frame_id.to_owned(), field_t })
}

pub(super) fn joints(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<JointSample, DecodeError> {
    const NAME_BYTES_MIN: usize = 4;
    let (stamps, frame_id) = header(c, arrival)?;
    let count = c.count(NAME_BYTES_MIN, "name")?;
    let names = (0..count).map(|_| c.string("name").map(str::to_owned));
    Ok(JointSample {
        stamps,
        frame_id: frame_id.to_owned(),
        names: names.collect::<Result<_, _>>()?,
        positions_rad_or_m: c.f64_array("position")?,
        velocities_rad_or_m_per_s: c.f64_array("velocity")?,
        efforts_nm_or_n: c.f64_array("effort")?,
    })
}

pub(super) fn camera(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
) -> Result<CameraIntrinsics, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    Ok(CameraIntrinsics {
        stamps,
        frame_id: frame_id.to_owned(),
        height_px: c.u32("height")?,
        width_px: c.u32("width")?,
        distortion_model: c.string("distortion_model")?.to_owned(),
        distortion: c.f64_array("d")?,
        camera_matrix_px: c.f64s("k")?,
        rectified_from_optical: c.f64s("r")?,
        projection_px: c.f64s("p")?,
        binning_x: c.u32("binning_x")?,
        binning_y: c.u32("binning_y")?,
        region: ImageRegion {
            x_offset_px: c.u32("roi.x_offset")?,
            y_offset_px: c.u32("roi.y_offset")?,
            height_px: c.u32("roi.height")?,
            width_px: c.u32("roi.width")?,
            is_rectified: c.u8("roi.do_rectify")? != 0,
        },
    })
}

/// An array of bytes that stays where it is.
fn payload(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<PayloadPlace, DecodeError> {
    let length = c.count(1, "data")?;
    let offset_bytes = arrival.offset_bytes.saturating_add(c.at() as u64);
    c.skip(length, "data")?;
    let (file_index, base) = (arrival.file_index, arrival.base);
    Ok(PayloadPlace { file_index, base, offset_bytes, length_bytes: length as u64 })
}

pub(super) fn image(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<ImageSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    Ok(ImageSample {
        stamps,
        frame_id: frame_id.to_owned(),
        height_px: Some(c.u32("height")?),
        width_px: Some(c.u32("width")?),
        encoding: c.string("encoding")?.to_owned(),
        is_big_endian: c.u8("is_bigendian")? != 0,
        row_step_bytes: Some(c.u32("step")?),
        payload: payload(c, arrival)?,
    })
}

pub(super) fn compressed_image(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
) -> Result<ImageSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    Ok(ImageSample {
        stamps,
        frame_id: frame_id.to_owned(),
        height_px: None,
        width_px: None,
        encoding: c.string("format")?.to_owned(),
        is_big_endian: false,
        row_step_bytes: None,
        payload: payload(c, arrival)?,
    })
}

pub(super) fn range(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<RangeReading, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let reading = RangeReading {
        stamps,
        frame_id: frame_id.to_owned(),
        radiation: c.u8("radiation_type")?,
        field_of_view_rad: c.f32("field_of_view")?,
        range_min_m: c.f32("min_range")?,
        range_max_m: c.f32("max_range")?,
        range_m: c.f32("range")?,
    };
    // ROS 2 added a variance in Iron; older files end here.
    if !c.is_packed() && c.left() >= 4 {
        c.f32("variance")?;
    }
    Ok(reading)
}
