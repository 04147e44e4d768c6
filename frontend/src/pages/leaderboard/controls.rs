//! What the table compares: benchmarks, checkpoints, metrics, conditions.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use types::{BenchmarkKind, LeaderboardView};

use super::address::{Address, toggled};
use crate::{
    api::{endpoints, remote::remote},
    components::{
        choice::{Check, Entry, Segmented, Select, Ticked},
        icon::Glyph,
        overlay::{Item, Menu, MenuLook},
        words::FilterChip,
    },
    format::plural,
    url::{Step, use_set_params},
};

/// The bar over the table.
#[component]
pub fn Controls(
    /// The address.
    address: Address,
    /// The table, once it is there.
    board: Signal<Option<Arc<LeaderboardView>>>,
) -> impl IntoView {
    let set = use_set_params();
    let mode = Signal::derive(move || {
        let mode = address.mode.get();
        if mode.is_empty() { "best".to_owned() } else { mode }
    });
    let modes = [("best", "Best checkpoint"), ("all", "All"), ("specific", "One…")];
    let modes = modes
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .to_vec();
    let choose = move |mode: String| {
        let mode = if mode == "best" { "" } else { &mode };
        set(&[("mode", mode), ("checkpoint", "")], Step::Replace);
    };
    view! {
        <div class="bar">
            <Segmented label="Checkpoint" options=modes value=mode on_change=choose/>
            <Show when=move || address.mode.with(|mode| mode == "specific")><CheckpointSelect address/></Show>
            <Benchmarks address board/>
            <span class="bar__end">
                <Check ticked=Signal::derive(move || Ticked::from(!address.lenient.get()))
                    on_change=move |on: bool| set(&[("lenient", if on { "" } else { "1" })], Step::Replace)>
                    "Only comparable scores count"
                </Check>
                <Check ticked=Signal::derive(move || Ticked::from(address.all_metrics.get()))
                    on_change=move |on: bool| set(&[("metrics", if on { "all" } else { "" })], Step::Replace)>
                    "All metrics"
                </Check>
            </span>
        </div>
    }
    .into_any()
}

/// The checkpoints of all models, by name.
#[component]
fn CheckpointSelect(address: Address) -> impl IntoView {
    let set = use_set_params();
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await);
    let list = models.value();
    let options = Signal::derive(move || {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for model in list.get().iter().flat_map(|list| list.models.iter()) {
            *counts.entry("latest".to_owned()).or_default() += u64::from(model.checkpoints.is_empty());
            for checkpoint in &model.checkpoints {
                *counts.entry(checkpoint.checkpoint_variant.clone()).or_default() += 1;
            }
        }
        let entry = |(name, n): (String, u64)| {
            Entry::new(name.clone(), format!("{name} · {}", plural(n, "model", "models")))
        };
        let known = counts.into_iter().filter(|(_, n)| *n > 0).map(entry);
        std::iter::once(Entry::new("", "Choose a checkpoint"))
            .chain(known)
            .collect::<Vec<_>>()
    });
    view! {
        <Select label="Checkpoint" options value=address.checkpoint
            on_change=move |name: String| set(&[("checkpoint", &name)], Step::Replace)/>
    }
}

/// The benchmarks that are compared, as chips, with a menu of those that have scores and of the groups of the catalogue.
#[component]
fn Benchmarks(address: Address, board: Signal<Option<Arc<LeaderboardView>>>) -> impl IntoView {
    let set = use_set_params();
    let groups = remote(|| Some(()), async |client, ()| endpoints::coverage(&client).await);
    let list = groups.value();
    let chosen = Memo::new(move |_| {
        let ids = address.benchmarks.get();
        ids.split(',')
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    let choose = move |ids: &str| set(&[("benchmarks", ids), ("sort", "")], Step::Replace);
    let name_of = move |id: &str| {
        let from_list = list.with(|list| {
            list.iter()
                .flat_map(|l| l.benchmarks.iter())
                .find(|b| b.id.to_string() == id)
                .map(|b| b.name.clone())
        });
        let from_board = || {
            board.with(|board| {
                board
                    .iter()
                    .flat_map(|b| b.columns.iter())
                    .find(|c| c.benchmark_id.to_string() == id)
                    .map(|c| c.benchmark.clone())
            })
        };
        from_list
            .or_else(from_board)
            .unwrap_or_else(|| crate::format::short_id(id))
    };
    let items = move |()| {
        let picked = chosen.get_untracked();
        let known = list.get_untracked();
        let mut items: Vec<Item> = known
            .iter()
            .flat_map(|list| list.benchmarks.iter())
            .map(|benchmark| {
                let id = benchmark.id.to_string();
                let on = picked.contains(&id);
                let next = toggled(&picked, &id);
                let item = Item::new(benchmark.name.clone(), move || choose(&next)).chosen(on);
                let meta = match benchmark.kind {
                    BenchmarkKind::Task => plural(benchmark.models, "model", "models"),
                    kind => format!("{kind}, {} of {} measured", benchmark.measured, benchmark.leaves),
                };
                item.meta(meta)
            })
            .collect();
        if items.is_empty() {
            let reason = if known.is_some() {
                "nothing is measured yet"
            } else {
                "not loaded"
            };
            items.push(Item::new("Benchmarks", || {}).disabled(Some(reason.to_owned())));
        }
        items
    };
    let chips = move || {
        let all = chosen.get();
        let chip = |id: &String| {
            let rest = toggled(&all, id);
            let value = name_of(id);
            view! {
                <FilterChip name="Benchmark" value=Signal::derive(move || value.clone()) on_remove=move |()| choose(&rest)/>
            }
        };
        all.iter().map(chip).collect_view()
    };
    view! { {chips}<Menu label="Benchmark" look=MenuLook::Chip icon=Glyph::Plus items/> }
}
