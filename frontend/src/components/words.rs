//! Words with state: status, badge, chip, alert, untrusted text.

use leptos::{ev::MouseEvent, prelude::*};

use super::icon::{Glyph, Icon, icon};
use crate::format::{Piece, visible};

/// How a status is drawn: icon, word and colour, always all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Done and sound.
    Ok,
    /// Done, with something to know.
    Degraded,
    /// Ended with an error.
    Bad,
    /// At work, but nothing moves.
    Stalled,
    /// Ended by someone's will.
    Cancelled,
}

impl Tone {
    fn parts(self) -> (&'static str, Glyph) {
        match self {
            Self::Queued => ("status status--queue", Glyph::Clock),
            Self::Running => ("status status--run", Glyph::Spin),
            Self::Ok => ("status status--ok", Glyph::Ok),
            Self::Degraded => ("status status--warn", Glyph::Half),
            Self::Bad => ("status status--bad", Glyph::Bad),
            Self::Stalled => ("status status--warn", Glyph::Stall),
            Self::Cancelled => ("status status--cancel", Glyph::Stop),
        }
    }

    /// The suffix of a segment's class.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Queued | Self::Cancelled => "queue",
            Self::Running | Self::Stalled => "run",
            Self::Ok => "ok",
            Self::Degraded => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A status.
#[component]
pub fn StatusMark(
    /// How it is drawn.
    #[prop(into)]
    tone: Signal<Tone>,
    /// The word.
    #[prop(into)]
    word: Signal<String>,
) -> impl IntoView {
    move || status_mark(tone.get(), word.get())
}

/// A status that does not change where it is: for the cells of a table that are drawn as a whole.
pub fn status_mark(tone: Tone, word: String) -> impl IntoView {
    let (class, glyph) = tone.parts();
    view! { <span class=class>{icon(glyph)}{word}</span> }
}

/// The weight of a badge or an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// A fact.
    #[default]
    Plain,
    /// Selected, or the one that is compared with.
    Accent,
    /// Good.
    Ok,
    /// To know.
    Warn,
    /// Wrong.
    Bad,
}

impl Weight {
    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Accent => "accent",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    fn class(self, block: &str) -> String {
        match self.suffix() {
            "" => block.to_owned(),
            suffix => format!("{block} {block}--{suffix}"),
        }
    }
}

/// A short qualification: `0-shot`, `judge`, `limit 200`.
#[component]
pub fn Badge(
    /// Its weight.
    #[prop(optional)]
    weight: Weight,
    /// A longer explanation.
    #[prop(optional, into)]
    title: Option<String>,
    /// The word.
    children: Children,
) -> impl IntoView {
    view! { <span class=weight.class("badge") title=title>{children()}</span> }
}

/// A filter that holds, with a way to remove it.
#[component]
pub fn FilterChip(
    /// What is filtered.
    #[prop(into)]
    name: String,
    /// By which value.
    #[prop(into)]
    value: Signal<String>,
    /// Called to remove it.
    #[prop(into)]
    on_remove: Callback<()>,
) -> impl IntoView {
    let label = format!("Remove the filter {name}");
    view! {
        <span class="chip">
            <i>{name}</i>
            <b class="trunc">{move || value.get()}</b>
            <button type="button" class="chip__x" aria-label=label on:click=move |_| on_remove.run(())>
                <Icon glyph=Glyph::X/>
            </button>
        </span>
    }
}

/// A filter that is on or off.
#[component]
pub fn ToggleChip(
    /// On or off.
    #[prop(into)]
    on: Signal<bool>,
    /// Called with what it should become.
    #[prop(into)]
    on_change: Callback<bool>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=move || if on.get() { "chip chip--on" } else { "chip" }
            aria-pressed=move || if on.get() { "true" } else { "false" }
            on:click=move |_: MouseEvent| on_change.run(!on.get_untracked())
        >
            {children()}
        </button>
    }
}

/// A message that stands where its matter is: one bold sentence of cause, then the evidence, then one button.
#[component]
pub fn Alert(
    /// Its weight.
    weight: Weight,
    /// The sentence of cause.
    #[prop(into)]
    cause: Signal<String>,
    /// The evidence.
    #[prop(optional)]
    children: Option<Children>,
    /// What to do: buttons.
    #[prop(optional, into)]
    actions: Option<ViewFnOnce>,
    /// Announced when it appears.
    #[prop(optional)]
    live: bool,
) -> impl IntoView {
    let glyph = match weight {
        Weight::Ok => Glyph::Ok,
        Weight::Warn => Glyph::Warn,
        Weight::Bad => Glyph::Bad,
        Weight::Plain | Weight::Accent => Glyph::Info,
    };
    view! {
        <div class=weight.class("alert") role=if live { "alert" } else { "group" }>
            <Icon glyph/>
            <div>
                <strong>{move || cause.get()}</strong>
                {children.map(|children| view! { <div class="alert__body">{children()}</div> })}
            </div>
            {actions.map(|actions| view! { <div class="alert__act">{actions.run()}</div> })}
        </div>
    }
    .into_any()
}

/// Text by a model, a log or a stranger: shown as text, with hidden characters made visible.
#[component]
pub fn Untrusted(
    /// The text.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    move || text.with(|text| untrusted(text))
}

/// The same, for text that does not change where it is.
pub fn untrusted(text: &str) -> impl IntoView + use<> {
    let shown = visible(text).into_iter().map(|piece| match piece {
        Piece::Plain(text) => text.into_any(),
        Piece::Hidden(name) => view! { <span class="ctrl" title="hidden character">{name}</span> }.into_any(),
    });
    shown.collect_view()
}

/// A key or a combination of keys.
#[component]
pub fn Kbd(
    /// Its name: `j`, `Esc`, `Ctrl K`.
    #[prop(into)]
    keys: String,
) -> impl IntoView {
    view! { <kbd class="kbd">{keys}</kbd> }
}
