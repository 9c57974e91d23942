//! `verify`: a lake or a verdict checked from its bytes, trusting nothing that can be derived again.

use serde::Serialize;
use tiepoint_assure::{PREDICATE_TYPE, canonical_json};
use tiepoint_formats::{Table, columns};
use tiepoint_ledger::{Checkpoint, CompactRange, Envelope, Statement, VerifyingKey};
use tiepoint_model::{Digest, Recording, verdict::Verdict};
use tiepoint_store::{ContentHasher, recording_root};

use crate::{Config, Error, Platform, ingest::catalogue_digest, platform::keys_of, recording};

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it held.
    pub passed: bool,
    /// What was found.
    pub detail: String,
}

/// Everything that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// In the order of checking.
    pub checks: Vec<Check>,
}

impl VerifyReport {
    /// True if every check held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// Checks a lake: log and signed tree head, blobs, table versions, content digests.
///
/// The entries themselves were checked when the lake was opened: checksums, dense indexes, bodies against commitments.
///
/// # Errors
/// What keeps the check from being made at all; what it finds is in the report.
pub async fn verify_lake(platform: &Platform) -> Result<VerifyReport, Error> {
    let checks = vec![
        log_check(platform).await?,
        blob_check(platform).await,
        version_check(platform).await,
        content_check(platform).await?,
    ];
    Ok(VerifyReport { checks })
}

/// The tree over the entries has the root that was signed.
async fn log_check(platform: &Platform) -> Result<Check, Error> {
    let what = "ledger: entries, tree head, signature".to_owned();
    let entry_count = platform.log.entries.len();
    let outcome = match platform.checkpoint_bytes().await? {
        None => Err("there is no signed checkpoint".to_owned()),
        Some(bytes) => signed_size(platform, &bytes).map_err(|error| error.to_string()),
    };
    let outcome = outcome.and_then(|(size, root)| {
        let mut tree = CompactRange::default();
        let signed = usize::try_from(size).unwrap_or(usize::MAX);
        if signed > entry_count {
            return Err(format!("{size} entries were signed and only {entry_count} are there"));
        }
        for entry in &platform.log.entries[..signed] {
            tree.append(entry.leaf_hash().map_err(|error| error.to_string())?);
        }
        match tree.root() == root {
            true => Ok(format!("{entry_count} entries, {size} under the signed root {root}")),
            false => Err(format!("the root over {size} entries is not the signed one")),
        }
    });
    Ok(check(what, outcome))
}

fn signed_size(platform: &Platform, bytes: &[u8]) -> Result<(u64, Digest), Error> {
    let checkpoint = Checkpoint::open(bytes, &platform.verifying_key()?)?;
    Ok((checkpoint.size, checkpoint.root))
}

/// Every blob that the ledger names is there and is what its name says.
async fn blob_check(platform: &Platform) -> Check {
    let mut damaged = Vec::new();
    let mut count = 0;
    for blob in platform.log.state.blobs() {
        count += 1;
        if let Err(error) = platform.store.objects.get_blob(blob).await {
            damaged.push(error.to_string());
        }
    }
    listed("originals and other blobs", damaged, format!("{count} blobs, every byte"))
}

/// Every table version that the ledger names is there with all its files.
async fn version_check(platform: &Platform) -> Check {
    let (mut missing, mut count) = (Vec::new(), 0);
    for entry in &platform.log.entries {
        for (table, version) in &entry.tables {
            count += 1;
            match platform.store.tables.files_of_version(table, *version).await {
                Err(error) => missing.push(error.to_string()),
                Ok(files) => {
                    for file in files {
                        let found = platform.store.objects.size_bytes(&file.key).await;
                        let expected = file.size_bytes;
                        let fits = match found {
                            Ok(Some(size)) => expected.is_none_or(|expected| expected == size),
                            _ => false,
                        };
                        if !fits {
                            missing.push(format!("`{}` is missing or cut", file.key));
                        }
                    }
                }
            }
        }
    }
    missing.sort();
    missing.dedup();
    listed("table versions", missing, format!("{count} versions with their files"))
}

/// The rows of every channel have the digest that was committed.
async fn content_check(platform: &Platform) -> Result<Check, Error> {
    let mut wrong = Vec::new();
    let recordings = recording::all(platform).await?;
    let mut channel_count = 0;
    for recording in &recordings {
        channel_count += recording.channels.len();
        match content_digest(platform, recording, &mut wrong).await {
            Err(error) => wrong.push(format!("{}: {error}", recording.recording_id)),
            Ok(root) => {
                let id = &recording.recording_id.0;
                let committed = platform.log.state.root(id);
                if committed != Some(root) {
                    wrong.push(format!("{id}: the content is not what the ledger names"));
                }
            }
        }
    }
    for (name, root) in platform.log.state.roots() {
        if let Some(id) = name.strip_suffix(" catalogue") {
            match recordings.iter().find(|recording| recording.recording_id.0 == id) {
                None => wrong.push(format!("{id} is in the ledger and not in the catalogue")),
                Some(found) if catalogue_digest(found)? != root => {
                    wrong.push(format!("{id}: the catalogue is not what the ledger names"));
                }
                Some(_) => (),
            }
        }
    }
    let found = format!("{} recordings, {channel_count} channels", recordings.len());
    Ok(listed("catalogue and content digests", wrong, found))
}

/// The root over a recording's rows and originals as they lie in the lake; names each channel that differs.
async fn content_digest(
    platform: &Platform,
    recording: &Recording,
    wrong: &mut Vec<String>,
) -> Result<Digest, Error> {
    let id = recording.recording_id.to_string();
    let mut roots = Vec::new();
    for channel in &recording.channels {
        let table: Table = channel.table.parse().map_err(|_| Error::NotFound {
            name: channel.table.clone(),
            known: Table::ALL.iter().map(|table| table.as_str().to_owned()).collect(),
        })?;
        let equals = [("recording_id", id.as_str()), ("topic", channel.topic.as_str())];
        let head = platform.head();
        let batches = platform.store.read_table(&head, table.as_str(), &equals).await?;
        let mut hasher = ContentHasher::of_channel(&columns::schema(table))?;
        for batch in &batches {
            hasher.update(batch)?;
        }
        let digest = hasher.finish();
        if digest != channel.content_digest {
            wrong.push(format!("{id} {}: rows differ from the digest", channel.topic));
        }
        roots.push((channel.topic.clone(), digest));
    }
    let mut originals = Vec::new();
    for blake3 in &recording.originals {
        let bytes = platform.store.objects.get_blob(blake3).await?;
        originals.push(sha256_of(&bytes));
    }
    Ok(recording_root(&roots, &originals)?)
}

/// Checks one verdict offline: the signature, and every number derived again from the units published in it.
///
/// `key`: the text of a public key to trust; without it, the keys of this user's lakes are trusted.
///
/// # Errors
/// [`Error::NoVerifyingKey`] without any key; [`Error::Ledger`] if the file is no signed statement.
pub async fn verify_verdict(
    envelope: &[u8],
    key: Option<&str>,
    config: &Config,
) -> Result<VerifyReport, Error> {
    let envelope = Envelope::parse(envelope)?;
    let keys = match key {
        Some(text) => vec![text.trim().parse()?],
        None => trusted_keys(config).await?,
    };
    if keys.is_empty() {
        return Err(Error::NoVerifyingKey);
    }
    let signature = envelope.verify(&keys, 1);
    let signer = signature.map(|signers| {
        let names: Vec<&str> = signers.iter().map(|key| key.name()).collect();
        format!("signed by {}", names.join(", "))
    });
    let is_signed = signer.is_ok();
    let mut checks = vec![check("signature".to_owned(), signer.map_err(|error| error.to_string()))];
    if is_signed {
        let statement = Statement::open(&envelope, &keys, 1)?;
        if statement.predicate_type != PREDICATE_TYPE {
            return Err(Error::NotAVerdict { found: statement.predicate_type });
        }
        let verdict: Verdict = serde_json::from_value(statement.predicate).map_err(Error::Json)?;
        checks.push(claim_digest_check(&verdict)?);
        let units = verdict.evidence.units.len();
        let found = format!("{}: derived again from {units} units", verdict.answer);
        let outcome = tiepoint_assure::recompute(&verdict).map(|()| found);
        let outcome = outcome.map_err(|difference| difference.to_string());
        checks.push(check(format!("verdict on `{}`", verdict.claim.name), outcome));
    }
    Ok(VerifyReport { checks })
}

/// The claim inside the verdict is the one whose digest was committed.
fn claim_digest_check(verdict: &Verdict) -> Result<Check, Error> {
    let digest = sha256_of(canonical_json(&verdict.claim)?.as_bytes());
    let outcome = match digest == verdict.claim_digest {
        true => Ok(format!("sha256 {digest}")),
        false => Err(format!("the claim hashes to {digest}, not {}", verdict.claim_digest)),
    };
    Ok(check("claim".to_owned(), outcome))
}

/// SHA-256 of bytes.
pub(crate) fn sha256_of(bytes: &[u8]) -> Digest {
    Digest(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
}

/// The public keys in the user's configuration folder.
async fn trusted_keys(config: &Config) -> Result<Vec<VerifyingKey>, Error> {
    let keys = keys_of(config)?;
    let mut trusted = Vec::new();
    for name in keys.list("").await?.into_iter().filter(|name| name.ends_with(".pub")) {
        let text = String::from_utf8_lossy(&keys.get(&name).await?).into_owned();
        trusted.push(text.trim().parse()?);
    }
    Ok(trusted)
}

fn check(what: String, outcome: Result<String, String>) -> Check {
    let passed = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|found| found);
    Check { what, passed, detail }
}

/// A check that lists what is wrong, the first few in full.
fn listed(what: &str, wrong: Vec<String>, found: String) -> Check {
    const SHOWN: usize = 5;
    let outcome = match wrong.len() {
        0 => Ok(found),
        count => {
            let more = match count.saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let shown = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
            Err(format!("{shown}{more}"))
        }
    };
    check(what.to_owned(), outcome)
}
