//! Reading samples: filtered pages by key, the buckets they fall into, and one sample with what others answered.

mod page;
mod sample;

pub use page::{Cursor, Page, Sort, Way, page, statement};
pub use sample::{Found, find, others};

use super::Conn;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Double, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use types::{BenchmarkId, RunBenchmarkId, RunId, SampleBucket, SliceId};
use uuid::Uuid;

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

/// The id after all others.
const LAST: Uuid = Uuid::max();
/// The samples of a run that a text is searched in; the text of more takes longer than anybody waits.
pub const SEARCHED: i64 = 200_000;

/// The samples that a filter wants: as text with numbered parameters, and their values from 1 on.
struct Wanted<'a> {
    run: RunId,
    filter: &'a Filter,
}

impl<'a> Wanted<'a> {
    /// `$1` to `$11` are taken. The planner takes a text for rare and would read all samples to find it; of a `case` it
    /// knows nothing, and goes along the order until the page is full.
    fn text() -> String {
        format!(
            "s.run_id = $1 and ($2::uuid is null or s.benchmark_id = $2 or s.run_benchmark_id in ( \
               select b.id from run_benchmarks b where b.run_id = $1 and b.benchmark_id = $2)) \
             and ($3::uuid is null or s.run_benchmark_id = $3) and ($4::text is null or s.filter = $4) \
             and ($5::uuid is null or exists (select from sample_slices x where x.slice_id = $5 and x.sample_id = s.id)) \
             and ($6::text is null or case $6 when 'wrong' then s.error > 0 when 'right' then s.error <= 0 else s.error is null end) \
             and ($7::text is null or $7 = any (s.flags)) and ($8::text is null or s.category = $8) \
             and ($9::float8 is null or s.score >= $9) and ($10::float8 is null or s.score <= $10) \
             and ($11::text is null or case when s.input_data::text ilike $11 or s.ground_truth::text ilike $11 \
               or s.prediction::text ilike $11 or s.raw_prediction::text ilike $11 then true else false end) \
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

    /// How many samples match.
    async fn count(&self, conn: &mut Conn) -> QueryResult<u64> {
        #[derive(QueryableByName)]
        struct Counted {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let sql = format!("select count(*) as n from run_samples s where {}", Self::text());
        let counted: Counted = self.bind(diesel::sql_query(sql)).get_result(conn).await?;
        Ok(counted.n.unsigned_abs())
    }
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
        "with s as materialized (select s.id, s.benchmark_id, s.error, s.flags, s.category \
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
