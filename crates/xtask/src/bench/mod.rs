//! `cargo xtask bench`: how fast the product is, each figure held against a reference that is measured in the same run.
//!
//! Rounds alternate between the reference and ours; what counts is the median of the ratios of each round. Prints a
//! table, writes `bench.json`. A missed target is shown and fails nothing, for figures belong to machines.

mod catalogue;
mod comparison;
mod driver;
mod evaluation;
mod filled;
mod follow;
mod generators;
mod http;
mod ingest;
mod launch;
mod live;
mod machine;
mod memory;
mod mlflow;
mod pages;
mod product;
mod results;
mod runs;
mod script;
mod scroll;
mod seed;
mod stage;
mod start;
mod statements;
mod viewers;

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::ValueEnum;
use comparison::Comparison;
use serde_json::json;

use crate::process::say;
use crate::python;
use crate::workspace::scratch;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    python: python::PythonOptions,
    /// Run these comparisons only
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Subject>,
    /// Measure although the machine is busy with something else
    #[arg(long)]
    loaded: bool,
    #[command(flatten)]
    effort: Effort,
}

/// How long and how much.
#[derive(clap::Args, Clone, Debug)]
struct Effort {
    /// Rounds of reference and ours
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement under load
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Runs in the database
    #[arg(long, default_value_t = 10_000)]
    runs: usize,
    /// Viewers of the fan-out
    #[arg(long, default_value_t = 1000)]
    viewers: usize,
    /// Viewers who only look
    #[arg(long, default_value_t = 10_000)]
    idle_viewers: usize,
    /// Samples of the import
    #[arg(long, default_value_t = 200_000)]
    ingest_samples: usize,
    /// Runs of the database for pages of results
    #[arg(long, default_value_t = 100_000)]
    seed_runs: u64,
    /// Samples of that database; ten million take about 15 GB and a quarter of an hour to make
    #[arg(long, default_value_t = 10_000_000)]
    seed_samples: u64,
    /// Lines of a noisy child
    #[arg(long, default_value_t = 200_000)]
    lines: usize,
    /// Runs that live when the server is killed
    #[arg(long, default_value_t = 200)]
    live_runs: usize,
    /// Built pages to measure; those of the checkout when absent
    #[arg(long, value_name = "DIR")]
    pages: Option<std::path::PathBuf>,
    /// Leave out the comparisons with MLflow, which needs 620 MB from PyPI
    #[arg(long)]
    without_mlflow: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Listing the tasks
    Catalogue,
    /// Three small benchmarks
    Driver,
    /// P1: from a printed line to its viewers
    Latency,
    /// P2: messages to many viewers
    FanOut,
    /// P3: following a noisy child
    Follow,
    /// P4: the list of runs
    List,
    /// P5: creating a run
    Create,
    /// P6: import of samples
    Ingest,
    /// P7, P18 and the browser on a full database: pages of samples, the leaderboard, tables that are scrolled
    Results,
    /// P9: from the queue to the process
    Queue,
    /// P10: after kill -9
    Recovery,
    /// P11: memory of a viewer
    Viewers,
    /// P12: start and memory at rest
    Start,
    /// P13: an evaluation
    Evaluation,
    /// Size and first paint of the pages
    Pages,
}

/// Runs the comparisons. One that cannot be measured does not keep the others from being shown.
pub(crate) fn bench(options: &BenchOptions) -> Result<()> {
    machine::check(options.loaded)?;
    let machine = machine::describe()?;
    let wants = |subject: &Subject| options.only.is_empty() || options.only.contains(subject);
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for subject in Subject::value_variants().iter().filter(|subject| wants(subject)) {
        match measure(*subject, options) {
            Ok(rows) => done.extend(rows),
            Err(error) => {
                say(format_args!("{subject:?} cannot be measured: {error:#}"));
                failed.push(format!("{subject:?}"));
            }
        }
    }
    print!("{}", comparison::table(&done));
    for each in &done {
        each.notes
            .iter()
            .for_each(|note| println!("{} {}: {note}", each.id, each.name));
    }
    let file = scratch()?.join("bench.json");
    let text =
        serde_json::to_string_pretty(&json!({"machine": machine, "comparisons": comparison::json(&done)}))?;
    fs::write(&file, text)?;
    say(format_args!("written to {}", file.display()));
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("not measured: {}", failed.join(", "))
    }
}

fn measure(subject: Subject, options: &BenchOptions) -> Result<Vec<Comparison>> {
    let effort = &options.effort;
    Ok(match subject {
        Subject::Catalogue => vec![catalogue::catalogue(&python::ensure(&options.python)?)?],
        Subject::Driver => vec![driver::driver(&python::ensure(&options.python)?)?],
        Subject::Latency => live::latency(effort)?,
        Subject::FanOut => vec![live::fan_out(effort)?],
        Subject::Follow => follow::follow(effort)?,
        Subject::List => runs::list(effort)?,
        Subject::Create => runs::create(effort)?,
        Subject::Ingest => ingest::ingest(effort)?,
        Subject::Results => results::results(effort)?,
        Subject::Queue => launch::queued(effort)?,
        Subject::Recovery => launch::recovery(effort)?,
        Subject::Viewers => vec![memory::viewers(effort)?],
        Subject::Start => start::start(effort)?,
        Subject::Evaluation => evaluation::evaluation(effort, &python::ensure(&options.python)?)?,
        Subject::Pages => pages::pages(effort)?,
    })
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let start = Instant::now();
    let value = work()?;
    Ok((value, start.elapsed().as_secs_f64()))
}

/// A command of lmms-eval's that asks no network.
fn offline(mut command: Command) -> Command {
    command
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_DATASETS_OFFLINE", "1")
        .env("TZ", "UTC");
    command
}
