//! Samples: bulk writes. Reading them is in [`super::explore`].

use super::Conn;
use super::copy::{Rows, Target};
use super::schema::run_samples;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
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
    /// Of the document's fields, where they are known.
    pub content_hash: Option<Vec<u8>>,
    /// Of the target.
    pub target_hash: Option<Vec<u8>>,
    /// Of the input.
    pub prompt_hash: Option<Vec<u8>>,
    /// The slices it is in.
    pub slices: Vec<Uuid>,
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

/// Where samples are copied to.
pub const TARGET: Target = Target {
    table: "run_samples",
    columns: &[
        "id",
        "organization_id",
        "run_id",
        "run_benchmark_id",
        "benchmark_id",
        "sample_index",
        "doc_id",
        "filter",
        "input_data",
        "ground_truth",
        "prediction",
        "raw_prediction",
        "metrics",
        "doc",
        "score",
        "score_reason",
        "error",
        "confidence",
        "flags",
        "content_hash",
        "prompt_hash",
        "slice_assignments",
        "target_hash",
    ],
};

impl NewSample {
    /// Adds the sample to the rows that are to be copied.
    pub fn encode(&self, owner: Owner, rows: &mut Rows) {
        rows.begin(&TARGET);
        let ids = [
            Uuid::now_v7(),
            owner.organization,
            owner.run,
            owner.pick,
            self.benchmark_id,
        ];
        ids.into_iter().for_each(|id| rows.uuid(id));
        rows.int8(self.sample_index);
        rows.int8(self.doc_id);
        rows.text(&self.filter);
        rows.json(&self.input_data);
        for value in [&self.ground_truth, &self.prediction, &self.raw_prediction] {
            rows.maybe(value.as_ref(), Rows::json);
        }
        rows.json(&self.metrics);
        rows.maybe(self.doc.as_ref(), Rows::json);
        rows.maybe(self.score, Rows::float8);
        rows.maybe(self.score_reason.as_deref(), Rows::text);
        rows.maybe(self.error, Rows::float8);
        rows.maybe(self.confidence, Rows::float8);
        rows.texts(&self.flags);
        rows.maybe(self.content_hash.as_deref(), Rows::bytes);
        rows.maybe(self.prompt_hash.as_deref(), Rows::bytes);
        rows.uuids(&self.slices);
        rows.maybe(self.target_hash.as_deref(), Rows::bytes);
    }
}

/// Takes back the hashes of a task's documents, or of their targets, which turned out to be all the same.
pub async fn forget_hashes(
    conn: &mut Conn,
    pick: Uuid,
    benchmark: Uuid,
    documents: bool,
    targets: bool,
) -> QueryResult<()> {
    diesel::sql_query(
        "update run_samples set content_hash = case when $3 then null else content_hash end, \
         target_hash = case when $4 then null else target_hash end \
         where run_benchmark_id = $1 and benchmark_id = $2",
    )
    .bind::<SqlUuid, _>(pick)
    .bind::<SqlUuid, _>(benchmark)
    .bind::<Bool, _>(documents)
    .bind::<Bool, _>(targets)
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
