//! `retain`: earlier positions of the ledger are let go.

use tiepoint_model::Span;
use tiepoint_operations::{Error, Platform, Retention};

use crate::{exit::Exit, output::Output};

const DAY_NS: i64 = 24 * 3600 * 1_000_000_000;

/// Let earlier positions of the ledger go, so that `sweep` may remove what only they reach.
///
/// Recordings, originals, verdicts and the ledger itself stay whole; only older states of the tables go.
/// It is an entry of the ledger and is not taken back. Without it nothing is ever let go.
/// With no option it shows from which position on the lake can be read.
///
/// Example: tiepoint retain --days 30 --lake my-lake
#[derive(clap::Args)]
pub(crate) struct RetainArgs {
    /// Keep positions from this one on.
    #[arg(long, value_name = "POSITION", conflicts_with = "days")]
    from: Option<u64>,
    /// Keep positions that were the newest within so many days.
    #[arg(long, value_name = "DAYS")]
    days: Option<u16>,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: RetainArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let known = platform.retain_from();
    let retention = match (args.from, args.days) {
        (Some(position), _) => Retention::From(position),
        (None, Some(days)) => Retention::For(Span(i64::from(days) * DAY_NS)),
        (None, None) => Retention::From(known),
    };
    let report = tiepoint_operations::retain(platform, retention).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
        return Ok(Exit::Yes);
    }
    let first = report.retain_from;
    match (report.entry_index, first) {
        (Some(_), _) => output.line(&format!(
            "positions before {first} are let go; `tiepoint sweep` removes what only they reach"
        )),
        (None, 0) => output.line("every position is kept"),
        (None, _) => output.line(&format!("positions from {first} on are kept, as before")),
    }
    Ok(Exit::Yes)
}
