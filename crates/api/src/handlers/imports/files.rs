//! `PUT /imports/{import_id}/files`: one file at a time, streamed to disk.

use super::{changeable, import_id};
use crate::auth::Principal;
use crate::db::Conn;
use crate::db::uploads::{self, ImportRow, NewUpload};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::HttpRequest;
use actix_web::web::{self, Bytes, Data, Payload};
use futures_util::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;
use types::{ImportStatus, MAX_IMPORT_PATH, Problem, UploadedFile};
use uuid::Uuid;

/// What is sent.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PutImportFile {
    /// What its sender calls it; folders are separated by `/`. It never becomes a path of the server.
    path: String,
    /// Hex SHA-256 of its bytes, when the sender knows it.
    sha256: Option<String>,
}

/// Send a file of an import: a results document, samples, a log, or an archive of them. The same path again replaces it.
#[utoipa::path(put, path = "/api/v1/imports/{import_id}/files", operation_id = "put_import_file", tag = "imports",
    params(("import_id" = String, Path), PutImportFile),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadedFile), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put_import_file(
    state: Data<AppState>,
    caller: Principal,
    request: HttpRequest,
    path: web::Path<String>,
    body: Payload,
) -> AppResult<web::Json<UploadedFile>> {
    let id = import_id(&path)?;
    let import = changeable(&state.db, &caller, id).await?;
    let query = web::Query::<PutImportFile>::from_query(request.query_string())
        .map_err(|error| AppError::field("query", error.to_string()))?;
    let name = safe_path(&query.path).map_err(|why| AppError::field("path", why))?;
    let room = room(&state, &import)?;
    let file = Incoming::new(&state.config.uploads_dir(), id)
        .await
        .map_err(AppError::internal)?;
    let (sha256, size) = file.receive(body, room).await?;
    if let Some(expected) = query.sha256.as_ref().filter(|e| !e.eq_ignore_ascii_case(&sha256)) {
        let message = format!("is `{expected}`, but the bytes have `{sha256}`");
        return Err(AppError::field("sha256", message));
    }
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let replaced = keep(&state, &import, &file, &name, &sha256, size).await?;
    file.keep();
    if let Some(replaced) = replaced {
        let old = Incoming::at(&state.config.uploads_dir(), id, replaced);
        // What cannot be removed now goes with the import's folder.
        let _ = tokio::fs::remove_file(old).await;
    }
    Ok(web::Json(UploadedFile {
        path: name,
        sha256,
        size,
    }))
}

/// Bytes that may still come.
fn room(state: &AppState, import: &ImportRow) -> AppResult<u64> {
    let storage = &state.config.storage;
    check_open(import)?;
    let (files, bytes) = import.arrived();
    if files > i64::from(storage.max_import_files) {
        return Err(too_many(storage.max_import_files));
    }
    let whole = storage.max_import_mb.saturating_mul(1 << 20);
    Ok(whole.saturating_sub(u64::try_from(bytes).unwrap_or(0)))
}

fn too_many(most: u32) -> AppError {
    AppError::TooLarge(format!(
        "the import has more than {most} files; put them into an archive, or make several imports"
    ))
}

fn check_open(import: &ImportRow) -> AppResult<()> {
    match import.status() {
        ImportStatus::Open | ImportStatus::Checked => Ok(()),
        other => Err(AppError::Conflict(format!(
            "the import is {}; files can be sent while it is `open` or `checked`",
            other.as_str()
        ))),
    }
}

/// Notes the file, if the import still takes it; returns the one that it replaces.
async fn keep(
    state: &AppState,
    import: &ImportRow,
    file: &Incoming,
    path: &str,
    sha256: &str,
    size: i64,
) -> AppResult<Option<Uuid>> {
    let storage = &state.config.storage;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let import_id = file.import;
            let now = uploads::lock(conn, import_id).await?;
            let now = now.ok_or_else(|| AppError::not_found("import", import_id))?;
            check_open(&now)?;
            let replaced = uploads::object_of(conn, import_id, path).await?;
            let (files, bytes) = now.arrived();
            if replaced.is_none() && files >= i64::from(storage.max_import_files) {
                return Err(too_many(storage.max_import_files));
            }
            let bytes = bytes - replaced.map_or(0, |(_, size)| size) + size;
            if bytes.unsigned_abs() > storage.max_import_mb.saturating_mul(1 << 20) {
                return Err(too_large(storage.max_import_mb));
            }
            let row = NewUpload {
                import_id,
                path,
                organization_id: import.organization_id,
                object: file.object,
                sha256,
                size,
            };
            uploads::put(conn, &row).await?;
            Ok(replaced.map(|(object, _)| object))
        })
        .await
}

fn too_large(most: u64) -> AppError {
    AppError::TooLarge(format!(
        "the files of the import have more than {most} MB together"
    ))
}

/// A path that can be shown and matched: no way up, no control characters, not too long.
fn safe_path(raw: &str) -> Result<String, String> {
    let parts: Vec<&str> = raw.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let path = parts.join("/");
    let shown: String = raw.chars().take(200).collect();
    let shown = shown.escape_debug();
    if path.is_empty() {
        return Err("is empty; expected the name of a file".to_owned());
    }
    if path.chars().count() > MAX_IMPORT_PATH {
        return Err(format!("has more than {MAX_IMPORT_PATH} characters"));
    }
    if parts.contains(&"..") || raw.starts_with('/') {
        return Err(format!("is `{shown}`; expected a relative path without `..`"));
    }
    if raw.contains(|c: char| c == '\\' || c.is_control()) {
        return Err(format!(
            "is `{shown}`; expected neither a backslash nor a control character"
        ));
    }
    Ok(path)
}

/// A file on its way in, under a name of ours; removed when it is dropped before it is kept.
struct Incoming {
    import: Uuid,
    object: Uuid,
    at: PathBuf,
    kept: std::cell::Cell<bool>,
}

impl Incoming {
    fn at(uploads: &Path, import: Uuid, object: Uuid) -> PathBuf {
        uploads.join(import.to_string()).join(object.to_string())
    }

    async fn new(uploads: &Path, import: Uuid) -> std::io::Result<Self> {
        let object = Uuid::now_v7();
        let at = Self::at(uploads, import, object);
        let folder = uploads.join(import.to_string());
        tokio::fs::create_dir_all(&folder).await?;
        Ok(Self {
            import,
            object,
            at,
            kept: std::cell::Cell::new(false),
        })
    }

    /// Writes what comes, at most `room` bytes; its hash and its length.
    async fn receive(&self, mut body: Payload, room: u64) -> AppResult<(String, u64)> {
        let mut options = tokio::fs::OpenOptions::new();
        // Model arguments in it may hold secrets: nobody else reads it.
        let mut file = options
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&self.at)
            .await
            .map_err(AppError::internal)?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        while let Some(chunk) = body.next().await {
            let chunk: Bytes =
                chunk.map_err(|error| AppError::Malformed(format!("the upload ended early: {error}")))?;
            size += chunk.len() as u64;
            if size > room {
                return Err(AppError::TooLarge(format!(
                    "the file does not fit: {room} bytes are left to this import"
                )));
            }
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(no_room)?;
        }
        file.flush().await.map_err(no_room)?;
        Ok((hex::encode(hash.finalize()), size))
    }

    fn keep(&self) {
        self.kept.set(true);
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept.get() {
            // What cannot be removed now goes with the import's folder.
            let _ = std::fs::remove_file(&self.at);
        }
    }
}

fn no_room(error: std::io::Error) -> AppError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return AppError::Unavailable("the server's disk is full".to_owned());
    }
    AppError::internal(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(safe_path("./a//b c/ü.json").unwrap(), "a/b c/ü.json");
        for bad in ["", "/", "../a", "a/../b", "/etc/passwd", "a\\b", "a\0b", "a\nb"] {
            assert!(safe_path(bad).is_err(), "{bad:?}");
        }
        assert!(safe_path(&"a".repeat(MAX_IMPORT_PATH + 1)).is_err());
    }
}
