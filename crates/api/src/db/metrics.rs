//! Committed scores.

use super::Conn;
use super::schema::{benchmarks, run_benchmarks, run_metrics};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::BTreeMap;
use types::{BenchmarkId, MetricView, RunId};
use uuid::Uuid;

/// A score as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = run_metrics)]
pub struct MetricRow {
    /// The leaf or group.
    pub benchmark_id: Uuid,
    /// The picked row.
    pub run_benchmark_id: Uuid,
    /// The metric.
    pub metric_name: String,
    /// The filter.
    pub filter: String,
    /// The value.
    pub metric_value: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Documents.
    pub sample_count: Option<i64>,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
    /// The slice.
    pub slice_id: Option<Uuid>,
    /// Whether it is a group's.
    pub is_group: bool,
    /// When it was committed.
    pub updated_at: DateTime<Utc>,
    /// Why a slice has no value.
    pub reason: Option<String>,
}

/// A score to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = run_metrics)]
pub struct NewMetric {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The picked row.
    pub run_benchmark_id: Uuid,
    /// The leaf or group.
    pub benchmark_id: Uuid,
    /// The metric.
    pub metric_name: String,
    /// The filter.
    pub filter: String,
    /// The value.
    pub metric_value: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
    /// Documents.
    pub sample_count: Option<i64>,
    /// Whether it is a group's.
    pub is_group: bool,
    /// What it was measured under: `limit`, `num_fewshot`, `version`; what is not there is the task's own.
    pub conditions: Value,
    /// The slice; none for all samples.
    pub slice_id: Option<Uuid>,
    /// The samples' scores are its values, one by one.
    pub of_samples: bool,
    /// Why a slice has no value.
    pub reason: Option<String>,
}

/// Replaces the scores of a picked benchmark.
pub async fn replace(conn: &mut Conn, pick: Uuid, metrics: &[NewMetric]) -> QueryResult<()> {
    diesel::delete(run_metrics::table.filter(run_metrics::run_benchmark_id.eq(pick)))
        .execute(conn)
        .await?;
    for some in metrics.chunks(500) {
        diesel::insert_into(run_metrics::table)
            .values(some)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// The scores of a run, by picked benchmark, task, metric and filter. A benchmark is a leaf or a
/// picked group.
pub async fn of_run(
    conn: &mut Conn,
    run: RunId,
    benchmark: Option<BenchmarkId>,
) -> QueryResult<Vec<MetricView>> {
    let mut query = run_metrics::table
        .inner_join(benchmarks::table)
        .inner_join(run_benchmarks::table)
        .filter(run_metrics::run_id.eq(run.0))
        .into_boxed();
    if let Some(id) = benchmark {
        query = query.filter(
            run_metrics::benchmark_id
                .eq(id.0)
                .or(run_benchmarks::benchmark_id.eq(id.0)),
        );
    }
    let rows: Vec<(MetricRow, String)> = query
        .order((
            run_benchmarks::order,
            run_metrics::is_group.desc(),
            benchmarks::name,
            run_metrics::metric_name,
            run_metrics::filter,
        ))
        .select((MetricRow::as_select(), benchmarks::name))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(view_of).collect())
}

fn view_of((row, benchmark): (MetricRow, String)) -> MetricView {
    let MetricRow {
        benchmark_id,
        run_benchmark_id,
        metric_name,
        filter,
        metric_value,
        stderr,
        sample_count,
        higher_is_better,
        slice_id,
        is_group,
        updated_at,
        reason,
    } = row;
    MetricView {
        benchmark_id: benchmark_id.into(),
        benchmark,
        run_benchmark_id: run_benchmark_id.into(),
        metric_name,
        filter,
        metric_value,
        stderr,
        sample_count,
        higher_is_better,
        slice_id: slice_id.map(Into::into),
        is_group,
        updated_at,
        reason,
    }
}

/// Outer key the benchmark, inner `metric`, or `metric,filter` where there is a filter.
pub fn snapshot(metrics: &[MetricView]) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut snapshot: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for metric in metrics.iter().filter(|m| m.slice_id.is_none()) {
        let Some(value) = metric.metric_value else {
            continue;
        };
        let key = match metric.filter.as_str() {
            "none" => metric.metric_name.clone(),
            filter => format!("{},{filter}", metric.metric_name),
        };
        snapshot
            .entry(metric.benchmark.clone())
            .or_default()
            .insert(key, value);
    }
    snapshot
}
