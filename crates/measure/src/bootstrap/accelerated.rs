//! The bias-corrected and accelerated interval: second-order exact where the percentile interval is
//! first-order.
//!
//! Invariant: as for the percentile interval; the leave-one-out values are those of
//! [`crate::influence`].
//!
//! Not here: the percentile interval.

use super::{Bootstrap, Interval};
use crate::{MeasureError, influence::jackknife, normal};

impl Bootstrap {
    /// The bias-corrected and accelerated interval of a statistic of `count` independent elements.
    ///
    /// `statistic` gets the indices of one resample, of all elements, or of all but one; it must
    /// not depend on how many there are other than through them.
    ///
    /// # Errors
    /// As [`Bootstrap::interval`]; a block length other than 1, for which no acceleration is
    /// defined; [`MeasureError::Constant`] if no element has an influence, or every resample lies
    /// on one side of the statistic.
    ///
    /// # Source
    /// Efron, *Better bootstrap confidence intervals*, JASA 82, 1987; ties count half, as in
    /// `scipy.stats.bootstrap(method="BCa")`.
    pub fn accelerated_interval(
        &self,
        count: usize,
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Result<Interval, MeasureError> {
        if self.block_length != 1 {
            return Err(MeasureError::InvalidOption {
                name: "block_length",
                value: self.block_length as f64,
                requirement: "1 for an accelerated interval",
            });
        }
        self.check([count, 0])?;
        let whole = jackknife(count, &statistic)?;
        let sorted = self.sorted_values_of_two([count, 0], |indices, _| statistic(indices))?;
        let below = sorted.partition_point(|value| *value < whole.estimate);
        let at_most = sorted.partition_point(|value| *value <= whole.estimate);
        let share = 0.5 * (below + at_most) as f64 / sorted.len() as f64;
        let bias = normal::quantile(share);
        let (mut cube_sum, mut square_sum) = (0.0, 0.0);
        // Influences need not sum to 0 where the statistic is not a mean.
        let centre = whole.influences.iter().sum::<f64>() / count as f64;
        for influence in &whole.influences {
            let deviation = influence - centre;
            cube_sum += deviation * deviation * deviation;
            square_sum += deviation * deviation;
        }
        if square_sum <= 0.0 || !bias.is_finite() {
            return Err(MeasureError::Constant { what: "resampled statistic" });
        }
        let acceleration = cube_sum / (6.0 * square_sum * square_sum.sqrt());
        let tail = |probability: f64| {
            let z = bias + normal::quantile(probability);
            normal::cdf(bias + z / (1.0 - acceleration * z))
        };
        let nominal = 0.5 * (1.0 - self.level);
        self.between(&sorted, [tail(nominal), tail(1.0 - nominal)])
    }
}
