//! What a page tells the frame about itself.

use leptos::prelude::*;

use crate::components::tabs::Crumb;

/// The title and the way to the page that is open.
#[derive(Clone, Copy)]
pub struct PageInfo {
    title: RwSignal<String>,
    crumbs: RwSignal<Vec<Crumb>>,
}

/// Provides the place where a page says what it is, and keeps the title of the window.
pub fn provide_page() {
    let info = PageInfo {
        title: RwSignal::new(String::new()),
        crumbs: RwSignal::new(Vec::new()),
    };
    provide_context(info);
    Effect::new(move || {
        let title = info.title.get();
        let title = if title.is_empty() {
            "LMMS-Eval Dashboard".to_owned()
        } else {
            format!("{title} · LMMS-Eval Dashboard")
        };
        document().set_title(&title);
    });
}

/// The way to the page that is open.
pub fn use_crumbs() -> Signal<Vec<Crumb>> {
    expect_context::<PageInfo>().crumbs.into()
}

/// Says what the page is: called once by each page. Crumbs come without the page itself, which is the title.
pub fn describe_page(
    title: impl Fn() -> String + Send + Sync + 'static,
    way: impl Fn() -> Vec<Crumb> + Send + Sync + 'static,
) {
    let info = expect_context::<PageInfo>();
    Effect::new(move || {
        let title = title();
        let mut crumbs = way();
        crumbs.push(Crumb::here(title.clone()));
        info.title.set(title);
        info.crumbs.set(crumbs);
    });
}

/// The head of a page: title, what stands beside it, a sentence, the actions.
#[component]
pub fn PageHead(
    /// The title.
    #[prop(into)]
    title: ViewFn,
    /// What stands beside the title: a status, a badge.
    #[prop(optional, into)]
    beside: ViewFn,
    /// A sentence below.
    #[prop(optional, into)]
    lede: ViewFn,
    /// The actions, the primary last.
    #[prop(optional, into)]
    actions: ViewFn,
) -> impl IntoView {
    view! {
        <div class="page__head">
            <div>
                <div class="page__title"><h1>{move || title.run()}</h1>{move || beside.run()}</div>
                <div class="page__lede">{move || lede.run()}</div>
            </div>
            <div class="page__actions">{move || actions.run()}</div>
        </div>
    }
    .into_any()
}

/// A section with a heading.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// A few words beside it.
    #[prop(optional, into)]
    note: MaybeProp<String>,
    /// Controls at the right.
    #[prop(optional, into)]
    tools: ViewFn,
    /// The id of the heading, for links to it.
    #[prop(optional, into)]
    id: Option<String>,
    /// The content.
    children: Children,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| crate::components::field::fresh_id("section"));
    let labelled = id.clone();
    view! {
        <section class="sect" aria-labelledby=labelled>
            <div class="sect__head">
                <h2 id=id>{title}</h2>
                <span class="sect__note">{move || note.get()}</span>
                <span class="sect__tools">{move || tools.run()}</span>
            </div>
            {children()}
        </section>
    }
    .into_any()
}
