//! Invitations: how people come into an organization.

use crate::auth::{Principal, Scope, embedded, tokens};
use crate::db::links::{self, InvitationRow, NewInvitation};
use crate::db::{Conn, audit};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use chrono::{Duration, Utc};
use types::{CreateInvitation, CreatedInvitation, InvitationList, InvitationView, Problem, Role};
use uuid::Uuid;

/// How long an invitation can be accepted.
const LIFETIME: Duration = Duration::days(7);

/// All invitations.
#[utoipa::path(get, path = "/api/v1/invitations", operation_id = "list_invitations", tag = "identity",
    responses((status = 200, body = InvitationList), (status = 403, body = Problem)))]
pub async fn list_invitations(
    state: Data<AppState>,
    caller: Principal,
) -> AppResult<web::Json<InvitationList>> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    let rows = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(links::list_invitations(conn, organization).await?)
        })
        .await?;
    let invitations = rows.into_iter().map(view).collect::<AppResult<_>>()?;
    Ok(web::Json(InvitationList { invitations }))
}

/// Invite somebody; the secret is shown this once, to be handed over by the one who invites.
#[utoipa::path(post, path = "/api/v1/invitations", operation_id = "create_invitation", tag = "identity",
    request_body = CreateInvitation,
    responses((status = 201, body = CreatedInvitation), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn create_invitation(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateInvitation>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    let wanted = wanted.accept()?;
    if caller.role_in(organization).is_none_or(|own| wanted.role > own) {
        return Err(AppError::Forbidden(format!(
            "the role `{}` would be more than your own",
            wanted.role
        )));
    }
    let email = embedded::checked_email(&wanted.email)
        .map_err(|_| AppError::field("email", format!("`{}` is no address", wanted.email)))?;
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let new = NewInvitation {
        id: Uuid::now_v7(),
        organization_id: organization.0,
        email,
        role: wanted.role.to_string(),
        secret_hash: tokens::hash(&secret),
        created_by: caller.user_id().map(|u| u.0),
        expires_at: Utc::now() + LIFETIME,
    };
    let row = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let row = links::insert_invitation(conn, &new).await?;
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "invitation.create",
                "invitation",
                &new.id.to_string(),
            )
            .await?;
            Ok(row)
        })
        .await?;
    let invitation = view(row)?;
    Ok(HttpResponse::Created().json(CreatedInvitation { invitation, secret }))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/api/v1/invitations/{invitation_id}", operation_id = "delete_invitation", tag = "identity",
    params(("invitation_id" = Uuid, Path)),
    responses((status = 204, description = "Taken back"), (status = 404, body = Problem)))]
pub async fn delete_invitation(
    state: Data<AppState>,
    caller: Principal,
    id: Path<Uuid>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Admin, Scope::Admin)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<()> {
            if !links::delete_invitation(conn, organization, *id).await? {
                return Err(AppError::not_found("open invitation", *id));
            }
            let id = id.to_string();
            audit::append(
                conn,
                organization,
                &caller.actor(),
                "invitation.delete",
                "invitation",
                &id,
            )
            .await?;
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn view(row: InvitationRow) -> AppResult<InvitationView> {
    let InvitationRow {
        id,
        email,
        role,
        created_at,
        expires_at,
        accepted_at,
    } = row;
    let role = role.parse().map_err(AppError::internal)?;
    Ok(InvitationView {
        id,
        email,
        role,
        created_at,
        expires_at,
        accepted_at,
    })
}
