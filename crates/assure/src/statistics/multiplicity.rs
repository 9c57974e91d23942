//! Corrections for many statements at once: Holm, Bonferroni, Benjamini and Hochberg or Yekutieli
//! on p-values, e-BH on e-values.
//!
//! Invariant: results are in the order of the input. A missing or NaN value can never help: a p
//! counts as 1, an e as 0.
//! Cost: `O(n log n)`.
//!
//! Not here: which statements form the family (the claim's declared cells).

/// Holm's adjusted p-values: rejecting those at or below alpha keeps the chance of any false
/// rejection at alpha, under any dependence.
///
/// # Source
/// Holm, Scandinavian Journal of Statistics 6(2), 1979.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let cleaned: Vec<f64> = p_values.iter().map(|&p| cleaned(p)).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| cleaned[a].total_cmp(&cleaned[b]));
    let mut adjusted = vec![1.0; count];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max((cleaned[index] * (count - rank) as f64).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Bonferroni's adjusted p-values: as Holm's and never smaller.
#[must_use]
pub fn bonferroni(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len() as f64;
    p_values.iter().map(|&p| (cleaned(p) * count).min(1.0)).collect()
}

/// Adjusted p-values of Benjamini and Hochberg: rejecting those at or below alpha keeps the
/// expected share of false rejections at alpha, if the p-values are independent.
///
/// # Source
/// Benjamini and Hochberg, JRSS-B 57(1), 1995.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, 1.0)
}

/// Adjusted p-values of Benjamini and Yekutieli: as above, under any dependence.
///
/// # Source
/// Benjamini and Yekutieli, Annals of Statistics 29(4), 2001.
#[must_use]
pub fn benjamini_yekutieli(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, (1..=p_values.len()).map(|rank| 1.0 / rank as f64).sum())
}

/// From the largest p down: the smallest of `factor * p * count / rank` so far.
fn step_up(p_values: &[f64], factor: f64) -> Vec<f64> {
    let count = p_values.len();
    let cleaned: Vec<f64> = p_values.iter().map(|&p| cleaned(p)).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| cleaned[a].total_cmp(&cleaned[b]));
    let mut adjusted = vec![1.0; count];
    let mut smallest = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        let scaled = factor * cleaned[index] * count as f64 / (rank + 1) as f64;
        smallest = smallest.min(scaled);
        adjusted[index] = smallest;
    }
    adjusted
}

fn cleaned(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}

/// Which hypotheses e-BH rejects: false discovery rate at most `alpha`, under any dependence.
///
/// # Source
/// Wang and Ramdas, JRSS-B 84(3), 2022.
#[must_use]
pub fn e_bh(e_values: &[f64], alpha: f64) -> Vec<bool> {
    let count = e_values.len();
    let cleaned: Vec<f64> =
        e_values.iter().map(|e| if e.is_nan() { 0.0 } else { e.max(0.0) }).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| cleaned[b].total_cmp(&cleaned[a]));
    let last = order
        .iter()
        .enumerate()
        .filter(|&(rank, &index)| (rank + 1) as f64 * cleaned[index] >= count as f64 / alpha)
        .map(|(rank, _)| rank + 1)
        .max()
        .unwrap_or(0);
    let mut rejected = vec![false; count];
    for &index in &order[..last] {
        rejected[index] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15.0, `multipletests(p, method="holm")`.
    #[test]
    fn holm_agrees_with_statsmodels() {
        let p = [0.205, 0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.212, 0.216];
        let expected = [0.615, 0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615];
        for (ours, theirs) in holm(&p).iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-12, "{ours} {theirs}");
        }
    }

    /// statsmodels 0.15.0, `fdr_bh`, `fdr_by` and `bonferroni`.
    #[test]
    fn other_corrections_agree_with_statsmodels() {
        let p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
        let bh =
            [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105_714_285_714_285_72, 0.216, 0.216, 0.216];
        let by = [
            0.029_289_682_539_682_536,
            0.117_158_730_158_730_14,
            0.246_033_333_333_333_33,
            0.246_033_333_333_333_33,
            0.246_033_333_333_333_33,
            0.292_896_825_396_825_4,
            0.309_633_786_848_072_5,
            0.632_657_142_857_142_8,
            0.632_657_142_857_142_8,
            0.632_657_142_857_142_8,
        ];
        let single = [0.01, 0.08, 0.39, 0.41, 0.42, 0.6, 0.74, 1.0, 1.0, 1.0];
        let pairs =
            [(benjamini_hochberg(&p), bh), (benjamini_yekutieli(&p), by), (bonferroni(&p), single)];
        for (ours, theirs) in pairs {
            for (a, b) in ours.iter().zip(theirs) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
        }
    }

    /// Bonferroni is never below Holm, Holm never below Benjamini and Hochberg, and the order of
    /// the input does not matter.
    #[test]
    fn corrections_are_ordered_and_follow_their_input() {
        let mut draws = tiepoint_model::Seed(5).draws(0, 0);
        for count in [1, 2, 7, 40] {
            let p: Vec<f64> = (0..count).map(|_| draws.uniform() * draws.uniform()).collect();
            let mut reversed = p.clone();
            reversed.reverse();
            let mut back = holm(&reversed);
            back.reverse();
            assert_eq!(back, holm(&p));
            let (single, step, rate) = (bonferroni(&p), holm(&p), benjamini_hochberg(&p));
            for index in 0..count {
                assert!(single[index] >= step[index] && step[index] >= rate[index] - 1e-15);
                assert!(rate[index] >= p[index]);
            }
        }
    }

    #[test]
    fn a_missing_value_never_helps() {
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.02]), [1.0, 0.04]);
        assert_eq!(bonferroni(&[f64::NAN, -1.0]), [1.0, 0.0]);
        assert!(benjamini_yekutieli(&[]).is_empty());
        assert_eq!(holm(&[f64::NAN, 0.02]), [1.0, 0.04]);
        assert_eq!(e_bh(&[f64::NAN, 50.0], 0.05), [false, true]);
        assert!(holm(&[]).is_empty() && e_bh(&[], 0.05).is_empty());
    }

    /// With K hypotheses the k largest are rejected when the k-th is at least K / (alpha k).
    #[test]
    fn e_bh_rejects_up_to_the_last_large_enough_value() {
        assert_eq!(e_bh(&[10.0, 30.0, 35.0, 1.0], 0.1), [false, true, true, false]);
        assert_eq!(e_bh(&[10.0, 19.0, 19.0, 1.0], 0.1), [false, false, false, false]);
    }
}
