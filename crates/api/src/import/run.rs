//! One planned run into the database, through the same ingest as our own runs.

use super::media::{self, Roots, Taken};
use super::plan::{PlannedPick, PlannedRun, stamp_of};
use super::registry;
use super::stage::Staged;
use crate::db::artifacts::ArtifactRow;
use crate::db::imports::{self, ImportedRun};
use crate::db::run_benchmarks::{self, Ending, NewPick, PickRow};
use crate::db::runs::{self, NewRun};
use crate::db::{Conn, artifacts, attempts, catalogue};
use crate::ingest::files::{Owner, Place, register};
use crate::ingest::media::Sources;
use crate::ingest::{IngestError, Ingested, Pick, ingest};
use crate::media::keep;
use crate::store::{Store, Stored};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use lmms::results::Results;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use types::{AttemptState, ImportMapping as Mapping, Outcome, RunConfig};
use uuid::Uuid;

/// What lmms-eval's own clock is ahead of UTC by default, as its documents name no zone.
const ZONE: Duration = Duration::hours(8);
/// How a run is called that has no attempt of ours.
const ENGINE: &str = "import";

/// Where runs go.
pub(super) struct Target<'a> {
    /// The object store.
    pub(super) store: &'a Store,
    /// The organization.
    pub(super) organization: Uuid,
    /// The import.
    pub(super) import: Uuid,
    /// Who does it.
    pub(super) created_by: Option<Uuid>,
    /// With which token.
    pub(super) created_by_token: Option<Uuid>,
    /// The user's mapping.
    pub(super) mapping: &'a Mapping,
    /// When runs ended whose documents do not say.
    pub(super) as_of: Option<DateTime<Utc>>,
    /// Where names of media may lead.
    pub(super) roots: &'a Roots,
    /// The media that were found there.
    pub(super) taken: &'a Taken,
}

/// What became of a planned run.
#[derive(Debug)]
pub(super) struct StoredRun {
    /// Its id; none when it is only foreseen.
    pub(super) id: Option<Uuid>,
    /// Whether there was nothing new about it.
    pub(super) known: bool,
    /// Samples stored.
    pub(super) samples: i64,
    /// What could not be read, each in one sentence.
    pub(super) problems: Vec<String>,
}

/// A run and its attempt.
#[derive(Clone, Copy)]
struct Ids {
    run: Uuid,
    attempt: Uuid,
}

impl Target<'_> {
    /// Stores a run in the caller's transaction. The same document again is the same run; samples
    /// that it lacked are added.
    pub(super) async fn store(
        &self,
        conn: &mut Conn,
        files: &[Staged],
        plan: &PlannedRun,
    ) -> Result<StoredRun, IngestError> {
        imports::hold(conn, self.organization).await?;
        let hash = files[plan.file].sha256.unwrap_or_default();
        let wanted = wanted(files, plan);
        let media = media::stored(plan.naming_media(files), self.roots, self.taken);
        let hashes = media.keys().cloned().collect();
        let new = crate::db::media::missing(conn, self.organization, hashes).await?;
        for hash in &new {
            keep(conn, self.store, self.organization, media[hash]).await?;
        }
        let known = imports::run_of(conn, self.organization, &hash).await?;
        let ids = match known {
            Some((run, attempt)) => {
                let ids = Ids { run, attempt };
                let there = artifacts::of_run(conn, run.into()).await?;
                if new.is_empty() && wanted.iter().all(|file| is_there(file, &there)) {
                    return Ok(StoredRun {
                        id: Some(run),
                        known: true,
                        samples: 0,
                        problems: Vec::new(),
                    });
                }
                ids
            }
            None => self.create(conn, files, plan, hash.to_vec()).await?,
        };
        let owner = Owner {
            organization: self.organization,
            run: ids.run,
            attempt: ids.attempt,
        };
        for (place, stored) in &wanted {
            register(conn, &owner, place, stored).await?;
        }
        let sources = media::sources(plan.naming_media(files), self.roots, self.taken);
        self.ingest(conn, plan, ids, Arc::new(sources)).await
    }

    async fn ingest(
        &self,
        conn: &mut Conn,
        plan: &PlannedRun,
        ids: Ids,
        sources: Arc<Sources>,
    ) -> Result<StoredRun, IngestError> {
        let mut stored = StoredRun {
            id: Some(ids.run),
            known: false,
            samples: 0,
            problems: Vec::new(),
        };
        let mut degraded = false;
        for (row, planned) in run_benchmarks::of_run(conn, ids.run)
            .await?
            .iter()
            .zip(&plan.picks)
        {
            let pick = Pick {
                organization: self.organization,
                run: ids.run,
                attempt: ids.attempt,
                id: row.id,
                benchmark: row.benchmark_id,
                name: row.name.clone(),
                scope: Some(planned.scope.clone()),
                sources: Arc::clone(&sources),
            };
            match ingest(conn, self.store, &pick).await? {
                Ok(ingested) => {
                    degraded |= ingested.degraded.is_some();
                    finish_pick(conn, row, &ingested).await?;
                    stored.samples += ingested.sample_count;
                    stored.problems.extend(ingested.problems);
                }
                Err(why) => stored.problems.push(why),
            }
        }
        imports::set_degraded(conn, ids.run, degraded).await?;
        Ok(stored)
    }

    async fn create(
        &self,
        conn: &mut Conn,
        files: &[Staged],
        plan: &PlannedRun,
        hash: Vec<u8>,
    ) -> Result<Ids, IngestError> {
        let file = &files[plan.file];
        let Some(results) = &file.survey.results else {
            return Err(IngestError::Reader);
        };
        let (model, variant) = registry::model(conn, self, plan, results).await?;
        let ids = Ids {
            run: Uuid::now_v7(),
            attempt: Uuid::now_v7(),
        };
        let leaves = i32::try_from(results.tasks.len()).unwrap_or(i32::MAX);
        let run = NewRun {
            id: ids.run,
            organization_id: self.organization,
            name: name_of(&model.name, &plan.picks),
            model_id: model.id.0,
            checkpoint_variant: variant,
            total_tasks: leaves,
            config: json!(config_of(results)),
            plan: json!({}),
            demo: false,
            created_by: self.created_by,
            created_by_token: self.created_by_token,
            eta_seconds: None,
        };
        runs::insert(conn, run).await?;
        let (started_at, completed_at) = self.times(results);
        let imported = ImportedRun {
            status: "completed",
            outcome: Outcome::Completed.as_str(),
            started_at,
            completed_at: Some(completed_at),
            completed_tasks: leaves,
            progress_percent: 100.0,
            epoch: 1,
            metadata: crate::db::events::without_nul(metadata_of(file, results)),
            import_id: self.import,
            import_hash: hash,
        };
        imports::finish(conn, ids.run, &imported).await?;
        self.create_attempt(conn, ids).await?;
        self.create_picks(conn, ids, plan).await?;
        Ok(ids)
    }

    async fn create_attempt(&self, conn: &mut Conn, ids: Ids) -> Result<(), IngestError> {
        let attempt = attempts::NewAttempt {
            id: ids.attempt,
            organization_id: self.organization,
            run_id: ids.run,
            epoch: 1,
            engine: ENGINE,
            engine_name: ENGINE.to_owned(),
            host: None,
            directory: None,
            gpus: Vec::new(),
            // Of no token: nobody may speak for it.
            token_hash: Vec::new(),
        };
        attempts::insert(conn, attempt).await?;
        attempts::end(
            conn,
            ids.attempt,
            AttemptState::Succeeded,
            Outcome::Completed,
            None,
            None,
        )
        .await?;
        Ok(())
    }

    async fn create_picks(&self, conn: &mut Conn, ids: Ids, plan: &PlannedRun) -> Result<(), IngestError> {
        let names: Vec<String> = plan.picks.iter().map(|pick| self.local(&pick.name)).collect();
        let groups: Vec<&str> = plan
            .picks
            .iter()
            .filter(|pick| !pick.leaves.contains(&pick.name))
            .map(|pick| pick.name.as_str())
            .collect();
        let known = catalogue::resolve(conn, self.organization, &names, &groups).await?;
        let picks = (0..).zip(&plan.picks).filter_map(|(order, pick)| {
            Some(NewPick {
                id: Uuid::now_v7(),
                organization_id: self.organization,
                run_id: ids.run,
                benchmark_id: *known.get(&self.local(&pick.name))?,
                name: pick.name.clone(),
                order,
                leaf_tasks: pick.leaves.clone(),
            })
        });
        run_benchmarks::insert(conn, picks.collect()).await?;
        Ok(())
    }

    /// What a task is called here.
    fn local(&self, name: &str) -> String {
        self.mapping.task(name).to_owned()
    }

    /// When a run began and ended, as well as its document tells.
    fn times(&self, results: &Results) -> (Option<DateTime<Utc>>, DateTime<Utc>) {
        let date = results.date.as_deref();
        let started = date
            .and_then(|date| NaiveDateTime::parse_from_str(date, "%Y%m%d_%H%M%S").ok())
            .map(|date| date.and_utc() - ZONE);
        let spent = results
            .total_seconds
            .filter(|seconds| (0.0..1e9).contains(seconds));
        let spent = Duration::seconds(spent.unwrap_or(0.0) as i64);
        let ended = started.map(|started| started + spent);
        (started, ended.or(self.as_of).unwrap_or_else(Utc::now))
    }
}

/// The files of a run under the names by which ingest knows them.
pub(super) fn wanted<'a>(files: &'a [Staged], plan: &'a PlannedRun) -> Vec<(Place, &'a Stored)> {
    let file = &files[plan.file];
    let stamp = stamp_of(file);
    let mut wanted = Vec::new();
    for (order, pick) in (0..).zip(&plan.picks) {
        let mut add = |path: String, stored: &'a Stored| wanted.push((Place { order, path }, stored));
        if let Some(document) = &file.document {
            add(format!("{stamp}_results.json"), document);
        }
        for leaf in &pick.leaves {
            if let Some((at, list)) = plan.samples.get(leaf)
                && let Some(stored) = files[*at].samples.get(*list)
            {
                add(format!("{stamp}_samples_{leaf}.jsonl"), stored);
            }
            if let Some(stored) = plan.docs.get(leaf).and_then(|at| files[*at].docs.as_ref()) {
                add(format!("docs_{leaf}.jsonl"), stored);
            }
            if let Some(stored) = plan
                .media
                .get(leaf)
                .and_then(|at| files[*at].media_index.as_ref())
            {
                add(format!("media_{}.jsonl", leaf.replace('/', "_")), stored);
            }
        }
    }
    wanted
}

/// Whether a run has this file already.
pub(super) fn is_there((place, stored): &(Place, &Stored), there: &[ArtifactRow]) -> bool {
    let name = place.name();
    there
        .iter()
        .any(|artifact| artifact.name == name && artifact.sha256.as_ref() == Some(&stored.sha256))
}

async fn finish_pick(conn: &mut Conn, row: &PickRow, ingested: &Ingested) -> Result<(), IngestError> {
    let ending = Ending {
        status: "completed",
        outcome: Some(Outcome::Completed.as_str()),
        error_message: None,
        evidence: json!([]),
        degraded: ingested.degraded.clone(),
        completed_at: Some(Utc::now()),
        sample_count: ingested.sample_count,
    };
    if !run_benchmarks::end(conn, row.id, &ending).await? {
        run_benchmarks::recount(conn, row.id, ingested.sample_count, ingested.degraded.as_deref()).await?;
    }
    Ok(())
}

fn name_of(model: &str, picks: &[PlannedPick]) -> String {
    let names: Vec<&str> = picks.iter().take(3).map(|pick| pick.name.as_str()).collect();
    let more = picks.len().saturating_sub(names.len());
    let tail = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let name = format!("{model} on {}{tail}", names.join(", "));
    name.replace('\0', "\u{FFFD}").chars().take(200).collect()
}

/// What of the settings this product knows, too.
fn config_of(results: &Results) -> RunConfig {
    let shots: Vec<u32> = results.tasks.iter().filter_map(|task| task.num_fewshot).collect();
    let same = shots.windows(2).all(|pair| pair[0] == pair[1]);
    RunConfig {
        limit: results.limit.filter(|limit| *limit > 0.0),
        offset: results.offset.filter(|offset| *offset > 0),
        shots: shots.first().copied().filter(|shots| same && *shots > 0),
        ..RunConfig::default()
    }
}

fn metadata_of(file: &Staged, results: &Results) -> Value {
    let versions: BTreeMap<&str, &str> = results
        .tasks
        .iter()
        .filter_map(|task| Some((task.name.as_str(), task.version.as_deref()?)))
        .collect();
    json!({ "imported": {
        "file": file.path,
        "layout": results.variant,
        "lmms_eval_version": results.lmms_eval_version,
        "date": results.date,
        "time_zone": "unknown",
        "backend": results.model_backend,
        "model": results.model_label,
        "model_args": results.model_args,
        "limit": results.limit,
        "offset": results.offset,
        "batch_size": results.batch_size,
        "gen_kwargs": results.gen_kwargs,
        "seeds": results.seeds,
        "total_seconds": results.total_seconds,
        "task_versions": versions,
    }})
}
