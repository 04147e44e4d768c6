//! P13: what the dashboard adds to an evaluation, against the same command line by hand.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Effort;
use super::comparison::{Comparison, Round, Target};
use super::driver::{BENCHMARKS, Bench};
use super::machine::{exact_cpu, on_every_core};
use super::product::{Folder, Product};
use super::seed::MODEL;
use super::timed;
use crate::process::say;
use crate::workspace::root;

const PATIENCE: Duration = Duration::from_secs(600);
/// How often the executor is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What one evaluation took, in seconds.
struct Took {
    /// Its process.
    process: f64,
    /// Processor time of the keeper and of the reporter.
    keeper: f64,
    reporter: f64,
}

/// Whole evaluations on both sides: from the start, or from the request, to the results.
pub(super) fn evaluation(effort: &Effort, python: &Path) -> Result<Vec<Comparison>> {
    let bench = Bench::start(python)?;
    let folder = Folder::new("evaluation")?;
    let product = prepared(&folder, &bench, python)?;
    // The data set is read once before, so that neither side pays for that.
    bench.plain(&BENCHMARKS[..1])?;
    let mut rounds = [const { Vec::new() }; 4];
    for number in 1..=effort.rounds {
        let bare = timed(|| bench.plain(&BENCHMARKS[..1]))?.1;
        let (took, whole) = timed(|| evaluated(&product, &bench))?;
        say(format_args!(
            "round {number}: by hand {bare:.2} s, ours {whole:.2} s, its process {:.2} s, keeper {:.4} s, reporter {:.4} s",
            took.process, took.keeper, took.reporter
        ));
        let references = [bare, bare, took.process, took.process];
        let ours = [whole, took.process, took.keeper, took.reporter];
        for (rounds, (reference, ours)) in rounds.iter_mut().zip(references.into_iter().zip(ours)) {
            rounds.push(Round { reference, ours });
        }
    }
    let [whole, process, keeper, reporter] = rounds;
    Ok(vec![
        row(
            "an evaluation, from the request to its metrics",
            "by hand",
            Target::RatioAtMost(1.01),
            whole,
        ),
        row(
            "an evaluation's process",
            "by hand",
            Target::RatioAtMost(1.01),
            process,
        ),
        row(
            "processor time of its keeper",
            "its process",
            Target::RatioAtMost(0.001),
            keeper,
        ),
        row(
            "processor time of its reporter",
            "its process",
            Target::Open,
            reporter,
        ),
    ])
}

fn row(name: &str, reference: &'static str, target: Target, rounds: Vec<Round>) -> Comparison {
    Comparison {
        id: "P13",
        name: name.to_owned(),
        unit: "s",
        reference,
        target,
        rounds,
        notes: Vec::new(),
    }
}

/// A product with the model. What it executes has every core, as by hand.
fn prepared(folder: &Folder, bench: &Bench, python: &Path) -> Result<Product> {
    let free = folder.path().join("python");
    on_every_core(python, &free)?;
    let tasks = root().join("frontend/e2e/support/tasks").display().to_string();
    let settings = [
        ("LMMS_EVAL_PYTHON", free.display().to_string()),
        ("LMMS_INCLUDE_PATHS", tasks),
    ];
    let settings = settings.map(|(variable, value)| (variable.to_owned(), value));
    let product = Product::start(&folder.path().join("data"), &settings)?;
    product.sql(&format!(
        "insert into models (id, organization_id, name, backend, model_args) select '{MODEL}', id, 'bench', 'openai', \
         '[[\"model\", \"local-p80\"], [\"base_url\", \"{}\"]]' from organizations order by created_at limit 1",
        bench.url
    ))?;
    Ok(product)
}

fn evaluated(product: &Product, bench: &Bench) -> Result<Took> {
    let pick = product.sql(&format!(
        "select id from benchmarks where name = '{}'",
        BENCHMARKS[0]
    ))?;
    let home = bench.folder.join("hf").display().to_string();
    let environment = json!({
        "OPENAI_API_KEY": "local", "HF_HOME": home, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TZ": "UTC",
    });
    let config = json!({"isolation": "process_per_benchmark", "environment": environment});
    let body = json!({"model_id": MODEL, "benchmark_ids": [pick], "config": config});
    let created = product.api("POST", "/runs/create", &body.to_string())?;
    let id = created["run_id"].as_str().context("a created run has an id")?;
    let is_over = AtomicBool::new(false);
    let (over, executor) = thread::scope(|scope| {
        let executor = scope.spawn(|| executor(product, id, &is_over));
        let status = format!("select status not in ('queued', 'running') from runs where id = '{id}'");
        let over = product.until(&status, PATIENCE);
        is_over.store(true, Ordering::Relaxed);
        (over, executor.join())
    });
    over.context("an evaluation")?;
    let status = product.sql(&format!("select status from runs where id = '{id}'"))?;
    if status != "completed" {
        let why = product.sql(&format!(
            "select outcome, error_message from runs where id = '{id}'"
        ))?;
        bail!("the evaluation is {status}: {why}");
    }
    let elapsed = product.sql(&format!(
        "select exit -> 'processes' -> 0 ->> 'elapsed_ms' from run_attempts where run_id = '{id}'"
    ))?;
    let elapsed = elapsed.parse::<f64>();
    let Ok([keeper, reporter]) = executor else {
        bail!("the executor could not be watched");
    };
    Ok(Took {
        process: elapsed.context("the executor has not said how long its process took")? / 1e3,
        keeper,
        reporter,
    })
}

/// Processor time of keeper and reporter, as last seen while they lived.
fn executor(product: &Product, id: &str, is_over: &AtomicBool) -> [f64; 2] {
    let told = product.data.join("attempts").join(id).join("1/pid.json");
    let mut seen = [f64::NAN; 2];
    while !is_over.load(Ordering::Relaxed) {
        let record = fs::read(&told).ok();
        let record = record.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let keeper = record.and_then(|record| u32::try_from(record["pid"].as_u64()?).ok());
        if let Some(keeper) = keeper {
            let reporter = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children"));
            // The first child of a keeper is its reporter.
            let reporter = reporter
                .ok()
                .and_then(|all| all.split_whitespace().next()?.parse().ok());
            for (seen, pid) in seen.iter_mut().zip([Some(keeper), reporter]) {
                *seen = pid.and_then(exact_cpu).unwrap_or(*seen);
            }
        }
        thread::sleep(LOOK);
    }
    seen
}
