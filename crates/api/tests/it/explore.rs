//! Samples: found by what went wrong, put into buckets, looked at alone; and what happened lately.

use super::board::Commit;
use super::runs_stage::Stage;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_found_by_what_went_wrong() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let bench = stage.benchmark("bench").await;
    let (one, two) = (
        stage.board_model(&org, "one").await,
        stage.board_model(&org, "two").await,
    );
    let commit = |model, right| Commit {
        model,
        checkpoint: "latest",
        benchmark: bench,
        right,
        of: 10,
        conditions: json!({}),
    };
    let run = stage.commit(&org, &commit(one, 4)).await;
    stage.commit(&org, &commit(two, 6)).await;
    stage
        .sql(
            "update run_samples set flags = '{truncated}', prediction = '\"a 100% kiwi\"', \
             doc = jsonb_build_object('category', case when doc_id < 8 then 'low' else 'high' end) \
             where run_id = any ($1) and doc_id >= 7",
            &[run],
        )
        .await;
    let docs = async |query: &str| {
        let (status, page) = stage
            .get(&format!("/runs/{run}/samples?{query}"), &org.viewer)
            .await;
        assert_eq!(status, 200, "{query}: {page}");
        let all = page["samples"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["doc_id"].as_i64().unwrap());
        (all.collect::<Vec<_>>(), page["total"].as_u64().unwrap())
    };
    assert_eq!(docs("mark=wrong").await, ((4..10).collect(), 6));
    assert_eq!(docs("mark=right&limit=2").await, (vec![0, 1], 4));
    assert_eq!(docs("flag=truncated&category=high").await, (vec![8, 9], 2));
    assert_eq!(docs("search=100%25+kiwi").await, (vec![7, 8, 9], 3));
    assert_eq!(docs("search=100_+kiwi").await, (vec![], 0));
    assert_eq!(docs("score_max=0.5&sort_by=index&limit=1").await, (vec![4], 6));
    // Only about documents 4 and 5 do the two disagree.
    stage.count_agreement().await;
    assert_eq!(docs("sort_by=disagreement&limit=2").await.0, [4, 5]);

    let (_, first) = stage
        .get(
            &format!("/runs/{run}/samples?sort_by=error&limit=4&mark=wrong"),
            &org.viewer,
        )
        .await;
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        docs(&format!("sort_by=error&limit=4&mark=wrong&cursor={cursor}")).await,
        (vec![8, 9], 6)
    );

    let (_, found) = stage
        .get(&format!("/runs/{run}/samples/buckets?mark=wrong"), &org.viewer)
        .await;
    let of = |kind: &str| -> Vec<(String, u64)> {
        let all = found["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|b| b["kind"] == kind);
        all.map(|b| {
            (
                b["name"].as_str().unwrap().to_owned(),
                b["count"].as_u64().unwrap(),
            )
        })
        .collect()
    };
    assert_eq!(of("benchmark"), [("bench".into(), 6)]);
    assert_eq!(of("category"), [("high".into(), 2), ("low".into(), 1)]);
    assert_eq!(
        (of("flag"), of("mark")),
        (vec![("truncated".into(), 3)], vec![("wrong".into(), 6)])
    );

    let sample = first["samples"][0]["id"].as_str().unwrap();
    let (_, detail) = stage.get(&format!("/samples/{sample}"), &org.viewer).await;
    assert_eq!(
        (detail["model_name"].as_str(), detail["run_id"].as_str()),
        (Some("one"), Some(run.to_string().as_str()))
    );
    let others = detail["others"].as_array().unwrap();
    assert_eq!(
        (
            others.len(),
            others[0]["model_name"].as_str(),
            others[0]["error"].as_f64()
        ),
        (1, Some("two"), Some(0.0))
    );
    assert_eq!(
        stage.get(&format!("/samples/{sample}"), &other.viewer).await.0,
        404
    );
    assert_eq!(
        stage
            .get(&format!("/runs/{run}/samples/buckets"), &other.viewer)
            .await
            .0,
        404
    );
    let (_, home) = stage.get("/home?days=3", &org.viewer).await;
    assert_eq!(
        (
            home["recent"].as_array().unwrap().len(),
            home["counts"]["completed"].as_u64()
        ),
        (2, Some(2))
    );
    assert_eq!(stage.get("/home?days=0", &org.viewer).await.0, 422);
}
