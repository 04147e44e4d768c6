//! From a name to an import: made, checked, started, cancelled.

use super::{changeable, import_id};
use crate::auth::{Principal, Scope};
use crate::db::imports::{NewImport, insert};
use crate::db::{Conn, audit, uploads};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use types::{
    CreateImport, ImportMapping, ImportStatus, ImportView, OrganizationId, Problem, Role, StartImport,
    check_name,
};
use uuid::Uuid;

/// Imports of an organization that may be under way at a time.
const MOST_UNFINISHED: i64 = 20;
/// Rules and names of a mapping.
const MOST_RULES: usize = 20_000;

/// Begin an import; its files are sent next.
#[utoipa::path(post, path = "/api/v1/imports", operation_id = "create_import", tag = "imports", request_body = CreateImport,
    responses((status = 201, body = ImportView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_import(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateImport>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Editor, Scope::Runs)?;
    let wanted = wanted.accept()?;
    let name = check_name(&wanted.name).map_err(|error| AppError::field("name", error.to_string()))?;
    let row = NewImport {
        id: Uuid::now_v7(),
        organization_id: organization.0,
        name: name.to_owned(),
        source: "upload",
        status: ImportStatus::Open.as_str(),
        mapping: serde_json::json!({}),
        created_by: caller.user_id().map(Into::into),
        created_by_token: caller.token_id().map(Into::into),
    };
    let made = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            if uploads::unfinished(conn, organization).await? >= MOST_UNFINISHED {
                return Err(AppError::Conflict(format!(
                    "{MOST_UNFINISHED} imports are under way; cancel one of them, or wait"
                )));
            }
            insert(conn, &row).await?;
            note(conn, organization, &caller, "import.create", row.id).await?;
            uploads::find(conn, row.id)
                .await?
                .ok_or_else(|| AppError::not_found("import", row.id))
        })
        .await?;
    Ok(HttpResponse::Created().json(ImportView::from(made)))
}

/// Look at the files of an import; nothing is stored.
#[utoipa::path(post, path = "/api/v1/imports/{import_id}/check", operation_id = "check_import", tag = "imports",
    params(("import_id" = String, Path)), request_body = StartImport,
    responses((status = 202, body = ImportView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn check_import(
    state: Data<AppState>,
    caller: Principal,
    path: Path<String>,
    wanted: Json<StartImport>,
) -> AppResult<HttpResponse> {
    ask(&state, &caller, &path, wanted, ImportStatus::Checking).await
}

/// Import the files; a worker does it.
#[utoipa::path(post, path = "/api/v1/imports/{import_id}/start", operation_id = "start_import", tag = "imports",
    params(("import_id" = String, Path)), request_body = StartImport,
    responses((status = 202, body = ImportView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn start_import(
    state: Data<AppState>,
    caller: Principal,
    path: Path<String>,
    wanted: Json<StartImport>,
) -> AppResult<HttpResponse> {
    ask(&state, &caller, &path, wanted, ImportStatus::Queued).await
}

async fn ask(
    state: &AppState,
    caller: &Principal,
    path: &str,
    wanted: Json<StartImport>,
    status: ImportStatus,
) -> AppResult<HttpResponse> {
    let id = import_id(path)?;
    let import = changeable(&state.db, caller, id).await?;
    let wanted = wanted.accept()?;
    check_mapping(&wanted.mapping)?;
    let organization = OrganizationId(import.organization_id);
    let asked = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let import = uploads::lock(conn, id)
                .await?
                .ok_or_else(|| AppError::not_found("import", id))?;
            if !matches!(import.status(), ImportStatus::Open | ImportStatus::Checked) {
                return Err(AppError::Conflict(format!(
                    "import `{id}` is {}; expected `open` or `checked`",
                    import.status().as_str()
                )));
            }
            if import.arrived().0 == 0 {
                return Err(AppError::Conflict(format!("import `{id}` has no files yet")));
            }
            uploads::ask(conn, id, status, &wanted.mapping).await?;
            if status == ImportStatus::Queued {
                note(conn, organization, caller, "import.start", id).await?;
            }
            uploads::find(conn, id)
                .await?
                .ok_or_else(|| AppError::not_found("import", id))
        })
        .await?;
    Ok(HttpResponse::Accepted().json(ImportView::from(asked)))
}

/// Names of models and checkpoints as the registry takes them; texts that a database takes.
fn check_mapping(mapping: &ImportMapping) -> AppResult<()> {
    let rules = mapping.models.len() + mapping.tasks.len() + mapping.files.len();
    if rules > MOST_RULES {
        return Err(AppError::field(
            "mapping",
            format!("has {rules} rules; expected at most {MOST_RULES}"),
        ));
    }
    let of_models = mapping
        .models
        .values()
        .flat_map(|rule| [&rule.model, &rule.checkpoint]);
    let of_files = mapping
        .files
        .iter()
        .flat_map(|rule| [&rule.model, &rule.checkpoint, &rule.task]);
    for name in of_models.chain(of_files).flatten().chain(mapping.tasks.values()) {
        check_name(name).map_err(|error| AppError::field("mapping", format!("the name `{name}` {error}")))?;
    }
    let texts = mapping.models.keys().chain(mapping.tasks.keys());
    let paths = mapping.files.iter().map(|rule| &rule.path);
    match texts.chain(paths).find(|text| text.contains('\0')) {
        Some(_) => Err(AppError::field(
            "mapping",
            "holds the character U+0000; expected text",
        )),
        None => Ok(()),
    }
}

/// Stop an import. 200 when it is over; 202 when its worker is about to end it.
#[utoipa::path(post, path = "/api/v1/imports/{import_id}/cancel", operation_id = "cancel_import", tag = "imports",
    params(("import_id" = String, Path)),
    responses((status = 200, body = ImportView), (status = 202, body = ImportView), (status = 409, body = Problem)))]
pub async fn cancel_import(
    state: Data<AppState>,
    caller: Principal,
    path: Path<String>,
) -> AppResult<HttpResponse> {
    let id = import_id(&path)?;
    let import = changeable(&state.db, &caller, id).await?;
    let organization = OrganizationId(import.organization_id);
    let (import, ended) = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let found = uploads::lock(conn, id).await?;
            let found = found.ok_or_else(|| AppError::not_found("import", id))?;
            if found.status().is_over() {
                return Err(AppError::Conflict(format!(
                    "import `{id}` is already {}",
                    found.status().as_str()
                )));
            }
            let ended = uploads::cancel(conn, id).await?;
            note(conn, organization, &caller, "import.cancel", id).await?;
            let found = uploads::find(conn, id).await?;
            Ok((found.ok_or_else(|| AppError::not_found("import", id))?, ended))
        })
        .await?;
    let view = ImportView::from(import);
    Ok(if ended {
        HttpResponse::Ok().json(view)
    } else {
        HttpResponse::Accepted().json(view)
    })
}

async fn note(
    conn: &mut Conn,
    organization: OrganizationId,
    caller: &Principal,
    action: &str,
    id: Uuid,
) -> diesel::QueryResult<()> {
    audit::append(
        conn,
        organization,
        &caller.actor(),
        action,
        "import",
        &id.to_string(),
    )
    .await
}
