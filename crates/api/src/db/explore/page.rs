//! Pages of samples in four orders, each from where the last one ended.
//!
//! A page is at most three pieces, each a range of an index: what is equal to the sample before, what comes after it, and
//! what has no value and comes last. PostgreSQL begins a piece only when those before it have not filled the page.

use super::sample::{COLUMNS, Row, view_of};
use super::{Filter, Wanted};
use crate::db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::fmt;
use std::str::FromStr;
use types::{RunId, SampleView};
use uuid::Uuid;

/// The id before all others.
const NIL: Uuid = Uuid::nil();
/// Up to so many samples are gathered and sorted; among more, walking through documents soon finds a page.
const FEW: u64 = 5_000;

/// What samples are sorted by. Those without a value come last, in the order of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they were stored: benchmark by benchmark, each in the order of its file.
    #[default]
    Index,
    /// Largest error first.
    Error,
    /// Least confidence first.
    Confidence,
    /// Where the organization's runs agree least first; among equals benchmark by benchmark, by document.
    Disagreement,
}

/// How a page is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Along an index, until the page is full.
    Along,
    /// All that match are gathered and counted first.
    Gathered,
}

/// The last sample of a page: the next one begins behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sample. Its value is looked up, so it cannot be wrong.
    pub id: Uuid,
    /// How many samples matched when the first page was read.
    pub total: Option<u64>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.total.map_or(Ok(()), |total| write!(f, ".{total}"))
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, total) = match text.split_once('.') {
            Some((id, total)) => (id, Some(total.parse().map_err(|_| ())?)),
            None => (text, None),
        };
        let id = id.parse().map_err(|_| ())?;
        Ok(Self { id, total })
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The samples.
    pub samples: Vec<SampleView>,
    /// How many match, on all pages.
    pub total: u64,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// A page of a run's samples.
pub async fn page(
    conn: &mut Conn,
    run: RunId,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    limit: i64,
) -> QueryResult<Page> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(embed)]
        sample: Row,
        #[diesel(sql_type = Nullable<BigInt>)]
        total: Option<i64>,
    }
    let wanted = Wanted { run, filter };
    let known = match after {
        Some(Cursor {
            total: Some(total), ..
        }) => Some(total),
        // Text is read once, for the count and the page.
        None if filter.search.is_some() => None,
        _ => Some(wanted.count(conn).await?),
    };
    let found: Vec<Found> = wanted
        .bind(diesel::sql_query(statement(sort, way(sort, known))))
        .bind::<BigInt, _>(limit)
        .bind::<Nullable<SqlUuid>, _>(after.map(|c| c.id))
        .load(conn)
        .await?;
    let counted = || {
        found
            .as_slice()
            .first()
            .and_then(|f| f.total)
            .map_or(0, i64::unsigned_abs)
    };
    let total = known.unwrap_or_else(counted);
    let is_full = found.len() as i64 == limit;
    let next = found.last().filter(|_| is_full).map(|f| Cursor {
        id: f.sample.id,
        total: Some(total),
    });
    Ok(Page {
        samples: found.into_iter().map(|f| view_of(f.sample)).collect(),
        total,
        next,
    })
}

/// Each order of samples has its index, and the planner knows when gathering is cheaper. Documents are walked through
/// whether the run has answered them or not, which it does not know.
const fn way(sort: Sort, matching: Option<u64>) -> Way {
    match (sort, matching) {
        (_, None) => Way::Gathered,
        (Sort::Disagreement, Some(n)) if n <= FEW => Way::Gathered,
        _ => Way::Along,
    }
}

/// The statement of a page. Its samples are looked up one by one (`offset 0`): beside a long search the planner sees no
/// difference between that and reading all samples there are.
///
/// `$1` is the run, `$2` to `$11` what the samples are filtered by or null, `$12` the size, `$13`
/// the sample before or null.
pub fn statement(sort: Sort, way: Way) -> String {
    let (pieces, total) = match way {
        Way::Along => (
            pieces(sort, way, &format!("run_samples s where {}", Wanted::text())),
            "null::bigint",
        ),
        Way::Gathered => (
            pieces(sort, way, "gathered s where true"),
            "(select count(*) from gathered)",
        ),
    };
    format!(
        "with {} select x.*, {total} as total from (select id, row_number() over () as place \
           from (select id from ({pieces}) u limit $12) u) p cross join lateral (select {COLUMNS} from run_samples s \
           join benchmarks t on t.id = s.benchmark_id where s.id = p.id offset 0) x order by p.place",
        before(sort, way)
    )
}

/// What the pieces refer to: the sample before (`at`), all samples that match (`gathered`) and the tasks that were
/// answered (`leaves`), one look into an index for each.
fn before(sort: Sort, way: Way) -> String {
    let (disputed, agreement) = match sort {
        Sort::Disagreement => (AGREEMENT, "g.agreement"),
        _ => ("", "null::float8 as agreement"),
    };
    let columns = format!(
        "select s.id, s.organization_id, s.benchmark_id, s.filter, s.doc_id, s.error, s.confidence, {agreement} \
         from run_samples s {disputed}"
    );
    let mut text = format!("at as materialized ({columns} where s.id = $13 and s.run_id = $1)");
    match (sort, way) {
        (_, Way::Gathered) => {
            text += &format!(", gathered as materialized ({columns} where {})", Wanted::text());
        }
        (Sort::Disagreement, Way::Along) => {
            text += ", leaves as materialized (select b.id as pick, b.organization_id, l.benchmark_id, l.filter \
                from run_benchmarks b cross join lateral (with recursive leaf as ( \
                  (select s.benchmark_id, s.filter from run_samples s where s.run_benchmark_id = b.id \
                    order by s.benchmark_id, s.filter limit 1) \
                  union all select n.benchmark_id, n.filter from leaf l cross join lateral ( \
                    select s.benchmark_id, s.filter from run_samples s where s.run_benchmark_id = b.id \
                      and (s.benchmark_id, s.filter) > (l.benchmark_id, l.filter) \
                    order by s.benchmark_id, s.filter limit 1) n) \
                select * from leaf) l where b.run_id = $1)";
        }
        _ => {}
    }
    text
}

/// Looked up for each sample: the planner would rather read all documents of the organization in the order of their key.
const AGREEMENT: &str = "left join lateral (select g.agreement from document_agreement g \
    where g.organization_id = s.organization_id and g.benchmark_id = s.benchmark_id and g.filter = s.filter \
      and g.doc_id = s.doc_id offset 0) g on true";

/// The ids of a page, in its order, from samples that match.
fn pieces(sort: Sort, way: Way, from: &str) -> String {
    match (sort, way) {
        (Sort::Index, _) => rest(from, "true", "null"),
        (Sort::Error, _) => by_column(from, "error", "desc", "<"),
        (Sort::Confidence, _) => by_column(from, "confidence", "asc", ">"),
        (Sort::Disagreement, Way::Gathered) => {
            let key = "agreement, s.benchmark_id, s.filter, s.doc_id, s.id";
            format!(
                "(select s.id from {from} and s.agreement is not null and ($13::uuid is null or (s.{key}) > (select {key} from at s)) \
                 order by s.{key} limit $12) union all {}",
                rest(from, "s.agreement is null", "agreement")
            )
        }
        (Sort::Disagreement, Way::Along) => {
            // Counted by document and not by sample, so that this is looked up for each.
            let unknown = "not exists (select from document_agreement g where g.organization_id = s.organization_id \
                and g.benchmark_id = s.benchmark_id and g.filter = s.filter and g.doc_id = s.doc_id offset 0)";
            format!("{} union all {}", disputed(), rest(from, unknown, "agreement"))
        }
    }
}

/// Samples without a value, in the order of the file: all of them, unless the sample before is one of them.
fn rest(from: &str, which: &str, column: &str) -> String {
    format!(
        "(select s.id from {from} and {which} \
           and ($13::uuid is null or s.id > (select case when {column} is null then id else '{NIL}' end from at)) \
         order by s.id limit $12)"
    )
}

/// By a column of samples, which has an index that begins with the run and ends with the id.
fn by_column(from: &str, column: &str, direction: &str, after: &str) -> String {
    format!(
        "(select s.id from {from} and $13::uuid is not null and s.{column} = (select {column} from at) \
           and s.id > (select id from at) order by s.id limit $12) \
         union all (select s.id from {from} and s.{column} is not null \
           and ($13::uuid is null or s.{column} {after} (select {column} from at)) order by s.{column} {direction}, s.id limit $12) \
         union all {}",
        rest(from, &format!("s.{column} is null"), column)
    )
}

/// Samples by the agreement about their documents: a walk through the documents of each task, those that agree least
/// first. `offset 0` keeps the planner from reading all samples of a task instead, for it takes a task for small.
fn disputed() -> String {
    format!(
        "(select p.id from leaves l cross join lateral ( \
           select s.id, g.agreement, g.benchmark_id, g.filter, g.doc_id from document_agreement g cross join lateral ( \
             select s.id from run_samples s where {} and s.benchmark_id = l.benchmark_id and s.filter = l.filter \
               and s.doc_id = g.doc_id and s.run_benchmark_id = l.pick order by s.id offset 0) s \
           where g.organization_id = l.organization_id and g.benchmark_id = l.benchmark_id and g.filter = l.filter \
             and ($13::uuid is null or ((g.agreement, g.doc_id) >= (select agreement, case \
                 when (l.benchmark_id, l.filter) > (benchmark_id, filter) then {} \
                 when (l.benchmark_id, l.filter) < (benchmark_id, filter) then {} else doc_id end from at) \
               and (g.agreement, g.benchmark_id, g.filter, g.doc_id, s.id) > \
                 (select agreement, benchmark_id, filter, doc_id, id from at))) \
           order by g.agreement, g.doc_id, s.id limit $12) p \
         order by p.agreement, p.benchmark_id, p.filter, p.doc_id, p.id limit $12)",
        Wanted::text(),
        i64::MIN,
        i64::MAX
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let id = Uuid::now_v7();
        for total in [None, Some(0), Some(100_000)] {
            let cursor = Cursor { id, total };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in [
            "",
            ".",
            "7",
            &format!("{id}."),
            &format!("{id}.-1"),
            &format!("{id}.1.2"),
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
