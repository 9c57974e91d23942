//! How many units a claim needs, before any is measured.
//!
//! Invariant: counts are rounded up; a plan that no count fulfils has none.
//!
//! Not here: the least number of units for betting (see [`super::betting::unit_count_min`] and
//! [`super::betting::betting_units_needed`]), and units for a paired equivalence test (see
//! [`super::equivalence::units_needed`]).

use tiepoint_model::math::{ln, ln_1p};

use super::{StatisticsError, check_range, distributions::normal_quantile};

/// Largest plan that is given as a number.
const COUNT_MAX: f64 = 1e15;

/// Trials without one failure that bound the failure share by `share` at confidence `1 - alpha`,
/// one-sided.
///
/// # Errors
/// A share or alpha outside `(0, 1)`, or more than 10^15 trials.
///
/// # Source
/// `(1 - share)^n <= alpha`.
pub fn zero_failure_trials(share: f64, alpha: f64) -> Result<u64, StatisticsError> {
    check_range("share", share, share > 0.0 && share < 1.0, "between 0 and 1")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    whole(ln(alpha) / ln_1p(-share))
}

/// Chances of the two errors a plan allows for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Of support for a false claim, in `(0, 1)`.
    pub alpha: f64,
    /// Of support for a true claim, in `(0, 1)`: 0.8 is usual.
    pub power: f64,
}

/// Units in each of two groups without pairs to show that one share is not below the other by the
/// margin, if both are `share`.
///
/// # Errors
/// A share or margin outside `(0, 1)`, errors out of range, or more than 10^15 units.
///
/// # Source
/// Normal approximation with equal shares: `2 p (1 - p) ((z_alpha + z_power) / margin)^2`.
pub fn two_group_units(share: f64, margin: f64, errors: Errors) -> Result<u64, StatisticsError> {
    check_range("share", share, share > 0.0 && share < 1.0, "between 0 and 1")?;
    check_range("margin", margin, margin > 0.0 && margin < 1.0, "between 0 and 1")?;
    let reach = reach(errors)? / margin;
    whole(2.0 * share * (1.0 - share) * reach * reach)
}

/// Units for a one-sided paired test, if the differences have no mean and this standard deviation.
///
/// # Errors
/// A standard deviation or margin that is not above 0, errors out of range, or more than 10^15
/// units.
///
/// # Source
/// Normal approximation: `((z_alpha + z_power) sd / margin)^2`.
pub fn paired_units(sd: f64, margin: f64, errors: Errors) -> Result<u64, StatisticsError> {
    check_range("sd", sd, sd.is_finite() && sd > 0.0, "finite and above 0")?;
    check_range("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    let reach = reach(errors)? * sd / margin;
    whole(reach * reach)
}

/// Scenes that frames of the same scenes are worth: `n m / (1 + (m - 1) icc)` frames, over `m`.
///
/// # Errors
/// No scene or frame, or a correlation within scenes outside `[0, 1]`.
///
/// # Source
/// Kish, *Survey Sampling*, 1965: the design effect.
pub fn effective_count(
    scene_count: u64,
    frames_per_scene: u64,
    icc: f64,
) -> Result<f64, StatisticsError> {
    check_range("scene_count", scene_count as f64, scene_count > 0, "at least 1")?;
    check_range("frames_per_scene", frames_per_scene as f64, frames_per_scene > 0, "at least 1")?;
    check_range("icc", icc, (0.0..=1.0).contains(&icc), "between 0 and 1")?;
    let frames = frames_per_scene as f64;
    Ok(scene_count as f64 * frames / (1.0 + (frames - 1.0) * icc))
}

fn reach(errors: Errors) -> Result<f64, StatisticsError> {
    let Errors { alpha, power } = errors;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_range("power", power, power > 0.0 && power < 1.0, "between 0 and 1")?;
    let reach = normal_quantile(1.0 - alpha) + normal_quantile(power);
    check_range("power", power, reach > 0.0, "above alpha")?;
    Ok(reach)
}

fn whole(count: f64) -> Result<u64, StatisticsError> {
    let count = count.ceil().max(1.0);
    check_range("units", count, count <= COUNT_MAX, "at most 10^15: widen the margin")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked range")]
    Ok(count as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::equivalence::units_needed;

    const USUAL: Errors = Errors { alpha: 0.05, power: 0.8 };

    #[test]
    fn zero_failures_bound_a_share_as_published() {
        let published = [(0.1, 29), (0.05, 59), (0.01, 299), (0.001, 2995), (0.0001, 29_956)];
        for (share, trials) in published {
            assert_eq!(zero_failure_trials(share, 0.05), Ok(trials));
        }
    }

    #[test]
    fn two_groups_need_the_published_numbers() {
        let published = [
            (0.9, 0.05, 446),
            (0.9, 0.02, 2783),
            (0.95, 0.02, 1469),
            (0.95, 0.01, 5874),
            (0.99, 0.005, 4897),
        ];
        for (share, margin, units) in published {
            assert_eq!(two_group_units(share, margin, USUAL), Ok(units), "{share} {margin}");
        }
    }

    /// Paired equivalence, 80 % power at zero difference; one unit either way of the noncentral t.
    #[test]
    fn pairs_need_the_published_numbers() {
        for (margin, units) in [(0.5, 36), (0.3, 97), (0.2, 216), (0.1, 858), (0.05, 3427)] {
            assert!(units_needed(0.0, 1.0, margin, 0.05).unwrap().abs_diff(units) <= 1);
            // One side needs fewer: its error is not shared between two.
            assert!(paired_units(1.0, margin, USUAL).unwrap() < units);
        }
    }

    /// 20 scenes of 50 frames are 1000 units only if frames of a scene know nothing of each other.
    #[test]
    fn frames_are_worth_less_the_more_they_agree() {
        assert_eq!(effective_count(20, 50, 0.0), Ok(1000.0));
        assert_eq!(effective_count(20, 50, 1.0), Ok(20.0));
        assert!((effective_count(20, 50, 0.1).unwrap() - 1000.0 / 5.9).abs() < 1e-9);
        assert!(effective_count(0, 50, 0.1).is_err() && effective_count(1, 1, f64::NAN).is_err());
    }

    #[test]
    fn plans_that_cannot_be_are_refused() {
        for bad in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(zero_failure_trials(bad, 0.05).is_err());
            assert!(zero_failure_trials(0.1, bad).is_err());
            assert!(two_group_units(bad, 0.05, USUAL).is_err());
            assert!(two_group_units(0.5, 0.05, Errors { alpha: bad, power: 0.8 }).is_err());
        }
        assert!(paired_units(f64::INFINITY, 0.1, USUAL).is_err());
        assert!(paired_units(1e12, 1e-3, USUAL).is_err());
        assert!(paired_units(1.0, 0.1, Errors { alpha: 0.05, power: 0.05 }).is_err());
    }
}
