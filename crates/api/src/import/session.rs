//! An import from its paths to its report.

use super::mapping::Mapping;
use super::plan::{Planned, plan};
use super::run::{StoredRun, Target};
use super::source::Walk;
use super::stage::{Stage, Staged};
use crate::db::imports::{self, NewFile, NewImport};
use crate::db::{self, Conn, Db};
use crate::ingest::IngestError;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use lmms::document::Kind;
use lmms::results::ProblemKind;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;
use thiserror::Error;
use tokio::runtime::Handle;
use uuid::Uuid;

/// How many problems of a file are kept.
const PROBLEMS: usize = 200;

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
    pub paths: Vec<PathBuf>,
    /// What the import is called.
    pub name: String,
    /// `command` or `upload`.
    pub source: &'static str,
    /// The user's mapping.
    pub mapping: Mapping,
    /// When runs ended whose documents do not say.
    pub as_of: Option<DateTime<Utc>>,
    /// Who does it.
    pub created_by: Option<Uuid>,
    /// With which token.
    pub created_by_token: Option<Uuid>,
    /// How files are found.
    pub walk: Walk,
}

/// What became of one file.
#[derive(Clone, Debug, Serialize)]
pub struct FileReport {
    /// Its path.
    pub file: String,
    /// What it is.
    pub kind: Kind,
    /// `taken`, `known`, `left_out` or `failed`.
    pub status: &'static str,
    /// The run that it belongs to.
    pub run: Option<Uuid>,
    /// Scores with a number.
    pub metrics: usize,
    /// Scores without one.
    pub not_numeric: usize,
    /// Secrets that were blotted out.
    pub redacted: usize,
    /// Samples that can be read.
    pub samples: u64,
    /// Samples that cannot.
    pub broken: u64,
    /// What could not be used, each in one sentence.
    pub problems: Vec<String>,
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
    let row = NewImport {
        id,
        organization_id: request.organization,
        name: request.name.chars().take(1000).collect(),
        source: request.source,
        mapping: json!(request.mapping),
        created_by: request.created_by,
        created_by_token: request.created_by_token,
    };
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> { Ok(imports::insert(conn, &row).await?) })
        .await?;
    let done = run(db, store, request, id, tell).await;
    let error = done.as_ref().err().map(|error| crate::error::chain(error));
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        Ok(imports::end(conn, id, error.as_deref()).await?)
    })
    .await?;
    done
}

async fn run(
    db: &Db,
    store: &Store,
    request: &Request,
    id: Uuid,
    tell: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Report, ImportError> {
    let files = staged(store, request).await?;
    let planned = plan(&files, &request.mapping);
    let target = Target {
        store,
        organization: request.organization,
        import: id,
        created_by: request.created_by,
        created_by_token: request.created_by_token,
        mapping: &request.mapping,
        as_of: request.as_of,
    };
    let mut done = Vec::with_capacity(planned.runs.len());
    for planned_run in &planned.runs {
        tell(done.len(), planned.runs.len());
        let stored = db
            .service(async |conn: &mut Conn| -> Result<StoredRun, IngestError> {
                target.store(conn, &files, planned_run).await
            })
            .await?;
        done.push(stored);
        let counts =
            [files.len(), planned.runs.len(), done.len()].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
            Ok(imports::progress(conn, id, counts[0], counts[1], counts[2]).await?)
        })
        .await?;
    }
    tell(done.len(), planned.runs.len());
    let reports = reports(&files, &planned, &done);
    let rows: Vec<NewFile> = (0..)
        .zip(files.iter().zip(&reports))
        .map(|(position, (file, report))| row_of(id, request.organization, position, file, report))
        .collect();
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        Ok(imports::insert_files(conn, &rows).await?)
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

/// Looks at all files and keeps what is needed of them, on a thread of its own.
async fn staged(store: &Store, request: &Request) -> Result<Vec<Staged>, ImportError> {
    let stage = Stage {
        store: store.clone(),
        runtime: Handle::current(),
        mapping: request.mapping.clone(),
    };
    let (walk, paths) = (request.walk.clone(), request.paths.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut files = Vec::new();
        walk.each(&paths, &mut |found| files.push(stage.take(found)));
        files.into_iter().collect::<Result<Vec<_>, _>>()
    });
    Ok(read.await??)
}

fn reports(files: &[Staged], planned: &Planned, done: &[StoredRun]) -> Vec<FileReport> {
    let mut place: HashMap<usize, usize> = HashMap::new();
    for (at, run) in planned.runs.iter().enumerate() {
        place.insert(run.file, at);
        place.extend(run.samples.values().map(|(file, _)| (*file, at)));
        place.extend(run.docs.values().map(|file| (*file, at)));
    }
    let mut reports: Vec<FileReport> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let run = place.get(&index).map(|at| (&planned.runs[*at], &done[*at]));
            let mut report = report(file, run.map(|(_, stored)| stored));
            if let Some((_, stored)) = run.filter(|(planned, _)| planned.file == index) {
                report.problems.extend(stored.problems.iter().cloned());
            }
            report
        })
        .collect();
    for (index, why) in &planned.left_out {
        reports[*index].problems.push(why.clone());
    }
    for report in &mut reports {
        report.problems.truncate(PROBLEMS);
    }
    reports
}

fn report(file: &Staged, run: Option<&StoredRun>) -> FileReport {
    let results = file.survey.results.as_ref();
    let metrics = results.map_or(&[][..], |results| &results.metrics);
    let numbers = metrics.iter().filter(|metric| metric.value.is_some()).count();
    let problems = results.map_or(&[][..], |results| &results.problems);
    FileReport {
        file: file.path.clone(),
        kind: file.survey.kind,
        status: match run {
            Some(run) if run.known => "known",
            Some(_) => "taken",
            None => "left_out",
        },
        run: run.map(|run| run.id),
        metrics: numbers,
        not_numeric: metrics.len() - numbers,
        redacted: problems
            .iter()
            .filter(|p| p.kind == ProblemKind::Redacted)
            .count(),
        samples: file.survey.samples.iter().map(|samples| samples.count).sum(),
        broken: file.survey.samples.iter().map(|samples| samples.bad).sum(),
        problems: file.survey.problems.clone(),
    }
}

fn row_of(import: Uuid, organization: Uuid, position: i32, file: &Staged, report: &FileReport) -> NewFile {
    NewFile {
        import_id: import,
        position,
        organization_id: organization,
        path: report.file.replace('\0', "\u{FFFD}"),
        sha256: file.sha256.map(hex::encode),
        kind: report.kind.as_str(),
        status: report.status,
        run_id: report.run,
        report: crate::db::events::without_nul(json!({
            "metrics": report.metrics,
            "not_numeric": report.not_numeric,
            "redacted": report.redacted,
            "samples": report.samples,
            "broken": report.broken,
            "problems": report.problems,
        })),
    }
}
