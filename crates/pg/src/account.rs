//! Who runs the server: this user, or an unprivileged one when this is root, which PostgreSQL
//! refuses.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::Error;

/// An entry of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The account to change to, or `None` when the server runs as this user.
///
/// As root, the owner of existing data comes first: a user `postgres` that was added later must
/// not take them over.
pub(crate) fn choose(data: &Path) -> Result<Option<Account>, Error> {
    let owner = fs::metadata(data).ok().map(|meta| meta.uid());
    if !geteuid().is_root() {
        return refuse_foreign(data, owner).map(|()| None);
    }
    let owner = owner.filter(|uid| *uid != 0).and_then(Account::by_uid);
    owner
        .or_else(|| Account::by_name("postgres"))
        .or_else(|| Account::by_name("nobody"))
        .filter(|account| account.uid != 0)
        .map(Some)
        .ok_or(Error::NoAccount)
}

fn refuse_foreign(data: &Path, owner: Option<u32>) -> Result<(), Error> {
    let user = geteuid().as_raw();
    match owner {
        Some(owner) if owner != user => Err(Error::ForeignOwner {
            data: data.to_owned(),
            owner: name_of(owner),
            user: name_of(user),
        }),
        _ => Ok(()),
    }
}

fn name_of(uid: u32) -> String {
    Account::by_uid(uid).map_or_else(|| uid.to_string(), |account| account.name)
}

impl Account {
    /// Gives a tree to this account unless its top is already; links are not followed.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        let meta = fs::symlink_metadata(path).map_err(Error::io("read", path))?;
        if (meta.uid(), meta.gid()) == (self.uid, self.gid) {
            return Ok(());
        }
        if meta.is_dir() {
            for entry in fs::read_dir(path).map_err(Error::io("read", path))? {
                self.own(&entry.map_err(Error::io("read", path))?.path())?;
            }
        }
        // The top comes last, so that an interrupted change is taken up again.
        lchown(path, Some(self.uid), Some(self.gid)).map_err(|error| {
            self.explain(&error, path)
                .unwrap_or_else(|| Error::io("change the owner of", path)(error))
        })
    }

    /// The first folder on the way to `path` that this account may not enter, by permission bits.
    pub(crate) fn blocked_by(&self, path: &Path) -> Option<PathBuf> {
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        folders
            .into_iter()
            .find(|folder| !self.may_enter(folder))
            .map(Path::to_owned)
    }

    fn may_enter(&self, folder: &Path) -> bool {
        let Ok(meta) = fs::metadata(folder) else {
            return true;
        };
        let bit = if meta.uid() == self.uid {
            0o100
        } else if meta.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        meta.mode() & bit != 0
    }

    /// What it means that a child could not be spawned as this account, or a file given to it.
    pub(crate) fn explain(&self, error: &io::Error, path: &Path) -> Option<Error> {
        match error.raw_os_error()? {
            libc::EPERM | libc::EINVAL => Some(Error::MayNotChangeUser {
                user: self.name.clone(),
            }),
            libc::EACCES => self.not_searchable(path),
            _ => None,
        }
    }

    pub(crate) fn not_searchable(&self, path: &Path) -> Option<Error> {
        Some(Error::NotSearchable {
            directory: self.blocked_by(path)?,
            path: path.to_owned(),
            user: self.name.clone(),
        })
    }

    fn by_name(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        look_up(|entry, buffer, length, result| {
            // SAFETY: every pointer is valid for the call, and `length` is the buffer's size.
            unsafe { libc::getpwnam_r(name.as_ptr(), entry, buffer, length, result) }
        })
    }

    pub(crate) fn by_uid(uid: u32) -> Option<Self> {
        look_up(|entry, buffer, length, result| {
            // SAFETY: every pointer is valid for the call, and `length` is the buffer's size.
            unsafe { libc::getpwuid_r(uid, entry, buffer, length, result) }
        })
    }
}

type Entry = libc::passwd;
type Text = libc::c_char;

/// Calls one of the `getpw…_r` functions with a growing buffer.
fn look_up(call: impl Fn(*mut Entry, *mut Text, usize, *mut *mut Entry) -> i32) -> Option<Account> {
    let mut buffer: Vec<Text> = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::<Entry>::uninit();
        let mut result: *mut Entry = std::ptr::null_mut();
        let length = buffer.len();
        let rc = call(entry.as_mut_ptr(), buffer.as_mut_ptr(), length, &mut result);
        if rc == libc::ERANGE && length < 1 << 20 {
            buffer.resize(length * 4, 0);
            continue;
        }
        if rc != 0 || result.is_null() {
            return None;
        }
        // SAFETY: a result that is not null says that the entry was filled in, and its name
        // points into `buffer`, which is still alive.
        let (entry, name) = unsafe {
            let entry = entry.assume_init();
            (entry, CStr::from_ptr(entry.pw_name))
        };
        return Some(Account {
            name: name.to_string_lossy().into_owned(),
            uid: entry.pw_uid,
            gid: entry.pw_gid,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_user_database_answers_by_name_and_by_id() {
        let root = Account::by_name("root").expect("every machine has root");
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(Account::by_uid(0), Some(root));
        assert_eq!(Account::by_uid(3_999_999_999), None);
        assert_eq!(Account::by_name("no such\0user"), None);
    }

    #[test]
    fn the_closed_folder_on_the_way_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let closed = dir.path().canonicalize().expect("resolved").join("closed");
        let inner = closed.join("inner");
        fs::create_dir_all(&inner).expect("created");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("closed");
        let stranger = Account {
            name: "stranger".to_owned(),
            uid: 3_999_999_999,
            gid: 3_999_999_999,
        };
        let path = inner.join("data");
        assert_eq!(stranger.blocked_by(&path), Some(closed.clone()));
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).expect("opened");
        assert_eq!(stranger.blocked_by(&path), None);
        let error = stranger.explain(&io::Error::from_raw_os_error(libc::EPERM), &path);
        assert!(matches!(error, Some(Error::MayNotChangeUser { .. })));
    }
}
