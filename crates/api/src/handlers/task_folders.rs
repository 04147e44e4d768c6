//! Folders of an organization's own task files. Task files are code, so only administrators add them.

use crate::auth::{Principal, Scope};
use crate::catalogue;
use crate::db::{Conn, audit, indexed};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use std::path::{Component, Path as FilePath};
use types::{CreateTaskFolder, Problem, Role, TaskFolderList, TaskFolderView};
use uuid::Uuid;

/// Longest path, in bytes.
const MAX_PATH: usize = 4096;

/// All task folders.
#[utoipa::path(get, path = "/api/v1/task-folders", operation_id = "list_task_folders", tag = "catalogue",
    responses((status = 200, body = TaskFolderList)))]
pub async fn list_task_folders(
    state: Data<AppState>,
    caller: Principal,
) -> AppResult<web::Json<TaskFolderList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let rows = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(indexed::folders(conn, Some(organization)).await?)
        })
        .await?;
    Ok(web::Json(TaskFolderList {
        folders: rows.into_iter().map(Into::into).collect(),
    }))
}

/// Add a folder; its tasks are in the catalogue when this answers.
#[utoipa::path(post, path = "/api/v1/task-folders", operation_id = "create_task_folder", tag = "catalogue",
    request_body = CreateTaskFolder,
    responses((status = 201, body = TaskFolderView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_task_folder(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateTaskFolder>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    let wanted = wanted.accept()?;
    check_path(&wanted.path).map_err(|message| AppError::field("path", message))?;
    let path = wanted.path.trim_end_matches('/');
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let row = indexed::insert_folder(conn, organization, path, caller.user_id()).await?;
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "task_folder.create",
                "task_folder",
                path,
            )
            .await?;
            Ok(row)
        })
        .await
        .map_err(|error| error.or_taken(|| format!("the folder `{path}` is there already")))?;
    catalogue::sync(&state).await.map_err(AppError::internal)?;
    Ok(HttpResponse::Created().json(TaskFolderView::from(row)))
}

/// Remove a folder; results of its tasks stay.
#[utoipa::path(delete, path = "/api/v1/task-folders/{folder_id}", operation_id = "delete_task_folder", tag = "catalogue",
    params(("folder_id" = Uuid, Path)),
    responses((status = 204, description = "Removed"), (status = 404, body = Problem)))]
pub async fn delete_task_folder(
    state: Data<AppState>,
    caller: Principal,
    id: Path<Uuid>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            if !indexed::delete_folder(conn, organization, *id).await? {
                return Err(AppError::not_found("task folder", *id));
            }
            let id = id.to_string();
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "task_folder.delete",
                "task_folder",
                &id,
            )
            .await?;
            Ok(())
        })
        .await?;
    catalogue::sync(&state).await.map_err(AppError::internal)?;
    Ok(HttpResponse::NoContent().finish())
}

/// The path goes onto a command line, separated from others by commas.
fn check_path(text: &str) -> Result<(), String> {
    let path = FilePath::new(text);
    let plain = path
        .components()
        .all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain || text.len() > MAX_PATH {
        return Err(format!("`{text}` is no absolute path without `..`"));
    }
    if text.contains([',', '\0', '\n', '\r']) {
        return Err(format!(
            "`{text}` holds a comma or a control character; expected neither"
        ));
    }
    if !path.is_dir() {
        return Err(format!("`{text}` is no folder on the server"));
    }
    Ok(())
}
