//! Following a run live: for those who may, while they may, and from our own pages.

use super::people::Person;
use super::runs_socket::{Socket, next, open, refused};
use super::runs_stage::{Org, PATIENCE, Stage};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use types::Role;

struct Scene {
    stage: Stage,
    org: Org,
    person: Person,
    run: String,
}

async fn scene() -> Scene {
    let stage = Stage::with(&[("LMMS_RECHECK", "100ms")]).await;
    let org = stage.org("A").await;
    let person = stage.person(org.id, Role::Viewer).await;
    let run = stage.create(&org, &["sums"], json!({})).await;
    Scene {
        stage,
        org,
        person,
        run,
    }
}

impl Scene {
    /// A socket of somebody with this credential, by a ticket as a browser does it.
    async fn watch(&self, credential: &str) -> Socket {
        let path = format!("/runs/{}/ticket", self.run);
        let (status, body) = self.stage.post(&path, credential, &json!({})).await;
        assert_eq!(status, 201);
        let ticket = format!("ticket.{}", body["ticket"].as_str().unwrap());
        let headers = [
            ("sec-websocket-protocol", ticket.as_str()),
            ("origin", &self.stage.url),
        ];
        let mut socket = open(&self.stage, &self.run, 0, &headers).await.unwrap();
        assert_eq!(next(&mut socket).await["data"]["status"], "queued");
        socket
    }
}

/// Why the server closes the socket.
async fn closed(socket: &mut Socket) -> CloseCode {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("a close");
        match message.expect("a close").unwrap() {
            Message::Close(Some(frame)) => return frame.code,
            Message::Close(None) => panic!("expected a reason"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_removed_sees_no_more() {
    let s = scene().await;
    let mut leaving = s.watch(&s.person.token).await;
    let staying = s.stage.person(s.org.id, Role::Viewer).await;
    let mut other = s.watch(&staying.token).await;
    let sql = format!("delete from public.memberships where user_id = '{}'", s.person.id);
    s.stage.superuser().await.batch_execute(&sql).await.unwrap();
    assert_eq!(closed(&mut leaving).await, CloseCode::Policy);
    let path = format!("/runs/{}/cancel", s.run);
    assert_eq!(s.stage.post(&path, &s.org.editor, &json!({})).await.0, 200);
    assert_eq!(next(&mut other).await["data"]["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_or_token_that_ends_sees_no_more() {
    let s = scene().await;
    let (mut person, mut machine) = (s.watch(&s.person.token).await, s.watch(&s.org.viewer).await);
    let url = format!("{}/auth/v1/logout?scope=local", s.stage.url);
    let out = s.stage.client.post(url).bearer_auth(&s.person.token);
    assert_eq!(out.send().await.unwrap().status(), 204);
    assert_eq!(closed(&mut person).await, CloseCode::Policy);
    let revoke = "update public.api_tokens set revoked_at = now() where role = 'viewer'";
    s.stage.superuser().await.batch_execute(revoke).await.unwrap();
    assert_eq!(closed(&mut machine).await, CloseCode::Policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn streamed_scores_end_with_the_right_to_see_them() {
    let s = scene().await;
    let path = format!("/runs/{}/metrics?stream=true", s.run);
    let mut answer = s
        .stage
        .request(Method::GET, &path, &s.person.token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let sql = format!("delete from public.memberships where user_id = '{}'", s.person.id);
    s.stage.superuser().await.batch_execute(&sql).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, answer.chunk())
        .await
        .expect("an end");
    assert_eq!(end.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_nothing_for_those_who_have_left_since() {
    let s = scene().await;
    let (_, body) = s
        .stage
        .post(&format!("/runs/{}/ticket", s.run), &s.person.token, &json!({}))
        .await;
    let ticket = format!("ticket.{}", body["ticket"].as_str().unwrap());
    let sql = format!("delete from public.memberships where user_id = '{}'", s.person.id);
    s.stage.superuser().await.batch_execute(&sql).await.unwrap();
    let header = [("sec-websocket-protocol", ticket.as_str())];
    assert_eq!(refused(open(&s.stage, &s.run, 0, &header).await), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_pages_may_not_look() {
    let s = scene().await;
    let bearer = format!("Bearer {}", s.org.viewer);
    let host = s.stage.url.strip_prefix("http://").unwrap();
    for origin in [
        "null",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        &format!("http://{host}.evil.example"),
        &format!("http://evil.example/{host}"),
        &format!("ftp://{host}"),
    ] {
        let headers = [("authorization", bearer.as_str()), ("origin", origin)];
        assert_eq!(
            refused(open(&s.stage, &s.run, 0, &headers).await),
            403,
            "{origin}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_not_talk_at_length() {
    let s = scene().await;
    let mut socket = s.watch(&s.person.token).await;
    socket.send(Message::text("x".repeat(4000))).await.unwrap();
    socket.send(Message::binary(vec![0; 5000])).await.unwrap();
    assert_eq!(closed(&mut socket).await, CloseCode::Protocol);
}
