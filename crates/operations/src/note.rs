//! `note`: what people say about things in the lake, as entries of the ledger like everything else.
//!
//! Invariant: remarks that are given together are one commit: all are there, or none is.
//!
//! Not here: the command line, which has no word for it yet.

use rayon::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use crate::{
    Error, Platform,
    platform::Commit,
    prove::{Proof, entry_proof_json},
    recording,
};

/// One remark.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Ids or names of what it is about, which the ledger must know; may be empty.
    pub about: Vec<String>,
    /// What is said. It lies in the body, so it can be erased.
    pub text: String,
}

/// Remarks that were committed.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The entry of the first; the others follow it.
    pub first_index: u64,
    /// The id of each, in the order in which they were given.
    pub ids: Vec<String>,
    /// That the last one is in the ledger; none where the signing key is not at hand.
    pub proof: Option<Proof>,
}

/// Commits remarks, one entry each, in one object of the log.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AmbiguousName`] for what they are about; [`Error::ReadOnly`], [`Error::Contended`];
/// [`Error::Ledger`] for no remarks; those of the store.
pub async fn note(platform: &mut Platform, remarks: &[Remark]) -> Result<Noted, Error> {
    let reader: &Platform = platform;
    let commit_of = |remark: &Remark| -> Result<Commit, Error> {
        let about = remark.about.iter().map(|thing| recording::id_in_ledger(reader, thing));
        let inputs = about.collect::<Result<Vec<_>, _>>()?;
        let outputs = vec![id_of(&inputs, &remark.text)];
        let parameters = json!({ "text": remark.text });
        Ok(Commit { inputs, outputs, parameters, ..Commit::empty("note") })
    };
    let commits: Vec<Result<Commit, Error>> =
        remarks.par_iter().with_min_len(64).map(commit_of).collect();
    let commits = commits.into_iter().collect::<Result<Vec<_>, _>>()?;
    let ids = commits.iter().flat_map(|commit| commit.outputs.clone()).collect();
    let receipt = platform.commit_together(&commits).await?;
    let proof = receipt.proof.as_ref().map(entry_proof_json).transpose()?;
    Ok(Noted { first_index: receipt.index, ids, proof })
}

/// The same remark about the same things has the same id.
fn id_of(inputs: &[String], text: &str) -> String {
    let mut hasher = Sha256::new();
    for part in inputs.iter().map(String::as_str).chain([text]) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = Digest(hasher.finalize().into()).to_string();
    format!("note-{}", &digest[..16])
}
