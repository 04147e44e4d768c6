//! The keeper: starts the processes of an attempt, watches them, and writes down how they end.
//!
//! One thread, no runtime, no network. A child dies with its keeper (`PR_SET_PDEATHSIG` belongs
//! to the thread that forked), which is why this process must never have a second one. As a
//! subreaper it inherits what the processes leave behind, so nothing gets away from it.

mod child;
pub(crate) mod events;
mod outputs;
pub(crate) mod run;
mod schedule;
mod signals;
mod stall;
mod stop;
pub(crate) mod tree;
pub(crate) mod verdict;
mod watcher;

use crate::{
    dir::{AttemptDir, read_capped},
    engine::CancelReason,
    environment,
    exec::claim,
    job::Job,
};
use chrono::{DateTime, Utc};
use schedule::Schedule;
use signals::{Reaped, Signals};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    time::{Duration, Instant, SystemTime},
};
use stop::{Stop, Why};
use types::{AttemptExit, Outcome, ProcessExit};
use watcher::Watcher;

const DRIVER: &str = include_str!("../driver.py");
const DISK_WAS_FULL: &str = "the disk was full: output may be missing";
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the files are looked at while things happen; a child's end and a signal are seen at once.
const TICK: Duration = Duration::from_millis(50);
/// How often when nothing does: many keepers on a machine must not take a core from what they keep.
const LONGEST_TICK: Duration = Duration::from_millis(250);

pub(crate) struct Keeper {
    dir: AttemptDir,
    job: Job,
    claim: File,
    signals: Signals,
    started_at: DateTime<Utc>,
    begin: Instant,
    stdout: File,
    stderr: File,
    heartbeat: (File, Instant),
    inherited: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    watcher: Watcher,
    schedule: Schedule,
    stop: Option<Stop>,
    /// Whether a final stop has cost a benchmark its results.
    interrupted: bool,
    exits: Vec<ProcessExit>,
    killed_leftovers: u32,
    start_failed: Option<String>,
    /// How long the next round waits.
    pause: Duration,
    /// Whether the disk was ever seen full: then output may be missing, and nobody else can tell.
    disk_was_full: bool,
}

impl Keeper {
    /// Prepares everything that must be there before the first process starts.
    pub(crate) fn new(dir: AttemptDir, job: Job, claim: File) -> io::Result<Self> {
        become_subreaper()?;
        let signals = Signals::queue()?;
        let record = claim::record(&dir)?;
        dir.write_volatile("driver.py", DRIVER.as_bytes())?;
        for benchmark in job.benchmarks() {
            dir.reserve(&format!("out/{}/done.json", benchmark.order), 4096)?;
        }
        let processes = job.processes.len() + job.fallback_processes.len();
        dir.reserve("exit.json", 4096 + 256 * processes as u64)?;
        dir.sync_names()?;
        Ok(Self {
            stdout: append(&dir, "stdout.log")?,
            stderr: append(&dir, "stderr.log")?,
            heartbeat: (append(&dir, "heartbeat")?, Instant::now()),
            inherited: environment::inherited(),
            secrets: BTreeMap::new(),
            watcher: Watcher::new(&job),
            schedule: Schedule::new(&job),
            stop: None,
            interrupted: false,
            exits: Vec::new(),
            killed_leftovers: 0,
            start_failed: None,
            pause: TICK,
            disk_was_full: false,
            started_at: record.started_at,
            begin: Instant::now(),
            signals,
            dir,
            job,
            claim,
        })
    }

    /// Executes the whole attempt.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let ready = self.await_secrets();
        while ready && !self.is_over() {
            let Some(process) = self.schedule.next() else {
                break;
            };
            self.run_process(process);
        }
        self.killed_leftovers += self.kill_leftovers();
        self.dir.write_json("exit.json", &self.exit())?;
        self.dir.release("exit.json");
        self.linger();
        Ok(())
    }

    /// Whether the attempt, and not only a benchmark, is being stopped.
    fn is_over(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.why.is_final())
    }

    /// The values come through the reporter, which alone may use the network. False when they
    /// will not come.
    fn await_secrets(&mut self) -> bool {
        self.watch_reporter();
        if self.job.secret_env.is_empty() {
            return true;
        }
        while !self.is_over() && self.watcher.is_wanted() {
            self.pause = TICK;
            self.tick();
            if let Some(secrets) = self.watcher.secrets() {
                self.secrets = secrets.environment;
                return self.has_all_secrets();
            }
        }
        self.start_failed = Some("no server is known that could hand out the secrets".to_owned());
        false
    }

    fn has_all_secrets(&mut self) -> bool {
        let missing = |name: &&String| !self.secrets.contains_key(*name);
        let missing = self.job.secret_env.iter().find(missing);
        self.start_failed = missing.map(|name| format!("the secret for `{name}` was not handed out"));
        missing.is_none()
    }

    /// One round: sleeps until something happens or a look at the files is due. Returns the
    /// children that ended.
    fn tick(&mut self) -> Vec<Reaped> {
        let signal = self.signals.next(self.pause);
        if let Some(signal @ (libc::SIGTERM | libc::SIGINT)) = signal {
            self.ask_to_stop(Why::Signal(signal));
        }
        match signal {
            None => self.pause = (self.pause * 2).min(LONGEST_TICK),
            Some(_) => self.pause = TICK,
        }
        let reaped = signals::reap();
        self.watcher.reaped(&reaped);
        self.watch_reporter();
        self.beat();
        self.disk_was_full |= self.dir.is_disk_full();
        self.look_for_orders();
        reaped
    }

    fn watch_reporter(&mut self) {
        self.watcher
            .watch(&self.dir, &self.job, &self.secrets, &self.claim);
    }

    fn beat(&mut self) {
        let (file, last) = &mut self.heartbeat;
        if last.elapsed() >= HEARTBEAT {
            *last = Instant::now();
            // Somebody who misses a beat looks at the lock too.
            let _ = file.set_modified(SystemTime::now());
        }
    }

    fn look_for_orders(&mut self) {
        if let Ok(reason) = read_capped(&self.dir.path("cancel"), 4096) {
            let reason = CancelReason::read(&String::from_utf8_lossy(&reason));
            self.ask_to_stop(Why::Cancel(reason));
        }
        let limit = self.job.limits.wall_clock_s.map(Duration::from_secs);
        if limit.is_some_and(|limit| self.begin.elapsed() >= limit) {
            self.ask_to_stop(Why::WallClock);
        }
    }

    /// The first reason counts, except that the end of a benchmark may become the end of all.
    fn ask_to_stop(&mut self, why: Why) {
        self.pause = TICK;
        match &mut self.stop {
            Some(stop) if !stop.why.is_final() => stop.why = why,
            Some(_) => {}
            None => self.stop = Some(Stop::new(why, Instant::now())),
        }
    }

    fn kill_leftovers(&mut self) -> u32 {
        let reporter = self.watcher.pid();
        tree::kill_descendants(reporter, || self.watcher.reaped(&signals::reap()))
    }

    fn exit(&self) -> AttemptExit {
        let cut_short = self.interrupted || !self.job.benchmarks().all(|b| self.schedule.is_done(b.order));
        let (outcome, reason) = match (&self.stop, &self.start_failed) {
            (Some(stop), _) if stop.why.is_final() && cut_short => {
                (stop.why.outcome(), Some(stop.why.sentence(&self.job.limits)))
            }
            (_, Some(reason)) => (Outcome::StartFailed, Some(reason.clone())),
            _ => (Outcome::Completed, None),
        };
        let full = || self.disk_was_full.then(|| DISK_WAS_FULL.to_owned());
        let reason = reason.or_else(full);
        AttemptExit {
            outcome,
            reason,
            processes: self.exits.clone(),
            killed_leftovers: self.killed_leftovers,
            dropped_bytes: 0,
            started_at: self.started_at,
            ended_at: Utc::now(),
        }
    }

    /// Stays until the reporter has told the end, which may take a while when the API is away.
    fn linger(&mut self) {
        let begin = Instant::now();
        let limit = Duration::from_secs(self.job.limits.linger_s);
        while self.watcher.is_wanted() && begin.elapsed() < limit {
            if let Some(libc::SIGTERM | libc::SIGINT) = self.signals.next(LONGEST_TICK) {
                break;
            }
            self.watcher.reaped(&signals::reap());
            self.watch_reporter();
        }
        self.watcher.kill();
    }
}

fn append(dir: &AttemptDir, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW).open(dir.path(name))
}

fn become_subreaper() -> io::Result<()> {
    // SAFETY: plain numbers only.
    match unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
