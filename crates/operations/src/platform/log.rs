//! The ledger as read: what follows from it is in memory, entries and bodies are read when they are asked for.
//!
//! Invariant: the log is read forward without listing it, since a commit is named by its first index and the one before
//! says where it ends; it is listed only where it is replayed from its beginning, so that a hole in it is seen.
//!
//! Not here: the saved projection (see [`super::saved`]), and whether the log is the one that was signed
//! (see [`crate::signed_head`]).

use tiepoint_ledger::{
    Body, CompactRange, Entry, InclusionProof, LedgerError, State, bodies_path, commit_path,
    decode_commit_lines, first_index_of_path, merkle::leaf_hash, open_bodies,
};
use tiepoint_model::Digest;
use tiepoint_store::{Objects, StoreError};

use super::{Platform, Trust};
use crate::{Error, signed_head::SignedHead};

/// Entries that are held in memory at once while the log is read.
const ENTRIES_AT_ONCE: u64 = 8192;

/// Names of commits that are tried at once.
const PROBES_MAX: u64 = 1024;

/// What follows from the ledger, up to its end or to the position at which it was opened.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) state: State,
    /// The first index of each commit, ascending.
    pub(crate) commits: Vec<u64>,
    pub(crate) tree: CompactRange,
    pub(crate) head: SignedHead,
    /// The first position that can be read, whatever position was opened.
    pub(super) retain_from: u64,
    /// Entries and commits in the saved projection that is known to be good.
    pub(super) saved: (u64, usize),
}

/// Whether bodies are wanted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Entries,
    Bodies,
}

/// One entry as read.
pub(crate) struct Line {
    pub(crate) entry: Entry,
    /// The bytes that the tree hashes.
    pub(crate) bytes: Vec<u8>,
    /// None if it was erased, or was not wanted.
    pub(crate) body: Option<Body>,
}

impl Log {
    /// Takes the entries of the next commit; answers with the place of the last one in the tree.
    pub(super) fn push(&mut self, lines: &[Line]) -> Result<Option<InclusionProof>, Error> {
        let Some(first) = lines.first() else { return Ok(None) };
        let Self { state, tree, head, .. } = self;
        let apply = || lines.iter().try_for_each(|l| state.apply(&l.entry, l.body.as_ref()));
        let grow = || -> Result<Option<InclusionProof>, LedgerError> {
            let mut inclusion = None;
            for (at, Line { bytes, .. }) in lines.iter().enumerate() {
                if at + 1 == lines.len() {
                    inclusion = Some(tree.inclusion_of_next());
                }
                tree.append(leaf_hash(bytes));
                head.push(bytes, tree)?;
            }
            Ok(inclusion)
        };
        // Neither needs the other.
        let (applied, grown) = rayon::join(apply, grow);
        let inclusion = applied.and(grown)?;
        lines.iter().for_each(|line| self.note_retention(&line.entry));
        self.commits.push(first.entry.index);
        self.head.note_root(&self.tree);
        Ok(inclusion)
    }

    /// Heeds what an entry lets go, be it after the position that was opened.
    pub(super) fn note_retention(&mut self, entry: &Entry) {
        self.retain_from = self.retain_from.max(entry.retain_from.unwrap_or(0));
    }
}

impl Platform {
    /// Reads the ledger for the first time.
    pub(super) async fn read_ledger(&mut self, trust: Trust) -> Result<(), Error> {
        if trust == Trust::Saved && self.read_saved().await? {
            return Ok(());
        }
        self.log = Log::default();
        // Before the log is listed: whatever was signed by then must be in the list.
        let signed = self.signed_checkpoint().await?;
        self.log.head.expect(signed, &self.log.tree);
        let keys = self.store.objects.list("log/").await?;
        let end = self.at.unwrap_or(u64::MAX);
        let mut firsts: Vec<u64> = keys.iter().filter_map(|key| first_index_of_path(key)).collect();
        firsts.sort_unstable();
        let (firsts, later) = firsts.split_at(firsts.partition_point(|first| *first < end));
        for firsts in chunks(later, u64::MAX) {
            let commits = read_commits(&self.store.objects, firsts, Wanted::Entries).await?;
            commits.iter().flatten().for_each(|line| self.log.note_retention(&line.entry));
        }
        for firsts in chunks(firsts, end) {
            for mut lines in read_commits(&self.store.objects, firsts, Wanted::Bodies).await? {
                lines.iter().for_each(|line| self.log.note_retention(&line.entry));
                lines.retain(|line| line.entry.index < end);
                self.log.push(&lines)?;
            }
        }
        self.log.head.loaded(&self.log.tree);
        Ok(())
    }

    /// Reads what the log holds beyond what is known already.
    pub(crate) async fn reload(&mut self) -> Result<(), Error> {
        // Before the log is read: whatever was signed by then must be in it.
        let signed = self.signed_checkpoint().await?;
        self.log.head.expect(signed, &self.log.tree);
        self.extend().await
    }

    /// Takes one commit after the other until there is none of the next name.
    pub(super) async fn extend(&mut self) -> Result<(), Error> {
        let mut window = 1;
        loop {
            let begin = self.log.state.entry_count();
            let mut next = begin;
            let paths: Vec<String> = (begin..begin + window).map(commit_path).collect();
            let found = self.store.objects.get_many(&paths).await?;
            let mut commits = Vec::new();
            while let Some(Some(bytes)) = found.get((next - begin) as usize) {
                let lines = lines_of(next, bytes)?;
                next += lines.len() as u64;
                commits.push(lines);
            }
            add_bodies(&self.store.objects, &mut commits).await?;
            for lines in &commits {
                self.log.push(lines)?;
            }
            if next < begin + window {
                return Ok(());
            }
            window = (2 * window).min(PROBES_MAX);
        }
    }

    /// The commits from this one on, in pieces small enough to be held in memory.
    pub(crate) fn commits_from(&self, begin: usize) -> Vec<&[u64]> {
        let commits = self.log.commits.get(begin..).unwrap_or_default();
        chunks(commits, self.log.state.entry_count())
    }

    /// Commits as they lie in the log, given by their first indexes; at a position, up to it.
    pub(crate) async fn read_commits(
        &self,
        firsts: &[u64],
        wanted: Wanted,
    ) -> Result<Vec<Vec<Line>>, Error> {
        let end = self.log.state.entry_count();
        let mut commits = read_commits(&self.store.objects, firsts, wanted).await?;
        commits.iter_mut().for_each(|lines| lines.retain(|line| line.entry.index < end));
        Ok(commits)
    }

    /// One entry; none beyond the end.
    pub(crate) async fn read_entry(
        &self,
        index: u64,
        wanted: Wanted,
    ) -> Result<Option<Line>, Error> {
        let number = self.log.commits.partition_point(|first| *first <= index);
        let Some(first) = number.checked_sub(1).map(|number| self.log.commits[number]) else {
            return Ok(None);
        };
        let commits = self.read_commits(&[first], wanted).await?;
        Ok(commits.into_iter().flatten().find(|line| line.entry.index == index))
    }
}

/// Cuts a list of commits into pieces of so many entries, or of one commit that has more.
pub(crate) fn chunks(firsts: &[u64], end: u64) -> Vec<&[u64]> {
    let (mut rest, mut chunks) = (firsts, Vec::new());
    while let Some(first) = rest.first() {
        let count = rest.partition_point(|later| later - first < ENTRIES_AT_ONCE).max(1);
        // The last commit of a piece may be a long one; then it is a piece of its own.
        let next = rest.get(count).copied().unwrap_or(end);
        let count = match next - first > 2 * ENTRIES_AT_ONCE && end != u64::MAX {
            true => (count - 1).max(1),
            false => count,
        };
        let (chunk, tail) = rest.split_at(count);
        chunks.push(chunk);
        rest = tail;
    }
    chunks
}

async fn read_commits(
    objects: &Objects,
    firsts: &[u64],
    wanted: Wanted,
) -> Result<Vec<Vec<Line>>, Error> {
    let paths: Vec<String> = firsts.iter().map(|first| commit_path(*first)).collect();
    let found = objects.get_many(&paths).await?;
    let mut commits = Vec::with_capacity(firsts.len());
    for ((first, path), bytes) in firsts.iter().zip(paths).zip(&found) {
        let bytes = bytes.as_deref().ok_or(StoreError::NotFound { key: path })?;
        commits.push(lines_of(*first, bytes)?);
    }
    if wanted == Wanted::Bodies {
        add_bodies(objects, &mut commits).await?;
    }
    Ok(commits)
}

fn lines_of(first: u64, bytes: &[u8]) -> Result<Vec<Line>, Error> {
    let lines = decode_commit_lines(first, bytes)?.into_iter();
    let own = |(entry, bytes): (Entry, &[u8])| Line { entry, bytes: bytes.to_vec(), body: None };
    Ok(lines.map(own).collect())
}

/// Reads the bodies of whole commits; a body that is not there was erased.
async fn add_bodies(objects: &Objects, commits: &mut [Vec<Line>]) -> Result<(), Error> {
    let commitments: Vec<Vec<Digest>> = commits
        .iter()
        .map(|lines| lines.iter().map(|line| line.entry.body_commitment).collect())
        .collect();
    let path = |commitments: &Vec<Digest>| {
        commitments.first().map(|first| bodies_path(first, commitments.len()))
    };
    let paths: Vec<String> = commitments.iter().filter_map(path).collect();
    let files = objects.get_many(&paths).await?;
    for ((lines, commitments), file) in commits.iter_mut().zip(&commitments).zip(files) {
        let bodies = open_bodies(file.as_deref(), commitments)?;
        lines.iter_mut().zip(bodies).for_each(|(line, body)| line.body = body);
    }
    Ok(())
}
