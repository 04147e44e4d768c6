//! The leaderboard's scores and ranks. Scores are kept by a trigger on the committed ones.

use super::Conn;
use crate::board::Answer;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::ModelScore;
use uuid::Uuid;

/// A metric that has scores.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Scored {
    /// The benchmark.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub benchmark: String,
    /// The metric.
    #[diesel(sql_type = Text)]
    pub metric_name: String,
    /// The filter.
    #[diesel(sql_type = Text)]
    pub filter: String,
    /// Whether more is better, if anybody says.
    #[diesel(sql_type = Nullable<Bool>)]
    pub higher_is_better: Option<bool>,
    /// The benchmark's own first metric.
    #[diesel(sql_type = Bool)]
    pub is_primary: bool,
    /// Whether a group was measured.
    #[diesel(sql_type = Bool)]
    pub is_group: bool,
    /// Scores.
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
    /// Scores with an error.
    #[diesel(sql_type = BigInt)]
    pub with_error: i64,
}

/// A score with whose it is.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Score {
    /// The benchmark.
    #[diesel(sql_type = SqlUuid)]
    pub benchmark_id: Uuid,
    /// The metric.
    #[diesel(sql_type = Text)]
    pub metric_name: String,
    /// The filter.
    #[diesel(sql_type = Text)]
    pub filter: String,
    /// The model.
    #[diesel(sql_type = SqlUuid)]
    pub model_id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub model_name: String,
    /// E.g. `LLaVA`.
    #[diesel(sql_type = Nullable<Text>)]
    pub family: Option<String>,
    /// Its size.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub num_parameters: Option<i64>,
    /// The checkpoint.
    #[diesel(sql_type = Text)]
    pub checkpoint_variant: String,
    /// Its place in training.
    #[diesel(sql_type = Nullable<Integer>)]
    pub checkpoint_index: Option<i32>,
    /// The run.
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    /// The picked row.
    #[diesel(sql_type = SqlUuid)]
    pub run_benchmark_id: Uuid,
    /// The value.
    #[diesel(sql_type = Double)]
    pub value: f64,
    /// Its standard error.
    #[diesel(sql_type = Nullable<Double>)]
    pub stderr: Option<f64>,
    /// Documents.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub sample_count: Option<i64>,
    /// What it was measured under.
    #[diesel(sql_type = Jsonb)]
    pub conditions: Value,
    /// Why it is to be used with care.
    #[diesel(sql_type = Nullable<Text>)]
    pub degraded: Option<String>,
    /// When its samples were ingested.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ingested_at: Option<DateTime<Utc>>,
    /// When it was measured.
    #[diesel(sql_type = Timestamptz)]
    pub ran_at: DateTime<Utc>,
}

/// A stored rank interval.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Ranked {
    /// The model.
    #[diesel(sql_type = SqlUuid)]
    pub model_id: Uuid,
    /// The checkpoint.
    #[diesel(sql_type = Text)]
    pub checkpoint_variant: String,
    /// The best place.
    #[diesel(sql_type = Integer)]
    pub rank_lo: i32,
    /// The worst.
    #[diesel(sql_type = Integer)]
    pub rank_hi: i32,
    /// Comparisons that were corrected for.
    #[diesel(sql_type = Integer)]
    pub tests: i32,
}

/// How far the ranks of an organization are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct State {
    /// The organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// Changes of its scores.
    #[diesel(sql_type = BigInt)]
    pub changes: i64,
    /// The change up to which its ranks are known.
    #[diesel(sql_type = BigInt)]
    pub ranked: i64,
    /// When they were found.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ranked_at: Option<DateTime<Utc>>,
}

/// The columns of a [`Score`], from these tables.
const SCORE: &str = "s.benchmark_id, s.metric_name, s.filter, s.model_id, m.name as model_name, m.family, m.num_parameters, \
    s.checkpoint_variant, c.checkpoint_index, s.run_id, s.run_benchmark_id, s.value, s.stderr, s.sample_count, \
    s.conditions, b.degraded, b.ingested_at, s.ran_at";
const JOINS: &str = "join models m on m.id = s.model_id join run_benchmarks b on b.id = s.run_benchmark_id \
    left join model_checkpoints c on c.model_id = s.model_id and c.checkpoint_variant = s.checkpoint_variant";

/// How many times what finding them took lies between two times that the ranks of an organization are found.
const PAUSE: i64 = 4;

/// `slice_id` is compared so that an index serves both.
const fn of_slice(slice: Option<Uuid>) -> &'static str {
    match slice {
        None => "s.slice_id is null and $2::uuid is null",
        Some(_) => "s.slice_id = $2",
    }
}

/// Every metric that has scores, by number of scores.
pub async fn scored(conn: &mut Conn, organization: Uuid, slice: Option<Uuid>) -> QueryResult<Vec<Scored>> {
    diesel::sql_query(format!(
        "select s.benchmark_id, b.name as benchmark, s.metric_name, s.filter, \
           bool_or(s.higher_is_better) as higher_is_better, b.primary_metrics ->> 0 is not distinct from s.metric_name as is_primary, \
           bool_or(s.is_group) as is_group, count(*) as entries, count(s.stderr) as with_error \
         from board_scores s join benchmarks b on b.id = s.benchmark_id join models m on m.id = s.model_id \
         where s.organization_id = $1 and {} and m.archived_at is null \
         group by s.benchmark_id, b.name, b.primary_metrics, s.metric_name, s.filter \
         order by entries desc, b.name, s.metric_name, s.filter",
        of_slice(slice)
    ))
    .bind::<SqlUuid, _>(organization)
    .bind::<Nullable<SqlUuid>, _>(slice)
    .load(conn)
    .await
}

/// The scores of these benchmarks.
pub async fn scores(
    conn: &mut Conn,
    organization: Uuid,
    slice: Option<Uuid>,
    benchmarks: &[Uuid],
) -> QueryResult<Vec<Score>> {
    diesel::sql_query(format!(
        "select {SCORE} from board_scores s {JOINS} \
         where s.organization_id = $1 and {} and s.benchmark_id = any ($3) and m.archived_at is null",
        of_slice(slice)
    ))
    .bind::<SqlUuid, _>(organization)
    .bind::<Nullable<SqlUuid>, _>(slice)
    .bind::<Array<SqlUuid>, _>(benchmarks)
    .load(conn)
    .await
}

/// Benchmarks and what groups among them hold.
pub async fn leaves(conn: &mut Conn, organization: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let found: Vec<Found> = diesel::sql_query(
        "select b.id from benchmarks b where b.id = any ($2) \
         union select l.id from benchmarks g cross join lateral unnest(g.leaf_tasks) leaf(name) \
           join benchmarks l on l.name = leaf.name and (l.organization_id is null or l.organization_id = $1) \
         where g.id = any ($2) and g.kind <> 'task'",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|f| f.id).collect())
}

/// The stored rank intervals over one benchmark, or over all.
pub async fn ranks(conn: &mut Conn, organization: Uuid, benchmark: Option<Uuid>) -> QueryResult<Vec<Ranked>> {
    let which = match benchmark {
        None => "benchmark_id is null and $2::uuid is null",
        Some(_) => "benchmark_id = $2",
    };
    diesel::sql_query(format!(
        "select model_id, checkpoint_variant, rank_lo, rank_hi, tests from board_ranks where organization_id = $1 and {which}"
    ))
    .bind::<SqlUuid, _>(organization)
    .bind::<Nullable<SqlUuid>, _>(benchmark)
    .load(conn)
    .await
}

/// How far the ranks of an organization are.
pub async fn state(conn: &mut Conn, organization: Uuid) -> QueryResult<Option<State>> {
    diesel::sql_query(
        "select organization_id, changes, ranked, ranked_at from board_state where organization_id = $1",
    )
    .bind::<SqlUuid, _>(organization)
    .get_result(conn)
    .await
    .optional()
}

/// Organizations whose ranks are to be found now: their scores have changed since.
pub async fn outdated(conn: &mut Conn) -> QueryResult<Vec<State>> {
    diesel::sql_query(
        "select organization_id, changes, ranked, ranked_at from board_state where changes > ranked \
           and (ranked_at is null or ranked_at + took * $1 < clock_timestamp())",
    )
    .bind::<BigInt, _>(PAUSE)
    .load(conn)
    .await
}

/// Stores the ranks of an organization, and how many seconds they took to find, unless newer ones are there.
pub async fn store(
    conn: &mut Conn,
    state: &State,
    ranks: &[(Option<Uuid>, Ranked)],
    took: f64,
) -> QueryResult<()> {
    let ours = diesel::sql_query(
        "update board_state set ranked = $2, ranked_at = clock_timestamp(), took = make_interval(secs => $3) \
         where organization_id = $1 and ranked < $2",
    )
    .bind::<SqlUuid, _>(state.organization_id)
    .bind::<BigInt, _>(state.changes)
    .bind::<Double, _>(took)
    .execute(conn)
    .await?;
    if ours == 0 {
        return Ok(());
    }
    diesel::sql_query("delete from board_ranks where organization_id = $1")
        .bind::<SqlUuid, _>(state.organization_id)
        .execute(conn)
        .await?;
    diesel::sql_query(
        "insert into board_ranks (organization_id, benchmark_id, model_id, checkpoint_variant, rank_lo, rank_hi, tests) \
         select $1, r.* from unnest($2, $3, $4, $5, $6, $7) r (benchmark_id, model_id, variant, lo, hi, tests) \
         where exists (select from models m where m.id = r.model_id)",
    )
    .bind::<SqlUuid, _>(state.organization_id)
    .bind::<Array<Nullable<SqlUuid>>, _>(ranks.iter().map(|r| r.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(ranks.iter().map(|r| r.1.model_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(ranks.iter().map(|r| r.1.checkpoint_variant.clone()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(ranks.iter().map(|r| r.1.rank_lo).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(ranks.iter().map(|r| r.1.rank_hi).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(ranks.iter().map(|r| r.1.tests).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(|_| ())
}

/// The scores of a picked row's samples under one filter, by document, with what tells documents and prompts apart.
pub async fn sample_scores(
    conn: &mut Conn,
    pick: Uuid,
    benchmark: Uuid,
    filter: &str,
    most: i64,
) -> QueryResult<Vec<Answer>> {
    #[derive(QueryableByName)]
    struct Scored {
        #[diesel(sql_type = BigInt)]
        doc_id: i64,
        #[diesel(sql_type = Double)]
        score: f64,
        #[diesel(sql_type = Nullable<Bytea>)]
        content: Option<Vec<u8>>,
        #[diesel(sql_type = Nullable<Bytea>)]
        target: Option<Vec<u8>>,
        #[diesel(sql_type = Nullable<Bytea>)]
        prompt: Option<Vec<u8>>,
    }
    let found: Vec<Scored> = diesel::sql_query(
        "select doc_id, avg(score) as score, (array_agg(substr(content_hash, 1, 8)))[1] as content, \
           (array_agg(substr(target_hash, 1, 8)))[1] as target, (array_agg(substr(prompt_hash, 1, 8)))[1] as prompt \
         from run_samples \
         where run_benchmark_id = $1 and benchmark_id = $2 and filter = $3 and score is not null \
         group by doc_id order by doc_id limit $4",
    )
    .bind::<SqlUuid, _>(pick)
    .bind::<SqlUuid, _>(benchmark)
    .bind::<Text, _>(filter)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?;
    let head = |hash: Option<Vec<u8>>| Some(u64::from_be_bytes(hash?.try_into().ok()?));
    let answer = |s: Scored| Answer {
        doc_id: s.doc_id,
        score: s.score,
        content: head(s.content),
        target: head(s.target),
        prompt: head(s.prompt),
    };
    Ok(found.into_iter().map(answer).collect())
}

/// What counts now for each checkpoint of a model, over all samples or those of a slice.
pub async fn of_model(conn: &mut Conn, model: Uuid, slice: Option<Uuid>) -> QueryResult<Vec<ModelScore>> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(embed)]
        score: Score,
        #[diesel(sql_type = Text)]
        benchmark: String,
        #[diesel(sql_type = Nullable<Bool>)]
        higher_is_better: Option<bool>,
        #[diesel(sql_type = Bool)]
        is_primary: bool,
        #[diesel(sql_type = Bool)]
        is_group: bool,
    }
    let found: Vec<Named> = diesel::sql_query(format!(
        "select {SCORE}, t.name as benchmark, s.higher_is_better, s.is_group, \
           t.primary_metrics ->> 0 is not distinct from s.metric_name as is_primary \
         from board_scores s {JOINS} join benchmarks t on t.id = s.benchmark_id \
         where s.model_id = $1 and {} \
         order by t.name, s.metric_name, s.filter, c.checkpoint_index nulls last, s.checkpoint_variant",
        of_slice(slice)
    ))
    .bind::<SqlUuid, _>(model)
    .bind::<Nullable<SqlUuid>, _>(slice)
    .load(conn)
    .await?;
    let view = |named: Named| ModelScore {
        benchmark_id: named.score.benchmark_id.into(),
        benchmark: named.benchmark,
        limited: named.score.conditions.get("limit").is_some(),
        metric: named.score.metric_name,
        filter: named.score.filter,
        higher_is_better: named.higher_is_better,
        is_primary: named.is_primary,
        is_group: named.is_group,
        checkpoint: named.score.checkpoint_variant,
        checkpoint_index: named.score.checkpoint_index,
        value: named.score.value,
        stderr: named.score.stderr,
        n: named.score.sample_count,
        run_id: named.score.run_id.into(),
        run_benchmark_id: named.score.run_benchmark_id.into(),
        ran_at: named.score.ran_at,
    };
    Ok(found.into_iter().map(view).collect())
}
