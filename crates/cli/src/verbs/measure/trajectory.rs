//! `measure traj.*`: trajectories.

use std::path::PathBuf;

use tiepoint_operations::{
    DriftRequest, Error, LoopClosureRequest, Measured, PairingWords, ReferenceErrorRequest,
    RelativeWords, StepScaleRequest, SubTrajectoryRequest, TimeOffsetRequest, TrajectoryFiles,
    TrajectoryMeasureRequest, measure_kitti_drift, measure_loop_closure, measure_reference_error,
    measure_step_scale, measure_sub_trajectory, measure_time_offset, measure_trajectory,
};

use crate::source;

/// Metrics of trajectories.
#[derive(clap::Subcommand)]
pub(crate) enum TrajectoryCommand {
    /// Absolute pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.ape --reference gt.txt --estimate slam.txt --align se3
    #[command(name = "traj.ape")]
    AbsolutePoseError(AbsoluteArgs),
    /// Relative pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.rpe --reference gt.txt --estimate slam.txt --delta 100 --delta-unit m
    #[command(name = "traj.rpe")]
    RelativePoseError(RelativeArgs),
    /// Drift over 100 to 800 m as the KITTI odometry benchmark has it: percent and degrees per metre.
    ///
    /// Example: tiepoint measure traj.kitti_drift --reference 00.txt --estimate slam.txt
    #[command(name = "traj.kitti_drift")]
    KittiDrift(DriftArgs),
    /// Errors over sub-trajectories of several lengths, as rpg_trajectory_evaluation has them.
    ///
    /// Example: tiepoint measure traj.sub_trajectory --reference gt.txt --estimate vio.txt --lengths-m 10,20
    #[command(name = "traj.sub_trajectory")]
    SubTrajectory(SubTrajectoryArgs),
    /// How far the lengths of an estimate's steps differ from the reference's, percent.
    ///
    /// Example: tiepoint measure traj.step_scale --reference gt.txt --estimate vio.txt --align sim3
    #[command(name = "traj.step_scale")]
    StepScale(StepScaleArgs),
    /// What added to the estimate's stamps makes its motion simultaneous with the reference's.
    ///
    /// Example: tiepoint measure traj.time_offset --reference mocap.txt --estimate slam.txt
    #[command(name = "traj.time_offset")]
    TimeOffset(TimeOffsetArgs),
    /// Error of each of three or more trajectories of one motion, none of which is the truth.
    ///
    /// Example: tiepoint measure traj.reference_error --trajectories mocap.txt slam.txt gnss.txt
    #[command(name = "traj.reference_error")]
    ReferenceError(ReferenceErrorArgs),
    /// How far a path ends from where it began, for a robot that was put back where it stood.
    ///
    /// Example: tiepoint measure traj.loop_closure --estimate slam.txt
    #[command(name = "traj.loop_closure")]
    LoopClosure(LoopClosureArgs),
}

/// Two trajectories and how their poses are paired.
#[derive(clap::Args)]
pub(crate) struct FilesArgs {
    /// The trajectory to compare with.
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// The trajectory to judge.
    #[arg(long, value_name = "FILE")]
    estimate: PathBuf,
    /// Form of both files: auto (each by its contents), tum, kitti or euroc.
    #[arg(long, default_value = "auto")]
    format: String,
    /// Pairs of stamps: evo (nearest), tum (greedy, one to one) or interpolate (the reference).
    #[arg(long, default_value = "evo")]
    association: String,
    /// Largest time between two poses that count as one instant, seconds.
    #[arg(long, default_value_t = 0.01, value_name = "SECONDS")]
    time_difference_s_max: f64,
    /// For interpolate: the longest gap of the reference that is bridged, seconds.
    #[arg(long, default_value_t = 0.2, value_name = "SECONDS")]
    gap_s_max: f64,
}

/// Absolute errors.
#[derive(clap::Args)]
pub(crate) struct AbsoluteArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// Alignment of the estimate first: none, se3, sim3, yaw, scale, origin or origin-yaw.
    #[arg(long, default_value = "none")]
    align: String,
    /// Fit the alignment to this many poses from the start.
    #[arg(long, value_name = "COUNT")]
    align_first: Option<usize>,
    /// translation, rotation_angle_deg, rotation_angle_rad, rotation_part, full, point_distance or
    /// distance_ratio.
    #[arg(long, default_value = "translation")]
    relation: String,
}

/// As above, over pairs of poses.
#[derive(clap::Args)]
pub(crate) struct RelativeArgs {
    #[command(flatten)]
    absolute: AbsoluteArgs,
    /// Distance between the poses of a pair.
    #[arg(long, default_value_t = 1.0)]
    delta: f64,
    /// Unit of the distance: frames, m, deg or rad.
    #[arg(long, default_value = "frames")]
    delta_unit: String,
    /// Every pair at that distance, not consecutive ones only.
    #[arg(long)]
    all_pairs: bool,
    /// On which path the distance is measured: estimate or reference.
    #[arg(long, default_value = "estimate")]
    pairs_from: String,
}

/// The KITTI benchmark.
#[derive(clap::Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// compat (the devkit's arithmetic, equal to each printed digit) or corrected (double precision).
    #[arg(long, default_value = "compat")]
    mode: String,
    /// Time between two poses, seconds: for the table by speed only.
    #[arg(long, default_value_t = 0.1, value_name = "SECONDS")]
    frame_interval_s: f64,
    /// Also drift by condition: CSV or Parquet with the columns from_s, to_s, condition (seconds of the
    /// reference's clock; from_row, to_row where poses have no stamps).
    #[arg(long, value_name = "FILE")]
    conditions: Option<PathBuf>,
}

/// Trajectories that are held against each other.
#[derive(clap::Args)]
pub(crate) struct ReferenceErrorArgs {
    /// Three or more; the first gives the frame and the instants.
    #[arg(long, value_name = "FILES", num_args = 3.., required = true)]
    trajectories: Vec<PathBuf>,
    /// Form of all files: auto (each by its contents), tum, kitti or euroc.
    #[arg(long, default_value = "auto")]
    format: String,
    /// Alignment of the others onto the first: none, se3, sim3, yaw, scale, origin or origin-yaw.
    #[arg(long, default_value = "se3")]
    align: String,
    /// Pairs of stamps: evo (nearest), tum (greedy, one to one) or interpolate (the others).
    #[arg(long, default_value = "evo")]
    association: String,
    /// Largest time between two poses that count as one instant, seconds.
    #[arg(long, default_value_t = 0.01, value_name = "SECONDS")]
    time_difference_s_max: f64,
    /// For interpolate: the longest gap that is bridged, seconds.
    #[arg(long, default_value_t = 0.2, value_name = "SECONDS")]
    gap_s_max: f64,
}

/// Errors over lengths.
#[derive(clap::Args)]
pub(crate) struct SubTrajectoryArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// Lengths along the reference, metres, parted by commas; without it 10 to 50 % of its length.
    #[arg(long, value_name = "METRES", value_delimiter = ',')]
    lengths_m: Vec<f64>,
    /// How far a length may lie from the wanted one, as a share of it.
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    tolerance: f64,
    /// The alignment whose scale is used: none, se3, sim3, yaw, scale, origin or origin-yaw.
    #[arg(long, default_value = "none")]
    align: String,
    /// compat (the tool's pairs, with its fault) or corrected.
    #[arg(long, default_value = "corrected")]
    mode: String,
}

/// Lengths of steps.
#[derive(clap::Args)]
pub(crate) struct StepScaleArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// Alignment of the estimate first: none, se3, sim3, yaw, scale, origin or origin-yaw.
    #[arg(long, default_value = "none")]
    align: String,
    /// compat (the tool's, which compares positions) or corrected.
    #[arg(long, default_value = "corrected")]
    mode: String,
}

/// Two clocks.
#[derive(clap::Args)]
pub(crate) struct TimeOffsetArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// angular_speed (any two points of the body) or speed (the same point).
    #[arg(long, default_value = "angular_speed")]
    signal: String,
    /// Duration of a cell, seconds; without it the longer of both median intervals.
    #[arg(long, value_name = "SECONDS")]
    step_s: Option<f64>,
    /// The offset around which to search, seconds.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS", allow_negative_numbers = true)]
    guess_s: f64,
    /// How far from the guess to search, seconds.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    search_s: f64,
    /// Least time in common, seconds.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    overlap_s_min: f64,
    /// Least correlation that counts as one motion.
    #[arg(long, default_value_t = 0.8)]
    correlation_min: f64,
    /// By how much the best offset must beat a second one.
    #[arg(long, default_value_t = 0.05)]
    margin: f64,
}

/// One path.
#[derive(clap::Args)]
pub(crate) struct LoopClosureArgs {
    /// The trajectory to judge.
    #[arg(long, value_name = "FILE")]
    estimate: PathBuf,
    /// Form of the file: auto, tum, kitti or euroc.
    #[arg(long, default_value = "auto")]
    format: String,
}

impl TrajectoryCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::AbsolutePoseError(args) => measure_trajectory(&absolute(args, None)?),
            Self::RelativePoseError(args) => measure_trajectory(&relative(args)?),
            Self::KittiDrift(DriftArgs { files, mode, frame_interval_s, conditions }) => {
                let conditions = conditions.map(source::read_input).transpose()?;
                let files = read(files)?;
                measure_kitti_drift(&DriftRequest { files, mode, frame_interval_s, conditions })
            }
            Self::ReferenceError(args) => reference_error(args),
            Self::SubTrajectory(args) => measure_sub_trajectory(&SubTrajectoryRequest {
                files: read(args.files)?,
                lengths_m: args.lengths_m,
                tolerance_share: args.tolerance,
                align: args.align,
                mode: args.mode,
            }),
            Self::StepScale(StepScaleArgs { files, align, mode }) => {
                measure_step_scale(&StepScaleRequest { files: read(files)?, align, mode })
            }
            Self::TimeOffset(args) => measure_time_offset(&TimeOffsetRequest {
                files: read(args.files)?,
                signal: args.signal,
                step_s: args.step_s,
                guess_s: args.guess_s,
                search_s: args.search_s,
                overlap_s_min: args.overlap_s_min,
                correlation_min: args.correlation_min,
                margin: args.margin,
            }),
            Self::LoopClosure(LoopClosureArgs { estimate, format }) => {
                let estimate = source::read_input(estimate)?;
                measure_loop_closure(&LoopClosureRequest { estimate, format })
            }
        }
    }
}

fn reference_error(args: ReferenceErrorArgs) -> Result<Measured, Error> {
    let ReferenceErrorArgs { trajectories, format, align, association, .. } = args;
    let (time_difference_s_max, gap_s_max) = (args.time_difference_s_max, args.gap_s_max);
    let trajectories =
        trajectories.into_iter().map(source::read_input).collect::<Result<_, _>>()?;
    let pairing = PairingWords { format, association, time_difference_s_max, gap_s_max };
    measure_reference_error(&ReferenceErrorRequest { trajectories, pairing, align })
}

fn relative(args: RelativeArgs) -> Result<TrajectoryMeasureRequest, Error> {
    let RelativeArgs { absolute: files, delta, delta_unit, all_pairs, pairs_from } = args;
    absolute(files, Some(RelativeWords { delta, delta_unit, all_pairs, pairs_from }))
}

fn absolute(
    args: AbsoluteArgs,
    relative: Option<RelativeWords>,
) -> Result<TrajectoryMeasureRequest, Error> {
    let AbsoluteArgs { files, align, align_first, relation } = args;
    let files = read(files)?;
    Ok(TrajectoryMeasureRequest { files, align, align_first, relation, relative })
}

fn read(args: FilesArgs) -> Result<TrajectoryFiles, Error> {
    let FilesArgs { reference, estimate, format, association, time_difference_s_max, gap_s_max } =
        args;
    Ok(TrajectoryFiles {
        reference: source::read_input(reference)?,
        estimate: source::read_input(estimate)?,
        pairing: PairingWords { format, association, time_difference_s_max, gap_s_max },
    })
}
