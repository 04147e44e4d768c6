//! Organizations: their names and their members.

use crate::auth::people::addresses;
use crate::auth::{Principal, Scope};
use crate::db::organizations::{self, MemberRow};
use crate::db::{Conn, audit};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use std::collections::HashMap;
use types::{
    ChangeMember, MemberList, MemberView, MembershipView, OrganizationId, Problem, RenameOrganization, Role,
    UserId, check_name,
};
use uuid::Uuid;

/// Give an organization another name.
#[utoipa::path(patch, path = "/api/v1/organizations/{organization_id}", operation_id = "rename_organization", tag = "identity",
    params(("organization_id" = OrganizationId, Path)), request_body = RenameOrganization,
    responses((status = 200, body = MembershipView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn rename_organization(
    state: Data<AppState>,
    caller: Principal,
    id: Path<OrganizationId>,
    wanted: Json<RenameOrganization>,
) -> AppResult<web::Json<MembershipView>> {
    let id = *id;
    caller.require_in(id, Role::Admin, Scope::Admin)?;
    let wanted = wanted.accept()?;
    let name = check_name(&wanted.name).map_err(|error| AppError::field("name", error.to_string()))?;
    let membership = caller.memberships.iter().find(|m| m.organization_id == id);
    let membership = membership.ok_or_else(|| AppError::not_found("organization", id))?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            organizations::rename(conn, id, name).await?;
            record(conn, &caller, id, "organization.rename", "organization", id.0).await
        })
        .await
        .map_err(|error| error.or_taken(|| format!("there is already an organization `{name}`")))?;
    Ok(web::Json(MembershipView {
        organization_id: id,
        name: name.to_owned(),
        role: membership.role,
        demo: membership.demo,
    }))
}

/// Everybody who belongs to an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{organization_id}/members", operation_id = "list_members", tag = "identity",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = MemberList), (status = 404, body = Problem)))]
pub async fn list_members(
    state: Data<AppState>,
    caller: Principal,
    id: Path<OrganizationId>,
) -> AppResult<web::Json<MemberList>> {
    caller.require_in(*id, Role::Viewer, Scope::Read)?;
    let rows = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(organizations::members(conn, *id).await?)
        })
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let emails = addresses(&state, &ids).await?;
    let members = rows
        .iter()
        .map(|row| view(row, &emails))
        .collect::<AppResult<_>>()?;
    Ok(web::Json(MemberList { members }))
}

/// Change what a member may do.
#[utoipa::path(patch, path = "/api/v1/organizations/{organization_id}/members/{user_id}", operation_id = "change_member", tag = "identity",
    params(("organization_id" = OrganizationId, Path), ("user_id" = UserId, Path)), request_body = ChangeMember,
    responses((status = 200, body = MemberView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn change_member(
    state: Data<AppState>,
    caller: Principal,
    path: Path<(OrganizationId, UserId)>,
    wanted: Json<ChangeMember>,
) -> AppResult<web::Json<MemberView>> {
    let (id, user) = *path;
    caller.require_in(id, Role::Admin, Scope::Admin)?;
    let wanted = wanted.accept()?;
    check_reach(&caller, id, wanted.role)?;
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let row = changeable(conn, &caller, id, user, Some(wanted.role)).await?;
            organizations::add_member(conn, id, user, wanted.role).await?;
            record(conn, &caller, id, "member.change", "member", user.0).await?;
            Ok(MemberRow {
                role: wanted.role.to_string(),
                ..row
            })
        })
        .await?;
    let emails = addresses(&state, &[user.0]).await?;
    Ok(web::Json(view(&row, &emails)?))
}

/// Take a member out of an organization. Everybody may leave by themselves.
#[utoipa::path(delete, path = "/api/v1/organizations/{organization_id}/members/{user_id}", operation_id = "remove_member", tag = "identity",
    params(("organization_id" = OrganizationId, Path), ("user_id" = UserId, Path)),
    responses((status = 204, description = "Taken out"), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn remove_member(
    state: Data<AppState>,
    caller: Principal,
    path: Path<(OrganizationId, UserId)>,
) -> AppResult<HttpResponse> {
    let (id, user) = *path;
    let needed = if caller.user_id() == Some(user) {
        Role::Viewer
    } else {
        Role::Admin
    };
    caller.require_in(id, needed, Scope::Admin)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            changeable(conn, &caller, id, user, None).await?;
            organizations::remove_member(conn, id, user).await?;
            record(conn, &caller, id, "member.remove", "member", user.0).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Nobody touches a role above their own.
fn check_reach(caller: &Principal, organization: OrganizationId, role: Role) -> AppResult<()> {
    if caller.role_in(organization).is_some_and(|own| role <= own) {
        return Ok(());
    }
    Err(AppError::Forbidden(format!(
        "the role `{role}` is more than your own"
    )))
}

/// The member, when the caller may change them and an owner is left then.
async fn changeable(
    conn: &mut Conn,
    caller: &Principal,
    organization: OrganizationId,
    user: UserId,
    becomes: Option<Role>,
) -> AppResult<MemberRow> {
    let members = organizations::lock_members(conn, organization).await?;
    let is_owner = |row: &MemberRow| row.role == Role::Owner.as_str();
    let owners = members.iter().filter(|row| is_owner(row)).count();
    let found = members.into_iter().find(|row| row.user_id == user.0);
    let row = found.ok_or_else(|| AppError::not_found("member", user))?;
    check_reach(
        caller,
        organization,
        row.role.parse().map_err(AppError::internal)?,
    )?;
    if is_owner(&row) && owners == 1 && becomes != Some(Role::Owner) {
        return Err(AppError::Conflict(format!(
            "member `{user}` is the last owner; expected another owner first"
        )));
    }
    Ok(row)
}

async fn record(
    conn: &mut Conn,
    caller: &Principal,
    organization: OrganizationId,
    action: &str,
    kind: &str,
    object: Uuid,
) -> AppResult<()> {
    let object = object.to_string();
    audit::append(conn, organization, &caller.actor(), action, kind, &object).await?;
    Ok(())
}

fn view(row: &MemberRow, emails: &HashMap<Uuid, String>) -> AppResult<MemberView> {
    Ok(MemberView {
        user_id: UserId(row.user_id),
        email: emails.get(&row.user_id).cloned(),
        role: row.role.parse().map_err(AppError::internal)?,
        created_at: row.created_at,
    })
}
