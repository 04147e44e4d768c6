//! What the tests share: a folder, a condition with a deadline, a query, the `hold` program.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pg::{Cluster, Options};
use tempfile::TempDir;

/// A folder that the server's user may enter, also when the tests run as root.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("pg-it-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .expect("a temporary folder")
}

pub(crate) fn start(dir: &Path) -> Cluster {
    Cluster::start(Options::for_tests(dir)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn refusal(options: Options) -> pg::Error {
    match Cluster::start(options) {
        Ok(_) => panic!("the cluster started"),
        Err(error) => error,
    }
}

/// Waits for a condition; the deadline is long because the machine may be busy.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs one statement with psql; the error is its message.
pub(crate) fn query(cluster: &Cluster, url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(cluster.binaries().program("psql"))
        .args(["-X", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .env("LC_ALL", "C")
        .output()
        .expect("psql runs");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

pub(crate) fn sql(cluster: &Cluster, sql: &str) -> String {
    let url = cluster.url(cluster.superuser(), "postgres");
    query(cluster, &url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) fn kill(pid: u32) {
    let pid = i32::try_from(pid).expect("a process id");
    let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is there");
}

/// Whether a process runs; a zombie does not.
pub(crate) fn runs(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "state=", "-p", &pid.to_string()])
        .output()
        .expect("ps runs");
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// The `hold` example in a process of its own.
pub(crate) struct Holder {
    pub(crate) child: Child,
    pub(crate) postmaster: u32,
}

pub(crate) fn hold_command(dir: &Path) -> Command {
    let mut command = Command::new(hold_program());
    command.arg(dir).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

pub(crate) fn hold_program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let target = test.ancestors().nth(2).expect("the target folder");
    let program = target.join("examples/hold");
    assert!(
        program.exists(),
        "`cargo build -p pg --examples` makes this test's program"
    );
    program
}

impl Holder {
    /// Starts it, as another user when given, and waits until its cluster is ready.
    pub(crate) fn start(dir: &Path, user: Option<(u32, u32)>) -> Self {
        let mut command = hold_command(dir);
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        let mut child = command.spawn().expect("hold runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let pid = line.split(' ').next().and_then(|pid| pid.parse().ok());
        let Some(postmaster) = pid else {
            let status = child.wait().expect("it ended");
            panic!("hold did not start ({status}): {line:?}");
        };
        Self { child, postmaster }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A program that is a shell script.
pub(crate) fn script(dir: &Path, name: &str, body: &str) {
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("written");
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("executable");
}
