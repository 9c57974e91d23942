//! `measure`: one metric on files, without a lake.

use std::path::PathBuf;

use tiepoint_operations::{Error, TrajectoryMeasureRequest};

use crate::{exit::Exit, output::Output, source};

/// Apply one metric to files.
#[derive(clap::Subcommand)]
pub(crate) enum MeasureCommand {
    /// Absolute pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.ape --reference gt.txt --estimate slam.txt --format tum --align se3
    #[command(name = "traj.ape")]
    AbsolutePoseError(TrajectoryArgs),
    /// Relative pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.rpe --reference gt.txt --estimate slam.txt --format kitti --delta 100 --delta-unit m
    #[command(name = "traj.rpe")]
    RelativePoseError(RelativeArgs),
    /// The metrics that exist: id, unit, what it is, source.
    List,
}

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

pub(crate) fn run(command: MeasureCommand, output: &mut Output) -> Result<Exit, Error> {
    let request = match command {
        MeasureCommand::List => return Ok(list(output)),
        MeasureCommand::AbsolutePoseError(args) => request(args, None)?,
        MeasureCommand::RelativePoseError(args) => {
            let relative = (args.delta, args.delta_unit, args.all_pairs);
            request(args.trajectories, Some(relative))?
        }
    };
    let measured = tiepoint_operations::measure_trajectory(&request)?;
    if output.is_json() {
        output.json(&measured.to_json());
    } else {
        output.line(&measured.metric);
        let rows: Vec<Vec<String>> =
            measured.rows().into_iter().map(|(name, value)| vec![name, value]).collect();
        output.table(&["statistic", "value"], &rows);
    }
    Ok(Exit::Yes)
}

fn list(output: &mut Output) -> Exit {
    let metrics = tiepoint_operations::metrics();
    if output.is_json() {
        output.json(&serde_json::json!({ "metrics": metrics }));
    } else {
        let rows: Vec<Vec<String>> = metrics.iter().map(|m| m.row()).collect();
        output.table(&["metric", "unit", "what it is", "source"], &rows);
    }
    Exit::Yes
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
