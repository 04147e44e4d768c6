//! The actix application: routes and what surrounds every request.

use crate::error::AppError;
use crate::state::AppState;
use crate::{guard, request_id, routes};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PathConfig, QueryConfig};
use actix_web::{App, Error};

/// The application; the same one serves users and tests.
pub fn build(
    state: AppState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let routes_state = state.clone();
    App::new()
        .app_data(Data::new(state))
        .app_data(query_config())
        .app_data(PathConfig::default().error_handler(|_, _| AppError::NoRoute(StatusCode::NOT_FOUND).into()))
        .configure(move |cfg| routes::configure(cfg, &routes_state))
        .wrap(from_fn(guard::middleware))
        .wrap(from_fn(request_id::middleware))
}

/// A query that cannot be read names the parameter.
fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _| {
        let text = match &error {
            actix_web::error::QueryPayloadError::Deserialize(inner) => inner.to_string(),
            other => other.to_string(),
        };
        AppError::Validation(vec![crate::json::field_error("query", &text)]).into()
    })
}
