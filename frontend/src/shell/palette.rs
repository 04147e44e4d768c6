//! The command palette: actions first, then things; the right side says what kind.

use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};
use types::{BenchmarkList, ModelList, RunList};

use super::{account::CredentialsOpen, keys::use_keys, nav::ENTRIES, theme::use_theme};
use crate::{
    api::{
        endpoints::{self, RunQuery},
        remote::{Remote, remote},
    },
    components::{
        icon::{Glyph, Icon},
        overlay::Dialog,
        picker::{Marked, matches},
        words::Kbd,
    },
    format::short_id,
    session::use_session,
    url::{Step, use_carry, use_go},
};

/// The most entries of one kind.
const EACH: usize = 6;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Theme,
    Credentials,
    Help,
    SignOut,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Command {
    glyph: Glyph,
    name: String,
    kind: String,
    go: Result<String, Act>,
}

impl Command {
    fn to(glyph: Glyph, name: impl Into<String>, kind: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            glyph,
            name: name.into(),
            kind: kind.into(),
            go: Ok(path.into()),
        }
    }

    fn act(glyph: Glyph, name: &str, act: Act) -> Self {
        Self {
            glyph,
            name: name.to_owned(),
            kind: "action".to_owned(),
            go: Err(act),
        }
    }
}

fn standing() -> Vec<Command> {
    let mut all: Vec<Command> = ENTRIES
        .iter()
        .map(|entry| Command::to(entry.glyph, entry.name, "page", entry.path))
        .collect();
    all.push(Command::to(
        Glyph::Fail,
        "Failed runs",
        "saved view",
        "/runs?view=attention",
    ));
    all.push(Command::act(
        Glyph::Sun,
        "Switch between light and dark",
        Act::Theme,
    ));
    all.push(Command::act(Glyph::Key, "Keys of this page", Act::Help));
    all.push(Command::act(
        Glyph::User,
        "Address and password…",
        Act::Credentials,
    ));
    all.push(Command::act(Glyph::Right, "Sign out", Act::SignOut));
    all
}

fn of_runs(list: &RunList) -> impl Iterator<Item = Command> + '_ {
    list.runs.iter().map(|run| {
        let name = format!("{} {}", run.name, short_id(&run.id.to_string()));
        Command::to(
            Glyph::Runs,
            name,
            format!("run, {}", run.status),
            format!("/runs/{}", run.id),
        )
    })
}

fn of_models(list: &ModelList) -> impl Iterator<Item = Command> + '_ {
    list.models
        .iter()
        .filter(|model| model.archived_at.is_none())
        .map(|model| {
            Command::to(
                Glyph::Model,
                format!("Launch {}", model.name),
                "model",
                format!("/launcher?model={}", model.id),
            )
        })
}

fn of_benchmarks(list: &BenchmarkList) -> impl Iterator<Item = Command> + '_ {
    list.benchmarks.iter().map(|benchmark| {
        let path = format!("/launcher?benchmarks={}", benchmark.id);
        Command::to(
            Glyph::Bench,
            format!("Launch on {}", benchmark.name),
            benchmark.kind.as_str(),
            path,
        )
    })
}

fn first_matching(all: impl Iterator<Item = Command>, query: &str) -> Vec<Command> {
    all.filter(|command| matches(&command.name, query))
        .take(EACH)
        .collect()
}

/// The palette.
#[component]
pub fn Palette() -> impl IntoView {
    let open = use_keys().palette();
    view! {
        <Dialog open title="Commands" class="dialog--palette">
            <PaletteBody open/>
        </Dialog>
    }
}

#[component]
fn PaletteBody(open: RwSignal<bool>) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let runs: Remote<RunList> = remote(
        move || {
            Some(RunQuery {
                search: query.get().trim().to_owned(),
                limit: EACH as u32,
                ..RunQuery::default()
            })
        },
        async |client, query| endpoints::runs(&client, &query).await,
    );
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await);
    let benchmarks = remote(
        move || Some(query.get().trim().to_owned()).filter(|text| !text.is_empty()),
        async |client, text| endpoints::find_benchmarks(&client, &text, EACH as u32).await,
    );
    let found = Memo::new(move |_| {
        let typed = query.get();
        let mut groups = vec![("Actions", first_matching(standing().into_iter(), &typed))];
        if let Some(list) = runs.value().get() {
            // The server has searched by model, benchmark and id as well, so its answer stands as it is.
            groups.push(("Runs", of_runs(&list).take(EACH).collect()));
        }
        if !typed.trim().is_empty() {
            groups.extend(
                models
                    .value()
                    .get()
                    .map(|list| ("Models", first_matching(of_models(&list), &typed))),
            );
            groups.extend(
                benchmarks
                    .value()
                    .get()
                    .map(|list| ("Benchmarks", first_matching(of_benchmarks(&list), &typed))),
            );
        }
        groups.retain(|group| !group.1.is_empty());
        groups
    });
    let flat = move || {
        found.with_untracked(|groups| {
            groups
                .iter()
                .flat_map(|group| group.1.clone())
                .collect::<Vec<_>>()
        })
    };
    let run = use_runner(open);
    let keys = move |event: KeyboardEvent| {
        let last = flat().len().saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            "ArrowUp" => at.update(|at| *at = if *at == 0 { last } else { *at - 1 }),
            "Enter" => {
                if let Some(command) = flat().get(at.get_untracked()) {
                    run(command);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let input = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(input) = input.get() {
            // Focus fails only when the dialog has just been closed again.
            let _ = input.focus();
        }
    });
    let list = move || {
        let typed = query.get();
        let mut index = 0;
        let mut group = |(name, commands): (&'static str, Vec<Command>)| {
            let entries = commands.into_iter().map(|command| {
                let own = index;
                index += 1;
                let picked = command.clone();
                view! {
                    <div
                        class="menu__item"
                        role="option"
                        id=format!("command-{own}")
                        aria-selected=move || if at.get() == own { "true" } else { "false" }
                        on:click=move |_| run(&picked)
                        on:mousemove=move |_| if at.get_untracked() != own { at.set(own) }
                    >
                        <Icon glyph=command.glyph/>
                        <Marked name=command.name query=typed.clone()/>
                        <span class="menu__meta">{command.kind}</span>
                    </div>
                }
            });
            let entries = entries.collect_view();
            view! { <div role="group" aria-label=name><div class="menu__head" aria-hidden="true">{name}</div>{entries}</div> }
        };
        let groups = found.get().into_iter().map(&mut group).collect_view();
        let nothing = (index == 0).then(|| view! { <p class="menu__head">"Nothing matches"</p> });
        view! { <div class="palette__list" role="listbox" id="commands" aria-label="Results">{groups}</div>{nothing} }
    };
    view! {
        <div class="palette">
            <div class="palette__in">
                <Icon glyph=Glyph::Search/>
                <input
                    node_ref=input
                    role="combobox"
                    aria-label="Command"
                    aria-expanded="true"
                    aria-controls="commands"
                    aria-activedescendant=move || format!("command-{}", at.get())
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Page, run, model, benchmark or action"
                    on:keydown=keys
                    on:input:target=move |event| { query.set(event.target().value()); at.set(0); }
                />
                <Kbd keys="Esc"/>
            </div>
            {list}
            <div class="palette__foot">
                <span class="row"><Kbd keys="↑"/><Kbd keys="↓"/>"move"</span>
                <span class="row"><Kbd keys="⏎"/>"open"</span>
            </div>
        </div>
    }
    .into_any()
}

fn use_runner(open: RwSignal<bool>) -> impl Fn(&Command) + Copy + Send + Sync + 'static {
    let (go, carry) = (use_go(), use_carry());
    let (theme, session, help) = (use_theme(), use_session(), use_keys().help());
    let credentials = expect_context::<CredentialsOpen>().0;
    move |command: &Command| {
        open.set(false);
        match &command.go {
            Ok(path) => go(&untrack(|| carry(path)), Step::Push),
            Err(Act::Theme) => theme.toggle(),
            Err(Act::Help) => help.set(true),
            Err(Act::Credentials) => credentials.set(true),
            Err(Act::SignOut) => spawn_local(session.sign_out()),
        }
    }
}
