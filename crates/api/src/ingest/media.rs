//! Joining documents with their media: by the driver's index, or by what samples name themselves.

use super::files::{Role, role_of};
use super::{IngestError, Pick, pump};
use crate::db::artifacts::ArtifactRow;
use crate::db::media::{self, Leaf, Shown};
use crate::db::{Conn, artifacts, catalogue};
use crate::ingest::lines::clipped;
use crate::media::{embedded, keep_bytes};
use crate::store::Store;
use lmms::samples::SampleReader;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use tokio::sync::mpsc;
use types::{MediaKind, MediaLine, MediaProblem};

/// Rows that are written together.
const BATCH: usize = 1000;
/// Samples whose media may wait to be kept.
const NAMED: usize = 8;
/// Longest line of an index, in bytes.
const LINE: u64 = 64 * 1024;
/// Longest name and reason that are kept, in bytes.
const TEXT: usize = 500;
/// Most media of one document.
const MAX_POSITION: i32 = 4096;

/// Media that samples name, by how they name them: the hash of the content, or the problem and
/// the reason in words.
pub type Sources = HashMap<String, Result<String, (MediaProblem, String)>>;

/// Joins the documents of a benchmark with the media of the driver's indexes. Doing it again
/// changes nothing. Returns the tasks that have an index.
///
/// # Errors
/// When database or store fail.
pub async fn join(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
    leaves: &[String],
) -> Result<Vec<String>, IngestError> {
    let files = artifacts::of_pick(conn, pick.id, pick.attempt).await?;
    let mut joined = Vec::new();
    for (task, file) in indexes(&files) {
        let Some(name) = leaves.iter().find(|leaf| leaf.replace('/', "_") == task) else {
            continue;
        };
        join_task(conn, store, pick, name, file).await?;
        joined.push(name.clone());
    }
    Ok(joined)
}

fn indexes(files: &[ArtifactRow]) -> impl Iterator<Item = (String, &ArtifactRow)> {
    files.iter().filter_map(|file| match role_of(&file.name) {
        Role::Media { task } => Some((task, file)),
        _ => None,
    })
}

async fn join_task(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
    task: &str,
    file: &ArtifactRow,
) -> Result<(), IngestError> {
    let ids = catalogue::resolve(conn, pick.organization, &[task.to_owned()], &[]).await?;
    let own = (task == pick.name).then_some(pick.benchmark);
    let Some(benchmark) = own.or_else(|| ids.get(task).copied()) else {
        return Ok(());
    };
    let leaf = leaf_of(pick, benchmark);
    media::clear(conn, leaf).await?;
    let input = pump::reader(store.read(&file.file_path, None).await?);
    let (sender, mut batches) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || read(BufReader::new(input), &sender));
    while let Some(batch) = batches.recv().await {
        media::show(conn, leaf, batch).await?;
    }
    reading.await.map_err(|_| IngestError::Reader)
}

fn leaf_of(pick: &Pick, benchmark: uuid::Uuid) -> Leaf {
    Leaf {
        organization: pick.organization,
        pick: pick.id,
        benchmark,
    }
}

/// Reads an index to its end; a line that cannot be read costs that line.
fn read(mut input: impl BufRead, rows: &mpsc::Sender<Vec<Shown>>) {
    let (mut batch, mut line) = (Vec::with_capacity(BATCH), Vec::new());
    loop {
        line.clear();
        let read = input.by_ref().take(LINE).read_until(b'\n', &mut line);
        if matches!(read, Ok(0) | Err(_)) {
            break;
        }
        batch.extend(serde_json::from_slice(&line).ok().and_then(shown));
        if batch.len() >= BATCH && rows.blocking_send(std::mem::take(&mut batch)).is_err() {
            return;
        }
    }
    // The receiver is gone only when the transaction has failed.
    let _ = rows.blocking_send(batch);
}

fn shown(line: MediaLine) -> Option<Shown> {
    let text = |text: Option<String>| text.map(|text| clipped(&text, TEXT));
    let kind = |kind: String| kind.parse::<MediaKind>().ok();
    let problem = |name: String| name.parse::<MediaProblem>().ok();
    let has_content = line.path().is_some();
    (0..MAX_POSITION).contains(&line.position).then(|| Shown {
        doc_id: line.doc_id,
        position: line.position,
        claimed: line.kind.and_then(kind).map(|kind| kind.as_str().to_owned()),
        name: text(line.name),
        sha256: line.sha256.filter(|_| has_content),
        duration: line.duration.filter(|seconds| (0.0..1e7).contains(seconds)),
        problem: line
            .problem
            .and_then(problem)
            .map(|problem| problem.as_str().to_owned()),
        reason: text(line.reason),
    })
}

/// Notes what samples themselves say that they show: embedded data are kept, paths are looked up
/// in what was brought along. It takes a pass of its own over the file, for the first one fills the
/// connection with its rows.
///
/// # Errors
/// When database or store fail.
pub(super) async fn show_named(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
    benchmark: uuid::Uuid,
    file: &ArtifactRow,
) -> Result<(), IngestError> {
    let input = pump::reader(store.read(&file.file_path, None).await?);
    let (sender, mut named) = mpsc::channel(NAMED);
    let reading = tokio::task::spawn_blocking(move || read_named(BufReader::new(input), &sender));
    let mut rows = Vec::new();
    while let Some((doc_id, names)) = named.recv().await {
        for (position, source) in (0..MAX_POSITION).zip(names) {
            let mut row = named_source(conn, store, pick, &source, &pick.sources).await?;
            (row.doc_id, row.position) = (doc_id, position);
            rows.push(row);
        }
        if rows.len() >= BATCH {
            media::show(conn, leaf_of(pick, benchmark), std::mem::take(&mut rows)).await?;
        }
    }
    media::show(conn, leaf_of(pick, benchmark), rows).await?;
    reading.await.map_err(|_| IngestError::Reader)
}

/// The media that each sample names; of a document that comes again under another filter once more,
/// which changes nothing.
fn read_named(input: impl BufRead, named: &mpsc::Sender<(i64, Vec<String>)>) {
    let samples = SampleReader::new(input).filter_map(Result::ok);
    for sample in samples.filter(|sample| !sample.input_media.is_empty()) {
        if named.blocking_send((sample.doc_id, sample.input_media)).is_err() {
            return;
        }
    }
}

async fn named_source(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
    source: &str,
    sources: &Sources,
) -> Result<Shown, IngestError> {
    let found = match embedded(source) {
        Some(Ok((bytes, claimed))) => {
            let sha256 = keep_bytes(conn, store, pick.organization, bytes).await?;
            return Ok(Shown {
                claimed: claimed
                    .parse::<MediaKind>()
                    .ok()
                    .map(|kind| kind.as_str().to_owned()),
                sha256: Some(sha256),
                ..Shown::default()
            });
        }
        Some(Err(why)) => Err((MediaProblem::Broken, why.to_owned())),
        None => sources
            .get(source)
            .cloned()
            .unwrap_or_else(|| Err(unfound(source))),
    };
    let name = source.rsplit('/').next().map(|name| clipped(name, TEXT));
    // lmms-eval notes images alone.
    let claimed = Some(MediaKind::Image.as_str().to_owned());
    Ok(match found {
        Ok(sha256) => Shown {
            claimed,
            name,
            sha256: Some(sha256),
            ..Shown::default()
        },
        Err((problem, reason)) => Shown {
            claimed,
            name,
            problem: Some(problem.as_str().to_owned()),
            reason: Some(clipped(&reason, TEXT)),
            ..Shown::default()
        },
    })
}

/// Why a source that nobody has brought along is not there.
pub fn unfound(source: &str) -> (MediaProblem, String) {
    let lower = source.trim_start().to_ascii_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") {
        return (
            MediaProblem::Remote,
            "a web address, which is not fetched".to_owned(),
        );
    }
    let path = clipped(source, 200);
    (
        MediaProblem::Missing,
        format!("the file `{path}` stayed where the model ran"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Shown> {
        let (sender, mut rows) = mpsc::channel(8);
        read(text.as_bytes(), &sender);
        drop(sender);
        std::iter::from_fn(|| rows.blocking_recv()).flatten().collect()
    }

    #[test]
    fn a_broken_line_costs_one_medium() {
        let hash = "ab".repeat(32);
        let text = format!(
            "{{\"doc_id\": 3, \"position\": 0, \"kind\": \"image\", \"sha256\": \"{hash}\", \"extension\": \"png\"}}\n\
             nonsense\n{{\"doc_id\": 3, \"position\": -1}}\n\
             {{\"doc_id\": 4, \"position\": 1, \"kind\": \"smell\", \"problem\": \"odd\", \"reason\": \"no\\u0000 room\"}}"
        );
        let rows = all(&text);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].sha256.as_deref(), rows[0].claimed.as_deref()),
            (Some(hash.as_str()), Some("image"))
        );
        assert_eq!((&rows[1].claimed, &rows[1].problem), (&None, &None));
        assert_eq!(rows[1].reason.as_deref(), Some("no\u{FFFD} room"));
    }

    #[test]
    fn a_source_that_is_not_there_has_a_reason() {
        assert_eq!(unfound("https://a.test/x.png").0, MediaProblem::Remote);
        assert_eq!(
            unfound("/data/x.png").1,
            "the file `/data/x.png` stayed where the model ran"
        );
    }
}
