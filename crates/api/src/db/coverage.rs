//! What has been measured, of the catalogue and of each model.

use super::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use types::BenchmarkCoverage;
use uuid::Uuid;

/// What has been measured: benchmarks with scores, and the groups that hold them.
pub async fn of_organization(conn: &mut Conn, organization: Uuid) -> QueryResult<Vec<BenchmarkCoverage>> {
    let rows: Vec<Covered> = diesel::sql_query(
        "with counted as ( \
           select s.benchmark_id, count(distinct s.model_id) as models, max(s.ran_at) as last_run, \
             count(distinct (s.model_id, s.checkpoint_variant)) as checkpoints \
           from board_scores s where s.organization_id = $1 and s.slice_id is null group by s.benchmark_id), \
         named as (select b.*, c.models, c.checkpoints, c.last_run from counted c join benchmarks b on b.id = c.benchmark_id) \
         select id, name, kind, modality, category, models, checkpoints, last_run, 0::bigint as measured, \
           cardinality(leaf_tasks)::bigint as leaves from named where kind = 'task' \
         union all \
         select g.id, g.name, g.kind, g.modality, g.category, coalesce(n.models, 0), coalesce(n.checkpoints, 0), n.last_run, \
           (select count(*) from named x where x.name = any (g.leaf_tasks)), cardinality(g.leaf_tasks)::bigint \
         from benchmarks g left join named n on n.id = g.id \
         where g.kind <> 'task' and (g.organization_id is null or g.organization_id = $1) \
           and g.leaf_tasks && (select array_agg(name) from named) \
         order by name, id",
    )
    .bind::<SqlUuid, _>(organization)
    .load(conn)
    .await?;
    Ok(rows.into_iter().filter_map(Covered::view).collect())
}

#[derive(QueryableByName)]
struct Covered {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    modality: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = BigInt)]
    models: i64,
    #[diesel(sql_type = BigInt)]
    checkpoints: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_run: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    measured: i64,
    #[diesel(sql_type = BigInt)]
    leaves: i64,
}

impl Covered {
    /// None for a kind or modality that the schema's checks do not allow.
    fn view(self) -> Option<BenchmarkCoverage> {
        Some(BenchmarkCoverage {
            id: self.id.into(),
            name: self.name,
            kind: self.kind.parse().ok()?,
            modality: self.modality.parse().ok()?,
            category: self.category,
            models: self.models.unsigned_abs(),
            checkpoints: self.checkpoints.unsigned_abs(),
            last_run: self.last_run,
            measured: self.measured.unsigned_abs(),
            leaves: self.leaves.unsigned_abs(),
        })
    }
}

/// On how many benchmarks each model has a score, and when the newest was measured.
pub async fn measured(conn: &mut Conn, models: &[Uuid]) -> QueryResult<HashMap<Uuid, (u64, DateTime<Utc>)>> {
    #[derive(QueryableByName)]
    struct Measured {
        #[diesel(sql_type = SqlUuid)]
        model_id: Uuid,
        #[diesel(sql_type = BigInt)]
        benchmarks: i64,
        #[diesel(sql_type = Timestamptz)]
        last_run: DateTime<Utc>,
    }
    let found: Vec<Measured> = diesel::sql_query(
        "select model_id, count(distinct benchmark_id) as benchmarks, max(ran_at) as last_run from board_scores \
         where model_id = any ($1) and slice_id is null group by model_id",
    )
    .bind::<Array<SqlUuid>, _>(models)
    .load(conn)
    .await?;
    let pair = |m: Measured| (m.model_id, (m.benchmarks.unsigned_abs(), m.last_run));
    Ok(found.into_iter().map(pair).collect())
}
