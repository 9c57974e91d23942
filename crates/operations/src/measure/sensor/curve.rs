//! A deviation or a time interval error over averaging times, whatever its kind.
//!
//! Invariant: a kind without published degrees of freedom has no intervals, never made-up ones.
//! Units: that of the readings; times in it times seconds.
//!
//! Not here: reading the record.

use tiepoint_measure::{
    MeasureError, MetricId, registry,
    sensor::{
        AveragingFactors, Deviation, Record,
        allan::{
            CurveNoise, DeviationPoint, NoiseFit, TauRange, TimeIntervalError, TotalDeviation,
            deviation_intervals, fit_noise, time_interval_error, total_deviation,
        },
        allan_deviation,
    },
};

use super::{super::MeasuredValue, unknown};
use crate::Error;

/// What is drawn over averaging times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CurveKind {
    /// With intervals.
    Plain(Deviation),
    /// Without.
    Total(TotalDeviation),
    /// Root mean square change of the phase, without intervals.
    RootMeanSquareError,
    /// Largest range of the phase, without intervals.
    LargestError,
}

/// How a curve is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct CurveOptions {
    pub(super) kind: CurveKind,
    pub(super) factors: AveragingFactors<'static>,
    /// Averaging times at which the noise is looked for.
    pub(super) range: TauRange,
    /// Of the intervals, in `(0, 1)`.
    pub(super) level: f64,
}

/// The rows of a curve, and the noise where its kind shows it.
pub(super) struct Curve {
    pub(super) rows: Vec<CurveRow>,
    pub(super) fit: Option<Result<NoiseFit, MeasureError>>,
}

/// One averaging time.
pub(super) struct CurveRow {
    tau_s: f64,
    deviation: f64,
    interval: Option<[f64; 2]>,
    term_count: usize,
}

impl CurveKind {
    const ALL: [Self; 13] = [
        Self::Plain(Deviation::Adev),
        Self::Plain(Deviation::Oadev),
        Self::Plain(Deviation::Mdev),
        Self::Plain(Deviation::Tdev),
        Self::Plain(Deviation::Hdev),
        Self::Plain(Deviation::Ohdev),
        Self::Plain(Deviation::Totdev),
        Self::Total(TotalDeviation::Mtotdev),
        Self::Total(TotalDeviation::Ttotdev),
        Self::Total(TotalDeviation::Htotdev),
        Self::Total(TotalDeviation::Theo1),
        Self::RootMeanSquareError,
        Self::LargestError,
    ];

    pub(super) fn parse(word: &str) -> Result<Self, Error> {
        let known = "adev, oadev, mdev, tdev, hdev, ohdev, totdev, mtotdev, ttotdev, htotdev, \
                     theo1, tierms, mtie";
        let found = Self::ALL.into_iter().find(|kind| kind.name() == word);
        found.ok_or_else(|| unknown("--deviation", word, known))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain(deviation) => deviation.name(),
            Self::Total(deviation) => deviation.name(),
            Self::RootMeanSquareError => "tierms",
            Self::LargestError => "mtie",
        }
    }

    pub(super) fn metric_id(self) -> MetricId {
        match self {
            Self::Plain(deviation) => deviation.metric(0.0).id(),
            Self::Total(deviation) => deviation.metric(0.0).id(),
            Self::RootMeanSquareError => registry::SENSOR_ALLAN_TIERMS,
            Self::LargestError => registry::SENSOR_ALLAN_MTIE,
        }
    }

    /// The unit of the curve of readings in `unit`.
    pub(super) fn unit(self, unit: &str) -> String {
        match self {
            Self::Plain(Deviation::Tdev)
            | Self::Total(TotalDeviation::Ttotdev)
            | Self::RootMeanSquareError
            | Self::LargestError => format!("{unit} s"),
            Self::Plain(_) | Self::Total(_) => unit.to_owned(),
        }
    }
}

impl CurveRow {
    fn bare(point: &DeviationPoint) -> Self {
        let DeviationPoint { tau_s, deviation, term_count, .. } = *point;
        Self { tau_s, deviation, interval: None, term_count }
    }

    pub(super) fn values(&self, unit: &str) -> Vec<MeasuredValue> {
        let mut values = vec![
            MeasuredValue::real("tau_s", self.tau_s, ""),
            MeasuredValue::real("deviation", self.deviation, unit),
        ];
        if let Some([low, high]) = self.interval {
            values.push(MeasuredValue::real("low", low, unit));
            values.push(MeasuredValue::real("high", high, unit));
        }
        values.push(MeasuredValue::count("term_count", self.term_count));
        values
    }
}

/// The curve of rates of equal steps.
pub(super) fn curve(
    rates: &[f64],
    rate_hz: f64,
    options: &CurveOptions,
) -> Result<Curve, MeasureError> {
    let CurveOptions { kind, factors, .. } = *options;
    let record = Record::Rate(rates);
    let is_largest = kind == CurveKind::LargestError;
    let rows = match kind {
        CurveKind::Plain(deviation) => return plain(deviation, record, rate_hz, options),
        CurveKind::Total(deviation) => {
            let points = total_deviation(deviation, record, rate_hz, factors)?;
            points.iter().map(CurveRow::bare).collect()
        }
        CurveKind::RootMeanSquareError | CurveKind::LargestError => {
            let row = |point: TimeIntervalError| CurveRow {
                tau_s: point.tau_s,
                deviation: if is_largest { point.largest } else { point.root_mean_square },
                interval: None,
                term_count: point.term_count,
            };
            time_interval_error(record, rate_hz, factors)?.into_iter().map(row).collect()
        }
    };
    Ok(Curve { rows, fit: None })
}

fn plain(
    deviation: Deviation,
    record: Record,
    rate_hz: f64,
    options: &CurveOptions,
) -> Result<Curve, MeasureError> {
    let CurveOptions { factors, range, level, .. } = *options;
    let found = allan_deviation(deviation, record, rate_hz, factors)?;
    let intervals = deviation_intervals(&found, CurveNoise::BySlope, level)?;
    let fit = match deviation {
        Deviation::Adev | Deviation::Oadev | Deviation::Totdev => {
            Some(fit_noise(&found, range, level))
        }
        _ => None,
    };
    let with_interval = found.points.iter().zip(&intervals).map(|(point, found)| CurveRow {
        interval: Some([found.interval.low, found.interval.high]),
        ..CurveRow::bare(point)
    });
    Ok(Curve { rows: with_interval.collect(), fit })
}
