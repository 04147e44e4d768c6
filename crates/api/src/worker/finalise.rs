//! Ending an attempt, and with it the run or its next try.

use super::Worker;
use super::ending::{self, Over, RunVerdict, run_verdict};
use super::ingest::{progress_event, status_event};
use super::salvage::owner_of;
use super::step::Verdict;
use crate::db::attempts::WatchedRow;
use crate::db::events::{NewEvent, append, prune_progress};
use crate::db::queue::{self, RunEnding};
use crate::db::run_benchmarks::PickRow;
use crate::db::{self, Conn, attempts, machines, progress, run_benchmarks, runs};
use crate::ingest::files::register_logs;
use chrono::Utc;
use types::{
    AttemptState, BenchmarkStatus, ErrorEvent, LiveEvent, Outcome, RunConfig, RunId, RunStatus, StatusEvent,
};

impl Worker {
    /// Ends an attempt in one transaction. Its processes have been swept before, so its GPUs are free.
    pub(super) async fn finalise(&self, attempt: &WatchedRow, verdict: &Verdict) -> Result<(), db::Error> {
        self.state
            .db
            .service(async |conn: &mut Conn| self.finalise_in(conn, attempt, verdict).await)
            .await
    }

    async fn finalise_in(
        &self,
        conn: &mut Conn,
        attempt: &WatchedRow,
        verdict: &Verdict,
    ) -> Result<(), db::Error> {
        if !queue::hold(conn, attempt.run_id, self.owner, attempt.epoch).await? {
            return Ok(());
        }
        let picks = run_benchmarks::of_run(conn, attempt.run_id).await?;
        let (over, mut events) = end_picks(conn, &picks, verdict).await?;
        let all_completed = over.iter().all(|p| p.status == BenchmarkStatus::Completed);
        let state = verdict.state(all_completed);
        let said = run_verdict(verdict, &over);
        let exit = verdict.exit.as_deref();
        let reason = attempt_reason(verdict, &said);
        attempts::end(conn, attempt.id, state, said.outcome, reason, exit).await?;
        machines::release(conn, attempt.id).await?;
        register_logs(conn, &owner_of(attempt)).await?;
        events.push(progress_event(conn, attempt.run_id, true).await?);
        events.push(attempt_event(attempt.epoch, state, said.outcome, reason));
        self.end_run(conn, attempt, state, &said, events).await
    }

    async fn end_run(
        &self,
        conn: &mut Conn,
        attempt: &WatchedRow,
        state: AttemptState,
        said: &RunVerdict,
        mut events: Vec<NewEvent>,
    ) -> Result<(), db::Error> {
        let run = attempt.run_id;
        let row = runs::find(conn, RunId(run)).await?;
        let percent = row.as_ref().map_or(0.0, |r| r.progress_percent);
        let config = row
            .as_ref()
            .map(|r| serde_json::from_value::<RunConfig>(r.config.clone()).unwrap_or_default());
        let tries = config.and_then(|c| c.retry).map_or(0, |r| i64::from(r.attempt));
        let lost = attempts::count_lost(conn, run).await?;
        if state == AttemptState::Lost && lost <= tries {
            run_benchmarks::reset_unfinished(conn, run).await?;
            let percent = row
                .as_ref()
                .map_or(0.0, |r| progress::committed(r.completed_tasks, r.total_tasks));
            let back = RunEnding::new(RunStatus::Queued, None, None, percent);
            queue::end(conn, run, self.owner, attempt.epoch, &back).await?;
            let wait = self.state.config.worker.retry_wait * u32::try_from(lost).unwrap_or(1);
            queue::postpone(conn, run, wait).await?;
            events.push(run_event(
                RunStatus::Queued,
                None,
                format!("try {lost} of {tries} follows the loss"),
            ));
        } else {
            let end = RunEnding::new(
                said.status,
                Some(said.outcome),
                said.error_message.clone(),
                percent,
            );
            queue::end(conn, run, self.owner, attempt.epoch, &end).await?;
            events.extend(error_event(said));
            let reason = said
                .error_message
                .clone()
                .unwrap_or_else(|| "every benchmark completed".to_owned());
            events.push(run_event(said.status, Some(said.outcome), reason));
        }
        append(conn, run, events).await?;
        prune_progress(conn, run).await?;
        runs::notify_work(conn).await?;
        Ok(())
    }
}

/// Ends every benchmark that is not over; returns how all of them ended.
async fn end_picks(
    conn: &mut Conn,
    picks: &[PickRow],
    verdict: &Verdict,
) -> Result<(Vec<Over>, Vec<NewEvent>), db::Error> {
    let now = Utc::now();
    let (mut over, mut events) = (Vec::new(), Vec::new());
    for pick in picks {
        if pick.status().is_terminal() {
            over.push(Over {
                name: pick.name.clone(),
                status: pick.status(),
                outcome: pick.outcome.as_deref().and_then(|o| o.parse().ok()),
                error_message: pick.error_message.clone(),
            });
            continue;
        }
        let end = ending::unfinished(pick, verdict, now);
        run_benchmarks::end(conn, pick.id, &end).await?;
        events.push(status_event(pick, &end));
        over.push(Over {
            name: pick.name.clone(),
            status: end.status.parse().unwrap_or(BenchmarkStatus::Failed),
            outcome: end.outcome.and_then(|o| o.parse().ok()),
            error_message: end.error_message,
        });
    }
    Ok((over, events))
}

/// An executor that did all its work gives no reason; its benchmarks may.
fn attempt_reason<'a>(verdict: &'a Verdict, said: &'a RunVerdict) -> Option<&'a str> {
    verdict.reason.as_deref().or(said.error_message.as_deref())
}

fn attempt_event(epoch: i32, state: AttemptState, outcome: Outcome, reason: Option<&str>) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        attempt: Some(epoch),
        attempt_state: Some(state),
        outcome: Some(outcome),
        reason: reason.map(str::to_owned),
        ..StatusEvent::default()
    })
    .into()
}

fn run_event(status: RunStatus, outcome: Option<Outcome>, reason: String) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        status: Some(status),
        outcome,
        reason: Some(reason),
        ..StatusEvent::default()
    })
    .into()
}

fn error_event(said: &RunVerdict) -> Option<NewEvent> {
    let message = said
        .error_message
        .clone()
        .filter(|_| said.status == RunStatus::Failed)?;
    let event = ErrorEvent {
        at: Some(Utc::now()),
        message,
        outcome: Some(said.outcome),
        benchmark: None,
    };
    Some(LiveEvent::Error(event).into())
}
