//! The live sequence of a run. [`append`] is the only writer of `run_events` and `run_logs`.

mod reading;
mod timeline;

pub use reading::{Frame, Kind, LineRow, Page, positions, read_after};
pub use timeline::timeline;

use super::{Conn, statement};
use chrono::SubsecRound;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
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

/// Appends to the sequence of a run in the caller's transaction, and wakes those who listen.
/// Returns the last number taken. The row of the run stays locked until the end of the
/// transaction, so that the order of commits is the order of the numbers.
pub async fn append(conn: &mut Conn, run_id: Uuid, events: Vec<NewEvent>) -> QueryResult<i64> {
    Rows::of(events).insert(conn, run_id).await
}

/// As [`append`]; returns the messages, for those who follow the run in this process. Nobody may be told of them
/// before the transaction is committed.
pub async fn append_told(conn: &mut Conn, run_id: Uuid, events: Vec<NewEvent>) -> QueryResult<Vec<Frame>> {
    let rows = Rows::of(events);
    let last = rows.insert(conn, run_id).await?;
    Ok(rows.frames(last - rows.last()))
}

/// Rows to be written, in columns. They are numbered from 1: where the sequence stands, the database adds.
#[derive(Debug, Default)]
struct Rows {
    seq: Vec<i64>,
    first_seq: Vec<i64>,
    kind: Vec<&'static str>,
    payload: Vec<Value>,
    lines: Vec<(i64, LogLineEvent)>,
}

impl Rows {
    fn of(events: Vec<NewEvent>) -> Self {
        let (mut rows, mut last) = (Self::default(), 0);
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

    /// The last number.
    fn last(&self) -> i64 {
        self.seq.last().copied().unwrap_or(0)
    }

    /// The messages as a later reader finds them, behind the number `base`.
    fn frames(&self, base: i64) -> Vec<Frame> {
        let mut lines = self.lines.iter().peekable();
        let mut frames = Vec::with_capacity(self.seq.len() + self.lines.len());
        for (row, &seq) in self.seq.iter().enumerate() {
            if self.kind[row] == COVER {
                while let Some((seq, line)) = lines.next_if(|(at, _)| *at <= seq) {
                    frames.push(reading::line_frame(base + *seq, line.clone()));
                }
            } else {
                let data = self.payload[row].to_string();
                frames.push(reading::frame_of(base + seq, self.kind[row], &data));
            }
        }
        frames
    }

    fn of_lines<'a, T>(&'a self, value: impl Fn(&'a LogLineEvent) -> T) -> Vec<T> {
        self.lines.iter().map(|(_, line)| value(line)).collect()
    }

    /// One message to the database, and one to those who listen. Returns the last number of the sequence.
    async fn insert(&self, conn: &mut Conn, run_id: Uuid) -> QueryResult<i64> {
        #[derive(QueryableByName)]
        struct Taken {
            #[diesel(sql_type = BigInt)]
            last_seq: i64,
        }
        let taken: Taken = statement(APPEND)
            .bind::<SqlUuid, _>(run_id)
            .bind::<BigInt, _>(self.last())
            .bind::<Array<BigInt>, _>(&self.seq)
            .bind::<Array<BigInt>, _>(&self.first_seq)
            .bind::<Array<Text>, _>(&self.kind)
            .bind::<Array<Jsonb>, _>(&self.payload)
            .bind::<Array<BigInt>, _>(self.lines.iter().map(|(seq, _)| *seq).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(self.of_lines(|line| line.attempt))
            .bind::<Array<Text>, _>(self.of_lines(|line| line.stream.as_str()))
            .bind::<Array<BigInt>, _>(self.of_lines(|line| line.byte_offset))
            .bind::<Array<Timestamptz>, _>(self.of_lines(|line| line.timestamp))
            .bind::<Array<Text>, _>(self.of_lines(|line| line.level.as_str()))
            .bind::<Array<Text>, _>(self.of_lines(|line| line.message.as_str()))
            .get_result(conn)
            .await?;
        Ok(taken.last_seq)
    }
}

/// The numbers, the lines, the events and the notification: all that a batch says, in one round trip.
const APPEND: &str = "\
    with r as (update runs set last_seq = last_seq + $2, log_lines = log_lines + cardinality($7::bigint[]) where id = $1 \
        returning organization_id, last_seq, last_seq - $2 as base), \
      l as (insert into run_logs (run_id, organization_id, seq, attempt, stream, byte_offset, timestamp, level, message) \
        select $1, r.organization_id, r.base + l.seq, l.attempt, l.stream, l.at, l.time, l.level, l.message \
        from r, unnest($7::bigint[], $8::integer[], $9::text[], $10::bigint[], $11::timestamptz[], $12::text[], $13::text[]) \
          l (seq, attempt, stream, at, time, level, message)), \
      e as (insert into run_events (run_id, organization_id, seq, first_seq, kind, payload) \
        select $1, r.organization_id, r.base + e.seq, r.base + e.first_seq, e.kind, e.payload \
        from r, unnest($3::bigint[], $4::bigint[], $5::text[], $6::jsonb[]) e (seq, first_seq, kind, payload)) \
    select last_seq, case when $2 > 0 then pg_notify('run', $1::text || ' ' || last_seq::text) end from r";

/// A line as the database gives it back: it counts microseconds and takes no NUL.
fn stored(mut line: LogLineEvent) -> LogLineEvent {
    line.timestamp = line.timestamp.trunc_subsecs(6);
    if line.message.contains('\0') {
        line.message = line.message.replace('\0', "\u{FFFD}");
    }
    line
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
    statement(
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
        let rows = Rows::of(vec![
            status(),
            NewEvent::Lines(vec![line(0), line(1)]),
            NewEvent::Lines(vec![]),
            status(),
        ]);
        assert_eq!(rows.first_seq, [1, 2, 4]);
        assert_eq!(rows.seq, [1, 3, 4]);
        let lines: Vec<_> = rows.lines.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(lines, [2, 3]);
        let frames: Vec<_> = rows.frames(7).iter().map(|frame| frame.seq).collect();
        assert_eq!(frames, [8, 9, 10, 11]);
    }
}
