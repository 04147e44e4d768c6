//! How much the completed runs of an organization agree about each document, as the worker counts it.
//!
//! Counted anew for a benchmark whose answers have changed, never for others, and the more seldom the longer it takes.

use super::Conn;
use super::explore::Found;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use types::DocumentAgreement;
use uuid::Uuid;

/// How many times what counting took lies between two counts of a benchmark.
const PAUSE: i64 = 20;

/// A benchmark whose answers have changed since they were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Outdated {
    /// The organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// The benchmark.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// The change that is the last one so far.
    #[diesel(sql_type = BigInt)]
    pub changes: i64,
}

/// Benchmarks that are to be counted now, those that have waited longest first.
pub async fn outdated(conn: &mut Conn) -> QueryResult<Vec<Outdated>> {
    diesel::sql_query(
        "select organization_id, benchmark_id, changes from agreement_state where changes > counted \
           and (counted_at is null or counted_at + took * $1 < clock_timestamp()) order by counted_at nulls first",
    )
    .bind::<BigInt, _>(PAUSE)
    .load(conn)
    .await
}

/// Counts one benchmark. However long it takes, it is one statement: the time limit of a statement does not hold.
pub async fn count(conn: &mut Conn, what: Outdated) -> QueryResult<()> {
    diesel::sql_query("select set_config('statement_timeout', '0', true)")
        .execute(conn)
        .await?;
    diesel::sql_query(COUNT)
        .bind::<SqlUuid, _>(what.organization_id)
        .bind::<SqlUuid, _>(what.benchmark_id)
        .execute(conn)
        .await?;
    // The time of a transaction is that of its beginning.
    diesel::sql_query(
        "update agreement_state set counted = greatest(counted, $3), counted_at = clock_timestamp(), took = clock_timestamp() - now() \
         where organization_id = $1 and benchmark_id = $2",
    )
    .bind::<SqlUuid, _>(what.organization_id)
    .bind::<SqlUuid, _>(what.benchmark_id)
    .bind::<BigInt, _>(what.changes)
    .execute(conn)
    .await
    .map(|_| ())
}

/// An answer with an error of more than a half is wrong. A document of which nobody knows is left out.
const COUNT: &str = "with counted as materialized ( \
      select s.filter, s.doc_id, count(*)::int as answers, count(*) filter (where s.error <= 0.5)::int as \"right\" \
      from run_samples s join runs r on r.id = s.run_id \
      where s.organization_id = $1 and s.benchmark_id = $2 and s.error is not null and r.status = 'completed' \
      group by s.filter, s.doc_id), \
    gone as (delete from document_agreement d where d.organization_id = $1 and d.benchmark_id = $2 \
      and not exists (select from counted c where c.filter = d.filter and c.doc_id = d.doc_id)) \
    insert into document_agreement as d (organization_id, benchmark_id, filter, doc_id, answers, \"right\", disagreement) \
    select $1, $2, filter, doc_id, answers, \"right\", case when \"right\" in (0, answers) then 0 \
      else -(p * ln(p) + (1 - p) * ln(1 - p)) / ln(2::float8) end \
    from counted, lateral (select \"right\"::float8 / answers as p) x \
    on conflict (organization_id, benchmark_id, filter, doc_id) do update \
      set answers = excluded.answers, \"right\" = excluded.\"right\", disagreement = excluded.disagreement \
      where (d.answers, d.\"right\") is distinct from (excluded.answers, excluded.\"right\")";

/// What was counted for a sample's document.
pub async fn of_document(conn: &mut Conn, found: &Found) -> QueryResult<Option<DocumentAgreement>> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = Integer)]
        answers: i32,
        #[diesel(sql_type = Integer)]
        right: i32,
        #[diesel(sql_type = Double)]
        disagreement: f64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        counted_at: Option<DateTime<Utc>>,
    }
    let counted: Option<Counted> = diesel::sql_query(
        "select d.answers, d.\"right\", d.disagreement, s.counted_at from document_agreement d \
         left join agreement_state s on s.organization_id = d.organization_id and s.benchmark_id = d.benchmark_id \
         where d.organization_id = $1 and d.benchmark_id = $2 and d.filter = $3 and d.doc_id = $4",
    )
    .bind::<SqlUuid, _>(found.organization)
    .bind::<SqlUuid, _>(found.sample.benchmark_id.0)
    .bind::<Text, _>(&found.sample.filter)
    .bind::<BigInt, _>(found.sample.doc_id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(counted.map(|c| DocumentAgreement {
        answers: c.answers.unsigned_abs(),
        right: c.right.unsigned_abs(),
        disagreement: c.disagreement,
        counted_at: c.counted_at,
    }))
}
