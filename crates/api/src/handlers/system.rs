//! The state of the machines.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, system};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::web::{Data, Json};
use types::{Role, SystemStatus};

/// Machines, their GPUs and the queue.
#[utoipa::path(get, path = "/api/v1/system", operation_id = "get_system", tag = "service",
    responses((status = 200, body = SystemStatus)))]
pub async fn get_system(state: Data<AppState>, caller: Principal) -> AppResult<Json<SystemStatus>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let status = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(system::status(conn, organization).await?)
        })
        .await?;
    Ok(Json(status))
}
