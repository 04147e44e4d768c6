//! The executor of one attempt, `lmms-dash exec --attempt-dir D`: a keeper, and a reporter that
//! the keeper forks.

pub mod claim;

use crate::{dir::AttemptDir, keeper::Keeper};
use chrono::Utc;
use std::{fs::File, path::Path, process::ExitCode};
use types::{AttemptExit, Outcome};

/// The exit code of an executor that finds its attempt claimed.
pub const CLAIMED: u8 = 97;

/// Executes the attempt in `dir`. Must be called before this process has a second thread: the
/// children die with the thread that started them, and the reporter is a fork.
#[must_use]
pub fn main(dir: &Path) -> ExitCode {
    // SAFETY: no pointers. It fails for a leader of a group, which has a session of its own.
    unsafe { libc::setsid() };
    let dir = match dir.canonicalize() {
        Ok(dir) => AttemptDir::new(dir),
        Err(error) => return complain(dir, "cannot be opened", &error),
    };
    match claim::take(&dir) {
        Ok(Some(claim)) => execute(&dir, claim),
        Ok(None) => {
            note!("the attempt in `{}` is already claimed", dir.root().display());
            ExitCode::from(CLAIMED)
        }
        Err(error) => complain(dir.root(), "cannot be claimed", &error),
    }
}

fn execute(dir: &AttemptDir, claim: File) -> ExitCode {
    let job = match dir.job() {
        Ok(job) => job,
        Err(error) => return give_up(dir, &error),
    };
    let keeper = match Keeper::new(dir.clone(), job, claim) {
        Ok(keeper) => keeper,
        Err(error) => return give_up(dir, &error),
    };
    match keeper.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(dir.root(), "cannot be kept", &error),
    }
}

/// An attempt that cannot even begin ends at once, and says why.
fn give_up(dir: &AttemptDir, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    let now = Utc::now();
    let exit = AttemptExit {
        outcome: Outcome::StartFailed,
        reason: Some(chain(error)),
        processes: Vec::new(),
        killed_leftovers: 0,
        dropped_bytes: 0,
        started_at: now,
        ended_at: now,
    };
    let _ = dir.write_json("exit.json", &exit);
    complain(dir.root(), "cannot be executed", error)
}

fn complain(dir: &Path, what: &str, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    note!("`{}` {what}: {}", dir.display(), chain(error));
    ExitCode::FAILURE
}

/// An error with its causes, as one fragment.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
