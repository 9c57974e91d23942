//! How fast the Allan family and nearest neighbours are: a line for each, best of some passes.
//!
//! Run with `cargo bench -p tiepoint-measure --bench sensor`, and `benches/peer_sensor.py` in the same
//! minute. The clock is read here only.
#![expect(clippy::disallowed_methods, reason = "room: benchmark clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{hint::black_box, time::Instant};

use tiepoint_measure::{
    MeasureError,
    geometry::{ChamferForm, CloudPair, chamfer},
    sensor::{AveragingFactors, Deviation, Record, allan_deviation},
};
use tiepoint_model::{Seed, math};

const PASSES: u32 = 15;

fn main() -> Result<(), MeasureError> {
    // One hour at 100 Hz; 100 averaging times from 0.01 s to 1000 s, rounded and each once.
    let rates: Vec<f64> = (0..360_000).map(|i| Seed(1).draws(0, i).normal()).collect();
    let factors: Vec<usize> =
        (0..100).map(|i| math::pow(10.0, 5.0 * f64::from(i) / 99.0).round() as usize).collect();
    let clouds: Vec<Vec<[f64; 3]>> = (0..2).map(|which| cloud(which, 100_000)).collect();
    for thread_count in [1, 2] {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(thread_count);
        let Ok(pool) = builder.build() else { continue };
        for (name, deviation, factors) in [
            ("oadev 1 h at 100 Hz, 100 times", Deviation::Oadev, AveragingFactors::Given(&factors)),
            ("oadev 1 h at 100 Hz, octaves", Deviation::Oadev, AveragingFactors::Octave),
            ("mdev 1 h at 100 Hz, octaves", Deviation::Mdev, AveragingFactors::Octave),
            ("totdev 1 h at 100 Hz, octaves", Deviation::Totdev, AveragingFactors::Octave),
        ] {
            let record = Record::Rate(&rates);
            let once = || allan_deviation(deviation, record, 100.0, factors);
            report(name, thread_count, pool.install(|| best_of(once))?);
        }
        let once = || {
            CloudPair::new(&clouds[0], &clouds[1]).map(|pair| chamfer(&pair, ChamferForm::OPEN3D))
        };
        let name = "chamfer 100k and 100k points, trees and both ways";
        report(name, thread_count, pool.install(|| best_of(once))?);
    }
    Ok(())
}

/// Uniform in a cube.
fn cloud(which: u64, count: u64) -> Vec<[f64; 3]> {
    (0..count)
        .map(|index| {
            let mut draws = Seed(2).draws(which, index);
            [draws.uniform(), draws.uniform(), draws.uniform()]
        })
        .collect()
}

fn best_of<T>(once: impl Fn() -> Result<T, MeasureError>) -> Result<f64, MeasureError> {
    let mut best_s = f64::INFINITY;
    for _ in 0..PASSES {
        let began = Instant::now();
        black_box(once()?);
        best_s = best_s.min(began.elapsed().as_secs_f64());
    }
    Ok(best_s)
}

fn report(name: &str, thread_count: usize, seconds: f64) {
    println!("{name}, {thread_count} threads: {:.2} ms", 1e3 * seconds);
}
