//! Where files are dropped or chosen.

use leptos::{html, prelude::*, task::spawn_local};
use web_sys::DragEvent;

use super::{
    picked::{self, Picked},
    sender::Sender,
};
use crate::components::{
    button::{Button, Size},
    icon::{Glyph, Icon},
    progress::Progress,
    words::{Alert, Untrusted, Weight},
};

/// Failed files that are named.
const NAMED: usize = 20;

/// The drop zone with its two buttons, and how far the sending is.
#[component]
pub fn DropZone(
    /// What sends the files.
    sender: Sender,
) -> impl IntoView {
    let over = RwSignal::new(false);
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        let entries = picked::entries(&event);
        if !entries.is_empty() {
            spawn_local(async move { sender.send(picked::walk(entries).await) });
        }
    };
    view! {
        <div
            class="drop"
            class=("drop--over", move || over.get())
            role="group"
            aria-label="Files to import"
            on:dragover=move |event: DragEvent| { event.prevent_default(); over.set(true); }
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <Icon glyph=Glyph::Up/>
            <p class="drop__words">"Drop files, folders or archives here"</p>
            <div class="row">
                <Chooser label="Choose files…" folder=false on_pick=move |files| sender.send(files)/>
                <Chooser label="Choose a folder…" folder=true on_pick=move |files| sender.send(files)/>
            </div>
            <p class="small dim">"Results documents, samples, logs; folders of them; zip, tar and tar.gz. They are only looked at first."</p>
        </div>
        <SendingLine sender/>
    }
    .into_any()
}

/// A button that opens the browser's own picker.
#[component]
fn Chooser(
    #[prop(into)] label: String,
    folder: bool,
    #[prop(into)] on_pick: Callback<Vec<Picked>>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    let picked = move |_| {
        let Some(input) = node.get_untracked() else { return };
        if let Some(list) = input.files() {
            on_pick.run(picked::chosen(&list));
        }
        // The same files can be chosen again.
        input.set_value("");
    };
    view! {
        <label class="btn launch__file">
            {label}
            <input class="vh" type="file" multiple=true prop:webkitdirectory=folder node_ref=node on:change=picked/>
        </label>
    }
}

#[component]
fn SendingLine(sender: Sender) -> impl IntoView {
    let state = sender.state;
    let bar = move || {
        state.with(|state| state.busy).then(|| {
            let share = Signal::derive(move || Some(state.with(super::sender::Sending::share)));
            view! {
                <div class="stack" role="status">
                    <span>"Sending "{move || state.with(super::sender::Sending::words)}</span>
                    <Progress label="Sending files" share/>
                </div>
            }
        })
    };
    let failed = move || {
        let (busy, failed) = state.with(|state| (state.busy, state.failed.clone()));
        (!busy && !failed.is_empty()).then(|| view! { <Failed failed sender/> })
    };
    let fault = move || {
        sender.fault.get().map(|fault| {
            view! { <Alert weight=Weight::Bad cause="The import cannot begin." live=true>{fault.line()}</Alert> }
        })
    };
    let busy = Memo::new(move |_| state.with(|state| state.busy));
    view! { <div class="stack">{move || busy.get().then(bar)}{failed}{fault}</div> }
}

#[component]
fn Failed(failed: Vec<(String, String)>, sender: Sender) -> impl IntoView {
    let cause = format!(
        "{} did not arrive.",
        crate::format::plural(failed.len() as u64, "file", "files")
    );
    let more = failed.len().saturating_sub(NAMED);
    let line = |(path, why): (String, String)| view! { <li><b><Untrusted text=path/></b>": "<Untrusted text=why/></li> };
    let lines = failed.into_iter().take(NAMED).map(line).collect_view();
    let more = (more > 0).then(|| view! { <li>"and "{more}" more"</li> });
    let actions = move || {
        view! {
            <Button size=Size::Small on_click=move |_| sender.retry()>"Send them again"</Button>
            <Button size=Size::Small on_click=move |_| sender.go_on()>"Go on without them"</Button>
        }
        .into_any()
    };
    view! { <Alert weight=Weight::Bad cause actions live=true><ul>{lines}{more}</ul></Alert> }
}
