//! `/ws/runs/{run_id}`: the live messages of a run.
//!
//! The caller comes with a ticket in the subprotocol or with an API token in the header, never
//! with a secret in the address. Where they may look is asked again while they look.

use super::runs::access;
use crate::auth::Principal;
use crate::auth::public_url;
use crate::db::events::Frame;
use crate::db::{Conn, tickets};
use crate::error::{AppError, AppResult};
use crate::events::{Hub, Lagged};
use crate::state::AppState;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, MessageStream, Session};
use bytestring::ByteString;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use types::RunId;

/// Silence of a client after which it is given up, or three heartbeats if that is longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one message may wait for a client that does not read.
const WRITE: Duration = Duration::from_secs(5);
/// Longest message of a client; it has nothing to say.
pub(crate) const MAX_FRAME: usize = 4096;
/// After so many looks without an answer the client is told that there is none.
const UNANSWERED: u32 = 2;
/// How subprotocols with a ticket begin.
const TICKET: &str = "ticket.";

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Follow {
    /// The last message that was seen; all messages when absent.
    #[serde(default)]
    after: i64,
}

/// Follow the messages of a run.
#[utoipa::path(
    get, path = "/ws/runs/{run_id}",
    tag = "runs", operation_id = "follow_run", params(("run_id" = String, Path), Follow),
    responses((status = 101, description = "one `LiveMessage` per text frame"), (status = 401, body = types::Problem))
)]
pub async fn follow_run(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<Follow>,
    body: web::Payload,
) -> AppResult<HttpResponse> {
    let id = access::run_id(&path)?;
    check_origin(&state, request.headers())?;
    let (principal, protocol) = caller(&state, request.headers(), id).await?;
    let found = state.db.user(&principal, async |conn: &mut Conn| {
        access::visible(conn, id).await
    });
    found.await?;
    let (mut response, session, messages) =
        actix_ws::handle(&request, body).map_err(|e| AppError::Malformed(e.to_string()))?;
    if let Some(protocol) = protocol.and_then(|p| p.parse().ok()) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let socket = Socket {
        state,
        principal,
        run: id,
        session,
        after: query.after.max(0),
        unanswered: 0,
    };
    actix_web::rt::spawn(socket.run(bounded(messages)));
    Ok(response)
}

/// A client's messages, none of them longer than [`MAX_FRAME`], in one piece or in many.
pub(crate) fn bounded(messages: MessageStream) -> AggregatedMessageStream {
    messages
        .max_frame_size(MAX_FRAME)
        .aggregate_continuations()
        .max_continuation_size(MAX_FRAME)
}

/// Browsers always say where a page comes from; a page of somebody else's must not look.
fn check_origin(state: &AppState, headers: &HeaderMap) -> AppResult<()> {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(origin) = text(ORIGIN) else {
        return Ok(());
    };
    let host = text(HOST).unwrap_or_default();
    let own = public_url(&state.config);
    let allowed = origin == own || is_same_host(origin, host);
    if allowed {
        Ok(())
    } else {
        Err(AppError::Forbidden(format!(
            "the origin `{origin}` is not this server's"
        )))
    }
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let of_origin = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    !host.is_empty() && of_origin == Some(host)
}

/// The caller, and the subprotocol to be echoed.
async fn caller(state: &AppState, headers: &HeaderMap, id: RunId) -> AppResult<(Principal, Option<String>)> {
    let offered = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|v| v.to_str().ok());
    let protocol = offered
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .find(|p| p.starts_with(TICKET));
    let Some(protocol) = protocol else {
        return Ok((Principal::from_headers(state, headers).await?, None));
    };
    let hash = Sha256::digest(&protocol.as_bytes()[TICKET.len()..]).to_vec();
    let holder = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(tickets::take(conn, &hash, id).await?) })
        .await?
        .ok_or_else(|| AppError::Unauthorized("the ticket is unknown, used or too old".to_owned()))?;
    let principal: Principal = serde_json::from_value(holder)?;
    Ok((principal, Some(protocol.to_owned())))
}

/// One for each open page, so it shares what it can.
struct Socket {
    state: web::Data<AppState>,
    principal: Principal,
    run: RunId,
    session: Session,
    after: i64,
    /// How often in a row the rights could not be looked at.
    unanswered: u32,
}

/// Why a socket ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client left or is silent.
    Left,
    /// The client did not keep up.
    Slow,
    /// What the client sends is too long or no WebSocket frame.
    Unreadable,
    /// The client may not look any more.
    Forbidden,
    /// The messages cannot be read now.
    Unavailable,
}

impl From<Lagged> for End {
    fn from(_: Lagged) -> Self {
        Self::Slow
    }
}

impl From<actix_ws::Closed> for End {
    fn from(_: actix_ws::Closed) -> Self {
        Self::Left
    }
}

impl Socket {
    async fn run(mut self, messages: AggregatedMessageStream) {
        let end = match self.follow(messages).await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        let reason = match end {
            End::Left => None,
            End::Unreadable => Some((
                CloseCode::Protocol,
                format!("a frame is not valid or longer than {MAX_FRAME} bytes"),
            )),
            End::Slow => Some((CloseCode::Again, format!("too slow: resume after {}", self.after))),
            End::Forbidden => Some((
                CloseCode::Policy,
                "you may not follow this run any more".to_owned(),
            )),
            End::Unavailable => Some((
                CloseCode::Again,
                format!("not available now: resume after {}", self.after),
            )),
        };
        let reason = reason.map(|(code, description)| CloseReason {
            code,
            description: Some(description),
        });
        // A client that has left cannot be told.
        let _ = timeout(WRITE, self.session.close(reason)).await;
    }

    async fn follow(
        &mut self,
        mut messages: AggregatedMessageStream,
    ) -> Result<std::convert::Infallible, End> {
        let hub = self.state.events.clone();
        // What goes through the database is kept apart, so that nobody who only waits pays for its room.
        Box::pin(self.catch_up(&hub, i64::MAX)).await?;
        let mut live = hub.subscribe(self.run.0, self.after);
        Box::pin(self.catch_up(&hub, live.position)).await?;
        // How often the connection is tried and the rights are looked at again. They were looked at just now: many
        // who come back together, after a restart, must not ask twice.
        let recheck = self.state.config.server.recheck;
        let mut heartbeat = interval_at(Instant::now() + recheck, recheck);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                group = live.next() => self.send(&group?).await?,
                message = messages.recv() => {
                    heard = Instant::now();
                    self.receive(message).await?;
                }
                _ = heartbeat.tick() => Box::pin(self.beat(heard)).await?,
            }
        }
    }

    /// Reads what was written before, up to the message `upto` or to the end.
    async fn catch_up(&mut self, hub: &Hub, upto: i64) -> Result<(), End> {
        while self.after < upto {
            let page = hub
                .read_after(self.run.0, self.after)
                .await
                .map_err(|_| End::Unavailable)?;
            let done = page.frames.is_empty() || !page.more;
            self.send(&page.frames).await?;
            if done {
                break;
            }
        }
        Ok(())
    }

    async fn send(&mut self, frames: &[Frame]) -> Result<(), End> {
        for frame in frames {
            if frame.seq <= self.after {
                continue;
            }
            let text = ByteString::try_from(frame.text.clone()).map_err(|_| End::Unavailable)?;
            timeout(WRITE, self.session.text(text))
                .await
                .map_err(|_| End::Slow)??;
            self.after = frame.seq;
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        message: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>,
    ) -> Result<(), End> {
        match message {
            Some(Ok(AggregatedMessage::Ping(bytes))) => Ok(self.session.pong(&bytes).await?),
            Some(Ok(
                AggregatedMessage::Pong(_) | AggregatedMessage::Text(_) | AggregatedMessage::Binary(_),
            )) => Ok(()),
            Some(Err(_)) => Err(End::Unreadable),
            Some(Ok(AggregatedMessage::Close(_))) | None => Err(End::Left),
        }
    }

    async fn beat(&mut self, heard: Instant) -> Result<(), End> {
        if heard.elapsed() > PATIENCE.max(3 * self.state.config.server.recheck) {
            return Err(End::Left);
        }
        match access::may_still_see(&self.state, &self.principal, self.run).await {
            Ok(true) => self.unanswered = 0,
            Ok(false) => return Err(End::Forbidden),
            // While the database does not answer nobody's rights have changed, but nobody is told anything either:
            // a page that is left connected would take its last state for the present one.
            Err(_) => self.unanswered += 1,
        }
        if self.unanswered >= UNANSWERED {
            return Err(End::Unavailable);
        }
        Ok(self.session.ping(b"").await?)
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_host;

    #[test]
    fn only_pages_of_this_host_may_look() {
        assert!(is_same_host("http://127.0.0.1:8000", "127.0.0.1:8000"));
        assert!(!is_same_host("http://evil.example", "127.0.0.1:8000"));
        assert!(!is_same_host(
            "http://127.0.0.1:8000.evil.example",
            "127.0.0.1:8000"
        ));
        assert!(!is_same_host("null", ""));
    }
}
