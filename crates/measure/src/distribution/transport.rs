//! The exact Wasserstein distance of two small sets of points.
//!
//! Invariant: the plan is optimal, proved by its prices: no cost is below the sum of the prices of
//! its ends, and each cost that is used equals it, up to rounding.
//! Unit: that of the coordinates.
//! Cost: `O((n + m)² · (n + m))` time at worst, about `O(n² log n)` on scattered points;
//! memory `O(n m)`, which is why each set is limited to [`TRANSPORT_COUNT_MAX`].
//!
//! Not here: regularised and unbalanced transport; lines, where sorting is enough (see
//! [`super::wasserstein`]).

use rayon::prelude::*;

use super::rows::{Rows, finite, square_distance};
use crate::{MeasureError, Metric, registry};

/// More points than this are refused: take a sample, or the sliced distance.
pub const TRANSPORT_COUNT_MAX: usize = 2000;

/// What moving a point costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportOrder {
    /// Its distance: Wasserstein-1, the earth mover's distance.
    First,
    /// Its squared distance: Wasserstein-2, the root of the least mean square.
    Second,
}

/// The metric with its order.
#[must_use]
pub fn transport_metric(order: TransportOrder) -> Metric {
    let order = match order {
        TransportOrder::First => 1,
        TransportOrder::Second => 2,
    };
    Metric::new(registry::DIST_WASSERSTEIN_EXACT).with("order", order)
}

/// The Wasserstein distance of two sets of points, all points of a set weighing the same.
///
/// # Inputs
/// - `left`, `right`: points with the same columns, at most 2000 each.
///
/// # Output
/// The distance itself. POT's `emd2` gives its power for squared distances.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::InvalidOption`] (too many points),
/// [`MeasureError::NotFinite`].
///
/// # Invariants
/// `exact_transport_agrees_with_sorting_on_a_line`, `exact_transport_is_a_metric`,
/// `exact_transport_of_a_shift_is_its_length`.
///
/// # Source
/// Villani, *Optimal transport*, 2009; shortest augmenting paths: Jonker and Volgenant 1987,
/// Ahuja, Magnanti and Orlin, *Network flows*, 1993, section 9.7; POT 0.9.7, `ot.emd2`.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{Rows, TransportOrder, exact_transport};
///
/// let (a, b) = ([0.0, 0.0, 1.0, 0.0], [0.0, 3.0, 1.0, 3.0]);
/// let (a, b) = (Rows::new(&a, 2)?, Rows::new(&b, 2)?);
/// assert_eq!(exact_transport(a, b, TransportOrder::First)?, 3.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn exact_transport(
    left: Rows,
    right: Rows,
    order: TransportOrder,
) -> Result<f64, MeasureError> {
    left.same_columns(&right)?;
    let (n, m) = (left.count(), right.count());
    let count = n.max(m);
    if count > TRANSPORT_COUNT_MAX {
        let (name, requirement) = ("points", "at most 2000 in each set");
        return Err(MeasureError::InvalidOption { name, value: count as f64, requirement });
    }
    let costs: Vec<f64> = (0..n)
        .into_par_iter()
        .flat_map_iter(|i| {
            right.iter().map(move |point| {
                let square = square_distance(left.row(i), point);
                if order == TransportOrder::First { square.sqrt() } else { square }
            })
        })
        .collect();
    if let Some(index) = costs.iter().position(|cost| !cost.is_finite()) {
        return Err(MeasureError::NotFinite { what: "distance", index });
    }
    // In whole units, so that masses are exact: each left point m of them, each right one n.
    let mut plan = Plan::new(costs, [n, m]);
    (0..n).for_each(|source| plan.send_all(source));
    let total: f64 = plan.total_cost() / (n as f64 * m as f64);
    let total = finite(total, "transport cost")?;
    Ok(if order == TransportOrder::First { total } else { total.sqrt() })
}

/// A plan in the making, with prices that prove it.
struct Plan {
    /// A row for each source.
    costs: Vec<f64>,
    counts: [usize; 2],
    /// Units left to send from each source, and to take at each sink.
    supply: Vec<u64>,
    demand: Vec<u64>,
    /// What each sink gets, from which source.
    flows: Vec<Vec<(usize, u64)>>,
    source_prices: Vec<f64>,
    sink_prices: Vec<f64>,
}

/// The shortest paths from one source.
struct Paths {
    /// Length to each sink.
    lengths: Vec<f64>,
    /// The source before each sink, and the sink before each source but the first.
    source_before: Vec<usize>,
    sink_before: Vec<usize>,
    /// Sources and sinks that are reached for good, with their lengths.
    sources: Vec<(usize, f64)>,
    sinks: Vec<usize>,
    is_done: Vec<bool>,
    is_source_done: Vec<bool>,
}

impl Plan {
    fn new(costs: Vec<f64>, [n, m]: [usize; 2]) -> Self {
        Self {
            costs,
            counts: [n, m],
            supply: vec![m as u64; n],
            demand: vec![n as u64; m],
            flows: vec![Vec::new(); m],
            source_prices: vec![0.0; n],
            sink_prices: vec![0.0; m],
        }
    }

    /// Sends what a source has along shortest paths, one after the other.
    fn send_all(&mut self, source: usize) {
        while self.supply[source] > 0 {
            let (paths, end) = self.shortest_paths(source);
            let length = paths.lengths[end];
            for &(reached, of_source) in &paths.sources {
                self.source_prices[reached] += length - of_source;
            }
            for &sink in &paths.sinks {
                self.sink_prices[sink] -= length - paths.lengths[sink];
            }
            self.send(source, end, &paths);
        }
    }

    /// Dijkstra's, over costs less prices, up to the first sink with demand. There always is one:
    /// what is left to send is left to take.
    fn shortest_paths(&self, source: usize) -> (Paths, usize) {
        let [n, m] = self.counts;
        let mut paths = Paths {
            lengths: vec![f64::INFINITY; m],
            source_before: vec![source; m],
            sink_before: vec![usize::MAX; n],
            sources: vec![(source, 0.0)],
            sinks: Vec::new(),
            is_done: vec![false; m],
            is_source_done: vec![false; n],
        };
        paths.is_source_done[source] = true;
        let mut looked_at = 0;
        loop {
            while let Some(&(from, length)) = paths.sources.get(looked_at) {
                self.relax(from, length, &mut paths);
                looked_at += 1;
            }
            let mut nearest = (f64::INFINITY, usize::MAX);
            for (sink, (length, is_done)) in paths.lengths.iter().zip(&paths.is_done).enumerate() {
                if !is_done && (*length, sink) < nearest {
                    nearest = (*length, sink);
                }
            }
            let (length, sink) = nearest;
            if self.demand[sink] > 0 {
                return (paths, sink);
            }
            paths.is_done[sink] = true;
            paths.sinks.push(sink);
            // Costs that are used equal their prices: the way back is free.
            for &(from, _) in &self.flows[sink] {
                if !paths.is_source_done[from] {
                    paths.is_source_done[from] = true;
                    paths.sink_before[from] = sink;
                    paths.sources.push((from, length));
                }
            }
        }
    }

    /// Looks from a source at every sink.
    fn relax(&self, from: usize, length: f64, paths: &mut Paths) {
        let m = self.counts[1];
        let costs = &self.costs[from * m..][..m];
        let base = length - self.source_prices[from];
        for sink in 0..m {
            let through = (base + (costs[sink] - self.sink_prices[sink])).max(length);
            if through < paths.lengths[sink] && !paths.is_done[sink] {
                paths.lengths[sink] = through;
                paths.source_before[sink] = from;
            }
        }
    }

    /// Sends as much as the path to `end` takes.
    fn send(&mut self, source: usize, end: usize, paths: &Paths) {
        let mut amount = self.supply[source].min(self.demand[end]);
        let mut sink = end;
        while paths.source_before[sink] != source {
            let from = paths.source_before[sink];
            sink = paths.sink_before[from];
            let flow = self.flows[sink].iter().find(|(of, _)| *of == from);
            amount = amount.min(flow.map_or(0, |(_, units)| *units));
        }
        let mut sink = end;
        loop {
            let from = paths.source_before[sink];
            match self.flows[sink].iter_mut().find(|(of, _)| *of == from) {
                Some((_, units)) => *units += amount,
                None => self.flows[sink].push((from, amount)),
            }
            if from == source {
                break;
            }
            sink = paths.sink_before[from];
            for (of, units) in &mut self.flows[sink] {
                if *of == from {
                    *units -= amount;
                }
            }
            self.flows[sink].retain(|(_, units)| *units > 0);
        }
        self.supply[source] -= amount;
        self.demand[end] -= amount;
    }

    fn total_cost(&self) -> f64 {
        let m = self.counts[1];
        let of_sink = |(sink, flows): (usize, &Vec<(usize, u64)>)| {
            flows
                .iter()
                .map(|&(from, units)| units as f64 * self.costs[from * m + sink])
                .sum::<f64>()
        };
        self.flows.iter().enumerate().map(of_sink).sum()
    }
}
