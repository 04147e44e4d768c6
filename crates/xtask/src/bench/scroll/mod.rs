//! The browser on a full database: frames while the table of runs is scrolled, memory while samples are paged through.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Effort;
use super::comparison::{Comparison, Round, Target};
use super::filled::Filled;
use crate::node::{Node, chromium};
use crate::playwright::install_packages;
use crate::process::{read, say};
use crate::workspace::root;

const PAGE: &str = include_str!("page.mjs");
/// Samples that are paged through, and samples of a page.
const SAMPLES: u64 = 100_000;
const OF_A_PAGE: u64 = 50;

/// The largest run's samples, and all runs.
pub(super) fn scroll(effort: &Effort, filled: &Filled) -> Result<Vec<Comparison>> {
    let told = told(effort, filled)?;
    say(format_args!("frames and heap: {told}"));
    let pairs: Vec<[f64; 2]> = serde_json::from_value(told["frames"].clone())?;
    let heap: Vec<[f64; 2]> = serde_json::from_value(told["heap"].clone())?;
    let (first, last) = (heap.get(1).or(heap.first()), heap.last());
    let (first, last) = first.zip(last).context("the browser tells no heap")?;
    let megabytes = |point: &[f64; 2]| point[1] / 1e6;
    Ok(vec![
        Comparison {
            id: "P18",
            name: format!("p95 of frames while {} runs are scrolled", effort.seed_runs),
            unit: "ms",
            reference: "empty scroller",
            target: Target::RatioAtMost(1.2),
            rounds: pairs
                .iter()
                .map(|&[reference, ours]| Round { reference, ours })
                .collect(),
            notes: Vec::new(),
        },
        Comparison {
            id: "P18",
            name: format!(
                "heap after {} samples were paged through",
                last[0] * OF_A_PAGE as f64
            ),
            unit: "MB",
            reference: "after the first pages",
            target: Target::RatioAtMost(1.1),
            rounds: vec![Round {
                reference: megabytes(first),
                ours: megabytes(last),
            }],
            notes: vec![format!(
                "scripts, document and WebAssembly after a collection; after {} pages, then {} MB",
                first[0],
                heap.iter()
                    .map(|point| format!("{:.1}", megabytes(point)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )],
        },
    ])
}

fn told(effort: &Effort, filled: &Filled) -> Result<Value> {
    let run = filled
        .product
        .sql("select run_id from run_benchmarks order by sample_count desc limit 1")?;
    let sign_in = filled
        .product
        .sign_in
        .as_deref()
        .context("the product has told no sign-in link")?;
    let (node, chromium) = (Node::find()?, chromium()?);
    let tests = root().join("frontend/e2e");
    install_packages(&node, &tests)?;
    // Modules are looked for from where the script lies.
    let script = tests.join("node_modules/.scroll.mjs");
    fs::write(&script, PAGE)?;
    let mut command = Command::new(node.bin.join("node"));
    command.current_dir(&tests).env("CHROMIUM", chromium).arg(&script);
    command
        .arg(sign_in)
        .arg(format!("http://{}", filled.product.address))
        .arg(run);
    let pages = SAMPLES.min(effort.seed_samples / 10) / OF_A_PAGE;
    let text = read(command.arg(effort.rounds.to_string()).arg(pages.to_string()));
    fs::remove_file(&script)?;
    serde_json::from_str(&text?).context("the browser says what is no JSON")
}
