//! Sparse Cholesky factorisation of symmetric matrices made of 3x3 blocks.
//!
//! Invariant: the elimination order is least degree first, ties to the lowest node; nothing
//! depends on addresses or threads.
//! The pattern is planned once and factored for each set of values.

use std::collections::BTreeSet;

use nalgebra::{Matrix3, Vector3};

/// A symmetric matrix: the diagonal blocks, and the blocks that join two different nodes (added up
/// if repeated).
#[derive(Clone, Debug)]
pub(super) struct BlockMatrix {
    pub(super) diagonal: Vec<Matrix3<f64>>,
    /// `(row, column, block)`; the mirror block is its transpose.
    pub(super) off_diagonal: Vec<(usize, usize, Matrix3<f64>)>,
}

impl BlockMatrix {
    pub(super) fn zeros(node_count: usize) -> Self {
        Self { diagonal: vec![Matrix3::zeros(); node_count], off_diagonal: Vec::new() }
    }
}

/// The factor `L` of the permuted matrix, column by column.
#[derive(Debug)]
pub(super) struct Factor {
    /// Node eliminated at each position.
    node_at: Vec<usize>,
    /// Position at which each node is eliminated.
    position_of: Vec<usize>,
    /// Below the diagonal of each column: positions, ascending.
    rows: Vec<Vec<usize>>,
    blocks: Vec<Vec<Matrix3<f64>>>,
    /// Lower triangular.
    diagonal: Vec<Matrix3<f64>>,
}

impl Factor {
    /// Chooses the elimination order and finds where the factor fills in.
    pub(super) fn plan(node_count: usize, pairs: &[(usize, usize)]) -> Self {
        let mut neighbours = vec![BTreeSet::new(); node_count];
        for (a, b) in pairs {
            neighbours[*a].insert(*b);
            neighbours[*b].insert(*a);
        }
        let mut queue: BTreeSet<(usize, usize)> =
            neighbours.iter().enumerate().map(|(node, set)| (set.len(), node)).collect();
        let mut node_at = Vec::with_capacity(node_count);
        let mut position_of = vec![0; node_count];
        let mut below = Vec::with_capacity(node_count);
        while let Some((_, node)) = queue.pop_first() {
            position_of[node] = node_at.len();
            node_at.push(node);
            let joined: Vec<usize> = std::mem::take(&mut neighbours[node]).into_iter().collect();
            for other in &joined {
                queue.remove(&(neighbours[*other].len(), *other));
                neighbours[*other].remove(&node);
                neighbours[*other].extend(joined.iter().filter(|third| *third != other));
                queue.insert((neighbours[*other].len(), *other));
            }
            below.push(joined);
        }
        let rows: Vec<Vec<usize>> = below
            .into_iter()
            .map(|nodes| {
                let mut rows: Vec<usize> = nodes.iter().map(|node| position_of[*node]).collect();
                rows.sort_unstable();
                rows
            })
            .collect();
        let blocks = rows.iter().map(|rows| vec![Matrix3::zeros(); rows.len()]).collect();
        let diagonal = vec![Matrix3::zeros(); node_count];
        Self { node_at, position_of, rows, blocks, diagonal }
    }

    /// Solves `(matrix + damping * diag(matrix)) x = -gradient`; the node whose pivot is not
    /// positive if there is one.
    pub(super) fn solve(
        &mut self,
        matrix: &BlockMatrix,
        damping: f64,
        gradient: &[Vector3<f64>],
    ) -> Result<Vec<Vector3<f64>>, usize> {
        self.load(matrix, damping);
        self.factorise()?;
        let count = self.node_at.len();
        let mut x: Vec<Vector3<f64>> = self.node_at.iter().map(|node| -gradient[*node]).collect();
        for column in 0..count {
            let solved = forward(&self.diagonal[column], x[column]);
            x[column] = solved;
            for (row, block) in self.rows[column].iter().zip(&self.blocks[column]) {
                x[*row] -= block * solved;
            }
        }
        for column in (0..count).rev() {
            let mut value = x[column];
            for (row, block) in self.rows[column].iter().zip(&self.blocks[column]) {
                value -= block.transpose() * x[*row];
            }
            x[column] = backward(&self.diagonal[column], value);
        }
        Ok(self.position_of.iter().map(|position| x[*position]).collect())
    }

    fn load(&mut self, matrix: &BlockMatrix, damping: f64) {
        for (position, node) in self.node_at.iter().enumerate() {
            let mut block = matrix.diagonal[*node];
            for axis in 0..3 {
                block[(axis, axis)] *= 1.0 + damping;
            }
            self.diagonal[position] = block;
            self.blocks[position].fill(Matrix3::zeros());
        }
        for (row, column, block) in &matrix.off_diagonal {
            let (row, column) = (self.position_of[*row], self.position_of[*column]);
            let (low, high, block) =
                if row > column { (column, row, *block) } else { (row, column, block.transpose()) };
            if let Ok(slot) = self.rows[low].binary_search(&high) {
                self.blocks[low][slot] += block;
            }
        }
    }

    /// Right-looking factorisation: each finished column is subtracted from the columns it touches.
    fn factorise(&mut self) -> Result<(), usize> {
        for column in 0..self.node_at.len() {
            let lower = cholesky(&self.diagonal[column]).ok_or(self.node_at[column])?;
            self.diagonal[column] = lower;
            let mut blocks = std::mem::take(&mut self.blocks[column]);
            let rows = std::mem::take(&mut self.rows[column]);
            for block in &mut blocks {
                // block = block * lower^-T, that is lower^-1 of its transpose.
                let transposed = block.transpose();
                let solved = Matrix3::from_columns(&[
                    forward(&lower, transposed.column(0).into()),
                    forward(&lower, transposed.column(1).into()),
                    forward(&lower, transposed.column(2).into()),
                ]);
                *block = solved.transpose();
            }
            for (first, target) in rows.iter().enumerate() {
                let mirrored = blocks[first].transpose();
                self.diagonal[*target] -= blocks[first] * mirrored;
                let target_rows = &self.rows[*target];
                let target_blocks = &mut self.blocks[*target];
                let mut slot = 0;
                for other in first + 1..rows.len() {
                    while target_rows[slot] != rows[other] {
                        slot += 1;
                    }
                    target_blocks[slot] -= blocks[other] * mirrored;
                }
            }
            self.blocks[column] = blocks;
            self.rows[column] = rows;
        }
        Ok(())
    }
}

/// Lower triangular factor; `None` unless every pivot is positive beyond rounding of the diagonal.
fn cholesky(matrix: &Matrix3<f64>) -> Option<Matrix3<f64>> {
    let mut lower = Matrix3::zeros();
    for column in 0..3 {
        let mut pivot = matrix[(column, column)];
        for k in 0..column {
            pivot -= lower[(column, k)] * lower[(column, k)];
        }
        if !(pivot > 1e-13 * matrix[(column, column)] && pivot.is_finite()) {
            return None;
        }
        let root = pivot.sqrt();
        lower[(column, column)] = root;
        for row in column + 1..3 {
            let mut value = matrix[(row, column)];
            for k in 0..column {
                value -= lower[(row, k)] * lower[(column, k)];
            }
            lower[(row, column)] = value / root;
        }
    }
    Some(lower)
}

fn forward(lower: &Matrix3<f64>, right: Vector3<f64>) -> Vector3<f64> {
    let x = right.x / lower[(0, 0)];
    let y = (right.y - lower[(1, 0)] * x) / lower[(1, 1)];
    let z = (right.z - lower[(2, 0)] * x - lower[(2, 1)] * y) / lower[(2, 2)];
    Vector3::new(x, y, z)
}

fn backward(lower: &Matrix3<f64>, right: Vector3<f64>) -> Vector3<f64> {
    let z = right.z / lower[(2, 2)];
    let y = (right.y - lower[(2, 1)] * z) / lower[(1, 1)];
    let x = (right.x - lower[(1, 0)] * y - lower[(2, 0)] * z) / lower[(0, 0)];
    Vector3::new(x, y, z)
}
