//! The demo's tasks and models with the real lmms-eval.

use super::runs_stage::Stage;
use actix_web::{App, HttpServer};
use api::db::models::{self, ModelChange};
use api::db::{Conn, Error, indexed};
use api::demo::{
    Endpoint, MODELS, Model, Question, arguments, base_url, mount, prepare, tasks, would_answer,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// The interpreter with lmms-eval.
fn python() -> Option<PathBuf> {
    let found = std::env::var_os("LMMS_EVAL_PYTHON").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: `LMMS_EVAL_PYTHON` is not set; expected a python with lmms-eval");
    }
    found
}

fn model(id: &str) -> Model {
    MODELS
        .into_iter()
        .find(|m| m.id == id)
        .expect("the demo has this model")
}

/// An endpoint of the demo and its tasks.
struct Demo {
    folder: TempDir,
    url: String,
}

impl Demo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Endpoint::new(address, Duration::from_millis(5));
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(
                HttpServer::new(move || App::new().configure(|cfg| mount(cfg, &endpoint)))
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .unwrap()
                    .run(),
            )
        });
        let folder = TempDir::new().unwrap();
        tasks::write(&folder.path().join("tasks")).unwrap();
        Self {
            folder,
            url: base_url(address),
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn evaluate(&self, python: &Path, model: &str, tasks: &str) -> Output {
        let arguments = arguments(model, &self.url);
        let arguments: Vec<String> = arguments.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Command::new(python)
            .args([
                "-m",
                "lmms_eval",
                "--model",
                "openai",
                "--model_args",
                &arguments.join(","),
            ])
            .args([
                "--tasks",
                tasks,
                "--log_samples",
                "--batch_size",
                "1",
                "--timezone",
                "UTC",
            ])
            .arg("--include_path")
            .arg(self.folder.path().join("tasks"))
            .arg("--output_path")
            .arg(self.out())
            .env("HF_HOME", self.folder.path().join("hf"))
            .envs([("HF_HUB_OFFLINE", "1"), ("HF_DATASETS_OFFLINE", "1")])
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// The files that the evaluation wrote whose names hold `part`.
    fn written(&self, part: &str) -> Vec<PathBuf> {
        let files = walkdir::WalkDir::new(self.out())
            .into_iter()
            .filter_map(Result::ok);
        let named = files.filter(|f| f.file_name().to_string_lossy().contains(part));
        named.map(walkdir::DirEntry::into_path).collect()
    }

    fn results(&self) -> Option<Value> {
        let file = self.written("_results.json").pop()?;
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }
}

fn mean(scores: impl IntoIterator<Item = bool>) -> f64 {
    let scores: Vec<bool> = scores.into_iter().collect();
    scores.iter().filter(|s| **s).count() as f64 / scores.len() as f64
}

/// The share of a task's questions that the model knows.
fn expected(model: Model, task: &str) -> f64 {
    mean(
        tasks::questions(task)
            .iter()
            .map(|q| would_answer(model, q).right),
    )
}

fn assert_close(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().unwrap_or(f64::NAN);
    assert!(
        (found - expected).abs() < 1e-9,
        "{what} is {found}; expected {expected}"
    );
}

#[test]
fn every_task_scores_exactly_what_the_model_knows() {
    let Some(python) = python() else { return };
    let demo = Demo::start();
    let base = model("demo-base");
    let output = demo.evaluate(&python, base.id, "demo_suite,demo_count,demo_choice,demo_motion");
    let Some(results) = demo.results() else {
        panic!(
            "no results: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let of = |task: &str, key: &str| results["results"][task][key].clone();
    // Sound and film are wrong throughout unless they have arrived.
    for task in ["demo_colour", "demo_arithmetic", "demo_tone", "demo_motion"] {
        assert_close(&of(task, "exact_match,none"), expected(base, task), task);
    }
    let counts = tasks::questions("demo_count");
    let strict = mean(
        counts
            .iter()
            .map(|q| would_answer(base, q))
            .map(|w| w.right && !w.in_a_sentence),
    );
    assert_close(&of("demo_count", "exact_match,strict"), strict, "strict");
    assert_close(
        &of("demo_count", "exact_match,flexible"),
        expected(base, "demo_count"),
        "flexible",
    );
    assert!(strict < expected(base, "demo_count"));
    assert_close(
        &of("demo_choice", "choice_accuracy,none"),
        expected(base, "demo_choice"),
        "demo_choice",
    );
    assert_categories(&of("demo_choice", "accuracy_by_category,none"), base);
    assert_close(&of(tasks::GROUP, "exact_match,none"), group(base), tasks::GROUP);
    assert_samples(&demo);
    let accuracy = tasks::TASKS.iter().map(|t| expected(base, t)).sum::<f64>() / tasks::TASKS.len() as f64;
    assert!((accuracy - base.accuracy).abs() < 0.08, "{accuracy}");
}

/// The group weighs its tasks by their size.
fn group(model: Model) -> f64 {
    let members = ["demo_colour", "demo_arithmetic", "demo_tone"];
    let questions = members.iter().flat_map(|task| tasks::questions(task));
    mean(questions.map(|q| would_answer(model, &q).right))
}

fn assert_categories(found: &Value, model: Model) {
    let mut by: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for question in tasks::questions("demo_choice") {
        let category = category(&question);
        by.entry(category)
            .or_default()
            .push(would_answer(model, &question).right);
    }
    assert_eq!(found.as_object().map(serde_json::Map::len), Some(by.len()));
    for (category, scores) in by {
        assert_close(&found[&category], mean(scores), &category);
    }
}

fn category(question: &Question) -> String {
    question.document()["category"].as_str().unwrap().to_owned()
}

/// One line for every document and filter, each with the tokens that the endpoint counted.
fn assert_samples(demo: &Demo) {
    for task in tasks::TASKS {
        let file = demo.written(&format!("_samples_{task}.jsonl")).pop().unwrap();
        let text = fs::read_to_string(file).unwrap();
        let filters = if task == "demo_count" { 2 } else { 1 };
        assert_eq!(
            text.lines().count(),
            tasks::questions(task).len() * filters,
            "{task}"
        );
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let tokens = first["token_counts"][0]["input_tokens"].as_u64().unwrap();
        let least = match task {
            "demo_arithmetic" => 5,
            "demo_motion" => 8 * 85,
            _ => 85,
        };
        assert!((least..least + 85).contains(&tokens), "{task}: {tokens}");
    }
}

#[test]
fn the_broken_task_fails_while_scoring() {
    let Some(python) = python() else { return };
    let demo = Demo::start();
    let output = demo.evaluate(&python, "demo-small", tasks::BROKEN);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("RuntimeError: demo failure"), "{errors}");
    assert!(demo.results().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_again_moves_the_address_and_keeps_what_people_changed() {
    let stage = Stage::new().await;
    let (db, data) = (&stage.state.db, stage.data.path());
    let url = |port: u16| base_url(([127, 0, 0, 1], port).into());
    let first = prepare(db, data, &url(1), None).await.unwrap();
    let edit = async |conn: &mut Conn| -> Result<(), Error> {
        let list = models::list(conn, first).await?;
        let notes = Some("ours".to_owned());
        models::update(
            conn,
            list[0].id,
            &ModelChange {
                notes,
                ..ModelChange::default()
            },
        )
        .await?;
        Ok(())
    };
    db.service(edit).await.unwrap();
    let moved = data.join("moved");
    assert_eq!(prepare(db, &moved, &url(2), None).await.unwrap(), first);
    let read = async |conn: &mut Conn| -> Result<_, Error> {
        Ok((
            models::list(conn, first).await?,
            indexed::folders(conn, Some(first)).await?,
        ))
    };
    let (models, folders) = db.service(read).await.unwrap();
    let names: Vec<_> = models
        .iter()
        .map(|m| (m.name.as_str(), m.checkpoints.len(), m.demo))
        .collect();
    assert_eq!(
        names,
        [
            ("demo-base", 3, true),
            ("demo-large", 0, true),
            ("demo-small", 0, true)
        ]
    );
    assert_eq!(models[0].notes.as_deref(), Some("ours"));
    for model in &models {
        assert_eq!(
            model.model_args.get("base_url").map(ToString::to_string),
            Some(url(2))
        );
    }
    let folders: Vec<_> = folders.iter().map(|f| Path::new(&f.path)).collect();
    assert_eq!(folders, [moved.join("demo/tasks")]);
}
