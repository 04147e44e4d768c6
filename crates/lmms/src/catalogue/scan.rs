//! Walks a folder of tasks and loads its files in parallel.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use walkdir::{DirEntry, WalkDir};

use super::loader::{Config, Loader};
use super::{CatalogueProblem, TaskRoot};

/// Folders that lmms-eval skips.
const SKIPPED: [&str; 2] = ["__pycache__", ".ipynb_checkpoints"];
/// How many threads read files; more only wait for the disk.
const THREADS: usize = 8;

/// A file and what it says, or why it says nothing.
pub(super) type Loaded = (PathBuf, Result<Config, String>);

/// The task files of a root, sorted by path.
pub(super) fn files(root: &TaskRoot, problems: &mut Vec<CatalogueProblem>) -> Vec<PathBuf> {
    let wanted = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        !(entry.file_type().is_dir() && SKIPPED.contains(&name.as_ref()))
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(&root.path).into_iter().filter_entry(wanted) {
        match entry {
            Ok(entry) if is_task_file(&entry) => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => problems.push(CatalogueProblem {
                path: error.path().unwrap_or(&root.path).to_owned(),
                message: format!("cannot be read: {error}"),
            }),
        }
    }
    files.sort_unstable();
    files
}

fn is_task_file(entry: &DirEntry) -> bool {
    !entry.file_type().is_dir() && entry.file_name().to_string_lossy().ends_with(".yaml")
}

/// Loads the files, in the order given.
pub(super) fn load(loader: &Loader, files: &[PathBuf]) -> Vec<Loaded> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS);
    let next = AtomicUsize::new(0);
    let loaded = Mutex::new(Vec::with_capacity(files.len()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Vec::new();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    mine.push((path.clone(), loader.load(path)));
                }
                loaded.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
            });
        }
    });
    let mut loaded: Vec<Loaded> = loaded.into_inner().unwrap_or_else(PoisonError::into_inner);
    loaded.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    loaded
}
