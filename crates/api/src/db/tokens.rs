//! API tokens.

use super::Conn;
use super::schema::{api_tokens, organizations};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{ApiTokenId, OrganizationId};
use uuid::Uuid;

/// What identifies a token.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct TokenSecretRow {
    /// Its organization.
    pub organization_id: Uuid,
    /// Its organization's name.
    #[diesel(select_expression = organizations::name)]
    pub organization: String,
    /// Whether its organization is the demo.
    #[diesel(select_expression = organizations::demo)]
    pub demo: bool,
    /// What it may do at most.
    pub role: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Of its secret.
    pub secret_hash: Vec<u8>,
    /// When it was used last.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A token without its secret.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct TokenRow {
    /// Its id.
    pub id: Uuid,
    /// A name for people.
    pub name: String,
    /// What it may do at most.
    pub role: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was used last.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token to store.
#[derive(Debug, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewToken {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// A name for people.
    pub name: String,
    /// What it may do at most.
    pub role: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Of its secret.
    pub secret_hash: Vec<u8>,
    /// Who made it.
    pub created_by: Option<Uuid>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The token, unless it is revoked or expired; notes its use once a minute.
pub async fn find_live(conn: &mut Conn, id: ApiTokenId) -> QueryResult<Option<TokenSecretRow>> {
    let now = Utc::now();
    let found = api_tokens::table
        .inner_join(organizations::table)
        .filter(api_tokens::id.eq(id.0))
        .filter(api_tokens::revoked_at.is_null())
        .filter(
            api_tokens::expires_at
                .is_null()
                .or(api_tokens::expires_at.gt(now)),
        )
        .select(TokenSecretRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let stale = now - chrono::Duration::minutes(1);
    // Looked at here, so that most requests say nothing more.
    let is_stale = |row: &TokenSecretRow| row.last_used_at.is_none_or(|at| at < stale);
    if found.as_ref().is_some_and(is_stale) {
        diesel::update(api_tokens::table.find(id.0))
            .filter(
                api_tokens::last_used_at
                    .is_null()
                    .or(api_tokens::last_used_at.lt(stale)),
            )
            .set(api_tokens::last_used_at.eq(now))
            .execute(conn)
            .await?;
    }
    Ok(found)
}

/// The live tokens of an organization, newest first.
pub async fn list(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<TokenRow>> {
    api_tokens::table
        .filter(api_tokens::organization_id.eq(organization.0))
        .filter(api_tokens::revoked_at.is_null())
        .order(api_tokens::created_at.desc())
        .select(TokenRow::as_select())
        .load(conn)
        .await
}

/// Stores a token.
pub async fn insert(conn: &mut Conn, token: &NewToken) -> QueryResult<TokenRow> {
    diesel::insert_into(api_tokens::table)
        .values(token)
        .returning(TokenRow::as_returning())
        .get_result(conn)
        .await
}

/// Revokes a live token; false when there is none.
pub async fn revoke(conn: &mut Conn, organization: OrganizationId, id: ApiTokenId) -> QueryResult<bool> {
    let changed = diesel::update(api_tokens::table.find(id.0))
        .filter(api_tokens::organization_id.eq(organization.0))
        .filter(api_tokens::revoked_at.is_null())
        .set(api_tokens::revoked_at.eq(Utc::now()))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}
