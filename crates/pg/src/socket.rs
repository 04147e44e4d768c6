//! Where the server's Unix socket lies: beside the data, or in a short private folder elsewhere
//! when the path is too long for the kernel, cannot stand in a connection URL, or is on a file
//! system that may not hold sockets.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::Error;
use crate::home::{self, Home};

/// The kernel's limit is 107 bytes.
const LONGEST_PATH: usize = 100;

/// Chooses the folder and makes it private to the server's user.
pub(crate) fn prepare(home: &Home, port: u16, account: Option<&Account>) -> Result<PathBuf, Error> {
    let beside = home.sock();
    let dir = if fits(&beside, port) && !on_network(&home.dir) {
        beside
    } else {
        fallback(home, account.is_some())
    };
    if !fits(&dir, port) {
        return Err(refused(
            &dir,
            "its path is too long, has a comma, or is not UTF-8",
        ));
    }
    claim(&dir, account)?;
    Ok(dir)
}

/// Removes a folder that lies outside the cluster's own; inside, it is kept for the next start.
pub(crate) fn clean_up(home: &Home, dir: &Path) {
    if dir != home.sock() {
        fs::remove_dir(dir).ok();
    }
}

/// Clients take a host with a comma for a list, and a URL holds UTF-8.
fn fits(dir: &Path, port: u16) -> bool {
    let socket = dir.join(format!(".s.PGSQL.{port}"));
    socket
        .to_str()
        .is_some_and(|path| path.len() <= LONGEST_PATH && !path.contains(','))
}

fn fallback(home: &Home, changes_user: bool) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    home.dir.hash(&mut hasher);
    let uid = rustix::process::geteuid().as_raw();
    let name = format!("pg-{uid}-{:016x}", hasher.finish());
    // Another user could not enter root's runtime folder.
    let runtime = env::var_os("XDG_RUNTIME_DIR").filter(|_| !changes_user);
    let parent = runtime.map(PathBuf::from).filter(|dir| dir.is_dir());
    parent.unwrap_or_else(|| "/tmp".into()).join(name)
}

/// Creates the folder, or takes one over that already belongs to the right user: in `/tmp`
/// somebody else may have been there first.
fn claim(dir: &Path, account: Option<&Account>) -> Result<(), Error> {
    let me = rustix::process::geteuid().as_raw();
    let server = account.map_or(me, |account| account.uid);
    match fs::symlink_metadata(dir) {
        Ok(meta) if !meta.is_dir() => Err(refused(dir, "it is not a folder")),
        Ok(meta) if meta.uid() == server && meta.permissions().mode() & 0o777 == 0o700 => Ok(()),
        Ok(meta) if meta.uid() != me && meta.uid() != server => {
            Err(refused(dir, "it belongs to another user"))
        }
        _ => {
            home::private_dir(dir)?;
            account.map_or(Ok(()), |account| account.own(dir))
        }
    }
}

fn refused(dir: &Path, reason: &str) -> Error {
    Error::Socket {
        path: dir.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Whether the folder lies on a network or user-space file system, which may refuse sockets.
#[cfg(target_os = "linux")]
fn on_network(dir: &Path) -> bool {
    const NFS: u64 = 0x6969;
    const LUSTRE: u64 = 0x0BD0_0BD0;
    const FUSE: u64 = 0x6573_5546;
    const CIFS: u64 = 0xFF53_4D42;
    const SMB2: u64 = 0xFE53_4D42;
    const NINEP: u64 = 0x0102_1997;
    rustix::fs::statfs(dir).is_ok_and(|stat| {
        let kind = u64::try_from(stat.f_type).unwrap_or_default();
        matches!(kind, NFS | LUSTRE | FUSE | CIFS | SMB2 | NINEP)
    })
}

#[cfg(not(target_os = "linux"))]
fn on_network(_dir: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_way_is_refused_and_an_own_folder_is_narrowed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/etc", &link).expect("linked");
        assert!(matches!(claim(&link, None), Err(Error::Socket { .. })));
        let open = dir.path().join("open");
        fs::create_dir(&open).expect("created");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("opened");
        claim(&open, None).expect("it is ours");
        let mode = fs::metadata(&open).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn the_fallback_is_short_and_differs_by_cluster() {
        let home = |dir: &str| Home { dir: dir.into() };
        let long = format!("/srv/{}", "x".repeat(200));
        let one = fallback(&home(&long), true);
        assert!(fits(&one, 65_535));
        assert!(!fits(&home(&long).sock(), 5432));
        assert!(!fits(Path::new("/srv/a,b"), 5432));
        assert_ne!(one, fallback(&home("/srv/y"), true));
        assert_eq!(one, fallback(&home(&long), true));
    }
}
