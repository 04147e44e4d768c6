//! Imports as they are seen.

use super::{import_id, visible};
use crate::auth::{Principal, Scope};
use crate::db::{Conn, uploads};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use types::{ImportDetail, ImportFileList, ImportList, MAX_PAGE, Role};

/// Files and runs that the detail names.
const NAMED_FILES: i64 = 1000;
const NAMED_RUNS: i64 = 200;

/// A page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListPage {
    /// Rows of a page, at most 200.
    limit: Option<u32>,
    /// Rows to skip.
    #[param(value_type = Option<u64>)]
    offset: Option<u32>,
}

impl ListPage {
    fn bounds(&self) -> AppResult<(i64, i64)> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=MAX_PAGE => Ok((i64::from(limit), i64::from(self.offset.unwrap_or(0)))),
            limit => Err(AppError::field(
                "limit",
                format!("is {limit}; expected 1 to {MAX_PAGE}"),
            )),
        }
    }
}

/// Imports, newest first.
#[utoipa::path(get, path = "/api/v1/imports", operation_id = "list_imports", tag = "imports", params(ListPage),
    responses((status = 200, body = ImportList)))]
pub async fn list_imports(
    state: Data<AppState>,
    caller: Principal,
    page: Query<ListPage>,
) -> AppResult<Json<ImportList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let (limit, offset) = page.bounds()?;
    let (rows, total) = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(uploads::list(conn, organization, limit, offset).await?)
        })
        .await?;
    Ok(Json(ImportList {
        imports: rows.into_iter().map(Into::into).collect(),
        total,
    }))
}

/// An import: how far it is, what its files need, and the runs that came of it.
#[utoipa::path(get, path = "/api/v1/imports/{import_id}", operation_id = "get_import", tag = "imports",
    params(("import_id" = String, Path)), responses((status = 200, body = ImportDetail)))]
pub async fn get_import(
    state: Data<AppState>,
    caller: Principal,
    path: Path<String>,
) -> AppResult<Json<ImportDetail>> {
    let id = import_id(&path)?;
    state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let import = visible(conn, id).await?;
            let files = uploads::uploads(conn, id, NAMED_FILES).await?;
            Ok(Json(ImportDetail {
                mapping: import.mapping(),
                plan: import.plan(),
                import: import.into(),
                files: files.into_iter().map(|(file, _)| file).collect(),
                runs: uploads::runs_of(conn, id, NAMED_RUNS).await?,
            }))
        })
        .await
}

/// What became of each file, or would after a check.
#[utoipa::path(get, path = "/api/v1/imports/{import_id}/files", operation_id = "list_import_files", tag = "imports",
    params(("import_id" = String, Path), ListPage), responses((status = 200, body = ImportFileList)))]
pub async fn list_import_files(
    state: Data<AppState>,
    caller: Principal,
    path: Path<String>,
    page: Query<ListPage>,
) -> AppResult<Json<ImportFileList>> {
    let id = import_id(&path)?;
    let (limit, offset) = page.bounds()?;
    state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            visible(conn, id).await?;
            let (files, total) = uploads::reports(conn, id, limit, offset).await?;
            Ok(Json(ImportFileList { files, total }))
        })
        .await
}
