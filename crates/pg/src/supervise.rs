//! The thread that starts the server, starts it again when it ends by itself, and stops it.
//!
//! It is one long-lived thread of its own because the kernel ties the signal "your parent is gone"
//! to the thread that spawned the child: from a pool's thread, the server would stop whenever the
//! pool shrinks.

use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::{Error, ending};
use crate::log;
use crate::options::Progress;
use crate::postmaster::{FAST, IMMEDIATE, Launch};
use crate::process;
use crate::restarts::{Next, Restarts};
use crate::state::{Health, State};

/// How long processes of an earlier server may stay in the way.
const PATIENCE: Duration = Duration::from_secs(30);
/// Recovery after a crash replays at most about a gigabyte of log.
const READY_LIMIT: Duration = Duration::from_secs(600);
const SLOW: Duration = Duration::from_secs(3);
const ROTATE_EVERY: Duration = Duration::from_secs(600);

enum Event {
    /// The present child ended; it is not reaped yet.
    Ended,
    Stop,
}

/// The caller's end of the thread.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) state: Arc<State>,
    events: Sender<Event>,
    thread: Option<thread::JoinHandle<Result<(), Error>>>,
}

impl Handle {
    /// Starts the thread and the server, and returns when the server accepts connections.
    pub(crate) fn start(launch: Launch, progress: Progress) -> Result<Self, Error> {
        let (sender, events) = mpsc::channel();
        let (started, result) = mpsc::channel();
        let state = Arc::new(State::new());
        let log = launch.log.path.clone();
        let supervisor = Supervisor {
            launch,
            progress,
            sender: sender.clone(),
            events,
            state: Arc::clone(&state),
            stopping: false,
            restarts: 0,
            budget: Restarts::default(),
        };
        let thread = thread::Builder::new()
            .name("pg-supervisor".to_owned())
            .spawn(move || supervisor.run(&started))
            .map_err(Error::io("start the thread that watches", &log))?;
        result.recv().unwrap_or(Err(Error::Stopped))?;
        Ok(Self {
            state,
            events: sender,
            thread: Some(thread),
        })
    }

    /// Stops the server and waits for its end; a second call does nothing.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.events.send(Event::Stop).ok();
        thread.join().unwrap_or(Err(Error::Stopped))
    }
}

struct Supervisor {
    launch: Launch,
    progress: Progress,
    sender: Sender<Event>,
    events: Receiver<Event>,
    state: Arc<State>,
    stopping: bool,
    restarts: u32,
    budget: Restarts,
}

/// Why one attempt did not lead to a server that accepts connections.
enum Attempt {
    /// Processes of an earlier server were in the way.
    TooEarly(Vec<String>),
    Failed(Error),
}

impl Supervisor {
    fn run(mut self, started: &Sender<Result<(), Error>>) -> Result<(), Error> {
        let mut child = match self.start() {
            Ok(child) => child,
            Err(error) => {
                started.send(Err(error)).ok();
                return Ok(());
            }
        };
        self.state.set_up(child.id(), Health::Running);
        started.send(Ok(())).ok();
        loop {
            match self.events.recv_timeout(ROTATE_EVERY) {
                Ok(Event::Ended) => match self.restart(child) {
                    Some(next) => child = next,
                    None => return Ok(()),
                },
                Ok(Event::Stop) => return self.stop(child),
                Err(_) => self.launch.log.rotate(),
            }
        }
    }

    /// Starts the server, waiting for what an earlier one left to go away.
    fn start(&mut self) -> Result<Child, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(50);
        loop {
            self.launch.end_earlier();
            let lines = match self.attempt() {
                Ok(child) => return Ok(child),
                Err(Attempt::Failed(error)) => return Err(error),
                Err(Attempt::TooEarly(lines)) => lines,
            };
            if Instant::now() + pause > deadline {
                return Err(Error::StillRunning {
                    data: self.launch.home.data(),
                    seconds: PATIENCE.as_secs(),
                    lines,
                });
            }
            if !self.pause(pause) {
                return Err(Error::Stopped);
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    fn attempt(&mut self) -> Result<Child, Attempt> {
        self.launch.log.rotate();
        let log_start = self.launch.log.end();
        let mut child = self.launch.spawn().map_err(Attempt::Failed)?;
        self.watch(child.id());
        match self.wait_until_ready(child.id()) {
            Readiness::Ready => Ok(child),
            Readiness::Ended => {
                let status = child.wait().map_or_else(|e| e.to_string(), ending);
                let lines = self.launch.log.since(log_start);
                Err(if log::earlier_server(&lines) {
                    Attempt::TooEarly(lines)
                } else {
                    Attempt::Failed(self.launch.explain(status, lines))
                })
            }
            Readiness::GivenUp(why) => {
                self.stop(child).map_err(Attempt::Failed)?;
                let lines = self.launch.log.since(log_start);
                Err(Attempt::Failed(match why {
                    Some(why) => self.launch.explain(why, lines),
                    None => Error::Stopped,
                }))
            }
        }
    }

    /// Reports the child's end as an event. The child is left unreaped until the event is
    /// handled, so that no signal can hit a stranger with its number.
    fn watch(&self, pid: u32) {
        let sender = self.sender.clone();
        thread::spawn(move || {
            process::wait_for_end(pid);
            sender.send(Event::Ended).ok();
        });
    }

    fn wait_until_ready(&mut self, pid: u32) -> Readiness {
        let started = Instant::now();
        let mut pause = Duration::from_millis(3);
        let mut told = false;
        while started.elapsed() < READY_LIMIT {
            if self.launch.is_ready(pid) {
                return Readiness::Ready;
            }
            if !told && started.elapsed() > SLOW {
                (self.progress)("the PostgreSQL server is still starting");
                told = true;
            }
            match self.events.recv_timeout(pause) {
                Ok(Event::Ended) => return Readiness::Ended,
                Ok(Event::Stop) => {
                    self.stopping = true;
                    return Readiness::GivenUp(None);
                }
                Err(_) => pause = (pause * 5 / 4).min(Duration::from_millis(50)),
            }
        }
        let seconds = READY_LIMIT.as_secs();
        Readiness::GivenUp(Some(format!("not ready after {seconds} s")))
    }

    /// Waits; `false` when the cluster is to stop. Only called while there is no child.
    fn pause(&mut self, time: Duration) -> bool {
        if let Ok(Event::Stop) = self.events.recv_timeout(time) {
            self.stopping = true;
        }
        !self.stopping
    }

    /// Reaps a server that ended by itself and brings up the next; `None` when asked to stop.
    fn restart(&mut self, mut ended: Child) -> Option<Child> {
        self.state.set_down();
        let status = ended.wait().map_or_else(|e| e.to_string(), ending);
        let end = self.launch.log.end();
        let lines = self.launch.log.since(end.saturating_sub(4096));
        tracing::warn!(%status, "the PostgreSQL server ended by itself");
        let mut reason = self.launch.explain(status, lines).to_string();
        loop {
            let now = Instant::now();
            let wait = match self.budget.next(now) {
                Next::Soon(wait) => wait,
                Next::Later(wait) => {
                    self.state.degrade(&reason);
                    wait
                }
            };
            if !self.pause(wait) {
                return None;
            }
            self.budget.count(Instant::now());
            match self.start() {
                Ok(child) => {
                    self.restarts += 1;
                    let health = Health::Restarted(self.restarts);
                    self.state.set_up(child.id(), health);
                    return Some(child);
                }
                Err(error) => {
                    tracing::error!(%error, "the PostgreSQL server could not be started again");
                    reason = error.to_string();
                }
            }
            if self.stopping {
                return None;
            }
        }
    }

    /// Ends the server: fast, then immediately, then by force.
    fn stop(&mut self, mut child: Child) -> Result<(), Error> {
        self.state.set_down();
        let pid = child.id();
        let steps = [
            (Signal::INT, FAST),
            (Signal::QUIT, IMMEDIATE),
            (Signal::KILL, IMMEDIATE),
        ];
        for (signal, limit) in steps {
            process::signal(pid, signal);
            if self.ended_within(limit) {
                let status = child.wait().map_or_else(|e| e.to_string(), ending);
                tracing::debug!(pid, ?signal, %status, "the PostgreSQL server is stopped");
                return Ok(());
            }
            tracing::warn!(pid, ?signal, "the PostgreSQL server does not stop");
        }
        Err(Error::Immortal { pid })
    }

    fn ended_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Ended) => return true,
                Ok(Event::Stop) => self.stopping = true,
                Err(_) => return false,
            }
        }
    }
}

enum Readiness {
    Ready,
    Ended,
    /// Stopped on request, or too slow.
    GivenUp(Option<String>),
}
