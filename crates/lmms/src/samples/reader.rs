//! The lines of a samples file, one at a time.

use std::io::{self, BufRead};

use super::{Sample, parse_line};

/// The longest line that is read, in bytes.
pub const LINE_CAP: usize = 16 * 1024 * 1024;

/// A line that is no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line_no} is {reason}")]
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
    #[error("no sample: {0}")]
    NotASample(String),
    /// The file could not be read on; no line follows.
    #[error("not readable: {0}")]
    Io(String),
}

/// Reads samples from a stream of lines. A broken line costs one sample, and memory is bounded by
/// [`LINE_CAP`].
#[derive(Debug)]
pub struct SampleReader<R> {
    input: R,
    line_no: u64,
    line: Vec<u8>,
    failed: bool,
}

impl<R: BufRead> SampleReader<R> {
    /// A reader at the first line.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line_no: 0,
            line: Vec::new(),
            failed: false,
        }
    }

    /// How many lines were read.
    pub fn line_no(&self) -> u64 {
        self.line_no
    }

    /// Reads one line into `self.line`; `None` at the end of the input.
    fn read_line(&mut self) -> io::Result<Option<Length>> {
        self.line.clear();
        let mut length = Length::Fits;
        let mut any = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(any.then_some(length));
            }
            any = true;
            let end = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            if self.line.len() + part.len() > LINE_CAP {
                length = Length::TooLong;
                self.line = Vec::new();
            } else if length == Length::Fits {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(available.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(length));
            }
        }
    }

    fn bad(&self, reason: BadLineReason) -> Result<Sample, BadLine> {
        Err(BadLine {
            line_no: self.line_no,
            reason,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Fits,
    TooLong,
}

impl<R: BufRead> Iterator for SampleReader<R> {
    type Item = Result<Sample, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let read = self.read_line();
            self.line_no += u64::from(!matches!(read, Ok(None)));
            match read {
                Ok(None) => return None,
                Ok(Some(Length::TooLong)) => return Some(self.bad(BadLineReason::TooLong)),
                Ok(Some(Length::Fits)) if self.line.trim_ascii().is_empty() => {}
                Ok(Some(Length::Fits)) => {
                    return Some(parse_line(&self.line).or_else(|reason| self.bad(reason)));
                }
                Err(error) => {
                    self.failed = true;
                    return Some(self.bad(BadLineReason::Io(error.to_string())));
                }
            }
        }
        None
    }
}
