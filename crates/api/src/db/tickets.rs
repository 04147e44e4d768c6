//! Tickets for one WebSocket each: 30 seconds, single use.

use super::Conn;
use super::schema::ws_tickets;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::RunId;
use uuid::Uuid;

/// Stores a ticket by its hash, and forgets those that nobody used.
pub async fn insert(
    conn: &mut Conn,
    hash: Vec<u8>,
    organization: Uuid,
    run: RunId,
    principal: Value,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(ws_tickets::table.filter(ws_tickets::expires_at.lt(diesel::dsl::now)))
        .execute(conn)
        .await?;
    diesel::insert_into(ws_tickets::table)
        .values((
            ws_tickets::ticket_hash.eq(hash),
            ws_tickets::organization_id.eq(organization),
            ws_tickets::run_id.eq(run.0),
            ws_tickets::principal.eq(principal),
            ws_tickets::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Takes a ticket for this run: whose it was, unless it is unknown, used or too old.
pub async fn take(conn: &mut Conn, hash: &[u8], run: RunId) -> QueryResult<Option<Value>> {
    diesel::delete(ws_tickets::table.find(hash))
        .filter(
            ws_tickets::run_id
                .eq(run.0)
                .and(ws_tickets::expires_at.gt(diesel::dsl::now)),
        )
        .returning(ws_tickets::principal)
        .get_result(conn)
        .await
        .optional()
}
