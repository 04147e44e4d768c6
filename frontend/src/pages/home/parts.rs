//! The cards of the home page; each leads to its list.

use std::sync::Arc;

use leptos::prelude::*;
use types::{BoardEntry, HomeView, LeaderboardView, RunSummary};

use crate::{
    api::remote::Remote,
    components::{
        button::{ButtonLink, Size},
        icon::{Glyph, Icon},
        panel::Panel,
        progress::Progress,
        time::Ago,
        timeline::{Moment, Timeline},
        words::{StatusMark, Tone, Untrusted},
    },
    format::{MISSING, bytes, count, percent, plural, significant},
    shell::{page::Section, pulse::use_pulse},
    status::{run_tone, run_word},
    url::use_carry,
};

/// Models that are shown.
const TOP: usize = 5;

fn millis(at: chrono::DateTime<chrono::Utc>) -> f64 {
    at.timestamp_millis() as f64
}

/// The model with its checkpoint, as a link to the run.
#[component]
fn RunName(run: RunSummary) -> impl IntoView {
    let carry = use_carry();
    let id = run.id;
    let checkpoint = (run.checkpoint_variant != "latest").then_some(run.checkpoint_variant);
    view! {
        <a class="num" href=move || carry(&format!("/runs/{id}"))>{run.model_name}</a>
        {checkpoint.map(|checkpoint| view! { " " <span class="dim reg">{checkpoint}</span> })}
    }
}

/// Failed runs: the cause, and the way to it.
#[component]
pub fn Needs(
    /// What the server says.
    home: Signal<Arc<HomeView>>,
) -> impl IntoView {
    let failed = move || home.with(|home| home.failed.clone());
    let note = Signal::derive(move || Some(count(home.with(|home| home.failed.len()) as u64)));
    let carry = use_carry();
    let item = move |run: RunSummary| {
        let id = run.id;
        let href = Signal::derive(move || carry(&format!("/runs/{id}")));
        let cause = run
            .error_message
            .clone()
            .unwrap_or_else(|| "It failed without a word.".to_owned());
        let at = millis(run.completed_at.unwrap_or(run.created_at));
        view! {
            <li>
                <span class="bad"><Icon glyph=Glyph::Bad/></span>
                <div class="grow">
                    <a class="num mid" href=href>{run.model_name}" · "{run.name}</a>
                    <div class="small muted home__cause"><Untrusted text=cause/>" · "<Ago at/></div>
                </div>
                <ButtonLink size=Size::Small href>"Open"</ButtonLink>
            </li>
        }
    };
    let tools = move || view! { <a class="link small" href=move || carry("/runs?view=attention")>"All that failed"</a> };
    view! {
        <Section title="Needs you" note tools>
            {move || {
                let runs = failed();
                if runs.is_empty() {
                    view! { <p class="muted">"Nothing failed in this time range."</p> }.into_any()
                } else {
                    view! { <ul class="todo">{runs.into_iter().map(item).collect_view()}</ul> }.into_any()
                }
            }}
        </Section>
    }
}

/// Runs under way.
#[component]
pub fn Running(
    /// What the server says.
    home: Signal<Arc<HomeView>>,
) -> impl IntoView {
    let carry = use_carry();
    let row = |run: RunSummary| {
        let share = run.progress_percent / 100.0;
        let rate = run
            .items_per_second
            .map(|rate| format!("{} items/s", significant(rate)));
        let name = run.model_name.clone();
        let current = run
            .current_benchmark
            .clone()
            .unwrap_or_else(|| MISSING.to_owned());
        view! {
            <tr>
                <th scope="row"><RunName run/></th>
                <td class="home__bar"><Progress label=name share=Some(share)/></td>
                <td class="r">{percent(share)}</td>
                <td class="muted">{current}</td>
                <td class="r muted">{rate}</td>
            </tr>
        }
    };
    let tools =
        move || view! { <a class="link small" href=move || carry("/runs?view=running")>"All running"</a> };
    let body = move || {
        let runs = home.with(|home| home.running.clone());
        if runs.is_empty() {
            return view! { <p class="muted">"Nothing runs now."</p> }.into_any();
        }
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Running now, table">
                <table class="table">
                    <thead class="vh"><tr>
                        <th scope="col">"Model"</th><th scope="col">"Progress"</th><th scope="col">"Share"</th>
                        <th scope="col">"Benchmark"</th><th scope="col">"Rate"</th>
                    </tr></thead>
                    <tbody>{runs.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! { <Section title="Running now" tools>{body}</Section> }
}

/// The last runs.
#[component]
pub fn Recent(
    /// What the server says.
    home: Signal<Arc<HomeView>>,
) -> impl IntoView {
    let carry = use_carry();
    let row = |run: RunSummary| {
        let (tone, word) = (run_tone(&run), run_word(&run));
        let done = format!("{} of {} tasks", run.completed_tasks, run.total_tasks);
        let names = run.benchmark_names.join(", ");
        let at = millis(run.completed_at.unwrap_or(run.created_at));
        view! {
            <tr>
                <td><StatusMark tone word=word.to_owned()/></td>
                <th scope="row"><RunName run/></th>
                <td class="muted">{done}</td>
                <td class="muted"><span class="trunc home__names" title=names.clone()>{names.clone()}</span></td>
                <td class="r muted"><Ago at/></td>
            </tr>
        }
    };
    let all = move || home.with(|home| home.counts.values().sum::<u64>());
    let tools = move || view! { <a class="link small" href=move || carry("/runs")>{move || plural(all(), "run", "runs")}</a> };
    let body = move || {
        let runs = home.with(|home| home.recent.clone());
        if runs.is_empty() {
            return view! { <p class="muted">"There is no run yet. The first one is launched above."</p> }
                .into_any();
        }
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Recent runs, table">
                <table class="table">
                    <thead class="vh"><tr>
                        <th scope="col">"Status"</th><th scope="col">"Model"</th><th scope="col">"Done"</th>
                        <th scope="col">"Benchmarks"</th><th scope="col">"When"</th>
                    </tr></thead>
                    <tbody>{runs.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! { <Section title="Recent runs" tools>{body}</Section> }
}

/// The first models of the leaderboard.
#[component]
pub fn TopModels(
    /// The leaderboard.
    board: Remote<LeaderboardView>,
) -> impl IntoView {
    let carry = use_carry();
    let row = move |entry: BoardEntry| {
        let id = entry.model_id;
        let rank = match (entry.rank_lo, entry.rank_hi) {
            (Some(lo), Some(hi)) if lo == hi => lo.to_string(),
            (Some(lo), Some(hi)) => format!("{lo}–{hi}"),
            _ => MISSING.to_owned(),
        };
        let checkpoint = (entry.checkpoint != "latest").then_some(entry.checkpoint);
        view! {
            <tr>
                <td class="home__rank">{rank}</td>
                <th scope="row">
                    <a class="num" href=move || carry(&format!("/models/{id}"))>{entry.model_name}</a>
                    {checkpoint.map(|checkpoint| view! { " " <span class="dim reg">{checkpoint}</span> })}
                </th>
                <td class="r">{entry.win_rate.map_or_else(|| MISSING.to_owned(), percent)}</td>
                <td class="r dim">{plural(u64::from(entry.counted), "benchmark", "benchmarks")}</td>
            </tr>
        }
    };
    let tools = move || view! { <a class="link small" href=move || carry("/leaderboard")>"Leaderboard"</a> };
    view! {
        <Section title="Top models" note="rank interval, mean win rate over the benchmarks with most scores" tools>
            <Panel load=board.load on_retry=board.retry() lines=5
                is_empty=Callback::new(|board: Arc<LeaderboardView>| board.entries.is_empty())
                empty=|| view! { <p class="muted">"A model stands here as soon as it has a score."</p> }.into_any()
                children=move |board| view! {
                    <div class="scroll" tabindex="0" role="region" aria-label="Top models, table">
                        <table class="table">
                            <thead class="vh"><tr>
                                <th scope="col">"Rank"</th><th scope="col">"Model"</th><th scope="col">"Win rate"</th>
                                <th scope="col">"Benchmarks"</th>
                            </tr></thead>
                            <tbody>{move || board.with(|board| board.entries.iter().take(TOP).cloned().map(row).collect_view())}</tbody>
                        </table>
                    </div>
                }.into_any()/>
        </Section>
    }
}

/// Where one may want to go.
#[component]
pub fn QuickLinks() -> impl IntoView {
    let carry = use_carry();
    let links = [
        (Glyph::Launch, "/launcher", "Launch a run"),
        (Glyph::Up, "/import", "Import results"),
        (Glyph::Board, "/leaderboard", "Leaderboard"),
        (Glyph::Fail, "/failures", "Failures"),
        (Glyph::Bench, "/benchmarks", "Benchmarks"),
    ];
    let link = move |(glyph, path, words): (Glyph, &'static str, &'static str)| {
        view! { <li><a class="link" href=move || carry(path)><Icon glyph/>" "{words}</a></li> }
    };
    view! { <Section title="Go to"><ul class="stack home__links">{links.map(link).into_iter().collect_view()}</ul></Section> }
}

/// GPUs, queue, disk, database, worker.
#[component]
pub fn System(
    /// What the server says.
    home: Signal<Arc<HomeView>>,
) -> impl IntoView {
    let carry = use_carry();
    let database = move || {
        let size = home.with(|home| home.database_size);
        let size = size.and_then(|size| u64::try_from(size).ok());
        size.map_or_else(|| "well".to_owned(), |size| format!("well, {}", bytes(size)))
    };
    let system = use_pulse().system;
    let trouble = move || {
        let known = system.value().get()?;
        let problem = known.hosts.iter().find_map(|host| host.problem.clone());
        Some(match problem {
            Some(problem) => view! { <span title=problem><StatusMark tone=Tone::Degraded word="Worker needs you".to_owned()/></span> }.into_any(),
            None if known.hosts.is_empty() => view! { <StatusMark tone=Tone::Degraded word="No worker".to_owned()/> }.into_any(),
            None => view! { <StatusMark tone=Tone::Ok word="All well".to_owned()/> }.into_any(),
        })
    };
    let tools = move || trouble();
    view! {
        <Section title="System" tools>
            <Panel load=system.load on_retry=system.retry() lines=4
                children=move |system| view! {
                    <dl class="kv kv--r">
                        {move || system.with(|system| {
                            let busy = system.gpus.iter().filter(|gpu| gpu.state != "free").count();
                            let gpus = match system.gpus.len() {
                                0 => "none".to_owned(),
                                all => format!("{busy} of {all} busy"),
                            };
                            let disk = system.hosts.iter().filter_map(|host| host.disk_free).min();
                            let disk = disk.and_then(|free| u64::try_from(free).ok());
                            let version = system.hosts.iter().find_map(|host| host.lmms_eval_version.clone());
                            view! {
                                <dt>"GPUs"</dt><dd>{gpus}</dd>
                                <dt>"Running"</dt><dd>{count(system.running)}</dd>
                                <dt>"Queue"</dt>
                                <dd><a class="link" href=move || carry("/runs?status=queued")>{plural(system.queued, "run", "runs")}</a></dd>
                                <dt>"Database"</dt><dd>{database}</dd>
                                <dt>"Disk"</dt><dd>{disk.map_or_else(|| MISSING.to_owned(), |free| format!("{} free", bytes(free)))}</dd>
                                <dt>"lmms-eval"</dt><dd>{version.unwrap_or_else(|| MISSING.to_owned())}</dd>
                            }
                        })}
                    </dl>
                }.into_any()/>
        </Section>
    }
}

/// What ended lately, newest first.
#[component]
pub fn Activity(
    /// What the server says.
    home: Signal<Arc<HomeView>>,
) -> impl IntoView {
    let moments = Signal::derive(move || home.with(|home| moments(home)));
    let none = move || moments.with(Vec::is_empty);
    let carry = use_carry();
    let tools = move || view! { <a class="link small" href=move || carry("/runs")>"All runs"</a> };
    view! {
        <Section title="Activity" tools>
            <Show when=move || !none() fallback=|| view! { <p class="muted">"Nothing has ended yet."</p> }>
                <Timeline moments ago=true/>
            </Show>
        </Section>
    }
}

fn moments(home: &HomeView) -> Vec<Moment> {
    let mut runs: Vec<&RunSummary> = home
        .recent
        .iter()
        .chain(&home.failed)
        .chain(&home.running)
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.completed_at.or(run.started_at).unwrap_or(run.created_at)));
    runs.dedup_by_key(|run| run.id);
    let moment = |run: &&RunSummary| Moment {
        at: millis(run.completed_at.or(run.started_at).unwrap_or(run.created_at)),
        tone: run_tone(run),
        title: format!("{} {}", run.model_name, run_word(run).to_lowercase()),
        reason: run.name.clone(),
    };
    runs.iter().map(moment).collect()
}
