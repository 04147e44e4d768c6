//! The fake executors: keeper, reporter and the marked processes below them.

use super::world::{Attempt, BENCHMARKS, Ms, World};
use types::{AttemptState, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Launched, and not come to its first line yet.
    Coming,
    /// It has claimed the attempt.
    Keeping,
    /// It has written its `exit.json`; only the reporter works.
    Telling,
    Gone,
}

pub(super) struct Executor {
    phase: Phase,
    awake: Ms,
    running: Option<usize>,
}

impl Executor {
    pub(super) fn launched(awake: Ms) -> Self {
        Self {
            phase: Phase::Coming,
            awake,
            running: None,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }
}

impl World {
    /// Every executor that is awake does one thing.
    pub(super) fn executors_act(&mut self) {
        for at in 0..self.attempts.len() {
            for n in 0..self.attempts[at].executors.len() {
                if self.attempts[at].executors[n].awake <= self.now {
                    self.executor_acts(at, n);
                }
            }
        }
    }

    fn executor_acts(&mut self, at: usize, n: usize) {
        let completed = self.run.completed;
        let dice = self.chance.below(8);
        let attempt = &mut self.attempts[at];
        match attempt.executors[n].phase {
            Phase::Coming => begin(attempt, n),
            Phase::Keeping => keep(attempt, n, completed, dice),
            Phase::Telling | Phase::Gone => {}
        }
        let phase = self.attempts[at].executors[n].phase;
        let told = matches!(phase, Phase::Keeping | Phase::Telling) && self.report(at);
        if told && phase == Phase::Telling {
            self.attempts[at].executors[n].phase = Phase::Gone;
        }
    }

    /// The reporter posts; true when there is nothing left to tell, or nobody wants to hear it.
    fn report(&mut self, at: usize) -> bool {
        if self.now < self.api_back || !self.database_answers() {
            return false;
        }
        let is_fenced = self.attempts[at].is_over() || at + 1 != self.run.epoch;
        let cancel = self.run.cancel;
        let attempt = &mut self.attempts[at];
        attempt.cancel |= is_fenced || cancel;
        if is_fenced {
            return attempt.exit.is_some();
        }
        attempt.heartbeat += 1;
        attempt.state = Some(attempt.state().max(AttemptState::Running));
        attempt.stored = attempt.written;
        attempt.told = attempt.done;
        attempt.reported = attempt.exit;
        attempt.reported.is_some()
    }

    /// As `kill -9`: the kernel takes the child along, but not what has left its session.
    pub(super) fn kill_a_keeper(&mut self) {
        let leftovers = u32::try_from(self.chance.below(3)).unwrap_or(0);
        for attempt in &mut self.attempts {
            let alive = |e: &&mut Executor| matches!(e.phase, Phase::Keeping | Phase::Telling);
            for executor in attempt.executors.iter_mut().filter(alive) {
                executor.phase = Phase::Gone;
                attempt.keeper_gone = true;
                attempt.marked = attempt.marked.min(leftovers);
            }
        }
    }

    pub(super) fn kill_a_child(&mut self) {
        for attempt in &mut self.attempts {
            for executor in attempt.executors.iter_mut().filter(|e| e.phase == Phase::Keeping) {
                if let Some(benchmark) = executor.running.take() {
                    // Judged as failed: it is over, and has no results.
                    attempt.starts[benchmark] = attempt.starts[benchmark].max(1);
                    attempt.marked = 0;
                }
            }
        }
    }

    pub(super) fn delay_executors(&mut self, until: Ms) {
        for attempt in &mut self.attempts {
            attempt
                .executors
                .iter_mut()
                .for_each(|e| e.awake = e.awake.max(until));
        }
    }
}

fn begin(attempt: &mut Attempt, n: usize) {
    let mine = attempt.prepared && !attempt.claimed;
    attempt.claimed = true;
    attempt.executors[n].phase = if mine { Phase::Keeping } else { Phase::Gone };
}

/// Starts what is next, lets it write, judges what has ended, and ends.
fn keep(attempt: &mut Attempt, n: usize, completed: [bool; BENCHMARKS], dice: u64) {
    if attempt.cancel {
        return exit(attempt, n, Outcome::Cancelled);
    }
    match attempt.executors[n].running {
        Some(benchmark) if dice < 3 => {
            attempt.done[benchmark] = true;
            attempt.marked = 0;
            attempt.executors[n].running = None;
        }
        Some(_) => attempt.written += 100,
        None => {
            let is_left = |b: &usize| attempt.starts[*b] == 0 && !completed[*b];
            match (0..BENCHMARKS).find(is_left) {
                Some(benchmark) => {
                    attempt.starts[benchmark] += 1;
                    attempt.marked = 1 + u32::from(dice == 7) * 2;
                    attempt.executors[n].running = Some(benchmark);
                }
                None => exit(attempt, n, Outcome::Completed),
            }
        }
    }
}

fn exit(attempt: &mut Attempt, n: usize, outcome: Outcome) {
    attempt.marked = 0;
    attempt.exit = Some(outcome);
    attempt.executors[n].phase = Phase::Telling;
    attempt.executors[n].running = None;
}
