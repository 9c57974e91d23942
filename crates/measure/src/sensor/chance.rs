//! Chances of chi-square and binomial variables, for intervals of variances and of shares.
//!
//! Invariant: a tail is computed as a tail; quantiles are exact to the last bits of the cdf.
//!
//! Not here: tests and verdicts.

use tiepoint_model::math::{exp, ln, ln_1p, ln_gamma};

use crate::{Interval, MeasureError, Share};

/// Chance of a gamma variable of the given shape and scale 1 at or below `x`, and above it.
///
/// Series below the mean, continued fraction above.
///
/// # Source
/// Abramowitz and Stegun 6.5.29 and 6.5.31; Lentz, Applied Optics 15(3), 1976.
fn gamma_tails(shape: f64, x: f64) -> (f64, f64) {
    const STEPS_MAX: u32 = 200_000; // grows with the root of the shape
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let scale = exp(shape * ln(x) - x - ln_gamma(shape));
    if x < shape + 1.0 {
        let mut term = 1.0 / shape;
        let mut sum = term;
        for step in 1..STEPS_MAX {
            term *= x / (shape + f64::from(step));
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        let below = (scale * sum).min(1.0);
        return (below, 1.0 - below);
    }
    let mut b = x + 1.0 - shape;
    let mut c = f64::MAX;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for step in 1..STEPS_MAX {
        let step = f64::from(step);
        let a = -step * (step - shape);
        b += 2.0;
        d = 1.0 / away_from_zero(a * d + b);
        c = away_from_zero(b + a / c);
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let above = (scale * fraction).min(1.0);
    (1.0 - above, above)
}

fn away_from_zero(value: f64) -> f64 {
    const TINY: f64 = 1e-300;
    if value.abs() < TINY { TINY } else { value }
}

/// Chance of a chi-square value at or below `x`.
#[must_use]
pub fn chi_square_cdf(x: f64, degrees_of_freedom: f64) -> f64 {
    gamma_tails(0.5 * degrees_of_freedom, 0.5 * x).0
}

/// The chi-square value with chance `p` at or below it; NaN outside `(0, 1)` or without degrees of
/// freedom.
///
/// Above 1e6 degrees of freedom by Wilson and Hilferty (1931), exact to 1e-9 there.
#[must_use]
pub fn chi_square_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && degrees_of_freedom > 0.0 && degrees_of_freedom.is_finite()) {
        return f64::NAN;
    }
    if degrees_of_freedom > 1e6 {
        let ninth = 2.0 / (9.0 * degrees_of_freedom);
        let root = 1.0 - ninth + normal_quantile(p) * ninth.sqrt();
        return degrees_of_freedom * root * root * root;
    }
    let is_below = |x: f64| {
        let (below, above) = gamma_tails(0.5 * degrees_of_freedom, 0.5 * x);
        if p < 0.5 { below < p } else { above > 1.0 - p }
    };
    let mut high = degrees_of_freedom + 1.0;
    while is_below(high) {
        high *= 2.0;
    }
    bisect(0.0, high, is_below)
}

/// The standard normal value with chance `p` at or below it.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    let above = |z: f64| 0.5 * tiepoint_model::math::erfc(z / std::f64::consts::SQRT_2);
    sign * bisect(0.0, 40.0, |z| above(z) > tail)
}

/// The interval of a deviation whose square is chi-square distributed.
///
/// # Errors
/// [`MeasureError::InvalidOption`] for a level outside `(0, 1)` or no degrees of freedom.
///
/// # Source
/// Riley, NIST SP 1065, 2008, section 5.3.
pub fn deviation_interval(
    deviation: f64,
    degrees_of_freedom: f64,
    level: f64,
) -> Result<Interval, MeasureError> {
    require_level(level)?;
    crate::statistics::require_positive(degrees_of_freedom, "degrees_of_freedom")?;
    let tail = 0.5 * (1.0 - level);
    let end = |p: f64| {
        let quantile = chi_square_quantile(p, degrees_of_freedom);
        deviation * (degrees_of_freedom / quantile).sqrt()
    };
    Ok(Interval { low: end(1.0 - tail), high: end(tail), level })
}

/// The exact interval of a share, from independent draws.
///
/// `None` if nothing was counted.
///
/// # Errors
/// [`MeasureError::InvalidOption`] for a level outside `(0, 1)`.
///
/// # Source
/// Clopper and Pearson, Biometrika 26(4), 1934.
pub fn share_interval(share: Share, level: f64) -> Result<Option<Interval>, MeasureError> {
    require_level(level)?;
    if share.count == 0 || share.hit_count > share.count {
        return Ok(None);
    }
    let tail = 0.5 * (1.0 - level);
    let (hits, misses) = (share.hit_count as f64, (share.count - share.hit_count) as f64);
    let quantile = |p: f64, a: f64, b: f64| bisect(0.0, 1.0, |x| incomplete_beta(a, b, x) < p);
    let low = if hits == 0.0 { 0.0 } else { quantile(tail, hits, misses + 1.0) };
    let high = if misses == 0.0 { 1.0 } else { quantile(1.0 - tail, hits + 1.0, misses) };
    Ok(Some(Interval { low, high, level }))
}

pub(crate) fn require_level(level: f64) -> Result<(), MeasureError> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    let requirement = "between 0 and 1";
    Err(MeasureError::InvalidOption { name: "level", value: level, requirement })
}

/// Regularised incomplete beta function, by its continued fraction.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast below the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..20_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            change *= c * d;
        }
        fraction *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    exp(a * ln(x) + b * ln_1p(-x) - ln_beta) / a * fraction
}

/// The point where `is_below` turns false, to the last bit.
fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed tables: Abramowitz and Stegun 26.8, three decimals; two degrees are exponential.
    #[test]
    fn chi_square_quantiles_agree_with_printed_tables() {
        for (p, df, expected) in
            [(0.95, 1.0, 3.841), (0.05, 10.0, 3.940), (0.975, 30.0, 46.979), (0.005, 100.0, 67.328)]
        {
            assert!((chi_square_quantile(p, df) - expected).abs() < 6e-4, "{p} {df}");
        }
        let exponential = -2.0 * ln(0.3);
        assert!((chi_square_quantile(0.7, 2.0) - exponential).abs() < 1e-13);
        // Both formulas meet at a million.
        let [below, above] = [0.999_999e6, 1.000_001e6].map(|df| chi_square_quantile(0.975, df));
        assert!((above / below - 1.0 - 2e-6).abs() < 1e-8, "{below} {above}");
    }

    #[test]
    fn quantiles_undo_the_cdf() {
        for df in [0.3, 1.0, 7.5, 200.0, 1e5] {
            for p in [1e-6, 0.025, 0.5, 0.975] {
                let back = chi_square_cdf(chi_square_quantile(p, df), df);
                assert!((back - p).abs() < 1e-9, "{df} {p} {back}");
            }
        }
        assert!(chi_square_quantile(0.5, 0.0).is_nan() && chi_square_quantile(1.0, 2.0).is_nan());
    }

    /// Closed forms: no hit of n at 95 %, and the symmetry of hits and misses.
    #[test]
    fn share_intervals_have_their_closed_forms() {
        let of = |hit_count, count| share_interval(Share { hit_count, count }, 0.95).unwrap();
        let none = of(0, 20).unwrap();
        let expected = 1.0 - exp(ln(0.025) / 20.0);
        assert!(none.low == 0.0 && (none.high - expected).abs() < 1e-12);
        let (one, other) = (of(3, 17).unwrap(), of(14, 17).unwrap());
        assert!((one.low - (1.0 - other.high)).abs() < 1e-12);
        assert_eq!(of(0, 0), None);
        assert!(share_interval(Share::default(), 1.0).is_err());
    }
}
