//! `measure`: one metric on files, without a lake. One file per family of metrics.

mod trajectory;

use tiepoint_operations::Error;

use crate::{exit::Exit, output::Output};

/// Apply one metric to files.
#[derive(clap::Subcommand)]
pub(crate) enum MeasureCommand {
    /// Absolute pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.ape --reference gt.txt --estimate slam.txt --format tum --align se3
    #[command(name = "traj.ape")]
    AbsolutePoseError(trajectory::TrajectoryArgs),
    /// Relative pose error of a trajectory, by the conventions of evo.
    ///
    /// Example: tiepoint measure traj.rpe --reference gt.txt --estimate slam.txt --format kitti --delta 100 --delta-unit m
    #[command(name = "traj.rpe")]
    RelativePoseError(trajectory::RelativeArgs),
    /// The metrics that exist: id, unit, what it is, source.
    List,
}

pub(crate) fn run(command: MeasureCommand, output: &mut Output) -> Result<Exit, Error> {
    let measured = match command {
        MeasureCommand::List => return Ok(list(output)),
        MeasureCommand::AbsolutePoseError(args) => args.measure()?,
        MeasureCommand::RelativePoseError(args) => args.measure()?,
    };
    if output.is_json() {
        output.json(&measured.to_json());
    } else {
        output.line(&measured.metric);
        let rows: Vec<Vec<String>> =
            measured.values.iter().map(|value| vec![value.name.clone(), value.text()]).collect();
        output.table(&["value", "is"], &rows);
        for note in &measured.notes {
            output.line(note);
        }
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
