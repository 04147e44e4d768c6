//! Which lines belong to a Python traceback.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Level, Notice};

/// The first line of a traceback, somewhere in it.
static BEGIN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("Traceback (most recent call last)"));

/// The sentences with which Python chains two tracebacks.
const CHAINS: [&str; 2] = [
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
];

/// Follows the lines of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tracebacks {
    open: bool,
}

impl Tracebacks {
    /// The level and meaning of a line of a traceback; `None` for any other line.
    pub(super) fn step(&mut self, line: &str) -> Option<(Level, Option<Notice>)> {
        let line = without_rank(line);
        if BEGIN.find(line.as_bytes()).is_some() {
            self.open = true;
            return Some((Level::Error, Some(Notice::Traceback)));
        }
        if CHAINS.contains(&line.trim()) {
            return Some((Level::Error, None));
        }
        if !self.open {
            return None;
        }
        // The frames are indented; the exception itself is the first line that is not.
        self.open = line.starts_with([' ', '\t']);
        Some((Level::Error, (!self.open).then_some(Notice::Exception)))
    }

    /// A line of another kind (loguru, a bar) ends the traceback without its exception.
    pub(super) fn interrupt(&mut self) {
        self.open = false;
    }
}

/// The line without `[rank0]: `, which torch puts before every line of a traceback.
fn without_rank(line: &str) -> &str {
    let rest = line.strip_prefix("[rank").and_then(|rest| rest.split_once("]: "));
    match rest {
        Some((rank, rest)) if rank.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => line,
    }
}
