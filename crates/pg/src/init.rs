//! Creating a cluster: beside its place, then moved there in one step, so that `data` is either
//! whole or absent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::cluster::SUPERUSER;
use crate::error::{Error, ending};
use crate::find::Binaries;
use crate::home::{self, Home};
use crate::{log, process};

const PREFIX: &str = "data.init.";
const LIMIT: Duration = Duration::from_secs(600);
/// A new cluster takes about 40 MB.
const NEEDED: u64 = 48 << 20;

/// The major version of the cluster in `data`, or `None` when there is none yet.
pub(crate) fn cluster_major(data: &Path) -> Result<Option<u32>, Error> {
    let version = match fs::read_to_string(data.join("PG_VERSION")) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &data.join("PG_VERSION"))(error)),
    };
    if version.is_none() && !empty(data)? {
        return Err(Error::NotACluster {
            data: data.to_owned(),
        });
    }
    Ok(version)
}

fn empty(data: &Path) -> Result<bool, Error> {
    match fs::read_dir(data) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::io("read", data)(error)),
    }
}

/// Deletes what an interrupted creation left; only the holder of the lock may call this.
pub(crate) fn remove_leftovers(home: &Home) -> Result<(), Error> {
    let entries = fs::read_dir(&home.dir).map_err(Error::io("read", &home.dir))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Deletes a folder in which a dying process may still be writing.
fn remove(dir: &Path) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match fs::remove_dir_all(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(Error::io("remove", dir)(error));
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Creates the cluster and puts it in its place.
pub(crate) fn create(
    home: &Home,
    binaries: &Binaries,
    account: Option<&Account>,
    durable: bool,
) -> Result<(), Error> {
    let new = home.dir.join(format!("{PREFIX}{}", std::process::id()));
    let made = fill(&new, binaries, account, durable);
    if made.is_err() {
        fs::remove_dir_all(&new).ok();
    }
    // Asked after the clean-up, because a full disk may be too small rather than full of others.
    made.map_err(|failure| failure.explain(home, binaries, account))?;
    let data = home.data();
    fs::rename(&new, &data).map_err(Error::io("create", &data))?;
    home::sync_dir(&home.dir)
}

enum Failure {
    Known(Error),
    Initdb { status: String, output: String },
    Spawn { program: PathBuf, error: io::Error },
}

fn fill(new: &Path, binaries: &Binaries, account: Option<&Account>, durable: bool) -> Result<(), Failure> {
    home::private_dir(new).map_err(Failure::Known)?;
    if let Some(account) = account {
        account.own(new).map_err(Failure::Known)?;
    }
    let program = binaries.program("initdb");
    let mut command = process::command(&program, account);
    command.arg("-D").arg(new);
    command.args(["-U", SUPERUSER, "-A", "trust"]);
    command.args(["-E", "UTF8", "--locale=C", "--no-instructions"]);
    if !durable {
        command.arg("--no-sync");
    }
    match process::run(command, LIMIT) {
        Ok(finished) if finished.status.success() => Ok(()),
        Ok(finished) => Err(Failure::Initdb {
            status: ending(finished.status),
            output: finished.output,
        }),
        Err(error) => Err(Failure::Spawn { program, error }),
    }
}

impl Failure {
    fn explain(self, home: &Home, binaries: &Binaries, account: Option<&Account>) -> Error {
        match self {
            Self::Known(error) => error,
            Self::Spawn { program, error } => account
                .and_then(|account| account.explain(&error, &program))
                .unwrap_or_else(|| Error::io("run", &program)(error)),
            Self::Initdb { status, output } => {
                let lines = log::last_lines(&output);
                explain_initdb(&lines, home, binaries, account).unwrap_or(Error::Init { status, lines })
            }
        }
    }
}

fn explain_initdb(
    lines: &[String],
    home: &Home,
    binaries: &Binaries,
    account: Option<&Account>,
) -> Option<Error> {
    let no_space = || Error::NoSpace { path: home.data() };
    if log::disk_full(lines) {
        return Some(no_space());
    }
    if log::mentions(lines, "could not look up effective user ID") {
        let uid = rustix::process::geteuid().as_raw();
        return Some(Error::NoPasswdEntry { uid });
    }
    let closed = account.filter(|_| log::denied(lines)).and_then(|account| {
        account
            .not_searchable(&home.data())
            .or_else(|| account.not_searchable(&binaries.program("initdb")))
    });
    closed.or_else(|| log::little_space(&home.dir, NEEDED).then(no_space))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_cluster_empty_or_foreign() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let data = dir.path().join("data");
        assert!(matches!(cluster_major(&data), Ok(None)));
        fs::create_dir(&data).expect("created");
        assert!(matches!(cluster_major(&data), Ok(None)));
        fs::write(data.join("PG_VERSION"), "17\n").expect("written");
        assert!(matches!(cluster_major(&data), Ok(Some(17))));
        for broken in ["", "seventeen", "9.6"] {
            fs::write(data.join("PG_VERSION"), broken).expect("written");
            let major = cluster_major(&data);
            assert!(matches!(major, Err(Error::NotACluster { .. })), "{broken}");
        }
    }

    #[test]
    fn only_leftovers_are_removed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let home = Home::open(dir.path()).expect("a home");
        for name in ["data", "data.init.12", "data.init.13/base"] {
            fs::create_dir_all(home.dir.join(name)).expect("created");
        }
        remove_leftovers(&home).expect("removed");
        assert!(home.data().exists());
        assert!(!home.dir.join("data.init.12").exists());
        assert!(!home.dir.join("data.init.13").exists());
    }
}
