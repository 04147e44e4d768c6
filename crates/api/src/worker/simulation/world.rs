//! The fake database, the fake machine, and what must hold in them.

use super::chance::Chance;
use super::executor::Executor;
use super::worker::Worker;
use crate::worker::step::Verdict;
use types::{AttemptState, Outcome};

pub(super) type Ms = u64;
pub(super) const LEASE: Ms = 30_000;
pub(super) const BENCHMARKS: usize = 2;
/// How far the database's clock jumps, there and back.
const AHEAD: Ms = 3_600_000;
/// How long everything may take to end once nothing fails any more.
const PEACE: Ms = 600_000;

/// The only run.
pub(super) struct Run {
    pub(super) queued: bool,
    pub(super) over: bool,
    pub(super) epoch: usize,
    pub(super) owner: Option<u32>,
    pub(super) lease_until: Ms,
    pub(super) cancel: bool,
    pub(super) tries: u32,
    pub(super) completed: [bool; BENCHMARKS],
    pub(super) gpu: Option<usize>,
}

/// One attempt: its row, its folder and its processes.
#[derive(Default)]
pub(super) struct Attempt {
    // The row.
    pub(super) state: Option<AttemptState>,
    pub(super) heartbeat: u64,
    pub(super) told: [bool; BENCHMARKS],
    pub(super) stored: u32,
    pub(super) reported: Option<Outcome>,
    // The folder.
    pub(super) prepared: bool,
    pub(super) claimed: bool,
    pub(super) cancel: bool,
    pub(super) done: [bool; BENCHMARKS],
    pub(super) written: u32,
    pub(super) exit: Option<Outcome>,
    // The processes.
    pub(super) keeper_gone: bool,
    pub(super) executors: Vec<Executor>,
    pub(super) starts: [u32; BENCHMARKS],
    /// Processes that carry its mark.
    pub(super) marked: u32,
}

impl Attempt {
    pub(super) fn state(&self) -> AttemptState {
        self.state.unwrap_or(AttemptState::Claimed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().is_terminal()
    }
}

pub(super) struct World {
    /// Of the machines, which nobody sets.
    pub(super) now: Ms,
    /// What the database's clock is ahead.
    pub(super) skew: Ms,
    pub(super) chance: Chance,
    pub(super) run: Run,
    pub(super) attempts: Vec<Attempt>,
    pub(super) workers: Vec<Worker>,
    pub(super) owners: u32,
    pub(super) database_back: Ms,
    pub(super) api_back: Ms,
    pub(super) peace: bool,
    story: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> Self {
        let mut chance = Chance::of(seed);
        let run = Run {
            queued: true,
            over: false,
            epoch: 0,
            owner: None,
            lease_until: 0,
            cancel: false,
            tries: u32::try_from(chance.below(3)).unwrap_or(0),
            completed: [false; BENCHMARKS],
            gpu: None,
        };
        Self {
            now: 10_000,
            skew: 0,
            chance,
            run,
            attempts: Vec::new(),
            workers: vec![Worker::new(1), Worker::new(2)],
            owners: 2,
            database_back: 0,
            api_back: 0,
            peace: false,
            story: traced.then(Vec::new),
        }
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(story) = &mut self.story {
            story.push(format!("{now:>8} {}", what()));
        }
    }

    pub(super) fn story(&self) -> String {
        self.story.as_deref().unwrap_or_default().join("\n")
    }

    pub(super) fn database_answers(&self) -> bool {
        self.now >= self.database_back
    }

    pub(super) fn clock(&self) -> Ms {
        self.now + self.skew
    }

    /// Something happens somewhere.
    pub(super) fn event(&mut self) -> Result<(), String> {
        self.now += self.chance.below(3_000);
        match self.chance.below(10) {
            0..4 => {
                let who = usize::try_from(self.chance.below(2)).unwrap_or(0);
                self.worker_acts(who)?;
            }
            4..9 => self.executors_act(),
            _ => self.fault(),
        }
        self.check()
    }

    fn fault(&mut self) {
        let wait = 1_000 + self.chance.below(90_000);
        let who = usize::try_from(self.chance.below(2)).unwrap_or(0);
        let back = self.now + wait;
        let what = self.chance.below(9);
        self.note(|| format!("fault {what} for {wait} ms, worker {who}"));
        match what {
            0 => self.replace_worker(who),
            1 => self.workers[who].asleep_until = back,
            2 => self.database_back = back,
            3 => self.api_back = back,
            4 => self.skew = AHEAD - self.skew,
            5 => self.run.cancel |= !self.run.over && self.run.epoch > 0,
            6 => self.kill_a_keeper(),
            7 => self.kill_a_child(),
            _ => self.delay_executors(back),
        }
    }

    fn replace_worker(&mut self, who: usize) {
        self.owners += 1;
        self.workers[who] = Worker::new(self.owners);
    }

    /// Nothing fails any more: everything must come to an end.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        // The clock stands ahead: no lease is left over from a time when it did.
        (self.peace, self.skew, self.database_back, self.api_back) = (true, AHEAD, 0, 0);
        let until = self.now + PEACE;
        while !(self.run.over && self.is_quiet()) {
            if self.now > until {
                return Err("I8: it does not end".to_owned());
            }
            self.now += 1_000;
            for who in 0..self.workers.len() {
                self.worker_acts(who)?;
            }
            self.executors_act();
            self.check()?;
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.attempts
            .iter()
            .all(|a| a.executors.iter().all(Executor::is_gone))
    }

    /// How the attempts ended.
    pub(super) fn ends(&self) -> Vec<&'static str> {
        self.attempts.iter().map(|a| a.state().as_str()).collect()
    }

    /// Ends an attempt in one transaction of its owner's.
    pub(super) fn finalise(&mut self, at: usize, verdict: &Verdict) -> Result<(), String> {
        let attempt = &self.attempts[at];
        if attempt.is_over() {
            return Err(format!("I3: attempt {at} ends again"));
        }
        let state = verdict.state(self.run.completed.iter().all(|c| *c));
        self.note(|| format!("attempt {at} is {state}"));
        let attempt = &mut self.attempts[at];
        attempt.state = Some(state);
        self.run.gpu = None;
        let lost = self
            .attempts
            .iter()
            .filter(|a| a.state() == AttemptState::Lost)
            .count();
        let again = state == AttemptState::Lost && lost <= self.run.tries as usize;
        (self.run.queued, self.run.over, self.run.owner) = (again, !again, None);
        Ok(())
    }

    /// The invariants, after every event.
    fn check(&self) -> Result<(), String> {
        let broken = |what: &str| Err(what.to_owned());
        if self.attempts.iter().filter(|a| !a.is_over()).count() > 1 {
            return broken("I1: two live attempts");
        }
        if self.attempts.len() != self.run.epoch {
            return broken("I4: an epoch without an attempt");
        }
        for attempt in &self.attempts {
            if attempt.starts.iter().any(|count| *count > 1) {
                return broken("I2: a benchmark was started twice in an attempt");
            }
            if !attempt.is_over() {
                continue;
            }
            if attempt.marked > 0 {
                return broken("I9: a process survives its attempt");
            }
            if attempt.stored != attempt.written {
                return broken("I5: output is missing");
            }
        }
        match self.run.gpu {
            Some(holder) if self.attempts[holder].is_over() => broken("I6: a GPU is held by nobody"),
            _ => Ok(()),
        }
    }
}
