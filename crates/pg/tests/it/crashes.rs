//! kill -9 of the server, of its owner, of both, and of a creation.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pg::{Cluster, Health, Options};

use crate::scene::{Holder, folder, hold_command, kill, runs, script, sql, start, wait_for};

#[test]
fn a_killed_server_is_started_again() {
    let dir = folder();
    let cluster = start(dir.path());
    sql(&cluster, "create table kept as select 42 as answer");
    let first = cluster.pid();
    kill(first);
    wait_for("a restart", || cluster.health() == Health::Restarted(1));
    assert!(cluster.is_alive());
    assert_ne!(cluster.pid(), first);
    assert_eq!(sql(&cluster, "select answer from kept"), "42");
    kill(cluster.pid());
    wait_for("a second restart", || cluster.health() == Health::Restarted(2));
    assert_eq!(sql(&cluster, "select answer from kept"), "42");
    cluster.stop().expect("stopped");
}

#[test]
fn a_server_that_cannot_come_back_is_reported_with_its_log() {
    let dir = folder();
    let cluster = start(dir.path());
    let conf = dir.path().join("data/postgresql.conf");
    fs::write(&conf, "broken_by_the_test = 1\n").expect("written");
    kill(cluster.pid());
    let mut last = String::new();
    wait_for("the report", || match cluster.health() {
        Health::Degraded(reason) => {
            last = reason;
            true
        }
        _ => false,
    });
    assert!(last.contains("broken_by_the_test"), "{last}");
    assert!(!cluster.is_alive());
    cluster.stop().expect("there is nothing left to stop");
    start(dir.path())
        .stop()
        .expect("the configuration is written anew");
}

#[test]
fn a_killed_owner_takes_its_server_along_cleanly() {
    let dir = folder();
    let mut holder = Holder::start(dir.path(), None);
    holder.kill();
    wait_for("the server's end", || !runs(holder.postmaster));
    let cluster = Cluster::start(Options::new(dir.path())).expect("started again");
    let log = fs::read_to_string(cluster.log_path()).expect("a log");
    assert!(log.contains("received fast shutdown request"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[test]
fn the_next_owner_need_not_wait_for_the_old_server() {
    let dir = folder();
    let mut holder = Holder::start(dir.path(), None);
    holder.kill();
    let cluster = start(dir.path());
    assert_ne!(cluster.pid(), holder.postmaster);
    assert_eq!(sql(&cluster, "select 1"), "1");
}

#[test]
fn owner_and_server_killed_together_recover() {
    let dir = folder();
    let mut holder = Holder::start(dir.path(), None);
    kill(holder.postmaster);
    holder.kill();
    let cluster = start(dir.path());
    assert_eq!(sql(&cluster, "select 1"), "1");
    assert_eq!(cluster.health(), Health::Running);
}

/// Runs a program as the owner of the data, with nothing that ties it to this test.
fn as_server(data: &Path, program: &Path) -> Command {
    let meta = fs::metadata(data).expect("there");
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if crate::scene::is_root() {
        command.uid(meta.uid()).gid(meta.gid());
    }
    command
}

#[test]
fn a_server_without_an_owner_is_ended_and_replaced() {
    let dir = folder();
    let cluster = start(dir.path());
    let postgres = cluster.binaries().program("postgres");
    cluster.stop().expect("stopped");
    let data = dir.path().join("data");
    let mut orphan = as_server(&data, &postgres)
        .arg("-D")
        .arg(data.canonicalize().expect("resolved"))
        .spawn()
        .expect("it runs");
    wait_for("the orphan is ready", || {
        let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        file.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    });
    let cluster = start(dir.path());
    let status = orphan.wait().expect("it ended");
    assert!(status.success(), "{status}");
    assert_eq!(sql(&cluster, "select 1"), "1");
}

#[test]
fn a_stale_file_with_a_number_that_lives_again_is_no_obstacle() {
    let dir = folder();
    start(dir.path()).stop().expect("stopped");
    let data = dir.path().join("data");
    let mut stranger = as_server(&data, Path::new("/bin/sleep"))
        .arg("1000")
        .spawn()
        .expect("it runs");
    let stale = |pid: u32| {
        let text = format!("{pid}\n{}\n1795180000\n5432\n\n\n\nready   \n", data.display());
        fs::write(data.join("postmaster.pid"), text).expect("written");
    };
    stale(stranger.id());
    start(dir.path()).stop().expect("stopped");
    assert!(runs(stranger.id()), "a stranger is left alone");
    // Dead, but not reaped: PostgreSQL alone would refuse for as long as it stays so.
    stale(stranger.id());
    kill(stranger.id());
    wait_for("a zombie", || !runs(stranger.id()));
    start(dir.path()).stop().expect("stopped");
    stranger.wait().expect("reaped");
}

#[test]
fn a_killed_creation_leaves_only_what_the_next_start_removes() {
    let dir = folder();
    let home = dir.path().join("pg");
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).expect("created");
    script(&bin, "postgres", "echo 'postgres (PostgreSQL) 15.0'");
    // What it leaves is written by the server's user, as the real program's files are.
    script(
        &bin,
        "initdb",
        "mkdir \"$2/base\" && : > \"$2/base/begun\" && exec sleep 1000",
    );
    let mut holder = hold_command(&home).arg(&bin).spawn().expect("hold runs");
    let leftovers = || {
        let entries = fs::read_dir(&home).into_iter().flatten().flatten();
        let names = entries.filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("data.init.")
        });
        names.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    wait_for("a half-made cluster", || {
        leftovers().iter().any(|new| new.join("base/begun").exists())
    });
    holder.kill().expect("killed");
    holder.wait().expect("reaped");
    assert!(!home.join("data").exists());

    let cluster = start(&home);
    assert!(leftovers().is_empty());
    assert_eq!(sql(&cluster, "select 1"), "1");
}
