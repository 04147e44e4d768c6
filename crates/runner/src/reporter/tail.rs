//! One growing log, parsed as it grows.

use crate::dir::{AttemptDir, open_regular};
use lmms::log::{Item, LogParser, Progress, Stream};
use std::{fs::File, io, os::unix::fs::FileExt};

/// Small, because a few bytes may be a line and a line costs some two hundred bytes of a batch.
const CHUNK: usize = 4096;

/// Follows one stream.
#[derive(Debug)]
pub(super) struct Tail {
    name: &'static str,
    file: Option<File>,
    read: u64,
    parser: LogParser,
}

impl Tail {
    /// Follows from an offset that [`Self::offset`] has returned.
    pub(super) fn from(stream: Stream, offset: u64) -> Self {
        Self {
            name: file_name(stream),
            file: None,
            read: offset,
            parser: LogParser::resume(stream, offset),
        }
    }

    /// The first byte that no item covers yet.
    pub(super) fn offset(&self) -> u64 {
        self.parser.resume_offset()
    }

    /// The bar that is being drawn.
    pub(super) fn peek(&self) -> Option<Progress> {
        self.parser.peek()
    }

    /// What the next few bytes say; `None` when there are none.
    pub(super) fn step(&mut self, dir: &AttemptDir) -> io::Result<Option<Vec<Item>>> {
        if self.file.is_none() {
            self.file = Some(open_regular(&dir.path(self.name))?);
        }
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let mut bytes = [0; CHUNK];
        let count = file.read_at(&mut bytes, self.read)?;
        self.read += count as u64;
        Ok((count > 0).then(|| self.parser.push(&bytes[..count])))
    }

    /// What is left when nothing more will come.
    pub(super) fn finish(&mut self) -> Vec<Item> {
        let rest = LogParser::resume(self.parser.stream(), self.read);
        std::mem::replace(&mut self.parser, rest).finish()
    }
}

/// The name of a stream's file.
pub(super) fn file_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout.log",
        Stream::Stderr => "stderr.log",
    }
}
