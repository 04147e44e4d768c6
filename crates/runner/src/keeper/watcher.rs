//! The keeper's side of the reporter: starts it, restarts it, and takes the secrets from it.

use super::signals::{self, Reaped};
use crate::{dir::AttemptDir, job::Job, reporter};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    time::{Duration, Instant},
};
use types::AttemptSecrets;

/// From the end of a reporter to the start of the next, doubled each time up to the second.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The reporter as its keeper sees it.
pub(super) struct Watcher {
    wanted: bool,
    pid: Option<u32>,
    next_start: Instant,
    pause: Duration,
    pipe: Option<File>,
    received: Vec<u8>,
}

impl Watcher {
    pub(super) fn new(job: &Job) -> Self {
        Self {
            wanted: job.endpoint_file.is_some() || job.endpoint_url.is_some(),
            pid: None,
            next_start: Instant::now(),
            pause: PAUSE,
            pipe: None,
            received: Vec::new(),
        }
    }

    /// Whether there is still something to report, and somebody to report to.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Starts the reporter when there should be one and is none.
    pub(super) fn watch(
        &mut self,
        dir: &AttemptDir,
        job: &Job,
        secrets: &BTreeMap<String, String>,
        claim: &File,
    ) {
        if !self.wanted || self.pid.is_some() || Instant::now() < self.next_start {
            return;
        }
        self.next_start = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        if let Err(error) = self.start(dir, job, secrets, claim) {
            note!("the reporter cannot be started: {error}");
        }
    }

    fn start(
        &mut self,
        dir: &AttemptDir,
        job: &Job,
        secrets: &BTreeMap<String, String>,
        claim: &File,
    ) -> io::Result<()> {
        let (read, write) = pipe()?;
        let keeper = std::process::id();
        // SAFETY: this process has one thread, so the child may go on as usual.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(read);
                // SAFETY: the child never uses the claim again. Its lock must not outlive the
                // keeper's descriptor, and the child ends before it returns to anybody.
                unsafe { libc::close(claim.as_raw_fd()) };
                signals::reset();
                reporter::main(dir, job, secrets, File::from(write), keeper)
            }
            pid => {
                self.pid = u32::try_from(pid).ok();
                self.pipe = Some(File::from(read));
                self.received.clear();
                Ok(())
            }
        }
    }

    /// Takes note of the reporter's end. Only one that is done ends with 0.
    pub(super) fn reaped(&mut self, reaped: &[Reaped]) {
        let Some(end) = reaped.iter().find(|r| Some(r.pid) == self.pid) else {
            return;
        };
        self.pid = None;
        if libc::WIFEXITED(end.status) && libc::WEXITSTATUS(end.status) == 0 {
            self.wanted = false;
        }
        self.next_start = self.next_start.max(Instant::now() + PAUSE);
    }

    /// The secrets, once the reporter has them.
    pub(super) fn secrets(&mut self) -> Option<AttemptSecrets> {
        let pipe = self.pipe.as_mut()?;
        match pipe.read_to_end(&mut self.received) {
            Ok(_) => {
                self.pipe = None;
                serde_json::from_slice(&self.received).ok()
            }
            // Whatever came so far has been kept.
            Err(_) => None,
        }
    }

    /// Ends the reporter.
    pub(super) fn kill(&mut self) {
        if let Some(pid) = self.pid.take() {
            super::tree::kill(pid, libc::SIGKILL);
        }
    }
}

/// A pipe whose reading end never blocks.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both descriptors are new and nobody else's.
    let (read, write) = unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    // SAFETY: the descriptor is open.
    unsafe { libc::fcntl(read.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    Ok((read, write))
}
