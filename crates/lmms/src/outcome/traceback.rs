//! The exception behind the exception, from the end of stderr.
//!
//! lmms-eval retries what fails and raises a `RetryError` in the end; the true cause is the first
//! traceback of the last chain.

use crate::log::{Item, Line, LogParser, Notice, Stream};

/// The lines of exceptions of the last chain of tracebacks, the true cause first.
pub(super) fn last_chain(stderr: &str) -> Vec<String> {
    let mut chain = Chain::default();
    for line in lines(stderr, Stream::Stderr) {
        chain.step(&line);
    }
    chain.exceptions
}

/// The lines of a stream, as the log parser reads them.
pub(super) fn lines(text: &str, stream: Stream) -> Vec<Line> {
    let mut parser = LogParser::new(stream);
    let mut items = parser.push(text.as_bytes());
    items.extend(parser.finish());
    let line = |item| match item {
        Item::Line(line) => Some(line),
        Item::Progress(_) | Item::Phase(_) => None,
    };
    items.into_iter().filter_map(line).collect()
}

#[derive(Default)]
struct Chain {
    exceptions: Vec<String>,
    chained: bool,
}

impl Chain {
    fn step(&mut self, line: &Line) {
        match line.notice {
            Some(Notice::Traceback) => {
                // The very first header may be cut off, so exceptions can stand before it.
                if !self.chained {
                    self.exceptions.clear();
                }
                self.chained = false;
            }
            Some(Notice::Exception) => self.exceptions.push(line.message.clone()),
            _ if line.message.ends_with("exception:") || line.message.ends_with("occurred:") => {
                self.chained = true;
            }
            _ => {}
        }
    }
}
