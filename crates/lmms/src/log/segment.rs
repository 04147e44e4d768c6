//! Bytes into segments: what stands between two ends of line, `\n` or `\r`.

/// How many raw bytes of one segment are kept. Colours take room, so it is more than the message.
const RAW_CAP: usize = 4 * super::MESSAGE_CAP;

/// One segment, without its end of line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Where it begins in the stream.
    pub(super) offset: u64,
    /// Its bytes, at most `RAW_CAP`.
    pub(super) bytes: Vec<u8>,
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
    pub(super) fn push(&mut self, mut bytes: &[u8], mut found: impl FnMut(Segment)) {
        while let Some(end) = bytes.iter().position(|&byte| matches!(byte, b'\n' | b'\r')) {
            self.keep(&bytes[..end]);
            self.position += 1;
            if let Some(segment) = self.cut() {
                found(segment);
            }
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    /// The unfinished segment at the end of the stream.
    pub(super) fn cut(&mut self) -> Option<Segment> {
        let segment = Segment {
            offset: self.start,
            bytes: std::mem::take(&mut self.buffer),
            truncated: std::mem::take(&mut self.truncated),
        };
        self.start = self.position;
        (!segment.bytes.is_empty()).then_some(segment)
    }

    /// A copy of the unfinished segment.
    pub(super) fn unfinished(&self) -> Segment {
        Segment {
            offset: self.start,
            bytes: self.buffer.clone(),
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
