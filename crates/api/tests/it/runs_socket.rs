//! The live messages: resumed without gap or repetition, and only for those who may see the run.

use super::runs_stage::{Org, PATIENCE, Stage};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn open(
    stage: &Stage,
    run: &str,
    after: i64,
    headers: &[(&'static str, &str)],
) -> Result<Socket, Error> {
    open_at(&stage.url, run, after, headers).await
}

/// Follows a run of the server at `server`.
pub(crate) async fn open_at(
    server: &str,
    run: &str,
    after: i64,
    headers: &[(&'static str, &str)],
) -> Result<Socket, Error> {
    let url = format!("{}/ws/runs/{run}?after={after}", server.replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_str(value).unwrap());
    }
    Ok(connect_async(request).await?.0)
}

async fn with_token(stage: &Stage, run: &str, after: i64, token: &str) -> Socket {
    open(
        stage,
        run,
        after,
        &[("authorization", &format!("Bearer {token}"))],
    )
    .await
    .unwrap()
}

pub(crate) async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("a message")
            .unwrap()
            .unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// Messages up to and with the first that fits.
async fn upto(socket: &mut Socket, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let message = next(socket).await;
        let last = fits(&message);
        seen.push(message);
        if last {
            return seen;
        }
    }
}

fn is_end(message: &Value) -> bool {
    message["type"] == "status" && message["data"]["status"] == "completed"
}

fn seqs(messages: &[Value]) -> Vec<i64> {
    messages.iter().map(|m| m["seq"].as_i64().unwrap()).collect()
}

pub(crate) fn refused(result: Result<Socket, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("expected a refusal, got {:?}", other.map(|_| ())),
    }
}

async fn stage() -> (Stage, Org) {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    (stage, org)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_misses_nothing_and_sees_nothing_twice() {
    let (stage, org) = stage().await;
    let _working = stage.work();
    let run = stage.create(&org, &["first", "wait_w"], json!({})).await;
    let mut whole = with_token(&stage, &run, 0, &org.viewer).await;
    let mut cut = with_token(&stage, &run, 0, &org.viewer).await;
    let waits = |m: &Value| {
        m["type"] == "progress" && m["data"]["current_benchmark"] == "wait_w" && m["data"]["done"] == 2
    };
    let mut pieces = upto(&mut cut, waits).await;
    drop(cut);
    std::fs::write(stage.attempt_dir(&run, 1).join("go"), "").unwrap();
    let all = upto(&mut whole, is_end).await;
    let mut again = with_token(&stage, &run, *seqs(&pieces).last().unwrap(), &org.viewer).await;
    pieces.extend(upto(&mut again, is_end).await);
    let expected: Vec<i64> = (1..=*seqs(&all).last().unwrap()).collect();
    assert_eq!(seqs(&all), expected, "live, the sequence has no gap");
    // The end of a run drops superseded progress, and nothing else.
    let lost: Vec<&Value> = all.iter().filter(|m| !pieces.contains(m)).collect();
    assert!(lost.iter().all(|m| m["type"] == "progress"), "{lost:#?}");
    let mut distinct = seqs(&pieces);
    distinct.dedup();
    assert_eq!(distinct.len(), pieces.len());
    let kinds = ["progress", "metric_update", "log_line", "status"];
    assert!(
        kinds.iter().all(|kind| all.iter().any(|m| m["type"] == *kind)),
        "{all:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_once() {
    let (stage, org) = stage().await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let other = stage.create(&org, &["sums_2"], json!({})).await;
    let ticket = async |run: &str| {
        let (status, body) = stage
            .post(&format!("/runs/{run}/ticket"), &org.viewer, &json!({}))
            .await;
        assert_eq!(status, 201);
        format!("ticket.{}", body["ticket"].as_str().unwrap())
    };
    let first = ticket(&run).await;
    let header = [("sec-websocket-protocol", first.as_str())];
    let mut socket = open(&stage, &run, 0, &header).await.unwrap();
    assert_eq!(next(&mut socket).await["data"]["status"], "queued");
    assert_eq!(
        refused(open(&stage, &run, 0, &header).await),
        401,
        "a ticket is used once"
    );
    let wrong = ticket(&other).await;
    assert_eq!(
        refused(open(&stage, &run, 0, &[("sec-websocket-protocol", &wrong)]).await),
        401
    );
    assert_eq!(refused(open(&stage, &run, 0, &[]).await), 401);
    let bearer = format!("Bearer {}", org.viewer);
    let foreign = [
        ("authorization", bearer.as_str()),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(refused(open(&stage, &run, 0, &foreign).await), 403);
    let own = [("authorization", bearer.as_str()), ("origin", stage.url.as_str())];
    assert!(open(&stage, &run, 0, &own).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_without_waiting_for_the_clock() {
    let (stage, org) = stage().await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    let mut socket = with_token(&stage, &run, 1, &org.viewer).await;
    // Once the subscription stands, notifications are heard.
    let heard = async {
        loop {
            if stage.state.events.subscribers() == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
    let (status, _) = stage
        .post(&format!("/runs/{run}/cancel"), &org.editor, &json!({}))
        .await;
    assert_eq!(status, 200);
    let message = next(&mut socket).await;
    assert_eq!(
        (message["seq"].as_i64(), message["data"]["status"].as_str()),
        (Some(2), Some("cancelled"))
    );
}
