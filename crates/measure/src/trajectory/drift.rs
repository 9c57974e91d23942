//! Drift over fixed lengths as the KITTI odometry benchmark defines it: per cent and degrees per
//! metre.
//!
//! Invariant: lengths are measured along the reference, and errors are divided by the nominal
//! length, however far beyond it a sub-sequence ends.
//! Metres and radians, but for the two published numbers, whose units are in their names.
//!
//! Not here: relative errors at one length with a tolerance (see [`super::sub_trajectory`]).

use nalgebra::Matrix3;
use tiepoint_model::{Pose3, math};

use super::{DEG_PER_RAD, require_paired, travelled_m};
use crate::{
    MeasureError, Metric, MetricId, registry,
    statistics::{require_finite, require_positive},
};

/// The benchmark's lengths, metres: Geiger et al. 2012, `evaluate_odometry.cpp`.
pub const KITTI_LENGTHS_M: [f64; 8] = [100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0];

/// A row of a table by length or by speed needs more sub-sequences than this.
const GROUP_COUNT_ABOVE: usize = 2; // evaluate_odometry.cpp: num > 2.5

/// In which numbers the benchmark's arithmetic runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftArithmetic {
    /// As the devkit: lengths along the path, errors and sums are rounded to `f32`, so that some
    /// sub-sequences end on another frame and small angles have few digits.
    Float32,
    /// `f64` throughout.
    Float64,
}

/// Which sub-sequences, in which arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftOptions<'a> {
    /// Nominal lengths, metres.
    pub lengths_m: &'a [f64],
    /// A sub-sequence starts at every so many poses.
    pub start_step: usize,
    /// Time between two poses, seconds; for speeds only.
    pub frame_interval_s: f64,
    /// Rounding.
    pub arithmetic: DriftArithmetic,
}

impl DriftOptions<'static> {
    /// The benchmark as published, rounding included.
    pub const KITTI_COMPATIBLE: Self = Self {
        lengths_m: &KITTI_LENGTHS_M,
        start_step: 10,
        frame_interval_s: 0.1,
        arithmetic: DriftArithmetic::Float32,
    };
    /// The benchmark's definition without its rounding.
    pub const KITTI_CORRECTED: Self =
        Self { arithmetic: DriftArithmetic::Float64, ..Self::KITTI_COMPATIBLE };
}

impl DriftOptions<'_> {
    /// The metric of the translation in per cent, with these options.
    #[must_use]
    pub fn translation_metric(&self) -> Metric {
        self.metric(registry::TRAJ_KITTI_DRIFT_TRANSLATION)
    }

    /// The metric of the rotation in degrees per metre, with these options.
    #[must_use]
    pub fn rotation_metric(&self) -> Metric {
        self.metric(registry::TRAJ_KITTI_DRIFT_ROTATION)
    }

    fn metric(&self, id: MetricId) -> Metric {
        let mode = match self.arithmetic {
            DriftArithmetic::Float32 => "compat:kitti_devkit",
            DriftArithmetic::Float64 => "corrected",
        };
        let lengths: Vec<String> = self.lengths_m.iter().map(f64::to_string).collect();
        Metric::new(id)
            .with("lengths_m", lengths.join(" "))
            .with("mode", mode)
            .with("start_step", self.start_step)
    }

    fn check(&self) -> Result<(), MeasureError> {
        require_finite(self.lengths_m, "lengths_m")?;
        for &length_m in self.lengths_m {
            require_positive(length_m, "lengths_m")?;
        }
        require_positive(self.start_step as f64, "start_step")?;
        require_positive(self.frame_interval_s, "frame_interval_s")
    }
}

/// One sub-sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftSegment {
    /// Index of its first pose.
    pub first_index: usize,
    /// Index of its last pose: the first whose distance exceeds the length.
    pub last_index: usize,
    /// Nominal length, metres.
    pub length_m: f64,
    /// Length of the translation error per nominal metre, no unit.
    pub translation_share: f64,
    /// Angle of the rotation error per nominal metre.
    pub rotation_rad_per_m: f64,
    /// Nominal length over `last − first + 1` frame intervals.
    pub speed_m_per_s: f64,
}

/// The mean of some sub-sequences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftMean {
    /// Translation error per length, per cent.
    pub translation_percent: f64,
    /// Rotation error per length, degrees per metre.
    pub rotation_deg_per_m: f64,
    /// How many sub-sequences.
    pub n: usize,
}

/// Drift over every sub-sequence and its means.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// All sub-sequences, by start and then in the order of the lengths.
    pub segments: Vec<DriftSegment>,
    /// The mean of all: the benchmark's two numbers. Long lengths have fewer sub-sequences, and
    /// weigh less.
    pub mean: DriftMean,
    /// Nominal length in metres and the mean at that length, for lengths with 3 or more.
    pub by_length: Vec<(f64, DriftMean)>,
    /// Speed `v = 2, 4, …, 24` m/s and the mean of the sub-sequences within 2 m/s of it, for
    /// speeds with 3 or more: neighbouring rows share sub-sequences.
    pub by_speed: Vec<(f64, DriftMean)>,
}

/// The drift of an estimate over sub-sequences of fixed lengths.
///
/// For each length L and each start i: `j` is the first pose with `s_j > s_i + L` along the
/// reference; `E = (Q_i⁻¹ Q_j)⁻¹ (P_i⁻¹ P_j)` with `P` the reference and `Q` the estimate;
/// translation error `‖t(E)‖ / L`, rotation error `angle(E) / L`. The two numbers of the benchmark
/// are the means over all sub-sequences of all lengths. Matrices are truly inverted, so that poses
/// need be orthonormal only as far as their text is.
///
/// # Inputs
/// - `reference`, `estimate`: N poses of the same body, metres, row `i` the same instant, at even
///   time steps; each in a fixed frame of its own. No alignment is needed or made.
///
/// # Output
/// Per cent and degrees per metre, `>= 0`; 0 for equal motions.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::Empty`], [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`], [`MeasureError::NotARotation`] (a matrix without an inverse),
/// [`MeasureError::NoPairs`] (no sub-sequence is long enough).
///
/// # Invariants
/// `drift_of_a_path_with_itself_is_zero`, `drift_is_unchanged_by_moving_either_path`,
/// `drift_of_a_stretched_path_is_the_stretch`, `drift_agrees_with_a_direct_sum`.
///
/// # Source
/// Geiger, Lenz and Urtasun, *Are we ready for autonomous driving?*, CVPR 2012;
/// `evaluate_odometry.cpp` of the benchmark's development kit. With
/// [`DriftArithmetic::Float32`] equal to every digit that it prints.
///
/// Cost: O(N · lengths), a few matrix products for each sub-sequence.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::drift::{DriftOptions, kitti_drift};
/// use tiepoint_model::Pose2;
///
/// let straight = |step_m: f64| {
///     (0..300).map(|i| Pose2::new(step_m * f64::from(i), 0.0, 0.0).in_space()).collect::<Vec<_>>()
/// };
/// let options = DriftOptions::KITTI_CORRECTED;
/// let drift = kitti_drift(&straight(1.0), &straight(1.02), &options)?;
/// // 101 m are driven for a nominal 100 m, and 201 m for 200 m.
/// assert!((drift.by_length[0].1.translation_percent - 2.02).abs() < 1e-9);
/// assert!((drift.by_length[1].1.translation_percent - 2.01).abs() < 1e-9);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn kitti_drift(
    reference: &[Pose3],
    estimate: &[Pose3],
    options: &DriftOptions<'_>,
) -> Result<Drift, MeasureError> {
    options.check()?;
    require_paired(reference, estimate)?;
    let travelled_m = match options.arithmetic {
        DriftArithmetic::Float32 => travelled_rounded_m(reference),
        DriftArithmetic::Float64 => travelled_m(reference),
    };
    let mut segments = vec![];
    for first in (0..reference.len()).step_by(options.start_step) {
        for &length_m in options.lengths_m {
            let limit_m = options.arithmetic.round(travelled_m[first] + length_m);
            let last = first + travelled_m[first..].partition_point(|&m| m <= limit_m);
            if last < reference.len() {
                let error = motion_error(reference, estimate, (first, last))?;
                let segment = options.segment((first, last), length_m, &error);
                let sum = segment.translation_share + segment.rotation_rad_per_m;
                if !(sum + segment.speed_m_per_s).is_finite() {
                    return Err(MeasureError::NotFinite { what: "error motion", index: first });
                }
                segments.push(segment);
            }
        }
    }
    let Some(mean) = DriftMean::of(&segments, options.arithmetic, |_| true) else {
        let least_m = options.lengths_m.iter().copied().fold(f64::INFINITY, f64::min);
        let delta = format!("more than {least_m} m");
        return Err(MeasureError::NoPairs { delta, pose_count: reference.len() });
    };
    let table = |keys: &mut dyn Iterator<Item = f64>, near: &dyn Fn(&DriftSegment, f64) -> bool| {
        keys.filter_map(|key| {
            let mean = DriftMean::of(&segments, options.arithmetic, |s| near(s, key))?;
            (mean.n > GROUP_COUNT_ABOVE).then_some((key, mean))
        })
        .collect::<Vec<_>>()
    };
    let by_length =
        table(&mut options.lengths_m.iter().copied(), &|s, length_m| s.length_m == length_m);
    let by_speed = table(&mut (1..=12).map(|step| 2.0 * f64::from(step)), &|s, speed| {
        (s.speed_m_per_s - speed).abs() < 2.0
    });
    Ok(Drift { mean, by_length, by_speed, segments })
}

impl DriftArithmetic {
    /// What of a number is kept.
    #[expect(clippy::cast_possible_truncation, reason = "the devkit's rounding is wanted")]
    fn round(self, value: f64) -> f64 {
        match self {
            Self::Float32 => f64::from(value as f32),
            Self::Float64 => value,
        }
    }
}

impl DriftOptions<'_> {
    fn segment(
        &self,
        (first_index, last_index): (usize, usize),
        length_m: f64,
        error: &(Matrix3<f64>, [f64; 3]),
    ) -> DriftSegment {
        let frame_count = (last_index - first_index + 1) as f64;
        let (rotation_rad, translation_m) = match self.arithmetic {
            DriftArithmetic::Float32 => rounded_errors(error),
            DriftArithmetic::Float64 => {
                let [x, y, z] = error.1;
                (angle_rad(&error.0), (x * x + y * y + z * z).sqrt())
            }
        };
        let round = |value| self.arithmetic.round(value);
        DriftSegment {
            first_index,
            last_index,
            length_m,
            translation_share: round(translation_m / length_m),
            rotation_rad_per_m: round(rotation_rad / length_m),
            speed_m_per_s: round(length_m / (self.frame_interval_s * frame_count)),
        }
    }
}

impl DriftMean {
    /// The mean of the chosen sub-sequences, `None` if there is none.
    fn of(
        segments: &[DriftSegment],
        arithmetic: DriftArithmetic,
        is_chosen: impl Fn(&DriftSegment) -> bool,
    ) -> Option<Self> {
        let (mut translation, mut rotation, mut n) = (0.0, 0.0, 0_usize);
        for segment in segments.iter().filter(|segment| is_chosen(segment)) {
            translation = arithmetic.round(translation + segment.translation_share);
            rotation = arithmetic.round(rotation + segment.rotation_rad_per_m);
            n += 1;
        }
        let mean = |sum: f64| arithmetic.round(sum / n as f64);
        (n > 0).then(|| Self {
            translation_percent: mean(translation) * 100.0,
            rotation_deg_per_m: mean(rotation) * DEG_PER_RAD,
            n,
        })
    }
}

/// `(Q_i⁻¹ Q_j)⁻¹ (P_i⁻¹ P_j)` with true inverses, as rotation part and translation in metres.
fn motion_error(
    reference: &[Pose3],
    estimate: &[Pose3],
    (first, last): (usize, usize),
) -> Result<(Matrix3<f64>, [f64; 3]), MeasureError> {
    // Q_j⁻¹ Q_i P_i⁻¹ P_j: two inverses instead of three.
    let expected = inverse(&reference[first], "reference", first)? * reference[last];
    let got_back = inverse(&estimate[last], "estimate", last)? * estimate[first];
    let error = got_back * expected;
    Ok((error.rotation, error.translation_m.into()))
}

fn inverse(pose: &Pose3, what: &'static str, index: usize) -> Result<Pose3, MeasureError> {
    let refuse = || MeasureError::NotARotation {
        what,
        index,
        deviation: (pose.rotation.transpose() * pose.rotation - Matrix3::identity()).amax(),
        tolerance: 1.0,
    };
    let rotation = pose.rotation.try_inverse().ok_or_else(refuse)?;
    Ok(Pose3 { rotation, translation_m: -(rotation * pose.translation_m) })
}

/// Angle by the trace as the benchmark has it; a trace beyond its range counts as its limit.
fn angle_rad(rotation: &Matrix3<f64>) -> f64 {
    math::acos((0.5 * (rotation.trace() - 1.0)).clamp(-1.0, 1.0))
}

/// The devkit's two errors: `f32` entries, sums and results; the half trace passes through `f64`.
#[expect(clippy::cast_possible_truncation, reason = "the devkit's rounding is wanted")]
fn rounded_errors((rotation, translation_m): &(Matrix3<f64>, [f64; 3])) -> (f64, f64) {
    let [a, b, c] = [0, 1, 2].map(|i| rotation[(i, i)] as f32);
    let half_trace = (0.5 * (f64::from(a + b + c) - 1.0)) as f32;
    let angle_rad = math::acos(f64::from(half_trace.clamp(-1.0, 1.0))) as f32;
    let [x, y, z] = translation_m.map(|entry| entry as f32);
    (f64::from(angle_rad), f64::from((x * x + y * y + z * z).sqrt()))
}

/// Metres along the path, each difference, length and sum rounded to `f32`.
#[expect(clippy::cast_possible_truncation, reason = "the devkit's rounding is wanted")]
fn travelled_rounded_m(poses: &[Pose3]) -> Vec<f64> {
    let mut sum_m = 0.0_f32;
    let mut travelled_m = Vec::with_capacity(poses.len());
    for (index, pose) in poses.iter().enumerate() {
        if index > 0 {
            let step = poses[index - 1].translation_m - pose.translation_m;
            let [x, y, z] = [step.x as f32, step.y as f32, step.z as f32];
            sum_m += (x * x + y * y + z * z).sqrt();
        }
        travelled_m.push(f64::from(sum_m));
    }
    travelled_m
}
