//! What the environment says: where keys live, who acts, what time it is, fresh entropy.

use std::{path::PathBuf, time::SystemTime};

use tiepoint_model::Timestamp;
use tiepoint_operations::Config;

/// Reads the environment, the clock and the system's entropy once.
///
/// Keys live in `$TIEPOINT_CONFIG`, else `$XDG_CONFIG_HOME/tiepoint`, else `$HOME/.config/tiepoint`.
pub(crate) fn from_environment() -> Result<Config, std::io::Error> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).map_err(|error| std::io::Error::other(error.to_string()))?;
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now_ns = since_epoch.map_or(0, |span| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX));
    Ok(Config {
        config_folder: config_folder(),
        actor: variable("USER").unwrap_or_else(|| "unknown".to_owned()),
        now: Timestamp(now_ns),
        code_version: concat!("tiepoint ", env!("CARGO_PKG_VERSION")).to_owned(),
        entropy,
    })
}

fn config_folder() -> PathBuf {
    let explicit = variable("TIEPOINT_CONFIG").map(PathBuf::from);
    let user = || variable("XDG_CONFIG_HOME").map(|folder| PathBuf::from(folder).join("tiepoint"));
    let home = || variable("HOME").map(|folder| PathBuf::from(folder).join(".config/tiepoint"));
    explicit.or_else(user).or_else(home).unwrap_or_else(|| PathBuf::from(".tiepoint"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
