//! Every command line that the product starts, built in one place.
//!
//! The preview and the executor call the same [`plan`], and everything in it is relative to the
//! attempt directory, so that what the user sees is byte for byte what runs.
//!
//! Two rules of lmms-eval shape this module. Its argparse would take a value that begins with a
//! dash for a flag, and its dispatcher looks for `--tui` anywhere in the vector: such values
//! travel as `--flag=value`. And `--model_args` is one string that lmms-eval cuts at commas
//! outside quotes and braces, see [`arguments`].

pub mod arguments;
mod flags;
mod launcher;
mod shell;
mod weights;

pub use crate::secrets::{looks_secret, redact};
pub use arguments::ArgValue;
pub use shell::shell_line;
pub use weights::weights_key;

use serde::{Deserialize, Serialize};

/// How the benchmarks of a run share processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// One process for all benchmarks: the driver loads the model once.
    #[default]
    ModelOnce,
    /// One plain CLI process for each benchmark.
    ProcessPerBenchmark,
}

/// What starts the Python process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Launch {
    /// One plain process, whatever the number of GPUs.
    #[default]
    Single,
    /// One rank for each GPU through `accelerate launch`; plain when there is only one.
    Accelerate,
}

/// Seeds as `--seed` takes them. `None` leaves that generator unseeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// The same seed for all four generators.
    All(u32),
    /// One seed for each generator.
    Each {
        /// Python's `random`.
        python: Option<u32>,
        /// NumPy.
        numpy: Option<u32>,
        /// PyTorch.
        torch: Option<u32>,
        /// The sampler of few-shot examples.
        fewshot: Option<u32>,
    },
}

/// One benchmark to run: a task, group or tag by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBenchmark {
    /// Its place in the run; names the output directory `out/<order>`.
    pub order: u32,
    /// The name as lmms-eval knows it.
    pub name: String,
}

/// Everything that decides the command lines of one attempt. A field left `None` adds no flag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanInput {
    /// The Python interpreter, as a path or a name on `PATH`.
    pub python: String,
    /// How the benchmarks share processes.
    #[serde(default)]
    pub isolation: Isolation,
    /// lmms-eval's model id (`--model`).
    pub backend: String,
    /// Arguments of the model in the user's order (`--model_args`).
    #[serde(default)]
    pub model_args: Vec<(String, ArgValue)>,
    /// What to run.
    pub benchmarks: Vec<PlanBenchmark>,
    /// Folders with further tasks; lmms-eval takes at most one.
    #[serde(default)]
    pub include_paths: Vec<String>,
    /// Seeds.
    #[serde(default)]
    pub seed: Option<Seed>,
    /// Few-shot examples; 0 adds no flag.
    #[serde(default)]
    pub num_fewshot: Option<u32>,
    /// Generation settings merged over each task's own (`--gen_kwargs`).
    #[serde(default)]
    pub gen_kwargs: Vec<(String, ArgValue)>,
    /// Documents per task: a count from 1, a fraction below 1, or -1 for all.
    #[serde(default)]
    pub limit: Option<f64>,
    /// Index of the first document.
    #[serde(default)]
    pub offset: Option<u64>,
    /// Batch size: a number, `auto` or `auto:N`.
    #[serde(default)]
    pub batch_size: Option<String>,
    /// How often each request is made.
    #[serde(default)]
    pub repeats: Option<u32>,
    /// GPUs that the attempt was given.
    #[serde(default)]
    pub gpus: u32,
    /// What starts the Python process.
    #[serde(default)]
    pub launch: Launch,
}

/// The command lines of one attempt, in the order in which they are started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Processes, one after the other.
    pub processes: Vec<Process>,
}

/// One process and the benchmarks that it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The whole vector, program first, relative to the attempt directory.
    pub argv: Vec<String>,
    /// The benchmarks, in order.
    pub benchmarks: Vec<BenchmarkCommand>,
}

/// One benchmark's share of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkCommand {
    /// Its place in the run.
    pub order: u32,
    /// Its name.
    pub name: String,
    /// `sys.argv[1:]` of the lmms-eval CLI.
    pub argv: Vec<String>,
    /// Where its files appear, relative to the attempt directory.
    pub output_path: String,
}

/// Why a command line cannot be built: the field, the value and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is `{value}`, expected {expected}")]
pub struct CommandError {
    /// The field of [`PlanInput`], with the key for arguments: `model_args.prompt`.
    pub field: String,
    /// The value as given.
    pub value: String,
    /// What would be accepted.
    pub expected: String,
}

impl CommandError {
    fn new(field: impl Into<String>, value: impl std::fmt::Display, expected: &str) -> Self {
        Self {
            field: field.into(),
            value: value.to_string(),
            expected: expected.to_owned(),
        }
    }
}

/// Builds the command lines of one attempt.
///
/// # Errors
///
/// When a value cannot reach lmms-eval unchanged: the error names the field, the value and what
/// is expected instead.
pub fn plan(input: &PlanInput) -> Result<Plan, CommandError> {
    flags::check_benchmarks(&input.benchmarks)?;
    let shared = flags::shared(input)?;
    let commands = input
        .benchmarks
        .iter()
        .map(|benchmark| benchmark_command(input, benchmark, &shared))
        .collect();
    Ok(Plan {
        processes: launcher::processes(input, commands)?,
    })
}

fn benchmark_command(input: &PlanInput, benchmark: &PlanBenchmark, shared: &[String]) -> BenchmarkCommand {
    let output_path = format!("out/{}", benchmark.order);
    let mut argv = Vec::with_capacity(shared.len() + 8);
    flags::push(&mut argv, "--model", &input.backend);
    flags::push(&mut argv, "--tasks", &benchmark.name);
    argv.extend_from_slice(shared);
    flags::push(&mut argv, "--output_path", &output_path);
    argv.extend(flags::ALWAYS.iter().map(|&flag| flag.to_owned()));
    BenchmarkCommand {
        order: benchmark.order,
        name: benchmark.name.clone(),
        argv,
        output_path,
    }
}
