//! Laws of the pose graph.

use nalgebra::{DMatrix, DVector, Matrix3, Vector3};
use tiepoint_model::{Pose2, Seed, math::wrap_angle};

use super::sparse::{BlockMatrix, Factor};
use super::{
    Edge, PoseGraph, Prior, RobustLoss, SolveOptions, cost, linearise, normal_equations, solve,
};
use crate::ReconstructError;

const OPTIONS: SolveOptions = SolveOptions { iteration_count_max: 60, step_min: 1e-10 };

fn random_pose(draws: &mut tiepoint_model::seed::Draws, size: f64) -> Pose2 {
    Pose2::new(size * draws.normal(), size * draws.normal(), size * draws.normal())
}

fn random_information(draws: &mut tiepoint_model::seed::Draws) -> Matrix3<f64> {
    let root = Matrix3::from_fn(|_, _| draws.normal());
    root * root.transpose() + Matrix3::identity()
}

/// A loop of poses with exact chain and closing edges, and nodes moved off their places by noise.
fn disturbed_loop(node_count: usize, seed: Seed, noise: f64) -> (Vec<Pose2>, PoseGraph) {
    let mut truth = vec![Pose2::IDENTITY];
    for node in 1..node_count {
        let turn = 2.0 * std::f64::consts::PI / node_count as f64;
        truth.push(truth[node - 1] * Pose2::new(0.7, 0.05, turn));
    }
    let mut pairs: Vec<(usize, usize)> = (1..node_count).map(|node| (node - 1, node)).collect();
    for step in [3, 7, 11] {
        pairs.extend((0..node_count).step_by(5).map(|node| (node, (node + step) % node_count)));
    }
    let mut draws = seed.draws(0, 0);
    let edges = pairs
        .into_iter()
        .filter(|(from, to)| from != to)
        .map(|(from, to)| Edge {
            from,
            to,
            from_from_to: truth[from].inverse() * truth[to],
            information: random_information(&mut draws),
            loss: RobustLoss::Squared,
        })
        .collect();
    let map_from_nodes = truth
        .iter()
        .enumerate()
        .map(|(node, pose)| if node == 0 { *pose } else { *pose * random_pose(&mut draws, noise) })
        .collect();
    (truth, PoseGraph { map_from_nodes, edges, priors: Vec::new() })
}

/// Central differences with a step of 1e-6 are exact to about 1e-9 here.
#[test]
fn jacobians_equal_numeric_derivatives() {
    for trial in 0..50 {
        let mut draws = Seed(5).draws(trial, 0);
        let (from, to, measured) = (
            random_pose(&mut draws, 2.0),
            random_pose(&mut draws, 2.0),
            random_pose(&mut draws, 1.0),
        );
        let (_, by_from, by_to) = linearise(from, to, measured);
        for axis in 0..3 {
            let shifted = |pose: Pose2, h: f64| {
                let mut v = [pose.x_m, pose.y_m, pose.yaw_rad];
                v[axis] += h;
                Pose2 { x_m: v[0], y_m: v[1], yaw_rad: v[2] }
            };
            let slope = |forward: Vector3<f64>, back: Vector3<f64>| {
                let mut d = forward - back;
                d.z = wrap_angle(d.z);
                d / 2e-6
            };
            let numeric_from = slope(
                linearise(shifted(from, 1e-6), to, measured).0,
                linearise(shifted(from, -1e-6), to, measured).0,
            );
            let numeric_to = slope(
                linearise(from, shifted(to, 1e-6), measured).0,
                linearise(from, shifted(to, -1e-6), measured).0,
            );
            assert!((numeric_from - by_from.column(axis)).amax() < 1e-7, "trial {trial}");
            assert!((numeric_to - by_to.column(axis)).amax() < 1e-7, "trial {trial}");
        }
    }
}

/// The sparse factor against nalgebra's dense LU, both f64: agreement to the conditioning of the
/// matrix.
#[test]
fn the_sparse_solution_equals_the_dense_one() {
    for node_count in [1, 2, 12, 60] {
        let (_, graph) = disturbed_loop(node_count, Seed(node_count as u64), 0.1);
        let (matrix, gradient) = match node_count {
            1 => {
                let mut matrix = BlockMatrix::zeros(1);
                matrix.diagonal[0] = Matrix3::new(4.0, 1.0, 0.0, 1.0, 3.0, 0.5, 0.0, 0.5, 2.0);
                (matrix, vec![Vector3::new(1.0, -2.0, 0.3)])
            }
            _ => normal_equations(&graph, &graph.map_from_nodes, 1),
        };
        let count = matrix.diagonal.len();
        let mut dense = DMatrix::zeros(3 * count, 3 * count);
        for (node, block) in matrix.diagonal.iter().enumerate() {
            dense.view_mut((3 * node, 3 * node), (3, 3)).copy_from(block);
        }
        for (row, column, block) in &matrix.off_diagonal {
            let mut slot = dense.view_mut((3 * row, 3 * column), (3, 3));
            slot += block;
            let mut mirror = dense.view_mut((3 * column, 3 * row), (3, 3));
            mirror += block.transpose();
        }
        let right = DVector::from_iterator(
            3 * count,
            gradient.iter().flat_map(|g| g.iter().map(|v| -v).collect::<Vec<_>>()),
        );
        let expected = dense.lu().solve(&right).unwrap();
        let pairs: Vec<(usize, usize)> =
            matrix.off_diagonal.iter().map(|(row, column, _)| (*row, *column)).collect();
        let solved = Factor::plan(count, &pairs).solve(&matrix, 0.0, &gradient).unwrap();
        for (node, step) in solved.iter().enumerate() {
            for axis in 0..3 {
                let difference = (step[axis] - expected[3 * node + axis]).abs();
                assert!(difference < 1e-9 * (1.0 + expected.amax()), "{node_count}: {difference}");
            }
        }
    }
}

#[test]
fn consistent_edges_are_satisfied_exactly() {
    let (truth, graph) = disturbed_loop(40, Seed(3), 0.15);
    let solution = solve(&graph, &OPTIONS).unwrap();
    assert!(solution.has_converged);
    assert!(solution.cost_last < 1e-15 * solution.cost_first, "{solution:?}");
    for (found, expected) in solution.map_from_nodes.iter().zip(&truth) {
        assert!(found.distance_m(*expected) < 1e-8);
        assert!(wrap_angle(found.yaw_rad - expected.yaw_rad).abs() < 1e-8);
    }
}

/// Moving all nodes and priors by one rigid motion moves the solution by it.
#[test]
fn moving_the_frame_moves_the_solution() {
    let (truth, mut graph) = disturbed_loop(25, Seed(9), 0.05);
    // Inconsistent edges, so that the solution is a compromise.
    let mut draws = Seed(10).draws(0, 0);
    for edge in &mut graph.edges {
        edge.from_from_to = edge.from_from_to * random_pose(&mut draws, 0.02);
    }
    let information = Matrix3::identity() * 100.0;
    graph.priors =
        [0, 12].map(|node| Prior { node, map_from_node: truth[node], information }).to_vec();
    let plain = solve(&graph, &OPTIONS).unwrap();
    let elsewhere = Pose2::new(-13.0, 4.0, 2.2);
    for pose in &mut graph.map_from_nodes {
        *pose = elsewhere * *pose;
    }
    for prior in &mut graph.priors {
        prior.map_from_node = elsewhere * prior.map_from_node;
    }
    let moved = solve(&graph, &OPTIONS).unwrap();
    for (a, b) in plain.map_from_nodes.iter().zip(&moved.map_from_nodes) {
        assert!((elsewhere * *a).distance_m(*b) < 1e-7);
    }
    assert!((plain.cost_last - moved.cost_last).abs() < 1e-7 * plain.cost_last);
}

/// The gradient of the cost is zero at the solution of an inconsistent graph.
#[test]
fn no_small_step_lowers_the_cost_of_the_solution() {
    let (_, mut graph) = disturbed_loop(15, Seed(21), 0.05);
    let mut draws = Seed(22).draws(0, 0);
    for edge in &mut graph.edges {
        edge.from_from_to = edge.from_from_to * random_pose(&mut draws, 0.05);
        edge.loss = RobustLoss::Cauchy { scale: 1.0 };
    }
    let solution = solve(&graph, &OPTIONS).unwrap();
    assert!(solution.cost_last < solution.cost_first);
    for node in 1..solution.map_from_nodes.len() {
        for (dx, dy, dyaw) in [(1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)] {
            for sign in [-1.0, 1.0] {
                let mut moved = solution.map_from_nodes.clone();
                moved[node].x_m += sign * dx;
                moved[node].y_m += sign * dy;
                moved[node].yaw_rad += sign * dyaw;
                assert!(cost(&graph, &moved) >= solution.cost_last * (1.0 - 1e-12));
            }
        }
    }
}

#[test]
fn a_robust_loss_ignores_one_false_edge() {
    let false_edge = |loss| {
        let (truth, mut graph) = disturbed_loop(30, Seed(4), 0.0);
        // True edges good to a few centimetres: the false one, metres off, contradicts them.
        for edge in &mut graph.edges {
            edge.information *= 1000.0;
        }
        graph.edges.push(Edge {
            from: 2,
            to: 17,
            from_from_to: Pose2::new(5.0, 5.0, 1.0),
            information: Matrix3::identity() * 1000.0,
            loss,
        });
        let solution = solve(&graph, &OPTIONS).unwrap();
        let errors = solution.map_from_nodes.iter().zip(&truth).map(|(a, b)| a.distance_m(*b));
        errors.fold(0.0, f64::max)
    };
    let (believed_m, doubted_m) =
        (false_edge(RobustLoss::Squared), false_edge(RobustLoss::Cauchy { scale: 2.0 }));
    assert!(believed_m > 0.3, "{believed_m}");
    assert!(doubted_m < 0.1 * believed_m, "{doubted_m} {believed_m}");
}

#[test]
fn the_same_graph_gives_the_same_bits() {
    let bits = || {
        let (_, graph) = disturbed_loop(50, Seed(8), 0.1);
        let solution = solve(&graph, &OPTIONS).unwrap();
        let poses = solution.map_from_nodes.iter();
        poses.flat_map(|p| [p.x_m, p.y_m, p.yaw_rad].map(f64::to_bits)).collect::<Vec<_>>()
    };
    assert_eq!(bits(), bits());
}

#[test]
fn graphs_without_a_unique_solution_are_refused() {
    let edge = |from, to, information| Edge {
        from,
        to,
        from_from_to: Pose2::new(1.0, 0.0, 0.0),
        information,
        loss: RobustLoss::Squared,
    };
    let graph = |node_count: usize, edges: Vec<Edge>| PoseGraph {
        map_from_nodes: vec![Pose2::IDENTITY; node_count],
        edges,
        priors: Vec::new(),
    };
    let refused = |graph: &PoseGraph| solve(graph, &OPTIONS).unwrap_err();
    let one = Matrix3::identity();
    assert_eq!(refused(&graph(0, vec![])), ReconstructError::Empty { what: "node" });
    assert_eq!(
        refused(&graph(3, vec![edge(0, 1, one)])),
        ReconstructError::Disconnected { node: 2 }
    );
    assert!(matches!(
        refused(&graph(2, vec![edge(0, 2, one)])),
        ReconstructError::BadNode { index: 0, node: 2, node_count: 2 }
    ));
    assert!(matches!(refused(&graph(2, vec![edge(1, 1, one)])), ReconstructError::BadNode { .. }));
    assert!(matches!(
        refused(&graph(2, vec![edge(0, 1, one * f64::NAN)])),
        ReconstructError::NotFinite { what: "edge", index: 0 }
    ));
    let open = Matrix3::from_diagonal(&Vector3::new(1.0, 0.0, 1.0));
    assert_eq!(
        refused(&graph(2, vec![edge(0, 1, open)])),
        ReconstructError::Undetermined { node: 1 }
    );
    // One node alone is where it is.
    assert_eq!(solve(&graph(1, vec![]), &OPTIONS).unwrap().map_from_nodes, [Pose2::IDENTITY]);
}
