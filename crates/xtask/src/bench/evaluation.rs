//! P13: what the dashboard adds to an evaluation, against the same command line by hand.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Effort;
use super::comparison::{Comparison, Round, Target, wait_for};
use super::driver::{BENCHMARKS, Bench};
use super::product::{Folder, Product};
use super::seed::MODEL;
use super::timed;
use crate::process::say;
use crate::workspace::root;

const PATIENCE: Duration = Duration::from_secs(600);

/// Whole evaluations on both sides: from the start, or from the request, to the results.
pub(super) fn evaluation(effort: &Effort, python: &Path) -> Result<Vec<Comparison>> {
    let bench = Bench::start(python)?;
    let folder = Folder::new("evaluation")?;
    let tasks = root().join("frontend/e2e/support/tasks").display().to_string();
    let settings = [
        ("LMMS_EVAL_PYTHON", python.display().to_string()),
        ("LMMS_INCLUDE_PATHS", tasks),
    ];
    let settings = settings.map(|(variable, value)| (variable.to_owned(), value));
    let product = Product::start(&folder.path().join("data"), &settings)?;
    product.sql(&format!(
        "insert into models (id, organization_id, name, backend, model_args) select '{MODEL}', id, 'bench', 'openai', \
         '[[\"model\", \"local-p80\"], [\"base_url\", \"{}\"]]' from organizations order by created_at limit 1",
        bench.url
    ))?;
    // The data set is read once before, so that neither side pays for that.
    bench.plain(&BENCHMARKS[..1])?;
    let (mut whole, mut child) = (Vec::new(), Vec::new());
    for number in 1..=effort.rounds {
        let bare = timed(|| bench.plain(&BENCHMARKS[..1]))?.1;
        let (process, ours) = timed(|| evaluated(&product, &bench))?;
        say(format_args!(
            "round {number}: by hand {bare:.2} s, ours {ours:.2} s, its process {process:.2} s"
        ));
        whole.push(Round {
            reference: bare,
            ours,
        });
        child.push(Round {
            reference: bare,
            ours: process,
        });
    }
    let row = |name: &str, target, rounds| Comparison {
        id: "P13",
        name: name.to_owned(),
        unit: "s",
        reference: "lmms-eval by hand",
        target,
        rounds,
        notes: Vec::new(),
    };
    Ok(vec![
        row(
            "an evaluation, from the request to its metrics",
            Target::RatioAtMost(1.01),
            whole,
        ),
        row("an evaluation's process", Target::RatioAtMost(1.01), child),
    ])
}

/// Seconds of the process.
fn evaluated(product: &Product, bench: &Bench) -> Result<f64> {
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
    let status = || {
        product
            .sql(&format!("select status from runs where id = '{id}'"))
            .unwrap_or_default()
    };
    wait_for("an evaluation", PATIENCE, || {
        !matches!(status().as_str(), "queued" | "running" | "")
    })?;
    if status() != "completed" {
        let why = product.sql(&format!(
            "select outcome, error_message from runs where id = '{id}'"
        ))?;
        bail!("the evaluation is {}: {why}", status());
    }
    let elapsed = product.sql(&format!(
        "select exit -> 'processes' -> 0 ->> 'elapsed_ms' from run_attempts where run_id = '{id}'"
    ))?;
    Ok(elapsed
        .parse::<f64>()
        .context("the executor has not said how long its process took")?
        / 1e3)
}
