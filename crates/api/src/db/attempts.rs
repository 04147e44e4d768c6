//! Attempts: what executors and the worker write about one execution of a run.

use super::runs::RunRow;
use super::schema::{run_attempts, runs};
use super::{Conn, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::BTreeMap;
use types::{AttemptExit, AttemptId, AttemptState, AttemptView, RunId};
use uuid::Uuid;

/// The states of attempts that are not over.
pub const LIVE: [&str; 5] = ["claimed", "submitting", "submitted", "starting", "running"];

/// An attempt as people see it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = run_attempts)]
pub struct AttemptRow {
    /// Its id.
    pub id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Its number.
    pub epoch: i32,
    /// Where it is.
    pub state: String,
    /// Why it ended.
    pub outcome: Option<String>,
    /// In one sentence.
    pub reason: Option<String>,
    /// The engine.
    pub engine: String,
    /// Where it runs.
    pub host: Option<String>,
    /// GPUs by uuid.
    pub gpus: Vec<String>,
    /// How far each file is known.
    pub offsets: Value,
    /// What the driver recorded.
    pub environment: Value,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its process began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<AttemptRow> for AttemptView {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow {
            id,
            run_id: _,
            epoch,
            state,
            outcome,
            reason,
            engine,
            host,
            gpus,
            offsets: _,
            environment: _,
            created_at,
            started_at,
            ended_at,
        } = row;
        Self {
            id: id.into(),
            epoch,
            state: state.parse().unwrap_or(AttemptState::Failed),
            outcome: outcome.as_deref().and_then(|o| o.parse().ok()),
            reason,
            engine,
            host,
            gpus,
            created_at,
            started_at,
            ended_at,
        }
    }
}

/// The attempts of a run, oldest first.
pub async fn of_run(conn: &mut Conn, run: RunId) -> QueryResult<Vec<AttemptRow>> {
    run_attempts::table
        .filter(run_attempts::run_id.eq(run.0))
        .order(run_attempts::epoch)
        .select(AttemptRow::as_select())
        .load(conn)
        .await
}

/// What an executor is checked against, and where it stands.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = run_attempts)]
pub struct ExecutorRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Its number.
    pub epoch: i32,
    /// Where it is.
    pub state: String,
    /// Of its token.
    pub token_hash: Vec<u8>,
    /// The batch that is expected next.
    pub next_batch_no: i64,
    /// How far each file is known.
    pub offsets: Value,
}

impl ExecutorRow {
    /// Where it is.
    pub fn state(&self) -> AttemptState {
        self.state.parse().unwrap_or(AttemptState::Failed)
    }

    /// How far each file is known, in bytes.
    pub fn offsets(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.offsets.clone()).unwrap_or_default()
    }
}

/// The attempt with this id.
pub async fn find_executor(conn: &mut Conn, id: AttemptId) -> QueryResult<Option<ExecutorRow>> {
    run_attempts::table
        .find(id.0)
        .select(ExecutorRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// The run of an attempt and the attempt, in this order locked until the end of the transaction.
pub async fn lock_with_run(conn: &mut Conn, id: AttemptId) -> QueryResult<Option<(RunRow, ExecutorRow)>> {
    runs::table
        .inner_join(run_attempts::table.on(run_attempts::run_id.eq(runs::id)))
        .filter(run_attempts::id.eq(id.0))
        .select((RunRow::as_select(), ExecutorRow::as_select()))
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

/// Waits for a turn to append to the attempt's raw output, which lasts to the end of the transaction. Not the lock of
/// the attempt's row: its lines must not wait while a part is stored.
pub async fn take_turn(conn: &mut Conn, id: AttemptId) -> QueryResult<()> {
    super::turns::take(conn, &format!("raw output of {id}")).await
}

/// What a batch changes about its attempt; absent values stay.
#[derive(Clone, Debug, Default)]
pub struct BatchChanges {
    /// The batch that is expected next.
    pub next_batch_no: Option<i64>,
    /// How far each file is known.
    pub offsets: Option<Value>,
    /// Where it is.
    pub state: Option<&'static str>,
    /// The keeper's process.
    pub pid: Option<i32>,
    /// When its process began.
    pub started_at: Option<DateTime<Utc>>,
    /// What the driver recorded.
    pub environment: Option<Value>,
    /// How it ended, as reported.
    pub exit: Option<Value>,
}

/// Writes what a batch changes, unless a newer attempt or an end has fenced it off.
pub async fn apply_batch(conn: &mut Conn, id: Uuid, epoch: i32, changes: &BatchChanges) -> QueryResult<bool> {
    let changed = statement(
        "update run_attempts set heartbeat_at = now(), next_batch_no = coalesce($4, next_batch_no), \
         offsets = coalesce($5, offsets), state = coalesce($6, state), pid = coalesce($7, pid), \
         started_at = coalesce($8, started_at), environment = coalesce($9, environment), exit = coalesce($10, exit) \
         where id = $1 and epoch = $2 and state = any ($3)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(epoch)
    .bind::<Array<Text>, _>(&LIVE[..])
    .bind::<Nullable<BigInt>, _>(changes.next_batch_no)
    .bind::<Nullable<Jsonb>, _>(&changes.offsets)
    .bind::<Nullable<Text>, _>(changes.state)
    .bind::<Nullable<Integer>, _>(changes.pid)
    .bind::<Nullable<Timestamptz>, _>(changes.started_at)
    .bind::<Nullable<Jsonb>, _>(&changes.environment)
    .bind::<Nullable<Jsonb>, _>(&changes.exit)
    .execute(conn)
    .await?;
    Ok(changed == 1)
}

/// Notes how far one file is known.
pub async fn set_offset(conn: &mut Conn, id: Uuid, file: &str, offset: u64) -> QueryResult<()> {
    statement(
        "update run_attempts set offsets = offsets || jsonb_build_object($2, $3), heartbeat_at = now() where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(file)
    .bind::<BigInt, _>(i64::try_from(offset).unwrap_or(i64::MAX))
    .execute(conn)
    .await
    .map(|_| ())
}

/// An attempt to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = run_attempts)]
pub struct NewAttempt {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Its number.
    pub epoch: i32,
    /// The engine.
    pub engine: &'static str,
    /// Its name there.
    pub engine_name: String,
    /// Where it runs.
    pub host: Option<String>,
    /// Its folder.
    pub directory: Option<String>,
    /// GPUs by uuid.
    pub gpus: Vec<String>,
    /// Of its token.
    pub token_hash: Vec<u8>,
}

/// Stores an attempt.
pub async fn insert(conn: &mut Conn, attempt: NewAttempt) -> QueryResult<()> {
    diesel::insert_into(run_attempts::table)
        .values(attempt)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Moves a live attempt from one state to the next; false when it is elsewhere.
pub async fn advance(
    conn: &mut Conn,
    id: Uuid,
    from: &[AttemptState],
    to: AttemptState,
) -> QueryResult<bool> {
    let from: Vec<_> = from.iter().map(|s| s.as_str()).collect();
    let changed = diesel::update(run_attempts::table.find(id))
        .filter(run_attempts::state.eq_any(from))
        .set(run_attempts::state.eq(to.as_str()))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Gives a claimed attempt the token of its executor, which is about to be launched; false when
/// it is further already.
pub async fn set_token(conn: &mut Conn, id: Uuid, hash: Vec<u8>) -> QueryResult<bool> {
    let changed = diesel::update(run_attempts::table.find(id))
        .filter(run_attempts::state.eq("claimed"))
        .set((
            run_attempts::token_hash.eq(hash),
            run_attempts::state.eq("submitting"),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// What the worker needs of an attempt that it watches.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = run_attempts)]
pub struct WatchedRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Its number.
    pub epoch: i32,
    /// Where it is.
    pub state: String,
    /// Its folder.
    pub directory: Option<String>,
    /// GPUs by uuid.
    pub gpus: Vec<String>,
    /// How far each file is known.
    pub offsets: Value,
    /// How it ended, as reported.
    pub exit: Option<Value>,
    /// When its executor was heard last.
    pub heartbeat_at: Option<DateTime<Utc>>,
}

impl WatchedRow {
    /// Where it is.
    pub fn state(&self) -> AttemptState {
        self.state.parse().unwrap_or(AttemptState::Failed)
    }

    /// How it ended, as reported.
    pub fn exit(&self) -> Option<AttemptExit> {
        serde_json::from_value(self.exit.clone()?).ok()
    }
}

/// The live attempt of a run.
pub async fn live_of(conn: &mut Conn, run: Uuid) -> QueryResult<Option<WatchedRow>> {
    run_attempts::table
        .filter(run_attempts::run_id.eq(run).and(run_attempts::state.eq_any(LIVE)))
        .select(WatchedRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Ends an attempt; false when it was over, which stays so.
pub async fn end(
    conn: &mut Conn,
    id: Uuid,
    state: AttemptState,
    outcome: types::Outcome,
    reason: Option<&str>,
    exit: Option<&AttemptExit>,
) -> QueryResult<bool> {
    let exit = exit
        .and_then(|e| serde_json::to_value(e).ok())
        .map(super::events::without_nul);
    let changed = diesel::update(run_attempts::table.find(id))
        .filter(run_attempts::state.eq_any(LIVE))
        .set((
            run_attempts::state.eq(state.as_str()),
            run_attempts::outcome.eq(outcome.as_str()),
            run_attempts::reason.eq(reason),
            run_attempts::ended_at.eq(diesel::dsl::now),
            run_attempts::exit.eq(exit),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Those of these attempts that are over and ran on this host.
pub async fn over_on(conn: &mut Conn, host: &str, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    run_attempts::table
        .filter(run_attempts::id.eq_any(ids).and(run_attempts::host.eq(host)))
        .filter(run_attempts::state.ne_all(LIVE))
        .select(run_attempts::id)
        .load(conn)
        .await
}

/// How many attempts of a run were lost.
pub async fn count_lost(conn: &mut Conn, run: Uuid) -> QueryResult<i64> {
    run_attempts::table
        .filter(run_attempts::run_id.eq(run).and(run_attempts::state.eq("lost")))
        .count()
        .get_result(conn)
        .await
}
