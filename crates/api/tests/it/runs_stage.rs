//! A stage for runs: one cluster for all tests, a database, a server and organizations for each.

use api::config::{Config, Source};
use api::db::schema::{benchmarks, models};
use api::db::tokens::NewToken;
use api::db::{Conn, Db, Error, migrate, organizations, tokens};
use api::state::AppState;
use api::{app, auth, worker};
use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use types::{OrganizationId, Role};
use uuid::Uuid;

/// How long a test waits for something before it says that it did not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server with its own database and data directory.
pub(crate) struct Stage {
    pub(crate) state: AppState,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) data: TempDir,
}

/// An organization with a token for each role.
#[derive(Clone, Debug)]
pub(crate) struct Org {
    pub(crate) id: Uuid,
    pub(crate) editor: String,
    pub(crate) viewer: String,
    pub(crate) model: Uuid,
}

/// A worker that is stopped when it is dropped.
pub(crate) struct Working {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Working {
    /// Cuts the worker off, as a crash does.
    pub(crate) async fn kill(mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _ = task.await;
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

pub(crate) struct Server {
    pub(crate) cluster: pg::Cluster,
    _folder: TempDir,
    _gpus: GpuList,
}

/// The file that the stub of NVML reads.
struct GpuList;

impl Drop for GpuList {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(fake_gpus());
    }
}

/// Databases are copied from one that is migrated; a copy needs it to be alone.
static SERVER: OnceLock<&'static Server> = OnceLock::new();
static OWNED: AtomicPtr<Server> = AtomicPtr::new(std::ptr::null_mut());
static TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The server of all tests, which ends with the process and takes its files along.
pub(crate) fn server() -> &'static Server {
    SERVER.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // SAFETY: set once, before the first worker reads it.
        unsafe { std::env::set_var("FAKE_NVML", fake_gpus()) };
        let folder = tempfile::Builder::new().prefix("lmms-runs").tempdir().unwrap();
        let mut options = pg::Options::for_tests(folder.path().join("pg"));
        options.settings = vec![("max_connections".to_owned(), "200".to_owned())];
        options.progress = Box::new(|_| {});
        let cluster = pg::Cluster::start(options).unwrap();
        // SAFETY: the function may be called at any time.
        unsafe { libc::atexit(end_server) };
        let server = Box::into_raw(Box::new(Server {
            cluster,
            _folder: folder,
            _gpus: GpuList,
        }));
        OWNED.store(server, Ordering::Release);
        // SAFETY: it lives until the process ends.
        unsafe { &*server }
    })
}

/// Statics are never dropped, so this is what a drop of [`SERVER`] would be.
extern "C" fn end_server() {
    // Not in this thread, whose thread-locals are gone.
    let end = std::thread::spawn(|| {
        let server = OWNED.swap(std::ptr::null_mut(), Ordering::Acquire);
        if !server.is_null() {
            // SAFETY: it comes from a box, only once, and every test is over.
            drop(unsafe { Box::from_raw(server) });
        }
    });
    let _ = end.join();
}

/// Where the stub of NVML reads its GPUs from.
pub(crate) fn fake_gpus() -> PathBuf {
    std::env::temp_dir().join(format!("lmms-gpus-{}", std::process::id()))
}

/// Brings the database `postgres` of a cluster up to date.
pub(crate) async fn prepare(cluster: &pg::Cluster) {
    let url = |user| cluster.url(user, "postgres");
    migrate::bootstrap(&url(cluster.superuser())).await.unwrap();
    migrate::migrate(&url("postgres")).await.unwrap();
}

pub(crate) async fn new_database() -> String {
    let server = tokio::task::spawn_blocking(server).await.unwrap();
    let superuser = server.cluster.superuser();
    TEMPLATE.get_or_init(|| prepare(&server.cluster)).await;
    let name = format!("t{}", Uuid::now_v7().simple());
    let _alone = COPYING.lock().await;
    let admin = server.cluster.url(superuser, "template1");
    let (client, connection) = tokio_postgres::connect(&admin, tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    // The connections of the migration end a moment after it.
    until("the template to be free", || async {
        client
            .batch_execute(&format!("create database {name} template postgres"))
            .await
            .ok()
    })
    .await;
    drop(client);
    connection.await.unwrap().unwrap();
    server.cluster.url("lmms_api", &name)
}

impl Stage {
    /// A server on a fresh database.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with further settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stage = Self::on(&new_database().await, &address, settings).await;
        serve(&stage.state, listener);
        stage
    }

    /// The same on this database, with nobody who serves at `address`.
    pub(crate) async fn on(url: &str, address: &str, settings: &[(&str, &str)]) -> Self {
        let data = tempfile::Builder::new().prefix("lmms-data").tempdir().unwrap();
        let flags = quick_settings(data.path(), address, settings);
        let config = Config::from_source(&Source::parse(flags, std::iter::empty(), "").unwrap()).unwrap();
        let db = Db::connect(url, &config.database).await.unwrap();
        Self {
            url: format!("http://{address}"),
            client: reqwest::Client::new(),
            state: AppState::new(Arc::new(config), db).unwrap(),
            data,
        }
    }

    /// Starts a worker with real executors.
    pub(crate) fn work(&self) -> Working {
        let endpoint = json!({"url": self.url, "pid": std::process::id()});
        std::fs::write(self.state.config.endpoint_file(), endpoint.to_string()).unwrap();
        let (stop, stopped) = watch::channel(false);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_lmms-dash"));
        let task = tokio::spawn(worker::run_program(self.state.clone(), program, stopped));
        Working {
            stop,
            task: Some(task),
        }
    }

    /// An organization with a model.
    pub(crate) async fn org(&self, name: &str) -> Org {
        let id = self
            .state
            .db
            .service(async |conn: &mut Conn| {
                organizations::insert(conn, name, false)
                    .await
                    .map_err(Error::from)
            })
            .await
            .unwrap();
        Org {
            id: id.0,
            editor: self.token(id, Role::Editor).await,
            viewer: self.token(id, Role::Viewer).await,
            model: self.model(id, "demo model").await,
        }
    }

    pub(crate) async fn token(&self, organization: OrganizationId, role: Role) -> String {
        let id = Uuid::now_v7();
        let (text, secret_hash) = auth::tokens::mint(id.into());
        let token = NewToken {
            id,
            organization_id: organization.0,
            name: "test".into(),
            role: role.as_str().into(),
            scopes: vec![],
            secret_hash,
            created_by: None,
            expires_at: None,
        };
        self.state
            .db
            .service(async |conn: &mut Conn| tokens::insert(conn, &token).await.map_err(Error::from))
            .await
            .unwrap();
        text
    }

    async fn model(&self, organization: OrganizationId, name: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.state
            .db
            .service(async |conn: &mut Conn| {
                diesel::insert_into(models::table)
                    .values((
                        models::id.eq(id),
                        models::organization_id.eq(organization.0),
                        models::name.eq(name),
                        models::backend.eq("openai"),
                        models::model_args.eq(json!([["model_version", "demo"], ["num_concurrent", 2]])),
                    ))
                    .execute(conn)
                    .await
                    .map_err(Error::from)
            })
            .await
            .unwrap();
        id
    }

    /// A benchmark of the installed catalogue.
    pub(crate) async fn benchmark(&self, name: &str) -> Uuid {
        let leaves = match name.starts_with("group") {
            true => vec![format!("{name}_a"), format!("{name}_b")],
            false => vec![name.to_owned()],
        };
        self.benchmark_of(name, &leaves).await
    }

    /// A benchmark with these leaves.
    pub(crate) async fn benchmark_of(&self, name: &str, leaves: &[String]) -> Uuid {
        let id = Uuid::now_v7();
        let kind = if leaves == [name.to_owned()] {
            "task"
        } else {
            "group"
        };
        self.state
            .db
            .service(async |conn: &mut Conn| {
                diesel::insert_into(benchmarks::table)
                    .values((
                        benchmarks::id.eq(id),
                        benchmarks::name.eq(name),
                        benchmarks::kind.eq(kind),
                        benchmarks::modality.eq("Text"),
                        benchmarks::leaf_tasks.eq(leaves),
                    ))
                    .execute(conn)
                    .await
                    .map_err(Error::from)
            })
            .await
            .unwrap();
        id
    }

    /// A request below `/api/v1`.
    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(token)
    }

    /// GET, as JSON.
    pub(crate) async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path, token)).await
    }

    /// POST of JSON, as JSON.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path, token).json(body)).await
    }

    /// Creates a run of these benchmarks, which are made when they are new; returns its id.
    pub(crate) async fn create(&self, org: &Org, names: &[&str], config: Value) -> String {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.benchmark(name).await);
        }
        let body = json!({"model_id": org.model, "benchmark_ids": ids, "config": config});
        let (status, created) = self.post("/runs/create", &org.editor, &body).await;
        assert_eq!(status, 201, "{created}");
        created["run_id"].as_str().unwrap().to_owned()
    }

    /// The run's detail once it satisfies the condition.
    pub(crate) async fn until_run(
        &self,
        org: &Org,
        run: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        let path = format!("/runs/{run}");
        let seen = std::sync::Mutex::new(Value::Null);
        let found = try_until(|| async {
            let (_, detail) = self.get(&path, &org.viewer).await;
            let fine = fits(&detail);
            *seen.lock().unwrap() = detail.clone();
            fine.then_some(detail)
        })
        .await;
        found.unwrap_or_else(|| panic!("{what} did not come; the run is {:#}", seen.into_inner().unwrap()))
    }

    /// The run's detail once it is over.
    pub(crate) async fn until_over(&self, org: &Org, run: &str) -> Value {
        self.until_run(org, run, "the end", |d| {
            matches!(d["status"].as_str(), Some("completed" | "failed" | "cancelled"))
        })
        .await
    }

    /// The folder of an attempt.
    pub(crate) fn attempt_dir(&self, run: &str, epoch: i32) -> PathBuf {
        self.data
            .path()
            .join("attempts")
            .join(run)
            .join(epoch.to_string())
    }
}

/// A stand-in for lmms-eval, and durations for the impatient.
pub(crate) fn quick_settings(data: &Path, address: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let python = fixtures().join("python").display().to_string();
    let folder = data.display().to_string();
    let mut settings = vec![
        ("LMMS_DATA_DIR", folder.as_str()),
        ("LMMS_LISTEN", address),
        ("LMMS_EVAL_PYTHON", &python),
        ("LMMS_GRACE_INT", "300ms"),
        ("LMMS_GRACE_TERM", "300ms"),
        ("LMMS_POLL", "200ms"),
        ("LMMS_REPORT", "200ms"),
        ("LMMS_LEASE", "2s"),
        ("LMMS_EXECUTOR_SILENCE", "3s"),
    ];
    settings.retain(|(variable, _)| !more.iter().any(|(other, _)| other == variable));
    settings.extend(more);
    let own = |(variable, value): (&str, &str)| (variable.to_owned(), value.to_owned());
    settings.into_iter().map(own).collect()
}

fn serve(state: &AppState, listener: TcpListener) {
    let state = state.clone();
    let server = actix_web::HttpServer::new(move || app::build(state.clone()))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    tokio::spawn(server);
}

pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures"))
}

/// Tries until there is an answer; `None` when none came in time.
pub(crate) async fn try_until<T, F: Future<Output = Option<T>>>(probe: impl Fn() -> F) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(found) = probe().await {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        // What takes long is not looked at so often: looking costs the server time.
        tokio::time::sleep(pause).await;
        pause = (pause * 6 / 5).min(Duration::from_millis(100));
    }
}

/// Tries until there is an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, probe: impl Fn() -> F) -> T {
    try_until(probe)
        .await
        .unwrap_or_else(|| panic!("{what} did not come"))
}

/// The fields that a problem names.
pub(crate) fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    errors.iter().filter_map(|e| e["field"].as_str()).collect()
}
