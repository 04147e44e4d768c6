//! A small HTTP server that takes what a reporter sends, as the API's contract says.

use crate::attempt::{PATIENCE, TOKEN};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};
use types::{Batch, BatchAnswer, News, Order};

/// What was received, and how to answer.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) batches: Vec<Batch>,
    pub(crate) logs: BTreeMap<String, Vec<u8>>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) hashes: BTreeMap<String, String>,
    pub(crate) media: BTreeMap<String, Vec<u8>>,
    pub(crate) order: Option<Order>,
    pub(crate) secrets: BTreeMap<String, String>,
    /// Answers every request with this status.
    pub(crate) refuse: Option<u16>,
    pub(crate) requests: usize,
    /// Says nothing more about a batch it took: the answer is lost on the way.
    pub(crate) drop_answers: usize,
}

impl Store {
    pub(crate) fn news(&self) -> impl Iterator<Item = &News> {
        self.batches.iter().flat_map(|batch| &batch.news)
    }

    /// The texts of all lines of one stream.
    pub(crate) fn lines(&self, stream: types::LogStream) -> Vec<&str> {
        let lines = self.batches.iter().flat_map(|batch| &batch.lines);
        lines
            .filter(|line| line.stream == stream)
            .map(|line| line.message.as_str())
            .collect()
    }
}

/// The server. Its store outlives an outage.
pub(crate) struct Receiver {
    shared: Arc<(Mutex<Store>, Condvar)>,
    stop: Option<Arc<AtomicBool>>,
    port: u16,
    folder: tempfile::TempDir,
}

impl Receiver {
    /// A server on a port of its own.
    pub(crate) fn start() -> Self {
        let mut receiver = Self::down();
        receiver.up();
        receiver
    }

    /// An address where nobody answers yet.
    pub(crate) fn down() -> Self {
        Self {
            shared: Arc::default(),
            stop: None,
            port: 0,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn endpoint_file(&self) -> PathBuf {
        self.folder.path().join("endpoint.json")
    }

    /// Begins to answer, on another port than before.
    pub(crate) fn up(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        self.stop = Some(Arc::clone(&stop));
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || serve(&listener, &shared, &stop));
        write_endpoint(&self.endpoint_file(), self.port);
    }

    /// Stops answering; whoever connects is refused.
    pub(crate) fn fall(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.store(true, Ordering::SeqCst);
            // Wakes the listener, which then goes away.
            let _ = TcpStream::connect(("127.0.0.1", self.port));
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.0.lock().unwrap()
    }

    /// Waits until the store has what `look` looks for.
    pub(crate) fn until(&self, what: &str, mut look: impl FnMut(&Store) -> bool) {
        let begin = Instant::now();
        let mut store = self.store();
        while !look(&store) {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            assert!(!left.is_zero(), "{what} did not come; have {:#?}", store.batches);
            (store, _) = self.shared.1.wait_timeout(store, left).unwrap();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.fall();
    }
}

fn write_endpoint(path: &Path, port: u16) {
    let aside = path.with_extension("tmp");
    fs::write(
        &aside,
        format!("{{\"url\":\"http://127.0.0.1:{port}\",\"pid\":1}}"),
    )
    .unwrap();
    fs::rename(aside, path).unwrap();
}

fn serve(listener: &TcpListener, shared: &Arc<(Mutex<Store>, Condvar)>, stop: &Arc<AtomicBool>) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let (shared, stop) = (Arc::clone(shared), Arc::clone(stop));
        thread::spawn(move || {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(stream);
            while let Some(request) = Request::read(&mut reader) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (status, body) = {
                    let mut store = shared.0.lock().unwrap();
                    let answer = answer(&mut store, &request);
                    shared.1.notify_all();
                    match answer {
                        Some(answer) => answer,
                        None => return,
                    }
                };
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                let written = reader.get_mut().write_all(head.as_bytes());
                if written.and_then(|()| reader.get_mut().write_all(&body)).is_err() {
                    return;
                }
            }
        });
    }
}

struct Request {
    line: String,
    authorized: bool,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let (mut line, mut length, mut authorized) = (String::new(), 0, false);
        reader.read_line(&mut line).ok().filter(|&count| count > 0)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok().filter(|&count| count > 0)?;
            let header = header.trim_end();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(": ")?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => authorized = value == format!("Bearer {TOKEN}"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self {
            line,
            authorized,
            body,
        })
    }
}

fn answer(store: &mut Store, request: &Request) -> Option<(u16, Vec<u8>)> {
    store.requests += 1;
    if let Some(status) = store.refuse {
        return Some((status, b"not now".to_vec()));
    }
    if !request.authorized {
        return Some((401, Vec::new()));
    }
    let mut parts = request.line.split(' ');
    let (method, target) = (parts.next()?, parts.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix("/api/v1/attempts/")?;
    let (_, path) = path.split_once('/')?;
    match (method, path) {
        ("POST", "batches") => take_batch(store, &request.body),
        ("GET", "secrets") => {
            let secrets = types::AttemptSecrets {
                environment: store.secrets.clone(),
            };
            Some((200, serde_json::to_vec(&secrets).unwrap()))
        }
        ("PUT", "files/stdout.log" | "files/stderr.log") => {
            let offset = query.strip_prefix("offset=")?.parse().ok()?;
            Some(take_log(store, &path["files/".len()..], offset, &request.body))
        }
        ("POST", "media") => {
            let mut asked: types::MediaHashes = serde_json::from_slice(&request.body).expect("hashes");
            asked.sha256.retain(|hash| !store.media.contains_key(hash));
            Some((200, serde_json::to_vec(&asked).unwrap()))
        }
        ("PUT", path) if path.starts_with("media/") => {
            let hash = path["media/".len()..].to_owned();
            assert!(
                store.media.insert(hash, request.body.clone()).is_none(),
                "sent twice"
            );
            Some((204, Vec::new()))
        }
        ("PUT", path) => {
            let name = path.strip_prefix("files/out/")?.to_owned();
            let hash = query.strip_prefix("sha256=")?.to_owned();
            store.hashes.insert(name.clone(), hash);
            store.files.insert(name, request.body.clone());
            Some((204, Vec::new()))
        }
        _ => Some((404, Vec::new())),
    }
}

fn take_batch(store: &mut Store, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    assert!(body.len() <= types::MAX_BATCH, "a batch of {} bytes", body.len());
    let batch: Batch = serde_json::from_slice(body).expect("a batch");
    let next = store.batches.len() as i64 + 1;
    let status = if batch.batch_no > next { 409 } else { 200 };
    if batch.batch_no == next {
        store.batches.push(batch);
    }
    if store.drop_answers > 0 {
        store.drop_answers -= 1;
        return None;
    }
    let answer = BatchAnswer {
        order: store.order.unwrap_or(Order::Continue),
        next_batch_no: store.batches.len() as i64 + 1,
        offsets: store
            .batches
            .last()
            .map(|batch| batch.offsets.clone())
            .unwrap_or_default(),
    };
    Some((status, serde_json::to_vec(&answer).unwrap()))
}

fn take_log(store: &mut Store, name: &str, offset: usize, body: &[u8]) -> (u16, Vec<u8>) {
    assert!(body.len() <= 256 * 1024);
    let log = store.logs.entry(name.to_owned()).or_default();
    if offset > log.len() {
        return (409, format!("{{\"offset\":{}}}", log.len()).into_bytes());
    }
    let known = (log.len() - offset).min(body.len());
    assert_eq!(
        &log[offset..offset + known],
        &body[..known],
        "bytes that were there have changed"
    );
    log.extend_from_slice(&body[known..]);
    (204, Vec::new())
}
