//! The leaderboard over real rows: kept by a trigger, ranked by the worker, seen through row-level security.

use super::runs_stage::{Org, Stage, until};
use api::db::{Conn, Error};
use diesel::sql_types::{Array, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

/// A committed score with its samples.
pub(crate) struct Commit<'a> {
    pub(crate) model: Uuid,
    pub(crate) checkpoint: &'a str,
    pub(crate) benchmark: Uuid,
    pub(crate) right: i64,
    pub(crate) of: i64,
    pub(crate) conditions: Value,
}

impl Stage {
    pub(crate) async fn sql(&self, text: &'static str, ids: &[Uuid]) {
        let ids = ids.to_vec();
        self.state
            .db
            .service(async |conn: &mut Conn| {
                let query = diesel::sql_query(text).bind::<Array<SqlUuid>, _>(&ids);
                query.execute(conn).await.map_err(Error::from)
            })
            .await
            .unwrap();
    }

    /// A model of the organization.
    pub(crate) async fn board_model(&self, org: &Org, name: &str) -> Uuid {
        let body =
            json!({"name": name, "backend": "openai", "checkpoints": [{"checkpoint_variant": "sft-24k"}]});
        let (status, model) = self.post("/models", &org.editor, &body).await;
        assert_eq!(status, 201, "{model}");
        model["id"].as_str().unwrap().parse().unwrap()
    }

    /// Commits a score as ingest does; returns the run.
    pub(crate) async fn commit(&self, org: &Org, commit: &Commit<'_>) -> Uuid {
        let run = Uuid::now_v7();
        let value = commit.right as f64 / commit.of as f64;
        let given = json!({
            "org": org.id, "run": run, "pick": Uuid::now_v7(), "model": commit.model, "benchmark": commit.benchmark,
            "variant": commit.checkpoint, "right": commit.right, "n": commit.of, "value": value,
            "stderr": (value * (1.0 - value) / commit.of as f64).sqrt(), "conditions": commit.conditions,
        });
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<(), Error> {
                for text in COMMIT {
                    diesel::sql_query(format!("with {GIVEN} {text}"))
                        .bind::<Jsonb, _>(&given)
                        .execute(conn)
                        .await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        run
    }
}

/// The parameter of [`COMMIT`] as a row.
const GIVEN: &str = "g as (select * from jsonb_to_record($1) as g (org uuid, run uuid, pick uuid, model uuid, benchmark uuid, \
    variant text, \"right\" bigint, n bigint, value float8, stderr float8, conditions jsonb))";

/// A run, its benchmark, its samples, its score.
const COMMIT: [&str; 4] = [
    "insert into runs (id, organization_id, name, model_id, checkpoint_variant, status, total_tasks, started_at) \
     select run, org, 'r', model, variant, 'completed', 1, now() from g",
    "insert into run_benchmarks (id, organization_id, run_id, benchmark_id, name, \"order\", status) \
     select pick, org, run, benchmark, 'b', 0, 'completed' from g",
    "insert into run_samples (id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id, score, error) \
     select u, org, run, pick, benchmark, i, i, (i < \"right\")::int, (i >= \"right\")::int \
     from g, lateral (select u, row_number() over (order by u) - 1 as i \
       from (select gen_random_uuid() as u from generate_series(1, n)) x) ordered",
    "insert into run_metrics (id, organization_id, run_id, run_benchmark_id, benchmark_id, metric_name, metric_value, \
     stderr, higher_is_better, sample_count, conditions) \
     select gen_random_uuid(), org, run, pick, benchmark, 'acc', value, stderr, true, n, conditions from g",
];

/// Names, checkpoints and values of the first column.
fn rows(board: &Value) -> Vec<(String, String, Option<f64>)> {
    let of = |e: &Value| {
        let text = |key: &str| e[key].as_str().unwrap().to_owned();
        (text("model_name"), text("checkpoint"), e["score"].as_f64())
    };
    board["entries"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_follows_what_is_committed() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let (bench, second) = (stage.benchmark("bench").await, stage.benchmark("second").await);
    let (one, two) = (
        stage.board_model(&org, "one").await,
        stage.board_model(&org, "two").await,
    );
    let commit = |model, checkpoint, benchmark, right, conditions| Commit {
        model,
        checkpoint,
        benchmark,
        right,
        of: 400,
        conditions,
    };
    stage
        .commit(&org, &commit(one, "latest", bench, 100, json!({})))
        .await;
    stage
        .commit(&org, &commit(one, "sft-24k", bench, 300, json!({})))
        .await;
    stage
        .commit(&org, &commit(two, "latest", bench, 200, json!({"version": "2"})))
        .await;
    let last = stage
        .commit(&org, &commit(two, "latest", second, 50, json!({})))
        .await;
    // A part of the documents does not stand before all of them, however new it is.
    stage
        .commit(&org, &commit(one, "sft-24k", bench, 10, json!({"limit": 8.0})))
        .await;

    let (status, board) = stage.get(&format!("/leaderboard/{bench}"), &org.viewer).await;
    assert_eq!(status, 200, "{board}");
    assert_eq!(
        (
            board["benchmark"].as_str(),
            board["slice"].as_str(),
            board["total"].as_u64()
        ),
        (Some("bench"), Some("all"), Some(2))
    );
    assert_eq!(
        rows(&board),
        [
            ("one".into(), "sft-24k".into(), Some(0.75)),
            ("two".into(), "latest".into(), Some(0.5))
        ]
    );
    let cell = &board["entries"][0]["cells"][0];
    assert!(
        (cell["high"].as_f64().unwrap() - 0.792_564).abs() < 1e-5,
        "{cell}"
    );
    assert_eq!(
        (cell["n"].as_i64(), cell["counts"].as_bool()),
        (Some(400), Some(true))
    );

    let (_, all) = stage
        .get("/leaderboard?checkpoint_mode=all&sort_by=model", &org.viewer)
        .await;
    assert_eq!(
        (all["total"].as_u64(), all["benchmark"].as_str()),
        (Some(3), Some("2 benchmarks"))
    );
    assert_eq!(all["ranks"]["kind"], "unpaired");
    let (_, one_only) = stage
        .get(
            "/leaderboard?checkpoint_mode=specific&checkpoint=sft-24k",
            &org.viewer,
        )
        .await;
    assert_eq!(rows(&one_only).len(), 1);

    // What is taken back gives way to what was there before.
    stage
        .sql("delete from run_metrics where run_id = any ($1)", &[last])
        .await;
    let (_, rest) = stage.get("/leaderboard", &org.viewer).await;
    assert_eq!(rest["columns"].as_array().unwrap().len(), 1, "{rest}");
    let again = stage
        .commit(&org, &commit(two, "latest", bench, 240, json!({})))
        .await;
    let score = async || {
        let (_, board) = stage
            .get(&format!("/leaderboard/{bench}?sort_by=model"), &org.viewer)
            .await;
        rows(&board)[1].2
    };
    assert_eq!(score().await, Some(0.6));
    stage
        .sql("delete from run_metrics where run_id = any ($1)", &[again])
        .await;
    assert_eq!(score().await, Some(0.5));

    let (_, covered) = stage.get("/coverage", &org.viewer).await;
    let group = stage
        .benchmark_of("suite", &["bench".into(), "third".into()])
        .await;
    let (_, with_group) = stage.get("/coverage", &org.viewer).await;
    let of = |list: &Value, name: &str| {
        let all = list["benchmarks"].as_array().unwrap();
        all.iter()
            .find(|b| b["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(
        (
            of(&covered, "bench")["models"].as_u64(),
            of(&covered, "bench")["checkpoints"].as_u64()
        ),
        (Some(2), Some(3))
    );
    assert_eq!(
        (
            of(&with_group, "suite")["measured"].as_u64(),
            of(&with_group, "suite")["leaves"].as_u64()
        ),
        (Some(1), Some(2))
    );
    let (_, suite) = stage.get(&format!("/leaderboard/{group}"), &org.viewer).await;
    assert_eq!(
        (suite["benchmark"].as_str(), suite["total"].as_u64()),
        (Some("bench"), Some(2))
    );

    let (_, model) = stage.get(&format!("/models/{one}"), &org.viewer).await;
    let scores: Vec<(&str, f64, bool)> = model["scores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["checkpoint"].as_str().unwrap(),
                s["value"].as_f64().unwrap(),
                s["limited"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(scores, [("sft-24k", 0.75, false), ("latest", 0.25, false)]);
    assert_eq!(model["benchmark_count"].as_u64(), Some(1));
    assert!(model["last_run_at"].is_string());

    let (_, theirs) = stage.get("/leaderboard", &other.viewer).await;
    assert_eq!(
        (
            theirs["total"].as_u64(),
            theirs["columns"].as_array().unwrap().len()
        ),
        (Some(0), 0)
    );
    for (path, expected) in [
        ("/leaderboard?benchmarks=x", 422),
        ("/leaderboard?checkpoint_mode=specific", 422),
        ("/leaderboard?checkpoint_mode=worst", 422),
        ("/leaderboard?slice_id=00000000-0000-0000-0000-000000000001", 422),
        ("/leaderboard/00000000-0000-0000-0000-000000000001", 404),
    ] {
        let (status, problem) = stage.get(path, &org.viewer).await;
        assert_eq!(status, expected, "{path}: {problem}");
    }
    stage
        .sql("delete from organizations where id = any ($1)", &[other.id])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_ranks_by_pairs_of_samples() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    for (name, right) in [("high", 520), ("middle", 500), ("low", 100)] {
        let model = stage.board_model(&org, name).await;
        let commit = Commit {
            model,
            checkpoint: "latest",
            benchmark: bench,
            right,
            of: 1000,
            conditions: json!({}),
        };
        stage.commit(&org, &commit).await;
    }
    let places = |board: &Value| -> Vec<(u64, u64, u64)> {
        let of = |e: &Value| {
            let n = |key: &str| e[key].as_u64().unwrap();
            (n("rank_lo"), n("rank_hi"), n("tier"))
        };
        board["entries"].as_array().unwrap().iter().map(of).collect()
    };
    let (_, before) = stage.get("/leaderboard", &org.viewer).await;
    assert_eq!(before["ranks"]["kind"], "unpaired");
    assert_eq!(places(&before), [(1, 2, 1), (1, 2, 1), (3, 3, 2)]);
    let _working = stage.work();
    let after = until("the ranks of the worker", || async {
        let (_, board) = stage.get("/leaderboard", &org.viewer).await;
        (board["ranks"]["kind"] == "paired").then_some(board)
    })
    .await;
    assert_eq!(
        (
            after["ranks"]["tests"].as_u64(),
            after["ranks"]["outdated"].as_bool()
        ),
        (Some(3), Some(false))
    );
    assert!(after["ranks"]["at"].is_string());
    assert_eq!(places(&after), [(1, 1, 1), (2, 2, 2), (3, 3, 3)]);
    let (_, one) = stage.get(&format!("/leaderboard/{bench}"), &org.viewer).await;
    assert_eq!(
        (one["ranks"]["kind"].as_str(), places(&one)),
        (Some("paired"), places(&after))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_between_samples_is_said_and_only_other_documents_are_left_out() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let (ours, imported) = (
        stage.board_model(&org, "ours").await,
        stage.board_model(&org, "imported").await,
    );
    let commit = |model, right| Commit {
        model,
        checkpoint: "latest",
        benchmark: bench,
        right,
        of: 1204,
        conditions: json!({}),
    };
    let own = stage.commit(&org, &commit(ours, 900)).await;
    let other = stage.commit(&org, &commit(imported, 300)).await;
    // Our run knows its documents; the import knows targets alone, of which four are others. Every prompt differs.
    stage
        .sql(
            "update run_samples set content_hash = sha256(convert_to('doc' || doc_id, 'UTF8')), prompt_hash = sha256('ours'), \
             target_hash = sha256(convert_to('t' || doc_id, 'UTF8')) where run_id = any ($1)",
            &[own],
        )
        .await;
    stage
        .sql(
            "update run_samples set prompt_hash = sha256('theirs'), \
             target_hash = sha256(convert_to(case when doc_id < 4 then 'x' else 't' end || doc_id, 'UTF8')) where run_id = any ($1)",
            &[other],
        )
        .await;
    let _working = stage.work();
    let board = until("the worker's comparison", || async {
        let (_, board) = stage.get("/leaderboard", &org.viewer).await;
        let known = board["entries"]
            .as_array()?
            .iter()
            .any(|e| e["cells"][0]["notes"] != json!([]));
        known.then_some(board)
    })
    .await;
    let notes = |at: usize| board["entries"][at]["cells"][0]["notes"].clone();
    assert_eq!(
        (&board["entries"][0]["model_name"], notes(0)),
        (&json!("ours"), json!([]))
    );
    assert_eq!(
        notes(1),
        json!([
            {"kind": "prompts", "text": "prompts differ on 1\u{a0}200 of 1\u{a0}200 from those of ours"},
            {"kind": "documents", "text": "4 of 1\u{a0}204 documents are not those of ours: left out of the comparison"},
        ])
    );
    assert_eq!(
        board["entries"][1]["cells"][0]["counts"], true,
        "a warning, never a drop"
    );
    assert_eq!(board["ranks"]["kind"], "paired");
}
