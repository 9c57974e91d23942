//! `witness` and `cosign`: somebody else vouches that the ledger only grew.

use std::path::{Path, PathBuf};

use tiepoint_operations::{Config, Error, Platform, Witnessed};

use crate::{exit::Exit, output::Output, source};

/// Sign, as a witness, that a ledger continues what you saw of it before.
///
/// With a file (from `prove --from SIZE`) no lake is needed: the line is printed, for `cosign` to store.
/// Without one the lake is looked at, and the line is stored in it.
/// Refuses a ledger that is shorter than it was, or that another history replaced; your state is kept outside the lake.
///
/// Example: tiepoint witness --name witness.example/w1 --lake my-lake
#[derive(clap::Args)]
pub(crate) struct WitnessArgs {
    /// A proof of growth from the size seen last (0 the first time).
    #[arg(value_name = "REQUEST", requires = "log_key")]
    request: Option<PathBuf>,
    /// The witness's name; its key is made the first time.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The public key file of the log, as you got it from its owner.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
}

/// Store the lines of witnesses beside the signed head that they are for.
///
/// Example: tiepoint cosign line.txt --witness-key witness.pub
#[derive(clap::Args)]
pub(crate) struct CosignArgs {
    /// Signature lines as `witness` printed them.
    #[arg(value_name = "LINES")]
    lines: PathBuf,
    /// The public key file of a witness; may be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    witness_key: Vec<PathBuf>,
}

pub(crate) async fn run(
    lake: &Path,
    config: Config,
    args: WitnessArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let key = args.log_key.as_deref().map(source::read_text).transpose()?;
    let witnessed = match args.request {
        Some(path) => {
            let (request, key) = (source::read_bytes(&path)?, key.unwrap_or_default());
            tiepoint_operations::witness_request(&config, &args.name, &key, &request).await?
        }
        None => {
            let platform = Platform::open(lake, config).await?;
            tiepoint_operations::witness_lake(&platform, &args.name, key.as_deref()).await?
        }
    };
    show(&witnessed, output);
    Ok(Exit::Yes)
}

pub(crate) async fn run_cosign(
    platform: &Platform,
    args: CosignArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let lines = source::read_text(&args.lines)?;
    let keys = args.witness_key.iter().map(|path| source::read_text(path));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let size = tiepoint_operations::cosign_lines(platform, &lines, &keys).await?;
    if output.is_json() {
        output.json(&serde_json::json!({ "size": size }));
    } else {
        output.line(&format!("stored beside the head of {size} entries"));
    }
    Ok(Exit::Yes)
}

fn show(witnessed: &Witnessed, output: &mut Output) {
    if output.is_json() {
        output.json(&serde_json::json!(witnessed));
        return;
    }
    output.line(&witnessed.cosignature);
    let Witnessed { origin, seen_size, size, witness_key, .. } = witnessed;
    output.say(&format!("`{origin}` only grew, from {seen_size} entries to {size}"));
    output.say(&format!("public key of the witness: {witness_key}"));
}
