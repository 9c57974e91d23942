//! Laws that the statistics obey on random inputs, and typed answers to inputs that are no data.
//! Failures print the input.

use proptest::{collection::vec, prelude::*};
use tiepoint_assure::statistics::{
    betting::{
        ConfidenceSequence, EProcess, EquivalenceMonitor, Side, betting_equivalence,
        empirical_bernstein_interval, fixed_count_interval, hedged_interval, hoeffding_interval,
        mean_lower_bound,
    },
    binomial::{
        clopper_pearson,
        paired::{PairedCounts, paired_equivalence_interval, paired_share_noninferiority},
    },
    choice::{Question, Units, choose_test},
    difference::{exchange_test, wilcoxon_signed_rank},
    equivalence::{paired_equivalence, welch_equivalence},
    exchange::{Mixture, rate_for_a_mean, rate_for_training},
    multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, e_bh, holm},
    noninferiority::{betting_noninferiority, paired_noninferiority},
    prediction_powered::{
        Lambda, Sample, finite::finite_sample_interval, gate::gated_mean, prediction_powered_mean,
    },
    scaling::{Point, fit_curve, floor_interval},
    weights::weighted_mean,
};
use tiepoint_model::Seed;

/// Anything a double can be, with the awkward ones often.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1.0_f64..1.0,
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN_POSITIVE),
        1 => Just(1e-320),
        1 => any::<f64>(),
    ]
}

/// Any list, the short ones often; sometimes all values the same.
fn any_list() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        3 => vec(anything(), 0..9),
        1 => (anything(), 0_usize..9).prop_map(|(value, count)| vec![value; count]),
        2 => vec(-1.0_f64..1.0, 0..30),
        1 => vec(0.0_f64..1.0, 4..30),
    ]
}

fn unit_values() -> impl Strategy<Value = Vec<f64>> {
    vec(0.0_f64..=1.0, 2..60)
}

fn proper([low, high]: [f64; 2]) -> bool {
    low <= high
}

proptest! {
    /// Whatever is given: an answer without NaN, or a typed reason.
    #[test]
    fn one_list_never_gives_nan(list in any_list(), margin in anything(), alpha in anything()) {
        let intervals = [
            hedged_interval(&list, alpha),
            hoeffding_interval(&list, alpha),
            empirical_bernstein_interval(&list, alpha),
            fixed_count_interval(&list, alpha),
        ];
        for interval in intervals.into_iter().flatten() {
            prop_assert!(proper(interval), "{interval:?}");
        }
        prop_assert!(!mean_lower_bound(&list, alpha).is_ok_and(f64::is_nan));
        for test in [
            paired_equivalence(&list, margin, alpha),
            betting_equivalence(&list, margin, 1.0, alpha),
            welch_equivalence(&list, &list, margin, alpha),
        ].into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&test.p_lower.max(test.p_upper)), "{test:?}");
            prop_assert!((0.0..=1.0).contains(&test.p_outside), "{test:?}");
        }
        for test in [
            paired_noninferiority(&list, margin, alpha),
            betting_noninferiority(&list, margin, 1.0, alpha),
        ].into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&test.p), "{test:?}");
        }
        for p in [exchange_test(&list, 20, Seed(1)), wilcoxon_signed_rank(&list).map(|r| r.1)] {
            prop_assert!(p.map_or(true, |p| (0.0..=1.0).contains(&p)));
        }
        for adjusted in [
            holm(&list), bonferroni(&list), benjamini_hochberg(&list), benjamini_yekutieli(&list),
        ] {
            prop_assert_eq!(adjusted.len(), list.len());
            prop_assert!(adjusted.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        prop_assert_eq!(e_bh(&list, alpha).len(), list.len());
    }

    /// The same for several lists.
    #[test]
    fn several_lists_never_give_nan(
        a in any_list(), b in any_list(), c in any_list(), level in anything(),
    ) {
        let sample = Sample { real: &a, synthetic: &b, synthetic_alone: &c };
        for lambda in [Lambda::Fixed(level), Lambda::PluggedIn, Lambda::CrossFitted { folds: 2 }] {
            if let Ok(mean) = prediction_powered_mean(&sample, lambda, 0.1) {
                prop_assert!(!mean.lambda.is_nan());
            }
        }
        for interval in [
            finite_sample_interval(&sample, level, 0.1),
            gated_mean(&sample, 0.1).map(|mean| mean.interval),
        ].into_iter().flatten() {
            prop_assert!(proper(interval), "{interval:?}");
        }
        if let Ok(rate) = rate_for_a_mean(&sample, 0.1) {
            prop_assert!(rate.rate >= 0.0, "{rate:?}");
        }
        if let Ok(mean) = weighted_mean(&a, &b, 0.0, 0.1) {
            prop_assert!(mean.effective_count >= 1.0, "{mean:?}");
        }
        let points: Vec<Point> =
            a.iter().zip(&b).map(|(&count, &error)| Point { count, error }).collect();
        if let Ok(fit) = fit_curve(&points) {
            prop_assert!(fit.curve.scale > 0.0 && fit.curve.exponent > 0.0);
            let _ = floor_interval(&points, level);
            let mixture = Mixture { real_count: 1.0, synthetic_count: 1.0, error: level };
            let _ = rate_for_training(&points, &mixture, 0.1);
        }
    }

    /// One value at a time.
    #[test]
    fn streams_refuse_what_is_no_value(
        list in any_list(), mean in anything(), alpha in anything(),
    ) {
        if let Ok(mut process) = EProcess::new(Side::AtLeast, mean, alpha) {
            for &value in &list {
                let pushed = process.push(value);
                prop_assert_eq!(pushed.is_ok(), (0.0..=1.0).contains(&value));
                prop_assert!(process.e_value() >= 0.0 && process.p_value() <= 1.0);
            }
        }
        if let Ok(mut monitor) = EquivalenceMonitor::new(mean, 1.0, alpha) {
            for &value in &list {
                prop_assert_eq!(monitor.push(value).is_ok(), value.abs() <= 1.0);
            }
            prop_assert!(monitor.look().p_equivalent <= 1.0);
        }
        if let Ok(mut sequence) = ConfidenceSequence::new(alpha, 50) {
            for &value in &list {
                let interval = sequence.push(value).ok().flatten();
                prop_assert!(interval.is_none_or(proper));
            }
        }
        let units = Units::Blocks {
            length_in_autocorrelation_times: Some(mean),
            simulated_size: Some(alpha),
        };
        let question = Question { units, unit_count: list.len() as u64, margin: mean, alpha };
        let _ = choose_test(&question);
    }

    /// Seen from the other side, an interval is the other way round.
    #[test]
    fn mirrored_values_have_mirrored_intervals(values in unit_values()) {
        let mirrored: Vec<f64> = values.iter().map(|value| 1.0 - value).collect();
        for interval in [
            hedged_interval, hoeffding_interval, empirical_bernstein_interval, fixed_count_interval,
        ] {
            let ([low, high], [mirror_low, mirror_high]) =
                match (interval(&values, 0.1), interval(&mirrored, 0.1)) {
                    (Ok(one), Ok(other)) => (one, other),
                    // Every mean is refuted: on both sides.
                    (one, other) => {
                        prop_assert!(one.is_err() && other.is_err());
                        continue;
                    }
                };
            prop_assert!((low - (1.0 - mirror_high)).abs() < 1e-12);
            prop_assert!((high - (1.0 - mirror_low)).abs() < 1e-12);
            prop_assert!(0.0 <= low && high <= 1.0);
        }
    }

    /// More confidence, wider intervals.
    #[test]
    fn intervals_grow_with_confidence(values in unit_values()) {
        if let (Ok(wide), Ok(narrow)) =
            (hoeffding_interval(&values, 0.01), hoeffding_interval(&values, 0.2))
        {
            prop_assert!(wide[0] <= narrow[0] && narrow[1] <= wide[1]);
        }
        let [low, high] = [0.05, 0.01].map(|alpha| mean_lower_bound(&values, alpha).unwrap());
        prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
    }

    /// Differences, margin and bound in other units: the same p, the interval scaled.
    #[test]
    fn tests_do_not_depend_on_the_unit(
        values in vec(-1.0_f64..1.0, 2..40), exponent in -20_i32..20,
    ) {
        let unit = tiepoint_model::math::pow(2.0, f64::from(exponent)); // exact
        let scaled: Vec<f64> = values.iter().map(|value| value * unit).collect();
        let (one, other) = (
            paired_equivalence(&values, 0.3, 0.05).unwrap(),
            paired_equivalence(&scaled, 0.3 * unit, 0.05).unwrap(),
        );
        prop_assert_eq!([one.p_lower, one.p_upper], [other.p_lower, other.p_upper]);
        prop_assert_eq!(one.p_outside, other.p_outside);
        prop_assert_eq!(one.interval.map(|end| end * unit), other.interval);
        let (one, other) = (
            betting_equivalence(&values, 0.3, 1.0, 0.05).unwrap(),
            betting_equivalence(&scaled, 0.3 * unit, unit, 0.05).unwrap(),
        );
        prop_assert_eq!([one.p_lower, one.p_upper], [other.p_lower, other.p_upper]);
        prop_assert_eq!(one.interval.map(|end| end * unit), other.interval);
    }

    /// A wider margin is never harder to pass.
    #[test]
    fn wider_margins_pass_more_easily(values in vec(-1.0_f64..1.0, 2..40)) {
        let mut before = [1.0_f64; 2];
        for margin in [0.05, 0.1, 0.3, 0.6, 0.9] {
            let now = [
                paired_equivalence(&values, margin, 0.05).unwrap(),
                betting_equivalence(&values, margin, 1.0, 0.05).unwrap(),
            ].map(|test| test.p_lower.max(test.p_upper));
            prop_assert!(now[0] <= before[0] && now[1] <= before[1] * (1.0 + 1e-12));
            before = now;
        }
    }

    /// One success more moves the interval up; Clopper and Pearson's holds the share.
    #[test]
    fn more_successes_move_the_interval_up(hits in 0_u64..200, misses in 1_u64..200) {
        let trials = hits + misses;
        let [one, more] =
            [hits, hits + 1].map(|hits| clopper_pearson(hits, trials, 0.1).unwrap());
        prop_assert!(one[0] < more[0] && one[1] <= more[1]);
        let share = hits as f64 / trials as f64;
        prop_assert!(one[0] <= share && share <= one[1]);
    }

    /// Exchanging real and synthetic turns the interval round; concordant pairs only dilute it.
    #[test]
    fn pairs_mirror_when_the_sides_are_exchanged(
        synthetic_only in 0_u64..30, real_only in 0_u64..30,
        both in 1_u64..200, neither in 0_u64..200,
    ) {
        let counts = PairedCounts { both, synthetic_only, real_only, neither };
        let exchanged =
            PairedCounts { synthetic_only: real_only, real_only: synthetic_only, ..counts };
        let [low, high] = paired_equivalence_interval(&counts, 0.1).unwrap();
        let [other_low, other_high] = paired_equivalence_interval(&exchanged, 0.1).unwrap();
        prop_assert!((low + other_high).abs() < 1e-12 && (high + other_low).abs() < 1e-12);
        let moved = PairedCounts { both: both + neither, neither: 0, ..counts };
        prop_assert_eq!(paired_equivalence_interval(&moved, 0.1).unwrap(), [low, high]);
        let test = paired_share_noninferiority(&counts, 0.1, 0.05).unwrap();
        prop_assert!((test.bound_low - low).abs() < 1e-12);
    }

    /// The order of units matters to bets, and to nothing else.
    #[test]
    fn order_matters_to_bets_only(
        values in vec(-1.0_f64..1.0, 4..30), weights in vec(0.1_f64..2.0, 30),
    ) {
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let (one, other) = (
            paired_equivalence(&values, 0.3, 0.05).unwrap(),
            paired_equivalence(&reversed, 0.3, 0.05).unwrap(),
        );
        prop_assert!((one.p_upper - other.p_upper).abs() < 1e-9);
        let weights = &weights[..values.len()];
        let turned: Vec<f64> = weights.iter().rev().copied().collect();
        if let (Ok(a), Ok(b)) = (
            weighted_mean(&values, weights, 2.0, 0.1), weighted_mean(&reversed, &turned, 2.0, 0.1),
        ) {
            prop_assert!((a.estimate - b.estimate).abs() < 1e-12);
            prop_assert!((a.effective_count / b.effective_count - 1.0).abs() < 1e-12);
            prop_assert!(a.effective_count <= values.len() as f64 * (1.0 + 1e-12));
        }
    }
}
