//! Lineage: which things were made from which, over any number of steps.
//!
//! Invariant: answers are closed (an ancestor's ancestor is in the answer) and do not hold the
//! thing itself; a cycle ends the walk, it does not repeat it.
//! Flat arrays in both directions (compressed sparse rows); building and every question are linear.
//!
//! Not here: edges of single records, which are rows of a table; [`Graph`] takes them as well.

use crate::{
    LedgerError,
    replay::{Nodes, Steps},
};

/// A directed graph over nodes `0..node_count`, fixed when built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    forward: Rows,
    backward: Rows,
}

/// The neighbours of node `n` are `targets[offsets[n]..offsets[n + 1]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rows {
    offsets: Vec<usize>,
    targets: Vec<u32>,
}

impl Graph {
    /// The graph with these edges, each `(from, to)`; duplicates and loops are harmless.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] for an edge that names a node beyond `node_count`.
    pub fn new(node_count: u32, edges: &[(u32, u32)]) -> Result<Self, LedgerError> {
        for node in edges.iter().flat_map(|(from, to)| [from, to]) {
            if *node >= node_count {
                let (position, entry_count) = (u64::from(*node), u64::from(node_count));
                return Err(LedgerError::NoSuchPosition { position, entry_count });
            }
        }
        let forward = Rows::new(node_count, || edges.iter().copied());
        let backward = Rows::new(node_count, || edges.iter().map(|(from, to)| (*to, *from)));
        Ok(Self { forward, backward })
    }

    /// Every node that can be reached from `start` along edges, ascending, without `start`.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] for a node beyond the graph.
    pub fn descendants(&self, start: u32) -> Result<Vec<u32>, LedgerError> {
        self.forward.reachable(start)
    }

    /// Every node from which `start` can be reached, ascending, without `start`.
    ///
    /// # Errors
    /// As [`Graph::descendants`].
    pub fn ancestors(&self, start: u32) -> Result<Vec<u32>, LedgerError> {
        self.backward.reachable(start)
    }
}

impl Rows {
    /// Counting sort by source: one pass counts, one pass places.
    fn new<I: Iterator<Item = (u32, u32)>>(node_count: u32, edges: impl Fn() -> I) -> Self {
        let mut offsets = vec![0_usize; node_count as usize + 1];
        for (from, _) in edges() {
            offsets[from as usize + 1] += 1;
        }
        for node in 1..offsets.len() {
            offsets[node] += offsets[node - 1];
        }
        let mut next = offsets.clone();
        let mut targets = vec![0; offsets[node_count as usize]];
        for (from, to) in edges() {
            targets[next[from as usize]] = to;
            next[from as usize] += 1;
        }
        Self { offsets, targets }
    }

    fn reachable(&self, start: u32) -> Result<Vec<u32>, LedgerError> {
        let node_count = self.offsets.len() - 1;
        if start as usize >= node_count {
            let (position, entry_count) = (u64::from(start), node_count as u64);
            return Err(LedgerError::NoSuchPosition { position, entry_count });
        }
        let mut seen = vec![false; node_count];
        seen[start as usize] = true;
        let mut waiting = vec![start];
        let mut found = Vec::new();
        while let Some(node) = waiting.pop() {
            let row = self.offsets[node as usize]..self.offsets[node as usize + 1];
            for &target in &self.targets[row] {
                if !std::mem::replace(&mut seen[target as usize], true) {
                    waiting.push(target);
                    found.push(target);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// The graph of a ledger: from the inputs of each body to its outputs.
///
/// Each body is a node between its inputs and outputs, so that edges grow with their sum and not
/// with their product.
#[derive(Clone, Debug)]
pub struct Lineage<'a> {
    nodes: &'a Nodes,
    graph: Graph,
}

impl<'a> Lineage<'a> {
    pub(crate) fn new(nodes: &'a Nodes, steps: &Steps) -> Result<Self, LedgerError> {
        let count = nodes.ids.len() + steps.entries.len();
        let (what, unit, max) = ("log", "ids and entries", u32::MAX as usize);
        let too_many = |_| LedgerError::TooMany { what, count, unit, max };
        let node_count = u32::try_from(count).map_err(too_many)?;
        let first_step = node_count - steps.entries.len() as u32;
        let mut edges = Vec::with_capacity(steps.edge_count());
        for (step, (_, inputs, outputs)) in (first_step..).zip(steps.iter()) {
            edges.extend(inputs.iter().map(|input| (*input, step)));
            edges.extend(outputs.iter().map(|output| (step, *output)));
        }
        Ok(Self { nodes, graph: Graph::new(node_count, &edges)? })
    }

    /// Everything that `id` was made from, directly or not, in the log's order of first mention.
    ///
    /// # Errors
    /// [`LedgerError::UnknownId`].
    pub fn ancestors(&self, id: &str) -> Result<Vec<&'a str>, LedgerError> {
        Ok(self.ids(&self.graph.ancestors(self.nodes.number(id)?)?))
    }

    /// Everything that was made from `id`, directly or not, in the log's order of first mention.
    ///
    /// # Errors
    /// [`LedgerError::UnknownId`].
    pub fn descendants(&self, id: &str) -> Result<Vec<&'a str>, LedgerError> {
        Ok(self.ids(&self.graph.descendants(self.nodes.number(id)?)?))
    }

    /// Nodes beyond the ids are bodies and have no name.
    fn ids(&self, nodes: &[u32]) -> Vec<&'a str> {
        nodes.iter().filter_map(|node| self.nodes.ids.get(*node)).collect()
    }
}
