//! `cargo xtask bench`: the two comparisons with lmms-eval that the design rests on, side by side in one run.
//!
//! The catalogue: our index of the task files against `lmms-eval tasks list`. The driver: three small benchmarks in
//! one process with the model loaded once, against one CLI process each. Prints a table, writes `bench.json`.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{cargo, read, run, say};
use crate::python;
use crate::workspace::{root, scratch, target};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    python: python::PythonOptions,
    /// Run these comparisons only
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Subject>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Listing the tasks
    Catalogue,
    /// Three small benchmarks
    Driver,
}

/// One comparison: theirs, ours, and how many times faster ours has to be.
struct Comparison {
    name: &'static str,
    theirs: (&'static str, f64),
    ours: (&'static str, f64),
    required: f64,
}

impl Comparison {
    fn factor(&self) -> f64 {
        self.theirs.1 / self.ours.1
    }
}

/// Runs the comparisons; an error when one is not fast enough.
pub(crate) fn bench(options: &BenchOptions) -> Result<()> {
    let python = python::ensure(&options.python)?;
    let wants = |subject| options.only.is_empty() || options.only.contains(&subject);
    let mut done = Vec::new();
    if wants(Subject::Catalogue) {
        done.push(catalogue(&python)?);
    }
    if wants(Subject::Driver) {
        done.push(driver(&python)?);
    }
    report(&done)
}

fn report(done: &[Comparison]) -> Result<()> {
    println!(
        "| {:34} | {:>26} | {:>26} | {:>7} | {:>8} |",
        "", "lmms-eval", "ours", "faster", "required"
    );
    println!("|{:-<36}|{:->28}|{:->28}|{:->9}|{:->10}|", "", ":", ":", ":", ":");
    let mut rows = Vec::new();
    for each in done {
        let side = |(name, seconds): (&str, f64)| format!("{name} {seconds:.2} s");
        let (theirs, ours) = (side(each.theirs), side(each.ours));
        println!(
            "| {:34} | {theirs:>26} | {ours:>26} | {:>6.1}x | {:>7.0}x |",
            each.name,
            each.factor(),
            each.required
        );
        rows.push(json!({
            "name": each.name, "theirs_seconds": each.theirs.1, "ours_seconds": each.ours.1,
            "factor": each.factor(), "required": each.required,
        }));
    }
    let file = scratch()?.join("bench.json");
    fs::write(&file, serde_json::to_string_pretty(&rows)?)?;
    say(format_args!("written to {}", file.display()));
    match done.iter().find(|each| each.factor() < each.required) {
        Some(slow) => bail!(
            "{} is {:.1} times faster, expected {:.0}",
            slow.name,
            slow.factor(),
            slow.required
        ),
        None => Ok(()),
    }
}

/// Whole processes on both sides, from the start to the last line of the list.
fn catalogue(python: &Path) -> Result<Comparison> {
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
        name: "catalogue of tasks",
        theirs: ("tasks list", list.1),
        ours: ("index", index.1),
        required: 8.0,
    })
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let start = Instant::now();
    let value = work()?;
    Ok((value, start.elapsed().as_secs_f64()))
}

fn offline(mut command: Command) -> Command {
    command
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_DATASETS_OFFLINE", "1")
        .env("TZ", "UTC");
    command
}

const BENCHMARKS: [&str; 3] = ["arith_text", "shapes_mc", "shapes_color"];

/// A folder for one comparison, an endpoint that answers, and an interpreter.
struct Bench {
    folder: PathBuf,
    python: PathBuf,
    endpoint: Child,
    url: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.endpoint.kill();
        let _ = self.endpoint.wait();
    }
}

impl Bench {
    fn start(python: &Path) -> Result<Self> {
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

    fn plain(&self) -> Result<()> {
        for (order, benchmark) in BENCHMARKS.iter().enumerate() {
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

fn wait_for(what: &str, limit: Duration, mut seen: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + limit;
    while !seen() {
        if Instant::now() > end {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The same three benchmarks both ways; the data sets are read once before, so that neither side pays for that.
fn driver(python: &Path) -> Result<Comparison> {
    let bench = Bench::start(python)?;
    say("three small benchmarks, one process each (about a minute)");
    let plain = timed(|| bench.plain())?.1;
    say("the same three with the driver (about 25 s)");
    let ours = timed(|| bench.driver())?.1;
    Ok(Comparison {
        name: "three small benchmarks",
        theirs: ("3 processes", plain),
        ours: ("driver", ours),
        required: 2.0,
    })
}
