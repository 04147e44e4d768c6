//! The flags of `lmms-eval eval`, one function for each kind of value.

use std::collections::BTreeSet;

use super::arguments;
use super::{CommandError, PlanBenchmark, PlanInput, Seed};

/// What every command carries: samples on disk, stamps in UTC, and the verbosity at which the
/// log parser knows the lines.
pub(super) const ALWAYS: [&str; 5] = ["--log_samples", "--timezone", "UTC", "--verbosity", "INFO"];

/// Words that `--tasks` takes for a request to list something instead of a benchmark.
const LISTINGS: [&str; 4] = ["list", "list_groups", "list_tags", "list_subtasks"];

/// Adds a flag and its value; a value with a leading dash would be read as a flag of its own.
pub(super) fn push(argv: &mut Vec<String>, flag: &str, value: &str) {
    if value.starts_with('-') {
        argv.push(format!("{flag}={value}"));
    } else {
        argv.push(flag.to_owned());
        argv.push(value.to_owned());
    }
}

/// The flags that all benchmarks of a plan share.
pub(super) fn shared(input: &PlanInput) -> Result<Vec<String>, CommandError> {
    let mut argv = Vec::new();
    let backend = word("backend", &input.backend, "the id of a model backend")?;
    debug_assert!(!backend.is_empty());
    if !input.model_args.is_empty() {
        let joined = arguments::join("model_args", &input.model_args)?;
        push(&mut argv, "--model_args", &joined);
    }
    push_include_path(&mut argv, &input.include_paths)?;
    if let Some(seed) = input.seed {
        push(&mut argv, "--seed", &seed_text(seed));
    }
    if let Some(shots) = input.num_fewshot.filter(|&shots| shots > 0) {
        push(&mut argv, "--num_fewshot", &shots.to_string());
    }
    if !input.gen_kwargs.is_empty() {
        let joined = arguments::join("gen_kwargs", &input.gen_kwargs)?;
        push(&mut argv, "--gen_kwargs", &joined);
    }
    push_extent(&mut argv, input)?;
    Ok(argv)
}

fn push_extent(argv: &mut Vec<String>, input: &PlanInput) -> Result<(), CommandError> {
    if let Some(limit) = input.limit {
        push(argv, "--limit", &limit_text(limit)?);
    }
    if let Some(offset) = input.offset {
        push(argv, "--offset", &offset.to_string());
    }
    if let Some(size) = &input.batch_size {
        let size = word("batch_size", size, "a number from 1, `auto` or `auto:N`")?;
        push(argv, "--batch_size", size);
    }
    match input.repeats {
        Some(0) => Err(CommandError::new("repeats", 0, "a number from 1")),
        Some(repeats) => {
            push(argv, "--repeats", &repeats.to_string());
            Ok(())
        }
        None => Ok(()),
    }
}

fn push_include_path(argv: &mut Vec<String>, paths: &[String]) -> Result<(), CommandError> {
    match paths {
        [] => Ok(()),
        [path] => {
            let path = argument("include_paths", path, "the path of a folder")?;
            push(argv, "--include_path", path);
            Ok(())
        }
        several => Err(CommandError::new(
            "include_paths",
            several.join(", "),
            "at most one folder, as lmms-eval takes one `--include_path`",
        )),
    }
}

fn seed_text(seed: Seed) -> String {
    match seed {
        Seed::All(seed) => seed.to_string(),
        Seed::Each {
            python,
            numpy,
            torch,
            fewshot,
        } => [python, numpy, torch, fewshot]
            .map(|seed| seed.map_or_else(|| "None".to_owned(), |seed| seed.to_string()))
            .join(","),
    }
}

/// lmms-eval reads a float and takes 0 for "no limit", so 0 is refused instead of meaning all.
fn limit_text(limit: f64) -> Result<String, CommandError> {
    let whole = limit.fract() == 0.0 && (1.0..=9e15).contains(&limit);
    if whole || limit == -1.0 || (limit > 0.0 && limit < 1.0) {
        return Ok(limit.to_string());
    }
    Err(CommandError::new(
        "limit",
        limit,
        "a whole number from 1, a fraction between 0 and 1, or -1 for all documents",
    ))
}

/// A value that may be anything but empty or cut short by the operating system at a NUL.
pub(super) fn argument<'a>(field: &str, value: &'a str, expected: &str) -> Result<&'a str, CommandError> {
    if value.is_empty() || value.contains('\0') {
        return Err(CommandError::new(field, value, expected));
    }
    Ok(value)
}

fn word<'a>(field: &str, value: &'a str, expected: &str) -> Result<&'a str, CommandError> {
    if value.contains(char::is_whitespace) {
        return Err(CommandError::new(field, value, expected));
    }
    argument(field, value, expected)
}

/// Names that `--tasks` would take for something else, and orders that would share a directory.
pub(super) fn check_benchmarks(benchmarks: &[PlanBenchmark]) -> Result<(), CommandError> {
    if benchmarks.is_empty() {
        return Err(CommandError::new("benchmarks", "[]", "at least one benchmark"));
    }
    let mut orders = BTreeSet::new();
    for benchmark in benchmarks {
        check_name(&benchmark.name)?;
        if !orders.insert(benchmark.order) {
            return Err(CommandError::new(
                "benchmarks.order",
                benchmark.order,
                "a number that no other benchmark of the run has",
            ));
        }
    }
    Ok(())
}

/// `--tasks` splits at commas, expands globs, and prefers a folder of that name in the current
/// directory, which is the attempt directory with its `out`.
fn check_name(name: &str) -> Result<(), CommandError> {
    const FIELD: &str = "benchmarks.name";
    argument(FIELD, name, "the name of a task, group or tag")?;
    let path = name.starts_with('/') || name.split('/').any(|part| matches!(part, "." | ".." | ""));
    if path || name == "out" || name.starts_with("out/") {
        return Err(CommandError::new(FIELD, name, "a name, not the path of a folder"));
    }
    if name.contains([',', '*', '?', '[']) {
        return Err(CommandError::new(
            FIELD,
            name,
            "one name without `,`, `*`, `?` and `[`",
        ));
    }
    if LISTINGS.contains(&name) {
        return Err(CommandError::new(
            FIELD,
            name,
            "a benchmark, not a word that lists them",
        ));
    }
    Ok(())
}
