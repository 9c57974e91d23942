//! Measures of two sets of points in space: all columns of a row together are one point.
//!
//! Invariant: what a random choice depends on is in the identity of the value that it changes.

use serde_json::json;
use tiepoint_measure::{
    Metric,
    distribution::{
        Bandwidth, ClassifierStatistic, Correlation, Directions, EnergyForm, EquivalenceLaw,
        Learner, MmdEquivalence, MmdEstimator, PermutationTest, Permutations, Prdc, Rows, Subsets,
        SupportFidelity, SupportMode, classifier_scores, classifier_test, dependence_difference,
        energy_distance, energy_test, exact_transport, frechet_distance, frechet_extrapolated,
        frechet_metric, kernel_inception_distance, kernel_inception_metric, mmd_equivalence,
        mmd_squared, mmd_test, prdc, sliced_wasserstein, support_fidelity, transport_metric,
    },
};
use tiepoint_model::Seed;

use super::{
    DistributionRequest, Measured, MeasuredValue, NumberTable, PointMeasure, value, words,
};
use crate::Error;

/// Measures on all columns together.
pub(super) fn measure(
    measure: &PointMeasure,
    request: &DistributionRequest,
    tables: [&NumberTable; 2],
) -> Result<Measured, Error> {
    tables[0].require_squares(&request.real)?;
    tables[1].require_squares(&request.synthetic)?;
    let column_count = tables[0].columns.len();
    let [real, synthetic] = tables.map(NumberTable::row_major);
    let real = Rows::new(&real, column_count)?;
    let rows = [real, Rows::new(&synthetic, column_count)?];
    let permutations =
        request.permutation_count.map(|count| Permutations { seed: request.seed, count });
    match measure {
        PointMeasure::SlicedWasserstein { order, direction_count } => {
            let directions = Directions { seed: request.seed, count: *direction_count };
            let distance = sliced_wasserstein(rows[0], rows[1], &directions, *order);
            let values = distance.map(|distance| vec![value(distance, "value")]);
            Measured::of(&directions.metric(*order), values)
        }
        PointMeasure::ExactWasserstein { order } => {
            let order = words::transport_order(order)?;
            let distance = exact_transport(rows[0], rows[1], order);
            let values = distance.map(|distance| vec![value(distance, "value")]);
            Measured::of(&transport_metric(order), values)
        }
        PointMeasure::Energy { form } => energy(rows, words::energy_form(form)?, permutations),
        PointMeasure::Mmd { bandwidth, estimator } => {
            let words = (words::bandwidth(bandwidth)?, estimator.as_str());
            mmd(rows, words, permutations)
        }
        PointMeasure::MmdBound { gamma, margin, error_rate, law } => {
            mmd_bound(rows, *gamma, [*margin, *error_rate], words::equivalence_law(law)?)
        }
        PointMeasure::Classifier { learner: (learner, inverse_penalty, count), statistic } => {
            let learner = words::learner(learner, *inverse_penalty, *count)?;
            let statistic = words::classifier_statistic(statistic)?;
            classifier(rows, (learner, statistic), permutations, request.seed)
        }
        PointMeasure::Neighbours { k } => neighbours(rows, *k),
        PointMeasure::Frechet { subsets } => frechet(rows, *subsets, request.seed),
        PointMeasure::Kid => {
            let distance = kernel_inception_distance(rows[0], rows[1]);
            let values = distance.map(|distance| vec![value(distance, "1")]);
            Measured::of(&kernel_inception_metric(), values)
        }
        PointMeasure::Support { mode } => support(rows, words::support_mode(mode)?),
        PointMeasure::Dependence { coefficient } => {
            dependence(rows, words::correlation(coefficient)?, &tables[0].names)
        }
    }
}

fn energy(
    [real, synthetic]: [Rows; 2],
    form: EnergyForm,
    permutations: Option<Permutations>,
) -> Result<Measured, Error> {
    let metric = form.metric();
    let unit = if form == EnergyForm::Root { "sqrt(value)" } else { "value" };
    let values = energy_distance(real, synthetic, form).and_then(|distance| {
        let test = permutations.map(|p| energy_test(real, synthetic, form, &p)).transpose()?;
        Ok([vec![value(distance, unit)], p_value(&metric, test, permutations)].concat())
    });
    let measured = Measured::of(&metric, values)?;
    Ok(Measured { unit: unit.to_owned(), ..measured })
}

/// The p value of a test, with how it was drawn in its identity.
fn p_value(
    metric: &Metric,
    test: Option<PermutationTest>,
    permutations: Option<Permutations>,
) -> Vec<MeasuredValue> {
    let (Some(test), Some(permutations)) = (test, permutations) else { return Vec::new() };
    let metric = metric
        .clone()
        .with("p_value", "permutation")
        .with("permutations", permutations.count)
        .with("seed", permutations.seed.0);
    let p_value = MeasuredValue::real("p_value", test.p_value, "1").of(&metric);
    vec![MeasuredValue { unit: "1".to_owned(), ..p_value }]
}

fn mmd(
    [real, synthetic]: [Rows; 2],
    (bandwidth, estimator): (Bandwidth, &str),
    permutations: Option<Permutations>,
) -> Result<Measured, Error> {
    let estimator = words::estimator(estimator)?;
    let metric = bandwidth.metric(estimator);
    let values = mmd_squared(real, synthetic, bandwidth).and_then(|found| {
        let test = permutations
            .map(|p| mmd_test(real, synthetic, bandwidth, estimator, &p))
            .transpose()?;
        let asked = match estimator {
            MmdEstimator::Biased => found.squared_biased,
            MmdEstimator::Unbiased => found.squared_unbiased,
        };
        let values = vec![
            value(asked, "1"),
            MeasuredValue::real("squared_biased", found.squared_biased, "1"),
            MeasuredValue::real("squared_unbiased", found.squared_unbiased, "1"),
            MeasuredValue::real("gamma", found.gamma, "1/value^2"),
        ];
        Ok([values, p_value(&metric, test, permutations)].concat())
    });
    Measured::of(&metric, values)
}

fn mmd_bound(
    [real, synthetic]: [Rows; 2],
    gamma: f64,
    margin_and_rate: [f64; 2],
    law: EquivalenceLaw,
) -> Result<Measured, Error> {
    let found = mmd_equivalence(real, synthetic, gamma, margin_and_rate, law);
    let values = found.map(|found| {
        vec![
            value(found.upper_bound, "1"),
            MeasuredValue::real("p_value", found.p_value, "1"),
            MeasuredValue::real("squared", found.squared, "1"),
            MeasuredValue::real("margin", found.margin, "1"),
            MeasuredValue::real("error_rate", found.error_rate, "1"),
        ]
    });
    let metric = MmdEquivalence::metric(gamma, law).with("error_rate", margin_and_rate[1]);
    Measured::of(&metric, values)
}

fn classifier(
    [real, synthetic]: [Rows; 2],
    (learner, statistic): (Learner, ClassifierStatistic),
    permutations: Option<Permutations>,
    seed: Seed,
) -> Result<Measured, Error> {
    let seeded = |statistic| learner.metric(statistic).with("seed", seed.0);
    let metric = seeded(statistic);
    let found = match &permutations {
        None => classifier_scores(real, synthetic, learner, seed).map(|scores| (scores, None)),
        Some(permutations) => classifier_test(real, synthetic, learner, statistic, permutations)
            .map(|found| (found.scores, Some(found.test))),
    };
    let values = found.map(|(scores, test)| {
        let (accuracy, area) = (scores.accuracy, scores.area_under_curve);
        let asked = match statistic {
            ClassifierStatistic::Accuracy => accuracy,
            ClassifierStatistic::AreaUnderCurve => area,
        };
        let values = vec![
            value(asked, "1"),
            MeasuredValue::real("accuracy", accuracy, "1")
                .of(&seeded(ClassifierStatistic::Accuracy)),
            MeasuredValue::real("auc", area, "1").of(&seeded(ClassifierStatistic::AreaUnderCurve)),
            MeasuredValue::real("majority_rate", scores.majority_rate, "1"),
        ];
        [values, p_value(&metric, test, permutations)].concat()
    });
    Measured::of(&metric, values)
}

fn neighbours([real, synthetic]: [Rows; 2], k: usize) -> Result<Measured, Error> {
    let values = prdc(real, synthetic, k).map(|found| {
        let numbers = [found.precision, found.recall, found.density, found.coverage];
        let names = ["precision", "recall", "density", "coverage"];
        let named = names.into_iter().zip(numbers).zip(Prdc::METRICS);
        named
            .map(|((name, number), id)| {
                MeasuredValue::real(name, number, "1").of(&Prdc::metric(id, k))
            })
            .collect()
    });
    Measured::of(&Prdc::metric(Prdc::METRICS[0], k), values)
}

fn frechet(
    [real, synthetic]: [Rows; 2],
    subsets: Option<(usize, usize)>,
    seed: Seed,
) -> Result<Measured, Error> {
    let Some((size_count, size_min)) = subsets else {
        let distance = frechet_distance(real, synthetic);
        let values = distance.map(|distance| vec![value(distance, "value^2")]);
        let mut measured = Measured::of(&frechet_metric(), values)?;
        measured.notes.push(
            "biased upwards, the more the fewer the rows: compare at one number of rows, or use \
             `--subset-sizes`"
                .to_owned(),
        );
        return Ok(measured);
    };
    let found = frechet_extrapolated(real, synthetic, &Subsets { seed, size_count, size_min });
    let metric = frechet_metric()
        .with("bias", "extrapolated")
        .with("subset_sizes", size_count)
        .with("subset_size_min", size_min)
        .with("seed", seed.0);
    let values = found.map(|found| {
        vec![
            value(found.extrapolated, "value^2"),
            MeasuredValue::real("biased", found.distance, "value^2").of(&frechet_metric()),
            MeasuredValue::real("bias_times_rows", found.slope, "value^2"),
        ]
    });
    Measured::of(&metric, values)
}

fn support([real, synthetic]: [Rows; 2], mode: SupportMode) -> Result<Measured, Error> {
    let values = support_fidelity(real, synthetic, mode).map(|found| {
        let numbers = [found.alpha_precision, found.beta_recall, found.authenticity];
        let names = ["alpha_precision", "beta_recall", "authenticity"];
        let named = names.into_iter().zip(numbers).zip(SupportFidelity::METRICS);
        named
            .map(|((name, number), id)| {
                MeasuredValue::real(name, number, "1").of(&SupportFidelity::metric(id, mode))
            })
            .collect()
    });
    Measured::of(&SupportFidelity::metric(SupportFidelity::METRICS[0], mode), values)
}

fn dependence(
    [real, synthetic]: [Rows; 2],
    coefficient: Correlation,
    names: &[String],
) -> Result<Measured, Error> {
    let values = dependence_difference(real, synthetic, coefficient).map(|found| {
        let pair = found.columns.map(|index| names[index].as_str());
        vec![
            value(found.largest, "1"),
            MeasuredValue::json("largest_between", json!(pair), ""),
            MeasuredValue::real("mean", found.mean, "1"),
            MeasuredValue::real("root_mean_square", found.root_mean_square, "1"),
        ]
    });
    Measured::of(&coefficient.metric(), values)
}
