//! Files of runs and chunks of raw logs: where their bytes are.

use super::Conn;
use super::schema::{artifacts, log_chunks};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{ArtifactId, ArtifactType, LogStream, RunId};
use uuid::Uuid;

/// How the keys of raw outputs begin, which are kept in chunks.
pub const CHUNKED: &str = "chunks:";

/// A file as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = artifacts)]
pub struct ArtifactRow {
    /// Its id.
    pub id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The attempt that wrote it.
    pub attempt_id: Option<Uuid>,
    /// The benchmark it belongs to.
    pub run_benchmark_id: Option<Uuid>,
    /// What it holds.
    pub artifact_type: String,
    /// Its path below the attempt's folder.
    pub name: String,
    /// Its key in the object store.
    pub file_path: String,
    /// Bytes.
    pub file_size: i64,
    /// Hex SHA-256.
    pub sha256: Option<String>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// A file to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = artifacts)]
pub struct NewArtifact {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The attempt that wrote it.
    pub attempt_id: Option<Uuid>,
    /// The benchmark it belongs to.
    pub run_benchmark_id: Option<Uuid>,
    /// What it holds.
    pub artifact_type: &'static str,
    /// Its path below the attempt's folder.
    pub name: String,
    /// Its key in the object store.
    pub file_path: String,
    /// Bytes.
    pub file_size: i64,
    /// Hex SHA-256.
    pub sha256: Option<String>,
    /// Anything else.
    pub metadata: Value,
}

/// Stores a file, or its newer content.
pub async fn upsert(conn: &mut Conn, artifact: &NewArtifact) -> QueryResult<()> {
    use artifacts::dsl as a;
    let replaced = diesel::update(artifacts::table)
        .filter(a::run_id.eq(artifact.run_id).and(a::name.eq(&artifact.name)))
        .filter(a::attempt_id.is_not_distinct_from(artifact.attempt_id))
        .set((
            a::file_path.eq(&artifact.file_path),
            a::file_size.eq(artifact.file_size),
            a::sha256.eq(&artifact.sha256),
        ))
        .execute(conn)
        .await?;
    if replaced == 0 {
        diesel::insert_into(artifacts::table)
            .values(artifact)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// The files of a run, oldest first.
pub async fn of_run(conn: &mut Conn, run: RunId) -> QueryResult<Vec<ArtifactRow>> {
    artifacts::table
        .filter(artifacts::run_id.eq(run.0))
        .order((artifacts::created_at, artifacts::name))
        .select(ArtifactRow::as_select())
        .load(conn)
        .await
}

/// The files of one benchmark in one attempt.
pub async fn of_pick(conn: &mut Conn, pick: Uuid, attempt: Uuid) -> QueryResult<Vec<ArtifactRow>> {
    artifacts::table
        .filter(
            artifacts::run_benchmark_id
                .eq(pick)
                .and(artifacts::attempt_id.eq(attempt)),
        )
        .order(artifacts::name)
        .select(ArtifactRow::as_select())
        .load(conn)
        .await
}

/// The file with this id.
pub async fn find(conn: &mut Conn, id: ArtifactId) -> QueryResult<Option<ArtifactRow>> {
    artifacts::table
        .find(id.0)
        .select(ArtifactRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// What a file holds, by its path below `out/<order>/`.
pub fn type_of(path: &str) -> ArtifactType {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with("_results.json") || name == "results.json" || name == "done.json" {
        ArtifactType::Config
    } else if name.ends_with(".log") {
        ArtifactType::Log
    } else {
        ArtifactType::Predictions
    }
}

/// A piece of an attempt's raw output.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Chunk {
    /// Where it begins.
    pub offset: i64,
    /// Bytes.
    pub length: i32,
    /// Its key in the object store.
    pub object_key: String,
}

/// The pieces of an output that overlap `from..to`, in order.
pub async fn chunks(
    conn: &mut Conn,
    attempt: Uuid,
    stream: LogStream,
    from: i64,
    to: i64,
) -> QueryResult<Vec<Chunk>> {
    use diesel::dsl::sql;
    use diesel::sql_types::{BigInt, Bool};
    log_chunks::table
        .filter(
            log_chunks::attempt_id
                .eq(attempt)
                .and(log_chunks::stream.eq(stream.as_str())),
        )
        .filter(log_chunks::byte_offset.lt(to))
        .filter(sql::<Bool>("byte_offset + length > ").bind::<BigInt, _>(from))
        .order(log_chunks::byte_offset)
        .select((
            log_chunks::byte_offset,
            log_chunks::length,
            log_chunks::object_key,
        ))
        .load(conn)
        .await
}

/// Bytes of an output that are stored.
pub async fn stored_bytes(conn: &mut Conn, attempt: Uuid, stream: LogStream) -> QueryResult<i64> {
    let last: Option<(i64, i32)> = log_chunks::table
        .filter(
            log_chunks::attempt_id
                .eq(attempt)
                .and(log_chunks::stream.eq(stream.as_str())),
        )
        .order(log_chunks::byte_offset.desc())
        .select((log_chunks::byte_offset, log_chunks::length))
        .first(conn)
        .await
        .optional()?;
    Ok(last.map_or(0, |(offset, length)| offset + i64::from(length)))
}

/// Stores where a piece is.
pub async fn insert_chunk(
    conn: &mut Conn,
    attempt: Uuid,
    organization: Uuid,
    stream: LogStream,
    chunk: &Chunk,
) -> QueryResult<()> {
    diesel::insert_into(log_chunks::table)
        .values((
            log_chunks::attempt_id.eq(attempt),
            log_chunks::organization_id.eq(organization),
            log_chunks::stream.eq(stream.as_str()),
            log_chunks::byte_offset.eq(chunk.offset),
            log_chunks::length.eq(chunk.length),
            log_chunks::object_key.eq(&chunk.object_key),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map(|_| ())
}
