//! `measure`: one metric on files, without a lake. One file per family of metrics.

mod distribution;
mod geometry;
mod sensor;
mod series;
mod trajectory;

use tiepoint_operations::{Error, Measured};

use crate::{exit::Exit, output::Output};

/// Apply one metric to files.
///
/// Exit status 3: the metric has no value on these files, and the reason is shown.
#[derive(clap::Subcommand)]
pub(crate) enum MeasureCommand {
    #[command(flatten)]
    Trajectory(trajectory::TrajectoryCommand),
    #[command(flatten)]
    Distribution(distribution::DistributionCommand),
    #[command(flatten)]
    Sensor(sensor::SensorCommand),
    #[command(flatten)]
    Geometry(geometry::GeometryCommand),
    #[command(flatten)]
    Series(series::SeriesCommand),
    /// The metrics that exist: id, unit, subcommand, conventions, what it is, source.
    List,
}

pub(crate) fn run(command: MeasureCommand, output: &mut Output) -> Result<Exit, Error> {
    let measured = match command {
        MeasureCommand::List => return Ok(list(output)),
        MeasureCommand::Trajectory(command) => command.measure()?,
        MeasureCommand::Distribution(command) => command.measure()?,
        MeasureCommand::Sensor(command) => command.measure()?,
        MeasureCommand::Geometry(command) => command.measure()?,
        MeasureCommand::Series(command) => command.measure()?,
    };
    if output.is_json() {
        output.json(&measured.to_json());
    } else {
        show(&measured, output);
    }
    Ok(if measured.is_defined { Exit::Yes } else { Exit::Incomplete })
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
        output.line("`-`: only the library gives it");
    }
    Exit::Yes
}
