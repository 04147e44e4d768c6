//! The fake worker around the real [`step`]: what `attend`, `claim` and `finalise` do, against the
//! fake database and engine.

use super::executor::Executor;
use super::world::{Attempt, BENCHMARKS, LEASE, Ms, World};
use crate::worker::step::{Effect, Facts, Observed, Verdict, step};
use chrono::DateTime;
use std::time::Duration;
use types::{AttemptExit, AttemptState, Outcome};

const PATIENCE: Duration = Duration::from_secs(15);

pub(super) struct Worker {
    owner: u32,
    pub(super) asleep_until: Ms,
    /// What it has decided and not yet done.
    decided: Option<(usize, Effect)>,
    /// The attempt it watches: since when, its last heartbeat, and when that came.
    watch: Option<(usize, Ms, u64, Ms)>,
}

impl Worker {
    pub(super) fn new(owner: u32) -> Self {
        Self {
            owner,
            asleep_until: 0,
            decided: None,
            watch: None,
        }
    }

    /// As `watches`: age and silence by its own clock.
    fn look(&mut self, at: usize, heartbeat: u64, now: Ms) -> (Duration, Duration) {
        let watch = match self.watch {
            Some((same, first, known, heard)) if same == at => {
                (at, first, heartbeat, if known == heartbeat { heard } else { now })
            }
            _ => (at, now, heartbeat, now),
        };
        self.watch = Some(watch);
        (
            Duration::from_millis(now - watch.1),
            Duration::from_millis(now - watch.3),
        )
    }
}

impl World {
    /// A worker does what it has decided, or looks and decides; it may fall asleep in between.
    pub(super) fn worker_acts(&mut self, who: usize) -> Result<(), String> {
        if (self.workers[who].asleep_until > self.now && !self.peace) || !self.database_answers() {
            return Ok(());
        }
        if let Some((at, effect)) = self.workers[who].decided.take() {
            return self.perform(who, at, effect);
        }
        self.tick(who);
        let Some(at) = self.owned_by(who) else {
            return Ok(());
        };
        self.ingest(at);
        let facts = self.facts(who, at);
        let effect = step(facts);
        if self.chance.once_in(4) && !self.peace {
            self.note(|| format!("worker {who} decides {effect:?} on {at} and dozes off"));
            self.workers[who].decided = Some((at, effect));
            return Ok(());
        }
        self.perform(who, at, effect)
    }

    /// Renews, takes over and claims, each as one statement by the database's clock.
    fn tick(&mut self, who: usize) {
        let (owner, clock) = (self.workers[who].owner, self.clock());
        let is_live = !self.run.queued && !self.run.over;
        if is_live && (self.run.owner == Some(owner) || self.run.lease_until < clock) {
            self.run.owner = Some(owner);
            self.run.lease_until = clock + LEASE;
        }
        if self.run.queued && !self.run.over {
            self.run.queued = false;
            self.run.epoch += 1;
            self.run.owner = Some(owner);
            self.run.lease_until = clock + LEASE;
            self.run.cancel = false;
            self.run.gpu = Some(self.attempts.len());
            self.attempts.push(Attempt::default());
            self.note(|| format!("worker {who} claims"));
        }
    }

    fn owned_by(&self, who: usize) -> Option<usize> {
        let ours = self.run.owner == Some(self.workers[who].owner) && !self.run.over;
        ours.then(|| self.attempts.len().checked_sub(1)).flatten()
    }

    /// Whether a write that names owner and epoch changes a row.
    fn holds(&self, who: usize, at: usize) -> bool {
        self.owned_by(who) == Some(at) && !self.attempts[at].is_over()
    }

    fn ingest(&mut self, at: usize) {
        for benchmark in 0..BENCHMARKS {
            self.run.completed[benchmark] |= self.attempts[at].told[benchmark];
        }
    }

    fn facts(&mut self, who: usize, at: usize) -> Facts {
        let (now, attempt) = (self.now, &self.attempts[at]);
        let (age, silence) = self.workers[who].look(at, attempt.heartbeat, now);
        Facts {
            state: attempt.state(),
            cancel_requested: self.run.cancel,
            reported: attempt.reported.map(exit_of),
            observed: observe(attempt),
            silence,
            patience: PATIENCE,
            age,
        }
    }

    fn perform(&mut self, who: usize, at: usize, effect: Effect) -> Result<(), String> {
        self.note(|| format!("worker {who} performs {effect:?} on {at}"));
        match effect {
            Effect::Wait => Ok(()),
            Effect::Prepare => {
                self.prepare(who, at);
                Ok(())
            }
            Effect::Launch => {
                self.launch(at);
                Ok(())
            }
            Effect::Cancel => {
                self.attempts[at].cancel = true;
                Ok(())
            }
            Effect::End(verdict) => self.end(who, at, &verdict),
            Effect::SalvageAndEnd(verdict) => self.salvage_and_end(who, at, &verdict),
            Effect::ForbidAndEnd(_) if self.attempts[at].claimed || !self.holds(who, at) => Ok(()),
            Effect::ForbidAndEnd(verdict) => {
                self.attempts[at].claimed = true;
                self.salvage_and_end(who, at, &verdict)
            }
        }
    }

    fn prepare(&mut self, who: usize, at: usize) {
        self.attempts[at].prepared = true;
        if self.holds(who, at) && self.attempts[at].state() == AttemptState::Claimed {
            self.attempts[at].state = Some(AttemptState::Submitting);
            // It may die before it has launched anything.
            if !self.chance.once_in(10) {
                self.launch(at);
            }
        }
    }

    /// The engine asks nobody: what it starts finds the claim, or does not.
    fn launch(&mut self, at: usize) {
        let late = if self.chance.once_in(5) { 60_000 } else { 500 };
        let awake = self.now + self.chance.below(late);
        let attempt = &mut self.attempts[at];
        attempt.executors.push(Executor::launched(awake));
        if attempt.state() == AttemptState::Submitting {
            attempt.state = Some(AttemptState::Submitted);
        }
    }

    fn end(&mut self, who: usize, at: usize, verdict: &Verdict) -> Result<(), String> {
        if !self.holds(who, at) {
            return Ok(());
        }
        self.attempts[at].marked = 0;
        self.finalise(at, verdict)
    }

    fn salvage_and_end(&mut self, who: usize, at: usize, verdict: &Verdict) -> Result<(), String> {
        if !self.holds(who, at) {
            return Ok(());
        }
        let attempt = &mut self.attempts[at];
        attempt.marked = 0;
        attempt.stored = attempt.written;
        attempt.told = attempt.done;
        self.ingest(at);
        self.finalise(at, verdict)
    }
}

/// As `claim::observe`.
fn observe(attempt: &Attempt) -> Observed {
    match (attempt.exit, attempt.claimed) {
        (Some(outcome), _) => Observed::Exited(Box::new(exit_of(outcome))),
        (None, false) => Observed::Unclaimed,
        (None, true) if attempt.keeper_gone => Observed::Lost(String::new()),
        (None, true) => Observed::Alive,
    }
}

fn exit_of(outcome: Outcome) -> AttemptExit {
    AttemptExit {
        outcome,
        reason: None,
        processes: Vec::new(),
        killed_leftovers: 0,
        dropped_bytes: 0,
        started_at: DateTime::UNIX_EPOCH,
        ended_at: DateTime::UNIX_EPOCH,
    }
}
