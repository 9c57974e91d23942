//! Approximate intervals for a share and for the difference of two, as other tools print them.
//!
//! Invariant: ends lie in `[0, 1]`, or `[-1, 1]` for a difference.
//! They cover too rarely for some shares; a verdict uses the exact ones.
//!
//! Not here: the exact interval (see [`super::clopper_pearson`]).

use super::{
    super::distributions::{beta_quantile, normal_quantile},
    StatisticsError, check_range,
};

/// Wilson's score interval at confidence `1 - alpha`.
///
/// # Errors
/// No trials, more successes than trials, or alpha outside `(0, 1)`.
///
/// # Source
/// Wilson, Journal of the American Statistical Association 22, 1927.
pub fn wilson(successes: u64, trials: u64, alpha: f64) -> Result<[f64; 2], StatisticsError> {
    let (hits, count) = checked(successes, trials, alpha)?;
    let z = normal_quantile(1.0 - alpha / 2.0);
    let share = hits / count;
    let denominator = 1.0 + z * z / count;
    let centre = (share + z * z / (2.0 * count)) / denominator;
    let spread = share * (1.0 - share) / count + z * z / (4.0 * count * count);
    let half_width = z / denominator * spread.sqrt();
    let low = if successes == 0 { 0.0 } else { centre - half_width };
    let high = if successes == trials { 1.0 } else { centre + half_width };
    Ok([low, high])
}

/// The interval of equal tails of the posterior with Jeffreys' prior, at `1 - alpha`.
///
/// # Errors
/// As [`wilson`].
///
/// # Source
/// Brown, Cai and DasGupta, Statistical Science 16(2), 2001, section 3.1.3, without the
/// modification at the ends.
pub fn jeffreys(successes: u64, trials: u64, alpha: f64) -> Result<[f64; 2], StatisticsError> {
    let (hits, count) = checked(successes, trials, alpha)?;
    let (a, b) = (hits + 0.5, count - hits + 0.5);
    Ok([alpha / 2.0, 1.0 - alpha / 2.0].map(|p| beta_quantile(p, a, b)))
}

/// Agresti and Coull's interval at `1 - alpha`, clipped to `[0, 1]`.
///
/// # Errors
/// As [`wilson`].
///
/// # Source
/// Agresti and Coull, The American Statistician 52(2), 1998.
pub fn agresti_coull(successes: u64, trials: u64, alpha: f64) -> Result<[f64; 2], StatisticsError> {
    let (hits, count) = checked(successes, trials, alpha)?;
    let z = normal_quantile(1.0 - alpha / 2.0);
    let count = count + z * z;
    let share = (hits + z * z / 2.0) / count;
    let half_width = z * (share * (1.0 - share) / count).sqrt();
    Ok([(share - half_width).max(0.0), (share + half_width).min(1.0)])
}

/// Newcombe's interval for the share of one group minus that of another, from Wilson's intervals.
///
/// `[successes, trials]` of each group.
///
/// # Errors
/// As [`wilson`].
///
/// # Source
/// Newcombe, Statistics in Medicine 17, 1998, method 10.
pub fn newcombe_difference(
    first: [u64; 2],
    second: [u64; 2],
    alpha: f64,
) -> Result<[f64; 2], StatisticsError> {
    let [low_1, high_1] = wilson(first[0], first[1], alpha)?;
    let [low_2, high_2] = wilson(second[0], second[1], alpha)?;
    let [share_1, share_2] = [first, second].map(|[hits, count]| hits as f64 / count as f64);
    let reach = |a: f64, b: f64| (a * a + b * b).sqrt();
    let difference = share_1 - share_2;
    Ok([
        difference - reach(share_1 - low_1, high_2 - share_2),
        difference + reach(high_1 - share_1, share_2 - low_2),
    ])
}

fn checked(successes: u64, trials: u64, alpha: f64) -> Result<(f64, f64), StatisticsError> {
    if trials == 0 {
        return Err(StatisticsError::TooFew { count: 0, min: 1 });
    }
    check_range("successes", successes as f64, successes <= trials, "at most the trials")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    Ok((successes as f64, trials as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ours: [f64; 2], theirs: [f64; 2]) {
        for (a, b) in ours.iter().zip(theirs) {
            // Closed forms, or beta quantiles that both sides solve to 1e-12.
            assert!((a - b).abs() < 1e-11, "{ours:?} {theirs:?}");
        }
    }

    /// statsmodels 0.15.0, `proportion_confint` and `confint_proportions_2indep(newcomb)`.
    #[test]
    fn intervals_agree_with_statsmodels() {
        let wilson = |hits| wilson(hits, 50, 0.05).unwrap();
        check(wilson(0), [0.0, 0.071_347_599_133_358_74]);
        check(wilson(3), [0.020_614_970_348_973_943, 0.162_170_916_888_381_73]);
        check(wilson(45), [0.786_397_685_625_203_4, 0.956_524_235_068_109_5]);
        check(wilson(50), [0.928_652_400_866_641_2, 1.0]);
        let jeffreys = |hits| jeffreys(hits, 50, 0.05).unwrap();
        check(jeffreys(0), [9.771_663_301_804_052e-6, 0.048_758_459_444_071_39]);
        check(jeffreys(3), [0.017_186_649_071_151_135, 0.151_532_563_027_660_27]);
        check(jeffreys(45), [0.794_645_171_976_952_4, 0.960_805_635_605_816_2]);
        check(jeffreys(50), [0.951_241_540_555_928_6, 0.999_990_228_336_698_2]);
        let agresti = |hits| agresti_coull(hits, 50, 0.05).unwrap();
        check(agresti(0), [0.0, 0.085_216_120_577_958_23]);
        check(agresti(3), [0.014_420_713_926_101_822, 0.168_365_173_311_253_9]);
        check(agresti(45), [0.782_062_266_130_463_6, 0.960_859_654_562_849_3]);
        check(agresti(50), [0.914_783_879_422_043_2, 1.0]);
        check(
            newcombe_difference([45, 50], [40, 50], 0.05).unwrap(),
            [-0.043_431_785_912_092_04, 0.242_097_157_814_087_25],
        );
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        assert!(wilson(1, 0, 0.05).is_err() && jeffreys(3, 2, 0.05).is_err());
        assert!(agresti_coull(1, 2, 0.0).is_err());
        assert!(newcombe_difference([1, 2], [1, 0], 0.05).is_err());
    }
}
