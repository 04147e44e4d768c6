//! One sample as it is shown, with what others answered to the same document.

use crate::db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{OtherAnswer, SampleView};
use uuid::Uuid;

/// A sample's row, with the name of its task.
#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    benchmark_id: Uuid,
    #[diesel(sql_type = Text)]
    benchmark: String,
    #[diesel(sql_type = SqlUuid)]
    run_benchmark_id: Uuid,
    #[diesel(sql_type = BigInt)]
    sample_index: i64,
    #[diesel(sql_type = BigInt)]
    doc_id: i64,
    #[diesel(sql_type = Text)]
    filter: String,
    #[diesel(sql_type = Jsonb)]
    input_data: Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    ground_truth: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    prediction: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    raw_prediction: Option<Value>,
    #[diesel(sql_type = Jsonb)]
    metrics: Value,
    #[diesel(sql_type = Nullable<Double>)]
    score: Option<f64>,
    #[diesel(sql_type = Nullable<Text>)]
    score_reason: Option<String>,
    #[diesel(sql_type = Nullable<Double>)]
    error: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    confidence: Option<f64>,
    #[diesel(sql_type = Array<Text>)]
    flags: Vec<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    slice_assignments: Vec<Uuid>,
}

/// What [`Row`] is made of: `s` is the sample, `t` its task.
pub(super) const COLUMNS: &str = "s.id, s.benchmark_id, t.name as benchmark, s.run_benchmark_id, s.sample_index, s.doc_id, s.filter, \
    s.input_data, s.ground_truth, s.prediction, s.raw_prediction, s.metrics, s.score, s.score_reason, s.error, \
    s.confidence, s.flags, s.slice_assignments";

/// The row as it is shown, without its media.
pub(super) fn view_of(row: Row) -> SampleView {
    SampleView {
        id: row.id.into(),
        index: row.sample_index,
        doc_id: row.doc_id,
        benchmark_id: row.benchmark_id.into(),
        benchmark: row.benchmark,
        run_benchmark_id: row.run_benchmark_id.into(),
        filter: row.filter,
        input: row.input_data,
        media: Vec::new(),
        ground_truth: row.ground_truth.unwrap_or(Value::Null),
        prediction: row.prediction.unwrap_or(Value::Null),
        raw_prediction: row.raw_prediction,
        metrics: row.metrics,
        score: row.score,
        score_reason: row.score_reason,
        error: row.error,
        confidence: row.confidence,
        flags: row.flags,
        slices: row.slice_assignments.into_iter().map(Into::into).collect(),
    }
}

/// A sample's run and the fields of its document.
#[derive(Clone, Debug)]
pub struct Found {
    /// The sample.
    pub sample: SampleView,
    /// Its organization.
    pub organization: Uuid,
    /// Its run.
    pub run: Uuid,
    /// The document's own fields, if the runner kept them.
    pub doc: Option<Value>,
}

/// One sample, as row-level security shows it.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Found>> {
    #[derive(QueryableByName)]
    struct Whole {
        #[diesel(embed)]
        sample: Row,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = Nullable<Jsonb>)]
        doc: Option<Value>,
    }
    let found: Option<Whole> = diesel::sql_query(format!(
        "select {COLUMNS}, s.organization_id, s.run_id, s.doc from run_samples s join benchmarks t on t.id = s.benchmark_id where s.id = $1"
    ))
    .bind::<SqlUuid, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(found.map(|whole| Found {
        sample: view_of(whole.sample),
        organization: whole.organization_id,
        run: whole.run_id,
        doc: whole.doc,
    }))
}

/// What other models answered to the same document, one answer for each model and checkpoint: that of the run whose
/// score the leaderboard shows.
pub async fn others(conn: &mut Conn, found: &Found, most: i64) -> QueryResult<Vec<OtherAnswer>> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = Text)]
        model_name: String,
        #[diesel(sql_type = Text)]
        checkpoint_variant: String,
        #[diesel(sql_type = Nullable<Jsonb>)]
        prediction: Option<Value>,
        #[diesel(sql_type = Nullable<Double>)]
        score: Option<f64>,
        #[diesel(sql_type = Nullable<Double>)]
        error: Option<f64>,
    }
    let rows: Vec<Other> = diesel::sql_query(
        "select o.id, o.run_id, m.name as model_name, x.checkpoint_variant, o.prediction, o.score, o.error from ( \
           select distinct on (c.model_id, c.checkpoint_variant) c.model_id, c.checkpoint_variant, c.ran_at, a.id \
           from board_scores c join run_samples a on a.benchmark_id = $1 and a.filter = $2 and a.doc_id = $3 \
             and a.run_benchmark_id = c.run_benchmark_id \
           where c.organization_id = $4 and c.slice_id is null and c.benchmark_id = $1 and c.run_id <> $5 \
           order by c.model_id, c.checkpoint_variant, c.ran_at desc, a.id) x \
         join run_samples o on o.id = x.id join models m on m.id = x.model_id order by x.ran_at desc limit $6",
    )
    .bind::<SqlUuid, _>(found.sample.benchmark_id.0)
    .bind::<Text, _>(&found.sample.filter)
    .bind::<BigInt, _>(found.sample.doc_id)
    .bind::<SqlUuid, _>(found.organization)
    .bind::<SqlUuid, _>(found.run)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?;
    let view = |o: Other| OtherAnswer {
        sample_id: o.id.into(),
        run_id: o.run_id.into(),
        model_name: o.model_name,
        checkpoint: o.checkpoint_variant,
        prediction: o.prediction.unwrap_or(Value::Null),
        score: o.score,
        error: o.error,
    };
    Ok(rows.into_iter().map(view).collect())
}
