//! The commands other than `exec`.

use crate::cli::Command;
use std::process::ExitCode;

/// Runs a command to its end.
pub fn run(_command: Command) -> ExitCode {
    ExitCode::SUCCESS
}
