//! The only right to a data directory's attempts.
//!
//! A worker that holds it knows that no other worker of this directory lives, so it takes over
//! at once what the last one left, instead of waiting for leases to run out.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Held until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(super) struct SoleRight {
    _file: File,
}

impl SoleRight {
    /// The right to `folder`; `None` while another process has it.
    pub(super) fn take(folder: &Path) -> std::io::Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("worker.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = SoleRight::take(dir.path()).unwrap();
        assert!(first.is_some());
        assert!(SoleRight::take(dir.path()).unwrap().is_none());
        drop(first);
        assert!(SoleRight::take(dir.path()).unwrap().is_some());
    }
}
