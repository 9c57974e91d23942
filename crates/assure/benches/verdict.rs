//! How fast the statistics of the verdict are: prints a line `name seconds` for each, the best of three.
//!
//! Run with `cargo bench -p tiepoint-assure --bench verdict`; `peer_verdict.py` beside it runs this and
//! the published algorithm in turn. The clock is read here only.
#![expect(clippy::disallowed_methods, reason = "room: benchmark clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{hint::black_box, time::Instant};

use tiepoint_assure::statistics::{
    StatisticsError,
    betting::{ConfidenceSequence, betting_equivalence, hedged_interval},
};
use tiepoint_model::Seed;

const UNITS: u64 = 1_000_000;

fn main() -> Result<(), StatisticsError> {
    let values: Vec<f64> = (0..UNITS).map(|index| Seed(1).draws(0, index).uniform()).collect();
    timed("betting_interval_1e6", || hedged_interval(&values, 0.05))?;
    timed("betting_sequence_1e6_grid_1000", || {
        let mut sequence = ConfidenceSequence::new(0.05, 1000)?;
        for &value in &values {
            sequence.push(value)?;
        }
        Ok(sequence.interval())
    })?;
    let differences: Vec<f64> = values.iter().map(|value| value - 0.33).collect();
    timed("betting_equivalence_1e6", || betting_equivalence(&differences, 0.05, 1.0, 0.05))
}

fn timed<T>(
    name: &str,
    of: impl Fn() -> Result<T, StatisticsError>,
) -> Result<(), StatisticsError> {
    let mut best_s = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        black_box(of()?);
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    println!("{name} {best_s:.6}");
    Ok(())
}
