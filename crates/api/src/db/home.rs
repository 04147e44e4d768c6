//! What happened lately.

use super::Conn;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use types::{HomeDay, OrganizationId};

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    completed: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = BigInt)]
    samples: i64,
}

/// The days since a moment on which a run ended, first to last.
pub async fn days(
    conn: &mut Conn,
    organization: OrganizationId,
    since: DateTime<Utc>,
) -> QueryResult<Vec<HomeDay>> {
    let days: Vec<Day> = diesel::sql_query(
        "select (r.completed_at at time zone 'UTC')::date as day, \
           count(*) filter (where r.status = 'completed') as completed, \
           count(*) filter (where r.status = 'failed') as failed, \
           count(*) filter (where r.status = 'cancelled') as cancelled, \
           coalesce(sum(b.samples), 0)::bigint as samples \
         from runs r left join lateral ( \
           select sum(sample_count) as samples from run_benchmarks where run_id = r.id) b on true \
         where r.organization_id = $1 and r.completed_at >= $2 \
         group by 1 order by 1",
    )
    .bind::<SqlUuid, _>(organization.0)
    .bind::<Timestamptz, _>(since)
    .load(conn)
    .await?;
    let view = |day: Day| HomeDay {
        day: day.day,
        completed: day.completed.unsigned_abs(),
        failed: day.failed.unsigned_abs(),
        cancelled: day.cancelled.unsigned_abs(),
        samples: day.samples.unsigned_abs(),
    };
    Ok(days.into_iter().map(view).collect())
}

/// Bytes of the database, where the caller may know them.
pub async fn database_size(conn: &mut Conn) -> QueryResult<Option<i64>> {
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = Nullable<BigInt>)]
        size: Option<i64>,
    }
    let found: Size = diesel::sql_query(
        "select case when has_database_privilege(current_database(), 'connect') \
         then pg_database_size(current_database()) end as size",
    )
    .get_result(conn)
    .await?;
    Ok(found.size)
}
