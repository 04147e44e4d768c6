//! The catalogue: our index of the task files against `lmms-eval tasks list`.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::comparison::{Comparison, Round, Target};
use super::{offline, timed};
use crate::process::{cargo, read, run, say};
use crate::workspace::{root, target};

/// Whole processes on both sides, from the start to the last line of the list.
pub(super) fn catalogue(python: &Path) -> Result<Comparison> {
    say("building the index of tasks");
    run(cargo(&root()).args([
        "build",
        "--locked",
        "--quiet",
        "--release",
        "--package",
        "lmms",
        "--example",
        "index",
    ]))?;
    let packages =
        read(Command::new(python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
    say("listing the tasks with lmms-eval (about 20 s), then with our index");
    let list = timed(|| read(offline(Command::new(python)).args(["-m", "lmms_eval", "tasks", "list"])))?;
    let index = timed(|| read(Command::new(target().join("release/examples/index")).arg(&packages)))?;
    let theirs: HashSet<&str> = list
        .0
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(str::trim)
        .collect();
    let ours: HashSet<&str> = index.0.lines().collect();
    if theirs != ours {
        bail!(
            "the two lists differ: {:?}",
            theirs.symmetric_difference(&ours).take(10).collect::<Vec<_>>()
        );
    }
    Ok(Comparison {
        id: "",
        name: "catalogue of tasks".to_owned(),
        unit: "s",
        reference: "tasks list",
        target: Target::RatioAtMost(1.0 / 8.0),
        rounds: vec![Round {
            reference: list.1,
            ours: index.1,
        }],
        notes: Vec::new(),
    })
}
