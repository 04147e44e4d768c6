//! Uploading: the bytes of the logs, and the files of benchmarks that are over.

use super::{
    client::{Client, Refusal},
    tail::file_name,
};
use crate::{
    dir::{AttemptDir, open_regular},
    exec::chain,
};
use lmms::log::Stream;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};
use types::BenchmarkDone;

/// The largest part of a log that is sent at once.
const CHUNK: u64 = 256 * 1024;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How much of the logs went up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sent {
    /// Nothing: all of both was up.
    Nothing,
    /// It is not known yet.
    Waiting,
    /// What there was.
    Rest,
    /// A whole part of one, so more may be waiting.
    Whole,
}

/// How far the logs are up, and what came of the last try.
pub(super) struct LogsUp {
    pub(super) uploaded: BTreeMap<String, u64>,
    pub(super) sent: Result<Sent, Refusal>,
}

/// Sends the next part of each log, beside everything else; what may be half a secret waits until its log is `over`.
pub(super) async fn logs(
    client: Client,
    dir: AttemptDir,
    mut uploaded: BTreeMap<String, u64>,
    secrets: BTreeMap<String, String>,
    over: bool,
) -> LogsUp {
    let mut all = Sent::Nothing;
    for stream in [Stream::Stdout, Stream::Stderr] {
        match log(&client, &dir, &mut uploaded, &secrets, over, stream).await {
            Ok(sent) => all = all.max(sent),
            Err(refusal) => {
                let sent = Err(refusal);
                return LogsUp { uploaded, sent };
            }
        }
    }
    LogsUp {
        uploaded,
        sent: Ok(all),
    }
}

async fn log(
    client: &Client,
    dir: &AttemptDir,
    uploaded: &mut BTreeMap<String, u64>,
    secrets: &BTreeMap<String, String>,
    over: bool,
    stream: Stream,
) -> Result<Sent, Refusal> {
    let name = file_name(stream);
    let offset = uploaded.get(name).copied().unwrap_or(0);
    let mut bytes = part(dir, name, offset, secrets).unwrap_or_default();
    let is_whole = bytes.len() as u64 == CHUNK;
    if !over {
        hold_back(&mut bytes, secrets);
    }
    let count = bytes.len() as u64;
    if count == 0 {
        return Ok(Sent::Nothing);
    }
    let next = match client.put_log(name, offset, bytes).await {
        Ok(()) => offset + count,
        Err(Refusal::Offset(expected)) => expected,
        Err(refusal) => return Err(refusal),
    };
    uploaded.insert(name.to_owned(), next);
    Ok(if is_whole { Sent::Whole } else { Sent::Rest })
}

/// Leaves out the end if a secret begins there: the rest of it may be written a moment later.
fn hold_back(bytes: &mut Vec<u8>, secrets: &BTreeMap<String, String>) {
    let begins = |value: &[u8]| {
        (1..value.len())
            .rev()
            .find(|&length| bytes.ends_with(&value[..length]))
    };
    let held = worth_starring(secrets).filter_map(begins).max().unwrap_or(0);
    bytes.truncate(bytes.len() - held);
}

/// Shorter values would star out half of every line.
fn worth_starring(secrets: &BTreeMap<String, String>) -> impl Iterator<Item = &[u8]> {
    secrets
        .values()
        .map(String::as_bytes)
        .filter(|value| value.len() >= 6)
}

/// The bytes of a log from an offset on, with the values of secrets starred out in place. Bytes
/// around the part are read too, so that a value across its edges is found.
///
/// # Errors
///
/// When the log is missing, is no regular file, or cannot be read.
pub fn part(
    dir: &AttemptDir,
    name: &str,
    offset: u64,
    secrets: &BTreeMap<String, String>,
) -> io::Result<Vec<u8>> {
    let margin = secrets.values().map(String::len).max().unwrap_or(0) as u64;
    let begin = offset.saturating_sub(margin);
    let mut bytes = Vec::new();
    let mut file: File = open_regular(&dir.path(name))?;
    file.seek(SeekFrom::Start(begin))?;
    file.take(offset - begin + CHUNK + margin)
        .read_to_end(&mut bytes)?;
    for value in worth_starring(secrets) {
        star_out(&mut bytes, value);
    }
    let from = usize::try_from(offset - begin)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let mut part = bytes.split_off(from);
    part.truncate(CHUNK as usize);
    Ok(part)
}

fn star_out(bytes: &mut [u8], value: &[u8]) {
    let mut at = 0;
    while let Some(found) = bytes[at..]
        .windows(value.len())
        .position(|window| window == value)
    {
        bytes[at + found..at + found + value.len()].fill(b'*');
        at += found + value.len();
    }
}

/// Uploads all files of a benchmark, for as long as it takes. Returns what had to be left out.
pub(super) async fn benchmark(client: Client, dir: AttemptDir, done: BenchmarkDone) -> Vec<String> {
    let mut left_out = Vec::new();
    for file in &done.files {
        let path = dir.out(done.order).join(&file.path);
        if let Err(refusal) = patiently(|| client.put_file(done.order, file, &path), || is_gone(&path)).await
        {
            left_out.push(format!("`{}` is not uploaded: {}", file.path, chain(&refusal)));
        }
    }
    left_out
}

/// Tries until it is done, or until another try cannot help: the API will never take it, or what
/// it is about is gone.
pub(super) async fn patiently<T, F: Future<Output = Result<T, Refusal>>>(
    mut ask: impl FnMut() -> F,
    is_gone: impl Fn() -> bool,
) -> Result<T, Refusal> {
    let mut pause = PAUSE;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(refusal @ (Refusal::Never(_) | Refusal::Offset(_))) => return Err(refusal),
            Err(refusal) if is_gone() => return Err(refusal),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

pub(super) fn is_gone(path: &Path) -> bool {
    open_regular(path).is_err_and(|error| error.kind() != io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_starred_out_and_nothing_moves() {
        let mut bytes = b"a hunter22 b hunter22".to_vec();
        star_out(&mut bytes, b"hunter22");
        assert_eq!(bytes, b"a ******** b ********");
    }

    #[test]
    fn the_begin_of_a_secret_waits_for_the_rest_of_it() {
        let secrets = BTreeMap::from([
            ("K".to_owned(), "hunter22".to_owned()),
            ("L".to_owned(), "rhubarb".to_owned()),
            ("SHORT".to_owned(), "xyz".to_owned()),
        ]);
        let left = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            hold_back(&mut bytes, &secrets);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(left("key=hunter2"), "key=");
        assert_eq!(left("h"), "");
        assert_eq!(
            left("a hunter"),
            "a ",
            "`hunter` is longer than the `r` of the other"
        );
        assert_eq!(left("a line\n"), "a line\n");
        assert_eq!(left("a hunt\n"), "a hunt\n");
        assert_eq!(left("xy"), "xy");
    }

    #[test]
    fn a_secret_across_the_edge_of_a_part_is_found() {
        let root = tempfile::tempdir().unwrap();
        let dir = AttemptDir::new(root.path());
        let chunk = CHUNK as usize;
        let mut text = vec![b'x'; chunk - 4];
        text.extend(b"hunter22 and more");
        std::fs::write(dir.path("stdout.log"), &text).unwrap();
        let secrets = BTreeMap::from([("K".to_owned(), "hunter22".to_owned())]);
        let first = part(&dir, "stdout.log", 0, &secrets).unwrap();
        let second = part(&dir, "stdout.log", CHUNK, &secrets).unwrap();
        assert_eq!((first.len(), &first[chunk - 4..]), (chunk, &b"****"[..]));
        assert_eq!(second, b"**** and more");
    }
}
