//! Start, use, stop, and start again.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use pg::{Cluster, Error, Health, Options};

use crate::scene::{folder, query, refusal, runs, sql, start};

#[test]
fn a_cluster_starts_stops_and_keeps_its_data() {
    let dir = folder();
    let cluster = start(dir.path());
    assert!(cluster.is_alive());
    assert_eq!(cluster.health(), Health::Running);
    assert!(runs(cluster.pid()));
    for (setting, value) in [
        ("listen_addresses", ""),
        ("wal_level", "logical"),
        ("jit", "off"),
        ("shared_buffers", "64MB"),
        ("max_connections", "100"),
        ("timezone", "UTC"),
        ("dynamic_shared_memory_type", "mmap"),
        ("unix_socket_permissions", "0700"),
    ] {
        assert_eq!(sql(&cluster, &format!("show {setting}")), value, "{setting}");
    }
    let facts = "select current_user, pg_encoding_to_char(encoding), datcollate \
                 from pg_database where datname = 'template1'";
    assert_eq!(sql(&cluster, facts), "supabase_admin|UTF8|C");
    let version = sql(&cluster, "show server_version_num");
    assert!(version.starts_with(&cluster.major().to_string()));
    let mode = fs::metadata(cluster.socket_dir())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);

    sql(&cluster, "create table kept as select 42 as answer");
    let pid = cluster.pid();
    cluster.stop().expect("stopped");
    assert!(!runs(pid));
    let data = dir.path().join("data");
    assert!(!data.join("postmaster.pid").exists());
    assert!(dir.path().join("VERSION.json").exists());

    let cluster = start(dir.path());
    assert_eq!(sql(&cluster, "select answer from kept"), "42");
    let pid = cluster.pid();
    drop(cluster);
    assert!(!runs(pid), "dropping a cluster stops it");
}

#[test]
fn open_connections_do_not_delay_a_stop() {
    let dir = folder();
    let cluster = start(dir.path());
    let url = cluster.url(cluster.superuser(), "postgres");
    std::thread::scope(|scope| {
        let cluster = &cluster;
        let sleeper = scope.spawn(move || query(cluster, &url, "select pg_sleep(1000)"));
        crate::scene::wait_for("the sleeper sleeps", || {
            let asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            sql(cluster, asleep) == "1"
        });
        // A fast shutdown, as `stop` asks for.
        let pid = i32::try_from(cluster.pid()).expect("a process id");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signalled");
        let answer = sleeper.join().expect("no panic");
        assert!(answer.is_err_and(|text| text.contains("terminating connection")));
    });
    cluster.stop().expect("stopped");
}

#[test]
fn the_server_outlives_the_thread_that_started_it() {
    let dir = folder();
    let path = dir.path().to_owned();
    let cluster = std::thread::spawn(move || start(&path)).join().expect("no panic");
    assert_eq!(sql(&cluster, "select 1"), "1");
    assert!(cluster.is_alive());
}

#[test]
fn a_second_instance_is_told_who_holds_the_cluster() {
    let dir = folder();
    let cluster = start(dir.path());
    let error = refusal(Options::for_tests(dir.path()));
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    let text = error.to_string();
    let me = std::process::id().to_string();
    assert!(
        text.contains("already in use by process") && text.contains(&me),
        "{text}"
    );
    assert_eq!(sql(&cluster, "select 1"), "1", "the first is not disturbed");
}

#[test]
fn a_long_and_odd_path_gets_a_short_socket() {
    let dir = folder();
    let deep = dir.path().join(format!("it's, \"a\" b-ü\\{}", "x".repeat(100)));
    let cluster = start(&deep);
    assert!(!cluster.socket_dir().starts_with(&deep));
    assert_eq!(sql(&cluster, "select 1"), "1");
    let socket_dir = cluster.socket_dir().to_owned();
    let mode = fs::metadata(&socket_dir).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    cluster.stop().expect("stopped");
    assert!(!socket_dir.exists());
    let short = dir.path().join("it's \"b\" ü\\");
    let cluster = start(&short);
    assert_eq!(cluster.socket_dir(), short.join("sock"));
    assert_eq!(sql(&cluster, "select 1"), "1");
}

#[test]
fn a_tcp_port_asks_for_a_password_and_a_taken_one_is_named() {
    let dir = folder();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let options = || Options {
        tcp_port: Some(port),
        ..Options::for_tests(dir.path())
    };
    let error = refusal(options());
    assert!(
        matches!(error, Error::PortInUse { port: taken } if taken == port),
        "{error}"
    );
    drop(listener);

    let cluster = Cluster::start(options()).expect("the port is free now");
    assert_eq!(cluster.port(), port);
    sql(&cluster, "create role guest login password 'geheim'");
    let url = |password: &str| format!("postgres://guest:{password}@127.0.0.1:{port}/postgres");
    let answer = query(&cluster, &url("geheim"), "select current_user");
    assert_eq!(answer, Ok("guest".to_owned()));
    assert!(query(&cluster, &url("wrong"), "select 1").is_err());
}

#[test]
fn settings_of_the_caller_win_and_a_bad_one_shows_the_servers_words() {
    let dir = folder();
    let with = |name: &str, value: &str| Options {
        settings: vec![(name.to_owned(), value.to_owned())],
        ..Options::for_tests(dir.path())
    };
    let cluster = Cluster::start(with("max_connections", "33")).expect("started");
    assert_eq!(sql(&cluster, "show max_connections"), "33");
    drop(cluster);
    let error = refusal(with("max_connections", "many"));
    let Error::Start { lines, .. } = &error else {
        panic!("{error}");
    };
    assert!(
        lines.iter().any(|line| line.contains("max_connections")),
        "{error}"
    );
    let error = refusal(with("no space", "1"));
    assert!(matches!(error, Error::BadSetting { .. }), "{error}");
    start(dir.path()).stop().expect("a failed start changes nothing");
}
