//! What ends by itself: silence, time, tries, and processes that nobody owns.

use super::faults_invariants::hold;
use super::faults_stage::{Ground, House, is_alive};
use super::runs_flow::{running, starts, statuses};
use super::runs_stage::until;
use serde_json::json;
use std::process::{Child, Command};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_benchmark_that_says_nothing_any_more_is_stalled_and_the_next_goes_on() {
    let house = House::with(Ground::Shared, &[("LMMS_STALL", "3s")]).await;
    let run = house.create(&["first", "wait_w", "last"], json!({})).await;
    let detail = house.until_over(&run).await;
    assert_eq!(
        statuses(&detail),
        ["completed", "failed", "completed"],
        "{detail:#}"
    );
    assert_eq!(detail["benchmarks"][1]["outcome"], "stalled");
    assert_eq!(
        (&detail["status"], &detail["outcome"]),
        (&json!("failed"), &json!("stalled"))
    );
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_with_its_time() {
    let house = House::new().await;
    let run = house
        .create(&["first", "wait_w", "last"], json!({"wall_clock_limit": 2}))
        .await;
    let detail = house.until_over(&run).await;
    let attempt = &detail["attempts"][0];
    assert_eq!(
        (&attempt["state"], &attempt["outcome"]),
        (&json!("timed_out"), &json!("timed_out")),
        "{detail:#}"
    );
    assert_eq!(attempt["reason"], "the time limit of 2 s was reached");
    assert_ne!(detail["benchmarks"][2]["status"], "completed");
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_benchmark_is_tried_as_often_as_its_run_says() {
    let house = House::new().await;
    let run = house
        .create(&["dies_d", "last"], json!({"retry": {"benchmark": 1}}))
        .await;
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(
        starts(&house.stage.attempt_dir(&run, 1)),
        ["dies_d", "dies_d", "last"]
    );
    let run = house.create(&["dies_d", "last"], json!({})).await;
    let detail = house.until_over(&run).await;
    assert_eq!(
        statuses(&detail),
        ["failed", "completed"],
        "not without being asked: {detail:#}"
    );
    hold(&house).await;
}

/// A process with the mark of an attempt, whoever started it.
struct Stray(Child);

impl Stray {
    fn of(attempt: &str) -> Self {
        let mut sleep = Command::new("sleep");
        sleep.arg("600").env("LMMS_RUN_TRACKING_ID", attempt);
        Self(sleep.spawn().unwrap())
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lives_of_an_attempt_that_is_over_is_swept_and_nothing_else() {
    let house = House::new().await;
    let over = house.create(&["quick"], json!({})).await;
    let attempt = house.until_over(&over).await["attempts"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let live = house.create(&["wait_w"], json!({})).await;
    let other = running(&house.stage, &house.org, &live, 0).await["attempts"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (ours, foreign) = (Stray::of(&other), Stray::of(&Uuid::now_v7().to_string()));
    let stray = Stray::of(&attempt);
    until("the sweep", || async { (!is_alive(stray.0.id())).then_some(()) }).await;
    assert!(is_alive(ours.0.id()), "of an attempt that is under way");
    assert!(is_alive(foreign.0.id()), "of another installation");
    let path = format!("/runs/{live}/cancel");
    house.stage.post(&path, &house.org.editor, &json!({})).await;
    house.until_over(&live).await;
    hold(&house).await;
}
