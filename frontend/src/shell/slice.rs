//! The slice that every page looks through: one selector, in the header and in the URL.

use leptos::prelude::*;

use crate::{
    api::{endpoints, remote::remote},
    components::{
        icon::Glyph,
        overlay::{Item, Menu, MenuLook},
    },
    url::{Step, use_param, use_set_params},
};

/// The id of the slice that is selected; empty for all samples.
pub fn use_slice() -> Memo<String> {
    use_param("slice")
}

/// The selector.
#[component]
pub fn SliceSelector() -> impl IntoView {
    let slices = remote(|| Some(()), async |client, ()| endpoints::slices(&client).await);
    let chosen = use_slice();
    let set = use_set_params();
    let list = slices.value();
    let name = move || {
        let id = chosen.get();
        if id.is_empty() {
            return "all samples".to_owned();
        }
        let named = list.get().and_then(|list| {
            list.slices
                .iter()
                .find(|slice| slice.id.to_string() == id)
                .map(|slice| slice.name.clone())
        });
        named.unwrap_or_else(|| "unknown".to_owned())
    };
    let items = move |()| {
        let id = chosen.get_untracked();
        let mut items =
            vec![Item::new("all samples", move || set(&[("slice", "")], Step::Push)).chosen(id.is_empty())];
        let known = list.get_untracked();
        items.extend(known.iter().flat_map(|list| list.slices.iter()).map(|slice| {
            let own = slice.id.to_string();
            let chosen = own == id;
            Item::new(slice.name.clone(), move || set(&[("slice", &own)], Step::Push))
                .meta(slice.slice_type.clone())
                .chosen(chosen)
        }));
        if items.len() == 1 {
            let reason = match known {
                Some(_) => "no slices are defined yet",
                None => "slices are not loaded",
            };
            items.push(Item::new("Slices", || {}).disabled(Some(reason.to_owned())));
        }
        items
    };
    let look = Signal::derive(move || {
        if chosen.with(String::is_empty) {
            MenuLook::Chip
        } else {
            MenuLook::ChipOn
        }
    });
    let label = Signal::derive(move || format!("Slice: {}", name()));
    view! { <span class="hide-s"><Menu label look icon=Glyph::Slice items/></span> }
}
