//! The samples of the page, as a list of links.

use leptos::prelude::*;
use types::{SamplePage, SampleView};

use super::Explorer;
use crate::{
    components::{
        button::{Button, Size},
        panel::{Empty, Panel},
        rows::Rows,
        words::{Kbd, Untrusted},
    },
    format::{count, input_text, plural, text_of},
    media::Thumb,
    url::{Step, use_changed, use_set_params},
};

/// Characters of a line of the list.
const LINE: usize = 90;

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// To this sample.
    Sample(String),
    /// To the page after this one.
    Page(String),
    /// Nowhere.
    None,
}

/// Where a step from a sample leads; without a known one to the first.
pub fn next_of(page: &SamplePage, open: &str, by: isize) -> Next {
    let ids: Vec<String> = page.samples.iter().map(|sample| sample.id.to_string()).collect();
    // The first one is open when none is named.
    let at = ids.iter().position(|id| id == open).unwrap_or(0);
    match at.checked_add_signed(by).and_then(|next| ids.get(next)) {
        Some(id) => Next::Sample(id.clone()),
        None if by > 0 => page.next_cursor.clone().map_or(Next::None, Next::Page),
        None => Next::None,
    }
}

/// The list.
#[component]
pub fn List(
    /// What the page shares.
    explorer: Explorer,
) -> impl IntoView {
    let page = explorer.page;
    let set = use_set_params();
    let empty = move || {
        view! {
            <Empty title="No sample fits">
                <span>"Either nothing went wrong, or the filters leave nothing."</span>
                <Button size=Size::Small on_click=move |_| set(&super::address::CLEARED, Step::Push)>"Show all samples"</Button>
            </Empty>
        }
        .into_any()
    };
    let total = move || {
        let value = page.value().get();
        let noun = if explorer.address.mark.with(String::is_empty) {
            ("failure", "failures")
        } else {
            ("sample", "samples")
        };
        value.map_or_else(|| "Samples".to_owned(), |page| plural(page.total, noun.0, noun.1))
    };
    view! {
        <section class="explore__list" aria-label="Samples">
            <div class="sect__head">
                <h2>{total}</h2>
                <span class="sect__tools"><Kbd keys="j"/><Kbd keys="k"/></span>
            </div>
            <Panel load=page.load on_retry=page.retry() lines=10
                is_empty=Callback::new(|page: std::sync::Arc<SamplePage>| page.samples.is_empty())
                empty=empty
                children=move |page| view! { <Items page explorer/> }.into_any()/>
        </section>
    }
    .into_any()
}

#[component]
fn Items(page: Signal<std::sync::Arc<SamplePage>>, explorer: Explorer) -> impl IntoView {
    let set = use_set_params();
    let items = move || page.with(|page| page.samples.clone());
    let shown = move || {
        page.with(|page| {
            format!(
                "Showing {} of {}",
                count(page.samples.len() as u64),
                count(page.total)
            )
        })
    };
    let first = move || {
        explorer.address.from.with(|from| !from.is_empty()).then(|| {
            view! { <Button size=Size::Small on_click=move |_| set(&[("from", ""), ("sample", "")], Step::Push)>"First"</Button> }
        })
    };
    let next = move || {
        page.with(|page| page.next_cursor.clone()).map(|cursor| {
            view! { <Button size=Size::Small on_click=move |_| set(&[("from", &cursor), ("sample", "")], Step::Push)>"Next page"</Button> }
        })
    };
    view! {
        <div class="scroll failures__items" tabindex="0" role="region" aria-label="Sample list">
            <Rows each=items key=|sample: &SampleView| sample.id children=move |sample| view! { <ListItem sample page explorer/> }/>
        </div>
        <div class="pager"><span class="small dim">{shown}</span><span class="pager__end">{first}{next}</span></div>
    }
}

#[component]
fn ListItem(
    sample: SampleView,
    page: Signal<std::sync::Arc<SamplePage>>,
    explorer: Explorer,
) -> impl IntoView {
    let changed = use_changed();
    let id = sample.id;
    let open = explorer.address.sample;
    let current = move || {
        let named = open.get();
        let is = if named.is_empty() {
            page.with(|page| page.samples.first().map(|first| first.id) == Some(id))
        } else {
            named == id.to_string()
        };
        is.then_some("true")
    };
    let question = line(&input_text(&sample.input));
    let question = if question.is_empty() {
        format!("Document {}", sample.doc_id)
    } else {
        question
    };
    view! {
        <a id=format!("sample-{id}") class="list__i" href=move || changed(&[("sample", &id.to_string())]) aria-current=current>
            <Thumb media=sample.media.clone()/>
            <span class="trunc"><Untrusted text=question/></span>
            <span class="list__t small dim">
                <span class="trunc"><Untrusted text=versus(&sample)/></span>
                <span>{sample.doc_id}</span>
            </span>
        </a>
    }
}

/// What was answered, and what was expected: `41 ≠ 43`.
fn versus(sample: &SampleView) -> String {
    let (answer, target) = (
        line(&text_of(&sample.prediction)),
        line(&text_of(&sample.ground_truth)),
    );
    let answer = if answer.is_empty() {
        "no answer".to_owned()
    } else {
        answer
    };
    match (target.is_empty(), sample.error) {
        (true, _) | (_, None) => answer,
        (false, Some(error)) => format!("{answer} {} {target}", if error > 0.0 { "≠" } else { "=" }),
    }
}

/// The beginning of a text on one line.
fn line(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > LINE {
            return words.chars().take(LINE).chain(['…']).collect();
        }
    }
    words
}

/// Brings a sample of the list into sight.
pub fn reveal(id: &str) {
    if let Some(item) = document().get_element_by_id(&format!("sample-{id}")) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        item.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn sample(n: u128, answer: &str, target: &str, error: Option<f64>) -> SampleView {
        serde_json::from_value(json!({
            "id": uuid::Uuid::from_u128(n), "index": 0, "doc_id": n, "benchmark_id": uuid::Uuid::nil(), "benchmark": "chartqa",
            "run_benchmark_id": uuid::Uuid::nil(), "filter": "none", "input": {"prompt": "Which?"}, "ground_truth": target,
            "prediction": answer, "raw_prediction": null, "metrics": {"acc": 0}, "score": null, "score_reason": null,
            "error": error, "confidence": null, "flags": [], "slices": []
        }))
        .unwrap()
    }

    #[test]
    fn steps_go_through_the_page_and_beyond() {
        let page = SamplePage {
            samples: vec![sample(1, "a", "b", None), sample(2, "a", "b", None)],
            total: 9,
            next_cursor: Some("after".into()),
        };
        let id = |n: u128| uuid::Uuid::from_u128(n).to_string();
        assert_eq!(next_of(&page, "", 1), Next::Sample(id(2)));
        assert_eq!(next_of(&page, &id(2), -1), Next::Sample(id(1)));
        assert_eq!(next_of(&page, &id(2), 1), Next::Page("after".into()));
        assert_eq!(next_of(&page, &id(1), -1), Next::None);
    }

    #[test]
    fn a_line_says_what_was_answered() {
        assert_eq!(versus(&sample(1, "41", "43", Some(1.0))), "41 ≠ 43");
        assert_eq!(versus(&sample(1, "43", "43", Some(0.0))), "43 = 43");
        assert_eq!(versus(&sample(1, "", "43", Some(1.0))), "no answer ≠ 43");
        assert_eq!(versus(&sample(1, "x", "43", None)), "x");
        assert_eq!(line("a\n  b"), "a b");
        assert_eq!(line(&"word ".repeat(50)).chars().count(), LINE + 1);
    }
}
