//! What can be done about a run.

use std::future::Future;

use leptos::{prelude::*, task::spawn_local};

use super::{
    facts::{can_requeue, losses},
    use_store,
};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints,
    },
    components::{
        button::{Button, ButtonLink, Look},
        code::copy,
        field::TextField,
        icon::Glyph,
        overlay::{Confirm, Dialog, Item, Menu, MenuLook},
        panel::Fault,
        words::Weight,
    },
    format::short_id,
    shell::toasts::use_toasts,
    url::use_carry,
};

/// Something that is asked of the server for this run.
#[derive(Clone, Copy)]
pub struct Task {
    /// It is under way.
    pub busy: RwSignal<bool>,
    client: StoredValue<Client>,
}

impl Task {
    /// Nothing is under way.
    pub fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            client: StoredValue::new(use_client()),
        }
    }

    /// Asks, and calls `then` when the server has agreed; a refusal is told.
    pub fn ask<T, F>(
        self,
        what: &'static str,
        ask: impl FnOnce(Client) -> F + 'static,
        then: impl FnOnce(T) + 'static,
    ) where
        F: Future<Output = Result<T, Fault>> + 'static,
        T: 'static,
    {
        let toasts = use_toasts();
        let client = self.client.get_value();
        self.busy.set(true);
        spawn_local(async move {
            let answer = ask(client).await;
            let _ = self.busy.try_set(false);
            match answer {
                Ok(answer) => then(answer),
                Err(fault) => toasts.push(Weight::Bad, what, fault.line(), None),
            }
        });
    }
}

impl Default for Task {
    fn default() -> Self {
        Self::new()
    }
}

/// The actions of the head.
#[component]
pub fn Actions() -> impl IntoView {
    let store = use_store();
    let carry = use_carry();
    let id = store.id.to_string();
    let clone = {
        let id = id.clone();
        Signal::derive(move || carry(&format!("/launcher?from={id}")))
    };
    let cancelling = RwSignal::new(false);
    let renaming = RwSignal::new(false);
    let requeue = Task::new();
    let toasts = use_toasts();
    let over = Memo::new(move |_| store.status().is_terminal());
    let under_way = Memo::new(move |_| store.detail(|run| run.summary.cancelling).unwrap_or(false));
    let useful = Memo::new(move |_| store.detail(can_requeue).unwrap_or(false));
    let copied = move |what: &'static str, text: String| {
        spawn_local(async move {
            match copy(&text).await {
                true => toasts.push(Weight::Ok, format!("{what} copied"), text, None),
                false => toasts.push(Weight::Warn, "The browser did not allow it", text, None),
            }
        });
    };
    let items = move |()| {
        let id = id.clone();
        vec![
            Item::new("Rename…", move || renaming.set(true)),
            Item::new("Copy the id", move || copied("Id", id.clone())).meta(short_id(&store.id.to_string())),
        ]
    };
    let again = move |_| {
        requeue.ask(
            "The run was not queued again",
            move |client| async move { endpoints::requeue(&client, store.id).await },
            move |_| store.refresh(),
        );
    };
    let last = move || match (over.get(), useful.get()) {
        (false, _) => view! {
            <Button look=Look::Danger busy=under_way on_click=move |_| cancelling.set(true)>
                {move || if under_way.get() { "Cancelling" } else { "Cancel run…" }}
            </Button>
        }
        .into_any(),
        (true, true) => view! {
            <Button icon=Glyph::Redo busy=requeue.busy on_click=again
                title="Runs again what is not completed; committed benchmarks stay">"Requeue"</Button>
        }
        .into_any(),
        (true, false) => ().into_any(),
    };
    view! {
        <Button look=Look::Quiet icon=Glyph::Share on_click=move |_| copied("Link", window().location().href().unwrap_or_default())>"Share"</Button>
        <ButtonLink href=clone icon=Glyph::Copy>"Clone"</ButtonLink>
        <Menu label="More" look=MenuLook::Button items/>
        {last}
        <CancelQuestion open=cancelling/>
        <Dialog open=renaming title="Rename run"><Rename open=renaming/></Dialog>
    }
    .into_any()
}

#[component]
fn CancelQuestion(open: RwSignal<bool>) -> impl IntoView {
    let store = use_store();
    let task = Task::new();
    let title = Signal::derive(move || format!("Cancel run {}?", short_id(&store.id.to_string())));
    let confirm = move |()| {
        task.ask(
            "The run was not cancelled",
            move |client| async move { endpoints::cancel(&client, store.id).await },
            move |_| {
                open.set(false);
                store.refresh();
            },
        );
    };
    view! {
        <Confirm open title keep="Keep running" act="Cancel run" busy=task.busy on_confirm=confirm>
            {move || store.detail(losses).unwrap_or_default().into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
        </Confirm>
    }
}

#[component]
fn Rename(open: RwSignal<bool>) -> impl IntoView {
    let store = use_store();
    let task = Task::new();
    let name = RwSignal::new(untrack(|| store.detail(|run| run.summary.name.clone())).unwrap_or_default());
    let error = Signal::derive(move || {
        name.with(|name| {
            types::check_name(name)
                .err()
                .map(|error| format!("The name {error}"))
        })
    });
    let save = move || {
        if error.get_untracked().is_some() {
            return;
        }
        let wanted = name.get_untracked().trim().to_owned();
        task.ask(
            "The run was not renamed",
            move |client| async move { endpoints::rename(&client, store.id, &wanted).await },
            move |_| {
                open.set(false);
                store.refresh();
            },
        );
    };
    view! {
        <form on:submit=move |event| { event.prevent_default(); save(); }>
            <div class="dialog__body"><TextField label="Name" value=name required=true error/></div>
            <div class="dialog__foot">
                <Button on_click=move |_| open.set(false)>"Keep the name"</Button>
                <Button look=Look::Primary busy=task.busy on_click=move |_| save()>"Rename"</Button>
            </div>
        </form>
    }
    .into_any()
}
