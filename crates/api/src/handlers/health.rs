//! Whether the server lives and whether it can work.

use crate::db::{self, Conn};
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::Data;
use diesel_async::RunQueryDsl;
use types::Health;

/// The server lives.
#[utoipa::path(get, path = "/api/v1/health", operation_id = "get_health", tag = "service", security(()),
    responses((status = 200, body = Health)))]
pub async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(health("ok", None))
}

/// The server can work: the database answers and has the right schema.
#[utoipa::path(get, path = "/api/v1/readyz", operation_id = "get_readyz", tag = "service", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn get_readyz(state: Data<AppState>) -> HttpResponse {
    let answer = state
        .db
        .service(async |conn: &mut Conn| -> Result<(), db::Error> {
            diesel::sql_query("select 1").execute(conn).await?;
            Ok(())
        })
        .await;
    match answer {
        Ok(()) => HttpResponse::Ok().json(health("ok", None)),
        Err(error) => {
            tracing::warn!(error = %crate::error::chain(&error), "not ready");
            let reason = "the database does not answer".to_owned();
            HttpResponse::ServiceUnavailable().json(health("unavailable", Some(reason)))
        }
    }
}

fn health(status: &str, reason: Option<String>) -> Health {
    Health {
        status: status.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        reason,
    }
}
