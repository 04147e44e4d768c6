//! Every HTTP route: the table of contents.

use crate::error::AppError;
use crate::handlers::runs;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};

/// All routes.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::scope("/api/v1")
            .configure(runs::routes)
            .default_service(web::to(no_route)),
    );
}

/// There is no such thing.
async fn no_route() -> Result<String, AppError> {
    Err(AppError::NoRoute(StatusCode::NOT_FOUND))
}
