//! Claims queued runs, launches them, ingests what they leave and ends them.
//!
//! The rule it keeps: it decides from what is written down (rows, folders, processes), never from
//! what it remembers, so a restart is the normal path. A run is this worker's while it renews the
//! lease; every write names owner and epoch, and one that comes too late changes nothing.

mod agreement;
mod attend;
mod board;
mod claim;
mod ending;
mod finalise;
mod imports;
mod ingest;
mod job;
mod lock;
mod repeat;
mod report;
mod salvage;
mod salvage_media;
#[cfg(test)]
mod simulation;
mod slices;
mod step;
mod watches;

use crate::db::{self, Conn, queue};
use crate::error::chain;
use crate::events::{Hint, WORK, listen};
use crate::state::AppState;
use lock::SoleRight;
use repeat::repeat;
use runner::gpu::Monitor;
use runner::{Engine, LocalEngine};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;
use watches::Watches;

/// How often the GPUs are read.
const GPU_INTERVAL: Duration = Duration::from_secs(2);
/// How long runs that are being looked after may take when the worker stops.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What all tasks of a worker share.
struct Worker {
    state: AppState,
    /// Random per process start: a name that is used again would keep leases alive.
    owner: Uuid,
    host: String,
    engine: Arc<dyn Engine>,
    gpus: Monitor,
    sole: Option<SoleRight>,
    /// What an earlier holder of that right left behind has been taken over: who shares the folder since is alive.
    settled: AtomicBool,
    watches: Watches,
    /// How often each benchmark could not be stored.
    failures: Mutex<HashMap<Uuid, u32>>,
}

/// Runs until `shutdown` says so. Executors live on.
pub async fn run(state: AppState, shutdown: watch::Receiver<bool>) {
    match LocalEngine::of_this_program() {
        Ok(engine) => run_with(state, Arc::new(engine), shutdown).await,
        Err(error) => {
            tracing::error!(%error, "the path of this program cannot be found, so nothing can be started");
        }
    }
}

/// As [`run`], with executors started by `program`.
pub async fn run_program(state: AppState, program: PathBuf, shutdown: watch::Receiver<bool>) {
    run_with(state, Arc::new(LocalEngine::new(program)), shutdown).await;
}

async fn run_with(state: AppState, engine: Arc<dyn Engine>, mut shutdown: watch::Receiver<bool>) {
    let worker = match Worker::new(state, engine) {
        Ok(worker) => Arc::new(worker),
        Err(error) => {
            tracing::error!(%error, "the worker cannot start");
            return;
        }
    };
    // In sets, so that they end with whoever waits here.
    let mut keepers = keepers(&worker, &shutdown);
    let mut imports = JoinSet::new();
    imports.spawn(imports::keep(Arc::clone(&worker), shutdown.clone()));
    let mut tasks = JoinSet::new();
    tokio::select! {
        () = work(&worker, &mut tasks) => {}
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
    // Cut off in the middle they would be repeated by the next worker; that is safe, and rarely needed.
    let _ = tokio::time::timeout(LAST_WORDS, async { while tasks.join_next().await.is_some() {} }).await;
    // An import gives its lease back, so that the next worker goes on with it at once.
    let _ = tokio::time::timeout(LAST_WORDS, imports.join_next()).await;
    keepers.abort_all();
}

impl Worker {
    fn new(state: AppState, engine: Arc<dyn Engine>) -> std::io::Result<Self> {
        let library = state.config.worker.nvml_lib.clone();
        let attempts = state.config.attempts_dir();
        Ok(Self {
            owner: Uuid::now_v7(),
            host: host_name(),
            engine,
            gpus: Monitor::start(library, GPU_INTERVAL)?,
            sole: SoleRight::take(&attempts)?,
            settled: AtomicBool::new(false),
            watches: Watches::default(),
            failures: Mutex::default(),
            state,
        })
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Uuid, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims, and says which runs to look after. By the clock it first renews leases and takes over what others
    /// left; a hint is about new work, which need not wait for that.
    async fn tick(&self, reason: Reason) -> Result<Vec<Uuid>, db::Error> {
        if reason == Reason::Clock {
            self.keep_leases().await?;
        }
        self.claim_what_fits().await?;
        self.state
            .db
            .service(async |conn: &mut Conn| queue::owned(conn, self.owner).await.map_err(db::Error::from))
            .await
    }

    async fn keep_leases(&self) -> Result<(), db::Error> {
        let lease = self.state.config.worker.lease;
        let left_behind = self.sole.is_some() && !self.settled.load(Ordering::Relaxed);
        let folder = left_behind.then(|| self.state.config.attempts_dir().display().to_string());
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                queue::renew(conn, self.owner, lease).await?;
                let adopted = queue::adopt(conn, self.owner, lease, &self.host, folder.as_deref()).await?;
                if adopted > 0 {
                    tracing::info!(adopted, "took over runs whose worker is gone");
                }
                Ok(())
            })
            .await?;
        self.settled.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The name of this machine.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

/// Why the worker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Clock,
    Hint,
}

/// Ticks by hint and by the clock. Each run is looked after by one task at a time.
async fn work(worker: &Arc<Worker>, tasks: &mut JoinSet<Uuid>) {
    let (hints, mut inbox) = mpsc::channel(64);
    let listener = tokio::spawn(listen(worker.state.db.url().to_owned(), WORK, hints));
    let mut clock = tokio::time::interval(worker.state.config.worker.poll);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut busy, mut reason) = (HashSet::new(), Reason::Clock);
    loop {
        match worker.tick(reason).await {
            Ok(runs) => {
                worker.watches.keep(&runs);
                attend_all(worker, runs, &mut busy, tasks);
            }
            Err(error) => tracing::warn!(error = %chain(&error), "the queue cannot be looked at"),
        }
        reason = wait(&mut inbox, &mut clock, tasks, &mut busy).await;
        if listener.is_finished() {
            return;
        }
    }
}

/// Waits for a reason to look again.
async fn wait(
    inbox: &mut mpsc::Receiver<Hint>,
    clock: &mut tokio::time::Interval,
    tasks: &mut JoinSet<Uuid>,
    busy: &mut HashSet<Uuid>,
) -> Reason {
    loop {
        tokio::select! {
            // However many hints come, leases are kept in time.
            biased;
            _ = clock.tick() => return Reason::Clock,
            Some(done) = tasks.join_next() => match done {
                Ok(run) => drop(busy.remove(&run)),
                // A task that panicked told nobody which run it was: all may be looked after again.
                Err(_) => busy.clear(),
            },
            _ = inbox.recv() => {
                while inbox.try_recv().is_ok() {}
                return Reason::Hint;
            }
        }
    }
}

fn attend_all(worker: &Arc<Worker>, runs: Vec<Uuid>, busy: &mut HashSet<Uuid>, tasks: &mut JoinSet<Uuid>) {
    for run in runs {
        if busy.insert(run) {
            let worker = Arc::clone(worker);
            tasks.spawn(async move {
                if let Err(error) = worker.attend(run).await {
                    tracing::warn!(%run, error = %chain(&error), "a run cannot be looked after now");
                }
                run
            });
        }
    }
}

/// What is kept up beside the runs: the ranks as new as their scores, slices as their rules say, and the agreement of
/// runs, apart from the ranks for it takes longer.
fn keepers(worker: &Arc<Worker>, shutdown: &watch::Receiver<bool>) -> JoinSet<()> {
    let (report, poll) = (worker.state.config.worker.report, worker.state.config.worker.poll);
    let stop = || shutdown.clone();
    let mut keepers = JoinSet::new();
    let own = Arc::clone(worker);
    let machine = async move || own.report().await;
    keepers.spawn(repeat(report, stop(), "the machine cannot be reported", machine));
    let own = Arc::clone(worker);
    let orphans = async move || own.sweep_orphans().await;
    keepers.spawn(repeat(report, stop(), "orphans cannot be looked for", orphans));
    let (own, mut memory) = (Arc::clone(worker), board::Memory::default());
    let ranks = async move || board::refresh(&own.state.db, &mut memory).await;
    keepers.spawn(repeat(poll, stop(), "the leaderboard cannot be ranked", ranks));
    let own = Arc::clone(worker);
    let members = async move || slices::refresh(&own.state.db).await;
    keepers.spawn(repeat(poll, stop(), "samples cannot be put into slices", members));
    let own = Arc::clone(worker);
    let counts = async move || agreement::refresh(&own.state.db).await;
    keepers.spawn(repeat(
        poll,
        stop(),
        "the agreement of runs cannot be counted",
        counts,
    ));
    keepers
}
