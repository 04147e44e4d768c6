//! Two workers, one of them asleep; and clients that ask twice.

use super::faults_invariants::hold;
use super::faults_proxy::{Line, Proxy};
use super::faults_stage::{House, state_of};
use super::runs_flow::starts;
use super::runs_stage::{answer, fields, until};
use api::db::{Conn, Error, queue};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_queue() {
    let house = House::with(super::faults_stage::Ground::Shared, &[("LMMS_MAX_PARALLEL", "3")]).await;
    let _second = house.second_worker(&[]);
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(house.create(&["quick"], json!({})).await);
    }
    for run in &runs {
        let detail = house.until_over(run).await;
        assert_eq!(detail["status"], "completed", "{detail:#}");
        assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(starts(&house.stage.attempt_dir(run, 1)), ["quick"]);
    }
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_one_wins() {
    let mut house = House::new().await;
    house.worker.kill();
    let mut runs: Vec<Uuid> = Vec::new();
    for _ in 0..25 {
        runs.push(house.create(&["quick"], json!({})).await.parse().unwrap());
    }
    let claim = async |run: Uuid| {
        let lease = Duration::from_secs(600);
        let db = &house.stage.state.db;
        db.service(async |conn: &mut Conn| -> Result<bool, Error> {
            Ok(queue::claim(conn, run, Uuid::now_v7(), lease).await?.is_some())
        })
        .await
        .unwrap()
    };
    for run in runs {
        let claims = futures_util::future::join_all((0..6).map(|_| claim(run))).await;
        assert_eq!(claims.iter().filter(|won| **won).count(), 1, "{claims:?}");
    }
    let rows = house.rows("select 1 from runs where epoch <> 1").await.unwrap();
    assert!(rows.is_empty(), "a loser has changed a row");
}

/// The sleeper has claimed the run and falls asleep before it has prepared anything. Another worker
/// takes over and finishes. What the sleeper does when it wakes changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_overslept_changes_nothing() {
    let mut house = House::with(
        super::faults_stage::Ground::Shared,
        &[("LMMS_DB_IDLE_TIMEOUT", "1s")],
    )
    .await;
    house.worker.kill();
    let folder = tempfile::tempdir().unwrap();
    let (socket, url) = house.socket_through(folder.path());
    let line = Proxy::before_socket(socket, folder.path()).await;
    let sleeper = house.second_worker(&[("DATABASE_URL", &url)]);
    line.set(Line::Slow(Duration::from_millis(250)));
    let run = house.create(&["quick", "last"], json!({})).await;
    until("the claim", || async {
        let rows = house
            .rows("select 1 from runs where status = 'running'")
            .await
            .unwrap();
        (!rows.is_empty()).then_some(())
    })
    .await;
    line.set(Line::Silent);
    sleeper.send(Signal::STOP);
    let states = house.rows("select state from run_attempts").await.unwrap();
    assert_eq!(
        states[0].get::<_, String>(0),
        "claimed",
        "it fell asleep too late"
    );
    house.restart_worker();
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    // Now the sleeper alone is left, and what it had begun to say is heard.
    house.worker.kill();
    line.set(Line::Open);
    sleeper.send(Signal::CONT);
    let next = house.create(&["next"], json!({})).await;
    assert_eq!(house.until_over(&next).await["status"], "completed");
    assert_ne!(state_of(sleeper.pid()), Some('T'));
    let detail = super::faults_invariants::detail(&house, &run).await;
    assert_eq!(
        (&detail["status"], &detail["attempts"][1]),
        (&json!("completed"), &Value::Null)
    );
    assert_eq!(starts(&house.stage.attempt_dir(&run, 1)), ["quick", "last"]);
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_repeated_after_a_timeout_is_the_same_run() {
    let house = House::new().await;
    let (line, address) = Proxy::before(house.address()).await;
    let body = house.request(&["quick"], json!({})).await;
    let post = |body: &Value| {
        reqwest::Client::new()
            .post(format!("{address}/api/v1/runs/create"))
            .bearer_auth(&house.org.editor)
            .header("Idempotency-Key", "k")
            .json(body)
    };
    line.set(Line::Deaf);
    let lost = post(&body).timeout(Duration::from_secs(2)).send().await;
    assert!(lost.is_err(), "the answer came through");
    line.cut();
    line.set(Line::Open);
    let (status, first) = answer(post(&body)).await;
    assert_eq!(status, 201, "{first}");
    let (_, second) = answer(post(&body)).await;
    assert_eq!(first, second);
    let other = house.request(&["quick"], json!({"seed": 1})).await;
    let (status, problem) = answer(post(&other)).await;
    assert_eq!(
        (status.as_u16(), fields(&problem)),
        (422, vec!["Idempotency-Key"])
    );
    let run = house.acknowledge(first["run_id"].as_str().unwrap());
    assert_eq!(house.until_over(&run).await["status"], "completed");
    assert_eq!(house.rows("select 1 from runs").await.unwrap().len(), 1);
    let list = house.stage.request(Method::GET, "/runs", &house.org.viewer);
    assert_eq!(answer(list).await.1["total"], 1);
    hold(&house).await;
}
