//! Runs.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

/// The routes below `/api/v1` and `/ws` that are about runs and attempts.
pub fn routes(_cfg: &mut ServiceConfig) {}

/// What the OpenAPI document says of them.
#[derive(OpenApi)]
#[openapi(paths())]
pub struct RunsApi;
