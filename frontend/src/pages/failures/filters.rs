//! What the list holds: run, how samples went, text, order, and the buckets that filter.

use leptos::prelude::*;
use types::{BucketKind, RunId, RunSummary, SampleBucket};

use super::{
    Explorer,
    address::{CLEARED, parameter},
};
use crate::{
    api::{
        client::Client,
        endpoints::{self, SampleQuery},
        remote::remote,
    },
    components::{
        button::{Button, Look, Size},
        choice::{Entry, Segmented, Select},
        field::SearchField,
        panel::Fault,
        words::{FilterChip, ToggleChip},
    },
    format::{count, flag_words, short_id},
    shell::export::{ExportMenu, Gathered, Source},
    url::{Step, use_param_field, use_set_params},
};

/// The bars over the list.
#[component]
pub fn Filters(
    /// What the page shares.
    explorer: Explorer,
) -> impl IntoView {
    let set = use_set_params();
    let address = explorer.address;
    let field = use_param_field("search");
    Effect::new(move |before: Option<String>| {
        let text = address.search.get();
        // A page of another search begins nowhere in this one.
        if before.is_some_and(|before| before != text) {
            set(&[("from", ""), ("sample", "")], Step::Replace);
        }
        text
    });
    let mark = Signal::derive(move || {
        let mark = address.mark.get();
        if mark.is_empty() { "wrong".to_owned() } else { mark }
    });
    let marks = [
        ("wrong", "Wrong"),
        ("right", "Right"),
        ("unscored", "No score"),
        ("all", "All"),
    ];
    let marks = marks
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .to_vec();
    let choose = move |mark: String| {
        let mark = if mark == "wrong" { "" } else { &mark };
        set(&[("mark", mark), ("from", ""), ("sample", "")], Step::Replace);
    };
    let orders = || {
        vec![
            Entry::new("", "Largest error first"),
            Entry::new("confidence", "Least confidence first"),
            Entry::new("disagreement", "Models disagree most first"),
            Entry::new("index", "As in the file"),
        ]
    };
    view! {
        <div class="bar">
            <RunSelect explorer/>
            <PickChip explorer/>
            <Segmented label="How it went" options=marks value=mark on_change=choose/>
            <SearchField label="Search in questions and answers" value=field placeholder="Question or answer"/>
            <span class="bar__end">
                <ExportMenu name="samples" source=Source::asked(move |client| whole(client, address))/>
                <Select label="Order" options=Signal::derive(orders) value=address.sort
                    on_change=move |order: String| set(&[("sort", &order), ("from", ""), ("sample", "")], Step::Replace)/>
            </span>
        </div>
        <Buckets explorer/>
    }
    .into_any()
}

/// The samples of the filter, all of them.
async fn whole(client: Client, address: super::address::Address) -> Gathered {
    let query = untrack(|| address.page());
    let run = untrack(|| address.run.get()).parse::<types::RunId>();
    let run = run.map_err(|_| Fault {
        cause: "There is no run to export.".to_owned(),
        ..Fault::default()
    })?;
    super::export::gather(client, run, query).await
}

fn run_words(run: &RunSummary) -> String {
    let checkpoint = (run.checkpoint_variant != "latest").then(|| format!(" {}", run.checkpoint_variant));
    format!(
        "{}{} · {} · {}",
        run.model_name,
        checkpoint.unwrap_or_default(),
        run.name,
        short_id(&run.id.to_string())
    )
}

#[component]
fn RunSelect(explorer: Explorer) -> impl IntoView {
    let set = use_set_params();
    let (runs, detail) = (explorer.runs.value(), explorer.detail.value());
    let options = Signal::derive(move || {
        let mut entries: Vec<Entry> = runs
            .get()
            .iter()
            .flat_map(|list| list.runs.iter())
            .map(|run| Entry::new(run.id.to_string(), run_words(run)))
            .collect();
        let id = explorer.address.run.get();
        if !id.is_empty() && !entries.iter().any(|entry| entry.value == id) {
            let name = detail.get().filter(|detail| detail.run_id.to_string() == id);
            let words = name.map_or_else(
                || short_id(&id),
                |detail| format!("{} · {}", detail.model_name, detail.run_name),
            );
            entries.insert(0, Entry::new(id, words));
        }
        entries
    });
    let choose = move |id: String| {
        let cleared = CLEARED.map(|(name, value)| if name == "mark" { (name, "") } else { (name, value) });
        let mut changes = vec![("run", id.as_str())];
        changes.extend(cleared);
        set(&changes, Step::Push);
    };
    view! { <span class="failures__run"><Select label="Run" options value=explorer.address.run on_change=choose/></span> }
}

/// The picked benchmark, where a link has brought one.
#[component]
fn PickChip(explorer: Explorer) -> impl IntoView {
    let set = use_set_params();
    let detail = explorer.detail.value();
    move || {
        let of = explorer.address.of.get();
        let named = explorer.address.task.with(|task| !task.is_empty());
        (!of.is_empty() && !named).then(|| {
            let name = move || {
                let known = detail
                    .get()
                    .filter(|detail| detail.sample.run_benchmark_id.to_string() == of);
                known.map_or_else(
                    || "one of the run".to_owned(),
                    |detail| detail.sample.benchmark.clone(),
                )
            };
            view! {
                <FilterChip name="Benchmark" value=Signal::derive(name)
                    on_remove=move |()| set(&[("of", ""), ("from", ""), ("sample", "")], Step::Replace)/>
            }
        })
    }
}

/// What the samples fall into; a bucket filters.
#[component]
fn Buckets(explorer: Explorer) -> impl IntoView {
    let address = explorer.address;
    let set = use_set_params();
    let buckets = remote(
        move || Some((address.run.get().parse::<RunId>().ok()?, address.wanted())),
        async |client, (run, query): (RunId, SampleQuery)| {
            endpoints::sample_buckets(&client, run, &query).await
        },
    );
    let value = buckets.value();
    let shown = Memo::new(move |_| {
        let all = value.get();
        let all: Vec<SampleBucket> = all.iter().flat_map(|list| list.buckets.iter()).cloned().collect();
        let tasks = all
            .iter()
            .filter(|bucket| bucket.kind == BucketKind::Benchmark)
            .count();
        let useful = |bucket: &SampleBucket| match bucket.kind {
            // One task says nothing, unless it is the filter that holds.
            BucketKind::Benchmark => tasks > 1 || address.holds(bucket),
            BucketKind::Mark => false,
            _ => true,
        };
        all.into_iter().filter(useful).collect::<Vec<_>>()
    });
    let many = RwSignal::new(false);
    let chips = move || {
        let buckets = shown.get();
        let most = if many.get() { buckets.len() } else { 12 };
        let chip = |bucket: SampleBucket| view! { <BucketChip bucket explorer/> };
        buckets.into_iter().take(most).map(chip).collect_view()
    };
    let more = move || {
        let hidden = shown.with(Vec::len).saturating_sub(12);
        (hidden > 0 && !many.get()).then(|| {
            view! { <Button look=Look::Quiet size=Size::Small on_click=move |_| many.set(true)>{format!("{} more", count(hidden as u64))}</Button> }
        })
    };
    let filtered = move || {
        let texts = [
            address.of,
            address.task,
            address.flag,
            address.category,
            address.search,
        ];
        texts.iter().any(|text| text.with(|text| !text.is_empty()))
    };
    let clear = move || {
        filtered().then(|| {
            let cleared = CLEARED.map(|(name, value)| if name == "mark" { (name, "") } else { (name, value) });
            view! { <Button look=Look::Quiet size=Size::Small on_click=move |_| set(&cleared, Step::Push)>"Clear filters"</Button> }
        })
    };
    view! {
        <div class="bar failures__buckets" role="group" aria-label="Buckets" hidden=move || shown.with(Vec::is_empty) && !filtered()>
            <span class="small muted">"Buckets"</span>
            {chips}{more}{clear}
        </div>
    }
}

#[component]
fn BucketChip(bucket: SampleBucket, explorer: Explorer) -> impl IntoView {
    let set = use_set_params();
    let (kind, key) = (bucket.kind, bucket.key.clone());
    let own = bucket.clone();
    let on = Signal::derive(move || explorer.address.holds(&own));
    let name = match kind {
        BucketKind::Flag => flag_words(&bucket.name).0,
        _ => bucket.name,
    };
    let change = move |on: bool| {
        let value = if on { key.as_str() } else { "" };
        set(
            &[(parameter(kind), value), ("from", ""), ("sample", "")],
            Step::Replace,
        );
    };
    view! { <ToggleChip on on_change=change>{name}" "<i>{count(bucket.count)}</i></ToggleChip> }
}
