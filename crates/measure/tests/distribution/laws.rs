//! Laws of the distances, tests and fidelity measures of samples.

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::{
    MeasureError,
    distribution::{
        Bandwidth, ClassifierStatistic, Directions, EnergyForm, EquivalenceLaw, KsAlternative,
        KsMode, Learner, Permutations, Rows, Subsets, SupportMode, classifier_scores,
        classifier_test, cramer_von_mises, energy_distance, frechet_distance, frechet_extrapolated,
        ks_test, mmd_equivalence, mmd_squared, prdc, sliced_wasserstein, support_fidelity,
        wasserstein, wasserstein_weighted,
    },
};
use tiepoint_model::{Seed, math};

const FORMS: [EnergyForm; 5] = [
    EnergyForm::Root,
    EnergyForm::V,
    EnergyForm::U,
    EnergyForm::HyppoUnbiased,
    EnergyForm::HyppoBiased,
];

fn rows(values: &[f64], column_count: usize) -> Rows<'_> {
    Rows::new(values, column_count).unwrap()
}

/// Points in the plane on a grid, so that coincidences and ties are common.
fn plane() -> impl Strategy<Value = Vec<f64>> {
    vec((-8_i32..9).prop_map(|value| f64::from(value) / 4.0), 6..40)
        .prop_map(|values| values[..values.len() / 2 * 2].to_vec())
}

/// Points in the plane in general position.
fn scattered() -> impl Strategy<Value = Vec<f64>> {
    vec(-4.0..4.0_f64, 16..60).prop_map(|values| values[..values.len() / 2 * 2].to_vec())
}

/// Turned by an angle and moved.
fn moved(values: &[f64], angle_rad: f64, shift: f64) -> Vec<f64> {
    let (sin, cos) = math::sin_cos(angle_rad);
    let turn = |p: &[f64]| [cos * p[0] - sin * p[1] + shift, sin * p[0] + cos * p[1] - shift];
    values.chunks_exact(2).flat_map(turn).collect()
}

fn times(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|value| value * factor).collect()
}

fn normals(seed: u64, count: usize) -> Vec<f64> {
    (0..count as u64).map(|index| Seed(seed).draws(0, index).normal()).collect()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #[test]
    fn energy_is_symmetric_and_zero_on_equal_samples(a in plane(), b in plane()) {
        for form in FORMS {
            let one = energy_distance(rows(&a, 2), rows(&b, 2), form).unwrap();
            let other = energy_distance(rows(&b, 2), rows(&a, 2), form).unwrap();
            prop_assert!(near(one, other, 1e-6), "{:?} {} {}", form, one, other);
        }
        // Rounding of sums near one leaves 1e-8 of a root.
        let zero = energy_distance(rows(&a, 2), rows(&a, 2), EnergyForm::Root).unwrap();
        prop_assert!(zero < 1e-6);
    }

    #[test]
    fn energy_is_unchanged_by_rotation_and_shift(
        a in scattered(), b in scattered(), angle in 0.0..6.0_f64, shift in -9.0..9.0_f64,
    ) {
        let (c, d) = (moved(&a, angle, shift), moved(&b, angle, shift));
        for form in FORMS {
            let one = energy_distance(rows(&a, 2), rows(&b, 2), form).unwrap();
            let other = energy_distance(rows(&c, 2), rows(&d, 2), form).unwrap();
            prop_assert!(near(one, other, 1e-9), "{:?}", form);
        }
    }

    #[test]
    fn energy_scales_with_length(a in scattered(), b in scattered(), factor in 0.01..50.0_f64) {
        let (c, d) = (times(&a, factor), times(&b, factor));
        for form in [EnergyForm::V, EnergyForm::U, EnergyForm::HyppoUnbiased] {
            let one = energy_distance(rows(&a, 2), rows(&b, 2), form).unwrap();
            let other = energy_distance(rows(&c, 2), rows(&d, 2), form).unwrap();
            prop_assert!((one * factor - other).abs() < 1e-10 * factor);
        }
    }

    /// With a second column of zeros the sum over all pairs is taken in place of sorting.
    #[test]
    fn one_column_and_many_agree(a in vec(-5.0..5.0_f64, 2..30), b in vec(-5.0..5.0_f64, 2..30)) {
        let wide = |values: &[f64]| values.iter().flat_map(|v| [*v, 0.0]).collect::<Vec<_>>();
        let (c, d) = (wide(&a), wide(&b));
        for form in FORMS {
            let one = energy_distance(rows(&a, 1), rows(&b, 1), form).unwrap();
            let other = energy_distance(rows(&c, 2), rows(&d, 2), form).unwrap();
            prop_assert!(near(one, other, 1e-7), "{:?} {} {}", form, one, other);
        }
    }

    #[test]
    fn mmd_is_symmetric_and_zero_on_equal_samples(
        a in plane(),
        b in plane(),
        gamma in 0.01..9.0_f64,
    ) {
        let of = |x: &[f64], y: &[f64]| {
            mmd_squared(rows(x, 2), rows(y, 2), Bandwidth::Gamma(gamma)).unwrap()
        };
        let (one, other) = (of(&a, &b), of(&b, &a));
        prop_assert!(near(one.squared_biased, other.squared_biased, 1e-12));
        prop_assert!(near(one.squared_unbiased, other.squared_unbiased, 1e-12));
        prop_assert!((0.0..=2.0).contains(&one.squared_biased));
        prop_assert!(of(&a, &a).squared_biased < 1e-14);
    }

    #[test]
    fn mmd_is_unchanged_by_rotation_and_shift(
        a in scattered(), b in scattered(), angle in 0.0..6.0_f64, shift in -9.0..9.0_f64,
    ) {
        let (c, d) = (moved(&a, angle, shift), moved(&b, angle, shift));
        let one = mmd_squared(rows(&a, 2), rows(&b, 2), Bandwidth::MedianHalf).unwrap();
        let other = mmd_squared(rows(&c, 2), rows(&d, 2), Bandwidth::MedianHalf).unwrap();
        prop_assert!(near(one.squared_unbiased, other.squared_unbiased, 1e-9));
    }

    #[test]
    fn median_bandwidth_removes_scale(a in scattered(), b in scattered(), factor in 1e-3..1e3_f64) {
        let (c, d) = (times(&a, factor), times(&b, factor));
        for bandwidth in [Bandwidth::MedianHalf, Bandwidth::Median] {
            let one = mmd_squared(rows(&a, 2), rows(&b, 2), bandwidth).unwrap();
            let other = mmd_squared(rows(&c, 2), rows(&d, 2), bandwidth).unwrap();
            prop_assert!(near(one.squared_biased, other.squared_biased, 1e-9));
            prop_assert!(near(one.gamma, other.gamma * factor * factor, 1e-9));
        }
    }

    #[test]
    fn swapping_samples_swaps_the_one_sided_tests(
        a in vec(-5.0..5.0_f64, 1..30), b in vec(-5.0..5.0_f64, 1..30),
    ) {
        for mode in [KsMode::Exact, KsMode::Asymptotic] {
            let of = |x: &[f64], y: &[f64], alternative| ks_test(x, y, alternative, mode).unwrap();
            let greater = of(&a, &b, KsAlternative::Greater);
            let less = of(&b, &a, KsAlternative::Less);
            prop_assert_eq!(greater.distance, less.distance);
            prop_assert!(near(greater.p_value, less.p_value, 1e-12));
            let both = of(&a, &b, KsAlternative::TwoSided);
            prop_assert!(near(both.p_value, of(&b, &a, KsAlternative::TwoSided).p_value, 1e-12));
            let other = of(&a, &b, KsAlternative::Less);
            prop_assert_eq!(both.distance, greater.distance.max(other.distance));
        }
        if a.len() > 1 && b.len() > 1 {
            let one = cramer_von_mises(&a, &b).unwrap();
            let other = cramer_von_mises(&b, &a).unwrap();
            prop_assert!(near(one.statistic, other.statistic, 1e-9));
        }
    }

    /// Moving one sample away can only raise the distance function by function: beyond the range it
    /// is one, and the exact p value is that of the two most extreme orders.
    #[test]
    fn p_values_fall_as_distances_grow(n in 1_usize..12, m in 1_usize..12) {
        let a: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let b: Vec<f64> = (0..m).map(|i| 100.0 + i as f64).collect();
        let test = ks_test(&a, &b, KsAlternative::TwoSided, KsMode::Exact).unwrap();
        let orders = (1..=m).fold(1.0, |orders, k| orders * (n + k) as f64 / k as f64);
        prop_assert_eq!(test.distance, 1.0);
        prop_assert!(near(test.p_value, 2.0 / orders, 1e-12));
    }

    #[test]
    fn wasserstein_grows_with_its_order(
        a in vec(-5.0..5.0_f64, 1..30), b in vec(-5.0..5.0_f64, 1..30),
    ) {
        let of = |order| wasserstein(&a, &b, order).unwrap();
        prop_assert!(of(1.0) <= of(2.0) + 1e-12 && of(2.0) <= of(3.5) + 1e-12);
        prop_assert!(near(wasserstein(&b, &a, 2.0).unwrap(), of(2.0), 1e-12));
        prop_assert_eq!(wasserstein(&a, &a, 2.0), Ok(0.0));
        let even = (vec![2.0; a.len()], vec![7.0; b.len()]);
        let weighted = wasserstein_weighted((&a, &even.0), (&b, &even.1)).unwrap();
        prop_assert!(near(weighted, of(1.0), 1e-12));
    }

    #[test]
    fn wasserstein_scales_and_shifts(
        a in vec(-5.0..5.0_f64, 1..30), shift in -9.0..9.0_f64, factor in 0.1..9.0_f64,
    ) {
        let b: Vec<f64> = a.iter().map(|value| value + shift).collect();
        for order in [1.0, 2.0, 3.0] {
            prop_assert!(near(wasserstein(&a, &b, order).unwrap(), shift.abs(), 1e-9));
            let scaled = wasserstein(&times(&a, factor), &times(&b, factor), order).unwrap();
            prop_assert!(near(scaled, factor * shift.abs(), 1e-9));
        }
    }

    #[test]
    fn sliced_wasserstein_is_symmetric_and_zero_on_equal_samples(a in plane(), b in plane()) {
        let directions = Directions { seed: Seed(1), count: 10 };
        let of = |x: &[f64], y: &[f64]| {
            sliced_wasserstein(rows(x, 2), rows(y, 2), &directions, 2.0).unwrap()
        };
        prop_assert!(near(of(&a, &b), of(&b, &a), 1e-12));
        prop_assert_eq!(of(&a, &a), 0.0);
    }

    #[test]
    fn sliced_wasserstein_of_a_shift_is_below_the_shift(a in plane(), shift in 0.0..9.0_f64) {
        let directions = Directions { seed: Seed(1), count: 20 };
        let b = moved(&a, 0.0, shift);
        let sliced = sliced_wasserstein(rows(&a, 2), rows(&b, 2), &directions, 1.0).unwrap();
        prop_assert!(sliced <= shift * f64::sqrt(2.0) * (1.0 + 1e-9));
    }

    #[test]
    fn prdc_agrees_with_all_pairs(a in plane(), b in plane(), k in 1_usize..3) {
        let (a, b) = (rows(&a, 2), rows(&b, 2));
        let got = prdc(a, b, k);
        prop_assume!(a.count() > k && b.count() > k);
        let got = got.unwrap();
        let square = |x: &[f64], y: &[f64]| -> f64 {
            x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
        };
        let radii = |sample: Rows| -> Vec<f64> {
            (0..sample.count()).map(|i| {
                let mut others: Vec<f64> = (0..sample.count())
                    .filter(|j| *j != i)
                    .map(|j| square(sample.row(i), sample.row(j)))
                    .collect();
                others.sort_unstable_by(f64::total_cmp);
                others[k - 1]
            }).collect()
        };
        let (of_a, of_b) = (radii(a), radii(b));
        let inside = |i: usize, j: usize| square(a.row(i), b.row(j)) < of_a[i];
        let recalled = |i: usize, j: usize| square(a.row(i), b.row(j)) < of_b[j];
        let (n, m) = (a.count(), b.count());
        let share = |hits: usize, of: usize| hits as f64 / of as f64;
        let precise = (0..m).filter(|&j| (0..n).any(|i| inside(i, j))).count();
        let covered = (0..n).filter(|&i| (0..m).any(|j| inside(i, j))).count();
        let recalled = (0..n).filter(|&i| (0..m).any(|j| recalled(i, j))).count();
        prop_assert_eq!(got.precision, share(precise, m));
        prop_assert_eq!(got.coverage, share(covered, n));
        prop_assert_eq!(got.recall, share(recalled, n));
        let pairs: usize = (0..n).map(|i| (0..m).filter(|&j| inside(i, j)).count()).sum();
        prop_assert_eq!(got.density, pairs as f64 / (k * m) as f64);
    }

    /// Powers of two move no bits of a difference.
    #[test]
    fn prdc_is_unchanged_by_shift_scale_and_order(
        a in plane(),
        b in plane(),
        power in -40_i32..40,
    ) {
        prop_assume!(a.len() > 6 && b.len() > 6);
        let factor = f64::exp2(f64::from(power));
        let map = |values: &[f64]| -> Vec<f64> {
            let points: Vec<&[f64]> = values.chunks_exact(2).rev().collect();
            points.concat().iter().map(|value| (value + 128.0) * factor).collect()
        };
        let got = prdc(rows(&a, 2), rows(&b, 2), 2);
        prop_assert_eq!(prdc(rows(&map(&a), 2), rows(&map(&b), 2), 2), got);
    }

    #[test]
    fn prdc_of_a_sample_with_itself_is_full(a in scattered(), k in 1_usize..6) {
        let got = prdc(rows(&a, 2), rows(&a, 2), k).unwrap();
        prop_assert_eq!((got.precision, got.recall, got.coverage), (1.0, 1.0, 1.0));
        // Each open ball holds its centre and the k - 1 nearer neighbours.
        prop_assert!(near(got.density, 1.0, 1e-12));
    }

    #[test]
    fn support_fidelity_is_unchanged_by_shift_and_scale(a in scattered(), b in scattered()) {
        let count = a.len().min(b.len());
        let (a, b) = (&a[..count], &b[..count]);
        for mode in [SupportMode::Corrected, SupportMode::Synthcity] {
            let one = support_fidelity(rows(a, 2), rows(b, 2), mode).unwrap();
            let other = support_fidelity(rows(&times(a, 4.0), 2), rows(&times(b, 4.0), 2), mode);
            prop_assert_eq!(Ok(one), other);
            prop_assert!((0.0..=1.0).contains(&one.authenticity));
        }
    }

    #[test]
    fn frechet_is_symmetric_and_zero_on_equal_samples(a in scattered(), b in scattered()) {
        let of = |x: &[f64], y: &[f64]| frechet_distance(rows(x, 2), rows(y, 2)).unwrap();
        prop_assert!(near(of(&a, &b), of(&b, &a), 1e-9));
        prop_assert!(of(&a, &a) < 1e-12);
        // A line: singular covariances are no error.
        let line: Vec<f64> = a.iter().flat_map(|value| [*value, 2.0 * value]).collect();
        prop_assert!(of(&line, &line) < 1e-7);
    }

    #[test]
    fn frechet_of_a_shift_is_its_square(a in scattered(), shift in -9.0..9.0_f64) {
        let b = moved(&a, 0.0, shift);
        let got = frechet_distance(rows(&a, 2), rows(&b, 2)).unwrap();
        prop_assert!(near(got, 2.0 * shift * shift, 1e-9));
    }

    #[test]
    fn frechet_of_one_column_is_that_of_two_normals(
        a in vec(-5.0..5.0_f64, 3..30), b in vec(-5.0..5.0_f64, 3..30),
    ) {
        let moments = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            (mean, (square / (n - 1.0)).sqrt())
        };
        let ((m, s), (n, t)) = (moments(&a), moments(&b));
        let got = frechet_distance(rows(&a, 1), rows(&b, 1)).unwrap();
        prop_assert!(near(got, (m - n) * (m - n) + (s - t) * (s - t), 1e-9));
    }

    #[test]
    fn equivalence_is_monotone_in_margin_and_error_rate(a in scattered(), b in scattered()) {
        for law in [EquivalenceLaw::Normal, EquivalenceLaw::Concentration] {
            let of = |margin, rate| {
                mmd_equivalence(rows(&a, 2), rows(&b, 2), 0.5, [margin, rate], law).unwrap()
            };
            prop_assert!(of(0.5, 0.05).p_value >= of(0.9, 0.05).p_value);
            prop_assert!(of(0.5, 0.01).upper_bound >= of(0.5, 0.2).upper_bound);
            // The bound and the test say the same.
            let bound = of(0.5, 0.05).upper_bound;
            prop_assert!(bound == 0.0 || near(of(bound, 0.05).p_value, 0.05, 1e-6));
        }
    }
}

/// Exact copies have a nearer real point than any real point has.
#[test]
fn copies_lower_authenticity() {
    let (real, fresh) = (normals(1, 400), normals(2, 400));
    let authenticity = |copied: usize| {
        let mut synthetic = fresh.clone();
        synthetic[..copied].copy_from_slice(&real[..copied]);
        let mode = SupportMode::Corrected;
        support_fidelity(rows(&real, 2), rows(&synthetic, 2), mode).unwrap().authenticity
    };
    let [none, half, all] = [0, 200, 400].map(authenticity);
    assert!(none > 0.25 && half < none && all == 0.0, "{none} {half} {all}");
}

/// Two samples of 300 of one 8-dimensional Gaussian: the bias must fall to a third of it.
#[test]
fn extrapolation_takes_most_of_the_bias_away() {
    let (mut raw, mut extrapolated) = (0.0, 0.0);
    for round in 0..6 {
        let (a, b) = (normals(100 + round, 2400), normals(200 + round, 2400));
        let subsets = Subsets { seed: Seed(round), size_count: 15, size_min: 60 };
        let got = frechet_extrapolated(rows(&a, 8), rows(&b, 8), &subsets).unwrap();
        raw += got.distance / 6.0;
        extrapolated += got.extrapolated / 6.0;
        assert!(got.slope > 0.0 && got.subsets.len() == 15);
    }
    assert!(raw > 0.05 && extrapolated.abs() < raw / 3.0, "{raw} {extrapolated}");
}

/// Same law, 16 dimensions: the distance falls as one over the number of rows; the values are those
/// of the reference's table, within the spread of one draw.
#[test]
fn frechet_bias_is_as_stated() {
    for (count, expected) in [(50, 3.13), (200, 0.83), (1000, 0.16)] {
        let (a, b) = (normals(1, 16 * count), normals(2, 16 * count));
        let got = frechet_distance(rows(&a, 16), rows(&b, 16)).unwrap();
        assert!((got / expected - 1.0).abs() < 0.2, "{count}: {got}");
    }
}

#[test]
fn a_classifier_tells_far_samples_apart() {
    let a = normals(1, 120);
    let b: Vec<f64> = normals(2, 100).iter().map(|value| value + 6.0).collect();
    let permutations = Permutations { seed: Seed(4), count: 19 };
    for learner in [
        Learner::Logistic { inverse_penalty: 1.0, fold_count: 5 },
        Learner::NearestNeighbours { k: 5 },
    ] {
        for statistic in [ClassifierStatistic::Accuracy, ClassifierStatistic::AreaUnderCurve] {
            let (a, b) = (rows(&a, 2), rows(&b, 2));
            let got = classifier_test(a, b, learner, statistic, &permutations).unwrap();
            assert!(got.scores.accuracy > 0.99 && got.scores.area_under_curve > 0.999);
            assert_eq!((got.test.p_value, got.scores.majority_rate), (0.05, 60.0 / 110.0));
            assert_eq!(classifier_scores(a, b, learner, Seed(4)), Ok(got.scores));
        }
    }
}

#[test]
fn few_points_never_show_equivalence() {
    let a = normals(1, 10);
    let law = EquivalenceLaw::Concentration;
    let got = mmd_equivalence(rows(&a, 1), rows(&a, 1), 1.0, [0.5, 0.05], law).unwrap();
    assert!(got.squared == 0.0 && got.p_value > 0.05 && got.upper_bound > 0.5, "{got:?}");
}

#[test]
fn coinciding_points_have_no_median_bandwidth() {
    let a = [1.0; 20];
    let got = mmd_squared(rows(&a, 2), rows(&a, 2), Bandwidth::Median);
    assert!(matches!(got, Err(MeasureError::Constant { .. })));
}

/// Several tiles of points far from the origin, with copies, ties and one far point, so that single
/// precision alone would decide wrongly; against all pairs in double precision.
#[test]
fn screening_misses_no_neighbour() {
    let (d, n, m) = (5, 700, 600);
    let cloud = |seed: u64, count: usize| -> Vec<f64> {
        let mut values: Vec<f64> = normals(seed, d * count)
            .iter()
            .map(|value| 1e6 + 1e-4 * (value * 64.0).round() / 64.0)
            .collect();
        values.copy_within(0..10 * d, 50 * d);
        values[7] = 1e9;
        values
    };
    let (a, b) = (cloud(1, n), cloud(2, m));
    let square = |x: &[f64], y: &[f64]| -> f64 {
        let terms: Vec<f64> = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).collect();
        (terms[0] + terms[1]) + (terms[2] + terms[3]) + terms[4]
    };
    let (a, b) = (rows(&a, d), rows(&b, d));
    let radii = |sample: Rows| -> Vec<f64> {
        (0..sample.count())
            .map(|i| {
                let mut squares: Vec<f64> =
                    sample.iter().map(|other| square(sample.row(i), other)).collect();
                squares.sort_unstable_by(f64::total_cmp);
                squares[3] // itself and two nearer ones stand before
            })
            .collect()
    };
    let (of_a, of_b) = (radii(a), radii(b));
    let (mut pairs, mut covered, mut recalled, mut inside) = (0, 0, 0, vec![false; m]);
    for (point, limit) in a.iter().zip(&of_a) {
        let squares: Vec<f64> = b.iter().map(|other| square(point, other)).collect();
        let hits = squares.iter().filter(|square| *square < limit).count();
        pairs += hits;
        covered += usize::from(hits > 0);
        recalled += usize::from(squares.iter().zip(&of_b).any(|(square, limit)| square < limit));
        inside.iter_mut().zip(&squares).for_each(|(is, square)| *is |= square < limit);
    }
    let got = prdc(a, b, 3).unwrap();
    assert_eq!(got.density, pairs as f64 / (3 * m) as f64);
    assert_eq!(got.coverage, covered as f64 / n as f64);
    assert_eq!(got.recall, recalled as f64 / n as f64);
    assert_eq!(got.precision, inside.iter().filter(|is| **is).count() as f64 / m as f64);
}
