//! How far an import is, whether it should go on, and the lease under which it does.

use crate::db::uploads::{self, Renewal};
use crate::db::{self, Conn, Db};
use crate::error::chain;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Why an import stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stopped {
    /// Somebody asked for it.
    Cancelled = 1,
    /// Another process has it now.
    Lost = 2,
    /// This process ends.
    Leaving = 3,
}

/// What the reading thread and its keeper share; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Course(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: AtomicI32,
    stopped: AtomicU8,
}

impl Course {
    /// One more file was looked at.
    pub(super) fn pass(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Files that were looked at.
    pub(super) fn files(&self) -> i32 {
        self.0.files.load(Ordering::Relaxed)
    }

    /// Ends the import at the next file or run; the first reason holds.
    pub fn stop(&self, why: Stopped) {
        let _ = self
            .0
            .stopped
            .compare_exchange(0, why as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether and why it should end.
    pub fn stopped(&self) -> Option<Stopped> {
        match self.0.stopped.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Stopped::Cancelled),
            2 => Some(Stopped::Lost),
            _ => Some(Stopped::Leaving),
        }
    }
}

/// Who works on an import, and for how long without a word.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// Random per process start.
    pub owner: Uuid,
    /// How long nobody else takes it.
    pub lease: Duration,
}

/// Renews a lease until it is dropped.
pub(super) struct Beat(JoinHandle<()>);

impl Beat {
    /// Begins at once.
    pub(super) fn start(db: Db, import: Uuid, holder: Holder, course: Course) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(holder.lease / 4).await;
                match renew(&db, import, holder, &course).await {
                    Ok(Renewal::Held) => {}
                    Ok(Renewal::Cancelled) => course.stop(Stopped::Cancelled),
                    Ok(Renewal::Lost) => return course.stop(Stopped::Lost),
                    Err(error) => {
                        tracing::warn!(%import, error = %chain(&error), "the lease of an import cannot be renewed now");
                    }
                }
            }
        }))
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn renew(db: &Db, import: Uuid, holder: Holder, course: &Course) -> Result<Renewal, db::Error> {
    let files = course.files();
    db.service(async |conn: &mut Conn| {
        uploads::renew(conn, import, holder.owner, holder.lease, files)
            .await
            .map_err(db::Error::from)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_to_stop_holds() {
        let course = Course::default();
        assert_eq!(course.stopped(), None);
        course.clone().stop(Stopped::Lost);
        course.stop(Stopped::Cancelled);
        assert_eq!(course.stopped(), Some(Stopped::Lost));
    }
}
