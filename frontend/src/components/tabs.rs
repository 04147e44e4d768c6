//! Tabs. They are links: which one is open is in the URL.

use leptos::prelude::*;
use leptos_router::components::A;

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tab {
    /// The words.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// A count beside the words.
    pub count: Option<String>,
    /// The one that is open.
    pub open: bool,
}

/// A row of tabs.
#[component]
pub fn Tabs(
    /// What they divide, as the accessible name.
    #[prop(into)]
    label: String,
    /// The tabs.
    #[prop(into)]
    tabs: Signal<Vec<Tab>>,
    /// What stands after the last one.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let tab = |tab: Tab| {
        let current = tab.open.then_some("page");
        view! {
            <a class="tabs__tab" href=tab.href aria-current=current>
                {tab.name}
                {tab.count.map(|count| view! { <span class="tabs__n">{count}</span> })}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label=label>
            {move || tabs.get().into_iter().map(tab).collect_view()}
            {children.map(|children| children())}
        </nav>
    }
}

/// One step of the way to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The words.
    pub name: String,
    /// Where it leads; none for the page itself.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that leads somewhere.
    pub fn link(name: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            href: Some(href.into()),
        }
    }

    /// The page itself.
    pub fn here(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            href: None,
        }
    }
}

/// The way to a page.
#[component]
pub fn Crumbs(
    /// The steps, the page itself last.
    #[prop(into)]
    crumbs: Signal<Vec<Crumb>>,
) -> impl IntoView {
    let step = |crumb: Crumb| match crumb.href {
        Some(href) => view! { <A href=href>{crumb.name}</A><span aria-hidden="true">"/"</span> }.into_any(),
        None => view! { <span aria-current="page">{crumb.name}</span> }.into_any(),
    };
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">{move || crumbs.get().into_iter().map(step).collect_view()}</nav>
    }
}
