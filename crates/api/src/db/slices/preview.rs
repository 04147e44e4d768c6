//! What a rule would find: over the newest run of each benchmark, as row-level security shows it.

use crate::db::Conn;
use crate::db::board::leaves;
use crate::db::rules::{Condition, Query};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::rule::Rule;
use types::{BenchmarkId, OrganizationId, PreviewBenchmark, PreviewExample};
use uuid::Uuid;

/// The most benchmarks that are looked at.
const MOST_BENCHMARKS: i64 = 60;
/// The most samples of each.
const MOST_SAMPLES: i64 = 20_000;
/// The most documents of each that are asked for their fields.
const MOST_DOCUMENTS: i64 = 500;
/// Examples that are shown.
const EXAMPLES: i64 = 8;
/// Characters of a prompt that are shown.
const SHOWN_INPUT: i64 = 300;

/// The tasks that are looked at, with the pick that holds their newest samples.
#[derive(Clone, Debug, QueryableByName)]
pub struct Newest {
    #[diesel(sql_type = SqlUuid)]
    benchmark_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_benchmark_id: Uuid,
}

/// The newest samples of these benchmarks, of all measured ones when none are named.
pub async fn newest(
    conn: &mut Conn,
    organization: OrganizationId,
    benchmarks: &[BenchmarkId],
) -> QueryResult<Vec<Newest>> {
    let named: Vec<Uuid> = benchmarks.iter().map(|b| b.0).collect();
    let tasks = match named.is_empty() {
        true => None,
        false => Some(leaves(conn, organization.0, &named).await?),
    };
    diesel::sql_query(
        "select * from (select distinct on (s.benchmark_id) s.benchmark_id, s.run_benchmark_id, s.ran_at from board_scores s \
           where s.organization_id = $1 and s.slice_id is null and not s.is_group and ($2::uuid[] is null or s.benchmark_id = any ($2)) \
             and exists (select from run_samples x where x.run_benchmark_id = s.run_benchmark_id and x.benchmark_id = s.benchmark_id) \
           order by s.benchmark_id, s.ran_at desc) n order by ran_at desc limit $3",
    )
    .bind::<SqlUuid, _>(organization.0)
    .bind::<Nullable<Array<SqlUuid>>, _>(tasks)
    .bind::<BigInt, _>(MOST_BENCHMARKS)
    .load(conn)
    .await
}

/// The first samples of each task, once for each document; `$1` to `$3` are taken.
const LOOKED: &str = "looked as (select s.*, n.benchmark_id as task from unnest($1::uuid[], $2::uuid[]) n(benchmark_id, pick) \
    cross join lateral (select * from run_samples s where s.run_benchmark_id = n.pick and s.benchmark_id = n.benchmark_id \
      and s.filter = (select min(f.filter) from run_samples f where f.run_benchmark_id = n.pick and f.benchmark_id = n.benchmark_id) \
      order by s.sample_index limit $3) s)";

fn looking<'a>(sql: String, at: &[Newest], most: i64) -> Query<'a> {
    let tasks: Vec<Uuid> = at.iter().map(|n| n.benchmark_id).collect();
    let picks: Vec<Uuid> = at.iter().map(|n| n.run_benchmark_id).collect();
    diesel::sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<Array<SqlUuid>, _>(tasks)
        .bind::<Array<SqlUuid>, _>(picks)
        .bind::<BigInt, _>(most)
}

/// How many samples a rule fits, benchmark by benchmark.
pub async fn count(
    conn: &mut Conn,
    at: &[Newest],
    rule: Option<&Rule>,
) -> QueryResult<Vec<PreviewBenchmark>> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = SqlUuid)]
        benchmark_id: Uuid,
        #[diesel(sql_type = Text)]
        benchmark: String,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = BigInt)]
        seen: i64,
        #[diesel(sql_type = BigInt)]
        samples: i64,
    }
    let condition = rule.map(|rule| Condition::of(rule, 4));
    let fits = condition.as_ref().map_or("false", |c| &c.text);
    let sql = format!(
        "with {LOOKED} select s.task as benchmark_id, b.name as benchmark, s.run_id, count(*) as seen, \
           count(*) filter (where {fits}) as samples \
         from looked s join benchmarks b on b.id = s.task group by 1, 2, 3 order by samples desc, b.name"
    );
    let query = looking(sql, at, MOST_SAMPLES);
    let rows: Vec<Counted> = match condition {
        Some(condition) => condition.bind(query).load(conn).await?,
        None => query.load(conn).await?,
    };
    let view = |row: Counted| PreviewBenchmark {
        benchmark_id: row.benchmark_id.into(),
        benchmark: row.benchmark,
        run_id: row.run_id.into(),
        seen: row.seen.unsigned_abs(),
        samples: row.samples.unsigned_abs(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Some samples that a rule fits.
pub async fn examples(conn: &mut Conn, at: &[Newest], rule: &Rule) -> QueryResult<Vec<PreviewExample>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = Text)]
        benchmark: String,
        #[diesel(sql_type = BigInt)]
        doc_id: i64,
        #[diesel(sql_type = Nullable<Text>)]
        input: Option<String>,
        #[diesel(sql_type = Nullable<Jsonb>)]
        ground_truth: Option<Value>,
    }
    let condition = Condition::of(rule, 4);
    let sql = format!(
        "with {LOOKED} select s.id, s.run_id, b.name as benchmark, s.doc_id, \
           left(coalesce(s.input_data ->> 'text', s.doc ->> 'question'), {SHOWN_INPUT}) as input, s.ground_truth \
         from looked s join benchmarks b on b.id = s.task where {} order by b.name, s.sample_index limit {EXAMPLES}",
        condition.text
    );
    let rows: Vec<Found> = condition.bind(looking(sql, at, MOST_SAMPLES)).load(conn).await?;
    let view = |row: Found| PreviewExample {
        sample_id: row.id.into(),
        run_id: row.run_id.into(),
        benchmark: row.benchmark,
        doc_id: row.doc_id,
        input: row.input.unwrap_or_default(),
        ground_truth: row.ground_truth.unwrap_or(Value::Null),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// One value of one field of documents, and how many have it. Long and structured ones are told by their kind alone.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct FieldValue {
    /// The field.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its kind in JSON.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The value.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub value: Option<Value>,
    /// Documents.
    #[diesel(sql_type = BigInt)]
    pub documents: i64,
}

/// What the documents hold, the most frequent first.
pub async fn fields(conn: &mut Conn, at: &[Newest]) -> QueryResult<Vec<FieldValue>> {
    let sql = format!(
        "with {LOOKED} select e.key as name, jsonb_typeof(e.value) as kind, \
           case when jsonb_typeof(e.value) in ('string', 'number', 'boolean') and length(e.value::text) <= 60 then e.value end as value, \
           count(*) as documents \
         from looked s cross join lateral jsonb_each(case jsonb_typeof(s.doc) when 'object' then s.doc else '{{}}'::jsonb end) e \
         where jsonb_typeof(e.value) <> 'null' and length(e.key) <= 100 group by 1, 2, 3 order by documents desc, name, value limit 2000"
    );
    looking(sql, at, MOST_DOCUMENTS).load(conn).await
}
