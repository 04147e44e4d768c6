//! Speaking to the API.

use crate::{
    dir::{AttemptDir, open_regular, read_capped},
    job::Job,
};
use reqwest::{Body, Client as Http, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use types::{AttemptSecrets, Batch, BatchAnswer, MediaHashes, OutputFile};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 256 * 1024;
/// The most that is read of an answer.
const ANSWER_CAP: usize = 1 << 20;

/// Why the API did not take something.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    /// Nobody answers, or not as our API would. Trying again helps, sooner or later.
    #[error("the API does not answer")]
    Away(#[from] reqwest::Error),
    /// No address is known.
    #[error("the API's address cannot be read")]
    NoEndpoint(#[source] std::io::Error),
    /// The address is none.
    #[error("`{0}` is no address of an API")]
    BadEndpoint(String),
    /// It answers, but does not take it now.
    #[error("the API answers {0}")]
    Status(StatusCode),
    /// It will never take this.
    #[error("the API refuses it with {0}")]
    Never(StatusCode),
    /// It expects to go on at another place.
    #[error("the API expects byte {0}")]
    Offset(u64),
}

#[derive(Deserialize)]
struct Endpoint {
    url: String,
}

#[derive(Deserialize)]
struct Expected {
    offset: u64,
}

/// A client of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: Http,
    file: Option<PathBuf>,
    url: Option<String>,
    attempt: String,
    token: String,
}

impl Client {
    pub(super) fn new(dir: &AttemptDir, job: &Job) -> std::io::Result<Self> {
        // Fails only when a provider is set already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Http::builder()
            .connect_timeout(CONNECT)
            .user_agent("lmms-dash exec");
        if job.endpoint_url.is_none() {
            // An API on this machine is never behind a proxy, and speaks plain HTTP: no certificates are read,
            // which would take longer than everything else at the start of a run.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        Ok(Self {
            http: builder.build().map_err(std::io::Error::other)?,
            file: job.endpoint_file.as_ref().map(PathBuf::from),
            url: job.endpoint_url.clone(),
            attempt: job.attempt_id.to_string(),
            token: dir.token()?,
        })
    }

    /// The address is read anew each time: a restart of the dashboard may change the port.
    fn endpoint(&self) -> Result<Url, Refusal> {
        let text = match (&self.url, &self.file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => read_endpoint(file).map_err(Refusal::NoEndpoint)?,
            (None, None) => return Err(Refusal::NoEndpoint(std::io::ErrorKind::NotFound.into())),
        };
        let url = Url::parse(&text).ok().filter(Url::has_host);
        url.ok_or(Refusal::BadEndpoint(text))
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: Option<(&str, &str)>,
    ) -> Result<RequestBuilder, Refusal> {
        let mut url = self.endpoint()?;
        let base = ["api", "v1", "attempts", &self.attempt];
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(base).extend(path);
        }
        if let Some((name, value)) = query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = self.http.request(method, url);
        Ok(request.bearer_auth(&self.token).timeout(ANSWER))
    }

    /// Posts a batch. An answer that is none of ours is the API being away.
    pub(super) async fn post(&self, batch: &Batch) -> Result<BatchAnswer, Refusal> {
        let response = self
            .request(Method::POST, &["batches"], None)?
            .json(batch)
            .send()
            .await?;
        let status = response.status();
        let body = read(response).await?;
        let answers = status.is_success() || matches!(status, StatusCode::CONFLICT | StatusCode::GONE);
        match serde_json::from_slice(&body) {
            Ok(answer) if answers => Ok(answer),
            _ => Err(refusal_of(status)),
        }
    }

    /// The values of the secrets that the job names.
    pub(super) async fn secrets(&self) -> Result<AttemptSecrets, Refusal> {
        let response = self.request(Method::GET, &["secrets"], None)?.send().await?;
        if !response.status().is_success() {
            return Err(Refusal::Status(response.status()));
        }
        Ok(response.json().await?)
    }

    /// Uploads a part of a log.
    pub(super) async fn put_log(&self, name: &str, offset: u64, bytes: Vec<u8>) -> Result<(), Refusal> {
        let offset = offset.to_string();
        let request = self.request(Method::PUT, &["files", name], Some(("offset", &offset)))?;
        let request = request.header("content-type", "application/octet-stream");
        took(request.body(bytes).send().await?).await
    }

    /// Uploads one file of a benchmark.
    pub(super) async fn put_file(&self, order: u32, file: &OutputFile, path: &Path) -> Result<(), Refusal> {
        let content = open_regular(path).map_err(Refusal::NoEndpoint)?;
        let order = order.to_string();
        let mut segments = vec!["files", "out", &order];
        segments.extend(file.path.split('/'));
        let request = self.request(Method::PUT, &segments, Some(("sha256", &file.sha256)))?;
        send(request, content, file.size).await
    }

    /// Which of these media the API lacks.
    pub(super) async fn missing_media(&self, hashes: &[&String]) -> Result<Vec<String>, Refusal> {
        let asked = MediaHashes {
            sha256: hashes.iter().map(|&hash| hash.clone()).collect(),
        };
        let request = self.request(Method::POST, &["media"], None)?.json(&asked);
        let response = request.send().await?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal_of(status));
        }
        let missing: MediaHashes = response.json().await?;
        Ok(missing.sha256)
    }

    /// Uploads one medium.
    pub(super) async fn put_medium(&self, hash: &str, path: &Path) -> Result<(), Refusal> {
        let content = open_regular(path).map_err(Refusal::NoEndpoint)?;
        let size = content.metadata().map_err(Refusal::NoEndpoint)?.len();
        let request = self.request(Method::PUT, &["media", hash], None)?;
        send(request, content, size).await
    }
}

async fn send(request: RequestBuilder, content: File, size: u64) -> Result<(), Refusal> {
    let request = request
        .header("content-type", "application/octet-stream")
        .header("content-length", size)
        .timeout(ANSWER + Duration::from_secs(size / SLOWEST))
        .body(Body::from(tokio::fs::File::from_std(content)));
    took(request.send().await?).await
}

fn read_endpoint(file: &Path) -> std::io::Result<String> {
    let bytes = read_capped(file, 64 * 1024)?;
    let endpoint: Endpoint = serde_json::from_slice(&bytes)?;
    Ok(endpoint.url)
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_CAP {
            break;
        }
    }
    Ok(body)
}

async fn took(response: Response) -> Result<(), Refusal> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = read(response).await?;
    match serde_json::from_slice::<Expected>(&body) {
        Ok(expected) if status == StatusCode::CONFLICT => Err(Refusal::Offset(expected.offset)),
        _ => Err(refusal_of(status)),
    }
}

fn refusal_of(status: StatusCode) -> Refusal {
    if is_final(status) {
        Refusal::Never(status)
    } else {
        Refusal::Status(status)
    }
}

/// Answers about what was sent. All others may come from a server that is not well, or not ours.
fn is_final(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}
