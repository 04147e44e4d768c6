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

/// An invitation without its secret.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct InvitationRow {
    /// Its id.
    pub id: Uuid,
    /// Who is invited.
    pub email: String,
    /// What they may do.
    pub role: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
}

/// An invitation to store.
#[derive(Debug, Insertable)]
#[diesel(table_name = invitations)]
pub struct NewInvitation {
    /// Its id.
    pub id: Uuid,
    /// To which organization.
    pub organization_id: Uuid,
    /// Who is invited.
    pub email: String,
    /// What they may do.
    pub role: String,
    /// Of its secret.
    pub secret_hash: Vec<u8>,
    /// Who invites.
    pub created_by: Option<Uuid>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// The invitations of an organization, newest first.
pub async fn list_invitations(
    conn: &mut Conn,
    organization: OrganizationId,
) -> QueryResult<Vec<InvitationRow>> {
    invitations::table
        .filter(invitations::organization_id.eq(organization.0))
        .order(invitations::created_at.desc())
        .select(InvitationRow::as_select())
        .load(conn)
        .await
}

/// Stores an invitation.
pub async fn insert_invitation(conn: &mut Conn, invitation: &NewInvitation) -> QueryResult<InvitationRow> {
    diesel::insert_into(invitations::table)
        .values(invitation)
        .returning(InvitationRow::as_returning())
        .get_result(conn)
        .await
}

/// Takes an invitation back; false when there is none that is still open.
pub async fn delete_invitation(conn: &mut Conn, organization: OrganizationId, id: Uuid) -> QueryResult<bool> {
    let deleted = diesel::delete(invitations::table.find(id))
        .filter(invitations::organization_id.eq(organization.0))
        .filter(invitations::accepted_at.is_null())
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}
