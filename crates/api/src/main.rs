//! `lmms-dash`: one binary, several roles.

use api::cli::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// The executor comes first: it forks, and that must happen before any thread exists.
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Exec(args) = &cli.command {
        return runner::exec::main(&args.attempt_dir);
    }
    api::commands::run(cli.command)
}
