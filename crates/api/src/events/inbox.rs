//! What waits for one subscriber, within limits.
//!
//! There is one for each open page, so it holds no room for what does not wait.

use crate::db::events::Frame;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tokio::sync::Notify;

/// Groups of messages that may wait for one subscriber.
const GROUPS: usize = 256;
/// Bytes that may wait for one subscriber.
const BYTES: usize = 1024 * 1024;
/// Room that is kept when nothing waits.
const SPARE: usize = 8;

/// The subscriber did not keep up and was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the subscriber did not keep up")]
pub struct Lagged;

/// Messages of one read, shared by all subscribers of the run.
pub(super) type Group = Arc<[Frame]>;

/// Both ends of a new inbox.
pub(super) fn inbox() -> (Sender, Receiver) {
    let inbox = Arc::new(Inbox {
        waiting: Mutex::new(Waiting {
            groups: VecDeque::new(),
            bytes: 0,
            is_open: true,
        }),
        bell: Notify::new(),
    });
    (Sender(Arc::clone(&inbox)), Receiver(inbox))
}

struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

struct Waiting {
    groups: VecDeque<Group>,
    bytes: usize,
    is_open: bool,
}

impl Inbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.waiting().is_open = false;
        self.bell.notify_one();
    }
}

impl Waiting {
    fn put(&mut self, group: &Group) -> bool {
        let size = size_of(group);
        // One group may be larger than the limit when nothing else waits.
        let fits = self.bytes == 0 || self.bytes + size <= BYTES;
        let taken = self.is_open && fits && self.groups.len() < GROUPS;
        if taken {
            self.bytes += size;
            self.groups.push_back(Arc::clone(group));
        }
        taken
    }

    /// The next group; nothing yet; or [`Lagged`], when nothing more will come.
    fn take(&mut self) -> Result<Option<Group>, Lagged> {
        let Some(group) = self.groups.pop_front() else {
            return if self.is_open { Ok(None) } else { Err(Lagged) };
        };
        self.bytes -= size_of(&group);
        self.groups.shrink_to(SPARE);
        Ok(Some(group))
    }
}

fn size_of(group: &[Frame]) -> usize {
    group.iter().map(|f| f.text.len()).sum()
}

/// Dropping it ends the subscription, after what waits.
pub(super) struct Sender(Arc<Inbox>);

impl Sender {
    /// Whether the subscriber is still there and keeps up.
    pub(super) fn send(&self, group: &Group) -> bool {
        let taken = self.0.waiting().put(group);
        self.0.bell.notify_one();
        taken
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.waiting().is_open
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Dropping it ends the subscription.
pub(super) struct Receiver(Arc<Inbox>);

impl Receiver {
    /// Waits for the next group. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Result<Group, Lagged> {
        loop {
            if let Some(group) = self.0.waiting().take()? {
                return Ok(group);
            }
            self.0.bell.notified().await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES, GROUPS, Group, Lagged, inbox};
    use crate::db::events::{Frame, Kind};
    use std::sync::Arc;

    fn group(seq: i64, bytes: usize) -> Group {
        let frame = Frame {
            seq,
            kind: Kind::Status,
            text: vec![b'x'; bytes].into(),
        };
        Arc::from([frame])
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_cut_by_bytes() {
        let (sender, mut receiver) = inbox();
        assert!(
            sender.send(&group(1, BYTES + 1)),
            "one large group is let through"
        );
        assert!(!sender.send(&group(2, 10)));
        drop(sender);
        assert_eq!(receiver.next().await.map(|g| g[0].seq), Ok(1));
        assert_eq!(receiver.next().await.map(|g| g[0].seq), Err(Lagged));
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_cut_by_groups() {
        let (sender, mut receiver) = inbox();
        let taken = (0..).take_while(|&seq| sender.send(&group(seq, 1))).count();
        assert_eq!(taken, GROUPS);
        assert_eq!(receiver.next().await.map(|g| g[0].seq), Ok(0));
        assert!(sender.send(&group(256, 1)), "there is room again");
    }

    #[tokio::test]
    async fn what_was_taken_no_longer_counts() {
        let (sender, mut receiver) = inbox();
        for seq in 0..20 {
            assert!(sender.send(&group(seq, BYTES / 2)));
            assert_eq!(receiver.next().await.map(|g| g[0].seq), Ok(seq));
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_group_and_by_the_end() {
        let (sender, mut receiver) = inbox();
        let waits = tokio::spawn(async move {
            let first = receiver.next().await.map(|g| g[0].seq);
            (first, receiver.next().await.map(|g| g[0].seq))
        });
        tokio::task::yield_now().await;
        assert!(sender.send(&group(7, 1)));
        tokio::task::yield_now().await;
        drop(sender);
        assert_eq!(waits.await.ok(), Some((Ok(7), Err(Lagged))));
    }

    #[tokio::test]
    async fn a_subscriber_that_left_is_seen() {
        let (sender, receiver) = inbox();
        assert!(sender.is_open());
        drop(receiver);
        assert!(!sender.is_open() && !sender.send(&group(1, 1)));
    }
}
