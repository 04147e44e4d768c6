//! A viewer that follows a run through every fault: cut off, it comes back to wherever the server
//! is by then, with the last number it saw.

use super::faults_stage::House;
use super::runs_socket::open_at;
use super::runs_stage::PATIENCE;
use futures_util::StreamExt;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

pub(crate) struct Follower {
    task: JoinHandle<Vec<Value>>,
    run: String,
}

impl Follower {
    pub(crate) fn of(house: &House, run: &str) -> Self {
        Self::by(house.address(), run, &house.org.viewer)
    }

    /// By another way than straight to the server.
    pub(crate) fn by(address: watch::Receiver<String>, run: &str, token: &str) -> Self {
        let header = format!("Bearer {token}");
        Self {
            task: tokio::spawn(follow(address, run.to_owned(), header)),
            run: run.to_owned(),
        }
    }

    /// All messages up to the end of the run: none twice, and none missing that the database has.
    pub(crate) async fn all(self, house: &House) -> Vec<Value> {
        let seen = tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the end of the run")
            .unwrap();
        let seqs: Vec<i64> = seen.iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        assert!(
            seqs.is_sorted_by(|a, b| a < b),
            "the messages come in order and once: {seqs:?}"
        );
        let missing: Vec<i64> = kept(house, &self.run)
            .await
            .into_iter()
            .filter(|seq| !seqs.contains(seq))
            .collect();
        assert!(missing.is_empty(), "the viewer missed {missing:?} of {seqs:?}");
        seen
    }
}

/// The numbers of what the database keeps of a run; progress is dropped once it is superseded.
async fn kept(house: &House, run: &str) -> Vec<i64> {
    let sql = format!(
        "select generate_series(first_seq, seq) from run_events where run_id = '{run}' and kind <> 'progress'"
    );
    let rows = house.rows(&sql).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn follow(mut address: watch::Receiver<String>, run: String, header: String) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let after = seen.last().map_or(0, |m| m["seq"].as_i64().unwrap());
        let url = address.borrow_and_update().clone();
        let headers = [("authorization", header.as_str())];
        if let Ok(mut socket) = open_at(&url, &run, after, &headers).await {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                seen.push(serde_json::from_str(&text).unwrap());
                if is_end(seen.last().unwrap()) {
                    return seen;
                }
            }
        }
        // As a browser does: soon again, and at once when it hears of a new address.
        let _ = tokio::time::timeout(Duration::from_millis(100), address.changed()).await;
    }
}

/// Whether a message is the end of its run.
pub(crate) fn is_end(message: &Value) -> bool {
    let status = message["data"]["status"].as_str();
    message["type"] == "status" && matches!(status, Some("completed" | "failed" | "cancelled"))
}
