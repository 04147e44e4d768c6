//! Taking turns by a name: for what has no row of its own to lock, or one that others must not wait for.

use super::{Conn, statement};
use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

/// Waits until nobody else has the turn called `name`; it lasts to the end of the transaction.
pub async fn take(conn: &mut Conn, name: &str) -> QueryResult<()> {
    statement("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(name)
        .execute(conn)
        .await
        .map(|_| ())
}
