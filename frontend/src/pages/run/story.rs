//! What happened when, and why.

use leptos::prelude::*;
use types::TimelineEntry;

use super::use_store;
use crate::{
    components::{
        panel::Empty,
        timeline::{Moment, Timeline},
        words::Tone,
    },
    shell::page::Section,
};

/// The timeline, newest first.
#[component]
pub fn Story() -> impl IntoView {
    let store = use_store();
    let moments = Memo::new(move |_| {
        store
            .detail(|run| run.timeline.iter().rev().map(moment).collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let body = move || {
        match moments.with(Vec::is_empty) {
        true => view! { <Empty title="Nothing has happened yet"><span>"Each change of state appears here with its reason."</span></Empty> }.into_any(),
        false => view! { <Timeline moments/> }.into_any(),
    }
    };
    view! { <Section title="Timeline">{body}</Section> }.into_any()
}

fn moment(entry: &TimelineEntry) -> Moment {
    let title = match &entry.benchmark {
        Some(benchmark) if !entry.state.contains(benchmark.as_str()) => {
            format!(
                "{benchmark} {}",
                entry.state.trim_start_matches("benchmark ").replace('_', " ")
            )
        }
        _ => capital(&entry.state.replace('_', " ")),
    };
    Moment {
        at: entry.at.timestamp_millis() as f64,
        tone: tone(&entry.state),
        title,
        reason: entry.reason.clone().unwrap_or_default(),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

fn tone(state: &str) -> Tone {
    let has = |words: &[&str]| words.iter().any(|word| state.contains(word));
    if has(&["failed", "lost", "timed_out", "timed out", "error"]) {
        Tone::Bad
    } else if has(&["completed", "succeeded"]) {
        Tone::Ok
    } else if has(&["running", "starting"]) {
        Tone::Running
    } else {
        Tone::Queued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_begins_with_what_it_is_about() {
        let entry = |state: &str, benchmark: Option<&str>| TimelineEntry {
            seq: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            state: state.into(),
            reason: None,
            benchmark: benchmark.map(str::to_owned),
        };
        assert_eq!(
            moment(&entry("benchmark completed", Some("mme"))).title,
            "mme completed"
        );
        assert_eq!(moment(&entry("timed_out", None)).title, "Timed out");
        assert_eq!(
            [
                tone("benchmark failed"),
                tone("running"),
                tone("queued"),
                tone("succeeded")
            ],
            [Tone::Bad, Tone::Running, Tone::Queued, Tone::Ok]
        );
    }
}
