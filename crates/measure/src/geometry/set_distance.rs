//! Distances between two clouds as sets: Chamfer in its named forms, density-aware Chamfer,
//! Hausdorff.
//!
//! Invariant: a number carries its form; two papers' "Chamfer distance" differ by a factor of 40
//! and more on the same clouds.
//! Metres or square metres, as the form says.
//!
//! Cost: two k-d trees and one exact nearest neighbour for each point of both clouds,
//! `O(n log n)`; memory `O(n)`.
//!
//! Not here: precision and recall (see [`super::detection`]) and signed change along a normal (see
//! [`super::surface_change`]).

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::nearest::{KdTree, Neighbour};
use crate::{
    MeasureError, Metric, registry,
    statistics::{quantile_of_sorted, require_positive},
};

/// Both clouds with each point's nearest neighbour in the other: found once, used by every form.
#[derive(Clone, Debug)]
pub struct CloudPair {
    first_to_second: Vec<Neighbour>,
    second_to_first: Vec<Neighbour>,
}

impl CloudPair {
    /// The nearest neighbours of two clouds in each other, metres, in the same frame.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::TooLarge`].
    ///
    /// # Invariants
    /// `nearest_neighbours_are_those_of_comparing_with_all`,
    /// `neighbours_are_the_same_on_any_number_of_threads`.
    pub fn new(first_m: &[[f64; 3]], second_m: &[[f64; 3]]) -> Result<Self, MeasureError> {
        let (first, second) =
            rayon::join(|| KdTree::new(first_m, "first"), || KdTree::new(second_m, "second"));
        let (first, second) = (first?, second?);
        Ok(Self {
            first_to_second: second.nearest_of_each(&first),
            second_to_first: first.nearest_of_each(&second),
        })
    }

    /// The nearest point of the second cloud to each point of the first.
    #[must_use]
    pub fn first_to_second(&self) -> &[Neighbour] {
        &self.first_to_second
    }

    /// The nearest point of the first cloud to each point of the second.
    #[must_use]
    pub fn second_to_first(&self) -> &[Neighbour] {
        &self.second_to_first
    }
}

/// What one direction of a Chamfer distance says about its nearest-neighbour distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directed {
    /// Mean distance, metres.
    MeanDistance,
    /// Mean squared distance, square metres.
    MeanSquare,
    /// Sum of distances, metres.
    SumDistance,
    /// Sum of squared distances, square metres.
    SumSquare,
    /// Root of the mean squared distance, metres.
    RootMeanSquare,
}

impl Directed {
    /// The word in conventions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanDistance => "mean_distance",
            Self::MeanSquare => "mean_square",
            Self::SumDistance => "sum_distance",
            Self::SumSquare => "sum_square",
            Self::RootMeanSquare => "root_mean_square",
        }
    }

    fn value(self, neighbours: &[Neighbour]) -> f64 {
        let distance_sum = || neighbours.iter().map(|n| n.distance_m()).sum::<f64>();
        let square_sum = || neighbours.iter().map(|n| n.square_m2).sum::<f64>();
        let count = neighbours.len() as f64;
        match self {
            Self::MeanDistance => distance_sum() / count,
            Self::MeanSquare => square_sum() / count,
            Self::SumDistance => distance_sum(),
            Self::SumSquare => square_sum(),
            Self::RootMeanSquare => (square_sum() / count).sqrt(),
        }
    }
}

/// How the two directions of a distance become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Their sum.
    Sum,
    /// Half their sum.
    Mean,
    /// The larger.
    Max,
    /// From each point of the first cloud only.
    FirstToSecond,
    /// From each point of the second cloud only.
    SecondToFirst,
}

impl Combine {
    /// The word in conventions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::FirstToSecond => "first_to_second",
            Self::SecondToFirst => "second_to_first",
        }
    }

    fn of(self, first_to_second: f64, second_to_first: f64) -> f64 {
        match self {
            Self::Sum => first_to_second + second_to_first,
            Self::Mean => 0.5 * (first_to_second + second_to_first),
            Self::Max => first_to_second.max(second_to_first),
            Self::FirstToSecond => first_to_second,
            Self::SecondToFirst => second_to_first,
        }
    }
}

/// A named form of the Chamfer distance: what a direction says, and how both become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChamferForm {
    /// Of one direction.
    pub directed: Directed,
    /// Of both.
    pub combine: Combine,
}

impl ChamferForm {
    /// Sum of both mean distances, metres: Open3D 0.20.0, in f64 (Open3D computes in f32).
    pub const OPEN3D: Self = Self { directed: Directed::MeanDistance, combine: Combine::Sum };
    /// Half of that, metres: "L1 Chamfer" of many papers.
    pub const MEAN_DISTANCE: Self =
        Self { directed: Directed::MeanDistance, combine: Combine::Mean };
    /// Sum of both mean squared distances, square metres: PyTorch3D's default.
    pub const PYTORCH3D: Self = Self { directed: Directed::MeanSquare, combine: Combine::Sum };
    /// Sum of both sums of squared distances, square metres: Fan et al. 2017, equation 1.
    pub const FAN_2017: Self = Self { directed: Directed::SumSquare, combine: Combine::Sum };

    /// The metric of this form.
    #[must_use]
    pub fn metric(self) -> Metric {
        let is_squared = matches!(self.directed, Directed::MeanSquare | Directed::SumSquare);
        let id = if is_squared { registry::GEOM_CHAMFER_SQUARED } else { registry::GEOM_CHAMFER };
        Metric::new(id).with("directed", self.directed.name()).with("combine", self.combine.name())
    }

    /// The unit of the value.
    #[must_use]
    pub fn unit(self) -> &'static str {
        registry::unit(self.metric().id())
    }
}

/// Chamfer distance of two clouds: the distances to nearest neighbours, summarised.
///
/// # Output
/// Metres or square metres ([`ChamferForm::unit`]), at least 0; 0 in a two-sided form if and only if
/// both clouds hold the same places (distances below 1e-162 m round to 0).
///
/// # Invariants
/// `chamfer_of_a_cloud_with_itself_is_zero`, `two_sided_forms_are_symmetric`,
/// `set_distances_are_unchanged_by_rigid_motion`, `set_distances_scale_with_length`.
///
/// # Source
/// Fan, Su and Guibas, *A point set generation network*, CVPR 2017; the forms differ by tool, see
/// [`ChamferForm`].
///
/// # Example
/// ```
/// use tiepoint_measure::geometry::{ChamferForm, CloudPair, chamfer};
/// let pair = CloudPair::new(&[[0.0, 0.0, 0.0]], &[[3.0, 4.0, 0.0]])?;
/// assert_eq!(chamfer(&pair, ChamferForm::OPEN3D), 10.0);
/// assert_eq!(chamfer(&pair, ChamferForm::PYTORCH3D), 50.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
#[must_use]
pub fn chamfer(pair: &CloudPair, form: ChamferForm) -> f64 {
    form.combine
        .of(form.directed.value(&pair.first_to_second), form.directed.value(&pair.second_to_first))
}

/// Which text defines the density-aware Chamfer distance: the paper and its program differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DensityAwareForm {
    /// The paper: `exp(-alpha d)` over `n`, with `d` the distance.
    Paper,
    /// The authors' program at commit 6f7f3e5 (`calc_dcd`, `non_reg` false): `exp(-alpha d^2)` over
    /// `n + 1e-6`, times the ratio of the clouds' sizes; may be below zero for clouds of different
    /// sizes.
    Program,
}

impl DensityAwareForm {
    /// The word in conventions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "corrected",
            Self::Program => "compat:density_aware_chamfer_distance==6f7f3e5",
        }
    }

    /// The metric of this form.
    #[must_use]
    pub fn metric(self, alpha: f64) -> Metric {
        let id = registry::GEOM_CHAMFER_DENSITY_AWARE;
        Metric::new(id).with("mode", self.name()).with("alpha", alpha)
    }
}

/// Chamfer distance that is bounded and counts how many points share a nearest neighbour.
///
/// `1/2 (mean over first of (1 - exp(-alpha d) / n) + the same over second)`, with `n` how many
/// points have the same nearest neighbour.
///
/// # Inputs
/// - `alpha`: how fast distance stops mattering, 1/m ([`DensityAwareForm::Paper`]) or 1/m^2
///   ([`DensityAwareForm::Program`]); the authors take 1000 for clouds in a unit cube.
///
/// # Output
/// Without unit, in `[0, 1]` for the paper's form; 0 if both clouds hold the same places once each.
///
/// # Errors
/// [`MeasureError::InvalidOption`] unless `alpha` is above zero.
///
/// # Invariants
/// `density_aware_chamfer_is_bounded_and_symmetric`, `set_distances_are_unchanged_by_rigid_motion`.
///
/// # Source
/// Wu et al., *Density-aware Chamfer distance as a comprehensive metric for point cloud
/// completion*, NeurIPS 2021, equation 4.
pub fn density_aware_chamfer(
    pair: &CloudPair,
    alpha: f64,
    form: DensityAwareForm,
) -> Result<f64, MeasureError> {
    require_positive(alpha, "alpha")?;
    let (first, second) = (&pair.first_to_second, &pair.second_to_first);
    let one = |from: &[Neighbour], to_count: usize| {
        let mut uses = vec![0_u64; to_count];
        for neighbour in from {
            uses[neighbour.index] += 1;
        }
        let size_ratio = from.len() as f64 / to_count as f64;
        let sum: f64 = from
            .iter()
            .map(|neighbour| {
                let shared = uses[neighbour.index] as f64;
                match form {
                    DensityAwareForm::Paper => {
                        1.0 - math::exp(-alpha * neighbour.distance_m()) / shared
                    }
                    DensityAwareForm::Program => {
                        1.0 - math::exp(-alpha * neighbour.square_m2) * size_ratio / (shared + 1e-6)
                    }
                }
            })
            .sum();
        sum / from.len() as f64
    };
    Ok(0.5 * (one(first, second.len()) + one(second, first.len())))
}

/// Which distance of the nearest-neighbour distances, and of which direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum HausdorffForm {
    /// The largest, combined over directions; [`Combine::Max`] is the Hausdorff distance.
    Largest(Combine),
    /// The quantile at a probability of each direction, combined.
    Quantile {
        /// In `[0, 1]`; 0.95 is the usual one.
        probability: f64,
        /// Over directions.
        combine: Combine,
    },
    /// The quantile of the distances of both directions together.
    PooledQuantile {
        /// In `[0, 1]`.
        probability: f64,
    },
}

impl HausdorffForm {
    /// The metric of this form.
    #[must_use]
    pub fn metric(self) -> Metric {
        let metric = Metric::new(registry::GEOM_HAUSDORFF);
        match self {
            Self::Largest(combine) => metric.with("combine", combine.name()),
            Self::Quantile { probability, combine } => {
                metric.with("combine", combine.name()).with("quantile", probability)
            }
            Self::PooledQuantile { probability } => {
                metric.with("combine", "pooled").with("quantile", probability)
            }
        }
    }
}

/// Hausdorff distance: how far the worst point lies, or the point at a quantile.
///
/// # Output
/// Metres, at least 0; the symmetric one is 0 if and only if both clouds hold the same places.
/// Quantiles are linear between order statistics (NumPy's default).
///
/// # Errors
/// [`MeasureError::InvalidOption`] for a probability outside `[0, 1]`.
///
/// # Invariants
/// `hausdorff_bounds_its_quantiles_and_the_mean`, `set_distances_are_unchanged_by_rigid_motion`,
/// `set_distances_scale_with_length`.
///
/// # Source
/// Hausdorff 1914; `scipy.spatial.distance.directed_hausdorff`. The quantile replaces the largest in
/// Huttenlocher et al., *Comparing images using the Hausdorff distance*, 1993.
pub fn hausdorff(pair: &CloudPair, form: HausdorffForm) -> Result<f64, MeasureError> {
    let sorted = |neighbours: &[Neighbour]| {
        let mut squares: Vec<f64> = neighbours.iter().map(|n| n.square_m2.sqrt()).collect();
        squares.sort_unstable_by(f64::total_cmp);
        squares
    };
    let quantile = |values: &[f64], probability: f64| {
        quantile_of_sorted(values, probability).ok_or(MeasureError::InvalidOption {
            name: "probability",
            value: probability,
            requirement: "in [0, 1]",
        })
    };
    let (first, second) = (sorted(&pair.first_to_second), sorted(&pair.second_to_first));
    match form {
        HausdorffForm::Largest(combine) => {
            Ok(combine.of(quantile(&first, 1.0)?, quantile(&second, 1.0)?))
        }
        HausdorffForm::Quantile { probability, combine } => {
            Ok(combine.of(quantile(&first, probability)?, quantile(&second, probability)?))
        }
        HausdorffForm::PooledQuantile { probability } => {
            let mut all = [first, second].concat();
            all.sort_unstable_by(f64::total_cmp);
            quantile(&all, probability)
        }
    }
}
