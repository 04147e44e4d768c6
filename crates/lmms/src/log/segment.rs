//! Bytes into segments: what stands between two ends of line, `\n` or `\r`.

use std::borrow::Cow;

use memchr::memchr2;

/// How many raw bytes of one segment are kept. Colours take room, so it is more than the message.
const RAW_CAP: usize = 4 * super::MESSAGE_CAP;

/// One segment, without its end of line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// Where it begins in the stream.
    pub(super) offset: u64,
    /// Its bytes, at most `RAW_CAP`.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether there were more.
    pub(super) truncated: bool,
}

/// Cuts a stream into segments, whatever its chunks.
#[derive(Debug, Default)]
pub(super) struct Segmenter {
    position: u64,
    start: u64,
    buffer: Vec<u8>,
    truncated: bool,
}

impl Segmenter {
    /// A segmenter whose first byte stands at `position` of the stream.
    pub(super) fn at(position: u64) -> Self {
        Self {
            position,
            start: position,
            ..Self::default()
        }
    }

    /// Where the first byte stands that no finished segment covers.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Takes bytes and hands every finished segment that is not empty to `found`.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut found: impl FnMut(Segment<'_>)) {
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = bytes.split_at(end);
            if let Some(segment) = self.complete(line) {
                found(segment);
            }
            bytes = &rest[1..];
        }
        self.keep(bytes);
    }

    /// The segment that ends with these bytes. Most begin with them too, and are not copied.
    fn complete<'a>(&mut self, bytes: &'a [u8]) -> Option<Segment<'a>> {
        if !self.buffer.is_empty() {
            self.keep(bytes);
            self.position += 1;
            return self.cut();
        }
        let offset = self.start;
        self.position += bytes.len() as u64 + 1;
        self.start = self.position;
        (!bytes.is_empty()).then(|| Segment {
            offset,
            bytes: Cow::Borrowed(&bytes[..bytes.len().min(RAW_CAP)]),
            truncated: bytes.len() > RAW_CAP,
        })
    }

    /// The unfinished segment at the end of the stream.
    pub(super) fn cut<'a>(&mut self) -> Option<Segment<'a>> {
        let segment = Segment {
            offset: self.start,
            bytes: Cow::Owned(std::mem::take(&mut self.buffer)),
            truncated: std::mem::take(&mut self.truncated),
        };
        self.start = self.position;
        (!segment.bytes.is_empty()).then_some(segment)
    }

    /// The unfinished segment, which stays.
    pub(super) fn unfinished(&self) -> Segment<'_> {
        Segment {
            offset: self.start,
            bytes: Cow::Borrowed(&self.buffer),
            truncated: self.truncated,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        let room = RAW_CAP - self.buffer.len();
        self.truncated |= bytes.len() > room;
        self.buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
