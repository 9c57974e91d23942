//! Typed rows of the topics that PX4 defines: inertial and magnetic readings, poses, fixes.
//!
//! Frames are named as they are: PX4's body is forward, right, down (`base_link_frd`) and its
//! world north, east, down (`map_ned`; `odom_frd` where a message says that its x axis points
//! anywhere). Nothing is turned into another convention.
//!
//! | topic | table | what is taken |
//! |---|---|---|
//! | `sensor_combined` | `imu` | `gyro_rad`, `accelerometer_m_s2`, each the mean over its integration time (`gyro_integral_dt`, `accelerometer_integral_dt` in `signals`); the acceleration is NaN where `accelerometer_timestamp_relative` says that there is none |
//! | `sensor_gyro`, `sensor_accel` | `imu` | `x`, `y`, `z`; the half that the sensor does not have is NaN |
//! | `vehicle_attitude` | `poses` | `q`; the position is NaN |
//! | `vehicle_local_position` | `poses` | `x`, `y`, `z`, NaN where `xy_valid` or `z_valid` is 0; the rotation is NaN |
//! | `vehicle_odometry` | `poses` | `position` or `x`, `y`, `z`, and `q` |
//! | `vehicle_magnetometer`, `sensor_mag` | `magnetic` | `magnetometer_ga` or `x`, `y`, `z`, gauss to tesla |
//! | `sensor_gps`, `vehicle_gps_position` | `gnss` | place and `fix_type`; no covariance (the accuracies `eph`, `epv` are in `signals`), no frame of the antenna |
//!
//! Invariant: a view is made only if the format has every field it needs.
//! PX4 writes quaternions w, x, y, z.

use tiepoint_model::{GnssFix, ImuSample, MagneticSample, PoseSample, SignalSample};

use super::format::Layout;
use crate::{Samples, Table, pose::pose_or_nan};

const BODY_FRAME: &str = "base_link_frd";
const NED_FRAME: &str = "map_ned";
const FRD_FRAME: &str = "odom_frd";
/// `RELATIVE_TIMESTAMP_INVALID` in PX4's `SensorCombined.msg`.
const NO_RELATIVE_TIME: f64 = 2_147_483_647.0;

const GAUSS_PER_TESLA: f64 = 1e4;

/// Where the values of a typed row lie in the row of numbers.
pub(super) enum View {
    Imu {
        rates: Option<[usize; 3]>,
        accelerations: Option<[usize; 3]>,
        /// When the accelerations were measured, from the stamp on.
        relative_time: Option<usize>,
    },
    Pose {
        position: Option<[usize; 3]>,
        /// Flags of the horizontal and the vertical position.
        valid: Option<[usize; 2]>,
        quaternion_wxyz: Option<[usize; 4]>,
        /// 1 is north, east, down; in `local_frame` of older logs 0 is.
        frame: Option<(usize, f64)>,
    },
    Magnetic {
        gauss: [usize; 3],
    },
    Gnss {
        /// Latitude, longitude, altitude above the ellipsoid.
        place: [usize; 3],
        /// How many of the log's units make a degree, and how many a metre.
        per_degree: f64,
        per_metre: f64,
        fix_type: usize,
    },
}

impl View {
    /// The view of a topic's messages, if it has one.
    pub(super) fn of(message_type: &str, layout: &Layout) -> Option<Self> {
        let index = |name: &str| layout.fields.iter().position(|field| field.name == name);
        let array = |name: &str| indexes(&index, [0, 1, 2].map(|i| format!("{name}[{i}]")));
        let axes = || indexes(&index, ["x", "y", "z"].map(str::to_owned));
        let quaternion = || indexes(&index, [0, 1, 2, 3].map(|i| format!("q[{i}]")));
        Some(match message_type {
            "sensor_combined" => Self::Imu {
                rates: Some(array("gyro_rad")?),
                accelerations: Some(array("accelerometer_m_s2")?),
                relative_time: index("accelerometer_timestamp_relative"),
            },
            "sensor_gyro" => {
                Self::Imu { rates: Some(axes()?), accelerations: None, relative_time: None }
            }
            "sensor_accel" => {
                Self::Imu { rates: None, accelerations: Some(axes()?), relative_time: None }
            }
            "vehicle_attitude" => Self::Pose {
                position: None,
                valid: None,
                quaternion_wxyz: Some(quaternion()?),
                frame: None,
            },
            "vehicle_local_position" => Self::Pose {
                position: Some(axes()?),
                valid: Some(indexes(&index, ["xy_valid", "z_valid"].map(str::to_owned))?),
                quaternion_wxyz: None,
                frame: None,
            },
            "vehicle_odometry" => Self::Pose {
                position: Some(array("position").or_else(axes)?),
                valid: None,
                quaternion_wxyz: Some(quaternion()?),
                frame: Some(
                    index("pose_frame")
                        .map(|at| (at, 1.0))
                        .or_else(|| index("local_frame").map(|at| (at, 0.0)))?,
                ),
            },
            "vehicle_magnetometer" => Self::Magnetic { gauss: array("magnetometer_ga")? },
            "sensor_mag" => Self::Magnetic { gauss: axes()? },
            "sensor_gps" | "vehicle_gps_position" => {
                let names = ["latitude_deg", "longitude_deg", "altitude_ellipsoid_m"];
                let fix_type = index("fix_type")?;
                if let Some(place) = indexes(&index, names.map(str::to_owned)) {
                    Self::Gnss { place, per_degree: 1.0, per_metre: 1.0, fix_type }
                } else {
                    let names = ["lat", "lon", "alt_ellipsoid"].map(str::to_owned);
                    let place = indexes(&index, names)?;
                    Self::Gnss { place, per_degree: 1e7, per_metre: 1e3, fix_type }
                }
            }
            _ => return None,
        })
    }

    pub(super) fn table(&self) -> Table {
        match self {
            Self::Imu { .. } => Table::Imu,
            Self::Pose { .. } => Table::Poses,
            Self::Magnetic { .. } => Table::Magnetic,
            Self::Gnss { .. } => Table::Gnss,
        }
    }

    /// Adds the typed row of a row of numbers.
    pub(super) fn push(&self, row: &SignalSample, samples: &mut Samples) {
        let stamps = row.stamps;
        match (self, samples) {
            (Self::Imu { rates, accelerations, relative_time }, Samples::Imu(rows)) => {
                let is_missing = relative_time.is_some_and(|at| row.values[at] == NO_RELATIVE_TIME);
                rows.push(ImuSample {
                    stamps,
                    frame_id: BODY_FRAME.to_owned(),
                    orientation_xyzw: None,
                    angular_rate_rad_per_s: taken(row, rates.as_ref()),
                    acceleration_m_per_s2: match is_missing {
                        true => [f64::NAN; 3],
                        false => taken(row, accelerations.as_ref()),
                    },
                });
            }
            (Self::Pose { position, valid, quaternion_wxyz, frame }, Samples::Poses(rows)) => {
                let mut position_m = taken(row, position.as_ref());
                if let Some([xy, z]) = valid {
                    if row.values[*xy] == 0.0 {
                        position_m[..2].fill(f64::NAN);
                    }
                    if row.values[*z] == 0.0 {
                        position_m[2] = f64::NAN;
                    }
                }
                let [w, x, y, z] = taken(row, quaternion_wxyz.as_ref());
                let is_ned = frame.is_none_or(|(at, ned)| row.values[at] == ned);
                rows.push(PoseSample {
                    stamps,
                    frame_id: if is_ned { NED_FRAME } else { FRD_FRAME }.to_owned(),
                    child_frame_id: BODY_FRAME.to_owned(),
                    frame_from_child: pose_or_nan(position_m, [x, y, z, w]),
                });
            }
            (Self::Magnetic { gauss }, Samples::Magnetic(rows)) => rows.push(MagneticSample {
                stamps,
                frame_id: BODY_FRAME.to_owned(),
                field_t: gauss.map(|index| row.values[index] / GAUSS_PER_TESLA),
            }),
            (Self::Gnss { place, per_degree, per_metre, fix_type }, Samples::Gnss(rows)) => {
                let [latitude, longitude, altitude] = place.map(|index| row.values[index]);
                rows.push(GnssFix {
                    stamps,
                    frame_id: String::new(),
                    status: fix_status(row.values[*fix_type]),
                    service: 0,
                    latitude_deg: latitude / per_degree,
                    longitude_deg: longitude / per_degree,
                    altitude_m: altitude / per_metre,
                    position_covariance_enu_m2: None,
                    position_covariance_type: 0,
                });
            }
            _ => {}
        }
    }
}

/// PX4's `fix_type`: 0 and 1 none, 2 and 3 plain, 4 to 6 with corrections from the ground, 8
/// extrapolated.
fn fix_status(fix_type: f64) -> i8 {
    match fix_type {
        fix_type if fix_type < 2.0 => -1,
        fix_type if (4.0..=6.0).contains(&fix_type) => 2,
        _ => 0,
    }
}

fn indexes<const N: usize>(
    index: &impl Fn(&str) -> Option<usize>,
    names: [String; N],
) -> Option<[usize; N]> {
    let mut found = [0; N];
    for (found, name) in found.iter_mut().zip(&names) {
        *found = index(name)?;
    }
    Some(found)
}

/// The values at the indexes; NaN without them.
fn taken<const N: usize>(row: &SignalSample, at: Option<&[usize; N]>) -> [f64; N] {
    at.map_or([f64::NAN; N], |at| at.map(|index| row.values[index]))
}
