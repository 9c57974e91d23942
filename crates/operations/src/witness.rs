//! `witness`: somebody else remembers the ledger's head, and signs that it only grew.
//!
//! Invariant: what a witness has seen lies outside every lake, as the signed checkpoints themselves,
//! numbered; the next number is created if absent before a cosignature is handed out, so that of two
//! calls at once one is refused, and an older head is never cosigned after a newer one.
//!
//! Layout in the configuration folder: `witness/<name>/key`, `key.pub`, and
//! `seen/<hash of the log's origin>/<number>`. In the lake: `cosigned/<size>`.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tiepoint_ledger::{
    Checkpoint, GrowthProof, LedgerError, Note, VerifyingKey, WitnessKey, WitnessSigningKey,
    expect_growth, note::NoteSignature,
};
use tiepoint_model::Digest;
use tiepoint_store::{Objects, PutOutcome, Store, WriteSeam};

use crate::{Config, Error, Platform, platform::derive, prove};

/// Where cosigned heads lie in a lake, one object a size.
pub(crate) const COSIGNED_FOLDER: &str = "cosigned/";

/// What a witness has signed.
#[derive(Clone, Debug, Serialize)]
pub struct Witnessed {
    /// The log.
    pub origin: String,
    /// Its size when the witness saw it before; 0 the first time.
    pub seen_size: u64,
    /// Its size now.
    pub size: u64,
    /// When the witness signed, in seconds since the Unix epoch.
    pub time_s: u64,
    /// The signature's line.
    pub cosignature: String,
    /// The witness's public key, as text.
    pub witness_key: String,
}

/// Cosigns the head that a growth proof leads to, in the name of the witness `name`.
///
/// `log_key` is the public key that the witness trusts for the log; every head it has seen must be signed by it.
///
/// # Errors
/// Those of [`expect_growth`], which tell a rollback from a fork; [`Error::WitnessRaced`].
pub async fn witness_request(
    config: &Config,
    name: &str,
    log_key: &str,
    request: &[u8],
) -> Result<Witnessed, Error> {
    let request = GrowthProof::parse(request)?;
    Desk::open(config, name).await?.cosign(config, &log_key.trim().parse()?, &request).await
}

/// Cosigns the head of a lake, in the name of the witness `name`, and stores the line in the lake.
///
/// # Errors
/// As [`witness_request`]; [`Error::NotSigned`] if the lake has no head.
pub async fn witness_lake(
    platform: &Platform,
    name: &str,
    log_key: Option<&str>,
) -> Result<Witnessed, Error> {
    let key = match log_key {
        Some(text) => text.trim().parse()?,
        None => platform.verifying_key()?,
    };
    let desk = Desk::open(&platform.config, name).await?;
    let (_, seen) = desk.last_seen(&key).await?;
    let seen_size = seen.map_or(0, |seen| seen.size);
    let (note, head) = shown_head(platform).await?;
    let request = match head.size < seen_size {
        // Shorter than it was: there is no proof to make, and the witness says why it refuses.
        true => GrowthProof { old_size: seen_size, path: Vec::new(), checkpoint: note },
        false => prove::growth(platform, &note, &head, seen_size).await?,
    };
    let witnessed = match desk.cosign(&platform.config, &key, &request).await {
        // It had seen nothing newer when the proof was made.
        Err(Error::Ledger(LedgerError::ProofFromElsewhere { origin, .. })) => {
            return Err(Error::WitnessRaced { origin });
        }
        witnessed => witnessed?,
    };
    cosign(platform, &witnessed.cosignature, &[desk.key.witness_key()]).await?;
    Ok(witnessed)
}

/// The head as it lies there; whether the log holds it is what the witness finds out.
async fn shown_head(platform: &Platform) -> Result<(Note, Checkpoint), Error> {
    let bytes = platform.checkpoint_bytes().await?;
    let bytes = bytes.ok_or(Error::NotSigned { why: "there is no signed head".to_owned() })?;
    Ok((Note::parse(&bytes)?, Checkpoint::open(&bytes, &platform.verifying_key()?)?))
}

/// Stores lines of witnesses, whose public keys are given as texts, beside the head that they are for; answers with
/// its size.
///
/// # Errors
/// [`LedgerError::TooFewSignatures`] for a line of another key, or for no head of this lake.
pub async fn cosign_lines(platform: &Platform, lines: &str, keys: &[String]) -> Result<u64, Error> {
    let keys = keys.iter().map(|text| text.trim().parse()).collect::<Result<Vec<_>, _>>()?;
    cosign(platform, lines, &keys).await
}

/// Stores lines of witnesses beside the head that they are for; answers with its size.
///
/// # Errors
/// [`LedgerError::TooFewSignatures`] unless each line is of one of these keys and is for a head that lies in the
/// lake: the newest, or one that was cosigned before.
async fn cosign(platform: &Platform, lines: &str, keys: &[WitnessKey]) -> Result<u64, Error> {
    let mut heads: Vec<Note> = platform.cosigned_heads().await?.into_iter().rev().collect();
    if let Some(bytes) = platform.checkpoint_bytes().await? {
        heads.insert(0, Note::parse(&bytes)?);
    }
    let mut size = 0;
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let signature: NoteSignature = line.parse()?;
        let cosigned = heads.iter().find_map(|head| {
            let one = Note::unsigned(head.text()).with_signature(signature.clone()).ok()?;
            let known = keys.iter().any(|key| key.cosigned_at(&one).is_ok());
            known.then_some(head)
        });
        let missing = LedgerError::TooFewSignatures { what: "head", found: 0, needed: 1 };
        let head = cosigned.ok_or(missing)?;
        size = Checkpoint::parse(head.text())?.size;
        let path = format!("{COSIGNED_FOLDER}{size:020}");
        let stored = match platform.store.objects.exists(&path).await? {
            true => Note::parse(&platform.store.objects.get(&path).await?)?,
            false => head.clone(),
        };
        let note = stored.with_signature(signature)?;
        platform.store.objects.put_replace(&path, note.to_string()).await?;
    }
    Ok(size)
}

impl Platform {
    /// The heads that witnesses have cosigned, by size, unchecked.
    pub(crate) async fn cosigned_heads(&self) -> Result<Vec<Note>, Error> {
        let mut heads = Vec::new();
        for path in self.store.objects.list(COSIGNED_FOLDER).await? {
            heads.push(Note::parse(&self.store.objects.get(&path).await?)?);
        }
        Ok(heads)
    }
}

/// A witness: its key and what it has seen.
struct Desk {
    objects: Objects,
    key: WitnessSigningKey,
}

impl Desk {
    /// Opens the desk of this name, making its key the first time.
    async fn open(config: &Config, name: &str) -> Result<Self, Error> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) || name.starts_with(['.', '/']) {
            return Err(Error::BadWitnessName { name: name.to_owned() });
        }
        let folder = config.config_folder.join("witness").join(name.replace('/', "#"));
        let objects = Store::create(&folder, WriteSeam::default())?.objects;
        if !objects.exists("key").await? {
            let key = WitnessSigningKey::from_seed(name, derive(&config.entropy, "witness key"))?;
            objects.put_private("key", key.to_private_text()).await?;
            objects.put_replace("key.pub", format!("{}\n", key.witness_key())).await?;
        }
        let text = String::from_utf8_lossy(&objects.get("key").await?).into_owned();
        Ok(Self { objects, key: WitnessSigningKey::from_private_text(&text)? })
    }

    /// The number under which the next head of a log is kept, and the last head seen.
    async fn last_seen(&self, key: &VerifyingKey) -> Result<(u64, Option<Checkpoint>), Error> {
        let folder = seen_folder(key.name());
        let paths = self.objects.list(&folder).await?;
        let Some(path) = paths.last() else { return Ok((0, None)) };
        let number = path.strip_prefix(&folder).and_then(|number| number.parse::<u64>().ok());
        let next = number.map_or(0, |number| number + 1);
        Ok((next, Some(Checkpoint::open(&self.objects.get(path).await?, key)?)))
    }

    async fn cosign(
        &self,
        config: &Config,
        log_key: &VerifyingKey,
        request: &GrowthProof,
    ) -> Result<Witnessed, Error> {
        let (shown, proof) = request.open(log_key)?;
        let (next, seen) = self.last_seen(log_key).await?;
        expect_growth(seen.as_ref(), &shown, &proof)?;
        let path = format!("{}{next:020}", seen_folder(log_key.name()));
        let text = request.checkpoint.to_string();
        if self.objects.put_if_absent(&path, text).await? == PutOutcome::Existed {
            return Err(Error::WitnessRaced { origin: shown.origin });
        }
        let time_s = u64::try_from(config.now.0 / 1_000_000_000).unwrap_or_default();
        let cosignature = self.key.cosign(&request.checkpoint, time_s).to_string();
        Ok(Witnessed {
            origin: shown.origin,
            seen_size: seen.map_or(0, |seen| seen.size),
            size: shown.size,
            time_s,
            cosignature,
            witness_key: self.key.witness_key().to_string(),
        })
    }
}

/// The public keys of the witnesses of this user.
pub(crate) async fn own_witness_keys(config: &Config) -> Result<Vec<WitnessKey>, Error> {
    let folder = config.config_folder.join("witness");
    let objects = Store::create(&folder, WriteSeam::default())?.objects;
    let mut keys = Vec::new();
    for path in objects.list("").await?.into_iter().filter(|path| path.ends_with("/key.pub")) {
        keys.push(String::from_utf8_lossy(&objects.get(&path).await?).trim().parse()?);
    }
    Ok(keys)
}

/// Origins may hold characters that no file name holds.
fn seen_folder(origin: &str) -> String {
    format!("seen/{}/", Digest(Sha256::digest(origin).into()))
}
