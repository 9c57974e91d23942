//! `verify`: a lake, a verdict or a proof checked from its bytes, trusting nothing that can be derived again.
//!
//! Invariant: whatever is damaged, the check goes on as far as it can, and names the file and what was made from it.
//! It changes nothing; `repair` writes again what follows from the log.

mod content;
mod file;
mod lake;
mod ledger;
mod pass;
mod piece;
mod tables;

use std::collections::BTreeSet;

use serde::Serialize;
use tiepoint_ledger::Entry;
use tiepoint_model::Digest;

use crate::files::FILES_ROOT;

pub(crate) use file::verdict_of;
pub use file::{FileTrust, verify_file, verify_verdict};
pub use lake::{LakeChecks, verify_lake};

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it held.
    pub passed: bool,
    /// What was found.
    pub detail: String,
    /// Recordings, claims, verdicts and other outputs that rest on what did not hold, sorted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub affects: BTreeSet<String>,
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

/// Something that did not hold, and what rests on it.
struct Wrong {
    text: String,
    affects: BTreeSet<String>,
}

impl Wrong {
    fn of(text: String, affects: impl IntoIterator<Item = String>) -> Self {
        Self { text, affects: affects.into_iter().collect() }
    }
}

/// SHA-256 of bytes.
pub(crate) fn sha256_of(bytes: &[u8]) -> Digest {
    Digest(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
}

fn check(what: &str, outcome: Result<String, String>) -> Check {
    let passed = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|found| found);
    Check { what: what.to_owned(), passed, detail, affects: BTreeSet::new() }
}

/// A check that lists what is wrong, the first few in full.
fn listed(what: &str, wrong: Vec<Wrong>, found: String) -> Check {
    const SHOWN: usize = 5;
    let outcome = match wrong.len() {
        0 => Ok(found),
        count => {
            let more = match count.saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let shown: Vec<&str> = wrong.iter().take(SHOWN).map(|w| w.text.as_str()).collect();
            Err(format!("{}{more}", shown.join("; ")))
        }
    };
    let mut check = check(what, outcome);
    check.affects = wrong.into_iter().flat_map(|wrong| wrong.affects).collect();
    check
}

/// What an entry made, as far as its public part says: `ingest of rec-..`.
fn affected(entry: &Entry) -> String {
    let made = made_by(entry);
    match made.is_empty() {
        true => format!("entry {} ({})", entry.index, entry.verb),
        false => format!("{} of {}", entry.verb, made.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// The ids whose digests an entry commits.
fn made_by(entry: &Entry) -> BTreeSet<String> {
    let named = entry.roots.keys().filter(|name| *name != FILES_ROOT);
    let ids = named.map(|name| name.split(' ').next().unwrap_or(name).to_owned());
    ids.collect()
}

fn witness_words(time_s: u64) -> String {
    let time_ns = i64::try_from(time_s).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    format!("cosigned at {}", crate::utc_text(tiepoint_model::Timestamp(time_ns)))
}
