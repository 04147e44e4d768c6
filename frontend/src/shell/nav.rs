//! The navigation at the left: only what exists.

use leptos::{html, prelude::*};
use leptos_router::{components::A, hooks::use_location};
use types::RunStatus;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::pulse::use_pulse;
use crate::{
    components::{
        icon::{Glyph, Icon},
        words::Tone,
    },
    format::plural,
    shell::account::AccountMenu,
    url::use_carry,
};

/// A page of the navigation.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its address.
    pub path: &'static str,
    /// Its icon.
    pub glyph: Glyph,
}

/// The pages, in order. The command palette lists the same.
pub const ENTRIES: [Entry; 9] = [
    Entry {
        name: "Home",
        path: "/",
        glyph: Glyph::Home,
    },
    Entry {
        name: "Launch",
        path: "/launcher",
        glyph: Glyph::Launch,
    },
    Entry {
        name: "Runs",
        path: "/runs",
        glyph: Glyph::Runs,
    },
    Entry {
        name: "Leaderboard",
        path: "/leaderboard",
        glyph: Glyph::Board,
    },
    Entry {
        name: "Models",
        path: "/models",
        glyph: Glyph::Model,
    },
    Entry {
        name: "Failures",
        path: "/failures",
        glyph: Glyph::Fail,
    },
    Entry {
        name: "Slices",
        path: "/slices",
        glyph: Glyph::Slice,
    },
    Entry {
        name: "Benchmarks",
        path: "/benchmarks",
        glyph: Glyph::Bench,
    },
    Entry {
        name: "Import",
        path: "/import",
        glyph: Glyph::Up,
    },
];

/// Whether a path is an entry's own or below it.
fn is_below(path: &str, entry: &str) -> bool {
    if entry == "/" {
        return path == "/";
    }
    path.strip_prefix(entry)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// On a narrow screen the pages stand in one line that scrolls: the open one is brought into sight.
fn keep_in_sight(line: NodeRef<html::Div>, path: Memo<String>) {
    Effect::new(move || {
        path.track();
        let Some(line) = line.get() else { return };
        // Which one is open is marked by effects of their own.
        request_animation_frame(move || {
            let open = line.query_selector("[aria-current]").ok().flatten();
            if let Some(open) = open.and_then(|item| item.dyn_into::<HtmlElement>().ok()) {
                line.set_scroll_left(open.offset_left() - (line.client_width() - open.offset_width()) / 2);
            }
        });
    });
}

/// The navigation.
#[component]
pub fn Nav() -> impl IntoView {
    let carry = use_carry();
    let path = use_location().pathname;
    let pulse = use_pulse();
    let running = move || Some(pulse.count(RunStatus::Running)).filter(|&count| count > 0);
    let item = move |entry: &'static Entry| {
        // A page below an entry belongs to it as well.
        let current = move || path.with(|path| is_below(path, entry.path)).then_some("page");
        let count = move || {
            running().filter(|_| entry.path == "/runs").map(|count| {
                view! { <span class="nav__n" title=plural(count, "run is under way", "runs are under way")>{count}</span> }
            })
        };
        view! {
            <a class="nav__item" href=move || carry(entry.path) aria-current=current>
                <Icon glyph=entry.glyph/>
                {entry.name}
                {count}
            </a>
        }
    };
    let line = NodeRef::<html::Div>::new();
    keep_in_sight(line, path);
    view! {
        <nav class="nav" aria-label="Main">
            <div class="nav__in" node_ref=line>
                <A href=move || carry("/") attr:class="nav__brand"><Icon glyph=Glyph::Brand/>"LMMS-Eval"</A>
                {ENTRIES.iter().map(item).collect_view()}
                <NavFoot/>
            </div>
        </nav>
    }
    .into_any()
}

/// GPUs, queue, account.
#[component]
fn NavFoot() -> impl IntoView {
    let pulse = use_pulse();
    let system = pulse.system.value();
    let gpus = move || {
        system.get().map(|system| {
            let free = system.gpus.iter().filter(|gpu| gpu.state == "free").count();
            match system.gpus.len() {
                0 => "none".to_owned(),
                all => format!("{free} of {all} free"),
            }
        })
    };
    let why = move || {
        let system = system.get()?;
        system
            .hosts
            .iter()
            .find_map(|host| host.gpu_reason.clone())
            .filter(|_| system.gpus.is_empty())
    };
    let queue = move || system.get().map(|system| plural(system.queued, "run", "runs"));
    let trouble = move || {
        let system = system.get()?;
        let problem = system.hosts.iter().find_map(|host| host.problem.clone())?;
        Some(view! {
            <div class="nav__trouble" title=problem>
                <crate::components::words::StatusMark tone=Tone::Degraded word="Worker needs you"/>
            </div>
        })
    };
    view! {
        <div class="nav__foot">
            {trouble}
            <div title=why><span>"GPUs"</span><span>{gpus}</span></div>
            <div><span>"Queue"</span><span>{queue}</span></div>
            <AccountMenu/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_page_belongs_to_its_entry() {
        assert!(is_below("/runs/1", "/runs") && is_below("/runs", "/runs"));
        assert!(!is_below("/", "/runs") && !is_below("/modelscape", "/models"));
        assert!(
            is_below("/", "/") && !is_below("/runs", "/"),
            "the home page has nothing below it"
        );
    }
}
