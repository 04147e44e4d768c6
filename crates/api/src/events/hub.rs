//! Who follows which run, and the pump that feeds them.

use super::inbox::{Group, Lagged, Receiver, Sender, inbox};
use super::listener::{Hint, RUNS, listen};
use crate::db::events::{Frame, Page, positions, read_after};
use crate::db::{self, Db};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

/// How often the pump looks without a hint.
const POLL: Duration = Duration::from_secs(1);
/// Hints that may wait.
const HINTS: usize = 1024;

/// Fans the messages of runs out to their subscribers; cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    feeds: Mutex<HashMap<Uuid, Feed>>,
    /// A new feed wants to be read.
    fresh: Notify,
}

struct Feed {
    position: i64,
    subscribers: Vec<Sender>,
}

/// The live messages of one run. Dropping it ends the subscription.
pub struct Subscription {
    /// Messages up to this number may be missing: the subscriber reads them itself.
    pub position: i64,
    inbox: Receiver,
}

impl Subscription {
    /// The next messages, in order.
    ///
    /// # Errors
    /// [`Lagged`] when the subscriber was cut; it resumes with the last number it saw.
    pub async fn next(&mut self) -> Result<Group, Lagged> {
        self.inbox.next().await
    }
}

impl Hub {
    /// Starts the pump and its listening connection on the current runtime. Both end with the
    /// last clone of the hub.
    pub fn start(db: Db) -> Self {
        let (hints, inbox) = mpsc::channel(HINTS);
        tokio::spawn(listen(db.url().to_owned(), RUNS, hints));
        let inner = Arc::new(Inner {
            db,
            feeds: Mutex::default(),
            fresh: Notify::new(),
        });
        tokio::spawn(pump(Arc::downgrade(&inner), inbox));
        Self { inner }
    }

    /// Follows a run from behind `after`, the last message that the subscriber has.
    pub fn subscribe(&self, run: Uuid, after: i64) -> Subscription {
        let (sender, inbox) = inbox();
        let mut feeds = self.inner.feeds();
        let feed = feeds.entry(run).or_insert_with(|| Feed {
            position: after,
            subscribers: Vec::new(),
        });
        feed.subscribers.push(sender);
        let position = feed.position;
        drop(feeds);
        self.inner.fresh.notify_one();
        Subscription { position, inbox }
    }

    /// Whether anybody follows this run here.
    pub fn is_followed(&self, run: Uuid) -> bool {
        self.inner.feeds().contains_key(&run)
    }

    /// Hands out messages that were just committed here, so that nobody has to read them again. Those that do not
    /// follow on what was handed out before are left to the pump, which the notification wakes.
    pub fn offer(&self, run: Uuid, frames: Vec<Frame>) {
        let mut feeds = self.inner.feeds();
        if let (Some(feed), Some(first)) = (feeds.get_mut(&run), frames.first())
            && first.seq == feed.position + 1
        {
            feed.hand_out(&frames.into());
        }
    }

    /// The messages of a run after `after`, for catching up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_after(&self, run: Uuid, after: i64) -> Result<Page, db::Error> {
        self.inner.read_after(run, after).await
    }

    /// How many subscribers there are.
    pub fn subscribers(&self) -> usize {
        self.inner.feeds().values().map(|f| f.subscribers.len()).sum()
    }
}

impl Inner {
    fn feeds(&self) -> MutexGuard<'_, HashMap<Uuid, Feed>> {
        self.feeds
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn read_after(&self, run: Uuid, after: i64) -> Result<Page, db::Error> {
        self.db
            .service(async |conn| read_after(conn, run, after).await.map_err(db::Error::from))
            .await
    }

    /// Drops subscribers that left, and feeds without subscribers.
    fn sweep(&self) {
        self.feeds().retain(|_, feed| {
            feed.subscribers.retain(Sender::is_open);
            !feed.subscribers.is_empty()
        });
    }

    /// Whether somebody follows this run here who has not been told of this number.
    fn lacks(&self, run: Uuid, seq: i64) -> bool {
        self.feeds().get(&run).is_some_and(|feed| feed.position < seq)
    }

    fn followed(&self) -> Vec<(Uuid, i64)> {
        self.feeds()
            .iter()
            .map(|(run, feed)| (*run, feed.position))
            .collect()
    }

    /// Runs whose sequence has grown.
    async fn behind(&self) -> Result<Vec<Uuid>, db::Error> {
        let followed: HashMap<Uuid, i64> = self.followed().into_iter().collect();
        if followed.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = followed.keys().copied().collect();
        let now = self
            .db
            .service(async |conn| positions(conn, &ids).await.map_err(db::Error::from))
            .await?;
        let grown = |(run, seq): &(Uuid, i64)| followed.get(run).is_some_and(|position| seq > position);
        Ok(now.into_iter().filter(grown).map(|(run, _)| run).collect())
    }

    /// Reads a run to its end and hands the messages out.
    async fn advance(&self, run: Uuid) -> Result<(), db::Error> {
        loop {
            let Some(position) = self.feeds().get(&run).map(|f| f.position) else {
                return Ok(());
            };
            let page = self.read_after(run, position).await?;
            let more = page.more;
            if page.frames.is_empty() {
                return Ok(());
            }
            self.hand_out(run, &page.frames.into());
            if !more {
                return Ok(());
            }
        }
    }

    fn hand_out(&self, run: Uuid, group: &Group) {
        let mut feeds = self.feeds();
        let Some(feed) = feeds.get_mut(&run) else {
            return;
        };
        // Others may have been offered while these were read.
        let known = group.partition_point(|frame| frame.seq <= feed.position);
        match group.get(known..) {
            Some([]) | None => {}
            Some(_) if known == 0 => feed.hand_out(group),
            Some(rest) => feed.hand_out(&rest.into()),
        }
    }
}

impl Feed {
    fn hand_out(&mut self, group: &Group) {
        self.position = group.last().map_or(self.position, |f| f.seq);
        self.subscribers.retain(|subscriber| subscriber.send(group));
    }
}

/// One task reads for all subscribers of this process, so that two reads never overtake each other.
async fn pump(hub: Weak<Inner>, mut hints: mpsc::Receiver<Hint>) {
    let mut clock = tokio::time::interval(POLL);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let Some(inner) = hub.upgrade() else {
            return;
        };
        // The task itself must not keep the hub alive, so it holds it only for the time of a tick.
        let look = tokio::select! {
            hint = hints.recv() => match hint {
                Some(hint) => drain(&inner, hint, &mut hints),
                None => return,
            },
            () = inner.fresh.notified() => Look::Everywhere,
            _ = clock.tick() => Look::Everywhere,
        };
        if let Err(error) = look_at(&inner, look).await {
            tracing::debug!(error = %crate::error::chain(&error), "live messages cannot be read");
        }
    }
}

enum Look {
    At(HashSet<Uuid>),
    Everywhere,
}

/// Takes all hints that wait, so that a burst costs one read, and what was handed out already costs none.
fn drain(inner: &Inner, first: Hint, hints: &mut mpsc::Receiver<Hint>) -> Look {
    let mut runs = HashSet::new();
    let mut next = Some(first);
    while let Some(hint) = next {
        match hint {
            Hint::Run(run, seq) if inner.lacks(run, seq) => {
                runs.insert(run);
            }
            Hint::Run(..) | Hint::Work => {}
            Hint::Anything => return Look::Everywhere,
        }
        next = hints.try_recv().ok();
    }
    Look::At(runs)
}

async fn look_at(inner: &Inner, look: Look) -> Result<(), db::Error> {
    inner.sweep();
    let runs = match look {
        Look::At(runs) => runs.into_iter().collect(),
        Look::Everywhere => inner.behind().await?,
    };
    for run in runs {
        inner.advance(run).await?;
    }
    Ok(())
}
