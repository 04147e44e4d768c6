//! What was indexed last, and the folders that are indexed.

use super::{
    Conn,
    schema::{catalogue_state, task_folders},
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{OrganizationId, TaskFolderView, UserId};
use uuid::Uuid;

/// What was indexed last.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = catalogue_state, treat_none_as_null = true)]
pub struct StateRow {
    /// The installed lmms-eval.
    pub lmms_eval_version: Option<String>,
    /// Of everything that was read.
    pub fingerprint: String,
    /// When.
    pub indexed_at: DateTime<Utc>,
    /// What could not be indexed, as a list of texts.
    pub problems: Value,
    /// The model backends.
    pub backends: Value,
}

/// A folder of an organization's own tasks.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = task_folders)]
pub struct FolderRow {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Where it is.
    pub path: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl From<FolderRow> for TaskFolderView {
    fn from(row: FolderRow) -> Self {
        let FolderRow {
            id,
            organization_id: _,
            path,
            created_at,
        } = row;
        Self { id, path, created_at }
    }
}

/// What was indexed last, if anything.
pub async fn state(conn: &mut Conn) -> QueryResult<Option<StateRow>> {
    catalogue_state::table
        .select(StateRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Notes what was indexed.
pub async fn set_state(conn: &mut Conn, state: &StateRow) -> QueryResult<()> {
    diesel::insert_into(catalogue_state::table)
        .values((catalogue_state::singleton.eq(true), state))
        .on_conflict(catalogue_state::singleton)
        .do_update()
        .set(state)
        .execute(conn)
        .await?;
    Ok(())
}

/// All folders, or those of one organization, by path.
pub async fn folders(conn: &mut Conn, organization: Option<OrganizationId>) -> QueryResult<Vec<FolderRow>> {
    let mut query = task_folders::table
        .select(FolderRow::as_select())
        .order(task_folders::path)
        .into_boxed();
    if let Some(organization) = organization {
        query = query.filter(task_folders::organization_id.eq(organization.0));
    }
    query.load(conn).await
}

/// Adds a folder.
pub async fn insert_folder(
    conn: &mut Conn,
    organization: OrganizationId,
    path: &str,
    by: Option<UserId>,
) -> QueryResult<FolderRow> {
    diesel::insert_into(task_folders::table)
        .values((
            task_folders::id.eq(Uuid::now_v7()),
            task_folders::organization_id.eq(organization.0),
            task_folders::path.eq(path),
            task_folders::created_by.eq(by.map(|u| u.0)),
        ))
        .returning(FolderRow::as_returning())
        .get_result(conn)
        .await
}

/// Removes a folder; false when there is none.
pub async fn delete_folder(conn: &mut Conn, organization: OrganizationId, id: Uuid) -> QueryResult<bool> {
    let deleted = diesel::delete(task_folders::table.find(id))
        .filter(task_folders::organization_id.eq(organization.0))
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}
