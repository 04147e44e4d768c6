//! An import from its files to its report.

use super::course::{Beat, Course, Holder, Stopped};
use super::media::{self, Roots, Taken};
use super::plan::plan;
use super::report::{FileReport, reports, rows};
use super::run::{StoredRun, Target};
use super::source::{Files, Walk};
use super::stage::{Stage, Staged};
use crate::db::imports::{self, Closing, NewImport};
use crate::db::{self, Conn, Db};
use crate::ingest::IngestError;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use types::ImportMapping;
use uuid::Uuid;

/// How long a command may be silent before its import counts as ended.
const COMMAND_LEASE: Duration = Duration::from_secs(60);
/// Largest medium that is taken, in bytes.
const MAX_MEDIUM: u64 = 1 << 30;

/// Why an import ended early. What is stored by then stays.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The database failed.
    #[error("the import cannot be stored")]
    Db(#[from] db::Error),
    /// A file cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run cannot be stored.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The reading thread is gone.
    #[error("the thread that reads files ended early")]
    Reader(#[from] tokio::task::JoinError),
    /// It was told to stop.
    #[error("the import was stopped")]
    Stopped(Stopped),
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// What is imported, by whom and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The organization.
    pub organization: Uuid,
    /// Files, folders and archives.
    pub files: Files,
    /// What the import is called.
    pub name: String,
    /// The user's mapping.
    pub mapping: ImportMapping,
    /// When runs ended whose documents do not say.
    pub as_of: Option<DateTime<Utc>>,
    /// Who does it.
    pub created_by: Option<Uuid>,
    /// With which token.
    pub created_by_token: Option<Uuid>,
    /// How files are found.
    pub walk: Walk,
}

/// What became of an import.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// One entry for each file.
    pub files: Vec<FileReport>,
    /// Runs that were stored now.
    pub stored: usize,
    /// Runs that were there already.
    pub known: usize,
}

/// Imports files; each run is stored as a whole or not at all. `tell` hears how many runs are done.
///
/// # Errors
/// When database or object store fail; the import is then marked as failed.
pub async fn import(
    db: &Db,
    store: &Store,
    request: &Request,
    tell: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Report, ImportError> {
    let id = Uuid::now_v7();
    let holder = Holder {
        owner: Uuid::now_v7(),
        lease: COMMAND_LEASE,
    };
    let row = NewImport {
        id,
        organization_id: request.organization,
        name: request.name.chars().take(1000).collect(),
        source: "command",
        status: "running",
        mapping: json!(request.mapping),
        created_by: request.created_by,
        created_by_token: request.created_by_token,
    };
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        imports::insert(conn, &row).await?;
        Ok(imports::begin(conn, id, holder.owner, holder.lease).await?)
    })
    .await?;
    import_claimed(db, store, request, id, holder, &Course::default(), tell).await
}

/// Goes on with an import that this holder has, and ends it, unless it was told to leave it to another.
///
/// # Errors
/// As [`import`].
pub async fn import_claimed(
    db: &Db,
    store: &Store,
    request: &Request,
    id: Uuid,
    holder: Holder,
    course: &Course,
    tell: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Report, ImportError> {
    let work = run(db, store, request, id, course, tell);
    let report = held(db, id, holder, course, work).await?;
    close(db, id, holder, None).await?;
    Ok(report)
}

/// Works on an import while the lease on it is kept, and ends the import if that fails.
pub(super) async fn held<T>(
    db: &Db,
    id: Uuid,
    holder: Holder,
    course: &Course,
    work: impl Future<Output = Result<T, ImportError>>,
) -> Result<T, ImportError> {
    let beat = Beat::start(db.clone(), id, holder, course.clone());
    let done = work.await;
    drop(beat);
    if let Err(error) = &done {
        close(db, id, holder, Some(error)).await?;
    }
    done
}

/// Ends an import as its work ended.
async fn close(db: &Db, id: Uuid, holder: Holder, error: Option<&ImportError>) -> Result<(), ImportError> {
    let told = error.map(|error| crate::error::chain(error));
    let closing = match (error, &told) {
        (Some(ImportError::Stopped(Stopped::Lost | Stopped::Leaving)), _) => return Ok(()),
        (Some(ImportError::Stopped(Stopped::Cancelled)), _) => Closing::Cancelled,
        (_, Some(why)) => Closing::Failed(why),
        (_, None) => Closing::Completed,
    };
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        imports::end(conn, id, holder.owner, closing).await?;
        Ok(())
    })
    .await
}

async fn run(
    db: &Db,
    store: &Store,
    request: &Request,
    id: Uuid,
    course: &Course,
    tell: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Report, ImportError> {
    let keep = Some((store.clone(), Handle::current()));
    let roots = Roots::of(&request.files);
    let (files, taken) = staged(keep, request, course).await?;
    let planned = plan(&files, &request.mapping);
    let target = Target {
        store,
        organization: request.organization,
        import: id,
        created_by: request.created_by,
        created_by_token: request.created_by_token,
        mapping: &request.mapping,
        as_of: request.as_of,
        roots: &roots,
        taken: &taken,
    };
    let mut done = Vec::with_capacity(planned.runs.len());
    note(db, id, files.len(), planned.runs.len(), 0).await?;
    for planned_run in &planned.runs {
        if let Some(why) = course.stopped() {
            return Err(ImportError::Stopped(why));
        }
        tell(done.len(), planned.runs.len());
        let stored = db
            .service(async |conn: &mut Conn| -> Result<StoredRun, IngestError> {
                target.store(conn, &files, planned_run).await
            })
            .await?;
        done.push(stored);
        note(db, id, files.len(), planned.runs.len(), done.len()).await?;
    }
    tell(done.len(), planned.runs.len());
    let reports = reports(&files, &planned, &done);
    let rows = rows(id, request.organization, &files, &reports);
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        Ok(imports::replace_files(conn, id, &rows).await?)
    })
    .await?;
    let known = done.iter().filter(|run| run.known).count();
    Ok(Report {
        id,
        files: reports,
        stored: done.len() - known,
        known,
    })
}

async fn note(db: &Db, id: Uuid, files: usize, runs: usize, done: usize) -> Result<(), ImportError> {
    let [files, runs, done] = [files, runs, done].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        Ok(imports::progress(conn, id, files, runs, done).await?)
    })
    .await
}

/// Looks at all files and keeps what is needed of them, on a thread of its own.
pub(super) async fn staged(
    keep: Option<(Store, Handle)>,
    request: &Request,
    course: &Course,
) -> Result<(Vec<Staged>, Taken), ImportError> {
    let stage = Stage {
        keep,
        mapping: request.mapping.clone(),
    };
    let (walk, sources, watched) = (request.walk.clone(), request.files.clone(), course.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut files = Vec::new();
        walk.all(&sources, &mut |found| {
            if watched.stopped().is_none() {
                files.push(stage.take(found));
                watched.pass();
            }
        });
        let mut files = files.into_iter().collect::<Result<Vec<_>, _>>()?;
        let wanted = media::wanted(&files, &Roots::of(&sources));
        let taken = match &stage.keep {
            Some((store, runtime)) => media::take(store, runtime, &walk, &sources, &wanted, MAX_MEDIUM)?,
            None => Taken::new(),
        };
        // Media are kept with the samples that show them; by themselves they are no results.
        files.retain(|file| !(file.is_nothing_else() && wanted.contains(&file.path)));
        Ok::<_, StoreError>((files, taken))
    });
    let read = read.await??;
    match course.stopped() {
        Some(why) => Err(ImportError::Stopped(why)),
        None => Ok(read),
    }
}
