//! M3C2: signed change of a surface along its local normal, with the least change that is telling.
//!
//! Invariant: every point of a cylinder counts once; a core point without a normal or with too few
//! points has a reason instead of a number.
//! Metres; positive where the second epoch lies further along the normal.
//!
//! Cost: one radius search per core point and scale, and one box search per core point and epoch;
//! core points are shared by threads.
//!
//! Not here: registration of the epochs.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    dot,
    nearest::KdTree,
    normal::{Normal, NormalScales, normal_at},
    require_cloud, require_point,
};
use crate::{
    MeasureError, Metric, MetricId,
    statistics::{require_not_below_zero, require_positive},
};

/// Standard normal quantile at 97.5 %.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// Which text decides where the paper and the common program differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum M3c2Mode {
    /// Each scale has a normal of its own points; the level of detection takes the normal quantile.
    Corrected,
    /// As py4dgeo 1.2.0: the points of each radius are added to those of the radii before, so that
    /// near ones count repeatedly; 1.96 for the quantile.
    Py4dgeo,
}

impl M3c2Mode {
    /// The word in conventions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Py4dgeo => "compat:py4dgeo==1.2.0",
        }
    }

    fn detection_factor(self) -> f64 {
        match self {
            Self::Corrected => NORMAL_975,
            Self::Py4dgeo => 1.96,
        }
    }
}

/// The scales of M3C2 and what is known of the registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct M3c2Options {
    /// Radii at which a normal is tried; the most planar wins. Metres.
    pub normal_radii_m: Vec<f64>,
    /// Radius (not diameter) of the cylinder, metres.
    pub cylinder_radius_m: f64,
    /// The cylinder reaches this far to both sides of the core point, metres.
    pub distance_m_max: f64,
    /// Error of the registration of the epochs, metres.
    pub registration_error_m: f64,
    /// Normals look to the side of this vector.
    pub towards: [f64; 3],
    /// Paper or program.
    pub mode: M3c2Mode,
    /// Fewer points in either cylinder have no spread worth a level of detection; at least 2.
    pub points_min: usize,
}

impl M3c2Options {
    /// The metric with these scales: `GEOM_M3C2_DISTANCE` or `GEOM_M3C2_DETECTION_LEVEL`.
    #[must_use]
    pub fn metric(&self, id: MetricId) -> Metric {
        let list =
            |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<String>>().join(",");
        Metric::new(id)
            .with("mode", self.mode.name())
            .with("normal_radii_m", list(&self.normal_radii_m))
            .with("cylinder_radius_m", self.cylinder_radius_m)
            .with("distance_m_max", self.distance_m_max)
            .with("registration_error_m", self.registration_error_m)
            .with("towards", list(&self.towards))
            .with("points_min", self.points_min)
    }

    fn check(&self) -> Result<(), MeasureError> {
        if self.normal_radii_m.is_empty() {
            return Err(MeasureError::Empty { what: "normal radii" });
        }
        for &radius_m in &self.normal_radii_m {
            require_positive(radius_m, "normal radius")?;
        }
        require_positive(self.cylinder_radius_m, "cylinder_radius_m")?;
        require_positive(self.distance_m_max, "distance_m_max")?;
        require_not_below_zero(self.registration_error_m, "registration_error_m")?;
        require_point(&self.towards, "towards", 0)?;
        if self.points_min < 2 {
            let value = self.points_min as f64;
            let requirement = "at least 2";
            return Err(MeasureError::InvalidOption { name: "points_min", value, requirement });
        }
        Ok(())
    }
}

/// The points of one epoch in the cylinder of a core point, seen along the normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CylinderSummary {
    /// How many.
    pub count: usize,
    /// Mean of their places along the normal from the core point, metres.
    pub mean_m: f64,
    /// Their sample standard deviation (divides by n - 1), metres.
    pub spread_m: f64,
}

/// Change at one core point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurfaceChange {
    /// Second mean less first mean along the normal, metres.
    pub distance_m: f64,
    /// Least change that is telling at 95 %: `z (sqrt(s1^2/n1 + s2^2/n2) + registration)`, metres.
    pub detection_level_m: f64,
    /// Unit length.
    pub normal: [f64; 3],
    /// Scale of the normal, metres.
    pub normal_radius_m: f64,
    /// The first epoch.
    pub first: CylinderSummary,
    /// The second epoch.
    pub second: CylinderSummary,
}

impl SurfaceChange {
    /// True if the change exceeds its level of detection.
    #[must_use]
    pub fn is_detected(&self) -> bool {
        self.distance_m.abs() > self.detection_level_m
    }
}

/// Why a core point has no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoChange {
    /// No radius holds three points that fix a plane.
    #[error("no radius holds three points that fix a plane")]
    NoNormal,
    /// Too few points of an epoch in the cylinder.
    #[error("the cylinder holds {first_count} and {second_count} points")]
    TooFewPoints {
        /// In the first epoch.
        first_count: usize,
        /// In the second epoch.
        second_count: usize,
    },
}

/// M3C2 distances at core points.
///
/// Normals are of the first epoch; the cylinder holds the points at most its radius from the axis
/// and at most `distance_m_max` along it.
///
/// # Inputs
/// - `first_m`, `second_m`: the epochs, metres, one frame.
/// - `core_m`: where to measure.
///
/// # Output
/// For each core point a change or why there is none.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::TooLarge`],
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `m3c2_of_an_epoch_with_itself_is_zero`, `m3c2_sees_a_shift_along_the_normal`,
/// `m3c2_changes_sign_with_the_normal`.
///
/// # Source
/// Lague, Brodu and Leroux, ISPRS Journal 82, 2013. py4dgeo 1.2.0 cuts the cylinder into slabs that
/// exclude their ends; where the slab count is even a core point that belongs to the cloud lies on
/// such an end and counts never, once or twice as rounding has it. Here it counts once in both
/// modes: that rounding is not reproduced.
pub fn m3c2(
    first_m: &[[f64; 3]],
    second_m: &[[f64; 3]],
    core_m: &[[f64; 3]],
    options: &M3c2Options,
) -> Result<Vec<Result<SurfaceChange, NoChange>>, MeasureError> {
    options.check()?;
    require_cloud(core_m, "core points")?;
    let (first, second) =
        (KdTree::new(first_m, "first epoch")?, KdTree::new(second_m, "second epoch")?);
    core_m
        .par_iter()
        .map(|centre| {
            let scales = NormalScales {
                radii_m: &options.normal_radii_m,
                towards: &options.towards,
                is_accumulated: options.mode == M3c2Mode::Py4dgeo,
            };
            let Some(normal) = normal_at((&first, first_m), centre, &scales)? else {
                return Ok(Err(NoChange::NoNormal));
            };
            let epochs = [(&first, first_m), (&second, second_m)];
            Ok(change_at(epochs.map(|epoch| cylinder(epoch, centre, &normal, options)), options)
                .map(|(distance_m, detection_level_m, [first, second])| SurfaceChange {
                    distance_m,
                    detection_level_m,
                    normal: normal.direction,
                    normal_radius_m: normal.radius_m,
                    first,
                    second,
                }))
        })
        .collect()
}

/// Distance, level of detection and both cylinders.
fn change_at(
    places_m: [Vec<f64>; 2],
    options: &M3c2Options,
) -> Result<(f64, f64, [CylinderSummary; 2]), NoChange> {
    let [first_count, second_count] = [places_m[0].len(), places_m[1].len()];
    if first_count.min(second_count) < options.points_min {
        return Err(NoChange::TooFewPoints { first_count, second_count });
    }
    let [first, second] = places_m.map(|places_m| summary(&places_m));
    let share = |s: &CylinderSummary| s.spread_m * s.spread_m / s.count as f64;
    let error_m = (share(&first) + share(&second)).sqrt() + options.registration_error_m;
    let level_m = options.mode.detection_factor() * error_m;
    Ok((second.mean_m - first.mean_m, level_m, [first, second]))
}

fn summary(places_m: &[f64]) -> CylinderSummary {
    let count = places_m.len();
    let mean_m = places_m.iter().sum::<f64>() / count as f64;
    let squares: f64 = places_m.iter().map(|place| (place - mean_m) * (place - mean_m)).sum();
    CylinderSummary { count, mean_m, spread_m: (squares / (count - 1) as f64).sqrt() }
}

/// Places along the normal of an epoch's points in the cylinder, by ascending index.
fn cylinder(
    epoch: (&KdTree, &[[f64; 3]]),
    centre: &[f64; 3],
    normal: &Normal,
    options: &M3c2Options,
) -> Vec<f64> {
    let (tree, points_m) = epoch;
    let (radius_m, reach_m) = (options.cylinder_radius_m, options.distance_m_max);
    // The cylinder's own upright box, a hair larger for rounding; the exact test follows.
    let half: [f64; 3] = normal.direction.map(|cosine| {
        let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
        (reach_m * cosine.abs() + radius_m * sine) * (1.0 + 1e-9)
    });
    let slack = |axis: usize| half[axis] + centre[axis].abs() * 1e-12;
    let low = std::array::from_fn(|axis| centre[axis] - slack(axis));
    let high = std::array::from_fn(|axis| centre[axis] + slack(axis));
    tree.within_box(&low, &high)
        .into_iter()
        .filter_map(|index| {
            let offset: [f64; 3] = std::array::from_fn(|axis| points_m[index][axis] - centre[axis]);
            let along_m = dot(&offset, &normal.direction);
            let across: [f64; 3] =
                std::array::from_fn(|axis| offset[axis] - along_m * normal.direction[axis]);
            let is_inside =
                along_m.abs() <= reach_m && dot(&across, &across) <= radius_m * radius_m;
            is_inside.then_some(along_m)
        })
        .collect()
}
