//! One file checked without a lake: a verdict, or a proof of the ledger.
//!
//! Invariant: nothing in the file is believed before a trusted key's signature over it holds.

use tiepoint_assure::{PREDICATE_TYPE, canonical_json};
use tiepoint_ledger::{
    Checkpoint, Entry, EntryProof, Envelope, GrowthProof, Note, Statement, VerifyingKey,
    WitnessKey, expect_growth,
};
use tiepoint_model::verdict::Verdict;

use super::{Check, VerifyReport, affected, check, sha256_of, witness_words};
use crate::{Config, Error, platform::keys_of, witness::own_witness_keys};

/// What to hold a file against.
#[derive(Clone, Debug, Default)]
pub struct FileTrust {
    /// The text of the public key to trust; without it, the keys of this user's lakes are trusted.
    pub key: Option<String>,
    /// The texts of the public keys of witnesses that must have cosigned.
    pub witness_keys: Vec<String>,
    /// The checkpoint that a proof of growth begins at.
    pub old_checkpoint: Option<Vec<u8>>,
}

/// Checks a verdict or a proof, whichever the file is, offline.
///
/// # Errors
/// [`Error::NotAProof`], [`Error::NoVerifyingKey`], or [`Error::Ledger`] if the file cannot be read at all.
pub async fn verify_file(
    bytes: &[u8],
    trust: &FileTrust,
    config: &Config,
) -> Result<VerifyReport, Error> {
    let json: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let text_of = |field: &str| json.as_ref()?.get(field)?.as_str().map(str::to_owned);
    if let Some(text) = text_of("tlog_proof").or(text_of("tlog_growth")) {
        return Box::pin(verify_file(text.as_bytes(), trust, config)).await;
    }
    if bytes.starts_with(tiepoint_ledger::proof::FIRST_LINE.as_bytes()) {
        let proof = EntryProof::parse(bytes)?;
        let key = key_of_log(&proof.checkpoint, trust, config).await?;
        let opened = proof.open(&key).map(|(entry, head)| {
            let size = head.size;
            (Some(entry), format!("entry {} of {size} under `{}`", proof.leaf_index, head.origin))
        });
        return proof_report("entry in the ledger", opened, &proof.checkpoint, trust, config).await;
    }
    if bytes.starts_with(b"old ") {
        let proof = GrowthProof::parse(bytes)?;
        let key = key_of_log(&proof.checkpoint, trust, config).await?;
        let opened = grown(&proof, &key, trust).map(|found| (None, found));
        return proof_report("growth of the ledger", opened, &proof.checkpoint, trust, config)
            .await;
    }
    match json {
        Some(_) => verify_verdict(bytes, trust.key.as_deref(), config).await,
        None => Err(Error::NotAProof),
    }
}

/// The later head continues the earlier one, which the caller kept.
fn grown(
    proof: &GrowthProof,
    key: &VerifyingKey,
    trust: &FileTrust,
) -> Result<String, tiepoint_ledger::LedgerError> {
    let (head, consistency) = proof.open(key)?;
    let old = trust.old_checkpoint.as_deref().map(|old| Checkpoint::open(old, key)).transpose()?;
    expect_growth(old.as_ref(), &head, &consistency)?;
    let (from, to) = (proof.old_size, head.size);
    Ok(format!("`{}` only grew, from {from} entries to {to}", head.origin))
}

async fn proof_report(
    what: &str,
    opened: Result<(Option<Entry>, String), tiepoint_ledger::LedgerError>,
    head: &Note,
    trust: &FileTrust,
    config: &Config,
) -> Result<VerifyReport, Error> {
    let mut affects = Vec::new();
    let outcome = match opened {
        Ok((entry, found)) => {
            affects.extend(entry.iter().map(affected));
            Ok(found)
        }
        Err(error) => Err(error.to_string()),
    };
    let outcome = outcome.map(|found| [vec![found], affects].concat().join(": "));
    let mut checks = vec![check(what, outcome)];
    let asked = witness_keys_of(trust)?;
    for key in &asked {
        let cosigned = key.cosigned_at(head).map(witness_words);
        let what = format!("witness {}", key.name());
        checks.push(check(&what, cosigned.map_err(|error| error.to_string())));
    }
    if asked.is_empty() {
        for key in own_witness_keys(config).await? {
            if let Ok(time_s) = key.cosigned_at(head) {
                let what = format!("witness {}", key.name());
                checks.push(check(&what, Ok(witness_words(time_s))));
            }
        }
    }
    Ok(VerifyReport { checks })
}

fn witness_keys_of(trust: &FileTrust) -> Result<Vec<WitnessKey>, Error> {
    trust.witness_keys.iter().map(|text| Ok(text.trim().parse()?)).collect()
}

/// The trusted key of the log that a head names.
async fn key_of_log(
    head: &Note,
    trust: &FileTrust,
    config: &Config,
) -> Result<VerifyingKey, Error> {
    let origin = Checkpoint::parse(head.text())?.origin;
    let mut keys = keys_to_trust(trust.key.as_deref(), config).await?;
    let at = keys.iter().position(|key| key.name() == origin).unwrap_or_default();
    Ok(keys.swap_remove(at))
}

/// The key given, or those of this user's lakes; at least one.
async fn keys_to_trust(key: Option<&str>, config: &Config) -> Result<Vec<VerifyingKey>, Error> {
    let keys = match key {
        Some(text) => vec![text.trim().parse()?],
        None => trusted_keys(config).await?,
    };
    if keys.is_empty() { Err(Error::NoVerifyingKey) } else { Ok(keys) }
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
    let keys = keys_to_trust(key, config).await?;
    let signature = envelope.verify(&keys, 1);
    let signer = signature.map(|signers| {
        let names: Vec<&str> = signers.iter().map(|key| key.name()).collect();
        format!("signed by {}", names.join(", "))
    });
    let is_signed = signer.is_ok();
    let mut checks = vec![check("signature", signer.map_err(|error| error.to_string()))];
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
        checks.push(check(&format!("verdict on `{}`", verdict.claim.name), outcome));
    }
    Ok(VerifyReport { checks })
}

/// The verdict in a signed statement of this lake, whose signature is not checked again.
pub(crate) fn verdict_of(envelope: &[u8]) -> Result<Verdict, Error> {
    let envelope = Envelope::parse(envelope)?;
    let mut statement: serde_json::Value =
        serde_json::from_slice(&envelope.payload).map_err(Error::Json)?;
    serde_json::from_value(statement["predicate"].take()).map_err(Error::Json)
}

/// The claim inside the verdict is the one whose digest was committed.
fn claim_digest_check(verdict: &Verdict) -> Result<Check, Error> {
    let digest = sha256_of(canonical_json(&verdict.claim)?.as_bytes());
    let outcome = match digest == verdict.claim_digest {
        true => Ok(format!("sha256 {digest}")),
        false => Err(format!("the claim hashes to {digest}, not {}", verdict.claim_digest)),
    };
    Ok(check("claim", outcome))
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
