//! Killing a whole tree of processes, also those that left the group.

use crate::process::{Identity, descendants};
use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

/// How long killed processes may take to vanish; one in uninterruptible sleep may never.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Kills every process that `find` returns, looking again until it returns none: a process may
/// fork between the look and the kill. Returns how many different ones there were.
pub(crate) fn kill_marked(mut find: impl FnMut() -> Vec<Identity>) -> u32 {
    let mut seen = BTreeSet::new();
    until_empty(|| {
        let found = find();
        for process in &found {
            if process.signal(libc::SIGKILL) {
                seen.insert(process.pid);
            }
        }
        found.is_empty()
    });
    count(&seen)
}

/// Kills every descendant of this process but `spared`, and reaps them. Returns how many.
pub(crate) fn kill_descendants(spared: Option<u32>, mut reap: impl FnMut()) -> u32 {
    let mut seen = BTreeSet::new();
    until_empty(|| {
        reap();
        let found = kill_all(spared);
        seen.extend(&found);
        found.is_empty()
    });
    count(&seen)
}

/// Kills every present descendant of this process but `spared`, and returns them.
pub(crate) fn kill_all(spared: Option<u32>) -> BTreeSet<u32> {
    let mut found = descendants(std::process::id());
    if let Some(spared) = spared {
        found.remove(&spared);
    }
    for &pid in &found {
        kill(pid, libc::SIGKILL);
    }
    found
}

/// Signals a process that is known to be ours: its number cannot be given away before it is
/// reaped, and only this process reaps it.
pub(crate) fn kill(pid: u32, signal: i32) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: the call takes plain numbers.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Signals a whole process group.
pub(crate) fn kill_group(leader: u32, signal: i32) {
    if let Ok(leader) = libc::pid_t::try_from(leader) {
        // SAFETY: the call takes plain numbers.
        unsafe { libc::kill(-leader, signal) };
    }
}

fn until_empty(mut round: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !round() && begin.elapsed() < PATIENCE {
        thread::sleep(PAUSE);
    }
}

fn count(seen: &BTreeSet<u32>) -> u32 {
    u32::try_from(seen.len()).unwrap_or(u32::MAX)
}
