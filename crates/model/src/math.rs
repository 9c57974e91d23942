//! Transcendental functions with the same bits on every machine and in every build profile.
//!
//! Invariant: every function here is `libm`'s; the standard library's may differ by one unit in the last place between platforms.
//! Angles are radians. `sqrt`, `abs`, `floor` and arithmetic are exact by IEEE 754, so the standard ones are used.

/// Sine of an angle in radians.
#[must_use]
pub fn sin(angle_rad: f64) -> f64 {
    libm::sin(angle_rad)
}

/// Cosine of an angle in radians.
#[must_use]
pub fn cos(angle_rad: f64) -> f64 {
    libm::cos(angle_rad)
}

/// Sine and cosine of an angle in radians.
#[must_use]
pub fn sin_cos(angle_rad: f64) -> (f64, f64) {
    libm::sincos(angle_rad)
}

/// Tangent of an angle in radians.
#[must_use]
pub fn tan(angle_rad: f64) -> f64 {
    libm::tan(angle_rad)
}

/// Angle of the vector `(x, y)` from the x axis, in `(-pi, pi]` radians.
#[must_use]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// Arc cosine in radians.
#[must_use]
pub fn acos(x: f64) -> f64 {
    libm::acos(x)
}

/// Arc sine in radians.
#[must_use]
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

/// Natural exponential.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Natural logarithm of `1 + x`, exact near zero.
#[must_use]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `base` to the power `exponent`.
#[must_use]
pub fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// Length of the vector `(x, y)` without overflow.
#[must_use]
pub fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

/// Natural logarithm of the gamma function, for `x > 0`.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Error function.
#[must_use]
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Complementary error function, exact in the tail.
#[must_use]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The same direction in `(-pi, pi]` radians.
#[must_use]
pub fn wrap_angle(angle_rad: f64) -> f64 {
    use std::f64::consts::PI;
    if angle_rad > -PI && angle_rad <= PI {
        return angle_rad;
    }
    let turns = (angle_rad / (2.0 * PI)).round();
    let wrapped = angle_rad - turns * 2.0 * PI;
    if wrapped <= -PI { wrapped + 2.0 * PI } else { wrapped }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn wrapping_keeps_the_direction_and_the_half_open_interval() {
        for step in -4000..4000 {
            let angle = f64::from(step) * 0.01;
            let wrapped = wrap_angle(angle);
            assert!(wrapped > -PI && wrapped <= PI, "{angle} gave {wrapped}");
            assert!((sin(angle) - sin(wrapped)).abs() < 1e-12);
            assert!((cos(angle) - cos(wrapped)).abs() < 1e-12);
        }
        assert!((wrap_angle(-PI) - PI).abs() < 1e-15);
    }
}
