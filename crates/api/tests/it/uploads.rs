//! Imports as a browser makes them: files are sent, checked, mapped, imported, and the server may die in between.

use super::runs_stage::{Org, Stage, Working, answer, fields, until};
use api::db::{Conn, Error};
use diesel_async::RunQueryDsl;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::Write;

const SECRET: &str = "sk-abcdefghij0123456789";

fn results(value: f64) -> Vec<u8> {
    json!({
        "results": {"t": {"alias": "t", "acc,none": value, "acc_stderr,none": "N/A", "n,none": null}},
        "configs": {"t": {}}, "config": {"model": "vllm", "model_args": format!("api_key={SECRET},pretrained=org/m")},
        "model_name": "org/m", "higher_is_better": {"t": {"acc": true}},
        "n-samples": {"t": {"original": 2, "effective": 2}}, "date": "20260101_080000"
    })
    .to_string()
    .into_bytes()
}

const SAMPLES: &[u8] =
    b"{\"doc_id\": 0, \"target\": \"a\", \"filtered_resps\": [\"a\"], \"acc\": 1}\n{\"doc_id\": 1, \"tar\n\
    {\"doc_id\": 1, \"target\": \"b\", \"filtered_resps\": [\"a\"], \"acc\": 0}\n";

impl Stage {
    async fn new_import(&self, org: &Org) -> String {
        let (status, made) = self
            .post("/imports", &org.editor, &json!({"name": "from elsewhere"}))
            .await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, token: &str, import: &str, path: &str, bytes: &[u8]) -> (StatusCode, Value) {
        let query = reqwest::Url::parse_with_params("http://localhost", [("path", path)]).unwrap();
        let path = format!("/imports/{import}/files?{}", query.query().unwrap());
        answer(self.request(Method::PUT, &path, token).body(bytes.to_vec())).await
    }

    async fn step(&self, org: &Org, import: &str, step: &str, mapping: &Value) -> (StatusCode, Value) {
        let path = format!("/imports/{import}/{step}");
        self.post(&path, &org.editor, &json!({ "mapping": mapping }))
            .await
    }

    async fn until_import(&self, org: &Org, import: &str, status: &str) -> Value {
        let path = format!("/imports/{import}");
        until(&format!("status `{status}`"), || async {
            let (_, found) = self.get(&path, &org.viewer).await;
            (found["status"] == status).then_some(found)
        })
        .await
    }

    async fn reports(&self, org: &Org, import: &str) -> Vec<Value> {
        let (status, list) = self.get(&format!("/imports/{import}/files"), &org.viewer).await;
        assert_eq!(status, 200, "{list}");
        list["files"].as_array().unwrap().clone()
    }

    async fn runs(&self, org: &Org) -> u64 {
        let (_, list) = self.get("/runs", &org.viewer).await;
        list["total"].as_u64().unwrap()
    }

    fn uploads(&self) -> usize {
        std::fs::read_dir(self.data.path().join("uploads"))
            .map(Iterator::count)
            .unwrap_or(0)
    }
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_checked_first_and_stored_only_when_told() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let import = stage.new_import(&org).await;
    let folder = "run/org__m";
    let good = [
        (format!("{folder}/20260101_080000_results.json"), results(0.5)),
        (
            format!("{folder}/20260101_080000_samples_t.jsonl"),
            SAMPLES.to_vec(),
        ),
        (
            "more.zip".to_owned(),
            zip(&[
                ("x/a_results.json", &results(0.25)),
                ("x/../../etc/passwd", b"root"),
            ]),
        ),
    ];
    for (path, bytes) in &good {
        let (status, sent) = stage.send(&org.editor, &import, path, bytes).await;
        assert_eq!(
            (status.as_u16(), &sent["size"]),
            (200, &json!(bytes.len())),
            "{sent}"
        );
    }
    // The same again is the same.
    stage.send(&org.editor, &import, &good[0].0, &good[0].1).await;
    let _working = stage.work();
    let (status, _) = stage.step(&org, &import, "check", &json!({})).await;
    assert_eq!(status, 202);
    let checked = stage.until_import(&org, &import, "checked").await;
    assert_eq!(
        (&checked["uploaded"], &checked["plan"]["runs"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        checked["plan"]["models"],
        json!([{"label": "org/m", "files": [], "name": "org/m", "checkpoint": "latest", "model_id": null, "runs": 2}])
    );
    assert_eq!(
        checked["plan"]["tasks"],
        json!([{"label": "t", "name": "t", "known": false}])
    );
    let before = stage.reports(&org, &import).await;
    let told: Vec<(&str, &str, &Value)> = before
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["status"].as_str().unwrap(),
                &file["broken"],
            )
        })
        .collect();
    assert_eq!(told[0], ("more.zip/x/a_results.json", "taken", &json!(0)));
    assert!(
        told[1].0.contains("passwd") && told[1].1 == "left_out",
        "{told:?}"
    );
    assert_eq!(told[3].2, 1, "one line is broken");
    assert_eq!(
        (&before[2]["redacted"], &before[2]["not_numeric"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(stage.runs(&org).await, 0, "a check stores nothing");

    let mapping =
        json!({"models": {"org/m": {"model": "demo model", "checkpoint": "step-9"}}, "tasks": {"t": "mine"}});
    stage.step(&org, &import, "start", &mapping).await;
    let done = stage.until_import(&org, &import, "completed").await;
    assert_eq!((&done["runs_done"], &done["runs_total"]), (&json!(2), &json!(2)));
    assert_eq!(done["runs"].as_array().unwrap().len(), 2);
    let after = stage.reports(&org, &import).await;
    let same = |files: &[Value]| -> Vec<Value> {
        let mut files = files.to_vec();
        files.iter_mut().for_each(|file| {
            file.as_object_mut().unwrap().remove("run_id");
            // The ingest may add what it found; nothing that the check told is gone.
            file.as_object_mut().unwrap().remove("problems");
        });
        files
    };
    assert_eq!(same(&before), same(&after), "the check told what came");
    let run = after[2]["run_id"].as_str().unwrap();
    let (_, detail) = stage.get(&format!("/runs/{run}"), &org.viewer).await;
    assert_eq!(
        (&detail["model_id"], &detail["checkpoint_variant"]),
        (&json!(org.model), &json!("step-9"))
    );
    until("an empty folder of uploads", || async {
        (stage.uploads() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_clients_never_become_paths_and_limits_hold() {
    let settings = [("LMMS_MAX_IMPORT_FILES", "2"), ("LMMS_MAX_IMPORT_MB", "1")];
    let stage = Stage::with(&settings).await;
    let org = stage.org("A").await;
    let other = stage.org("B").await;
    let import = stage.new_import(&org).await;
    for bad in [
        "../x.json",
        "/etc/x.json",
        "a/../../x.json",
        "a\\b.json",
        "",
        "a\0b",
    ] {
        let (status, problem) = stage.send(&org.editor, &import, bad, b"{}").await;
        assert_eq!(status, 422, "{bad:?}: {problem}");
        assert_eq!(fields(&problem), ["path"]);
    }
    let large = vec![b' '; (1 << 20) + 1];
    assert_eq!(stage.send(&org.editor, &import, "a.json", &large).await.0, 413);
    assert_eq!(stage.send(&org.viewer, &import, "a.json", b"{}").await.0, 403);
    assert_eq!(stage.send(&other.editor, &import, "a.json", b"{}").await.0, 404);
    let half = vec![b' '; 1 << 19];
    for _ in 0..3 {
        // The same path takes the place of what was there: it is never more than half.
        assert_eq!(stage.send(&org.editor, &import, "a.json", &half).await.0, 200);
    }
    assert_eq!(stage.send(&org.editor, &import, "b.json", b"{}").await.0, 200);
    assert_eq!(stage.send(&org.editor, &import, "c.json", b"{}").await.0, 413);
    let kept = std::fs::read_dir(stage.data.path().join("uploads").join(&import)).unwrap();
    assert_eq!(kept.count(), 2, "nothing is left of what was refused or replaced");
    assert_eq!(stage.step(&org, &import, "cancel", &json!({})).await.0, 200);
    assert_eq!(stage.send(&org.editor, &import, "b.json", b"{}").await.0, 409);
    assert_eq!(stage.step(&org, &import, "start", &json!({})).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_after_a_crash_and_ends_when_it_cannot() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let import = stage.new_import(&org).await;
    for n in 0..12 {
        let path = format!("{n}/r.json");
        stage
            .send(&org.editor, &import, &path, &results(f64::from(n) / 100.0))
            .await;
    }
    let empty = stage.new_import(&org).await;
    assert_eq!(
        stage.step(&org, &empty, "start", &json!({})).await.0,
        409,
        "it has no files"
    );
    stage.step(&org, &import, "start", &json!({})).await;
    let working: Working = stage.work();
    until("a first run", || async {
        (stage.runs(&org).await > 0).then_some(())
    })
    .await;
    working.kill().await;
    let _next = stage.work();
    let done = stage.until_import(&org, &import, "completed").await;
    assert_eq!((&done["runs_total"], stage.runs(&org).await), (&json!(12), 12));

    // One whose worker dies each time is given up, with the reason.
    let hopeless = stage.new_import(&org).await;
    stage.send(&org.editor, &hopeless, "r.json", &results(0.9)).await;
    let dead = format!(
        "update imports set status = 'running', tries = 3, lease_owner = gen_random_uuid(), \
         lease_until = now() - interval '1 second' where id = '{hopeless}'"
    );
    let set = async |conn: &mut Conn| diesel::sql_query(&dead).execute(conn).await.map_err(Error::from);
    stage.state.db.service(set).await.unwrap();
    let failed = stage.until_import(&org, &hopeless, "failed").await;
    assert!(
        failed["error_message"].as_str().unwrap().contains("3 times"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_leaves_hands_its_import_on() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let import = stage.new_import(&org).await;
    for n in 0..40 {
        let path = format!("{n}/r.json");
        stage
            .send(&org.editor, &import, &path, &results(f64::from(n) / 100.0))
            .await;
    }
    stage.step(&org, &import, "start", &json!({})).await;
    let working = stage.work();
    until("a first run", || async {
        (stage.runs(&org).await > 0).then_some(())
    })
    .await;
    let before = stage.runs(&org).await;
    drop(working);
    let _next = stage.work();
    until("some more runs", || async {
        (stage.runs(&org).await > (before + 3).min(39)).then_some(())
    })
    .await;
    let (status, _) = stage.step(&org, &import, "cancel", &json!({})).await;
    // At once while nobody has it, asked of whoever has it, or too late.
    assert!(matches!(status.as_u16(), 200 | 202 | 409), "{status}");
    until("an end", || async {
        let (_, found) = stage.get(&format!("/imports/{import}"), &org.viewer).await;
        matches!(found["status"].as_str(), Some("cancelled" | "completed")).then_some(())
    })
    .await;
    let (_, list) = stage.get("/imports", &org.viewer).await;
    assert_eq!(list["total"], 1);
}
