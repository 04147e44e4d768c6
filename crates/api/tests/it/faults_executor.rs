//! The server, the worker and each process of an executor, killed.

use super::faults_follower::Follower;
use super::faults_invariants::{detail, hold};
use super::faults_stage::{House, is_alive, signal_process};
use super::runs_flow::{go, marked_processes, running, starts, statuses};
use super::runs_stage::until;
use rustix::process::Signal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_costs_nothing() {
    let mut house = House::new().await;
    let run = house.create(&["wait_w", "last"], json!({})).await;
    let follower = Follower::of(&house, &run);
    running(&house.stage, &house.org, &run, 0).await;
    house.server.kill();
    // Everything happens while nobody listens.
    go(&house.stage, &run, 1);
    let folder = house.stage.attempt_dir(&run, 1);
    until("the end of the attempt", || async {
        folder.join("exit.json").exists().then_some(())
    })
    .await;
    house.restart_server().await;
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(starts(&folder), ["wait_w", "last"]);
    let seen = follower.all(&house).await;
    assert!(seen.iter().any(|m| m["type"] == "metric_update"));
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_nothing_is_executed_again() {
    let mut house = House::new().await;
    let run = house.create(&["first", "wait_w"], json!({})).await;
    running(&house.stage, &house.org, &run, 1).await;
    let before = house.processes(&run, 1);
    house.restart_worker();
    go(&house.stage, &run, 1);
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert!(before.keeper.is_some() && before.child.is_some(), "{before:?}");
    assert_eq!(starts(&house.stage.attempt_dir(&run, 1)), ["first", "wait_w"]);
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_keeper_takes_everything_with_it() {
    let house = House::new().await;
    let run = house.create(&["first", "daemons_d"], json!({})).await;
    let detail = running(&house.stage, &house.org, &run, 1).await;
    let attempt = detail["attempts"][0]["id"].as_str().unwrap().to_owned();
    // The child, and two that have left its session: the kernel only ends the first.
    until("the daemons", || async {
        (marked_processes(&attempt) >= 3).then_some(())
    })
    .await;
    let processes = house.processes(&run, 1);
    assert!(signal_process(processes.keeper.unwrap(), Signal::KILL));
    until("the end of the child", || async {
        (!is_alive(processes.child.unwrap())).then_some(())
    })
    .await;
    let detail = house.until_over(&run).await;
    assert_eq!(marked_processes(&attempt), 0, "swept before it was called lost");
    assert_eq!(
        (&detail["status"], &detail["outcome"]),
        (&json!("failed"), &json!("lost"))
    );
    assert_eq!(
        statuses(&detail),
        ["completed", "failed"],
        "what was done is kept"
    );
    assert_eq!(
        detail["attempts"].as_array().unwrap().len(),
        1,
        "no retry without being asked"
    );
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_reporter_is_replaced() {
    let house = House::new().await;
    let run = house.create(&["wait_w", "last"], json!({})).await;
    let follower = Follower::of(&house, &run);
    running(&house.stage, &house.org, &run, 0).await;
    let first = house.processes(&run, 1).reporter.unwrap();
    assert!(signal_process(first, Signal::KILL));
    until("another reporter", || async {
        house.processes(&run, 1).reporter.filter(|&pid| pid != first)
    })
    .await;
    go(&house.stage, &run, 1);
    assert_eq!(house.until_over(&run).await["status"], "completed");
    follower.all(&house).await;
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_child_is_named() {
    let house = House::new().await;
    let run = house.create(&["wait_w", "last"], json!({})).await;
    running(&house.stage, &house.org, &run, 0).await;
    assert!(signal_process(
        house.processes(&run, 1).child.unwrap(),
        Signal::KILL
    ));
    let detail = house.until_over(&run).await;
    assert_eq!(statuses(&detail), ["failed", "completed"], "{detail:#}");
    assert_eq!(detail["benchmarks"][0]["outcome"], "killed");
    assert_eq!(detail["outcome"], "killed");
    let exit = std::fs::read(house.stage.attempt_dir(&run, 1).join("exit.json")).unwrap();
    let exit: serde_json::Value = serde_json::from_slice(&exit).unwrap();
    assert_eq!(exit["processes"][0]["signal"], 9, "{exit:#}");
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_machine_loses_its_attempts_without_looking_for_their_processes() {
    let mut house = House::new().await;
    let run = house.create(&["first", "wait_w"], json!({})).await;
    running(&house.stage, &house.org, &run, 1).await;
    house.worker.kill();
    let folder = house.stage.attempt_dir(&run, 1);
    let processes = house.processes(&run, 1);
    let text = std::fs::read_to_string(folder.join("pid.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(signal_process(processes.keeper.unwrap(), Signal::KILL));
    // The number now belongs to somebody else, as it may after a restart.
    record["boot_id"] = json!("00000000-0000-0000-0000-000000000000");
    record["pid"] = json!(std::process::id());
    std::fs::write(folder.join("pid.json"), record.to_string()).unwrap();
    house.restart_worker();
    let over = house.until_over(&run).await;
    assert_eq!(
        (&over["outcome"], &over["attempts"][0]["state"]),
        (&json!("lost"), &json!("lost"))
    );
    assert_eq!(over["attempts"][0]["reason"], "the machine was restarted");
    assert_eq!(statuses(&over), ["completed", "failed"]);
    assert_eq!(detail(&house, &run).await["status"], "failed");
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ignores_every_request_is_killed() {
    let house = House::new().await;
    let run = house.create(&["stubborn_s", "last"], json!({})).await;
    let detail = running(&house.stage, &house.org, &run, 0).await;
    let attempt = detail["attempts"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/runs/{run}/cancel");
    house.stage.post(&path, &house.org.editor, &json!({})).await;
    let detail = house.until_over(&run).await;
    assert_eq!(
        (&detail["status"], &detail["outcome"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!(statuses(&detail), ["cancelled", "cancelled"]);
    let exit = std::fs::read(house.stage.attempt_dir(&run, 1).join("exit.json")).unwrap();
    let exit: serde_json::Value = serde_json::from_slice(&exit).unwrap();
    assert_eq!(exit["processes"][0]["signal"], 9, "by force: {exit:#}");
    assert_eq!(marked_processes(&attempt), 0);
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_child_leaves_behind_is_killed_and_counted() {
    let house = House::new().await;
    let run = house.create(&["leaves_l"], json!({})).await;
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    let exit = std::fs::read(house.stage.attempt_dir(&run, 1).join("exit.json")).unwrap();
    let exit: serde_json::Value = serde_json::from_slice(&exit).unwrap();
    assert_eq!(exit["killed_leftovers"], 2, "{exit:#}");
    hold(&house).await;
}
