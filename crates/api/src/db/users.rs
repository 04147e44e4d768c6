//! Accounts of the embedded sign-in: `auth.users`, as Supabase lays it out.

use super::{
    Conn,
    schema::{memberships, organizations, users},
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use std::collections::HashMap;
use types::{Role, UserId};
use uuid::Uuid;

/// An account.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRow {
    /// Its id.
    pub id: Uuid,
    /// Its address; none until the first owner has chosen one.
    pub email: Option<String>,
    /// A bcrypt hash; none until a password has been chosen.
    pub encrypted_password: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<DateTime<Utc>>,
    /// When it was used last.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// What the user says of themselves.
    pub raw_user_meta_data: Option<Value>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Until when it may not be used.
    pub banned_until: Option<DateTime<Utc>>,
}

/// The account with this id, unless it was deleted.
pub async fn find(conn: &mut Conn, id: UserId) -> QueryResult<Option<UserRow>> {
    users::table
        .find(id.0)
        .filter(users::deleted_at.is_null())
        .select(UserRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// The addresses of accounts, by id.
pub async fn emails(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, String>> {
    let found: Vec<(Uuid, Option<String>)> = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::email))
        .load(conn)
        .await?;
    let known = found.into_iter().filter_map(|(id, email)| Some((id, email?)));
    Ok(known.collect())
}

/// The account with this address.
pub async fn find_by_email(conn: &mut Conn, email: &str) -> QueryResult<Option<UserRow>> {
    users::table
        .filter(users::email.eq(email))
        .filter(users::is_sso_user.eq(false))
        .filter(users::deleted_at.is_null())
        .select(UserRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Creates an account; both may be missing for the first owner.
pub async fn insert(
    conn: &mut Conn,
    email: Option<&str>,
    password_hash: Option<&str>,
    data: &Value,
) -> QueryResult<UserRow> {
    let now = Utc::now();
    let id = Uuid::now_v7();
    diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::aud.eq("authenticated"),
            users::role.eq("authenticated"),
            users::email.eq(email),
            users::encrypted_password.eq(password_hash.unwrap_or_default()),
            users::email_confirmed_at.eq(now),
            users::raw_app_meta_data.eq(json!({"provider": "email", "providers": ["email"]})),
            users::raw_user_meta_data.eq(data),
            users::created_at.eq(now),
            users::updated_at.eq(now),
            users::is_sso_user.eq(false),
            users::is_anonymous.eq(false),
        ))
        .returning(UserRow::as_returning())
        .get_result(conn)
        .await
}

/// Makes the identity row that GoTrue expects of every account with an address.
pub async fn upsert_identity(conn: &mut Conn, user: UserId, email: &str) -> QueryResult<()> {
    let data = json!({"sub": user, "email": email, "email_verified": true, "phone_verified": false});
    diesel::sql_query(
        "insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
         values ($1, $2, $3, 'email', now(), now(), now())
         on conflict (provider_id, provider) do update set identity_data = excluded.identity_data, updated_at = now()",
    )
    .bind::<sql_types::Text, _>(user.to_string())
    .bind::<sql_types::Uuid, _>(user.0)
    .bind::<sql_types::Jsonb, _>(data)
    .execute(conn)
    .await?;
    Ok(())
}

/// What `PUT /user` may change; absent things stay.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChange {
    /// A new address.
    pub email: Option<String>,
    /// A new password's hash.
    pub encrypted_password: Option<String>,
    /// What the user says of themselves.
    pub raw_user_meta_data: Option<Value>,
    /// When.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Changes an account.
pub async fn update(conn: &mut Conn, id: UserId, change: &UserChange) -> QueryResult<Option<UserRow>> {
    diesel::update(users::table.find(id.0))
        .set(change)
        .returning(UserRow::as_returning())
        .get_result(conn)
        .await
        .optional()
}

/// Notes a sign-in.
pub async fn touch_sign_in(conn: &mut Conn, id: UserId) -> QueryResult<()> {
    diesel::update(users::table.find(id.0))
        .set(users::last_sign_in_at.eq(Utc::now()))
        .execute(conn)
        .await?;
    Ok(())
}

/// The owner of the oldest organization that is not the demo.
pub async fn first_owner(conn: &mut Conn) -> QueryResult<Option<UserId>> {
    let found: Option<Uuid> = memberships::table
        .inner_join(organizations::table)
        .filter(memberships::role.eq(Role::Owner.as_str()))
        .filter(organizations::demo.eq(false))
        .order((organizations::created_at, memberships::created_at))
        .select(memberships::user_id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(UserId))
}
