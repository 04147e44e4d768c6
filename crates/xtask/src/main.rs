//! `cargo xtask`: everything a developer or a user of the checkout does with one word.

mod bench;
mod counts;
mod deny;
mod node;
mod playwright;
mod process;
mod python;
mod seed;
mod test;
mod up;
mod watch;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, start and test the LMMS-Eval Dashboard from its checkout.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build what has changed and start the product
    Up(up::UpOptions),
    /// Run every check and test; the first time takes thirty to fifty minutes
    Test(test::TestOptions),
    /// Measure the product against references, on a quiet machine (about half an hour)
    Bench(bench::BenchOptions),
    /// Fill a running product's database with an organization after two years
    Seed(seed::SeedOptions),
    /// Build the pages (WebAssembly, styles, fonts) into dist/
    Web(web::WebOptions),
    /// Check dependencies against deny.toml: advisories, bans, licenses, sources
    Deny {
        /// What to check
        #[arg(default_values = ["advisories", "bans", "licenses", "sources"])]
        kinds: Vec<String>,
    },
    /// Set up the Python environment with lmms-eval and print its interpreter
    Python(python::PythonOptions),
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Up(options) => up::up(&options),
        Task::Test(options) => test::test(&options),
        Task::Bench(options) => bench::bench(&options),
        Task::Seed(options) => seed::seed(&options),
        Task::Web(options) => web::build(&options).map(drop),
        Task::Deny { kinds } => process::run(&mut deny::check(&kinds)?),
        Task::Python(options) => {
            println!("{}", python::ensure(&options)?.display());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
