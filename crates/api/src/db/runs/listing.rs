//! The table of runs: filters, pages, summaries and counts.
//!
//! A row of it has no settings and no plan: they are most of what a run weighs, and a list shows none of them.

use crate::db::run_benchmarks::{self, Brief};
use crate::db::schema::{models, runs};
use crate::db::{Conn, statement};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, HashMap};
use types::{ApiTokenId, ModelId, OrganizationId, RunId, RunStatus, RunSummary, UserId};
use uuid::Uuid;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this organization.
    pub organization: Option<OrganizationId>,
    /// Only with one of these statuses; all when empty.
    pub status: Vec<RunStatus>,
    /// Only of this model.
    pub model: Option<ModelId>,
    /// Only by this person or token.
    pub creator: Option<Creator>,
    /// Only created at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only created before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only where the name of run, model or benchmark holds this text.
    pub search: Option<String>,
}

/// What a list shows of a run.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
struct ListedRow {
    id: Uuid,
    name: String,
    model_id: Uuid,
    checkpoint_variant: String,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    status: String,
    outcome: Option<String>,
    error_message: Option<String>,
    total_tasks: i32,
    completed_tasks: i32,
    gpu_device_id: Option<String>,
    degraded: bool,
    demo: bool,
    created_by: Option<Uuid>,
    cancel_requested_at: Option<DateTime<Utc>>,
    last_seq: i64,
    current_run_benchmark_id: Option<Uuid>,
    progress_percent: f64,
    items_per_second: Option<f64>,
    eta_seconds: Option<i64>,
}

/// Who creates runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creator {
    /// A person.
    User(UserId),
    /// An API token.
    Token(ApiTokenId),
}

impl Filter {
    /// Whether nothing but the organization and the status is asked for.
    fn is_whole(&self) -> bool {
        let Self {
            organization: _,
            status: _,
            model,
            creator,
            since,
            until,
            search,
        } = self;
        model.is_none() && creator.is_none() && since.is_none() && until.is_none() && search.is_none()
    }
}

type Source = diesel::dsl::InnerJoinQuerySource<runs::table, models::table>;
type Condition<'a> = Box<dyn BoxableExpression<Source, Pg, SqlType = Bool> + 'a>;

/// Everything but the status.
fn condition(filter: &Filter) -> Condition<'_> {
    let mut all: Condition<'_> = Box::new(runs::id.is_not_null());
    if let Some(organization) = filter.organization {
        all = Box::new(all.and(runs::organization_id.eq(organization.0)));
    }
    if let Some(model) = filter.model {
        all = Box::new(all.and(runs::model_id.eq(model.0)));
    }
    match filter.creator {
        Some(Creator::User(id)) => all = Box::new(all.and(runs::created_by.eq(id.0).assume_not_null())),
        Some(Creator::Token(id)) => {
            all = Box::new(all.and(runs::created_by_token.eq(id.0).assume_not_null()));
        }
        None => {}
    }
    if let Some(since) = filter.since {
        all = Box::new(all.and(runs::created_at.ge(since)));
    }
    if let Some(until) = filter.until {
        all = Box::new(all.and(runs::created_at.lt(until)));
    }
    if let Some(search) = &filter.search {
        let pattern = format!("%{}%", escape_like(search));
        let by_benchmark = runs::id.eq_any(run_benchmarks::named_like(pattern.clone()));
        let by_name = runs::name.ilike(pattern.clone()).or(models::name.ilike(pattern));
        all = Box::new(all.and(by_name.or(by_benchmark)));
    }
    all
}

/// The text with LIKE's own signs escaped.
pub fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// A page of runs, newest first.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: i64, offset: i64) -> QueryResult<Vec<RunSummary>> {
    let statuses: Vec<&str> = match filter.status.as_slice() {
        [] => RunStatus::ALL.iter().map(|s| s.as_str()).collect(),
        some => some.iter().map(|s| s.as_str()).collect(),
    };
    let rows: Vec<(ListedRow, String)> = runs::table
        .inner_join(models::table)
        .filter(condition(filter).and(runs::status.eq_any(statuses)))
        .order((runs::created_at.desc(), runs::id.desc()))
        .limit(limit)
        .offset(offset)
        .select((ListedRow::as_select(), models::name))
        .load(conn)
        .await?;
    summaries(conn, rows).await
}

/// The summary of one run.
pub async fn summary(conn: &mut Conn, id: RunId) -> QueryResult<Option<RunSummary>> {
    let row = runs::table
        .inner_join(models::table)
        .filter(runs::id.eq(id.0))
        .select((ListedRow::as_select(), models::name))
        .first(conn)
        .await
        .optional()?;
    Ok(summaries(conn, row.into_iter().collect()).await?.pop())
}

async fn summaries(conn: &mut Conn, rows: Vec<(ListedRow, String)>) -> QueryResult<Vec<RunSummary>> {
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.id).collect();
    let mut briefs = run_benchmarks::briefs(conn, &ids).await?;
    let queued: Vec<Uuid> = rows
        .iter()
        .filter(|(r, _)| r.status == "queued")
        .map(|(r, _)| r.id)
        .collect();
    let positions = queue_positions(conn, queued).await?;
    let summarise = |(row, model): (ListedRow, String)| {
        let brief = briefs.remove(&row.id).unwrap_or_default();
        let position = positions.get(&row.id).copied();
        summary_of(row, model, brief, position)
    };
    Ok(rows.into_iter().map(summarise).collect())
}

fn summary_of(
    row: ListedRow,
    model_name: String,
    brief: Vec<Brief>,
    queue_position: Option<u32>,
) -> RunSummary {
    let status = row.status.parse().unwrap_or(RunStatus::Failed);
    let live = !status.is_terminal();
    let current = row.current_run_benchmark_id.filter(|_| live);
    let mut counts = BTreeMap::new();
    for b in &brief {
        *counts.entry(b.status).or_insert(0) += 1;
    }
    RunSummary {
        id: row.id.into(),
        name: row.name,
        model_id: row.model_id.into(),
        model_name,
        checkpoint_variant: row.checkpoint_variant,
        status,
        cancelling: row.cancel_requested_at.is_some() && live,
        outcome: row.outcome.as_deref().and_then(|o| o.parse().ok()),
        error_message: row.error_message,
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
        total_tasks: u32::try_from(row.total_tasks).unwrap_or(0),
        completed_tasks: u32::try_from(row.completed_tasks).unwrap_or(0),
        progress_percent: row.progress_percent,
        items_per_second: row.items_per_second.filter(|_| live),
        eta_seconds: row
            .eta_seconds
            .filter(|_| live)
            .and_then(|s| u64::try_from(s).ok()),
        current_benchmark: brief
            .iter()
            .find(|b| Some(b.id) == current)
            .map(|b| b.name.clone()),
        benchmark_names: brief.into_iter().map(|b| b.name).collect(),
        benchmark_counts: counts,
        gpu_device_id: row.gpu_device_id,
        queue_position,
        created_by: row.created_by.map(Into::into),
        created_by_name: None,
        last_seq: row.last_seq,
        degraded: row.degraded,
        demo: row.demo,
    }
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    place: i64,
}

/// The places of waiting runs among those that the caller may see.
async fn queue_positions(conn: &mut Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, u32>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Position> = statement(
        "select id, place from (select id, row_number() over (order by priority desc, queued_at, id) as place \
         from runs where status = 'queued') queue where id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    let place = |p: Position| (p.id, u32::try_from(p.place).unwrap_or(u32::MAX));
    Ok(found.into_iter().map(place).collect())
}

/// How many runs match per status, whatever status is asked for.
pub async fn counts(conn: &mut Conn, filter: &Filter) -> QueryResult<BTreeMap<RunStatus, u64>> {
    let found: Vec<(String, i64)> = match filter.organization.filter(|_| filter.is_whole()) {
        Some(organization) => counts_of(conn, organization).await?,
        None => {
            runs::table
                .inner_join(models::table)
                .filter(condition(filter))
                .group_by(runs::status)
                .select((runs::status, diesel::dsl::count_star()))
                .load(conn)
                .await?
        }
    };
    let counted = |(status, n): (String, i64)| Some((status.parse().ok()?, u64::try_from(n).ok()?));
    Ok(found.into_iter().filter_map(counted).collect())
}

/// Of everything that an organization has: this is what the page of runs asks each time, and an index answers it alone.
async fn counts_of(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<(String, i64)>> {
    runs::table
        .filter(runs::organization_id.eq(organization.0))
        .group_by(runs::status)
        .select((runs::status, diesel::dsl::count_star()))
        .load(conn)
        .await
}
