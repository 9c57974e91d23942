//! Why a measure has no value. Each variant says what and where, so that a person can look.
//!
//! Invariant: a measure never answers with NaN or a silent zero; it answers with one of these.

use tiepoint_model::ErrorKind;

/// Why a measure has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// Nothing to measure.
    #[error("`{what}` is empty")]
    Empty {
        /// The input.
        what: &'static str,
    },
    /// Too little to measure.
    #[error("`{what}` has {count} elements and at least {min} are needed")]
    TooFew {
        /// The input.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are needed.
        min: usize,
    },
    /// A NaN or an infinity.
    #[error("`{what}` is not finite at index {index}")]
    NotFinite {
        /// The input.
        what: &'static str,
        /// Position from 0.
        index: usize,
    },
    /// Two inputs that go together in pairs have different lengths.
    #[error("`{left}` has {left_count} elements but `{right}` has {right_count}")]
    LengthMismatch {
        /// One input.
        left: &'static str,
        /// Its length.
        left_count: usize,
        /// The other input.
        right: &'static str,
        /// Its length.
        right_count: usize,
    },
    /// An option outside its domain.
    #[error("option `{name}` is {value} but must be {requirement}")]
    InvalidOption {
        /// Which.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// The input does not vary, so that a ratio to its variance has no value.
    #[error("`{what}` is constant")]
    Constant {
        /// The input.
        what: &'static str,
    },
    /// A number so large that what is computed from it is not finite.
    #[error("`{what}` holds {value} at index {index}; the limit is {limit}")]
    TooLarge {
        /// The input.
        what: &'static str,
        /// Position from 0.
        index: usize,
        /// Its value.
        value: f64,
        /// The largest magnitude.
        limit: f64,
    },
    /// A record with a gap, or with time that stands still or runs back.
    #[error("interval {index} is {interval_ns} ns where {expected_ns} ns is usual")]
    IrregularSampling {
        /// Position of the interval from 0.
        index: usize,
        /// Its length.
        interval_ns: i64,
        /// The median length.
        expected_ns: i64,
    },
    /// The positions do not fix a rotation.
    #[error(
        "positions lie on a line or in a point: second singular value {second_m2}, first {first_m2}"
    )]
    DegenerateAlignment {
        /// Largest singular value of the cross covariance, square metres.
        first_m2: f64,
        /// Second singular value, square metres.
        second_m2: f64,
    },
    /// A matrix that should be a rotation is none.
    #[error("rotation {index} of `{what}` is off by {deviation} where {tolerance} is allowed")]
    NotARotation {
        /// The input.
        what: &'static str,
        /// Position from 0.
        index: usize,
        /// Largest entry of `RᵀR − I`, or 2 for a reflection.
        deviation: f64,
        /// The limit.
        tolerance: f64,
    },
    /// No stamp of one trajectory is close enough to one of the other.
    #[error(
        "none of {estimate_count} and {reference_count} stamps lie within {difference_ns_max} ns"
    )]
    NoAssociation {
        /// Poses of the reference.
        reference_count: usize,
        /// Poses of the estimate.
        estimate_count: usize,
        /// The limit.
        difference_ns_max: i64,
    },
    /// No two poses are the wanted distance apart.
    #[error("no two of {pose_count} poses are {delta} apart")]
    NoPairs {
        /// The wanted distance, with its unit.
        delta: String,
        /// How many poses there are.
        pose_count: usize,
    },
    /// A relation that this measure does not define.
    #[error("relation `{relation}` is defined between two poses of one path only")]
    RelationUndefined {
        /// Which.
        relation: &'static str,
    },
    /// Two scans that are compared beam by beam look in different directions.
    #[error("scan {scan_index}: the two scans differ in `{field}`")]
    GeometryMismatch {
        /// Position from 0.
        scan_index: usize,
        /// The field that differs.
        field: &'static str,
    },
    /// No metric has this id.
    #[error("no metric is called `{id}`")]
    UnknownMetric {
        /// As given.
        id: String,
    },
}

impl MeasureError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownMetric { .. } => ErrorKind::NotFound,
            Self::NotARotation { .. } | Self::NotFinite { .. } => ErrorKind::Corrupt,
            _ => ErrorKind::InvalidInput,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty { what } | Self::TooFew { what, .. } => {
                format!("give a longer `{what}`, or leave this measure out for this segment")
            }
            Self::NotFinite { what, index } => {
                format!("look at row {index} of `{what}`, and drop such rows before measuring")
            }
            Self::LengthMismatch { .. } => {
                "associate the two inputs first, so that row i is the same instant in both".into()
            }
            Self::InvalidOption { name, requirement, .. } => {
                format!("choose `{name}` to be {requirement}")
            }
            Self::Constant { what } => {
                format!("`{what}` holds one value only: check that the sensor was moving or alive")
            }
            Self::TooLarge { what, .. } => {
                format!("check the unit of `{what}`, or measure from an origin nearby")
            }
            Self::IrregularSampling { .. } => {
                "measure the longest regular stretch instead, which says what it leaves out".into()
            }
            Self::DegenerateAlignment { .. } => {
                "align by the origin instead, or use a stretch of the run that turns".into()
            }
            Self::NotARotation { .. } => {
                "check the order of the quaternion, or orthonormalise the matrix when reading"
                    .into()
            }
            Self::NoAssociation { .. } => {
                "check that both trajectories use the same clock, or allow a larger difference"
                    .into()
            }
            Self::NoPairs { .. } => "choose a shorter delta, or a longer run".into(),
            Self::RelationUndefined { .. } => "use it with the relative pose error".into(),
            Self::GeometryMismatch { .. } => {
                "compare by reprojection, which does not need equal beams".into()
            }
            Self::UnknownMetric { .. } => "list the metrics with `tiepoint measure list`".into(),
        }
    }
}
