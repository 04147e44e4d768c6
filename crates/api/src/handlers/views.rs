//! Kept views: a person's filters of a table and presets of the launcher.

use crate::auth::{Principal, Scope};
use crate::db::views::{self, NewView, ViewRow};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use serde_json::json;
use types::{Role, SaveView, SavedView, SavedViewList, UserId, ViewPage, check_name};
use uuid::Uuid;

const MAX_QUERY: usize = 16_000;

/// The caller's kept views.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", operation_id = "list_views", responses((status = 200, body = SavedViewList)))]
pub async fn list_views(state: Data<AppState>, caller: Principal) -> AppResult<web::Json<SavedViewList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let user = person(&caller)?;
    let rows = state
        .db
        .user(&caller, async |conn| {
            Ok::<_, AppError>(views::list(conn, organization, user).await?)
        })
        .await?;
    let views = rows.into_iter().map(shown).collect::<AppResult<_>>()?;
    Ok(web::Json(SavedViewList { views }))
}

/// Keeps a view, over an older one of the same name.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", operation_id = "save_view", request_body = SaveView,
    responses((status = 201, body = SavedView), (status = 422, body = types::Problem)))]
pub async fn save_view(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<SaveView>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let user = person(&caller)?;
    let wanted = wanted.accept()?;
    let name = check_name(&wanted.name).map_err(|e| AppError::field("name", e.to_string()))?;
    if wanted.query.len() > MAX_QUERY {
        let message = format!("has {} bytes; expected at most {MAX_QUERY}", wanted.query.len());
        return Err(AppError::field("query", message));
    }
    let view = NewView {
        id: Uuid::now_v7(),
        organization_id: organization.0,
        user_id: user.0,
        page: wanted.page.as_str(),
        name,
        body: json!({ "query": wanted.query }),
    };
    let row = state
        .db
        .user(&caller, async |conn| {
            Ok::<_, AppError>(views::keep(conn, &view).await?)
        })
        .await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(shown(row)?))
}

/// Forgets a view.
#[utoipa::path(delete, path = "/api/v1/views/{view_id}", tag = "views", operation_id = "delete_view", params(("view_id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = types::Problem)))]
pub async fn delete_view(
    state: Data<AppState>,
    caller: Principal,
    id: Path<Uuid>,
) -> AppResult<HttpResponse> {
    let user = person(&caller)?;
    let found = state
        .db
        .user(&caller, async |conn| {
            Ok::<_, AppError>(views::forget(conn, user, *id).await?)
        })
        .await?;
    match found {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(AppError::not_found("view", *id)),
    }
}

fn person(caller: &Principal) -> AppResult<UserId> {
    caller
        .user_id()
        .ok_or_else(|| AppError::Forbidden("kept views belong to people; an API token has none".to_owned()))
}

fn shown(row: ViewRow) -> AppResult<SavedView> {
    let ViewRow {
        id,
        page,
        name,
        body,
        created_at,
    } = row;
    let page = match page.as_str() {
        "runs" => ViewPage::Runs,
        _ => ViewPage::Launcher,
    };
    let query = body["query"].as_str().unwrap_or_default().to_owned();
    Ok(SavedView {
        id,
        page,
        name,
        query,
        created_at,
    })
}
