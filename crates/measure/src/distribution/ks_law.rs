//! The laws of Kolmogorov-Smirnov and Cramer-von Mises statistics.
//!
//! Invariant: tails are sums of positive terms wherever they are small, so that they keep their
//! digits; every result lies in `[0, 1]`.
//! No units.
//!
//! Not here: the statistics themselves (see [`super::ks`]).

use std::f64::consts::PI;

use tiepoint_model::math;

use super::ks::KsAlternative;
use crate::MeasureError;

/// More pairs than this are refused: an hour of work.
const PAIRS_MAX: f64 = (1_u64 << 40) as f64;

/// The probability that two samples of these sizes from one continuous law lie at least `distance`
/// apart.
///
/// A path through the lattice of how many values of each sample lie below a place: `v(i, j)` is the
/// probability that a path to `(i, j)` has touched the outside, and both ways to get there are
/// weighted by how many paths use them. Only the places inside are walked: time `O(nm D)`, memory
/// `O(min(n, m))`.
///
/// # Source
/// Hodges 1958 (the lattice); the recursion with probabilities in place of counts is Durbin's, 1973.
pub(super) fn smirnov_tail_two_samples(
    counts: [usize; 2],
    distance: f64,
    alternative: KsAlternative,
) -> Result<f64, MeasureError> {
    let pairs = counts[0] as f64 * counts[1] as f64;
    if pairs > PAIRS_MAX {
        return Err(MeasureError::InvalidOption {
            name: "pairs of an exact test",
            value: pairs,
            requirement: "at most 2^40; use the asymptotic law",
        });
    }
    // The tail is symmetric: walk along the longer sample, hold a row of the shorter.
    let is_swapped = counts[0] < counts[1];
    let [n, m] = if is_swapped { [counts[1], counts[0]] } else { counts };
    let [n_signed, m_signed] = [n, m].map(|count| count as i64);
    #[expect(clippy::cast_possible_truncation, reason = "an integer up to 2^40, up to rounding")]
    let limit = (distance * pairs).round() as i64;
    if limit == 0 {
        return Ok(1.0);
    }
    // `i m − j n` of the longer and the shorter sample; swapping them swaps the one-sided tests.
    let [bounds_above, bounds_below] = match (alternative, is_swapped) {
        (KsAlternative::TwoSided, _) => [true, true],
        (KsAlternative::Greater, false) | (KsAlternative::Less, true) => [true, false],
        (KsAlternative::Less, false) | (KsAlternative::Greater, true) => [false, true],
    };
    // Slots that no path has reached inside the band are outside: probability 1.
    let mut row = vec![1.0_f64; m + 1];
    for i in 0..=n {
        let height = i as i64 * m_signed;
        // Inside: height − j n < limit, and j n − height < limit.
        let first = if bounds_above { (height - limit).div_euclid(n_signed) + 1 } else { 0 };
        let last = if bounds_below { (height + limit - 1).div_euclid(n_signed) } else { m_signed };
        let [first, last] = [first.max(0), last.min(m_signed)].map(usize::try_from);
        let (Ok(first), Ok(last)) = (first, last) else { continue };
        let mut left = if first > 0 { 1.0 } else { 0.0 };
        if first > 0 {
            row[first - 1] = 1.0;
        }
        for (j, slot) in (first..).zip(&mut row[first..=last]) {
            let (along, across) = (i as f64, j as f64);
            let total = (along + across).max(1.0);
            left = if i == 0 { left } else { *slot * (along / total) + left * (across / total) };
            *slot = left;
        }
    }
    Ok(row[m].clamp(0.0, 1.0))
}

/// `P(D_n > x)` of the one-sample two-sided statistic, for a whole number `n >= 1`.
///
/// Exact (Durbin's matrix or twice the one-sided tail) or, for large n and small x, the expansion
/// of Pelz and Good: the choices of SciPy 1.17.1.
///
/// # Source
/// Simard and L'Ecuyer, *Computing the two-sided Kolmogorov-Smirnov distribution*, 2011;
/// Marsaglia, Tsang and Wang 2003; Pelz and Good 1976.
pub(super) fn kolmogorov_tail_at(n: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x >= 1.0 {
        return 0.0;
    }
    let t = n * x;
    let tail = if t <= 0.5 {
        1.0
    } else if t <= 1.0 {
        let log_ratio = math::ln_gamma(n + 1.0) - n * math::ln(n);
        1.0 - math::exp(log_ratio + n * math::ln(2.0 * t - 1.0))
    } else if t >= n - 1.0 {
        2.0 * math::pow(1.0 - x, n)
    } else if x >= 0.5 || t * x > 4.0 {
        if t * x >= 370.0 { 0.0 } else { 2.0 * smirnov_tail(n, x) }
    } else if n <= 140.0 {
        1.0 - durbin_matrix(n, x)
    } else if t * x >= 2.2 {
        2.0 * smirnov_tail(n, x)
    } else if n <= 100_000.0 && n * x * x.sqrt() <= 1.4 {
        1.0 - durbin_matrix(n, x)
    } else {
        1.0 - pelz_good(n, x)
    };
    tail.clamp(0.0, 1.0)
}

/// `P(D_n⁺ >= x)` of the one-sided statistic: a sum of n positive terms.
///
/// # Source
/// Smirnov 1944; Birnbaum and Tingey 1951. Each term is written as a binomial probability with its
/// deviance apart (Loader 2000), so that no large logarithms cancel.
fn smirnov_tail(n: f64, x: f64) -> f64 {
    let shift = n * x;
    let mut sum = math::exp(n * math::ln_1p(-x));
    let mut j = 1.0;
    while j < n - shift {
        let rest = n - j;
        let deviance = -j * math::ln_1p(shift / j) - rest * math::ln_1p(-shift / rest);
        let correction = stirling_error(n) - stirling_error(j) - stirling_error(rest);
        let density = (n / (2.0 * PI * j * rest)).sqrt() * math::exp(correction - deviance);
        sum += density * shift / (shift + j);
        j += 1.0;
    }
    sum.clamp(0.0, 1.0)
}

/// `ln k! − ln(sqrt(2 π k) (k / e)^k)` for a whole number above 0.
fn stirling_error(k: f64) -> f64 {
    if k < 16.0 {
        let mut factorial = 1.0;
        let mut factor = 2.0;
        while factor <= k {
            factorial *= factor;
            factor += 1.0;
        }
        return math::ln(factorial) - (k + 0.5) * math::ln(k) + k - 0.5 * math::ln(2.0 * PI);
    }
    let square = k * k;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square)
            / square)
        / k
}

/// `P(D_n < x)` by Durbin's matrix.
fn durbin_matrix(n: f64, x: f64) -> f64 {
    let t = n * x;
    let k = t.ceil();
    let h = k - t;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "k is at most 60: the caller keeps n x² or n x^1.5 small"
    )]
    let (k, n_whole) = (k as usize, n as usize);
    let size = 2 * k - 1;
    let mut matrix = vec![0.0; size * size];
    let mut power = 1.0;
    let mut powers = Vec::with_capacity(size + 1);
    for _ in 0..=size {
        powers.push(power);
        power *= h;
    }
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            let mut value = 1.0;
            if column == 0 {
                value -= powers[row + 1];
            }
            if row == size - 1 {
                value -= powers[size - column];
            }
            if column == 0 && row == size - 1 && 2.0 * h > 1.0 {
                value += math::pow(2.0 * h - 1.0, size as f64);
            }
            for divisor in 1..=(row + 1 - column) {
                value /= divisor as f64;
            }
            matrix[row * size + column] = value;
        }
    }
    let (raised, mut exponent) = matrix_power(&matrix, size, n_whole);
    let mut value = raised[(k - 1) * size + k - 1];
    for i in 1..=n_whole {
        value *= i as f64 / n;
        if value < 1e-140 {
            value *= 1e140;
            exponent -= 140;
        }
    }
    value * math::pow(10.0, f64::from(exponent))
}

/// A matrix to a power, as a matrix times a power of ten.
fn matrix_power(matrix: &[f64], size: usize, exponent: usize) -> (Vec<f64>, i32) {
    let mut result: Vec<f64> = vec![0.0; size * size];
    (0..size).for_each(|i| result[i * size + i] = 1.0);
    let (mut square, mut square_exponent) = (matrix.to_vec(), 0);
    let mut result_exponent = 0;
    let centre = (size / 2) * size + size / 2;
    let mut left = exponent;
    while left > 0 {
        if left % 2 == 1 {
            result = product(&result, &square, size);
            result_exponent += square_exponent;
            rescale(&mut result, &mut result_exponent, centre);
        }
        left /= 2;
        if left > 0 {
            square = product(&square, &square, size);
            square_exponent *= 2;
            rescale(&mut square, &mut square_exponent, centre);
        }
    }
    (result, result_exponent)
}

fn rescale(matrix: &mut [f64], exponent: &mut i32, centre: usize) {
    if matrix[centre] > 1e140 {
        matrix.iter_mut().for_each(|value| *value *= 1e-140);
        *exponent += 140;
    }
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut result = vec![0.0; size * size];
    for (row, of_a) in result.chunks_exact_mut(size).zip(a.chunks_exact(size)) {
        for (&factor, of_b) in of_a.iter().zip(b.chunks_exact(size)) {
            for (value, &other) in row.iter_mut().zip(of_b) {
                *value += factor * other;
            }
        }
    }
    result
}

/// `P(D_n <= x)` to the order `n^-3/2`.
fn pelz_good(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let z2 = z * z;
    let (z4, z6) = (z2 * z2, z2 * z2 * z2);
    let (pi2, pi4) = (PI * PI, PI * PI * PI * PI);
    let pi6 = pi4 * pi2;
    let log_q = -pi2 / 8.0 / z2;
    if log_q < -708.0 {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "z lies between 0.04 and 1.5 here")]
    let terms = (16.0 * z / PI).ceil() as i32;
    let mut sums = [0.0; 4];
    let mut extra = [0.0; 2];
    for k in (1..=terms).rev() {
        let odd = f64::from(2 * k - 1);
        let m2 = odd * odd;
        let (m4, m6) = (m2 * m2, m2 * m2 * m2);
        let weight = math::exp(log_q * m2);
        let polynomials = [
            1.0,
            -z2 + pi2 / 4.0 * m2,
            6.0 * z6
                + 2.0 * z4
                + (2.0 * z4 - 5.0 * z2) * pi2 / 4.0 * m2
                + pi4 * (1.0 - 2.0 * z2) / 16.0 * m4,
            -30.0 * z6 - 90.0 * z4 * z4
                + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi4 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m4
                + pi6 * (5.0 - 30.0 * z2) / 64.0 * m6,
        ];
        for (sum, polynomial) in sums.iter_mut().zip(polynomials) {
            *sum += weight * polynomial;
        }
        let k2 = f64::from(k) * f64::from(k);
        let weight = math::exp(-pi2 / 2.0 / z2 * k2);
        extra[0] += k2 * weight;
        extra[1] += (3.0 * z2 - pi2 * k2) * k2 * weight;
    }
    let root = (2.0 * PI).sqrt();
    let k0 = sums[0] * root / z;
    let k1 = sums[1] * root / (6.0 * z4);
    let k2 = sums[2] * root / (72.0 * z6 * z) - extra[0] * pi2 * root / (36.0 * z2 * z);
    let k3 = sums[3] * root / (6480.0 * z4 * z6) + extra[1] * pi2 * root / (216.0 * z6);
    k0 + k1 / n.sqrt() + k2 / n + k3 / (n * n.sqrt())
}

/// `P(W² <= x)` of the Cramer-von Mises limit law.
///
/// # Source
/// Csorgo and Faraway, *The exact and asymptotic distributions of Cramer-von Mises statistics*,
/// 1996, equation 1.2; the Bessel function from its integral `∫ exp(−y cosh t) cosh(t / 4) dt`.
pub(super) fn cramer_von_mises_limit(x: f64) -> f64 {
    let mut total = 0.0;
    for k in 0..40 {
        let odd = 4.0 * f64::from(k) + 1.0;
        let y = odd * odd / (16.0 * x);
        let log_ratio = math::ln_gamma(f64::from(k) + 0.5) - math::ln_gamma(f64::from(k) + 1.0);
        let scale = math::exp(log_ratio) / (PI * PI.sqrt() * x.sqrt());
        // The integral of exp(y - y cosh t) cosh(t / 4), with exp(-2 y) put outside.
        let term = scale * odd.sqrt() * math::exp(-2.0 * y) * bessel_k_quarter_scaled(y);
        total += term;
        if term < 1e-17 * total {
            break;
        }
    }
    total
}

/// `exp(y) K_{1/4}(y)` by the trapezoidal rule, which converges exponentially for this integrand.
fn bessel_k_quarter_scaled(y: f64) -> f64 {
    const STEP: f64 = 1.0 / 64.0;
    let mut sum = 0.5;
    let mut t = STEP;
    loop {
        let (up, down) = (math::exp(t), math::exp(-t));
        let quarter = math::exp(t / 4.0);
        let exponent = y * (0.5 * (up + down) - 1.0);
        if exponent > 745.0 {
            return sum * STEP;
        }
        sum += math::exp(-exponent) * 0.5 * (quarter + 1.0 / quarter);
        t += STEP;
    }
}

#[cfg(test)]
mod tests;
