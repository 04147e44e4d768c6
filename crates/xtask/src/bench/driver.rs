//! The driver: three small benchmarks in one process with the model loaded once, against one CLI process each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::comparison::{Comparison, Round, Target, wait_for};
use super::{offline, timed};
use crate::process::{run, say};
use crate::workspace::{root, scratch};

pub(super) const BENCHMARKS: [&str; 3] = ["arith_text", "shapes_mc", "shapes_color"];

/// A folder for one comparison, an endpoint that answers, and an interpreter.
pub(super) struct Bench {
    pub(super) folder: PathBuf,
    python: PathBuf,
    endpoint: Child,
    pub(super) url: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.endpoint.kill();
        let _ = self.endpoint.wait();
    }
}

impl Bench {
    pub(super) fn start(python: &Path) -> Result<Self> {
        let folder = scratch()?.join("bench");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let port = folder.join("port");
        let script = root().join("frontend/e2e/support/endpoint.py");
        let endpoint = Command::new(python)
            .arg(script)
            .arg(&port)
            .spawn()
            .context("cannot start the endpoint")?;
        wait_for("the endpoint", Duration::from_secs(20), || port.exists())?;
        let url = format!("http://127.0.0.1:{}/v1", fs::read_to_string(&port)?);
        Ok(Self {
            folder,
            python: python.to_owned(),
            endpoint,
            url,
        })
    }

    /// The arguments of one benchmark, as a user would type them.
    fn arguments(&self, benchmark: &str, output: &str) -> Vec<String> {
        let model = format!("model=local-p80,base_url={}", self.url);
        let tasks = root()
            .join("frontend/e2e/support/tasks")
            .to_string_lossy()
            .into_owned();
        let words = [
            "--model",
            "openai",
            "--model_args",
            &model,
            "--tasks",
            benchmark,
            "--include_path",
            &tasks,
        ];
        let rest = ["--output_path", output, "--log_samples", "--timezone", "UTC"];
        words.into_iter().chain(rest).map(str::to_owned).collect()
    }

    fn command(&self, log: &str) -> Result<Command> {
        let file = || fs::File::create(self.folder.join(log));
        let mut command = offline(Command::new(&self.python));
        command
            .current_dir(&self.folder)
            .env("HF_HOME", self.folder.join("hf"))
            .env("OPENAI_API_KEY", "local");
        command.stdin(Stdio::null()).stdout(file()?).stderr(file()?);
        Ok(command)
    }

    /// One process for each.
    pub(super) fn plain(&self, benchmarks: &[&str]) -> Result<()> {
        for (order, benchmark) in benchmarks.iter().enumerate() {
            let output = format!("plain/{order}");
            let mut command = self.command(&format!("plain-{order}.log"))?;
            run(command
                .args(["-m", "lmms_eval"])
                .args(self.arguments(benchmark, &output)))?;
            self.check(&output)?;
        }
        Ok(())
    }

    /// Starts the driver and plays the keeper's part: judge each benchmark before the next one starts.
    fn driver(&self) -> Result<()> {
        let benchmarks: Vec<Value> = BENCHMARKS
            .iter()
            .enumerate()
            .map(|(order, name)| {
                let output = format!("out/{order}");
                json!({"order": order, "name": name, "argv": self.arguments(name, &output), "output_path": output})
            })
            .collect();
        let job = json!({"version": 1, "processes": [{"benchmarks": benchmarks}]});
        fs::write(self.folder.join("job.json"), job.to_string())?;
        let mut child = self
            .command("driver.log")?
            .arg(root().join("crates/runner/src/driver.py"))
            .arg("job.json")
            .spawn()
            .context("cannot start the driver")?;
        for order in 0..BENCHMARKS.len() {
            wait_for("a benchmark of the driver", Duration::from_secs(300), || {
                self.finished() > order || !matches!(child.try_wait(), Ok(None))
            })?;
            self.check(&format!("out/{order}"))?;
            fs::write(self.folder.join(format!("out/{order}/done.json")), "{}")?;
        }
        let status = child.wait()?;
        if status.success() {
            Ok(())
        } else {
            bail!("the driver ended with {status}")
        }
    }

    fn finished(&self) -> usize {
        let events = fs::read_to_string(self.folder.join("events.jsonl")).unwrap_or_default();
        events
            .lines()
            .filter(|line| line.contains("\"benchmark_finished\""))
            .count()
    }

    /// A benchmark counts when its results are there.
    fn check(&self, output: &str) -> Result<()> {
        let found = walkdir::WalkDir::new(self.folder.join(output))
            .into_iter()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().ends_with("_results.json"));
        if found {
            Ok(())
        } else {
            bail!(
                "no results in `{output}`; the logs are in `{}`",
                self.folder.display()
            )
        }
    }
}

/// The same three benchmarks both ways; the data sets are read once before, so that neither side pays for that.
pub(super) fn driver(python: &Path) -> Result<Comparison> {
    let bench = Bench::start(python)?;
    say("three small benchmarks, one process each (about a minute)");
    let plain = timed(|| bench.plain(&BENCHMARKS))?.1;
    say("the same three with the driver (about 25 s)");
    let ours = timed(|| bench.driver())?.1;
    Ok(Comparison {
        id: "",
        name: "three small benchmarks".to_owned(),
        unit: "s",
        reference: "3 processes",
        target: Target::RatioAtMost(1.0 / 2.0),
        rounds: vec![Round {
            reference: plain,
            ours,
        }],
        notes: Vec::new(),
    })
}
