//! Means of units that were not drawn as the claim's conditions say: inverse-propensity weights.
//!
//! Invariant: weights are relative; multiplying all by one number changes nothing.
//! A mean that rests on few units is refused, with their number.
//! Cost: `O(n)`.
//!
//! Not here: where the weights come from (declared frequency over the frequency of acquisition).

use super::{StatisticsError, distributions::student_t_quantile};

/// A weighted mean and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedMean {
    /// `sum(w x) / sum(w)`.
    pub estimate: f64,
    /// Its standard error, for independent units.
    pub standard_error: f64,
    /// Ends at confidence `1 - alpha`, Student's t with the effective count less one.
    pub interval: [f64; 2],
    /// `sum(w)^2 / sum(w^2)`: equally weighted units that would tell as much.
    pub effective_count: f64,
    /// The largest weight over the sum of all.
    pub weight_share_max: f64,
}

/// Why a weighted mean is no evidence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Values or weights that cannot be.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// Fewer effective units than half of the real ones.
    #[error("the weights leave {effective_count} effective units, and {min} are needed")]
    TooUneven {
        /// Left.
        effective_count: f64,
        /// Needed.
        min: f64,
    },
}

impl WeightsError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> tiepoint_model::ErrorKind {
        tiepoint_model::ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Statistics(error) => error.hint(),
            Self::TooUneven { .. } => {
                "acquire units where weights are large, or claim fewer conditions".to_owned()
            }
        }
    }
}

/// The weighted mean of units, if at least `effective_count_min` effective ones carry it: half of
/// the real units, where synthetic ones are weighted to stand for them.
///
/// # Inputs
/// `weights`: one per value, finite, not negative, not all zero.
///
/// # Errors
/// [`WeightsError::TooUneven`]; lengths that differ, fewer than two units, numbers out of range.
///
/// # Source
/// Hajek's ratio estimator with its linearised variance; effective count of Kish, 1965.
pub fn weighted_mean(
    values: &[f64],
    weights: &[f64],
    effective_count_min: f64,
    alpha: f64,
) -> Result<WeightedMean, WeightsError> {
    check(values, weights, effective_count_min, alpha)?;
    // Relative to the largest, so that no square overflows.
    let largest = weights.iter().fold(0.0_f64, |a, &b| a.max(b));
    let relative: Vec<f64> = weights.iter().map(|weight| weight / largest).collect();
    let sum: f64 = relative.iter().sum();
    let square_sum: f64 = relative.iter().map(|weight| weight * weight).sum();
    let effective_count = sum * sum / square_sum;
    let products = values.iter().zip(&relative).map(|(value, weight)| value * weight);
    let estimate = products.sum::<f64>() / sum;
    let influence = values.iter().zip(&relative).map(|(value, weight)| {
        let part = weight * (value - estimate) / sum;
        part * part
    });
    let count = values.len() as f64;
    let standard_error = (influence.sum::<f64>() * count / (count - 1.0)).sqrt();
    let too_few = effective_count < effective_count_min || effective_count <= 1.0 + 1e-9;
    if too_few {
        let min = effective_count_min.max(2.0);
        return Err(WeightsError::TooUneven { effective_count, min });
    }
    let half_width = student_t_quantile(1.0 - alpha / 2.0, effective_count - 1.0) * standard_error;
    Ok(WeightedMean {
        estimate,
        standard_error,
        interval: [estimate - half_width, estimate + half_width],
        effective_count,
        weight_share_max: 1.0 / sum,
    })
}

fn check(
    values: &[f64],
    weights: &[f64],
    effective_count_min: f64,
    alpha: f64,
) -> Result<(), StatisticsError> {
    use super::{check_range, check_values};
    let (left_count, right_count) = (values.len(), weights.len());
    if left_count != right_count {
        return Err(StatisticsError::LengthMismatch { left_count, right_count });
    }
    if left_count < 2 {
        return Err(StatisticsError::TooFew { count: left_count, min: 2 });
    }
    check_values(values)?;
    if let Some(index) = weights.iter().position(|value| !value.is_finite()) {
        return Err(StatisticsError::NotFinite { index });
    }
    if let Some(weight) = weights.iter().find(|weight| **weight < 0.0) {
        check_range("weight", *weight, false, "0 or more")?;
    }
    let any = weights.iter().any(|weight| *weight > 0.0);
    check_range("weight", 0.0, any, "above 0 for some unit")?;
    let inside = effective_count_min.is_finite() && effective_count_min >= 0.0;
    check_range("effective_count_min", effective_count_min, inside, "finite and 0 or more")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;

    #[test]
    fn equal_weights_give_the_plain_mean() {
        let values = [0.5, 1.0, 3.0, 2.5];
        let weighted = weighted_mean(&values, &[7.0; 4], 2.0, 0.1).unwrap();
        assert_eq!((weighted.estimate, weighted.effective_count), (1.75, 4.0));
        assert_eq!(weighted.weight_share_max, 0.25);
        let sd = (4.25_f64 / 3.0).sqrt(); // squares: 1.5625, .5625, 1.5625, .5625
        assert!((weighted.standard_error - sd / 2.0).abs() < 1e-15);
        let scaled = weighted_mean(&values, &[7e200; 4], 2.0, 0.1).unwrap();
        assert_eq!(weighted, scaled);
    }

    #[test]
    fn a_few_heavy_units_are_no_evidence() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let mut weights = vec![1e-6; 100];
        (weights[3], weights[4]) = (1.0, 1.0);
        let refused = weighted_mean(&values, &weights, 50.0, 0.1);
        assert!(matches!(refused, Err(WeightsError::TooUneven { effective_count, .. })
            if (effective_count - 2.0).abs() < 1e-3));
        let mut one = vec![0.0; 100];
        one[7] = 1.0;
        assert!(weighted_mean(&values, &one, 0.0, 0.1).is_err());
    }

    /// Units acquired four times as often where values are high: weights undo it, and the interval
    /// covers. 2000 replications at 90 %: four standard errors are 2.7 %; the t interval of uneven
    /// weights is approximate, for which 1 % more is allowed.
    #[test]
    fn weights_undo_an_uneven_acquisition() {
        let (mut covered, mut plain_sum) = (0, 0.0);
        for replication in 0..2000 {
            let mut draws = Seed(23).draws(replication, 0);
            let (mut values, mut weights) = (Vec::new(), Vec::new());
            for _ in 0..120 {
                let high = draws.uniform() < 0.8; // in the claim's conditions: 0.5
                values.push(f64::from(u8::from(high)) + 0.3 * draws.normal());
                weights.push(if high { 0.5 / 0.8 } else { 0.5 / 0.2 });
            }
            plain_sum += values.iter().sum::<f64>() / 120.0;
            let [low, high] = weighted_mean(&values, &weights, 60.0, 0.1).unwrap().interval;
            covered += u32::from(low <= 0.5 && 0.5 <= high);
        }
        assert!(plain_sum / 2000.0 > 0.75, "without weights the mean is off");
        let share = f64::from(covered) / 2000.0;
        assert!((share - 0.9).abs() < 0.037, "{share}");
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        assert!(weighted_mean(&[], &[], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0], &[1.0], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, 2.0], &[1.0], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, f64::NAN], &[1.0, 1.0], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, 2.0], &[1.0, f64::INFINITY], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, 2.0], &[1.0, -1.0], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, 2.0], &[0.0, 0.0], 1.0, 0.1).is_err());
        assert!(weighted_mean(&[1.0, 2.0], &[1.0, 1.0], f64::NAN, 0.1).is_err());
    }
}
