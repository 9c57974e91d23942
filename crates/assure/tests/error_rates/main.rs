//! How often the statistics of a verdict err, by seeded simulation, and how often the common
//! mistakes do.
//!
//! A share found in `count` replications may differ from the true one by four and a half standard
//! errors: a right implementation fails one test in a hundred thousand, and never twice on the same
//! seed. Where a published share is reproduced, its own replications add theirs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bets;
mod corrections;
mod judged;
mod mistakes;
mod powered;

use rayon::prelude::*;
use tiepoint_model::{Seed, seed::Draws};

/// Standard errors that a share may be off.
const SIGMAS: f64 = 4.5;

/// Share of replications, in any order and on any number of cores, in which something happens.
fn share(count: u64, seed: u64, happens: impl Fn(&mut Draws) -> bool + Sync) -> f64 {
    let replications = (0..count).into_par_iter();
    let happened = replications.filter(|&r| happens(&mut Seed(seed).draws(r, 0))).count();
    happened as f64 / count as f64
}

fn standard_error(share: f64, count: u64) -> f64 {
    let inside = share.clamp(0.5 / count as f64, 1.0 - 0.5 / count as f64);
    (inside * (1.0 - inside) / count as f64).sqrt()
}

/// A promise of at most `limit`.
#[track_caller]
fn assert_at_most(found: f64, limit: f64, count: u64) {
    assert!(found <= limit + SIGMAS * standard_error(limit, count), "{found} exceeds {limit}");
}

/// A promise of at least `limit`.
#[track_caller]
fn assert_at_least(found: f64, limit: f64, count: u64) {
    assert!(found >= limit - SIGMAS * standard_error(limit, count), "{found} is below {limit}");
}

/// A share that is known, from a formula (no replications) or published with some.
#[track_caller]
fn assert_is(found: f64, known: f64, counts: [u64; 2]) {
    let theirs = if counts[1] > 0 { standard_error(known, counts[1]) } else { 0.0 };
    let ours = standard_error(known, counts[0]);
    let allowed = SIGMAS * (ours * ours + theirs * theirs).sqrt();
    assert!((found - known).abs() <= allowed, "{found} is not {known} within {allowed}");
}

/// Paired differences of independent scenes, bounded by 1.
fn scenes(draws: &mut Draws, mean: f64, sd: f64, count: usize) -> Vec<f64> {
    (0..count).map(|_| (mean + sd * draws.normal()).clamp(-1.0, 1.0)).collect()
}
