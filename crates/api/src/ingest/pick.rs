//! One benchmark of one run: its files become rows, in one transaction.

use super::docs::Docs;
use super::files::{Role, role_of};
use super::media::{self, Sources};
use super::metrics::{self, ScoresByTask};
use super::rows::Leaf;
use super::samples::{self, Odd, Tally};
use super::slices::Judges;
use super::{IngestError, pump};
use crate::db::artifacts::{self, ArtifactRow};
use crate::db::{Conn, catalogue, copy, media as media_rows, metrics as metric_rows, samples as sample_rows};
use crate::store::Store;
use lmms::results::{Results, parse};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use types::MetricUpdate;
use uuid::Uuid;

/// The benchmark to ingest.
#[derive(Clone, Debug)]
pub struct Pick {
    /// Its organization.
    pub organization: Uuid,
    /// Its run.
    pub run: Uuid,
    /// The attempt that ran it.
    pub attempt: Uuid,
    /// Its row.
    pub id: Uuid,
    /// Its row in the catalogue.
    pub benchmark: Uuid,
    /// Its name.
    pub name: String,
    /// Itself and all that is in it, where the results document holds more than that.
    pub scope: Option<HashSet<String>>,
    /// The media that its samples name, where they were brought along.
    pub sources: Arc<Sources>,
}

/// What a benchmark's files amounted to.
#[derive(Clone, Debug, Default)]
pub struct Ingested {
    /// What is to be told.
    pub updates: Vec<MetricUpdate>,
    /// Samples stored.
    pub sample_count: i64,
    /// Why the result is to be used with care.
    pub degraded: Option<String>,
    /// What could not be read, each in one sentence.
    pub problems: Vec<String>,
}

/// Reads the files of a benchmark and writes its scores and samples, in the caller's
/// transaction. The inner error says why the results document cannot be used.
///
/// # Errors
/// When the database or the object store fails; trying again may help.
pub async fn ingest(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
) -> Result<Result<Ingested, String>, IngestError> {
    let files = artifacts::of_pick(conn, pick.id, pick.attempt).await?;
    let (stamp, mut results) = match newest_results(store, &files).await? {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Some(scope) = &pick.scope {
        results.keep(scope);
    }
    let ids = catalogue_ids(conn, pick, &results).await?;
    sample_rows::clear(conn, pick.id).await?;
    let judges = Judges::of(conn, pick.organization).await?;
    media_rows::clear_pick(conn, pick.id).await?;
    let leaves: Vec<String> = results.tasks.iter().map(|task| task.name.clone()).collect();
    let indexed = media::join(conn, store, pick, &leaves).await?;
    let mut ingested = Ingested::default();
    let (mut scores, mut odd) = (ScoresByTask::new(), Odd::default());
    for (task, file) in samples_of(&files, &stamp) {
        let Some(leaf) = leaf_of(&results, &ids, task) else {
            ingested
                .problems
                .push(format!("`{}` belongs to no task of the results", file.name));
            continue;
        };
        let docs = docs_of(store, &files, task).await?;
        let filters = results.task(task).map(|t| t.filters.clone()).unwrap_or_default();
        let lines = Lines {
            file,
            leaf,
            filters,
            docs,
            // What the driver kept is what the model was given.
            names_media: !indexed.iter().any(|name| name == task),
        };
        let tally = read_samples(conn, store, pick, lines, Arc::clone(&judges)).await?;
        note(&mut ingested, file, &tally);
        odd.add(tally.odd);
        scores.insert(task.to_owned(), tally.scores);
    }
    let owner = metrics::Owner {
        organization: pick.organization,
        run: pick.run,
        pick: pick.id,
    };
    let rows = metrics::rows(owner, &results, &ids, &scores);
    metric_rows::replace(conn, pick.id, &rows).await?;
    judges.conclude(conn, pick.id).await?;
    learn(conn, pick, &results, &ids).await?;
    let names: HashMap<Uuid, &String> = ids.iter().map(|(name, id)| (*id, name)).collect();
    let told = |row| metrics::update(row, names.get(&row.benchmark_id).map_or("", |n| n.as_str()));
    ingested.updates = rows.iter().map(told).collect();
    ingested.degraded = degraded(&results, odd, &ingested);
    Ok(Ok(ingested))
}

fn degraded(results: &Results, odd: Odd, ingested: &Ingested) -> Option<String> {
    let total = u64::try_from(ingested.sample_count).unwrap_or(0);
    let exhausted = results
        .budget_exceeded
        .then(|| "the token budget ran out".to_owned());
    odd.sentence(total).or(exhausted)
}

fn note(ingested: &mut Ingested, file: &ArtifactRow, tally: &Tally) {
    ingested.sample_count += i64::try_from(tally.total).unwrap_or(0);
    if let Some(first) = &tally.first_bad {
        let lines = match tally.bad_lines {
            1 => "1 line is no sample".to_owned(),
            n => format!("{n} lines are no samples, the first"),
        };
        let message = format!("`{}`: {lines}: {first}", file.name);
        ingested.problems.push(message);
    }
}

/// The newest readable results document, with folder and stamp.
async fn newest_results(
    store: &Store,
    files: &[ArtifactRow],
) -> Result<Result<(String, Results), String>, IngestError> {
    let mut found: Vec<(String, &ArtifactRow)> = files
        .iter()
        .filter_map(|file| match role_of(&file.name) {
            Role::Results { stamp } => Some((stamp, file)),
            _ => None,
        })
        .collect();
    found.sort_by(|a, b| b.0.rsplit('/').next().cmp(&a.0.rsplit('/').next()));
    let mut reason = "no `*_results.json` was written".to_owned();
    for (stamp, file) in found {
        match read_results(store, file).await? {
            Ok(results) => return Ok(Ok((stamp, results))),
            Err(why) => reason = format!("`{}` cannot be used: {why}", file.name),
        }
    }
    Ok(Err(reason))
}

async fn read_results(store: &Store, file: &ArtifactRow) -> Result<Result<Results, String>, IngestError> {
    let cap = lmms::results::DOCUMENT_CAP as u64;
    let Some(bytes) = store.read_small(&file.file_path, cap).await? else {
        return Ok(Err(format!("it has more than {cap} bytes")));
    };
    let parsed = tokio::task::spawn_blocking(move || parse(&bytes)).await;
    Ok(parsed
        .map_err(|_| IngestError::Reader)?
        .map_err(|e| crate::error::chain(&e)))
}

/// The catalogue rows of every task and group of the document; those it lacks are made.
async fn catalogue_ids(
    conn: &mut Conn,
    pick: &Pick,
    results: &Results,
) -> Result<HashMap<String, Uuid>, IngestError> {
    let mut names: Vec<String> = results.metrics.iter().map(|m| m.task.clone()).collect();
    names.extend(results.tasks.iter().map(|t| t.name.clone()));
    names.sort();
    names.dedup();
    // A name that no row can hold has no scores here; the document stays an artifact.
    names.retain(|name| {
        *name != pick.name && (1..=500).contains(&name.chars().count()) && !name.contains('\0')
    });
    let groups: Vec<&str> = results.groups.iter().map(|g| g.name.as_str()).collect();
    let mut ids = catalogue::resolve(conn, pick.organization, &names, &groups).await?;
    ids.insert(pick.name.clone(), pick.benchmark);
    Ok(ids)
}

/// What only a results document tells: how many documents a task has, and so how many a picked
/// group or tag has in all.
async fn learn(
    conn: &mut Conn,
    pick: &Pick,
    results: &Results,
    ids: &HashMap<String, Uuid>,
) -> Result<(), IngestError> {
    let stored = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    for task in &results.tasks {
        if let (Some(id), Some(n)) = (ids.get(&task.name), task.original_n) {
            catalogue::set_num_samples(conn, *id, stored(n)).await?;
        }
    }
    let is_leaf = results.tasks.iter().any(|task| task.name == pick.name);
    let all: Option<u64> = results.tasks.iter().map(|task| task.original_n).sum();
    if let Some(n) = all.filter(|n| *n > 0 && !is_leaf) {
        catalogue::set_num_samples(conn, pick.benchmark, stored(n)).await?;
    }
    Ok(())
}

/// The samples files that belong to the results document, with their tasks.
fn samples_of<'a>(files: &'a [ArtifactRow], stamp: &str) -> Vec<(&'a str, &'a ArtifactRow)> {
    let of_file = |file: &'a ArtifactRow| match role_of(&file.name) {
        Role::Samples { stamp: own, task } if own == stamp => {
            // The task is a part of the name, which outlives the role.
            let start = file.name.len() - task.len() - ".jsonl".len();
            Some((&file.name[start..start + task.len()], file))
        }
        _ => None,
    };
    files.iter().filter_map(of_file).collect()
}

fn leaf_of(results: &Results, ids: &HashMap<String, Uuid>, task: &str) -> Option<Leaf> {
    let primary = results.primary_metric(task);
    Some(Leaf {
        benchmark: *ids.get(task)?,
        primary: primary.map(|m| m.name.clone()),
        higher_is_better: primary.and_then(|m| m.higher_is_better),
    })
}

async fn docs_of(store: &Store, files: &[ArtifactRow], task: &str) -> Result<Docs, IngestError> {
    let wanted = Role::Docs {
        task: task.to_owned(),
    };
    let Some(file) = files.iter().find(|f| role_of(&f.name) == wanted) else {
        return Ok(Docs::default());
    };
    let input = pump::reader(store.read(&file.file_path, None).await?);
    let read = move || Docs::read(std::io::BufReader::new(input));
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| IngestError::Reader)
}

/// A samples file with what is needed to read it.
struct Lines<'a> {
    file: &'a ArtifactRow,
    leaf: Leaf,
    filters: Vec<String>,
    docs: Docs,
    /// Whether the samples are asked for their media.
    names_media: bool,
}

/// Reads a samples file on a thread of its own while its rows are copied.
async fn read_samples(
    conn: &mut Conn,
    store: &Store,
    pick: &Pick,
    lines: Lines<'_>,
    judges: Arc<Judges>,
) -> Result<Tally, IngestError> {
    let Lines {
        file,
        leaf,
        filters,
        docs,
        names_media,
    } = lines;
    let input = pump::reader(store.read(&file.file_path, None).await?);
    let (sender, rows) = copy::channel();
    let benchmark = leaf.benchmark;
    let owner = sample_rows::Owner {
        organization: pick.organization,
        run: pick.run,
        pick: pick.id,
    };
    let reading = tokio::task::spawn_blocking(move || {
        samples::read(input, owner, &leaf, &filters, &docs, &judges, sender)
    });
    copy::rows(conn, &sample_rows::TARGET, rows).await?;
    let tally = reading.await.map_err(|_| IngestError::Reader)?;
    if names_media && tally.names_media {
        media::show_named(conn, store, pick, benchmark, file).await?;
    }
    let (documents, targets) = tally.constant();
    if documents || targets {
        sample_rows::forget_hashes(conn, pick.id, benchmark, documents, targets).await?;
    }
    for (filter, scores) in &tally.scores {
        if !scores.is_unit() {
            sample_rows::forget_errors(conn, pick.id, benchmark, filter).await?;
        }
    }
    Ok(tally)
}
