//! What can be done with the selected runs.

use std::collections::BTreeMap;

use leptos::{prelude::*, task::spawn_local};
use types::{RunId, RunSummary};

use super::{
    feed::Feed,
    words::{can_cancel, can_requeue, loss},
};
use crate::{
    api::{client::use_client, endpoints},
    components::{
        button::{Button, Look},
        icon::Glyph,
        overlay::Confirm,
        panel::Fault,
        words::{Alert, Weight},
    },
    format::{plural, short_id},
    lasting::forget_reader,
};

/// The runs that are selected, as they were when they were last seen.
#[derive(Clone, Copy)]
pub struct Selection {
    chosen: RwSignal<BTreeMap<RunId, RunSummary>>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            chosen: RwSignal::new(BTreeMap::new()),
        }
    }
}

impl Selection {
    /// Whether this run is selected.
    pub fn has(self, id: RunId) -> bool {
        forget_reader(self.chosen);
        self.chosen.with(|chosen| chosen.contains_key(&id))
    }

    /// How many are selected.
    pub fn count(self) -> usize {
        self.chosen.with(BTreeMap::len)
    }

    /// Selects a run or no longer.
    pub fn set(self, run: &RunSummary, on: bool) {
        self.chosen.update(|chosen| {
            if on {
                chosen.insert(run.id, run.clone());
            } else {
                chosen.remove(&run.id);
            }
        });
    }

    /// Selects nothing.
    pub fn clear(self) {
        if !self.chosen.with_untracked(BTreeMap::is_empty) {
            self.chosen.set(BTreeMap::new());
        }
    }

    /// Brings what is known about the selected runs up to date.
    pub fn refresh<'a>(self, rows: impl Iterator<Item = &'a RunSummary>) {
        let newer: Vec<RunSummary> = self.chosen.with_untracked(|chosen| {
            rows.filter(|run| chosen.get(&run.id).is_some_and(|known| known != *run))
                .cloned()
                .collect()
        });
        if !newer.is_empty() {
            self.chosen
                .update(|chosen| chosen.extend(newer.into_iter().map(|run| (run.id, run))));
        }
    }

    fn those(self, test: fn(&RunSummary) -> bool) -> Vec<RunSummary> {
        self.chosen
            .with(|chosen| chosen.values().filter(|run| test(run)).cloned().collect())
    }
}

/// What is asked to be cancelled; the dialog is open while there is something.
#[derive(Clone, Copy)]
pub struct Actions {
    cancelling: RwSignal<Vec<RunSummary>>,
    open: RwSignal<bool>,
    busy: RwSignal<bool>,
    faults: RwSignal<Vec<String>>,
    requeue: Callback<Vec<RunSummary>>,
    cancel: Callback<Vec<RunSummary>>,
}

impl Actions {
    /// The actions of a page with this feed.
    pub fn new(feed: Feed) -> Self {
        let (busy, faults, open) = (
            RwSignal::new(false),
            RwSignal::new(Vec::new()),
            RwSignal::new(false),
        );
        let client = StoredValue::new(use_client());
        let each = move |runs: Vec<RunSummary>, requeue: bool| {
            if busy.get_untracked() {
                return;
            }
            busy.set(true);
            faults.set(Vec::new());
            let client = client.get_value();
            spawn_local(async move {
                for run in runs {
                    let result: Result<(), Fault> = match requeue {
                        true => endpoints::requeue(&client, run.id).await.map(drop),
                        false => endpoints::cancel(&client, run.id).await.map(drop),
                    };
                    if let Err(fault) = result {
                        let words = format!("{}: {}", short_id(&run.id.to_string()), fault.line());
                        let _ = faults.try_update(|faults| faults.push(words));
                    }
                }
                let _ = busy.try_set(false);
                let _ = open.try_set(false);
                feed.reload();
            });
        };
        Self {
            cancelling: RwSignal::new(Vec::new()),
            open,
            busy,
            faults,
            requeue: Callback::new(move |runs| each(runs, true)),
            cancel: Callback::new(move |runs| each(runs, false)),
        }
    }

    /// Asks before these are cancelled.
    pub fn ask_cancel(self, runs: Vec<RunSummary>) {
        self.cancelling.set(runs);
        self.open.set(true);
    }

    /// Queues these again: nothing is lost, so nothing is asked.
    pub fn requeue(self, runs: Vec<RunSummary>) {
        self.requeue.run(runs);
    }
}

/// The buttons for the selected runs.
#[component]
pub fn BulkBar(
    /// The selected runs.
    selection: Selection,
    /// What can be done with them.
    actions: Actions,
) -> impl IntoView {
    let cancellable = Memo::new(move |_| selection.those(can_cancel));
    let requeueable = Memo::new(move |_| selection.those(can_requeue));
    let none = |runs: Memo<Vec<RunSummary>>| Signal::derive(move || runs.with(Vec::is_empty));
    let requeue_title = Signal::derive(move || {
        requeueable
            .with(Vec::is_empty)
            .then(|| "None of these is over with something left to run".to_owned())
    });
    let cancel_title = Signal::derive(move || {
        cancellable
            .with(Vec::is_empty)
            .then(|| "None of these is under way".to_owned())
    });
    view! {
        <Show when=move || { selection.count() > 0 }>
            <span class="muted" role="status">{move || format!("{} selected", selection.count())}</span>
            <Button icon=Glyph::Redo disabled=none(requeueable) title=requeue_title busy=actions.busy
                on_click=move |_| actions.requeue(requeueable.get_untracked())>"Requeue"</Button>
            <Button look=Look::Danger disabled=none(cancellable) title=cancel_title
                on_click=move |_| actions.ask_cancel(cancellable.get_untracked())>"Cancel…"</Button>
            <Button look=Look::Quiet on_click=move |_| selection.clear()>"Clear"</Button>
        </Show>
    }
}

/// The question before a cancel, and what went wrong with the last action.
#[component]
pub fn ActionDialogs(
    /// What is asked and what was refused.
    actions: Actions,
) -> impl IntoView {
    let title = Signal::derive(move || {
        actions.cancelling.with(|runs| match runs.as_slice() {
            [one] => format!("Cancel run {}?", short_id(&one.id.to_string())),
            many => format!("Cancel {}?", plural(many.len() as u64, "run", "runs")),
        })
    });
    let act = Signal::derive(move || {
        actions
            .cancelling
            .with(|runs| {
                if runs.len() == 1 {
                    "Cancel run"
                } else {
                    "Cancel runs"
                }
            })
            .to_owned()
    });
    let what = move || actions.cancelling.with(|runs| loss(runs));
    let names = move || {
        actions.cancelling.with(|runs| {
            let names: Vec<String> = runs.iter().take(8).map(|run| run.name.clone()).collect();
            let more = runs.len().saturating_sub(8);
            if more > 0 {
                format!("{} and {more} more", names.join(", "))
            } else {
                names.join(", ")
            }
        })
    };
    let faults = move || {
        let faults = actions.faults.get();
        (!faults.is_empty()).then(|| {
            let cause = format!(
                "{} refused.",
                plural(faults.len() as u64, "action was", "actions were")
            );
            let close = move || {
                view! { <Button on_click=move |_| actions.faults.set(Vec::new())>"Close"</Button> }.into_any()
            };
            view! {
                <Alert weight=Weight::Bad cause actions=close live=true>
                    <ul>{faults.into_iter().map(|fault| view! { <li>{fault}</li> }).collect_view()}</ul>
                </Alert>
            }
        })
    };
    view! {
        {faults}
        <Confirm open=actions.open title keep="Keep running" act busy=actions.busy
            on_confirm=move |()| actions.cancel.run(actions.cancelling.get_untracked())>
            <p><strong>{names}</strong></p>
            <p>{what}</p>
        </Confirm>
    }
    .into_any()
}
