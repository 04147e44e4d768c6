//! Lines of output as the API takes them, also of an attempt whose reporter is gone.

use super::tail::Tail;
use crate::{dir::AttemptDir, keeper::verdict::blot_out};
use chrono::{DateTime, Utc};
use lmms::log::{Item, Level, Line, Stream};
use std::{collections::BTreeMap, io};
use types::{LogLevel, LogLineEvent, LogStream};

/// About how many lines are taken at once.
const ENOUGH: usize = 1000;

/// What a log holds beyond the lines that were reported.
#[derive(Debug)]
pub struct Unreported {
    tail: Tail,
    stream: Stream,
    epoch: i32,
    over: bool,
}

impl Unreported {
    /// Reads on where the reports of an attempt ended.
    #[must_use]
    pub fn from(stream: LogStream, offset: u64, epoch: i32) -> Self {
        let stream = match stream {
            LogStream::Stdout => Stream::Stdout,
            LogStream::Stderr => Stream::Stderr,
        };
        Self {
            tail: Tail::from(stream, offset),
            stream,
            epoch,
            over: false,
        }
    }

    /// The next lines, and the byte up to which the log is then known; `None` at its end.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn next(
        &mut self,
        dir: &AttemptDir,
        secrets: &BTreeMap<String, String>,
    ) -> io::Result<Option<(Vec<LogLineEvent>, u64)>> {
        if self.over {
            return Ok(None);
        }
        let mut lines = Vec::new();
        while lines.len() < ENOUGH && !self.over {
            let step = self.tail.step(dir)?;
            self.over = step.is_none();
            let items = step.unwrap_or_else(|| self.tail.finish());
            lines.extend(items.into_iter().filter_map(|item| match item {
                Item::Line(line) => Some(log_line(self.epoch, self.stream, line, secrets)),
                Item::Progress(_) | Item::Phase(_) => None,
            }));
        }
        Ok(Some((lines, self.tail.offset())))
    }
}

/// One parsed line, without the values of secrets.
pub(super) fn log_line(
    epoch: i32,
    stream: Stream,
    line: Line,
    secrets: &BTreeMap<String, String>,
) -> LogLineEvent {
    LogLineEvent {
        timestamp: line
            .timestamp
            .map_or_else(Utc::now, |at| DateTime::from_naive_utc_and_offset(at, Utc)),
        level: match line.level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warning => LogLevel::Warning,
            Level::Error => LogLevel::Error,
        },
        message: blot_out(line.message, secrets),
        stream: match stream {
            Stream::Stdout => LogStream::Stdout,
            Stream::Stderr => LogStream::Stderr,
        },
        attempt: epoch,
        byte_offset: i64::try_from(line.byte_offset).unwrap_or(i64::MAX),
    }
}
