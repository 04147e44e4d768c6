//! Runs: creating, finding, and the status changes of people.

mod listing;

pub use listing::{Creator, Filter, counts, escape_like, list, summary};

use super::schema::{models, runs};
use super::{Conn, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{RunId, RunStatus};
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
pub async fn requeue(conn: &mut Conn, id: RunId, percent: f64) -> QueryResult<bool> {
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
            r::progress_percent.eq(percent),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Wakes the workers when this transaction is committed.
pub async fn notify_work(conn: &mut Conn) -> QueryResult<()> {
    statement("select pg_notify('work', '')")
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
    super::audit::append(conn, organization.into(), actor, action, "run", &run.to_string()).await
}

/// Rows for tests of pure functions.
#[cfg(test)]
pub mod fixtures {
    use super::*;

    /// A run under way.
    pub fn run() -> RunRow {
        RunRow {
            id: Uuid::nil(),
            organization_id: Uuid::nil(),
            name: String::new(),
            model_id: Uuid::nil(),
            checkpoint_variant: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            completed_at: None,
            status: "running".into(),
            outcome: None,
            error_message: None,
            total_tasks: 0,
            completed_tasks: 0,
            gpu_device_id: None,
            config: Value::Null,
            plan: Value::Null,
            degraded: false,
            demo: false,
            created_by: None,
            cancel_requested_at: None,
            epoch: 0,
            last_seq: 0,
            log_lines: 0,
            current_run_benchmark_id: None,
            live: Value::Null,
            progress_percent: 0.0,
            items_per_second: None,
            eta_seconds: None,
        }
    }
}
