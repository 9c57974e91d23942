//! Parameters of the sensor models: fitted by `reconstruct`, sampled by `simulate`.
//!
//! Metres, radians. Every parameter set serialises to the JSON that is stored beside a twin, from which it can be made again.

use serde::{Deserialize, Serialize};

use crate::Pose2;

/// How a planar laser scanner reads a wall at a true range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LidarModel {
    /// Standard deviation of one reading, metres, before quantisation.
    pub sigma_m: f64,
    /// Mean of reading minus true range, metres.
    pub bias_m: f64,
    /// Step of the readings, metres; 0 if they are continuous.
    pub quantisation_m: f64,
    /// Share of beams that fail on a wall they should see, independent of each other; a failed beam reads 0.
    pub failed_share: f64,
    /// Share of beams that return short of the wall, uniform between the least range and the wall: people, dust, mixed pixels.
    pub short_share: f64,
    /// Readings below are not measurements, metres.
    pub range_min_m: f64,
    /// A wall farther than this is not seen, metres.
    pub range_max_m: f64,
    /// What the sensor writes when it sees no wall, metres (some write their largest range, some 0).
    pub no_return_reading_m: f64,
}

/// How wheel odometry reads a true increment of motion in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OdometryModel {
    /// Measured over true translation.
    pub scale: f64,
    /// Heading drift per metre driven, rad/m.
    pub yaw_bias_rad_per_m: f64,
    /// Measured over true rotation.
    pub yaw_scale: f64,
    /// Translation noise, metres per square root of a metre driven.
    pub sigma_m_per_sqrt_m: f64,
    /// Heading noise, radians per square root of a metre driven.
    pub yaw_sigma_rad_per_sqrt_m: f64,
    /// Heading noise, radians per square root of a radian turned.
    pub yaw_sigma_rad_per_sqrt_rad: f64,
}

/// The error of a range to a beacon, reading minus true distance, metres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "model")]
pub enum RangeErrorModel {
    /// Independent normal errors.
    Gaussian {
        /// Metres.
        mean_m: f64,
        /// Metres.
        sigma_m: f64,
    },
    /// Independent errors with heavy tails (Student's t).
    HeavyTailed {
        /// Metres.
        location_m: f64,
        /// Metres.
        scale_m: f64,
        /// Degrees of freedom.
        degrees_of_freedom: f64,
    },
    /// Independent errors from several normal components.
    Mixture {
        /// The components; weights sum to 1.
        components: Vec<NormalComponent>,
    },
    /// A hidden regime that persists (Markov chain per reading); within one, a first-order autoregressive error.
    RegimeSwitching {
        /// The regimes.
        regimes: Vec<Regime>,
        /// Row `i`: probabilities of the next regime from regime `i`, one row per regime.
        transition: Vec<Vec<f64>>,
    },
}

impl RangeErrorModel {
    /// The word used in tables, files and options.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gaussian { .. } => "gaussian",
            Self::HeavyTailed { .. } => "heavy_tailed",
            Self::Mixture { .. } => "mixture",
            Self::RegimeSwitching { .. } => "regime_switching",
        }
    }
}

/// One normal component of a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalComponent {
    /// Its share.
    pub weight: f64,
    /// Metres.
    pub mean_m: f64,
    /// Metres.
    pub sigma_m: f64,
}

/// One regime of a switching error: within it the error is autoregressive around a mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regime {
    /// Metres.
    pub mean_m: f64,
    /// Standard deviation of the error within the regime (stationary), metres.
    pub sigma_m: f64,
    /// Correlation of one reading's error with the next within the regime.
    pub autocorrelation: f64,
}

/// One beacon as the twin sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeaconModel {
    /// Which.
    pub beacon_id: u32,
    /// Its place in `map`, metres.
    pub position_m: [f64; 3],
    /// Share of readings that are missing.
    pub missing_share: f64,
    /// The error of its ranges.
    pub error: RangeErrorModel,
}

/// Everything a planar twin is simulated from, beside the map, the trajectory and the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwinParameters {
    /// The scanner in the robot.
    pub base_from_laser: Pose2,
    /// The scanner's readings.
    pub lidar: LidarModel,
    /// The wheels' readings, if the recording has odometry.
    pub odometry: Option<OdometryModel>,
    /// The beacons' readings; empty if the recording has none.
    pub beacons: Vec<BeaconModel>,
}
