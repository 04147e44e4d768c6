//! Claims queued runs, launches them, ingests and finalises.

use crate::state::AppState;

/// Runs until `shutdown` says so.
pub async fn run(_state: AppState, mut shutdown: tokio::sync::watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
