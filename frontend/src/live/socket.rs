//! The live socket of a run: a ticket, a connection, and another one when it breaks, from the last message on.

use std::pin::Pin;

use futures_util::{
    Sink, StreamExt,
    future::{Either, poll_fn},
};
use gloo_net::websocket::{Message, State, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use types::{LiveMessage, RunId};

use crate::{
    api::{client::Client, endpoints},
    components::time::now_ms,
};

/// How the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Link {
    /// Not connected yet.
    #[default]
    Connecting,
    /// Messages come.
    Open,
    /// It broke; the last message came then (milliseconds since the epoch, 0 for never).
    Lost(f64),
    /// There is nothing to wait for: the run is over.
    Idle,
}

impl Link {
    /// Since when the view is stale, if it is.
    pub fn stale_since(self) -> Option<f64> {
        match self {
            Self::Lost(at) => Some(at),
            _ => None,
        }
    }
}

/// Milliseconds to wait before try number `tries` (from 0): 0.25 s, doubled up to 15 s, less a part by chance so
/// that many pages do not come back at once.
pub fn backoff(tries: u32, chance: f64) -> u32 {
    let full = 250.0 * 2f64.powi(tries.min(6) as i32);
    let full = full.min(15_000.0);
    (full * (1.0 - 0.4 * chance.clamp(0.0, 1.0))) as u32
}

/// How long a burst of messages is gathered, in milliseconds.
const GATHER: u32 = 40;
/// The most messages that change the page at once.
const MOST: usize = 5000;

/// What the socket needs from the one who listens.
#[derive(Clone)]
pub struct Listener {
    /// Where to resume: asked before each connection.
    pub after: Callback<(), i64>,
    /// Called with the messages that came together; false asks for a new connection, because some are missing.
    pub on_messages: Callback<Vec<LiveMessage>, bool>,
    /// How the connection is.
    pub link: RwSignal<Link>,
    /// Whether there is anything to wait for.
    pub wanted: Signal<bool>,
}

/// Keeps a connection while `wanted` and until the owner is gone.
pub fn listen(client: Client, run: RunId, listener: Listener) {
    let generation = StoredValue::new(0_u64);
    Effect::new(move || {
        let mine = generation
            .try_update_value(|count| {
                *count += 1;
                *count
            })
            .unwrap_or(0);
        if !listener.wanted.get() {
            listener.link.set(Link::Idle);
            return;
        }
        let current = move || generation.try_get_value() == Some(mine);
        let (client, listener) = (client.clone(), listener.clone());
        let (stop, stopped) =
            futures_util::future::abortable(async move { keep(client, run, listener, current).await });
        let stopped = SendWrapper::new(stopped);
        on_cleanup(move || stopped.abort());
        spawn_local(async move {
            // Ends by being aborted, when the page is left or the run is over.
            let _ = stop.await;
        });
    });
}

async fn keep(client: Client, run: RunId, listener: Listener, current: impl Fn() -> bool) {
    let mut tries = 0;
    let mut last = 0.0;
    while current() {
        let end = connect(&client, run, &listener).await;
        if !current() {
            return;
        }
        match end {
            End::Asked => continue,
            End::Broken(at) => {
                last = at;
                tries = 0;
            }
            End::Refused => {}
        }
        let _ = listener.link.try_set(Link::Lost(last));
        TimeoutFuture::new(backoff(tries, js_sys::Math::random())).await;
        tries += 1;
    }
}

/// How a connection ended.
enum End {
    /// It was never made.
    Refused,
    /// It broke; its last message came then.
    Broken(f64),
    /// The listener wants another one.
    Asked,
}

/// One connection, to its end.
async fn connect(client: &Client, run: RunId, listener: &Listener) -> End {
    let Some(mut socket) = open(client, run, listener).await else {
        return End::Refused;
    };
    let _ = listener.link.try_set(Link::Open);
    let mut last = now_ms();
    let mut buffer = Vec::new();
    while let Some(first) = socket.next().await {
        if !read(first, &mut buffer) {
            break;
        }
        // Each message is an event of its own, so a burst (the history after a reload) is gathered for a moment
        // and changes the page once.
        TimeoutFuture::new(GATHER).await;
        while buffer.len() < MOST {
            match futures_util::future::select(socket.next(), futures_util::future::ready(())).await {
                Either::Left((Some(next), _)) => {
                    if !read(next, &mut buffer) {
                        break;
                    }
                }
                _ => break,
            }
        }
        last = now_ms();
        if listener.on_messages.try_run(std::mem::take(&mut buffer)) == Some(false) {
            return End::Asked;
        }
    }
    End::Broken(last)
}

async fn open(client: &Client, run: RunId, listener: &Listener) -> Option<WebSocket> {
    let ticket = endpoints::ticket(client, run).await.ok()?.ticket;
    let url = address(run, listener.after.try_run(())?)?;
    let mut socket = WebSocket::open_with_protocol(&url, &format!("ticket.{ticket}")).ok()?;
    opened(&mut socket).await.then_some(socket)
}

/// Waits until the connection is made or refused.
async fn opened(socket: &mut WebSocket) -> bool {
    let ready = poll_fn(|context| Pin::new(&mut *socket).poll_ready(context)).await;
    ready.is_ok() && matches!(socket.state(), State::Open)
}

/// Adds a message to the buffer; false when the connection has broken.
fn read(
    message: Result<Message, gloo_net::websocket::WebSocketError>,
    buffer: &mut Vec<LiveMessage>,
) -> bool {
    match message {
        Ok(Message::Text(text)) => {
            // A kind of message that this page does not know yet is of a newer server: it is skipped.
            buffer.extend(serde_json::from_str::<LiveMessage>(&text));
            true
        }
        Ok(Message::Bytes(_)) => true,
        Err(_) => false,
    }
}

fn address(run: RunId, after: i64) -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!(
        "{scheme}://{}/ws/runs/{run}?after={after}",
        location.host().ok()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(backoff(0, 0.0), 250);
        assert_eq!(backoff(3, 0.0), 2000);
        assert_eq!(backoff(30, 0.0), 15_000);
        assert_eq!(backoff(30, 1.0), 9000);
        assert!((0..40).all(|tries| backoff(tries, 0.5) <= backoff(tries + 1, 0.5)));
    }

    #[test]
    fn only_a_broken_link_is_stale() {
        assert_eq!(Link::Lost(5.0).stale_since(), Some(5.0));
        assert_eq!(Link::Open.stale_since(), None);
        assert_eq!(Link::Idle.stale_since(), None);
    }
}
