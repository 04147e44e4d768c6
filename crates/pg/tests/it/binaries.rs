//! Which server runs a cluster, and what is said when none can.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use pg::{Cluster, Error, Options, find_binaries};

use crate::scene::{folder, refusal, script, sql, start};

#[test]
fn the_data_of_another_version_are_refused_and_left_alone() {
    let dir = folder();
    let cluster = start(dir.path());
    let major = cluster.major();
    cluster.stop().expect("stopped");
    let file = dir.path().join("data/PG_VERSION");
    fs::write(&file, "99\n").expect("written");
    let options = Options {
        allow_install: false,
        ..Options::for_tests(dir.path())
    };
    let error = refusal(options);
    assert!(
        matches!(error, Error::VersionMismatch { cluster: 99, .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains(&format!("{major} (`")), "{text}");
    assert!(text.contains("dump the data"), "{text}");
    fs::write(&file, format!("{major}\n")).expect("written");
    start(dir.path()).stop().expect("stopped");
}

#[test]
fn broken_programs_are_named_with_their_fault() {
    let dir = folder();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).expect("created");
    let complaint = |expected: &str| {
        let error = refusal(Options {
            bin: Some(bin.clone()),
            ..Options::for_tests(dir.path().join("pg"))
        });
        assert!(matches!(error, Error::BadBinaries(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains("/bin`"), "{text}");
    };
    complaint("it has no `postgres`");
    script(
        &bin,
        "postgres",
        "echo 'libssl.so.1.1: cannot open shared object file' >&2; exit 127",
    );
    complaint("it has `postgres` but no `initdb`");
    script(&bin, "initdb", "exit 1");
    complaint("(exit status 127): libssl.so.1.1: cannot open shared object file");
    script(&bin, "postgres", "echo 'postgres (PostgreSQL) 14.9'");
    complaint("it is version 14.9, older than 15");
    script(&bin, "postgres", "echo hello");
    complaint("`postgres -V` answers `hello`");
    let closed = fs::Permissions::from_mode(0o644);
    fs::set_permissions(bin.join("postgres"), closed).expect("closed");
    complaint("`postgres` cannot be run: Permission denied");

    script(&bin, "postgres", "echo 'postgres (PostgreSQL) 15.0'");
    script(
        &bin,
        "initdb",
        "echo 'initdb: error: nothing works here' >&2; exit 1",
    );
    let error = refusal(Options {
        bin: Some(bin),
        ..Options::for_tests(dir.path().join("pg"))
    });
    assert!(matches!(error, Error::Init { .. }), "{error}");
    assert!(error.to_string().contains("nothing works here"), "{error}");
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let dir = folder();
    fs::create_dir(dir.path().join("data")).expect("created");
    fs::write(dir.path().join("data/notes.txt"), "mine").expect("written");
    let error = refusal(Options::for_tests(dir.path()));
    assert!(matches!(error, Error::NotACluster { .. }), "{error}");
    assert!(dir.path().join("data/notes.txt").exists());
}

#[test]
fn a_missing_version_is_installed_and_runs_a_cluster() {
    let dir = folder();
    let cache = dir.path().join("cache");
    let options = |name: &str| Options {
        cache: Some(cache.clone()),
        ..Options::for_tests(dir.path().join(name))
    };
    // A cluster of version 18 on a machine whose own server may be another.
    let data = dir.path().join("old/data");
    fs::create_dir_all(&data).expect("created");
    fs::write(data.join("PG_VERSION"), "18\n").expect("written");
    let binaries = match find_binaries(&options("old")) {
        Ok(binaries) => binaries,
        Err(Error::VersionMismatch {
            install: Some(why), ..
        }) => return println!("skipped, because nothing can be installed here: {why}"),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(binaries.major, 18);
    let again = find_binaries(&Options {
        allow_install: false,
        ..options("old")
    });
    assert_eq!(again.expect("it is kept"), binaries);
    let cluster = Cluster::start(Options {
        bin: Some(binaries.dir),
        ..options("new")
    })
    .unwrap_or_else(|error| panic!("{error}"));
    assert!(sql(&cluster, "show server_version").starts_with("18"));
}
