//! Answers kept under the client's own key, so that a repeated request changes nothing.

use super::schema::idempotency_keys;
use super::{Conn, statement};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::OrganizationId;

/// A kept answer.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub struct Kept {
    /// Of the request.
    pub request_hash: Vec<u8>,
    /// The HTTP status.
    pub status: i16,
    /// The body.
    pub response: Value,
}

/// Whose key it is.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The organization.
    pub organization: OrganizationId,
    /// The caller.
    pub principal: String,
    /// The client's key.
    pub key: String,
}

/// Makes concurrent requests with the same key wait for each other until the end of the transaction.
pub async fn lock(conn: &mut Conn, owner: &Owner) -> QueryResult<()> {
    let name = format!("{}/{}/{}", owner.organization, owner.principal, owner.key);
    super::turns::take(conn, &name).await
}

/// The answer kept under a key.
pub async fn find(conn: &mut Conn, owner: &Owner) -> QueryResult<Option<Kept>> {
    idempotency_keys::table
        .find((owner.organization.0, &owner.principal, &owner.key))
        .select(Kept::as_select())
        .first(conn)
        .await
        .optional()
}

/// Keeps an answer, and forgets those of yesterday.
pub async fn keep(
    conn: &mut Conn,
    owner: &Owner,
    hash: &[u8],
    status: i16,
    response: &Value,
) -> QueryResult<()> {
    use idempotency_keys::dsl as k;
    statement("delete from idempotency_keys where created_at < now() - interval '24 hours'")
        .execute(conn)
        .await?;
    diesel::insert_into(idempotency_keys::table)
        .values((
            k::organization_id.eq(owner.organization.0),
            k::principal.eq(&owner.principal),
            k::key.eq(&owner.key),
            k::request_hash.eq(hash),
            k::status.eq(status),
            k::response.eq(response),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}
