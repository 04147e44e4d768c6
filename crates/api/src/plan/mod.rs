//! From a model, its checkpoint, benchmarks and settings to command lines.
//!
//! The rule it keeps: there is one way to make them. The preview, the row of a new run and the
//! worker all go through [`Resolved`] and [`commands`], so what is shown is what is started.

mod check;
mod draft;
mod estimate;
mod power;
mod resolve;
mod yaml;

pub use check::{contained_picks, settings_problems};
pub use draft::{Draft, draft};
pub use estimate::{Past, expected_seconds, samples_of};
pub use power::detectable_difference;
pub use resolve::{Checkpoint, Model, Resolved, UnknownCheckpoint, resolve};
pub use yaml::config_yaml;

use crate::config::EvalConfig;
use lmms::command::{CommandError, Plan, PlanBenchmark, PlanInput, plan, shell_line};
use std::path::PathBuf;
use types::{
    ArgList, ArgValue, BatchSize, BenchmarkCommandView, CommandView, FieldError, GpuLaunch, RunConfig, Seed,
};

/// The interpreter with lmms-eval, as an absolute path. Without a setting it is `python3` of `PATH`.
pub fn interpreter(config: &EvalConfig) -> String {
    let found = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|p| p.join("python3"))
            .find(|p| p.is_file())
    };
    let python = config.python.clone().or_else(found);
    python
        .unwrap_or_else(|| PathBuf::from("/usr/bin/python3"))
        .display()
        .to_string()
}

/// A benchmark that takes part: its place in the run and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Place in the run, which names its folder.
    pub order: u32,
    /// The name of the task, group or tag.
    pub name: String,
}

/// The command lines of an attempt over these benchmarks.
///
/// # Errors
///
/// When a value cannot reach lmms-eval unchanged.
pub fn commands(
    resolved: &Resolved,
    config: &RunConfig,
    picks: &[Pick],
    python: &str,
) -> Result<Plan, CommandError> {
    plan(&input(resolved, config, picks, python))
}

/// The plain command lines, for an lmms-eval that does not fit the driver.
///
/// # Errors
///
/// When a value cannot reach lmms-eval unchanged.
pub fn plain_commands(
    resolved: &Resolved,
    config: &RunConfig,
    picks: &[Pick],
    python: &str,
) -> Result<Plan, CommandError> {
    plan(&PlanInput {
        isolation: lmms::command::Isolation::ProcessPerBenchmark,
        ..input(resolved, config, picks, python)
    })
}

fn input(resolved: &Resolved, config: &RunConfig, picks: &[Pick], python: &str) -> PlanInput {
    let profile = config.compute_profile.clone().unwrap_or_default();
    let pick = |p: &Pick| PlanBenchmark {
        order: p.order,
        name: p.name.clone(),
    };
    PlanInput {
        python: python.to_owned(),
        isolation: match config.isolation.unwrap_or_default() {
            types::Isolation::ModelOnce => lmms::command::Isolation::ModelOnce,
            types::Isolation::ProcessPerBenchmark => lmms::command::Isolation::ProcessPerBenchmark,
        },
        backend: resolved.backend.clone(),
        model_args: pairs(&resolved.model_args),
        benchmarks: picks.iter().map(pick).collect(),
        include_paths: resolved.include_paths.clone(),
        seed: config.seed.as_ref().map(seed),
        num_fewshot: config.shots,
        gen_kwargs: pairs(&generation_arguments(config)),
        limit: config.limit,
        offset: config.offset,
        batch_size: config.batch_size.as_ref().map(batch_size),
        repeats: config.repeats,
        gpus: profile.gpus,
        launch: match profile.launch {
            GpuLaunch::SingleProcess => lmms::command::Launch::Single,
            GpuLaunch::DataParallel => lmms::command::Launch::Accelerate,
        },
    }
}

/// The temperature is one of lmms-eval's generation arguments.
fn generation_arguments(config: &RunConfig) -> ArgList {
    let mut arguments = config.gen_kwargs.clone().unwrap_or_default();
    if let Some(temperature) = config.temperature {
        arguments.set("temperature", ArgValue::Float(temperature));
    }
    arguments
}

fn pairs(arguments: &ArgList) -> Vec<(String, lmms::command::ArgValue)> {
    let value = |value: &ArgValue| match value {
        ArgValue::Bool(b) => lmms::command::ArgValue::Bool(*b),
        ArgValue::Int(n) => lmms::command::ArgValue::Int(*n),
        ArgValue::Float(x) => lmms::command::ArgValue::Float(*x),
        ArgValue::Text(text) => lmms::command::ArgValue::Text(text.clone()),
    };
    arguments.0.iter().map(|(k, v)| (k.clone(), value(v))).collect()
}

fn seed(seed: &Seed) -> lmms::command::Seed {
    match *seed {
        Seed::One(n) => lmms::command::Seed::All(n),
        Seed::Four([python, numpy, torch, fewshot]) => lmms::command::Seed::Each {
            python,
            numpy,
            torch,
            fewshot,
        },
    }
}

fn batch_size(size: &BatchSize) -> String {
    match size {
        BatchSize::Fixed(n) => n.to_string(),
        BatchSize::Auto(text) => text.clone(),
    }
}

/// The command lines as they are shown.
pub fn views(plan: &Plan) -> Vec<CommandView> {
    plan.processes.iter().map(view).collect()
}

fn view(process: &lmms::command::Process) -> CommandView {
    let python = process.argv.first().cloned().unwrap_or_default();
    let by_hand = |argv: &[String]| {
        let head = [python.clone(), "-m".to_owned(), "lmms_eval".to_owned()];
        shell_line(&[&head, argv].concat())
    };
    let benchmark = |b: &lmms::command::BenchmarkCommand| BenchmarkCommandView {
        order: b.order,
        name: b.name.clone(),
        argv: b.argv.clone(),
        shell: by_hand(&b.argv),
    };
    CommandView {
        argv: process.argv.clone(),
        shell: shell_line(&process.argv),
        benchmarks: process.benchmarks.iter().map(benchmark).collect(),
    }
}

/// A refused command line as the field of the request that it comes from.
pub fn field_of(error: &CommandError) -> FieldError {
    let field = match error.field.as_str() {
        "backend" => "model_id".to_owned(),
        f if f.starts_with("benchmarks") => "benchmark_ids".to_owned(),
        "include_paths" => "benchmark_ids".to_owned(),
        "num_fewshot" => "config.shots".to_owned(),
        f => format!("config.{f}"),
    };
    FieldError::new(
        field,
        format!("is `{}`; expected {}", error.value, error.expected),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved() -> Resolved {
        Resolved {
            backend: "openai".into(),
            model_args: ArgList(vec![("model".into(), ArgValue::Text("demo".into()))]),
            source: None,
            checkpoint_variant: "latest".into(),
            include_paths: vec!["/srv/tasks".into()],
        }
    }

    #[test]
    fn nothing_set_adds_no_flag() {
        let picks = [Pick {
            order: 0,
            name: "mme".into(),
        }];
        let plan = commands(&resolved(), &RunConfig::default(), &picks, "/usr/bin/python3").unwrap();
        let argv = &plan.processes[0].benchmarks[0].argv;
        for flag in [
            "--seed",
            "--num_fewshot",
            "--gen_kwargs",
            "--limit",
            "--batch_size",
        ] {
            assert!(!argv.iter().any(|a| a.starts_with(flag)), "{argv:?}");
        }
        assert_eq!(
            plan.processes[0].argv,
            ["/usr/bin/python3", "driver.py", "job.json"]
        );
    }

    #[test]
    fn the_temperature_is_a_generation_argument() {
        let config = RunConfig {
            temperature: Some(0.0),
            gen_kwargs: Some(ArgList(vec![("top_p".into(), ArgValue::Float(0.9))])),
            ..RunConfig::default()
        };
        let plan = commands(
            &resolved(),
            &config,
            &[Pick {
                order: 3,
                name: "a".into(),
            }],
            "python",
        )
        .unwrap();
        let argv = plan.processes[0].benchmarks[0].argv.join(" ");
        assert!(argv.contains("--gen_kwargs top_p=0.9,temperature=0.0"), "{argv}");
        assert!(argv.contains("--output_path out/3"), "{argv}");
    }

    #[test]
    fn a_refused_value_names_its_field() {
        let config = RunConfig {
            model_args: None,
            batch_size: Some(BatchSize::Auto("a b".into())),
            ..RunConfig::default()
        };
        let error = commands(
            &resolved(),
            &config,
            &[Pick {
                order: 0,
                name: "a".into(),
            }],
            "python",
        )
        .unwrap_err();
        assert_eq!(field_of(&error).field, "config.batch_size");
    }
}
