//! Pages of parsed output.

use super::Conn;
use super::events::LineRow;
use super::schema::run_logs;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{LogLevel, LogLine, RunId};

/// Which lines.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// At least this loud.
    pub level: Option<LogLevel>,
    /// Holding this text, whatever its case.
    pub search: Option<String>,
    /// Of this attempt.
    pub attempt: Option<i32>,
}

/// Where a page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The lines after this number.
    After(i64),
    /// The lines before this number.
    Before(i64),
    /// The last lines.
    Tail,
}

type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, run_logs::table, diesel::pg::Pg>;

fn filtered(run: RunId, filter: &Filter) -> Boxed<'_> {
    let mut query = run_logs::table.filter(run_logs::run_id.eq(run.0)).into_boxed();
    if let Some(level) = filter.level {
        let louder: Vec<_> = LogLevel::ALL
            .iter()
            .filter(|l| **l >= level)
            .map(|l| l.as_str())
            .collect();
        query = query.filter(run_logs::level.eq_any(louder));
    }
    if let Some(search) = &filter.search {
        let pattern = format!("%{}%", super::runs::escape_like(search));
        query = query.filter(run_logs::message.ilike(pattern));
    }
    if let Some(attempt) = filter.attempt {
        query = query.filter(run_logs::attempt.eq(attempt));
    }
    query
}

#[derive(Queryable)]
struct Row {
    seq: i64,
    attempt: i32,
    stream: String,
    byte_offset: i64,
    timestamp: chrono::DateTime<chrono::Utc>,
    level: String,
    message: String,
}

/// A page of lines, oldest first, at most `limit`.
pub async fn page(
    conn: &mut Conn,
    run: RunId,
    filter: &Filter,
    place: Place,
    limit: i64,
) -> QueryResult<Vec<LogLine>> {
    let query = filtered(run, filter);
    let query = match place {
        Place::After(seq) => query.filter(run_logs::seq.gt(seq)).order(run_logs::seq.asc()),
        Place::Before(seq) => query.filter(run_logs::seq.lt(seq)).order(run_logs::seq.desc()),
        Place::Tail => query.order(run_logs::seq.desc()),
    };
    let rows: Vec<Row> = query
        .limit(limit)
        .select((
            run_logs::seq,
            run_logs::attempt,
            run_logs::stream,
            run_logs::byte_offset,
            run_logs::timestamp,
            run_logs::level,
            run_logs::message,
        ))
        .load(conn)
        .await?;
    let mut lines: Vec<LogLine> = rows.into_iter().map(line_of).collect();
    if !matches!(place, Place::After(_)) {
        lines.reverse();
    }
    Ok(lines)
}

fn line_of(row: Row) -> LogLine {
    let seq = row.seq;
    let row = LineRow {
        seq,
        attempt: row.attempt,
        stream: row.stream,
        byte_offset: row.byte_offset,
        timestamp: row.timestamp,
        level: row.level,
        message: row.message,
    };
    LogLine {
        seq,
        line: row.into(),
    }
}

/// How many lines match.
pub async fn count(conn: &mut Conn, run: RunId, filter: &Filter) -> QueryResult<i64> {
    filtered(run, filter).count().get_result(conn).await
}

/// Whether a matching line lies on the other side of `seq`.
pub async fn exists_beyond(conn: &mut Conn, run: RunId, filter: &Filter, place: Place) -> QueryResult<bool> {
    Ok(!page(conn, run, filter, place, 1).await?.is_empty())
}
