//! Signals as a queue, and the children that ended.

use std::{io, mem::MaybeUninit, ptr, time::Duration};

const QUEUED: [i32; 4] = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// The signals that this process takes one by one instead of being interrupted by them.
pub(super) struct Signals {
    set: libc::sigset_t,
}

/// A child that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reaped {
    pub(super) pid: u32,
    pub(super) status: i32,
    /// Largest resident memory, in bytes.
    pub(super) max_rss: u64,
}

impl Signals {
    /// Blocks the signals, so that they queue.
    pub(super) fn queue() -> io::Result<Self> {
        let set = set_of(&QUEUED);
        // SAFETY: the set is initialised, and the old mask is not asked for.
        match unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) } {
            0 => Ok(Self { set }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The next signal, or `None` after `patience`.
    pub(super) fn next(&self, patience: Duration) -> Option<i32> {
        let timeout = libc::timespec {
            tv_sec: libc::time_t::try_from(patience.as_secs()).unwrap_or(1),
            tv_nsec: libc::c_long::from(patience.subsec_nanos()),
        };
        // SAFETY: set and timeout are initialised, and no details are asked for.
        let signal = unsafe { libc::sigtimedwait(&raw const self.set, ptr::null_mut(), &raw const timeout) };
        (signal > 0).then_some(signal)
    }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set before anything reads it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Gives a new process the signals as a shell would: none blocked, none ignored. Only makes
/// calls that are safe after a fork.
pub(super) fn reset() {
    let empty = set_of(&[]);
    // SAFETY: the set is initialised, and the default action needs no handler.
    unsafe {
        for signal in QUEUED {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, ptr::null_mut());
    }
}

/// Children that ended since the last call.
pub(super) fn reap() -> Vec<Reaped> {
    std::iter::from_fn(reap_one).collect()
}

fn reap_one() -> Option<Reaped> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for writing.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    let pid = u32::try_from(pid).ok().filter(|&pid| pid > 0)?;
    // SAFETY: all zeroes is a valid `rusage`, whether or not the call has filled it.
    let usage = unsafe { usage.assume_init() };
    Some(Reaped {
        pid,
        status,
        max_rss: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    })
}
