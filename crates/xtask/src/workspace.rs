//! Where things lie in the checkout, and whether they are still what their sources say.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.ancestors()
        .nth(2)
        .map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Our own corner of the build folder: stamps, tools, logs.
pub(crate) fn scratch() -> Result<PathBuf> {
    let dir = target().join("xtask");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    Ok(dir)
}

/// A hash over names, sizes and times of change of everything below the given paths, and over `salt`.
pub(crate) fn fingerprint(salt: &str, paths: &[&str]) -> Result<String> {
    let root = root();
    let mut hash = Sha256::new();
    hash.update(salt);
    for path in paths
        .iter()
        .map(|path| root.join(path))
        .filter(|path| path.exists())
    {
        for entry in WalkDir::new(path)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(is_source)
        {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_file() {
                let changed = meta
                    .modified()?
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_nanos();
                let name = entry
                    .path()
                    .strip_prefix(&root)
                    .unwrap_or(entry.path())
                    .to_string_lossy()
                    .into_owned();
                hash.update(format!("{name}\0{}\0{changed}\n", meta.len()));
            }
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn is_source(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !matches!(
        name.as_ref(),
        "node_modules" | "target" | "e2e" | "xtask" | "tests" | "__pycache__"
    )
}

/// A file that remembers the fingerprint of the sources something was built from.
pub(crate) struct Stamp {
    file: PathBuf,
    current: String,
}

impl Stamp {
    /// The stamp called `name` for sources with this fingerprint.
    pub(crate) fn new(name: &str, current: String) -> Result<Self> {
        Ok(Self {
            file: scratch()?.join(format!("{name}.stamp")),
            current,
        })
    }

    /// Whether the last build was made from the same sources.
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|old| old == self.current)
    }

    /// Remembers that the build succeeded.
    pub(crate) fn store(&self) -> Result<()> {
        fs::write(&self.file, &self.current)
            .with_context(|| format!("cannot write `{}`", self.file.display()))
    }
}
