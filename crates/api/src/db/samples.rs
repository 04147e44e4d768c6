//! Samples: bulk writes. Reading them is in [`super::explore`].

use super::Conn;
use super::schema::run_samples;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Double, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

/// A sample to store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewSample {
    /// The leaf.
    pub benchmark_id: Uuid,
    /// Place in the file.
    pub sample_index: i64,
    /// lmms-eval's index of the document.
    pub doc_id: i64,
    /// The filter.
    pub filter: String,
    /// Prompt and media.
    pub input_data: Value,
    /// What was expected.
    pub ground_truth: Option<Value>,
    /// What was answered, after the filter.
    pub prediction: Option<Value>,
    /// What was answered, when it differs.
    pub raw_prediction: Option<Value>,
    /// Per-sample metrics.
    pub metrics: Value,
    /// The document's own fields.
    pub doc: Option<Value>,
    /// The value under the primary metric.
    pub score: Option<f64>,
    /// Why there is none.
    pub score_reason: Option<String>,
    /// 1 - score on a [0, 1] scale.
    pub error: Option<f64>,
    /// From log-likelihoods.
    pub confidence: Option<f64>,
    /// What is odd about it.
    pub flags: Vec<&'static str>,
    /// Of the document's fields.
    pub content_hash: Option<Vec<u8>>,
    /// Of the input.
    pub prompt_hash: Option<Vec<u8>>,
}

/// Whose samples they are.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The organization.
    pub organization: Uuid,
    /// The run.
    pub run: Uuid,
    /// The picked row.
    pub pick: Uuid,
}

/// Removes the samples of a picked benchmark.
pub async fn clear(conn: &mut Conn, pick: Uuid) -> QueryResult<()> {
    diesel::delete(run_samples::table.filter(run_samples::run_benchmark_id.eq(pick)))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Stores many samples in one statement, column by column. A repeated place changes nothing.
pub async fn insert(conn: &mut Conn, owner: Owner, samples: Vec<NewSample>) -> QueryResult<usize> {
    let mut c = Columns::default();
    samples.into_iter().for_each(|s| c.push(s));
    diesel::sql_query(
        "insert into run_samples (id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id, \
         filter, input_data, ground_truth, prediction, raw_prediction, metrics, doc, score, score_reason, error, \
         confidence, flags, content_hash, prompt_hash) \
         select c.id, $1, $2, $3, c.b, c.i, c.d, c.f, c.input, c.truth, c.pred, c.raw, c.metrics, c.doc, c.score, \
         c.reason, c.error, c.confidence, coalesce(string_to_array(nullif(c.flags, ''), ','), '{}'), c.content, c.prompt \
         from unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
         c(id, b, i, d, f, input, truth, pred, raw, metrics, doc, score, reason, error, confidence, flags, content, prompt) \
         on conflict do nothing",
    )
    .bind::<SqlUuid, _>(owner.organization)
    .bind::<SqlUuid, _>(owner.run)
    .bind::<SqlUuid, _>(owner.pick)
    .bind::<Array<SqlUuid>, _>(c.id)
    .bind::<Array<SqlUuid>, _>(c.benchmark)
    .bind::<Array<BigInt>, _>(c.index)
    .bind::<Array<BigInt>, _>(c.doc_id)
    .bind::<Array<Text>, _>(c.filter)
    .bind::<Array<Jsonb>, _>(c.input)
    .bind::<Array<Nullable<Jsonb>>, _>(c.truth)
    .bind::<Array<Nullable<Jsonb>>, _>(c.prediction)
    .bind::<Array<Nullable<Jsonb>>, _>(c.raw)
    .bind::<Array<Jsonb>, _>(c.metrics)
    .bind::<Array<Nullable<Jsonb>>, _>(c.doc)
    .bind::<Array<Nullable<Double>>, _>(c.score)
    .bind::<Array<Nullable<Text>>, _>(c.reason)
    .bind::<Array<Nullable<Double>>, _>(c.error)
    .bind::<Array<Nullable<Double>>, _>(c.confidence)
    .bind::<Array<Text>, _>(c.flags)
    .bind::<Array<Nullable<Bytea>>, _>(c.content)
    .bind::<Array<Nullable<Bytea>>, _>(c.prompt)
    .execute(conn)
    .await
}

#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    benchmark: Vec<Uuid>,
    index: Vec<i64>,
    doc_id: Vec<i64>,
    filter: Vec<String>,
    input: Vec<Value>,
    truth: Vec<Option<Value>>,
    prediction: Vec<Option<Value>>,
    raw: Vec<Option<Value>>,
    metrics: Vec<Value>,
    doc: Vec<Option<Value>>,
    score: Vec<Option<f64>>,
    reason: Vec<Option<String>>,
    error: Vec<Option<f64>>,
    confidence: Vec<Option<f64>>,
    flags: Vec<String>,
    content: Vec<Option<Vec<u8>>>,
    prompt: Vec<Option<Vec<u8>>>,
}

impl Columns {
    fn push(&mut self, s: NewSample) {
        self.id.push(Uuid::now_v7());
        self.benchmark.push(s.benchmark_id);
        self.index.push(s.sample_index);
        self.doc_id.push(s.doc_id);
        self.filter.push(s.filter);
        self.input.push(s.input_data);
        self.truth.push(s.ground_truth);
        self.prediction.push(s.prediction);
        self.raw.push(s.raw_prediction);
        self.metrics.push(s.metrics);
        self.doc.push(s.doc);
        self.score.push(s.score);
        self.reason.push(s.score_reason);
        self.error.push(s.error);
        self.confidence.push(s.confidence);
        self.flags.push(s.flags.join(","));
        self.content.push(s.content_hash);
        self.prompt.push(s.prompt_hash);
    }
}

/// Takes back the hashes of a task's documents, which turned out to be all the same.
pub async fn forget_contents(conn: &mut Conn, pick: Uuid, benchmark: Uuid) -> QueryResult<()> {
    diesel::update(run_samples::table)
        .filter(
            run_samples::run_benchmark_id
                .eq(pick)
                .and(run_samples::benchmark_id.eq(benchmark)),
        )
        .set(run_samples::content_hash.eq(None::<Vec<u8>>))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Takes back the errors of a task whose scores turned out not to lie in [0, 1].
pub async fn forget_errors(conn: &mut Conn, pick: Uuid, benchmark: Uuid, filter: &str) -> QueryResult<()> {
    diesel::update(run_samples::table)
        .filter(
            run_samples::run_benchmark_id
                .eq(pick)
                .and(run_samples::benchmark_id.eq(benchmark)),
        )
        .filter(run_samples::filter.eq(filter))
        .set(run_samples::error.eq(None::<f64>))
        .execute(conn)
        .await
        .map(|_| ())
}
