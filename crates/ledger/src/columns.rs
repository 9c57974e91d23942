//! Flat arrays that grow at their end and are saved as they are: the stuff of which a replayed ledger is made.
//!
//! Invariant: what is in an array depends only on what was added and in which order, so that equal
//! histories are equal arrays; loading one is copying bytes, whatever its length.
//! Numbers are given in order of first mention, from 0.
//!
//! Not here: what the arrays mean.

use tiepoint_model::Digest;

/// Marks an empty slot, and the end of a chain. No number reaches it.
const NONE: u32 = u32::MAX;

/// A hash table of numbers; the keys lie elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots(pub(crate) Vec<u32>);

impl Slots {
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.0.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            match self.0[at] {
                NONE => return None,
                number if is_it(number) => return Some(number),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds the next number; `hash_of` tells the hash of any number up to it.
    pub(crate) fn push(&mut self, number: u32, hash_of: impl Fn(u32) -> u64) {
        let count = number as usize + 1;
        // At most half full: each slot that a search passes is a look at a key somewhere else in memory.
        if count * 2 > self.0.len() {
            self.0 = vec![NONE; (count * 3).next_power_of_two()];
            (0..number).for_each(|earlier| self.place(earlier, hash_of(earlier)));
        }
        self.place(number, hash_of(number));
    }

    fn place(&mut self, number: u32, hash: u64) {
        let mask = self.0.len() - 1;
        let mut at = hash as usize & mask;
        while self.0[at] != NONE {
            at = (at + 1) & mask;
        }
        self.0[at] = number;
    }

    /// True if every one of `count` numbers has a slot and a search must end.
    pub(crate) fn fits(&self, count: usize) -> bool {
        let is_size = self.0.len().is_power_of_two() && self.0.len() > count;
        let used = self.0.iter().filter(|number| **number != NONE);
        let is_filled = used.clone().count() == count;
        (count == 0 && self.0.is_empty())
            || (is_size && is_filled && used.clone().all(|number| (*number as usize) < count))
    }
}

/// Texts by number, and numbers by text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) text: String,
    pub(crate) ends: Vec<u64>,
    pub(crate) slots: Slots,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        text_at(&self.text, &self.ends, number)
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.slots.find(hash_text(text), |number| self.get(number) == Some(text))
    }

    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        #[expect(clippy::cast_possible_truncation, reason = "callers count what they add")]
        let number = self.len() as u32;
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
        let (all, ends) = (&self.text, &self.ends);
        self.slots.push(number, |n| hash_text(text_at(all, ends, n).unwrap_or_default()));
        number
    }

    /// The texts in order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..).map_while(|number| self.get(number))
    }
}

/// Digests by number, and numbers by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) digests: Vec<Digest>,
    pub(crate) slots: Slots,
}

impl Digests {
    pub(crate) fn find(&self, digest: &Digest) -> Option<u32> {
        self.slots.find(hash_digest(digest), |n| self.digests.get(n as usize) == Some(digest))
    }

    /// Adds a digest; `None` if it is there already.
    pub(crate) fn add(&mut self, digest: &Digest) -> Option<u32> {
        if self.find(digest).is_some() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "callers count what they add")]
        let number = self.digests.len() as u32;
        self.digests.push(*digest);
        let digests = &self.digests;
        self.slots.push(number, |n| digests.get(n as usize).map_or(0, hash_digest));
        Some(number)
    }
}

/// For each owner, the numbers of what was added to it, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chains {
    /// By owner: its newest record.
    pub(crate) newest: Vec<u32>,
    /// By record: the one before it of the same owner.
    pub(crate) before: Vec<u32>,
}

impl Chains {
    /// Adds the next record to an owner.
    pub(crate) fn push(&mut self, owner: u32) {
        let at = owner as usize;
        if at >= self.newest.len() {
            self.newest.resize(at + 1, NONE);
        }
        self.before.push(self.newest[at]);
        #[expect(clippy::cast_possible_truncation, reason = "callers count what they add")]
        let record = (self.before.len() - 1) as u32;
        self.newest[at] = record;
    }

    /// The records of an owner, newest first.
    pub(crate) fn of(&self, owner: u32) -> impl Iterator<Item = usize> {
        let first = self.newest.get(owner as usize).copied().unwrap_or(NONE);
        let next = |record: &u32| self.before.get(*record as usize).copied();
        let records = std::iter::successors(Some(first), move |record| next(record));
        records.take_while(|record| *record != NONE).map(|record| record as usize)
    }

    /// True if every chain goes back in time and ends.
    pub(crate) fn fits(&self, owner_count: usize) -> bool {
        let is_record = |record: u32| record == NONE || (record as usize) < self.before.len();
        let goes_back = |(at, before): (usize, &u32)| *before == NONE || (*before as usize) < at;
        self.newest.len() <= owner_count
            && self.newest.iter().all(|record| is_record(*record))
            && self.before.iter().enumerate().all(goes_back)
    }
}

fn text_at<'t>(text: &'t str, ends: &[u64], number: u32) -> Option<&'t str> {
    let end = *ends.get(number as usize)? as usize;
    let begin = match number.checked_sub(1) {
        Some(before) => *ends.get(before as usize)? as usize,
        None => 0,
    };
    text.get(begin..end)
}

/// FNV-1a, with its high bits folded in: the same on every machine, since slots are saved.
fn hash_text(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
    hash ^ (hash >> 32)
}

/// A digest is as good as random already; its first eight bytes are not, in a test.
fn hash_digest(digest: &Digest) -> u64 {
    let (words, _) = digest.0.as_chunks();
    let fold = |hash: u64, word: &[u8; 8]| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    words.iter().fold(0, fold)
}
