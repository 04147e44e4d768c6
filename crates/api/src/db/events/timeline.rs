//! What happened to a run, in order.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use types::{StatusEvent, TimelineEntry};
use uuid::Uuid;

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
