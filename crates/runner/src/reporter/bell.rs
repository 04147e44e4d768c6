//! Waking up when a file changes, so that nobody has to look again and again.
//!
//! A bell rings once for each place that was armed: what happens while the reporter is at work
//! costs nobody anything. Where there is no inotify, or no watch left, it never rings, and the
//! clock is all there is.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};
use tokio::io::unix::AsyncFd;

/// A file that grows.
const GROWS: u32 = libc::IN_MODIFY | libc::IN_ONESHOT;
/// A folder in which a file appears whole.
const APPEARS: u32 = libc::IN_MOVED_TO | libc::IN_ONESHOT | libc::IN_ONLYDIR;

/// Rings for what was armed.
pub(super) struct Bell {
    queue: Option<AsyncFd<OwnedFd>>,
}

impl Bell {
    /// A bell for which nothing is armed. Needs the runtime.
    pub(super) fn new() -> Self {
        let queue = queue().and_then(|queue| {
            // SAFETY: the descriptor is owned, so it stays the same and open for as long as it is registered.
            unsafe { AsyncFd::register(queue) }.map_err(io::Error::from)
        });
        if let Err(error) = &queue {
            note!("reporter: no inotify, so files are looked at by the clock alone: {error}");
        }
        Self { queue: queue.ok() }
    }

    /// Whether it can never ring.
    pub(super) fn is_deaf(&self) -> bool {
        self.queue.is_none()
    }

    /// Rings when this file grows. One that is not there yet is left to the clock.
    pub(super) fn arm_file(&self, file: &Path) {
        self.arm(file, GROWS);
    }

    /// Rings when a file is moved into this folder.
    pub(super) fn arm_folder(&self, folder: &Path) {
        self.arm(folder, APPEARS);
    }

    fn arm(&self, path: &Path, events: u32) {
        let (Some(queue), Ok(path)) = (&self.queue, CString::new(path.as_os_str().as_bytes())) else {
            return;
        };
        // SAFETY: the descriptor is open and the path ends with a NUL.
        unsafe { libc::inotify_add_watch(queue.as_raw_fd(), path.as_ptr(), events) };
    }

    /// Waits until it rings; for ever where it cannot.
    pub(super) async fn rung(&self) {
        let Some(queue) = &self.queue else {
            return std::future::pending().await;
        };
        match queue.readable().await {
            Ok(mut ready) => {
                empty(queue.get_ref());
                ready.clear_ready();
            }
            Err(_) => std::future::pending().await,
        }
    }
}

fn queue() -> io::Result<OwnedFd> {
    // SAFETY: plain numbers only.
    match unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the descriptor is new and nobody else's.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

/// Takes all that is queued: what rang is found out by looking.
fn empty(queue: &OwnedFd) {
    let mut events = [0_u8; 4096];
    loop {
        // SAFETY: the descriptor is open, and the buffer may be written to its end.
        let read = unsafe { libc::read(queue.as_raw_fd(), events.as_mut_ptr().cast(), events.len()) };
        if read <= 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, time::Duration};
    use tokio::time::timeout;

    #[tokio::test]
    async fn it_rings_for_what_was_armed_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, "").unwrap();
        let bell = Bell::new();
        bell.arm_file(&log);
        bell.arm_folder(folder.path());
        fs::write(&log, "a line\n").unwrap();
        bell.rung().await;
        fs::write(&log, "another\n").unwrap();
        fs::rename(&log, folder.path().join("moved")).unwrap();
        bell.rung().await;
        let silent = timeout(Duration::ZERO, bell.rung()).await;
        assert!(silent.is_err(), "nothing is armed any more");
    }
}
