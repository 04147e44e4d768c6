//! `cargo xtask`: everything a developer or a user of the checkout does with one word.

mod process;
mod python;
mod web;
mod workspace;

use clap::{Parser, Subcommand};

/// Build, start and test the LMMS-Eval Dashboard from its checkout.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the pages (WebAssembly, styles, fonts) into dist/
    Web(web::Options),
    /// Set up the Python environment with lmms-eval and print its interpreter
    Python(python::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Web(options) => web::build(&options).map(drop),
        Task::Python(options) => {
            println!("{}", python::ensure(&options)?.display());
            Ok(())
        }
    }
}
