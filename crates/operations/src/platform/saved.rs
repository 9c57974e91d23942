//! The saved projection of a lake: what its ledger says, so that opening need not replay all of it.
//!
//! Invariant: it is a cache. One is believed only if the lake's key signed it, the log still holds the commit it ends
//! with, and the log after it leads to the signed head; else it is passed over with a warning and the log is replayed.
//! Losing, cutting or changing it costs time and nothing else.
//! It lies at `projection/<position>`, created if absent after the head of that position was signed, so the file of a
//! position has one content whoever writes it.
//!
//! Not here: its bytes, which are the ledger's.

use tiepoint_ledger::{LedgerError, Projection, commit_path, entry::RETAIN_VERB, projection};
use tiepoint_store::StoreError;

use super::{
    Platform,
    log::{Log, Wanted},
};
use crate::Error;

/// Where projections lie.
pub(crate) const SAVED_FOLDER: &str = "projection";

/// Replaying a commit takes about as long as replaying so many entries of a larger one.
const COMMIT_WEIGHT: u64 = 16;

/// Replaying this much is fast enough not to save at all.
const WEIGHT_MIN: u64 = 4096;

/// A projection is written anew once replaying takes more than this share of it, so that opening never replays much and
/// what is written in all stays within 33 times the last one.
const WEIGHT_SHARE: u64 = 32;

/// Where the projection of a position lies.
pub(crate) fn saved_key(position: u64) -> String {
    format!("{SAVED_FOLDER}/{position:020}")
}

/// The inverse of [`saved_key`]; `None` for any other name.
pub(crate) fn saved_position(key: &str) -> Option<u64> {
    let position = key.strip_prefix(SAVED_FOLDER)?.strip_prefix('/')?.parse().ok()?;
    (saved_key(position) == key).then_some(position)
}

impl Platform {
    /// Reads the ledger from the newest projection that holds; false if none does.
    pub(super) async fn read_saved(&mut self) -> Result<bool, Error> {
        // Before the head is read: a projection is saved after the head of its position, so that head covers it.
        let mut positions = self.saved_positions().await?;
        positions.reverse();
        for position in positions {
            self.log = Log::default();
            match self.read_saved_at(position).await {
                Ok(()) => return Ok(true),
                // Another writer has saved a newer one and removed this.
                Err(Error::Store(StoreError::NotFound { key })) if key == saved_key(position) => (),
                Err(error) => {
                    let key = saved_key(position);
                    self.warn(&format!("`{key}` is not believed, the log is read instead"), &error);
                }
            }
        }
        Ok(false)
    }

    /// The key of the projection that is known to be good.
    pub(crate) fn good_saved_key(&self) -> Option<String> {
        let (position, _) = self.log.saved;
        (position > 0).then(|| saved_key(position))
    }

    /// The positions of all projections there are, ascending.
    pub(crate) async fn saved_positions(&self) -> Result<Vec<u64>, Error> {
        let keys = self.store.objects.list(&format!("{SAVED_FOLDER}/")).await?;
        let mut positions: Vec<u64> = keys.iter().filter_map(|key| saved_position(key)).collect();
        positions.sort_unstable();
        Ok(positions)
    }

    async fn read_saved_at(&mut self, position: u64) -> Result<(), Error> {
        let signed = self.signed_checkpoint().await?.filter(|signed| signed.size >= position);
        let why = "no signed head covers it".to_owned();
        let signed = signed.ok_or(Error::NotSigned { why })?;
        let bytes = self.store.objects.get(&saved_key(position)).await?;
        let read = Projection::open(&bytes, &self.verifying_key()?)?;
        drop(bytes);
        let (expected, found) = (position, read.state.entry_count());
        if found != expected {
            return Err(LedgerError::WrongIndex { place: "log", expected, found }.into());
        }
        let (tree, saved) = (read.range(), (position, read.commits.len()));
        let Projection { state, edge, commits } = read;
        self.log = Log { state, commits, tree, saved, ..Log::default() };
        self.log.head.begin_at(edge);
        self.log.head.expect(Some(signed), &self.log.tree);
        self.expect_last_commit().await?;
        for index in self.log.state.entries_of_verb(RETAIN_VERB) {
            if let Some(line) = self.read_entry(index, Wanted::Entries).await? {
                self.log.note_retention(&line.entry);
            }
        }
        self.extend().await?;
        self.log.head.expect_whole(&self.log.tree)?;
        self.log.head.loaded(&self.log.tree);
        match self.at {
            Some(at) if at < self.log.state.entry_count() => {
                self.log.state = self.log.state.at(at)?;
                self.log.commits.retain(|first| *first < at);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The log that a projection was made from still ends as it did: a log cut before that has lost entries.
    async fn expect_last_commit(&self) -> Result<(), Error> {
        let Some(first) = self.log.commits.last() else { return Ok(()) };
        let commits = self.read_commits(&[*first], Wanted::Entries).await?;
        let lines: Vec<&[u8]> =
            commits.iter().flatten().map(|line| line.bytes.as_slice()).collect();
        let is_whole = first + lines.len() as u64 == self.log.state.entry_count();
        match is_whole && self.log.head.ends_with(&lines) {
            true => Ok(()),
            false => Err(StoreError::NotFound { key: commit_path(*first) }.into()),
        }
    }

    /// Saves what the ledger says, if replaying what came since the last time would take long.
    ///
    /// The head of this very position must have been signed.
    pub(super) async fn save_if_due(&mut self) -> Result<(), Error> {
        let (entries, commits) = (self.log.state.entry_count(), self.log.commits.len());
        let (saved_entries, saved_commits) = self.log.saved;
        let since = (entries - saved_entries) + COMMIT_WEIGHT * (commits - saved_commits) as u64;
        if since <= WEIGHT_MIN + saved_entries / WEIGHT_SHARE {
            return Ok(());
        }
        self.save().await
    }

    async fn save(&mut self) -> Result<(), Error> {
        let Log { state, commits, head, .. } = &self.log;
        let (position, commit_count) = (state.entry_count(), commits.len());
        let bytes = projection::save(state, head.edge(), commits, &self.signing_key().await?)?;
        self.store.objects.put_if_absent(&saved_key(position), bytes).await?;
        let (previous, _) = std::mem::replace(&mut self.log.saved, (position, commit_count));
        // The one before stays for a reader that has just listed it, until the next.
        for older in self.saved_positions().await?.into_iter().filter(|older| *older < previous) {
            self.store.objects.remove(&saved_key(older)).await?;
        }
        Ok(())
    }

    /// Takes every projection away and saves a new one; for a platform that was opened from the log alone.
    pub(crate) async fn save_anew(&mut self) -> Result<(), Error> {
        for position in self.saved_positions().await? {
            self.store.objects.remove(&saved_key(position)).await?;
        }
        self.log.saved = (0, 0);
        self.save_if_due().await
    }
}
