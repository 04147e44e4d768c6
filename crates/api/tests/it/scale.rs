//! Results by the million: indexes that serve each order of samples, scores taken in bulk, and the agreement of runs.

use super::board::Commit;
use super::runs_stage::{Org, Stage};
use api::db::explore::{self, Cursor, Filter, Mark, Sort, Way};
use api::db::{Conn, Error, agreement};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use types::RunId;
use uuid::Uuid;

impl Stage {
    /// Counts what has changed, as the worker does.
    pub(crate) async fn count_agreement(&self) {
        let counted = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<(), Error> {
                for what in agreement::outdated(conn).await? {
                    agreement::count(conn, what).await?;
                }
                Ok(())
            });
        counted.await.unwrap();
    }

    /// The lines that a statement answers, with roles that see everything.
    async fn lines(&self, text: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            line: String,
        }
        let lines = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<Vec<Line>, Error> {
                Ok(diesel::sql_query(text).load(conn).await?)
            });
        lines.await.unwrap().into_iter().map(|found| found.line).collect()
    }
}

async fn run_of(stage: &Stage, org: &Org, model: Uuid, benchmark: Uuid, right: i64) -> Uuid {
    let commit = Commit {
        model,
        checkpoint: "latest",
        benchmark,
        right,
        of: 10,
        conditions: json!({}),
    };
    stage.commit(org, &commit).await
}

/// The plan of a page as the planner makes it for these values, when it must not read a whole table.
async fn plan_of(stage: &Stage, sort: Sort, way: Way, cursor: &str) -> String {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        #[diesel(column_name = "QUERY PLAN")]
        line: String,
    }
    let run = Uuid::now_v7();
    let plan = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<String, Error> {
            for text in [
                "set local enable_seqscan = off",
                "set local plan_cache_mode = force_custom_plan",
            ] {
                diesel::sql_query(text).execute(conn).await?;
            }
            diesel::sql_query(format!("prepare page as {}", explore::statement(sort, way)))
                .execute(conn)
                .await?;
            let nothing = ["null"; 10].join(", ");
            let explain = format!("explain execute page('{run}', {nothing}, 100, {cursor})");
            let lines: Vec<Line> = diesel::sql_query(explain).load(conn).await?;
            diesel::sql_query("deallocate page").execute(conn).await?;
            Ok(lines.into_iter().map(|found| found.line + "\n").collect())
        });
    plan.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_serves_each_order_of_samples() {
    let stage = Stage::new().await;
    let cursor = format!("'{}'", Uuid::now_v7());
    let served = [
        (Sort::Index, Way::Along, "run_samples_run"),
        (Sort::Error, Way::Along, "run_samples_error"),
        (Sort::Confidence, Way::Along, "run_samples_confidence"),
        (Sort::Disagreement, Way::Along, "document_agreement_order"),
        (Sort::Index, Way::Gathered, "run_samples_run"),
        (Sort::Disagreement, Way::Gathered, "document_agreement_"),
    ];
    for (sort, way, index) in served {
        for cursor in ["null", &cursor] {
            let plan = plan_of(&stage, sort, way, cursor).await;
            assert!(plan.contains(index), "{sort:?}, {way:?} from {cursor}:\n{plan}");
            assert!(
                !plan.contains("Seq Scan on run_samples"),
                "{sort:?}, {way:?} from {cursor}:\n{plan}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_they_ended_in_every_order() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let model = stage.board_model(&org, "one").await;
    let run = run_of(&stage, &org, model, bench, 4).await;
    run_of(&stage, &org, stage.board_model(&org, "two").await, bench, 6).await;
    stage
        .sql(
            "update run_samples set error = case when doc_id in (2, 7) then null else error end, \
             confidence = case when doc_id % 3 = 0 then doc_id / 10.0 end where run_id = any ($1)",
            &[run],
        )
        .await;
    stage.count_agreement().await;
    let docs = |page: &Value| -> Vec<i64> {
        let samples = page["samples"].as_array().unwrap();
        samples.iter().map(|s| s["doc_id"].as_i64().unwrap()).collect()
    };
    let orders = [
        ("index", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("error", [4, 5, 6, 8, 9, 0, 1, 3, 2, 7]),
        ("confidence", [0, 3, 6, 9, 1, 2, 4, 5, 7, 8]),
        ("disagreement", [4, 5, 0, 1, 2, 3, 6, 7, 8, 9]),
    ];
    for (sort, expected) in orders {
        for size in [1, 3, 4, 10] {
            let (mut all, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/runs/{run}/samples?sort_by={sort}&limit={size}{cursor}");
                let (status, page) = stage.get(&path, &org.viewer).await;
                assert_eq!(status, 200, "{page}");
                all.extend(docs(&page));
                let Some(next) = page["next_cursor"].as_str() else {
                    break;
                };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(all, expected, "by {sort}, {size} at a time");
        }
    }
}

/// A run of two picks, with documents of which nobody knows, and of which others alone have answered some.
async fn disputed_run(stage: &Stage, org: &Org) -> Uuid {
    let (one, two) = (
        stage.board_model(org, "one").await,
        stage.board_model(org, "two").await,
    );
    let (bench, second) = (stage.benchmark("bench").await, stage.benchmark("second").await);
    let run = run_of(stage, org, one, bench, 4).await;
    let other = run_of(stage, org, one, second, 7).await;
    run_of(stage, org, two, bench, 6).await;
    run_of(stage, org, two, second, 2).await;
    for text in [
        "update run_benchmarks set run_id = $1[1], \"order\" = 1 where run_id = $1[2]",
        "update run_samples set run_id = $1[1] where run_id = $1[2]",
        "delete from run_samples where run_id = $1[1] and doc_id in (3, 5)",
        "update run_samples set error = null where cardinality($1) > 0 and doc_id in (1, 8)",
        "update run_samples set error = null where run_id = $1[1] and doc_id = 4",
    ] {
        stage.sql(text, &[run, other]).await;
    }
    stage.count_agreement().await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn walking_through_documents_finds_what_gathering_finds() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let run = RunId(disputed_run(&stage, &org).await);
    let page = async |after: Option<Cursor>, filter: &Filter, limit: i64| {
        let found = stage
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, Error> {
                Ok(explore::page(conn, run, filter, Sort::Disagreement, after, limit).await?)
            });
        let found = found.await.unwrap();
        found.samples.iter().map(|s| s.id.0).collect::<Vec<_>>()
    };
    let wrong = Filter {
        mark: Some(Mark::Wrong),
        ..Filter::default()
    };
    let all = page(None, &Filter::default(), 100).await;
    assert_eq!(all.len(), 16);
    for (filter, limit) in [(&Filter::default(), 1), (&Filter::default(), 5), (&wrong, 3)] {
        for &id in &all {
            let from = |total| Some(Cursor { id, total });
            let gathered = page(from(None), filter, limit).await;
            assert_eq!(
                page(from(Some(1_000_000)), filter, limit).await,
                gathered,
                "behind {id}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agreement_follows_runs_and_says_its_age() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let bench = stage.benchmark("bench").await;
    let model = stage.board_model(&org, "one").await;
    let run = run_of(&stage, &org, model, bench, 4).await;
    let second = run_of(&stage, &org, stage.board_model(&org, "two").await, bench, 6).await;
    let foreign = stage.board_model(&other, "three").await;
    run_of(&stage, &other, foreign, bench, 10).await;
    let (_, page) = stage
        .get(&format!("/runs/{run}/samples?limit=10"), &org.viewer)
        .await;
    let agreement = async |doc: usize| {
        let sample = page["samples"][doc]["id"].as_str().unwrap();
        let (_, detail) = stage.get(&format!("/samples/{sample}"), &org.viewer).await;
        detail["agreement"].clone()
    };
    assert_eq!(agreement(5).await, Value::Null);
    stage.count_agreement().await;
    let counted = agreement(5).await;
    assert_eq!(
        (&counted["answers"], &counted["right"], &counted["disagreement"]),
        (&json!(2), &json!(1), &json!(1.0))
    );
    assert!(counted["counted_at"].is_string(), "{counted}");
    assert_eq!(agreement(0).await["disagreement"], json!(0.0));
    // A run that is none any more takes its answers along.
    stage
        .sql("update runs set status = 'failed' where id = any ($1)", &[second])
        .await;
    stage
        .sql(
            "update agreement_state set took = '0' where cardinality($1) = 0",
            &[],
        )
        .await;
    stage.count_agreement().await;
    assert_eq!(agreement(5).await["answers"], json!(1));
    assert_eq!(
        stage
            .lines("select benchmark_id::text as line from agreement_state where changes > counted")
            .await,
        [""; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_taken_in_bulk_are_those_that_the_trigger_takes() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    let (one, two) = (
        stage.board_model(&org, "one").await,
        stage.board_model(&org, "two").await,
    );
    for (number, right) in [3, 9, 1, 7, 5, 2].into_iter().enumerate() {
        let commit = Commit {
            model: if number % 2 == 0 { one } else { two },
            checkpoint: if number < 3 { "latest" } else { "sft-24k" },
            benchmark: bench,
            right,
            of: 10,
            conditions: if number % 3 == 0 {
                json!({"limit": 10})
            } else {
                json!({})
            },
        };
        stage.commit(&org, &commit).await;
    }
    let scores = "select row_to_json(x)::text as line from (select run_id, metric_name, value, stderr, sample_count, conditions, \
        model_id, checkpoint_variant, ran_at from board_scores order by model_id, checkpoint_variant) x";
    let by_trigger = stage.lines(scores).await;
    assert!(by_trigger.len() >= 3, "{by_trigger:?}");
    for order in ["metric_value", "-metric_value", "id"] {
        stage
            .lines("with gone as (delete from board_scores returning id) select id::text as line from gone")
            .await;
        stage
            .lines(&format!(
                "select coalesce(app.board_take(array_agg(id))::text, '') as line from (select id, row_number() over (order by {order}) / 2 as piece \
                 from run_metrics) m group by piece"
            ))
            .await;
        assert_eq!(stage.lines(scores).await, by_trigger, "by {order}");
    }
}
