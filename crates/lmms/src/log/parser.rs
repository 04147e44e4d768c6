//! Joins the parts: bytes to segments, segments to items.

use super::{Item, Stream};

/// Reads one stream of one process, chunk by chunk.
#[derive(Debug)]
pub struct LogParser {
    stream: Stream,
}

impl LogParser {
    /// A parser at byte 0 of a stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream }
    }

    /// The stream that is read.
    #[must_use]
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Takes the next bytes and returns what they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let _ = bytes;
        Vec::new()
    }

    /// Takes the end of the stream and returns what was left.
    #[must_use]
    pub fn finish(self) -> Vec<Item> {
        Vec::new()
    }
}
