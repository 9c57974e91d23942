//! The vocabulary: time, frames, transforms, recordings, maps, sensor models, claims and verdicts.
//!
//! Invariant: nothing here reads a disk, a clock or a random source; every value is plain data.
//! Lengths are metres, angles radians, times integer nanoseconds since the Unix epoch.
//!
//! Not here: Arrow, hashing, file formats, and any judgement.

pub mod claim;
pub mod derivation;
pub mod digest;
pub mod error;
pub mod file;
pub mod lineage;
pub mod map;
pub mod math;
pub mod pose;
pub mod quality;
pub mod recording;
pub mod samples;
pub mod seed;
pub mod sensor;
pub mod time;
pub mod trajectory;
pub mod verdict;

pub use derivation::{Derivation, Origin};
pub use digest::Digest;
pub use error::ErrorKind;
pub use file::RegisteredFile;
pub use lineage::{EdgeKind, Excerpt, LineageEdge};
pub use map::{Cell, WallMap};
pub use pose::{Pose2, Pose3};
pub use recording::{Channel, Recording, RecordingId};
pub use samples::{
    BeaconRange, CameraIntrinsics, GnssFix, GridSample, ImageRegion, ImageSample, ImuSample,
    JointSample, MagneticSample, PathPose, PathSample, PayloadBase, PayloadPlace, PointCloud,
    PoseSample, RangeReading, RawMessage, Scan, SignalField, SignalSample, Stamps, TransformSample,
    TwistSample,
};
pub use seed::Seed;
pub use time::{Span, Timestamp};
pub use trajectory::Trajectory;
