//! The benchmark catalogue: what the installed lmms-eval and the task folders hold, read without
//! starting Python, and read again only when something has changed.

mod entries;
mod fingerprint;
mod package;

pub use package::{Package, locate};

use crate::config::EvalConfig;
use crate::db::{self, Conn, benchmarks, indexed};
use crate::state::AppState;
use chrono::Utc;
use lmms::catalogue::{Backend, Catalogue, Source, TaskRoot, backends, index, tasks_dir};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use thiserror::Error;
use types::BackendView;
use uuid::Uuid;

/// Most problems that are kept.
const MAX_PROBLEMS: usize = 200;

/// Why the catalogue is not up to date.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// The database failed.
    #[error("the catalogue cannot be stored")]
    Db(#[from] db::Error),
    /// The reading thread is gone.
    #[error("the task files cannot be read")]
    Reader(#[from] tokio::task::JoinError),
}

impl From<diesel::result::Error> for CatalogueError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// One owner's part: the installed tasks, or those of an organization's folders.
struct Part {
    owner: Option<Uuid>,
    entries: Vec<benchmarks::Indexed>,
}

/// Everything that was read.
struct Read {
    version: Option<String>,
    fingerprint: String,
    parts: Vec<Part>,
    problems: Vec<String>,
    backends: Vec<BackendView>,
}

/// Brings the catalogue up to date; cheap when nothing has changed.
///
/// # Errors
/// [`CatalogueError`] when the database does not answer.
pub async fn sync(state: &AppState) -> Result<(), CatalogueError> {
    let (folders, known) = state
        .db
        .service(async |conn: &mut Conn| -> Result<_, CatalogueError> {
            Ok((indexed::folders(conn, None).await?, indexed::state(conn).await?))
        })
        .await?;
    let folders = by_organization(folders);
    let eval = state.config.eval.clone();
    let known = known.map(|s| s.fingerprint);
    let started = std::time::Instant::now();
    let read = tokio::task::spawn_blocking(move || read(&eval, &folders, known.as_deref())).await?;
    let Some(read) = read else { return Ok(()) };
    let count: usize = read.parts.iter().map(|p| p.entries.len()).sum();
    store(state, read).await?;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(entries = count, millis, "the benchmark catalogue is up to date");
    Ok(())
}

fn by_organization(folders: Vec<indexed::FolderRow>) -> BTreeMap<Uuid, Vec<PathBuf>> {
    let mut own: BTreeMap<Uuid, Vec<PathBuf>> = BTreeMap::new();
    for folder in folders {
        own.entry(folder.organization_id)
            .or_default()
            .push(folder.path.into());
    }
    own
}

/// `None` when nothing has changed since `known`.
fn read(eval: &EvalConfig, folders: &BTreeMap<Uuid, Vec<PathBuf>>, known: Option<&str>) -> Option<Read> {
    let package = locate(eval.python.as_deref());
    let shared = shared_roots(package.as_ref(), eval);
    let all = shared
        .iter()
        .map(|r| r.path.as_path())
        .chain(folders.values().flatten().map(PathBuf::as_path));
    let version = package.as_ref().and_then(|p| p.version.clone());
    let fingerprint = fingerprint::of(version.as_deref(), all, folders);
    if known == Some(fingerprint.as_str()) {
        return None;
    }
    let catalogue = index(&shared);
    let mut problems = texts(&catalogue);
    let mut parts = vec![Part {
        owner: None,
        entries: entries::all(&catalogue),
    }];
    for (organization, own) in folders {
        let mut roots = shared.clone();
        roots.extend(own.iter().map(|path| include(path)));
        let catalogue = index(&roots);
        problems.extend(
            texts(&catalogue)
                .into_iter()
                .filter(|p| own.iter().any(|f| p.starts_with(&*f.to_string_lossy()))),
        );
        parts.push(Part {
            owner: Some(*organization),
            entries: entries::below(&catalogue, own),
        });
    }
    problems.dedup();
    problems.truncate(MAX_PROBLEMS);
    let backends = package
        .as_ref()
        .map(|p| backend_views(&p.dir))
        .unwrap_or_default();
    Some(Read {
        version,
        fingerprint,
        parts,
        problems,
        backends,
    })
}

fn shared_roots(package: Option<&Package>, eval: &EvalConfig) -> Vec<TaskRoot> {
    let installed = package.map(|p| TaskRoot {
        path: tasks_dir(&p.dir),
        source: Source::Installed,
    });
    installed
        .into_iter()
        .chain(eval.include_paths.iter().map(|p| include(p)))
        .collect()
}

fn include(path: &Path) -> TaskRoot {
    TaskRoot {
        path: path.to_owned(),
        source: Source::Include,
    }
}

fn texts(catalogue: &Catalogue) -> Vec<String> {
    catalogue
        .problems
        .iter()
        .map(|p| format!("{}: {}", p.path.display(), p.message))
        .collect()
}

fn backend_views(package: &Path) -> Vec<BackendView> {
    let found = backends(package).unwrap_or_else(|error| {
        tracing::warn!(%error, "the list of model backends cannot be read");
        Vec::new()
    });
    found.into_iter().map(backend_view).collect()
}

fn backend_view(backend: Backend) -> BackendView {
    use lmms::catalogue::BackendKind;
    BackendView {
        name: backend.name,
        aliases: backend.aliases,
        chat: backend.kind != BackendKind::Simple,
        simple: backend.kind != BackendKind::Chat,
        weights_key: backend.weights_key.unwrap_or_default(),
    }
}

async fn store(state: &AppState, read: Read) -> Result<(), CatalogueError> {
    let row = indexed::StateRow {
        lmms_eval_version: read.version,
        fingerprint: read.fingerprint,
        indexed_at: Utc::now(),
        problems: json!(read.problems),
        backends: json!(read.backends),
    };
    state
        .db
        .service(async |conn: &mut Conn| -> Result<(), CatalogueError> {
            let owners: Vec<Uuid> = read.parts.iter().filter_map(|p| p.owner).collect();
            for part in &read.parts {
                benchmarks::sync(conn, part.owner, &part.entries).await?;
            }
            benchmarks::forget_folders_of_others(conn, &owners).await?;
            indexed::set_state(conn, &row).await?;
            Ok(())
        })
        .await
}
