//! One server process: starting it, knowing when it is ready, and recognising one that an earlier
//! run left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::account::Account;
use crate::error::Error;
use crate::find::Binaries;
use crate::home::Home;
use crate::log::{self, Log};
use crate::process;

/// How long a fast shutdown may take before the next, harder one.
pub(crate) const FAST: Duration = Duration::from_secs(20);
/// How long an immediate shutdown may take.
pub(crate) const IMMEDIATE: Duration = Duration::from_secs(5);
/// Below this much free space a server without an explanation has run out of it.
const NEEDED: u64 = 1 << 20;

/// All that is needed to start the server, again and again.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) home: Home,
    pub(crate) binaries: Binaries,
    pub(crate) account: Option<Account>,
    pub(crate) log: Log,
    pub(crate) tcp_port: Option<u16>,
}

/// What `postmaster.pid` says.
#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: u32,
    ready: bool,
}

/// The process that `postmaster.pid` names, while no server of this run exists.
#[derive(Debug, PartialEq, Eq)]
enum Earlier {
    /// There is none.
    Gone,
    /// A living server of this cluster.
    Server(u32),
    /// A zombie, or an unrelated process that got the same number.
    Harmless(u32),
    /// It cannot be told.
    Unknown,
}

impl Launch {
    /// Starts the server.
    ///
    /// PostgreSQL takes any process with the number in a stale `postmaster.pid` for a rival, so
    /// after a crash a zombie or a reused number would keep it from starting. The file is never
    /// deleted here; when the process is certainly no server, its number is passed in the way
    /// that `pg_ctl` passes its parent's, which PostgreSQL exempts.
    pub(crate) fn spawn(&self) -> Result<Child, Error> {
        let program = self.binaries.program("postgres");
        let mut command = process::command(&program, self.account.as_ref());
        command.arg("-D").arg(self.home.data());
        if let Earlier::Harmless(pid) = self.earlier() {
            command.env("PG_GRANDPARENT_PID", pid.to_string());
        }
        let log = self.log.open()?;
        let copy = log.try_clone().map_err(Error::io("open", &self.log.path))?;
        command.stdout(copy).stderr(log);
        command.spawn().map_err(|error| {
            let account = self.account.as_ref();
            account
                .and_then(|account| account.explain(&error, &program))
                .unwrap_or_else(|| Error::io("run", &program)(error))
        })
    }

    /// Whether the server with this process id accepts connections.
    pub(crate) fn is_ready(&self, pid: u32) -> bool {
        self.pid_file().is_some_and(|file| file.ready && file.pid == pid)
    }

    /// Ends a server that outlived the application that started it.
    pub(crate) fn end_earlier(&self) {
        for (signal, limit) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
            let Earlier::Server(pid) = self.earlier() else {
                return;
            };
            tracing::info!(pid, ?signal, "ending the server of an earlier run");
            process::signal(pid, signal);
            let deadline = Instant::now() + limit;
            while Instant::now() < deadline && process::runs(pid) {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Why a server ended. A known cause takes the place of the server's own last words, which
    /// are then only logged.
    pub(crate) fn explain(&self, status: String, lines: Vec<String>) -> Error {
        tracing::warn!(%status, "the PostgreSQL server wrote last: {}", lines.join("\n"));
        let data = self.home.data();
        if log::disk_full(&lines) {
            return Error::NoSpace { path: data };
        }
        if let Some(port) = self.tcp_port.filter(|_| log::port_in_use(&lines)) {
            return Error::PortInUse { port };
        }
        let account = self.account.as_ref().filter(|_| log::denied(&lines));
        if let Some(error) = account.and_then(|account| account.not_searchable(&data)) {
            return error;
        }
        if log::little_space(&data, NEEDED) {
            return Error::NoSpace { path: data };
        }
        Error::Start {
            status,
            lines,
            log: self.log.path.clone(),
        }
    }

    fn pid_file(&self) -> Option<PidFile> {
        let text = fs::read_to_string(self.home.data().join("postmaster.pid")).ok()?;
        parse(&text)
    }

    fn earlier(&self) -> Earlier {
        let Some(file) = self.pid_file() else {
            return Earlier::Gone;
        };
        if !process::exists(file.pid) {
            return Earlier::Gone;
        }
        if !process::runs(file.pid) {
            return Earlier::Harmless(file.pid);
        }
        let words = process::command_line(file.pid);
        judge(file.pid, words, working_folder(file.pid), &self.home.data())
    }
}

/// Decides by the command line, or by the working folder, which is the data of every server.
fn judge(pid: u32, words: Option<Vec<String>>, folder: Option<PathBuf>, data: &Path) -> Earlier {
    let Some(words) = words else {
        return Earlier::Unknown;
    };
    let program = Path::new(words.first().map_or("", String::as_str));
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if !name.starts_with("postgres") && name != "postmaster" {
        return Earlier::Harmless(pid);
    }
    if words.iter().any(|word| Path::new(word) == data) {
        return Earlier::Server(pid);
    }
    match folder {
        Some(folder) if folder == data => Earlier::Server(pid),
        Some(_) => Earlier::Harmless(pid),
        None => Earlier::Unknown,
    }
}

#[cfg(target_os = "linux")]
fn working_folder(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

#[cfg(not(target_os = "linux"))]
fn working_folder(_pid: u32) -> Option<PathBuf> {
    None
}

/// The process id is the first line, the state the eighth.
fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
    Some(PidFile { pid, ready })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_the_eighth_line() {
        let file = |state: &str| {
            format!("4242\n/srv/data\n1795180000\n5432\n/srv/sock\n\n  5432001   32768\n{state}\n")
        };
        let ready = |text: &str| parse(text).expect("a pid").ready;
        assert!(ready(&file("ready   ")));
        assert!(!ready(&file("starting")));
        assert!(!ready("4242\n/srv/data\n"));
        assert_eq!(parse("").map(|file| file.pid), None);
        assert_eq!(parse("-1\n"), None);
    }

    #[test]
    fn only_a_server_of_this_data_counts() {
        let data = Path::new("/srv/pg/data");
        let judged = |line: &str, folder: Option<&str>| {
            let words = line.split(' ').map(str::to_owned).collect();
            judge(7, Some(words), folder.map(PathBuf::from), data)
        };
        let server = "/usr/lib/postgresql/15/bin/postgres -D /srv/pg/data";
        assert_eq!(judged(server, None), Earlier::Server(7));
        let other = "/usr/lib/postgresql/15/bin/postgres -D /srv/other";
        assert_eq!(judged(other, Some("/srv/other")), Earlier::Harmless(7));
        assert_eq!(judged(other, None), Earlier::Unknown);
        let relative = "postgres -D data";
        assert_eq!(judged(relative, Some("/srv/pg/data")), Earlier::Server(7));
        assert_eq!(judged("vim /srv/pg/data", None), Earlier::Harmless(7));
        assert_eq!(judge(7, None, None, data), Earlier::Unknown);
    }
}
