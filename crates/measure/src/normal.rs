//! The standard normal distribution and its quantile.
//!
//! Invariant: a tail is computed as a tail; the same bits everywhere.
//!
//! Not here: other distributions.

use tiepoint_model::math::erfc;

/// Chance of a standard normal value at or below `z`.
pub(crate) fn cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The value with chance `p` at or below it; infinite at 0 and 1, NaN outside.
pub(crate) fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    // The smaller tail keeps its digits.
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    if tail <= 0.0 {
        return sign * f64::INFINITY;
    }
    // Below the smallest double no tail is left.
    let (mut low, mut high) = (0.0, 40.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return sign * middle;
        }
        if cdf(-middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed tables, and one undoes the other in both tails.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-13);
        assert!((quantile(0.05) + 1.644_853_626_951_472_7).abs() < 1e-13);
        for p in [1e-300, 1e-9, 0.3, 0.5, 0.999] {
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
        }
        assert_eq!(quantile(1.0), f64::INFINITY);
        assert!(quantile(1.5).is_nan() && quantile(f64::NAN).is_nan());
    }
}
