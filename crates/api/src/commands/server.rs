//! Serving and working until told to stop.

use super::database::Database;
use super::ready;
use crate::auth::embedded;
use crate::config::Config;
use crate::db::migrate;
use crate::error::chain;
use crate::state::AppState;
use crate::{app, catalogue, demo, worker};
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use types::UserId;

/// How often task folders are looked at.
const CATALOGUE_INTERVAL: Duration = Duration::from_secs(30);

/// Open files that are asked for.
const MANY_FILES: u64 = 65_536;

/// Which halves run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) serve: bool,
    pub(super) work: bool,
}

/// Runs the parts until SIGTERM or SIGINT.
pub(super) async fn run(
    config: Arc<Config>,
    database: &Database,
    listener: Option<TcpListener>,
    parts: Parts,
    ready_file: Option<&Path>,
) -> anyhow::Result<()> {
    allow_many_files();
    let config = with_bound_port(config, listener.as_ref())?;
    let db = database.connect(&config).await?;
    migrate::check(&db).await?;
    let state = AppState::new(config, db)?;
    let (stop, stopped) = watch::channel(false);
    let server = match listener.filter(|_| parts.serve) {
        Some(listener) => Some(start_server(&state, listener, ready_file).await?),
        None => None,
    };
    let background = start_background(&state, parts, &stopped);
    wait_for_signal().await?;
    tracing::info!("stopping");
    stop.send_replace(true);
    if let Some(server) = server {
        server.stop(true).await;
    }
    for task in background {
        if tokio::time::timeout(state.config.server.drain * 2, task)
            .await
            .is_err()
        {
            tracing::warn!("a background task did not stop in time");
        }
    }
    Ok(())
}

/// With port 0 the system has chosen one.
fn with_bound_port(config: Arc<Config>, listener: Option<&TcpListener>) -> anyhow::Result<Arc<Config>> {
    let Some(listener) = listener else {
        return Ok(config);
    };
    let mut bound = Config::clone(&config);
    bound.server.listen = listener.local_addr()?;
    Ok(Arc::new(bound))
}

/// A viewer is an open file, and a shell starts with few. Executors inherit the limit, so it is not the largest one:
/// there are programs that go through all that could be open.
fn allow_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(MANY_FILES, |most| most.min(MANY_FILES));
    let limit = Rlimit {
        current: current.map(|now| now.max(wanted)),
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files cannot be raised");
    }
}

async fn start_server(
    state: &AppState,
    listener: TcpListener,
    ready_file: Option<&Path>,
) -> anyhow::Result<ServerHandle> {
    let for_app = state.clone();
    let seconds = state.config.server.drain.as_secs().max(1);
    let server = HttpServer::new(move || app::build(for_app.clone()))
        .workers(state.config.server.threads)
        .shutdown_timeout(seconds)
        .disable_signals()
        // A live message is small and the next one follows: without this it would wait for the client's word.
        .tcp_nodelay(true)
        .listen(listener)
        .context("the server cannot be started")?
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    let url = format!("http://{}", state.config.server.listen);
    // First of all: executors that have waited go on from here.
    ready::write_endpoint(&state.config.endpoint_file(), &url)
        .context("`endpoint.json` cannot be written")?;
    let owner = match state.keys.is_embedded() {
        true => Some(embedded::ensure_first_owner(state).await?),
        false => None,
    };
    if state.config.demo.enabled {
        let url = demo::base_url(state.config.server.listen);
        demo::prepare(&state.db, &state.config.data_dir(), &url, owner).await?;
    }
    catalogue::sync(state).await?;
    announce(state, owner, ready_file).await?;
    Ok(handle)
}

/// Prints where the product is and the link that opens it.
async fn announce(state: &AppState, owner: Option<UserId>, ready_file: Option<&Path>) -> anyhow::Result<()> {
    let url = crate::auth::public_url(&state.config);
    let mut link = None;
    if let Some(owner) = owner {
        let secret = embedded::mint_link(state, owner).await?;
        link = Some(format!("{url}/login#link={secret}"));
    }
    let mut text = format!("\n  LMMS-Eval Dashboard is ready:  {url}\n");
    if let Some(link) = &link {
        text += &format!("  Sign in once with this link:   {link}\n");
    }
    if state.spa.is_none() {
        text += "  The pages are not built (`cargo xtask up` does it); the API works.\n";
    }
    if let Some(missing) = without_lmms_eval(&state.config) {
        text += &missing;
    }
    // A closed standard output is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
    if let Some(file) = ready_file {
        ready::write_ready(file, &url, link.as_deref())
            .with_context(|| format!("`{}` cannot be written", file.display()))?;
    }
    Ok(())
}

/// What to do when nothing can be evaluated on this machine.
fn without_lmms_eval(config: &Config) -> Option<String> {
    let mend = "set `LMMS_EVAL_PYTHON` to a Python that has it (`cargo xtask up` installs one)";
    match &config.eval.python {
        None => Some(format!("  There is no lmms-eval: {mend}.\n")),
        Some(python) if catalogue::locate(Some(python)).is_none() => {
            Some(format!("  `{}` has no lmms-eval: {mend}.\n", python.display()))
        }
        Some(_) => None,
    }
}

fn start_background(
    state: &AppState,
    parts: Parts,
    stopped: &watch::Receiver<bool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    if parts.serve {
        tasks.push(tokio::spawn(watch_catalogue(state.clone(), stopped.clone())));
    }
    if parts.work {
        tasks.push(tokio::spawn(worker::run(state.clone(), stopped.clone())));
    }
    tasks
}

/// Task folders are edited while the server runs; looking at their times is cheap.
async fn watch_catalogue(state: AppState, mut stopped: watch::Receiver<bool>) {
    let stop = stopped.wait_for(|stop| *stop);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return,
            () = tokio::time::sleep(CATALOGUE_INTERVAL) => {}
        }
        if let Err(error) = catalogue::sync(&state).await {
            tracing::warn!(error = %chain(&error), "the benchmark catalogue is not up to date");
        }
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
