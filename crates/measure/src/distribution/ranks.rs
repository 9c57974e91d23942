//! Ranks with ties shared.
//!
//! Invariant: the ranks of n values sum to `n (n + 1) / 2`; equal values have equal ranks.
//! Cost: `O(n log n)` time, `O(n)` memory.
//!
//! Not here: NaN, which the caller refuses first.

/// Ranks from 1; equal values share the mean of their places.
pub(super) fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        // By <=, so that -0.0 and 0.0 are one value.
        let tied = order[start..].iter().take_while(|&&index| values[index] <= value).count();
        let rank = start as f64 + (tied as f64 + 1.0) / 2.0;
        for &index in &order[start..start + tied] {
            ranks[index] = rank;
        }
        start += tied;
    }
    ranks
}
