//! Faults of a recording's tree of frames: two parents, cycles, islands, jumps, mountings that move.
//!
//! Invariant: the answer does not depend on the chunks of the messages, and findings come out
//! sorted by kind and frame. At most [`FRAMES_MAX`] frames are kept; more are counted.
//! Frames are named as in REP-105; metres, radians.
//!
//! Not here: what a transform is worth; a jump of a localiser is a jump.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_model::{
    Pose3, Timestamp, TransformSample, math,
    quality::{
        EXTRINSICS_MM_MAX, EXTRINSICS_MRAD_MAX, Finding, FindingKind, JUMP_M, JUMP_M_PER_S,
        JUMP_RAD, JUMP_RAD_PER_S, RecordingFinding,
    },
};

/// Frames beyond this many are not looked at: no robot has them, and a hostile log might.
pub const FRAMES_MAX: usize = 10_000;

/// How far two poses of the same thing lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MountingChange {
    /// Distance of the origins, millimetres.
    pub shift_mm: f64,
    /// Angle of the rotation between them, milliradians.
    pub turn_mrad: f64,
}

impl MountingChange {
    /// From one pose of a child in its parent to another.
    #[must_use]
    pub fn between(before: &Pose3, after: &Pose3) -> Self {
        let shift_m = (after.translation_m - before.translation_m).norm();
        Self { shift_mm: shift_m * 1e3, turn_mrad: angle_rad(before, after) * 1e3 }
    }

    /// What is over its limit.
    #[must_use]
    pub fn findings(&self, subject: &str) -> Vec<RecordingFinding> {
        let checks = [
            (FindingKind::ExtrinsicsShift, self.shift_mm, EXTRINSICS_MM_MAX),
            (FindingKind::ExtrinsicsTurn, self.turn_mrad, EXTRINSICS_MRAD_MAX),
        ];
        checks
            .into_iter()
            .filter(|(_, value, limit)| value > limit)
            .map(|(kind, value, limit)| found(subject.to_owned(), kind, value, limit, 1))
            .collect()
    }
}

/// The angle of the rotation from one pose to another, radians.
///
/// From sine and cosine together: the arc cosine alone loses small angles.
pub(super) fn angle_rad(before: &Pose3, after: &Pose3) -> f64 {
    let between = before.inverse() * *after;
    let [x, y, z, w] = between.quaternion_xyzw();
    2.0 * math::atan2((x * x + y * y + z * z).sqrt(), w.abs())
}

/// Collects the transforms of one recording.
#[derive(Clone, Debug, Default)]
pub struct TransformGraph {
    /// By child, then parent.
    edges: BTreeMap<String, BTreeMap<String, Edge>>,
    /// Frames that sensors measure in.
    sensor_frames: BTreeSet<String>,
    /// Frames that poses join, fixed frame and child: odometry says where a body is, too.
    pose_links: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
struct Edge {
    first: Pose3,
    last: Pose3,
    last_time: Timestamp,
    jump_count: u64,
    largest: MountingChange,
    is_fixed: bool,
}

impl TransformGraph {
    /// The next transform; `is_fixed` if its channel holds mountings (`/tf_static`).
    pub fn add(&mut self, transform: &TransformSample, is_fixed: bool) {
        let (parent, child) = (&transform.parent_frame_id, &transform.child_frame_id);
        if self.edges.len() >= FRAMES_MAX && !self.edges.contains_key(child) {
            return;
        }
        let (pose, time) = (transform.parent_from_child, transform.stamps.measured());
        let parents = self.edges.entry(child.clone()).or_default();
        let Some(edge) = parents.get_mut(parent) else {
            if parents.len() < FRAMES_MAX {
                let largest = MountingChange { shift_mm: 0.0, turn_mrad: 0.0 };
                let (first, last, last_time) = (pose, pose, time);
                let edge = Edge { first, last, last_time, jump_count: 0, largest, is_fixed };
                parents.insert(parent.clone(), edge);
            }
            return;
        };
        let step = MountingChange::between(&edge.last, &pose);
        let time_s = time.since(edge.last_time).as_seconds();
        let jumps = |moved: f64, limit: f64, per_s: f64| moved > limit && moved > per_s * time_s;
        let is_jump = time_s > 0.0
            && (jumps(step.shift_mm * 1e-3, JUMP_M, JUMP_M_PER_S)
                || jumps(step.turn_mrad * 1e-3, JUMP_RAD, JUMP_RAD_PER_S));
        edge.jump_count += u64::from(is_jump && !is_fixed);
        let since_first = MountingChange::between(&edge.first, &pose);
        edge.largest = MountingChange {
            shift_mm: edge.largest.shift_mm.max(since_first.shift_mm),
            turn_mrad: edge.largest.turn_mrad.max(since_first.turn_mrad),
        };
        (edge.last, edge.last_time) = (pose, time);
        edge.is_fixed &= is_fixed;
    }

    /// A sensor's frame, which should hang on the tree.
    pub fn add_sensor_frame(&mut self, frame_id: &str) {
        if !frame_id.is_empty()
            && self.sensor_frames.len() < FRAMES_MAX
            && !self.sensor_frames.contains(frame_id)
        {
            self.sensor_frames.insert(frame_id.to_owned());
        }
    }

    /// A pose of one frame in another, which joins them for good or bad.
    pub fn add_pose_link(&mut self, frame_id: &str, child_frame_id: &str) {
        let is_full = self.pose_links.len() >= FRAMES_MAX;
        if frame_id.is_empty() || child_frame_id.is_empty() || is_full {
            return;
        }
        // Looked up without allocating: there is one pair for thousands of poses.
        if !self.pose_links.iter().any(|link| link.0 == frame_id && link.1 == child_frame_id) {
            self.pose_links.insert((frame_id.to_owned(), child_frame_id.to_owned()));
        }
    }

    /// The fixed mountings, last pose each, by child and parent.
    #[must_use]
    pub fn mountings(&self) -> BTreeMap<(String, String), Pose3> {
        let all = self.edges.iter().flat_map(|(child, parents)| {
            parents.iter().map(move |(parent, edge)| ((child.clone(), parent.clone()), edge))
        });
        all.filter(|(_, edge)| edge.is_fixed).map(|(key, edge)| (key, edge.last)).collect()
    }

    /// The faults; none for a recording without transforms.
    ///
    /// # Cost
    /// Linear in frames and edges, apart from the sorting of names.
    #[must_use]
    pub fn findings(&self) -> Vec<RecordingFinding> {
        if self.edges.is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (child, parents) in &self.edges {
            if parents.len() > 1 {
                let names: Vec<&str> = parents.keys().map(String::as_str).collect();
                let subject = format!("{child} under {}", names.join(" and "));
                let kind = FindingKind::TransformTwoParents;
                findings.push(found(subject, kind, parents.len() as f64, 1.0, 1));
            }
            for (parent, edge) in parents {
                let subject = format!("{parent} to {child}");
                if edge.jump_count > 0 {
                    let (kind, count) = (FindingKind::TransformJump, edge.jump_count);
                    findings.push(found(subject.clone(), kind, count as f64, 0.0, count));
                }
                if edge.is_fixed {
                    findings.extend(edge.largest.findings(&subject));
                }
            }
        }
        findings.extend(self.cycle());
        findings.extend(self.islands());
        findings.sort_by(|a, b| (a.finding.kind, &a.subject).cmp(&(b.finding.kind, &b.subject)));
        findings
    }

    /// Peels off frames without parents, then frames without children; what is left goes in circles.
    fn cycle(&self) -> Option<RecordingFinding> {
        let downwards = self.edges.iter().flat_map(|(child, parents)| {
            parents.keys().map(move |parent| (parent.as_str(), child.as_str()))
        });
        let downwards: Vec<(&str, &str)> = downwards.collect();
        let after_roots = peeled(&downwards);
        let upwards: Vec<(&str, &str)> =
            after_roots.into_iter().map(|(parent, child)| (child, parent)).collect();
        let circles = peeled(&upwards);
        let frames: BTreeSet<&str> = circles.iter().flat_map(|edge| [edge.0, edge.1]).collect();
        let names: Vec<&str> = frames.iter().copied().take(8).collect();
        let count = frames.len() as u64;
        (count > 0)
            .then(|| found(names.join(", "), FindingKind::TransformCycle, count as f64, 0.0, count))
    }

    /// Sensors' frames that nothing joins, and trees with sensors beside the largest such tree;
    /// where no sensor names a frame, trees beside the largest.
    fn islands(&self) -> Option<RecordingFinding> {
        let trees = self.trees();
        let is_sensor = |frame: &str| self.sensor_frames.contains(frame);
        let with_sensors = |tree: &&Vec<&str>| {
            self.sensor_frames.is_empty() || tree.iter().any(|frame| is_sensor(frame))
        };
        let lone = |tree: &Vec<&str>| tree.len() == 1;
        let joined = trees.iter().filter(with_sensors).filter(|tree| !lone(tree)).skip(1);
        let alone = trees.iter().filter(|tree| lone(tree) && is_sensor(tree[0]));
        let islands: Vec<&Vec<&str>> = joined.chain(alone).collect();
        let names = islands.iter().filter_map(|tree| {
            let sensor = tree.iter().copied().filter(|frame| is_sensor(frame)).min();
            sensor.or_else(|| tree.iter().copied().min())
        });
        let subject = names.take(8).collect::<Vec<_>>().join(", ");
        let count = islands.len() as u64;
        (count > 0)
            .then(|| found(subject, FindingKind::TransformDisconnected, count as f64, 0.0, count))
    }

    /// Every tree's frames, the largest tree first.
    fn trees(&self) -> Vec<Vec<&str>> {
        let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let transforms = self.edges.iter().flat_map(|(child, parents)| {
            parents.keys().map(move |parent| (parent.as_str(), child.as_str()))
        });
        let poses = self.pose_links.iter().map(|link| (link.0.as_str(), link.1.as_str()));
        for (one, other) in transforms.chain(poses) {
            neighbours.entry(one).or_default().push(other);
            neighbours.entry(other).or_default().push(one);
        }
        for frame in &self.sensor_frames {
            neighbours.entry(frame).or_default();
        }
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut trees: Vec<Vec<&str>> = Vec::new();
        for &frame in neighbours.keys() {
            if !seen.insert(frame) {
                continue;
            }
            let (mut tree, mut next) = (Vec::new(), vec![frame]);
            while let Some(at) = next.pop() {
                tree.push(at);
                let around = neighbours.get(at).into_iter().flatten();
                next.extend(around.copied().filter(|other| seen.insert(other)));
            }
            trees.push(tree);
        }
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.len()));
        trees
    }
}

/// The edges that remain when frames that nothing points to are taken away again and again.
fn peeled<'a>(edges: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut outgoing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut incoming: BTreeMap<&str, usize> = BTreeMap::new();
    for &(from, to) in edges {
        outgoing.entry(from).or_default().push(to);
        incoming.entry(from).or_default();
        *incoming.entry(to).or_default() += 1;
    }
    let mut free: Vec<&str> =
        incoming.iter().filter(|(_, count)| **count == 0).map(|(frame, _)| *frame).collect();
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    while let Some(frame) = free.pop() {
        gone.insert(frame);
        for to in outgoing.get(frame).into_iter().flatten() {
            if let Some(count) = incoming.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    free.push(to);
                }
            }
        }
    }
    edges.iter().copied().filter(|edge| !gone.contains(edge.0)).collect()
}

fn found(
    subject: String,
    kind: FindingKind,
    value: f64,
    limit: f64,
    count: u64,
) -> RecordingFinding {
    RecordingFinding { subject, finding: Finding { kind, value, limit, count } }
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Stamps;

    use super::*;

    fn transform(parent: &str, child: &str, time_s: i64, x_m: f64) -> TransformSample {
        let log = Timestamp(time_s * 1_000_000_000);
        let mut parent_from_child = Pose3::identity();
        parent_from_child.translation_m.x = x_m;
        TransformSample {
            stamps: Stamps { log, publish: None, sensor: None },
            parent_frame_id: parent.to_owned(),
            child_frame_id: child.to_owned(),
            parent_from_child,
        }
    }

    fn of(edges: &[(&str, &str)]) -> Vec<(FindingKind, String, f64)> {
        let mut graph = TransformGraph::default();
        edges.iter().for_each(|(parent, child)| graph.add(&transform(parent, child, 0, 0.0), true));
        let all = graph.findings().into_iter();
        all.map(|found| (found.finding.kind, found.subject, found.finding.value)).collect()
    }

    #[test]
    fn a_tree_has_no_fault() {
        assert_eq!(of(&[("map", "odom"), ("odom", "base"), ("base", "lidar")]), []);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn two_parents_cycles_and_islands_are_named() {
        let two = of(&[("map", "base"), ("odom", "base"), ("map", "odom")]);
        let kind = FindingKind::TransformTwoParents;
        assert_eq!(two, [(kind, "base under map and odom".to_owned(), 2.0)]);
        let cycle = of(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")]);
        assert_eq!(cycle.last(), Some(&(FindingKind::TransformCycle, "a, b, c".to_owned(), 3.0)));
        let own = of(&[("a", "a")]);
        assert_eq!(own, [(FindingKind::TransformCycle, "a".to_owned(), 1.0)]);
        let islands = of(&[("a", "b"), ("b", "c"), ("x", "y")]);
        assert_eq!(islands, [(FindingKind::TransformDisconnected, "x".to_owned(), 1.0)]);
    }

    #[test]
    fn a_sensor_whose_frame_hangs_nowhere_is_an_island() {
        let mut graph = TransformGraph::default();
        graph.add_sensor_frame("laser");
        assert_eq!(graph.findings(), [], "without transforms there is no tree to hang on");
        graph.add(&transform("odom", "base", 0, 0.0), false);
        let findings = graph.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].subject, "laser");
        graph.add_pose_link("world", "laser");
        assert_eq!(graph.findings(), [], "the only tree with a sensor");
        graph.add_sensor_frame("base");
        assert_eq!(graph.findings().len(), 1, "two sensors in two trees");
        graph.add_pose_link("odom", "world");
        assert_eq!(graph.findings(), []);
    }

    #[test]
    fn jumps_are_counted_and_fast_driving_is_none() {
        let mut graph = TransformGraph::default();
        for (time_s, x_m) in [(0, 0.0), (1, 40.0), (2, 80.0), (3, 180.0), (4, 181.0)] {
            graph.add(&transform("odom", "base", time_s, x_m), false);
        }
        let findings = graph.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].finding.kind, FindingKind::TransformJump);
        assert_eq!(findings[0].finding.count, 1);
        assert!(graph.mountings().is_empty());
    }

    #[test]
    fn a_mounting_that_moves_is_found_in_millimetres() {
        let mut graph = TransformGraph::default();
        graph.add(&transform("base", "lidar", 0, 0.100), true);
        graph.add(&transform("base", "lidar", 1, 0.112), true);
        let findings = graph.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].subject, "base to lidar");
        assert!((findings[0].finding.value - 12.0).abs() < 1e-9);
        assert_eq!(graph.mountings().len(), 1);
    }

    #[test]
    fn small_turns_are_measured_exactly() {
        let half_rad: f64 = 1e-9;
        let quaternion = [0.0, 0.0, math::sin(half_rad), math::cos(half_rad)];
        let turned = Pose3::from_quaternion_xyzw([0.0; 3], quaternion).unwrap();
        let change = MountingChange::between(&Pose3::identity(), &turned);
        assert!((change.turn_mrad - 2e-6).abs() < 1e-14);
    }
}
