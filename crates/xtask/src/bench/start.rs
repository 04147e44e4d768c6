//! P12: from the start of the process to the first answer, and what an idle server takes.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Effort;
use super::comparison::{Comparison, Round, Target, alternate, wait_for};
use super::http;
use super::machine::memory;
use super::mlflow::Mlflow;
use super::product::{Folder, Product};
use crate::process::say;

/// A server at rest has nothing left to do by then.
const REST: Duration = Duration::from_secs(3);

/// The reference needs most of a minute, and differs little from one start to the next.
const STARTS: usize = 3;

/// Both servers on databases that exist already, so that it is the start that is measured.
pub(super) fn start(effort: &Effort) -> Result<Vec<Comparison>> {
    if effort.without_mlflow {
        say("P12 has no reference without MLflow");
        return Ok(Vec::new());
    }
    let folder = Folder::new("start")?;
    let data = folder.path().join("data");
    drop(Product::start(&data, &[])?);
    let mut mlflow = Mlflow::prepare(100)?;
    let mut sizes = Vec::new();
    let mut theirs = 0.0;
    let rounds = alternate(
        effort.rounds.min(STARTS),
        || {
            let begin = Instant::now();
            mlflow.start()?;
            let seconds = begin.elapsed().as_secs_f64();
            std::thread::sleep(REST);
            theirs = memory(&mlflow.family());
            mlflow.stop()?;
            Ok(seconds)
        },
        || {
            let (seconds, bytes) = ours(&data)?;
            sizes.push(bytes);
            Ok(seconds)
        },
    )?;
    let sizes = sizes.into_iter().map(|bytes| Round {
        reference: theirs / 1e6,
        ours: bytes / 1e6,
    });
    Ok(vec![
        row("start to /readyz", "s", 1.0 / 20.0, rounds),
        row(
            "memory at rest, database included",
            "MB",
            1.0 / 8.0,
            sizes.collect(),
        ),
    ])
}

fn ours(data: &std::path::Path) -> Result<(f64, f64)> {
    let port = http::free_port()?;
    let address = format!("127.0.0.1:{port}");
    let begin = Instant::now();
    let child = Product::bare(data, &address)?;
    let ready =
        || http::request(&address, "GET", "/api/v1/readyz", &[], "").is_ok_and(|(status, _)| status == 200);
    wait_for("lmms-dash", Duration::from_secs(60), ready)?;
    let seconds = begin.elapsed().as_secs_f64();
    std::thread::sleep(REST);
    Ok((seconds, memory(&super::machine::family(child.0.id()))))
}

fn row(name: &str, unit: &'static str, most: f64, rounds: Vec<Round>) -> Comparison {
    Comparison {
        id: "P12",
        name: name.to_owned(),
        unit,
        reference: "MLflow",
        target: Target::RatioAtMost(most),
        rounds,
        notes: Vec::new(),
    }
}
