//! `GET /runs/{run_id}/logs`

use super::{access, raw};
use crate::auth::Principal;
use crate::db::{Conn, logs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use types::{LogLevel, LogPage, LogStream, MAX_LOG_LINES, RunId};

/// Most lines of a page.
const MAX_LINES: u32 = 2000;

/// Which lines, or which bytes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetLogs {
    /// Lines at least this loud.
    level: Option<LogLevel>,
    /// Lines with this text.
    search: Option<String>,
    /// The lines after this cursor.
    cursor: Option<String>,
    /// The lines before this cursor.
    before: Option<String>,
    /// Lines of a page, at most 2000.
    limit: Option<u32>,
    /// Only of the attempt with this number; of raw bytes the last when absent.
    attempt: Option<i32>,
    /// The last lines.
    #[serde(default)]
    tail: bool,
    /// The bytes of an output instead of parsed lines; takes `Range`.
    raw: Option<LogStream>,
}

/// A page of parsed lines, or the raw bytes of an output.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/logs",
    tag = "runs", operation_id = "get_run_logs",
    params(("run_id" = String, Path), GetLogs),
    responses((status = 200, content((LogPage = "application/json"), (Vec<u8> = "application/octet-stream"))),
        (status = 206, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub async fn get_run_logs(
    state: web::Data<AppState>,
    principal: Principal,
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<GetLogs>,
) -> AppResult<HttpResponse> {
    let id = access::run_id(&path)?;
    if let Some(stream) = query.raw {
        return raw::answer(&state, &principal, &request, id, stream, query.attempt).await;
    }
    let asked = Asked::of(query.into_inner())?;
    let page = state
        .db
        .user(&principal, async |conn: &mut Conn| page(conn, id, &asked).await)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

struct Asked {
    filter: logs::Filter,
    place: logs::Place,
    limit: i64,
}

impl Asked {
    fn of(query: GetLogs) -> AppResult<Self> {
        let limit = query.limit.unwrap_or(500);
        if !(1..=MAX_LINES).contains(&limit) {
            return Err(AppError::field(
                "limit",
                format!("is {limit}; expected 1 to {MAX_LINES}"),
            ));
        }
        let place = match (query.cursor, query.before, query.tail) {
            (None, None, true) => logs::Place::Tail,
            (None, None, false) => logs::Place::After(0),
            (Some(cursor), None, false) => logs::Place::After(number("cursor", &cursor)?),
            (None, Some(before), false) => logs::Place::Before(number("before", &before)?),
            _ => {
                return Err(AppError::field(
                    "cursor",
                    "is given with `before` or `tail`; expected one of the three",
                ));
            }
        };
        Ok(Self {
            filter: logs::Filter {
                level: query.level,
                search: query
                    .search
                    .filter(|s| !s.is_empty())
                    .map(|s| s.replace('\0', "")),
                attempt: query.attempt,
            },
            place,
            limit: i64::from(limit),
        })
    }
}

fn number(field: &str, cursor: &str) -> AppResult<i64> {
    cursor
        .parse()
        .map_err(|_| AppError::field(field, format!("is `{cursor}`; expected one that a page returned")))
}

async fn page(conn: &mut Conn, id: RunId, asked: &Asked) -> AppResult<LogPage> {
    let run = access::visible(conn, id).await?;
    let lines = logs::page(conn, id, &asked.filter, asked.place, asked.limit).await?;
    let (first, last) = (lines.first().map(|l| l.seq), lines.last().map(|l| l.seq));
    let (mut next_cursor, mut previous_cursor) = (None, None);
    if let Some(seq) = last
        && logs::exists_beyond(conn, id, &asked.filter, logs::Place::After(seq)).await?
    {
        next_cursor = Some(seq.to_string());
    }
    if let Some(seq) = first
        && logs::exists_beyond(conn, id, &asked.filter, logs::Place::Before(seq)).await?
    {
        previous_cursor = Some(seq.to_string());
    }
    Ok(LogPage {
        total: u64::try_from(logs::count(conn, id, &asked.filter).await?).unwrap_or(0),
        lines,
        next_cursor,
        previous_cursor,
        truncated_at: (run.log_lines >= MAX_LOG_LINES).then_some(MAX_LOG_LINES),
    })
}
