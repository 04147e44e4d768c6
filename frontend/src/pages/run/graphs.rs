//! Throughput and GPUs, as charts.

use leptos::prelude::*;

use super::{
    rates::{Reading, gpu, has_readings, short_uuid, throughput},
    use_run, use_store,
};
use crate::{
    charts::{line::LineChart, plot::Plot},
    components::{panel::Empty, time::use_zone},
    format::plural,
    shell::page::Section,
};

/// Documents per second.
#[component]
pub fn Throughput() -> impl IntoView {
    let (store, known) = (use_store(), use_run());
    let zone = use_zone();
    let live = Memo::new(move |_| store.points(|state| has_readings(&state.throughput)));
    let plot = Signal::derive(move || {
        let run = known.read(Clone::clone);
        run.map(|run| store.points(|state| throughput(&run, &state.throughput, zone)))
            .unwrap_or_default()
    });
    let any = Memo::new(move |_| plot.with(|plot: &Plot| plot.ranges().is_some()));
    let note = Signal::derive(move || {
        Some(match (any.get(), live.get()) {
            (false, _) => String::new(),
            (true, true) => "items/s".to_owned(),
            (true, false) => "items/s, mean of each benchmark".to_owned(),
        })
    });
    let body = move || {
        match any.get() {
        true => view! {
            <div class="run__chart"><LineChart label="Throughput in items per second, one step per benchmark." plot unit="items/s"/></div>
        }
        .into_any(),
        false => view! {
            <Empty title="No readings yet"><span>"The first come when lmms-eval begins to ask the model."</span></Empty>
        }
        .into_any(),
    }
    };
    view! { <Section title="Throughput" note>{body}</Section> }.into_any()
}

/// Memory and utilisation of each GPU of the run.
#[component]
pub fn Gpus() -> impl IntoView {
    let store = use_store();
    let uuids = Memo::new(move |_| store.points(|state| state.gpus.keys().cloned().collect::<Vec<_>>()));
    let held = Memo::new(move |_| {
        store
            .detail(|run| run.attempts.last().map_or(0, |attempt| attempt.gpus.len()))
            .unwrap_or(0)
    });
    let over = Memo::new(move |_| store.status().is_terminal());
    let note = Signal::derive(move || {
        Some(uuids.with(|uuids| {
            uuids
                .iter()
                .map(|uuid| short_uuid(uuid))
                .collect::<Vec<_>>()
                .join(", ")
        }))
    });
    let empty = move || match (held.get(), over.get()) {
        (0, _) => {
            view! { <Empty title="This run holds no GPU"><span>"Its compute profile asks for none, or it has not been placed yet."</span></Empty> }
        }
        (n, true) => {
            view! { <Empty title="The readings of a finished run are not kept"><span>{format!("It held {}.", plural(n as u64, "GPU", "GPUs"))}</span></Empty> }
        }
        (_, false) => {
            view! { <Empty title="No readings yet"><span>"The first come with the first progress."</span></Empty> }
        }
    };
    let chart = move |(index, uuid, reading): (usize, String, Reading)| {
        let zone = use_zone();
        let (name, unit) = match reading {
            Reading::Memory => (format!("GPU {index} memory, GiB"), "GiB"),
            Reading::Utilisation => (format!("GPU {index} utilisation, %"), "%"),
        };
        let plot = Signal::derive(move || {
            store.points(|state| {
                state
                    .gpus
                    .get(&uuid)
                    .map(|points| gpu(points, reading, zone))
                    .unwrap_or_default()
            })
        });
        let label = format!("{name}.");
        view! {
            <figure><figcaption class="small muted">{name}</figcaption><LineChart label plot unit height=76.0/></figure>
        }
    };
    let charts = move || {
        let all = uuids.get();
        let memory = all
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, uuid)| (index, uuid, Reading::Memory));
        let use_ = all
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, uuid)| (index, uuid, Reading::Utilisation));
        memory.chain(use_).map(chart).collect_view()
    };
    let body = move || match uuids.with(Vec::is_empty) {
        true => empty().into_any(),
        false => view! { <div class="run__gpus">{charts}</div> }.into_any(),
    };
    view! { <Section title="GPUs" note>{body}</Section> }.into_any()
}
