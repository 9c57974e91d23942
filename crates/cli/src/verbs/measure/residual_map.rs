//! `measure geom.residual`: where a cloud lies off another one, or off a plane.

use std::path::PathBuf;

use tiepoint_operations::{
    Error, Measured, ResidualAgainst, ResidualMapRequest, measure_residual_map,
};

use crate::source;

/// A residual map.
#[derive(clap::Args)]
pub(crate) struct ResidualMapArgs {
    /// The cloud whose points have residuals: PLY or PCD.
    #[arg(value_name = "POINTS")]
    points: PathBuf,
    /// The cloud they are held against: PLY or PCD; distances to its nearest points.
    #[arg(value_name = "REFERENCE", required_unless_present = "plane", conflicts_with = "plane")]
    reference: Option<PathBuf>,
    /// The plane a x + b y + c z + d = 0 instead; distances are positive on the side of its normal.
    #[arg(long, value_name = "A,B,C,D", value_parser = four, allow_hyphen_values = true)]
    plane: Option<[f64; 4]>,
    /// Edges of a cell, metres; inf for an axis that is not divided.
    #[arg(long, value_name = "X,Y,Z", default_value = "1,1,inf", value_parser = three)]
    cell_m: [f64; 3],
    /// A corner of a cell, metres.
    #[arg(long, value_name = "X,Y,Z", default_value = "0,0,0", value_parser = three)]
    #[arg(allow_hyphen_values = true)]
    origin_m: [f64; 3],
    /// Write every point with its residual: a file that does not exist yet, .csv or .ply.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave out points with a missing coordinate, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

fn numbers<const COUNT: usize>(text: &str) -> Result<[f64; COUNT], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.map_err(|error| format!("{error}: give {COUNT} numbers with commas"))?;
    numbers.try_into().map_err(|_| format!("give {COUNT} numbers with commas"))
}

fn three(text: &str) -> Result<[f64; 3], String> {
    numbers(text)
}

fn four(text: &str) -> Result<[f64; 4], String> {
    numbers(text)
}

pub(super) fn measure(args: ResidualMapArgs) -> Result<Measured, Error> {
    let against = match (args.reference, args.plane) {
        (Some(reference), _) => ResidualAgainst::Cloud(source::read_input(reference)?),
        // The parser asks for one of both.
        (None, plane) => ResidualAgainst::Plane(plane.unwrap_or_default()),
    };
    let form = args.out.as_ref().map(|path| {
        let ending = path.extension().unwrap_or_default();
        ending.to_string_lossy().to_ascii_lowercase()
    });
    let (mut measured, text) = measure_residual_map(&ResidualMapRequest {
        points: source::read_input(args.points)?,
        against,
        drop_missing: args.drop_missing,
        origin_m: args.origin_m,
        cell_m: args.cell_m,
        file: form,
    })?;
    if let (Some(path), Some(text)) = (args.out, text) {
        let mut file = source::Unfinished::create(&path)?;
        let written = file.writer().write_all(text.as_bytes());
        written.map_err(|source| Error::File { path: path.clone(), source })?;
        file.sync()?;
        file.finish()?;
        measured.notes.push(format!("every residual is in `{}`", path.display()));
    }
    Ok(measured)
}
