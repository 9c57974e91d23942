//! The `tiepoint` command: parse, call one operation, show.
//!
//! Data goes to standard output, words to standard error.
//! Exit: 0 yes, 1 the answer is no, 2 bad input, 3 done with loss or inconclusive, 4 try again, 5 damaged data, 70 our fault.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "room: disk, clock, environment, randomness: this is where they enter"
)]

mod args;
mod config;
mod exit;
mod output;
mod quality;
mod source;
mod verbs;

use std::process::ExitCode;

use crate::output::Output;

fn main() -> ExitCode {
    let arguments = args::parse();
    let mut output = Output::new(arguments.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.complain(&format!("cannot start the runtime: {error}"), &[], "");
            return ExitCode::from(exit::INTERNAL);
        }
    };
    let outcome = runtime.block_on(verbs::run(arguments, &mut output));
    let code = match outcome {
        Ok(exit) => exit.code(),
        Err(error) => {
            output.complain(&error.to_string(), &exit::causes(&error), &error.hint());
            exit::code_of(error.kind())
        }
    };
    ExitCode::from(code)
}
