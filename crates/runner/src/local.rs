//! The engine of this machine: detached executors that outlive the dashboard.

use crate::{
    dir::AttemptDir,
    engine::{Answer, CancelReason, Engine, EngineError, Observation},
    environment,
    exec::claim,
    keeper::tree,
    process,
};
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io,
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::PathBuf,
    process::{Command, Stdio},
};

/// Starts executors on this machine.
#[derive(Clone, Debug)]
pub struct LocalEngine {
    program: PathBuf,
}

impl LocalEngine {
    /// An engine that starts `program exec --attempt-dir D`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// An engine that starts this very program.
    ///
    /// # Errors
    ///
    /// When its path cannot be found.
    pub fn of_this_program() -> io::Result<Self> {
        std::env::current_exe().map(Self::new)
    }

    /// A child that detaches itself: its parent ends at once, so that it is nobody's zombie.
    fn spawn(&self, attempt: &AttemptDir) -> io::Result<()> {
        let mut log = OpenOptions::new();
        let log = log
            .create(true)
            .append(true)
            .mode(0o600)
            .open(attempt.path("reporter.log"))?;
        let mut command = Command::new(&self.program);
        command
            .args(["exec", "--attempt-dir"])
            .arg(attempt.root())
            .env_clear()
            .envs(environment::inherited())
            .current_dir(attempt.root())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // SAFETY: between fork and exec only calls that are safe after a fork are made, and
        // nothing is allocated.
        unsafe {
            command.pre_exec(detach);
        }
        command.spawn()?.wait()?;
        Ok(())
    }
}

/// Leaves the session and the parent.
fn detach() -> io::Result<()> {
    // SAFETY: both calls take no pointers and are safe after a fork; the middle process ends
    // without running anything of ours.
    unsafe {
        libc::setsid();
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            _ => libc::_exit(0),
        }
    }
}

impl Engine for LocalEngine {
    fn name(&self) -> &'static str {
        "local"
    }

    fn launch<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, ()> {
        Box::pin(async move {
            self.spawn(attempt).map_err(|source| EngineError::Launch {
                program: self.program.display().to_string(),
                source,
            })
        })
    }

    fn observe<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, Observation> {
        Box::pin(async move { claim::observe(attempt).map_err(|source| unusable(attempt, source)) })
    }

    fn forbid<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, bool> {
        Box::pin(async move {
            match claim::take(attempt) {
                Ok(taken) => Ok(taken.is_some()),
                // An executor without a directory cannot begin either.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                Err(source) => Err(unusable(attempt, source)),
            }
        })
    }

    fn cancel<'a>(&'a self, attempt: &'a AttemptDir, reason: CancelReason) -> Answer<'a, ()> {
        Box::pin(async move {
            let text = reason.as_str().as_bytes();
            if fs::exists(attempt.path("cancel")).is_ok_and(|there| !there) {
                attempt
                    .write_atomic("cancel", text)
                    .map_err(|source| unusable(attempt, source))?;
            }
            if let Ok(Observation::Alive(keeper)) = claim::observe(attempt) {
                // The file says why; the signal only shortens the wait, so a miss costs nothing.
                let _ = keeper.signal(libc::SIGHUP);
            }
            Ok(())
        })
    }

    fn sweep<'a>(&'a self, tracking_id: &'a str) -> Answer<'a, u32> {
        Box::pin(async move {
            Ok(tree::kill_marked(|| {
                process::marked(environment::TRACKING, tracking_id)
            }))
        })
    }

    fn tracked(&self) -> Answer<'_, BTreeSet<String>> {
        Box::pin(async move { Ok(process::values_of(environment::TRACKING)) })
    }
}

fn unusable(attempt: &AttemptDir, source: io::Error) -> EngineError {
    EngineError::Directory {
        dir: attempt.root().display().to_string(),
        source,
    }
}
