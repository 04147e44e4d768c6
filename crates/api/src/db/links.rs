//! Sign-in links and invitations: single-use secrets, kept as hashes.

use super::{
    Conn,
    schema::{invitations, sign_in_links},
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{OrganizationId, Role, UserId};
use uuid::Uuid;

/// Stores a sign-in link.
pub async fn insert(
    conn: &mut Conn,
    hash: &[u8],
    user: UserId,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(sign_in_links::table)
        .values((
            sign_in_links::secret_hash.eq(hash),
            sign_in_links::user_id.eq(user.0),
            sign_in_links::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses a link up; whose account it opens, unless it was used, has expired or never was.
pub async fn redeem(conn: &mut Conn, hash: &[u8]) -> QueryResult<Option<UserId>> {
    let now = Utc::now();
    let found: Option<Uuid> = diesel::update(sign_in_links::table.find(hash))
        .filter(sign_in_links::used_at.is_null())
        .filter(sign_in_links::expires_at.gt(now))
        .set(sign_in_links::used_at.eq(now))
        .returning(sign_in_links::user_id)
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.map(UserId))
}

/// Accepts an invitation for an address; the organization and the role it gives.
pub async fn accept_invitation(
    conn: &mut Conn,
    hash: &[u8],
    email: &str,
) -> QueryResult<Option<(OrganizationId, Role)>> {
    let now = Utc::now();
    let found: Option<(Uuid, String)> = diesel::update(invitations::table)
        .filter(invitations::secret_hash.eq(hash))
        .filter(invitations::email.eq(email))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::expires_at.gt(now))
        .set(invitations::accepted_at.eq(now))
        .returning((invitations::organization_id, invitations::role))
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.and_then(|(id, role)| Some((OrganizationId(id), role.parse().ok()?))))
}
