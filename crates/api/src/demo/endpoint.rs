//! The OpenAI-compatible endpoint behind the demo's models: `GET /models`, `POST /chat/completions`.

use super::question::Answers;
use super::reply::{Attached, MODELS, Model};
use super::tasks;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Where the endpoint is mounted.
const PATH: &str = "/demo/v1";
/// What clients say as their key, as for any server that wants none: the word is no secret.
pub(super) const KEY: &str = "EMPTY";
/// Largest request, in bytes: pictures and sounds come inside it.
const MAX_BODY: usize = 32 << 20;
/// Tokens that a picture or a sound counts as.
const TOKENS_OF_MEDIA: u32 = 85;

/// The endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    answers: Arc<Answers>,
    latency: Duration,
    own: IpAddr,
}

impl Endpoint {
    /// An endpoint of the server that listens there, whose models think about as long about an answer.
    pub fn new(listen: SocketAddr, latency: Duration) -> Self {
        Self {
            answers: Arc::new(tasks::answers()),
            latency,
            own: listen.ip(),
        }
    }

    /// Runs are local, so nobody else has anything to ask.
    fn is_local(&self, request: &HttpRequest) -> bool {
        let peer = request.peer_addr().map(|a| a.ip().to_canonical());
        peer.is_some_and(|ip| ip.is_loopback() || ip == self.own)
    }
}

/// Adds the endpoint's routes.
pub fn mount(cfg: &mut ServiceConfig, endpoint: &Endpoint) {
    cfg.service(
        web::scope(PATH)
            .app_data(Data::new(endpoint.clone()))
            .app_data(PayloadConfig::new(MAX_BODY))
            .route("/models", web::get().to(list_models))
            .route("/chat/completions", web::post().to(complete)),
    );
}

/// The address under which runs on this machine reach the endpoint of the server that listens there.
pub fn base_url(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}{PATH}", SocketAddr::new(ip, listen.port()))
}

#[derive(Debug, Deserialize)]
struct Completion {
    model: String,
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Content,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text {
        text: String,
    },
    ImageUrl {
        image_url: Address,
    },
    AudioUrl {
        audio_url: Address,
    },
    InputAudio {
        input_audio: Sound,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Address {
    url: String,
}

#[derive(Debug, Deserialize)]
struct Sound {
    data: String,
}

async fn list_models(request: HttpRequest, endpoint: Data<Endpoint>) -> HttpResponse {
    if let Some(refusal) = refuse(&request, &endpoint) {
        return refusal;
    }
    let models: Vec<_> = MODELS
        .iter()
        .map(|m| json!({"id": m.id, "object": "model", "created": 0, "owned_by": "demo"}))
        .collect();
    HttpResponse::Ok().json(json!({"object": "list", "data": models}))
}

async fn complete(request: HttpRequest, endpoint: Data<Endpoint>, body: Bytes) -> HttpResponse {
    if let Some(refusal) = refuse(&request, &endpoint) {
        return refusal;
    }
    let asked: Completion = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                &format!("the request cannot be read: {error}"),
            );
        }
    };
    let Some(model) = Model::find(&asked.model) else {
        return problem(
            StatusCode::NOT_FOUND,
            &format!("there is no model `{}`; expected one of the demo's", asked.model),
        );
    };
    let (prompt, attached) = read(&asked.messages);
    tokio::time::sleep(endpoint.latency.mul_f64(model.pace(&prompt))).await;
    let answer = match endpoint.answers.asked(&prompt) {
        Some(question) => model.answer(question, attached),
        None => "I only know the questions of the demo's tasks.".to_owned(),
    };
    HttpResponse::Ok().json(completion(model, &prompt, attached, &answer))
}

fn completion(model: Model, prompt: &str, attached: Attached, answer: &str) -> serde_json::Value {
    let media = (attached.images + attached.sounds) * TOKENS_OF_MEDIA;
    let (input, output) = (tokens(prompt) + media, tokens(answer));
    json!({
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": chrono::Utc::now().timestamp(),
        "model": model.id,
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": answer},
        }],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    })
}

/// About what a tokenizer would make of it.
fn tokens(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX / 4)
}

/// The text of all messages, and what came with them.
fn read(messages: &[Message]) -> (String, Attached) {
    let (mut prompt, mut attached) = (Vec::new(), Attached::default());
    for message in messages {
        match &message.content {
            Content::Text(text) => prompt.push(text.as_str()),
            Content::Parts(parts) => {
                for part in parts {
                    match part {
                        Part::Text { text } => prompt.push(text),
                        Part::ImageUrl { image_url } => {
                            attached.images += u32::from(holds_image(&image_url.url));
                        }
                        Part::AudioUrl { audio_url } => {
                            attached.sounds += u32::from(holds_sound(&audio_url.url));
                        }
                        Part::InputAudio { input_audio } => {
                            attached.sounds += u32::from(is_wav(&input_audio.data));
                        }
                        Part::Other => {}
                    }
                }
            }
        }
    }
    (prompt.join("\n"), attached)
}

/// A picture counts when it has arrived: inside the request, and beginning as pictures do.
fn holds_image(url: &str) -> bool {
    const BEGINNINGS: [&str; 3] = ["iVBORw0KGgo", "/9j/", "UklGR"];
    data(url, "data:image/").is_some_and(|text| BEGINNINGS.iter().any(|b| text.starts_with(b)))
}

fn holds_sound(url: &str) -> bool {
    data(url, "data:audio/").is_some_and(is_wav)
}

fn is_wav(base64: &str) -> bool {
    base64.starts_with("UklGR")
}

/// The base64 text of a `data:` address.
fn data<'a>(url: &'a str, kind: &str) -> Option<&'a str> {
    url.strip_prefix(kind)?
        .split_once(";base64,")
        .map(|(_, text)| text)
}

fn refuse(request: &HttpRequest, endpoint: &Endpoint) -> Option<HttpResponse> {
    if !endpoint.is_local(request) {
        return Some(problem(
            StatusCode::FORBIDDEN,
            "the demo's models answer this machine alone",
        ));
    }
    let key = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let known = key.and_then(|k| k.strip_prefix("Bearer ")) == Some(KEY);
    (!known).then(|| {
        problem(
            StatusCode::UNAUTHORIZED,
            &format!("the key is not the demo's; expected `{KEY}`"),
        )
    })
}

/// An error as OpenAI's clients read it.
fn problem(status: StatusCode, message: &str) -> HttpResponse {
    let kind = if status == StatusCode::UNAUTHORIZED {
        "authentication_error"
    } else {
        "invalid_request_error"
    };
    HttpResponse::build(status).json(json!({"error": {"message": message, "type": kind}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, test as http};
    use serde_json::Value;

    const LISTEN: &str = "127.0.0.1:8000";

    fn request(body: &Value) -> http::TestRequest {
        http::TestRequest::post()
            .uri("/demo/v1/chat/completions")
            .peer_addr("127.0.0.1:5".parse().unwrap())
            .insert_header((header::AUTHORIZATION, format!("Bearer {KEY}")))
            .set_json(body)
    }

    async fn answered(request: http::TestRequest) -> (StatusCode, Value) {
        let endpoint = Endpoint::new(LISTEN.parse().unwrap(), Duration::ZERO);
        let app = http::init_service(App::new().configure(|cfg| mount(cfg, &endpoint))).await;
        let response = http::call_service(&app, request.to_request()).await;
        (response.status(), http::read_body_json(response).await)
    }

    fn asks(model: &str, content: impl Into<Value>) -> Value {
        let content = content.into();
        json!({"model": model, "temperature": 0, "messages": [{"role": "user", "content": content}]})
    }

    fn question(task: &str, model: &str) -> super::super::Question {
        let model = Model::find(model).unwrap();
        let questions = tasks::questions(task);
        questions
            .into_iter()
            .find(|q| super::super::would_answer(model, q).right)
            .unwrap()
    }

    #[actix_web::test]
    async fn a_known_question_is_answered_with_a_count_of_tokens() {
        let question = question("demo_arithmetic", "demo-large");
        let (status, answer) = answered(request(&asks("demo-large", question.prompt()))).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["choices"][0]["message"]["content"], question.answer);
        let usage = &answer["usage"];
        let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
        assert_eq!(usage["total_tokens"].as_u64(), Some(sum));
    }

    #[actix_web::test]
    async fn a_picture_must_arrive_itself() {
        let question = question("demo_colour", "demo-large");
        let with = |url: &str| {
            let image = json!({"type": "image_url", "image_url": {"url": url}});
            asks(
                "demo-large",
                json!([image, {"type": "text", "text": question.prompt()}]),
            )
        };
        let said = |answer: Value| answer["choices"][0]["message"]["content"].clone();
        let (_, seen) = answered(request(&with("data:image/png;base64,iVBORw0KGgoAAAA="))).await;
        assert_eq!(said(seen), question.answer);
        for url in [
            "file:///images/colour_00.png",
            "data:image/png;base64,",
            "data:image/png,iVBORw0KGgo",
        ] {
            let (_, blind) = answered(request(&with(url))).await;
            assert!(said(blind).as_str().unwrap().contains("nothing came"), "{url}");
        }
    }

    #[actix_web::test]
    async fn strangers_wrong_keys_and_broken_requests_are_refused() {
        let body = asks("demo-base", "[QA00] 1?");
        let far = request(&body).peer_addr("192.0.2.7:5".parse().unwrap());
        assert_eq!(answered(far).await.0, StatusCode::FORBIDDEN);
        let other = request(&body).insert_header((header::AUTHORIZATION, "Bearer other"));
        assert_eq!(answered(other).await.0, StatusCode::UNAUTHORIZED);
        let (status, answer) = answered(request(&asks("gpt-none", "hello"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("`gpt-none`")
        );
        assert_eq!(
            answered(request(&json!({"model": 3}))).await.0,
            StatusCode::BAD_REQUEST
        );
        let (status, answer) = answered(request(&asks("demo-base", "hello"))).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            answer["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .contains("only know")
        );
    }

    #[actix_web::test]
    async fn the_models_are_listed() {
        let listed = http::TestRequest::get()
            .uri("/demo/v1/models")
            .peer_addr("[::1]:5".parse().unwrap())
            .insert_header((header::AUTHORIZATION, format!("Bearer {KEY}")));
        let (_, answer) = answered(listed).await;
        assert_eq!(answer["data"].as_array().unwrap().len(), MODELS.len());
    }

    #[test]
    fn the_address_is_one_that_this_machine_reaches() {
        let url = |listen: &str| base_url(listen.parse().unwrap());
        assert_eq!(url("127.0.0.1:8000"), "http://127.0.0.1:8000/demo/v1");
        assert_eq!(url("0.0.0.0:81"), "http://127.0.0.1:81/demo/v1");
        assert_eq!(url("[::]:81"), "http://[::1]:81/demo/v1");
        assert_eq!(url("192.0.2.7:81"), "http://192.0.2.7:81/demo/v1");
    }
}
