//! Starts other programs, in the project's root, and says which one failed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The project's root: the parent of this crate's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A command in the project's root.
pub(crate) fn command(program: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(root());
    command
}

/// `cargo` with the Protocol Buffers compiler that Lance's build wants: the machine's own, or the vendored one in place.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command, String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = command(program, arguments);
    forget_own_package(&mut command);
    if std::env::var_os("PROTOC").is_none() {
        let protoc = protoc_bin_vendored::protoc_bin_path()
            .map_err(|error| format!("no `protoc` for this machine: {error}"))?;
        command.env("PROTOC", protoc);
    }
    Ok(command)
}

/// What `cargo run` tells this program about itself would look like a change to build scripts that watch it,
/// and the heavy stack would compile again whenever somebody calls cargo by hand.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let is_about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if is_about_us.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name.as_ref());
        }
    }
}

/// Runs to the end with the output shown; fails if the exit status is not zero.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    let shown = describe(&command);
    let status = command.status().map_err(|error| format!("cannot start {shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} ended with {status}")) }
}

/// Runs to the end and returns standard output and the exit code; standard error is shown.
pub(crate) fn output(mut command: Command) -> Result<(String, i32), String> {
    let shown = describe(&command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {shown}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((text, output.status.code().unwrap_or(-1)))
}

/// The command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
