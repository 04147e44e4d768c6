//! One connection that listens for notifications, and comes back when it is lost.

use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use uuid::Uuid;

/// How long to wait before the next attempt to connect.
const RETRY: Duration = Duration::from_secs(1);

/// Something may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// To this run, whose last message has this number.
    Run(Uuid, i64),
    /// To the queue, or to an attempt.
    Work,
    /// Anything: the connection is new, so notifications may have been missed.
    Anything,
}

/// What is told of runs: every message of theirs.
pub const RUNS: &str = "run";
/// What is told of work: that there is some.
pub const WORK: &str = "work";

/// Listens on one channel until the receiver is gone.
pub async fn listen(url: String, channel: &'static str, hints: mpsc::Sender<Hint>) {
    while !hints.is_closed() {
        if let Err(error) = listen_once(&url, channel, &hints).await {
            tracing::debug!(%error, "the listening connection was lost");
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = hints.closed() => {}
        }
    }
}

async fn listen_once(
    url: &str,
    channel: &str,
    hints: &mpsc::Sender<Hint>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = tokio_postgres::connect(url, crate::db::tls::connector()).await?;
    let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
    let listen = format!("listen {channel}");
    let listening = client.batch_execute(&listen);
    let mut listening = std::pin::pin!(listening);
    let mut is_listening = false;
    loop {
        tokio::select! {
            done = &mut listening, if !is_listening => {
                done?;
                is_listening = true;
                send(hints, Hint::Anything);
            }
            message = futures_util::StreamExt::next(&mut messages) => match message {
                None => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(AsyncMessage::Notification(n))) => {
                    if let Some(hint) = hint_of(n.channel(), n.payload()) {
                        send(hints, hint);
                    }
                }
                Some(Ok(_)) => {}
            },
            () = hints.closed() => return Ok(()),
        }
    }
}

/// A full queue already holds a reason to look, and the clock looks too.
fn send(hints: &mpsc::Sender<Hint>, hint: Hint) {
    let _ = hints.try_send(hint);
}

fn hint_of(channel: &str, payload: &str) -> Option<Hint> {
    match channel {
        WORK => Some(Hint::Work),
        RUNS => {
            let (run, seq) = payload.split_once(' ')?;
            Some(Hint::Run(Uuid::parse_str(run).ok()?, seq.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_carry_ids_and_numbers_only() {
        let id = Uuid::from_u128(7);
        assert_eq!(hint_of("run", &format!("{id} 12")), Some(Hint::Run(id, 12)));
        assert_eq!(hint_of("run", &id.to_string()), None);
        assert_eq!(hint_of("work", ""), Some(Hint::Work));
        assert_eq!(hint_of("run", "x"), None);
    }
}
