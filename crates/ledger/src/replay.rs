//! Replay: what the lake holds, as told by the entries in order.
//!
//! Invariant: the state is a function of the entries and the bodies that are left.
//! It does not matter how entries were grouped into commits, and [`State::at`] any earlier position
//! equals the replay of that many entries.
//!
//! Not here: whether entries, bodies and roots are genuine (check them first), and their meaning.

use std::collections::BTreeMap;

use tiepoint_model::Digest;

use crate::{Body, Entry, LedgerError, Lineage};

/// Everything the ledger says, up to a position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    entry_count: u64,
    /// By table: the entry that set a version, and the version; entries ascend.
    tables: BTreeMap<String, Vec<(u64, u64)>>,
    /// By name: the entry that set a root, and the root; entries ascend.
    roots: BTreeMap<String, Vec<(u64, Digest)>>,
    /// By blob: the first entry that names it.
    blobs: BTreeMap<Digest, u64>,
    /// Entries that were applied without their body.
    without_body: Vec<u64>,
    nodes: Nodes,
    steps: Steps,
}

/// Ids of inputs and outputs, numbered in the order in which the log first mentions them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nodes {
    pub(crate) ids: Vec<String>,
    number_of: BTreeMap<String, u32>,
    /// By number: the entries whose bodies have the id among their outputs, ascending.
    makers: Vec<Vec<u64>>,
}

/// What each body read and made, as flat arrays: step `k` owns the items up to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) entries: Vec<u64>,
    input_ends: Vec<usize>,
    inputs: Vec<u32>,
    output_ends: Vec<usize>,
    outputs: Vec<u32>,
}

impl State {
    /// Applies the next entry, with its body unless that was erased.
    ///
    /// # Errors
    /// [`LedgerError::WrongIndex`] unless the entry is the next one, [`LedgerError::TooMany`] for
    /// more than 2^32 ids. After an error the state is as before.
    pub fn apply(&mut self, entry: &Entry, body: Option<&Body>) -> Result<(), LedgerError> {
        let (expected, found) = (self.entry_count, entry.index);
        if found != expected {
            return Err(LedgerError::WrongIndex { place: "log", expected, found });
        }
        match body {
            Some(body) => self.add_step(found, body)?,
            None => self.without_body.push(found),
        }
        for (table, version) in &entry.tables {
            self.tables.entry(table.clone()).or_default().push((found, *version));
        }
        for (name, root) in &entry.roots {
            self.roots.entry(name.clone()).or_default().push((found, *root));
        }
        for blob in &entry.blobs {
            self.blobs.entry(*blob).or_insert(found);
        }
        self.entry_count += 1;
        Ok(())
    }

    /// How many entries were applied; the index that the next one must have.
    #[must_use]
    pub fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// The version of each table that readers see.
    #[must_use]
    pub fn tables(&self) -> BTreeMap<&str, u64> {
        last_of_each(&self.tables)
    }

    /// The version of one table that readers see.
    #[must_use]
    pub fn table(&self, table: &str) -> Option<u64> {
        self.tables.get(table)?.last().map(|(_, version)| *version)
    }

    /// The root that each name has.
    #[must_use]
    pub fn roots(&self) -> BTreeMap<&str, Digest> {
        last_of_each(&self.roots)
    }

    /// The root that one name has.
    #[must_use]
    pub fn root(&self, name: &str) -> Option<Digest> {
        self.roots.get(name)?.last().map(|(_, root)| *root)
    }

    /// The blobs of the lake, ascending.
    pub fn blobs(&self) -> impl ExactSizeIterator<Item = &Digest> {
        self.blobs.keys()
    }

    /// The first entry that names this blob.
    #[must_use]
    pub fn entry_of_blob(&self, blob: &Digest) -> Option<u64> {
        self.blobs.get(blob).copied()
    }

    /// The entries whose bodies have this id among their outputs, ascending.
    ///
    /// # Errors
    /// [`LedgerError::UnknownId`] if no body names it at all.
    pub fn entries_of_output(&self, id: &str) -> Result<Vec<u64>, LedgerError> {
        Ok(self.nodes.makers[self.nodes.number(id)? as usize].clone())
    }

    /// Entries applied without a body, ascending: what they read and made is not in the lineage.
    #[must_use]
    pub fn entries_without_body(&self) -> &[u64] {
        &self.without_body
    }

    /// The graph from inputs to outputs, for questions about ancestors and descendants.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`] for more than 2^32 ids and entries together.
    pub fn lineage(&self) -> Result<Lineage<'_>, LedgerError> {
        Lineage::new(&self.nodes, &self.steps)
    }

    /// The state after the first `position` entries.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`] beyond the end.
    pub fn at(&self, position: u64) -> Result<Self, LedgerError> {
        if position > self.entry_count {
            let entry_count = self.entry_count;
            return Err(LedgerError::NoSuchPosition { position, entry_count });
        }
        let steps = self.steps.before(position);
        let blobs = self.blobs.iter().filter(|(_, entry)| **entry < position);
        let without_body = self.without_body.iter().filter(|entry| **entry < position);
        Ok(Self {
            entry_count: position,
            tables: before(&self.tables, position),
            roots: before(&self.roots, position),
            blobs: blobs.map(|(blob, entry)| (*blob, *entry)).collect(),
            without_body: without_body.copied().collect(),
            nodes: self.nodes.before(steps.node_count(), position),
            steps,
        })
    }

    fn add_step(&mut self, entry: u64, body: &Body) -> Result<(), LedgerError> {
        let count = self.nodes.ids.len() + body.inputs.len() + body.outputs.len();
        if u32::try_from(count).is_err() {
            let max = u32::MAX as usize;
            return Err(LedgerError::TooMany { what: "log", count, unit: "ids", max });
        }
        self.steps.entries.push(entry);
        self.steps.inputs.extend(body.inputs.iter().map(|id| self.nodes.intern(id)));
        self.steps.input_ends.push(self.steps.inputs.len());
        self.steps.outputs.extend(body.outputs.iter().map(|id| self.nodes.intern(id)));
        let begin = self.steps.output_ends.last().copied().unwrap_or_default();
        self.steps.output_ends.push(self.steps.outputs.len());
        for output in &self.steps.outputs[begin..] {
            let makers = &mut self.nodes.makers[*output as usize];
            if makers.last() != Some(&entry) {
                makers.push(entry);
            }
        }
        Ok(())
    }
}

impl Nodes {
    pub(crate) fn number(&self, id: &str) -> Result<u32, LedgerError> {
        self.number_of.get(id).copied().ok_or_else(|| LedgerError::UnknownId { id: id.to_owned() })
    }

    fn intern(&mut self, id: &str) -> u32 {
        if let Some(number) = self.number_of.get(id) {
            return *number;
        }
        #[expect(clippy::cast_possible_truncation, reason = "`add_step` checked the count")]
        let number = self.ids.len() as u32;
        self.ids.push(id.to_owned());
        self.makers.push(Vec::new());
        self.number_of.insert(id.to_owned(), number);
        number
    }

    /// The first `count` ids, and what made them before a position.
    fn before(&self, count: usize, position: u64) -> Self {
        let mut nodes = Self::default();
        for (id, makers) in self.ids[..count].iter().zip(&self.makers) {
            let number = nodes.intern(id) as usize;
            let end = makers.partition_point(|entry| *entry < position);
            nodes.makers[number].extend(&makers[..end]);
        }
        nodes
    }
}

impl Steps {
    /// Entry, inputs and outputs of every step, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u32], &[u32])> {
        let slice = |ends: &[usize], step: usize| {
            let begin = step.checked_sub(1).map_or(0, |before| ends[before]);
            begin..ends[step]
        };
        self.entries.iter().enumerate().map(move |(step, entry)| {
            let inputs = &self.inputs[slice(&self.input_ends, step)];
            let outputs = &self.outputs[slice(&self.output_ends, step)];
            (*entry, inputs, outputs)
        })
    }

    /// Inputs and outputs, over all steps.
    pub(crate) fn edge_count(&self) -> usize {
        self.inputs.len() + self.outputs.len()
    }

    fn before(&self, position: u64) -> Self {
        let count = self.entries.partition_point(|entry| *entry < position);
        let end = |ends: &[usize]| count.checked_sub(1).map_or(0, |last| ends[last]);
        Self {
            entries: self.entries[..count].to_vec(),
            input_ends: self.input_ends[..count].to_vec(),
            inputs: self.inputs[..end(&self.input_ends)].to_vec(),
            output_ends: self.output_ends[..count].to_vec(),
            outputs: self.outputs[..end(&self.output_ends)].to_vec(),
        }
    }

    /// Numbers are given in order of mention, so the largest one tells how many there are.
    fn node_count(&self) -> usize {
        let largest = self.inputs.iter().chain(&self.outputs).max();
        largest.map_or(0, |number| *number as usize + 1)
    }
}

type History<T> = BTreeMap<String, Vec<(u64, T)>>;

fn last_of_each<T: Copy>(history: &History<T>) -> BTreeMap<&str, T> {
    history.iter().filter_map(|(name, values)| Some((name.as_str(), values.last()?.1))).collect()
}

fn before<T: Copy>(history: &History<T>, position: u64) -> History<T> {
    let earlier = |(name, values): (&String, &Vec<(u64, T)>)| {
        let count = values.partition_point(|(entry, _)| *entry < position);
        (count > 0).then(|| (name.clone(), values[..count].to_vec()))
    };
    history.iter().filter_map(earlier).collect()
}
