//! Committing benchmarks as soon as the executor has told of their end.

use super::{Worker, ending};
use crate::db::attempts::WatchedRow;
use crate::db::events::{NewEvent, append};
use crate::db::queue::{self, LiveChanges};
use crate::db::run_benchmarks::{self, Ending, Live, PickRow};
use crate::db::{self, Conn, progress, runs};
use crate::ingest::{IngestError, Ingested, Pick, ingest, media};
use chrono::Utc;
use std::sync::Arc;
use types::{
    BenchmarkDone, BenchmarkStatus, ErrorEvent, LiveEvent, Outcome, ProgressEvent, RunId, StatusEvent,
};
use uuid::Uuid;

/// How often a benchmark whose files cannot be stored is tried before it is given up.
const TRIES: u32 = 5;

impl Worker {
    /// Commits every benchmark of an attempt that was told of; false when one has to be tried again.
    pub(super) async fn ingest_told(
        &self,
        attempt: &WatchedRow,
        picks: &[PickRow],
    ) -> Result<bool, db::Error> {
        let mut all = true;
        for pick in picks.iter().filter(|p| p.ingested_at.is_none()) {
            let told = pick.done.clone().filter(|_| pick.attempt_id == Some(attempt.id));
            let Some(done) = told.and_then(|d| serde_json::from_value::<BenchmarkDone>(d).ok()) else {
                continue;
            };
            all &= self.ingest_one(attempt, pick, &done).await?;
        }
        Ok(all && self.join_told(attempt, picks).await?)
    }

    /// Joins the documents of committed benchmarks with the media that were told of; false when one
    /// has to be tried again.
    async fn join_told(&self, attempt: &WatchedRow, picks: &[PickRow]) -> Result<bool, db::Error> {
        let mut all = true;
        let told = |p: &&PickRow| p.media_told_at.is_some() && p.media_joined_at.is_none();
        for pick in picks
            .iter()
            .filter(told)
            .filter(|p| p.attempt_id == Some(attempt.id))
        {
            let joined = self
                .state
                .db
                .service(async |conn: &mut Conn| self.join(conn, attempt, pick).await)
                .await;
            let Err(error) = joined else {
                self.failures().remove(&pick.id);
                continue;
            };
            let text = crate::error::chain(&error);
            tracing::warn!(benchmark = pick.name, error = text, "media could not be joined");
            let later = matches!(&error, IngestError::Db(e) if e.is_unavailable());
            all &= !later && self.is_hopeless(pick.id);
        }
        Ok(all)
    }

    async fn join(&self, conn: &mut Conn, attempt: &WatchedRow, pick: &PickRow) -> Result<(), IngestError> {
        if !queue::hold(conn, attempt.run_id, self.owner, attempt.epoch).await? {
            return Ok(());
        }
        media::join(
            conn,
            &self.state.store,
            &files_of(attempt, pick),
            &pick.leaf_tasks,
        )
        .await?;
        Ok(run_benchmarks::media_joined(conn, pick.id).await?)
    }

    /// Commits one benchmark in one transaction.
    async fn ingest_one(
        &self,
        attempt: &WatchedRow,
        pick: &PickRow,
        done: &BenchmarkDone,
    ) -> Result<bool, db::Error> {
        let committed = self
            .state
            .db
            .service(async |conn: &mut Conn| self.commit(conn, attempt, pick, done).await)
            .await;
        match committed {
            Ok(()) => {
                self.failures().remove(&pick.id);
                Ok(true)
            }
            Err(error) => self.try_again(attempt, pick, done, &error).await,
        }
    }

    async fn try_again(
        &self,
        attempt: &WatchedRow,
        pick: &PickRow,
        done: &BenchmarkDone,
        error: &IngestError,
    ) -> Result<bool, db::Error> {
        let text = crate::error::chain(error);
        tracing::warn!(
            benchmark = pick.name,
            error = text,
            "a benchmark could not be stored"
        );
        if matches!(error, IngestError::Db(e) if e.is_unavailable()) || !self.is_hopeless(pick.id) {
            return Ok(false);
        }
        let end = ending::unreadable(done, &format!("its files cannot be stored: {text}"));
        self.state
            .db
            .service(async |conn: &mut Conn| self.conclude(conn, attempt, pick, &end, Vec::new()).await)
            .await?;
        Ok(true)
    }

    fn is_hopeless(&self, pick: Uuid) -> bool {
        let mut failures = self.failures();
        let tries = failures.entry(pick).or_insert(0);
        *tries += 1;
        *tries >= TRIES
    }

    async fn commit(
        &self,
        conn: &mut Conn,
        attempt: &WatchedRow,
        pick: &PickRow,
        done: &BenchmarkDone,
    ) -> Result<(), IngestError> {
        if done.outcome != Outcome::Completed {
            let end = ending::failed(done);
            return Ok(self.conclude(conn, attempt, pick, &end, Vec::new()).await?);
        }
        let files = files_of(attempt, pick);
        let (end, events) = match ingest(conn, &self.state.store, &files).await? {
            Ok(ingested) => {
                let end = ending::completed(done, ingested.degraded.clone(), ingested.sample_count);
                (end, told(pick, ingested))
            }
            Err(reason) => (ending::unreadable(done, &reason), Vec::new()),
        };
        Ok(self.conclude(conn, attempt, pick, &end, events).await?)
    }

    /// Ends a benchmark and tells of it, as long as the run is still this worker's.
    async fn conclude(
        &self,
        conn: &mut Conn,
        attempt: &WatchedRow,
        pick: &PickRow,
        end: &Ending,
        mut events: Vec<NewEvent>,
    ) -> Result<(), db::Error> {
        if !queue::hold(conn, attempt.run_id, self.owner, attempt.epoch).await? {
            return Err(diesel::result::Error::RollbackTransaction.into());
        }
        if !run_benchmarks::end(conn, pick.id, end).await? {
            return Ok(());
        }
        events.push(status_event(pick, end));
        events.push(progress_event(conn, attempt.run_id, false).await?);
        append(conn, attempt.run_id, events).await?;
        Ok(())
    }
}

fn files_of(attempt: &WatchedRow, pick: &PickRow) -> Pick {
    Pick {
        organization: attempt.organization_id,
        run: attempt.run_id,
        attempt: attempt.id,
        id: pick.id,
        benchmark: pick.benchmark_id,
        name: pick.name.clone(),
        scope: None,
        sources: Arc::default(),
    }
}

/// Committed scores, and what could not be read.
fn told(pick: &PickRow, ingested: Ingested) -> Vec<NewEvent> {
    let problem = |message: String| ErrorEvent {
        at: Some(Utc::now()),
        message,
        outcome: None,
        benchmark: Some(pick.name.clone()),
    };
    let updates = ingested
        .updates
        .into_iter()
        .map(|u| LiveEvent::MetricUpdate(u).into());
    let problems = ingested
        .problems
        .into_iter()
        .map(|p| LiveEvent::Error(problem(p)).into());
    updates.chain(problems).collect()
}

/// A benchmark that is over.
pub(super) fn status_event(pick: &PickRow, end: &Ending) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: end.completed_at,
        run_benchmark_id: Some(pick.id.into()),
        benchmark: Some(pick.name.clone()),
        benchmark_status: end.status.parse().ok(),
        outcome: end.outcome.and_then(|o| o.parse().ok()),
        reason: end.error_message.clone().or_else(|| end.degraded.clone()),
        ..StatusEvent::default()
    })
    .into()
}

/// Counts what is committed, and says how far the run is now; a run that has `ended` with all of
/// it is at 100.
pub(super) async fn progress_event(conn: &mut Conn, run: Uuid, ended: bool) -> Result<NewEvent, db::Error> {
    let (completed, total) = queue::recount(conn, run).await?;
    let picks = run_benchmarks::of_run(conn, run).await?;
    let row = runs::find(conn, RunId(run)).await?;
    let before = row.as_ref().map_or(0.0, |r| r.progress_percent);
    let percent = if ended && completed == total {
        progress::committed(completed, total)
    } else {
        progress::under_way(&picks, total, None, before)
    };
    let waiting: Vec<String> = picks
        .iter()
        .filter(|p| matches!(p.status(), BenchmarkStatus::Pending | BenchmarkStatus::Running))
        .map(|p| p.name.clone())
        .collect();
    let rest = row
        .as_ref()
        .and_then(|r| queue::expected_seconds(&r.plan, &waiting));
    let eta = rest.filter(|_| !waiting.is_empty()).map(|s| s.ceil() as u64);
    let live = row.map(|r| Live::of(&r.live)).unwrap_or_default();
    let live = Some(live).filter(|l| is_running(&picks, l)).unwrap_or_default();
    let changes = LiveChanges {
        current_run_benchmark_id: live.run_benchmark_id,
        live: serde_json::json!(live),
        progress_percent: percent,
        items_per_second: None,
        eta_seconds: eta.and_then(|s| i64::try_from(s).ok()),
    };
    queue::set_live(conn, run, &changes).await?;
    Ok(LiveEvent::Progress(ProgressEvent {
        completed_tasks: u32::try_from(completed).unwrap_or(0),
        total_tasks: u32::try_from(total).unwrap_or(0),
        progress_percent: percent,
        eta_seconds: eta,
        at: Some(Utc::now()),
        ..ProgressEvent::default()
    })
    .into())
}

/// Whether what is known of a benchmark under way is of one that still is: the next one may have
/// begun before the last one is committed.
fn is_running(picks: &[PickRow], live: &Live) -> bool {
    let mut running = picks
        .iter()
        .filter(|p| p.status() == BenchmarkStatus::Running && p.done.is_none());
    running.any(|p| Some(p.id) == live.run_benchmark_id)
}
