//! One file per verb: what may be typed, one call, what is shown.

pub(crate) mod assess;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod compare;
pub(crate) mod export;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod prove;
pub(crate) mod query;
pub(crate) mod regenerate;
pub(crate) mod register;
pub(crate) mod retain;
pub(crate) mod sweep;
pub(crate) mod trace;
pub(crate) mod twin;
pub(crate) mod verify;
pub(crate) mod witness;

use std::path::PathBuf;

use tiepoint_operations::{Config, Error, Platform};

use crate::{
    args::{Arguments, Verb},
    config,
    exit::Exit,
    output::Output,
};

/// Runs the verb that was typed.
pub(crate) async fn run(arguments: Arguments, output: &mut Output) -> Result<Exit, Error> {
    let config = config::from_environment().map_err(Error::Environment)?;
    let door = Door { lake: arguments.lake, at: arguments.at, config };
    match arguments.verb {
        Verb::Init(args) => init::run(args, door.now()?, output).await,
        Verb::Ingest(args) => {
            door.change(output, async move |lake, out| ingest::run(lake, args, out).await).await
        }
        Verb::Register(args) => {
            door.change(output, async move |lake, out| register::run(lake, args, out).await).await
        }
        Verb::Query(args) => query::run(&door.read().await?, args, output).await,
        Verb::Log(args) => log::run(&door.read().await?, args, output).await,
        Verb::Trace(args) => trace::run(&door.read().await?, args, output).await,
        Verb::Verify(args) => {
            let lake = door.lake.clone();
            verify::run(&lake, door.now()?, args, output).await
        }
        Verb::Prove(args) => prove::run(&door.read().await?, args, output).await,
        Verb::Witness(args) => {
            let lake = door.lake.clone();
            witness::run(&lake, door.now()?, args, output).await
        }
        Verb::Cosign(args) => witness::run_cosign(&door.read().await?, args, output).await,
        Verb::Twin(args) => {
            door.change(output, async move |lake, out| twin::run(lake, args, out).await).await
        }
        Verb::Check(args) => check::run(args, output),
        Verb::Export(args) => export::run(&door.read().await?, args, output).await,
        Verb::Regenerate(args) => regenerate::run(&door.read().await?, args, output).await,
        Verb::Measure(command) => measure::run(command, output),
        Verb::Compare(args) => {
            door.change(output, async move |lake, out| compare::run(lake, args, out).await).await
        }
        Verb::Assess(args) => {
            door.change(output, async move |lake, out| assess::run(lake, args, out).await).await
        }
        Verb::Compact(args) => {
            door.change(output, async move |lake, out| compact::run(lake, args, out).await).await
        }
        Verb::Retain(args) => {
            door.change(output, async move |lake, out| retain::run(lake, args, out).await).await
        }
        Verb::Sweep(args) => {
            door.change(output, async move |lake, out| sweep::run(lake, args, out).await).await
        }
    }
}

/// Which lake, and at which position of its ledger.
struct Door {
    lake: PathBuf,
    at: Option<u64>,
    config: Config,
}

impl Door {
    /// Opens the lake for reading, now or at a position.
    async fn read(self) -> Result<Platform, Error> {
        match self.at {
            Some(position) => Platform::open_at(&self.lake, self.config, position).await,
            None => Platform::open(&self.lake, self.config).await,
        }
    }

    /// Opens the lake, lets a verb change it, and says what went wrong beside.
    async fn change(
        self,
        output: &mut Output,
        verb: impl AsyncFnOnce(&mut Platform, &mut Output) -> Result<Exit, Error>,
    ) -> Result<Exit, Error> {
        let lake = self.lake.clone();
        let mut platform = Platform::open(&lake, self.now()?).await?;
        let exit = verb(&mut platform, output).await;
        for warning in platform.take_warnings() {
            output.say(&format!("warning: {warning}"));
        }
        exit
    }

    /// What a call brings, if it is not about the past: that can only be read.
    fn now(self) -> Result<Config, Error> {
        match self.at {
            None => Ok(self.config),
            Some(position) => Err(Error::ReadOnly { position }),
        }
    }
}
