//! The command line as typed.

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::verbs;

/// Verbs that can read the past.
const READERS: [&str; 7] = ["query", "export", "log", "trace", "prove", "cosign", "regenerate"];

/// What was typed. A wrong line is explained and ends the program.
pub(crate) fn parse() -> Arguments {
    let mut command = Arguments::command();
    // Options of every verb reach the verbs when the command is built.
    command.build();
    let command = command.mut_subcommands(|verb| match READERS.contains(&verb.get_name()) {
        true => verb,
        false => without_position(verb),
    });
    let matches = command.clone().get_matches();
    Arguments::from_arg_matches(&matches)
        .unwrap_or_else(|error| error.format(&mut command.clone()).exit())
}

/// The same verb, and its help without the option that it refuses.
fn without_position(verb: clap::Command) -> clap::Command {
    let hidden = |arg: clap::Arg| if arg.get_id() == "at" { arg.hide(true) } else { arg };
    verb.mut_args(hidden).mut_subcommands(without_position)
}

/// Real robot recordings and their synthetic twins in one governed lake, with signed verdicts.
#[derive(Parser)]
#[command(name = "tiepoint", version, max_term_width = 100)]
#[command(after_help = "Exit status: 0 yes or done, 1 the answer is no, 2 bad input, \
3 done with loss or inconclusive, 4 try again, 5 damaged data, 70 a fault of this program.")]
pub(crate) struct Arguments {
    /// Show results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The lake's folder.
    #[arg(long, global = true, value_name = "LAKE", default_value = "lake")]
    pub(crate) lake: PathBuf,
    /// Read the lake as it was when its ledger held this many entries (entry 7 is seen from position 8 on).
    #[arg(long, global = true, value_name = "POSITION")]
    pub(crate) at: Option<u64>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// One operation of the platform.
#[derive(Subcommand)]
pub(crate) enum Verb {
    Init(verbs::init::InitArgs),
    Check(verbs::check::CheckArgs),
    Ingest(verbs::ingest::IngestArgs),
    Register(verbs::register::RegisterArgs),
    Query(verbs::query::QueryArgs),
    Export(verbs::export::ExportArgs),
    Log(verbs::log::LogArgs),
    Trace(verbs::trace::TraceArgs),
    Verify(verbs::verify::VerifyArgs),
    Prove(verbs::prove::ProveArgs),
    Witness(verbs::witness::WitnessArgs),
    Cosign(verbs::witness::CosignArgs),
    Twin(verbs::twin::TwinArgs),
    Regenerate(verbs::regenerate::RegenerateArgs),
    #[command(subcommand)]
    Measure(verbs::measure::MeasureCommand),
    Compare(verbs::compare::CompareArgs),
    Assess(verbs::assess::AssessArgs),
    Compact(verbs::compact::CompactArgs),
    Retain(verbs::retain::RetainArgs),
    Sweep(verbs::sweep::SweepArgs),
}
