//! What starts an executor: the one trait of all engines.

use crate::{dir::AttemptDir, process::Identity};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, future::Future, pin::Pin};
use thiserror::Error;
use types::AttemptExit;

/// An engine's answer, boxed so that engines can be chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// Starts executors and finds them again. It holds no state of its own: every answer comes from
/// the outside world, so another replica can ask the same questions.
pub trait Engine: Send + Sync + fmt::Debug {
    /// The name stored with an attempt.
    fn name(&self) -> &'static str;

    /// Starts the executor of a prepared attempt. Launching twice is harmless: the second
    /// executor finds the claim and ends.
    fn launch<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, ()>;

    /// What is known about the attempt now. `exit.json` outweighs a live executor, which
    /// outweighs what the engine says.
    fn observe<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, Observation>;

    /// Sees to it that nobody claims the attempt any more; false when somebody has. Called before an
    /// attempt is ended that was launched and never began.
    fn forbid<'a>(&'a self, attempt: &'a AttemptDir) -> Answer<'a, bool>;

    /// Asks the executor to stop everything. Returns at once; observe tells the end.
    fn cancel<'a>(&'a self, attempt: &'a AttemptDir, reason: CancelReason) -> Answer<'a, ()>;

    /// Kills what an executor left behind, until nothing is left, and tells how many that were.
    /// Called before an attempt is declared lost.
    fn sweep<'a>(&'a self, tracking_id: &'a str) -> Answer<'a, u32>;

    /// The attempts of which a process lives here, whoever started it.
    fn tracked(&self) -> Answer<'_, BTreeSet<String>>;
}

/// What is known about an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Nobody has claimed it: it was never launched, or has not come that far.
    Unclaimed,
    /// Its keeper is alive.
    Alive(Identity),
    /// It is over.
    Exited(Box<AttemptExit>),
    /// It was claimed, its keeper is gone, and it left no `exit.json`.
    Lost(Lost),
}

/// How an executor was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Lost {
    /// The keeper's process is gone.
    #[error("the executor is gone")]
    KeeperGone,
    /// The machine was started anew.
    #[error("the machine was restarted")]
    HostRebooted,
}

/// Why an attempt is asked to stop; the content of the file `cancel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// A user asked for it.
    User,
    /// A newer attempt has taken over.
    Fenced,
    /// Somebody outside saw no progress.
    Stalled,
    /// Somebody outside saw the time run out.
    WallClock,
}

impl CancelReason {
    /// The text in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Fenced => "fenced",
            Self::Stalled => "stalled",
            Self::WallClock => "wall_clock",
        }
    }

    /// The reason in a file; what is not known was a user's wish.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text.trim() {
            "fenced" => Self::Fenced,
            "stalled" => Self::Stalled,
            "wall_clock" => Self::WallClock,
            _ => Self::User,
        }
    }
}

/// An engine that could not do what it was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The executor could not be started.
    #[error("the executor `{program}` cannot be started")]
    Launch {
        /// Its program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The attempt directory could not be read or written.
    #[error("the attempt directory `{dir}` cannot be used")]
    Directory {
        /// Which.
        dir: String,
        /// Why.
        source: std::io::Error,
    },
}
