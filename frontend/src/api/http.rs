//! One HTTP exchange: what is sent, and every way in which it can fail, in words for people.

use gloo_net::http::{Method, RequestBuilder, Response};
use send_wrapper::SendWrapper;
use serde::de::DeserializeOwned;
use types::Problem;
use wasm_bindgen::JsCast;
use web_sys::{AbortSignal, File, RequestCredentials};

use crate::components::panel::Fault;

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path and query, from the root of the server.
    pub path: String,
    /// The body.
    pub body: Option<Body>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// JSON.
    Json(String),
    /// A file of the viewer's disk, which the browser streams.
    File(SendWrapper<File>),
}

impl Call {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a body.
    ///
    /// # Errors
    /// A value that is no JSON.
    pub fn json<B: serde::Serialize>(mut self, body: &B) -> Result<Self, Fault> {
        let text = serde_json::to_string(body).map_err(|error| not_understood(&error))?;
        self.body = Some(Body::Json(text));
        Ok(self)
    }

    /// Adds a file as the body.
    #[must_use]
    pub fn file(mut self, file: File) -> Self {
        self.body = Some(Body::File(SendWrapper::new(file)));
        self
    }
}

/// Sends a request and gives the answer, whatever its status.
///
/// # Errors
/// No answer: the server cannot be reached, or the request was aborted.
pub async fn send(call: &Call, abort: Option<&AbortSignal>) -> Result<Response, Fault> {
    let mut builder = RequestBuilder::new(&call.path)
        .method(call.method.clone())
        .credentials(RequestCredentials::SameOrigin)
        .abort_signal(abort)
        .header("Accept", "application/json, application/problem+json");
    if call.path.starts_with("/auth/v1/") {
        // The refresh token stays in a cookie that scripts cannot read; a foreign page cannot send this header.
        builder = builder.header("Lmms-Cookie", "1");
    }
    for (name, value) in &call.headers {
        builder = builder.header(name, value);
    }
    let request = match &call.body {
        Some(Body::Json(text)) => builder.header("Content-Type", "application/json").body(text),
        Some(Body::File(file)) => builder
            .header("Content-Type", "application/octet-stream")
            .body(&**file),
        None => builder.build(),
    };
    let request = request.map_err(|error| unreachable(&error))?;
    request.send().await.map_err(|error| unreachable(&error))
}

/// The value of a good answer, or the problem of a bad one.
///
/// # Errors
/// The problem that the server names, or an answer that is not understood.
pub async fn value<T: DeserializeOwned>(response: Response) -> Result<T, Fault> {
    let text = text(response).await?;
    let text = if text.is_empty() { "null" } else { &text };
    serde_json::from_str(text).map_err(|error| not_understood(&error))
}

/// The bytes of a good answer, which the browser may keep on disk, or the problem of a bad one.
///
/// # Errors
/// The problem that the server names, or an answer that breaks off.
pub async fn blob(response: Response) -> Result<web_sys::Blob, Fault> {
    if !response.ok() {
        return Err(fault_of(
            response.status(),
            &response.text().await.unwrap_or_default(),
        ));
    }
    let broken = || Fault {
        cause: "The file broke off on its way.".to_owned(),
        ..Fault::default()
    };
    let raw: web_sys::Response = response.into();
    let bytes = wasm_bindgen_futures::JsFuture::from(raw.blob().map_err(|_| broken())?);
    bytes
        .await
        .map_err(|_| broken())?
        .dyn_into()
        .map_err(|_| broken())
}

/// The text of a good answer, or the problem of a bad one.
///
/// # Errors
/// The problem that the server names.
pub async fn text(response: Response) -> Result<String, Fault> {
    let (ok, status) = (response.ok(), response.status());
    let text = response.text().await.map_err(|error| unreachable(&error))?;
    if ok {
        Ok(text)
    } else {
        Err(fault_of(status, &text))
    }
}

/// What a bad answer means.
pub fn fault_of(status: u16, body: &str) -> Fault {
    match serde_json::from_str::<Problem>(body) {
        Ok(problem) => from_problem(problem),
        Err(_) => Fault {
            cause: by_status(status).to_owned(),
            detail: auth_message(body),
            status,
            ..Fault::default()
        },
    }
}

fn from_problem(problem: Problem) -> Fault {
    let asked = problem
        .request_id
        .map(|id| format!(" Request {id}."))
        .unwrap_or_default();
    let detail = problem.detail.unwrap_or_default();
    let detail = if problem.status >= 500 {
        format!("{detail}{asked}")
    } else {
        detail
    };
    Fault {
        cause: sentence(&problem.title),
        detail: sentence(detail.trim()),
        fields: problem.errors,
        status: problem.status,
    }
}

/// The message of an answer in the shape of the Auth API.
fn auth_message(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let message = ["msg", "error_description", "message", "error"]
        .iter()
        .find_map(|key| value.get(key)?.as_str());
    message.map(sentence).unwrap_or_default()
}

/// A fragment as a sentence: a capital at the start, a full stop at the end.
fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let rest = characters.as_str();
    let stop = if fragment.ends_with(['.', '!', '?', ')']) {
        ""
    } else {
        "."
    };
    format!("{}{rest}{stop}", first.to_uppercase())
}

fn by_status(status: u16) -> &'static str {
    match status {
        400 | 422 => "The request was refused.",
        401 => "You are not signed in.",
        403 => "You are not allowed to do this.",
        404 => "This was not found.",
        409 => "This cannot be done now.",
        413 => "This is too large.",
        429 => "Too many tries; wait a moment.",
        502..=504 => "The server is not ready.",
        _ => "The server could not answer.",
    }
}

fn unreachable(error: &gloo_net::Error) -> Fault {
    let detail = format!("No answer came back ({error}). Check that lmms-dash is running.");
    Fault {
        cause: "The server cannot be reached.".to_owned(),
        detail,
        ..Fault::default()
    }
}

fn not_understood(error: &serde_json::Error) -> Fault {
    let detail = format!("Page and server may be of different versions: reload the page. ({error})");
    Fault {
        cause: "The answer was not understood.".to_owned(),
        detail,
        ..Fault::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_become_sentences() {
        let body = r#"{"type":"/problems/validation","title":"the request is not valid","status":422,
            "detail":"`config.limit` is -1","errors":[{"field":"config.limit","message":"`-1` is out of range"}]}"#;
        let fault = fault_of(422, body);
        assert_eq!(
            (fault.cause.as_str(), fault.detail.as_str()),
            ("The request is not valid.", "`config.limit` is -1.")
        );
        assert_eq!(
            fault.field("config.limit"),
            Some("`-1` is out of range".to_owned())
        );
        assert_eq!(fault.field("name"), None);
    }

    #[test]
    fn any_body_gives_a_cause() {
        assert_eq!(fault_of(502, "<html>").cause, "The server is not ready.");
        assert_eq!(
            fault_of(400, r#"{"error_description":"invalid login credentials"}"#).detail,
            "Invalid login credentials."
        );
        assert_eq!(fault_of(418, "").cause, "The server could not answer.");
        assert_eq!(sentence("état"), "État.");
    }
}
