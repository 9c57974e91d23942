//! Corrections for many statements at once: Holm on p-values, e-BH on e-values.
//!
//! Invariant: results are in the order of the input. A missing or NaN value can never help: a p
//! counts as 1, an e as 0.
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
    let cleaned: Vec<f64> =
        p_values.iter().map(|p| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }).collect();
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

    #[test]
    fn a_missing_value_never_helps() {
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
