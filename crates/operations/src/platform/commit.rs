//! How a lake grows: what was written becomes one entry of the ledger, or never was.
//!
//! Invariant: data is on disk before the entry that names it; an entry is one object created if absent; a lost race
//! reloads the ledger and commits the same appends again on the new head, without writing a row again.
//! The files are made sure of and named under a lock that no sweep shares, so that none is swept in between.
//! After the entry is on disk nothing denies it any more: what goes wrong then is a warning.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tiepoint_ledger::{
    Body, Entry, EntryProof, SealedBody, State, bodies_path, commit_path, encode_commit,
    join_bodies,
};
use tiepoint_model::{Digest, Seed};
use tiepoint_store::{
    PendingAppend, PendingRewrite, PutOutcome, Sharing, StoreError, blobs::blob_key,
    tables::EMPTY_VERSION,
};

use super::{Platform, derive, log::Line};
use crate::{Error, compact};

/// A commit that has lost this many races in a row gives up: somebody writes without end.
const RACES_MAX: usize = 100;

/// Everything one entry will name.
pub(crate) struct Commit {
    pub(crate) verb: &'static str,
    pub(crate) appends: Vec<PendingAppend>,
    pub(crate) rewrites: Vec<PendingRewrite>,
    pub(crate) blobs: BTreeSet<Digest>,
    pub(crate) roots: BTreeMap<String, Digest>,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) parameters: serde_json::Value,
    pub(crate) seed: Option<Seed>,
    /// See [`crate::retain`].
    pub(crate) retain_from: Option<u64>,
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// As this entry.
    Entry(Receipt),
    /// Somebody else had done the same.
    AlreadyThere,
}

/// The entry that a commit became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Position in the log.
    pub(crate) index: u64,
    /// That it is there; none where the signing key is not at hand.
    pub(crate) proof: Option<EntryProof>,
}

/// How an attempt to rewrite tables ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// As this entry.
    Entry(u64),
    /// Others have changed the tables so that it must be planned again; the ledger has been reloaded.
    PlanAgain,
}

impl Platform {
    /// Commits what was written. `is_there` is asked before each attempt whether somebody else has done the same.
    ///
    /// A table that has become crowded is compacted afterwards, in an entry of its own.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] at a position; [`Error::Contended`] after very many lost races; those of the store and the
    /// ledger.
    pub(crate) async fn commit(
        &mut self,
        commit: Commit,
        is_there: impl Fn(&State) -> bool,
    ) -> Result<Committed, Error> {
        self.expect_writable()?;
        for _ in 0..RACES_MAX {
            if is_there(&self.log.state) {
                self.acknowledge().await?;
                return Ok(Committed::AlreadyThere);
            }
            let entry_count = self.log.state.entry_count();
            let attempt = match self.try_commit(&commit).await {
                // The head may be so old that what it reached was let go: then the race is lost as well.
                Err(error @ Error::Store(StoreError::VersionMissing { .. })) => {
                    self.reload().await?;
                    if self.log.state.entry_count() == entry_count {
                        return Err(error);
                    }
                    None
                }
                attempt => attempt?,
            };
            if let Some((index, versions)) = attempt {
                let proof = self.log.head.last_proof.take();
                if let Err(error) = compact::crowded(self, &versions).await {
                    self.warn("a table has many fragments and could not be compacted", &error);
                }
                return Ok(Committed::Entry(Receipt { index, proof }));
            }
            self.reload().await?;
        }
        Err(Error::Contended { races: RACES_MAX })
    }

    /// One attempt: the entry's index and the versions it names; `None` if somebody else was first.
    async fn try_commit(
        &mut self,
        commit: &Commit,
    ) -> Result<Option<(u64, BTreeMap<String, u64>)>, Error> {
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        for append in &commit.appends {
            let at = self.version_for(append.table(), &versions);
            let version = self.store.tables.commit(append, at).await?;
            versions.insert(append.table().to_owned(), version);
        }
        let index = self.append_entry(versions.clone(), commit).await?;
        Ok(index.map(|index| (index, versions)))
    }

    /// Commits steps that add no rows, all in one object of the log; answers with the first entry and the proof of the
    /// last.
    ///
    /// # Errors
    /// As [`Platform::commit`]; [`Error::Ledger`] for none at all.
    pub(crate) async fn commit_together(&mut self, commits: &[Commit]) -> Result<Receipt, Error> {
        self.expect_writable()?;
        for _ in 0..RACES_MAX {
            if let Some(index) = self.append_entries(BTreeMap::new(), commits).await? {
                return Ok(Receipt { index, proof: self.log.head.last_proof.take() });
            }
            self.reload().await?;
        }
        Err(Error::Contended { races: RACES_MAX })
    }

    /// Commits rewritten tables, on a later head too if that has all they replace.
    ///
    /// # Errors
    /// As [`Platform::commit`].
    pub(crate) async fn commit_rewrites(&mut self, commit: &Commit) -> Result<Rewritten, Error> {
        self.expect_writable()?;
        for _ in 0..RACES_MAX {
            let mut versions: BTreeMap<String, u64> = BTreeMap::new();
            for rewrite in &commit.rewrites {
                let at = self.version_for(rewrite.table(), &versions);
                match self.store.tables.commit_rewrite(rewrite, at).await? {
                    Some(version) => versions.insert(rewrite.table().to_owned(), version),
                    None => return Ok(Rewritten::PlanAgain),
                };
            }
            if let Some(index) = self.append_entry(versions, commit).await? {
                return Ok(Rewritten::Entry(index));
            }
            self.reload().await?;
        }
        Err(Error::Contended { races: RACES_MAX })
    }

    /// A platform at a position shows the past, which nobody changes.
    pub(crate) fn expect_writable(&self) -> Result<(), Error> {
        match self.at {
            None => Ok(()),
            Some(position) => Err(Error::ReadOnly { position }),
        }
    }

    /// Makes sure that what the ledger says stays said, also if another process wrote it and has not synced its name.
    pub(crate) async fn acknowledge(&self) -> Result<(), Error> {
        Ok(self.store.objects.sync_folder_of(&commit_path(0)).await?)
    }

    fn version_for(&self, table: &str, made: &BTreeMap<String, u64>) -> u64 {
        let head = || self.log.state.table(table).unwrap_or(EMPTY_VERSION);
        made.get(table).copied().unwrap_or_else(head)
    }

    /// Creates the next object of the log, with one entry; `None` if somebody else was first.
    pub(super) async fn append_entry(
        &mut self,
        tables: BTreeMap<String, u64>,
        commit: &Commit,
    ) -> Result<Option<u64>, Error> {
        self.append_entries(tables, std::slice::from_ref(commit)).await
    }

    /// Creates the next object of the log, with an entry for each commit, the first of which names the tables; answers
    /// with its index, or with `None` if somebody else was first.
    pub(crate) async fn append_entries(
        &mut self,
        tables: BTreeMap<String, u64>,
        commits: &[Commit],
    ) -> Result<Option<u64>, Error> {
        self.log.head.expect_whole(&self.log.tree)?;
        let first = self.log.state.entry_count();
        let files_root = self.keep_file_digests(&tables).await?;
        let (mut lines, sealed) = self.prepare(first, commits)?;
        if let Some(line) = lines.first_mut() {
            line.entry.tables = tables;
            line.entry.roots.extend(files_root);
        }
        let bytes = encode_lines(first, &mut lines)?;
        if !self.publish(&lines, commits, bytes, &sealed).await? {
            return Ok(None);
        }
        let inclusion = self.log.push(&lines)?;
        self.log.head.last_entry = lines.pop().map(|line| line.bytes).zip(inclusion);
        // An error from here on would deny what was done. An unsigned tail is signed by the next commit, and `verify`
        // says how many entries are under the signature.
        match self.write_checkpoint().await {
            Err(error) => {
                self.warn("the ledger's head could not be signed; the next commit will", &error);
            }
            Ok(()) if self.log.head.is_signed_at(first + commits.len() as u64) => {
                if let Err(error) = self.save_if_due().await {
                    self.warn("what the ledger says could not be saved for opening", &error);
                }
            }
            Ok(()) => (),
        }
        Ok(Some(first))
    }

    /// Entries and sealed bodies for these commits.
    fn prepare(
        &mut self,
        first: u64,
        commits: &[Commit],
    ) -> Result<(Vec<Line>, Vec<SealedBody>), Error> {
        let (config, drawn) = (&self.config, self.salts_drawn);
        let prepare = |(at, commit): (usize, &Commit)| -> Result<(Line, SealedBody), Error> {
            let at = at as u64;
            let body = Body {
                actor: config.actor.clone(),
                code_version: config.code_version.clone(),
                format_version: tiepoint_ledger::entry::FORMAT_VERSION,
                inputs: commit.inputs.clone(),
                names: commit.names.clone(),
                obligations: serde_json::Value::Null,
                outputs: commit.outputs.clone(),
                parameters: commit.parameters.clone(),
                seed: commit.seed,
            };
            let salt = derive(&config.entropy, &format!("salt {}", drawn + 1 + at));
            let sealed = body.seal(salt)?;
            let entry = Entry {
                blobs: commit.blobs.clone(),
                body_commitment: sealed.commitment,
                format_version: tiepoint_ledger::entry::FORMAT_VERSION,
                index: first + at,
                retain_from: commit.retain_from,
                roots: commit.roots.clone(),
                tables: BTreeMap::new(),
                time_ns: config.now,
                verb: commit.verb.to_owned(),
            };
            Ok((Line { entry, bytes: Vec::new(), body: Some(body) }, sealed))
        };
        let numbered = commits.par_iter().enumerate().with_min_len(64);
        let prepared: Vec<Result<(Line, SealedBody), Error>> = numbered.map(prepare).collect();
        self.salts_drawn += commits.len() as u64;
        prepared.into_iter().collect()
    }

    /// Makes sure of the files that the entries name, and creates the object of the log; false if somebody else was
    /// first.
    async fn publish(
        &self,
        lines: &[Line],
        commits: &[Commit],
        bytes: Vec<u8>,
        sealed: &[SealedBody],
    ) -> Result<bool, Error> {
        let Some(Line { entry, .. }) = lines.first() else { return Ok(false) };
        let bodies_key = bodies_path(&entry.body_commitment, lines.len());
        let lock = self.store.objects.lock_commits(Sharing::Commits).await?;
        for (line, commit) in lines.iter().zip(commits) {
            self.expect_files(commit, &line.entry.tables).await?;
        }
        self.store.objects.put_if_absent(&bodies_key, join_bodies(sealed)?).await?;
        let outcome = self.store.objects.put_if_absent(&commit_path(entry.index), bytes).await?;
        drop(lock);
        Ok(outcome == PutOutcome::Written)
    }

    /// Everything that the entry will name is still there.
    async fn expect_files(
        &self,
        commit: &Commit,
        versions: &BTreeMap<String, u64>,
    ) -> Result<(), Error> {
        for blob in &commit.blobs {
            let key = blob_key(blob);
            if !self.store.objects.exists(&key).await? {
                return Err(StoreError::Swept { path: self.store.objects.root().join(key) }.into());
            }
        }
        let tables = &self.store.tables;
        Ok(tables.expect_files(&commit.appends, &commit.rewrites, versions).await?)
    }

    /// Notes what went wrong after something was done, with its causes.
    pub(super) fn warn(&mut self, what: &str, error: &Error) {
        let mut text = format!("{what}: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        self.warnings.push(text);
    }
}

/// The object of the log that holds these entries, each of which is given its bytes.
fn encode_lines(first: u64, lines: &mut [Line]) -> Result<Vec<u8>, Error> {
    let entries: Vec<&Entry> = lines.iter().map(|line| &line.entry).collect();
    let bytes = encode_commit(first, &entries)?;
    // After the first line of the object comes one line for each entry.
    let encoded = bytes.split(|byte| *byte == b'\n').skip(1);
    lines.iter_mut().zip(encoded).for_each(|(line, bytes)| line.bytes = bytes.to_vec());
    Ok(bytes)
}

impl Commit {
    /// An entry that names nothing yet.
    pub(crate) fn empty(verb: &'static str) -> Self {
        Self {
            verb,
            appends: Vec::new(),
            rewrites: Vec::new(),
            blobs: BTreeSet::new(),
            roots: BTreeMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            names: BTreeMap::new(),
            parameters: serde_json::Value::Null,
            seed: None,
            retain_from: None,
        }
    }
}
