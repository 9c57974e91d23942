//! One file per verb: what may be typed, one call, what is shown.

pub(crate) mod assess;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod prove;
pub(crate) mod query;
pub(crate) mod regenerate;
pub(crate) mod trace;
pub(crate) mod twin;
pub(crate) mod verify;
pub(crate) mod witness;

use tiepoint_operations::{Error, Platform};

use crate::{
    args::{Arguments, Verb},
    config,
    exit::Exit,
    output::Output,
};

/// Runs the verb that was typed.
pub(crate) async fn run(arguments: Arguments, output: &mut Output) -> Result<Exit, Error> {
    let config = config::from_environment().map_err(Error::Environment)?;
    let lake = arguments.lake;
    match arguments.verb {
        Verb::Init(args) => init::run(args, config, output).await,
        Verb::Ingest(args) => {
            ingest::run(&mut Platform::open(&lake, config).await?, args, output).await
        }
        Verb::Query(args) => query::run(&Platform::open(&lake, config).await?, args, output).await,
        Verb::Log(args) => log::run(&Platform::open(&lake, config).await?, args, output),
        Verb::Trace(args) => trace::run(&Platform::open(&lake, config).await?, args, output),
        Verb::Verify(args) => verify::run(&lake, config, args, output).await,
        Verb::Prove(args) => prove::run(&Platform::open(&lake, config).await?, args, output).await,
        Verb::Witness(args) => witness::run(&lake, config, args, output).await,
        Verb::Cosign(args) => {
            witness::run_cosign(&Platform::open(&lake, config).await?, args, output).await
        }
        Verb::Twin(args) => {
            twin::run(&mut Platform::open(&lake, config).await?, args, output).await
        }
        Verb::Regenerate(args) => {
            regenerate::run(&Platform::open(&lake, config).await?, args, output).await
        }
        Verb::Check(args) => check::run(args, output),
        Verb::Measure(command) => measure::run(command, output),
        Verb::Compare(args) => {
            compare::run(&mut Platform::open(&lake, config).await?, args, output).await
        }
        Verb::Assess(args) => {
            assess::run(&mut Platform::open(&lake, config).await?, args, output).await
        }
    }
}
