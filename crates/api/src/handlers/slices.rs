//! Slices: named subsets of samples.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, slices};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::web::{Data, Json};
use types::{Role, SliceList};

/// All slices.
#[utoipa::path(get, path = "/api/v1/slices", operation_id = "list_slices", tag = "catalogue",
    responses((status = 200, body = SliceList)))]
pub async fn list_slices(state: Data<AppState>, caller: Principal) -> AppResult<Json<SliceList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let slices = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(slices::list(conn, organization).await?)
        })
        .await?;
    Ok(Json(SliceList { slices }))
}
