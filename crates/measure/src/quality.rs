//! The quality of a recording, measured at the door while its messages stream by.
//!
//! One [`ChannelInspector`] per channel and one [`TransformGraph`] per recording take the typed
//! samples as they are read; nothing is read twice.
//! Invariant: the answer does not depend on how the messages are cut into pieces.
//! Memory is at most 24 bytes a message: an exact median needs every interval, a hull every stamp.
//! Times are nanoseconds; thresholds, definitions and their sources are the model's
//! ([`tiepoint_model::quality`]).
//!
//! Not here: what to do about a channel that fails.

use tiepoint_model::{
    BeaconRange, GnssFix, ImuSample, JointSample, MagneticSample, PointCloud, PoseSample,
    RangeReading, Scan, Stamps, Timestamp, TransformSample, TwistSample, quality::ChannelQuality,
};

mod cameras;
mod channel;
mod clock;
mod still;
mod transforms;
mod turning;

pub use self::{
    cameras::{camera_model, intrinsics_finding},
    channel::{
        MESSAGE_COUNT_MIN, QualityAccumulator, UNSTEADY_SHARE_MAX, ValueCounts, channel_quality,
    },
    clock::{ClockAccumulator, ClockReport, DRIFT_SPAN_S_MIN},
    still::{PILE_RATIO_MIN, RepeatAccumulator, SATURATED_COUNT_MIN, SaturationAccumulator},
    transforms::{FRAMES_MAX, MountingChange, TransformGraph},
    turning::{TurnAccumulator, lag_between},
};

/// Looks at one channel, piece by piece.
#[derive(Clone, Debug, Default)]
pub struct ChannelInspector {
    rhythm: QualityAccumulator,
    clock: ClockAccumulator,
    repeats: RepeatAccumulator,
    ends: SaturationAccumulator,
    /// Of channels with two parts: angular rate and acceleration, position and rotation.
    parts: [ValueCounts; 2],
    latest: Latest,
    latest_row: Option<Timestamp>,
}

/// The message ahead, of sensors that never repeat themselves to the bit.
#[derive(Clone, Debug, Default)]
enum Latest {
    #[default]
    None,
    Scan(Vec<f32>),
    Bits([u64; 6]),
}

impl ChannelInspector {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Messages of which only the stamps are looked at.
    pub fn add_stamps(&mut self, stamps: &[Stamps]) {
        for stamp in stamps {
            self.rhythm.add_log_times(&[stamp.log]);
            self.clock.add(stamp);
        }
    }

    /// Rows of which several may be of one message: those that share a log time count once.
    ///
    /// Their sensor stamps may be of several senders, so no clock is read from them.
    fn add_row(&mut self, stamps: &Stamps) {
        if self.latest_row != Some(stamps.log) {
            self.rhythm.add_log_times(&[stamps.log]);
            self.latest_row = Some(stamps.log);
        }
    }

    /// Values of messages whose stamps are added apart.
    pub fn add_values(&mut self, counts: ValueCounts) {
        self.rhythm.add_values(counts);
    }

    /// Sweeps of a planar scanner.
    pub fn add_scans(&mut self, scans: &[Scan]) {
        for scan in scans {
            self.add_stamps(&[scan.stamps]);
            self.add_values(ValueCounts::of_scan(scan));
            let is_repeat = match &self.latest {
                Latest::Scan(ahead) => are_same(ahead, &scan.ranges_m),
                _ => false,
            };
            self.repeats.add(scan.stamps.log, is_repeat);
            if !is_repeat {
                self.latest = Latest::Scan(scan.ranges_m.clone());
            }
        }
    }

    /// Readings of an inertial unit.
    pub fn add_imu(&mut self, readings: &[ImuSample]) {
        for reading in readings {
            self.add_stamps(&[reading.stamps]);
            let [a, b, c] = reading.angular_rate_rad_per_s;
            let [d, e, f] = reading.acceleration_m_per_s2;
            let values = [a, b, c, d, e, f];
            self.add_parts(&values[..3], &values[3..]);
            self.ends.add(&values);
            self.add_bits(reading.stamps.log, values.map(f64::to_bits));
        }
    }

    /// Clouds of points.
    pub fn add_clouds(&mut self, clouds: &[PointCloud]) {
        for cloud in clouds {
            self.add_stamps(&[cloud.stamps]);
            for column in [&cloud.x_m, &cloud.y_m, &cloud.z_m] {
                self.add_values(ValueCounts::of_unlimited_f32(column));
            }
        }
    }

    /// Poses. A parked robot repeats itself: that is no fault.
    pub fn add_poses(&mut self, poses: &[PoseSample]) {
        for pose in poses {
            self.add_stamps(&[pose.stamps]);
            let pose = &pose.frame_from_child;
            self.add_parts(pose.translation_m.as_slice(), pose.rotation.as_slice());
        }
    }

    /// Values of the two parts of a message, of which a sensor may have one only.
    fn add_parts(&mut self, first: &[f64], second: &[f64]) {
        for (part, values) in self.parts.iter_mut().zip([first, second]) {
            *part = part.and(ValueCounts::of_unlimited(values));
        }
    }

    /// Transforms; one message may hold several.
    pub fn add_transforms(&mut self, transforms: &[TransformSample]) {
        for transform in transforms {
            self.add_row(&transform.stamps);
            let position_m = transform.parent_from_child.translation_m;
            self.add_values(ValueCounts::of_unlimited(position_m.as_slice()));
        }
    }

    /// Velocities.
    pub fn add_twists(&mut self, twists: &[TwistSample]) {
        for twist in twists {
            self.add_stamps(&[twist.stamps]);
            let values = [twist.linear_m_per_s, twist.angular_rad_per_s];
            self.add_values(ValueCounts::of_unlimited(values.as_flattened()));
        }
    }

    /// Ranges to beacons; one message may hold several.
    pub fn add_ranges(&mut self, ranges: &[BeaconRange]) {
        for range in ranges {
            self.add_row(&range.stamps);
            self.add_values(ValueCounts::of_unlimited(&[f64::from(range.range_m)]));
        }
    }

    /// Fixes of a satellite receiver.
    pub fn add_fixes(&mut self, fixes: &[GnssFix]) {
        for fix in fixes {
            self.add_stamps(&[fix.stamps]);
            // Without an altitude a receiver says NaN, and that is no fault.
            let values = [fix.latitude_deg, fix.longitude_deg];
            self.add_values(ValueCounts::of_unlimited(&values));
        }
    }

    /// Readings of a magnetometer.
    pub fn add_magnetic(&mut self, readings: &[MagneticSample]) {
        for reading in readings {
            self.add_stamps(&[reading.stamps]);
            let [x, y, z] = reading.field_t;
            self.add_values(ValueCounts::of_unlimited(&reading.field_t));
            self.ends.add(&reading.field_t);
            let bits = [x, y, z, 0.0, 0.0, 0.0].map(f64::to_bits);
            self.add_bits(reading.stamps.log, bits);
        }
    }

    /// States of joints.
    pub fn add_joints(&mut self, states: &[JointSample]) {
        for state in states {
            self.add_stamps(&[state.stamps]);
            self.add_values(ValueCounts::of_unlimited(&state.positions_rad_or_m));
        }
    }

    /// Readings of a sensor with one beam. Infinity is its word for "nothing there".
    pub fn add_range_readings(&mut self, readings: &[RangeReading]) {
        for reading in readings {
            self.add_stamps(&[reading.stamps]);
            let range_m = reading.range_m;
            let limits_m = reading.range_min_m..=reading.range_max_m;
            let is_out = range_m.is_finite() && !limits_m.contains(&range_m);
            self.add_values(ValueCounts {
                value_count: 1,
                nan_count: u64::from(range_m.is_nan()),
                out_of_range_count: u64::from(is_out),
            });
        }
    }

    /// Says whether a sensor with noise repeats the message ahead.
    fn add_bits(&mut self, log_time: Timestamp, bits: [u64; 6]) {
        let is_repeat = matches!(&self.latest, Latest::Bits(ahead) if *ahead == bits);
        self.repeats.add(log_time, is_repeat);
        self.latest = Latest::Bits(bits);
    }

    /// The quality of what was seen: every check that applies to what the channel holds.
    #[must_use]
    pub fn finish(self) -> ChannelQuality {
        let message_count = self.rhythm.message_count();
        let mut rhythm = self.rhythm;
        let is_missing = |part: &ValueCounts| part.nan_count == part.value_count;
        // What no message has is no fault of the others; if neither part has anything, both count.
        let has_one = self.parts.iter().any(|part| !is_missing(part));
        for part in self.parts.into_iter().filter(|part| !has_one || !is_missing(part)) {
            rhythm.add_values(part);
        }
        let mut quality = rhythm.finish();
        let clock = self.clock.finish();
        let (frozen_s, frozen) = self.repeats.finish();
        let (saturated_share, saturated) = self.ends.finish();
        quality.clock = clock.quality;
        quality.frozen_s = frozen_s;
        quality.saturated_share = saturated_share;
        quality.findings.extend(clock.findings);
        quality.findings.extend(frozen);
        quality.findings.extend(saturated);
        quality.verdict = channel::verdict(&quality.findings, message_count);
        quality
    }
}

/// Equal to the bit: NaN equals itself, and zero is not minus zero.
fn are_same(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits())
}
