//! Media that are brought along: named by samples or by the driver's index, and taken only from inside of what is
//! imported.
//!
//! A name is text of a stranger. It is resolved word by word against the names of the files that the walk has handed
//! out, never against a file system, so no link and no `..` leads anywhere.

use super::source::{Files, Walk};
use super::stage::Staged;
use crate::ingest::media::{Sources, unfound};
use crate::store::{Store, StoreError, Stored};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;
use types::MediaProblem;

/// What became of the files that were asked for, by the path under which the walk hands them out.
pub(super) type Taken = HashMap<String, Result<Stored, (MediaProblem, String)>>;

/// Where names may lead.
pub(super) struct Roots {
    /// As the user gave them, and where they really are.
    roots: Vec<(PathBuf, Option<PathBuf>)>,
}

impl Roots {
    /// Of an import. All that was sent at once lies together, and nowhere in this machine.
    pub(super) fn of(files: &Files) -> Self {
        let roots = match files {
            Files::Paths(paths) => paths
                .iter()
                .map(|path| (path.clone(), path.canonicalize().ok()))
                .collect(),
            Files::Uploads(_) => vec![(PathBuf::new(), None)],
        };
        Self { roots }
    }

    /// The paths under which the walk might hand out what a file names, the likeliest first: beside the file, or
    /// beside one of the folders above it, up to what was imported.
    pub(super) fn candidates(&self, file: &str, source: &str) -> Result<Vec<String>, (MediaProblem, String)> {
        let source = source.strip_prefix("file://").unwrap_or(source);
        if source.contains("://") || source.starts_with("data:") {
            return Err(unfound(source));
        }
        if source.starts_with('/') {
            return self.absolute(source);
        }
        let root = self.root_of(file);
        let mut folder = Path::new(file).parent();
        let mut candidates = Vec::new();
        while let Some(base) = folder.filter(|base| base.starts_with(root)) {
            candidates.extend(joined(base, source));
            folder = base.parent();
        }
        if candidates.is_empty() {
            return Err(outside(source));
        }
        Ok(candidates)
    }

    /// The root that a file was found in; of a file that was named itself, its folder.
    fn root_of(&self, file: &str) -> &Path {
        let mut roots = self.roots.iter().map(|(root, _)| root.as_path());
        let inside = roots.find(|root| Path::new(file).starts_with(root) && Path::new(file) != *root);
        inside.unwrap_or_else(|| {
            let own = self.roots.iter().find(|(root, _)| root == Path::new(file));
            own.and_then(|(root, _)| root.parent()).unwrap_or(Path::new(""))
        })
    }

    /// An absolute path is inside when it is below where a root really is.
    fn absolute(&self, source: &str) -> Result<Vec<String>, (MediaProblem, String)> {
        let inside = |(root, real): &(PathBuf, Option<PathBuf>)| {
            let rest = [real.as_deref(), Some(root.as_path())]
                .into_iter()
                .flatten()
                .filter(|base| !base.as_os_str().is_empty())
                .find_map(|base| Path::new(source).strip_prefix(base).ok())?;
            joined(root, rest.to_str()?)
        };
        let found: Vec<String> = self.roots.iter().filter_map(inside).collect();
        if found.is_empty() {
            Err(outside(source))
        } else {
            Ok(found)
        }
    }
}

/// A folder and a relative path below it, without a step out of it.
fn joined(base: &Path, source: &str) -> Option<String> {
    let mut path = base.to_owned();
    for part in source.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => return None,
            part => path.push(part),
        }
    }
    Some(path.display().to_string())
}

fn outside(source: &str) -> (MediaProblem, String) {
    let shown: String = source.chars().take(200).collect();
    (
        MediaProblem::Outside,
        format!("`{shown}` is outside of what was imported"),
    )
}

/// Every path that the files name.
pub(super) fn wanted(files: &[Staged], roots: &Roots) -> BTreeSet<String> {
    let named = files.iter().flat_map(|file| {
        let sources = file.survey.samples.iter().flat_map(|samples| &samples.media);
        sources
            .chain(&file.media_paths)
            .map(|source| (file.path.as_str(), source))
    });
    named
        .filter_map(|(path, source)| roots.candidates(path, source).ok())
        .flatten()
        .collect()
}

/// Walks once more and keeps the files that are wanted; blocks.
///
/// # Errors
/// When the store fails.
pub(super) fn take(
    store: &Store,
    runtime: &Handle,
    walk: &Walk,
    files: &Files,
    wanted: &BTreeSet<String>,
    limit: u64,
) -> Result<Taken, StoreError> {
    let mut taken = Taken::new();
    let mut failed = None;
    if wanted.is_empty() {
        return Ok(taken);
    }
    walk.all(files, &mut |found| {
        if failed.is_none() && wanted.contains(&found.path) {
            match take_one(store, runtime, found.content, limit) {
                Ok(one) => drop(taken.insert(found.path, one)),
                Err(error) => failed = Some(error),
            }
        }
    });
    failed.map_or(Ok(taken), Err)
}

fn take_one(
    store: &Store,
    runtime: &Handle,
    content: Result<std::fs::File, String>,
    limit: u64,
) -> Result<Result<Stored, (MediaProblem, String)>, StoreError> {
    let mut file = match content {
        Ok(file) => file,
        Err(why) => return Ok(Err((MediaProblem::Missing, why))),
    };
    match super::stage::put(store, runtime, &mut file, limit) {
        Ok(stored) => Ok(Ok(stored)),
        Err(error @ (StoreError::TooLarge(_) | StoreError::Upload(_))) => {
            Ok(Err((MediaProblem::Missing, format!("it {error}"))))
        }
        Err(error) => Err(error),
    }
}

/// What the samples of some files name, and what became of it.
pub(super) fn sources<'a>(files: impl Iterator<Item = &'a Staged>, roots: &Roots, taken: &Taken) -> Sources {
    let mut found = Sources::new();
    for file in files {
        for source in file.survey.samples.iter().flat_map(|samples| &samples.media) {
            let one = resolve(&file.path, source, roots, taken);
            found.entry(source.clone()).or_insert(one);
        }
    }
    found
}

fn resolve(file: &str, source: &str, roots: &Roots, taken: &Taken) -> Result<String, (MediaProblem, String)> {
    let candidates = roots.candidates(file, source)?;
    match candidates.iter().find_map(|path| taken.get(path)) {
        Some(Ok(stored)) => Ok(stored.sha256.clone()),
        Some(Err(why)) => Err(why.clone()),
        None => {
            let shown: String = source.chars().take(200).collect();
            Err((
                MediaProblem::Missing,
                format!("the file `{shown}` was not imported along"),
            ))
        }
    }
}

/// The stored media that these files name, by hash.
pub(super) fn stored<'a>(
    files: impl Iterator<Item = &'a Staged>,
    roots: &Roots,
    taken: &'a Taken,
) -> BTreeMap<String, &'a Stored> {
    let mut found = BTreeMap::new();
    for file in files {
        let sources = file.survey.samples.iter().flat_map(|samples| &samples.media);
        for source in sources.chain(&file.media_paths) {
            let candidates = roots.candidates(&file.path, source).unwrap_or_default();
            if let Some(Ok(stored)) = candidates.iter().find_map(|path| taken.get(path)) {
                found.insert(stored.sha256.clone(), stored);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(paths: &[&str]) -> Roots {
        Roots {
            roots: paths
                .iter()
                .map(|path| (PathBuf::from(path), Some(PathBuf::from(format!("/real/{path}")))))
                .collect(),
        }
    }

    #[test]
    fn names_lead_to_files_of_the_import_alone() {
        let roots = roots(&["in/run", "one.jsonl"]);
        let found = roots.candidates("in/run/m/s.jsonl", "img/a.png").unwrap();
        assert_eq!(found, ["in/run/m/img/a.png", "in/run/img/a.png"]);
        let absolute = roots
            .candidates("in/run/m/s.jsonl", "/real/in/run/img/a.png")
            .unwrap();
        assert_eq!(absolute, ["in/run/img/a.png"]);
        assert_eq!(roots.candidates("one.jsonl", "a.png").unwrap(), ["a.png"]);
        for source in [
            "../x.png",
            "/etc/passwd",
            "a/../../x.png",
            "/real/in/run/../x",
            "..\\x.png",
        ] {
            let why = roots.candidates("in/run/m/s.jsonl", source).unwrap_err();
            assert_eq!(why.0, MediaProblem::Outside, "{source}");
        }
        let why = roots
            .candidates("in/run/m/s.jsonl", "https://a.test/x.png")
            .unwrap_err();
        assert_eq!(why.0, MediaProblem::Remote);
    }

    #[test]
    fn what_was_not_brought_along_is_said() {
        let why = resolve("in/run/s.jsonl", "a.png", &roots(&["in/run"]), &Taken::new()).unwrap_err();
        assert_eq!(why.1, "the file `a.png` was not imported along");
    }
}
