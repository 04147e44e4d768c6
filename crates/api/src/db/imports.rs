//! Imports, the files in them, and the runs that came of them.

use super::Conn;
use super::schema::{import_files, imports, run_attempts, runs};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Double, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// An import to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = imports)]
pub struct NewImport {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// What was imported, for people.
    pub name: String,
    /// `command` or `upload`.
    pub source: &'static str,
    /// Where it begins: `open`, or `running`.
    pub status: &'static str,
    /// The user's mapping.
    pub mapping: Value,
    /// Who did it.
    pub created_by: Option<Uuid>,
    /// With which token.
    pub created_by_token: Option<Uuid>,
}

/// A file of an import to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = import_files)]
pub struct NewFile {
    /// The import.
    pub import_id: Uuid,
    /// Its place.
    pub position: i32,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its path.
    pub path: String,
    /// Of its bytes, in hex.
    pub sha256: Option<String>,
    /// What it is.
    pub kind: &'static str,
    /// What became of it.
    pub status: &'static str,
    /// The run that it belongs to.
    pub run_id: Option<Uuid>,
    /// What was taken and what was not.
    pub report: Value,
}

/// How an imported run stands from its first moment: it is over.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = runs)]
pub struct ImportedRun {
    /// Where it is.
    pub status: &'static str,
    /// Why it ended.
    pub outcome: &'static str,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Leaf tasks, all of them.
    pub completed_tasks: i32,
    /// All of it.
    pub progress_percent: f64,
    /// Its only attempt.
    pub epoch: i32,
    /// What the document says beside scores.
    pub metadata: Value,
    /// The import.
    pub import_id: Uuid,
    /// Of the document.
    pub import_hash: Vec<u8>,
}

/// Stores an import.
pub async fn insert(conn: &mut Conn, import: &NewImport) -> QueryResult<()> {
    diesel::insert_into(imports::table)
        .values(import)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Notes how far an import is.
pub async fn progress(conn: &mut Conn, id: Uuid, files: i32, runs: i32, done: i32) -> QueryResult<()> {
    diesel::update(imports::table.find(id))
        .set((
            (imports::files_total.eq(files), imports::files_done.eq(files)),
            imports::runs_total.eq(runs),
            imports::runs_done.eq(done),
            imports::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// How an import ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing<'a> {
    /// All of it is done.
    Completed,
    /// Why it ended early.
    Failed(&'a str),
    /// Somebody stopped it.
    Cancelled,
}

/// Ends an import that this owner holds; whether it did.
pub async fn end(conn: &mut Conn, id: Uuid, owner: Uuid, closing: Closing<'_>) -> QueryResult<bool> {
    let (status, error) = match closing {
        Closing::Completed => ("completed", None),
        Closing::Failed(why) => ("failed", Some(why)),
        Closing::Cancelled => ("cancelled", None),
    };
    diesel::update(
        imports::table
            .find(id)
            .filter(imports::lease_owner.eq(owner))
            .filter(imports::status.eq_any(["checking", "running"])),
    )
    .set((
        imports::status.eq(status),
        imports::error_message.eq(error),
        imports::completed_at.eq(diesel::dsl::now),
        imports::updated_at.eq(diesel::dsl::now),
        imports::lease_owner.eq(None::<Uuid>),
        imports::lease_until.eq(None::<DateTime<Utc>>),
    ))
    .execute(conn)
    .await
    .map(|n| n > 0)
}

/// Lets an import that begins at once belong to its process.
pub async fn begin(conn: &mut Conn, id: Uuid, owner: Uuid, lease: Duration) -> QueryResult<()> {
    diesel::sql_query(
        "update imports set lease_owner = $2, lease_until = now() + make_interval(secs => $3) where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .execute(conn)
    .await
    .map(|_| ())
}

/// Stores what became of the files.
pub async fn replace_files(conn: &mut Conn, import: Uuid, files: &[NewFile]) -> QueryResult<()> {
    diesel::delete(import_files::table.filter(import_files::import_id.eq(import)))
        .execute(conn)
        .await?;
    for some in files.chunks(500) {
        diesel::insert_into(import_files::table)
            .values(some)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Lets no other import of the organization store runs until the end of the transaction.
pub async fn hold(conn: &mut Conn, organization: Uuid) -> QueryResult<()> {
    diesel::sql_query("select pg_advisory_xact_lock($1, hashtext($2))")
        .bind::<diesel::sql_types::Integer, _>(0x1_4d50)
        .bind::<Text, _>(organization.to_string())
        .execute(conn)
        .await
        .map(|_| ())
}

/// The run of a document, and its attempt.
pub async fn run_of(conn: &mut Conn, organization: Uuid, hash: &[u8]) -> QueryResult<Option<(Uuid, Uuid)>> {
    runs::table
        .inner_join(run_attempts::table)
        .filter(
            runs::organization_id
                .eq(organization)
                .and(runs::import_hash.eq(hash)),
        )
        .select((runs::id, run_attempts::id))
        .first(conn)
        .await
        .optional()
}

/// Ends a run that was just stored, before anybody could see it.
pub async fn finish(conn: &mut Conn, run: Uuid, imported: &ImportedRun) -> QueryResult<()> {
    diesel::update(runs::table.find(run))
        .set(imported)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Notes whether the results of a run are to be used with care.
pub async fn set_degraded(conn: &mut Conn, run: Uuid, degraded: bool) -> QueryResult<()> {
    diesel::update(runs::table.find(run))
        .set(runs::degraded.eq(degraded))
        .execute(conn)
        .await
        .map(|_| ())
}
