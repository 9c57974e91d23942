//! Noise of an inertial sensor, from a log or from a column of numbers.
//!
//! Invariant: a gap is never bridged; the longest stretch without one is measured, and what was
//! left out is in the answer.
//! rad/s for rates and m/s² for accelerations of logs; columns have their own unit.

mod camera;
mod curve;
mod lidar;
mod record;
mod surface;

use tiepoint_measure::{
    MeasureError, Metric, registry,
    sensor::{
        AveragingFactors, NotIdentifiable, Sampling,
        allan::{NoiseFit, NoiseParameter, TauRange},
    },
};

use self::{
    curve::{CurveKind, CurveOptions, curve},
    record::{RegularRecord, Series},
};
use super::{Measured, MeasuredTable, MeasuredValue, unknown};
use crate::Error;

pub use self::{
    camera::{
        LineDelayRequest, NonUniformityRequest, PhotonTransferRequest, VideoGainRequest,
        measure_line_delay, measure_non_uniformity, measure_photon_transfer, measure_video_gain,
    },
    lidar::{LidarNoiseOptions, LidarRequest, measure_drop_out, measure_range_noise},
    record::{AllanRequest, RecordTime},
};

/// Measures the Allan deviation of channels, or one of its kin, and the noise that it shows.
///
/// # Errors
/// [`Error::Log`], [`Error::NoChannel`] with the channels that there are, [`Error::UnknownWord`],
/// [`Error::BadNumber`]; those of the measure.
pub fn measure_allan(request: &AllanRequest) -> Result<Measured, Error> {
    let options = CurveOptions {
        kind: CurveKind::parse(&request.deviation)?,
        factors: parse_factors(&request.factors)?,
        range: parse_range(&request.noise_range)?,
        level: request.level,
    };
    let record = record::read(request)?;
    let metric = Metric::new(options.kind.metric_id())
        .with("compat", "allantools==2024.6")
        .with("taus", &request.factors);
    if let [series] = &record.series[..] {
        return one(&metric, &options, series);
    }
    let mut measured = Measured::new(&metric, Vec::new());
    let (mut noise, mut curves) = (Vec::new(), Vec::new());
    for series in &record.series {
        let found = one(&metric, &options, series)?;
        let channel = || MeasuredValue::word("channel", &series.name);
        noise.push([vec![channel()], found.values].concat());
        for row in found.tables.into_iter().flat_map(|table| table.rows) {
            curves.push([vec![channel()], row].concat());
        }
        measured.is_defined &= found.is_defined;
        measured.notes.extend(found.notes);
        measured.notes.dedup();
    }
    measured.tables.push(MeasuredTable { name: "channels".to_owned(), rows: noise });
    measured.tables.push(MeasuredTable { name: "curve".to_owned(), rows: curves });
    Ok(measured)
}

/// One channel: its noise and timing as values, its curve as a table.
fn one(metric: &Metric, options: &CurveOptions, series: &Series) -> Result<Measured, Error> {
    let regular = series.longest_stretch();
    let found = regular.and_then(|record| {
        let RegularRecord { values, sampling } = record;
        Ok((curve(values, sampling.rate_hz, options)?, sampling))
    });
    let unit = &series.unit;
    let (curve, sampling) = match found {
        Ok(found) => found,
        Err(error) => {
            let measured = Measured::of(metric, Err(error))?;
            let channel = MeasuredValue::word("channel", &series.name);
            let values = [measured.values, vec![channel]].concat();
            return Ok(Measured { values, unit: unit.clone(), ..measured });
        }
    };
    let mut values = noise_values(curve.fit, options.range, unit);
    values.extend(timing_values(series, &sampling));
    let unit = options.kind.unit(unit);
    let rows = curve.rows.iter().map(|row| row.values(&unit)).collect();
    let mut measured = Measured { unit, ..Measured::new(metric, values) };
    measured.tables.push(MeasuredTable { name: "curve".to_owned(), rows });
    if sampling.dropped_count > 0 {
        measured.notes.push(
            "the longest stretch without a gap was measured; `dropped_count` lie outside of it"
                .to_owned(),
        );
    }
    Ok(measured)
}

fn timing_values(series: &Series, sampling: &Sampling) -> Vec<MeasuredValue> {
    let dropped_count = sampling.dropped_count + series.missing_count + series.outside_count;
    vec![
        MeasuredValue::word("channel", &series.name),
        MeasuredValue::real("rate_hz", sampling.rate_hz, "Hz"),
        MeasuredValue::real("jitter_share", sampling.jitter_share, "1"),
        MeasuredValue::count("count", sampling.range.len()),
        MeasuredValue::count("gap_count", sampling.gap_count),
        MeasuredValue::count("dropped_count", dropped_count),
    ]
}

/// The parameters of the noise; one that the curve does not show is `null` beside its reason.
fn noise_values(
    fit: Option<Result<NoiseFit, MeasureError>>,
    range: TauRange,
    unit: &str,
) -> Vec<MeasuredValue> {
    let fit = match fit {
        None => return Vec::new(),
        Some(Err(error)) => {
            return vec![MeasuredValue::word("noise_reason", &error.to_string())];
        }
        Some(Ok(fit)) => fit,
    };
    let parameters = [
        ("noise_density", &fit.noise_density, registry::SENSOR_IMU_NOISE_DENSITY, "/sqrt(Hz)"),
        ("bias_instability", &fit.bias_instability, registry::SENSOR_IMU_BIAS_INSTABILITY, ""),
        ("random_walk", &fit.random_walk, registry::SENSOR_IMU_RANDOM_WALK, " sqrt(Hz)"),
    ];
    let mut values = Vec::new();
    for (name, parameter, id, per) in parameters {
        values.extend(parameter_values(
            name,
            parameter,
            &range.metric(id),
            &format!("{unit}{per}"),
        ));
    }
    let at_most = fit.bias_instability_at_most;
    values.push(MeasuredValue::real("bias_instability_at_most", at_most, unit));
    let misfit = fit.misfit.map_or(serde_json::Value::Null, Into::into);
    values.push(MeasuredValue::json("misfit", misfit, "1"));
    values
}

fn parameter_values(
    name: &str,
    parameter: &Result<NoiseParameter, NotIdentifiable>,
    metric: &Metric,
    unit: &str,
) -> Vec<MeasuredValue> {
    let metric = metric.to_string();
    match parameter {
        Ok(found) => vec![
            MeasuredValue { metric: Some(metric), ..MeasuredValue::real(name, found.value, unit) },
            MeasuredValue::real(&format!("{name}_low"), found.interval.low, unit),
            MeasuredValue::real(&format!("{name}_high"), found.interval.high, unit),
        ],
        Err(why) => vec![
            MeasuredValue { metric: Some(metric), ..MeasuredValue::undefined(name, unit) },
            MeasuredValue::json(&format!("{name}_reason"), why.to_string().into(), ""),
        ],
    }
}

fn parse_factors(word: &str) -> Result<AveragingFactors<'static>, Error> {
    match word {
        "octave" => Ok(AveragingFactors::Octave),
        "decade" => Ok(AveragingFactors::Decade),
        "all" => Ok(AveragingFactors::All),
        _ => match word.parse() {
            Ok(count) if count > 0 => Ok(AveragingFactors::PerDecade(count)),
            _ => Err(unknown("--taus", word, "octave, decade, all, or how many in a decade")),
        },
    }
}

fn parse_range(word: &str) -> Result<TauRange, Error> {
    match word {
        "all" => Ok(TauRange::All),
        "beyond-filter" => Ok(TauRange::BeyondFilter),
        _ => {
            let ends = word.split_once(',').and_then(|(from, to)| {
                Some([from.trim().parse::<f64>().ok()?, to.trim().parse::<f64>().ok()?])
            });
            let known = "all, beyond-filter, or two times in seconds such as 0.1,10";
            ends.map(TauRange::Between).ok_or_else(|| unknown("--noise-range", word, known))
        }
    }
}
