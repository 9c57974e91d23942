//! Some commits of the log with their bodies, each decoded and checked by itself.
//!
//! Invariant: nothing here depends on other commits, so pieces are read while earlier ones are put in order.
//!
//! Not here: what follows from the order (see [`super::pass`]).

use tiepoint_ledger::{
    Entry, LedgerError, Links, bodies_path, commit_lines, commit_path, decode_commit, open_bodies,
};
use tiepoint_model::Digest;
use tiepoint_store::Objects;

use crate::Error;

/// One commit as its file says.
pub(super) struct ReadCommit {
    pub(super) first: u64,
    pub(super) decoded: Result<Decoded, LedgerError>,
}

/// A commit that is whole.
pub(super) struct Decoded {
    pub(super) entries: Vec<Entry>,
    file: Vec<u8>,
    /// Where the bodies lie.
    pub(super) bodies_key: String,
    pub(super) bodies_file: Option<Vec<u8>>,
    pub(super) bodies: Result<Vec<Option<Links>>, LedgerError>,
}

impl Decoded {
    /// The bytes of each entry, as the tree hashes them.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        commit_lines(&self.file)
    }
}

/// Reads and decodes commits, named by their first entries.
pub(super) async fn read(objects: Objects, firsts: Vec<u64>) -> Result<Vec<ReadCommit>, Error> {
    let paths: Vec<String> = firsts.iter().map(|first| commit_path(*first)).collect();
    let files = objects.get_many(&paths).await?.into_iter().map(Option::unwrap_or_default);
    let mut commits: Vec<ReadCommit> =
        firsts.into_iter().zip(files).map(|(first, file)| decode(first, file)).collect();
    let whole = || commits.iter().filter_map(|commit| commit.decoded.as_ref().ok());
    let keys: Vec<String> = whole().map(|decoded| decoded.bodies_key.clone()).collect();
    let files = objects.get_many(&keys).await?;
    let whole = commits.iter_mut().filter_map(|commit| commit.decoded.as_mut().ok());
    for (decoded, file) in whole.zip(files) {
        let entries = decoded.entries.iter();
        let commitments: Vec<Digest> = entries.map(|entry| entry.body_commitment).collect();
        decoded.bodies = open_bodies(file.as_deref(), &commitments);
        decoded.bodies_file = file;
    }
    Ok(commits)
}

fn decode(first: u64, file: Vec<u8>) -> ReadCommit {
    let decoded = decode_commit(first, &file).map(|entries| {
        let commitment = entries.first().map_or(Digest([0; 32]), |entry| entry.body_commitment);
        let bodies_key = bodies_path(&commitment, entries.len());
        Decoded { entries, file, bodies_key, bodies_file: None, bodies: Ok(Vec::new()) }
    });
    ReadCommit { first, decoded }
}
