//! Slices by rule: which samples are in them, what is scored on them, and that nothing else is touched.

use super::board::Commit;
use super::imports::{SAMPLE_LINES, imported, json_of, results};
use super::runs_stage::{Org, Stage, answer, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use types::ImportMapping as Mapping;
use uuid::Uuid;

/// Gives the samples of these runs documents: halves of `ocr` and `chart`, and a difficulty.
const DOCUMENTS: &str = "update run_samples set doc = jsonb_build_object('category', case doc_id % 2 when 0 then 'OCR' else 'chart' end, \
    'difficulty', doc_id % 5) where run_id = any ($1)";

/// Memberships that one record has and the other lacks, of either kind.
const UNEQUAL: &str = "select coalesce(jsonb_agg(jsonb_build_array(slice, sample)), '[]')::text as found from ( \
    (select slice_id as slice, sample_id as sample from sample_slices except \
      select a.id, s.id from run_samples s cross join unnest(s.slice_assignments) a(id)) \
    union all (select a.id, s.id from run_samples s cross join unnest(s.slice_assignments) a(id) except \
      select slice_id, sample_id from sample_slices)) x";

impl Stage {
    async fn slice(&self, org: &Org, name: &str, rule: &str) -> String {
        let body = json!({"name": name, "slice_type": "custom", "rule": rule});
        let (status, made) = self.post("/slices", &org.editor, &body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn change(&self, org: &Org, id: &str, body: Value) -> Value {
        let request = self.request(Method::PATCH, &format!("/slices/{id}"), &org.editor);
        let (status, slice) = answer(request.json(&body)).await;
        assert_eq!(status, 200, "{slice}");
        slice
    }

    /// The slice once all samples have been looked at.
    async fn until_done(&self, org: &Org, id: &str) -> Value {
        until("the slice to be done", || async {
            let (_, slice) = self.get(&format!("/slices/{id}"), &org.viewer).await;
            (slice["state"] == "done").then_some(slice)
        })
        .await
    }

    async fn runs_of_bench(&self, org: &Org, bench: Uuid, right: i64, of: i64, times: usize) -> Vec<Uuid> {
        let model = self.board_model(org, &format!("m{}", Uuid::now_v7())).await;
        let mut runs = Vec::new();
        for _ in 0..times {
            let commit = Commit {
                model,
                checkpoint: "latest",
                benchmark: bench,
                right,
                of,
                conditions: json!({}),
            };
            runs.push(self.commit(org, &commit).await);
        }
        self.sql(DOCUMENTS, &runs).await;
        runs
    }

    async fn assert_equal_records(&self) {
        assert_eq!(json_of(self, UNEQUAL.to_owned()).await, json!([]));
    }
}

/// Documents of the samples in a slice, by run.
async fn members(stage: &Stage, slice: &str) -> Value {
    let sql = format!(
        "select coalesce(jsonb_agg(jsonb_build_array(s.run_id, s.doc_id) order by s.run_id, s.doc_id), '[]')::text as found \
         from sample_slices x join run_samples s on s.id = x.sample_id where x.slice_id = '{slice}'"
    );
    json_of(stage, sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_is_made_seen_changed_and_removed() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let bench = stage.benchmark("bench").await;
    let run = stage.runs_of_bench(&org, bench, 61, 100, 1).await[0];
    let theirs = stage.runs_of_bench(&other, bench, 10, 100, 1).await[0];
    let before = json_of(
        &stage,
        "select jsonb_agg(to_jsonb(m) order by id)::text as found from run_metrics m".into(),
    )
    .await;

    let id = stage
        .slice(&org, "text", "category==\"ocr\"   AND difficulty >= 2")
        .await;
    let namesake = json!({"name": "text", "slice_type": "custom", "rule": "a exists"});
    assert_eq!(stage.post("/slices", &org.editor, &namesake).await.0, 409);
    assert_eq!(stage.post("/slices", &other.editor, &namesake).await.0, 201);
    let _working = stage.work();
    let slice = stage.until_done(&org, &id).await;
    assert_eq!(
        (
            &slice["rule"],
            &slice["samples"],
            &slice["seen"],
            &slice["own_rule"]
        ),
        (
            &json!("category = \"ocr\" and difficulty >= 2"),
            &json!(30),
            &json!(100),
            &json!(true)
        )
    );
    stage.assert_equal_records().await;
    let found = members(&stage, &id).await;
    assert_eq!(found.as_array().unwrap().len(), 30);
    assert!(
        found.as_array().unwrap().iter().all(|m| m[0] == run.to_string()),
        "{found}"
    );

    // What is scored on it is what an independent query computes.
    let (_, list) = stage.get(&format!("/slices/{id}/metrics"), &org.viewer).await;
    let metric = &list["metrics"][0];
    let by_hand = json_of(&stage, format!(
        "select jsonb_build_array(avg(score), stddev_samp(score) / sqrt(count(*)), count(*))::text as found from run_samples \
         where run_id = '{run}' and lower(doc ->> 'category') = 'ocr' and (doc ->> 'difficulty')::int >= 2")).await;
    let near = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12;
    assert!(
        near(&metric["metric_value"], &by_hand[0]) && near(&metric["stderr"], &by_hand[1]),
        "{list} {by_hand}"
    );
    assert_eq!(
        (&metric["sample_count"], &list["total"], &list["slice"]),
        (&by_hand[2], &json!(1), &json!("text"))
    );
    assert_eq!(
        (&metric["overall"], &metric["small"]),
        (&json!(0.61), &json!(false))
    );

    // Every page looks through it.
    let (_, board) = stage
        .get(&format!("/leaderboard/{bench}?slice_id={id}"), &org.viewer)
        .await;
    assert!(near(&board["entries"][0]["score"], &by_hand[0]), "{board}");
    assert_eq!((&board["slice"], &board["missing"]), (&json!("text"), &json!([])));
    let (_, page) = stage
        .get(&format!("/runs/{run}/samples?slice_id={id}&limit=1"), &org.viewer)
        .await;
    assert_eq!(
        (&page["total"], &page["samples"][0]["slices"]),
        (&json!(30), &json!([id]))
    );
    let (_, all) = stage.get(&format!("/leaderboard/{bench}"), &org.viewer).await;
    assert_eq!(all["entries"][0]["score"], json!(0.61));

    // Others know nothing of it.
    for path in [
        format!("/slices/{id}"),
        format!("/slices/{id}/metrics"),
        format!("/runs/{run}/slices"),
    ] {
        assert_eq!(stage.get(&path, &other.viewer).await.0, 404, "{path}");
    }
    assert_eq!(
        stage
            .get(&format!("/leaderboard?slice_id={id}"), &other.viewer)
            .await
            .0,
        422
    );
    let touched = format!(
        "select count(*)::text as found from run_samples where run_id = '{theirs}' and slice_assignments <> '{{}}'"
    );
    assert_eq!(json_of(&stage, touched).await, json!(0));

    // Another rule, other samples.
    stage
        .change(
            &org,
            &id,
            json!({"rule": "difficulty = 4 and not category = \"ocr\""}),
        )
        .await;
    let changed = stage.until_done(&org, &id).await;
    assert_eq!(changed["samples"], json!(10));
    stage.assert_equal_records().await;
    let again = members(&stage, &id).await;
    assert_eq!(
        again
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m[1].as_i64().unwrap())
            .collect::<Vec<_>>(),
        (0..100).filter(|d| d % 10 == 9).collect::<Vec<_>>()
    );
    stage.change(&org, &id, json!({"name": "hard"})).await;
    assert_eq!(
        stage.get(&format!("/slices/{id}"), &org.viewer).await.1["state"],
        "done"
    );

    // Gone for everybody at once, and then without a trace.
    let gone = stage.request(Method::DELETE, &format!("/slices/{id}"), &org.editor);
    assert_eq!(answer(gone).await.0, 204);
    assert_eq!(stage.get(&format!("/slices/{id}"), &org.viewer).await.0, 404);
    stage.slice(&org, "hard", "missing exists").await;
    until("the slice to be forgotten", || async {
        let sql = format!("select count(*)::text as found from slices where id = '{id}'");
        (json_of(&stage, sql).await == json!(0)).then_some(())
    })
    .await;
    assert_eq!(members(&stage, &id).await, json!([]));
    stage.assert_equal_records().await;
    let left = "select (select count(*) from run_metrics where slice_id is not null) + (select count(*) from board_scores where slice_id is not null)";
    assert_eq!(
        json_of(&stage, format!("select ({left})::text as found")).await,
        json!(0)
    );
    let after = json_of(
        &stage,
        "select jsonb_agg(to_jsonb(m) order by id)::text as found from run_metrics m".into(),
    )
    .await;
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_mean_has_no_score_and_says_why() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let runs = stage.runs_of_bench(&org, bench, 50, 100, 2).await;
    stage
        .sql(
            "update run_metrics set metric_value = 0.123 where run_id = any ($1)",
            &runs[1..],
        )
        .await;
    let percent = "update run_metrics set metric_value = 50 where run_id = any ($1)";
    stage.sql(percent, &runs[..1]).await;
    let id = stage.slice(&org, "ocr", "category = \"ocr\"").await;
    let _working = stage.work();
    stage.until_done(&org, &id).await;
    let (_, list) = stage.get(&format!("/slices/{id}/metrics"), &org.viewer).await;
    let of = |run: Uuid| {
        let all = list["metrics"].as_array().unwrap();
        all.iter().find(|m| m["run_id"] == run.to_string()).unwrap()
    };
    assert_eq!(of(runs[0])["metric_value"], json!(50.0));
    assert_eq!(of(runs[1])["metric_value"], Value::Null);
    assert!(
        of(runs[1])["reason"].as_str().unwrap().contains("not the mean"),
        "{list}"
    );
    let (_, report) = stage.get(&format!("/runs/{}/slices", runs[1]), &org.viewer).await;
    assert!(report["reason"].as_str().unwrap().contains("not the mean") && report["gap"].is_null());
    assert_eq!(
        (&report["slices"][0]["n"], &report["slices"][0]["value"]),
        (&json!(50), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaderboard_says_what_it_lacks_on_a_slice() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let runs = stage.runs_of_bench(&org, bench, 50, 100, 1).await;
    stage
        .sql(
            "update run_metrics set metric_value = 0.123 where run_id = any ($1)",
            &runs,
        )
        .await;
    let id = stage.slice(&org, "ocr", "category = \"ocr\"").await;
    let board = async || {
        stage
            .get(&format!("/leaderboard?slice_id={id}"), &org.viewer)
            .await
            .1
    };
    assert!(
        board().await["missing"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("not all been looked at")
    );
    let _working = stage.work();
    stage.until_done(&org, &id).await;
    let missing = &board().await["missing"];
    assert_eq!(
        (&missing[0]["benchmark"], &missing[0]["entries"]),
        (&json!("bench"), &json!(1))
    );
    assert!(
        missing[0]["reason"].as_str().unwrap().contains("not the mean"),
        "{missing}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_sets_slices_against_chance() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    // Documents 0 to 49 are right: the first half of the numbers, and both categories alike.
    let run = stage.runs_of_bench(&org, bench, 50, 100, 1).await[0];
    let _working = stage.work();
    let mut ids = Vec::new();
    for (name, rule) in [
        ("a low", "@doc_id < 60"),
        ("b high", "@doc_id >= 60"),
        ("c ocr", "category = \"ocr\""),
        ("d few", "@doc_id < 5"),
    ] {
        ids.push(stage.slice(&org, name, rule).await);
    }
    for id in &ids {
        stage.until_done(&org, id).await;
    }
    let (status, report) = stage
        .get(&format!("/runs/{run}/slices?benchmark_id={bench}"), &org.viewer)
        .await;
    assert_eq!(status, 200, "{report}");
    let rows = report["slices"].as_array().unwrap();
    assert_eq!(
        rows.iter().map(|r| r["n"].as_u64().unwrap()).collect::<Vec<_>>(),
        [60, 40, 50, 5]
    );
    assert_eq!(
        (&rows[3]["small"], &rows[3]["value"]),
        (&json!(true), &Value::Null)
    );
    assert!((rows[0]["value"].as_f64().unwrap() - 50.0 / 60.0).abs() < 1e-12);
    assert!(rows[0]["p_adjusted"].as_f64().unwrap() < 1e-6 && rows[2]["p"].as_f64().unwrap() > 0.5);
    assert!(rows[1]["delta_high"].as_f64().unwrap() < 0.0);
    let gap = &report["gap"];
    assert_eq!(
        (&gap["worst_name"], &report["uncovered"]),
        (&json!("b high"), &json!(0))
    );
    assert!(
        gap["expected"].as_f64().unwrap() < gap["gap"].as_f64().unwrap() && gap["p"].as_f64().unwrap() < 0.01,
        "{gap}"
    );
    assert_eq!(
        stage
            .get(&format!("/runs/{run}/slices?benchmark_id={run}"), &org.viewer)
            .await
            .0,
        422
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_samples_goes_on_where_a_dead_worker_stopped() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let runs = stage.runs_of_bench(&org, bench, 1, 2, 230).await;
    let id = stage.slice(&org, "ocr", "category = \"ocr\"").await;
    // A sample of the last run is held, so that the worker waits in the middle. An advisory lock is no transaction
    // that a fence would have to wait for.
    let client = stage.superuser().await;
    let last = runs.last().unwrap();
    client
        .batch_execute(&format!(
            "select pg_advisory_lock(42);
             create function public.hold() returns trigger language plpgsql as $$ begin
               if exists (select from public.run_samples where id = new.sample_id and run_id = '{last}') then
                 perform pg_advisory_xact_lock(42);
               end if;
               return new;
             end $$;
             create trigger hold before insert on public.sample_slices for each row execute function public.hold()"
        ))
        .await
        .unwrap();
    let progress = || async { stage.get(&format!("/slices/{id}"), &org.viewer).await.1 };
    let working = stage.work();
    let middle = until("the worker to wait", || async {
        let slice = progress().await;
        (slice["seen"] == 400 && slice["state"] == "running").then_some(slice)
    })
    .await;
    assert_eq!(middle["samples"], json!(200));
    working.kill().await;
    assert_eq!(progress().await["seen"], json!(400));
    client
        .execute("select pg_advisory_unlock(42)", &[])
        .await
        .unwrap();
    let _working = stage.work();
    let done = stage.until_done(&org, &id).await;
    // Nothing was looked at twice.
    assert_eq!((&done["seen"], &done["samples"]), (&json!(460), &json!(230)));
    stage.assert_equal_records().await;
    let scores = format!(
        "select jsonb_build_array(count(*), count(metric_value))::text as found from run_metrics where slice_id = '{id}'"
    );
    assert_eq!(json_of(&stage, scores).await, json!([230, 230]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_waits_for_samples_that_are_being_stored() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let run = stage.runs_of_bench(&org, bench, 5, 10, 1).await[0];
    let mut client = stage.superuser().await;
    let storing = client.transaction().await.unwrap();
    storing
        .batch_execute(&format!(
            "insert into run_samples (id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id, doc) \
             select gen_random_uuid(), organization_id, run_id, id, benchmark_id, 99, 99, '{{\"category\": \"ocr\"}}' \
             from run_benchmarks where run_id = '{run}'"
        ))
        .await
        .unwrap();
    let id = stage.slice(&org, "ocr", "category = \"ocr\"").await;
    let other = stage.org("B").await;
    let _working = stage.work();
    // The fence is set, and nothing is looked at while the transaction lasts: another look would have come by now.
    until("the fence", || async {
        let sql = format!("select (fence is not null)::text as found from slices where id = '{id}'");
        (json_of(&stage, sql).await == json!(true)).then_some(())
    })
    .await;
    stage.runs_of_bench(&other, bench, 1, 2, 3).await;
    assert_eq!(
        stage.get(&format!("/slices/{id}"), &org.viewer).await.1["state"],
        "pending"
    );
    storing.commit().await.unwrap();
    assert_eq!(stage.until_done(&org, &id).await["samples"], json!(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_is_put_into_slices_at_once() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let id = stage.slice(&org, "a", "@target = \"A\"").await;
    let typed = json!({"name": "long", "slice_type": "audio_duration", "slice_value": "> 5"});
    assert_eq!(stage.post("/slices", &org.editor, &typed).await.0, 201);
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("20260101_080000_results.json"),
        results("pretrained=org/m"),
    )
    .unwrap();
    fs::write(
        folder.path().join("20260101_080000_samples_t.jsonl"),
        SAMPLE_LINES,
    )
    .unwrap();
    imported(&stage, &org, folder.path(), Mapping::default()).await;
    let rows = "select jsonb_build_array( \
        (select jsonb_agg(jsonb_build_array(s.doc_id, s.slice_assignments) order by s.doc_id) from run_samples s), \
        (select jsonb_agg(jsonb_build_array(m.metric_name, m.metric_value, m.sample_count, m.slice_id)) from run_metrics m \
           where slice_id is not null))::text as found";
    let at_once = json_of(&stage, rows.to_owned()).await;
    assert_eq!(at_once, json!([[[0, [id]], [2, []]], [["acc", 1, 1, id]]]));
    stage.assert_equal_records().await;
    let _working = stage.work();
    let slice = stage.until_done(&org, &id).await;
    assert_eq!(slice["samples"], json!(1));
    assert_eq!(json_of(&stage, rows.to_owned()).await, at_once);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_slice_is_refused_by_field() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    for (body, field, message) in [
        (json!({"name": "x", "slice_type": "custom"}), "rule", "missing"),
        (
            json!({"name": "x", "slice_type": "custom", "rule": "a = )"}),
            "rule",
            "at column 5: expected a value, found `)`",
        ),
        (
            json!({"name": " ", "slice_type": "custom", "rule": "a exists"}),
            "name",
            "empty",
        ),
        (
            json!({"name": "x", "slice_type": "audio_snr"}),
            "slice_value",
            "missing",
        ),
        (
            json!({"name": "x", "slice_type": "audio_snr", "slice_value": "< low"}),
            "slice_value",
            "expected a number",
        ),
        (
            json!({"name": "x", "slice_type": "custom", "rule": "a exists", "associated_benchmarks": [Uuid::nil()]}),
            "associated_benchmarks",
            "expected benchmarks",
        ),
        (
            json!({"name": "x", "slice_type": "custom", "rule": "a exists", "description": "a\0"}),
            "description",
            "control",
        ),
    ] {
        let (status, problem) = stage.post("/slices", &org.editor, &body).await;
        assert_eq!(status, 422, "{problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{problem}");
        assert!(error["message"].as_str().unwrap().contains(message), "{problem}");
    }
    let id = stage.slice(&org, "x", "a exists").await;
    let request = stage.request(Method::PATCH, &format!("/slices/{id}"), &org.editor);
    assert_eq!(answer(request.json(&json!({"rule": ""}))).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_can_be_tried_before_it_is_kept() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let bench = stage.benchmark("bench").await;
    stage.runs_of_bench(&org, bench, 5, 40, 2).await;
    let preview = async |token: &str, body: Value| stage.post("/slices/preview", token, &body).await;
    let (status, found) = preview(&org.viewer, json!({"rule": "category = \"ocr\""})).await;
    assert_eq!(status, 200, "{found}");
    // Of the newest run alone.
    assert_eq!((&found["seen"], &found["samples"]), (&json!(40), &json!(20)));
    assert_eq!(found["examples"].as_array().unwrap().len(), 8);
    let (_, none) = preview(&org.viewer, json!({"benchmark_ids": [bench]})).await;
    let field = |name: &str| {
        let all = none["fields"].as_array().unwrap();
        all.iter().find(|f| f["name"] == name).unwrap().clone()
    };
    assert_eq!((&none["rule"], &none["samples"]), (&Value::Null, &json!(0)));
    assert_eq!(field("category")["values"], json!(["\"OCR\"", "\"chart\""]));
    assert_eq!(field("difficulty")["kind"], "number");
    assert_eq!(
        preview(&other.viewer, json!({"rule": "category exists"})).await.1["seen"],
        json!(0)
    );
    assert_eq!(preview(&org.viewer, json!({"rule": "category"})).await.0, 422);
}
