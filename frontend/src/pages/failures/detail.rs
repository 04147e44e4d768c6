//! One sample: what was asked, what was expected, what was answered, and what others answered.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::Value;
use types::{DocumentAgreement, OtherAnswer, SampleDetail};

use super::address::Address;
use crate::{
    components::{
        button::Size,
        choice::Segmented,
        code::CopyLink,
        time::Ago,
        words::{Badge, Kbd, StatusMark, Tone, Untrusted, Weight},
    },
    format::{MISSING, Part, count, diff_words, flag_words, input_text, plural, significant, text_of},
    media::Viewer,
    url::{Step, use_carry, use_changed, use_set_params},
};

/// Characters of the prompt that name a medium for those who do not see it.
const CAPTION: usize = 120;
/// Characters of a text that are shown before "Show all".
const CUT: usize = 2400;

/// The sample that is open.
#[component]
pub fn Detail(
    /// The sample.
    sample: Signal<Arc<SampleDetail>>,
    /// The address.
    address: Address,
    /// Asks for the sample again.
    on_stale: Callback<()>,
) -> impl IntoView {
    view! {
        <div class="failures__detail">
            {move || {
                let detail = sample.get();
                view! { <Input detail=detail.clone() on_stale/><Answer detail=detail.clone() address/><Facts detail/> }
            }}
        </div>
    }
    .into_any()
}

#[component]
fn Input(detail: Arc<SampleDetail>, on_stale: Callback<()>) -> impl IntoView {
    let media = detail.sample.media.clone();
    let prompt = input_text(&detail.sample.input);
    let caption: String = prompt
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(CAPTION)
        .collect();
    let heading = (!media.is_empty()).then(|| {
        view! { <h3 class="failures__h">"Prompt"</h3> }
    });
    let n = media.len() as u64;
    let note =
        (n > 1).then(|| view! { <span class="sect__note">{crate::format::count(n)}" attachments"</span> });
    let doc = detail.doc.as_ref().and_then(Value::as_object).cloned();
    let fields = doc.filter(|doc| !doc.is_empty()).map(|doc| {
        let rows = doc.iter().map(|(name, value)| {
            view! { <dt>{name.clone()}</dt><dd><Long text=text_of(value)/></dd> }
        });
        view! {
            <details class="failures__doc">
                <summary>"Document, "{crate::format::plural(doc.len() as u64, "field", "fields")}</summary>
                <dl class="kv small">{rows.collect_view()}</dl>
            </details>
        }
    });
    view! {
        <section aria-labelledby="sample-input">
            <div class="sect__head"><h2 id="sample-input">"Input"</h2>{note}</div>
            <Viewer media caption on_stale/>
            {heading}
            <div class="diff"><Long text=prompt/></div>
            {fields}
        </section>
    }
}

#[component]
fn Answer(detail: Arc<SampleDetail>, address: Address) -> impl IntoView {
    let set = use_set_params();
    let mode = Signal::derive(move || {
        if address.view.with(|view| view == "side") {
            "side"
        } else {
            "diff"
        }
        .to_owned()
    });
    let modes = vec![
        ("diff".to_owned(), "Diff".to_owned()),
        ("side".to_owned(), "Side by side".to_owned()),
    ];
    let choose = move |mode: String| {
        set(
            &[("view", if mode == "side" { "side" } else { "" })],
            Step::Replace,
        );
    };
    let (target, answer) = (
        text_of(&detail.sample.ground_truth),
        text_of(&detail.sample.prediction),
    );
    let raw = detail
        .sample
        .raw_prediction
        .as_ref()
        .map(text_of)
        .filter(|raw| *raw != answer);
    let raw = raw.map(|raw| {
        view! {
            <h3 class="failures__h">"Raw output "<span class="dim reg">"before the filter "{detail.sample.filter.clone()}</span></h3>
            <div class="code code--wrap code--text"><Long text=raw/></div>
        }
    });
    let (target, answer) = (StoredValue::new(target), StoredValue::new(answer));
    let big = move |text: &str| text.chars().count() <= 60;
    let class = move |text: &str| if big(text) { "answer__big" } else { "diff" };
    let shown = move || {
        let (target, answer) = (target.get_value(), answer.get_value());
        let parts = (mode.get() == "diff" && !target.is_empty())
            .then(|| diff_words(&target, &answer))
            .flatten();
        match parts {
            Some(parts) => view! { <dd class=format!("diff {}", class(&answer))>{parts.into_iter().map(part).collect_view()}</dd> }.into_any(),
            None => {
                let class = class(&answer);
                view! { <dd class=class><Long text=answer/></dd> }.into_any()
            }
        }
    };
    let has_others = !detail.others.is_empty();
    let others = detail.others.clone();
    let agreement = detail.agreement.clone();
    view! {
        <section aria-labelledby="sample-answer">
            <div class="sect__head">
                <h2 id="sample-answer">"Answer"</h2>
                <Verdict error=detail.sample.error/>
                <span class="sect__tools"><Segmented label="View" options=modes value=mode on_change=choose/></span>
            </div>
            <dl class="answer">
                <dt>"Target"</dt>
                <dd class=class(&target.get_value())><Long text=target.get_value()/></dd>
                <dt>"Prediction"</dt>
                {shown}
            </dl>
            {raw}
            {agreement.map(|agreement| view! { <Agreement agreement/> })}
            {has_others.then(|| view! { <Others others/> })}
        </section>
    }
}

fn part(part: Part) -> AnyView {
    match part {
        Part::Same(text) => view! { <Untrusted text/> }.into_any(),
        Part::Gone(text) => view! { <del><Untrusted text/></del> }.into_any(),
        Part::New(text) => view! { <ins><Untrusted text/></ins> }.into_any(),
    }
}

#[component]
fn Verdict(error: Option<f64>) -> impl IntoView {
    let (tone, word) = match error {
        Some(error) if error >= 1.0 => (Tone::Bad, "Wrong"),
        Some(error) if error > 0.0 => (Tone::Degraded, "Partly right"),
        Some(_) => (Tone::Ok, "Right"),
        None => (Tone::Queued, "No score"),
    };
    view! { <StatusMark tone word=word.to_owned()/> }
}

/// How much is known of the document from all runs, and how old that is.
#[component]
fn Agreement(agreement: DocumentAgreement) -> impl IntoView {
    let counted = agreement
        .counted_at
        .map(|at| view! { ", counted "<Ago at=at.timestamp_millis() as f64/> });
    view! { <p class="small dim failures__agreement">{agreement_words(&agreement)}{counted}</p> }
}

fn agreement_words(agreement: &DocumentAgreement) -> String {
    format!(
        "Right in {} of {} by completed runs",
        count(agreement.right),
        plural(u64::from(agreement.answers), "answer", "answers")
    )
}

#[component]
fn Others(others: Vec<OtherAnswer>) -> impl IntoView {
    let changed = use_changed();
    let row = move |other: OtherAnswer| {
        let (run, sample) = (other.run_id.to_string(), other.sample_id.to_string());
        let href = move || {
            let changes = [
                ("run", run.as_str()),
                ("sample", sample.as_str()),
                ("of", ""),
                ("from", ""),
            ];
            changed(&changes)
        };
        let checkpoint = (other.checkpoint != "latest").then_some(other.checkpoint);
        let answer = text_of(&other.prediction);
        let answer = if answer.is_empty() {
            MISSING.to_owned()
        } else {
            answer
        };
        view! {
            <tr>
                <th scope="row"><a class="num reg" href=href>{other.model_name}</a>
                    {checkpoint.map(|checkpoint| view! { " " <span class="dim reg">{checkpoint}</span> })}</th>
                <td><span class="trunc failures__other"><Untrusted text=answer/></span></td>
                <td><Verdict error=other.error/></td>
            </tr>
        }
    };
    let n = others.len() as u64;
    view! {
        <h3 class="failures__h">"What others answered "<span class="dim reg">"same document, "{plural(n, "other run", "other runs")}</span></h3>
        <div class="scroll" tabindex="0" role="region" aria-label="What others answered, table">
            <table class="table table--tight">
                <thead class="vh"><tr><th scope="col">"Model"</th><th scope="col">"Answer"</th><th scope="col">"Result"</th></tr></thead>
                <tbody>{others.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Facts(detail: Arc<SampleDetail>) -> impl IntoView {
    let carry = use_carry();
    let sample = &detail.sample;
    let metrics = sample.metrics.as_object().cloned().unwrap_or_default();
    let metric = |(name, value): (String, Value)| {
        let shown = match &value {
            Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), significant),
            Value::Object(_) | Value::Array(_) => value.to_string().chars().take(80).collect(),
            other => text_of(other),
        };
        view! { <dt>{name}</dt><dd class="mid"><Untrusted text=shown/></dd> }
    };
    let scored: Vec<f64> = detail.others.iter().filter_map(|other| other.error).collect();
    let right = scored.iter().filter(|error| **error <= 0.0).count() as u64;
    let others = (!scored.is_empty()).then(|| {
        let words = format!("{} of {}", count(right), count(scored.len() as u64));
        view! { <dt>"Others right"</dt><dd>{words}</dd> }
    });
    let confidence = sample
        .confidence
        .map(significant)
        .unwrap_or_else(|| MISSING.to_owned());
    let why = sample
        .score_reason
        .clone()
        .map(|why| view! { <p class="small muted">{why}</p> });
    let flags = sample.flags.iter().map(|flag| {
        let (words, title) = flag_words(flag);
        view! { <Badge weight=Weight::Warn title=title>{words}</Badge> }
    });
    let flags = (!sample.flags.is_empty()).then(|| {
        view! { <h3 class="failures__h">"Marks"</h3><div class="row">{flags.collect_view()}</div> }
    });
    let run = detail.run_id;
    let checkpoint = match detail.checkpoint.as_str() {
        "latest" => String::new(),
        named => format!(" {named}"),
    };
    view! {
        <aside aria-labelledby="sample-facts">
            <div class="sect__head"><h2 id="sample-facts">"Sample"</h2></div>
            <dl class="kv kv--r">
                {metrics.into_iter().map(metric).collect_view()}
                <dt>"Confidence"</dt><dd title="From log-likelihoods, where the task has them">{confidence}</dd>
                {others}
                <dt>"Document"</dt><dd>{sample.doc_id}</dd>
                <dt>"Filter"</dt><dd>{sample.filter.clone()}</dd>
            </dl>
            {why}
            {flags}
            <h3 class="failures__h">"Run"</h3>
            <p><a class="link" href=move || carry(&format!("/runs/{run}"))>{detail.model_name.clone()}{checkpoint}</a></p>
            <p class="small muted">{detail.run_name.clone()}</p>
            <h3 class="failures__h">"Share"</h3>
            <CopyLink size=Size::Small/>
            <h3 class="failures__h">"Keys"</h3>
            <dl class="kv small">
                <dt><Kbd keys="j"/>" "<Kbd keys="k"/></dt><dd>"next, previous"</dd>
                <dt><Kbd keys="d"/></dt><dd>"diff or side by side"</dd>
                <dt><Kbd keys="c"/></dt><dd>"copy the link"</dd>
            </dl>
        </aside>
    }
}

/// A text that may be long: its beginning, and a way to the rest.
#[component]
fn Long(#[prop(into)] text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <span class="dim">"empty"</span> }.into_any();
    }
    let length = text.chars().count();
    let open = RwSignal::new(length <= CUT);
    let all = StoredValue::new(text);
    let shown = Signal::derive(move || {
        all.with_value(|text| {
            if open.get() {
                text.clone()
            } else {
                text.chars().take(CUT).collect()
            }
        })
    });
    let more = move || {
        (!open.get()).then(|| {
            let words = format!("Show all {} characters", count(length as u64));
            view! { " " <button type="button" class="link small" on:click=move |_| open.set(true)>{words}</button> }
        })
    };
    view! { <Untrusted text=shown/>{more} }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_names_right_answers_and_all() {
        let words = |right, answers| {
            agreement_words(&DocumentAgreement {
                answers,
                right,
                disagreement: 0.0,
                counted_at: None,
            })
        };
        assert_eq!(words(3, 5), "Right in 3 of 5 answers by completed runs");
        assert_eq!(words(0, 1), "Right in 0 of 1 answer by completed runs");
    }
}
