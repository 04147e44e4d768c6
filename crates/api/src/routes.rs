//! Every HTTP route: the table of contents.

use crate::demo;
use crate::error::{AppError, AppResult};
use crate::handlers::{
    attempts, auth, benchmarks, config, docs, drafts, health, home, imports, invitations, leaderboard, me,
    media, models, organizations, runs, secrets, slices, spa, system, task_folders, tokens, views, ws,
};
use crate::openapi;
use crate::state::AppState;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig, delete, get, head, patch, post, put};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};

/// Where the addresses of the API begin.
const API: &str = "/api/v1";

/// All routes.
pub fn configure(cfg: &mut ServiceConfig, state: &AppState) {
    let embedded = state.keys.is_embedded();
    cfg.service(
        web::scope(API)
            // Public.
            .route("/config", get().to(config::get_config))
            .route("/health", get().to(health::get_health))
            .route("/readyz", get().to(health::get_readyz))
            .route("/openapi.json", get().to(docs::get_openapi))
            .route("/docs", get().to(docs::get_docs))
            .route("/docs/{file}", get().to(docs::get_docs_file))
            // Identity.
            .route("/me", get().to(me::get_me))
            // What a person keeps, and what they bring.
            .route("/views", get().to(views::list_views))
            .route("/views", post().to(views::save_view))
            .route("/views/{view_id}", delete().to(views::delete_view))
            .route("/drafts", post().to(drafts::create_draft))
            .route("/tokens", get().to(tokens::list_tokens))
            .route("/tokens", post().to(tokens::create_token))
            .route("/tokens/{token_id}", delete().to(tokens::delete_token))
            .route("/invitations", get().to(invitations::list_invitations))
            .route("/invitations", post().to(invitations::create_invitation))
            .route(
                "/invitations/{invitation_id}",
                delete().to(invitations::delete_invitation),
            )
            .route(
                "/organizations/{organization_id}",
                patch().to(organizations::rename_organization),
            )
            .route(
                "/organizations/{organization_id}/members",
                get().to(organizations::list_members),
            )
            .route(
                "/organizations/{organization_id}/members/{user_id}",
                patch().to(organizations::change_member),
            )
            .route(
                "/organizations/{organization_id}/members/{user_id}",
                delete().to(organizations::remove_member),
            )
            .route("/secrets", get().to(secrets::list_secrets))
            .route("/secrets/{name}", put().to(secrets::put_secret))
            .route("/secrets/{name}", delete().to(secrets::delete_secret))
            .route("/system", get().to(system::get_system))
            // Catalogue.
            .route("/models", get().to(models::list_models))
            .route("/models", post().to(models::create_model))
            .route("/models/{model_id}", get().to(models::get_model))
            .route("/models/{model_id}", patch().to(models::update_model))
            .route(
                "/models/{model_id}/checkpoints",
                post().to(models::create_checkpoint),
            )
            .route(
                "/models/{model_id}/checkpoints/{checkpoint_id}",
                patch().to(models::update_checkpoint),
            )
            .route("/backends", get().to(models::list_backends))
            .route("/benchmarks", get().to(benchmarks::list_benchmarks))
            .route("/benchmarks/{benchmark_id}", get().to(benchmarks::get_benchmark))
            .route(
                "/benchmarks/{benchmark_id}",
                patch().to(benchmarks::update_benchmark),
            )
            .route("/home", get().to(home::get_home))
            .route("/coverage", get().to(leaderboard::get_coverage))
            .route("/leaderboard", get().to(leaderboard::get_leaderboard))
            .route(
                "/leaderboard/{benchmark_id}",
                get().to(leaderboard::get_benchmark_leaderboard),
            )
            .route("/slices", get().to(slices::read::list_slices))
            .route("/slices", post().to(slices::write::create_slice))
            .route("/slices/preview", post().to(slices::preview::preview_slice))
            .route("/slices/{slice_id}", get().to(slices::read::get_slice))
            .route("/slices/{slice_id}", patch().to(slices::write::update_slice))
            .route("/slices/{slice_id}", delete().to(slices::write::delete_slice))
            .route(
                "/slices/{slice_id}/metrics",
                get().to(slices::read::get_slice_metrics),
            )
            .route("/task-folders", get().to(task_folders::list_task_folders))
            .route("/task-folders", post().to(task_folders::create_task_folder))
            .route(
                "/task-folders/{folder_id}",
                delete().to(task_folders::delete_task_folder),
            )
            // Results from elsewhere.
            .route("/imports", get().to(imports::report::list_imports))
            .route("/imports", post().to(imports::steps::create_import))
            .route("/imports/{import_id}", get().to(imports::report::get_import))
            .route(
                "/imports/{import_id}/files",
                get().to(imports::report::list_import_files),
            )
            .route(
                "/imports/{import_id}/files",
                put().to(imports::files::put_import_file),
            )
            .route(
                "/imports/{import_id}/check",
                post().to(imports::steps::check_import),
            )
            .route(
                "/imports/{import_id}/start",
                post().to(imports::steps::start_import),
            )
            .route(
                "/imports/{import_id}/cancel",
                post().to(imports::steps::cancel_import),
            )
            // Runs, attempts and what belongs to them.
            .route("/runs/create", post().to(runs::create::create_run))
            .route("/runs/preview", post().to(runs::preview::preview_run))
            .route("/runs", get().to(runs::list::list_runs))
            .route("/runs/{run_id}", get().to(runs::detail::get_run))
            .route("/runs/{run_id}", patch().to(runs::rename::rename_run))
            .route("/runs/{run_id}/cancel", post().to(runs::cancel::cancel_run))
            .route("/runs/{run_id}/requeue", post().to(runs::requeue::requeue_run))
            .route("/runs/{run_id}/metrics", get().to(runs::metrics::get_run_metrics))
            .route("/runs/{run_id}/logs", get().to(runs::logs::get_run_logs))
            .route("/runs/{run_id}/samples", get().to(runs::samples::get_run_samples))
            .route("/runs/{run_id}/slices", get().to(slices::read::get_run_slices))
            .route(
                "/runs/{run_id}/samples/buckets",
                get().to(runs::samples::get_sample_buckets),
            )
            .route("/samples/{sample_id}", get().to(runs::samples::get_sample))
            .route(
                "/runs/{run_id}/artifacts",
                get().to(runs::artifacts::list_run_artifacts),
            )
            .route("/runs/{run_id}/ticket", post().to(runs::ticket::create_ticket))
            .route(
                "/artifacts/{artifact_id}",
                get().to(runs::download::download_artifact),
            )
            .route(
                "/attempts/{attempt_id}/batches",
                post().to(attempts::batch::post_batch),
            )
            .route(
                "/attempts/{attempt_id}/files/{name:.*}",
                put().to(attempts::files::put_file),
            )
            .route(
                "/attempts/{attempt_id}/media",
                post().to(attempts::media::ask_for_media),
            )
            .route(
                "/attempts/{attempt_id}/media/{sha256}",
                put().to(attempts::media::put_medium),
            )
            .route(
                "/attempts/{attempt_id}/secrets",
                get().to(attempts::secrets::get_attempt_secrets),
            )
            .wrap(from_fn(plain_first)),
    );
    cfg.service(web::scope("/auth/v1").configure(move |cfg| {
        if embedded {
            auth::embedded_routes(cfg);
        } else {
            auth::hosted_routes(cfg);
        }
    }));
    if state.config.demo.enabled {
        let endpoint = demo::Endpoint::new(state.config.server.listen, state.config.demo.latency);
        cfg.configure(|cfg| demo::mount(cfg, &endpoint));
    }
    // Outside of the API, where no cookie is sent to.
    cfg.route("/media/{organization_id}/{sha256}", get().to(media::get_medium));
    cfg.route("/media/{organization_id}/{sha256}", head().to(media::get_medium));
    cfg.route("/ws/runs/{run_id}", get().to(ws::follow_run));
    cfg.default_service(web::to(fallback));
}

/// Refuses methods that an address without parameters does not have, before the parameter of another one takes it.
async fn plain_first(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let methods = openapi::methods_of_plain(request.path());
    if methods.is_some_and(|methods| !methods.contains(&request.method().as_str())) {
        let refused = no_route(request.path());
        return Ok(request.into_response(refused));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// What no route takes: a page, unless it is of the API or only its method is wrong.
async fn fallback(state: web::Data<AppState>, request: HttpRequest) -> AppResult<HttpResponse> {
    let path = request.path();
    let below = path.strip_prefix(API);
    let is_api = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_api || !openapi::methods_of(path).is_empty() {
        return Ok(no_route(path));
    }
    spa::serve(state, request).await
}

/// There is no such thing, or not with this method: then the answer says with which.
fn no_route(path: &str) -> HttpResponse {
    let methods = openapi::methods_of(path);
    if methods.is_empty() {
        return AppError::NoRoute(StatusCode::NOT_FOUND).error_response();
    }
    let mut response = AppError::NoRoute(StatusCode::METHOD_NOT_ALLOWED).error_response();
    if let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
