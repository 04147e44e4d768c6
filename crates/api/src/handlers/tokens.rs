//! API tokens.

use crate::auth::{Principal, Scope, tokens as secret};
use crate::db::tokens::{self, NewToken, TokenRow};
use crate::db::{Conn, audit};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use chrono::Utc;
use types::{
    ApiTokenId, CreateToken, CreatedToken, FieldError, OrganizationId, Problem, Role, TokenList, TokenView,
    check_name,
};
use uuid::Uuid;

/// All live tokens.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "identity",
    responses((status = 200, body = TokenList), (status = 403, body = Problem)))]
pub async fn list_tokens(state: Data<AppState>, caller: Principal) -> AppResult<web::Json<TokenList>> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    let rows = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(tokens::list(conn, organization).await?)
        })
        .await?;
    let tokens = rows.into_iter().map(view).collect::<AppResult<_>>()?;
    Ok(web::Json(TokenList { tokens }))
}

/// Create a token; its secret is shown this once.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "identity", request_body = CreateToken,
    responses((status = 201, body = CreatedToken), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn create_token(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateToken>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    let wanted = wanted.accept()?;
    check(&caller, organization, &wanted)?;
    let id = ApiTokenId(Uuid::now_v7());
    let (text, secret_hash) = secret::mint(id);
    let new = NewToken {
        id: id.0,
        organization_id: organization.0,
        name: wanted.name.trim().to_owned(),
        role: wanted.role.to_string(),
        scopes: wanted.scopes,
        secret_hash,
        created_by: caller.user_id().map(|u| u.0),
        expires_at: wanted.expires_at,
    };
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let row = tokens::insert(conn, &new).await?;
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "token.create",
                "token",
                &id.to_string(),
            )
            .await?;
            Ok(row)
        })
        .await?;
    Ok(HttpResponse::Created().json(CreatedToken {
        token: view(row)?,
        secret: text,
    }))
}

/// Revoke a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{token_id}", operation_id = "delete_token", tag = "identity",
    params(("token_id" = ApiTokenId, Path)),
    responses((status = 204, description = "Revoked"), (status = 404, body = Problem)))]
pub async fn delete_token(
    state: Data<AppState>,
    caller: Principal,
    id: Path<ApiTokenId>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            if !tokens::revoke(conn, organization, *id).await? {
                return Err(AppError::not_found("token", id.0));
            }
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "token.delete",
                "token",
                &id.to_string(),
            )
            .await?;
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Nobody hands out more than they have.
fn check(caller: &Principal, organization: OrganizationId, wanted: &CreateToken) -> AppResult<()> {
    let mut found = Vec::new();
    if let Err(error) = check_name(&wanted.name) {
        found.push(FieldError::new("name", error.to_string()));
    }
    for (i, scope) in wanted.scopes.iter().enumerate() {
        if let Err(error) = scope.parse::<Scope>() {
            found.push(FieldError::new(format!("scopes[{i}]"), error));
        }
    }
    if wanted.expires_at.is_some_and(|at| at <= Utc::now()) {
        found.push(FieldError::new(
            "expires_at",
            "is in the past; expected a later time",
        ));
    }
    if !found.is_empty() {
        return Err(AppError::Validation(found));
    }
    if caller.role_in(organization).is_none_or(|own| wanted.role > own) {
        return Err(AppError::Forbidden(format!(
            "a token with the role `{}` would be more than your own",
            wanted.role
        )));
    }
    let beyond = wanted
        .scopes
        .iter()
        .filter_map(|s| s.parse().ok())
        .find(|s| !caller.has_scope(*s));
    if let Some(scope) =
        beyond.or((wanted.scopes.is_empty() && !caller.has_every_scope()).then_some(Scope::Admin))
    {
        return Err(AppError::Forbidden(format!(
            "your own token lacks the scope `{}`",
            scope.as_str()
        )));
    }
    Ok(())
}

fn view(row: TokenRow) -> AppResult<TokenView> {
    let TokenRow {
        id,
        name,
        role,
        scopes,
        created_at,
        last_used_at,
        expires_at,
    } = row;
    let role: Role = role.parse().map_err(AppError::internal)?;
    Ok(TokenView {
        id: ApiTokenId(id),
        name,
        role,
        scopes,
        created_at,
        last_used_at,
        expires_at,
    })
}
