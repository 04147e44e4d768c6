//! The registry: every model with its checkpoints, what it was measured on, and when.

use std::{cmp::Reverse, sync::Arc};

use leptos::prelude::*;
use serde_json::json;
use types::{ModelList, ModelView};

use crate::{
    api::{endpoints, remote::remote},
    components::{
        button::{Button, ButtonLink, Look, Size},
        choice::{Check, Entry, Select, Ticked},
        field::SearchField,
        icon::Glyph,
        panel::{Empty, Panel},
        table::{Order, SortHead},
        time::Ago,
        words::Badge,
    },
    format::{MISSING, Sheet, count, parameters, plural},
    shell::{
        export::ExportMenu,
        page::{PageHead, describe_page},
    },
    url::{Step, use_carry, use_param, use_param_field, use_set_params},
};

/// Rows that are drawn before "Show all".
const ROWS: usize = 200;

/// What the address says.
#[derive(Clone, Copy)]
struct Address {
    search: Signal<String>,
    family: Signal<String>,
    sort: Signal<String>,
    archived: Memo<bool>,
}

/// The page of all models.
#[component]
pub fn Models() -> impl IntoView {
    describe_page(|| "Models".to_owned(), Vec::new);
    let carry = use_carry();
    let archived = use_param("archived");
    let address = Address {
        search: use_param("search"),
        family: use_param("family"),
        sort: use_param("sort"),
        archived: Memo::new(move |_| archived.with(|text| !text.is_empty())),
    };
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await);
    let list = models.value();
    let rows = Memo::new(move |_| {
        list.get()
            .map(|list| shown(&list.models, address))
            .unwrap_or_default()
    });
    let sheet = Callback::new(move |()| sheet(&rows.get_untracked()));
    let actions = move || {
        view! {
            <ExportMenu name="models" sheet/>
            <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Evaluate a model"</ButtonLink>
        }
    };
    let empty = move || {
        view! {
            <Empty title="No models yet">
                <span>"A model is added in the launcher, or comes with imported results."</span>
                <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Add a model"</ButtonLink>
            </Empty>
        }
        .into_any()
    };
    view! {
        <PageHead title=|| "Models" actions/>
        <Bar address list/>
        <Panel load=models.load on_retry=models.retry() lines=10
            is_empty=Callback::new(|list: Arc<ModelList>| list.models.is_empty())
            empty=empty
            children=move |_| view! { <Table rows address/><Foot rows list/> }.into_any()/>
    }
    .into_any()
}

/// The models that fit, in the order of the address.
fn shown(models: &[ModelView], address: Address) -> Vec<ModelView> {
    let (search, family) = (address.search.get().to_lowercase(), address.family.get());
    let archived = address.archived.get();
    let fits = |model: &&ModelView| {
        let texts = [
            Some(&model.name),
            model.family.as_ref(),
            model.source.as_ref(),
            Some(&model.backend),
        ];
        let found = texts
            .iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&search));
        let family = family.is_empty() || model.family.as_deref() == Some(family.as_str());
        found && family && (archived || model.archived_at.is_none())
    };
    let mut rows: Vec<ModelView> = models.iter().filter(fits).cloned().collect();
    order(&address.sort.get(), &mut rows);
    rows
}

/// By name, or by a column, largest first; `-` turns it.
fn order(sort: &str, rows: &mut [ModelView]) {
    let (up, by) = sort.strip_prefix('-').map_or((false, sort), |by| (true, by));
    match by {
        "size" => rows.sort_by_key(|model| Reverse(model.num_parameters)),
        "checkpoints" => rows.sort_by_key(|model| Reverse(model.checkpoints.len())),
        "benchmarks" => rows.sort_by_key(|model| Reverse(model.benchmark_count)),
        "runs" => rows.sort_by_key(|model| Reverse(model.run_count)),
        "last" => rows.sort_by_key(|model| Reverse(model.last_run_at)),
        _ => rows.sort_by_key(|model| Reverse(model.name.to_lowercase())),
    }
    // Names begin with A, the others with the largest.
    if up != matches!(by, "" | "name") {
        rows.reverse();
    }
}

fn sheet(rows: &[ModelView]) -> Sheet {
    let mut sheet = Sheet::new([
        "model",
        "family",
        "source",
        "backend",
        "dtype",
        "parameters",
        "checkpoints",
        "benchmarks",
        "runs",
        "last_run",
        "id",
    ]);
    for model in rows {
        sheet.rows.push(vec![
            json!(model.name),
            json!(model.family),
            json!(model.source),
            json!(model.backend),
            json!(model.dtype),
            json!(model.num_parameters),
            json!(model.checkpoints.len()),
            json!(model.benchmark_count),
            json!(model.run_count),
            json!(model.last_run_at),
            json!(model.id),
        ]);
    }
    sheet
}

#[component]
fn Bar(address: Address, list: Signal<Option<Arc<ModelList>>>) -> impl IntoView {
    let set = use_set_params();
    let field = use_param_field("search");
    let families = Signal::derive(move || {
        let list = list.get();
        let mut names: Vec<String> = list
            .iter()
            .flat_map(|list| list.models.iter())
            .filter_map(|model| model.family.clone())
            .collect();
        names.sort();
        names.dedup();
        let all = Entry::new("", "All families");
        std::iter::once(all)
            .chain(names.into_iter().map(|name| Entry::new(name.clone(), name)))
            .collect::<Vec<_>>()
    });
    view! {
        <div class="bar">
            <SearchField label="Search models" value=field placeholder="Name, family, source or backend"/>
            <Select label="Family" options=families value=address.family
                on_change=move |family: String| set(&[("family", &family)], Step::Replace)/>
            <span class="bar__end">
                <Check ticked=Signal::derive(move || Ticked::from(address.archived.get()))
                    on_change=move |on: bool| set(&[("archived", if on { "1" } else { "" })], Step::Replace)>"Archived too"</Check>
            </span>
        </div>
    }
}

#[component]
fn Table(rows: Memo<Vec<ModelView>>, address: Address) -> impl IntoView {
    let set = use_set_params();
    let all = use_param("rows");
    let order = move |by: &'static str| {
        Signal::derive(move || {
            let sort = address.sort.get();
            let (up, now) = sort
                .strip_prefix('-')
                .map_or((false, sort.as_str()), |now| (true, now));
            let now = if now.is_empty() { "name" } else { now };
            let up = up != (by == "name");
            (now == by).then_some(if up { Order::Up } else { Order::Down })
        })
    };
    let sort = move |by: &'static str| {
        move |order: Order| {
            let turned = (order == Order::Up) != (by == "name");
            set(
                &[("sort", &format!("{}{by}", if turned { "-" } else { "" }))],
                Step::Replace,
            );
        }
    };
    let cut = move || {
        let length = rows.with(Vec::len);
        if all.with(|all| all == "all") {
            length
        } else {
            length.min(ROWS)
        }
    };
    let body = move || {
        rows.with(|rows| {
            rows[..cut()]
                .iter()
                .cloned()
                .map(|model| view! { <Row model/> })
                .collect_view()
        })
    };
    let more = move || {
        let length = rows.with(Vec::len);
        (cut() < length).then(|| {
            let words = format!("Show all {}", count(length as u64));
            view! { <div class="pager"><Button size=Size::Small on_click=move |_| set(&[("rows", "all")], Step::Replace)>{words}</Button></div> }
        })
    };
    view! {
        <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Models, table">
            <table class="table">
                <thead>
                    <tr>
                        <SortHead name="Model" order=order("name") on_sort=sort("name")/>
                        <th scope="col">"Family"</th>
                        <SortHead name="Size" order=order("size") on_sort=sort("size") right=true/>
                        <SortHead name="Checkpoints" order=order("checkpoints") on_sort=sort("checkpoints") right=true/>
                        <SortHead name="Benchmarks" order=order("benchmarks") on_sort=sort("benchmarks") right=true/>
                        <SortHead name="Runs" order=order("runs") on_sort=sort("runs") right=true/>
                        <SortHead name="Last score" order=order("last") on_sort=sort("last") right=true/>
                    </tr>
                </thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        {more}
    }
}

#[component]
fn Row(model: ModelView) -> impl IntoView {
    let carry = use_carry();
    let id = model.id;
    let size = model
        .num_parameters
        .and_then(|n| u64::try_from(n).ok())
        .map_or_else(|| MISSING.to_owned(), parameters);
    let latest = model
        .checkpoints
        .last()
        .map(|checkpoint| checkpoint.checkpoint_variant.clone());
    let checkpoints = match model.checkpoints.len() {
        0 => MISSING.to_owned(),
        n => count(n as u64),
    };
    let last = model.last_run_at.map(|at| at.timestamp_millis() as f64);
    let source = model.source.filter(|source| *source != model.name);
    let archived = model.archived_at.map(|_| view! { " " <Badge>"archived"</Badge> });
    view! {
        <tr>
            <th scope="row">
                <a class="num" href=move || carry(&format!("/models/{id}"))>{model.name}</a>
                {archived}
                {source.map(|source| {
                    let whole = source.clone();
                    view! { " " <span class="dim reg small models__source" title=whole>{source}</span> }
                })}
            </th>
            <td>{model.family.unwrap_or_else(|| MISSING.to_owned())}</td>
            <td class="r">{size}</td>
            <td class="r" title=latest.map(|latest| format!("the latest is {latest}"))>{checkpoints}</td>
            <td class="r">{count(model.benchmark_count)}</td>
            <td class="r"><a class="num" href=move || carry(&format!("/runs?model={id}"))>{count(model.run_count)}</a></td>
            <td class="r dim">{match last {
                Some(at) => view! { <Ago at/> }.into_any(),
                None => MISSING.into_any(),
            }}</td>
        </tr>
    }
}

#[component]
fn Foot(rows: Memo<Vec<ModelView>>, list: Signal<Option<Arc<ModelList>>>) -> impl IntoView {
    let words = move || {
        let all = list.get().map_or(0, |list| list.models.len()) as u64;
        format!(
            "Showing {} of {}",
            count(rows.with(Vec::len) as u64),
            plural(all, "model", "models")
        )
    };
    view! { <div class="pager"><span>{words}</span></div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, size: Option<i64>, runs: u64) -> ModelView {
        serde_json::from_value(json!({
            "id": uuid::Uuid::nil(), "name": name, "family": null, "source": null, "dtype": null, "num_parameters": size,
            "notes": null, "backend": "openai", "model_args": {}, "metadata": {}, "created_at": "2026-11-20T13:00:00Z",
            "archived_at": null, "checkpoints": [], "run_count": runs, "demo": false
        }))
        .unwrap()
    }

    #[test]
    fn models_are_ordered_by_the_address() {
        let all = [
            model("b", Some(7), 1),
            model("A", None, 3),
            model("c", Some(9), 2),
        ];
        let names = |sort: &str| {
            let mut rows = all.to_vec();
            order(sort, &mut rows);
            rows.iter().map(|row| row.name.clone()).collect::<String>()
        };
        assert_eq!(names(""), "Abc");
        assert_eq!(names("-name"), "cbA");
        assert_eq!(names("size"), "cbA");
        assert_eq!(names("-runs"), "bcA");
        assert_eq!(sheet(&all).rows.len(), 3);
    }
}
