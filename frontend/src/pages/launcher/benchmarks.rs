//! What it is evaluated on: the tree of the catalogue, what narrows it, and what is picked.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::{
    desk::{Desk, use_desk},
    picks::{add, add_all},
    shelf::{Narrow, Node, Shelf},
};
use crate::{
    components::{
        button::{Button, Look, Size},
        field::SearchField,
        icon::{Glyph, Icon},
        panel::{Empty, Panel},
        tree::{Tree, TreeRow},
        words::{Alert, ToggleChip, Weight},
    },
    format::{count, plural},
    shell::{
        keys::{Binding, bind},
        page::Section,
    },
    url::{Step, use_param, use_param_field, use_set_params},
};

/// How many picks are shown as chips; the rest is said.
const CHIPS: usize = 24;

/// The tree of benchmarks.
#[component]
pub fn BenchmarkTree() -> impl IntoView {
    let desk = use_desk();
    let note = Signal::derive(move || Some(summary(desk)));
    let tools = move || {
        let any = desk.fields.tasks.with(|tasks| !tasks.is_empty());
        any.then(|| {
            view! {
                <Button look=Look::Quiet size=Size::Small on_click=move |_| desk.fields.tasks.set(Vec::new())>"Clear"</Button>
            }
        })
        .into_any()
    };
    let empty = || {
        view! {
            <Empty title="The catalogue is empty">
                <span>"lmms-eval's tasks appear here as soon as an installation is found; the terminal of the server says which one is used."</span>
            </Empty>
        }
        .into_any()
    };
    view! {
        <Section title="Benchmarks" note tools id="benchmarks">
            <Panel
                load=desk.benchmarks.load
                on_retry=desk.benchmarks.retry()
                lines=12
                is_empty=Callback::new(|list: std::sync::Arc<types::BenchmarkList>| list.benchmarks.is_empty())
                empty=empty
                children=|_| view! { <Catalogue/> }.into_any()
            />
        </Section>
    }
    .into_any()
}

/// `8 selected, 21 537 samples`.
fn summary(desk: Desk) -> String {
    desk.fields.tasks.with(|tasks| {
        desk.catalogue.with(|catalogue| {
            let rows: Vec<_> = tasks.iter().filter_map(|name| catalogue.find(name)).collect();
            let known: i64 = rows.iter().filter_map(|row| row.num_samples).sum();
            let unknown = rows.iter().filter(|row| row.num_samples.is_none()).count();
            let samples = match (rows.len(), unknown) {
                (0, _) => String::new(),
                (all, none) if all == none => ", sizes not known yet".to_owned(),
                (_, 0) => format!(", {}", plural(known.unsigned_abs(), "sample", "samples")),
                _ => format!(
                    ", {} and {unknown} of unknown size",
                    plural(known.unsigned_abs(), "sample", "samples")
                ),
            };
            format!("{} selected{samples}", count(tasks.len() as i64))
        })
    })
}

/// Everything the tree depends on.
#[derive(Clone, Copy)]
struct Shown {
    desk: Desk,
    narrow: Memo<Narrow>,
    opened: RwSignal<BTreeMap<String, bool>>,
}

#[allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods themselves are not general enough over lifetimes"
)]
impl Shown {
    fn at<T>(self, read: impl FnOnce(&Shelf<'_>) -> T) -> T {
        let (narrow, opened) = (self.narrow.read(), self.opened.read());
        let (picks, catalogue) = (self.desk.fields.tasks.read(), self.desk.catalogue.read());
        read(&Shelf {
            catalogue: &catalogue,
            picks: &picks,
            narrow: &narrow,
            opened: &opened,
        })
    }

    fn tree(self) -> Vec<TreeRow> {
        self.at(|shelf| shelf.tree())
    }

    fn left(self) -> usize {
        self.at(|shelf| shelf.left())
    }
}

#[component]
fn Catalogue() -> impl IntoView {
    let desk = use_desk();
    let words = use_param_field("q");
    let narrow = use_narrow();
    let opened = RwSignal::new(BTreeMap::<String, bool>::new());
    let note = RwSignal::new(None::<String>);
    let shown = Shown { desk, narrow, opened };
    let rows = Memo::new(move |_| shown.tree());
    let names = move |node: &Node| untrack(|| shown.at(|shelf| shelf.names(node)));
    let tick = move |(key, on): (String, bool)| {
        let Some(node) = Node::of(&key) else { return };
        note.set(toggle(desk, &node, on, &names(&node)));
    };
    let open = move |(key, on): (String, bool)| {
        opened.update(|opened| {
            opened.insert(key, on);
        });
    };
    let search = NodeRef::new();
    bind(vec![Binding::new("/", "search the benchmarks", move || {
        if let Some(input) = search.get_untracked() {
            let input: leptos::web_sys::HtmlInputElement = input;
            let _ = input.focus();
        }
    })]);
    let left = move || {
        let total = desk
            .catalogue
            .with(|catalogue| catalogue.rows().iter().filter(|row| !row.missing).count());
        (shown.left(), total)
    };
    let hidden = move || {
        let (some, total) = left();
        narrow
            .with(Narrow::any)
            .then(|| format!("showing {} of {}", count(some as i64), count(total as i64)))
    };
    let nothing = move || {
        rows.with(Vec::is_empty).then(|| {
            view! {
                <Empty title="Nothing matches">
                    <span>"No benchmark has all of these words and properties."</span>
                    <ClearNarrow/>
                </Empty>
            }
        })
    };
    view! {
        <div class="bar">
            <div class="launch__search"><SearchField label="Search benchmarks" value=words placeholder="Name, tag or metric" node=search/></div>
            <NarrowChip name="no-judge" words="no judge"/>
            <NarrowChip name="local" words="no download"/>
            <NarrowChip name="shots" words="takes shots"/>
            <NarrowChip name="picked" words="selected"/>
            <span class="bar__end small muted">{move || hidden().unwrap_or_else(|| "Samples".to_owned())}</span>
        </div>
        <Chips/>
        {move || note.get().map(|cause| view! { <Alert weight=Weight::Warn cause live=true/> })}
        {move || desk.fault("benchmark_ids").get().map(|cause| view! { <Alert weight=Weight::Bad cause live=true/> })}
        <Tree label="Benchmarks" rows on_tick=tick on_open=open/>
        {nothing}
        <Problems/>
    }
    .into_any()
}

/// What a tick on a node does; the words for what else it did.
fn toggle(desk: Desk, node: &Node, on: bool, names: &[String]) -> Option<String> {
    let picks = desk.fields.tasks.get_untracked();
    let picked = match (on, node) {
        (false, _) => {
            let left = picks.into_iter().filter(|pick| !names.contains(pick)).collect();
            desk.fields.tasks.set(left);
            return None;
        }
        (true, Node::Modality(_) | Node::Category(..)) => {
            desk.catalogue.with_untracked(|all| add_all(all, &picks, names))
        }
        (true, Node::Benchmark(name) | Node::Member(_, name)) => {
            desk.catalogue.with_untracked(|all| add(all, &picks, name))
        }
    };
    desk.fields.tasks.set(picked.picks);
    picked.note
}

fn use_narrow() -> Memo<Narrow> {
    let words = use_param("q");
    let only = use_param("only");
    Memo::new(move |_| {
        let has = |name: &str| only.with(|only| only.split(',').any(|part| part == name));
        Narrow {
            words: words.get(),
            no_judge: has("no-judge"),
            local: has("local"),
            fewshot: has("shots"),
            picked: has("picked"),
        }
    })
}

#[component]
fn NarrowChip(name: &'static str, words: &'static str) -> impl IntoView {
    let only = use_param("only");
    let set = use_set_params();
    let on = Signal::derive(move || only.with(|only| only.split(',').any(|part| part == name)));
    let change = move |on: bool| {
        let now = only.get_untracked();
        let others = now.split(',').filter(|part| !part.is_empty() && *part != name);
        let all: Vec<&str> = others.chain(on.then_some(name)).collect();
        set(&[("only", &all.join(","))], Step::Replace);
    };
    view! { <ToggleChip on on_change=change>{words}</ToggleChip> }
}

#[component]
fn ClearNarrow() -> impl IntoView {
    let set = use_set_params();
    view! { <Button on_click=move |_| set(&[("q", ""), ("only", "")], Step::Replace)>"Show all benchmarks"</Button> }
}

/// What is picked, each with a way to remove it.
#[component]
fn Chips() -> impl IntoView {
    let desk = use_desk();
    let chip = move |name: String| {
        let unknown = desk.catalogue.with(|all| all.find(&name).is_none());
        let label = format!("Remove {name}");
        let gone = name.clone();
        let remove = move |_| {
            desk.fields
                .tasks
                .update(|tasks| tasks.retain(|task| *task != gone));
        };
        view! {
            <span class="chip" title=unknown.then_some("not in the catalogue")>
                {unknown.then(|| view! { <Icon glyph=Glyph::Warn/> })}
                <b class="trunc">{name}</b>
                <button type="button" class="chip__x" aria-label=label on:click=remove><Icon glyph=Glyph::X/></button>
            </span>
        }
    };
    let more = move || {
        let rest = desk.fields.tasks.with(Vec::len).saturating_sub(CHIPS);
        (rest > 0).then(|| view! { <span class="small muted">{format!("and {rest} more: press \"selected\" to see them")}</span> })
    };
    view! {
        <div class="row launch__chips" hidden=move || desk.fields.tasks.with(Vec::is_empty)>
            {move || desk.fields.tasks.get().into_iter().take(CHIPS).map(chip).collect_view()}
            {more}
        </div>
    }
}

/// What is odd about the task folders.
#[component]
fn Problems() -> impl IntoView {
    let desk = use_desk();
    let problems = move || {
        desk.benchmarks.load.with(|load| {
            load.value
                .as_ref()
                .map(|list| list.problems.clone())
                .unwrap_or_default()
        })
    };
    move || {
        let problems = problems();
        let cause = match problems.len() {
            0 => return ().into_any(),
            1 => "One remark on the task files.".to_owned(),
            n => format!("{n} remarks on the task files."),
        };
        let line = |text: String| view! { <li><crate::components::words::Untrusted text/></li> };
        let shown = problems.iter().take(50).cloned().map(line).collect_view();
        let rest = problems.len().saturating_sub(50);
        view! {
            <details class="launch__problems small">
                <summary>{cause}</summary>
                <ul>{shown}{(rest > 0).then(|| view! { <li>{format!("and {rest} more")}</li> })}</ul>
            </details>
        }
        .into_any()
    }
}
