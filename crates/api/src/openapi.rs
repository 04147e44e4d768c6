//! The OpenAPI document, generated from the code; `crates/api/openapi.json` is its committed snapshot.

use crate::handlers::imports::ImportsApi;
use crate::handlers::runs::RunsApi;
use crate::handlers::{
    benchmarks, config, docs, drafts, health, home, invitations, leaderboard, me, models, organizations,
    secrets, slices, system, task_folders, tokens, views,
};
use std::collections::HashMap;
use std::sync::LazyLock;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

/// The media type of problems (RFC 9457).
const PROBLEM: &str = "application/problem+json";

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
        (name = "leaderboard", description = "Where each model stands"),
        (name = "runs", description = "Evaluations and their results"),
        (name = "imports", description = "Results brought in from elsewhere"),
        (name = "views", description = "What a person keeps"),
        (name = "attempts", description = "For executors"),
    )
)]
struct Core;

#[derive(OpenApi)]
#[openapi(paths(
    tokens::list_tokens,
    tokens::create_token,
    tokens::delete_token,
    invitations::list_invitations,
    invitations::create_invitation,
    invitations::delete_invitation,
    organizations::rename_organization,
    organizations::list_members,
    organizations::change_member,
    organizations::remove_member,
    secrets::list_secrets,
    secrets::put_secret,
    secrets::delete_secret,
    system::get_system,
    models::list_models,
    models::create_model,
    models::get_model,
    models::update_model,
    models::create_checkpoint,
    models::update_checkpoint,
    models::list_backends,
    benchmarks::list_benchmarks,
    benchmarks::get_benchmark,
    benchmarks::update_benchmark,
    home::get_home,
    leaderboard::get_coverage,
    leaderboard::get_leaderboard,
    leaderboard::get_benchmark_leaderboard,
    slices::read::list_slices,
    slices::write::create_slice,
    slices::preview::preview_slice,
    slices::read::get_slice,
    slices::write::update_slice,
    slices::write::delete_slice,
    slices::read::get_slice_metrics,
    slices::read::get_run_slices,
    task_folders::list_task_folders,
    task_folders::create_task_folder,
    task_folders::delete_task_folder,
))]
struct Catalogue;

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
    document.merge(Catalogue::openapi());
    document.merge(RunsApi::openapi());
    document.merge(ImportsApi::openapi());
    for item in document.paths.paths.values_mut() {
        operations_of(item).for_each(|(_, operation)| add_problems(operation));
    }
    document
}

/// Whatever goes wrong is answered by a problem, in its own media type.
fn add_problems(operation: &mut Operation) {
    let problem = || Ref::from_schema_name("Problem");
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let is_problem = |c: &RefOr<Content>| matches!(c, RefOr::T(c) if c.schema == Some(problem().into()));
        if response.content.get("application/json").is_some_and(is_problem)
            && let Some(content) = response.content.swap_remove("application/json")
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
    let any = ResponseBuilder::new()
        .description("What went wrong")
        .content(PROBLEM, Content::new(Some(problem())));
    responses
        .entry("default".to_owned())
        .or_insert_with(|| any.build().into());
}

/// The operations of an address with their methods.
fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("PATCH", item.patch.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Addresses and their methods.
struct Paths {
    /// Those without parameters.
    plain: HashMap<String, Vec<&'static str>>,
    templates: Vec<(String, Vec<&'static str>)>,
}

static PATHS: LazyLock<Paths> = LazyLock::new(|| {
    let methods = |mut item: PathItem| operations_of(&mut item).map(|(method, _)| method).collect();
    let all = document().paths.paths.into_iter();
    let (templates, plain): (Vec<_>, Vec<_>) = all
        .map(|(path, item)| (path, methods(item)))
        .partition(|(path, _)| path.contains('{'));
    Paths {
        plain: plain.into_iter().collect(),
        templates,
    }
});

/// The methods of an address without parameters. It is nothing else: `/runs/create` is no run.
pub fn methods_of_plain(path: &str) -> Option<&'static [&'static str]> {
    PATHS.plain.get(path).map(Vec::as_slice)
}

/// The methods that the document has for an address; empty when there is no such address.
pub fn methods_of(path: &str) -> &'static [&'static str] {
    let fits = |template: &str| {
        let (a, b) = (template.split('/'), path.split('/'));
        a.clone().count() == b.clone().count() && a.zip(b).all(|(t, p)| t == p || t.starts_with('{'))
    };
    let closest = || {
        let fitting = PATHS.templates.iter().filter(|(template, _)| fits(template));
        fitting.min_by_key(|(template, _)| template.matches('{').count())
    };
    methods_of_plain(path)
        .or_else(|| closest().map(|(_, methods)| methods.as_slice()))
        .unwrap_or_default()
}

/// The document as it is committed.
///
/// # Errors
/// Never in practice: the document is plain data.
pub fn pretty() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&document())? + "\n")
}
