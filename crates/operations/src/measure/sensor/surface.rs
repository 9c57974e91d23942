//! What each beam of a scanner at rest looks at: how far, and at which angle.
//!
//! Invariant: a surface is known only where the beams around it lie on one line.
//! Metres, radians; incidence 0 looks straight at the surface.
//!
//! Not here: noise (engine `measure`).

use tiepoint_model::{
    Scan,
    math::{atan2, sin_cos},
};

/// Of one beam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Surface {
    /// Median of the beam's readings, metres.
    pub(super) range_m: f64,
    /// Between the beam and the normal, radians, from 0 to a quarter turn.
    pub(super) incidence_rad: f64,
}

/// Beams on either side that must lie on one line with the beam.
const STRETCH: usize = 2;

/// How far a beam's end may lie off the line of those around it, metres.
const STRAIGHT_M: f64 = 0.05;

/// The surface of each beam; `None` where it is not known.
pub(super) fn surfaces(scans: &[Scan]) -> Vec<Option<Surface>> {
    let beam_count = scans.first().map_or(0, |scan| scan.ranges_m.len());
    let middles: Vec<Option<f64>> = (0..beam_count).map(|beam| median_m(scans, beam)).collect();
    let end = |beam: usize| -> Option<[f64; 2]> {
        let range_m = (*middles.get(beam)?)?;
        let (sine, cosine) = sin_cos(scans[0].angle_rad(beam));
        Some([range_m * cosine, range_m * sine])
    };
    let surface = |beam: usize| {
        let range_m = middles[beam]?;
        let (first, last) = (end(beam.checked_sub(STRETCH)?)?, end(beam + STRETCH)?);
        let along = [last[0] - first[0], last[1] - first[1]];
        let length_m = (along[0] * along[0] + along[1] * along[1]).sqrt();
        if length_m <= 0.0 {
            return None;
        }
        for inner in beam + 1 - STRETCH..beam + STRETCH {
            let [x, y] = end(inner)?;
            let off_m = ((x - first[0]) * along[1] - (y - first[1]) * along[0]) / length_m;
            if off_m.abs() > STRAIGHT_M {
                return None;
            }
        }
        let (sine, cosine) = sin_cos(scans[0].angle_rad(beam));
        let parallel = (cosine * along[0] + sine * along[1]).abs();
        let across = (cosine * along[1] - sine * along[0]).abs();
        // The wall is at a right angle to its normal, so both change places.
        Some(Surface { range_m, incidence_rad: atan2(parallel, across) })
    };
    (0..beam_count).map(surface).collect()
}

/// Of the valid readings of a beam; `None` if it has none.
fn median_m(scans: &[Scan], beam: usize) -> Option<f64> {
    let mut readings: Vec<f64> = scans.iter().filter_map(|scan| scan.valid_range_m(beam)).collect();
    readings.sort_unstable_by(f64::total_cmp);
    readings.get(readings.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use tiepoint_model::{Stamps, Timestamp};

    use super::*;

    /// A wall at x = 2 m: range is 2 over the cosine, and incidence the angle of the beam.
    #[test]
    fn a_straight_wall_is_seen_at_the_angle_of_the_beam() {
        let angle_min_rad = -0.6;
        let step_rad = 0.01;
        let angle = |beam: usize| angle_min_rad + beam as f64 * step_rad;
        let range = |beam: usize| 2.0 / sin_cos(angle(beam)).1;
        #[expect(clippy::cast_possible_truncation, reason = "readings are 32 bit")]
        let mut ranges_m: Vec<f32> = (0..121).map(|beam| range(beam) as f32).collect();
        ranges_m[20] = 0.5;
        let time = Timestamp(0);
        let scan = Scan {
            stamps: Stamps { log: time, publish: None, sensor: Some(time) },
            frame_id: "laser".to_owned(),
            angle_min_rad,
            angle_increment_rad: step_rad,
            range_min_m: 0.1,
            range_max_m: 10.0,
            time_increment_s: 0.0,
            ranges_m,
            intensities: Vec::new(),
        };
        let found = surfaces(&[scan]);
        for (beam, surface) in found.iter().enumerate().take(119).skip(30) {
            let surface = surface.unwrap();
            assert!((surface.range_m - range(beam)).abs() < 1e-6);
            assert!((surface.incidence_rad - angle(beam).abs()).abs() < 1e-4, "{surface:?}");
        }
        assert!(found[..2].iter().chain(&found[18..=22]).all(Option::is_none));
        assert!(surfaces(&[]).is_empty());
    }
}
