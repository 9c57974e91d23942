//! Tests of "there is no difference": for diagnostics and vetoes, which may only fail a set.
//!
//! Null hypothesis: paired differences are symmetric about zero.
//! Invariant: a large p supports nothing; equivalence has tests of its own (see
//! [`super::equivalence`]).
//! Cost: `O(n)` for each exchange of signs that is tried, `O(n³)` for the exact law of ranks.
//!
//! Not here: two groups without pairs.

use tiepoint_model::Seed;

use super::StatisticsError;

/// Two-sided p of the mean of paired differences under random exchange of the two sides.
///
/// The observed arrangement counts as one of the exchanges, so that p is never zero and the test
/// is exact for any number of them.
///
/// # Errors
/// No difference, one that is not finite, no exchanges.
///
/// # Source
/// Fisher, *The Design of Experiments*, 1935; Phipson and Smyth, 2010, for the count;
/// `scipy.stats.permutation_test(permutation_type="samples")`.
pub fn exchange_test(
    differences: &[f64],
    exchanges: u64,
    seed: Seed,
) -> Result<f64, StatisticsError> {
    check(differences)?;
    super::check_range("exchanges", exchanges as f64, exchanges > 0, "at least 1")?;
    let observed: f64 = differences.iter().sum();
    let scale: f64 = differences.iter().map(|difference| difference.abs()).sum();
    // Sums that are equal but for rounding are equal.
    let limit = observed.abs() - 1e-14 * scale;
    let mut as_large = 1_u64;
    for exchange in 0..exchanges {
        let mut draws = seed.draws(exchange, 0);
        let mut bits = 0;
        let mut sum = 0.0;
        for (index, difference) in differences.iter().enumerate() {
            if index % 64 == 0 {
                bits = draws.bits();
            }
            sum += if bits & 1 == 1 { *difference } else { -*difference };
            bits >>= 1;
        }
        as_large += u64::from(sum.abs() >= limit);
    }
    Ok(as_large as f64 / (exchanges + 1) as f64)
}

/// Wilcoxon's signed-rank statistic and its exact two-sided p, without ties and zeros.
///
/// # Errors
/// No difference, one that is not finite, more than a thousand, or
/// [`StatisticsError::NotIdentified`] where two sizes are equal or one is zero.
///
/// # Source
/// Wilcoxon, Biometrics Bulletin 1, 1945; the smaller one of the two rank sums, as
/// `scipy.stats.wilcoxon(method="exact")`.
pub fn wilcoxon_signed_rank(differences: &[f64]) -> Result<(f64, f64), StatisticsError> {
    const COUNT_MAX: usize = 1000; // beyond, one half to the power of the count is no number
    check(differences)?;
    let count = differences.len();
    super::check_range("count", count as f64, count <= COUNT_MAX, "at most 1000")?;
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let tied = sorted.windows(2).any(|pair| pair[0].abs() == pair[1].abs());
    if tied || sorted[0] == 0.0 {
        let reason = "two differences have one size, or one is zero";
        return Err(StatisticsError::NotIdentified { name: "rank", reason });
    }
    let positive: usize =
        (1..).zip(&sorted).filter(|(_, value)| **value > 0.0).map(|(rank, _)| rank).sum();
    let all = count * (count + 1) / 2;
    let smaller = positive.min(all - positive);
    // Chance of each rank sum, one rank after the other: in or out with one half.
    let mut chances = vec![0.0; all + 1];
    chances[0] = 1.0;
    let mut reached = 0;
    for rank in 1..=count {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= rank { chances[sum - rank] } else { 0.0 };
            chances[sum] = 0.5 * (chances[sum] + with);
        }
    }
    let tail: f64 = chances[..=smaller].iter().sum();
    Ok((smaller as f64, (2.0 * tail).min(1.0)))
}

fn check(differences: &[f64]) -> Result<(), StatisticsError> {
    if differences.is_empty() {
        return Err(StatisticsError::TooFew { count: 0, min: 1 });
    }
    match differences.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(StatisticsError::NotFinite { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three values: of eight arrangements two are as extreme as all on one side.
    #[test]
    fn small_samples_have_their_enumerated_p() {
        assert_eq!(wilcoxon_signed_rank(&[1.0, 2.0, 3.0]), Ok((0.0, 0.25)));
        assert_eq!(wilcoxon_signed_rank(&[-1.0, 2.0, 3.0]), Ok((1.0, 0.5)));
        let p = exchange_test(&[1.0, 2.0, 3.0], 40_000, Seed(1)).unwrap();
        assert!((p - 0.25).abs() < 0.01, "{p}"); // four and a half standard errors
        assert_eq!(exchange_test(&[0.0; 5], 100, Seed(1)), Ok(1.0));
    }

    #[test]
    fn turning_every_sign_changes_nothing() {
        let values = [0.3, -0.1, 0.7, 0.2, -0.45, 0.9];
        let turned = values.map(|value| -value);
        assert_eq!(wilcoxon_signed_rank(&values), wilcoxon_signed_rank(&turned));
        assert_eq!(exchange_test(&values, 999, Seed(2)), exchange_test(&turned, 999, Seed(2)));
    }

    #[test]
    fn differences_that_cannot_be_ranked_are_named() {
        assert!(matches!(
            wilcoxon_signed_rank(&[1.0, -1.0]),
            Err(StatisticsError::NotIdentified { .. })
        ));
        assert!(wilcoxon_signed_rank(&[0.0, 1.0]).is_err());
        for bad in [&[][..], &[f64::NAN], &[1.0, f64::INFINITY]] {
            assert!(wilcoxon_signed_rank(bad).is_err() && exchange_test(bad, 9, Seed(1)).is_err());
        }
        assert!(exchange_test(&[1.0], 0, Seed(1)).is_err());
    }
}
