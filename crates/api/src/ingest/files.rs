//! Where an attempt's files are kept: registered by what they are, never by a path of ours.

use super::IngestError;
use crate::db::artifacts::{self, Chunk, NewArtifact};
use crate::db::schema::run_benchmarks;
use crate::db::{Conn, attempts};
use crate::store::{Store, Stored};
use bytes::Bytes;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use types::{ArtifactType, LogStream};
use uuid::Uuid;

/// Longest path of a file below `out/<order>/`.
const MAX_PATH: usize = 1024;

/// Whose files they are.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The organization.
    pub organization: Uuid,
    /// The run.
    pub run: Uuid,
    /// The attempt.
    pub attempt: Uuid,
}

/// A file of a benchmark: `out/<order>/<path>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The benchmark's place in the run.
    pub order: i32,
    /// The path below its folder.
    pub path: String,
}

impl Place {
    /// Reads `out/<order>/<path>`; nothing else is a place.
    pub fn parse(name: &str) -> Option<Self> {
        let (order, path) = name.strip_prefix("out/")?.split_once('/')?;
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\0', '\\']);
        let fine = path.len() <= MAX_PATH && path.split('/').all(is_part);
        let order = order
            .parse()
            .ok()
            .filter(|n| (0..=i32::from(i16::MAX)).contains(n))?;
        fine.then(|| Self {
            order,
            path: path.to_owned(),
        })
    }

    /// The name of the file in the run.
    pub fn name(&self) -> String {
        format!("out/{}/{}", self.order, self.path)
    }
}

/// Notes a stored file as an artifact of its benchmark.
pub async fn register(conn: &mut Conn, owner: &Owner, place: &Place, stored: &Stored) -> QueryResult<()> {
    let pick: Option<Uuid> = run_benchmarks::table
        .filter(
            run_benchmarks::run_id
                .eq(owner.run)
                .and(run_benchmarks::order.eq(place.order)),
        )
        .select(run_benchmarks::id)
        .first(conn)
        .await
        .optional()?;
    let artifact = NewArtifact {
        id: Uuid::now_v7(),
        organization_id: owner.organization,
        run_id: owner.run,
        attempt_id: Some(owner.attempt),
        run_benchmark_id: pick,
        artifact_type: artifacts::type_of(&place.path).as_str(),
        name: place.name(),
        file_path: stored.key.clone(),
        file_size: i64::try_from(stored.size).unwrap_or(i64::MAX),
        sha256: Some(stored.sha256.clone()),
        metadata: json!({}),
    };
    artifacts::upsert(conn, &artifact).await
}

/// Appends to an attempt's output at its stored end; returns the new end.
///
/// # Errors
/// When the bytes or their row cannot be written.
pub async fn append_log(
    conn: &mut Conn,
    store: &Store,
    owner: &Owner,
    stream: LogStream,
    at: u64,
    bytes: Bytes,
) -> Result<u64, IngestError> {
    let length = bytes.len();
    let object_key = store.put_log_chunk(owner.attempt, stream, at, bytes).await?;
    let chunk = Chunk {
        offset: i64::try_from(at).unwrap_or(i64::MAX),
        length: i32::try_from(length).unwrap_or(i32::MAX),
        object_key,
    };
    artifacts::insert_chunk(conn, owner.attempt, owner.organization, stream, &chunk).await?;
    let end = at + length as u64;
    attempts::set_offset(conn, owner.attempt, &format!("{stream}.log"), end).await?;
    Ok(end)
}

/// Notes the raw outputs of an attempt as artifacts, with the size they have now.
pub async fn register_logs(conn: &mut Conn, owner: &Owner) -> QueryResult<()> {
    for stream in LogStream::ALL {
        let size = artifacts::stored_bytes(conn, owner.attempt, *stream).await?;
        if size == 0 {
            continue;
        }
        let artifact = NewArtifact {
            id: Uuid::now_v7(),
            organization_id: owner.organization,
            run_id: owner.run,
            attempt_id: Some(owner.attempt),
            run_benchmark_id: None,
            artifact_type: ArtifactType::Log.as_str(),
            name: format!("{stream}.log"),
            file_path: format!("{}{stream}", artifacts::CHUNKED),
            file_size: size,
            sha256: None,
            metadata: json!({}),
        };
        artifacts::upsert(conn, &artifact).await?;
    }
    Ok(())
}

/// What a file of a benchmark is, by its name. lmms-eval puts results and samples of one process
/// in one folder under one stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A results document, with its folder and stamp.
    Results {
        /// Folder and stamp.
        stamp: String,
    },
    /// The samples of a leaf task.
    Samples {
        /// Folder and stamp.
        stamp: String,
        /// The task.
        task: String,
    },
    /// The documents of a leaf task, from the driver.
    Docs {
        /// The task.
        task: String,
    },
    /// The media of a leaf task's documents, from the driver.
    Media {
        /// The task, with `_` for each `/`.
        task: String,
    },
    /// Anything else.
    Other,
}

/// The role of `out/<order>/<folder>/<file>`.
pub fn role_of(name: &str) -> Role {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    if let Some(task) = file.strip_prefix("docs_").and_then(|f| f.strip_suffix(".jsonl")) {
        return Role::Docs {
            task: task.to_owned(),
        };
    }
    if let Some(task) = file.strip_prefix("media_").and_then(|f| f.strip_suffix(".jsonl")) {
        return Role::Media {
            task: task.to_owned(),
        };
    }
    let Some((stamp, rest)) = split_stamp(file) else {
        return Role::Other;
    };
    let stamp = format!("{folder}/{stamp}");
    if rest == "results.json" {
        return Role::Results { stamp };
    }
    match rest
        .strip_prefix("samples_")
        .and_then(|r| r.strip_suffix(".jsonl"))
    {
        Some(task) => Role::Samples {
            stamp,
            task: task.to_owned(),
        },
        None => Role::Other,
    }
}

/// `20261120_204534_results.json` is `20261120_204534` and `results.json`.
fn split_stamp(file: &str) -> Option<(&str, &str)> {
    let (stamp, rest) = file.split_at_checked(15)?;
    let (day, time) = stamp.split_once('_')?;
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    (digits(day, 8) && digits(time, 6)).then_some((stamp, rest.strip_prefix('_')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_benchmark_have_a_place() {
        let place = Place::parse("out/3/a__b/x+y.json").unwrap();
        assert_eq!((place.order, place.path.as_str()), (3, "a__b/x+y.json"));
        assert_eq!(place.name(), "out/3/a__b/x+y.json");
        for name in [
            "out/3",
            "out/3/",
            "out/x/a",
            "out/3/../../a",
            "out/3/a//b",
            "out/-1/a",
            "token",
            "out/3/a\0",
            "out/3/..\\a",
        ] {
            assert_eq!(Place::parse(name), None, "{name}");
        }
    }

    #[test]
    fn task_names_are_read_to_their_end() {
        let samples = |task: &str| Role::Samples {
            stamp: "out/0/m/20261120_204534".into(),
            task: task.into(),
        };
        assert_eq!(
            role_of("out/0/m/20261120_204534_samples_refcoco+_seg_testA.jsonl"),
            samples("refcoco+_seg_testA")
        );
        assert_eq!(
            role_of("out/0/m/20261120_204534_samples_a_results.json.jsonl"),
            samples("a_results.json")
        );
        assert_eq!(
            role_of("out/0/20261120_204534_results.json"),
            Role::Results {
                stamp: "out/0/20261120_204534".into()
            }
        );
        assert_eq!(role_of("out/0/docs_a-b.jsonl"), Role::Docs { task: "a-b".into() });
        assert_eq!(
            role_of("out/0/media_a-b.jsonl"),
            Role::Media { task: "a-b".into() }
        );
        assert_eq!(role_of("out/0/captions_val_results.json"), Role::Other);
        assert_eq!(role_of("out/0/é20261120_204534_results.json"), Role::Other);
    }
}
