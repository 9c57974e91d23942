//! The classifier two-sample test: can a learner tell the samples apart on points it has not seen?
//!
//! Invariant: every score is of a point that the learner was not fitted on; the p value comes from
//! permuted labels, the whole fit repeated, and never from comparing accuracy with one half.
//! No units: accuracy and area under the ROC curve are in `[0, 1]`.
//! Cost: `O(F N d²)` for each of B + 1 fits of F folds (logistic), or `O(N² d + B N k)` (nearest
//! neighbours).
//!
//! Not here: what the classifier used. Two samples that differ in something that does not matter to
//! the claim (file noise, exposure) are told apart as well.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tiepoint_model::Seed;

use super::{
    logistic::Logistic,
    pairs::draw,
    permutation::{PermutationTest, Permutations},
    ranks::mid_ranks,
    rows::{Rows, pooled},
    screen::{clouds, nearest_others},
};
use crate::{MeasureError, Metric, registry, statistics::require_positive};

/// What learns to tell the samples apart. Both are deterministic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learner {
    /// Logistic regression, minimising `½ |w|² + C Σ log loss`, fitted on all folds but one.
    Logistic {
        /// C; scikit-learn's default is 1. Columns are not scaled.
        inverse_penalty: f64,
        /// Folds, at least 2; 5 is usual. Each holds its share of both samples.
        fold_count: usize,
    },
    /// The share of the k nearest other points that are of the second sample.
    NearestNeighbours {
        /// An odd number.
        k: usize,
    },
}

impl Learner {
    /// The metric with this learner.
    #[must_use]
    pub fn metric(self, statistic: ClassifierStatistic) -> Metric {
        let metric = Metric::new(match statistic {
            ClassifierStatistic::Accuracy => registry::DIST_C2ST_ACCURACY,
            ClassifierStatistic::AreaUnderCurve => registry::DIST_C2ST_AUC,
        });
        match self {
            Self::Logistic { inverse_penalty, fold_count } => metric
                .with("learner", "logistic")
                .with("c", inverse_penalty)
                .with("folds", fold_count),
            Self::NearestNeighbours { k } => {
                metric.with("learner", "nearest").with("k", k).with("folds", "each point")
            }
        }
    }
}

/// What the p value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierStatistic {
    /// Share of points put into their own sample.
    Accuracy,
    /// Chance that a point of the second sample scores above one of the first, ties half.
    AreaUnderCurve,
}

/// How well a learner tells two samples apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierScores {
    /// Share of points put into their own sample.
    pub accuracy: f64,
    /// Area under the ROC curve of all out-of-fold scores together.
    pub area_under_curve: f64,
    /// What always answering with the larger sample would reach.
    pub majority_rate: f64,
}

/// A classifier two-sample test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierTest {
    /// The observed scores; compare accuracy with the majority rate, not with one half.
    pub scores: ClassifierScores,
    /// The permutation test of the chosen statistic.
    pub test: PermutationTest,
}

/// The scores of a learner on points it was not fitted on, without a p value.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`] (rows than folds or neighbours),
/// [`MeasureError::InvalidOption`], [`MeasureError::NotFinite`] (a fit that does not converge).
///
/// # Source
/// Lopez-Paz and Oquab, *Revisiting classifier two-sample tests*, 2017.
pub fn classifier_scores(
    left: Rows,
    right: Rows,
    learner: Learner,
    seed: Seed,
) -> Result<ClassifierScores, MeasureError> {
    Bench::of(left, right, learner, seed, &pooled(left, right))?.observed()
}

/// The scores of logistic regression with given folds: to repeat another tool's.
///
/// # Inputs
/// - `fold_of`: the fold of each point, the left sample first; folds are counted from 0 without
///   gaps, at least 2.
///
/// # Errors
/// Those of [`classifier_scores`]; [`MeasureError::InvalidOption`] for folds that leave a training
/// set with one sample only.
pub fn classifier_scores_with_folds(
    left: Rows,
    right: Rows,
    inverse_penalty: f64,
    fold_of: &[usize],
) -> Result<ClassifierScores, MeasureError> {
    let fold_count = fold_of.iter().max().map_or(0, |last| last + 1);
    let learner = Learner::Logistic { inverse_penalty, fold_count };
    let values = pooled(left, right);
    let bench = Bench::of(left, right, learner, Seed(0), &values)?;
    if fold_of.len() != bench.count() {
        return Err(MeasureError::LengthMismatch {
            left: "folds",
            left_count: fold_of.len(),
            right: "points",
            right_count: bench.count(),
        });
    }
    let is_second = bench.observed_labels();
    let scores = bench.logistic_scores(&is_second, inverse_penalty, fold_of)?;
    Ok(bench.summary(&scores, &is_second))
}

/// The classifier two-sample test.
///
/// # Inputs
/// - `left`, `right`: points with the same columns; at least as many rows each as folds, or more
///   points in all than neighbours.
/// - `permutations`: its seed also deals the folds.
///
/// # Errors
/// Those of [`classifier_scores`].
///
/// # Invariants
/// `permutation_tests_keep_their_level`, `a_classifier_tells_far_samples_apart`,
/// `results_do_not_depend_on_the_number_of_threads`.
pub fn classifier_test(
    left: Rows,
    right: Rows,
    learner: Learner,
    statistic: ClassifierStatistic,
    permutations: &Permutations,
) -> Result<ClassifierTest, MeasureError> {
    permutations.check()?;
    let values = pooled(left, right);
    let bench = Bench::of(left, right, learner, permutations.seed, &values)?;
    let pick = |scores: &ClassifierScores| match statistic {
        ClassifierStatistic::Accuracy => scores.accuracy,
        ClassifierStatistic::AreaUnderCurve => scores.area_under_curve,
    };
    let scores = bench.observed()?;
    let seed = permutations.seed.for_purpose("permutation");
    let permuted: Vec<f64> = (0..permutations.count as u64)
        .into_par_iter()
        .map(|permutation| {
            let mut is_second = vec![true; bench.count()];
            for index in draw(seed, permutation, bench.left_count, bench.count()) {
                is_second[index as usize] = false;
            }
            Ok(pick(&bench.of_labels(&is_second, permutation + 1)?))
        })
        .collect::<Result<_, MeasureError>>()?;
    let test = PermutationTest::of(pick(&scores), permuted.into_iter(), 1.0);
    Ok(ClassifierTest { scores, test })
}

/// What does not change between permutations.
struct Bench<'a> {
    rows: Rows<'a>,
    left_count: usize,
    learner: Learner,
    seed: Seed,
    /// Indices of the k nearest other points; empty for logistic regression.
    neighbours: Vec<Vec<usize>>,
}

impl<'a> Bench<'a> {
    fn of(
        left: Rows,
        right: Rows,
        learner: Learner,
        seed: Seed,
        values: &'a [f64],
    ) -> Result<Self, MeasureError> {
        left.same_columns(&right)?;
        let rows = Rows::new(values, left.column_count())?;
        let mut neighbours = Vec::new();
        match learner {
            Learner::Logistic { inverse_penalty, fold_count } => {
                require_positive(inverse_penalty, "inverse_penalty")?;
                if fold_count < 2 {
                    return Err(MeasureError::InvalidOption {
                        name: "fold_count",
                        value: fold_count as f64,
                        requirement: "at least 2",
                    });
                }
                left.at_least(fold_count, "left sample")?;
                right.at_least(fold_count, "right sample")?;
            }
            Learner::NearestNeighbours { k } => {
                if k % 2 == 0 {
                    return Err(MeasureError::InvalidOption {
                        name: "k",
                        value: k as f64,
                        requirement: "odd, so that no vote is a tie",
                    });
                }
                rows.at_least(k.saturating_add(1), "pooled sample")?;
                let [_, cloud] = clouds(rows, rows);
                let found = nearest_others(&cloud, k);
                neighbours =
                    found.chunks(k).map(|near| near.iter().map(|n| n.index).collect()).collect();
            }
        }
        Ok(Self { rows, left_count: left.count(), learner, seed, neighbours })
    }

    fn count(&self) -> usize {
        self.rows.count()
    }

    fn observed_labels(&self) -> Vec<bool> {
        (0..self.count()).map(|index| index >= self.left_count).collect()
    }

    fn observed(&self) -> Result<ClassifierScores, MeasureError> {
        self.of_labels(&self.observed_labels(), 0)
    }

    /// The scores for one labelling; `round` addresses the draws of its folds.
    fn of_labels(&self, is_second: &[bool], round: u64) -> Result<ClassifierScores, MeasureError> {
        let scores = match self.learner {
            Learner::Logistic { inverse_penalty, fold_count } => {
                let folds = deal(self.seed.for_purpose("fold"), round, is_second, fold_count);
                self.logistic_scores(is_second, inverse_penalty, &folds)?
            }
            Learner::NearestNeighbours { k } => {
                let vote = |near: &Vec<usize>| {
                    let count = near.iter().filter(|index| is_second[**index]).count();
                    count as f64 / k as f64 - 0.5
                };
                self.neighbours.iter().map(vote).collect()
            }
        };
        Ok(self.summary(&scores, is_second))
    }

    /// Out-of-fold scores, positive for the second sample.
    fn logistic_scores(
        &self,
        is_second: &[bool],
        inverse_penalty: f64,
        fold_of: &[usize],
    ) -> Result<Vec<f64>, MeasureError> {
        let fold_count = fold_of.iter().max().map_or(0, |last| last + 1);
        let mut scores = vec![0.0; self.count()];
        for fold in 0..fold_count {
            let training: Vec<usize> =
                (0..self.count()).filter(|index| fold_of[*index] != fold).collect();
            let second_count = training.iter().filter(|index| is_second[**index]).count();
            if second_count == 0 || second_count == training.len() {
                return Err(MeasureError::InvalidOption {
                    name: "fold",
                    value: fold as f64,
                    requirement: "one whose removal leaves points of both samples",
                });
            }
            let fit = Logistic::fit(self.rows, &training, is_second, inverse_penalty)?;
            for index in (0..self.count()).filter(|index| fold_of[*index] == fold) {
                scores[index] = fit.score(self.rows.row(index));
            }
        }
        Ok(scores)
    }

    fn summary(&self, scores: &[f64], is_second: &[bool]) -> ClassifierScores {
        let count = self.count() as f64;
        let hits = scores.iter().zip(is_second).filter(|(score, is)| (**score > 0.0) == **is);
        let (n, m) = (self.left_count as f64, count - self.left_count as f64);
        let ranks = mid_ranks(scores);
        let rank_sum: f64 = ranks.iter().zip(is_second).filter(|r| *r.1).map(|r| r.0).sum();
        ClassifierScores {
            accuracy: hits.count() as f64 / count,
            area_under_curve: (rank_sum - m * (m + 1.0) / 2.0) / (n * m),
            majority_rate: n.max(m) / count,
        }
    }
}

/// Folds that each hold their share of both samples: members are shuffled and dealt in turn.
fn deal(seed: Seed, round: u64, is_second: &[bool], fold_count: usize) -> Vec<usize> {
    let mut fold_of = vec![0; is_second.len()];
    let mut next = 0;
    for (purpose, label) in [("first", false), ("second", true)] {
        let members: Vec<usize> =
            (0..is_second.len()).filter(|index| is_second[*index] == label).collect();
        for place in draw(seed.for_purpose(purpose), round, members.len(), members.len()) {
            fold_of[members[place as usize]] = next % fold_count;
            next += 1;
        }
    }
    fold_of
}
