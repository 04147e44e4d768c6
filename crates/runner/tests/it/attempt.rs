//! An attempt directory in a temporary folder, and an executor in it.

use runner::{AttemptDir, Job, JobBenchmark, JobProcess, Limits, MediaLimits};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use types::{AttemptExit, BenchmarkDone, Isolation};
use uuid::Uuid;

/// How long a test waits for something before it says that it did not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The token of every attempt here.
pub(crate) const TOKEN: &str = "00ff";

/// An attempt that is about to run.
pub(crate) struct Attempt {
    pub(crate) dir: AttemptDir,
    pub(crate) job: Job,
    _root: TempDir,
}

/// The executor of an attempt.
pub(crate) struct Executor {
    pub(crate) child: Child,
}

impl Attempt {
    /// An attempt whose benchmarks are shell scripts, one process each.
    pub(crate) fn of_scripts(scripts: &[&str]) -> Self {
        let processes = scripts
            .iter()
            .zip(0..)
            .map(|(script, order)| plain(order, script));
        Self::of_processes(processes.collect())
    }

    /// An attempt with these processes.
    pub(crate) fn of_processes(processes: Vec<JobProcess>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let attempt_id = Uuid::new_v4();
        let job = Job {
            version: 1,
            run_id: Uuid::new_v4().into(),
            attempt_id: attempt_id.into(),
            epoch: 3,
            tracking_id: attempt_id.to_string(),
            python: "/usr/bin/python3".to_owned(),
            processes,
            fallback_processes: Vec::new(),
            env: BTreeMap::new(),
            secret_env: Vec::new(),
            gpus: Vec::new(),
            endpoint_file: None,
            endpoint_url: None,
            limits: Limits {
                grace_int_ms: 300,
                grace_term_ms: 300,
                linger_s: 60,
                ..Limits::default()
            },
            retry_benchmark: 0,
            isolation: Isolation::ProcessPerBenchmark,
            media: MediaLimits::default(),
        };
        Self {
            dir: AttemptDir::new(root.path().join("attempt")),
            job,
            _root: root,
        }
    }

    /// Sends the reports to this server.
    pub(crate) fn reporting_to(mut self, endpoint_file: &Path) -> Self {
        self.job.endpoint_file = Some(endpoint_file.display().to_string());
        self
    }

    /// Writes the directory and starts the executor.
    pub(crate) fn start(&self) -> Executor {
        self.dir.prepare(&self.job, TOKEN).unwrap();
        self.start_another()
    }

    /// Starts an executor in a directory that is there.
    pub(crate) fn start_another(&self) -> Executor {
        self.start_with(&[])
    }

    /// The same, with more in the executor's own environment.
    pub(crate) fn start_with(&self, env: &[(&str, &str)]) -> Executor {
        if !self.dir.path("job.json").exists() {
            self.dir.prepare(&self.job, TOKEN).unwrap();
        }
        let child = Command::new(executor())
            .args(["exec", "--attempt-dir"])
            .arg(self.dir.root())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Executor { child }
    }

    /// Runs the attempt to its end.
    pub(crate) fn run(&self) -> AttemptExit {
        assert_eq!(self.start().wait(), 0);
        self.exit()
    }

    pub(crate) fn exit(&self) -> AttemptExit {
        self.dir.exit().unwrap().expect("the attempt should have ended")
    }

    pub(crate) fn done(&self, order: u32) -> BenchmarkDone {
        self.dir
            .done(order)
            .unwrap()
            .expect("the benchmark should have ended")
    }

    /// The content of a file of the attempt; empty when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.path(name)).unwrap_or_default()).into_owned()
    }

    /// Waits until a file of the attempt has a whole line, and returns it.
    pub(crate) fn await_line(&self, name: &str) -> String {
        until(&format!("a line in `{name}`"), || {
            let text = self.read(name);
            text.split_once('\n').map(|(line, _)| line.to_owned())
        })
    }

    /// Every live process of the attempt.
    pub(crate) fn processes(&self) -> Vec<u32> {
        marked(&self.job.tracking_id)
    }
}

impl Executor {
    /// Its exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        let status = until("the end of the executor", || self.child.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A plain process that is a shell script.
pub(crate) fn plain(order: u32, script: &str) -> JobProcess {
    let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    JobProcess {
        argv,
        env_extra: BTreeMap::new(),
        benchmarks: vec![benchmark(order)],
    }
}

pub(crate) fn benchmark(order: u32) -> JobBenchmark {
    JobBenchmark {
        order,
        name: format!("task{order}"),
        run_benchmark_id: Uuid::new_v4().into(),
        leaf_tasks: vec![format!("task{order}")],
        argv: vec!["--tasks".to_owned(), format!("task{order}")],
        output_path: format!("out/{order}"),
    }
}

/// A script that leaves what a benchmark leaves that went well.
pub(crate) fn results(order: u32) -> String {
    format!(
        r#"mkdir -p out/{order}/m; echo '{{"results":{{"task{order}":{{"acc,none":0.5,"alias":"task{order}"}}}},"configs":{{"task{order}":{{}}}},"n-samples":{{"task{order}":{{"original":2,"effective":2}}}},"model_name":"m"}}' > out/{order}/m/20260101_000000_results.json"#
    )
}

/// The executor, which cargo builds beside the tests.
pub(crate) fn executor() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let program = target.join("examples/executor");
    assert!(
        program.exists(),
        "`{}` is missing; build the examples",
        program.display()
    );
    program
}

/// Polls until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a process is gone.
pub(crate) fn await_end(pid: u32) {
    until(&format!("the end of process {pid}"), || {
        (!process_alive(pid)).then_some(())
    });
}

/// Every live process whose environment holds the marker.
pub(crate) fn marked(tracking_id: &str) -> Vec<u32> {
    let needle = format!("LMMS_RUN_TRACKING_ID={tracking_id}");
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&b| b == 0).any(|entry| entry == needle.as_bytes())
    };
    pids.filter(has).filter(|&pid| process_alive(pid)).collect()
}

/// Whether a process is there and no zombie.
pub(crate) fn process_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
