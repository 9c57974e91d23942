//! A hash of output bits, to see at once whether two runs gave the same ones.
//!
//! Invariant: equal hashes of two builds mean equal bits (but for one chance in 2^64); NaN counts
//! as one value, -0.0 is not 0.0.
//! FNV-1a, 64 bit, over little-endian words: Fowler, Noll, Vo. Not a cryptographic digest, and no
//! record of provenance.

use tiepoint_model::{Pose2, Pose3, Stamps};

use crate::{TimedPose, TwinOutput};

/// A running hash of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parity(u64);

impl Parity {
    /// Of nothing.
    pub const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// The hash so far.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    /// Adds a word.
    pub fn word(&mut self, word: u64) {
        for byte in word.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Adds a number.
    pub fn number(&mut self, number: f64) {
        self.word(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() });
    }

    /// Adds a reading: widening keeps every bit.
    pub fn reading(&mut self, reading: f32) {
        self.number(f64::from(reading));
    }

    /// Adds a pose in the plane.
    pub fn pose(&mut self, pose: Pose2) {
        [pose.x_m, pose.y_m, pose.yaw_rad].into_iter().for_each(|part| self.number(part));
    }

    /// Adds a pose in space.
    pub fn pose_in_space(&mut self, pose: &Pose3) {
        let parts = pose.rotation.iter().chain(pose.translation_m.iter());
        parts.for_each(|part| self.number(*part));
    }

    /// Adds stamps; an absent one counts as no time at all.
    pub fn stamps(&mut self, stamps: Stamps) {
        self.word(stamps.log.0.cast_unsigned());
        for stamp in [stamps.publish, stamps.sensor] {
            self.word(u64::from(stamp.is_some()));
            self.word(stamp.map_or(0, |time| time.0.cast_unsigned()));
        }
    }

    /// Adds a pose and its stamps.
    pub fn timed_pose(&mut self, pose: &TimedPose) {
        self.stamps(pose.stamps);
        self.pose(pose.map_from_base);
    }

    /// Adds every number of a twin.
    pub fn twin(&mut self, twin: &TwinOutput) {
        for scan in &twin.scans {
            self.stamps(scan.stamps);
            scan.ranges_m.iter().for_each(|range_m| self.reading(*range_m));
        }
        for sample in twin.odometry.iter().chain(&twin.truth) {
            self.stamps(sample.stamps);
            self.pose_in_space(&sample.frame_from_child);
        }
        for range in &twin.ranges {
            self.stamps(range.stamps);
            self.word(u64::from(range.beacon_id));
            self.reading(range.range_m);
        }
        for transform in &twin.static_transforms {
            self.pose_in_space(&transform.parent_from_child);
        }
    }
}
