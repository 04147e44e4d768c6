//! Secrets of an organization: stored sealed, never shown again, referred to by name.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, secrets};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use types::{OrganizationId, Problem, PutSecret, Role, SecretList};

/// Longest value, in bytes.
const MAX_VALUE: usize = 32 * 1024;
/// Longest name, in bytes.
const MAX_SECRET_NAME: usize = 128;

/// The names of all secrets.
#[utoipa::path(get, path = "/api/v1/secrets", operation_id = "list_secrets", tag = "identity",
    responses((status = 200, body = SecretList)))]
pub async fn list_secrets(state: Data<AppState>, caller: Principal) -> AppResult<web::Json<SecretList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let names = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(secrets::names(conn, organization).await?)
        })
        .await?;
    Ok(web::Json(SecretList { names }))
}

/// Store a secret, over an older one of the same name.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", operation_id = "put_secret", tag = "identity",
    params(("name" = String, Path, description = "Letters, digits and `_`")), request_body = PutSecret,
    responses((status = 204, description = "Stored"), (status = 422, body = Problem)))]
pub async fn put_secret(
    state: Data<AppState>,
    caller: Principal,
    name: Path<String>,
    wanted: Json<PutSecret>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    check_secret_name(&name)?;
    let wanted = wanted.accept()?;
    if wanted.value.is_empty() || wanted.value.len() > MAX_VALUE || wanted.value.contains('\0') {
        return Err(AppError::field(
            "value",
            format!("is empty, holds a NUL or more than {MAX_VALUE} bytes"),
        ));
    }
    let sealed = state
        .keys
        .sealing
        .seal(&context(organization, &name), wanted.value.as_bytes());
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            secrets::put(conn, organization, &name, &sealed).await?;
            record(conn, organization, &caller, "put", &name).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Forget a secret.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", operation_id = "delete_secret", tag = "identity",
    params(("name" = String, Path)),
    responses((status = 204, description = "Forgotten"), (status = 404, body = Problem)))]
pub async fn delete_secret(
    state: Data<AppState>,
    caller: Principal,
    name: Path<String>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            if !secrets::delete(conn, organization, &name).await? {
                return Err(AppError::not_found("secret", &name));
            }
            record(conn, organization, &caller, "delete", &name).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a sealed value is bound to: it opens under no other name and in no other organization.
fn context(organization: OrganizationId, name: &str) -> String {
    format!("{organization}/{name}")
}

fn check_secret_name(name: &str) -> AppResult<()> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let head = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if plain && head && name.len() <= MAX_SECRET_NAME {
        return Ok(());
    }
    let message = format!(
        "`{name}` is no name of a secret; expected letters, digits and `_`, at most {MAX_SECRET_NAME}"
    );
    Err(AppError::field("name", message))
}

async fn record(
    conn: &mut Conn,
    organization: OrganizationId,
    caller: &Principal,
    action: &str,
    name: &str,
) -> AppResult<()> {
    let action = format!("secret.{action}");
    crate::db::audit::append(conn, organization, &caller.actor(), &action, "secret", name).await?;
    Ok(())
}
