//! The one store of a run's page: what was fetched and what arrives live end up in the same place.

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};
use types::{LiveMessage, RunId, RunStatus};

use super::{
    socket::{Link, Listener, listen},
    state::{Changed, RunState},
};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints,
    },
    components::{
        panel::{Fault, Load},
        time::now_ms,
    },
};

/// How far back a new connection asks for messages, to draw the charts of the time before the page was opened.
const HISTORY: i64 = 2000;

/// The store of a run. Every part is a signal of its own, so that a log line does not redraw the scores.
#[derive(Clone, Copy)]
pub struct RunStore {
    /// Which run.
    pub id: RunId,
    state: StoredValue<RunState>,
    load: RwSignal<Load<()>>,
    detail: RwSignal<u32>,
    metrics: RwSignal<u32>,
    lines: RwSignal<u32>,
    points: RwSignal<u32>,
    link: RwSignal<Link>,
    replayed: StoredValue<bool>,
    asking: StoredValue<Option<Timeout>, LocalStorage>,
    client: StoredValue<Client>,
}

impl RunStore {
    /// Opens the store of a run: fetches it and listens until it is over and for as long as the owner lives.
    pub fn open(id: RunId) -> Self {
        let client = use_client();
        let store = Self {
            id,
            state: StoredValue::new(RunState::default()),
            load: RwSignal::new(Load::default()),
            detail: RwSignal::new(0),
            metrics: RwSignal::new(0),
            lines: RwSignal::new(0),
            points: RwSignal::new(0),
            link: RwSignal::new(Link::default()),
            replayed: StoredValue::new(false),
            asking: StoredValue::new_local(None),
            client: StoredValue::new(client.clone()),
        };
        store.refresh();
        let live = Memo::new(move |_| {
            store.detail.track();
            store.read(|state| {
                state
                    .detail
                    .as_ref()
                    .is_some_and(|run| !run.summary.status.is_terminal())
            })
        });
        let listener = Listener {
            after: Callback::new(move |()| store.resume_from()),
            on_messages: Callback::new(move |messages| store.take(messages)),
            link: store.link,
            wanted: live.into(),
        };
        listen(client, id, listener);
        store
    }

    fn read<T: Default>(self, read: impl FnOnce(&RunState) -> T) -> T {
        self.state.try_with_value(read).unwrap_or_default()
    }

    fn resume_from(self) -> i64 {
        // The first connection also asks for what the charts have missed; what is known changes nothing else.
        let first = self
            .replayed
            .try_update_value(|replayed| !std::mem::replace(replayed, true))
            .unwrap_or(false);
        let cursor = self
            .state
            .try_update_value(|state| if first { state.begin(HISTORY) } else { state.cursor });
        cursor.unwrap_or(0)
    }

    /// Takes messages; false when some are missing.
    fn take(self, messages: Vec<LiveMessage>) -> bool {
        let changed = self.state.try_update_value(|state| {
            messages
                .into_iter()
                .map(|message| state.take(message))
                .fold(Changed::default(), Changed::and)
        });
        let Some(changed) = changed else { return true };
        self.notify(changed);
        if changed.ask {
            self.ask_soon();
        }
        !changed.resume
    }

    fn notify(self, changed: Changed) {
        let bump = |signal: RwSignal<u32>, on: bool| {
            if on {
                let _ = signal.try_update(|count| *count = count.wrapping_add(1));
            }
        };
        bump(self.detail, changed.detail);
        bump(self.metrics, changed.metrics);
        bump(self.lines, changed.lines);
        bump(self.points, changed.points);
    }

    /// Several changes of state within a moment are one question.
    fn ask_soon(self) {
        let timer = Timeout::new(250, move || self.refresh());
        let _ = self.asking.try_update_value(|slot| *slot = Some(timer));
    }

    /// Fetches the run and its scores again.
    pub fn refresh(self) {
        let Some(client) = self.client.try_get_value() else {
            return;
        };
        let _ = self.load.try_update(|load| load.busy = true);
        spawn_local(async move {
            let detail = endpoints::run(&client, self.id).await;
            let metrics = endpoints::metrics(&client, self.id).await;
            self.settle(detail.and_then(|detail| Ok((detail, metrics?))));
        });
    }

    fn settle(self, answer: Result<(types::RunDetail, types::MetricList), Fault>) {
        match answer {
            Ok((detail, metrics)) => {
                let _ = self.state.try_update_value(|state| {
                    state.fetched(detail);
                    state.fetched_metrics(metrics);
                });
                let _ = self.load.try_set(Load::ready((), now_ms()));
                self.notify(Changed {
                    detail: true,
                    metrics: true,
                    ..Changed::default()
                });
            }
            Err(fault) => {
                let _ = self.load.try_update(|load| load.fail(fault));
            }
        }
    }

    /// The state for a panel around the whole page: waiting, failed, there.
    pub fn load(self) -> Signal<Load<()>> {
        self.load.into()
    }

    /// How the live connection is.
    pub fn link(self) -> Signal<Link> {
        self.link.into()
    }

    /// Reads the run; the reader runs again when status, progress, benchmarks or timeline change. `None` until it
    /// has been fetched.
    pub fn detail<T>(self, read: impl FnOnce(&types::RunDetail) -> T) -> Option<T> {
        self.detail.track();
        self.read(|state| state.detail.as_ref().map(read))
    }

    /// The run's status; `queued` until it is known.
    pub fn status(self) -> RunStatus {
        self.detail(|run| run.summary.status).unwrap_or(RunStatus::Queued)
    }

    /// Reads the scores; the reader runs again when one is committed.
    pub fn metrics<T: Default>(self, read: impl FnOnce(&RunState) -> T) -> T {
        self.metrics.track();
        self.read(read)
    }

    /// Reads the lines that came live or were put in by [`Self::add_lines`].
    pub fn lines<T: Default>(self, read: impl FnOnce(&RunState) -> T) -> T {
        self.lines.track();
        self.read(read)
    }

    /// Reads throughput and GPUs; the reader runs again with each reading.
    pub fn points<T: Default>(self, read: impl FnOnce(&RunState) -> T) -> T {
        self.points.track();
        self.read(read)
    }

    /// Puts a fetched page of lines into the store.
    pub fn add_lines(self, page: types::LogPage) {
        let _ = self.state.try_update_value(|state| state.fetched_lines(page));
        self.notify(Changed {
            lines: true,
            ..Changed::default()
        });
    }
}
