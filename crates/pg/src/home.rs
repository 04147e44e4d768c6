//! The files of a cluster: `LOCK`, `data/`, `sock/`, `postgres.log`, `VERSION.json`.
//!
//! Started as root, the folder itself stays root's, so that the server's user can neither swap the
//! log or the lock for a link nor rename the data; only `data/` and `sock/` are that user's.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::Error;
use crate::find::Binaries;

/// Where each file of one cluster lies.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) dir: PathBuf,
}

/// Which server made and last ran the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) major: u32,
    pub(crate) version: String,
    pub(crate) bin: PathBuf,
}

impl Home {
    /// Creates the folder when missing and resolves it to an absolute path without links.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let root = rustix::process::geteuid().is_root();
        let mode = if root { 0o711 } else { 0o700 };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(mode);
        builder.create(dir).map_err(Error::io("create", dir))?;
        let dir = dir.canonicalize().map_err(Error::io("resolve", dir))?;
        if root {
            let meta = fs::metadata(&dir).map_err(Error::io("read", &dir))?;
            set_mode(&dir, meta.permissions().mode() & 0o7777 | 0o011)?;
        }
        Ok(Self { dir })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("LOCK")
    }

    pub(crate) fn sock(&self) -> PathBuf {
        self.dir.join("sock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("postgres.log")
    }

    fn record_path(&self) -> PathBuf {
        self.dir.join("VERSION.json")
    }

    /// The record of the last start; an unreadable one is as good as none.
    pub(crate) fn record(&self) -> Option<Record> {
        let text = fs::read_to_string(self.record_path()).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Remembers the server, so that the next start looks there first.
    pub(crate) fn remember(&self, binaries: &Binaries) -> Result<(), Error> {
        let record = Record {
            major: binaries.major,
            version: binaries.version.clone(),
            bin: binaries.dir.clone(),
        };
        if self.record().as_ref() == Some(&record) {
            return Ok(());
        }
        let path = self.record_path();
        let text = serde_json::to_string_pretty(&record)
            .map_err(|error| Error::io("write", &path)(io::Error::other(error)))?;
        replace(&path, text.as_bytes(), 0o644, None)
    }
}

/// Writes a whole file so that a reader sees the old or the new text, also after a power cut.
///
/// The new file is never opened through a link: inside `data` the server's user could have put
/// one there for root to follow.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32, owner: Option<&Account>) -> Result<(), Error> {
    let new = path.with_extension("new");
    let write = || -> io::Result<()> {
        fs::remove_file(&new).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = fs::File::create_new(&new)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if let Some(owner) = owner {
            fchown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(Error::io("write", path))
}

/// Makes a folder that only its owner may enter; one that exists already is narrowed.
pub(crate) fn private_dir(path: &Path) -> Result<(), Error> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => set_mode(path, 0o700),
        other => other.map_err(Error::io("create", path)),
    }
}

/// Makes a rename inside `dir` last through a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(Error::io("sync", dir))
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the permissions of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_survives_and_a_broken_one_is_none() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let home = Home::open(dir.path()).expect("a home");
        assert_eq!(home.record(), None);
        let binaries = Binaries {
            dir: "/opt/pg/bin".into(),
            major: 17,
            version: "17.2".to_owned(),
        };
        home.remember(&binaries).expect("written");
        assert_eq!(home.record().expect("a record").bin, binaries.dir);
        fs::write(home.record_path(), "{").expect("broken");
        assert_eq!(home.record(), None);
    }
}
