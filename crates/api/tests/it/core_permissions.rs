//! Who may do what: every operation as every kind of caller, against the committed matrix.

use super::people::Person;
use super::runs_stage::{Org, Stage, answer};
use api::auth::ORGANIZATION_HEADER;
use api::db::tokens::NewToken;
use api::db::{Conn, Error, attempts, indexed, queue, tokens};
use api::{auth, openapi};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use types::{OrganizationId, Role};
use uuid::Uuid;

/// One line per operation, one column per caller.
const MATRIX: &str = include_str!("permissions.txt");
const EXECUTOR: &str = "00ff00ff";

/// The columns. Those of `token:` are owner's tokens with that scope alone.
const CALLERS: [&str; 11] = [
    "anonymous",
    "stranger",
    "viewer",
    "editor",
    "admin",
    "owner",
    "token:read",
    "token:runs",
    "token:models",
    "token:admin",
    "executor",
];

/// An organization with one of everything, and somebody of every kind.
struct Scene {
    stage: Stage,
    org: Org,
    run: String,
    attempt: Uuid,
    benchmark: Uuid,
    checkpoint: String,
    artifact: Uuid,
    sample: Uuid,
    slice: Uuid,
    import: String,
    people: Vec<Person>,
    /// A viewer who never asks for anything.
    member: Uuid,
    stranger: Person,
    tokens: Vec<String>,
}

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi::pretty().unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
            });
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// An attempt made by hand, whose executor has the token [`EXECUTOR`].
async fn attempt(stage: &Stage, run: &str) -> Uuid {
    let (attempt, run) = (Uuid::now_v7(), run.parse().unwrap());
    let made = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<(), Error> {
            let lease = Duration::from_secs(600);
            let claimed = queue::claim(conn, run, Uuid::now_v7(), lease).await?.unwrap();
            let new = attempts::NewAttempt {
                id: attempt,
                organization_id: claimed.organization_id,
                run_id: run,
                epoch: claimed.epoch,
                engine: "local",
                engine_name: "test".into(),
                host: None,
                directory: None,
                gpus: vec![],
                token_hash: Sha256::digest(EXECUTOR).to_vec(),
            };
            Ok(attempts::insert(conn, new).await?)
        })
        .await;
    made.unwrap();
    attempt
}

/// An owner's token that may do `scope` alone.
async fn narrow(stage: &Stage, organization: Uuid, scope: &str) -> String {
    let id = Uuid::now_v7();
    let (text, secret_hash) = auth::tokens::mint(id.into());
    let token = NewToken {
        id,
        organization_id: organization,
        name: scope.into(),
        role: Role::Owner.as_str().into(),
        scopes: vec![scope.into()],
        secret_hash,
        created_by: None,
        expires_at: None,
    };
    let insert = async |conn: &mut Conn| tokens::insert(conn, &token).await.map_err(Error::from);
    stage.state.db.service(insert).await.unwrap();
    text
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let org = stage.org("A").await;
        let run = stage.create(&org, &["sums"], json!({})).await;
        let attempt = attempt(&stage, &run).await;
        let mut people = Vec::new();
        for role in Role::ALL {
            people.push(stage.person(org.id, *role).await);
        }
        let member = stage.person(org.id, Role::Viewer).await.id;
        let mut tokens = Vec::new();
        for scope in ["read", "runs", "models", "admin"] {
            tokens.push(narrow(&stage, org.id, scope).await);
        }
        let other = stage.org("B").await;
        let stranger = stage.person(other.id, Role::Owner).await;
        let path = format!("/models/{}/checkpoints", org.model);
        let (_, made) = stage
            .post(&path, &org.editor, &json!({"checkpoint_variant": "first"}))
            .await;
        let checkpoint = made["id"].as_str().unwrap().to_owned();
        let (artifact, sample, slice) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let sql = format!(
            "insert into public.artifacts (id, organization_id, run_id, name, artifact_type, file_path, file_size)
             values ('{artifact}', '{}', '{run}', 'x', 'log', 'x', 0);
             insert into public.run_samples (id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id)
             select '{sample}', organization_id, run_id, id, benchmark_id, 0, 0 from public.run_benchmarks where run_id = '{run}';
             insert into public.slices (id, organization_id, name, slice_type, rule) values ('{slice}', '{}', 'kept', 'custom', 'a exists')",
            org.id, org.id
        );
        stage.superuser().await.batch_execute(&sql).await.unwrap();
        let named = json!({"name": "from elsewhere"});
        let (_, made) = stage.post("/imports", &org.editor, &named).await;
        Self {
            import: made["id"].as_str().unwrap().to_owned(),
            benchmark: stage.benchmark("more").await,
            stage,
            org,
            run,
            attempt,
            checkpoint,
            artifact,
            sample,
            slice,
            people,
            member,
            stranger,
            tokens,
        }
    }

    fn owner(&self) -> &str {
        &self.people.last().unwrap().token
    }

    fn credential(&self, caller: &str) -> Option<&str> {
        let place = CALLERS.iter().position(|c| *c == caller).unwrap();
        match place {
            0 => None,
            1 => Some(&self.stranger.token),
            2..=5 => Some(&self.people[place - 2].token),
            6..=9 => Some(&self.tokens[place - 6]),
            _ => Some(EXECUTOR),
        }
    }

    fn with(&self, caller: &str, request: RequestBuilder) -> RequestBuilder {
        match self.credential(caller) {
            None => request,
            // Somebody else's organization is named, not their own.
            Some(token) if caller == "stranger" => request
                .bearer_auth(token)
                .header(ORGANIZATION_HEADER, self.org.id.to_string()),
            Some(token) => request.bearer_auth(token),
        }
    }

    /// What a deletion is about: made anew, for it may be gone afterwards.
    async fn doomed(&self, operation: &str, caller: &str) -> String {
        let is_person = Role::ALL.iter().any(|r| r.as_str() == caller);
        let by = match self.credential(caller) {
            Some(token) if is_person => token,
            _ => self.owner(),
        };
        let (path, by, body) = match operation {
            "delete_token" => ("/tokens", self.owner(), json!({"name": "x", "role": "viewer"})),
            "delete_invitation" => (
                "/invitations",
                self.owner(),
                json!({"email": format!("{}@example.test", Uuid::now_v7()), "role": "viewer"}),
            ),
            "delete_view" => ("/views", by, body(operation, "", self)),
            "delete_slice" => ("/slices", self.owner(), body(operation, caller, self)),
            "delete_task_folder" => return self.folder().await,
            "remove_member" => return self.stage.person(self.org.id, Role::Viewer).await.id.to_string(),
            _ => return self.secret().await,
        };
        let (status, made) = self.stage.post(path, by, &body).await;
        assert_eq!(status, 201, "{operation}: {made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn folder(&self) -> String {
        let (organization, path) = (OrganizationId(self.org.id), format!("/none/{}", Uuid::now_v7()));
        let insert = async |conn: &mut Conn| {
            indexed::insert_folder(conn, organization, &path, None)
                .await
                .map_err(Error::from)
        };
        self.stage.state.db.service(insert).await.unwrap().id.to_string()
    }

    async fn secret(&self) -> String {
        let request = self.stage.request(Method::PUT, "/secrets/NAME", self.owner());
        assert_eq!(answer(request.json(&json!({"value": "x"}))).await.0, 204);
        "NAME".to_owned()
    }

    async fn url(&self, operation: &Operation, caller: &str) -> String {
        let mut path = operation.path.clone();
        if operation.method == Method::DELETE {
            let last = path.rfind('{').unwrap();
            path.truncate(last);
            path += &self.doomed(&operation.id, caller).await;
        }
        let known = [
            ("{run_id}", self.run.clone()),
            ("{organization_id}", self.org.id.to_string()),
            ("{user_id}", self.member.to_string()),
            ("{model_id}", self.org.model.to_string()),
            ("{checkpoint_id}", self.checkpoint.clone()),
            ("{benchmark_id}", self.benchmark.to_string()),
            ("{attempt_id}", self.attempt.to_string()),
            ("{artifact_id}", self.artifact.to_string()),
            ("{sample_id}", self.sample.to_string()),
            ("{slice_id}", self.slice.to_string()),
            ("{import_id}", self.import.clone()),
            ("attempts/{name}", "attempts/NAME".to_owned()),
            ("files/{name}", "files/stdout.log?offset=0".to_owned()),
            ("secrets/{name}", "secrets/NAME".to_owned()),
            ("{sha256}", "ab".repeat(32)),
        ];
        for (template, value) in known {
            path = path.replace(template, &value);
        }
        assert!(!path.contains('{'), "nothing is known for `{path}`");
        let query = match operation.id.as_str() {
            "download_artifact" => "?expires=0&signature=00",
            "put_import_file" => "?path=x",
            "get_medium" => "?for=view&expires=0&signature=00",
            _ => "",
        };
        format!("{}{path}{query}", self.stage.url)
    }

    async fn ask(&self, operation: &Operation, caller: &str) -> StatusCode {
        let url = self.url(operation, caller).await;
        let request = self.stage.client.request(operation.method.clone(), url);
        let request = match operation.id.as_str() {
            "follow_run" => request
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
            "put_file" | "put_medium" | "put_import_file" => request.body("x"),
            id if operation.method != Method::GET => request.json(&body(id, caller, self)),
            _ => request,
        };
        self.with(caller, request).send().await.unwrap().status()
    }
}

/// A body that is read without a problem, so that only the caller decides.
fn body(id: &str, caller: &str, scene: &Scene) -> Value {
    match id {
        "create_model" => json!({"name": format!("of {caller}"), "backend": "openai"}),
        "create_checkpoint" => json!({"checkpoint_variant": format!("of-{caller}")}),
        "create_run" | "preview_run" => {
            json!({"model_id": scene.org.model, "benchmark_ids": [scene.benchmark]})
        }
        "rename_run" => json!({"name": "x"}),
        "ask_for_media" => json!({"sha256": []}),
        "rename_organization" => json!({"name": format!("of {caller}")}),
        "change_member" => json!({"role": "viewer"}),
        "create_token" => {
            let scope = caller.strip_prefix("token:").unwrap_or("read");
            json!({"name": "x", "role": "viewer", "scopes": [scope]})
        }
        "create_invitation" => json!({"email": "eve@example.test", "role": "viewer"}),
        "create_task_folder" => json!({"path": "/no/such/folder"}),
        "put_secret" => json!({"value": "x"}),
        "create_slice" | "delete_slice" => {
            json!({"name": format!("{id} of {caller}"), "slice_type": "custom", "rule": "a = 1"})
        }
        "preview_slice" => json!({"rule": "a = 1"}),
        "save_view" | "delete_view" => json!({"page": "runs", "name": "x", "query": "status=failed"}),
        "create_import" => json!({"name": format!("of {caller}")}),
        "create_draft" => json!({"yaml": "tasks: sums"}),
        "post_batch" => json!({"batch_no": 9, "epoch": 1, "news": [], "lines": [], "offsets": {}}),
        _ => json!({}),
    }
}

/// Past the door, or how it stays shut.
fn cell(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "401",
        403 => "403",
        404 => "404",
        _ => "ok",
    }
}

fn row(id: &str, cells: &[&str]) -> String {
    let mut line = format!("{id:<20}");
    for (cell, caller) in cells.iter().zip(CALLERS) {
        line += &format!(" {cell:<width$}", width = caller.len());
    }
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_every_caller_as_the_matrix_says() {
    let scene = Scene::new().await;
    let mut lines = vec![row("operation", &CALLERS)];
    for operation in operations() {
        let mut cells = Vec::new();
        for caller in CALLERS {
            let status = scene.ask(&operation, caller).await;
            assert!(status.as_u16() < 500, "{} as {caller}: {status}", operation.id);
            cells.push(cell(status));
        }
        lines.push(row(&operation.id, &cells));
    }
    let found = lines.join("\n") + "\n";
    let committed: String = MATRIX
        .split_inclusive('\n')
        .filter(|l| !l.starts_with('#'))
        .collect();
    assert!(found == committed, "the matrix has changed:\n{found}");
}

#[test]
fn every_route_is_an_operation_of_the_matrix() {
    /// Files of a page, and what answers when nothing else does.
    const WITHOUT: [&str; 2] = ["get_docs_file", "fallback"];
    let routes = include_str!("../../src/routes.rs");
    let handlers = routes.split("to(").skip(1).filter_map(|rest| {
        let path = rest.split(')').next()?;
        Some(path.rsplit("::").next().unwrap_or(path))
    });
    let known: Vec<&str> = MATRIX
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    let missing: Vec<&str> = handlers
        .filter(|h| !known.contains(h) && !WITHOUT.contains(h))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_body_is_no_news_to_those_who_may_not_send_it() {
    let scene = Scene::new().await;
    for operation in operations() {
        let takes_json = [Method::POST, Method::PUT, Method::PATCH].contains(&operation.method);
        if !takes_json || matches!(operation.id.as_str(), "put_file" | "put_medium") {
            continue;
        }
        for caller in ["anonymous", "stranger", "viewer", "token:read", "executor"] {
            let good = scene.ask(&operation, caller).await;
            if cell(good) == "ok" {
                continue;
            }
            for text in ["{", "[]", r#"{"unknown":1}"#] {
                let url = scene.url(&operation, caller).await;
                let request = scene.stage.client.request(operation.method.clone(), url);
                let request = request.header("content-type", "application/json").body(text);
                let bad = scene.with(caller, request).send().await.unwrap().status();
                assert_eq!(bad, good, "{} as {caller} with `{text}`", operation.id);
            }
        }
    }
}
