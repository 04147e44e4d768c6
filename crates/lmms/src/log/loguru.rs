//! The prefix of a loguru line, in both formats, and of a line of Python's own logging.

use chrono::NaiveDateTime;

use super::Level;

/// What stands behind the time.
const BAR: &str = " | ";
/// Bytes of a time with microseconds.
const LONGEST_TIME: usize = 26;

/// A line taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefixed<'a> {
    pub(super) timestamp: Option<NaiveDateTime>,
    pub(super) level: Level,
    pub(super) origin: Option<&'a str>,
    pub(super) message: &'a str,
}

/// Takes `2026-11-20 12:44:02 | INFO     | module:function:line - message` apart; milliseconds
/// stand in the format that loguru has before lmms-eval sets its own.
pub(super) fn parse(line: &str) -> Option<Prefixed<'_>> {
    let (time, rest) = split_time(line)?;
    let timestamp = parse_time(time)?;
    let (level, rest) = rest.split_once('|')?;
    let level = parse_level(level.trim())?;
    let (origin, message) = rest.trim_start().split_once(" - ").or_else(|| {
        // An empty message leaves a dash at the end.
        rest.trim_start().strip_suffix(" -").map(|origin| (origin, ""))
    })?;
    (origin.matches(':').count() >= 2).then_some(Prefixed {
        timestamp: Some(timestamp),
        level,
        origin: Some(origin),
        message,
    })
}

/// A level that a line names in its first word: `WARNING 11-20 12:00:01 [vllm.py:33] text`.
pub(super) fn leading_level(line: &str) -> Option<Level> {
    let (word, rest) = line.split_once([' ', ':'])?;
    let level = parse_level(word)?;
    let stamped = rest
        .trim_start()
        .starts_with(|next: char| next.is_ascii_digit() || next == '[');
    (stamped || line[word.len()..].starts_with(':')).then_some(level)
}

/// What stands before and behind the first ` | `, which is near the beginning or not ours.
fn split_time(line: &str) -> Option<(&str, &str)> {
    let near = &line.as_bytes()[..line.len().min(LONGEST_TIME + BAR.len())];
    let at = near
        .windows(BAR.len())
        .position(|window| window == BAR.as_bytes())?;
    Some((&line[..at], &line[at + BAR.len()..]))
}

fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let plausible = (19..=LONGEST_TIME).contains(&text.len()) && text.is_ascii();
    if !plausible {
        return None;
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()
}

fn parse_level(word: &str) -> Option<Level> {
    Some(match word {
        "TRACE" | "DEBUG" => Level::Debug,
        "INFO" | "SUCCESS" => Level::Info,
        "WARNING" => Level::Warning,
        "ERROR" | "CRITICAL" => Level::Error,
        _ => return None,
    })
}
