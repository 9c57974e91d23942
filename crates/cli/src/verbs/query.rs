//! `query`: SQL over the lake.

use std::path::PathBuf;

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output, source};

/// Ask the lake in SQL.
///
/// Example: tiepoint query "SELECT name, origin FROM recordings" --lake my-lake
#[derive(clap::Args)]
pub(crate) struct QueryArgs {
    /// One SELECT statement.
    #[arg(value_name = "SQL")]
    sql: String,
    /// Write the result as an Arrow IPC file instead of showing it.
    #[arg(long, value_name = "FILE")]
    arrow: Option<PathBuf>,
}

pub(crate) async fn run(
    platform: &Platform,
    args: QueryArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let result = tiepoint_operations::query(platform, &args.sql).await?;
    if let Some(path) = args.arrow {
        source::write(&path, &result.to_arrow_file()?)?;
        output.say(&format!("{} rows in {}", result.row_count(), path.display()));
    } else if output.is_json() {
        output.json(&serde_json::json!({ "rows": result.to_json()? }));
    } else {
        let (header, rows) = result.to_table()?;
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        output.table(&header, &rows);
    }
    Ok(Exit::Yes)
}
