//! `POST /runs/{run_id}/ticket`

use super::access;
use crate::auth::Principal;
use crate::db::{Conn, tickets};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::web;
use chrono::{Duration, Utc};
use sha2::{Digest, Sha256};
use types::Ticket;

/// How long a ticket works.
const LIFETIME: Duration = Duration::seconds(30);

/// Get a ticket for one WebSocket on this run: single use, 30 seconds.
#[utoipa::path(
    post, path = "/api/v1/runs/{run_id}/ticket",
    tag = "runs", operation_id = "create_ticket",
    params(("run_id" = String, Path)),
    responses((status = 201, body = Ticket), (status = 404, body = types::Problem))
)]
pub async fn create_ticket(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
) -> AppResult<actix_web::HttpResponse> {
    let id = access::run_id(&path)?;
    let run = state
        .db
        .user(&principal, async |conn: &mut Conn| {
            access::visible(conn, id).await
        })
        .await?;
    let ticket = hex::encode(rand::random::<[u8; 32]>());
    let hash = Sha256::digest(ticket.as_bytes()).to_vec();
    let expires_at = Utc::now() + LIFETIME;
    let holder = serde_json::to_value(&principal)?;
    state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            Ok(tickets::insert(conn, hash, run.organization_id, id, holder, expires_at).await?)
        })
        .await?;
    Ok(actix_web::HttpResponse::Created().json(Ticket { ticket, expires_at }))
}
