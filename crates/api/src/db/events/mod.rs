//! The live sequence of a run. [`append`] is the only writer of `run_events` and `run_logs`.

mod reading;
mod timeline;

pub use reading::{Frame, Kind, LineRow, Page, positions, read_after};
pub use timeline::timeline;

use super::Conn;
use super::copy::{self, Target};
use chrono::SubsecRound;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{LiveEvent, LogLineEvent};
use uuid::Uuid;

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

/// The kind of the row that covers lines of output.
const COVER: &str = "log_line";

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
pub async fn append(conn: &mut Conn, run_id: Uuid, events: Vec<NewEvent>) -> QueryResult<i64> {
    let (last_seq, rows) = number(conn, run_id, events).await?;
    if let Some((rows, organization)) = rows {
        rows.insert(conn, run_id, organization).await?;
    }
    Ok(last_seq)
}

/// As [`append`]; returns the messages, for those who follow the run in this process. Nobody may be told of them
/// before the transaction is committed.
pub async fn append_told(conn: &mut Conn, run_id: Uuid, events: Vec<NewEvent>) -> QueryResult<Vec<Frame>> {
    let (_, rows) = number(conn, run_id, events).await?;
    let Some((rows, organization)) = rows else {
        return Ok(Vec::new());
    };
    let frames = rows.frames();
    rows.insert(conn, run_id, organization).await?;
    Ok(frames)
}

/// Takes the numbers for these events: the last one, and the rows to be written with their organization.
async fn number(
    conn: &mut Conn,
    run_id: Uuid,
    events: Vec<NewEvent>,
) -> QueryResult<(i64, Option<(Rows, Uuid)>)> {
    let lines = |e: &NewEvent| match e {
        NewEvent::One(_) => 0,
        NewEvent::Lines(lines) => lines.len() as i64,
    };
    let of_lines: i64 = events.iter().map(lines).sum();
    let total = of_lines + events.iter().filter(|e| matches!(e, NewEvent::One(_))).count() as i64;
    let taken: Taken = diesel::sql_query(
        "update runs set last_seq = last_seq + $2, log_lines = log_lines + $3 where id = $1 \
         returning last_seq, organization_id",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<BigInt, _>(total)
    .bind::<BigInt, _>(of_lines)
    .get_result(conn)
    .await?;
    let rows = (total > 0).then(|| Rows::number(events, taken.last_seq - total));
    Ok((taken.last_seq, rows.map(|rows| (rows, taken.organization_id))))
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
                    last += lines.len() as i64;
                    rows.lines.extend((first..).zip(lines.into_iter().map(stored)));
                    (COVER, Value::Object(serde_json::Map::new()))
                }
            };
            rows.first_seq.push(first);
            rows.seq.push(last);
            rows.kind.push(kind);
            rows.payload.push(payload);
        }
        rows
    }

    /// The messages as a later reader finds them.
    fn frames(&self) -> Vec<Frame> {
        let mut lines = self.lines.iter().peekable();
        let mut frames = Vec::with_capacity(self.seq.len() + self.lines.len());
        for (row, &seq) in self.seq.iter().enumerate() {
            if self.kind[row] == COVER {
                while let Some((seq, line)) = lines.next_if(|(at, _)| *at <= seq) {
                    frames.push(reading::line_frame(*seq, line.clone()));
                }
            } else {
                frames.push(reading::frame_of(
                    seq,
                    self.kind[row],
                    &self.payload[row].to_string(),
                ));
            }
        }
        frames
    }

    /// One message to the database for everything but lines of output, which come with a statement of their own.
    async fn insert(self, conn: &mut Conn, run_id: Uuid, organization: Uuid) -> QueryResult<()> {
        if !self.lines.is_empty() {
            copy_lines(conn, run_id, organization, &self.lines).await?;
        }
        let last = self.seq.last().copied().unwrap_or(0);
        diesel::sql_query(
            "with e as (insert into run_events (run_id, organization_id, seq, first_seq, kind, payload) \
             select $1, $2, e.* from unnest($3, $4, $5, $6) e) select pg_notify('run', $1::text || ' ' || $7::text)",
        )
        .bind::<SqlUuid, _>(run_id)
        .bind::<SqlUuid, _>(organization)
        .bind::<Array<BigInt>, _>(self.seq)
        .bind::<Array<BigInt>, _>(self.first_seq)
        .bind::<Array<Text>, _>(self.kind)
        .bind::<Array<Jsonb>, _>(self.payload)
        .bind::<BigInt, _>(last)
        .execute(conn)
        .await
        .map(|_| ())
    }
}

/// A line as the database gives it back: it counts microseconds.
fn stored(mut line: LogLineEvent) -> LogLineEvent {
    line.timestamp = line.timestamp.trunc_subsecs(6);
    line
}

/// Where lines are copied to.
const LINES: Target = Target {
    table: "run_logs",
    columns: &[
        "run_id",
        "organization_id",
        "seq",
        "attempt",
        "stream",
        "byte_offset",
        "timestamp",
        "level",
        "message",
    ],
};

async fn copy_lines(
    conn: &mut Conn,
    run_id: Uuid,
    organization: Uuid,
    lines: &[(i64, LogLineEvent)],
) -> QueryResult<()> {
    let mut rows = copy::Rows::default();
    for (seq, line) in lines {
        rows.begin(&LINES);
        rows.uuid(run_id);
        rows.uuid(organization);
        rows.int8(*seq);
        rows.int4(line.attempt);
        rows.text(line.stream.as_str());
        rows.int8(line.byte_offset);
        rows.timestamp(line.timestamp);
        rows.text(line.level.as_str());
        rows.text(&line.message);
    }
    copy::few(conn, &LINES, rows).await
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

/// Drops progress that a later one has superseded.
pub async fn prune_progress(conn: &mut Conn, run_id: Uuid) -> QueryResult<usize> {
    diesel::sql_query(
        "delete from run_events where run_id = $1 and kind = 'progress' and seq < \
         (select max(seq) from run_events where run_id = $1 and kind = 'progress')",
    )
    .bind::<SqlUuid, _>(run_id)
    .execute(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use types::{LogLevel, LogStream, StatusEvent};

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
        let frames: Vec<_> = rows.frames().iter().map(|frame| frame.seq).collect();
        assert_eq!(frames, [8, 9, 10, 11]);
    }
}
