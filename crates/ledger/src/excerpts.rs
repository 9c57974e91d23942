//! Which rows came from which rows: walks along the edges of the table `derivations`.
//!
//! Invariant: from an excerpt the walk goes on along every edge whose near end overlaps it: same thing, same part
//! (or all of it on either side), a common instant. Answers are closed, and a cycle ends the walk.
//! Equal edges in any order of adding give the same set of excerpts. Times are nanoseconds, ends excluded.
//!
//! Flat arrays: per part of a thing the spans by start, with the latest end below each (an implicit interval tree);
//! a span that was met is taken out of the walk's tree, so a walk costs the edges it goes along, times a logarithm.
//!
//! Not here: reading the table, and the ledger's own edges between whole things (see [`crate::lineage`]).

use tiepoint_model::{EdgeKind, Excerpt};

use crate::{
    LedgerError,
    columns::{Slots, Texts},
};

const WHAT: &str = "table `derivations`";

/// Stands for all parts of a thing.
const ALL_PARTS: u32 = u32::MAX;

/// An [`Excerpt`] that borrows its words; without a time it is open on that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// Of what.
    pub id: &'a str,
    /// Which part of it; `None` for all.
    pub part: Option<&'a str>,
    /// First instant.
    pub start_ns: Option<i64>,
    /// One past the last instant.
    pub end_ns: Option<i64>,
}

impl<'a> From<&'a Excerpt> for Place<'a> {
    fn from(excerpt: &'a Excerpt) -> Self {
        Self {
            id: &excerpt.id,
            part: excerpt.part.as_deref(),
            start_ns: excerpt.start_time_ns.map(|time| time.0),
            end_ns: excerpt.end_time_ns.map(|time| time.0),
        }
    }
}

/// Edges while they are read, one by one.
#[derive(Clone, Debug, Default)]
pub struct ExcerptEdges {
    ids: Texts,
    parts: Texts,
    nodes: Vec<Node>,
    slots: Slots,
    /// Parent, child, and the bit of the kind.
    edges: Vec<(u32, u32, u8)>,
}

/// An excerpt by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    id: u32,
    part: u32,
    start: i64,
    end: i64,
}

/// Something that a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached<'a> {
    /// What.
    pub place: Place<'a>,
    kinds: u8,
}

impl Reached<'_> {
    /// The kinds of edges by which the walk came to it, in the order of their declaration.
    pub fn kinds(&self) -> impl Iterator<Item = EdgeKind> {
        let kinds = self.kinds;
        EdgeKind::ALL.into_iter().filter(move |kind| kinds & bit(*kind) != 0)
    }
}

impl ExcerptEdges {
    /// Adds an edge. Adding it again changes nothing but the memory it takes.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for a span that ends where it starts or before, with the number of the edge from 1;
    /// [`LedgerError::TooMany`] for more than 2^32 different excerpts.
    pub fn add(
        &mut self,
        child: Place<'_>,
        kind: EdgeKind,
        parent: Place<'_>,
    ) -> Result<(), LedgerError> {
        let (child, parent) = (self.node(child)?, self.node(parent)?);
        self.edges.push((parent, child, bit(kind)));
        Ok(())
    }

    /// How many edges were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// True before the first edge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// Puts the edges into the order in which walks go along them.
    #[must_use]
    pub fn build(self) -> ExcerptGraph {
        let Self { ids, parts, nodes, slots: _, edges } = self;
        let mut order: Vec<u32> = (0..nodes.len() as u32).collect();
        order.sort_unstable_by_key(|number| nodes[*number as usize]);
        let mut place_of = vec![0_u32; nodes.len()];
        for (place, number) in (0_u32..).zip(&order) {
            place_of[*number as usize] = place;
        }
        let nodes: Vec<Node> = order.iter().map(|number| nodes[*number as usize]).collect();
        let at = |number: u32| place_of[number as usize];
        let down = Rows::new(nodes.len(), || {
            edges.iter().map(|(parent, child, kind)| (at(*parent), at(*child), *kind))
        });
        let up = Rows::new(nodes.len(), || {
            edges.iter().map(|(parent, child, kind)| (at(*child), at(*parent), *kind))
        });
        let groups = groups(&nodes);
        let mut latest = vec![i64::MIN; nodes.len()];
        let mut group_of = vec![0; nodes.len()];
        let mut is_alone = vec![false; nodes.len()];
        for (number, group) in (0_u32..).zip(&groups) {
            let range = group.begin as usize..group.end as usize;
            fill(&nodes, &mut latest, range.start, range.end);
            group_of[range.clone()].fill(number);
            if !group.has_whole {
                mark_alone(&nodes[range.clone()], &mut is_alone[range]);
            }
        }
        ExcerptGraph { ids, parts, nodes, groups, group_of, is_alone, latest, up, down }
    }

    fn node(&mut self, place: Place<'_>) -> Result<u32, LedgerError> {
        let (start, end) = ends(place);
        if start >= end {
            let problem = "has a span that ends where it starts, or before";
            return Err(LedgerError::Malformed { what: WHAT, line: self.len() + 1, problem });
        }
        let (count, max) = (self.nodes.len(), u32::MAX as usize - 1);
        if count >= max {
            return Err(LedgerError::TooMany { what: WHAT, count, unit: "excerpts", max });
        }
        // Each excerpt brings at most one new id and one new part, so neither can run out first.
        let id = self.ids.intern(place.id);
        let part = place.part.map_or(ALL_PARTS, |part| self.parts.intern(part));
        let node = Node { id, part, start, end };
        let nodes = &self.nodes;
        if let Some(known) = self.slots.find(hash(node), |n| nodes.get(n as usize) == Some(&node)) {
            return Ok(known);
        }
        self.nodes.push(node);
        let nodes = &self.nodes;
        self.slots.push(count as u32, |n| hash(nodes[n as usize]));
        Ok(count as u32)
    }
}

/// The nodes of one part of a thing.
#[derive(Clone, Copy, Debug)]
struct Group {
    id: u32,
    part: u32,
    begin: u32,
    end: u32,
    /// The first group of the same thing.
    first: u32,
    /// True if there are nodes of another part that this part overlaps: those of all parts, or any if it is they.
    has_whole: bool,
}

/// Edges between excerpts, fixed when built.
#[derive(Clone, Debug)]
pub struct ExcerptGraph {
    ids: Texts,
    parts: Texts,
    /// Sorted: by id, part, start, end.
    nodes: Vec<Node>,
    /// Runs of nodes with one id and part, in the same order.
    groups: Vec<Group>,
    group_of: Vec<u32>,
    /// True where no other node overlaps this one.
    is_alone: Vec<bool>,
    /// The interval tree of each part: at the middle of a range the latest end in it.
    latest: Vec<i64>,
    up: Rows,
    down: Rows,
}

impl ExcerptGraph {
    /// Everything that rows of `place` came from, directly or not, by id, part and start.
    #[must_use]
    pub fn ancestors(&self, place: Place<'_>) -> Vec<Reached<'_>> {
        self.walk(place, &self.up)
    }

    /// Everything that came from rows of `place`, directly or not, by id, part and start.
    #[must_use]
    pub fn descendants(&self, place: Place<'_>) -> Vec<Reached<'_>> {
        self.walk(place, &self.down)
    }

    /// True if an edge begins or ends at the thing.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.ids.find(id).is_some()
    }

    /// The parts of a thing that edges name, sorted.
    #[must_use]
    pub fn parts(&self, id: &str) -> Vec<&str> {
        let Some(id) = self.ids.find(id) else { return Vec::new() };
        let begin = self.nodes.partition_point(|node| node.id < id);
        let of_id = self.nodes[begin..].iter().take_while(|node| node.id == id);
        let mut parts: Vec<&str> = of_id.filter_map(|node| self.parts.get(node.part)).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    fn walk(&self, from: Place<'_>, rows: &Rows) -> Vec<Reached<'_>> {
        let (Some(id), (start, end)) = (self.ids.find(from.id), ends(from)) else {
            return Vec::new();
        };
        if start >= end {
            return Vec::new();
        }
        let mut walk = Walk {
            nodes: &self.nodes,
            latest: self.latest.clone(),
            is_met: vec![false; self.nodes.len()],
            met: Vec::new(),
        };
        // A part that no edge names still overlaps what is said of the whole.
        let part = match from.part {
            None => ALL_PARTS,
            Some(part) => self.parts.find(part).unwrap_or(ALL_PARTS - 1),
        };
        self.meet(&mut walk, Node { id, part, start, end }, self.first_group(id));
        let mut kinds = vec![0_u8; self.nodes.len()];
        let mut waiting = Vec::new();
        loop {
            while let Some(met) = walk.met.pop() {
                for (target, kind) in rows.of(met) {
                    let known = &mut kinds[target as usize];
                    if *known == 0 {
                        waiting.push(target);
                    }
                    *known |= kind;
                }
            }
            let Some(next) = waiting.pop() else { break };
            if !self.is_alone[next as usize] {
                let first = self.groups[self.group_of[next as usize] as usize].first;
                self.meet(&mut walk, self.nodes[next as usize], first as usize);
            } else if !std::mem::replace(&mut walk.is_met[next as usize], true) {
                walk.met.push(next);
            }
        }
        let reached = kinds.into_iter().zip(&self.nodes).filter(|(kinds, _)| *kinds != 0);
        reached.map(|(kinds, node)| Reached { place: self.place(node), kinds }).collect()
    }

    fn first_group(&self, id: u32) -> usize {
        self.groups.partition_point(|group| group.id < id)
    }

    /// Meets every span that overlaps a node and was not met yet; `first` is the first group of the node's thing.
    fn meet(&self, walk: &mut Walk<'_>, node: Node, first: usize) {
        let of_thing = self.groups[first..].iter().take_while(|group| group.id == node.id);
        for group in of_thing {
            if node.part == ALL_PARTS || group.part == ALL_PARTS || group.part == node.part {
                walk.take(group.begin as usize..group.end as usize, node.start, node.end);
            }
        }
    }

    fn place(&self, node: &Node) -> Place<'_> {
        Place {
            id: self.ids.get(node.id).unwrap_or_default(),
            part: self.parts.get(node.part),
            start_ns: (node.start != i64::MIN).then_some(node.start),
            end_ns: (node.end != i64::MAX).then_some(node.end),
        }
    }
}

/// What a walk has met.
struct Walk<'a> {
    nodes: &'a [Node],
    /// As in the graph, but without the spans that were met.
    latest: Vec<i64>,
    is_met: Vec<bool>,
    met: Vec<u32>,
}

impl Walk<'_> {
    /// Meets the spans of one part that overlap `[start, end)`. The depth is a logarithm of their number.
    fn take(&mut self, range: std::ops::Range<usize>, start: i64, end: i64) {
        let Some(middle) = middle(range.start, range.end) else { return };
        if self.latest[middle] <= start {
            return;
        }
        self.take(range.start..middle, start, end);
        let node = self.nodes[middle];
        if node.start < end {
            if !self.is_met[middle] && node.end > start {
                self.is_met[middle] = true;
                self.met.push(middle as u32);
            }
            self.take(middle + 1..range.end, start, end);
        }
        let own = if self.is_met[middle] { i64::MIN } else { node.end };
        self.latest[middle] = latest_end(&self.latest, range, middle, own);
    }
}

/// Neighbours in one direction: those of node `n` are `targets[offsets[n]..offsets[n + 1]]`.
#[derive(Clone, Debug)]
struct Rows {
    offsets: Vec<usize>,
    targets: Vec<(u32, u8)>,
}

impl Rows {
    /// Counting sort by source: one pass counts, one pass places.
    fn new<I: Iterator<Item = (u32, u32, u8)>>(count: usize, edges: impl Fn() -> I) -> Self {
        let mut offsets = vec![0_usize; count + 1];
        for (from, ..) in edges() {
            offsets[from as usize + 1] += 1;
        }
        for node in 1..offsets.len() {
            offsets[node] += offsets[node - 1];
        }
        let mut next = offsets.clone();
        let mut targets = vec![(0, 0); offsets[count]];
        for (from, to, kind) in edges() {
            targets[next[from as usize]] = (to, kind);
            next[from as usize] += 1;
        }
        Self { offsets, targets }
    }

    fn of(&self, node: u32) -> impl Iterator<Item = (u32, u8)> {
        let row = self.offsets[node as usize]..self.offsets[node as usize + 1];
        self.targets[row].iter().copied()
    }
}

/// The runs of nodes with one id and part.
fn groups(nodes: &[Node]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut begin = 0;
    for run in nodes.chunk_by(|a, b| (a.id, a.part) == (b.id, b.part)) {
        let Node { id, part, .. } = run[0];
        let before = groups.last().filter(|before| before.id == id);
        let first = before.map_or(groups.len() as u32, |before| before.first);
        let end = begin + run.len() as u32;
        groups.push(Group { id, part, begin, end, first, has_whole: false });
        begin = end;
    }
    // Those of all parts come last of their thing.
    for at in 0..groups.len() {
        let Group { part, first, .. } = groups[at];
        if part == ALL_PARTS && (first as usize) < at {
            groups[first as usize..=at].iter_mut().for_each(|group| group.has_whole = true);
        }
    }
    groups
}

/// Marks the nodes of a part that no other node of it overlaps; they are sorted by start.
fn mark_alone(nodes: &[Node], is_alone: &mut [bool]) {
    let mut latest = i64::MIN;
    for (at, node) in nodes.iter().enumerate() {
        let next = nodes.get(at + 1).map_or(i64::MAX, |next| next.start);
        is_alone[at] = (at == 0 || latest <= node.start) && (node.end <= next);
        latest = latest.max(node.end);
    }
}

fn fill(nodes: &[Node], latest: &mut [i64], begin: usize, end: usize) {
    let Some(middle) = middle(begin, end) else { return };
    fill(nodes, latest, begin, middle);
    fill(nodes, latest, middle + 1, end);
    latest[middle] = latest_end(latest, begin..end, middle, nodes[middle].end);
}

/// The latest end in a range, from those of its halves and of its middle.
fn latest_end(latest: &[i64], range: std::ops::Range<usize>, at: usize, own: i64) -> i64 {
    let half = |begin: usize, end: usize| middle(begin, end).map(|half| latest[half]);
    let (left, right) = (half(range.start, at), half(at + 1, range.end));
    own.max(left.unwrap_or(i64::MIN)).max(right.unwrap_or(i64::MIN))
}

fn middle(begin: usize, end: usize) -> Option<usize> {
    (begin < end).then(|| begin + (end - begin) / 2)
}

fn ends(place: Place<'_>) -> (i64, i64) {
    (place.start_ns.unwrap_or(i64::MIN), place.end_ns.unwrap_or(i64::MAX))
}

fn bit(kind: EdgeKind) -> u8 {
    1 << kind as u8
}

fn hash(node: Node) -> u64 {
    let fold =
        |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let owner = u64::from(node.id) << 32 | u64::from(node.part);
    let words = [owner, node.start.cast_unsigned(), node.end.cast_unsigned()];
    let hash = words.into_iter().fold(0, fold);
    hash ^ (hash >> 32)
}
