//! The samples of one task of one run, for its slices to be set against each other.

use crate::db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use types::{BenchmarkId, RunId};
use uuid::Uuid;

/// The most samples that are compared.
const MOST_SAMPLES: i64 = 200_000;

/// A task in a run that has samples.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Task {
    /// The pick.
    #[diesel(sql_type = SqlUuid)]
    pub run_benchmark_id: Uuid,
    /// The task.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub benchmark: String,
    /// The filter.
    #[diesel(sql_type = Text)]
    pub filter: String,
}

/// The first task of a run, of this benchmark and filter where they are named.
pub async fn task(
    conn: &mut Conn,
    run: RunId,
    benchmark: Option<BenchmarkId>,
    filter: Option<&str>,
) -> QueryResult<Option<Task>> {
    diesel::sql_query(
        "select m.run_benchmark_id, m.benchmark_id, t.name as benchmark, m.filter \
         from run_metrics m join run_benchmarks b on b.id = m.run_benchmark_id join benchmarks t on t.id = m.benchmark_id \
         where m.run_id = $1 and m.slice_id is null and not m.is_group and ($2::uuid is null or m.benchmark_id = $2) \
           and ($3::text is null or m.filter = $3) \
           and exists (select from run_samples s where s.run_benchmark_id = m.run_benchmark_id and s.benchmark_id = m.benchmark_id \
             and s.filter = m.filter) \
         order by b.\"order\", t.name, m.filter limit 1",
    )
    .bind::<SqlUuid, _>(run.0)
    .bind::<Nullable<SqlUuid>, _>(benchmark.map(|b| b.0))
    .bind::<Nullable<Text>, _>(filter)
    .get_result(conn)
    .await
    .optional()
}

/// The score of a sample and the slices it is in.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Scored {
    /// The score.
    #[diesel(sql_type = Nullable<Double>)]
    pub score: Option<f64>,
    /// The slices.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub slice_assignments: Vec<Uuid>,
}

/// The samples of a task, in their order.
pub async fn samples(conn: &mut Conn, task: &Task) -> QueryResult<Vec<Scored>> {
    diesel::sql_query(
        "select score, slice_assignments from run_samples where run_benchmark_id = $1 and benchmark_id = $2 and filter = $3 \
         order by sample_index limit $4",
    )
    .bind::<SqlUuid, _>(task.run_benchmark_id)
    .bind::<SqlUuid, _>(task.benchmark_id)
    .bind::<Text, _>(&task.filter)
    .bind::<BigInt, _>(MOST_SAMPLES)
    .load(conn)
    .await
}
