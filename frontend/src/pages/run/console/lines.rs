//! The lines in sight.

use leptos::prelude::*;
use types::{LogLevel, LogLine};
use wasm_bindgen::JsCast;

use super::{
    super::window::{Wanted, Window},
    feed::{Ask, Desk, LINE},
};
use crate::{
    components::{
        button::Button,
        panel::{Empty, FaultAlert, Phase, Skeleton},
        picker::marked,
        rows::Rows,
        table::window_of,
        time::use_zone,
        words::Untrusted,
    },
    format::{Zone, count, exact},
    url::{Step, use_set_params},
};

/// The lines in sight; only they exist in the page.
#[component]
pub fn Lines(
    /// What the parts of the console share.
    desk: Desk,
    /// As high as the window allows.
    tall: bool,
) -> impl IntoView {
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
            <Rows each key=|(number, line): &(Option<u64>, LogLine)| (*number, line.seq) children=line/>
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
