//! Files on their way in: looked at, freed of secrets, and kept in the object store.

use super::check::digest;
use super::source::Found;
use crate::store::{Store, StoreError, Stored};
use bytes::Bytes;
use futures_util::stream;
use lmms::document::Kind;
use lmms::results::from_value;
use lmms::secrets::redact_value;
use lmms::survey::{Survey, Utf8Reader, document, survey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use tokio::runtime::Handle;
use types::{ImportMapping as Mapping, MediaLine};

/// How much is handed to the store at once, in bytes.
const CHUNK: usize = 256 * 1024;
/// Largest file that is kept, in bytes.
const MAX_FILE: u64 = 1 << 40;

/// A file that was looked at, and what of it is kept.
#[derive(Debug)]
pub(super) struct Staged {
    /// Its path.
    pub(super) path: String,
    /// What is in it.
    pub(super) survey: Survey,
    /// Of its bytes.
    pub(super) sha256: Option<[u8; 32]>,
    /// Its results document, without secrets and samples.
    pub(super) document: Option<Stored>,
    /// Its samples, one list for each entry of the survey.
    pub(super) samples: Vec<Stored>,
    /// The task whose documents it holds, as our driver writes them.
    pub(super) docs_of: Option<String>,
    /// Those documents.
    pub(super) docs: Option<Stored>,
    /// The task whose media it lists, as our driver writes them, with `_` for each `/`.
    pub(super) media_of: Option<String>,
    /// That list.
    pub(super) media_index: Option<Stored>,
    /// The files that it names, beside it.
    pub(super) media_paths: Vec<String>,
}

impl Staged {
    /// Whether it holds nothing that an import takes rows from.
    pub(super) fn is_nothing_else(&self) -> bool {
        let kind = matches!(self.survey.kind, Kind::NotLmmsEval | Kind::Unreadable);
        kind && self.docs_of.is_none() && self.media_of.is_none()
    }
}

/// Keeps files, or only looks at them; blocks, so it belongs on a thread of its own.
pub(super) struct Stage {
    /// Where, with its runtime; nowhere for a check.
    pub(super) keep: Option<(Store, Handle)>,
    /// What the user knows better.
    pub(super) mapping: Mapping,
}

impl Stage {
    /// Looks at a file and keeps what an import may need of it.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn take(&self, found: Found) -> Result<Staged, StoreError> {
        let mut staged = Staged {
            survey: Survey::refused(Kind::Unreadable, ""),
            path: found.path,
            sha256: None,
            document: None,
            samples: Vec::new(),
            docs_of: None,
            docs: None,
            media_of: None,
            media_index: None,
            media_paths: Vec::new(),
        };
        let name = staged.path.rsplit('/').next().unwrap_or_default().to_owned();
        let read = found.content.and_then(|mut file| {
            let looked = digest(&mut file).and_then(|hash| Ok((hash, survey(&name, &mut file)?)));
            let (hash, survey) = looked.map_err(|error| format!("it cannot be read: {error}"))?;
            Ok((hash, survey, file))
        });
        match read {
            Ok((hash, survey, mut file)) => {
                staged.sha256 = Some(hash);
                staged.survey = survey;
                self.keep(&mut staged, &name, &mut file)?;
            }
            Err(why) => staged.survey = Survey::refused(Kind::Unreadable, why),
        }
        Ok(staged)
    }

    fn keep(&self, staged: &mut Staged, name: &str, file: &mut File) -> Result<(), StoreError> {
        match staged.survey.kind {
            Kind::Samples => {
                staged.samples.push(self.put_file(file)?);
                self.stand_in(staged)?;
            }
            Kind::Results | Kind::ApiDump | Kind::OldSamples => {
                let Ok(document) = document(file) else {
                    return Ok(());
                };
                self.keep_document(staged, document)?;
            }
            Kind::NotLmmsEval => {
                let task = name
                    .strip_prefix("docs_")
                    .and_then(|rest| rest.strip_suffix(".jsonl"));
                if let Some(task) = task {
                    staged.docs_of = Some(task.to_owned());
                    staged.docs = Some(self.put_file(file)?);
                }
                let task = name
                    .strip_prefix("media_")
                    .and_then(|rest| rest.strip_suffix(".jsonl"));
                if let Some(task) = task {
                    staged.media_of = Some(task.to_owned());
                    staged.media_index = Some(self.put_file(file)?);
                    staged.media_paths = media_paths(file);
                }
            }
            Kind::Log | Kind::Unreadable => {}
        }
        Ok(())
    }

    /// Samples whose model and task the user names come in without their results document: one
    /// without a score stands in for it.
    fn stand_in(&self, staged: &mut Staged) -> Result<(), StoreError> {
        let rule = self
            .mapping
            .file(&staged.path)
            .filter(|rule| rule.results.is_none());
        let named = rule.and_then(|rule| Some((rule.task.as_ref()?, rule.model.as_ref()?)));
        let Some((task, model)) = named else {
            return Ok(());
        };
        let document = json!({ "results": { task: {} }, "config": {}, "model_name": model });
        staged.survey.results = from_value(&document).ok();
        staged.survey.model = Some(model.clone());
        for samples in &mut staged.survey.samples {
            samples.task = Some(task.clone());
        }
        staged.document = Some(self.put(io::Cursor::new(document.to_string()))?);
        Ok(())
    }

    /// Samples inside of a document become lines of their own.
    fn keep_document(&self, staged: &mut Staged, mut document: Value) -> Result<(), StoreError> {
        if staged.survey.kind == Kind::OldSamples {
            let list = document.get_mut("logs").map(Value::take);
            staged.samples.push(self.put_lines(list.as_ref())?);
            return Ok(());
        }
        let samples = document
            .as_object_mut()
            .and_then(|fields| fields.shift_remove("samples"));
        if let Some(Value::Object(tasks)) = samples {
            for (_, list) in tasks.into_iter().filter(|(_, list)| list.is_array()) {
                staged.samples.push(self.put_lines(Some(&list))?);
            }
        }
        redact_value(&mut document);
        staged.document = Some(self.put(io::Cursor::new(document.to_string()))?);
        Ok(())
    }

    fn put_lines(&self, list: Option<&Value>) -> Result<Stored, StoreError> {
        let mut lines = String::new();
        for record in list.and_then(Value::as_array).into_iter().flatten() {
            lines.push_str(&record.to_string());
            lines.push('\n');
        }
        self.put(io::Cursor::new(lines))
    }

    fn put_file(&self, file: &mut File) -> Result<Stored, StoreError> {
        file.rewind()
            .map_err(|error| StoreError::Upload(error.to_string()))?;
        self.put(Utf8Reader::new(file))
    }

    fn put(&self, input: impl Read) -> Result<Stored, StoreError> {
        match &self.keep {
            Some((store, runtime)) => put(store, runtime, input, MAX_FILE),
            None => measured(input),
        }
    }
}

/// What would have been kept.
fn measured(mut input: impl Read) -> Result<Stored, StoreError> {
    let mut hash = HashWriter(Sha256::new());
    let size = io::copy(&mut input, &mut hash).map_err(|error| StoreError::Upload(error.to_string()))?;
    Ok(Stored {
        key: String::new(),
        size,
        sha256: hex::encode(hash.0.finalize()),
    })
}

struct HashWriter(Sha256);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what can be read, at most so many bytes; blocks.
///
/// # Errors
/// When it is more, cannot be read, or the store fails.
pub(super) fn put(
    store: &Store,
    runtime: &Handle,
    mut input: impl Read,
    limit: u64,
) -> Result<Stored, StoreError> {
    let chunks = std::iter::from_fn(move || {
        let mut chunk = vec![0; CHUNK];
        match input.read(&mut chunk) {
            Ok(0) => None,
            Ok(n) => {
                chunk.truncate(n);
                Some(Ok(Bytes::from(chunk)))
            }
            Err(error) => Some(Err(error)),
        }
    });
    runtime.block_on(store.put_content(stream::iter(chunks), limit, None))
}

/// The files that a list of media names; what is no line of it is passed over.
fn media_paths(file: &mut File) -> Vec<String> {
    if file.rewind().is_err() {
        return Vec::new();
    }
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let parsed = lines.filter_map(|line| serde_json::from_slice::<MediaLine>(&line).ok());
    parsed.filter_map(|line| line.path()).collect()
}
