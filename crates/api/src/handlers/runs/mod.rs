//! Runs: everything below `/runs`, what executors post, and the live messages.

pub(super) mod access;
pub mod artifacts;
pub mod cancel;
mod compute;
pub mod create;
pub mod detail;
pub mod download;
mod draft;
pub mod list;
pub mod logs;
pub mod metrics;
pub mod preview;
pub(super) mod raw;
pub mod rename;
pub mod requeue;
pub mod rights;
pub mod samples;
mod shown;
pub mod ticket;
mod totals;

use super::{attempts, media, ws};
use utoipa::OpenApi;

/// What the document says of these routes.
#[derive(OpenApi)]
#[openapi(
    paths(
        create::create_run,
        preview::preview_run,
        list::list_runs,
        detail::get_run,
        rename::rename_run,
        cancel::cancel_run,
        requeue::requeue_run,
        metrics::get_run_metrics,
        logs::get_run_logs,
        samples::get_run_samples,
        samples::get_sample_buckets,
        samples::get_sample,
        artifacts::list_run_artifacts,
        ticket::create_ticket,
        download::download_artifact,
        attempts::batch::post_batch,
        attempts::files::put_file,
        attempts::media::ask_for_media,
        attempts::media::put_medium,
        attempts::secrets::get_attempt_secrets,
        media::get_medium,
        ws::follow_run,
    ),
    components(schemas(types::LiveMessage, crate::media::Purpose))
)]
pub struct RunsApi;
