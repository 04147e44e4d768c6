//! The filters beside the search: each a menu, and a chip while it is set.

use leptos::prelude::*;
use types::RunStatus;

use super::{
    Address,
    filter::{Age, statuses_param, toggled},
};
use crate::{
    api::{endpoints, remote::remote},
    components::{
        icon::Glyph,
        overlay::{Item, Menu, MenuLook},
        words::FilterChip,
    },
    format,
    status::run_status_word,
    url::{Step, use_set_params},
};

/// One status or several.
#[component]
pub fn StatusFilter(
    /// What the address says.
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let choose =
        move |statuses: Vec<RunStatus>| set(&[("status", &statuses_param(&statuses))], Step::Replace);
    let items = move |()| {
        let chosen = address.statuses.get_untracked();
        let allowed = address.view.get_untracked().statuses;
        let item = |status: RunStatus| {
            let next = toggled(chosen.clone(), status);
            Item::new(run_status_word(status), move || choose(next.clone())).chosen(chosen.contains(&status))
        };
        let fits = |status: &RunStatus| allowed.is_empty() || allowed.contains(status);
        RunStatus::ALL
            .iter()
            .copied()
            .filter(fits)
            .map(item)
            .collect::<Vec<_>>()
    };
    let chips = move || {
        let chosen = address.statuses.get();
        (!chosen.is_empty()).then(|| {
            let words: Vec<&str> = chosen.iter().copied().map(run_status_word).collect();
            view! { <FilterChip name="Status" value=words.join(", ") on_remove=move |()| choose(Vec::new())/> }
        })
    };
    view! { {chips}<Menu label="Status" look=MenuLook::Chip icon=Glyph::Plus items/> }
}

/// One model.
#[component]
pub fn ModelFilter(
    /// What the address says.
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await);
    let list = models.value();
    let choose = move |id: String| set(&[("model", &id)], Step::Replace);
    let items = move |()| {
        let chosen = address.model.get_untracked();
        let known = list.get_untracked();
        let mut items: Vec<Item> = known
            .iter()
            .flat_map(|list| list.models.iter())
            .map(|model| {
                let id = model.id.to_string();
                let is_chosen = id == chosen;
                Item::new(model.name.clone(), move || choose(id.clone()))
                    .meta(format::plural(model.run_count, "run", "runs"))
                    .chosen(is_chosen)
            })
            .collect();
        if items.is_empty() {
            let reason = if known.is_some() {
                "there are none yet"
            } else {
                "not loaded"
            };
            items.push(Item::new("Models", || {}).disabled(Some(reason.to_owned())));
        }
        items
    };
    let chip = move || {
        let id = address.model.get();
        (!id.is_empty()).then(|| {
            let name = move || {
                let known = list.get().and_then(|list| {
                    list.models.iter().find(|model| model.id.to_string() == id).map(|model| model.name.clone())
                });
                known.unwrap_or_else(|| format::short_id(&id))
            };
            view! { <FilterChip name="Model" value=Signal::derive(name) on_remove=move |()| choose(String::new())/> }
        })
    };
    view! { {chip}<Menu label="Model" look=MenuLook::Chip icon=Glyph::Plus items/> }
}

/// Everybody's runs, or the viewer's own.
#[component]
pub fn CreatorFilter(
    /// What the address says.
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let choose = move |by: &str| set(&[("by", by)], Step::Replace);
    let items = move |()| {
        let mine = address.mine.get_untracked();
        vec![
            Item::new("Anyone", move || choose("")).chosen(!mine),
            Item::new("Me", move || choose("me")).chosen(mine),
        ]
    };
    let chip = move || {
        address
            .mine
            .get()
            .then(|| view! { <FilterChip name="By" value="me".to_owned() on_remove=move |()| choose("")/> })
    };
    view! { {chip}<Menu label="By" look=MenuLook::Chip icon=Glyph::Plus items/> }
}

/// How old a run may be.
#[component]
pub fn AgeFilter(
    /// What the address says.
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let choose = move |age: &str| set(&[("age", age)], Step::Replace);
    let items = move |()| {
        let now = address.age.get_untracked();
        let any = Item::new("At any time", move || choose("")).chosen(now.is_none());
        let ages = Age::ALL
            .into_iter()
            .map(|age| Item::new(age.words(), move || choose(age.id())).chosen(now == Some(age)));
        std::iter::once(any).chain(ages).collect::<Vec<_>>()
    };
    let chip = move || {
        let age = address.age.get();
        age.map(|age| view! { <FilterChip name="Created" value=age.words().to_owned() on_remove=move |()| choose("")/> })
    };
    view! { {chip}<Menu label="Created" look=MenuLook::Chip icon=Glyph::Plus items/> }
}
