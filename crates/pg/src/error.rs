//! Everything that can keep a cluster from running, each with what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::find::{Binaries, OLDEST_MAJOR};

/// Why a cluster cannot be found, created, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the cluster's lock.
    #[error(
        "`{}` is already in use by {holder}: stop it first, or choose another data directory",
        dir.display()
    )]
    InUse {
        /// The cluster's folder.
        dir: PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// No usable server was found, and none could be installed.
    #[error(
        "no usable PostgreSQL server ({OLDEST_MAJOR} or newer) is on this machine{}{}; {FIXES}",
        bullets(rejected),
        reason(install)
    )]
    NoBinaries {
        /// What was looked at and why it cannot be used.
        rejected: Vec<Rejected>,
        /// Why installing one did not help; `None` when it was not tried.
        install: Option<String>,
    },
    /// The folder that the caller named holds no usable server.
    #[error("`{}` holds no usable PostgreSQL server: {}", .0.dir.display(), .0.reason)]
    BadBinaries(Rejected),
    /// The data were written by another major version than any server here.
    #[error(
        "the cluster in `{}` was made by PostgreSQL {cluster}, but {}: install PostgreSQL {cluster} \
         beside it, or dump the data with version {cluster} and restore them into a new data directory{}",
        data.display(),
        majors(found),
        reason(install)
    )]
    VersionMismatch {
        /// The cluster's data folder.
        data: PathBuf,
        /// The major version that wrote it.
        cluster: u32,
        /// The usable servers of other versions.
        found: Vec<Binaries>,
        /// Why installing one did not help; `None` when it was not tried.
        install: Option<String>,
    },
    /// The data folder holds something else.
    #[error(
        "`{}` is not empty and is no PostgreSQL cluster (it has no valid `PG_VERSION`): move it away",
        data.display()
    )]
    NotACluster {
        /// The folder.
        data: PathBuf,
    },
    /// The data belong to another user.
    #[error("`{}` belongs to user `{owner}`, but this process runs as `{user}`: run it as `{owner}`", data.display())]
    ForeignOwner {
        /// The cluster's data folder.
        data: PathBuf,
        /// The name or id of its owner.
        owner: String,
        /// The name or id of the present user.
        user: String,
    },
    /// Started as root, and the machine has no user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`: \
         add one (`useradd --system postgres`), or start as an ordinary user"
    )]
    NoAccount,
    /// Root without the right to become another user or to give files away.
    #[error(
        "PostgreSQL refuses to run as root, and this process may not become user `{user}` (a container \
         without CAP_SETUID or CAP_CHOWN?): start as an ordinary user, or use a PostgreSQL server of your own"
    )]
    MayNotChangeUser {
        /// The user that the server should run as.
        user: String,
    },
    /// A folder on the way is closed to the server's user.
    #[error(
        "user `{user}`, which runs the server, may not enter `{}` on the way to `{}`: allow it with \
         `chmod o+x {}`, or choose a folder outside",
        directory.display(), path.display(), directory.display()
    )]
    NotSearchable {
        /// The closed folder.
        directory: PathBuf,
        /// What lies behind it.
        path: PathBuf,
        /// The user that the server runs as.
        user: String,
    },
    /// `initdb` insists on a named user.
    #[error(
        "PostgreSQL cannot create a cluster as user id {uid}, which has no entry in `/etc/passwd`: add \
         one, or start as a user that has one"
    )]
    NoPasswdEntry {
        /// The present user id.
        uid: u32,
    },
    /// The disk is full.
    #[error("no space left on device at `{}`: free some and start again", path.display())]
    NoSpace {
        /// Where something should have been written.
        path: PathBuf,
    },
    /// Another program listens on the chosen port.
    #[error("port {port} on 127.0.0.1 is already in use: choose another, or stop what listens on it")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// No folder can hold the Unix socket.
    #[error("`{}` cannot hold the server's socket: {reason}", path.display())]
    Socket {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Processes of an earlier server do not go away.
    #[error(
        "an earlier PostgreSQL server still uses `{}` and did not leave within {seconds} s: end it and \
         start again{}",
        data.display(),
        log_lines(lines)
    )]
    StillRunning {
        /// The cluster's data folder.
        data: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// What the server wrote last.
        lines: Vec<String>,
    },
    /// A setting that cannot be written down.
    #[error("setting `{name}` {reason}")]
    BadSetting {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `initdb` failed.
    #[error("`initdb` could not create the cluster ({status}){}", log_lines(lines))]
    Init {
        /// How it ended.
        status: String,
        /// What it wrote last.
        lines: Vec<String>,
    },
    /// The server ended before it was ready.
    #[error("the PostgreSQL server did not start ({status}){}\nits log is `{}`", log_lines(lines), log.display())]
    Start {
        /// How it ended.
        status: String,
        /// What it wrote last.
        lines: Vec<String>,
        /// The whole log.
        log: PathBuf,
    },
    /// The server outlived every signal.
    #[error("the PostgreSQL server (process {pid}) did not end, not even by SIGKILL")]
    Immortal {
        /// Its process id.
        pid: u32,
    },
    /// The start was given up because the cluster is to stop.
    #[error("the PostgreSQL server was stopped while it started")]
    Stopped,
    /// The operating system refused something.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

const FIXES: &str = "install one with your system's packages (Debian, Ubuntu: `apt-get install postgresql`), \
     name the folder that holds `postgres` and `initdb`, make `uv` or `pip` available so that one can be \
     installed, or use a PostgreSQL server of your own (`DATABASE_URL`)";

/// A place that was looked at and holds no usable server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The folder.
    pub dir: PathBuf,
    /// Why it cannot be used.
    pub reason: String,
}

/// The process that holds a cluster's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id, when it is known.
    pub pid: Option<u32>,
    /// Its command line, when it can be read.
    pub command: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.command) {
            (Some(pid), Some(command)) => write!(f, "process {pid} (`{command}`)"),
            (Some(pid), None) => write!(f, "process {pid}"),
            (None, _) => write!(f, "another process"),
        }
    }
}

impl Error {
    /// Wraps a system error; a full disk gets its own variant, because the cure differs.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            _ => Self::Io { doing, path, source },
        }
    }
}

/// "exit status 1" or "signal 9", without the wording of the standard library.
pub(crate) fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown end".to_owned(),
    }
}

fn bullets(rejected: &[Rejected]) -> String {
    rejected
        .iter()
        .map(|r| format!("; `{}`: {}", r.dir.display(), r.reason))
        .collect()
}

fn reason(install: &Option<String>) -> String {
    install
        .as_ref()
        .map(|why| format!("; installing one failed: {why}"))
        .unwrap_or_default()
}

fn majors(found: &[Binaries]) -> String {
    if found.is_empty() {
        return "this machine has no usable server".to_owned();
    }
    let list: Vec<String> = found
        .iter()
        .map(|b| format!("{} (`{}`)", b.major, b.dir.display()))
        .collect();
    format!("this machine only has version {}", list.join(", "))
}

fn log_lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}
