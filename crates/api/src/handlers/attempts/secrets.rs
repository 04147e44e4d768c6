//! `GET /attempts/{attempt_id}/secrets`

use super::token;
use crate::auth::run_secrets;
use crate::db::{Conn, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::{HttpRequest, HttpResponse, web};
use std::collections::BTreeMap;
use types::{AttemptSecrets, RunId};

/// The values of the secrets that the run refers to.
#[utoipa::path(
    get, path = "/api/v1/attempts/{attempt_id}/secrets",
    tag = "executors", operation_id = "get_attempt_secrets",
    params(("attempt_id" = String, Path)),
    responses((status = 200, body = AttemptSecrets), (status = 401, body = types::Problem))
)]
pub async fn get_attempt_secrets(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> AppResult<HttpResponse> {
    let executor = token::executor(&state, &token::Caller::of(request.headers(), &path)?).await?;
    if executor.state().is_terminal() {
        return Err(AppError::Conflict(format!("attempt `{}` is over", executor.id)));
    }
    let known = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let run = runs::find(conn, RunId(executor.run_id)).await?;
            let run = run.ok_or_else(|| AppError::not_found("attempt", executor.id))?;
            Ok(run_secrets::of_run(&state, conn, &run).await?)
        })
        .await?;
    let mut environment = BTreeMap::new();
    for (variable, (name, value)) in known {
        let value =
            value.ok_or_else(|| AppError::Unavailable(format!("the secret `{name}` cannot be opened")))?;
        environment.insert(variable, value);
    }
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(AttemptSecrets { environment }))
}
