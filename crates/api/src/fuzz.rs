//! What must hold for any bytes that reach the server: the targets of `api/fuzz`, and a test that replays their
//! corpora. Built for tests and for the fuzzer alone, because it looks at what is private.

use crate::auth::fuzz::Tokens;
use crate::db::events::without_nul;
use crate::handlers::ws::{MAX_FRAME, bounded};
use crate::import::archive;
use crate::ingest::lines::kept;
use crate::json;
use actix_web::FromRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_ws::AggregatedMessage;
use futures_util::stream::{self, Stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::runtime::{Builder, Runtime};
use types::{Batch, CreateRun, MAX_LOG_MESSAGE};

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::default);

static RUNTIME: LazyLock<Mutex<Runtime>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    Mutex::new(runtime.expect("a runtime of one thread"))
});

fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .block_on(work)
}

/// A token is accepted only when one of the two keys has signed it and its claims are those of a user.
pub fn token(data: &[u8]) {
    wait(TOKENS.check(data));
}

/// Whatever a client sends after the handshake is read within the limit, to its end; the first byte says how the
/// network cuts it.
pub fn frames(data: &[u8]) {
    let (size, bytes) = data.split_first().map_or((1, data), |(n, rest)| (*n, rest));
    let chunks: Vec<_> = bytes
        .chunks(usize::from(size).max(1))
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    wait(async {
        let (request, _) = TestRequest::get()
            .insert_header(("upgrade", "websocket"))
            .insert_header(("connection", "upgrade"))
            .insert_header(("sec-websocket-version", "13"))
            .insert_header(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))
            .to_http_parts();
        let stream: BoxedPayloadStream = Box::pin(stream::iter(chunks));
        let mut payload = Payload::Stream { payload: stream };
        let body = web::Payload::from_request(&request, &mut payload).await;
        let (_answer, _session, messages) =
            actix_ws::handle(&request, body.expect("a payload")).expect("a handshake");
        let mut messages = bounded(messages);
        while let Some(Ok(message)) = messages.recv().await {
            let length = match message {
                AggregatedMessage::Text(text) => text.len(),
                AggregatedMessage::Binary(bytes)
                | AggregatedMessage::Ping(bytes)
                | AggregatedMessage::Pong(bytes) => bytes.len(),
                AggregatedMessage::Close(_) => break,
            };
            assert!(length <= MAX_FRAME, "{length}");
        }
    });
}

/// A body that is accepted says the same when it is written down and read again, and what is stored of it has a
/// bound and no NUL.
pub fn bodies(data: &[u8]) {
    let _ = same_again::<CreateRun>(data);
    let Some(batch) = same_again::<Batch>(data) else {
        return;
    };
    let stored: Vec<_> = kept(0, batch.lines, 1)
        .into_iter()
        .flat_map(|event| match event {
            crate::db::events::NewEvent::Lines(lines) => lines,
            crate::db::events::NewEvent::One(_) => Vec::new(),
        })
        .collect();
    for line in stored {
        assert!(
            line.message.len() <= MAX_LOG_MESSAGE && !line.message.contains('\0'),
            "{line:?}"
        );
    }
    let news = serde_json::to_value(&batch.news).expect("news is plain data");
    assert!(!without_nul(news).to_string().contains("\\u0000"));
}

fn same_again<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let value: T = json::parse(data).ok()?;
    let once = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = json::parse(once.as_bytes()).expect("what was written can be read");
    let twice = serde_json::to_string(&again).expect("what was read can be written");
    assert_eq!(once, twice);
    Some(value)
}

/// Whatever an archive claims, what comes out of it stays below the limits and keeps to its folder.
pub fn archive(data: &[u8]) {
    let limits = archive::Limits {
        entries: 100,
        unpacked: 1 << 20,
        ratio: 200,
        free: 1 << 16,
    };
    let mut file = tempfile::tempfile().expect("a file without a name");
    file.write_all(data).expect("a small file");
    let Ok(Some(format)) = archive::format_of(&mut file) else {
        return;
    };
    let (mut members, mut total) = (0, 0);
    let _ = archive::read(&file, "a.gz", format, &limits, &mut |member| {
        members += 1;
        if let Ok(body) = member.body {
            let parts: Vec<_> = member.name.split('/').collect();
            assert!(
                !parts.contains(&"..") && !parts.contains(&""),
                "{:?}",
                member.name
            );
            total += body.take(2 * limits.unpacked).read_to_end(&mut Vec::new())? as u64;
        }
        Ok(())
    });
    assert!(
        members <= limits.entries && total <= limits.unpacked,
        "{members} {total}"
    );
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(name: &str, target: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let folder = fs::read_dir(corpus.join(name)).expect("the corpus is committed");
        let files: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
        assert!(files.len() >= 3, "{name}: {files:?}");
        for file in files {
            eprintln!("with {}", file.display());
            target(&fs::read(&file).expect("a file of the corpus"));
        }
    }

    #[test]
    fn corpora() {
        replay("token", super::token);
        replay("frames", super::frames);
        replay("bodies", super::bodies);
        replay("archive", super::archive);
    }
}
