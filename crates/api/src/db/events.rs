//! The live sequence of a run. [`append`] is the only writer of `run_events` and `run_logs`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use types::{LiveEvent, LiveMessage, LogLineEvent, StatusEvent, TimelineEntry};
use uuid::Uuid;

/// Most rows of `run_events` that one read looks at.
const EVENTS_PER_READ: i64 = 256;
/// Most lines of output that one read returns.
const LINES_PER_READ: i64 = 2000;

/// Something to say about a run.
#[derive(Clone, Debug)]
pub enum NewEvent {
    /// One message.
    One(LiveEvent),
    /// Lines of output: one row covers them all, each has its own number.
    Lines(Vec<LogLineEvent>),
}

impl From<LiveEvent> for NewEvent {
    fn from(event: LiveEvent) -> Self {
        Self::One(event)
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

/// Appends to the sequence of a run in the caller's transaction, and wakes those who listen.
/// Returns the last number taken. The row of the run stays locked until the end of the
/// transaction, so that the order of commits is the order of the numbers.
pub async fn append(conn: &mut AsyncPgConnection, run_id: Uuid, events: Vec<NewEvent>) -> QueryResult<i64> {
    let count = |e: &NewEvent| match e {
        NewEvent::One(_) => 1,
        NewEvent::Lines(lines) => lines.len() as i64,
    };
    let total: i64 = events.iter().map(count).sum();
    let lines: i64 = events
        .iter()
        .filter(|e| matches!(e, NewEvent::Lines(_)))
        .map(count)
        .sum();
    let taken: Taken = diesel::sql_query(
        "update runs set last_seq = last_seq + $2, log_lines = log_lines + $3 where id = $1 \
         returning last_seq, organization_id",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<BigInt, _>(total)
    .bind::<BigInt, _>(lines)
    .get_result(conn)
    .await?;
    if total == 0 {
        return Ok(taken.last_seq);
    }
    let rows = Rows::number(events, taken.last_seq - total);
    rows.insert(conn, run_id, taken.organization_id).await?;
    diesel::sql_query("select pg_notify('run', $1)")
        .bind::<Text, _>(run_id.to_string())
        .execute(conn)
        .await?;
    Ok(taken.last_seq)
}

/// Columns of the rows to be written.
#[derive(Default)]
struct Rows {
    seq: Vec<i64>,
    first_seq: Vec<i64>,
    kind: Vec<&'static str>,
    payload: Vec<Value>,
    lines: Vec<(i64, LogLineEvent)>,
}

impl Rows {
    fn number(events: Vec<NewEvent>, mut last: i64) -> Self {
        let mut rows = Self::default();
        for event in events {
            let first = last + 1;
            let (kind, payload) = match event {
                NewEvent::One(event) => {
                    last += 1;
                    payload_of(&event)
                }
                NewEvent::Lines(lines) if lines.is_empty() => continue,
                NewEvent::Lines(lines) => {
                    rows.lines.extend((first..).zip(lines.iter().cloned()));
                    last += lines.len() as i64;
                    ("log_line", Value::Object(serde_json::Map::new()))
                }
            };
            rows.first_seq.push(first);
            rows.seq.push(last);
            rows.kind.push(kind);
            rows.payload.push(payload);
        }
        rows
    }

    async fn insert(self, conn: &mut AsyncPgConnection, run_id: Uuid, organization: Uuid) -> QueryResult<()> {
        diesel::sql_query(
            "insert into run_events (run_id, organization_id, seq, first_seq, kind, payload) \
             select $1, $2, e.* from unnest($3, $4, $5, $6) e",
        )
        .bind::<SqlUuid, _>(run_id)
        .bind::<SqlUuid, _>(organization)
        .bind::<Array<BigInt>, _>(self.seq)
        .bind::<Array<BigInt>, _>(self.first_seq)
        .bind::<Array<Text>, _>(self.kind)
        .bind::<Array<Jsonb>, _>(self.payload)
        .execute(conn)
        .await?;
        if self.lines.is_empty() {
            return Ok(());
        }
        insert_lines(conn, run_id, organization, &self.lines).await
    }
}

async fn insert_lines(
    conn: &mut AsyncPgConnection,
    run_id: Uuid,
    organization: Uuid,
    lines: &[(i64, LogLineEvent)],
) -> QueryResult<()> {
    let column = |f: fn(&LogLineEvent) -> &str| lines.iter().map(|(_, l)| f(l)).collect::<Vec<_>>();
    diesel::sql_query(
        "insert into run_logs (run_id, organization_id, seq, attempt, stream, byte_offset, timestamp, level, message) \
         select $1, $2, l.* from unnest($3, $4, $5, $6, $7, $8, $9) l",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(organization)
    .bind::<Array<BigInt>, _>(lines.iter().map(|(seq, _)| *seq).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines.iter().map(|(_, l)| l.attempt).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(column(|l| l.stream.as_str()))
    .bind::<Array<BigInt>, _>(lines.iter().map(|(_, l)| l.byte_offset).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(lines.iter().map(|(_, l)| l.timestamp).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(column(|l| l.level.as_str()))
    .bind::<Array<Text>, _>(column(|l| &l.message))
    .execute(conn)
    .await
    .map(|_| ())
}

/// The kind and the data of a message. The strings of a JSON value may hold `\0`, which
/// PostgreSQL refuses.
fn payload_of(event: &LiveEvent) -> (&'static str, Value) {
    let kind = match event {
        LiveEvent::Progress(_) => "progress",
        LiveEvent::MetricUpdate(_) => "metric_update",
        LiveEvent::LogLine(_) => "log_line",
        LiveEvent::Status(_) => "status",
        LiveEvent::Error(_) => "error",
    };
    let mut value = serde_json::to_value(event).unwrap_or_default();
    (kind, without_nul(value["data"].take()))
}

/// The value with every NUL in its texts replaced by U+FFFD, as `jsonb` takes none.
pub fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{FFFD}")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => {
            let clean = |(k, v): (String, Value)| (k.replace('\0', "\u{FFFD}"), without_nul(v));
            Value::Object(fields.into_iter().map(clean).collect())
        }
        other => other,
    }
}

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
    let events: Vec<EventRow> = diesel::sql_query(
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
    diesel::sql_query(
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
            page.frames.push(frame_of(&event));
            continue;
        }
        while let Some(line) = lines.next_if(|l| l.seq <= event.seq) {
            page.frames.push(line_frame(line));
        }
        if cut.is_some_and(|cut| cut < event.seq) {
            page.more = true;
            return page;
        }
    }
    page
}

fn frame_of(event: &EventRow) -> Frame {
    let kind = match event.kind.as_str() {
        "progress" => Kind::Progress,
        "metric_update" => Kind::MetricUpdate,
        "status" => Kind::Status,
        _ => Kind::Error,
    };
    let (seq, name, data) = (event.seq, &event.kind, &event.payload);
    let text = format!(r#"{{"seq":{seq},"type":"{name}","data":{data}}}"#);
    Frame {
        seq,
        kind,
        text: text.into(),
    }
}

fn line_frame(line: LineRow) -> Frame {
    let seq = line.seq;
    let message = LiveMessage {
        seq,
        event: LiveEvent::LogLine(line.into()),
    };
    Frame {
        seq,
        kind: Kind::LogLine,
        text: serde_json::to_vec(&message).unwrap_or_default().into(),
    }
}

/// Drops progress that a later one has superseded.
pub async fn prune_progress(conn: &mut AsyncPgConnection, run_id: Uuid) -> QueryResult<usize> {
    diesel::sql_query(
        "delete from run_events where run_id = $1 and kind = 'progress' and seq < \
         (select max(seq) from run_events where run_id = $1 and kind = 'progress')",
    )
    .bind::<SqlUuid, _>(run_id)
    .execute(conn)
    .await
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

/// The transitions of a run with their reasons, oldest first.
pub async fn timeline(conn: &mut AsyncPgConnection, run_id: Uuid) -> QueryResult<Vec<TimelineEntry>> {
    use crate::db::schema::run_events;
    let rows: Vec<(i64, DateTime<Utc>, Value)> = run_events::table
        .filter(run_events::run_id.eq(run_id).and(run_events::kind.eq("status")))
        .order(run_events::seq)
        .select((run_events::seq, run_events::at, run_events::payload))
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(seq, at, data)| entry(seq, at, data))
        .collect())
}

fn entry(seq: i64, written: DateTime<Utc>, data: Value) -> Option<TimelineEntry> {
    let event: StatusEvent = serde_json::from_value(data).ok()?;
    let state = match (&event.benchmark_status, &event.attempt_state, &event.status) {
        (Some(status), _, _) => format!("benchmark {status}"),
        (None, Some(state), _) => format!("attempt {} {state}", event.attempt.unwrap_or_default()),
        (None, None, Some(_)) if event.cancelling => "cancelling".to_owned(),
        (None, None, Some(status)) => status.to_string(),
        (None, None, None) => "notice".to_owned(),
    };
    Some(TimelineEntry {
        seq,
        at: event.at.unwrap_or(written),
        state,
        reason: event.reason,
        benchmark: event.benchmark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{LogLevel, LogStream};

    fn line(n: i64) -> LogLineEvent {
        LogLineEvent {
            timestamp: DateTime::UNIX_EPOCH,
            level: LogLevel::Info,
            message: format!("line {n}"),
            stream: LogStream::Stderr,
            attempt: 1,
            byte_offset: n,
        }
    }

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
    fn numbers_have_no_gap() {
        let status = || NewEvent::One(LiveEvent::Status(StatusEvent::default()));
        let rows = Rows::number(
            vec![
                status(),
                NewEvent::Lines(vec![line(0), line(1)]),
                NewEvent::Lines(vec![]),
                status(),
            ],
            7,
        );
        assert_eq!(rows.first_seq, [8, 9, 11]);
        assert_eq!(rows.seq, [8, 10, 11]);
        let lines: Vec<_> = rows.lines.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(lines, [9, 10]);
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
        let frame = frame_of(&EventRow {
            payload: r#"{"message": "disk full"}"#.into(),
            ..event_row(3, 3, "error")
        });
        let message: LiveMessage = serde_json::from_slice(&frame.text).unwrap();
        assert_eq!(message.seq, 3);
        assert!(matches!(message.event, LiveEvent::Error(e) if e.message == "disk full"));
    }
}
