//! What stands for the content of task folders: names, sizes and times of their files.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use uuid::Uuid;
use walkdir::WalkDir;

/// Raised when the way entries are read changes, so that old ones are read again.
const FORMAT: u32 = 1;
/// Files beyond this number do not count: a folder that large is no task folder.
const MAX_FILES: usize = 200_000;

/// A text that changes when a file does.
pub(super) fn of<'a>(
    version: Option<&str>,
    folders: impl Iterator<Item = &'a Path>,
    owners: &BTreeMap<Uuid, Vec<PathBuf>>,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{FORMAT} {} {owners:?}\n", version.unwrap_or_default()));
    for folder in folders {
        hash.update(format!("{}\n", folder.display()));
        for line in lines(folder) {
            hash.update(line);
        }
    }
    hex::encode(hash.finalize())
}

/// Of the files that the index depends on: task files alone, not their data.
fn lines(folder: &Path) -> Vec<String> {
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    let files = walk.flatten().filter(|e| {
        let name = e.file_name().to_string_lossy();
        e.file_type().is_file()
            && (name.ends_with(".yaml") || name.ends_with(".yml") || name.contains("template"))
    });
    let line = |entry: walkdir::DirEntry| {
        let mut text = entry.path().display().to_string();
        if let Ok(meta) = entry.metadata() {
            let time = meta
                .modified()
                .ok()
                .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            // Writing to a text cannot fail.
            let _ = writeln!(text, " {} {}", meta.len(), time.unwrap_or_default().as_nanos());
        }
        text
    };
    files.take(MAX_FILES).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_a_task_file_and_not_with_data() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = || of(Some("0.7.3"), std::iter::once(dir.path()), &BTreeMap::new());
        std::fs::write(dir.path().join("a.yaml"), "task: a").unwrap();
        let first = stamp();
        std::fs::write(dir.path().join("data.jsonl"), "{}").unwrap();
        assert_eq!(stamp(), first);
        std::fs::write(dir.path().join("a.yaml"), "task: ab").unwrap();
        assert_ne!(stamp(), first);
    }
}
