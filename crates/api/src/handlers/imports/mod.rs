//! Results from elsewhere, sent by a browser: files first, then a check, then the import, which a worker does.

pub mod files;
pub mod report;
pub mod steps;

use crate::auth::{Principal, Scope};
use crate::db::uploads::{self, ImportRow};
use crate::db::{Conn, Db};
use crate::error::{AppError, AppResult};
use types::{OrganizationId, Role};
use utoipa::OpenApi;
use uuid::Uuid;

/// The operations of imports.
#[derive(OpenApi)]
#[openapi(paths(
    steps::create_import,
    steps::check_import,
    steps::start_import,
    steps::cancel_import,
    files::put_import_file,
    report::list_imports,
    report::get_import,
    report::list_import_files,
))]
pub struct ImportsApi;

/// The import in the address, which must be a UUID.
fn import_id(text: &str) -> AppResult<Uuid> {
    text.parse().map_err(|_| AppError::not_found("import", text))
}

/// The import, as row-level security shows it.
async fn visible(conn: &mut Conn, id: Uuid) -> AppResult<ImportRow> {
    uploads::find(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("import", id))
}

/// The import, when the caller may change it.
async fn changeable(db: &Db, caller: &Principal, id: Uuid) -> AppResult<ImportRow> {
    let import = db
        .user(caller, async |conn: &mut Conn| visible(conn, id).await)
        .await?;
    caller.require_in(OrganizationId(import.organization_id), Role::Editor, Scope::Runs)?;
    Ok(import)
}
