//! Loop closure: finding earlier places again, checking each by a scan match and all of them
//! against one another.
//!
//! Invariant: a closure is accepted only if another one near it says the same, so that a place
//! that merely looks alike
//! does not bend the map. Metres, radians.
//!
//! Not here: moving the poses (`pose_graph`).

use std::collections::BTreeMap;

use nalgebra::Matrix3;
use tiepoint_model::{Pose2, math::wrap_angle};

use crate::ReconstructError;
use crate::error::positive;
use crate::planar_scan::PlanarScan;
use crate::scan_match::{MatchOptions, Reference, ScanMatch, scan_match};

/// A scan that may be recognised, at its present estimate.
#[derive(Clone, Copy, Debug)]
pub struct Keyframe<'a> {
    /// Its node in the pose graph.
    pub node: usize,
    /// Its returns.
    pub scan: &'a PlanarScan,
    /// Present estimate.
    pub map_from_base: Pose2,
    /// Length of the way driven up to it, metres; does not decrease.
    pub path_m: f64,
}

/// Where to look and what to believe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopOptions {
    /// Two keyframes are a loop only if this much way lies between them, metres.
    pub path_m_min: f64,
    /// Keyframes farther apart than this share of the later scan's median range, after the drift
    /// allowance, are not compared.
    pub reach_share: f64,
    /// Search window at zero way between the two, metres.
    pub window_m: f64,
    /// Growth of the window per metre of way between the two: the drift of the estimate.
    pub window_m_per_m: f64,
    /// Greatest window, metres.
    pub window_m_max: f64,
    /// Least share of the scan's points that must lie on the reference.
    pub inlier_share_min: f64,
    /// Keyframes that look for a loop, at most: an even selection.
    pub query_count_max: usize,
}

/// A place that was recognised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopClosure {
    /// Node of the earlier scan.
    pub from: usize,
    /// Node of the later scan.
    pub to: usize,
    /// The later robot pose in the frame of the earlier.
    pub from_from_to: Pose2,
    /// Inverse covariance of (x, y, yaw) in the axes of `to`.
    pub information: Matrix3<f64>,
    /// Quality of the match.
    pub inlier_share: f64,
    /// How many other closures near it agree.
    pub support_count: usize,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopSearch {
    /// Closures that agree with one another, by (to, from).
    pub accepted: Vec<LoopClosure>,
    /// Pairs of keyframes that were compared.
    pub compared_count: usize,
    /// Compared pairs whose scans matched well enough.
    pub matched_count: usize,
    /// Matches that contradicted the others, or stood alone.
    pub inconsistent_count: usize,
}

/// A match of two keyframes, before the consistency check.
#[derive(Clone, Copy, Debug)]
struct Hypothesis {
    earlier: usize,
    later: usize,
    found: ScanMatch,
}

/// Keyframes on each side of the earlier one that make up the local map.
const LOCAL_MAP_HALF: usize = 4;

/// Closures whose ends lie within this much way of each other support one another, metres.
const SUPPORT_PATH_M: f64 = 6.0;

/// Finds the loops of a run.
///
/// # Errors
/// [`ReconstructError::BadOption`]; scans that cannot be matched are skipped, not refused.
pub fn find_loops(
    keyframes: &[Keyframe<'_>],
    options: &LoopOptions,
) -> Result<LoopSearch, ReconstructError> {
    positive("window_m", options.window_m)?;
    positive("reach_share", options.reach_share)?;
    positive("query_count_max", options.query_count_max as f64)?;
    let stride = keyframes.len().div_ceil(options.query_count_max).max(1);
    let mut references: BTreeMap<usize, Option<Reference>> = BTreeMap::new();
    let mut search = LoopSearch::default();
    let mut hypotheses = Vec::new();
    for later in (0..keyframes.len()).step_by(stride) {
        for earlier in candidates(keyframes, later, options) {
            search.compared_count += 1;
            let reference =
                references.entry(earlier).or_insert_with(|| local_map(keyframes, earlier));
            let Some(reference) = reference else { continue };
            let matching = match_options(keyframes, earlier, later, options);
            let guess = relative(keyframes, earlier, later);
            let Ok(found) = scan_match(reference, keyframes[later].scan, guess, &matching) else {
                continue;
            };
            let strayed = guess.distance_m(found.reference_from_base);
            if found.inlier_share >= options.inlier_share_min
                && strayed <= 1.5 * matching.window_m + 0.1
            {
                hypotheses.push(Hypothesis { earlier, later, found });
            }
        }
    }
    search.matched_count = hypotheses.len();
    search.accepted = consistent(keyframes, &hypotheses);
    search.inconsistent_count = search.matched_count - search.accepted.len();
    Ok(search)
}

/// For each visit to the neighbourhood of `later`, the earlier keyframe that saw it most alike; at
/// most three.
fn candidates(keyframes: &[Keyframe<'_>], later: usize, options: &LoopOptions) -> Vec<usize> {
    let mut best_of_visits: Vec<(f64, usize)> = Vec::new();
    let mut best: Option<(f64, usize)> = None;
    let reach_m = options.reach_share * keyframes[later].scan.median_range_m();
    for earlier in 0..later {
        let way_m = keyframes[later].path_m - keyframes[earlier].path_m;
        if way_m < options.path_m_min {
            break;
        }
        let between = relative(keyframes, earlier, later);
        let distance_m = between.distance_m(Pose2::IDENTITY);
        let allowed_m = reach_m + window_m(way_m, options);
        // A scanner that looks ahead sees the same walls only from about the same heading.
        if distance_m <= allowed_m && between.yaw_rad.abs() <= 1.2 {
            let unlike = distance_m + reach_m * between.yaw_rad.abs();
            if best.is_none_or(|(least, _)| unlike < least) {
                best = Some((unlike, earlier));
            }
        } else if let Some(done) = best.take() {
            best_of_visits.push(done);
        }
    }
    best_of_visits.extend(best);
    best_of_visits.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    best_of_visits.truncate(3);
    best_of_visits.into_iter().map(|(_, earlier)| earlier).collect()
}

fn local_map(keyframes: &[Keyframe<'_>], centre: usize) -> Option<Reference> {
    let first = centre.saturating_sub(LOCAL_MAP_HALF);
    let last = (centre + LOCAL_MAP_HALF).min(keyframes.len() - 1);
    let scans: Vec<(Pose2, &PlanarScan)> =
        (first..=last).map(|k| (relative(keyframes, centre, k), keyframes[k].scan)).collect();
    Reference::from_scans(&scans).ok()
}

fn relative(keyframes: &[Keyframe<'_>], from: usize, to: usize) -> Pose2 {
    keyframes[from].map_from_base.inverse() * keyframes[to].map_from_base
}

fn window_m(way_m: f64, options: &LoopOptions) -> f64 {
    (options.window_m + options.window_m_per_m * way_m).min(options.window_m_max)
}

fn match_options(
    keyframes: &[Keyframe<'_>],
    earlier: usize,
    later: usize,
    options: &LoopOptions,
) -> MatchOptions {
    let way_m = keyframes[later].path_m - keyframes[earlier].path_m;
    let window_m = window_m(way_m, options);
    let window_rad = (0.1 + 0.1 * window_m).min(0.5);
    MatchOptions { window_m, window_rad, guess_sigma_m: window_m, guess_sigma_rad: window_rad }
}

/// The largest set, greedily, of matches that agree pairwise (Mangelson et al., *Pairwise
/// consistent measurement set
/// maximization*, ICRA 2018), less those that no neighbour supports.
fn consistent(keyframes: &[Keyframe<'_>], hypotheses: &[Hypothesis]) -> Vec<LoopClosure> {
    let count = hypotheses.len();
    let mut agrees = vec![false; count * count];
    let mut degree = vec![0_usize; count];
    let mut support = vec![0_usize; count];
    for a in 0..count {
        for b in a + 1..count {
            if agree(keyframes, &hypotheses[a], &hypotheses[b]) {
                agrees[a * count + b] = true;
                agrees[b * count + a] = true;
                degree[a] += 1;
                degree[b] += 1;
                if way_between(keyframes, &hypotheses[a], &hypotheses[b]) <= SUPPORT_PATH_M {
                    support[a] += 1;
                    support[b] += 1;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| degree[*b].cmp(&degree[*a]).then(a.cmp(b)));
    let mut chosen: Vec<usize> = Vec::new();
    for candidate in order {
        let fits = chosen.iter().all(|other| agrees[candidate * count + other]);
        if support[candidate] > 0 && fits {
            chosen.push(candidate);
        }
    }
    chosen.sort_unstable();
    chosen
        .into_iter()
        .map(|index| {
            let Hypothesis { earlier, later, found } = hypotheses[index];
            LoopClosure {
                from: keyframes[earlier].node,
                to: keyframes[later].node,
                from_from_to: found.reference_from_base,
                information: found.information,
                inlier_share: found.inlier_share,
                support_count: support[index],
            }
        })
        .collect()
}

fn way_between(keyframes: &[Keyframe<'_>], a: &Hypothesis, b: &Hypothesis) -> f64 {
    let way =
        |first: usize, second: usize| (keyframes[first].path_m - keyframes[second].path_m).abs();
    way(a.earlier, b.earlier) + way(a.later, b.later)
}

/// Going round by both closures and the two stretches between their ends must lead back, within
/// the drift of those stretches.
fn agree(keyframes: &[Keyframe<'_>], a: &Hypothesis, b: &Hypothesis) -> bool {
    let round = relative(keyframes, b.earlier, a.earlier)
        * a.found.reference_from_base
        * relative(keyframes, a.later, b.later);
    let direct = b.found.reference_from_base;
    let way_m = way_between(keyframes, a, b);
    let apart_m = round.distance_m(direct);
    let turned_rad = wrap_angle(round.yaw_rad - direct.yaw_rad).abs();
    apart_m <= 0.25 + 0.03 * way_m && turned_rad <= 0.06 + 0.004 * way_m
}

#[cfg(test)]
mod tests;
