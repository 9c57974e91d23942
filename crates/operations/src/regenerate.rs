//! `regenerate`: a twin made again from its stored inputs and compared by content digest.
//!
//! Invariant: nothing is fitted here; map, trajectory, parameters and seed come from the lake.

use serde::Serialize;
use tiepoint_model::{Derivation, Digest};

use crate::{Error, Platform, ingest, recording, twin};

/// A twin, stored and made again.
#[derive(Clone, Debug, Serialize)]
pub struct RegenerateReport {
    /// The twin.
    pub recording_id: String,
    /// Its content digest in the lake.
    pub stored_digest: Digest,
    /// The content digest of the samples made again.
    pub regenerated_digest: Digest,
    /// Whether they are the same.
    pub is_identical: bool,
}

/// Makes a twin again and compares.
///
/// # Errors
/// [`Error::NotATwin`] for a recording that this program did not make; those of the store and the simulator.
pub async fn regenerate(platform: &Platform, name: &str) -> Result<RegenerateReport, Error> {
    let stored = recording::find(platform, name).await?;
    let not_a_twin = || Error::NotATwin { recording: stored.recording_id.to_string() };
    let Some(Derivation::Generated { inputs_digest, seed, .. }) = &stored.derivation else {
        return Err(not_a_twin());
    };
    let inputs = twin::stored::load(platform, inputs_digest).await?;
    let bytes = inputs.to_mcap(*seed)?;
    let regenerated_digest = ingest::content_digest_of(&stored.name, bytes).await?;
    let (recording_id, stored_digest) = (stored.recording_id.to_string(), stored.content_digest);
    let is_identical = stored_digest == regenerated_digest;
    Ok(RegenerateReport { recording_id, stored_digest, regenerated_digest, is_identical })
}
