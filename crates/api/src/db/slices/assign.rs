//! Which samples are in a slice: looked at in batches of picked benchmarks, each in one transaction.
//!
//! A transaction that stores samples has asked for the slices before (see [`in_force`]), so that it may store them by
//! a rule that has changed meanwhile. Therefore nothing is looked at before all transactions have ended that were
//! under way when the change was seen: the fence is the first transaction that cannot be one of them.

use super::rule_of;
use crate::db::Conn;
use crate::db::board::leaves;
use crate::db::rules::Condition;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use types::rule::Rule;
use uuid::Uuid;

/// Picks of one batch at most.
const MOST_PICKS: i64 = 100;
/// Samples of one batch, unless one pick has more.
const MOST_SAMPLES: i64 = 20_000;
/// Memberships that are removed together.
const MOST_REMOVED: i64 = 10_000;

/// A slice that has work to do.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Job {
    /// The slice.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// Its type.
    #[diesel(sql_type = Text)]
    pub slice_type: String,
    /// The value of its property.
    #[diesel(sql_type = Nullable<Text>)]
    pub slice_value: Option<String>,
    /// Its own rule.
    #[diesel(sql_type = Nullable<Text>)]
    pub rule: Option<String>,
    /// The benchmarks it applies to.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub associated_benchmarks: Vec<Uuid>,
    /// Where it is.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// What has to end first.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub fence: Option<i64>,
    /// The last pick that was looked at.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub cursor: Option<Uuid>,
}

const JOB: &str =
    "id, organization_id, slice_type, slice_value, rule, associated_benchmarks, state, fence, cursor";

/// A slice with work that can be done now, held until the transaction ends; what another worker holds is left to it.
pub async fn take(conn: &mut Conn) -> QueryResult<Option<Job>> {
    diesel::sql_query(format!(
        "select {JOB} from slices where state in ('pending', 'running', 'deleting') \
         and (fence is null or fence <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint) \
         order by fence nulls first, id limit 1 for no key update skip locked"
    ))
    .get_result(conn)
    .await
    .optional()
}

/// Notes what has to end before samples are looked at.
pub async fn set_fence(conn: &mut Conn, slice: Uuid) -> QueryResult<()> {
    change(
        conn,
        slice,
        "fence = pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    )
    .await
}

/// Begins to look at samples.
pub async fn begin(conn: &mut Conn, slice: Uuid) -> QueryResult<()> {
    change(
        conn,
        slice,
        "state = 'running', cursor = null, seen = 0, samples = 0, to_see = (select coalesce(sum(b.sample_count), 0) \
         from run_benchmarks b where b.organization_id = slices.organization_id)",
    )
    .await
}

/// All samples have been looked at.
pub async fn finish(conn: &mut Conn, slice: Uuid) -> QueryResult<()> {
    change(conn, slice, "state = 'done', to_see = seen, counted = -1").await
}

async fn change(conn: &mut Conn, slice: Uuid, what: &str) -> QueryResult<()> {
    diesel::sql_query(format!("update slices set {what} where id = $1"))
        .bind::<SqlUuid, _>(slice)
        .execute(conn)
        .await
        .map(|_| ())
}

/// The rule cannot be used.
pub async fn fail(conn: &mut Conn, slice: Uuid, why: &str) -> QueryResult<()> {
    diesel::sql_query("update slices set state = 'failed', error = $2 where id = $1")
        .bind::<SqlUuid, _>(slice)
        .bind::<Text, _>(why)
        .execute(conn)
        .await
        .map(|_| ())
}

/// The next picks of a slice, at most so many samples together; empty at the end.
pub async fn next_picks(conn: &mut Conn, job: &Job) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = BigInt)]
        sample_count: i64,
    }
    let found: Vec<Found> = diesel::sql_query(
        "select id, sample_count from run_benchmarks where organization_id = $1 and ($2::uuid is null or id > $2) \
         order by id limit $3",
    )
    .bind::<SqlUuid, _>(job.organization_id)
    .bind::<Nullable<SqlUuid>, _>(job.cursor)
    .bind::<BigInt, _>(MOST_PICKS)
    .load(conn)
    .await?;
    let mut room = MOST_SAMPLES;
    let fits = |pick: &Found| {
        let had_room = room > 0;
        room -= pick.sample_count;
        had_room
    };
    Ok(found.into_iter().take_while(fits).map(|pick| pick.id).collect())
}

/// Looks at the samples of these picks, and keeps both records of membership equal to what the rule says.
pub async fn look_at(conn: &mut Conn, job: &Job, rule: &Rule, picks: &[Uuid]) -> QueryResult<()> {
    let reach = reach(conn, job.organization_id, &job.associated_benchmarks).await?;
    let condition = Condition::of(rule, 5);
    let sql = format!(
        "with seen as materialized ( \
           select s.id, ($4::uuid[] is null or s.benchmark_id = any ($4)) and {} as fits, \
             s.slice_assignments @> array[$2] as was \
           from run_samples s where s.run_benchmark_id = any ($3) and s.organization_id = $1), \
         gone as (delete from sample_slices x using seen where x.slice_id = $2 and x.sample_id = seen.id and not seen.fits), \
         come as (insert into sample_slices (slice_id, sample_id, organization_id) \
           select $2, id, $1 from seen where fits on conflict do nothing), \
         noted as (update run_samples s set slice_assignments = case when seen.fits \
             then array(select i from unnest(s.slice_assignments || $2) i order by i) \
             else array_remove(s.slice_assignments, $2) end \
           from seen where s.id = seen.id and seen.fits <> seen.was) \
         update slices set cursor = (select max(p::text)::uuid from unnest($3) p), \
           seen = seen + (select count(*) from seen), samples = samples + (select count(*) from seen where fits) \
         where id = $2",
        condition.text
    );
    let query = diesel::sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(job.organization_id)
        .bind::<SqlUuid, _>(job.id)
        .bind::<Array<SqlUuid>, _>(picks)
        .bind::<Nullable<Array<SqlUuid>>, _>(reach);
    condition.bind(query).execute(conn).await.map(|_| ())
}

/// The tasks that a slice applies to; none for all.
async fn reach(conn: &mut Conn, organization: Uuid, benchmarks: &[Uuid]) -> QueryResult<Option<Vec<Uuid>>> {
    if benchmarks.is_empty() {
        return Ok(None);
    }
    leaves(conn, organization, benchmarks).await.map(Some)
}

/// Removes some of what a retired slice has left; true when nothing is left, not even itself.
pub async fn remove_some(conn: &mut Conn, slice: Uuid) -> QueryResult<bool> {
    let removed = diesel::sql_query(
        "with gone as (delete from sample_slices where slice_id = $1 and sample_id in \
           (select sample_id from sample_slices where slice_id = $1 limit $2) returning sample_id) \
         update run_samples s set slice_assignments = array_remove(s.slice_assignments, $1) from gone where s.id = gone.sample_id",
    )
    .bind::<SqlUuid, _>(slice)
    .bind::<BigInt, _>(MOST_REMOVED)
    .execute(conn)
    .await?;
    if removed > 0 {
        return Ok(false);
    }
    let scores = diesel::sql_query(
        "delete from run_metrics where id in (select id from run_metrics where slice_id = $1 limit $2)",
    )
    .bind::<SqlUuid, _>(slice)
    .bind::<BigInt, _>(MOST_REMOVED)
    .execute(conn)
    .await?;
    if scores > 0 {
        return Ok(false);
    }
    diesel::sql_query("delete from slices where id = $1 and state = 'deleting'")
        .bind::<SqlUuid, _>(slice)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Counts the samples of slices again whose organization has new ones.
pub async fn recount(conn: &mut Conn) -> QueryResult<usize> {
    diesel::sql_query(
        "update slices l set counted = n.changes, samples = n.samples from ( \
           select o.id, b.changes, (select count(*) from sample_slices x where x.slice_id = o.id) as samples \
           from slices o join board_state b on b.organization_id = o.organization_id \
           where o.state = 'done' and o.counted <> b.changes order by o.id limit 20 for no key update of o skip locked) n \
         where l.id = n.id",
    )
    .execute(conn)
    .await
}

/// A slice that holds for samples that are stored now.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The slice.
    pub id: Uuid,
    /// Its rule.
    pub rule: Rule,
    /// The tasks that it applies to; none for all.
    pub reach: Option<Vec<Uuid>>,
}

/// The slices by which samples are to be stored. Takes a transaction number first, so that a fence can see it.
pub async fn in_force(conn: &mut Conn, organization: Uuid) -> QueryResult<Vec<InForce>> {
    diesel::sql_query("select pg_current_xact_id()")
        .execute(conn)
        .await?;
    let rows: Vec<Job> = diesel::sql_query(format!(
        "select {JOB} from slices where organization_id = $1 and state <> 'deleting' order by id"
    ))
    .bind::<SqlUuid, _>(organization)
    .load(conn)
    .await?;
    let mut found = Vec::new();
    for row in rows {
        let rule = rule_of(&row.slice_type, row.slice_value.as_deref(), row.rule.as_deref());
        if let Ok(rule) = rule {
            let reach = reach(conn, organization, &row.associated_benchmarks).await?;
            found.push(InForce {
                id: row.id,
                rule,
                reach,
            });
        }
    }
    Ok(found)
}

/// Enters the samples of a pick into their slices, as `slice_assignments` says.
pub async fn enter(conn: &mut Conn, pick: Uuid) -> QueryResult<()> {
    diesel::sql_query(
        "insert into sample_slices (slice_id, sample_id, organization_id) \
         select a.id, s.id, s.organization_id from run_samples s cross join unnest(s.slice_assignments) a(id) \
         where s.run_benchmark_id = $1 on conflict do nothing",
    )
    .bind::<SqlUuid, _>(pick)
    .execute(conn)
    .await
    .map(|_| ())
}
