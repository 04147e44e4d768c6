//! Looking after one run: ingest what is done, find out where it is, do the next thing.

use super::Worker;
use super::job::{Source, job};
use super::step::{Effect, Facts, Observed, Verdict, step};
use crate::db::attempts::WatchedRow;
use crate::db::queue::{self, RunEnding};
use crate::db::run_benchmarks::PickRow;
use crate::db::runs::RunRow;
use crate::db::{self, Conn, attempts, planning, run_benchmarks, runs};
use crate::ingest::IngestError;
use crate::plan::{self, Resolved};
use runner::{AttemptDir, CancelReason, EngineError, Observation};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Instant;
use thiserror::Error;
use types::{AttemptState, Outcome, RunConfig, RunId, RunStatus};
use uuid::Uuid;

/// Why a run could not be looked after now.
#[derive(Debug, Error)]
pub(super) enum AttendError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// Files could not be stored.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A run under way, as the database has it.
struct View {
    run: RunRow,
    attempt: Option<WatchedRow>,
    picks: Vec<PickRow>,
}

impl Worker {
    /// Looks after one run once.
    pub(super) async fn attend(&self, run: Uuid) -> Result<(), AttendError> {
        let Some(view) = self.view(run).await? else {
            return Ok(());
        };
        let Some(attempt) = &view.attempt else {
            return Ok(self.end_without_attempt(&view.run).await?);
        };
        if !self.ingest_told(attempt, &view.picks).await? {
            return Ok(());
        }
        let facts = self.facts(&view, attempt).await;
        match possible(step(facts), &dir_of(attempt)) {
            Effect::Wait => Ok(()),
            Effect::Prepare => self.prepare(&view, attempt).await,
            Effect::Launch => self.launch(attempt).await,
            Effect::Cancel => Ok(self.engine.cancel(&dir_of(attempt), CancelReason::User).await?),
            Effect::End(verdict) => self.end(attempt, &verdict).await,
            Effect::SalvageAndEnd(verdict) => self.salvage_and_end(&view, attempt, &verdict).await,
            Effect::ForbidAndEnd(verdict) => {
                // One that has just claimed it is alive after all.
                if self.is_ours(attempt).await? && self.engine.forbid(&dir_of(attempt)).await? {
                    self.salvage_and_end(&view, attempt, &verdict).await?;
                }
                Ok(())
            }
        }
    }

    async fn view(&self, run: Uuid) -> Result<Option<View>, db::Error> {
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                let Some(row) = runs::find(conn, RunId(run)).await? else {
                    return Ok(None);
                };
                Ok(Some(View {
                    run: row,
                    attempt: attempts::live_of(conn, run).await?,
                    picks: run_benchmarks::of_run(conn, run).await?,
                }))
            })
            .await
    }

    /// A running run has a live attempt, because both are written together.
    async fn end_without_attempt(&self, run: &RunRow) -> Result<(), db::Error> {
        let message = "its attempt is gone from the database".to_owned();
        let end = RunEnding::new(
            RunStatus::Failed,
            Some(Outcome::Lost),
            Some(message),
            run.progress_percent,
        );
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                queue::end(conn, run.id, self.owner, run.epoch, &end).await?;
                Ok(())
            })
            .await
    }

    async fn facts(&self, view: &View, attempt: &WatchedRow) -> Facts {
        let observed = match self.engine.observe(&dir_of(attempt)).await {
            Ok(Observation::Unclaimed) => Observed::Unclaimed,
            Ok(Observation::Alive(_)) => Observed::Alive,
            Ok(Observation::Exited(exit)) => Observed::Exited(exit),
            Ok(Observation::Lost(lost)) => Observed::Lost(lost.to_string()),
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&error), "an attempt cannot be observed");
                Observed::Unknown
            }
        };
        let (age, silence) = self.watches.look(attempt, Instant::now());
        Facts {
            state: attempt.state(),
            cancel_requested: view.run.cancel_requested_at.is_some(),
            reported: attempt.exit(),
            observed,
            silence,
            patience: self.state.config.worker.executor_silence,
            age,
        }
    }

    /// Makes the folder with job and token, and launches the executor.
    async fn prepare(&self, view: &View, attempt: &WatchedRow) -> Result<(), AttendError> {
        let settings: RunConfig = serde_json::from_value(view.run.config.clone()).unwrap_or_default();
        let resolved = self.resolved(&view.run, &settings).await?;
        let source = Source {
            config: &self.state.config,
            run: attempt.run_id,
            attempt: attempt.id,
            epoch: attempt.epoch,
            settings: &settings,
            resolved: &resolved,
            picks: &view.picks,
            gpus: &attempt.gpus,
        };
        let (job, plan) = match job(&source) {
            Ok(made) => made,
            Err(error) => {
                return self
                    .end(attempt, &Verdict::new(Outcome::BadArguments, error.to_string()))
                    .await;
            }
        };
        let token = hex::encode(rand::random::<[u8; 32]>());
        let token = match dir_of(attempt).prepare(&job, &token) {
            Ok(token) => token,
            Err(error) => {
                let reason = format!("the attempt cannot be prepared: {}", crate::error::chain(&error));
                return self
                    .end(attempt, &Verdict::new(Outcome::StartFailed, reason))
                    .await;
            }
        };
        let commands = json!(plan::views(&plan));
        let hash = Sha256::digest(token.as_bytes()).to_vec();
        let ours = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                if !queue::hold(conn, attempt.run_id, self.owner, attempt.epoch).await? {
                    return Ok(false);
                }
                queue::set_commands(conn, attempt.run_id, &commands).await?;
                Ok(attempts::set_token(conn, attempt.id, hash).await?)
            })
            .await?;
        if ours { self.launch(attempt).await } else { Ok(()) }
    }

    /// What the run was made of, with the demo's address of today.
    async fn resolved(&self, run: &RunRow, settings: &RunConfig) -> Result<Resolved, db::Error> {
        let mut resolved: Resolved = serde_json::from_value(run.plan["resolved"].clone()).unwrap_or_default();
        if !run.demo {
            return Ok(resolved);
        }
        let model = self
            .state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                Ok(planning::model(conn, run.model_id.into()).await?)
            })
            .await?;
        if let Some(model) = model {
            resolved.follow(
                &serde_json::from_value(model.model_args).unwrap_or_default(),
                settings,
            );
        }
        Ok(resolved)
    }

    async fn launch(&self, attempt: &WatchedRow) -> Result<(), AttendError> {
        if let Err(error) = self.engine.launch(&dir_of(attempt)).await {
            let reason = crate::error::chain(&error);
            return self
                .end(attempt, &Verdict::new(Outcome::StartFailed, reason))
                .await;
        }
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                attempts::advance(
                    conn,
                    attempt.id,
                    &[AttemptState::Submitting],
                    AttemptState::Submitted,
                )
                .await?;
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Whether the run is still this worker's, who may have been asleep since it looked: what kills
    /// must not be left to a guess.
    async fn is_ours(&self, attempt: &WatchedRow) -> Result<bool, db::Error> {
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                Ok(queue::hold(conn, attempt.run_id, self.owner, attempt.epoch).await?)
            })
            .await
    }

    /// Sweeps what may be left, then ends the attempt.
    async fn end(&self, attempt: &WatchedRow, verdict: &Verdict) -> Result<(), AttendError> {
        if !self.is_ours(attempt).await? {
            return Ok(());
        }
        let killed = self.engine.sweep(&attempt.id.to_string()).await?;
        if killed > 0 {
            tracing::info!(attempt = %attempt.id, killed, "leftovers of an attempt were killed");
        }
        Ok(self.finalise(attempt, verdict).await?)
    }

    /// First the sweep: what is still alive could write on.
    async fn salvage_and_end(
        &self,
        view: &View,
        attempt: &WatchedRow,
        verdict: &Verdict,
    ) -> Result<(), AttendError> {
        if !self.is_ours(attempt).await? {
            return Ok(());
        }
        self.engine.sweep(&attempt.id.to_string()).await?;
        self.salvage(attempt, &view.picks).await?;
        let picks = match self.view(attempt.run_id).await? {
            Some(view) => view.picks,
            None => return Ok(()),
        };
        if self.ingest_told(attempt, &picks).await? {
            self.end(attempt, verdict).await?;
        }
        Ok(())
    }
}

impl Worker {
    /// Kills what lives of attempts that are over: left by a machine that was too slow to die, or
    /// by a worker that was cut off between an end and its sweep.
    pub(super) async fn sweep_orphans(&self) -> Result<(), AttendError> {
        let tracked = self.engine.tracked().await?;
        let ids: Vec<Uuid> = tracked.iter().filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let over = self
            .state
            .db
            .service(async |conn: &mut Conn| {
                attempts::over_on(conn, &self.host, &ids)
                    .await
                    .map_err(db::Error::from)
            })
            .await?;
        for attempt in over {
            let killed = self.engine.sweep(&attempt.to_string()).await?;
            tracing::warn!(%attempt, killed, "processes of an attempt that is over were killed");
        }
        Ok(())
    }
}

/// A folder that a crash of the machine has emptied can neither be executed nor be made again: its
/// token has been given away.
fn possible(effect: Effect, dir: &AttemptDir) -> Effect {
    match effect {
        Effect::Launch if !dir.is_whole() => Effect::ForbidAndEnd(Verdict::new(
            Outcome::Lost,
            "its folder did not outlive a crash of the machine",
        )),
        effect => effect,
    }
}

fn dir_of(attempt: &WatchedRow) -> AttemptDir {
    AttemptDir::new(attempt.directory.clone().unwrap_or_default())
}
