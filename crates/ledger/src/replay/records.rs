//! What each entry did, and what people call things: records of the replay that are asked from both sides.
//!
//! Invariant: as of all columns, what is here depends only on what was added and in which order.
//!
//! Not here: the ids that names belong to, which are numbered by the replay.

use crate::columns::{Chains, Texts};

/// By entry: its verb; and for each verb, its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verbs {
    pub(crate) names: Texts,
    /// By verb: its entries.
    pub(crate) chains: Chains,
    /// By entry: its verb.
    pub(crate) owners: Vec<u32>,
}

impl Verbs {
    pub(crate) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(crate) fn push(&mut self, verb: &str) {
        let owner = self.names.intern(verb);
        self.chains.push(owner);
        self.owners.push(owner);
    }

    pub(crate) fn of(&self, entry: u64) -> Option<&str> {
        self.names.get(*self.owners.get(usize::try_from(entry).ok()?)?)
    }

    /// Ascending.
    pub(crate) fn entries(&self, verb: &str) -> Vec<u64> {
        let Some(owner) = self.names.find(verb) else { return Vec::new() };
        let mut entries: Vec<u64> = self.chains.of(owner).map(|entry| entry as u64).collect();
        entries.reverse();
        entries
    }

    /// The verbs of the first entries.
    pub(crate) fn before(&self, position: u64) -> Self {
        let mut earlier = Self::default();
        (0..position).filter_map(|entry| self.of(entry)).for_each(|verb| earlier.push(verb));
        earlier
    }

    /// True if no look-up can leave its array.
    pub(crate) fn fits(&self) -> bool {
        let is_name = |owner: &u32| (*owner as usize) < self.names.len();
        self.chains.fits(self.names.len())
            && self.chains.before.len() == self.owners.len()
            && self.owners.iter().all(is_name)
    }
}

/// Names that bodies gave to ids, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) titles: Texts,
    /// By id: the records of its names.
    pub(crate) by_id: Chains,
    /// By name: the records of its ids.
    pub(crate) by_title: Chains,
    /// By record: the id, its name, and the entry whose body says so.
    pub(crate) ids: Vec<u32>,
    pub(crate) names: Vec<u32>,
    pub(crate) entries: Vec<u64>,
}

impl Called {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn push(&mut self, entry: u64, id: u32, title: &str) {
        let name = self.titles.intern(title);
        self.by_id.push(id);
        self.by_title.push(name);
        self.ids.push(id);
        self.names.push(name);
        self.entries.push(entry);
    }

    /// The first name of an id.
    pub(crate) fn name_of(&self, id: u32) -> Option<&str> {
        let first = self.by_id.of(id).last()?;
        self.titles.get(*self.names.get(first)?)
    }

    /// The ids that have had a name, each as often as it was given.
    pub(crate) fn ids_called(&self, title: &str) -> Vec<u32> {
        let Some(name) = self.titles.find(title) else { return Vec::new() };
        self.by_title.of(name).filter_map(|record| self.ids.get(record).copied()).collect()
    }

    /// Ids and names that the body of one entry gave.
    pub(crate) fn of_entry(&self, entry: u64) -> impl Iterator<Item = (u32, &str)> {
        let begin = self.entries.partition_point(|earlier| *earlier < entry);
        let records = (begin..self.len()).take_while(move |at| self.entries[*at] == entry);
        records.filter_map(|at| Some((self.ids[at], self.titles.get(self.names[at])?)))
    }

    /// True if no look-up can leave its array.
    pub(crate) fn fits(&self, id_count: usize) -> bool {
        let count = self.ids.len();
        let lengths = [&self.by_id.before, &self.by_title.before, &self.names].map(Vec::len);
        lengths.iter().all(|length| *length == count)
            && self.entries.len() == count
            && self.by_id.fits(id_count)
            && self.by_title.fits(self.titles.len())
    }
}
