//! What planning a run needs to know: models, benchmarks, secrets, and the past.

use super::schema::{benchmarks, model_checkpoints, models, secrets, task_folders};
use super::{Conn, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::BTreeSet;
use types::{BenchmarkId, ModelId, OrganizationId};
use uuid::Uuid;

/// A model to run.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = models)]
pub struct ModelRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// lmms-eval's model id.
    pub backend: String,
    /// Its arguments.
    pub model_args: Value,
    /// Where its weights are.
    pub source: Option<String>,
    /// Whether it belongs to the demo.
    pub demo: bool,
    /// When it was archived.
    pub archived_at: Option<DateTime<Utc>>,
}

/// The model, as far as the caller may see it.
pub async fn model(conn: &mut Conn, id: ModelId) -> QueryResult<Option<ModelRow>> {
    models::table
        .find(id.0)
        .select(ModelRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Name, place and source of a model's checkpoints.
pub async fn checkpoints(conn: &mut Conn, model: ModelId) -> QueryResult<Vec<(String, i32, Option<String>)>> {
    model_checkpoints::table
        .filter(model_checkpoints::model_id.eq(model.0))
        .order(model_checkpoints::checkpoint_index)
        .select((
            model_checkpoints::checkpoint_variant,
            model_checkpoints::checkpoint_index,
            model_checkpoints::source,
        ))
        .load(conn)
        .await
}

/// A benchmark to run.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = benchmarks)]
pub struct BenchmarkRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization; none for the installed catalogue.
    pub organization_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// Task, group or tag.
    pub kind: String,
    /// lmms-eval's output type.
    pub task_type: Option<String>,
    /// Documents.
    pub num_samples: Option<i64>,
    /// Distinct leaf tasks.
    pub leaf_tasks: Vec<String>,
    /// Whether few-shot examples work.
    pub supports_fewshot: bool,
    /// Whether a language model scores it.
    pub needs_judge: bool,
    /// Whether its data must be fetched.
    pub needs_download: bool,
    /// `installed`, or the task folder it comes from.
    pub origin: String,
    /// When it vanished from the catalogue.
    pub missing_since: Option<DateTime<Utc>>,
}

/// The benchmarks with these ids, as far as the caller may see them.
pub async fn benchmarks(conn: &mut Conn, ids: &[BenchmarkId]) -> QueryResult<Vec<BenchmarkRow>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    benchmarks::table
        .filter(benchmarks::id.eq_any(ids))
        .select(BenchmarkRow::as_select())
        .load(conn)
        .await
}

/// Documents of leaf tasks that have been seen, by name.
pub async fn leaf_samples(conn: &mut Conn, leaves: &[String]) -> QueryResult<Vec<(String, Option<i64>)>> {
    benchmarks::table
        .filter(benchmarks::name.eq_any(leaves).and(benchmarks::kind.eq("task")))
        .select((benchmarks::name, benchmarks::num_samples))
        .load(conn)
        .await
}

/// The names of an organization's secrets.
pub async fn secret_names(conn: &mut Conn, organization: OrganizationId) -> QueryResult<BTreeSet<String>> {
    let names: Vec<String> = secrets::table
        .filter(secrets::organization_id.eq(organization.0))
        .select(secrets::name)
        .load(conn)
        .await?;
    Ok(names.into_iter().collect())
}

/// The sealed values of some of an organization's secrets.
pub async fn sealed(
    conn: &mut Conn,
    organization: Uuid,
    names: &[String],
) -> QueryResult<Vec<(String, Vec<u8>)>> {
    secrets::table
        .filter(
            secrets::organization_id
                .eq(organization)
                .and(secrets::name.eq_any(names)),
        )
        .select((secrets::name, secrets::sealed))
        .load(conn)
        .await
}

/// The task folders of an organization.
pub async fn folders(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<String>> {
    task_folders::table
        .filter(task_folders::organization_id.eq(organization.0))
        .order(task_folders::path)
        .select(task_folders::path)
        .load(conn)
        .await
}

/// A finished benchmark of the past.
#[derive(Clone, Debug, QueryableByName)]
pub struct PastRow {
    /// Which.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// Whether it was this model.
    #[diesel(sql_type = Bool)]
    pub same_model: bool,
    /// How long it took.
    #[diesel(sql_type = Double)]
    pub seconds: f64,
    /// Its samples.
    #[diesel(sql_type = BigInt)]
    pub samples: i64,
}

/// How far back the past of a benchmark goes.
const LATELY: i64 = 100;

/// The latest ends of some benchmarks: `$1` organization, `$2` model, `$3` benchmarks, `$4` how many of each.
pub const PAST: &str = "select p.benchmark_id, r.model_id = $2 as same_model, p.seconds, p.samples \
    from unnest($3) w(id) cross join lateral (\
      select b.benchmark_id, b.run_id, b.sample_count as samples, \
        extract(epoch from b.completed_at - b.started_at)::float8 as seconds \
      from run_benchmarks b where b.organization_id = $1 and b.benchmark_id = w.id \
        and b.status = 'completed' and b.completed_at > b.started_at \
      order by b.completed_at desc limit $4) p join runs r on r.id = p.run_id";

/// How long these benchmarks took lately, as far as the caller may see it.
pub async fn past(
    conn: &mut Conn,
    organization: OrganizationId,
    model: ModelId,
    ids: &[BenchmarkId],
) -> QueryResult<Vec<PastRow>> {
    statement(PAST)
        .bind::<SqlUuid, _>(organization.0)
        .bind::<SqlUuid, _>(model.0)
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind::<BigInt, _>(LATELY)
        .load(conn)
        .await
}
