//! A whole lake, from its bytes.

use std::path::Path;

use tiepoint_ledger::VerifyingKey;
use tiepoint_store::{Store, WriteSeam};

use super::{Check, VerifyReport, Wrong, check, content, ledger, listed, pass, tables};
use crate::{
    Config, Error, Platform,
    platform::{LAKE_FILE, LakeFile, PUBLIC_KEY_FILE},
    witness::own_witness_keys,
};

/// What to check beyond what is always checked.
#[derive(Clone, Debug, Default)]
pub struct LakeChecks {
    /// Read every row and recompute every content digest.
    pub deep: bool,
    /// First write tiles and head again from the log, where the signing key is at hand.
    pub repair: bool,
    /// The texts of the public keys of witnesses that must have cosigned a head.
    pub witness_keys: Vec<String>,
}

/// Checks a lake: description, log, bodies, tree, signatures, tiles, witnesses, projection, blobs, table versions; with `deep` the
/// content digests too.
///
/// # Errors
/// What keeps the check from being made at all; what it finds is in the report.
pub async fn verify_lake(
    folder: &Path,
    config: Config,
    wanted: &LakeChecks,
) -> Result<VerifyReport, Error> {
    let not_a_lake = || Error::NotALake { path: folder.to_owned() };
    let store = Store::open(folder, WriteSeam::default()).map_err(|_| not_a_lake())?;
    if !store.objects.exists(LAKE_FILE).await? {
        return Err(not_a_lake());
    }
    if wanted.repair {
        Platform::open_from_log(folder, config.clone()).await?.rewrite_head().await?;
    }
    let (description, key) = description_check(&store).await?;
    let heads = match &key {
        Some(key) => Some(ledger::Heads::read(&store.objects, key).await?),
        None => None,
    };
    let pass::Found { log, bodies, tree, tiles, saved } =
        pass::run(&store.objects, heads.as_ref(), key.as_ref()).await?;
    let mut checks = vec![description, log.check.clone(), bodies];
    match heads {
        None => {
            let why = "no public key can be read to check signatures with".to_owned();
            checks.push(check("ledger: entries, tree head, signature", Err(why)));
        }
        Some(heads) => {
            checks.push(ledger::head_check(&log, &heads, &tree));
            let known = own_witness_keys(&config).await?;
            let asked = wanted.witness_keys.iter().map(|text| text.trim().parse());
            let asked = asked.collect::<Result<Vec<_>, _>>()?;
            checks.push(ledger::witness_check(&log, &heads, &tree, (&known, &asked)));
            checks.push(tiles);
        }
    }
    checks.push(saved);
    checks.push(tables::blob_check(&store, &log).await);
    let (versions, reached) = tables::version_check(&store, &log).await;
    checks.push(versions);
    checks.push(tables::file_check(&store, &log, &reached).await);
    if wanted.deep {
        checks.push(deep_check(folder, config).await);
    }
    Ok(VerifyReport { checks })
}

/// The rows can be read only through a log that replays.
async fn deep_check(folder: &Path, config: Config) -> Check {
    let found = match Platform::open_from_log(folder, config).await {
        Ok(platform) => content::content_check(&platform).await,
        Err(error) => Err(error),
    };
    let what = "catalogue and content digests";
    found.unwrap_or_else(|error| check(what, Err(format!("cannot be read: {error}"))))
}

/// `lake.json` and `key.pub` say the same, in the only form they have.
async fn description_check(store: &Store) -> Result<(Check, Option<VerifyingKey>), Error> {
    let objects = &store.objects;
    let (json, mut wrong) = (objects.get(LAKE_FILE).await?, Vec::new());
    let every = || ["every recording, claim and verdict".to_owned()];
    let lake: Option<LakeFile> = match serde_json::from_slice(&json) {
        Ok(lake) => Some(lake),
        Err(error) => {
            wrong.push(Wrong::of(format!("`{LAKE_FILE}`: {error}"), every()));
            None
        }
    };
    let text = match objects.exists(PUBLIC_KEY_FILE).await? {
        true => String::from_utf8_lossy(&objects.get(PUBLIC_KEY_FILE).await?).into_owned(),
        false => String::new(),
    };
    let from_file: Option<VerifyingKey> = text.trim().parse().ok();
    let from_lake = lake.as_ref().and_then(|lake| lake.public_key.parse::<VerifyingKey>().ok());
    if let Some(lake) = &lake {
        let is_same = serde_json::to_vec_pretty(lake).is_ok_and(|bytes| bytes == json);
        let names = from_lake.as_ref().is_some_and(|key| key.name() == lake.lake_id);
        if !is_same || !names || lake.format_version != crate::platform::FORMAT_VERSION {
            let text = format!("`{LAKE_FILE}` is not as `init` wrote it");
            wrong.push(Wrong::of(text, every()));
        }
    }
    let expected = from_lake.as_ref().or(from_file.as_ref()).map(|key| format!("{key}\n"));
    if expected.as_deref() != Some(text.as_str()) {
        let text = format!("`{PUBLIC_KEY_FILE}` is not the key in `{LAKE_FILE}`");
        wrong.push(Wrong::of(text, ["checks of signatures by others".to_owned()]));
    }
    let found = lake.map_or_else(String::new, |lake| lake.lake_id);
    Ok((listed("description and public key", wrong, found), from_lake.or(from_file)))
}
