//! The claim: at most one executor ever works in an attempt directory.
//!
//! The file is created exclusively, so a second executor ends whatever became of the first one;
//! its lock is held for the keeper's whole life, so it also tells whether the keeper is alive.

use crate::{
    dir::AttemptDir,
    engine::{Lost, Observation},
    process::{self, Identity},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    time::{Duration, SystemTime},
};

/// How long after the claim `pid.json` may still be missing.
const SETTLE: Duration = Duration::from_secs(10);

/// `pid.json`: who keeps the attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PidRecord {
    /// The keeper.
    #[serde(flatten)]
    pub keeper: Identity,
    /// The machine.
    pub host: String,
    /// When it claimed the attempt.
    pub started_at: DateTime<Utc>,
}

/// Takes the attempt for this process. `None` when another one has it or had it.
///
/// # Errors
///
/// When the directory cannot be written.
pub fn take(dir: &AttemptDir) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let claim = options.write(true).create_new(true).mode(0o600);
    let file = match claim.open(dir.path("claim")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(lock(&file).then_some(file))
}

fn lock(file: &File) -> bool {
    // SAFETY: the descriptor is open for the whole call.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}

/// What the directory proves about its executor.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn observe(dir: &AttemptDir) -> io::Result<Observation> {
    if let Some(exit) = dir.exit()? {
        return Ok(Observation::Exited(Box::new(exit)));
    }
    let claim = match File::open(dir.path("claim")) {
        Ok(claim) => claim,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Observation::Unclaimed),
        Err(error) => return Err(error),
    };
    let record = match dir.read_json::<PidRecord>("pid.json") {
        Ok(Some(record)) => record,
        // A crash of the machine may have left it empty.
        Err(error) if is_torn(&error) => return Ok(without_record(&claim)),
        Ok(None) => return Ok(without_record(&claim)),
        Err(error) => return Err(error),
    };
    if record.keeper.is_alive() {
        return Ok(Observation::Alive(record.keeper));
    }
    // It may have ended properly between the two looks.
    Ok(match dir.exit()? {
        Some(exit) => Observation::Exited(Box::new(exit)),
        None => Observation::Lost(lost(&record)),
    })
}

fn is_torn(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
    )
}

fn lost(record: &PidRecord) -> Lost {
    if record.keeper.boot_id == process::boot_id() {
        Lost::KeeperGone
    } else {
        Lost::HostRebooted
    }
}

/// A keeper writes `pid.json` right after its claim; one that died in between left no lock.
fn without_record(claim: &File) -> Observation {
    let age = claim.metadata().and_then(|m| m.modified()).ok();
    let age = age.and_then(|at| SystemTime::now().duration_since(at).ok());
    if age.is_some_and(|age| age > SETTLE) && lock(claim) {
        return Observation::Lost(Lost::KeeperGone);
    }
    Observation::Unclaimed
}

/// Records who keeps the attempt.
///
/// # Errors
///
/// When it cannot be written.
pub fn record(dir: &AttemptDir) -> io::Result<PidRecord> {
    let record = PidRecord {
        keeper: Identity::own(),
        host: host(),
        started_at: Utc::now(),
    };
    dir.write_volatile("pid.json", &serde_json::to_vec(&record)?)?;
    Ok(record)
}

/// The name of this machine.
#[must_use]
pub fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.map(|n| n.trim().to_owned()).unwrap_or_default()
}
