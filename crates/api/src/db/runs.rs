//! Runs: creating, finding, listing, and the status changes of people.

use super::Conn;
use super::run_benchmarks::{self, Brief};
use super::schema::{models, runs};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use types::{ModelId, OrganizationId, RunId, RunStatus, RunSummary};
use uuid::Uuid;

/// A run as it is stored, without the queue's own columns.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = runs)]
pub struct RunRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// The model.
    pub model_id: Uuid,
    /// The resolved variant.
    pub checkpoint_variant: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Where it is.
    pub status: String,
    /// Why the last attempt ended.
    pub outcome: Option<String>,
    /// In one sentence.
    pub error_message: Option<String>,
    /// Distinct leaf tasks.
    pub total_tasks: i32,
    /// Those that are committed.
    pub completed_tasks: i32,
    /// GPUs held.
    pub gpu_device_id: Option<String>,
    /// The settings as given.
    pub config: Value,
    /// What was resolved.
    pub plan: Value,
    /// Whether a result is to be used with care.
    pub degraded: bool,
    /// Whether it belongs to the demo.
    pub demo: bool,
    /// Who created it.
    pub created_by: Option<Uuid>,
    /// When somebody asked to stop it.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// The number of its last attempt.
    pub epoch: i32,
    /// The last number of its sequence.
    pub last_seq: i64,
    /// Lines of output kept.
    pub log_lines: i64,
    /// The benchmark under way.
    pub current_run_benchmark_id: Option<Uuid>,
    /// How far that is.
    pub live: Value,
    /// 0 to 100.
    pub progress_percent: f64,
    /// Documents per second.
    pub items_per_second: Option<f64>,
    /// Seconds to the expected end.
    pub eta_seconds: Option<i64>,
}

impl RunRow {
    /// Where it is.
    pub fn status(&self) -> RunStatus {
        self.status.parse().unwrap_or(RunStatus::Failed)
    }

    /// Whether a cancel is under way.
    pub fn is_cancelling(&self) -> bool {
        self.cancel_requested_at.is_some() && !self.status().is_terminal()
    }
}

/// A run to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = runs)]
pub struct NewRun {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// The model.
    pub model_id: Uuid,
    /// The resolved variant.
    pub checkpoint_variant: String,
    /// Distinct leaf tasks.
    pub total_tasks: i32,
    /// The settings as given.
    pub config: Value,
    /// What was resolved.
    pub plan: Value,
    /// Whether it belongs to the demo.
    pub demo: bool,
    /// Who created it.
    pub created_by: Option<Uuid>,
    /// With which token.
    pub created_by_token: Option<Uuid>,
    /// Seconds to the expected end.
    pub eta_seconds: Option<i64>,
}

/// Stores a run.
pub async fn insert(conn: &mut Conn, run: NewRun) -> QueryResult<()> {
    diesel::insert_into(runs::table)
        .values(run)
        .execute(conn)
        .await
        .map(|_| ())
}

/// The run with this id, as far as the caller may see it.
pub async fn find(conn: &mut Conn, id: RunId) -> QueryResult<Option<RunRow>> {
    runs::table
        .find(id.0)
        .select(RunRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// The run with this id, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: RunId) -> QueryResult<Option<RunRow>> {
    let query = runs::table.find(id.0).select(RunRow::as_select());
    query.for_no_key_update().first(conn).await.optional()
}

/// Changes the name of a run; false when there is none.
pub async fn rename(conn: &mut Conn, id: RunId, name: &str) -> QueryResult<bool> {
    let changed = diesel::update(runs::table.find(id.0))
        .set(runs::name.eq(name))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this organization.
    pub organization: Option<OrganizationId>,
    /// Only with one of these statuses; all when empty.
    pub status: Vec<RunStatus>,
    /// Only of this model.
    pub model: Option<ModelId>,
    /// Only where the name of run, model or benchmark holds this text.
    pub search: Option<String>,
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
    let rows: Vec<(RunRow, String)> = runs::table
        .inner_join(models::table)
        .filter(condition(filter).and(runs::status.eq_any(statuses)))
        .order((runs::created_at.desc(), runs::id.desc()))
        .limit(limit)
        .offset(offset)
        .select((RunRow::as_select(), models::name))
        .load(conn)
        .await?;
    summaries(conn, rows).await
}

/// The summary of one run.
pub async fn summary(conn: &mut Conn, row: RunRow, model_name: String) -> QueryResult<Option<RunSummary>> {
    Ok(summaries(conn, vec![(row, model_name)]).await?.pop())
}

async fn summaries(conn: &mut Conn, rows: Vec<(RunRow, String)>) -> QueryResult<Vec<RunSummary>> {
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.id).collect();
    let mut briefs = run_benchmarks::briefs(conn, &ids).await?;
    let queued: Vec<Uuid> = rows
        .iter()
        .filter(|(r, _)| r.status == "queued")
        .map(|(r, _)| r.id)
        .collect();
    let positions = queue_positions(conn, queued).await?;
    let summarise = |(row, model): (RunRow, String)| {
        let brief = briefs.remove(&row.id).unwrap_or_default();
        let position = positions.get(&row.id).copied();
        summary_of(row, model, brief, position)
    };
    Ok(rows.into_iter().map(summarise).collect())
}

fn summary_of(row: RunRow, model_name: String, brief: Vec<Brief>, queue_position: Option<u32>) -> RunSummary {
    let (status, cancelling) = (row.status(), row.is_cancelling());
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
        cancelling,
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
    let found: Vec<Position> = diesel::sql_query(
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
    let found: Vec<(String, i64)> = runs::table
        .inner_join(models::table)
        .filter(condition(filter))
        .group_by(runs::status)
        .select((runs::status, diesel::dsl::count_star()))
        .load(conn)
        .await?;
    let counted = |(status, n): (String, i64)| Some((status.parse().ok()?, u64::try_from(n).ok()?));
    Ok(found.into_iter().filter_map(counted).collect())
}

/// The name and backend of a run's model.
pub async fn model_of(conn: &mut Conn, model: Uuid) -> QueryResult<(String, String, Option<String>)> {
    models::table
        .find(model)
        .select((models::name, models::backend, models::source))
        .first(conn)
        .await
}

/// Ends a run that was waiting; false when it no longer waits.
pub async fn cancel_queued(conn: &mut Conn, id: RunId, by: &Value) -> QueryResult<bool> {
    use runs::dsl as r;
    let changed = diesel::update(runs::table.find(id.0))
        .filter(r::status.eq_any(["queued", "pending"]))
        .set((
            r::status.eq("cancelled"),
            r::outcome.eq("cancelled"),
            r::completed_at.eq(diesel::dsl::now),
            r::cancel_requested_at.eq(diesel::dsl::now),
            r::cancel_requested_by.eq(by),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Asks to stop a run that is under way; false when it is not, or somebody asked already.
pub async fn request_cancel(conn: &mut Conn, id: RunId, by: &Value) -> QueryResult<bool> {
    use runs::dsl as r;
    let changed = diesel::update(runs::table.find(id.0))
        .filter(r::status.eq("running").and(r::cancel_requested_at.is_null()))
        .set((
            r::cancel_requested_at.eq(diesel::dsl::now),
            r::cancel_requested_by.eq(by),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Puts a run that is over back into the queue; false when it is not over.
pub async fn requeue(conn: &mut Conn, id: RunId) -> QueryResult<bool> {
    use runs::dsl as r;
    let changed = diesel::update(runs::table.find(id.0))
        .filter(r::status.eq_any(["completed", "failed", "cancelled"]))
        .set((
            r::status.eq("queued"),
            r::queued_at.eq(diesel::dsl::now),
            r::not_before.eq(diesel::dsl::now),
            r::outcome.eq(None::<String>),
            r::error_message.eq(None::<String>),
            r::completed_at.eq(None::<DateTime<Utc>>),
            r::cancel_requested_at.eq(None::<DateTime<Utc>>),
            r::cancel_requested_by.eq(None::<Value>),
            r::eta_seconds.eq(None::<i64>),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Wakes the workers when this transaction is committed.
pub async fn notify_work(conn: &mut Conn) -> QueryResult<()> {
    diesel::sql_query("select pg_notify('work', '')")
        .execute(conn)
        .await
        .map(|_| ())
}

/// Records who did what to a run.
pub async fn audit(
    conn: &mut Conn,
    organization: Uuid,
    actor: &Value,
    action: &str,
    run: RunId,
) -> QueryResult<()> {
    diesel::sql_query(
        "insert into audit_log (organization_id, actor, action, object_type, object_id) values ($1, $2, $3, 'run', $4)",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<diesel::sql_types::Jsonb, _>(actor)
    .bind::<Text, _>(action)
    .bind::<Text, _>(run.to_string())
    .execute(conn)
    .await
    .map(|_| ())
}
