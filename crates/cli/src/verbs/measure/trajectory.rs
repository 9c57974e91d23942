//! `measure traj.*`: trajectories.

use std::path::PathBuf;

use tiepoint_operations::{Error, Measured, TrajectoryMeasureRequest, measure_trajectory};

use crate::source;

/// Two trajectories and how to compare them.
#[derive(clap::Args)]
pub(crate) struct TrajectoryArgs {
    /// The trajectory to compare with.
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// The trajectory to judge.
    #[arg(long, value_name = "FILE")]
    estimate: PathBuf,
    /// Form of both files: tum, kitti or euroc.
    #[arg(long, default_value = "tum")]
    format: String,
    /// Alignment of the estimate first: none, se3, sim3, scale or origin.
    #[arg(long, default_value = "none")]
    align: String,
    /// translation, rotation_angle_deg, rotation_angle_rad, rotation_part or full.
    #[arg(long, default_value = "translation")]
    relation: String,
    /// Largest time between two poses that count as one instant, seconds.
    #[arg(long, default_value_t = 0.01, value_name = "SECONDS")]
    time_difference_s_max: f64,
}

/// As above, over pairs of poses.
#[derive(clap::Args)]
pub(crate) struct RelativeArgs {
    #[command(flatten)]
    trajectories: TrajectoryArgs,
    /// Distance between the poses of a pair.
    #[arg(long, default_value_t = 1.0)]
    delta: f64,
    /// Unit of the distance: frames, m, deg or rad.
    #[arg(long, default_value = "frames")]
    delta_unit: String,
    /// Every pair at that distance, not consecutive ones only.
    #[arg(long)]
    all_pairs: bool,
}

impl TrajectoryArgs {
    /// Absolute errors.
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        measure_trajectory(&request(self, None)?)
    }
}

impl RelativeArgs {
    /// Errors over pairs.
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        let relative = (self.delta, self.delta_unit, self.all_pairs);
        measure_trajectory(&request(self.trajectories, Some(relative))?)
    }
}

fn request(
    args: TrajectoryArgs,
    relative: Option<(f64, String, bool)>,
) -> Result<TrajectoryMeasureRequest, Error> {
    Ok(TrajectoryMeasureRequest {
        reference: (args.reference.clone(), source::read_bytes(&args.reference)?),
        estimate: (args.estimate.clone(), source::read_bytes(&args.estimate)?),
        format: args.format,
        align: args.align,
        relation: args.relation,
        time_difference_s_max: args.time_difference_s_max,
        relative,
    })
}
