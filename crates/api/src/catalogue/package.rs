//! Where a Python interpreter keeps lmms-eval.

use lmms::catalogue::installed_version;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An installed lmms-eval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The package directory, `.../site-packages/lmms_eval`.
    pub dir: PathBuf,
    /// Its version, when the installation says so.
    pub version: Option<String>,
}

/// The lmms-eval of an interpreter: by the layout of a virtual environment, else by asking the
/// interpreter, which an editable installation or a distribution's own layout needs.
pub fn locate(python: Option<&Path>) -> Option<Package> {
    let python = python?;
    let dir = by_layout(python).or_else(|| by_asking(python))?;
    let version = installed_version(&dir);
    Some(Package { dir, version })
}

fn by_layout(python: &Path) -> Option<PathBuf> {
    // Not canonicalised: the interpreter of a virtual environment is a link out of it.
    let lib = python.parent()?.parent()?.join("lib");
    std::fs::read_dir(lib).ok()?.flatten().find_map(|entry| {
        let is_python = entry.file_name().to_string_lossy().starts_with("python3");
        let dir = entry.path().join("site-packages").join("lmms_eval");
        (is_python && dir.join("tasks").is_dir()).then_some(dir)
    })
}

/// Finding a package does not import it, so this takes milliseconds.
fn by_asking(python: &Path) -> Option<PathBuf> {
    const SCRIPT: &str = "import importlib.util as u; s = u.find_spec('lmms_eval'); \
        print(next(iter(s.submodule_search_locations), '') if s else '')";
    let output = Command::new(python)
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let dir = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    dir.join("tasks").is_dir().then_some(dir)
}
