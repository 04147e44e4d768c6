//! Sessions and refresh tokens of the embedded sign-in.

use super::{
    Conn,
    schema::{refresh_tokens, sessions},
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::{declare_sql_function, sql_types};
use diesel_async::RunQueryDsl;
use types::UserId;
use uuid::Uuid;

/// A refresh token.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = refresh_tokens)]
pub struct RefreshTokenRow {
    /// The hash that stands for it.
    pub token: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// Whether it has been used up.
    pub revoked: Option<bool>,
    /// Its session.
    pub session_id: Option<Uuid>,
    /// When it was used up.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Opens a session.
pub async fn insert(conn: &mut Conn, user: UserId) -> QueryResult<Uuid> {
    let (id, now) = (Uuid::now_v7(), Utc::now());
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id),
            sessions::user_id.eq(user.0),
            sessions::created_at.eq(now),
            sessions::updated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

#[declare_sql_function]
extern "SQL" {
    /// `app.session_is_open` of the schema, for callers who may not read sessions.
    #[sql_name = "app.session_is_open"]
    fn session_is_open(session: sql_types::Uuid, who: sql_types::Uuid) -> sql_types::Bool;
}

/// Whether the session is still open and that user's, as any caller may ask.
pub async fn is_open(conn: &mut Conn, id: Uuid, user: UserId) -> QueryResult<bool> {
    diesel::select(session_is_open(id, user.0)).get_result(conn).await
}

/// Locks a session for a refresh and notes its use; false when it is gone.
pub async fn touch(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
    let changed = diesel::update(sessions::table.find(id))
        .set(sessions::updated_at.eq(Utc::now()))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Ends one session, with its tokens.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::delete(sessions::table.find(id)).execute(conn).await?;
    Ok(())
}

/// Ends a user's sessions: all, or all but one.
pub async fn delete_of(conn: &mut Conn, user: UserId, but: Option<Uuid>) -> QueryResult<()> {
    let all = sessions::table.filter(sessions::user_id.eq(user.0));
    match but {
        None => diesel::delete(all).execute(conn).await?,
        Some(id) => {
            diesel::delete(all.filter(sessions::id.ne(id)))
                .execute(conn)
                .await?
        }
    };
    Ok(())
}

/// The refresh token with this hash.
pub async fn find_token(conn: &mut Conn, hash: &str) -> QueryResult<Option<RefreshTokenRow>> {
    refresh_tokens::table
        .filter(refresh_tokens::token.eq(hash))
        .select(RefreshTokenRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Stores a refresh token that follows `parent`.
pub async fn insert_token(
    conn: &mut Conn,
    session: Uuid,
    user: UserId,
    hash: &str,
    parent: Option<&str>,
) -> QueryResult<()> {
    let now = Utc::now();
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token.eq(hash),
            refresh_tokens::user_id.eq(user.to_string()),
            refresh_tokens::revoked.eq(false),
            refresh_tokens::parent.eq(parent),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::created_at.eq(now),
            refresh_tokens::updated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses up a token; false when it already was.
pub async fn revoke_token(conn: &mut Conn, hash: &str) -> QueryResult<bool> {
    let changed = diesel::update(refresh_tokens::table)
        .filter(refresh_tokens::token.eq(hash))
        .filter(refresh_tokens::revoked.eq(false))
        .set((
            refresh_tokens::revoked.eq(true),
            refresh_tokens::updated_at.eq(Utc::now()),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Uses up the unused successor of a token; false when there is none.
pub async fn revoke_unused_child(conn: &mut Conn, parent: &str) -> QueryResult<bool> {
    let changed = diesel::update(refresh_tokens::table)
        .filter(refresh_tokens::parent.eq(parent))
        .filter(refresh_tokens::revoked.eq(false))
        .set((
            refresh_tokens::revoked.eq(true),
            refresh_tokens::updated_at.eq(Utc::now()),
        ))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}
