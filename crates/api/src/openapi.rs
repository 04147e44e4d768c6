//! The OpenAPI document, generated from the code; `crates/api/openapi.json` is its committed snapshot.

use crate::handlers::runs::RunsApi;
use crate::handlers::{config, docs, drafts, health, me, views};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "LMMS-Eval Dashboard API", license(name = "Apache-2.0"), description = "Launch lmms-eval evaluations, watch them live, keep every result."),
    paths(
        config::get_config, health::get_health, health::get_readyz, docs::get_openapi, docs::get_docs,
        me::get_me, views::list_views, views::save_view, views::delete_view, drafts::create_draft,
    ),
    components(schemas(types::Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer),
    tags(
        (name = "service", description = "The server itself"),
        (name = "identity", description = "Who is asking, tokens and secrets"),
        (name = "catalogue", description = "Models, benchmarks and slices"),
        (name = "runs", description = "Evaluations and their results"),
        (name = "views", description = "What a person keeps"),
        (name = "attempts", description = "For executors"),
    )
)]
struct Core;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token of `/auth/v1`, or an API token `lmmsd_…`"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The whole document.
pub fn document() -> Document {
    let mut document = Core::openapi();
    document.merge(RunsApi::openapi());
    document
}

/// The document as it is committed.
///
/// # Errors
/// Never in practice: the document is plain data.
pub fn pretty() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&document())? + "\n")
}
