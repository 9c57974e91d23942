//! A lake that is open: its objects and tables, and what its ledger says, up to its end or to a position in it.
//!
//! Invariant: every table is read at the version that the ledger names at that position; there is no other way to it.
//!
//! Not here: how a lake grows (see [`commit`]), and how its ledger is read (see [`log`] and [`saved`]).

pub(crate) mod commit;
pub(crate) mod log;
pub(crate) mod saved;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tiepoint_formats::{Table, columns};
use tiepoint_ledger::{SigningKey, VerifyingKey};
use tiepoint_model::{Digest, Timestamp};
use tiepoint_store::{Head, PutOutcome, Store, WriteSeam};

pub(crate) use self::commit::{Commit, Committed};
use self::log::Log;
use crate::{Error, derivations::DERIVATIONS, register::FILES_TABLE};

/// The version of the lake's layout that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

pub(crate) const LAKE_FILE: &str = "lake.json";
pub(crate) const PUBLIC_KEY_FILE: &str = "key.pub";

/// What comes from outside, once per call of the program.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where signing keys are kept, outside every lake.
    pub config_folder: PathBuf,
    /// Who acts.
    pub actor: String,
    /// The time of the call.
    pub now: Timestamp,
    /// Name and version of the program.
    pub code_version: String,
    /// 32 fresh random bytes, for keys and salts.
    pub entropy: [u8; 32],
}

/// What `init` made.
#[derive(Clone, Debug)]
pub struct InitReport {
    /// Names the lake and its key.
    pub lake_id: String,
    /// The lake's folder.
    pub lake: PathBuf,
    /// The public half of the key, as text.
    pub public_key: String,
    /// Where the private half is.
    pub key_file: PathBuf,
}

/// `lake.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LakeFile {
    pub(crate) format_version: u32,
    pub(crate) lake_id: String,
    pub(crate) public_key: String,
}

/// What the ledger is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The saved projection, where the signed head confirms it, and the log after it.
    Saved,
    /// The log alone.
    Log,
}

/// A lake that is open.
pub struct Platform {
    pub(crate) store: Store,
    pub(crate) config: Config,
    lake: LakeFile,
    pub(crate) log: Log,
    /// The position at which the lake was opened, if not at its end.
    at: Option<u64>,
    salts_drawn: u64,
    warnings: Vec<String>,
}

impl Platform {
    /// Makes an empty lake and its signing key.
    ///
    /// # Errors
    /// [`Error::LakeExists`] if the folder holds a lake; those of the store and the ledger.
    pub async fn create(folder: &Path, config: Config) -> Result<InitReport, Error> {
        Self::create_through(folder, config, WriteSeam::default()).await
    }

    /// [`Platform::create`] with every durable step of the lake announced at `seam` first.
    ///
    /// # Errors
    /// As [`Platform::create`], and what the seam refuses.
    pub async fn create_through(
        folder: &Path,
        config: Config,
        seam: WriteSeam,
    ) -> Result<InitReport, Error> {
        let store = Store::create(folder, seam)?;
        if store.objects.exists(LAKE_FILE).await? {
            return Err(Error::LakeExists { path: folder.to_owned() });
        }
        let seed: [u8; 32] = derive(&config.entropy, "signing key");
        let lake_id =
            format!("lake-{}", &Digest(derive(&config.entropy, "lake id")).to_string()[..12]);
        let key = SigningKey::from_seed(&lake_id, seed)?;
        let public_key = format!("{}\n", key.verifying_key());
        let keys = keys_of(&config)?;
        let key_name = format!("{lake_id}.key");
        keys.put_private(&key_name, key.to_private_text().as_bytes()).await?;
        keys.put_replace(&format!("{lake_id}.pub"), public_key.as_bytes()).await?;

        let mut first_versions = BTreeMap::new();
        for (name, schema) in lake_tables() {
            first_versions.insert(name.to_owned(), store.tables.ensure(name, &schema).await?);
        }
        let lake = LakeFile {
            format_version: FORMAT_VERSION,
            lake_id: lake_id.clone(),
            public_key: public_key.trim().to_owned(),
        };
        let mut platform = Self::of(store, config, lake);
        platform.log.head.loaded(&platform.log.tree);
        let entry = platform.append_entry(first_versions, &Commit::empty("init")).await?;
        if entry.is_none() {
            // An `init` that was cut short has left its entry: the tree head is signed by the key that counts.
            platform.reload().await?;
            platform.write_checkpoint().await?;
        }
        let text = serde_json::to_vec_pretty(&platform.lake).map_err(Error::Json)?;
        // Last: a folder without this file is no lake, and `init` may run again.
        if platform.store.objects.put_if_absent(LAKE_FILE, text).await? == PutOutcome::Existed {
            return Err(Error::LakeExists { path: folder.to_owned() });
        }
        platform.store.objects.put_replace(PUBLIC_KEY_FILE, public_key.as_bytes()).await?;
        Ok(InitReport {
            lake_id,
            lake: folder.to_owned(),
            public_key,
            key_file: keys.root().join(key_name),
        })
    }

    /// Opens a lake, from its saved projection if there is one that the signed head confirms.
    ///
    /// # Errors
    /// [`Error::NotALake`]; [`Error::Ledger`] if the log is damaged.
    pub async fn open(folder: &Path, config: Config) -> Result<Self, Error> {
        Self::open_through(folder, config, WriteSeam::default()).await
    }

    /// [`Platform::open`] with every durable step of the lake announced at `seam` first.
    ///
    /// # Errors
    /// As [`Platform::open`], and what the seam refuses.
    pub async fn open_through(
        folder: &Path,
        config: Config,
        seam: WriteSeam,
    ) -> Result<Self, Error> {
        Self::load(folder, config, seam).await?.at_position(None, Trust::Saved).await
    }

    /// Opens a lake by replaying its whole ledger, believing nothing that was saved.
    ///
    /// # Errors
    /// As [`Platform::open`].
    pub(crate) async fn open_from_log(folder: &Path, config: Config) -> Result<Self, Error> {
        let platform = Self::load(folder, config, WriteSeam::default()).await?;
        platform.at_position(None, Trust::Log).await
    }

    /// Opens a lake as it was when its ledger held `position` entries, to be read only.
    ///
    /// # Errors
    /// As [`Platform::open`]; [`Error::NoSuchPosition`] beyond the ledger's end; [`Error::LetGo`] for a position that
    /// was let go.
    pub async fn open_at(folder: &Path, config: Config, position: u64) -> Result<Self, Error> {
        let platform = Self::load(folder, config, WriteSeam::default()).await?;
        platform.at_position(Some(position), Trust::Saved).await
    }

    /// The lake without its ledger.
    async fn load(folder: &Path, config: Config, seam: WriteSeam) -> Result<Self, Error> {
        let not_a_lake = || Error::NotALake { path: folder.to_owned() };
        let store = Store::open(folder, seam).map_err(|_| not_a_lake())?;
        if !store.objects.exists(LAKE_FILE).await? {
            return Err(not_a_lake());
        }
        let bytes = store.objects.get(LAKE_FILE).await?;
        let lake: LakeFile = serde_json::from_slice(&bytes)
            .map_err(|source| Error::DamagedLakeFile { path: folder.join(LAKE_FILE), source })?;
        if lake.format_version != FORMAT_VERSION {
            let (found, known) = (lake.format_version, FORMAT_VERSION);
            return Err(Error::LakeVersion { path: folder.to_owned(), found, known });
        }
        Ok(Self::of(store, config, lake))
    }

    /// With the ledger, up to its end or to a position.
    async fn at_position(mut self, position: Option<u64>, trust: Trust) -> Result<Self, Error> {
        self.at = position;
        self.read_ledger(trust).await?;
        let entry_count = self.log.state.entry_count();
        if let Some(position) = position {
            let retain_from = self.retain_from();
            return match position == entry_count {
                true if position < retain_from => Err(Error::LetGo { position, retain_from }),
                true => Ok(self),
                false => Err(Error::NoSuchPosition { position, entry_count }),
            };
        }
        if !self.store.objects.exists(PUBLIC_KEY_FILE).await? {
            let public_key = format!("{}\n", self.lake.public_key);
            self.store.objects.put_replace(PUBLIC_KEY_FILE, public_key.as_bytes()).await?;
        }
        Ok(self)
    }

    fn of(store: Store, config: Config, lake: LakeFile) -> Self {
        let (log, warnings) = (Log::default(), Vec::new());
        Self { store, config, lake, log, at: None, salts_drawn: 0, warnings }
    }

    /// What went wrong beside what was done, in words; each is told once.
    ///
    /// Nothing of it denies a commit: the tree head could not be signed, a table could not be compacted.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The first position that can still be read; 0 if all can.
    #[must_use]
    pub fn retain_from(&self) -> u64 {
        self.log.retain_from
    }

    /// Names the lake.
    #[must_use]
    pub fn lake_id(&self) -> &str {
        &self.lake.lake_id
    }

    /// Every table's version, as the ledger says.
    pub(crate) fn head(&self) -> Head {
        let versions = self.log.state.tables();
        Head {
            position: self.log.state.entry_count(),
            versions: versions.into_iter().map(|(table, v)| (table.to_owned(), v)).collect(),
        }
    }

    /// The lake's public key.
    pub(crate) fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        Ok(self.lake.public_key.parse()?)
    }

    /// The lake's private key, from the user's configuration folder.
    pub(crate) async fn signing_key(&self) -> Result<SigningKey, Error> {
        let keys = keys_of(&self.config)?;
        let name = format!("{}.key", self.lake.lake_id);
        if !keys.exists(&name).await? {
            return Err(Error::NoSigningKey { path: keys.root().join(name) });
        }
        let text = String::from_utf8_lossy(&keys.get(&name).await?).into_owned();
        let key = SigningKey::from_private_text(&text)?;
        if key.verifying_key().to_string() != self.lake.public_key {
            return Err(Error::WrongSigningKey { path: keys.root().join(name) });
        }
        Ok(key)
    }
}

/// Every table of a lake with its columns.
fn lake_tables() -> Vec<(&'static str, arrow::datatypes::SchemaRef)> {
    let samples = Table::ALL.into_iter().map(|table| (table.as_str(), columns::schema(table)));
    let catalogue = [
        ("recordings", columns::recordings_schema()),
        ("channels", columns::channels_schema()),
        ("findings", columns::findings_schema()),
        (DERIVATIONS, columns::derivations_schema()),
        (FILES_TABLE, columns::files_schema()),
    ];
    samples.chain(catalogue).collect()
}

/// The folder of keys as objects, so that a key is written whole and synced.
pub(crate) fn keys_of(config: &Config) -> Result<tiepoint_store::Objects, Error> {
    let folder = config.config_folder.join("keys");
    Ok(Store::create(&folder, WriteSeam::default())?.objects)
}

/// 32 bytes for a named purpose from fresh entropy.
pub(crate) fn derive(entropy: &[u8; 32], purpose: &str) -> [u8; 32] {
    Sha256::new().chain_update(entropy).chain_update(purpose.as_bytes()).finalize().into()
}
