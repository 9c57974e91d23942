//! Exact nearest neighbours by a k-d tree.
//!
//! Invariant: the answer is the one that comparing with every point gives, bit for bit, ties to the
//! lower index: the bound of a box is computed like a distance, and rounding is monotone.
//! Metres; squared distances in square metres.
//!
//! Cost: building `O(n log n)`, one query `O(log n)` for clouds that fill space evenly and `O(n)`
//! at worst; duplicates and collinear points cost no more, since halves are made by count.
//!
//! Not here: approximate answers, insertion and removal.

use rayon::prelude::*;

use super::{require_cloud, require_point, square_distance};
use crate::{MeasureError, statistics::require_not_below_zero};

/// Points in a leaf at most; measured, flat between 4 and 16.
const LEAF_POINTS: usize = 8;

/// Subtrees below this many points are built on one thread.
const PARALLEL_POINTS: usize = 1 << 13;

/// Queries handled together; fixed, so that threads share work and not results.
const CHUNK: usize = 1 << 10;

/// Halvings at most: a tree of `2^60` leaves does not fit into memory.
const DEPTH_MAX: usize = 60;

/// The nearest point to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Position of the point in the cloud, from 0; the lowest of those equally near.
    pub index: usize,
    /// Square of its distance, square metres.
    pub square_m2: f64,
}

impl Neighbour {
    const NONE: Self = Self { index: usize::MAX, square_m2: f64::INFINITY };

    /// Metres.
    #[must_use]
    pub fn distance_m(self) -> f64 {
        self.square_m2.sqrt()
    }

    fn improve(&mut self, square_m2: f64, index: usize) {
        let is_better =
            square_m2 < self.square_m2 || (square_m2 == self.square_m2 && index < self.index);
        if is_better {
            *self = Self { index, square_m2 };
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Item {
    point_m: [f64; 3],
    index: usize,
}

/// The smallest box around the points of a subtree.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    low: [f64; 3],
    high: [f64; 3],
}

impl Bounds {
    const EMPTY: Self = Self { low: [f64::INFINITY; 3], high: [f64::NEG_INFINITY; 3] };

    fn around(items: &[Item]) -> Self {
        let mut bounds = Self::EMPTY;
        for item in items {
            for axis in 0..3 {
                bounds.low[axis] = bounds.low[axis].min(item.point_m[axis]);
                bounds.high[axis] = bounds.high[axis].max(item.point_m[axis]);
            }
        }
        bounds
    }

    fn widest_axis(&self) -> usize {
        let width = |axis: usize| self.high[axis] - self.low[axis];
        let mut widest = 0;
        for axis in 1..3 {
            if width(axis) > width(widest) {
                widest = axis;
            }
        }
        widest
    }

    /// At most the squared distance, as [`square_distance`] rounds it, of any point inside.
    fn square_below(&self, query: &[f64; 3]) -> f64 {
        let nearest: [f64; 3] =
            std::array::from_fn(|axis| query[axis].max(self.low[axis]).min(self.high[axis]));
        square_distance(query, &nearest)
    }
}

/// A cloud that answers which of its points are near.
#[derive(Clone, Debug)]
pub struct KdTree {
    /// In the order of the leaves.
    items: Vec<Item>,
    /// Pre-order; a subtree of height `h` has `2^(h+1) - 1` nodes.
    bounds: Vec<Bounds>,
    /// Halvings from the root to a leaf.
    height: usize,
}

impl KdTree {
    /// The tree of a cloud; `what` names it in errors.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::TooLarge`].
    pub fn new(points_m: &[[f64; 3]], what: &'static str) -> Result<Self, MeasureError> {
        require_cloud(points_m, what)?;
        let mut height = 0;
        while height < DEPTH_MAX && points_m.len() >> height > LEAF_POINTS {
            height += 1;
        }
        let mut items: Vec<Item> = points_m
            .iter()
            .enumerate()
            .map(|(index, point_m)| Item { point_m: *point_m, index })
            .collect();
        let mut bounds = vec![Bounds::EMPTY; node_count(height)];
        build(&mut items, &mut bounds, height);
        Ok(Self { items, bounds, height })
    }

    /// How many points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Never: an empty cloud makes no tree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The nearest point to `query_m`.
    ///
    /// # Errors
    /// [`MeasureError::NotFinite`], [`MeasureError::TooLarge`].
    pub fn nearest(&self, query_m: &[f64; 3]) -> Result<Neighbour, MeasureError> {
        require_point(query_m, "query", 0)?;
        let mut best = Neighbour::NONE;
        self.improve_nearest(query_m, &mut best);
        Ok(best)
    }

    /// The nearest point of this cloud to each point of another.
    ///
    /// Neighbouring queries are answered one after the other, each starting from the last one's
    /// answer; results come in the order of the other cloud, and do not depend on threads.
    #[must_use]
    pub fn nearest_of_each(&self, queries: &Self) -> Vec<Neighbour> {
        let found: Vec<Neighbour> = queries
            .items
            .par_chunks(CHUNK)
            .flat_map_iter(|chunk| {
                let mut last: Option<Item> = None;
                chunk.iter().map(move |query| {
                    let mut best = Neighbour::NONE;
                    if let Some(item) = last {
                        best.improve(square_distance(&query.point_m, &item.point_m), item.index);
                    }
                    let place = self.improve_nearest(&query.point_m, &mut best);
                    last = place.map_or(last, |place| Some(self.items[place]));
                    best
                })
            })
            .collect();
        let mut ordered = vec![Neighbour::NONE; found.len()];
        for (query, neighbour) in queries.items.iter().zip(found) {
            ordered[query.index] = neighbour;
        }
        ordered
    }

    /// The points at a distance of at most `radius_m`, ascending by index.
    ///
    /// # Errors
    /// [`MeasureError::InvalidOption`], [`MeasureError::NotFinite`], [`MeasureError::TooLarge`].
    pub fn within(&self, query_m: &[f64; 3], radius_m: f64) -> Result<Vec<usize>, MeasureError> {
        require_point(query_m, "query", 0)?;
        require_not_below_zero(radius_m, "radius_m")?;
        let limit_m2 = radius_m * radius_m;
        let mut found = Vec::new();
        self.for_each_near(
            |bounds| bounds.square_below(query_m) <= limit_m2,
            |item| {
                if square_distance(query_m, &item.point_m) <= limit_m2 {
                    found.push(item.index);
                }
            },
        );
        found.sort_unstable();
        Ok(found)
    }

    /// The points inside an upright box, both ends included, ascending by index.
    pub(crate) fn within_box(&self, low: &[f64; 3], high: &[f64; 3]) -> Vec<usize> {
        let mut found = Vec::new();
        self.for_each_near(
            |bounds| (0..3).all(|a| bounds.low[a] <= high[a] && bounds.high[a] >= low[a]),
            |item| {
                if (0..3).all(|a| item.point_m[a] >= low[a] && item.point_m[a] <= high[a]) {
                    found.push(item.index);
                }
            },
        );
        found.sort_unstable();
        found
    }

    /// Improves `best` by every point that beats it; the place of the best in `items`, if new.
    fn improve_nearest(&self, query: &[f64; 3], best: &mut Neighbour) -> Option<usize> {
        let mut place = None;
        let mut waiting = [(0_usize, 0_usize, 0_usize, 0_usize, 0.0_f64); DEPTH_MAX + 1];
        let mut waiting_count = 1;
        waiting[0] = (0, 0, self.items.len(), self.height, 0.0);
        while waiting_count > 0 {
            waiting_count -= 1;
            let (mut node, mut begin, mut end, mut height, bound) = waiting[waiting_count];
            if bound > best.square_m2 {
                continue;
            }
            while height > 0 {
                let middle = begin + (end - begin) / 2;
                let (left, right) = (node + 1, node + 1 + node_count(height - 1));
                let left_bound = self.bounds[left].square_below(query);
                let right_bound = self.bounds[right].square_below(query);
                height -= 1;
                if left_bound <= right_bound {
                    if right_bound <= best.square_m2 {
                        waiting[waiting_count] = (right, middle, end, height, right_bound);
                        waiting_count += 1;
                    }
                    (node, end) = (left, middle);
                } else {
                    if left_bound <= best.square_m2 {
                        waiting[waiting_count] = (left, begin, middle, height, left_bound);
                        waiting_count += 1;
                    }
                    (node, begin) = (right, middle);
                }
            }
            for (offset, item) in self.items[begin..end].iter().enumerate() {
                let before = *best;
                best.improve(square_distance(query, &item.point_m), item.index);
                if before != *best {
                    place = Some(begin + offset);
                }
            }
        }
        place
    }

    fn for_each_near(&self, is_near: impl Fn(&Bounds) -> bool, mut visit: impl FnMut(&Item)) {
        let mut waiting = vec![(0, 0, self.items.len(), self.height)];
        while let Some((node, begin, end, height)) = waiting.pop() {
            if !is_near(&self.bounds[node]) {
                continue;
            }
            if height == 0 {
                self.items[begin..end].iter().for_each(&mut visit);
                continue;
            }
            let middle = begin + (end - begin) / 2;
            waiting.push((node + 1 + node_count(height - 1), middle, end, height - 1));
            waiting.push((node + 1, begin, middle, height - 1));
        }
    }
}

fn node_count(height: usize) -> usize {
    (1 << (height + 1)) - 1
}

/// Orders `items` so that each half of a half lies on one side, and fills the boxes in pre-order.
fn build(items: &mut [Item], bounds: &mut [Bounds], height: usize) {
    let whole = Bounds::around(items);
    bounds[0] = whole;
    if height == 0 {
        return;
    }
    let axis = whole.widest_axis();
    let middle = items.len() / 2;
    if middle < items.len() {
        items.select_nth_unstable_by(middle, |a, b| {
            a.point_m[axis].total_cmp(&b.point_m[axis]).then(a.index.cmp(&b.index))
        });
    }
    let is_large = items.len() > PARALLEL_POINTS;
    let (left, right) = items.split_at_mut(middle);
    let (left_bounds, right_bounds) = bounds[1..].split_at_mut(node_count(height - 1));
    if is_large {
        rayon::join(
            || build(left, left_bounds, height - 1),
            || build(right, right_bounds, height - 1),
        );
    } else {
        build(left, left_bounds, height - 1);
        build(right, right_bounds, height - 1);
    }
}
