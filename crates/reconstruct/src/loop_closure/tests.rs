//! Laws of loop closure.

use nalgebra::Matrix3;
use tiepoint_model::{Pose2, Seed};

use super::{Hypothesis, Keyframe, LoopOptions, consistent, find_loops};
use crate::planar_scan::PlanarScan;
use crate::scan_match::ScanMatch;
use crate::test_world::{Scanner, drive, ring};
use crate::trajectory::SlamOptions;

fn options() -> LoopOptions {
    SlamOptions::indoor().loops
}

fn scans(truth: &[Pose2]) -> Vec<PlanarScan> {
    let scanner = Scanner::new(0.01);
    let walls = ring();
    truth
        .iter()
        .enumerate()
        .map(|(frame, pose)| {
            PlanarScan::new(&scanner.scan(&walls, *pose, frame), scanner.base_from_laser)
        })
        .collect()
}

fn keyframes<'a>(scans: &'a [PlanarScan], poses: &[Pose2]) -> Vec<Keyframe<'a>> {
    let frames = scans.iter().zip(poses).enumerate();
    frames
        .map(|(node, (scan, pose))| Keyframe {
            node,
            scan,
            map_from_base: *pose,
            path_m: 0.25 * node as f64,
        })
        .collect()
}

/// A lap and a quarter whose estimate has drifted by up to 0.6 m: each closure found must be true
/// to 4 cm.
#[test]
fn closures_of_a_drifted_lap_are_found_and_true() {
    let truth = drive(240);
    let scans = scans(&truth);
    let drifted: Vec<Pose2> = truth
        .iter()
        .enumerate()
        .map(|(node, pose)| Pose2::new(0.002 * node as f64, -0.0015 * node as f64, 0.0) * *pose)
        .collect();
    let search = find_loops(&keyframes(&scans, &drifted), &options()).unwrap();
    assert!(search.accepted.len() >= 10, "{search:?}");
    for closure in &search.accepted {
        let expected = truth[closure.from].inverse() * truth[closure.to];
        let error_m = closure.from_from_to.distance_m(expected);
        assert!(error_m < 0.04, "{closure:?} is off by {error_m} m");
        assert!(closure.support_count > 0);
    }
}

#[test]
fn a_way_without_revisits_has_no_loops() {
    let truth = drive(60);
    let scans = scans(&truth);
    let search = find_loops(&keyframes(&scans, &truth), &options()).unwrap();
    assert!(search.accepted.is_empty(), "{search:?}");
    assert!(find_loops(&[], &options()).unwrap().accepted.is_empty());
}

/// A place that merely looks alike gives a match that contradicts the true ones, or stands alone:
/// both are thrown out.
#[test]
fn contradicting_and_lonely_matches_are_thrown_out() {
    let truth = drive(240);
    let scans = scans(&truth);
    let keyframes = keyframes(&scans, &truth);
    let hypothesis = |earlier: usize, later: usize, off: Pose2| Hypothesis {
        earlier,
        later,
        found: ScanMatch {
            reference_from_base: truth[earlier].inverse() * truth[later] * off,
            information: Matrix3::identity(),
            covariance: Matrix3::identity(),
            inlier_share: 0.9,
            residual_rms_m: 0.01,
            iteration_count: 1,
        },
    };
    let mut draws = Seed(1).draws(0, 0);
    let mut hypotheses: Vec<Hypothesis> = (0..6)
        .map(|k| {
            let small = Pose2::new(0.01 * draws.normal(), 0.01 * draws.normal(), 0.0);
            hypothesis(2 + 3 * k, 190 + 3 * k, small)
        })
        .collect();
    hypotheses.push(hypothesis(5, 196, Pose2::new(1.5, 0.0, 0.0)));
    hypotheses.push(hypothesis(8, 199, Pose2::new(0.0, 0.0, 0.5)));
    hypotheses.push(hypothesis(60, 120, Pose2::IDENTITY));
    let accepted = consistent(&keyframes, &hypotheses);
    let pairs: Vec<(usize, usize)> = accepted.iter().map(|c| (c.from, c.to)).collect();
    let expected: Vec<(usize, usize)> = (0..6).map(|k| (2 + 3 * k, 190 + 3 * k)).collect();
    assert_eq!(pairs, expected);
}
