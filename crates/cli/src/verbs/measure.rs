//! `measure`: one metric on files, without a lake. One file per family of metrics.

mod calibration;
mod camera;
mod distribution;
mod geometry;
mod residual_map;
mod sensor;
mod series;
mod statistic;
mod trajectory;

use tiepoint_operations::{Answer, Error, Measured};

use crate::{exit::Exit, output::Output};

/// Apply one metric to files.
///
/// Exit status 3: no value on these files, or insufficient evidence, and the reason is shown.
/// Exit status 1: a test shows the contrary.
#[derive(clap::Subcommand)]
pub(crate) enum MeasureCommand {
    #[command(flatten)]
    Trajectory(trajectory::TrajectoryCommand),
    #[command(flatten)]
    Distribution(distribution::DistributionCommand),
    #[command(flatten)]
    Sensor(sensor::SensorCommand),
    #[command(flatten)]
    Camera(camera::CameraCommand),
    #[command(flatten)]
    Calibration(calibration::CalibrationCommand),
    #[command(flatten)]
    Geometry(geometry::GeometryCommand),
    #[command(flatten)]
    Series(series::SeriesCommand),
    #[command(flatten)]
    Statistic(statistic::StatisticCommand),
    /// The metrics that exist: id, unit, subcommand, conventions, what it is, source.
    List,
}

pub(crate) fn run(command: MeasureCommand, output: &mut Output) -> Result<Exit, Error> {
    let measured = match command {
        MeasureCommand::List => return Ok(list(output)),
        MeasureCommand::Trajectory(command) => command.measure()?,
        MeasureCommand::Distribution(command) => command.measure()?,
        MeasureCommand::Sensor(command) => command.measure()?,
        MeasureCommand::Camera(command) => command.measure()?,
        MeasureCommand::Calibration(command) => command.measure()?,
        MeasureCommand::Geometry(command) => command.measure()?,
        MeasureCommand::Series(command) => command.measure()?,
        MeasureCommand::Statistic(command) => command.measure()?,
    };
    if output.is_json() {
        output.json(&measured.to_json());
    } else {
        show(&measured, output);
    }
    Ok(match measured.answer {
        _ if !measured.is_defined => Exit::Incomplete,
        Some(Answer::InsufficientEvidence) => Exit::Incomplete,
        Some(Answer::No) => Exit::No,
        Some(Answer::Yes) | None => Exit::Yes,
    })
}

fn show(measured: &Measured, output: &mut Output) {
    output.line(&measured.metric);
    if !measured.values.is_empty() {
        let row = |value: &tiepoint_operations::MeasuredValue| {
            let identity = value.metric.clone().unwrap_or_default();
            vec![value.name.clone(), value.text(), identity]
        };
        let rows: Vec<Vec<String>> = measured.values.iter().map(row).collect();
        output.table(&["value", "is", ""], &rows);
    }
    for table in &measured.tables {
        output.line("");
        output.line(&table.name);
        output.table(&table.header(), &table.cells());
    }
    for note in &measured.notes {
        output.line(note);
    }
}

fn list(output: &mut Output) -> Exit {
    let metrics = tiepoint_operations::metrics();
    if output.is_json() {
        output.json(&serde_json::json!({ "metrics": metrics }));
    } else {
        let rows: Vec<Vec<String>> = metrics.iter().map(|m| m.row()).collect();
        output.table(
            &["metric", "unit", "measure ...", "conventions", "what it is", "source"],
            &rows,
        );
        output.line("(verb): that verb gives it, of recordings; `-`: only the library does");
    }
    Exit::Yes
}
