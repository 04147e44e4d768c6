//! Something on the server, as a signal: loaded when its key changes, loaded again on request, and its requests
//! are aborted when nobody waits for them any more.

use std::future::Future;

use gloo_timers::callback::Interval;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use web_sys::AbortController;

use super::client::{Client, use_client};
use crate::{
    components::{
        panel::{Fault, Load},
        time::now_ms,
    },
    lasting::forget_reader,
};

/// Something on the server.
pub struct Remote<T: 'static> {
    /// Its state, for a panel.
    pub load: RwSignal<Load<T>>,
    again: RwSignal<u32>,
}

impl<T> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Remote<T> {}

impl<T: Send + Sync + 'static> Remote<T> {
    /// Loads it again; the value stays meanwhile.
    pub fn reload(self) {
        let _ = self.again.try_update(|count| *count += 1);
    }

    /// [`Self::reload`] for a panel's "Try again".
    pub fn retry(self) -> Callback<()> {
        Callback::new(move |()| self.reload())
    }

    /// The last good value.
    pub fn value(self) -> Signal<Option<std::sync::Arc<T>>> {
        Signal::derive(move || {
            forget_reader(self.load);
            self.load.with(|load| load.value.clone())
        })
    }
}

/// Loads what `fetch` gives for `key`, and again whenever the key changes. `None` waits.
pub fn remote<K, T, F, Fut>(key: impl Fn() -> Option<K> + Send + Sync + 'static, fetch: F) -> Remote<T>
where
    K: Clone + PartialEq + Send + Sync + 'static,
    T: Send + Sync + 'static,
    F: Fn(Client, K) -> Fut + 'static,
    Fut: Future<Output = Result<T, Fault>> + 'static,
{
    let client = use_client();
    let organization = crate::url::use_organization();
    let remote = Remote {
        load: RwSignal::new(Load::default()),
        again: RwSignal::new(0),
    };
    let key = Memo::new(move |_| key());
    Effect::new(move || {
        organization.track();
        remote.again.track();
        let Some(key) = key.get().filter(|_| client.is_ready()) else {
            return;
        };
        let Ok(controller) = AbortController::new() else {
            return;
        };
        remote.load.update(|load| load.busy = true);
        let client = client.until(controller.signal());
        let signal = controller.signal();
        let held = SendWrapper::new(controller);
        on_cleanup(move || held.abort());
        let pending = fetch(client, key);
        spawn_local(async move {
            let result = pending.await;
            if signal.aborted() {
                return;
            }
            let _ = remote.load.try_update(|load| match result {
                Ok(value) => *load = Load::ready(value, now_ms()),
                Err(fault) => load.fail(fault),
            });
        });
    });
    remote
}

/// Reloads every `millis` while `active` says so and the page is in sight.
pub fn poll<T: Send + Sync + 'static>(
    remote: Remote<T>,
    millis: u32,
    active: impl Fn() -> bool + Send + Sync + 'static,
) {
    let active = Memo::new(move |_| active());
    Effect::new(move || {
        if !active.get() {
            return;
        }
        let tick = move || {
            let busy = remote.load.try_with_untracked(|load| load.busy).unwrap_or(true);
            if !busy && !document().hidden() {
                remote.reload();
            }
        };
        let timer = SendWrapper::new(Interval::new(millis, tick));
        on_cleanup(move || drop(timer));
    });
}
