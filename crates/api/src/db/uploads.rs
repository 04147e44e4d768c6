//! Imports as they are seen and as they wait: files that arrive, requests, leases.
//!
//! The rule it keeps: an import moves on only from the status that is expected, and only in the hands of its lease.

use super::Conn;
use super::schema::{import_files, import_uploads, imports};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::time::Duration;
use types::{
    FileFindings, ImportFileView, ImportMapping, ImportStatus, ImportView, ImportedRunView, OrganizationId,
    UploadedFile,
};
use uuid::Uuid;

/// How often a worker begins with an import before it is given up.
const MOST_TRIES: i32 = 3;

/// An import.
#[derive(Clone, Debug, QueryableByName)]
pub struct ImportRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// Its organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    cancelling: bool,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
    #[diesel(sql_type = Jsonb)]
    mapping: Value,
    #[diesel(sql_type = Jsonb)]
    plan: Value,
    #[diesel(sql_type = BigInt)]
    uploaded: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Integer)]
    files_total: i32,
    #[diesel(sql_type = Integer)]
    files_done: i32,
    #[diesel(sql_type = Integer)]
    runs_total: i32,
    #[diesel(sql_type = Integer)]
    runs_done: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<DateTime<Utc>>,
}

impl ImportRow {
    /// Where it is; a status that this version does not know is over.
    pub fn status(&self) -> ImportStatus {
        ImportStatus::of(&self.status).unwrap_or(ImportStatus::Failed)
    }

    /// Files that have arrived, and their bytes.
    pub fn arrived(&self) -> (i64, i64) {
        (self.uploaded, self.bytes)
    }

    /// What the user knows better.
    pub fn mapping(&self) -> ImportMapping {
        serde_json::from_value(self.mapping.clone()).unwrap_or_default()
    }

    /// What a check found.
    pub fn plan(&self) -> types::ImportPlan {
        serde_json::from_value(self.plan.clone()).unwrap_or_default()
    }
}

impl From<ImportRow> for ImportView {
    fn from(row: ImportRow) -> Self {
        Self {
            status: row.status(),
            id: row.id,
            name: row.name,
            source: row.source,
            cancelling: row.cancelling,
            error_message: row.error_message,
            uploaded: row.uploaded,
            bytes: row.bytes,
            files_total: row.files_total,
            files_done: row.files_done,
            runs_total: row.runs_total,
            runs_done: row.runs_done,
            created_at: row.created_at,
            completed_at: row.completed_at,
        }
    }
}

const COLUMNS: &str = "i.id, i.organization_id, i.name, i.source, i.status, \
    i.cancel_requested_at is not null and i.status in ('checking', 'queued', 'running') as cancelling, i.error_message, \
    i.mapping, i.plan, (select count(*) from import_uploads u where u.import_id = i.id) as uploaded, \
    (select coalesce(sum(u.size), 0)::bigint from import_uploads u where u.import_id = i.id) as bytes, \
    i.files_total, i.files_done, i.runs_total, i.runs_done, i.created_at, i.completed_at";

/// The import with this id.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<ImportRow>> {
    one(conn, id, "").await
}

/// The same, held until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<ImportRow>> {
    one(conn, id, " for update of i").await
}

async fn one(conn: &mut Conn, id: Uuid, how: &str) -> QueryResult<Option<ImportRow>> {
    diesel::sql_query(format!("select {COLUMNS} from imports i where i.id = $1{how}"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await
        .optional()
}

/// The imports of an organization, newest first, and how many there are.
pub async fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    limit: i64,
    offset: i64,
) -> QueryResult<(Vec<ImportRow>, i64)> {
    let total = imports::table
        .filter(imports::organization_id.eq(organization.0))
        .count()
        .get_result(conn)
        .await?;
    let rows = diesel::sql_query(format!(
        "select {COLUMNS} from imports i where i.organization_id = $1 order by i.created_at desc, i.id desc limit $2 offset $3"
    ))
    .bind::<SqlUuid, _>(organization.0)
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(offset)
    .load(conn)
    .await?;
    Ok((rows, total))
}

/// Imports of an organization that are not over.
pub async fn unfinished(conn: &mut Conn, organization: OrganizationId) -> QueryResult<i64> {
    imports::table
        .filter(imports::organization_id.eq(organization.0))
        .filter(imports::status.ne_all(["completed", "failed", "cancelled"]))
        .count()
        .get_result(conn)
        .await
}

/// A file that has arrived, to note.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = import_uploads)]
pub struct NewUpload<'a> {
    /// The import.
    pub import_id: Uuid,
    /// Its path, as its sender calls it.
    pub path: &'a str,
    /// Its organization.
    pub organization_id: Uuid,
    /// Under which name its bytes lie.
    pub object: Uuid,
    /// Of its bytes, in hex.
    pub sha256: &'a str,
    /// Bytes.
    pub size: i64,
}

/// Where the bytes of a file lie.
pub async fn object_of(conn: &mut Conn, import: Uuid, path: &str) -> QueryResult<Option<(Uuid, i64)>> {
    import_uploads::table
        .find((import, path))
        .select((import_uploads::object, import_uploads::size))
        .first(conn)
        .await
        .optional()
}

/// Notes a file; one of the same path stands aside. What was checked before has to be checked again.
pub async fn put(conn: &mut Conn, file: &NewUpload<'_>) -> QueryResult<()> {
    diesel::delete(import_uploads::table.find((file.import_id, file.path)))
        .execute(conn)
        .await?;
    diesel::insert_into(import_uploads::table)
        .values(file)
        .execute(conn)
        .await?;
    diesel::update(imports::table.find(file.import_id))
        .set((
            imports::status.eq("open"),
            imports::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// The files that have arrived, by path, with where their bytes lie.
pub async fn uploads(conn: &mut Conn, import: Uuid, limit: i64) -> QueryResult<Vec<(UploadedFile, Uuid)>> {
    let rows: Vec<(String, String, i64, Uuid)> = import_uploads::table
        .filter(import_uploads::import_id.eq(import))
        .order(import_uploads::path)
        .limit(limit)
        .select((
            import_uploads::path,
            import_uploads::sha256,
            import_uploads::size,
            import_uploads::object,
        ))
        .load(conn)
        .await?;
    let file = |(path, sha256, size, object)| (UploadedFile { path, sha256, size }, object);
    Ok(rows.into_iter().map(file).collect())
}

/// Puts an import before the workers, to be checked or to be stored.
pub async fn ask(
    conn: &mut Conn,
    id: Uuid,
    status: ImportStatus,
    mapping: &ImportMapping,
) -> QueryResult<()> {
    diesel::delete(import_files::table.filter(import_files::import_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::update(imports::table.find(id))
        .set((
            imports::status.eq(status.as_str()),
            imports::mapping.eq(serde_json::json!(mapping)),
            imports::plan.eq(serde_json::json!({})),
            (imports::files_total.eq(0), imports::files_done.eq(0)),
            (imports::runs_total.eq(0), imports::runs_done.eq(0)),
            imports::tries.eq(0),
            imports::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Asks for an end. Whether it is over at once: a worker that has it ends it itself.
pub async fn cancel(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
    let ended = diesel::sql_query(
        "update imports set status = 'cancelled', cancel_requested_at = now(), completed_at = now(), updated_at = now() \
         where id = $1 and status in ('open', 'checking', 'checked', 'queued', 'running') \
         and (lease_owner is null or lease_until < now())",
    )
    .bind::<SqlUuid, _>(id)
    .execute(conn)
    .await?;
    if ended == 0 {
        diesel::sql_query(
            "update imports set cancel_requested_at = now() where id = $1 and status in ('checking', 'queued', 'running')",
        )
        .bind::<SqlUuid, _>(id)
        .execute(conn)
        .await?;
    }
    Ok(ended > 0)
}

/// An import in the hands of a worker.
#[derive(Clone, Debug, QueryableByName)]
pub struct ClaimedImport {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Jsonb)]
    mapping: Value,
    /// Who does it.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub created_by: Option<Uuid>,
    /// With which token.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub created_by_token: Option<Uuid>,
}

impl ClaimedImport {
    /// Whether nothing is to be stored.
    pub fn is_check(&self) -> bool {
        self.status == ImportStatus::Checking.as_str()
    }

    /// What the user knows better.
    pub fn mapping(&self) -> ImportMapping {
        serde_json::from_value(self.mapping.clone()).unwrap_or_default()
    }
}

/// Takes the first import that waits, or whose worker is gone.
pub async fn claim(conn: &mut Conn, owner: Uuid, lease: Duration) -> QueryResult<Option<ClaimedImport>> {
    diesel::sql_query(
        "with c as (select id from imports where source = 'upload' and status in ('checking', 'queued', 'running') \
           and (lease_owner is null or lease_until < now()) order by created_at limit 1 for update skip locked) \
         update imports i set lease_owner = $1, lease_until = now() + make_interval(secs => $2), tries = i.tries + 1, \
           status = case i.status when 'queued' then 'running' else i.status end, updated_at = now() \
         from c where i.id = c.id \
         returning i.id, i.organization_id, i.status, i.mapping, i.created_by, i.created_by_token",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .get_result(conn)
    .await
    .optional()
}

/// Ends imports that nobody will end: commands that are gone, and uploads that ended every worker that took them.
pub async fn end_lost(conn: &mut Conn) -> QueryResult<usize> {
    diesel::sql_query(
        "update imports set status = 'failed', completed_at = now(), updated_at = now(), lease_owner = null, \
           error_message = case source \
             when 'command' then 'the command ended early; the same command again goes on where it stopped' \
             else 'its worker ended ' || tries || ' times while it was at it' end \
         where status in ('checking', 'running') and lease_until < now() and (source = 'command' or tries >= $1)",
    )
    .bind::<Integer, _>(MOST_TRIES)
    .execute(conn)
    .await
}

/// Ends uploads whose sender has left a day ago.
pub async fn end_abandoned(conn: &mut Conn) -> QueryResult<usize> {
    diesel::sql_query(
        "update imports set status = 'cancelled', completed_at = now(), updated_at = now(), \
           error_message = 'nobody went on with it for a day' \
         where status in ('open', 'checked') and updated_at < now() - interval '1 day'",
    )
    .execute(conn)
    .await
}

/// Those of these imports whose files may still be needed.
pub async fn needed(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    imports::table
        .filter(imports::id.eq_any(ids))
        .filter(imports::status.ne_all(["completed", "failed", "cancelled"]))
        .select(imports::id)
        .load(conn)
        .await
}

/// What a holder learns when it renews its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It goes on.
    Held,
    /// Somebody has asked to stop.
    Cancelled,
    /// It is not the holder any more.
    Lost,
}

/// Renews a lease, and notes how many files were looked at.
pub async fn renew(
    conn: &mut Conn,
    id: Uuid,
    owner: Uuid,
    lease: Duration,
    files: i32,
) -> QueryResult<Renewal> {
    #[derive(QueryableByName)]
    struct Renewed {
        #[diesel(sql_type = Bool)]
        cancelled: bool,
    }
    let renewed: Option<Renewed> = diesel::sql_query(
        "update imports set lease_until = now() + make_interval(secs => $3), files_done = greatest(files_done, $4), \
           updated_at = now() \
         where id = $1 and lease_owner = $2 and status in ('checking', 'running') \
         returning cancel_requested_at is not null as cancelled",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(lease.as_secs_f64())
    .bind::<Integer, _>(files)
    .get_result(conn)
    .await
    .optional()?;
    Ok(match renewed {
        None => Renewal::Lost,
        Some(found) if found.cancelled => Renewal::Cancelled,
        Some(_) => Renewal::Held,
    })
}

/// Gives an import back, so that the next worker takes it at once; this try does not count.
pub async fn release(conn: &mut Conn, id: Uuid, owner: Uuid) -> QueryResult<()> {
    diesel::sql_query(
        "update imports set lease_owner = null, lease_until = null, tries = greatest(tries - 1, 0) \
         where id = $1 and lease_owner = $2 and status in ('checking', 'running')",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(owner)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Stores what a check found.
pub async fn checked(
    conn: &mut Conn,
    id: Uuid,
    owner: Uuid,
    plan: &types::ImportPlan,
    files: i32,
) -> QueryResult<bool> {
    diesel::update(
        imports::table
            .find(id)
            .filter(imports::lease_owner.eq(owner))
            .filter(imports::status.eq("checking")),
    )
    .set((
        imports::status.eq("checked"),
        imports::plan.eq(serde_json::json!(plan)),
        (imports::files_total.eq(files), imports::files_done.eq(files)),
        imports::lease_owner.eq(None::<Uuid>),
        imports::lease_until.eq(None::<DateTime<Utc>>),
        imports::updated_at.eq(diesel::dsl::now),
    ))
    .execute(conn)
    .await
    .map(|n| n > 0)
}

/// The report of an import's files, in order, and how many there are.
pub async fn reports(
    conn: &mut Conn,
    import: Uuid,
    limit: i64,
    offset: i64,
) -> QueryResult<(Vec<ImportFileView>, i64)> {
    type Row = (i32, String, String, String, Option<Uuid>, Option<String>, Value);
    let of_import = import_files::table.filter(import_files::import_id.eq(import));
    let total = of_import.count().get_result(conn).await?;
    let rows: Vec<Row> = of_import
        .order(import_files::position)
        .limit(limit)
        .offset(offset)
        .select((
            import_files::position,
            import_files::path,
            import_files::kind,
            import_files::status,
            import_files::run_id,
            import_files::sha256,
            import_files::report,
        ))
        .load(conn)
        .await?;
    let view = |(position, path, kind, status, run, sha256, report): Row| ImportFileView {
        position,
        path,
        kind,
        status,
        run_id: run.map(Into::into),
        sha256,
        report: serde_json::from_value::<FileFindings>(report).unwrap_or_default(),
    };
    Ok((rows.into_iter().map(view).collect(), total))
}

/// The runs that came of an import, the first ones: stored now, or known before.
pub async fn runs_of(conn: &mut Conn, import: Uuid, limit: i64) -> QueryResult<Vec<ImportedRunView>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        samples: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "select r.id, r.name, (select coalesce(sum(b.sample_count), 0)::bigint from run_benchmarks b where b.run_id = r.id) as samples \
         from runs r where r.id in (select f.run_id from import_files f where f.import_id = $1) \
         or r.import_id = $1 order by r.name, r.id limit $2",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let view = |row: Row| ImportedRunView {
        id: row.id.into(),
        name: row.name,
        samples: row.samples,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Which of these names the catalogue has.
pub async fn known_tasks(conn: &mut Conn, organization: Uuid, names: &[String]) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let known: Vec<Known> = diesel::sql_query(
        "select distinct name from benchmarks where name = any ($2) and (organization_id is null or organization_id = $1)",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<Array<Text>, _>(names)
    .load(conn)
    .await?;
    Ok(known.into_iter().map(|k| k.name).collect())
}
