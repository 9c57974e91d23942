//! How an error falls with the number of samples, down to a floor: `error = floor + scale n^-c`.
//!
//! The floor is what more of the same data cannot remove: for synthetic data it is the gap between
//! the domains. A power law without a floor promises too much far out, so it is not offered.
//! Invariant: a curve that the points do not determine has no numbers, only a reason; an end of an
//! interval that the points do not bound is `None`.
//! Errors are in any unit, counts are samples.
//!
//! Not here: what a mixture is worth (see [`super::exchange`]).

use tiepoint_model::math::{exp, ln, pow};

use super::{
    StatisticsError, check_range,
    distributions::{bisect, student_t_quantile},
};

/// Exponents that are searched; beyond them a curve is a step or a line in the logarithm.
const EXPONENTS: [f64; 2] = [1e-3, 20.0];

/// Steps of the search over exponents, equal in the logarithm.
const EXPONENT_STEPS: u32 = 64;

/// One training run: how many samples, and the error on test data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Samples, above 0.
    pub count: f64,
    /// Error, finite.
    pub error: f64,
}

/// `error = floor + scale * count^-exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Error that no number of samples removes.
    pub floor: f64,
    /// Above 0.
    pub scale: f64,
    /// Above 0.
    pub exponent: f64,
}

impl Curve {
    /// The error expected with so many samples.
    #[must_use]
    pub fn error_at(&self, count: f64) -> f64 {
        self.floor + self.scale * pow(count, -self.exponent)
    }

    /// Samples for this error; `None` at or below the floor.
    #[must_use]
    pub fn count_for(&self, error: f64) -> Option<f64> {
        let excess = (error - self.floor) / self.scale;
        (excess > 0.0 && excess.is_finite()).then(|| pow(excess, -1.0 / self.exponent))
    }
}

/// A fitted curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Least squares.
    pub curve: Curve,
    /// Sum of squared residuals.
    pub square_sum: f64,
    /// Points less three parameters.
    pub degrees_of_freedom: usize,
}

/// Fits the curve by least squares, every point counting the same.
///
/// For each exponent the rest is linear; the exponent is where the slope of the squared residuals
/// changes sign.
///
/// # Inputs
/// At least four points with at least three different counts; repeated counts (seeds) are welcome.
///
/// # Errors
/// Too few points, numbers out of range, [`StatisticsError::NotIdentified`] if errors do not fall,
/// or fall without a bend.
///
/// # Source
/// Cortes et al., NeurIPS 1993, for the curve; Golub and Pereyra, SIAM J. Numerical Analysis 10,
/// 1973, for the separation.
pub fn fit_curve(points: &[Point]) -> Result<Fit, StatisticsError> {
    check(points)?;
    let best = Best::of(points);
    let unidentified = |reason| StatisticsError::NotIdentified { name: "curve", reason };
    if !best.inside {
        return Err(unidentified("the errors do not bend as a power law with a floor does"));
    }
    if best.curve.scale.is_nan() || best.curve.scale <= 0.0 {
        return Err(unidentified("the errors do not fall with the number of samples"));
    }
    let degrees_of_freedom = points.len() - 3;
    Ok(Fit { curve: best.curve, square_sum: best.square_sum, degrees_of_freedom })
}

/// Profile interval of the floor at confidence `1 - alpha`: the floors with which some scale and
/// exponent fit nearly as well. An end that the points leave open is `None`.
///
/// # Errors
/// As [`fit_curve`]; alpha outside `(0, 1)`.
///
/// # Source
/// Bates and Watts, *Nonlinear Regression Analysis*, 1988, section 6.1: profile t.
pub fn floor_interval(points: &[Point], alpha: f64) -> Result<[Option<f64>; 2], StatisticsError> {
    let fit = fit_curve(points)?;
    let limit = fit.limit(alpha)?;
    let errors = points.iter().map(|point| point.error);
    let (least, most) =
        errors.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), e| (a.min(e), b.max(e)));
    let fits = |floor: f64| square_sum_with_floor(points, floor) <= limit;
    let range = most - least;
    let end = |sign: f64| {
        let floor = |steps: f64| fit.curve.floor + sign * steps;
        let mut far = 1e-6 * range;
        while fits(floor(far)) {
            far *= 2.0;
            if far > 1e4 * range {
                return None;
            }
        }
        // Ten digits of the range of errors are more than any curve tells.
        Some(floor(bisect_to(0.0, far, 1e-10 * range, |steps| fits(floor(steps)))))
    };
    Ok([end(-1.0), end(1.0)])
}

impl Fit {
    /// The largest sum of squares that is as good as the best at confidence `1 - alpha`.
    pub(super) fn limit(&self, alpha: f64) -> Result<f64, StatisticsError> {
        check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
        let df = self.degrees_of_freedom as f64;
        let t = student_t_quantile(1.0 - alpha / 2.0, df);
        Ok(self.square_sum * (1.0 + t * t / df))
    }
}

/// The smallest sum of squares of any curve, even one at the edge of the search.
pub(super) fn least_square_sum(points: &[Point]) -> f64 {
    Best::of(points).square_sum
}

struct Best {
    curve: Curve,
    square_sum: f64,
    /// The exponent lies inside the search.
    inside: bool,
}

impl Best {
    fn of(points: &[Point]) -> Self {
        let scaled = Scaled::of(points);
        let index = (0..=EXPONENT_STEPS)
            .min_by(|&a, &b| {
                let square_sum = |index| scaled.line(exponent_at(index)).square_sum;
                square_sum(a).total_cmp(&square_sum(b))
            })
            .unwrap_or(0);
        let inside = index > 0 && index < EXPONENT_STEPS;
        let exponent = if inside {
            let (low, high) = (exponent_at(index - 1), exponent_at(index + 1));
            bisect(low, high, |exponent| scaled.line(exponent).slope < 0.0)
        } else {
            exponent_at(index)
        };
        let line = scaled.line(exponent);
        let scale = line.scale * pow(scaled.unit, exponent);
        let curve = Curve { floor: line.floor, scale, exponent };
        Self { curve, square_sum: line.square_sum, inside }
    }
}

fn exponent_at(index: u32) -> f64 {
    let [low, high] = EXPONENTS.map(ln);
    exp(low + (high - low) * f64::from(index) / f64::from(EXPONENT_STEPS))
}

/// Counts in units of their geometric mean, so that powers stay near 1.
struct Scaled {
    unit: f64,
    ln_counts: Vec<f64>,
    errors: Vec<f64>,
}

/// The best floor and scale for one exponent.
struct Line {
    floor: f64,
    scale: f64,
    square_sum: f64,
    /// Half the derivative of the sum of squares by the exponent.
    slope: f64,
}

impl Scaled {
    fn of(points: &[Point]) -> Self {
        let logs: Vec<f64> = points.iter().map(|point| ln(point.count)).collect();
        let centre = super::mean(&logs);
        Self {
            unit: exp(centre),
            ln_counts: logs.iter().map(|log| log - centre).collect(),
            errors: points.iter().map(|point| point.error).collect(),
        }
    }

    fn line(&self, exponent: f64) -> Line {
        let powers: Vec<f64> = self.ln_counts.iter().map(|log| exp(-exponent * log)).collect();
        let (power_mean, error_mean) = (super::mean(&powers), super::mean(&self.errors));
        let (mut product_sum, mut power_sum) = (0.0, 0.0);
        for (power, error) in powers.iter().zip(&self.errors) {
            product_sum += (power - power_mean) * (error - error_mean);
            power_sum += (power - power_mean) * (power - power_mean);
        }
        let scale = if power_sum > 0.0 { product_sum / power_sum } else { 0.0 };
        let floor = error_mean - scale * power_mean;
        let (mut square_sum, mut slope) = (0.0, 0.0);
        for ((power, error), log) in powers.iter().zip(&self.errors).zip(&self.ln_counts) {
            let residual = error - floor - scale * power;
            square_sum += residual * residual;
            slope += residual * scale * power * log;
        }
        Line { floor, scale, square_sum, slope }
    }
}

/// The smallest sum of squares with this floor, over scales of 0 or more and all exponents.
fn square_sum_with_floor(points: &[Point], floor: f64) -> f64 {
    let scaled = Scaled::of(points);
    let at = |ln_exponent: f64| {
        let exponent = exp(ln_exponent);
        let powers: Vec<f64> = scaled.ln_counts.iter().map(|log| exp(-exponent * log)).collect();
        let pairs = || powers.iter().zip(&scaled.errors);
        let product_sum: f64 = pairs().map(|(power, error)| power * (error - floor)).sum();
        let power_sum: f64 = powers.iter().map(|power| power * power).sum();
        let scale = (product_sum / power_sum).max(0.0);
        let residual = |(power, error): (&f64, &f64)| error - floor - scale * power;
        pairs().map(residual).map(|residual| residual * residual).sum::<f64>()
    };
    let [low, high] = EXPONENTS.map(ln);
    let step = (high - low) / f64::from(EXPONENT_STEPS);
    let on_grid = (0..=EXPONENT_STEPS).map(|index| low + f64::from(index) * step);
    let best = on_grid.min_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap_or(low);
    let (mut left, mut right) = ((best - step).max(low), (best + step).min(high));
    for _ in 0..30 {
        let (a, b) = (left + (right - left) / 3.0, right - (right - left) / 3.0);
        if at(a) < at(b) {
            right = b;
        } else {
            left = a;
        }
    }
    at(0.5 * (left + right)).min(at(best))
}

/// Bisection that stops at a width, where each question is dear.
pub(super) fn bisect_to(
    mut low: f64,
    mut high: f64,
    width: f64,
    is_below: impl Fn(f64) -> bool,
) -> f64 {
    while high - low > width {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

pub(super) fn check(points: &[Point]) -> Result<(), StatisticsError> {
    const POINTS_MIN: usize = 4;
    const COUNTS_MIN: usize = 3;
    if points.len() < POINTS_MIN {
        return Err(StatisticsError::TooFew { count: points.len(), min: POINTS_MIN });
    }
    if let Some(index) = points.iter().position(|p| !p.error.is_finite() || !p.count.is_finite()) {
        return Err(StatisticsError::NotFinite { index });
    }
    for point in points {
        check_range("count", point.count, point.count > 0.0, "above 0")?;
        check_range("error", point.error, point.error.abs() < 1e75, "below 1e75 in size")?;
    }
    let mut counts: Vec<f64> = points.iter().map(|point| point.count).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    if counts.len() < COUNTS_MIN {
        let reason = "the points have fewer than three different numbers of samples";
        return Err(StatisticsError::NotIdentified { name: "curve", reason });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;

    const COUNTS: [f64; 7] = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0];
    const ERRORS: [f64; 7] = [0.35779, 0.29438, 0.25045, 0.2128, 0.19077, 0.17033, 0.1569];

    fn points(count: usize) -> Vec<Point> {
        let pairs = COUNTS.iter().zip(ERRORS).take(count);
        pairs.map(|(&count, error)| Point { count, error }).collect()
    }

    /// SciPy 1.17.1, `curve_fit`, which stops where a step changes the sum of squares by 1e-8 of
    /// itself: 1e-6 of each parameter.
    #[test]
    fn the_fit_agrees_with_scipy() {
        let check = |fit: Curve, expected: [f64; 3]| {
            for (ours, theirs) in [fit.scale, fit.exponent, fit.floor].iter().zip(expected) {
                assert!((ours / theirs - 1.0).abs() < 1e-6, "{fit:?} {expected:?}");
            }
        };
        let all = fit_curve(&points(7)).unwrap().curve;
        check(all, [1.782_309_480_851_908_9, 0.435_417_388_791_442_24, 0.117_670_832_000_347_24]);
        let five = fit_curve(&points(5)).unwrap().curve;
        check(five, [1.843_126_423_101_194_8, 0.445_842_052_860_563_8, 0.121_248_212_633_978_8]);
        assert!((five.error_at(6400.0) - 0.158_282_162_307_825_44).abs() < 1e-7);
        assert!((all.error_at(51_200.0) - 0.133_537_467_770_332_6).abs() < 1e-7);
    }

    /// The interval holds the true floor and the linearised one of the published covariance lies
    /// close to it: .1177 +- t * .0039.
    #[test]
    fn the_floor_has_a_profile_interval() {
        let [low, high] = floor_interval(&points(7), 0.05).unwrap().map(Option::unwrap);
        assert!(low < 0.12 && 0.12 < high);
        let linear = student_t_quantile(0.975, 4.0) * 1.548_791_417_528_405_7e-5_f64.sqrt();
        for (end, expected) in [(low, 0.117_67 - linear), (high, 0.117_67 + linear)] {
            assert!((end - expected).abs() < 0.35 * linear, "{low} {high} {linear}");
        }
    }

    /// Curves without noise are found again, in any unit of counts and errors.
    #[test]
    fn an_exact_curve_is_found_again() {
        for (floor, scale, exponent) in [(0.1, 2.0, 0.5), (0.0, 1.0, 1.0), (3.0, 40.0, 0.2)] {
            for unit in [1.0, 1e-3, 1e6] {
                let truth = Curve { floor, scale, exponent };
                let points: Vec<Point> = COUNTS
                    .iter()
                    .map(|&n| Point { count: n * unit, error: truth.error_at(n) })
                    .collect();
                let found = fit_curve(&points).unwrap().curve;
                // Seven points in f64 tell the exponent to about 1e-9.
                assert!((found.floor - floor).abs() < 1e-7 * scale, "{found:?}");
                assert!((found.exponent / exponent - 1.0).abs() < 1e-7, "{found:?}");
                let count = found.count_for(truth.error_at(500.0)).unwrap();
                assert!((count / (500.0 * unit) - 1.0).abs() < 1e-6);
                assert_eq!(found.count_for(floor - 0.01 * scale), None);
            }
        }
    }

    /// 200 curves with noise, nominal 90 %: least squares is nearly linear here, so that coverage
    /// is within four standard errors (8.5 %) of it.
    #[test]
    fn the_profile_interval_covers_the_floor() {
        let truth = Curve { floor: 0.12, scale: 1.9, exponent: 0.45 };
        let replications = 200_u64;
        let covered = (0..replications).filter(|&replication| {
            let mut draws = Seed(31).draws(replication, 0);
            let points: Vec<Point> = COUNTS
                .iter()
                .flat_map(|&count| [count; 3])
                .map(|count| Point { count, error: truth.error_at(count) + 0.002 * draws.normal() })
                .collect();
            let [low, high] = floor_interval(&points, 0.1).unwrap();
            low.is_none_or(|low| low <= 0.12) && high.is_none_or(|high| 0.12 <= high)
        });
        let share = covered.count() as f64 / replications as f64;
        assert!((share - 0.9).abs() < 0.085, "{share}");
    }

    #[test]
    fn what_the_points_do_not_say_is_not_said() {
        let with = |errors: [f64; 5]| -> Vec<Point> {
            COUNTS.iter().zip(errors).map(|(&count, error)| Point { count, error }).collect()
        };
        let refused =
            |errors| matches!(fit_curve(&with(errors)), Err(StatisticsError::NotIdentified { .. }));
        assert!(refused([0.5; 5]), "no change");
        assert!(refused([0.1, 0.2, 0.3, 0.35, 0.37]), "rising");
        assert!(refused([0.5, 0.4, 0.3, 0.2, 0.1]), "a line in the logarithm");
        assert!(fit_curve(&points(3)).is_err() && fit_curve(&[]).is_err());
        let same = vec![Point { count: 100.0, error: 0.3 }; 9];
        assert!(matches!(fit_curve(&same), Err(StatisticsError::NotIdentified { .. })));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let mut wrong = points(7);
            wrong[2].count = bad;
            assert!(fit_curve(&wrong).is_err());
        }
        let mut wrong = points(7);
        wrong[2].error = f64::NAN;
        assert!(fit_curve(&wrong).is_err() && floor_interval(&points(7), 0.0).is_err());
    }
}
