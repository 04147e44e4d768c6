//! Checks and imports what browsers have sent, one at a time, under a lease like a run's.

use super::Worker;
use super::repeat::repeat;
use crate::db::uploads::{self, ClaimedImport};
use crate::db::{self, Conn};
use crate::error::chain;
use crate::import::source::{Files, Walk};
use crate::import::{Course, Holder, ImportError, Limits, Request, Stopped, import_claimed, look_through};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

/// Works on imports until `shutdown` says so; one that is under way is left to the next worker.
pub(super) async fn keep(worker: Arc<Worker>, shutdown: watch::Receiver<bool>) {
    let (poll, stop) = (worker.state.config.worker.poll, shutdown.clone());
    let step = async move || next(&worker, &stop).await;
    repeat(poll, shutdown, "imports cannot be looked after now", step).await;
}

/// Takes imports as long as there are any.
async fn next(worker: &Arc<Worker>, shutdown: &watch::Receiver<bool>) -> Result<(), db::Error> {
    while !*shutdown.borrow() {
        let claimed = worker
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                uploads::end_lost(conn).await?;
                uploads::end_abandoned(conn).await?;
                Ok(uploads::claim(conn, worker.owner, worker.state.config.worker.lease).await?)
            })
            .await?;
        let Some(import) = claimed else {
            return sweep(worker).await;
        };
        attend(worker, &import, shutdown.clone()).await?;
    }
    Ok(())
}

async fn attend(
    worker: &Arc<Worker>,
    import: &ClaimedImport,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), db::Error> {
    let holder = Holder {
        owner: worker.owner,
        lease: worker.state.config.worker.lease,
    };
    let course = Course::default();
    let watched = course.clone();
    let leave = tokio::spawn(async move {
        if shutdown.wait_for(|stop| *stop).await.is_ok() {
            watched.stop(Stopped::Leaving);
        }
    });
    let done = work(worker, import, holder, &course).await;
    leave.abort();
    match done {
        Ok(()) => {}
        Err(ImportError::Stopped(why)) => tracing::info!(import = %import.id, ?why, "an import was stopped"),
        Err(error) => tracing::warn!(import = %import.id, error = %chain(&error), "an import failed"),
    }
    let give_back = course.stopped() == Some(Stopped::Leaving);
    worker
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<(), db::Error> {
            if give_back {
                uploads::release(conn, import.id, holder.owner).await?;
            }
            Ok(())
        })
        .await?;
    sweep(worker).await
}

async fn work(
    worker: &Arc<Worker>,
    import: &ClaimedImport,
    holder: Holder,
    course: &Course,
) -> Result<(), ImportError> {
    let state = &worker.state;
    let folder = folder_of(&state.config.uploads_dir(), import.id);
    let files = state
        .db
        .service(async |conn: &mut Conn| -> Result<_, db::Error> {
            Ok(uploads::uploads(conn, import.id, i64::MAX).await?)
        })
        .await?;
    let files = files
        .into_iter()
        .map(|(file, object)| (file.path, folder.join(object.to_string())))
        .collect();
    let request = Request {
        organization: import.organization_id,
        files: Files::Uploads(files),
        name: String::new(),
        mapping: import.mapping(),
        as_of: None,
        created_by: import.created_by,
        created_by_token: import.created_by_token,
        walk: Walk {
            limits: Limits::default(),
            scratch: Some(folder),
        },
    };
    if import.is_check() {
        look_through(&state.db, &request, import.id, holder, course).await
    } else {
        let tell = &mut |_, _| ();
        import_claimed(&state.db, &state.store, &request, import.id, holder, course, tell)
            .await
            .map(|_| ())
    }
}

/// Where the files of an import lie.
fn folder_of(uploads: &Path, import: Uuid) -> PathBuf {
    uploads.join(import.to_string())
}

/// Removes the files of imports that are over, or that nobody knows: they may hold secrets that were not blotted out.
async fn sweep(worker: &Worker) -> Result<(), db::Error> {
    let uploads_dir = worker.state.config.uploads_dir();
    let listed = folders(uploads_dir.clone()).await;
    if listed.is_empty() {
        return Ok(());
    }
    let needed = worker
        .state
        .db
        .service(async |conn: &mut Conn| uploads::needed(conn, &listed).await.map_err(db::Error::from))
        .await?;
    for gone in listed.into_iter().filter(|id| !needed.contains(id)) {
        let folder = folder_of(&uploads_dir, gone);
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await {
            tracing::debug!(%error, folder = %folder.display(), "the files of an import cannot be removed now");
        }
    }
    Ok(())
}

async fn folders(uploads: PathBuf) -> Vec<Uuid> {
    let read = tokio::task::spawn_blocking(move || {
        let entries = std::fs::read_dir(uploads).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    });
    read.await.unwrap_or_default()
}
