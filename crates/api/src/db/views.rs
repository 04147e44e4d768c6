//! Kept views: a person's filters and presets.

use super::{Conn, schema::saved_views};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{OrganizationId, UserId};
use uuid::Uuid;

/// A kept view.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = saved_views)]
pub struct ViewRow {
    /// Its id.
    pub id: Uuid,
    /// The page.
    pub page: String,
    /// Its name.
    pub name: String,
    /// `{"query": …}`.
    pub body: serde_json::Value,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
}

/// A view to keep.
#[derive(Debug, Insertable)]
#[diesel(table_name = saved_views)]
pub struct NewView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The page.
    pub page: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `{"query": …}`.
    pub body: serde_json::Value,
}

/// The views of a person, by page and name.
pub async fn list(conn: &mut Conn, organization: OrganizationId, user: UserId) -> QueryResult<Vec<ViewRow>> {
    saved_views::table
        .filter(saved_views::organization_id.eq(organization.0))
        .filter(saved_views::user_id.eq(user.0))
        .order((saved_views::page, saved_views::name))
        .select(ViewRow::as_select())
        .load(conn)
        .await
}

/// Keeps a view, over an older one of the same name.
pub async fn keep(conn: &mut Conn, view: &NewView<'_>) -> QueryResult<ViewRow> {
    diesel::insert_into(saved_views::table)
        .values(view)
        .on_conflict((
            saved_views::organization_id,
            saved_views::user_id,
            saved_views::page,
            saved_views::name,
        ))
        .do_update()
        .set(saved_views::body.eq(&view.body))
        .returning(ViewRow::as_returning())
        .get_result(conn)
        .await
}

/// Forgets a view of a person; false when there is none.
pub async fn forget(conn: &mut Conn, user: UserId, id: Uuid) -> QueryResult<bool> {
    let gone = diesel::delete(saved_views::table.find(id)).filter(saved_views::user_id.eq(user.0));
    Ok(gone.execute(conn).await? > 0)
}
