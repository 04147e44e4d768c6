//! Root, an ordinary user, and folders that one of them may not enter.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;

use pg::{Error, Options};

use crate::scene::{Holder, folder, hold_program, is_root, refusal, runs, start, wait_for};

const NOBODY: u32 = 65_534;

#[test]
fn root_runs_the_server_as_another_user_and_keeps_the_folder() {
    if !is_root() {
        return println!("skipped, because this is not root");
    }
    let dir = folder();
    let cluster = start(dir.path());
    let owner = |path: &str| fs::metadata(dir.path().join(path)).expect("there").uid();
    assert_ne!(owner("data"), 0);
    assert_eq!(owner("data"), owner("sock"));
    assert_eq!(owner(""), 0);
    let server = fs::metadata(format!("/proc/{}", cluster.pid())).expect("it runs");
    assert_eq!(server.uid(), owner("data"));
    cluster.stop().expect("stopped");

    // Restored from a backup by root, say.
    chown(dir.path().join("data"), Some(0), Some(0)).expect("changed");
    chown(dir.path().join("data/base"), Some(0), Some(0)).expect("changed");
    start(dir.path()).stop().expect("stopped");
    assert_ne!(owner("data/base"), 0);
    // Whoever owns existing data goes on with them.
    for path in ["data", "sock"] {
        let all = std::process::Command::new("chown")
            .args(["-R", &NOBODY.to_string()])
            .arg(dir.path().join(path))
            .status();
        assert!(all.expect("chown runs").success());
    }
    let cluster = start(dir.path());
    let server = fs::metadata(format!("/proc/{}", cluster.pid())).expect("it runs");
    assert_eq!(server.uid(), NOBODY);
}

#[test]
fn root_is_told_which_folder_is_closed_to_the_server() {
    if !is_root() {
        return println!("skipped, because this is not root");
    }
    let dir = folder();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).expect("created");
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("closed");
    let error = refusal(Options::for_tests(closed.join("app/pg")));
    let Error::NotSearchable { directory, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(directory, &closed);
    assert!(error.to_string().contains("chmod o+x"), "{error}");
    fs::set_permissions(&closed, Permissions::from_mode(0o711)).expect("opened");
    start(&closed.join("app/pg")).stop().expect("stopped");
}

#[test]
fn an_ordinary_user_runs_a_cluster_and_not_somebody_elses() {
    if !is_root() {
        return println!("skipped, because only root can become another user");
    }
    let program = hold_program();
    let closed = program.ancestors().skip(1).find(|folder| {
        let meta = fs::metadata(folder).expect("there");
        meta.mode() & 0o001 == 0
    });
    if let Some(closed) = closed {
        return println!("skipped, because `{}` is closed to others", closed.display());
    }
    let dir = folder();
    let home = dir.path().join("pg");
    fs::create_dir(&home).expect("created");
    chown(&home, Some(NOBODY), Some(NOBODY)).expect("changed");
    let mut holder = Holder::start(&home, Some((NOBODY, NOBODY)));
    let server = fs::metadata(format!("/proc/{}", holder.postmaster)).expect("it runs");
    assert_eq!(server.uid(), NOBODY);
    drop(holder.child.stdin.take());
    assert!(holder.child.wait().expect("it ended").success());
    assert!(!runs(holder.postmaster));

    let mut holder = Holder::start(&home, Some((NOBODY, NOBODY)));
    holder.kill();
    wait_for("the server's end", || !runs(holder.postmaster));
    let mut other = crate::scene::hold_command(&home);
    let stderr = dir.path().join("stderr");
    other.stderr(fs::File::create(&stderr).expect("created"));
    chown(home.join("data"), Some(1), Some(1)).expect("changed");
    other.uid(NOBODY).gid(NOBODY);
    let status = other.status().expect("hold runs");
    assert!(!status.success());
    let text = fs::read_to_string(&stderr).expect("read");
    assert!(text.contains("belongs to user"), "{text}");
}
