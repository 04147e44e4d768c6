//! Lines of output as they are kept.

use crate::db::events::NewEvent;
use chrono::Utc;
use types::{LiveEvent, LogLineEvent, MAX_LOG_LINES, MAX_LOG_MESSAGE, StatusEvent};

/// The lines that are kept of a run that has `known` of them; the last ones before the limit say so.
pub fn kept(known: i64, lines: Vec<LogLineEvent>, epoch: i32) -> Vec<NewEvent> {
    let room = MAX_LOG_LINES - known;
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let mut events = Vec::new();
    let kept = bounded(lines, epoch, room);
    if !kept.is_empty() {
        events.push(NewEvent::Lines(kept));
    }
    if room > 0 && count > room {
        events.push(notice(
            format!("more than {MAX_LOG_LINES} lines: only the raw output is kept from here on"),
            epoch,
        ));
    }
    events
}

/// Something to know about an attempt.
pub fn notice(message: String, epoch: i32) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        attempt: Some(epoch),
        reason: Some(message),
        ..StatusEvent::default()
    })
    .into()
}

/// At most `cap` bytes of a text, whole characters, without NUL.
pub fn clipped(text: &str, cap: usize) -> String {
    let mut end = cap.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "\u{FFFD}")
}

/// Bounded, without NUL, and with secrets blotted out. Every line belongs to the attempt that has
/// printed it.
fn bounded(lines: Vec<LogLineEvent>, epoch: i32, room: i64) -> Vec<LogLineEvent> {
    let keep = |mut line: LogLineEvent| {
        line.attempt = epoch;
        line.message = lmms::secrets::redact(&clipped(&line.message, MAX_LOG_MESSAGE));
        line
    };
    let room = usize::try_from(room).unwrap_or(0);
    lines.into_iter().take(room).map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use types::{LogLevel, LogStream};

    #[test]
    fn lines_are_bounded_and_belong_to_their_attempt() {
        let line = LogLineEvent {
            timestamp: DateTime::UNIX_EPOCH,
            level: LogLevel::Info,
            message: "é".repeat(MAX_LOG_MESSAGE),
            stream: LogStream::Stdout,
            attempt: 9,
            byte_offset: 0,
        };
        let kept = bounded(vec![line.clone(), line.clone(), line], 2, 2);
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0].attempt, 2);
        assert_eq!(kept[0].message.len(), MAX_LOG_MESSAGE);
    }
}
