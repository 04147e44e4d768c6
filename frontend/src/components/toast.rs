//! A toast: what finished or failed elsewhere. It leaves by itself unless it failed.

use leptos::prelude::*;

use super::{
    button::IconButton,
    icon::{Glyph, Icon},
    words::{Untrusted, Weight},
};

/// What a toast says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// What tells it apart.
    pub id: usize,
    /// Its weight.
    pub weight: Weight,
    /// What happened.
    pub title: String,
    /// More about it.
    pub detail: String,
    /// Where it can be seen: words and address.
    pub link: Option<(String, String)>,
}

/// A toast.
#[component]
pub fn Toast(
    /// What it says.
    note: Note,
    /// Called to dismiss it.
    #[prop(into)]
    on_dismiss: Callback<usize>,
) -> impl IntoView {
    let (glyph, class) = match note.weight {
        Weight::Ok => (Glyph::Ok, "toast toast--ok"),
        Weight::Warn => (Glyph::Warn, "toast toast--warn"),
        Weight::Bad => (Glyph::Bad, "toast toast--bad"),
        Weight::Plain | Weight::Accent => (Glyph::Info, "toast"),
    };
    let id = note.id;
    let label = format!("Dismiss: {}", note.title);
    view! {
        <div class=class role=if note.weight == Weight::Bad { "alert" } else { "status" }>
            <Icon glyph/>
            <strong>{note.title}</strong>
            <IconButton small=true label glyph=Glyph::X on_click=move |_| on_dismiss.run(id)/>
            <p>
                <Untrusted text=note.detail/>
                {note.link.map(|(words, href)| view! { " " <a class="link" href=href>{words}</a> })}
            </p>
        </div>
    }
    .into_any()
}
