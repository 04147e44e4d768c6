//! Buttons and links that look like buttons.

use leptos::{ev::MouseEvent, prelude::*};
use leptos_router::components::A;

use super::icon::{Glyph, Icon};

/// What a button means. One primary per view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// A second action.
    #[default]
    Plain,
    /// The action of the view.
    Primary,
    /// An action that should not draw the eye.
    Quiet,
    /// Opens the question before something is lost.
    Danger,
    /// The answer by which something is lost.
    DangerFinal,
}

/// The height of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// 24 px.
    Small,
    /// 28 px.
    #[default]
    Normal,
    /// 36 px.
    Large,
}

fn classes(look: Look, size: Size, grow: bool) -> String {
    let look = match look {
        Look::Plain => "",
        Look::Primary => " btn--primary",
        Look::Quiet => " btn--quiet",
        Look::Danger => " btn--danger",
        Look::DangerFinal => " btn--danger-fill",
    };
    let size = match size {
        Size::Small => " btn--sm",
        Size::Normal => "",
        Size::Large => " btn--lg",
    };
    format!("btn{look}{size}{}", if grow { " grow" } else { "" })
}

/// A button with words.
#[component]
pub fn Button(
    /// Called on click, unless the button is busy.
    #[prop(into)]
    on_click: Callback<MouseEvent>,
    /// What it means.
    #[prop(optional)]
    look: Look,
    /// Its height.
    #[prop(optional)]
    size: Size,
    /// An icon before the words.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// Working: shows it, keeps its width, takes no second click.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Cannot be used now; say why in `title`.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The reason or a longer explanation.
    #[prop(optional, into)]
    title: MaybeProp<String>,
    /// Takes the free width of its row.
    #[prop(optional)]
    grow: bool,
    /// The words: a verb, with an ellipsis when a dialog follows.
    children: Children,
) -> impl IntoView {
    let click = move |event: MouseEvent| {
        if !busy.get_untracked() {
            on_click.run(event);
        }
    };
    view! {
        <button
            type="button"
            class=classes(look, size, grow)
            aria-busy=move || busy.get().then_some("true")
            prop:disabled=move || disabled.get()
            title=move || title.get()
            on:click=click
        >
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {children()}
        </button>
    }
}

/// The button that sends a form.
#[component]
pub fn SubmitButton(
    /// Its height.
    #[prop(optional)]
    size: Size,
    /// An icon before the words.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// Working: shows it; the form must ignore a second submit meanwhile.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Cannot be used now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="submit"
            class=classes(Look::Primary, size, false)
            aria-busy=move || busy.get().then_some("true")
            prop:disabled=move || disabled.get()
        >
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {children()}
        </button>
    }
}

/// A link that looks like a button: for going somewhere.
#[component]
pub fn ButtonLink(
    /// Where to.
    #[prop(into)]
    href: Signal<String>,
    /// What it means.
    #[prop(optional)]
    look: Look,
    /// Its height.
    #[prop(optional)]
    size: Size,
    /// An icon before the words.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <A href=move || href.get() attr:class=classes(look, size, false)>
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {children()}
        </A>
    }
}

/// A button with nothing but an icon; it must have a name.
#[component]
pub fn IconButton(
    /// What it does, for those who do not see the icon.
    #[prop(into)]
    label: Signal<String>,
    /// The symbol.
    #[prop(into)]
    glyph: Signal<Glyph>,
    /// Called on click.
    #[prop(into)]
    on_click: Callback<MouseEvent>,
    /// 24 px instead of 28.
    #[prop(optional)]
    small: bool,
    /// On or off, for a button that stays pressed.
    #[prop(optional, into)]
    pressed: MaybeProp<bool>,
    /// Cannot be used now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=if small { "icon-btn icon-btn--sm" } else { "icon-btn" }
            aria-label=move || label.get()
            title=move || label.get()
            aria-pressed=move || pressed.get().map(|on| if on { "true" } else { "false" })
            prop:disabled=move || disabled.get()
            on:click=move |event| on_click.run(event)
        >
            <Icon glyph/>
        </button>
    }
}
