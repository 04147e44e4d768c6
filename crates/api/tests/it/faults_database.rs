//! PostgreSQL killed, away, deaf to its listeners, and with a clock that jumps.

use super::faults_follower::Follower;
use super::faults_invariants::hold;
use super::faults_stage::{Ground, House, own_cluster, signal_process};
use super::runs_flow::{go, running, starts};
use super::runs_stage::until;
use rustix::process::Signal;
use serde_json::json;
use tokio_postgres::{AsyncMessage, NoTls};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_loses_nothing_that_was_acknowledged() {
    let house = House::with(Ground::Own, &[("LMMS_MAX_PARALLEL", "1")]).await;
    let run = house.create(&["first", "wait_w"], json!({})).await;
    let follower = Follower::of(&house, &run);
    running(&house.stage, &house.org, &run, 1).await;
    let body = house.request(&["queued_q"], json!({})).await;
    let first = house.cluster().pid();
    let (mut created, mut refusals) = (Vec::new(), 0);
    for n in 0..30 {
        if n == 10 {
            assert!(signal_process(first, Signal::KILL));
            go(&house.stage, &run, 1);
        }
        let (id, told) = house.insist(&body, &format!("key-{n}")).await;
        created.push(id);
        refusals += told;
    }
    assert!(refusals > 0, "the fall was not seen");
    for (n, id) in created.iter().enumerate() {
        let (again, _) = house.insist(&body, &format!("key-{n}")).await;
        assert_eq!(again, *id, "the same key is the same run");
    }
    assert_ne!(house.cluster().pid(), first);
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    follower.all(&house).await;
    let stored = house.rows("select 1 from runs").await.unwrap().len();
    assert_eq!(stored, 31, "no request made two runs");
    for id in &created {
        let path = format!("/runs/{id}/cancel");
        house.stage.post(&path, &house.org.editor, &json!({})).await;
    }
    for id in &created {
        house.until_over(id).await;
    }
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_without_a_database_is_finished_when_it_is_back() {
    let mut house = House::with(Ground::Own, &[]).await;
    let run = house.create(&["wait_w", "last"], json!({})).await;
    running(&house.stage, &house.org, &run, 0).await;
    let (cluster, folder) = house.cluster.take().unwrap();
    tokio::task::spawn_blocking(|| cluster.stop())
        .await
        .unwrap()
        .unwrap();
    go(&house.stage, &run, 1);
    let attempt = house.stage.attempt_dir(&run, 1);
    until("the end of the attempt", || async {
        attempt.join("exit.json").exists().then_some(())
    })
    .await;
    let (status, answer) = house.stage.get(&format!("/runs/{run}"), &house.org.viewer).await;
    assert_eq!(status, 503, "{answer}");
    assert_eq!(answer["detail"], "the database does not answer");
    let ready = house
        .stage
        .client
        .get(format!("{}/api/v1/readyz", house.stage.url));
    assert_eq!(ready.send().await.unwrap().status(), 503);
    house.cluster = Some((own_cluster(folder.path(), None).await, folder));
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(starts(&attempt), ["wait_w", "last"]);
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_notifications_cost_a_moment_and_no_message() {
    let house = House::new().await;
    let run = house.create(&["wait_w", "last"], json!({})).await;
    let follower = Follower::of(&house, &run);
    running(&house.stage, &house.org, &run, 0).await;
    let deafen = "select pg_terminate_backend(pid) from pg_stat_activity \
                  where datname = current_database() and query like 'listen%'";
    let ended = house.rows(deafen).await.unwrap().len();
    assert!(ended >= 2, "server and worker listen; {ended} did");
    go(&house.stage, &run, 1);
    assert_eq!(house.until_over(&run).await["status"], "completed");
    follower.all(&house).await;
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_carry_ids_and_numbers_only() {
    let house = House::new().await;
    let (client, mut connection) = tokio_postgres::connect(house.admin(), NoTls).await.unwrap();
    let (sender, mut inbox) = tokio::sync::mpsc::unbounded_channel();
    let listening = tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(n) = message {
                sender
                    .send((n.channel().to_owned(), n.payload().to_owned()))
                    .unwrap();
            }
        }
    });
    client.batch_execute("listen run; listen work").await.unwrap();
    let run = house.create(&["group_g"], json!({})).await;
    house.until_over(&run).await;
    drop(client);
    listening.await.unwrap();
    let mut count = 0;
    while let Ok((channel, payload)) = inbox.try_recv() {
        count += 1;
        let numbered = payload
            .strip_prefix(run.as_str())
            .and_then(|rest| rest.strip_prefix(' '));
        assert!(
            payload.is_empty() || numbered.is_some_and(|seq| seq.parse::<u32>().is_ok()),
            "`{channel}` says `{payload}`"
        );
    }
    assert!(count > 5, "{count}");
    hold(&house).await;
}
