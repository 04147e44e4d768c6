//! `GET /attempts/{attempt_id}/secrets`

use super::token;
use crate::db::{Conn, planning, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::{HttpRequest, HttpResponse, web};
use std::collections::{BTreeMap, HashMap};
use types::{AttemptSecrets, EnvValue, RunConfig, RunId};

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
    let executor = token::executor(&state, request.headers(), &path).await?;
    if executor.state().is_terminal() {
        return Err(AppError::Conflict(format!("attempt `{}` is over", executor.id)));
    }
    let (names, sealed) = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> {
            let run = runs::find(conn, RunId(executor.run_id)).await?;
            let names = names_of(run.as_ref());
            let wanted: Vec<String> = names.values().cloned().collect();
            let sealed = planning::sealed(conn, executor.organization_id, &wanted).await?;
            Ok((names, sealed))
        })
        .await?;
    let sealed: HashMap<String, Vec<u8>> = sealed.into_iter().collect();
    let mut environment = BTreeMap::new();
    for (variable, name) in names {
        let context = format!("{}/{name}", executor.organization_id);
        let plain = sealed
            .get(&name)
            .and_then(|s| state.keys.sealing.open(&context, s));
        let value = plain.and_then(|p| String::from_utf8(p).ok());
        let value =
            value.ok_or_else(|| AppError::Unavailable(format!("the secret `{name}` cannot be opened")))?;
        environment.insert(variable, value);
    }
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(AttemptSecrets { environment }))
}

/// Variable to name of the secret.
fn names_of(run: Option<&runs::RunRow>) -> BTreeMap<String, String> {
    let config = run.map(|r| serde_json::from_value::<RunConfig>(r.config.clone()).unwrap_or_default());
    let environment = config.and_then(|c| c.environment).unwrap_or_default();
    let secret = |(key, value): (String, EnvValue)| match value {
        EnvValue::Secret { secret } => Some((key, secret)),
        EnvValue::Plain(_) => None,
    };
    environment.into_iter().filter_map(secret).collect()
}
