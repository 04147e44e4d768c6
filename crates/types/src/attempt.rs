//! What an executor and the API say to each other.

use crate::{EvidenceLine, GpuSample, LogLineEvent, Outcome, RunBenchmarkId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Largest batch, in bytes of JSON.
pub const MAX_BATCH: usize = 1024 * 1024;

/// A numbered batch of news of one attempt. Posting a number again changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// From 1, without gaps, per attempt.
    pub batch_no: i64,
    /// The attempt's number.
    pub epoch: i32,
    /// What happened, in order.
    #[serde(default)]
    pub news: Vec<News>,
    /// Parsed lines, in the order of reading.
    #[serde(default)]
    pub lines: Vec<LogLineEvent>,
    /// How far each file has been read, in bytes: `stdout`, `stderr`, `events`.
    #[serde(default)]
    pub offsets: BTreeMap<String, u64>,
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// The keeper has claimed the attempt and started its first process.
    Started {
        /// The machine.
        host: String,
        /// The keeper's process.
        pid: u32,
        /// When.
        at: DateTime<Utc>,
    },
    /// What lmms-eval does not record: versions, machine, GPUs.
    Environment {
        /// As the driver wrote it.
        record: serde_json::Value,
    },
    /// How far the running benchmark is; only the last one of a batch counts.
    Progress {
        /// The picked row.
        run_benchmark_id: RunBenchmarkId,
        /// Documents answered.
        done: Option<u64>,
        /// Documents to answer.
        total: Option<u64>,
        /// Documents per second.
        items_per_second: Option<f64>,
        /// Seconds to the end of this benchmark, as lmms-eval sees it.
        eta_seconds: Option<f64>,
        /// What it is doing.
        phase: Option<String>,
        /// When it was seen.
        at: DateTime<Utc>,
        /// Readings of the attempt's GPUs.
        #[serde(default)]
        gpus: Vec<GpuSample>,
    },
    /// A benchmark has begun.
    BenchmarkStarted {
        /// The picked row.
        run_benchmark_id: RunBenchmarkId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A benchmark is over and its files have been uploaded.
    BenchmarkFinished {
        /// The picked row.
        run_benchmark_id: RunBenchmarkId,
        /// Its `done.json`.
        done: BenchmarkDone,
    },
    /// The media of a benchmark that was told of have been uploaded, as far as they were kept.
    MediaUploaded {
        /// The picked row.
        run_benchmark_id: RunBenchmarkId,
    },
    /// The attempt is over and its last bytes have been uploaded.
    Exited {
        /// Its `exit.json`.
        exit: AttemptExit,
    },
    /// Something the user should know, e.g. a fallback to plain processes.
    Notice {
        /// In one sentence.
        message: String,
        /// When.
        at: DateTime<Utc>,
    },
}

/// `done.json`: how a benchmark ended, written before the next one starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkDone {
    /// Execution order, from 0.
    pub order: u32,
    /// The picked name.
    pub name: String,
    /// Why it ended.
    pub outcome: Outcome,
    /// In one sentence, when it failed.
    pub cause: Option<String>,
    /// The lines that show it.
    #[serde(default)]
    pub evidence: Vec<EvidenceLine>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// Its files, with paths below `out/<order>/`.
    #[serde(default)]
    pub files: Vec<OutputFile>,
}

/// A file that lmms-eval or the driver wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputFile {
    /// Path below `out/<order>/`, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hex SHA-256.
    pub sha256: String,
}

/// `media.json`: what the driver kept of the media of a benchmark, written when all is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaDone {
    /// The index of each task: `media_<task>.jsonl` below `out/<order>/`.
    pub indexes: BTreeMap<String, String>,
    /// Files kept.
    #[serde(default)]
    pub count: u64,
    /// Bytes of them.
    #[serde(default)]
    pub bytes: u64,
    /// Media that were not kept.
    #[serde(default)]
    pub left_out: u64,
    /// How long it took.
    #[serde(default)]
    pub seconds: f64,
}

/// One line of `media_<task>.jsonl`: a medium of a document, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaLine {
    /// The document.
    pub doc_id: i64,
    /// Its place among the media of the document, from 0.
    pub position: i32,
    /// What it is said to be: `image`, `audio` or `video`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Hex SHA-256; the file is `media/<sha256>.<extension>`.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The end of its file's name.
    #[serde(default)]
    pub extension: Option<String>,
    /// How it was called.
    #[serde(default)]
    pub name: Option<String>,
    /// Seconds, where the driver knows.
    #[serde(default)]
    pub duration: Option<f64>,
    /// Why there is none, by name.
    #[serde(default)]
    pub problem: Option<String>,
    /// Why there is none, in words.
    #[serde(default)]
    pub reason: Option<String>,
}

impl MediaLine {
    /// The file's path beside the index; only what the driver would write is one.
    pub fn path(&self) -> Option<String> {
        let sha256 = self.sha256.as_deref().filter(|hash| is_sha256(hash))?;
        let extension = self.extension.as_deref().unwrap_or("bin");
        let plain = extension.len() <= 5 && extension.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then(|| format!("media/{sha256}.{extension}"))
    }
}

/// Whether a text is a SHA-256 in lower-case hex.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Which media an attempt has to upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MediaHashes {
    /// Hex SHA-256, at most [`MAX_MEDIA_ASKED`].
    pub sha256: Vec<String>,
}

/// Most media that are asked for at once.
pub const MAX_MEDIA_ASKED: usize = 1000;

/// `exit.json`: how an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptExit {
    /// Why: completed when every process did its work, whatever became of single benchmarks.
    pub outcome: Outcome,
    /// In one sentence.
    pub reason: Option<String>,
    /// Every process that was started.
    pub processes: Vec<ProcessExit>,
    /// Descendants that had to be killed after their parent's end.
    pub killed_leftovers: u32,
    /// Bytes of output that could not be written (full disk).
    #[serde(default)]
    pub dropped_bytes: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// How one process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProcessExit {
    /// Its id.
    pub pid: u32,
    /// The orders of the benchmarks it was to run.
    pub benchmarks: Vec<u32>,
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Largest resident memory, in bytes.
    pub max_rss: Option<u64>,
    /// Milliseconds.
    pub elapsed_ms: u64,
}

/// What an executor has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Go on.
    Continue,
    /// Stop the processes.
    Cancel,
    /// This attempt is over for the API: stop at once, and post no more.
    Fenced,
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchAnswer {
    /// What to do next.
    pub order: Order,
    /// The number that is expected next.
    pub next_batch_no: i64,
    /// How far each file is known, in bytes.
    pub offsets: BTreeMap<String, u64>,
}

/// The values of the secrets a run refers to, by environment variable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptSecrets {
    /// Variable to value.
    pub environment: BTreeMap<String, String>,
}

impl std::fmt::Debug for AttemptSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttemptSecrets")
            .field("variables", &self.environment.keys())
            .finish_non_exhaustive()
    }
}
