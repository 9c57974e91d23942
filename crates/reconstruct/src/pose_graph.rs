//! The pose graph of the plane: poses joined by measured relative poses and tied by priors, solved
//! by Levenberg-Marquardt.
//!
//! Invariant: the solution does not depend on threads, time or addresses; edges are summed in the
//! order given.
//! Metres, radians. Residuals and information are in the axes of the edge's `to` pose as measured
//! (Grisetti et al.,
//! *A tutorial on graph-based SLAM*, 2010, equations 30 to 32).
//!
//! Not here: where the edges come from.

mod sparse;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose2, math};

use crate::ReconstructError;
use sparse::{BlockMatrix, Factor};

/// How strongly a residual that does not fit may pull.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RobustLoss {
    /// Half the squared residual: every edge is believed.
    Squared,
    /// Cauchy's loss with this scale, in standard deviations: an edge far outside hardly pulls.
    Cauchy {
        /// Standard deviations at which the pull is halved.
        scale: f64,
    },
}

impl RobustLoss {
    /// The loss of a squared normalised residual, and its derivative by it.
    fn evaluate(self, squared: f64) -> (f64, f64) {
        match self {
            Self::Squared => (squared, 1.0),
            Self::Cauchy { scale } => {
                let c2 = scale * scale;
                (c2 * math::ln_1p(squared / c2), 1.0 / (1.0 + squared / c2))
            }
        }
    }
}

/// A measured pose of one node in the frame of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Node whose frame is the destination.
    pub from: usize,
    /// Node that was measured.
    pub to: usize,
    /// The node `to` in the frame of the node `from`.
    pub from_from_to: Pose2,
    /// Inverse covariance of (x, y, yaw) in the axes of `to`; symmetric, positive semidefinite.
    pub information: Matrix3<f64>,
    /// How outliers are treated.
    pub loss: RobustLoss,
}

/// A node tied to a place, such as ground truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Which node.
    pub node: usize,
    /// Where it should be.
    pub map_from_node: Pose2,
    /// Inverse covariance of (x, y, yaw) in the axes of the node.
    pub information: Matrix3<f64>,
}

/// Nodes at their first guess, and what ties them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoseGraph {
    /// `map_from_node` of each node. Without a prior, node 0 stays where it is.
    pub map_from_nodes: Vec<Pose2>,
    /// Relative poses.
    pub edges: Vec<Edge>,
    /// Absolute poses.
    pub priors: Vec<Prior>,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveOptions {
    /// Steps at most.
    pub iteration_count_max: usize,
    /// Stop when no pose moves by more than this, metres and radians.
    pub step_min: f64,
}

/// A solved graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphSolution {
    /// `map_from_node` of each node.
    pub map_from_nodes: Vec<Pose2>,
    /// Sum of the losses at the first guess.
    pub cost_first: f64,
    /// Sum of the losses at the solution.
    pub cost_last: f64,
    /// Steps tried.
    pub iteration_count: usize,
    /// True if the last step was smaller than asked for.
    pub has_converged: bool,
}

/// Moves the nodes to where edges and priors are satisfied best.
///
/// # Errors
/// [`ReconstructError::Empty`], [`ReconstructError::BadNode`], [`ReconstructError::NotFinite`],
/// [`ReconstructError::Disconnected`], or [`ReconstructError::Undetermined`] if the information
/// leaves a node free.
pub fn solve(graph: &PoseGraph, options: &SolveOptions) -> Result<GraphSolution, ReconstructError> {
    check(graph)?;
    let first_free = usize::from(graph.priors.is_empty());
    let unknown_count = graph.map_from_nodes.len() - first_free;
    let pairs: Vec<(usize, usize)> = graph
        .edges
        .iter()
        .filter(|edge| edge.from >= first_free && edge.to >= first_free)
        .map(|edge| (edge.from - first_free, edge.to - first_free))
        .collect();
    let mut factor = Factor::plan(unknown_count, &pairs);
    let mut poses = graph.map_from_nodes.clone();
    let cost_first = cost(graph, &poses);
    let mut cost_last = cost_first;
    let mut damping = 1e-9;
    let mut iteration_count = 0;
    let mut has_converged = unknown_count == 0;
    while !has_converged && iteration_count < options.iteration_count_max {
        iteration_count += 1;
        let (matrix, gradient) = normal_equations(graph, &poses, first_free);
        let step = factor
            .solve(&matrix, damping, &gradient)
            .map_err(|node| ReconstructError::Undetermined { node: node + first_free })?;
        let moved = moved_by(&poses, &step, first_free);
        let cost_moved = cost(graph, &moved);
        let step_max = step.iter().map(|delta| delta.amax()).fold(0.0, f64::max);
        // The cost of a solution is a sum over all edges: its last digits are noise.
        let is_no_worse = cost_moved <= cost_last * (1.0 + 1e-12) + 1e-300;
        has_converged = step_max < options.step_min;
        if is_no_worse {
            poses = moved;
            cost_last = cost_moved;
            damping = (damping * 0.1).max(1e-12);
        } else {
            damping = (damping * 100.0).max(1e-6);
            if damping > 1e12 {
                break;
            }
        }
    }
    Ok(GraphSolution {
        map_from_nodes: poses,
        cost_first,
        cost_last,
        iteration_count,
        has_converged,
    })
}

/// The residual of an edge (x, y, yaw): measured against estimated, in the axes of `to`.
#[must_use]
pub fn edge_residual(edge: &Edge, map_from_nodes: &[Pose2]) -> Vector3<f64> {
    linearise(map_from_nodes[edge.from], map_from_nodes[edge.to], edge.from_from_to).0
}

/// Residual of `from_from_to` against two poses, and its derivatives by (x, y, yaw) of each.
fn linearise(
    from: Pose2,
    to: Pose2,
    measured: Pose2,
) -> (Vector3<f64>, Matrix3<f64>, Matrix3<f64>) {
    let (si, ci) = math::sin_cos(from.yaw_rad);
    let (sz, cz) = math::sin_cos(measured.yaw_rad);
    let (dx, dy) = (to.x_m - from.x_m, to.y_m - from.y_m);
    // The node `to` in the frame of `from`, then its difference to the measurement in the measured
    // axes.
    let (px, py) = (ci * dx + si * dy, -si * dx + ci * dy);
    let (ex, ey) = (px - measured.x_m, py - measured.y_m);
    let yaw = math::wrap_angle(to.yaw_rad - from.yaw_rad - measured.yaw_rad);
    let residual = Vector3::new(cz * ex + sz * ey, -sz * ex + cz * ey, yaw);
    // Rotation by -(yaw_from + yaw_measured).
    let (a, b) = (cz * ci - sz * si, cz * si + sz * ci);
    let by_to = Matrix3::new(a, b, 0.0, -b, a, 0.0, 0.0, 0.0, 1.0);
    // d(px, py)/d yaw_from = (py, -px).
    let by_from =
        Matrix3::new(-a, -b, cz * py - sz * px, b, -a, -sz * py - cz * px, 0.0, 0.0, -1.0);
    (residual, by_from, by_to)
}

fn cost(graph: &PoseGraph, poses: &[Pose2]) -> f64 {
    let mut sum = 0.0;
    for edge in &graph.edges {
        let residual = edge_residual(edge, poses);
        sum += edge.loss.evaluate(residual.dot(&(edge.information * residual))).0;
    }
    for prior in &graph.priors {
        let residual = linearise(Pose2::IDENTITY, poses[prior.node], prior.map_from_node).0;
        sum += residual.dot(&(prior.information * residual));
    }
    sum
}

fn normal_equations(
    graph: &PoseGraph,
    poses: &[Pose2],
    first_free: usize,
) -> (BlockMatrix, Vec<Vector3<f64>>) {
    let unknown_count = poses.len() - first_free;
    let mut matrix = BlockMatrix::zeros(unknown_count);
    let mut gradient = vec![Vector3::zeros(); unknown_count];
    for edge in &graph.edges {
        let (residual, by_from, by_to) =
            linearise(poses[edge.from], poses[edge.to], edge.from_from_to);
        let weight = edge.loss.evaluate(residual.dot(&(edge.information * residual))).1;
        let information = edge.information * weight;
        let from = edge.from.checked_sub(first_free);
        let to = edge.to.checked_sub(first_free);
        if let Some(from) = from {
            matrix.diagonal[from] += by_from.transpose() * information * by_from;
            gradient[from] += by_from.transpose() * (information * residual);
        }
        if let Some(to) = to {
            matrix.diagonal[to] += by_to.transpose() * information * by_to;
            gradient[to] += by_to.transpose() * (information * residual);
        }
        if let (Some(from), Some(to)) = (from, to) {
            matrix.off_diagonal.push((from, to, by_from.transpose() * information * by_to));
        }
    }
    for prior in &graph.priors {
        let node = prior.node - first_free;
        let (residual, _, by_node) =
            linearise(Pose2::IDENTITY, poses[prior.node], prior.map_from_node);
        matrix.diagonal[node] += by_node.transpose() * prior.information * by_node;
        gradient[node] += by_node.transpose() * (prior.information * residual);
    }
    (matrix, gradient)
}

fn moved_by(poses: &[Pose2], step: &[Vector3<f64>], first_free: usize) -> Vec<Pose2> {
    let mut moved = poses.to_vec();
    for (pose, delta) in moved[first_free..].iter_mut().zip(step) {
        *pose = Pose2::new(pose.x_m + delta.x, pose.y_m + delta.y, pose.yaw_rad + delta.z);
    }
    moved
}

fn check(graph: &PoseGraph) -> Result<(), ReconstructError> {
    let node_count = graph.map_from_nodes.len();
    if node_count == 0 {
        return Err(ReconstructError::Empty { what: "node" });
    }
    if let Some(index) = graph.map_from_nodes.iter().position(|pose| !pose.is_finite()) {
        return Err(ReconstructError::NotFinite { what: "node", index });
    }
    let mut group: Vec<usize> = (0..node_count).collect();
    for (index, edge) in graph.edges.iter().enumerate() {
        if edge.from >= node_count || edge.to >= node_count || edge.from == edge.to {
            let node = edge.from.max(edge.to);
            return Err(ReconstructError::BadNode { index, node, node_count });
        }
        if !edge.from_from_to.is_finite() || !edge.information.iter().all(|v| v.is_finite()) {
            return Err(ReconstructError::NotFinite { what: "edge", index });
        }
        let (a, b) = (root(&mut group, edge.from), root(&mut group, edge.to));
        group[a.max(b)] = a.min(b);
    }
    let mut is_tied = vec![false; node_count];
    is_tied[0] = graph.priors.is_empty();
    for (index, prior) in graph.priors.iter().enumerate() {
        if prior.node >= node_count {
            return Err(ReconstructError::BadNode { index, node: prior.node, node_count });
        }
        if !prior.map_from_node.is_finite() || !prior.information.iter().all(|v| v.is_finite()) {
            return Err(ReconstructError::NotFinite { what: "prior", index });
        }
        is_tied[root(&mut group, prior.node)] = true;
    }
    match (0..node_count).find(|node| !is_tied[root(&mut group, *node)]) {
        Some(node) => Err(ReconstructError::Disconnected { node }),
        None => Ok(()),
    }
}

fn root(group: &mut [usize], mut node: usize) -> usize {
    while group[node] != node {
        group[node] = group[group[node]];
        node = group[node];
    }
    node
}

#[cfg(test)]
mod tests;
