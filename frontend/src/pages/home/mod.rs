//! What happened lately, what runs, what needs somebody, where the models stand.

pub mod highlights;
pub mod parts;

use std::sync::Arc;

use leptos::prelude::*;
use types::{HomeView, LeaderboardView};

use highlights::Highlights;
use parts::{Activity, Needs, QuickLinks, Recent, Running, System, TopModels};

use crate::{
    api::{
        endpoints::{self, BoardQuery},
        remote::{Remote, poll, remote},
    },
    components::{
        button::{ButtonLink, Look},
        choice::Segmented,
        icon::Glyph,
        panel::Panel,
    },
    format::plural,
    shell::{
        first::FirstRun,
        page::{PageHead, describe_page},
    },
    url::{Step, use_carry, use_param, use_set_params},
};

/// How often the page is renewed.
const FRESH: u32 = 10_000;

/// The page that opens first.
#[component]
pub fn Home() -> impl IntoView {
    describe_page(|| "Home".to_owned(), Vec::new);
    let carry = use_carry();
    let set = use_set_params();
    let range = use_param("days");
    let days = Memo::new(move |_| {
        range.with(|days| {
            days.parse::<u32>()
                .ok()
                .filter(|days| (1..=365).contains(days))
                .unwrap_or(7)
        })
    });
    let home = remote(
        move || Some(days.get()),
        async |client, days| endpoints::home(&client, days).await,
    );
    poll(home, FRESH, || true);
    let board = remote(
        || Some(BoardQuery::default()),
        async |client, query: BoardQuery| endpoints::leaderboard(&client, &query).await,
    );
    let value = Signal::derive(move || days.get().to_string());
    let ranges = [("1", "24 h"), ("7", "7 days"), ("30", "30 days")];
    let ranges = ranges
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .to_vec();
    let choose = move |days: String| set(&[("days", if days == "7" { "" } else { &days })], Step::Replace);
    let actions = move || {
        view! {
            <Segmented label="Time range" options=ranges.clone() value on_change=choose/>
            <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
        }
    };
    let lede = move || home.value().get().map(|home| lede_of(&home));
    view! {
        <PageHead title=|| "Home" lede actions/>
        <Panel load=home.load on_retry=home.retry() lines=12
            children=move |home| view! {
                <div class="cols cols--main">
                    <Runs home board/>
                    <aside class="home__side" aria-label="System and activity">
                        <QuickLinks/>
                        <System home/>
                        <Activity home/>
                    </aside>
                </div>
            }.into_any()/>
    }
    .into_any()
}

/// What there is of runs; for somebody who has none, how to come by them.
#[component]
fn Runs(home: Signal<Arc<HomeView>>, board: Remote<LeaderboardView>) -> impl IntoView {
    let none = Memo::new(move |_| home.with(|home| home.counts.values().sum::<u64>() == 0));
    move || {
        if none.get() {
            return view! { <FirstRun/> }.into_any();
        }
        view! {
            <div>
                <Needs home/>
                <Running home/>
                <Recent home/>
                <TopModels board/>
                <Highlights board/>
            </div>
        }
        .into_any()
    }
}

/// What ended in the time range, in one line.
fn lede_of(home: &HomeView) -> String {
    let sum = |count: fn(&types::HomeDay) -> u64| home.days.iter().map(count).sum::<u64>();
    let (completed, failed, samples) = (
        sum(|day| day.completed),
        sum(|day| day.failed),
        sum(|day| day.samples),
    );
    format!(
        "{} completed, {} failed, {} scored",
        plural(completed, "run", "runs"),
        crate::format::count(failed),
        plural(samples, "sample", "samples")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_time_range_is_summed_up() {
        let day = |completed: u64| json!({"day": "2026-11-20", "completed": completed, "failed": 1, "cancelled": 0, "samples": 50});
        let home: HomeView = serde_json::from_value(json!({
            "since": "2026-11-13T00:00:00Z", "recent": [], "running": [], "failed": [], "counts": {}, "database_size": null, "days": [day(2), day(3)]
        }))
        .unwrap();
        assert_eq!(lede_of(&home), "5 runs completed, 2 failed, 100 samples scored");
    }
}
