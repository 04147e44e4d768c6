//! How the server is doing, as every thread may ask.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How the server is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It runs, and always has since the start.
    Running,
    /// It ended by itself this many times and was started again.
    Restarted(u32),
    /// It does not run: why, with the last lines of its log. Another attempt follows within five
    /// minutes, so that a cause that goes away heals.
    Degraded(String),
}

/// What other threads may see of the server.
#[derive(Debug)]
pub(crate) struct State {
    pid: AtomicU32,
    up: AtomicBool,
    health: Mutex<Health>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            pid: AtomicU32::new(0),
            up: AtomicBool::new(false),
            health: Mutex::new(Health::Running),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Acquire)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    pub(crate) fn health(&self) -> Health {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_up(&self, pid: u32, health: Health) {
        *self.lock() = health;
        self.pid.store(pid, Ordering::Release);
        self.up.store(true, Ordering::Release);
    }

    pub(crate) fn set_down(&self) {
        self.up.store(false, Ordering::Release);
    }

    pub(crate) fn degrade(&self, reason: &str) {
        *self.lock() = Health::Degraded(reason.to_owned());
    }
}
