//! What is scored on slices, and what that is computed from.

use crate::db::Conn;
use crate::db::metrics::NewMetric;
use crate::db::schema::run_metrics;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{BenchmarkId, RunId, SliceId};
use uuid::Uuid;

/// The samples of a task in a pick that are in a slice.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Members {
    /// The pick.
    #[diesel(sql_type = SqlUuid)]
    pub run_benchmark_id: Uuid,
    /// The task.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// The filter.
    #[diesel(sql_type = Text)]
    pub filter: String,
    /// The slice.
    #[diesel(sql_type = SqlUuid)]
    pub slice_id: Uuid,
    /// The scores of those that have one.
    #[diesel(sql_type = Array<Double>)]
    pub scores: Vec<f64>,
    /// The mean over all samples of the task that have a score, in or out of the slice.
    #[diesel(sql_type = Nullable<Double>)]
    pub overall: Option<f64>,
}

/// Who is in these slices, task by task.
pub async fn members(conn: &mut Conn, picks: &[Uuid], slices: &[Uuid]) -> QueryResult<Vec<Members>> {
    diesel::sql_query(
        "with whole as (select s.run_benchmark_id, s.benchmark_id, s.filter, avg(s.score) as overall from run_samples s \
           where s.run_benchmark_id = any ($1) group by 1, 2, 3), \
         part as (select s.run_benchmark_id, s.benchmark_id, s.filter, x.slice_id, \
             coalesce(array_agg(s.score order by s.sample_index) filter (where s.score is not null), '{}') as scores \
           from run_samples s join sample_slices x on x.sample_id = s.id \
           where s.run_benchmark_id = any ($1) and x.slice_id = any ($2) group by 1, 2, 3, 4) \
         select part.*, whole.overall from part join whole using (run_benchmark_id, benchmark_id, filter)",
    )
    .bind::<Array<SqlUuid>, _>(picks)
    .bind::<Array<SqlUuid>, _>(slices)
    .load(conn)
    .await
}

/// A committed score over all samples.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Committed {
    /// Its organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// Its run.
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    /// The pick.
    #[diesel(sql_type = SqlUuid)]
    pub run_benchmark_id: Uuid,
    /// The task.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// The metric.
    #[diesel(sql_type = Text)]
    pub metric_name: String,
    /// The filter.
    #[diesel(sql_type = Text)]
    pub filter: String,
    /// The value.
    #[diesel(sql_type = Nullable<Double>)]
    pub metric_value: Option<f64>,
    /// Whether more is better.
    #[diesel(sql_type = Nullable<Bool>)]
    pub higher_is_better: Option<bool>,
    /// What it was measured under.
    #[diesel(sql_type = Jsonb)]
    pub conditions: Value,
    /// The samples' scores are its values.
    #[diesel(sql_type = Bool)]
    pub of_samples: bool,
    /// The benchmark's own first metric.
    #[diesel(sql_type = Bool)]
    pub is_primary: bool,
}

/// The committed scores of these picks over all samples, without those of groups.
pub async fn committed(conn: &mut Conn, picks: &[Uuid]) -> QueryResult<Vec<Committed>> {
    diesel::sql_query(
        "select m.organization_id, m.run_id, m.run_benchmark_id, m.benchmark_id, m.metric_name, m.filter, m.metric_value, \
           m.higher_is_better, m.conditions, m.of_samples, b.primary_metrics ->> 0 is not distinct from m.metric_name as is_primary \
         from run_metrics m join benchmarks b on b.id = m.benchmark_id \
         where m.run_benchmark_id = any ($1) and m.slice_id is null and not m.is_group order by m.metric_name",
    )
    .bind::<Array<SqlUuid>, _>(picks)
    .load(conn)
    .await
}

/// Replaces what these picks score on these slices.
pub async fn replace(
    conn: &mut Conn,
    picks: &[Uuid],
    slices: &[Uuid],
    scores: &[NewMetric],
) -> QueryResult<()> {
    diesel::delete(
        run_metrics::table
            .filter(run_metrics::run_benchmark_id.eq_any(picks))
            .filter(run_metrics::slice_id.eq_any(slices)),
    )
    .execute(conn)
    .await?;
    for some in scores.chunks(500) {
        diesel::insert_into(run_metrics::table)
            .values(some)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Which scores of a slice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Of this benchmark.
    pub benchmark: Option<BenchmarkId>,
    /// Of this run.
    pub run: Option<RunId>,
}

/// A score of a slice with whose it is.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
#[allow(missing_docs)]
pub struct Scored {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Text)]
    pub run_name: String,
    #[diesel(sql_type = SqlUuid)]
    pub model_id: Uuid,
    #[diesel(sql_type = Text)]
    pub model_name: String,
    #[diesel(sql_type = Text)]
    pub checkpoint_variant: String,
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    #[diesel(sql_type = Text)]
    pub benchmark: String,
    #[diesel(sql_type = SqlUuid)]
    pub run_benchmark_id: Uuid,
    #[diesel(sql_type = Text)]
    pub metric_name: String,
    #[diesel(sql_type = Text)]
    pub filter: String,
    #[diesel(sql_type = Nullable<Double>)]
    pub metric_value: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub stderr: Option<f64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub sample_count: Option<i64>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub higher_is_better: Option<bool>,
    #[diesel(sql_type = Nullable<Double>)]
    pub overall: Option<f64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub ran_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
}

/// What runs score on a slice, the newest first, each with how many there are in all.
pub async fn of_slice(
    conn: &mut Conn,
    slice: SliceId,
    wanted: Wanted,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<Scored>> {
    diesel::sql_query(
        "select m.run_id, r.name as run_name, r.model_id, o.name as model_name, r.checkpoint_variant, m.benchmark_id, \
           b.name as benchmark, m.run_benchmark_id, m.metric_name, m.filter, m.metric_value, m.stderr, m.sample_count, \
           m.higher_is_better, a.metric_value as overall, m.reason, coalesce(r.started_at, r.created_at) as ran_at, \
           count(*) over () as total \
         from run_metrics m join runs r on r.id = m.run_id join models o on o.id = r.model_id \
         join benchmarks b on b.id = m.benchmark_id \
         left join run_metrics a on a.run_benchmark_id = m.run_benchmark_id and a.benchmark_id = m.benchmark_id \
           and a.metric_name = m.metric_name and a.filter = m.filter and a.slice_id is null \
         where m.slice_id = $1 and ($2::uuid is null or m.benchmark_id = $2) and ($3::uuid is null or m.run_id = $3) \
         order by ran_at desc, b.name, m.filter, m.id limit $4 offset $5",
    )
    .bind::<SqlUuid, _>(slice.0)
    .bind::<Nullable<SqlUuid>, _>(wanted.benchmark.map(|b| b.0))
    .bind::<Nullable<SqlUuid>, _>(wanted.run.map(|r| r.0))
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(offset)
    .load(conn)
    .await
}

/// Benchmarks that have a score over all samples, but for some models none on the slice.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Missing {
    /// The benchmark.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub benchmark: String,
    /// Why, where somebody said so.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// Models and checkpoints.
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
}

/// Which of these benchmarks (all when none are named) lack scores on a slice, and why.
pub async fn missing(
    conn: &mut Conn,
    organization: Uuid,
    slice: Uuid,
    benchmarks: Option<&[Uuid]>,
) -> QueryResult<Vec<Missing>> {
    diesel::sql_query(
        "with lacking as (select s.benchmark_id, s.model_id, s.checkpoint_variant, (array_agg(s.run_benchmark_id order by s.ran_at desc))[1] as pick \
           from board_scores s join models m on m.id = s.model_id \
           where s.organization_id = $1 and s.slice_id is null and not s.is_group and m.archived_at is null \
             and ($3::uuid[] is null or s.benchmark_id = any ($3)) \
             and not exists (select from board_scores t where t.organization_id = $1 and t.slice_id = $2 \
               and t.benchmark_id = s.benchmark_id and t.model_id = s.model_id and t.checkpoint_variant = s.checkpoint_variant) \
           group by 1, 2, 3) \
         select l.benchmark_id, b.name as benchmark, (select min(x.reason) from run_metrics x where x.run_benchmark_id = l.pick \
             and x.benchmark_id = l.benchmark_id and x.slice_id = $2) as reason, count(*) as entries \
         from lacking l join benchmarks b on b.id = l.benchmark_id group by 1, 2, 3 order by entries desc, b.name, reason limit 100",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(slice)
    .bind::<Nullable<Array<SqlUuid>>, _>(benchmarks)
    .load(conn)
    .await
}
