//! Output of lmms-eval from elsewhere, into a real database.

use super::runs_stage::{Org, Stage};
use api::db::{Conn, Error};
use api::import::source::{Files, Walk};
use api::import::{Report, Request, import, parse_mapping};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use types::ImportMapping as Mapping;

const METRICS: &str = "jsonb_build_array(b.name, m.metric_name, m.filter, m.metric_value, m.stderr, m.sample_count, \
    m.higher_is_better, m.is_group)";
const SAMPLES: &str = "jsonb_build_array(b.name, s.sample_index, s.doc_id, s.filter, s.input_data, s.ground_truth, \
    s.prediction, s.raw_prediction, s.metrics, s.doc, s.score, s.score_reason, s.error, s.flags, \
    encode(s.content_hash, 'hex'), encode(s.prompt_hash, 'hex'), encode(s.target_hash, 'hex'), s.confidence)";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

pub(crate) async fn json_of(stage: &Stage, sql: String) -> Value {
    let rows: Vec<Found> = stage
        .state
        .db
        .service(async |conn: &mut Conn| diesel::sql_query(&sql).load(conn).await.map_err(Error::from))
        .await
        .unwrap();
    serde_json::from_str(&rows[0].found).unwrap()
}

/// Scores and samples of the runs of an organization, without ids; imported ones or our own.
async fn rows(stage: &Stage, org: &Org, imported: bool) -> (Value, Value) {
    let of = |columns: &str, table: &str| {
        format!(
            "select coalesce(jsonb_agg({columns} order by {columns}), '[]')::text as found from {table} \
             join benchmarks b on b.id = benchmark_id join runs r on r.id = run_id \
             where r.organization_id = '{}' and (r.import_id is not null) = {imported}",
            org.id
        )
    };
    (
        json_of(stage, of(METRICS, "run_metrics m")).await,
        json_of(stage, of(SAMPLES, "run_samples s")).await,
    )
}

pub(crate) async fn imported(stage: &Stage, org: &Org, path: &Path, mapping: Mapping) -> Report {
    let request = Request {
        organization: org.id,
        files: Files::Paths(vec![path.to_owned()]),
        name: "test".to_owned(),
        mapping,
        as_of: None,
        created_by: None,
        created_by_token: None,
        walk: Walk::default(),
    };
    import(&stage.state.db, &stage.state.store, &request, &mut |_, _| ())
        .await
        .unwrap()
}

pub(crate) fn results(model_args: &str) -> String {
    json!({
        "results": {"t": {"alias": "t", "acc,none": 0.5, "acc_stderr,none": "N/A", "o,none": {"a b": 2}, "n,none": null}},
        "configs": {"t": {}}, "config": {"model": "vllm", "model_args": model_args, "limit": 2.0}, "model_name": "org/m",
        "higher_is_better": {"t": {"acc": true}}, "n-samples": {"t": {"original": 9, "effective": 2}},
        "date": "20260101_080000", "total_evaluation_time_seconds": "60"
    })
    .to_string()
}

pub(crate) const SAMPLE_LINES: &str = "{\"doc_id\": 0, \"target\": \"a\", \"filtered_resps\": [\"a\"], \"acc\": 1}\n{\"doc_id\": 1, \"tar\n\
    {\"doc_id\": 2, \"target\": \"b\", \"filtered_resps\": [\"a\"], \"acc\": 0}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_ours_and_the_import_of_its_folder_give_the_same_rows() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let _working = stage.work();
    let run = stage
        .create(&org, &["group_g", "filters_f", "odd_o"], json!({"seed": 1}))
        .await;
    stage.until_over(&org, &run).await;
    let (metrics, samples) = rows(&stage, &org, false).await;
    assert!(metrics.as_array().unwrap().len() > 3 && samples.as_array().unwrap().len() > 9);
    let folder = stage.attempt_dir(&run, 1).join("out");
    let report = imported(&stage, &org, &folder, Mapping::default()).await;
    assert_eq!((report.stored, report.known), (3, 0), "{report:#?}");
    assert_eq!(rows(&stage, &org, true).await, (metrics.clone(), samples.clone()));
    let again = imported(&stage, &org, &folder, Mapping::default()).await;
    assert_eq!((again.stored, again.known), (0, 3), "{again:#?}");
    assert_eq!(rows(&stage, &org, true).await, (metrics, samples));
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_come_later_join_their_run() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let secret = "sk-abcdefghij0123456789";
    fs::write(
        at("20260101_080000_results.json"),
        results(&format!("api_key={secret},pretrained=org/m,dtype=auto")),
    )
    .unwrap();
    let first = imported(&stage, &org, folder.path(), Mapping::default()).await;
    assert_eq!(
        (
            first.stored,
            first.files[0].found.metrics,
            first.files[0].found.not_numeric
        ),
        (1, 2, 1)
    );
    assert_eq!(first.files[0].found.redacted, 1);
    fs::write(at("20260101_080000_samples_t.jsonl"), SAMPLE_LINES).unwrap();
    fs::write(at("run.log"), "Error during evaluation: boom").unwrap();
    let second = imported(&stage, &org, folder.path(), Mapping::default()).await;
    let statuses: Vec<&str> = second.files.iter().map(|file| file.status).collect();
    assert_eq!(statuses, ["taken", "taken", "left_out"]);
    assert_eq!(second.files[0].run, first.files[0].run);
    let samples = &second.files[1].found;
    assert_eq!((samples.samples, samples.broken), (2, 1));
    assert!(samples.problems[0].starts_with("line 2 "), "{samples:?}");
    let (metrics, rows) = rows(&stage, &org, true).await;
    assert_eq!(metrics.as_array().unwrap().len(), 3);
    let scores: Vec<f64> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[10].as_f64().unwrap())
        .collect();
    assert_eq!(scores, [1.0, 0.0]);
    // Nobody kept the documents: their targets tell them apart, and never stand for them.
    assert!(
        rows[0][14].is_null() && rows[0][16] != rows[1][16] && rows[0][16].is_string(),
        "{rows}"
    );
    let everything = json_of(
        &stage,
        "select jsonb_build_array((select jsonb_agg(to_jsonb(r)) from runs r), (select jsonb_agg(to_jsonb(m)) from models m), \
         (select jsonb_agg(to_jsonb(f)) from import_files f))::text as found".to_owned(),
    )
    .await;
    assert!(everything.to_string().contains("[REDACTED]"));
    assert!(!everything.to_string().contains(secret));
    let run = &everything[0][0];
    assert_eq!(
        (&run["status"], &run["started_at"]),
        (&json!("completed"), &json!("2026-01-01T00:00:00+00:00"))
    );
    assert_eq!(
        (&run["completed_at"], &run["config"]),
        (&json!("2026-01-01T00:01:00+00:00"), &json!({"limit": 2.0}))
    );
    for path in objects(stage.data.path()) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains(secret), "{}", path.display());
    }
    let (status, detail) = stage
        .get(&format!("/runs/{}", first.files[0].run.unwrap()), &org.viewer)
        .await;
    assert_eq!((status.as_u16(), &detail["name"]), (200, &json!("org/m on t")));
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { objects(&path) } else { vec![path] })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mapping_names_what_the_files_do_not() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("r.json"), results("pretrained=org/m")).unwrap();
    fs::write(at("answers.txt"), SAMPLE_LINES).unwrap();
    fs::write(at("other.jsonl"), SAMPLE_LINES.replace("\"a\"", "\"c\"")).unwrap();
    fs::write(at("sole.jsonl"), SAMPLE_LINES.replace("\"a\"", "\"d\"")).unwrap();
    let mapping = json!({
        "models": {"org/m": {"model": "demo model", "checkpoint": "step-1"}},
        "files": [{"path": "answers.*", "results": "r.json", "task": "t"}, {"path": "other.jsonl", "skip": true},
            {"path": "sole.jsonl", "model": "M", "task": "u"}],
    });
    let mapping = parse_mapping(&mapping.to_string(), Path::new("m.json")).unwrap();
    let report = imported(&stage, &org, folder.path(), mapping).await;
    let statuses: Vec<&str> = report.files.iter().map(|file| file.status).collect();
    assert_eq!(statuses, ["taken", "left_out", "taken", "taken"], "{report:#?}");
    let (metrics, samples) = rows(&stage, &org, true).await;
    assert_eq!(
        (
            metrics.as_array().unwrap().len(),
            samples.as_array().unwrap().len()
        ),
        (3, 4)
    );
    assert!(
        report.files[1]
            .found
            .problems
            .iter()
            .any(|problem| problem.contains("mapping"))
    );
    let (_, detail) = stage
        .get(&format!("/runs/{}", report.files[2].run.unwrap()), &org.viewer)
        .await;
    assert_eq!(detail["model_id"], json!(org.model), "{detail:#}");
    assert_eq!(detail["checkpoint_variant"], "step-1");
}

/// The numbers of a results document, read without a line of ours: task, metric, filter and value.
fn numbers(bytes: &[u8]) -> Vec<String> {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let mut found = Vec::new();
    for (task, row) in document["results"].as_object().into_iter().flatten() {
        for (key, value) in row.as_object().into_iter().flatten() {
            let Some((metric, filter)) = key.rsplit_once(',') else {
                continue;
            };
            if ["_stderr", "_stderr_clt", "_stderr_clustered"]
                .iter()
                .any(|end| metric.ends_with(end))
            {
                continue;
            }
            let own = value.as_f64().map(|n| (metric.to_owned(), n));
            let inner = value.as_object().into_iter().flatten();
            let inner = inner.filter_map(|(sub, value)| Some((format!("{metric}/{sub}"), value.as_f64()?)));
            found.extend(
                own.into_iter()
                    .chain(inner)
                    .map(|(name, n)| format!("{task} {name} {filter} {n:?}")),
            );
        }
    }
    found
}

/// What the manifest says of each file: its kind, and whether all of its values are numbers and all documents were asked.
fn manifest(corpus: &Path) -> Vec<(String, &'static str, bool, bool)> {
    const SECTIONS: [(&str, &str); 5] = [
        ("Results documents (", "results"),
        ("Results documents with", "api_dump"),
        ("Per-sample", "samples"),
        ("Captured logs", "log"),
        ("Decoys", "not_lmms_eval"),
    ];
    let text = fs::read_to_string(corpus.join("MANIFEST.md")).unwrap();
    let mut found = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let kind = SECTIONS
            .iter()
            .find(|(start, _)| section.starts_with(start))
            .unwrap()
            .1;
        for file in section.split("\n### `").skip(1) {
            let name = file.split('`').next().unwrap().to_owned();
            let odd = file.contains("list-valued") || file.contains("null-valued");
            found.push((name, kind, odd, file.contains("effective < original")));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_is_stored_as_it_stands_and_once() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: no corpus at {}", corpus.display());
        return;
    }
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let report = imported(&stage, &org, &corpus, Mapping::default()).await;
    assert_eq!((report.stored, report.known), (21, 0));
    let taken = report.files.iter().filter(|file| file.status == "taken").count();
    // Twenty-one documents and the samples of seven of them; those of one have no document.
    assert_eq!(taken, 28, "{report:#?}");
    let manifest = manifest(&corpus);
    assert_eq!(manifest.len(), 34);
    for (name, kind, odd, limited) in manifest {
        let file = report
            .files
            .iter()
            .find(|file| file.file.ends_with(&name))
            .unwrap();
        assert_eq!(file.kind.as_str(), kind, "{name}");
        let found = &file.found;
        assert_eq!(found.not_numeric > 0, odd, "{name}: {found:?}");
        let said = found
            .problems
            .iter()
            .any(|problem| problem.contains("documents were evaluated"));
        assert_eq!(said, limited, "{name}: {found:?}");
        assert_eq!(found.broken, 0, "{name}");
        let is_of_a_run = matches!(kind, "results" | "api_dump" | "samples") && !name.contains("alm2bi");
        assert_eq!(file.status == "taken", is_of_a_run, "{name}: {found:?}");
    }
    let (metrics, samples) = rows(&stage, &org, true).await;
    let mut expected = Vec::new();
    let mut count = 0;
    for file in &report.files {
        if file.status == "taken" {
            count += file.found.samples;
        }
        expected.extend(numbers(&fs::read(&file.file).unwrap()));
    }
    let mut stored: Vec<String> = metrics
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| {
            let texts: Vec<&str> = (0..3).map(|at| row[at].as_str().unwrap()).collect();
            Some(format!("{} {:?}", texts.join(" "), row[3].as_f64()?))
        })
        .collect();
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
    assert_eq!(samples.as_array().unwrap().len() as u64, count);
    let again = imported(&stage, &org, &corpus, Mapping::default()).await;
    assert_eq!((again.stored, again.known), (0, 21));
    assert_eq!(rows(&stage, &org, true).await, (metrics, samples));
}
