//! Trajectories: timestamped poses of one frame in another.
//!
//! Invariant: stamps and poses have the same length. They are in the order in which they were read: sorting is the caller's decision.

use crate::{Pose3, Timestamp};

/// Timestamped poses of a body in a fixed frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    stamps: Vec<Timestamp>,
    fixed_from_body: Vec<Pose3>,
}

impl Trajectory {
    /// From stamps and poses of the same length; `None` if the lengths differ.
    #[must_use]
    pub fn new(stamps: Vec<Timestamp>, fixed_from_body: Vec<Pose3>) -> Option<Self> {
        (stamps.len() == fixed_from_body.len()).then_some(Self { stamps, fixed_from_body })
    }

    /// One stamp per pose, in the order of reading.
    #[must_use]
    pub fn stamps(&self) -> &[Timestamp] {
        &self.stamps
    }

    /// Poses of the body in the fixed frame, metres.
    #[must_use]
    pub fn poses(&self) -> &[Pose3] {
        &self.fixed_from_body
    }

    /// How many poses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stamps.len()
    }

    /// True without a pose.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }
}
