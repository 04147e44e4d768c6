//! The queue is `runs`: claims, leases and the live columns. A worker's write names itself and
//! the epoch, so one that was paused changes nothing when it wakes.

use super::schema::runs;
use super::{Conn, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Double, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::time::Duration;
use types::{Outcome, RunStatus};
use uuid::Uuid;

/// A run that waits, as the allocator sees it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = runs)]
pub struct WaitingRow {
    /// Its id.
    pub id: Uuid,
    /// Its settings.
    pub config: Value,
}

/// The first runs of the queue.
pub async fn waiting(conn: &mut Conn, limit: i64) -> QueryResult<Vec<WaitingRow>> {
    runs::table
        .filter(
            runs::status
                .eq("queued")
                .and(runs::not_before.le(diesel::dsl::now)),
        )
        .order((runs::priority.desc(), runs::queued_at, runs::id))
        .limit(limit)
        .select(WaitingRow::as_select())
        .load(conn)
        .await
}

/// What a claim gives.
#[derive(Clone, Debug, QueryableByName)]
pub struct Claimed {
    /// The run.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// The number of the attempt that begins.
    #[diesel(sql_type = Integer)]
    pub epoch: i32,
    /// Its settings.
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    pub config: Value,
    /// What was resolved.
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    pub plan: Value,
    /// Whether it belongs to the demo.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub demo: bool,
}

/// Claims a waiting run in one statement; `None` when somebody else was faster.
pub async fn claim(conn: &mut Conn, run: Uuid, owner: Uuid, lease: Duration) -> QueryResult<Option<Claimed>> {
    statement(
        "with c as (select id from runs where id = $1 and status = 'queued' and not_before <= now() \
         for update skip locked) \
         update runs r set status = 'running', epoch = r.epoch + 1, lease_owner = $2, \
         lease_until = now() + make_interval(secs => $3), cancel_requested_at = null, cancel_requested_by = null, \
         started_at = coalesce(r.started_at, now()), completed_at = null, live = '{}', current_run_benchmark_id = null \
         from c where r.id = c.id returning r.id, r.organization_id, r.epoch, r.config, r.plan, r.demo",
    )
    .bind::<SqlUuid, _>(run)
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .get_result(conn)
    .await
    .optional()
}

/// Renews the leases of these runs, as far as they are still this owner's.
pub async fn renew(conn: &mut Conn, owner: Uuid, lease: Duration) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Renewed {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let renewed: Vec<Renewed> = statement(
        "update runs set lease_until = now() + make_interval(secs => $2) \
         where status = 'running' and lease_owner = $1 returning id",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .load(conn)
    .await?;
    Ok(renewed.into_iter().map(|r| r.id).collect())
}

/// Takes over runs whose worker is gone: those with an expired lease, and those of attempts below
/// `own_folder` on `host`, when this worker holds the only right to that folder.
pub async fn adopt(
    conn: &mut Conn,
    owner: Uuid,
    lease: Duration,
    host: &str,
    own_folder: Option<&str>,
) -> QueryResult<usize> {
    statement(
        "with c as (select r.id from runs r join run_attempts a on a.run_id = r.id and a.epoch = r.epoch \
         where r.status = 'running' and r.lease_owner is distinct from $1 and a.host = $3 \
         and (r.lease_until is null or r.lease_until < now() or starts_with(a.directory, $4 || '/')) \
         for update of r skip locked) \
         update runs r set lease_owner = $1, lease_until = now() + make_interval(secs => $2) \
         from c where r.id = c.id",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .bind::<Text, _>(host)
    .bind::<Nullable<Text>, _>(own_folder)
    .execute(conn)
    .await
}

/// Whether this owner still holds the run in this epoch, with the row locked until the end of
/// the transaction.
pub async fn hold(conn: &mut Conn, run: Uuid, owner: Uuid, epoch: i32) -> QueryResult<bool> {
    let found: Option<Uuid> = runs::table
        .find(run)
        .filter(runs::lease_owner.eq(owner).and(runs::epoch.eq(epoch)))
        .select(runs::id)
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// The last batch's view of a run.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = runs, treat_none_as_null = true)]
pub struct LiveChanges {
    /// The benchmark under way.
    pub current_run_benchmark_id: Option<Uuid>,
    /// How far it is.
    pub live: Value,
    /// 0 to 100.
    pub progress_percent: f64,
    /// Documents per second.
    pub items_per_second: Option<f64>,
    /// Seconds to the expected end.
    pub eta_seconds: Option<i64>,
}

/// Writes the live columns of a run.
pub async fn set_live(conn: &mut Conn, run: Uuid, changes: &LiveChanges) -> QueryResult<()> {
    diesel::update(runs::table.find(run))
        .set(changes)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Notes the keeper's process.
pub async fn set_process(conn: &mut Conn, run: Uuid, pid: Option<i32>) -> QueryResult<()> {
    let change = runs::process_id.eq(pid);
    diesel::update(runs::table.find(run))
        .set(change)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Notes the GPUs that a run holds.
pub async fn set_gpus(conn: &mut Conn, run: Uuid, gpus: Option<String>) -> QueryResult<()> {
    let change = runs::gpu_device_id.eq(gpus);
    diesel::update(runs::table.find(run))
        .set(change)
        .execute(conn)
        .await
        .map(|_| ())
}

/// How a run ended.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = runs, treat_none_as_null = true)]
pub struct RunEnding {
    /// Where it is now.
    pub status: &'static str,
    /// Why.
    pub outcome: Option<&'static str>,
    /// In one sentence.
    pub error_message: Option<String>,
    /// When; absent when it goes back to the queue.
    pub completed_at: Option<DateTime<Utc>>,
    /// Nobody holds it.
    pub lease_owner: Option<Uuid>,
    /// Nobody holds it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Nothing is under way.
    pub current_run_benchmark_id: Option<Uuid>,
    /// Nothing is under way.
    pub items_per_second: Option<f64>,
    /// Nothing is expected.
    pub eta_seconds: Option<i64>,
    /// The process is gone.
    pub process_id: Option<i32>,
    /// 0 to 100.
    pub progress_percent: f64,
}

impl RunEnding {
    /// An end with this status.
    pub fn new(
        status: RunStatus,
        outcome: Option<Outcome>,
        error_message: Option<String>,
        percent: f64,
    ) -> Self {
        Self {
            status: status.as_str(),
            outcome: outcome.map(Outcome::as_str),
            error_message,
            completed_at: status.is_terminal().then(Utc::now),
            lease_owner: None,
            lease_until: None,
            current_run_benchmark_id: None,
            items_per_second: None,
            eta_seconds: None,
            process_id: None,
            progress_percent: percent,
        }
    }
}

/// Ends a run that this owner holds; false when it no longer does.
pub async fn end(
    conn: &mut Conn,
    run: Uuid,
    owner: Uuid,
    epoch: i32,
    ending: &RunEnding,
) -> QueryResult<bool> {
    let changed = diesel::update(runs::table.find(run))
        .filter(
            runs::status
                .eq("running")
                .and(runs::lease_owner.eq(owner))
                .and(runs::epoch.eq(epoch)),
        )
        .set(ending)
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Lets a run that went back to the queue wait.
pub async fn postpone(conn: &mut Conn, run: Uuid, wait: Duration) -> QueryResult<()> {
    statement(
        "update runs set queued_at = now(), not_before = now() + make_interval(secs => $2) where id = $1",
    )
    .bind::<SqlUuid, _>(run)
    .bind::<Double, _>(wait.as_secs_f64())
    .execute(conn)
    .await
    .map(|_| ())
}

/// Counts the committed leaves of a run and notes whether a result is degraded.
pub async fn recount(conn: &mut Conn, run: Uuid) -> QueryResult<(i32, i32)> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = Integer)]
        completed_tasks: i32,
        #[diesel(sql_type = Integer)]
        total_tasks: i32,
    }
    let counted: Counted = statement(
        "update runs r set completed_tasks = c.leaves, degraded = c.degraded from (select count(distinct leaf)::int as \
         leaves, coalesce(bool_or(b.degraded is not null), false) as degraded from run_benchmarks b \
         left join lateral unnest(b.leaf_tasks) leaf on true where b.run_id = $1 and b.status = 'completed') c \
         where r.id = $1 returning r.completed_tasks, r.total_tasks",
    )
    .bind::<SqlUuid, _>(run)
    .get_result(conn)
    .await?;
    Ok((counted.completed_tasks, counted.total_tasks))
}

/// Runs of this owner that want attention.
pub async fn owned(conn: &mut Conn, owner: Uuid) -> QueryResult<Vec<Uuid>> {
    runs::table
        .filter(runs::status.eq("running").and(runs::lease_owner.eq(owner)))
        .order(runs::started_at)
        .select(runs::id)
        .load(conn)
        .await
}

/// The expected seconds of picks, as kept with a run's plan.
pub fn expected_seconds(plan: &Value, picks: &[String]) -> Option<f64> {
    let known = plan.get("expected_seconds")?;
    picks.iter().map(|name| known.get(name)?.as_f64()).sum()
}

/// How many runs of this owner hold no GPU.
pub async fn owned_without_gpus(conn: &mut Conn, owner: Uuid) -> QueryResult<usize> {
    let found: i64 = runs::table
        .filter(runs::status.eq("running").and(runs::lease_owner.eq(owner)))
        .filter(runs::gpu_device_id.is_null())
        .count()
        .get_result(conn)
        .await?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

/// Keeps the command lines of a run's last attempt.
pub async fn set_commands(conn: &mut Conn, run: Uuid, commands: &Value) -> QueryResult<()> {
    statement("update runs set plan = plan || jsonb_build_object('commands', $2) where id = $1")
        .bind::<SqlUuid, _>(run)
        .bind::<diesel::sql_types::Jsonb, _>(commands)
        .execute(conn)
        .await
        .map(|_| ())
}
