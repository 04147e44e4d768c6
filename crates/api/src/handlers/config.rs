//! What the browser needs before anyone has signed in.

use crate::state::AppState;
use actix_web::web::{Data, Json};
use types::PublicConfig;

/// What the browser needs before anyone has signed in.
#[utoipa::path(get, path = "/api/v1/config", operation_id = "get_config", tag = "service", security(()),
    responses((status = 200, body = PublicConfig)))]
pub async fn get_config(state: Data<AppState>) -> Json<PublicConfig> {
    Json(PublicConfig {
        auth: if state.keys.is_embedded() {
            "embedded"
        } else {
            "supabase"
        }
        .to_owned(),
        open_sign_up: state.config.auth.open_sign_up,
        demo: state.config.demo.enabled,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
