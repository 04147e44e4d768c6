//! Joins the parts: bytes to segments, segments to items.

use super::segment::{Segment, Segmenter};
use super::traceback::Tracebacks;
use super::{Item, Level, Line, MESSAGE_CAP, Phase, PhaseMark, Progress, Stream};
use super::{bar, loguru, phase, text};

/// Reads one stream of one process, chunk by chunk.
///
/// The items depend on the bytes alone, never on how they were cut into chunks.
#[derive(Debug)]
pub struct LogParser {
    stream: Stream,
    segments: Segmenter,
    tracebacks: Tracebacks,
    phase: Option<Phase>,
}

impl LogParser {
    /// A parser at byte 0 of a stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self::resume(stream, 0)
    }

    /// A parser whose first byte stands at `offset`, as returned by [`Self::resume_offset`].
    #[must_use]
    pub fn resume(stream: Stream, offset: u64) -> Self {
        Self {
            stream,
            segments: Segmenter::at(offset),
            tracebacks: Tracebacks::default(),
            phase: None,
        }
    }

    /// The stream that is read.
    #[must_use]
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Where a later parser may start so that no line is lost or cut: the first byte that no item
    /// covers yet.
    #[must_use]
    pub fn resume_offset(&self) -> u64 {
        self.segments.start()
    }

    /// Takes the next bytes and returns what they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        let mut segments = std::mem::take(&mut self.segments);
        segments.push(bytes, |segment| self.read(&segment, &mut items));
        self.segments = segments;
        items
    }

    /// The bar that is being drawn: a redraw only counts as complete when the next one begins.
    #[must_use]
    pub fn peek(&self) -> Option<Progress> {
        let segment = self.segments.unfinished();
        let plain = text::clean(&segment.bytes);
        let bar = bar::parse(&text::lossy(&plain))?;
        Some(Progress {
            byte_offset: segment.offset,
            ..bar.progress
        })
    }

    /// Takes the end of the stream and returns what was left.
    #[must_use]
    pub fn finish(mut self) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(segment) = self.segments.cut() {
            self.read(&segment, &mut items);
        }
        items
    }

    fn read(&mut self, segment: &Segment<'_>, items: &mut Vec<Item>) {
        let plain = text::clean(&segment.bytes);
        let whole = text::lossy(&plain);
        let Some(bar) = bar::parse(&whole) else {
            return self.read_line(&whole, segment.offset, segment.truncated, items);
        };
        // Text may follow a bar without a break: a traceback, or a line of the other stream.
        let rest = whole[bar.end..].trim_start();
        let index = text::plain_index(&plain, whole.len() - rest.len());
        let at = text::raw_offset(&segment.bytes, index) as u64;
        self.read_bar(bar.progress, segment.offset, items);
        self.read_line(rest, segment.offset + at, segment.truncated, items);
    }

    fn read_bar(&mut self, progress: Progress, offset: u64, items: &mut Vec<Item>) {
        self.tracebacks.interrupt();
        if let Some(phase) = progress.desc.as_deref().and_then(phase::of_bar) {
            self.enter(phase, offset, items);
        }
        items.push(Item::Progress(Progress {
            byte_offset: offset,
            ..progress
        }));
    }

    fn read_line(&mut self, text: &str, offset: u64, cut: bool, items: &mut Vec<Item>) {
        if text.trim().is_empty() {
            return;
        }
        let line = self.line(text.trim_end(), offset, cut);
        if let Some(phase) = phase::of_message(&line.message) {
            self.enter(phase, offset, items);
        }
        let logged = bar::parse_logged(&line.message);
        items.push(Item::Line(line));
        if let Some(progress) = logged {
            self.read_bar(progress, offset, items);
        }
    }

    fn line(&mut self, text: &str, byte_offset: u64, cut: bool) -> Line {
        let (timestamp, level, origin, message, notice) = if let Some(line) = loguru::parse(text) {
            self.tracebacks.interrupt();
            let notice = phase::notice(line.message);
            (line.timestamp, line.level, line.origin, line.message, notice)
        } else if let Some((level, notice)) = self.tracebacks.step(text) {
            (None, level, None, text, notice)
        } else {
            (None, level_of(text), None, text, phase::notice(text))
        };
        let mut message = message.to_owned();
        let truncated = text::cut(&mut message, MESSAGE_CAP) || cut;
        Line {
            byte_offset,
            timestamp,
            level,
            origin: origin.map(str::to_owned),
            message,
            truncated,
            notice,
        }
    }

    fn enter(&mut self, phase: Phase, byte_offset: u64, items: &mut Vec<Item>) {
        if self.phase.as_ref() != Some(&phase) {
            self.phase = Some(phase.clone());
            items.push(Item::Phase(PhaseMark { byte_offset, phase }));
        }
    }
}

/// The level of a line without a prefix of loguru's.
fn level_of(text: &str) -> Level {
    if let Some(level) = loguru::leading_level(text) {
        return level;
    }
    // argparse: `lmms-eval: error: unrecognized arguments: --benchmark mme`.
    let argparse = text
        .split_once(' ')
        .is_some_and(|(program, rest)| program.ends_with(':') && rest.starts_with("error: "));
    if argparse { Level::Error } else { Level::Info }
}
