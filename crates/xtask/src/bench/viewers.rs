//! Viewers of live messages: the load tool of ours, in a process of its own.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::machine::{Core, pinned, with_many_files};
use super::product::Running;
use crate::process::{cargo, run, say};
use crate::workspace::{root, target};

/// The load tool, built when it is first needed.
pub(super) fn load() -> Result<PathBuf> {
    say("building the load tool");
    let flags = [
        "build",
        "--locked",
        "--quiet",
        "--profile",
        "dash",
        "--package",
        "xtask",
        "--features",
        "load",
    ];
    run(cargo(&root()).args(flags).args(["--bin", "load"]))?;
    Ok(target().join("dash/load"))
}

/// Viewers in a process of their own.
pub(super) struct Viewers {
    child: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Viewers {
    /// Connects `count` viewers that wait for `lines` lines each, and returns when all are in.
    pub(super) fn join(
        load: &Path,
        address: &str,
        path: &str,
        token: &str,
        count: usize,
        lines: usize,
    ) -> Result<Self> {
        let mut command = with_many_files(&pinned(Core::Load, load));
        command.args([
            "viewers",
            address,
            path,
            token,
            &count.to_string(),
            &lines.to_string(),
            "300",
        ]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the viewers")?;
        let stdout = child.stdout.take().context("the viewers' output is a pipe")?;
        let mut viewers = Self {
            child: Running(child),
            lines: BufReader::new(stdout).lines(),
        };
        let joined = viewers.told()?;
        match joined["refused"].as_u64() {
            Some(0) => Ok(viewers),
            refused => bail!(
                "{refused:?} of {count} viewers were not let in: {}",
                viewers.told()?["reason"]
            ),
        }
    }

    fn told(&mut self) -> Result<Value> {
        let line = self.lines.next().context("the viewers ended without a word")??;
        serde_json::from_str(&line).context("the viewers say what is no JSON")
    }

    /// Waits until every viewer has seen every line.
    pub(super) fn finish(mut self) -> Result<Value> {
        let report = self.told()?;
        self.child.0.wait()?;
        if report["complete"] != report["viewers"] {
            bail!("not every viewer saw every line: {report}");
        }
        Ok(report)
    }
}
