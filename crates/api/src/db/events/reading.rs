//! Reading the sequence: pages of messages as they go to listeners.

use crate::db::statement;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use types::{LiveEvent, LiveMessage, LogLineEvent};
use uuid::Uuid;

/// Most rows of `run_events` that one read looks at.
const EVENTS_PER_READ: i64 = 256;
/// Most lines of output that one read returns.
const LINES_PER_READ: i64 = 2000;

/// A message as it goes to the client.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number.
    pub seq: i64,
    /// `progress`, `metric_update`, `log_line`, `status` or `error`.
    pub kind: Kind,
    /// A [`LiveMessage`] in JSON.
    pub text: Bytes,
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How far the run is.
    Progress,
    /// A committed metric.
    MetricUpdate,
    /// A line of output.
    LogLine,
    /// A state that was entered.
    Status,
    /// Something that went wrong.
    Error,
}

/// Messages in order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The messages.
    pub frames: Vec<Frame>,
    /// Whether there may be more after them.
    pub more: bool,
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    first_seq: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    payload: String,
}

/// A stored line of output.
#[derive(QueryableByName, Debug)]
pub struct LineRow {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// The attempt's number.
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    /// `stdout` or `stderr`.
    #[diesel(sql_type = Text)]
    pub stream: String,
    /// Where it begins.
    #[diesel(sql_type = BigInt)]
    pub byte_offset: i64,
    /// When it was printed.
    #[diesel(sql_type = Timestamptz)]
    pub timestamp: DateTime<Utc>,
    /// How loud.
    #[diesel(sql_type = Text)]
    pub level: String,
    /// The text.
    #[diesel(sql_type = Text)]
    pub message: String,
}

impl From<LineRow> for LogLineEvent {
    fn from(row: LineRow) -> Self {
        let LineRow {
            seq: _,
            attempt,
            stream,
            byte_offset,
            timestamp,
            level,
            message,
        } = row;
        Self {
            timestamp,
            level: level.parse().unwrap_or(types::LogLevel::Info),
            message,
            stream: stream.parse().unwrap_or(types::LogStream::Stdout),
            attempt,
            byte_offset,
        }
    }
}

/// The messages after `after`, oldest first.
pub async fn read_after(conn: &mut AsyncPgConnection, run_id: Uuid, after: i64) -> QueryResult<Page> {
    let events: Vec<EventRow> = statement(
        "select seq, first_seq, kind, payload::text from run_events where run_id = $1 and seq > $2 order by seq limit $3",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(EVENTS_PER_READ)
    .load(conn)
    .await?;
    let lines = match events.last() {
        Some(last) if events.iter().any(|e| e.kind == "log_line") => {
            lines_between(conn, run_id, after, last.seq).await?
        }
        _ => Vec::new(),
    };
    Ok(assemble(events, lines, after))
}

async fn lines_between(
    conn: &mut AsyncPgConnection,
    run_id: Uuid,
    after: i64,
    upto: i64,
) -> QueryResult<Vec<LineRow>> {
    statement(
        "select seq, attempt, stream, byte_offset, timestamp, level, message from run_logs \
         where run_id = $1 and seq > $2 and seq <= $3 order by seq limit $4",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(upto)
    .bind::<BigInt, _>(LINES_PER_READ)
    .load(conn)
    .await
}

/// Puts events and lines into one order. Where the lines were cut, the page ends.
fn assemble(events: Vec<EventRow>, lines: Vec<LineRow>, after: i64) -> Page {
    let full = events.len() as i64 == EVENTS_PER_READ;
    let cut = (lines.len() as i64 == LINES_PER_READ).then(|| lines.last().map_or(after, |l| l.seq));
    let mut lines = lines.into_iter().peekable();
    let mut page = Page {
        frames: Vec::with_capacity(events.len()),
        more: full,
    };
    for event in events {
        if let Some(cut) = cut
            && event.first_seq.max(after + 1) > cut
        {
            page.more = true;
            return page;
        }
        if event.kind != "log_line" {
            page.frames.push(frame_of(event.seq, &event.kind, &event.payload));
            continue;
        }
        while let Some(line) = lines.next_if(|l| l.seq <= event.seq) {
            page.frames.push(line_frame(line.seq, line.into()));
        }
        if cut.is_some_and(|cut| cut < event.seq) {
            page.more = true;
            return page;
        }
    }
    page
}

pub(super) fn frame_of(seq: i64, name: &str, data: &str) -> Frame {
    let kind = match name {
        "progress" => Kind::Progress,
        "metric_update" => Kind::MetricUpdate,
        "status" => Kind::Status,
        _ => Kind::Error,
    };
    let text = format!(r#"{{"seq":{seq},"type":"{name}","data":{data}}}"#);
    Frame {
        seq,
        kind,
        text: text.into(),
    }
}

pub(super) fn line_frame(seq: i64, line: LogLineEvent) -> Frame {
    let message = LiveMessage {
        seq,
        event: LiveEvent::LogLine(line),
    };
    Frame {
        seq,
        kind: Kind::LogLine,
        text: serde_json::to_vec(&message).unwrap_or_default().into(),
    }
}

/// Where the sequences of these runs are.
pub async fn positions(conn: &mut AsyncPgConnection, runs: &[Uuid]) -> QueryResult<Vec<(Uuid, i64)>> {
    use crate::db::schema::runs;
    runs::table
        .filter(runs::id.eq_any(runs))
        .select((runs::id, runs::last_seq))
        .load(conn)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_row(seq: i64) -> LineRow {
        LineRow {
            seq,
            attempt: 1,
            stream: "stderr".into(),
            byte_offset: seq,
            timestamp: DateTime::UNIX_EPOCH,
            level: "INFO".into(),
            message: "m".into(),
        }
    }

    fn event_row(first_seq: i64, seq: i64, kind: &str) -> EventRow {
        EventRow {
            seq,
            first_seq,
            kind: kind.into(),
            payload: "{}".into(),
        }
    }

    #[test]
    fn a_range_is_read_from_its_middle() {
        let events = vec![event_row(2, 5, "log_line"), event_row(6, 6, "status")];
        let page = assemble(events, vec![line_row(4), line_row(5)], 3);
        let seqs: Vec<_> = page.frames.iter().map(|f| f.seq).collect();
        assert_eq!(seqs, [4, 5, 6]);
        assert!(!page.more);
    }

    #[test]
    fn a_page_ends_where_the_lines_were_cut() {
        let lines: Vec<_> = (1..=LINES_PER_READ).map(line_row).collect();
        let events = vec![
            event_row(1, LINES_PER_READ + 5, "log_line"),
            event_row(LINES_PER_READ + 6, LINES_PER_READ + 6, "status"),
        ];
        let page = assemble(events, lines, 0);
        assert_eq!(page.frames.last().map(|f| f.seq), Some(LINES_PER_READ));
        assert!(page.more);
    }

    #[test]
    fn frames_are_live_messages() {
        let frame = frame_of(3, "error", r#"{"message": "disk full"}"#);
        let message: LiveMessage = serde_json::from_slice(&frame.text).unwrap();
        assert_eq!(message.seq, 3);
        assert!(matches!(message.event, LiveEvent::Error(e) if e.message == "disk full"));
    }
}
