//! Reading samples: filtered pages by key, the buckets they fall into, and one sample with what others answered.

use super::Conn;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{BenchmarkId, OtherAnswer, RunBenchmarkId, RunId, SampleBucket, SampleView, SliceId};
use uuid::Uuid;

/// What samples are sorted by. Those without a value come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they were stored: benchmark by benchmark, each in the order of its file.
    #[default]
    Index,
    /// Largest error first.
    Error,
    /// Least confidence first.
    Confidence,
    /// Where the organization's runs agree least first.
    Disagreement,
}

impl Sort {
    /// What is sorted by, smallest first; null comes after all others. The order of ids, which is that of the file,
    /// decides between equals. Each has an index that begins with the run, but for disagreement, which belongs to
    /// documents.
    const fn key(self) -> &'static str {
        match self {
            Self::Index => "null::float8",
            Self::Error => "-s.error",
            Self::Confidence => "s.confidence",
            Self::Disagreement => "-g.disagreement",
        }
    }

    /// What the key is made of, as the indexes name it.
    const fn column(self) -> &'static str {
        match self {
            Self::Index => "null::float8",
            Self::Error => "s.error",
            Self::Confidence => "s.confidence",
            Self::Disagreement => "g.disagreement",
        }
    }

    /// What the key needs; of the agreement about documents only that about the run's own benchmarks.
    const fn join(self) -> &'static str {
        match self {
            Self::Disagreement => {
                "left join document_agreement g on g.organization_id = s.organization_id and g.benchmark_id = s.benchmark_id \
                 and g.filter = s.filter and g.doc_id = s.doc_id \
                 and g.benchmark_id = any (array(select m.benchmark_id from run_metrics m where m.run_id = $1))"
            }
            _ => "",
        }
    }

    /// The ids of a page: those with a key in its order, then those without one. `$12` is the size, `$13` the sample
    /// before. Two branches, because an index of a key does not hold the samples without one.
    fn page(self, wanted: &str) -> String {
        let (key, column, join) = (self.key(), self.column(), self.join());
        let from = format!("from run_samples s {join} where {wanted}");
        format!(
            "with at as materialized (select {key} as key, s.id from run_samples s {join} where s.id = $13 and s.run_id = $1) \
             (select s.id, {key} as key {from} and {column} is not null \
               and ($13::uuid is null or ({key}, s.id) > ((select key from at), (select id from at))) order by {key}, s.id limit $12) \
             union all \
             (select s.id, null {from} and {column} is null \
               and ($13::uuid is null or s.id > (select case when key is null then id else '{NIL}' end from at)) order by s.id limit $12) \
             limit $12"
        )
    }
}

/// How a sample went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It has an error.
    Wrong,
    /// It has none.
    Right,
    /// Nobody can say.
    Unscored,
}

/// The last sample of a page: the next one begins behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sample.
    pub id: Uuid,
}

/// Which samples.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this leaf, or this picked group.
    pub benchmark: Option<BenchmarkId>,
    /// Of this picked row.
    pub pick: Option<RunBenchmarkId>,
    /// Of this filter.
    pub filter: Option<String>,
    /// In this slice.
    pub slice: Option<SliceId>,
    /// That went so.
    pub mark: Option<Mark>,
    /// With this flag.
    pub flag: Option<String>,
    /// Of this category of their documents.
    pub category: Option<String>,
    /// With at least this score.
    pub score_min: Option<f64>,
    /// With at most this score.
    pub score_max: Option<f64>,
    /// With this text in input, target or answer.
    pub search: Option<String>,
}

/// The first and the last id of all.
const NIL: Uuid = Uuid::nil();
const LAST: Uuid = Uuid::max();
/// The samples of a run that a text is searched in; the text of more takes longer than anybody waits.
pub const SEARCHED: i64 = 200_000;

/// The word by which documents are grouped, from the fields that benchmarks use for it.
const CATEGORY: &str = "left(coalesce(s.doc ->> 'category', s.doc ->> 'subject', s.doc ->> 'question_type', s.doc ->> 'type'), 200)";

/// The samples that a filter wants: as text with numbered parameters, and their values from 1 on.
struct Wanted<'a> {
    run: RunId,
    filter: &'a Filter,
}

impl<'a> Wanted<'a> {
    /// `$1` to `$10` are taken.
    fn text() -> String {
        format!(
            "s.run_id = $1 and ($2::uuid is null or s.benchmark_id = $2 or s.run_benchmark_id in ( \
               select b.id from run_benchmarks b where b.run_id = $1 and b.benchmark_id = $2)) \
             and ($3::uuid is null or s.run_benchmark_id = $3) and ($4::text is null or s.filter = $4) \
             and ($5::uuid is null or exists (select from sample_slices x where x.slice_id = $5 and x.sample_id = s.id)) \
             and ($6::text is null or case $6 when 'wrong' then s.error > 0 when 'right' then s.error <= 0 else s.error is null end) \
             and ($7::text is null or $7 = any (s.flags)) and ($8::text is null or {CATEGORY} = $8) \
             and ($9::float8 is null or s.score >= $9) and ($10::float8 is null or s.score <= $10) \
             and ($11::text is null or s.input_data::text ilike $11 or s.ground_truth::text ilike $11 \
               or s.prediction::text ilike $11 or s.raw_prediction::text ilike $11) \
             and ($11::text is null or s.id < coalesce((select x.id from run_samples x where x.run_id = $1 \
               order by x.id offset {SEARCHED} limit 1), '{LAST}'))"
        )
    }

    fn bind(&self, query: SqlQuery) -> BoxedSqlQuery<'a, Pg, SqlQuery> {
        let Filter {
            benchmark,
            pick,
            filter,
            slice,
            mark,
            flag,
            category,
            score_min,
            score_max,
            search,
        } = self.filter;
        let mark = mark.map(|mark| match mark {
            Mark::Wrong => "wrong",
            Mark::Right => "right",
            Mark::Unscored => "unscored",
        });
        let pattern = search
            .as_ref()
            .map(|text| format!("%{}%", super::runs::escape_like(text)));
        query
            .into_boxed::<Pg>()
            .bind::<SqlUuid, _>(self.run.0)
            .bind::<Nullable<SqlUuid>, _>(benchmark.map(|b| b.0))
            .bind::<Nullable<SqlUuid>, _>(pick.map(|p| p.0))
            .bind::<Nullable<Text>, _>(filter.clone())
            .bind::<Nullable<SqlUuid>, _>(slice.map(|s| s.0))
            .bind::<Nullable<Text>, _>(mark)
            .bind::<Nullable<Text>, _>(flag.clone())
            .bind::<Nullable<Text>, _>(category.clone())
            .bind::<Nullable<Double>, _>(*score_min)
            .bind::<Nullable<Double>, _>(*score_max)
            .bind::<Nullable<Text>, _>(pattern)
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
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

const COLUMNS: &str = "s.id, s.benchmark_id, t.name as benchmark, s.run_benchmark_id, s.sample_index, s.doc_id, s.filter, \
    s.input_data, s.ground_truth, s.prediction, s.raw_prediction, s.metrics, s.score, s.score_reason, s.error, \
    s.confidence, s.flags, s.slice_assignments";

/// The statement of a page: `$1` is the run, `$2` to `$11` what the samples are filtered by or null, `$12` the size, `$13`
/// the sample before or null.
pub fn statement(sort: Sort) -> String {
    format!(
        "select {COLUMNS} from ({}) p join run_samples s on s.id = p.id join benchmarks t on t.id = s.benchmark_id \
         order by p.key, s.id",
        sort.page(&Wanted::text())
    )
}

/// A page of a run's samples, and where the next one begins.
pub async fn page(
    conn: &mut Conn,
    run: RunId,
    filter: &Filter,
    sort: Sort,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<(Vec<SampleView>, Option<Cursor>)> {
    let rows: Vec<Row> = Wanted { run, filter }
        .bind(diesel::sql_query(statement(sort)))
        .bind::<BigInt, _>(limit)
        .bind::<Nullable<SqlUuid>, _>(after.map(|c| c.id))
        .load(conn)
        .await?;
    let full = rows.len() as i64 == limit;
    let cursor = rows.last().filter(|_| full).map(|r| Cursor { id: r.id });
    Ok((rows.into_iter().map(view_of).collect(), cursor))
}

fn view_of(row: Row) -> SampleView {
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

/// How many samples match.
pub async fn count(conn: &mut Conn, run: RunId, filter: &Filter) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let sql = format!("select count(*) as n from run_samples s where {}", Wanted::text());
    let counted: Counted = Wanted { run, filter }
        .bind(diesel::sql_query(sql))
        .get_result(conn)
        .await?;
    Ok(counted.n)
}

/// What the samples fall into: by task, by how they went, by flag, by category, by slice; the largest first.
pub async fn buckets(conn: &mut Conn, run: RunId, filter: &Filter) -> QueryResult<Vec<SampleBucket>> {
    #[derive(QueryableByName)]
    struct Bucket {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let sql = format!(
        "with s as materialized (select s.id, s.benchmark_id, s.error, s.flags, {CATEGORY} as category \
           from run_samples s where {}), \
         found as ( \
           select 'benchmark' as kind, s.benchmark_id::text as key, t.name, count(*) as n from s join benchmarks t on t.id = s.benchmark_id group by 1, 2, 3 \
           union all select 'mark', m, m, count(*) from (select case when error > 0 then 'wrong' when error <= 0 then 'right' else 'unscored' end as m from s) x group by m \
           union all select 'flag', f, f, count(*) from s cross join lateral unnest(s.flags) f group by f \
           union all select 'category', category, category, count(*) from s where category is not null group by category \
           union all select 'slice', l.id::text, l.name, count(*) from s join sample_slices x on x.sample_id = s.id join slices l on l.id = x.slice_id group by l.id, l.name), \
         placed as (select *, row_number() over (partition by kind order by n desc, name) as place from found) \
         select kind, key, name, n from placed where place <= 40 order by kind, n desc, name",
        Wanted::text()
    );
    let found: Vec<Bucket> = Wanted { run, filter }
        .bind(diesel::sql_query(sql))
        .load(conn)
        .await?;
    let view = |b: Bucket| {
        Some(SampleBucket {
            kind: b.kind.parse().ok()?,
            key: b.key,
            name: b.name,
            count: b.n.unsigned_abs(),
        })
    };
    Ok(found.into_iter().filter_map(view).collect())
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
