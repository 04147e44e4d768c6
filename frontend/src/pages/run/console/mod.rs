//! The log: fetched in pages, fed live, drawn only where it is in sight.

pub mod feed;
pub mod lines;

use leptos::{html, prelude::*, task::spawn_local};
use types::LogStream;

use self::{
    feed::{Ask, Desk, LINE},
    lines::Lines,
};
use super::{
    use_store,
    window::{Wanted, Window},
};
use crate::{
    api::{client::use_client, endpoints},
    components::{
        button::{Button, IconButton, Look, Size},
        choice::{Entry, Select, Switch},
        download::save_blob,
        icon::Glyph,
        words::Weight,
    },
    format::{count, plural, short_id},
    shell::{
        keys::{Binding, bind},
        page::Section,
        toasts::use_toasts,
    },
    url::{Step, use_param, use_param_field, use_set_params},
};

/// The log of the run.
#[component]
pub fn Console(
    /// As high as the window allows.
    #[prop(optional)]
    tall: bool,
) -> impl IntoView {
    let desk = Desk::open();
    let search = NodeRef::<html::Input>::new();
    bind(vec![
        Binding::new("/", "search the log", move || {
            if let Some(input) = search.get_untracked() {
                let _ = input.focus();
            }
        }),
        Binding::new("f", "follow the log", move || {
            desk.set_follow(!desk.follow.get_untracked());
        }),
    ]);
    let note = Signal::derive(move || {
        let total = desk.window.with(Window::total);
        let what = if desk.wanted.with(Wanted::any) {
            ("matching line", "matching lines")
        } else {
            ("line", "lines")
        };
        Some(format!("{} · stdout and stderr", plural(total, what.0, what.1)))
    });
    view! {
        <Section title="Log" note id="log">
            <div class="log">
                <Bar desk search/>
                <Lines desk tall/>
                <Foot desk/>
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn Bar(desk: Desk, search: NodeRef<html::Input>) -> impl IntoView {
    let text = use_param_field("find");
    let level = use_param("level");
    let set = use_set_params();
    let levels = || {
        vec![
            Entry::new("", "All levels"),
            Entry::new("INFO", "Info and above"),
            Entry::new("WARNING", "Warnings and errors"),
            Entry::new("ERROR", "Errors"),
        ]
    };
    let follow = Signal::derive(move || desk.follow.get());
    view! {
        <div class="log__bar">
            <div class="log__search"><crate::components::field::SearchField label="Search the log" value=text placeholder="Search" node=search/></div>
            <span class="row log__tools">
                <Select label="Level" options=Signal::derive(levels) value=level on_change=move |level: String| set(&[("level", &level), ("line", "")], Step::Replace)/>
                <Switch on=follow on_change=move |on| desk.set_follow(on)>"Follow"</Switch>
                <IconButton label="Go to the first line" glyph=Glyph::Up on_click=move |_| { desk.follow.set(false); desk.ask(Ask::Head, true); }/>
                <IconButton label="Go to the last line" glyph=Glyph::Down on_click=move |_| desk.set_follow(true)/>
            </span>
        </div>
    }
    .into_any()
}

#[component]
fn Foot(desk: Desk) -> impl IntoView {
    let shown = move || {
        let (first, shown) = (
            (desk.scroll.get() / LINE) as usize,
            (desk.height.get() / LINE) as usize,
        );
        desk.window.with(|window| {
            let last = (first + shown).min(window.len()).checked_sub(1)?;
            let (from, to) = (window.number(first.min(last))?, window.number(last)?);
            Some(format!(
                "Showing {}–{} of {}",
                count(from),
                count(to),
                count(window.total())
            ))
        })
    };
    let cut = move || {
        desk.window.with(Window::truncated_at).map(|lines| {
            format!(
                "Only the first {} lines are kept as lines; the raw output has the rest",
                count(lines)
            )
        })
    };
    view! {
        <div class="log__foot">
            <span>{shown}</span>
            <span class="warn">{cut}</span>
            <span class="log__raw"><RawButton stream=LogStream::Stdout attempt=None/><RawButton stream=LogStream::Stderr attempt=None/></span>
        </div>
    }
}

/// Saves an output of an attempt, byte for byte; of the last one when none is named.
#[component]
pub fn RawButton(
    /// Which output.
    stream: LogStream,
    /// The attempt's number; the last attempt when none.
    attempt: Option<i32>,
) -> impl IntoView {
    let store = use_store();
    let client = StoredValue::new(use_client());
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let save = move |_| {
        let client = client.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = endpoints::raw_log(&client, store.id, stream, attempt).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(blob) => drop(save_blob(
                    &format!("{}-{stream}.log", short_id(&store.id.to_string())),
                    &blob,
                )),
                Err(fault) => toasts.push(Weight::Bad, "The log could not be loaded", fault.line(), None),
            }
        });
    };
    view! {
        <Button look=Look::Quiet size=Size::Small icon=Glyph::Download busy on_click=save>{format!("{stream}.log")}</Button>
    }
}
