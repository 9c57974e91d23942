//! Distances of two clouds of points in files.
//!
//! Invariant: the form of a distance is in its identity, since forms of one name differ by factors.
//! Metres, as a rule: the files do not say.

mod residual;

use tiepoint_measure::{
    Statistics,
    geometry::{
        ChamferForm, CloudPair, Combine, DensityAwareForm, Directed, HausdorffForm, M3c2Mode,
        M3c2Options, SurfaceChange, chamfer, density_aware_chamfer, detection::surface_metric,
        hausdorff, m3c2, surface_score,
    },
    registry,
};

pub use self::residual::{ResidualAgainst, ResidualMapRequest, measure_residual_map};
use super::{
    InputFile, Measured, MeasuredTable, MeasuredValue,
    input::{dropped_note, read_points_m},
    unknown,
};
use crate::Error;

/// Two clouds and what to measure.
#[derive(Clone, Debug)]
pub struct GeometryRequest {
    /// PLY or PCD: the first cloud, the reference, the first epoch.
    pub first: InputFile,
    /// PLY or PCD: the second cloud, the estimate, the second epoch.
    pub second: InputFile,
    /// Leave out points with a missing coordinate instead of refusing the file.
    pub drop_missing: bool,
    /// What to measure.
    pub measure: GeometryMeasure,
}

/// A measure of two clouds with its options, in the words of the command line.
#[derive(Clone, Debug)]
pub enum GeometryMeasure {
    /// Chamfer distance.
    Chamfer {
        /// `open3d`, `mean-distance`, `pytorch3d`, `fan2017`, or `DIRECTED/COMBINE`.
        form: String,
    },
    /// Density-aware Chamfer distance.
    DensityAware {
        /// Steepness, one over metres.
        alpha: f64,
        /// `corrected` or `compat`.
        mode: String,
    },
    /// Hausdorff distance.
    Hausdorff {
        /// The quantile in place of the largest.
        quantile: Option<f64>,
        /// `max`, `mean`, `sum`, `first_to_second`, `second_to_first`, or `pooled` with a quantile.
        combine: String,
    },
    /// Precision, recall and F-score.
    FScore {
        /// Metres.
        tau_m: f64,
    },
    /// M3C2.
    SurfaceChange(SurfaceChangeRequest),
}

/// How a change along the normal is looked for.
#[derive(Clone, Debug)]
pub struct SurfaceChangeRequest {
    /// Where to look; `None` for every point of the first epoch.
    pub core: Option<InputFile>,
    /// Metres.
    pub normal_radii_m: Vec<f64>,
    /// Metres.
    pub cylinder_radius_m: f64,
    /// Metres.
    pub distance_m_max: f64,
    /// Metres.
    pub registration_error_m: f64,
    /// Normals look to its side.
    pub towards: [f64; 3],
    /// `corrected` or `compat`.
    pub mode: String,
    /// Least points of each epoch in a cylinder.
    pub points_min: usize,
    /// List every core point.
    pub lists_points: bool,
}

/// Measures two clouds.
///
/// # Errors
/// [`Error::Log`] naming byte or line, [`Error::BadNumber`], [`Error::NoWholeRow`],
/// [`Error::UnknownWord`]; those of the measure.
pub fn measure_geometry(request: &GeometryRequest) -> Result<Measured, Error> {
    let GeometryRequest { first, second, drop_missing, measure } = request;
    let read = |file| read_points_m(file, *drop_missing);
    let (first_read, second_read) = rayon::join(|| read(first), || read(second));
    let ((first_m, first_dropped), (second_m, second_dropped)) = (first_read?, second_read?);
    let mut measured = match measure {
        GeometryMeasure::SurfaceChange(options) => {
            let core = match &options.core {
                Some(core) => read(core)?.0,
                None => first_m.clone(),
            };
            surface_change([&first_m, &second_m, &core], options)?
        }
        other => of_pair(&CloudPair::new(&first_m, &second_m)?, other)?,
    };
    measured.values.push(MeasuredValue::count("first_count", first_m.len()));
    measured.values.push(MeasuredValue::count("second_count", second_m.len()));
    measured.notes.extend(dropped_note(first, first_dropped, "points"));
    measured.notes.extend(dropped_note(second, second_dropped, "points"));
    Ok(measured)
}

fn of_pair(pair: &CloudPair, measure: &GeometryMeasure) -> Result<Measured, Error> {
    match measure {
        GeometryMeasure::Chamfer { form } => chamfer_forms(pair, parse_chamfer(form)?),
        GeometryMeasure::DensityAware { alpha, mode } => {
            let form = match mode.as_str() {
                "corrected" => DensityAwareForm::Paper,
                "compat" => DensityAwareForm::Program,
                other => return Err(unknown("--mode", other, "corrected, compat")),
            };
            let metric = form.metric(*alpha);
            let distance = density_aware_chamfer(pair, *alpha, form);
            let values = distance.map(|value| vec![MeasuredValue::real("value", value, "1")]);
            Measured::of(&metric, values)
        }
        GeometryMeasure::Hausdorff { quantile, combine } => {
            let form = parse_hausdorff(*quantile, combine)?;
            let directed = |combine| hausdorff(pair, HausdorffForm::Largest(combine));
            let values = hausdorff(pair, form).and_then(|value| {
                let directions = [
                    ("largest_first_to_second", Combine::FirstToSecond),
                    ("largest_second_to_first", Combine::SecondToFirst),
                ];
                let mut values = vec![MeasuredValue::real("value", value, "m")];
                for (name, combine) in directions {
                    values.push(MeasuredValue::real(name, directed(combine)?, "m"));
                }
                Ok(values)
            });
            Measured::of(&form.metric(), values)
        }
        GeometryMeasure::FScore { tau_m } => {
            let of = |id| surface_metric(id, *tau_m);
            let values = surface_score(pair, *tau_m).map(|score| {
                let share = |share: tiepoint_measure::Share| share.value().unwrap_or_default();
                vec![
                    MeasuredValue::real("value", score.f_score(), "1"),
                    MeasuredValue::real("precision", share(score.precision), "1")
                        .of(&of(registry::GEOM_PRECISION)),
                    MeasuredValue::real("recall", share(score.recall), "1")
                        .of(&of(registry::GEOM_RECALL)),
                ]
            });
            Measured::of(&of(registry::GEOM_F_SCORE), values)
        }
        GeometryMeasure::SurfaceChange(_) => {
            Err(unknown("a pair of clouds", "geom.m3c2", "distances of clouds"))
        }
    }
}

const FORMS: [(&str, ChamferForm); 4] = [
    ("open3d", ChamferForm::OPEN3D),
    ("mean-distance", ChamferForm::MEAN_DISTANCE),
    ("pytorch3d", ChamferForm::PYTORCH3D),
    ("fan2017", ChamferForm::FAN_2017),
];

const DIRECTED: [Directed; 5] = [
    Directed::MeanDistance,
    Directed::MeanSquare,
    Directed::SumDistance,
    Directed::SumSquare,
    Directed::RootMeanSquare,
];

const COMBINE: [Combine; 5] =
    [Combine::Sum, Combine::Mean, Combine::Max, Combine::FirstToSecond, Combine::SecondToFirst];

/// The wanted form, and the named ones beside it.
fn chamfer_forms(pair: &CloudPair, form: ChamferForm) -> Result<Measured, Error> {
    let one_way = |combine| chamfer(pair, ChamferForm { directed: form.directed, combine });
    let unit = form.unit();
    let values = vec![
        MeasuredValue::real("value", chamfer(pair, form), unit),
        MeasuredValue::real("first_to_second", one_way(Combine::FirstToSecond), unit),
        MeasuredValue::real("second_to_first", one_way(Combine::SecondToFirst), unit),
    ];
    let rows = FORMS.map(|(name, form)| {
        vec![
            MeasuredValue::word("form", name),
            MeasuredValue::real("value", chamfer(pair, form), form.unit()),
            MeasuredValue::word("unit", form.unit()),
        ]
    });
    let mut measured = Measured::new(&form.metric(), values);
    measured.tables.push(MeasuredTable { name: "forms".to_owned(), rows: rows.to_vec() });
    Ok(measured)
}

fn parse_chamfer(word: &str) -> Result<ChamferForm, Error> {
    if let Some((_, form)) = FORMS.into_iter().find(|(name, _)| *name == word) {
        return Ok(form);
    }
    let parts = word.split_once('/').and_then(|(directed, combine)| {
        let directed = DIRECTED.into_iter().find(|known| known.name() == directed)?;
        Some(ChamferForm { directed, combine: parse_combine(combine)? })
    });
    parts.ok_or_else(|| {
        let known = "open3d, mean-distance, pytorch3d, fan2017, or one of mean_distance, \
                     mean_square, sum_distance, sum_square, root_mean_square, then `/`, then one \
                     of sum, mean, max, first_to_second, second_to_first";
        unknown("--form", word, known)
    })
}

fn parse_combine(word: &str) -> Option<Combine> {
    COMBINE.into_iter().find(|known| known.name() == word)
}

fn parse_hausdorff(quantile: Option<f64>, word: &str) -> Result<HausdorffForm, Error> {
    match (quantile, parse_combine(word)) {
        (None, Some(combine)) => Ok(HausdorffForm::Largest(combine)),
        (Some(probability), Some(combine)) => Ok(HausdorffForm::Quantile { probability, combine }),
        (Some(probability), None) if word == "pooled" => {
            Ok(HausdorffForm::PooledQuantile { probability })
        }
        _ => {
            let known = "max, mean, sum, first_to_second, second_to_first, or pooled with \
                         `--quantile`";
            Err(unknown("--combine", word, known))
        }
    }
}

fn surface_change(
    [first_m, second_m, core_m]: [&[[f64; 3]]; 3],
    request: &SurfaceChangeRequest,
) -> Result<Measured, Error> {
    let mode = match request.mode.as_str() {
        "corrected" => M3c2Mode::Corrected,
        "compat" => M3c2Mode::Py4dgeo,
        other => return Err(unknown("--mode", other, "corrected, compat")),
    };
    let options = M3c2Options {
        normal_radii_m: request.normal_radii_m.clone(),
        cylinder_radius_m: request.cylinder_radius_m,
        distance_m_max: request.distance_m_max,
        registration_error_m: request.registration_error_m,
        towards: request.towards,
        mode,
        points_min: request.points_min,
    };
    let changes = m3c2(first_m, second_m, core_m, &options)?;
    let metric = options.metric(registry::GEOM_M3C2_DISTANCE);
    let found: Vec<&SurfaceChange> = changes.iter().flatten().collect();
    let distances_m: Vec<f64> = found.iter().map(|change| change.distance_m).collect();
    let detected_count = found.iter().filter(|change| change.is_detected()).count();
    let statistics = Statistics::of(&distances_m, "core points with a change");
    let mut measured = match statistics {
        Ok(s) => {
            let named = [("value", s.mean), ("median", s.median), ("std", s.std), ("min", s.min)];
            let numbers = named.into_iter().chain([("max", s.max)]);
            let real = |(name, number)| MeasuredValue::real(name, number, "m");
            Measured::new(&metric, numbers.map(real).collect())
        }
        Err(error) => {
            let values = super::without_value("m", &error);
            Measured { is_defined: false, ..Measured::new(&metric, values) }
        }
    };
    measured.values.push(MeasuredValue::count("core_count", core_m.len()));
    measured.values.push(MeasuredValue::count("defined_count", found.len()));
    measured.values.push(MeasuredValue::count("detected_count", detected_count));
    measured.notes.push("`value` is the mean over the core points that have a change".to_owned());
    if request.lists_points {
        let rows = changes.iter().enumerate().map(|(index, change)| match change {
            Ok(change) => vec![
                MeasuredValue::count("index", index),
                MeasuredValue::real("distance_m", change.distance_m, ""),
                MeasuredValue::real("detection_level_m", change.detection_level_m, ""),
                MeasuredValue::count("first_count", change.first.count),
                MeasuredValue::count("second_count", change.second.count),
            ],
            Err(why) => vec![
                MeasuredValue::count("index", index),
                MeasuredValue::undefined("distance_m", ""),
                MeasuredValue::word("reason", &why.to_string()),
            ],
        });
        let rows = rows.collect();
        measured.tables.push(MeasuredTable { name: "core_points".to_owned(), rows });
    }
    Ok(measured)
}
