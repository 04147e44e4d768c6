//! How the samples of scores compare with those of the first of their column, found by the worker.

use super::Conn;
use crate::board::Overlap;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// A score's samples beside those of its column's first.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct PairRow {
    /// The benchmark.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// The model.
    #[diesel(sql_type = SqlUuid)]
    pub model_id: Uuid,
    /// The checkpoint.
    #[diesel(sql_type = Text)]
    pub checkpoint_variant: String,
    /// The first of the column.
    #[diesel(sql_type = SqlUuid)]
    pub reference_id: Uuid,
    /// Its checkpoint.
    #[diesel(sql_type = Text)]
    pub reference_variant: String,
    #[diesel(sql_type = Integer)]
    documents: i32,
    #[diesel(sql_type = Integer)]
    prompts_known: i32,
    #[diesel(sql_type = Integer)]
    prompts_differ: i32,
    #[diesel(sql_type = Integer)]
    documents_differ: i32,
}

/// Who is compared with whom: model and checkpoint.
pub type Side = (Uuid, String);

impl PairRow {
    /// A pair to store.
    pub fn new(benchmark_id: Uuid, own: &Side, reference: &Side, found: Overlap) -> Self {
        let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            benchmark_id,
            model_id: own.0,
            checkpoint_variant: own.1.clone(),
            reference_id: reference.0,
            reference_variant: reference.1.clone(),
            documents: count(found.documents),
            prompts_known: count(found.prompts_known),
            prompts_differ: count(found.prompts_differ),
            documents_differ: count(found.documents_differ),
        }
    }

    /// What both have in common.
    pub fn overlap(&self) -> Overlap {
        Overlap {
            documents: self.documents.unsigned_abs(),
            prompts_known: self.prompts_known.unsigned_abs(),
            prompts_differ: self.prompts_differ.unsigned_abs(),
            documents_differ: self.documents_differ.unsigned_abs(),
        }
    }
}

/// Stores the pairs of an organization over the ones before.
pub async fn replace(conn: &mut Conn, organization: Uuid, pairs: &[PairRow]) -> QueryResult<()> {
    diesel::sql_query("delete from board_pairs where organization_id = $1")
        .bind::<SqlUuid, _>(organization)
        .execute(conn)
        .await?;
    fn of<T>(pairs: &[PairRow], pick: impl Fn(&PairRow) -> T) -> Vec<T> {
        pairs.iter().map(pick).collect()
    }
    diesel::sql_query(
        "insert into board_pairs (organization_id, benchmark_id, model_id, checkpoint_variant, reference_id, \
           reference_variant, documents, prompts_known, prompts_differ, documents_differ) \
         select $1, p.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) \
           p (benchmark_id, model_id, variant, reference_id, reference, documents, known, prompts, others) \
         where exists (select from models m where m.id = p.model_id) and exists (select from models m where m.id = p.reference_id) \
         on conflict do nothing",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<Array<SqlUuid>, _>(of(pairs, |p| p.benchmark_id))
    .bind::<Array<SqlUuid>, _>(of(pairs, |p| p.model_id))
    .bind::<Array<Text>, _>(of(pairs, |p| p.checkpoint_variant.clone()))
    .bind::<Array<SqlUuid>, _>(of(pairs, |p| p.reference_id))
    .bind::<Array<Text>, _>(of(pairs, |p| p.reference_variant.clone()))
    .bind::<Array<Integer>, _>(of(pairs, |p| p.documents))
    .bind::<Array<Integer>, _>(of(pairs, |p| p.prompts_known))
    .bind::<Array<Integer>, _>(of(pairs, |p| p.prompts_differ))
    .bind::<Array<Integer>, _>(of(pairs, |p| p.documents_differ))
    .execute(conn)
    .await
    .map(|_| ())
}

/// The pairs of these benchmarks.
pub async fn list(conn: &mut Conn, organization: Uuid, benchmarks: &[Uuid]) -> QueryResult<Vec<PairRow>> {
    diesel::sql_query(
        "select benchmark_id, model_id, checkpoint_variant, reference_id, reference_variant, documents, prompts_known, \
           prompts_differ, documents_differ from board_pairs where organization_id = $1 and benchmark_id = any ($2)",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<Array<SqlUuid>, _>(benchmarks)
    .load(conn)
    .await
}
