//! What floats: dialog, question before a loss, menu, tooltip. The browser's own `<dialog>` and popovers keep
//! focus inside, close on Escape and lie above everything.

use leptos::{ev::MouseEvent, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::{
    button::{Button, Look},
    field::fresh_id,
    icon::{Glyph, Icon},
};

/// A modal dialog. The content exists only while it is open.
#[component]
pub fn Dialog(
    /// Open or not, both ways.
    open: RwSignal<bool>,
    /// The heading.
    #[prop(into)]
    title: Signal<String>,
    /// A class for a dialog of another width.
    #[prop(optional, into)]
    class: Option<&'static str>,
    /// The content.
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let heading = fresh_id("dialog");
    Effect::new(move || {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            // Fails only when the element has just left the page, and then there is nothing to show.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let outside = move |event: MouseEvent| {
        let on_backdrop = event
            .target()
            .zip(node.get_untracked())
            .is_some_and(|(target, dialog)| target.dyn_ref::<web_sys::Element>() == Some(dialog.as_ref()));
        if on_backdrop {
            open.set(false);
        }
    };
    let labelled = heading.clone();
    view! {
        <dialog
            class=format!("dialog {}", class.unwrap_or_default())
            node_ref=node
            aria-labelledby=labelled
            on:close=move |_| open.set(false)
            on:mousedown=outside
        >
            <Show when=move || open.get()>
                <h2 class="dialog__head" id=heading.clone()>{move || title.get()}</h2>
                {children()}
            </Show>
        </dialog>
    }
}

/// Asks once before something is lost, and names it.
#[component]
pub fn Confirm(
    /// Open or not, both ways.
    open: RwSignal<bool>,
    /// The question: `Cancel run 0198c4?`.
    #[prop(into)]
    title: Signal<String>,
    /// What stays when the answer is no: `Keep running`.
    #[prop(into)]
    keep: String,
    /// The final verb: `Cancel run`.
    #[prop(into)]
    act: Signal<String>,
    /// The work is under way; the dialog stays until `open` is cleared.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Called on the final verb.
    #[prop(into)]
    on_confirm: Callback<()>,
    /// What is lost and what is kept.
    children: ChildrenFn,
) -> impl IntoView {
    let keep = StoredValue::new(keep);
    let children = StoredValue::new(children);
    view! {
        <Dialog open title>
            <div class="dialog__body">{children.with_value(|children| children())}</div>
            <div class="dialog__foot">
                <Button on_click=move |_| open.set(false)>{keep.get_value()}</Button>
                <Button look=Look::DangerFinal busy on_click=move |_| on_confirm.run(())>{move || act.get()}</Button>
            </div>
        </Dialog>
    }
}

/// One entry of a [`Menu`].
#[derive(Clone)]
pub struct Item {
    /// The words.
    pub name: String,
    /// What qualifies it, at the right.
    pub meta: Option<String>,
    /// The one that holds.
    pub chosen: bool,
    /// Cannot be used now; `meta` says why.
    pub disabled: bool,
    /// Called when it is picked.
    pub act: Callback<()>,
}

impl Item {
    /// An entry that does something.
    pub fn new(name: impl Into<String>, act: impl Fn() + Send + Sync + 'static) -> Self {
        let act = Callback::new(move |()| act());
        Self {
            name: name.into(),
            meta: None,
            chosen: false,
            disabled: false,
            act,
        }
    }

    /// Qualifies it.
    #[must_use]
    pub fn meta(mut self, meta: impl Into<String>) -> Self {
        self.meta = Some(meta.into());
        self
    }

    /// Marks the one that holds.
    #[must_use]
    pub fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = chosen;
        self
    }

    /// Cannot be used now, for this reason.
    #[must_use]
    pub fn disabled(mut self, reason: Option<String>) -> Self {
        self.disabled = reason.is_some();
        self.meta = reason.or(self.meta);
        self
    }
}

/// How the button of a menu looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MenuLook {
    /// A button with words and a small arrow.
    #[default]
    Button,
    /// The same without a border.
    Quiet,
    /// Three dots.
    Dots,
    /// A dashed chip, to add a filter.
    Chip,
    /// A chip that stands for something that holds.
    ChipOn,
}

impl MenuLook {
    fn class(self) -> &'static str {
        match self {
            Self::Button => "btn",
            Self::Quiet => "btn btn--quiet",
            Self::Dots => "icon-btn icon-btn--sm",
            Self::Chip => "chip chip--add",
            Self::ChipOn => "chip chip--on",
        }
    }
}

/// A button that opens a list of entries.
#[component]
pub fn Menu(
    /// The words on the button; its accessible name where it shows only dots.
    #[prop(into)]
    label: Signal<String>,
    /// How the button looks.
    #[prop(optional, into)]
    look: Signal<MenuLook>,
    /// An icon before the words.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// The entries, asked for when it opens.
    #[prop(into)]
    items: Callback<(), Vec<Item>>,
) -> impl IntoView {
    let id = fresh_id("menu");
    let button = NodeRef::<html::Button>::new();
    let list = NodeRef::<html::Div>::new();
    let open = RwSignal::new(false);
    let toggled = move |_: web_sys::Event| {
        let Some(list) = list.get_untracked() else { return };
        let now = list.matches(":popover-open").unwrap_or(false);
        open.set(now);
        if let Some(button) = button.get_untracked().filter(|_| now) {
            // The entries are in the page once the effects of `open` have run.
            request_animation_frame(move || {
                place(&list, &button);
                move_focus(&list, 0);
            });
        }
    };
    let close = move || {
        if let Some(list) = list.get_untracked() {
            // Fails only when it is closed already.
            let _ = list.hide_popover();
        }
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        if let Some(list) = list.get_untracked() {
            move_focus(&list, step);
        }
    };
    let entry = move |item: Item| {
        let Item {
            name,
            meta,
            chosen,
            disabled,
            act,
        } = item;
        view! {
            <button
                type="button"
                class="menu__item"
                role="menuitem"
                tabindex="-1"
                aria-disabled=disabled.then_some("true")
                on:click=move |_| if !disabled { close(); act.run(()) }
            >
                {chosen.then(|| view! { <Icon glyph=Glyph::Check/> })}
                <span>{name}</span>
                {meta.map(|meta| view! { <span class="menu__meta">{meta}</span> })}
            </button>
        }
    };
    let face = move || match look.get() {
        MenuLook::Dots => view! { <Icon glyph=Glyph::More/> }.into_any(),
        _ => view! {
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {move || label.get()}
            {(look.get() != MenuLook::Chip).then(|| view! { <Icon glyph=Glyph::Chevron/> })}
        }
        .into_any(),
    };
    view! {
        <button
            type="button"
            class=move || look.get().class()
            node_ref=button
            popovertarget=id.clone()
            aria-haspopup="menu"
            aria-expanded=move || if open.get() { "true" } else { "false" }
            aria-label=move || (look.get() == MenuLook::Dots).then(|| label.get())
        >
            {face}
        </button>
        <div class="menu menu--pop" id=id popover="auto" role="menu" node_ref=list aria-label=move || label.get()
            on:toggle=toggled on:keydown=keys>
            {move || open.get().then(|| items.run(()).into_iter().map(entry).collect_view())}
        </div>
    }
    .into_any()
}

/// Puts a popover under its button, inside the window.
fn place(list: &HtmlElement, button: &HtmlElement) {
    let anchor = button.get_bounding_client_rect();
    let size = list.get_bounding_client_rect();
    let (wide, high) = window_size();
    let left = anchor.left().min(wide - size.width() - 8.0).max(8.0);
    let below = anchor.bottom() + 4.0;
    let above = anchor.top() - size.height() - 4.0;
    let top = if below + size.height() > high - 8.0 && above > 8.0 {
        above
    } else {
        below
    };
    let style = list.style();
    // A rejected value leaves the browser's own place, which is in sight as well.
    let _ = style.set_property("left", &format!("{left}px"));
    let _ = style.set_property("top", &format!("{top}px"));
}

fn window_size() -> (f64, f64) {
    let size = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    (size(window().inner_width()), size(window().inner_height()))
}

/// Moves the focus among the entries by `step`; 0 takes the first.
fn move_focus(list: &HtmlElement, step: i32) {
    let children = list.children();
    let count = children.length() as i32;
    if count == 0 {
        return;
    }
    let active = document().active_element();
    let now = (0..count).find(|&index| children.item(index as u32) == active);
    let next = now.map_or(0, |now| (now + step).rem_euclid(count));
    let next = children
        .item(next as u32)
        .and_then(|child| child.dyn_into::<HtmlElement>().ok());
    if let Some(next) = next {
        let _ = next.focus();
    }
}

/// Explains what the pointer or the focus is on; never the only place of a fact.
#[component]
pub fn Tip(
    /// The explanation.
    #[prop(into)]
    text: Signal<String>,
    /// What is explained.
    children: Children,
) -> impl IntoView {
    let id = fresh_id("tip");
    let described = id.clone();
    view! {
        <span class="tipped" tabindex="0" aria-describedby=described>
            {children()}
            <span class="tip" role="tooltip" id=id>{move || text.get()}</span>
        </span>
    }
}
