//! The caller.

use crate::auth::{Identity, Principal};
use crate::db::{Conn, users};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::web::{Data, Json};
use types::{Me, MembershipView};

/// The caller and where they are a member.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "identity",
    responses((status = 200, body = Me), (status = 401, body = types::Problem)))]
pub async fn get_me(state: Data<AppState>, principal: Principal) -> AppResult<Json<Me>> {
    let (email, needs_password) = match &principal.identity {
        Identity::User { id, .. } if state.keys.is_embedded() => {
            let row = state
                .db
                .auth(async |conn: &mut Conn| -> AppResult<_> { Ok(users::find(conn, *id).await?) })
                .await?;
            let bare = row
                .as_ref()
                .is_none_or(|r| r.encrypted_password.as_ref().is_none_or(String::is_empty));
            (row.and_then(|r| r.email), bare)
        }
        Identity::User { email, .. } => (email.clone(), false),
        Identity::Token { .. } => (None, false),
    };
    let user_id = principal.user_id();
    let organizations = principal.memberships.into_iter().map(|m| MembershipView {
        organization_id: m.organization_id,
        name: m.name,
        role: m.role,
        demo: m.demo,
    });
    Ok(Json(Me {
        user_id,
        email,
        needs_password,
        organizations: organizations.collect(),
    }))
}
