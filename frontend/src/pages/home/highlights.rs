//! The best score on each benchmark that most models have.

use std::sync::Arc;

use leptos::prelude::*;
use types::{BenchmarkId, LeaderboardView};

use crate::{
    api::remote::Remote,
    charts::cell::margin,
    components::panel::Panel,
    format::{count, half_width, scored},
    shell::page::Section,
    url::use_carry,
};

/// Benchmarks that are shown.
const SHOWN: usize = 6;

/// The best score of a benchmark.
#[derive(Debug, Clone, PartialEq)]
struct Highlight {
    benchmark_id: BenchmarkId,
    benchmark: String,
    model: String,
    value: f64,
    /// Half the width of its interval.
    half: Option<f64>,
    /// Scores that it was compared with, itself among them.
    of: usize,
    run: types::RunId,
}

/// The best comparable score of each column in which better has a direction.
fn highlights(board: &LeaderboardView) -> Vec<Highlight> {
    let best = |(at, column): (usize, &types::BoardColumn)| {
        let up = column.higher_is_better?;
        let cells = board.entries.iter().filter_map(|entry| {
            let cell = entry.cells.get(at)?.as_ref().filter(|cell| cell.counts)?;
            Some((entry, cell))
        });
        let of = cells.clone().count();
        let (entry, cell) = cells.reduce(|best, next| {
            let better = if up {
                next.1.value > best.1.value
            } else {
                next.1.value < best.1.value
            };
            if better { next } else { best }
        })?;
        Some(Highlight {
            benchmark_id: column.benchmark_id,
            benchmark: column.benchmark.clone(),
            model: entry.model_name.clone(),
            value: cell.value,
            half: half_width(cell.low.zip(cell.high)),
            of,
            run: cell.run_id,
        })
    };
    board
        .columns
        .iter()
        .enumerate()
        .filter_map(best)
        .take(SHOWN)
        .collect()
}

/// The card.
#[component]
pub fn Highlights(
    /// The leaderboard.
    board: Remote<LeaderboardView>,
) -> impl IntoView {
    let carry = use_carry();
    let row = move |best: Highlight| {
        let (benchmark, run) = (best.benchmark_id, best.run);
        let (shown, pm) = scored(best.value, best.half);
        view! {
            <tr>
                <th scope="row"><a href=move || carry(&format!("/leaderboard?benchmarks={benchmark}"))>{best.benchmark}</a></th>
                <td>{best.model}</td>
                <td class="r"><a class="num" href=move || carry(&format!("/failures?run={run}"))>{shown}</a>{margin(pm)}</td>
                <td class="r dim">"best of "{count(best.of as u64)}</td>
            </tr>
        }
    };
    let tools = move || view! { <a class="link small" href=move || carry("/benchmarks")>"Benchmarks"</a> };
    view! {
        <Section title="Leaderboard highlights" note="the best score of each; whether it is surely the best is on the leaderboard" tools>
            <Panel load=board.load on_retry=board.retry() lines=4
                is_empty=Callback::new(|board: Arc<LeaderboardView>| highlights(&board).is_empty())
                empty=|| view! { <p class="muted">"The best score of a benchmark stands here."</p> }.into_any()
                children=move |board| view! {
                    <div class="scroll" tabindex="0" role="region" aria-label="Leaderboard highlights, table">
                        <table class="table">
                            <thead class="vh"><tr>
                                <th scope="col">"Benchmark"</th><th scope="col">"Model"</th><th scope="col">"Score"</th>
                                <th scope="col">"Among"</th>
                            </tr></thead>
                            <tbody>{move || board.with(|board| highlights(board).into_iter().map(row).collect_view())}</tbody>
                        </table>
                    </div>
                }.into_any()/>
        </Section>
    }
}
