//! The product as it is started: `lmms-dash serve` and `lmms-dash work`, each a process that a
//! test kills, stops and starts again. What they start is ended with the house.

use super::runs_stage::{Org, Stage, new_database, prepare, quick_settings, server, until};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

/// One process of the product.
pub(crate) struct Program {
    child: Child,
}

impl Program {
    fn start(command: &str, arguments: &[&str], settings: &[(String, String)], log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let kept = std::env::vars().filter(|(name, _)| !name.starts_with("LMMS_") && name != "DATABASE_URL");
        let child = Command::new(env!("CARGO_BIN_EXE_lmms-dash"))
            .arg(command)
            .args(arguments)
            .env_clear()
            .envs(kept)
            .envs(settings.iter().cloned())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    pub(crate) fn send(&self, signal: Signal) {
        signal_process(self.pid(), signal);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal; false when there is no such process.
pub(crate) fn signal_process(pid: u32, signal: Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Where a house gets its PostgreSQL from.
pub(crate) enum Ground {
    /// A database of the cluster that all tests share.
    Shared,
    /// A cluster that nobody else minds being killed.
    Own,
}

/// A server, a worker, a database and an organization.
pub(crate) struct House {
    pub(crate) stage: Stage,
    pub(crate) org: Org,
    pub(crate) server: Program,
    pub(crate) worker: Program,
    /// Where the database is, for a superuser.
    admin: String,
    settings: Vec<(String, String)>,
    benchmarks: Mutex<HashMap<String, Uuid>>,
    acknowledged: Mutex<Vec<String>>,
    /// Where the server is, for those who come back.
    address: watch::Sender<String>,
    pub(crate) cluster: Option<(pg::Cluster, TempDir)>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Ground::Shared, &[]).await
    }

    pub(crate) async fn with(ground: Ground, settings: &[(&str, &str)]) -> Self {
        let (url, admin, cluster) = database(ground).await;
        Self::on(url, admin, cluster, settings).await
    }

    /// On this database. Settings that are none of ours are variables of the processes.
    pub(crate) async fn on(
        url: String,
        admin: String,
        cluster: Option<(pg::Cluster, TempDir)>,
        more: &[(&str, &str)],
    ) -> Self {
        let mut all = vec![
            ("LMMS_LEASE", "1s"),
            ("LMMS_DB_POOL", "6"),
            ("LMMS_RETRY_WAIT", "100ms"),
        ];
        all.extend(more);
        let (ours, plain): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(name, _)| name.starts_with("LMMS_"));
        let mut stage = Stage::on(&url, "127.0.0.1:0", &ours).await;
        let mut settings = quick_settings(stage.data.path(), "127.0.0.1:0", &ours);
        settings.extend(plain.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())));
        settings.push(("DATABASE_URL".to_owned(), url));
        let server = serve(&mut stage, &settings).await;
        let worker = work(&stage, &settings);
        let org = stage.org("A").await;
        Self {
            address: watch::Sender::new(stage.url.clone()),
            org,
            server,
            worker,
            admin,
            settings,
            benchmarks: Mutex::default(),
            acknowledged: Mutex::default(),
            cluster,
            stage,
        }
    }

    pub(crate) async fn restart_server(&mut self) {
        self.server.kill();
        self.server = serve(&mut self.stage, &self.settings).await;
        self.address.send_replace(self.stage.url.clone());
    }

    pub(crate) fn restart_worker(&mut self) {
        self.worker.kill();
        self.worker = work(&self.stage, &self.settings);
    }

    /// Another worker of the same folder.
    pub(crate) fn second_worker(&self, more: &[(&str, &str)]) -> Program {
        let mut settings = self.settings.clone();
        settings.retain(|(variable, _)| !more.iter().any(|(other, _)| other == variable));
        settings.extend(more.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())));
        work(&self.stage, &settings)
    }

    /// Where the server is now and after each restart.
    pub(crate) fn address(&self) -> watch::Receiver<String> {
        self.address.subscribe()
    }

    /// The own cluster.
    pub(crate) fn cluster(&self) -> &pg::Cluster {
        &self.cluster.as_ref().unwrap().0
    }

    /// Creates a run; what was acknowledged is expected to be there for ever.
    pub(crate) async fn create(&self, names: &[&str], config: Value) -> String {
        let body = self.request(names, config).await;
        let (status, created) = self.stage.post("/runs/create", &self.org.editor, &body).await;
        assert_eq!(status, 201, "{created}");
        self.acknowledge(created["run_id"].as_str().unwrap())
    }

    /// Creates a run as a client does that wants it: again and again under one key, whoever is not
    /// there at the moment. Returns its id and how often it was told to come back.
    pub(crate) async fn insist(&self, body: &Value, key: &str) -> (String, u32) {
        let refusals = AtomicU32::new(0);
        let run = until("the run", || async {
            let request = self.stage.request(Method::POST, "/runs/create", &self.org.editor);
            let response = request
                .header("Idempotency-Key", key)
                .json(body)
                .send()
                .await
                .ok()?;
            let (status, comes_back) = (response.status(), response.headers().contains_key("retry-after"));
            let answer: Value = response.json().await.ok()?;
            if status == 503 {
                assert!(comes_back, "{answer}");
                refusals.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            assert_eq!(status, 201, "{answer}");
            Some(answer["run_id"].as_str().unwrap().to_owned())
        })
        .await;
        (self.acknowledge(&run), refusals.into_inner())
    }

    pub(crate) fn acknowledge(&self, run: &str) -> String {
        self.acknowledged.lock().unwrap().push(run.to_owned());
        run.to_owned()
    }

    pub(crate) fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().unwrap().clone()
    }

    /// What creates a run of these benchmarks.
    pub(crate) async fn request(&self, names: &[&str], config: Value) -> Value {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.benchmark(name).await);
        }
        json!({"model_id": self.org.model, "benchmark_ids": ids, "config": config})
    }

    async fn benchmark(&self, name: &str) -> Uuid {
        let known = self.benchmarks.lock().unwrap().get(name).copied();
        if let Some(id) = known {
            return id;
        }
        let id = self.stage.benchmark(name).await;
        self.benchmarks.lock().unwrap().insert(name.to_owned(), id);
        id
    }

    pub(crate) async fn until_over(&self, run: &str) -> Value {
        self.stage.until_over(&self.org, run).await
    }

    /// The database's address for a superuser.
    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// The database's socket, and the address that leads through another one in `folder`.
    pub(crate) fn socket_through(&self, folder: &Path) -> (PathBuf, String) {
        let cluster = self.cluster.as_ref().map_or(&server().cluster, |own| &own.0);
        let encode = |path: &Path| path.to_str().unwrap().replace('/', "%2F");
        let (_, url) = self
            .settings
            .iter()
            .find(|(name, _)| name == "DATABASE_URL")
            .unwrap();
        let other = url.replacen(&encode(cluster.socket_dir()), &encode(folder), 1);
        assert_ne!(*url, other);
        (
            cluster.socket_dir().join(format!(".s.PGSQL.{}", cluster.port())),
            other,
        )
    }

    /// Rows, as a superuser sees them.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.admin, NoTls).await?;
        let connection = tokio::spawn(connection);
        let rows = client.query(sql, &[]).await;
        drop(client);
        let _ = connection.await;
        rows
    }

    /// Each process of an attempt.
    pub(crate) fn processes(&self, run: &str, epoch: i32) -> Processes {
        Processes::of(&self.stage.attempt_dir(run, epoch))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["serve.log", "work.log"] {
                let text = fs::read_to_string(self.stage.data.path().join(log)).unwrap_or_default();
                eprintln!("--- {log}\n{text}");
            }
        }
        self.server.kill();
        self.worker.kill();
        let folder = self.stage.data.path().to_owned();
        while kill_all_in(&folder) > 0 {}
    }
}

/// Kills every process that works below a folder; returns how many there were.
fn kill_all_in(folder: &Path) -> usize {
    let is_inside = |pid: &u32| {
        let works_in = fs::read_link(format!("/proc/{pid}/cwd"));
        works_in.is_ok_and(|at| at.starts_with(folder)) && state_of(*pid) != Some('Z')
    };
    let found: Vec<u32> = all_processes().into_iter().filter(is_inside).collect();
    for pid in &found {
        signal_process(*pid, Signal::KILL);
    }
    found.len()
}

fn all_processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect()
}

/// The state letter and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub(crate) fn state_of(pid: u32) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

/// Whether a process is there and no zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

/// The processes of an attempt that are there now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Processes {
    pub(crate) keeper: Option<u32>,
    pub(crate) reporter: Option<u32>,
    pub(crate) child: Option<u32>,
}

impl Processes {
    fn of(folder: &Path) -> Self {
        let record = fs::read(folder.join("pid.json")).unwrap_or_default();
        let record: Value = serde_json::from_slice(&record).unwrap_or_default();
        let Some(keeper) = record["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()) else {
            return Self::default();
        };
        let mut found = Self {
            keeper: is_executor(keeper).then_some(keeper),
            ..Self::default()
        };
        for pid in all_processes() {
            match stat(pid) {
                Some((state, parent)) if parent == keeper && state != 'Z' => {}
                _ => continue,
            }
            if is_executor(pid) {
                found.reporter = Some(pid);
            } else {
                found.child = Some(pid);
            }
        }
        found
    }
}

fn is_executor(pid: u32) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command.split(|b| *b == 0).any(|part| part == b"--attempt-dir")
}

async fn database(ground: Ground) -> (String, String, Option<(pg::Cluster, TempDir)>) {
    match ground {
        Ground::Shared => {
            let url = new_database().await;
            let admin = url.replacen("lmms_api@", &format!("{}@", server().cluster.superuser()), 1);
            (url, admin, None)
        }
        Ground::Own => {
            let folder = tempfile::Builder::new().prefix("lmms-own").tempdir().unwrap();
            let cluster = own_cluster(folder.path(), None).await;
            prepare(&cluster).await;
            let url = |user: &str| cluster.url(user, "postgres");
            (url("lmms_api"), url(cluster.superuser()), Some((cluster, folder)))
        }
    }
}

/// Starts the cluster that lives in a folder.
pub(crate) async fn own_cluster(folder: &Path, programs: Option<PathBuf>) -> pg::Cluster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut options = pg::Options::for_tests(folder.join("pg"));
    options.bin = programs;
    options.progress = Box::new(|_| {});
    tokio::task::spawn_blocking(|| pg::Cluster::start(options))
        .await
        .unwrap()
        .unwrap()
}

async fn serve(stage: &mut Stage, settings: &[(String, String)]) -> Program {
    let data = stage.data.path().to_owned();
    let ready = data.join("ready.json");
    let arguments = ["--ready-file", ready.to_str().unwrap()];
    let program = Program::start("serve", &arguments, settings, &data.join("serve.log"));
    let found = until("the server", || {
        assert!(
            is_alive(program.pid()),
            "the server ended: {}",
            text_of(&data.join("serve.log"))
        );
        let record: Value = serde_json::from_str(&text_of(&ready)).unwrap_or_default();
        let ours = record["pid"] == program.pid();
        async move { record["url"].as_str().filter(|_| ours).map(str::to_owned) }
    })
    .await;
    stage.url = found;
    program
}

fn work(stage: &Stage, settings: &[(String, String)]) -> Program {
    Program::start("work", &[], settings, &stage.data.path().join("work.log"))
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
