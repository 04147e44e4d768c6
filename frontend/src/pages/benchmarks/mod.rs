//! The catalogue: every benchmark with what it measures, how large it is, and what was measured on it.

pub mod rows;

use std::sync::Arc;

use leptos::prelude::*;
use types::{BenchmarkKind, BenchmarkList, CoverageList, Modality};

use rows::{Row, Wanted, counted, joined, kind_word, sheet};

use crate::{
    api::{endpoints, remote::remote},
    components::{
        button::Button,
        choice::{Check, Entry, Select, Ticked},
        field::SearchField,
        panel::{Empty, Fault, Panel},
        table::{Viewport, VirtualTable},
        time::Ago,
        words::Badge,
    },
    format::{MISSING, count, plural},
    shell::{
        export::ExportMenu,
        page::{PageHead, describe_page},
    },
    url::{Step, use_carry, use_param, use_param_field, use_set_params},
};

/// The page of the catalogue.
#[component]
pub fn Benchmarks() -> impl IntoView {
    describe_page(|| "Benchmarks".to_owned(), Vec::new);
    let catalogue = remote(
        || Some(()),
        async |client, ()| {
            let list = endpoints::benchmarks(&client).await?;
            let coverage = endpoints::coverage(&client).await?;
            Ok::<_, Fault>((list, coverage))
        },
    );
    let value = catalogue.value();
    let (search, modality, category, kind, measured) = (
        use_param("search"),
        use_param("modality"),
        use_param("category"),
        use_param("kind"),
        use_param("measured"),
    );
    let wanted = Memo::new(move |_| Wanted {
        search: search.get(),
        modality: modality.get().parse().ok(),
        category: category.get(),
        kind: kind.get().parse().ok(),
        measured: measured.with(|measured| !measured.is_empty()),
    });
    let all = Memo::new(move |_| {
        value
            .get()
            .map(|known| Arc::new(joined(&known.0, &known.1)))
            .unwrap_or_default()
    });
    let rows = Memo::new(move |_| {
        let wanted = wanted.get();
        all.with(|all| {
            Arc::new(
                all.iter()
                    .filter(|row| wanted.fits(row))
                    .cloned()
                    .collect::<Vec<Row>>(),
            )
        })
    });
    let lede = move || {
        value.get().map(|known| {
            let version = known
                .0
                .lmms_eval_version
                .clone()
                .map(|v| format!(" of lmms-eval {v}"))
                .unwrap_or_default();
            let tasks = all.with(|all| counted(all));
            format!(
                "{} measured of {}{version}",
                count(tasks.0),
                plural(tasks.1, "entry", "entries")
            )
        })
    };
    let export = Callback::new(move |()| rows.with_untracked(|rows| sheet(rows)));
    let actions = move || view! { <ExportMenu name="benchmarks" sheet=export/> };
    view! {
        <PageHead title=|| "Benchmarks" lede actions/>
        <Bar all wanted/>
        <Panel load=catalogue.load on_retry=catalogue.retry() lines=12
            is_empty=Callback::new(|known: Arc<(BenchmarkList, CoverageList)>| known.0.benchmarks.is_empty())
            empty=|| view! {
                <Empty title="The catalogue is empty"><span>"It is read from the installed lmms-eval; `lmms-dash doctor` says what is missing."</span></Empty>
            }.into_any()
            children=move |_| view! { <Table rows all/> }.into_any()/>
    }
    .into_any()
}

#[component]
fn Bar(all: Memo<Arc<Vec<Row>>>, wanted: Memo<Wanted>) -> impl IntoView {
    let set = use_set_params();
    let field = use_param_field("search");
    let categories = Signal::derive(move || {
        let mut names: Vec<String> = all.with(|all| all.iter().map(|row| row.category.clone()).collect());
        names.sort();
        names.dedup();
        let every = Entry::new("", "All categories");
        std::iter::once(every)
            .chain(names.into_iter().map(|name| Entry::new(name.clone(), name)))
            .collect::<Vec<_>>()
    });
    let modalities = || {
        let every = Entry::new("", "All modalities");
        std::iter::once(every)
            .chain(Modality::ALL.iter().map(|m| Entry::new(m.as_str(), m.as_str())))
            .collect::<Vec<_>>()
    };
    let kinds = || {
        let every = Entry::new("", "Tasks, groups and tags");
        std::iter::once(every)
            .chain(
                BenchmarkKind::ALL
                    .iter()
                    .map(|k| Entry::new(k.as_str(), kind_word(*k))),
            )
            .collect::<Vec<_>>()
    };
    let modality = Signal::derive(move || {
        wanted.with(|w| w.modality.map(|m| m.as_str().to_owned()).unwrap_or_default())
    });
    let kind =
        Signal::derive(move || wanted.with(|w| w.kind.map(|k| k.as_str().to_owned()).unwrap_or_default()));
    let category = Signal::derive(move || wanted.with(|w| w.category.clone()));
    view! {
        <div class="bar">
            <SearchField label="Search benchmarks" value=field placeholder="Name, data set or metric"/>
            <Select label="Modality" options=Signal::derive(modalities) value=modality
                on_change=move |value: String| set(&[("modality", &value)], Step::Replace)/>
            <Select label="Category" options=categories value=category
                on_change=move |value: String| set(&[("category", &value)], Step::Replace)/>
            <Select label="Kind" options=Signal::derive(kinds) value=kind
                on_change=move |value: String| set(&[("kind", &value)], Step::Replace)/>
            <span class="bar__end">
                <Check ticked=Signal::derive(move || Ticked::from(wanted.with(|w| w.measured)))
                    on_change=move |on: bool| set(&[("measured", if on { "1" } else { "" })], Step::Replace)>"Only measured"</Check>
            </span>
        </div>
    }
}

#[component]
fn Table(rows: Memo<Arc<Vec<Row>>>, all: Memo<Arc<Vec<Row>>>) -> impl IntoView {
    let set = use_set_params();
    let total = Memo::new(move |_| rows.with(|rows| rows.len()));
    let key = move |index: usize| {
        rows.with(|rows| rows.get(index).map(|row| row.id.clone()))
            .unwrap_or_default()
    };
    let viewport = Viewport::default();
    let row = move |index: usize| {
        let found = rows.with_untracked(|rows| rows.get(index).cloned());
        found.map_or_else(|| ().into_any(), |row| view! { <TableRow row index/> }.into_any())
    };
    let clear = move |_| {
        set(
            &[
                ("search", ""),
                ("modality", ""),
                ("category", ""),
                ("kind", ""),
                ("measured", ""),
            ],
            Step::Push,
        );
    };
    let words = move || {
        let range = viewport.shown(total.get());
        let every = all.with(|all| all.len()) as u64;
        format!(
            "Showing {}–{} of {}, {} in all",
            (range.start + 1).min(total.get()),
            range.end,
            count(total.get() as u64),
            count(every)
        )
    };
    view! {
        <Show when=move || total.get() != 0 fallback=move || view! {
            <Empty title="No benchmark fits">
                <span>"Take a filter away, or look at all of them."</span>
                <Button on_click=clear>"Show all benchmarks"</Button>
            </Empty>
        }>
            {
                let head = head();
                view! { <VirtualTable label="Benchmarks" total columns=8 viewport key head row/> }
            }
            <div class="pager"><span>{words}</span></div>
        </Show>
    }
}

fn head() -> AnyView {
    view! {
        <th scope="col">"Benchmark"</th>
        <th scope="col">"Kind"</th>
        <th scope="col">"Modality"</th>
        <th scope="col">"Category"</th>
        <th scope="col">"Metric"</th>
        <th scope="col" class="r">"Documents"</th>
        <th scope="col" class="r">"Models"</th>
        <th scope="col" class="r">"Last score"</th>
    }
    .into_any()
}

#[component]
fn TableRow(row: Row, index: usize) -> impl IntoView {
    let carry = use_carry();
    let id = row.id.clone();
    let measured = row.models > 0 || row.measured > 0;
    let href = move || carry(&format!("/leaderboard?benchmarks={id}"));
    let name = row.name.clone();
    let title = row.description.clone();
    let marks = [
        (row.judge, "judge", "An LLM judge scores it"),
        (row.download, "download", "The data must be fetched from a hub"),
        (row.missing, "gone", "No longer in the installed lmms-eval"),
    ];
    let marks = marks
        .into_iter()
        .filter(|mark| mark.0)
        .map(|(_, word, why)| view! { " " <Badge title=why.to_owned()>{word}</Badge> });
    let models = match row.kind {
        BenchmarkKind::Task => count(row.models),
        _ => format!("{} of {} tasks", row.measured, row.leaves),
    };
    view! {
        <tr aria-rowindex=(index + 2).to_string() class:is-dim=!measured>
            <th scope="row" title=title>
                {if measured {
                    view! { <a class="num" href=href>{name}</a> }.into_any()
                } else {
                    view! { <span class="reg">{name}</span> }.into_any()
                }}
                {marks.collect_view()}
            </th>
            <td>{kind_word(row.kind)}</td>
            <td>{row.modality.as_str()}</td>
            <td>{row.category}</td>
            <td>{row.metric.unwrap_or_else(|| MISSING.to_owned())}</td>
            <td class="r">{row.documents.map_or_else(|| MISSING.to_owned(), count)}</td>
            <td class="r">{models}</td>
            <td class="r dim">{match row.last_run {
                Some(at) => view! { <Ago at/> }.into_any(),
                None => MISSING.into_any(),
            }}</td>
        </tr>
    }
}
