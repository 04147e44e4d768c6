//! `job.json`: what one attempt has to do.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use types::{AttemptId, Isolation, RunBenchmarkId, RunId};

/// The version of the file that this executor understands.
pub const VERSION: u32 = 1;

/// The driver's flag for benchmarks by order.
const ONLY: &str = "--only";

/// What one attempt has to do. Written once by the worker, read by keeper, reporter and driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// [`VERSION`].
    pub version: u32,
    /// The run.
    pub run_id: RunId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The attempt's number, which fences older ones.
    pub epoch: i32,
    /// The marker in the environment of every process of the attempt.
    pub tracking_id: String,
    /// The interpreter that the processes were planned with.
    pub python: String,
    /// Processes, one after the other.
    pub processes: Vec<JobProcess>,
    /// Plain processes for when this lmms-eval does not fit the driver.
    #[serde(default)]
    pub fallback_processes: Vec<JobProcess>,
    /// Environment of every process.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables whose values are fetched when the attempt starts and never written down.
    #[serde(default)]
    pub secret_env: Vec<String>,
    /// GPUs by uuid.
    #[serde(default)]
    pub gpus: Vec<String>,
    /// A file that names the API's address, for executors on the same machine.
    #[serde(default)]
    pub endpoint_file: Option<String>,
    /// The API's address, for executors elsewhere.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// When to stop waiting.
    #[serde(default)]
    pub limits: Limits,
    /// How often a benchmark that killed its process is started again.
    #[serde(default)]
    pub retry_benchmark: u32,
    /// How benchmarks share processes.
    #[serde(default)]
    pub isolation: Isolation,
    /// How much of the documents' media the driver keeps.
    #[serde(default)]
    pub media: MediaLimits,
}

/// How much of the media of one benchmark is kept; what is left out is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaLimits {
    /// Most files; none are kept when it is 0.
    pub max_count: u64,
    /// Most bytes together.
    pub max_bytes: u64,
    /// Longest time that the next benchmark waits for it, in seconds.
    pub max_seconds: u64,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_count: 10_000,
            max_bytes: 2 << 30,
            max_seconds: 120,
        }
    }
}

/// One process and the benchmarks that it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobProcess {
    /// The whole vector, program first, relative to the attempt directory.
    pub argv: Vec<String>,
    /// Further environment of this process.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_extra: BTreeMap<String, String>,
    /// The benchmarks, in order.
    pub benchmarks: Vec<JobBenchmark>,
}

/// One benchmark's share of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobBenchmark {
    /// Its place in the run; names `out/<order>`.
    pub order: u32,
    /// The picked name.
    pub name: String,
    /// Its row.
    pub run_benchmark_id: RunBenchmarkId,
    /// The leaf tasks that its results must hold.
    #[serde(default)]
    pub leaf_tasks: Vec<String>,
    /// `sys.argv[1:]` of the lmms-eval CLI.
    pub argv: Vec<String>,
    /// Where its files appear, `out/<order>`.
    pub output_path: String,
}

/// When to stop waiting, and how politely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// From INT to TERM.
    pub grace_int_ms: u64,
    /// From TERM to KILL.
    pub grace_term_ms: u64,
    /// Longest duration of the attempt, in seconds.
    pub wall_clock_s: Option<u64>,
    /// Silence, in seconds, that is never called a stall; null turns the watchdog off.
    pub stall_s: Option<u64>,
    /// A silence is a stall when it is also this many times the median gap between outputs.
    pub stall_factor: f64,
    /// Most bytes of stdout and stderr together.
    pub max_log_bytes: u64,
    /// Most bytes of one output file.
    pub max_file_bytes: u64,
    /// Most output files of one benchmark.
    pub max_files: usize,
    /// How long the reporter goes on trying after the end, in seconds.
    pub linger_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace_int_ms: 15_000,
            grace_term_ms: 10_000,
            wall_clock_s: None,
            stall_s: Some(1800),
            stall_factor: 20.0,
            max_log_bytes: 4 << 30,
            max_file_bytes: 8 << 30,
            max_files: 4096,
            linger_s: 3600,
        }
    }
}

/// A job that cannot be executed.
#[derive(Debug, Error)]
pub enum JobError {
    /// The file is missing or unreadable.
    #[error("`job.json` cannot be read")]
    Read(#[from] std::io::Error),
    /// It is no job.
    #[error("`job.json` is no job")]
    Parse(#[from] serde_json::Error),
    /// A value that cannot be.
    #[error("`{field}` is `{value}`; expected {expected}")]
    Invalid {
        /// Where.
        field: String,
        /// What stands there.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
}

fn refuse(field: impl Into<String>, value: &(impl ToString + ?Sized), expected: &'static str) -> JobError {
    JobError::Invalid {
        field: field.into(),
        value: value.to_string(),
        expected,
    }
}

impl Job {
    /// Reads and checks a job.
    ///
    /// # Errors
    ///
    /// When it is no job, or one that cannot be executed.
    pub fn parse(bytes: &[u8]) -> Result<Self, JobError> {
        let job: Self = serde_json::from_slice(bytes)?;
        job.check()?;
        Ok(job)
    }

    /// Whether this job can be executed.
    ///
    /// # Errors
    ///
    /// The first value that cannot be.
    pub fn check(&self) -> Result<(), JobError> {
        if self.version != VERSION {
            return Err(refuse("version", &self.version, "1"));
        }
        if self.tracking_id.is_empty() || self.tracking_id.contains('\0') {
            return Err(refuse("tracking_id", &self.tracking_id, "some text without NUL"));
        }
        if self.processes.is_empty() {
            return Err(refuse("processes", "[]", "at least one process"));
        }
        check_processes("processes", &self.processes)?;
        check_processes("fallback_processes", &self.fallback_processes)?;
        check_variables("env", self.env.keys())?;
        check_variables("secret_env", self.secret_env.iter())
    }

    /// Every benchmark, in order of execution.
    pub fn benchmarks(&self) -> impl Iterator<Item = &JobBenchmark> {
        self.processes.iter().flat_map(|p| &p.benchmarks)
    }

    /// The benchmark at a place.
    #[must_use]
    pub fn benchmark(&self, order: u32) -> Option<&JobBenchmark> {
        self.benchmarks().find(|b| b.order == order)
    }
}

impl JobProcess {
    /// Whether our driver runs its benchmarks; else it is one plain command of lmms-eval.
    #[must_use]
    pub fn is_driver(&self) -> bool {
        let argv: Vec<&str> = self.argv.iter().map(String::as_str).collect();
        matches!(
            argv.as_slice(),
            [.., "driver.py", "job.json"] | [.., "driver.py", "job.json", ONLY, _]
        )
    }

    /// Tells the driver to run only the benchmarks that are listed here.
    pub(crate) fn limit_to_its_benchmarks(&mut self) {
        if let [.., flag, _] = self.argv.as_slice()
            && flag == ONLY
        {
            self.argv.truncate(self.argv.len() - 2);
        }
        let orders: Vec<String> = self.benchmarks.iter().map(|b| b.order.to_string()).collect();
        self.argv.extend([ONLY.to_owned(), orders.join(",")]);
    }
}

fn check_processes(field: &str, processes: &[JobProcess]) -> Result<(), JobError> {
    let mut orders = BTreeSet::new();
    for (index, process) in processes.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        match process.argv.first() {
            Some(program) if program.starts_with('/') => {}
            Some(program) => return Err(refuse(at("argv"), program, "an absolute path of a program")),
            None => return Err(refuse(at("argv"), "[]", "a program")),
        }
        if process.argv.iter().any(|a| a.contains('\0')) {
            return Err(refuse(at("argv"), "\\0", "text without NUL"));
        }
        if process.benchmarks.is_empty() {
            return Err(refuse(at("benchmarks"), "[]", "at least one benchmark"));
        }
        if !process.is_driver() && process.benchmarks.len() > 1 {
            let count = process.benchmarks.len();
            return Err(refuse(
                at("benchmarks"),
                &count,
                "one benchmark for a plain process",
            ));
        }
        check_variables(&at("env_extra"), process.env_extra.keys())?;
        for benchmark in &process.benchmarks {
            check_benchmark(&at("benchmarks"), benchmark)?;
            if !orders.insert(benchmark.order) {
                return Err(refuse(at("benchmarks"), &benchmark.order, "each order once"));
            }
        }
    }
    Ok(())
}

fn check_benchmark(field: &str, benchmark: &JobBenchmark) -> Result<(), JobError> {
    if benchmark.output_path == format!("out/{}", benchmark.order) {
        return Ok(());
    }
    let field = format!("{field}.output_path");
    Err(refuse(field, &benchmark.output_path, "`out/` and the order"))
}

fn check_variables<'a>(field: &str, names: impl Iterator<Item = &'a String>) -> Result<(), JobError> {
    for name in names {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(refuse(field, name, "the name of a variable"));
        }
    }
    Ok(())
}
