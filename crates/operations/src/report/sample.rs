//! Invented verdicts for tests: a robot in a room with a twin that is as good as the test asks.
//!
//! Metres; everything follows from seeds.

use std::collections::BTreeMap;

use tiepoint_assure::{DirectionEvidence, Evidence, SampleSeries, judge, parse_claim, sentence};
use tiepoint_model::{
    Cell, Digest, Seed, Span, Timestamp, WallMap,
    claim::{Claim, SyntheticSource},
    math,
    verdict::{Fit, ReferenceError, RuleStatus, UnitValues, Verdict, Veto},
};

use super::{
    HowToCheck, LineageRow, PathKind, PathPicture, Pictures, ReportInput, ValuePicture, render,
};

pub(crate) const START: Timestamp = Timestamp(1_178_275_990_919_836_000);

const CLAIM: &str = r#"
format_version = 1
name = "scan-noise"
statement = "The twin's scans may stand in for real scans where their local range noise matters."
kind = "measurement"
task = "Tuning the noise settings of scan-based algorithms"
real = "uwb"
synthetic = { twin = { range_error = "gaussian" } }
alpha = 0.05
bound = 0.1
independence = "within_run"
expires_days = 365
metric = { id = "scan.roughness", parameters = { clip_m = 0.1 } }
margin = { value = 0.003, unit = "m", justification = "A third of the scanner's reading step." }
unit = { kind = "block", length_s = 30.0 }
split = { kind = "contiguous_halves", both_directions = true, guard_autocorrelation_times = 2.0 }
seeds = { count = 20, base = "20260601" }
controls = { positive = "halves", negative = { id = "range_noise", size = 0.02, unit = "m" } }
"#;

const CELLS: &str = r#"
[[cells]]
name = "slow"
when = [{ descriptor = "mean_speed_m_per_s", operator = "<", value = 0.3 }]
[[cells]]
name = "fast"
when = [{ descriptor = "mean_speed_m_per_s", operator = ">=", value = 0.3 }]
"#;

/// What a twin is drawn from, metres.
#[derive(Clone, Copy)]
pub(crate) struct World {
    pub(crate) difference_m: f64,
    pub(crate) scatter_m: f64,
    pub(crate) block_count: usize,
}

pub(crate) const GOOD: World = World { difference_m: 0.0004, scatter_m: 0.0009, block_count: 6 };

pub(crate) fn claim(has_cells: bool) -> Claim {
    let text = if has_cells { format!("{CLAIM}{CELLS}") } else { CLAIM.to_owned() };
    parse_claim(&text, &["scan.roughness"]).unwrap()
}

pub(crate) fn supported() -> Verdict {
    judge(&claim(false), &evidence(GOOD)).unwrap()
}

pub(crate) fn refuted() -> Verdict {
    let bad = World { difference_m: 0.0081, scatter_m: 0.0012, ..GOOD };
    let mut evidence = evidence(bad);
    evidence.inspected_before = Some("the recording was public before the claim".to_owned());
    judge(&claim(false), &evidence).unwrap()
}

pub(crate) fn insufficient() -> Verdict {
    let wide = World { difference_m: 0.0012, scatter_m: 0.0031, block_count: 12 };
    judge(&claim(true), &evidence(wide)).unwrap()
}

pub(crate) fn not_assessed() -> Verdict {
    let claim = Claim { synthetic: SyntheticSource::Recording("simul".to_owned()), ..claim(false) };
    let unpaired = Evidence { directions: Vec::new(), reference: None, ..evidence(GOOD) };
    judge(&claim, &unpaired).unwrap()
}

fn evidence(world: World) -> Evidence {
    Evidence {
        claim_digest: Digest([7; 32]),
        judged_at_ns: Timestamp(1_780_000_000_000_000_000),
        directions: vec![
            direction("first_to_second", world, 11, 30.0 * world.block_count as f64 + 20.0),
            direction("second_to_first", world, 12, 0.0),
        ],
        reference: Some(ReferenceError {
            value: 0.0011,
            unit: "m".to_owned(),
            method: "three-cornered hat of ground truth, odometry and scan matching".to_owned(),
            share_of_real_variance: Some(0.12),
        }),
        inspected_before: None,
        vetoes: vec![
            veto("ranges_on_the_sensors_grid", RuleStatus::Pass),
            veto("no_copied_samples", RuleStatus::Pass),
        ],
        fitted: vec![Fit {
            what: "range noise, dropout and quantisation of the scanner".to_owned(),
            on: "uwb, first half".to_owned(),
        }],
        inputs: BTreeMap::from([
            ("real recording uwb".to_owned(), Digest([0x5a; 32])),
            ("twin of the second half".to_owned(), Digest([0xc3; 32])),
        ]),
        charge: None,
    }
}

fn veto(rule: &str, status: RuleStatus) -> Veto {
    Veto {
        rule: rule.to_owned(),
        status,
        measured: Some(0.997),
        limit: Some(0.99),
        evidence: "share of synthetic ranges on the 1 cm grid of the scanner".to_owned(),
    }
}

fn direction(name: &str, world: World, seed: u64, start_s: f64) -> DirectionEvidence {
    let mut draws = Seed(seed).draws(0, 0);
    let units = (0..world.block_count).map(|unit_index| {
        let real = 0.0118 + 0.0006 * draws.normal();
        let synthetic = real + world.difference_m + world.scatter_m * draws.normal();
        let start = START.plus(Span::from_seconds(start_s + 30.0 * unit_index as f64));
        let by_seed: Vec<Option<f64>> =
            (0..20).map(|_| Some(synthetic + 0.0001 * draws.normal())).collect();
        let corrupted = by_seed.iter().map(|value| value.map(|value| value + 0.0113));
        let speed = if unit_index % 2 == 0 { 0.21 } else { 0.38 };
        UnitValues {
            unit_index,
            unit: None,
            cell: None,
            start_ns: Some(start),
            end_ns: Some(start.plus(Span::from_seconds(30.0))),
            sample_count: 28,
            descriptors: BTreeMap::from([
                ("mean_speed_m_per_s".to_owned(), speed + 0.01 * draws.normal()),
                ("valid_beam_share".to_owned(), 0.97),
            ]),
            real: Some(real),
            negative_control_by_seed: corrupted.collect(),
            synthetic_by_seed: by_seed,
            positive_control: None,
        }
    });
    let mut draws = Seed(seed).draws(1, 0);
    let mut state = 0.0;
    let series = (0..170).map(|_| {
        state = 0.6 * state + draws.normal();
        state
    });
    DirectionEvidence {
        direction: name.to_owned(),
        fitted_on: "uwb, one half".to_owned(),
        tested_on: "uwb, the other half".to_owned(),
        guard_s: 20.0,
        units: units.collect(),
        differences: SampleSeries { interval_s: 1.06, pieces: vec![series.collect()] },
    }
}

/// A room with an inner wall, two noisy paths, and a value per scan.
pub(crate) fn pictures() -> Pictures {
    let path = |kind, label: &str, drift: f64, noise_m: f64, seed| PathPicture {
        label: label.to_owned(),
        kind,
        points_m: walk(drift, noise_m, seed),
    };
    Pictures {
        map: Some(room()),
        paths: vec![
            path(PathKind::RealTruth, "where the robot was", 0.0, 0.0, 1),
            path(PathKind::RealOdometry, "real odometry", 0.0004, 0.0, 1),
            path(PathKind::RealEstimate, "range filter on real ranges", 0.0, 0.07, 2),
            path(PathKind::SyntheticOdometry, "synthetic odometry", 0.00033, 0.0, 1),
            path(PathKind::SyntheticEstimate, "range filter on synthetic ranges", 0.0, 0.06, 3),
        ],
        values: Some(ValuePicture {
            what: "local range noise of a scan (scan.roughness)".to_owned(),
            unit: "m".to_owned(),
            real: series(0.0118, 4),
            synthetic: series(0.0122, 5),
        }),
    }
}

fn series(level: f64, seed: u64) -> Vec<(Timestamp, f64)> {
    let mut draws = Seed(seed).draws(0, 0);
    let mut state = 0.0;
    let value = |index: i32| {
        state = 0.6 * state + draws.normal();
        let time = START.plus(Span::from_seconds(1.06 * f64::from(index)));
        (time, level * math::exp(0.12 * state + 0.15 * math::sin(f64::from(index) / 20.0)))
    };
    (0..343).map(value).collect()
}

fn walk(drift: f64, noise_m: f64, seed: u64) -> Vec<[f64; 2]> {
    let mut draws = Seed(seed).draws(0, 0);
    let (mut noise_x, mut noise_y) = (0.0, 0.0);
    let point = |step: i32| {
        let angle = f64::from(step) / 110.0;
        let (sin, cos) = math::sin_cos(angle + drift * f64::from(step));
        noise_x = 0.9 * noise_x + 0.4 * noise_m * draws.normal();
        noise_y = 0.9 * noise_y + 0.4 * noise_m * draws.normal();
        let stretch = 2.6 + 0.5 * math::sin(angle * 0.37);
        let turned = drift * f64::from(step) * 2.0;
        [1.5 * stretch * cos + noise_x + turned, 0.8 * stretch * sin + noise_y - turned]
    };
    (0..1800).map(point).collect()
}

fn room() -> WallMap {
    let (column_count, row_count, cell_m) = (112, 72, 0.1);
    let wall = |x_m, y_m, normal_x, normal_y| Cell::Wall {
        x_m,
        y_m,
        normal_x,
        normal_y,
        thickness_m: 0.01,
        return_count: 40,
    };
    let cell = |index: usize| {
        let (column, row) = (index % column_count, index / column_count);
        let x_m = -5.6 + (column as f64 + 0.5) * cell_m;
        let y_m = -3.6 + (row as f64 + 0.5) * cell_m;
        let is_inside = (2..110).contains(&column) && (2..70).contains(&row);
        let is_door = row == 2 && (60..70).contains(&column);
        match (column, row) {
            _ if !is_inside => Cell::Unknown,
            _ if is_door => Cell::Free,
            (2 | 109, _) => wall(x_m, y_m, 1.0, 0.0),
            (_, 2 | 69) => wall(x_m, y_m, 0.0, 1.0),
            (52..60, 32) | (52..60, 39) => wall(x_m, y_m, 0.0, 1.0),
            (52 | 59, 33..39) => wall(x_m, y_m, 1.0, 0.0),
            _ => Cell::Free,
        }
    };
    let cells = (0..column_count * row_count).map(cell).collect();
    WallMap { origin_x_m: -5.6, origin_y_m: -3.6, cell_m, column_count, row_count, cells }
}

pub(crate) fn lineage() -> Vec<LineageRow> {
    let row = |role: &str, name: &str, id: &str, detail: &str| LineageRow {
        id: id.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        detail: detail.to_owned(),
    };
    vec![
        row("real recording", "uwb", "rec-5a5a5a5a", "ingested from uwb.rawlog, 363 s"),
        row(
            "twin",
            "uwb twin, first half",
            "rec-c3c3c3c3",
            "fitted on the first half, seed 20260601",
        ),
        row("claim", "scan-noise", "claim-07070707", "committed before validation data was opened"),
    ]
}

pub(crate) fn how_to_check() -> HowToCheck {
    HowToCheck {
        verdict_file: "scan-noise.json".to_owned(),
        statement_sha256: Digest([0x9e; 32]).to_string(),
        key: "demo+0a1b2c3d+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh".to_owned(),
        lake_id: "lake-1f2e3d4c".to_owned(),
        code_version: "tiepoint 0.1.0".to_owned(),
    }
}

/// The page of a verdict with these pictures.
pub(crate) fn page(verdict: &Verdict, pictures: &Pictures) -> String {
    render(&ReportInput {
        verdict,
        sentence: &sentence(verdict),
        pictures,
        lineage: &lineage(),
        check: &how_to_check(),
    })
}
