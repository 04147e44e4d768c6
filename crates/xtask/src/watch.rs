//! Runs a command of which the output is shown as it comes, counted, and its end kept.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use crate::counts::Counts;
use crate::process::line;

/// How many lines of a failed step are said again at the end.
const KEPT: usize = 60;

/// What a command did.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) counts: Counts,
    pub(crate) ok: bool,
    /// The last lines of both its streams.
    pub(crate) last: Vec<String>,
}

/// Runs a command with its output shown and read.
pub(crate) fn watch(mut command: Command) -> Result<Watched> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    let text = line(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{text}`"))?;
    let seen = Seen::default();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(|| out.map(|stream| seen.pass_on(stream)));
        scope.spawn(|| err.map(|stream| seen.pass_on(stream)));
    });
    let ok = child.wait()?.success();
    let (counts, last) = seen.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Watched {
        counts,
        ok,
        last: last.into(),
    })
}

#[derive(Default)]
struct Seen(Mutex<(Counts, VecDeque<String>)>);

impl Seen {
    /// Copies a stream to stderr line by line.
    fn pass_on(&self, stream: impl Read) {
        for bytes in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            eprintln!("{text}");
            self.keep(text);
        }
    }

    fn keep(&self, text: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 += Counts::read(&text);
        seen.1.push_back(text);
        if seen.1.len() > KEPT {
            seen.1.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, watch};
    use std::process::Command;

    #[test]
    fn what_failed_keeps_its_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 100; exit 3"]);
        let watched = watch(command).expect("sh starts");
        assert!(!watched.ok);
        assert_eq!(watched.last.len(), KEPT);
        assert_eq!(watched.last.last().map(String::as_str), Some("100"));
    }
}
