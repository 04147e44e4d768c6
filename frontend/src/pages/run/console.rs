//! The log: fetched in pages, fed live, drawn only where it is in sight.

use leptos::{html, prelude::*, task::spawn_local};
use types::{LogLevel, LogLine, LogStream};
use wasm_bindgen::JsCast;

use super::{
    use_store,
    window::{Wanted, Window},
};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints::{self, LogQuery},
    },
    components::{
        button::{Button, IconButton, Look, Size},
        choice::{Entry, Select, Switch},
        download::save_blob,
        icon::Glyph,
        panel::{Empty, FaultAlert, Load, Phase, Skeleton},
        picker::marked,
        table::window_of,
        time::{now_ms, use_zone},
        words::{Untrusted, Weight},
    },
    format::{Zone, count, exact, plural, short_id},
    live::store::RunStore,
    shell::{
        keys::{Binding, bind},
        page::Section,
        toasts::use_toasts,
    },
    url::{Step, use_param, use_param_field, use_set_params},
};

/// Height of a line, in CSS pixels; the stylesheet says the same.
const LINE: f64 = 20.0;
/// Lines of a page.
const PAGE: u32 = 1000;
/// How near to an end of the memory the next page is asked for, in lines.
const NEAR: usize = 100;

/// Which lines to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Tail,
    Head,
    Around(i64),
    Earlier(i64),
    Later(i64),
}

/// What the parts of the console share.
#[derive(Clone, Copy)]
struct Desk {
    store: RunStore,
    window: RwSignal<Window>,
    load: RwSignal<Load<()>>,
    wanted: Memo<Wanted>,
    at: Memo<Option<i64>>,
    follow: RwSignal<bool>,
    taken: StoredValue<i64>,
    round: StoredValue<u32>,
    client: StoredValue<Client>,
    node: NodeRef<html::Div>,
    scroll: RwSignal<f64>,
    height: RwSignal<f64>,
}

impl Desk {
    fn open() -> Self {
        let (find, level, at) = (use_param("find"), use_param("level"), use_param("line"));
        let wanted = Memo::new(move |_| Wanted {
            level: level.get().parse().ok(),
            text: find.get(),
        });
        let at = Memo::new(move |_| at.get().parse::<i64>().ok());
        let follow = RwSignal::new(at.with_untracked(Option::is_none));
        let desk = Self {
            store: use_store(),
            window: RwSignal::new(Window::default()),
            load: RwSignal::new(Load::default()),
            wanted,
            at,
            follow,
            taken: StoredValue::new(i64::MIN),
            round: StoredValue::new(0),
            client: StoredValue::new(use_client()),
            node: NodeRef::new(),
            scroll: RwSignal::new(0.0),
            height: RwSignal::new(340.0),
        };
        Effect::new(move || {
            wanted.track();
            desk.ask(at.get().map_or(Ask::Tail, Ask::Around), true);
        });
        Effect::new(move || {
            let first = desk.taken.get_value().saturating_add(1);
            let new = desk.store.lines(|state| {
                state
                    .lines
                    .range(first..)
                    .map(|(_, line)| line.clone())
                    .collect::<Vec<_>>()
            });
            desk.take_live(&new);
        });
        desk
    }

    fn reload(self) {
        self.ask(self.at.get_untracked().map_or(Ask::Tail, Ask::Around), true);
    }

    fn query(self) -> LogQuery {
        let wanted = self.wanted.get_untracked();
        LogQuery {
            level: wanted.level.map(|level| level.to_string()).unwrap_or_default(),
            search: wanted.text,
            limit: PAGE,
            ..LogQuery::default()
        }
    }

    /// Fetches lines; an answer that is no longer wanted is dropped.
    fn ask(self, ask: Ask, fresh: bool) {
        let busy = self.load.with_untracked(|load| load.busy && load.value.is_some());
        if busy && !fresh {
            return;
        }
        let round = self
            .round
            .try_update_value(|round| {
                *round += 1;
                *round
            })
            .unwrap_or(0);
        let (client, query) = (self.client.get_value(), self.query());
        self.load.update(|load| load.busy = true);
        spawn_local(async move {
            let answer = fetch(&client, self.store, query, ask).await;
            if self.round.try_get_value() != Some(round) {
                return;
            }
            match answer {
                Ok(pages) => {
                    let _ = self.load.try_set(Load::ready((), now_ms()));
                    self.settle(ask, pages);
                }
                Err(fault) => drop(self.load.try_update(|load| load.fail(fault))),
            }
        });
    }

    fn settle(self, ask: Ask, pages: Pages) {
        let Pages(first, second) = pages;
        match (ask, second) {
            (Ask::Around(seq), Some(after)) => {
                self.show(Window::around(first, after));
                self.reveal(seq);
            }
            (Ask::Head, _) => {
                self.show(Window::head(first));
                self.scroll_to(0.0);
            }
            (Ask::Earlier(_), _) => {
                let added = self
                    .window
                    .try_update(|window| window.earlier(first))
                    .unwrap_or(0);
                self.shift(added as f64 * LINE);
            }
            (Ask::Later(_), _) => {
                let gone = self.window.try_update(|window| window.later(first)).unwrap_or(0);
                self.shift(gone as f64 * -LINE);
                self.mark_taken();
            }
            _ => self.show(Window::tail(first)),
        }
    }

    fn show(self, window: Window) {
        let _ = self.window.try_set(window);
        self.mark_taken();
        // Lines that came while the page was on its way.
        let first = self.taken.try_get_value().unwrap_or(i64::MIN).saturating_add(1);
        let new = untrack(|| {
            self.store.lines(|state| {
                state
                    .lines
                    .range(first..)
                    .map(|(_, line)| line.clone())
                    .collect::<Vec<_>>()
            })
        });
        self.take_live(&new);
        self.keep_following();
    }

    /// Live lines are taken after the last one in memory, or, while the end is elsewhere, only counted from now on.
    fn mark_taken(self) {
        let last = self.window.try_with_untracked(|window| {
            let back = window
                .len()
                .checked_sub(1)
                .and_then(|index| window.line(index))
                .map(|line| line.seq);
            window.at_end().then_some(back.unwrap_or(i64::MIN))
        });
        let newest = untrack(|| self.store.lines(|state| state.lines.keys().next_back().copied()));
        let taken = last.flatten().or(newest).unwrap_or(i64::MIN);
        let _ = self.taken.try_set_value(taken);
    }

    fn take_live(self, new: &[LogLine]) {
        let ready = self
            .load
            .try_with_untracked(|load| load.value.is_some())
            .unwrap_or(false);
        let Some(last) = new.last().filter(|_| ready) else {
            return;
        };
        let _ = self.taken.try_set_value(last.seq);
        let wanted = self.wanted.get_untracked();
        let gone = self
            .window
            .try_update(|window| window.live(new.iter(), &wanted))
            .unwrap_or(0);
        if self.follow.get_untracked() {
            self.keep_following();
        } else {
            self.shift(gone as f64 * -LINE);
        }
    }

    fn keep_following(self) {
        if self.follow.get_untracked() {
            self.scroll_to(f64::MAX);
        }
    }

    fn scroll_to(self, top: f64) {
        request_animation_frame(move || {
            if let Some(node) = self.node.try_get_untracked().flatten() {
                node.set_scroll_top(if top >= f64::from(i32::MAX) {
                    node.scroll_height()
                } else {
                    top as i32
                });
            }
        });
    }

    /// Keeps the lines in sight in their place when lines were added or let go above them.
    fn shift(self, by: f64) {
        if by != 0.0 {
            let to = self.scroll.get_untracked() + by;
            self.scroll_to(to.max(0.0));
        }
    }

    fn reveal(self, seq: i64) {
        let place = self.window.with_untracked(|window| window.place(seq));
        if let Some(place) = place {
            self.scroll_to((place as f64 * LINE - self.height.get_untracked() / 2.0).max(0.0));
        }
    }

    fn scrolled(self, top: f64, height: f64, full: f64) {
        let before = self.scroll.get_untracked();
        self.scroll.set(top);
        self.height.set(height);
        let bottom = top + height >= full - LINE;
        if top < before - 1.0 && !bottom {
            self.follow.set(false);
        }
        let first = (top / LINE) as usize;
        let last = ((top + height) / LINE) as usize;
        let (earlier, later, len) = self
            .window
            .with_untracked(|window| (window.before(), window.after(), window.len()));
        match (earlier, later) {
            (Some(seq), _) if first < NEAR => self.ask(Ask::Earlier(seq), false),
            (_, Some(seq)) if last + NEAR > len => self.ask(Ask::Later(seq), false),
            _ => {}
        }
    }

    fn set_follow(self, on: bool) {
        self.follow.set(on);
        if on {
            match self.window.with_untracked(Window::at_end) {
                true => self.keep_following(),
                false => self.ask(Ask::Tail, true),
            }
        }
    }
}

/// One page, or two around a line.
struct Pages(types::LogPage, Option<types::LogPage>);

async fn fetch(
    client: &Client,
    store: RunStore,
    query: LogQuery,
    ask: Ask,
) -> Result<Pages, crate::components::panel::Fault> {
    let page = async |change: LogQuery| endpoints::logs(client, store.id, &change).await;
    let one = match ask {
        Ask::Tail => page(LogQuery { tail: true, ..query }).await?,
        Ask::Head => page(query).await?,
        Ask::Earlier(seq) => {
            page(LogQuery {
                before: seq.to_string(),
                ..query
            })
            .await?
        }
        Ask::Later(seq) => {
            page(LogQuery {
                cursor: seq.to_string(),
                ..query
            })
            .await?
        }
        Ask::Around(seq) => {
            let before = page(LogQuery {
                before: (seq + 1).to_string(),
                limit: PAGE / 2,
                ..query.clone()
            })
            .await?;
            let after = page(LogQuery {
                cursor: seq.to_string(),
                limit: PAGE / 2,
                ..query
            })
            .await?;
            return Ok(Pages(before, Some(after)));
        }
    };
    Ok(Pages(one, None))
}

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
            desk.set_follow(!desk.follow.get_untracked())
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
fn Lines(desk: Desk, tall: bool) -> impl IntoView {
    let zone = use_zone();
    let phase = Memo::new(move |_| {
        let nothing = desk.window.with(Window::is_empty);
        desk.load.with(|load| load.phase(|()| nothing))
    });
    let retry = Callback::new(move |()| desk.reload());
    let set = use_set_params();
    let instead = move || {
        match phase.get() {
        Phase::Waiting => view! { <Skeleton lines=8/> }.into_any(),
        Phase::Failed => view! { <FaultAlert load=desk.load.into() on_retry=retry/> }.into_any(),
        Phase::Empty if desk.wanted.with(Wanted::any) => view! {
            <Empty title="No line matches">
                <Button on_click=move |_| set(&[("find", ""), ("level", "")], Step::Replace)>"Show all lines"</Button>
            </Empty>
        }
        .into_any(),
        Phase::Empty => view! { <Empty title="Nothing has been printed yet"><span>"Lines appear here as lmms-eval prints them."</span></Empty> }.into_any(),
        Phase::Ready => ().into_any(),
    }
    };
    let range = Memo::new(move |_| {
        window_of(
            desk.window.with(Window::len),
            LINE,
            desk.scroll.get(),
            desk.height.get(),
        )
    });
    let each = move || {
        let range = range.get();
        desk.window.with(|window| {
            range
                .filter_map(|index| Some((window.number(index), window.line(index)?.clone())))
                .collect::<Vec<_>>()
        })
    };
    let pixels = move |lines: usize| format!("{}px", lines as f64 * LINE);
    let below = move || desk.window.with(Window::len).saturating_sub(range.get().end);
    let scrolled = move |event: web_sys::Event| {
        if let Some(node) = event
            .target()
            .and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok())
        {
            desk.scrolled(
                f64::from(node.scroll_top()),
                f64::from(node.client_height()),
                f64::from(node.scroll_height()),
            );
        }
    };
    Effect::new(move || {
        if let Some(node) = desk.node.get() {
            desk.height.set(f64::from(node.client_height()).max(LINE));
        }
    });
    let keys = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "Home" => {
            event.prevent_default();
            desk.follow.set(false);
            desk.ask(Ask::Head, true);
        }
        "End" => {
            event.prevent_default();
            desk.set_follow(true);
        }
        _ => {}
    };
    let line = move |(number, line): (Option<u64>, LogLine)| view! { <Line desk number line zone/> };
    view! {
        <div class=if tall { "log__lines log__lines--tall" } else { "log__lines" } tabindex="0" role="log" aria-live="off" aria-label="Log lines"
            node_ref=desk.node on:scroll=scrolled on:keydown=keys>
            {instead}
            <div aria-hidden="true" style=("height", move || pixels(range.get().start))></div>
            <For each=each key=|(number, line)| (*number, line.seq) children=line/>
            <div aria-hidden="true" style=("height", move || pixels(below()))></div>
        </div>
    }
    .into_any()
}

#[component]
fn Line(desk: Desk, number: Option<u64>, line: LogLine, zone: Zone) -> impl IntoView {
    let set = use_set_params();
    let seq = line.seq;
    let (class, word) = look(line.line.level);
    let at = exact(line.line.timestamp.timestamp_millis() as f64, zone);
    let time = at.get(11..19).unwrap_or_default().to_owned();
    let number = number.map(count).unwrap_or_default();
    let here = move || desk.at.get() == Some(seq);
    let context = move |_| {
        desk.follow.set(false);
        set(
            &[("line", &seq.to_string()), ("find", ""), ("level", "")],
            Step::Push,
        );
    };
    let text = flat(&line.line.message);
    let words = desk.wanted.with_untracked(|wanted| wanted.text.clone());
    let message = match words.is_empty() {
        true => view! { <Untrusted text/> }.into_any(),
        false => parts(&text, &words)
            .into_iter()
            .map(|(part, hit)| match hit {
                true => view! { <mark><Untrusted text=part/></mark> }.into_any(),
                false => view! { <Untrusted text=part/> }.into_any(),
            })
            .collect_view()
            .into_any(),
    };
    view! {
        <div class=class class=("log__l--hit", here)>
            <button type="button" tabindex="-1" title="Show this line among the others" on:click=context>{number}</button>
            <span title=at>{time}</span>
            <span>{word}</span>
            <span>{message}</span>
        </div>
    }
}

/// A message in one line.
fn flat(message: &str) -> String {
    message.trim_end_matches(['\n', '\r']).replace('\n', " ⏎ ")
}

/// The text cut at the matches of one needle, ignoring case.
fn parts(text: &str, needle: &str) -> Vec<(String, bool)> {
    // Blanks divide words for `marked`; here the needle is one text.
    if needle.contains(char::is_whitespace) {
        let (low, needle) = (text.to_lowercase(), needle.to_lowercase());
        return match low.find(&needle).filter(|_| low.len() == text.len()) {
            Some(at) => {
                let (before, rest) = text.split_at(at);
                let (hit, after) = rest.split_at(needle.len());
                let all = [
                    (before.to_owned(), false),
                    (hit.to_owned(), true),
                    (after.to_owned(), false),
                ];
                all.into_iter().filter(|part| !part.0.is_empty()).collect()
            }
            None => vec![(text.to_owned(), false)],
        };
    }
    marked(text, needle)
}

fn look(level: LogLevel) -> (&'static str, &'static str) {
    match level {
        LogLevel::Debug => ("log__l", "DBG"),
        LogLevel::Info => ("log__l", "INFO"),
        LogLevel::Warning => ("log__l log__l--warn", "WARN"),
        LogLevel::Error => ("log__l log__l--err", "ERR"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_cut_out() {
        let shown = |text, needle| {
            parts(text, needle)
                .into_iter()
                .filter(|part| part.1)
                .map(|part| part.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("CUDA out of memory", "MEMORY"), ["memory"]);
        assert_eq!(shown("CUDA out of memory", "out of"), ["out of"]);
        assert_eq!(parts("abc", "x y"), [("abc".to_owned(), false)]);
        assert_eq!(flat("a\nb\n"), "a ⏎ b");
    }
}
