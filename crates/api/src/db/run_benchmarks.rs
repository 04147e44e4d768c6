//! The picked benchmarks of runs: the unit of process, of commit and of resume.

use super::Conn;
use super::schema::{benchmarks, run_benchmarks};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::HashMap;
use types::{BenchmarkDone, BenchmarkStatus, RunBenchmarkView, RunId};
use uuid::Uuid;

/// A picked benchmark as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = run_benchmarks)]
pub struct PickRow {
    /// Its id.
    pub id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The benchmark.
    pub benchmark_id: Uuid,
    /// Its name.
    pub name: String,
    /// Place in the run.
    #[diesel(column_name = order)]
    pub order: i32,
    /// Where it is.
    pub status: String,
    /// Why it ended.
    pub outcome: Option<String>,
    /// In one sentence.
    pub error_message: Option<String>,
    /// The lines that show it.
    pub evidence: Value,
    /// Why it is to be used with care.
    pub degraded: Option<String>,
    /// Distinct leaf tasks.
    pub leaf_tasks: Vec<String>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// The attempt that ran it last.
    pub attempt_id: Option<Uuid>,
    /// What the executor reported.
    pub done: Option<Value>,
    /// When the worker dealt with that.
    pub ingested_at: Option<DateTime<Utc>>,
    /// Samples stored.
    pub sample_count: i64,
    /// When the executor had uploaded the media of its documents.
    pub media_told_at: Option<DateTime<Utc>>,
    /// When the worker had joined them with the documents.
    pub media_joined_at: Option<DateTime<Utc>>,
}

impl PickRow {
    /// Where it is.
    pub fn status(&self) -> BenchmarkStatus {
        self.status.parse().unwrap_or(BenchmarkStatus::Failed)
    }
}

/// A picked benchmark to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = run_benchmarks)]
pub struct NewPick {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The benchmark.
    pub benchmark_id: Uuid,
    /// Its name.
    pub name: String,
    /// Place in the run.
    #[diesel(column_name = order)]
    pub order: i32,
    /// Distinct leaf tasks.
    pub leaf_tasks: Vec<String>,
}

/// Stores the picks of a run.
pub async fn insert(conn: &mut Conn, picks: Vec<NewPick>) -> QueryResult<()> {
    diesel::insert_into(run_benchmarks::table)
        .values(picks)
        .execute(conn)
        .await
        .map(|_| ())
}

/// The picks of a run, in order.
pub async fn of_run(conn: &mut Conn, run: Uuid) -> QueryResult<Vec<PickRow>> {
    run_benchmarks::table
        .filter(run_benchmarks::run_id.eq(run))
        .order(run_benchmarks::order)
        .select(PickRow::as_select())
        .load(conn)
        .await
}

/// What the table of runs shows of a pick.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub status: BenchmarkStatus,
}

/// The picks of several runs, in order.
pub async fn briefs(conn: &mut Conn, runs: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<Brief>>> {
    let rows: Vec<(Uuid, Uuid, String, String)> = run_benchmarks::table
        .filter(run_benchmarks::run_id.eq_any(runs))
        .order((run_benchmarks::run_id, run_benchmarks::order))
        .select((
            run_benchmarks::run_id,
            run_benchmarks::id,
            run_benchmarks::name,
            run_benchmarks::status,
        ))
        .load(conn)
        .await?;
    let mut briefs: HashMap<Uuid, Vec<Brief>> = HashMap::new();
    for (run, id, name, status) in rows {
        let status = status.parse().unwrap_or(BenchmarkStatus::Failed);
        briefs.entry(run).or_default().push(Brief { id, name, status });
    }
    Ok(briefs)
}

type RunsNamedLike = diesel::helper_types::Select<
    diesel::helper_types::Filter<
        run_benchmarks::table,
        diesel::helper_types::ILike<run_benchmarks::name, String>,
    >,
    run_benchmarks::run_id,
>;

/// The runs with a pick of such a name, for a larger query.
pub fn named_like(pattern: String) -> RunsNamedLike {
    run_benchmarks::table
        .filter(run_benchmarks::name.ilike(pattern))
        .select(run_benchmarks::run_id)
}

/// The picks of a run as they are shown. `live` is what is known of the one that is running.
pub async fn views(conn: &mut Conn, run: RunId, live: &Live) -> QueryResult<Vec<RunBenchmarkView>> {
    let rows: Vec<(PickRow, String, String)> = run_benchmarks::table
        .inner_join(benchmarks::table)
        .filter(run_benchmarks::run_id.eq(run.0))
        .order(run_benchmarks::order)
        .select((PickRow::as_select(), benchmarks::kind, benchmarks::modality))
        .load(conn)
        .await?;
    let view = |(row, kind, modality): (PickRow, String, String)| view_of(row, &kind, &modality, live);
    Ok(rows.into_iter().map(view).collect())
}

/// `runs.live`: how far the benchmark that is running is.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Live {
    /// The picked row.
    pub run_benchmark_id: Option<Uuid>,
    /// Documents answered.
    pub done: Option<u64>,
    /// Documents to answer.
    pub total: Option<u64>,
    /// What it is doing.
    pub phase: Option<String>,
}

impl Live {
    /// What a run's column says; nothing when it says nothing readable.
    pub fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }
}

fn view_of(row: PickRow, kind: &str, modality: &str, live: &Live) -> RunBenchmarkView {
    let status = row.status();
    let live = live.clone();
    // One that waits for the import of lmms-eval is under way, though not begun.
    let running = !status.is_terminal() && live.run_benchmark_id == Some(row.id);
    RunBenchmarkView {
        id: row.id.into(),
        benchmark_id: row.benchmark_id.into(),
        name: row.name,
        kind: kind.parse().unwrap_or(types::BenchmarkKind::Task),
        modality: modality.parse().unwrap_or(types::Modality::Text),
        order: u32::try_from(row.order).unwrap_or(0),
        status,
        outcome: row.outcome.as_deref().and_then(|o| o.parse().ok()),
        error_message: row.error_message,
        evidence: serde_json::from_value(row.evidence).unwrap_or_default(),
        degraded: row.degraded,
        leaf_tasks: row.leaf_tasks,
        started_at: row.started_at,
        completed_at: row.completed_at,
        done: live.done.filter(|_| running),
        total: live.total.filter(|_| running),
        phase: live.phase.filter(|_| running),
        sample_count: u64::try_from(row.sample_count).unwrap_or(0),
    }
}

/// Notes that a pick has begun; false when it had, or is over.
pub async fn begin(
    conn: &mut Conn,
    run: Uuid,
    id: Uuid,
    attempt: Uuid,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let changed = diesel::update(run_benchmarks::table.find(id))
        .filter(
            run_benchmarks::run_id
                .eq(run)
                .and(run_benchmarks::status.eq("pending")),
        )
        .set((
            run_benchmarks::status.eq("running"),
            run_benchmarks::started_at.eq(at),
            run_benchmarks::attempt_id.eq(attempt),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Notes what the executor reported of a pick's end, for the worker; false when it was dealt with.
pub async fn report_done(
    conn: &mut Conn,
    run: Uuid,
    id: Uuid,
    attempt: Uuid,
    done: &BenchmarkDone,
) -> QueryResult<bool> {
    let value = super::events::without_nul(serde_json::to_value(done).unwrap_or_default());
    let changed = diesel::update(run_benchmarks::table.find(id))
        .filter(
            run_benchmarks::run_id
                .eq(run)
                .and(run_benchmarks::status.eq_any(["pending", "running"])),
        )
        .filter(run_benchmarks::ingested_at.is_null())
        .set((
            run_benchmarks::done.eq(Some(value)),
            run_benchmarks::attempt_id.eq(attempt),
            run_benchmarks::started_at.eq(done.started_at),
            run_benchmarks::status.eq("running"),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Notes that the media of a pick's documents are there, for the worker.
pub async fn report_media(conn: &mut Conn, run: Uuid, id: Uuid, attempt: Uuid) -> QueryResult<()> {
    diesel::update(run_benchmarks::table.find(id))
        .filter(
            run_benchmarks::run_id
                .eq(run)
                .and(run_benchmarks::attempt_id.eq(attempt)),
        )
        .set((
            run_benchmarks::media_told_at.eq(diesel::dsl::now),
            run_benchmarks::media_joined_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Notes that the media of a pick are joined with its documents.
pub async fn media_joined(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::update(run_benchmarks::table.find(id))
        .set(run_benchmarks::media_joined_at.eq(diesel::dsl::now))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Puts the picks that are not completed back to the start, and names them.
pub async fn reset_unfinished(conn: &mut Conn, run: Uuid) -> QueryResult<Vec<String>> {
    use run_benchmarks::dsl as b;
    let mut changed: Vec<(i32, String)> = diesel::update(run_benchmarks::table)
        .filter(b::run_id.eq(run).and(b::status.ne("completed")))
        .set((
            b::status.eq("pending"),
            b::outcome.eq(None::<String>),
            b::error_message.eq(None::<String>),
            b::evidence.eq(Value::Array(Vec::new())),
            b::degraded.eq(None::<String>),
            b::started_at.eq(None::<DateTime<Utc>>),
            b::completed_at.eq(None::<DateTime<Utc>>),
            b::done.eq(None::<Value>),
            b::ingested_at.eq(None::<DateTime<Utc>>),
            b::media_told_at.eq(None::<DateTime<Utc>>),
            b::media_joined_at.eq(None::<DateTime<Utc>>),
        ))
        .returning((b::order, b::name))
        .get_results(conn)
        .await?;
    changed.sort();
    Ok(changed.into_iter().map(|(_, name)| name).collect())
}

/// How a pick ended.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = run_benchmarks, treat_none_as_null = true)]
pub struct Ending {
    /// Where it is now.
    pub status: &'static str,
    /// Why.
    pub outcome: Option<&'static str>,
    /// In one sentence.
    pub error_message: Option<String>,
    /// The lines that show it.
    pub evidence: Value,
    /// Why it is to be used with care.
    pub degraded: Option<String>,
    /// When.
    pub completed_at: Option<DateTime<Utc>>,
    /// Samples stored.
    pub sample_count: i64,
}

/// Ends a pick; false when it was over.
pub async fn end(conn: &mut Conn, id: Uuid, ending: &Ending) -> QueryResult<bool> {
    let changed = diesel::update(run_benchmarks::table.find(id))
        .filter(run_benchmarks::status.eq_any(["pending", "running"]))
        .set((ending, run_benchmarks::ingested_at.eq(diesel::dsl::now)))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Notes what a repeated ingest of a pick has come to.
pub async fn recount(conn: &mut Conn, id: Uuid, samples: i64, degraded: Option<&str>) -> QueryResult<()> {
    diesel::update(run_benchmarks::table.find(id))
        .set((
            run_benchmarks::sample_count.eq(samples),
            run_benchmarks::degraded.eq(degraded),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Ends the picks that nothing has come of, because their run is stopped.
pub async fn cancel_unfinished(conn: &mut Conn, run: Uuid) -> QueryResult<usize> {
    diesel::update(run_benchmarks::table)
        .filter(run_benchmarks::run_id.eq(run))
        .filter(run_benchmarks::status.eq_any(["pending", "running"]))
        .set((
            run_benchmarks::status.eq("cancelled"),
            run_benchmarks::outcome.eq("cancelled"),
            run_benchmarks::completed_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await
}

/// Rows for tests of pure functions.
#[cfg(test)]
pub mod fixtures {
    use super::*;

    /// A pick of these leaves.
    pub fn pick(n: u128, status: &str, leaves: &[&str]) -> PickRow {
        PickRow {
            id: Uuid::from_u128(n),
            run_id: Uuid::nil(),
            benchmark_id: Uuid::nil(),
            name: format!("b{n}"),
            order: 0,
            status: status.into(),
            outcome: None,
            error_message: None,
            evidence: Value::Null,
            degraded: None,
            leaf_tasks: leaves.iter().map(|&l| l.to_owned()).collect(),
            started_at: None,
            completed_at: None,
            attempt_id: None,
            done: None,
            ingested_at: None,
            sample_count: 0,
            media_told_at: None,
            media_joined_at: None,
        }
    }
}
