//! Declared damage to a twin, for negative controls: a claim that does not notice it has no power
//! to support anything.
//!
//! Invariant: a corruption of size nothing (0, or factor 1) changes no bit, and one channel's
//! corruption touches no other channel.
//! Sizes in metres, shares and factors. Readings that are not measurements stay as they are.

use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, PoseSample, Scan, Seed, sensor::LidarModel};

use crate::{
    SimulateError, TwinOutput,
    error::{at_least, finite, positive, share},
    sensors::quantise,
};

/// One kind of damage and its size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "id")]
pub enum Corruption {
    /// None.
    None,
    /// Independent normal noise on every measured laser range.
    RangeNoise {
        /// Standard deviation, metres.
        sigma_m: f64,
    },
    /// The same length on every measured laser range.
    RangeBias {
        /// Metres.
        bias_m: f64,
    },
    /// The same factor on every measured laser range.
    RangeScale {
        /// Corrupted over simulated.
        factor: f64,
    },
    /// Measured beams that read 0 instead, independent of each other.
    DropBeams {
        /// Their share.
        share: f64,
    },
    /// The same length on every range to a beacon.
    BeaconBias {
        /// Metres.
        bias_m: f64,
    },
    /// Independent normal noise on every range to a beacon.
    BeaconNoise {
        /// Standard deviation, metres.
        sigma_m: f64,
    },
    /// The same factor on the translation of every odometry increment.
    OdometryScale {
        /// Corrupted over simulated.
        factor: f64,
    },
    /// The poses that the twin reports as true lie beside those that its sensors were simulated
    /// at, along x of `map`.
    PoseOffset {
        /// Metres.
        x_m: f64,
    },
}

/// The names of the corruptions, as options and files write them.
pub const CORRUPTION_IDS: [&str; 9] = [
    "none",
    "range_noise",
    "range_bias",
    "range_scale",
    "drop_beams",
    "beacon_bias",
    "beacon_noise",
    "odometry_scale",
    "pose_offset",
];

impl Corruption {
    /// From a name and a size; `none` ignores its size.
    ///
    /// # Errors
    /// [`SimulateError::UnknownCorruption`], [`SimulateError::Parameter`].
    pub fn parse(id: &str, size: f64) -> Result<Self, SimulateError> {
        let corruption = match id {
            "none" => Self::None,
            "range_noise" => Self::RangeNoise { sigma_m: size },
            "range_bias" => Self::RangeBias { bias_m: size },
            "range_scale" => Self::RangeScale { factor: size },
            "drop_beams" => Self::DropBeams { share: size },
            "beacon_bias" => Self::BeaconBias { bias_m: size },
            "beacon_noise" => Self::BeaconNoise { sigma_m: size },
            "odometry_scale" => Self::OdometryScale { factor: size },
            "pose_offset" => Self::PoseOffset { x_m: size },
            _ => return Err(SimulateError::UnknownCorruption { id: id.to_owned() }),
        };
        corruption.check()?;
        Ok(corruption)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RangeNoise { .. } => "range_noise",
            Self::RangeBias { .. } => "range_bias",
            Self::RangeScale { .. } => "range_scale",
            Self::DropBeams { .. } => "drop_beams",
            Self::BeaconBias { .. } => "beacon_bias",
            Self::BeaconNoise { .. } => "beacon_noise",
            Self::OdometryScale { .. } => "odometry_scale",
            Self::PoseOffset { .. } => "pose_offset",
        }
    }

    /// Its size, in the unit of its kind; 0 for none.
    #[must_use]
    pub fn size(&self) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::RangeNoise { sigma_m } | Self::BeaconNoise { sigma_m } => sigma_m,
            Self::RangeBias { bias_m } | Self::BeaconBias { bias_m } => bias_m,
            Self::RangeScale { factor } | Self::OdometryScale { factor } => factor,
            Self::DropBeams { share } => share,
            Self::PoseOffset { x_m } => x_m,
        }
    }

    fn check(&self) -> Result<(), SimulateError> {
        match *self {
            Self::None => Ok(()),
            Self::RangeNoise { sigma_m } | Self::BeaconNoise { sigma_m } => {
                at_least("sigma_m", sigma_m, 0.0)
            }
            Self::RangeBias { bias_m } | Self::BeaconBias { bias_m } => finite("bias_m", bias_m),
            Self::RangeScale { factor } | Self::OdometryScale { factor } => {
                positive("factor", factor)
            }
            Self::DropBeams { share: dropped_share } => share("share", dropped_share),
            Self::PoseOffset { x_m } => finite("x_m", x_m),
        }
    }
}

/// Damages a twin in place.
///
/// Corrupted laser ranges are rounded to the scanner's step again, so that the damage is of the
/// declared kind only;
/// one that falls to 0 or below reads 0, one above the scan's largest range reads the scanner's
/// no-return value.
/// Laser ranges that are no measurements, and missing beacon ranges, stay as they are.
/// `lidar` is the model that the twin was made with.
///
/// # Errors
/// [`SimulateError::Parameter`] for a size out of range.
///
/// # Invariants
/// `a_corruption_of_no_size_changes_no_bit`, `a_corruption_touches_its_own_channel_only`.
pub fn corrupt(
    twin: &mut TwinOutput,
    corruption: Corruption,
    lidar: &LidarModel,
    seed: Seed,
) -> Result<(), SimulateError> {
    corruption.check()?;
    let seed = seed.for_purpose("corruption").for_purpose(corruption.id());
    let noise = |frame: usize, index: usize| seed.draws(frame as u64, index as u64).normal();
    let chance = |frame: usize, index: usize| seed.draws(frame as u64, index as u64).uniform();
    match corruption {
        Corruption::None => {}
        Corruption::RangeNoise { sigma_m } => {
            each_range(&mut twin.scans, lidar, |k, i, range_m| range_m + sigma_m * noise(k, i))
        }
        Corruption::RangeBias { bias_m } => {
            each_range(&mut twin.scans, lidar, |_, _, range_m| range_m + bias_m);
        }
        Corruption::RangeScale { factor } => {
            each_range(&mut twin.scans, lidar, |_, _, range_m| range_m * factor);
        }
        Corruption::DropBeams { share } => {
            each_range(
                &mut twin.scans,
                lidar,
                |k, i, range_m| {
                    if chance(k, i) < share { 0.0 } else { range_m }
                },
            )
        }
        Corruption::BeaconBias { bias_m } => {
            each_beacon_range(twin, |_, range_m| range_m + bias_m);
        }
        Corruption::BeaconNoise { sigma_m } => {
            each_beacon_range(twin, |k, range_m| range_m + sigma_m * noise(k, 0));
        }
        Corruption::OdometryScale { factor } => scale_odometry(&mut twin.odometry, factor),
        Corruption::PoseOffset { x_m } => {
            for sample in &mut twin.truth {
                sample.frame_from_child.translation_m.x += x_m;
            }
        }
    }
    Ok(())
}

/// Replaces every measured laser range by what `change(scan_index, beam_index, range_m)` says.
fn each_range(scans: &mut [Scan], lidar: &LidarModel, change: impl Fn(usize, usize, f64) -> f64) {
    let no_return = lidar.no_return_reading_m as f32;
    for (scan_index, scan) in scans.iter_mut().enumerate() {
        for beam_index in 0..scan.ranges_m.len() {
            let Some(before_m) = scan.valid_range_m(beam_index) else { continue };
            let changed_m = change(scan_index, beam_index, before_m);
            // A reading that was not changed keeps its bits: it need not be rounded twice.
            if scan.ranges_m[beam_index] == no_return || changed_m == before_m {
                continue;
            }
            let reading_m = quantise(changed_m, lidar.quantisation_m);
            scan.ranges_m[beam_index] = if reading_m <= 0.0 {
                0.0
            } else if reading_m > scan.range_max_m {
                no_return
            } else {
                reading_m as f32
            };
        }
    }
}

fn each_beacon_range(twin: &mut TwinOutput, change: impl Fn(usize, f64) -> f64) {
    for (index, range) in twin.ranges.iter_mut().enumerate() {
        if range.range_m.is_finite() {
            range.range_m = change(index, f64::from(range.range_m)).max(0.0) as f32;
        }
    }
}

fn scale_odometry(odometry: &mut [PoseSample], factor: f64) {
    let Some(first) = odometry.first() else { return };
    if factor == 1.0 {
        return;
    }
    let mut before = first.frame_from_child.in_plane();
    let mut odom_from_base = before;
    for sample in &mut odometry[1..] {
        let pose = sample.frame_from_child.in_plane();
        let step = before.inverse() * pose;
        let scaled = Pose2::new(factor * step.x_m, factor * step.y_m, step.yaw_rad);
        odom_from_base = odom_from_base * scaled;
        sample.frame_from_child = odom_from_base.in_space();
        before = pose;
    }
}
