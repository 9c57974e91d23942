//! Range noise and missing returns of a planar scanner at rest, from its log.
//!
//! Invariant: beam i looks at one place throughout; where its surface is not a plane, or was seen too
//! rarely, nothing is said of it, and it is counted.
//! Metres; radians inside, degrees in the request.

use std::path::PathBuf;

use tiepoint_formats::{Damage, Samples, TopicBatch};
use tiepoint_measure::{
    Metric, MetricId, registry,
    sensor::lidar::{
        BeamReturn, CellTable, RangeCell, RangeCells, RangeNoiseOptions, RangePair, drop_out,
        range_noise,
    },
};
use tiepoint_model::{Scan, Timestamp};
use tiepoint_reconstruct::fit::detect_quantisation;

use super::{
    super::{Measured, MeasuredTable, MeasuredValue, unknown},
    surface::{Surface, surfaces},
};
use crate::{Error, Source, ingest::decode::each_piece};

/// The log of a scanner at rest, and cells of range and incidence.
#[derive(Clone, Debug)]
pub struct LidarRequest {
    /// A log with planar scans.
    pub log: PathBuf,
    /// Their topic; `None` if there is one only.
    pub topic: Option<String>,
    /// Which part is looked at: from and to, seconds after the first scan.
    pub window_s: [f64; 2],
    /// Edges of the cells in range, ascending, metres.
    pub range_edges_m: Vec<f64>,
    /// Edges of the cells in incidence, ascending, degrees.
    pub incidence_edges_deg: Vec<f64>,
    /// Of the intervals, in `(0, 1)`.
    pub level: f64,
}

/// How the noise is fitted.
#[derive(Clone, Debug)]
pub struct LidarNoiseOptions {
    /// `auto`, or the step of the readings in metres, 0 if continuous.
    pub quantisation: String,
    /// Differences above are another surface, metres.
    pub outlier_span_m: f64,
    /// Pairs that a cell needs, at least 30.
    pub pairs_min: usize,
}

impl LidarRequest {
    fn cells(&self) -> RangeCells {
        let radians = |degrees: &f64| degrees * (std::f64::consts::PI / 180.0);
        RangeCells {
            range_edges_m: self.range_edges_m.clone(),
            incidence_edges_rad: self.incidence_edges_deg.iter().map(radians).collect(),
        }
    }

    fn metric(&self, id: MetricId) -> Metric {
        let words =
            |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        Metric::new(id)
            .with("incidence_edges_deg", words(&self.incidence_edges_deg))
            .with("level", self.level)
            .with("range_edges_m", words(&self.range_edges_m))
    }

    /// The scans of one topic within the window, all of one geometry.
    fn read(&self) -> Result<Vec<Scan>, Error> {
        let mut topics: Vec<String> = Vec::new();
        let mut scans: Vec<Scan> = Vec::new();
        let mut first: Option<Timestamp> = None;
        let mut take = |piece: TopicBatch| {
            let Samples::Scans(rows) = piece.samples else { return Ok(()) };
            let topic = piece.channel.topic;
            if !topics.contains(&topic) {
                topics.push(topic.clone());
            }
            if self.topic.as_ref().is_some_and(|wanted| *wanted != topic) {
                return Ok(());
            }
            for scan in rows {
                let start = *first.get_or_insert(scan.stamps.measured());
                let time_s = scan.stamps.measured().0.saturating_sub(start.0) as f64 / 1e9;
                if (self.window_s[0]..=self.window_s[1]).contains(&time_s) {
                    scans.push(scan);
                }
            }
            Ok(())
        };
        each_piece(&Source::Path(self.log.clone()), Damage::Refuse, &mut take)?;
        let is_one = match &self.topic {
            Some(topic) => topics.contains(topic),
            None => topics.len() == 1,
        };
        if !is_one || scans.is_empty() {
            let channel = self.topic.clone().unwrap_or_else(|| "one channel of scans".to_owned());
            return Err(Error::NoChannel { path: self.log.clone(), channel, known: topics });
        }
        let is_other = |scan: &Scan| {
            scan.ranges_m.len() != scans[0].ranges_m.len()
                || scan.angle_min_rad != scans[0].angle_min_rad
                || scan.angle_increment_rad != scans[0].angle_increment_rad
        };
        match scans.iter().any(is_other) {
            true => Err(unknown("a scanner", "scans of several geometries", "one `--topic`")),
            false => Ok(scans),
        }
    }
}

/// Measures the noise of ranges before rounding, cell by cell, from differences of successive scans.
///
/// # Errors
/// [`Error::Log`], [`Error::NoChannel`] with the channels of scans that there are,
/// [`Error::UnknownWord`]; those of the measure.
pub fn measure_range_noise(
    request: &LidarRequest,
    options: &LidarNoiseOptions,
) -> Result<Measured, Error> {
    let scans = request.read()?;
    let quantisation_m = quantisation_m(&options.quantisation, &scans)?;
    let metric = request
        .metric(registry::SENSOR_LIDAR_RANGE_NOISE)
        .with("outlier_span_m", options.outlier_span_m)
        .with("quantisation_m", quantisation_m);
    let surfaces = surfaces(&scans);
    let mut pairs = Vec::new();
    for scan in scans.chunks_exact(2) {
        for (beam, surface) in known(&surfaces) {
            let readings = scan[0].valid_range_m(beam).zip(scan[1].valid_range_m(beam));
            pairs.extend(readings.map(|(first_m, second_m)| RangePair {
                range_m: surface.range_m,
                incidence_rad: surface.incidence_rad,
                difference_m: second_m - first_m,
            }));
        }
    }
    let fit = RangeNoiseOptions {
        quantisation_m,
        outlier_span_m: options.outlier_span_m,
        pairs_min: options.pairs_min,
        level: request.level,
    };
    let found = match range_noise(&pairs, &request.cells(), &fit) {
        Ok(found) => found,
        Err(error) => return Measured::of(&metric, Err(error)),
    };
    let rows = found.cells.iter().map(|cell| {
        let mut row = cell_values(cell);
        match &cell.value {
            Ok(noise) => row.extend([
                MeasuredValue::real("sigma_m", noise.sigma_m, "m"),
                MeasuredValue::real("low_m", noise.interval.low, "m"),
                MeasuredValue::real("high_m", noise.interval.high, "m"),
                MeasuredValue::real("outlier_share", noise.outlier_share, "1"),
                MeasuredValue::count("pair_count", noise.pair_count),
                MeasuredValue::count("excluded_count", noise.excluded_count),
            ]),
            Err(why) => row.extend([
                MeasuredValue::undefined("sigma_m", "m"),
                MeasuredValue::word("reason", &why.to_string()),
            ]),
        }
        row
    });
    let defined_count = found.cells.iter().filter(|cell| cell.value.is_ok()).count();
    let table = MeasuredTable { name: "cells".to_owned(), rows: rows.collect() };
    Ok(in_cells(&metric, (&found, table, defined_count), (&scans, &surfaces)))
}

/// Measures the share of beams without a return, cell by cell.
///
/// # Errors
/// As [`measure_range_noise`].
pub fn measure_drop_out(request: &LidarRequest) -> Result<Measured, Error> {
    let scans = request.read()?;
    let metric = request.metric(registry::SENSOR_LIDAR_DROP_OUT);
    let surfaces = surfaces(&scans);
    let mut beams = Vec::new();
    for scan in &scans {
        beams.extend(known(&surfaces).map(|(beam, surface)| BeamReturn {
            range_m: surface.range_m,
            incidence_rad: surface.incidence_rad,
            is_return: scan.valid_range_m(beam).is_some(),
        }));
    }
    let found = match drop_out(&beams, &request.cells(), request.level) {
        Ok(found) => found,
        Err(error) => return Measured::of(&metric, Err(error)),
    };
    let rows = found.cells.iter().map(|cell| {
        let mut row = cell_values(cell);
        row.push(match cell.value.share.value() {
            Some(share) => MeasuredValue::real("share", share, "1"),
            None => MeasuredValue::undefined("share", "1"),
        });
        if let Some(interval) = &cell.value.interval {
            row.push(MeasuredValue::real("low", interval.low, "1"));
            row.push(MeasuredValue::real("high", interval.high, "1"));
        }
        row.push(MeasuredValue::json("beam_count", cell.value.share.count.into(), ""));
        row
    });
    let defined_count = found.cells.iter().filter(|cell| cell.value.interval.is_some()).count();
    let table = MeasuredTable { name: "cells".to_owned(), rows: rows.collect() };
    let mut measured = in_cells(&metric, (&found, table, defined_count), (&scans, &surfaces));
    measured
        .notes
        .push("a beam that never returned has no known surface and is not here".to_owned());
    Ok(measured)
}

fn known(surfaces: &[Option<Surface>]) -> impl Iterator<Item = (usize, Surface)> + '_ {
    surfaces.iter().enumerate().filter_map(|(beam, surface)| Some((beam, (*surface)?)))
}

fn cell_values<T>(cell: &RangeCell<T>) -> Vec<MeasuredValue> {
    let degrees = cell.incidence_rad.map(|radians| radians * (180.0 / std::f64::consts::PI));
    vec![
        MeasuredValue::real("range_from_m", cell.range_m[0], "m"),
        MeasuredValue::real("range_to_m", cell.range_m[1], "m"),
        MeasuredValue::real("incidence_from_deg", degrees[0], "deg"),
        MeasuredValue::real("incidence_to_deg", degrees[1], "deg"),
    ]
}

/// The table, with the counts of what took part; undefined if no cell has an answer.
fn in_cells<T>(
    metric: &Metric,
    (found, table, defined_count): (&CellTable<T>, MeasuredTable, usize),
    (scans, surfaces): (&[Scan], &[Option<Surface>]),
) -> Measured {
    let known_count = surfaces.iter().flatten().count();
    let values = vec![
        MeasuredValue::count("defined_cell_count", defined_count),
        MeasuredValue::count("cell_count", found.cells.len()),
        MeasuredValue::count("scan_count", scans.len()),
        MeasuredValue::count("beam_count", surfaces.len()),
        MeasuredValue::count("unknown_surface_count", surfaces.len() - known_count),
        MeasuredValue::count("outside_count", found.outside_count),
    ];
    let mut measured = Measured { is_defined: defined_count > 0, ..Measured::new(metric, values) };
    measured.tables.push(table);
    measured.notes.push("the scanner must have been at rest".to_owned());
    measured
}

/// Metres; found in the readings for `auto`, 0 where they lie on no grid.
fn quantisation_m(word: &str, scans: &[Scan]) -> Result<f64, Error> {
    if word != "auto" {
        let known = "auto, or the step in metres, 0 if continuous";
        let step_m = word.parse().ok().filter(|step: &f64| step.is_finite() && *step >= 0.0);
        return step_m.ok_or_else(|| unknown("--quantisation-m", word, known));
    }
    let readings: Vec<f32> = scans.iter().flat_map(|scan| &scan.ranges_m).copied().collect();
    Ok(detect_quantisation(&readings)?.step_m)
}
