//! `events.jsonl`: what the driver says, and what the keeper adds.
//!
//! Both append whole lines in one write each, so neither needs the other's leave.

use crate::dir::{AttemptDir, open_regular};
use lmms::driver_event::DriverEvent;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
};

/// The name of the file.
pub(crate) const FILE: &str = "events.jsonl";
/// A longer line is skipped.
const LINE_CAP: usize = 4 << 20;
const CHUNK: u64 = 256 * 1024;

/// Reads the events as they come.
#[derive(Debug, Default)]
pub(crate) struct Events {
    file: Option<File>,
    offset: u64,
    partial: Vec<u8>,
    skipping: bool,
}

impl Events {
    /// A reader that starts at a byte where a line begins.
    pub(crate) fn from(offset: u64) -> Self {
        Self {
            offset,
            ..Self::default()
        }
    }

    /// Where the first line begins that was not returned yet.
    pub(crate) fn offset(&self) -> u64 {
        self.offset - self.partial.len() as u64
    }

    /// The events since the last call. What is no event is left out.
    pub(crate) fn read(&mut self, dir: &AttemptDir) -> io::Result<Vec<DriverEvent>> {
        if self.file.is_none() {
            self.file = match open_regular(&dir.path(FILE)) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        let mut found = Vec::new();
        while self.read_chunk()? {
            self.take_lines(&mut found);
        }
        Ok(found)
    }

    fn read_chunk(&mut self) -> io::Result<bool> {
        let Some(file) = &mut self.file else {
            return Ok(false);
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let count = file.take(CHUNK).read_to_end(&mut self.partial)?;
        self.offset += count as u64;
        Ok(count > 0)
    }

    fn take_lines(&mut self, found: &mut Vec<DriverEvent>) {
        while let Some(end) = self.partial.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            if !std::mem::take(&mut self.skipping) {
                found.extend(DriverEvent::parse(&String::from_utf8_lossy(&line)).ok());
            }
        }
        if self.partial.len() > LINE_CAP {
            self.partial.clear();
            self.skipping = true;
        }
    }
}

/// Appends an event of the keeper's own.
pub(crate) fn append(dir: &AttemptDir, event: &serde_json::Value) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(dir.path(FILE))?;
    file.write_all(format!("{event}\n").as_bytes())
}
