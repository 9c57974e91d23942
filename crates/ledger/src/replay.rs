//! Replay: what the lake holds, as told by the entries in order.
//!
//! Invariant: the state is a function of the entries and the bodies that are left.
//! It does not matter how entries were grouped into commits, and [`State::at`] any earlier position
//! equals the replay of that many entries.
//!
//! Not here: whether entries, bodies and roots are genuine (check them first), and their meaning.

mod records;

use std::collections::BTreeMap;

use tiepoint_model::Digest;

pub(crate) use self::records::{Called, Verbs};
use crate::{
    BodyView, Entry, LedgerError, Lineage,
    columns::{Chains, Digests, Texts},
};

/// Everything the ledger says, up to a position, as flat arrays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) entry_count: u64,
    /// What each entry did.
    pub(crate) verbs: Verbs,
    /// The versions that tables got.
    pub(crate) tables: History<u64>,
    /// The roots that names got.
    pub(crate) roots: History<Digest>,
    pub(crate) blobs: Digests,
    /// By number of a blob: the first entry that names it.
    pub(crate) blob_entries: Vec<u64>,
    /// Entries that were applied without their body.
    pub(crate) without_body: Vec<u64>,
    pub(crate) nodes: Nodes,
    pub(crate) steps: Steps,
    /// What people call things.
    pub(crate) called: Called,
}

/// What names were set to, and by which entry, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History<T> {
    pub(crate) names: Texts,
    pub(crate) chains: Chains,
    /// By record: the name, the entry and the value.
    pub(crate) owners: Vec<u32>,
    pub(crate) entries: Vec<u64>,
    pub(crate) values: Vec<T>,
}

/// Ids of inputs and outputs, numbered in the order in which the log first mentions them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nodes {
    pub(crate) ids: Texts,
    /// By id: the records of what made it.
    pub(crate) makers: Chains,
    /// By record: the entry whose body has the id among its outputs.
    pub(crate) maker_entries: Vec<u64>,
}

/// What each body read and made, as flat arrays: step `k` owns the items up to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) entries: Vec<u64>,
    pub(crate) input_ends: Vec<u64>,
    pub(crate) inputs: Vec<u32>,
    pub(crate) output_ends: Vec<u64>,
    pub(crate) outputs: Vec<u32>,
}

impl State {
    /// Applies the next entry, with its body unless that was erased.
    ///
    /// # Errors
    /// [`LedgerError::WrongIndex`] unless the entry is the next one, [`LedgerError::TooMany`] for
    /// more than 2^32 ids. After an error the state is as before.
    pub fn apply(
        &mut self,
        entry: &Entry,
        body: Option<&impl BodyView>,
    ) -> Result<(), LedgerError> {
        let (expected, found) = (self.entry_count, entry.index);
        if found != expected {
            return Err(LedgerError::WrongIndex { place: "log", expected, found });
        }
        self.expect_room(entry)?;
        match body {
            Some(body) => self.add_step(found, body)?,
            None => self.without_body.push(found),
        }
        self.verbs.push(&entry.verb);
        entry.tables.iter().for_each(|(table, version)| self.tables.push(table, found, *version));
        entry.roots.iter().for_each(|(name, root)| self.roots.push(name, found, *root));
        for blob in &entry.blobs {
            if self.blobs.add(blob).is_some() {
                self.blob_entries.push(found);
            }
        }
        self.entry_count += 1;
        Ok(())
    }

    /// How many entries were applied; the index that the next one must have.
    #[must_use]
    pub fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// What an entry did.
    #[must_use]
    pub fn verb(&self, index: u64) -> Option<&str> {
        self.verbs.of(index)
    }

    /// The entries that did this, ascending.
    #[must_use]
    pub fn entries_of_verb(&self, verb: &str) -> Vec<u64> {
        self.verbs.entries(verb)
    }

    /// The version of each table that readers see.
    #[must_use]
    pub fn tables(&self) -> BTreeMap<&str, u64> {
        self.tables.newest_of_each()
    }

    /// The version of one table that readers see.
    #[must_use]
    pub fn table(&self, table: &str) -> Option<u64> {
        self.tables.newest(table)
    }

    /// The root that each name has.
    #[must_use]
    pub fn roots(&self) -> BTreeMap<&str, Digest> {
        self.roots.newest_of_each()
    }

    /// The root that one name has.
    #[must_use]
    pub fn root(&self, name: &str) -> Option<Digest> {
        self.roots.newest(name)
    }

    /// The blobs of the lake, ascending.
    pub fn blobs(&self) -> impl ExactSizeIterator<Item = &Digest> {
        let mut blobs: Vec<&Digest> = self.blobs.digests.iter().collect();
        blobs.sort_unstable();
        blobs.into_iter()
    }

    /// The first entry that names this blob.
    #[must_use]
    pub fn entry_of_blob(&self, blob: &Digest) -> Option<u64> {
        self.blob_entries.get(self.blobs.find(blob)? as usize).copied()
    }

    /// The entries whose bodies have this id among their outputs, ascending.
    ///
    /// # Errors
    /// [`LedgerError::UnknownId`] if no body names it at all.
    pub fn entries_of_output(&self, id: &str) -> Result<Vec<u64>, LedgerError> {
        let records = self.nodes.makers.of(self.nodes.number(id)?);
        let mut entries: Vec<u64> = records.map(|at| self.nodes.maker_entries[at]).collect();
        entries.reverse();
        Ok(entries)
    }

    /// The ids that the body of this entry has among its outputs, in its order; none without a body.
    #[must_use]
    pub fn outputs_of(&self, entry: u64) -> Vec<&str> {
        let step = self.steps.entries.binary_search(&entry).ok();
        let outputs = step.map_or(&[][..], |step| self.steps.outputs_of(step));
        outputs.iter().filter_map(|number| self.nodes.ids.get(*number)).collect()
    }

    /// Whether any body mentions this id.
    #[must_use]
    pub fn has_id(&self, id: &str) -> bool {
        self.nodes.ids.find(id).is_some()
    }

    /// The name that the log first gives this id.
    #[must_use]
    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.called.name_of(self.nodes.ids.find(id)?)
    }

    /// The ids that have had this name, sorted.
    #[must_use]
    pub fn ids_called(&self, name: &str) -> Vec<&str> {
        let numbers = self.called.ids_called(name).into_iter();
        let mut ids: Vec<&str> = numbers.filter_map(|id| self.nodes.ids.get(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Every name that anything has had, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.called.titles.iter().collect();
        names.sort_unstable();
        names
    }

    /// Entries applied without a body, ascending: what they read and made is not in the lineage.
    #[must_use]
    pub fn entries_without_body(&self) -> &[u64] {
        &self.without_body
    }

    /// The first entry that gives this name a root: what made a thing, also where the body was erased.
    #[must_use]
    pub fn entry_of_root(&self, name: &str) -> Option<u64> {
        let record = self.roots.chains.of(self.roots.names.find(name)?).last()?;
        self.roots.entries.get(record).copied()
    }

    /// Every body that is left, in order: its entry, the ids that it read, the ids that it made.
    pub fn steps(&self) -> impl Iterator<Item = (u64, Vec<&str>, Vec<&str>)> {
        let ids = |numbers: &[u32]| -> Vec<&str> {
            numbers.iter().filter_map(|number| self.nodes.ids.get(*number)).collect()
        };
        self.steps.iter().map(move |(entry, inputs, outputs)| (entry, ids(inputs), ids(outputs)))
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
        let mut state = Self {
            entry_count: position,
            verbs: self.verbs.before(position),
            tables: self.tables.before(position),
            roots: self.roots.before(position),
            ..Self::default()
        };
        // Blobs are numbered as the log first names them, so the earlier ones come first.
        for (blob, entry) in self.blobs.digests.iter().zip(&self.blob_entries) {
            if *entry < position && state.blobs.add(blob).is_some() {
                state.blob_entries.push(*entry);
            }
        }
        let without_body = self.without_body.iter().filter(|entry| **entry < position);
        state.without_body = without_body.copied().collect();
        for (entry, inputs, outputs) in self.steps.iter() {
            if entry < position {
                let ids = |numbers: &'_ [u32]| -> Vec<&str> {
                    numbers.iter().filter_map(|number| self.nodes.ids.get(*number)).collect()
                };
                state.push_step(entry, &ids(inputs), &ids(outputs));
                // Names come after the ids of their own body, so that numbers are as they were.
                for (id, title) in self.called.of_entry(entry) {
                    let id = self.nodes.ids.get(id).unwrap_or_default();
                    state.push_name(entry, id, title);
                }
            }
        }
        Ok(state)
    }

    /// Numbers have 32 bits; the last is none.
    fn expect_room(&self, entry: &Entry) -> Result<(), LedgerError> {
        let most = self.tables.values.len().max(self.roots.values.len());
        let count = most.max(self.blob_entries.len())
            + entry.tables.len().max(entry.roots.len()).max(entry.blobs.len());
        expect_numbers("names", count)?;
        expect_numbers("entries", self.verbs.len() + 1)
    }

    fn add_step(&mut self, entry: u64, body: &impl BodyView) -> Result<(), LedgerError> {
        let known = self.nodes.ids.len().max(self.nodes.maker_entries.len());
        let known = known.max(self.called.len());
        let more = body.inputs().len() + body.outputs().len() + body.names().len();
        expect_numbers("ids", known + more)?;
        self.push_step(entry, body.inputs(), body.outputs());
        body.names().iter().for_each(|(id, name)| self.push_name(entry, id, name));
        Ok(())
    }

    fn push_name(&mut self, entry: u64, id: &str, name: &str) {
        let id = self.nodes.ids.intern(id);
        self.called.push(entry, id, name);
    }

    fn push_step<T: AsRef<str>>(&mut self, entry: u64, inputs: &[T], outputs: &[T]) {
        self.steps.entries.push(entry);
        self.steps.inputs.extend(inputs.iter().map(|id| self.nodes.ids.intern(id.as_ref())));
        self.steps.input_ends.push(self.steps.inputs.len() as u64);
        self.steps.outputs.extend(outputs.iter().map(|id| self.nodes.ids.intern(id.as_ref())));
        let begin = self.steps.output_ends.last().copied().unwrap_or_default() as usize;
        self.steps.output_ends.push(self.steps.outputs.len() as u64);
        for output in &self.steps.outputs[begin..] {
            let newest = self.nodes.makers.of(*output).next();
            if newest.map(|record| self.nodes.maker_entries[record]) != Some(entry) {
                self.nodes.makers.push(*output);
                self.nodes.maker_entries.push(entry);
            }
        }
    }
}

impl<T: Copy> History<T> {
    fn push(&mut self, name: &str, entry: u64, value: T) {
        let owner = self.names.intern(name);
        self.chains.push(owner);
        self.owners.push(owner);
        self.entries.push(entry);
        self.values.push(value);
    }

    fn newest(&self, name: &str) -> Option<T> {
        let record = self.chains.of(self.names.find(name)?).next()?;
        self.values.get(record).copied()
    }

    fn newest_of_each(&self) -> BTreeMap<&str, T> {
        let newest = |(owner, name)| Some((name, self.values[self.chains.of(owner).next()?]));
        (0..).zip(self.names.iter()).filter_map(newest).collect()
    }

    fn before(&self, position: u64) -> Self {
        let count = self.entries.partition_point(|entry| *entry < position);
        let mut earlier = Self::default();
        for at in 0..count {
            let name = self.names.get(self.owners[at]).unwrap_or_default();
            earlier.push(name, self.entries[at], self.values[at]);
        }
        earlier
    }
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            names: Texts::default(),
            chains: Chains::default(),
            owners: Vec::new(),
            entries: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl Nodes {
    pub(crate) fn number(&self, id: &str) -> Result<u32, LedgerError> {
        self.ids.find(id).ok_or_else(|| LedgerError::UnknownId { id: id.to_owned() })
    }
}

impl Steps {
    /// Entry, inputs and outputs of every step, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u32], &[u32])> {
        let slice = |ends: &[u64], step: usize| {
            let begin = step.checked_sub(1).map_or(0, |before| ends[before]);
            begin as usize..ends[step] as usize
        };
        self.entries.iter().enumerate().map(move |(step, entry)| {
            let inputs = &self.inputs[slice(&self.input_ends, step)];
            let outputs = &self.outputs[slice(&self.output_ends, step)];
            (*entry, inputs, outputs)
        })
    }

    /// The outputs of one step.
    fn outputs_of(&self, step: usize) -> &[u32] {
        let begin = step.checked_sub(1).map_or(0, |before| self.output_ends[before]);
        &self.outputs[begin as usize..self.output_ends[step] as usize]
    }

    /// Inputs and outputs, over all steps.
    pub(crate) fn edge_count(&self) -> usize {
        self.inputs.len() + self.outputs.len()
    }
}

fn expect_numbers(unit: &'static str, count: usize) -> Result<(), LedgerError> {
    let max = u32::MAX as usize;
    if count >= max {
        return Err(LedgerError::TooMany { what: "log", count, unit, max });
    }
    Ok(())
}
