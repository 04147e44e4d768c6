//! The server's log: what it wrote since a moment, what that means, and keeping it small.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// How many lines go into a message.
const LINES: usize = 20;
const LONGEST_TAIL: u64 = 64 * 1024;
const LONGEST_LINE: usize = 500;
const LARGEST: u64 = 32 << 20;

/// The file that the server's standard error goes to.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) path: PathBuf,
}

impl Log {
    /// Opens it for the server; appending, so that [`Log::rotate`] may empty it meanwhile.
    pub(crate) fn open(&self) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        options.open(&self.path).map_err(Error::io("open", &self.path))
    }

    /// Where the next line will be written.
    pub(crate) fn end(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |meta| meta.len())
    }

    /// The last lines that were written after `start`.
    pub(crate) fn since(&self, start: u64) -> Vec<String> {
        self.read_since(start)
            .map(|text| last_lines(&text))
            .unwrap_or_default()
    }

    fn read_since(&self, start: u64) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let end = file.metadata()?.len();
        let start = if start > end { 0 } else { start };
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(LONGEST_TAIL))))?;
        let mut bytes = Vec::new();
        file.take(LONGEST_TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Moves a large log aside to `postgres.log.1`, while the server goes on writing.
    pub(crate) fn rotate(&self) {
        if self.end() <= LARGEST {
            return;
        }
        let old = self.path.with_extension("log.1");
        let rotate = || -> io::Result<()> {
            fs::copy(&self.path, &old)?;
            OpenOptions::new().write(true).open(&self.path)?.set_len(0)
        };
        if let Err(error) = rotate() {
            tracing::warn!(%error, log = %self.path.display(), "the server's log cannot be rotated");
        }
    }
}

/// The last lines of a text, each cut to a length that fits a message.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .take(LINES)
        .map(|line| line.chars().take(LONGEST_LINE).collect())
        .collect();
    lines.reverse();
    lines
}

/// Whether the disk, or the user's share of it, is full.
pub(crate) fn disk_full(lines: &[String]) -> bool {
    mentions(lines, "No space left on device") || mentions(lines, "Disk quota exceeded")
}

/// Whether less than `needed` bytes are left for an unprivileged user on the disk of `path`: on a
/// full disk the log that would say so cannot be written either.
pub(crate) fn little_space(path: &Path, needed: u64) -> bool {
    let Some(existing) = path.ancestors().find(|path| path.exists()) else {
        return false;
    };
    rustix::fs::statvfs(existing).is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) < needed)
}

/// Whether processes of an earlier server are in the way, which the kernel will soon have ended.
pub(crate) fn earlier_server(lines: &[String]) -> bool {
    lines.iter().any(|line| {
        line.contains("lock file \"") && line.contains("already exists")
            || line.contains("pre-existing shared memory block")
    })
}

/// Whether the TCP port is taken.
pub(crate) fn port_in_use(lines: &[String]) -> bool {
    mentions(lines, "could not bind") && mentions(lines, "Address already in use")
}

/// Whether a folder or file is closed to the server.
pub(crate) fn denied(lines: &[String]) -> bool {
    mentions(lines, "Permission denied")
}

pub(crate) fn mentions(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn only_the_last_lines_of_this_start_are_shown() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = Log {
            path: dir.path().join("postgres.log"),
        };
        assert!(log.since(0).is_empty());
        let mut file = log.open().expect("opened");
        writeln!(file, "before").expect("written");
        let start = log.end();
        for number in 0..30 {
            writeln!(file, "line {number}").expect("written");
        }
        let lines = log.since(start);
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.first().map(String::as_str), Some("line 10"));
        assert_eq!(lines.last().map(String::as_str), Some("line 29"));
        // Emptied in between: everything that is there is new.
        file.set_len(0).expect("emptied");
        writeln!(file, "after").expect("written");
        assert_eq!(log.since(start), ["after"]);
    }

    #[test]
    fn a_large_log_is_moved_aside_under_its_writer() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = Log {
            path: dir.path().join("postgres.log"),
        };
        let mut file = log.open().expect("opened");
        file.set_len(LARGEST + 1).expect("grown");
        log.rotate();
        writeln!(file, "next").expect("written");
        assert_eq!(log.end(), 5);
        assert!(dir.path().join("postgres.log.1").exists());
    }

    #[test]
    fn causes_are_recognised() {
        let line = |text: &str| vec![text.to_owned()];
        assert!(disk_full(&line(
            "PANIC:  could not write to file: No space left on device"
        )));
        assert!(!disk_full(&line("LOG:  ready")));
        assert!(little_space(Path::new("/no/such/folder"), u64::MAX));
        assert!(!little_space(Path::new("/no/such/folder"), 0));
        assert!(earlier_server(&line(
            "FATAL:  lock file \"postmaster.pid\" already exists"
        )));
        assert!(!earlier_server(&line("FATAL:  role already exists")));
    }
}
