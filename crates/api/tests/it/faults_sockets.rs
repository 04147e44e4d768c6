//! A viewer that does not read, and lines to the server that are slow, cut or half open.

use super::faults_follower::Follower;
use super::faults_invariants::hold;
use super::faults_proxy::{Line, Proxy};
use super::faults_stage::House;
use super::runs_flow::{go, running};
use super::runs_socket::open_at;
use super::runs_stage::PATIENCE;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_does_not_read_is_cut_and_the_others_do_not_notice() {
    let house = House::new().await;
    let run = house.create(&["flood_f"], json!({})).await;
    let reading = Follower::of(&house, &run);
    let header = format!("Bearer {}", house.org.viewer);
    let headers = [("authorization", header.as_str())];
    let mut lazy = open_at(&house.stage.url, &run, 0, &headers).await.unwrap();
    assert_eq!(house.until_over(&run).await["status"], "completed");
    let all = reading.all(&house).await;
    let (mut seen, mut closed) = (Vec::<Value>::new(), None);
    while let Some(Ok(message)) = tokio::time::timeout(PATIENCE, lazy.next()).await.expect("an end") {
        match message {
            Message::Text(text) => seen.push(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => closed = frame,
            _ => {}
        }
    }
    assert!(seen.len() < all.len(), "all {} messages waited for it", all.len());
    if let Some(frame) = closed {
        assert_eq!(frame.code, CloseCode::Again, "{frame:?}");
    }
    assert_eq!(seen[..], all[..seen.len()], "what it got has no gap");
}

/// Through a line that is slow, then cut, then half open, the reporter and a viewer come through.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_loses_nothing() {
    let house = House::new().await;
    let (line, address) = Proxy::before(house.address()).await;
    let endpoint = json!({"url": address, "pid": std::process::id()});
    std::fs::write(house.stage.state.config.endpoint_file(), endpoint.to_string()).unwrap();
    line.set(Line::Slow(Duration::from_millis(20)));
    let run = house.create(&["first", "wait_w", "last"], json!({})).await;
    let (_keep, way) = watch::channel(address);
    let follower = Follower::by(way, &run, &house.org.viewer);
    running(&house.stage, &house.org, &run, 1).await;
    line.cut();
    line.set(Line::Dead);
    go(&house.stage, &run, 1);
    let folder = house.stage.attempt_dir(&run, 1);
    super::runs_stage::until("the last benchmark", || async {
        folder.join("out/2/done.json").exists().then_some(())
    })
    .await;
    line.set(Line::Silent);
    super::runs_stage::until("the end of the attempt", || async {
        folder.join("exit.json").exists().then_some(())
    })
    .await;
    line.cut();
    line.set(Line::Open);
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    follower.all(&house).await;
    hold(&house).await;
}
