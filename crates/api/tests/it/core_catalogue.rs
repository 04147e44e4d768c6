//! Models, checkpoints, benchmarks, secrets and task folders through the API.

use super::runs_stage::{Stage, answer, fields};
use api::catalogue;
use reqwest::Method;
use serde_json::{Value, json};
use types::Role;

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_made_edited_archived_and_brought_back() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let body = json!({
        "name": " LLaVA ", "backend": "openai", "model_args": {"z": "1", "a": 2},
        "checkpoints": [{"checkpoint_variant": "step-1"}, {"checkpoint_variant": "step-2", "source": "a/b"}],
    });
    let (status, made) = stage.post("/models", &org.editor, &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (&made["name"], &made["model_args"]),
        (&json!("LLaVA"), &json!([["z", "1"], ["a", 2]]))
    );
    assert_eq!(made["checkpoints"][1]["checkpoint_index"], json!(1));
    let path = format!("/models/{}", made["id"].as_str().unwrap());
    let patch = |body: Value| answer(stage.request(Method::PATCH, &path, &org.editor).json(&body));
    let (status, changed) = patch(json!({"archived": true, "notes": "old"})).await;
    assert_eq!(status, 200);
    assert!(changed["archived_at"].is_string() && changed["notes"] == "old" && changed["name"] == "LLaVA");
    let (_, back) = patch(json!({"archived": false})).await;
    assert_eq!(back["archived_at"], Value::Null);
    let (status, checkpoint) = stage
        .post(
            &format!("{path}/checkpoints"),
            &org.editor,
            &json!({"checkpoint_variant": "step-3"}),
        )
        .await;
    assert_eq!(
        (status.as_u16(), checkpoint["checkpoint_index"].as_i64()),
        (201, Some(2))
    );
    let (_, detail) = stage.get(&path, &org.viewer).await;
    assert_eq!(
        (detail["checkpoints"].as_array().unwrap().len(), &detail["runs"]),
        (3, &json!([]))
    );
    let (status, _) = stage
        .post(
            &format!("{path}/checkpoints"),
            &org.editor,
            &json!({"checkpoint_variant": "step-3"}),
        )
        .await;
    assert_eq!(status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_names_every_field_of_a_model() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let cases = [
        (json!({"backend": "openai"}), "name"),
        (json!({"name": "m", "backend": "openai", "colour": 1}), "colour"),
        (json!({"name": "--m", "backend": "openai"}), "name"),
        (
            json!({"name": "m", "backend": "openai", "num_parameters": -1}),
            "num_parameters",
        ),
        (
            json!({"name": "m", "backend": "openai", "model_args": {"api_key": "sk-abcdefghijklmnopqrstuvwxyz0123"}}),
            "model_args.api_key",
        ),
        (
            json!({"name": "m", "backend": "openai", "metadata": 3}),
            "metadata",
        ),
        (
            json!({"name": "m", "backend": "openai", "checkpoints": [{"checkpoint_variant": "latest"}]}),
            "checkpoints[0].checkpoint_variant",
        ),
    ];
    for (body, field) in cases {
        let (status, problem) = stage.post("/models", &org.editor, &body).await;
        assert_eq!(
            (status.as_u16(), fields(&problem)),
            (422, vec![field]),
            "{problem}"
        );
    }
    let huge = json!({"name": "m", "backend": "openai", "notes": "x".repeat(types::MAX_BODY)});
    assert_eq!(stage.post("/models", &org.editor, &huge).await.0, 413);
    let broken = stage.request(Method::POST, "/models", &org.editor).body("{");
    assert_eq!(answer(broken).await.0, 400);
    let same = json!({"name": "demo model", "backend": "openai"});
    let (status, problem) = stage.post("/models", &org.editor, &same).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("`demo model`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_things_do_not_exist() {
    let stage = Stage::new().await;
    let (mine, theirs) = (stage.org("A").await, stage.org("B").await);
    let path = format!("/models/{}", mine.model);
    assert_eq!(stage.get(&path, &mine.viewer).await.0, 200);
    assert_eq!(stage.get(&path, &theirs.editor).await.0, 404);
    let patch = stage
        .request(Method::PATCH, &path, &theirs.editor)
        .json(&json!({"name": "x"}));
    assert_eq!(answer(patch).await.0, 404);
    let (_, list) = stage.get("/models", &theirs.viewer).await;
    assert_eq!(list["models"].as_array().unwrap().len(), 1);
    let foreign = stage
        .request(Method::GET, "/models", &theirs.viewer)
        .header("Lmms-Organization", mine.id.to_string());
    assert_eq!(answer(foreign).await.0, 404);
    let patch = stage
        .request(Method::PATCH, &path, &mine.viewer)
        .json(&json!({"name": "x"}));
    assert_eq!(answer(patch).await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn benchmarks_are_filtered_and_corrected_per_organization() {
    let stage = Stage::new().await;
    let (mine, theirs) = (stage.org("A").await, stage.org("B").await);
    let id = stage.benchmark("sums").await;
    stage.benchmark("group_x").await;
    let names = |list: &Value| -> Vec<String> {
        list["benchmarks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_, groups) = stage.get("/benchmarks?kind=group", &mine.viewer).await;
    assert_eq!(
        (names(&groups), groups["total"].as_u64()),
        (vec!["group_x".to_owned()], Some(1))
    );
    let (_, found) = stage.get("/benchmarks?search=UM", &mine.viewer).await;
    assert_eq!(names(&found), ["sums"]);
    let (_, none) = stage.get("/benchmarks?search=s_ms", &mine.viewer).await;
    assert_eq!(names(&none), [""; 0]);
    let patch = stage.request(Method::PATCH, &format!("/benchmarks/{id}"), &mine.editor);
    let (status, changed) = answer(patch.json(&json!({"modality": "Audio", "category": "Speech"}))).await;
    assert_eq!(
        (status.as_u16(), &changed["modality"], &changed["category"]),
        (200, &json!("Audio"), &json!("Speech"))
    );
    let (_, audio) = stage
        .get("/benchmarks?modality=Audio&category=Speech", &mine.viewer)
        .await;
    assert_eq!(names(&audio), ["sums"]);
    let (_, other) = stage.get("/benchmarks?modality=Audio", &theirs.viewer).await;
    assert_eq!(names(&other), [""; 0]);
    for (query, field) in [
        ("kind=x", "kind"),
        ("limit=0", "limit"),
        ("colour=x", "colour"),
        ("limit=x", "query"),
    ] {
        let (status, problem) = stage.get(&format!("/benchmarks?{query}"), &mine.viewer).await;
        assert_eq!(
            (status.as_u16(), fields(&problem)),
            (422, vec![field]),
            "{problem}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_folder_is_indexed_when_it_is_added_and_missed_when_it_is_gone() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let admin = stage.token(org.id.into(), Role::Admin).await;
    let tasks = stage.data.path().join("tasks");
    std::fs::create_dir(&tasks).unwrap();
    let yaml = "task: own_sums\ndataset_path: json\noutput_type: generate_until\nmetric_list:\n  - metric: exact_match\n    aggregation: mean\n    higher_is_better: true\n";
    std::fs::write(tasks.join("own_sums.yaml"), yaml).unwrap();
    let body = json!({"path": tasks});
    assert_eq!(stage.post("/task-folders", &org.editor, &body).await.0, 403);
    let (status, folder) = stage.post("/task-folders", &admin, &body).await;
    assert_eq!(status, 201, "{folder}");
    assert_eq!(stage.post("/task-folders", &admin, &body).await.0, 409);
    let (_, list) = stage.get("/benchmarks?search=own_sums", &org.viewer).await;
    let own = &list["benchmarks"][0];
    assert_eq!(
        (&own["origin"], &own["primary_metrics"]),
        (&json!(tasks), &json!(["exact_match"]))
    );
    let stranger = stage.org("B").await;
    let (_, list) = stage.get("/benchmarks?search=own_sums", &stranger.viewer).await;
    assert_eq!(list["total"], json!(0));
    std::fs::rename(tasks.join("own_sums.yaml"), tasks.join("other.yaml")).unwrap();
    std::fs::write(tasks.join("other.yaml"), yaml.replace("own_sums", "own_sums_2")).unwrap();
    catalogue::sync(&stage.state).await.unwrap();
    let (_, list) = stage.get("/benchmarks?search=own_sums", &org.viewer).await;
    let missing: Vec<_> = list["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["missing"].as_bool().unwrap())
        .collect();
    assert_eq!(missing, [true, false]);
    let path = format!("/task-folders/{}", folder["id"].as_str().unwrap());
    assert_eq!(answer(stage.request(Method::DELETE, &path, &admin)).await.0, 204);
    for bad in ["relative", "/no/such/folder", "/tmp/../etc", "/a,b"] {
        let (status, problem) = stage.post("/task-folders", &admin, &json!({"path": bad})).await;
        assert_eq!((status.as_u16(), fields(&problem)), (422, vec!["path"]), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_kept_sealed_and_never_shown() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let admin = stage.token(org.id.into(), Role::Admin).await;
    let put = |name: &str, token: &str| {
        answer(
            stage
                .request(Method::PUT, &format!("/secrets/{name}"), token)
                .json(&json!({"value": "hf_secret_value"})),
        )
    };
    assert_eq!(put("HF_TOKEN", &org.editor).await.0, 403);
    assert_eq!(put("HF_TOKEN", &admin).await.0, 204);
    assert_eq!(put("HF_TOKEN", &admin).await.0, 204);
    let (status, problem) = put("1x", &admin).await;
    assert_eq!((status.as_u16(), fields(&problem)), (422, vec!["name"]));
    let (_, list) = stage.get("/secrets", &org.viewer).await;
    assert_eq!(list, json!({"names": ["HF_TOKEN"]}));
    assert_eq!(
        answer(stage.request(Method::DELETE, "/secrets/HF_TOKEN", &admin))
            .await
            .0,
        204
    );
    assert_eq!(
        answer(stage.request(Method::DELETE, "/secrets/HF_TOKEN", &admin))
            .await
            .0,
        404
    );
}
