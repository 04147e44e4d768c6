//! The beat of all that the worker does beside its runs.

use crate::error::chain;
use std::error::Error;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Takes a step now and then every `period`, until `shutdown` says so. One that fails is warned of by saying `cannot`, and
/// is tried again when its time has come; one that is cut off is rolled back and done again by the next worker.
pub(super) async fn repeat<E: Error + 'static>(
    period: Duration,
    mut shutdown: watch::Receiver<bool>,
    cannot: &'static str,
    mut step: impl AsyncFnMut() -> Result<(), E>,
) {
    let mut clock = tokio::time::interval(period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = step().await {
            tracing::warn!(error = %chain(&error), "{cannot}");
        }
    }
}
