//! `measure geom.*`: two clouds of points in PLY or PCD files.

use std::path::PathBuf;

use tiepoint_operations::{
    Error, GeometryMeasure, GeometryRequest, Measured, SurfaceChangeRequest, measure_geometry,
};

use super::residual_map;
use crate::source;

/// Metrics of two clouds.
#[derive(clap::Subcommand)]
pub(crate) enum GeometryCommand {
    /// Chamfer distance in a named form; the named forms are all listed.
    ///
    /// Example: tiepoint measure geom.chamfer real.ply twin.ply --form pytorch3d
    #[command(name = "geom.chamfer")]
    Chamfer(ChamferArgs),
    /// Density-aware Chamfer distance, in 0 to 1.
    ///
    /// Example: tiepoint measure geom.chamfer.density_aware real.ply twin.ply --alpha 1000
    #[command(name = "geom.chamfer.density_aware", alias = "geom.density_aware_chamfer")]
    DensityAware(DensityAwareArgs),
    /// Hausdorff distance, or the quantile in place of the largest distance.
    ///
    /// Example: tiepoint measure geom.hausdorff real.ply twin.ply --quantile 0.95
    #[command(name = "geom.hausdorff")]
    Hausdorff(HausdorffArgs),
    /// Precision, recall and F-score of the second cloud against the first, within a distance.
    ///
    /// Example: tiepoint measure geom.f_score reference.ply estimate.ply --tau-m 0.05
    #[command(name = "geom.f_score", aliases = ["geom.precision", "geom.recall"])]
    FScore(FScoreArgs),
    /// M3C2: change of a surface along its local normal, second epoch less first.
    ///
    /// Example: tiepoint measure geom.m3c2 may.ply june.ply --normal-radii-m 0.5 --cylinder-radius-m 0.25 --distance-m-max 1
    #[command(name = "geom.m3c2")]
    SurfaceChange(SurfaceChangeArgs),
    /// Residual map: where a cloud lies off another one or off a plane, cell by cell.
    ///
    /// Example: tiepoint measure geom.residual twin.ply real.ply --cell-m 0.5,0.5,inf --out residuals.ply
    #[command(name = "geom.residual", aliases = ["geom.residual.mean", "geom.residual.rms"])]
    ResidualMap(residual_map::ResidualMapArgs),
}

/// Two clouds.
#[derive(clap::Args)]
pub(crate) struct CloudArgs {
    /// The first cloud, the reference, the first epoch: PLY or PCD.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second cloud, the estimate, the second epoch: PLY or PCD.
    #[arg(value_name = "B")]
    second: PathBuf,
    /// Leave out points with a missing coordinate, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// Chamfer.
#[derive(clap::Args)]
pub(crate) struct ChamferArgs {
    #[command(flatten)]
    clouds: CloudArgs,
    /// open3d (sum of both mean distances), mean-distance (half of that), pytorch3d (sum of both mean
    /// squares), fan2017 (sum of all squares), or a pair such as root_mean_square/max.
    #[arg(long, default_value = "open3d")]
    form: String,
}

/// Density-aware Chamfer.
#[derive(clap::Args)]
pub(crate) struct DensityAwareArgs {
    #[command(flatten)]
    clouds: CloudArgs,
    /// Steepness, one over metres: 1000 is the paper's for clouds of unit size.
    #[arg(long, default_value_t = 1000.0)]
    alpha: f64,
    /// corrected (the paper) or compat (the authors' program).
    #[arg(long, default_value = "corrected")]
    mode: String,
}

/// Hausdorff.
#[derive(clap::Args)]
pub(crate) struct HausdorffArgs {
    #[command(flatten)]
    clouds: CloudArgs,
    /// The quantile in place of the largest distance, such as 0.95.
    #[arg(long, value_name = "PROBABILITY")]
    quantile: Option<f64>,
    /// Over both directions: max, mean, sum, first_to_second, second_to_first, or pooled with a
    /// quantile.
    #[arg(long, default_value = "max")]
    combine: String,
}

/// F-score.
#[derive(clap::Args)]
pub(crate) struct FScoreArgs {
    #[command(flatten)]
    clouds: CloudArgs,
    /// Points nearer than this are the same, metres.
    #[arg(long, value_name = "METRES")]
    tau_m: f64,
}

/// M3C2.
#[derive(clap::Args)]
pub(crate) struct SurfaceChangeArgs {
    #[command(flatten)]
    clouds: CloudArgs,
    /// Where to look: PLY or PCD; without it every point of the first cloud.
    #[arg(long, value_name = "FILE")]
    core: Option<PathBuf>,
    /// Radii at which a normal is tried, metres, parted by commas; the most planar wins.
    #[arg(long, value_name = "METRES", value_delimiter = ',', required = true)]
    normal_radii_m: Vec<f64>,
    /// Radius of the cylinder, metres.
    #[arg(long, value_name = "METRES")]
    cylinder_radius_m: f64,
    /// Reach of the cylinder to both sides, metres.
    #[arg(long, value_name = "METRES")]
    distance_m_max: f64,
    /// Error of the registration of the epochs, metres.
    #[arg(long, default_value_t = 0.0, value_name = "METRES")]
    registration_error_m: f64,
    /// Normals look to the side of this vector.
    #[arg(long, default_value = "0,0,1", value_name = "X,Y,Z", allow_hyphen_values = true)]
    #[arg(value_parser = vector)]
    towards: [f64; 3],
    /// corrected (each scale its own normal) or compat (py4dgeo's).
    #[arg(long, default_value = "corrected")]
    mode: String,
    /// Least points of each epoch in a cylinder.
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    points_min: usize,
    /// List every core point.
    #[arg(long)]
    each: bool,
}

fn vector(text: &str) -> Result<[f64; 3], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.map_err(|error| format!("{error}: give three numbers, as 0,0,1"))?;
    numbers.try_into().map_err(|_| "give three numbers, as 0,0,1".to_owned())
}

impl GeometryCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        let (clouds, measure) = match self {
            Self::Chamfer(ChamferArgs { clouds, form }) => {
                (clouds, GeometryMeasure::Chamfer { form })
            }
            Self::DensityAware(DensityAwareArgs { clouds, alpha, mode }) => {
                (clouds, GeometryMeasure::DensityAware { alpha, mode })
            }
            Self::Hausdorff(HausdorffArgs { clouds, quantile, combine }) => {
                (clouds, GeometryMeasure::Hausdorff { quantile, combine })
            }
            Self::FScore(FScoreArgs { clouds, tau_m }) => {
                (clouds, GeometryMeasure::FScore { tau_m })
            }
            Self::SurfaceChange(args) => surface_change(args)?,
            Self::ResidualMap(args) => return residual_map::measure(args),
        };
        measure_geometry(&GeometryRequest {
            first: source::read_input(clouds.first)?,
            second: source::read_input(clouds.second)?,
            drop_missing: clouds.drop_missing,
            measure,
        })
    }
}

fn surface_change(args: SurfaceChangeArgs) -> Result<(CloudArgs, GeometryMeasure), Error> {
    let request = SurfaceChangeRequest {
        core: args.core.map(source::read_input).transpose()?,
        normal_radii_m: args.normal_radii_m,
        cylinder_radius_m: args.cylinder_radius_m,
        distance_m_max: args.distance_m_max,
        registration_error_m: args.registration_error_m,
        towards: args.towards,
        mode: args.mode,
        points_min: args.points_min,
        lists_points: args.each,
    };
    Ok((args.clouds, GeometryMeasure::SurfaceChange(request)))
}
