//! The slice that every page looks through: one selector, in the header and in the URL.

use std::sync::Arc;

use leptos::prelude::*;
use types::{SliceList, SliceState, SliceView};

use crate::{
    api::{
        endpoints,
        remote::{Remote, poll, remote},
    },
    components::{
        icon::{Glyph, Icon},
        overlay::{Item, Menu, MenuLook},
    },
    format::{count, percent},
    url::{Step, use_carry, use_go, use_param, use_set_params},
};

/// How often slices are asked for again while samples are being looked at.
const BUSY: u32 = 1_500;

/// The id of the slice that is selected; empty for all samples.
pub fn use_slice() -> Signal<String> {
    use_param("slice")
}

/// The slices of the organization, asked for once for all pages.
#[derive(Clone, Copy)]
pub struct Slices {
    /// All of them.
    pub list: Remote<SliceList>,
}

/// Provides them; called once by the frame.
pub fn provide_slices() {
    let list = remote(|| Some(()), async |client, ()| endpoints::slices(&client).await);
    let value = list.value();
    poll(list, BUSY, move || {
        value.with(|list| list.as_ref().is_some_and(|list| list.slices.iter().any(is_busy)))
    });
    provide_context(Slices { list });
}

/// The slices of the organization.
pub fn use_slices() -> Slices {
    expect_context()
}

impl Slices {
    /// The one that is selected, once it is known.
    pub fn chosen(self) -> Memo<Option<SliceView>> {
        let (chosen, list) = (use_slice(), self.list.value());
        Memo::new(move |_| {
            let id = chosen.get();
            list.get().and_then(|list| named(&list, &id))
        })
    }
}

/// Whether not all samples have been looked at.
pub fn is_busy(slice: &SliceView) -> bool {
    matches!(slice.state, SliceState::Pending | SliceState::Running)
}

fn named(list: &Arc<SliceList>, id: &str) -> Option<SliceView> {
    let mut slices = list.slices.iter();
    slices.find(|slice| slice.id.to_string() == id).cloned()
}

/// How far a slice is, in words; none when all samples have been looked at.
pub fn state_words(slice: &SliceView) -> Option<String> {
    match slice.state {
        SliceState::Done => None,
        SliceState::Failed => Some(format!(
            "not usable: {}",
            slice.error.as_deref().unwrap_or("its rule cannot be read")
        )),
        SliceState::Pending => Some("waits for samples to be looked at".to_owned()),
        SliceState::Running => {
            let share = slice.seen as f64 / slice.to_see.max(slice.seen).max(1) as f64;
            Some(format!(
                "samples are being looked at: {}",
                percent(share.min(0.99))
            ))
        }
    }
}

/// The selector.
#[component]
pub fn SliceSelector() -> impl IntoView {
    let list = use_slices().list.value();
    let chosen = use_slice();
    let set = use_set_params();
    let go = use_go();
    let carry = use_carry();
    let name = move || {
        let id = chosen.get();
        if id.is_empty() {
            return "all samples".to_owned();
        }
        let named = list.get().and_then(|list| named(&list, &id));
        named.map_or_else(|| "unknown".to_owned(), |slice| slice.name)
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
                .meta(count(slice.samples))
                .chosen(chosen)
        }));
        if items.len() == 1 {
            let reason = match known {
                Some(_) => "no slices are defined yet",
                None => "slices are not loaded",
            };
            items.push(Item::new("Slices", || {}).disabled(Some(reason.to_owned())));
        }
        items.push(Item::new("See all slices", move || {
            go(&untrack(|| carry("/slices")), Step::Push);
        }));
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

/// Says on a page that it shows a part of the samples, and which; nothing for all samples.
#[component]
pub fn SliceNote(
    /// What the page shows of it: `scores`, `samples`.
    what: &'static str,
) -> impl IntoView {
    let slices = use_slices();
    let (id, chosen, list) = (use_slice(), slices.chosen(), slices.list.value());
    let set = use_set_params();
    let carry = use_carry();
    let all = move |_| set(&[("slice", "")], Step::Push);
    let known = move |slice: SliceView| {
        let state = state_words(&slice);
        let busy = state.is_some();
        view! {
            <span>
                {format!("Only {what} of the slice ")}
                <a class="link" href=move || carry("/slices")>{slice.name}</a>
                ": "<code class="mono">{slice.rule}</code>
                {state.map(|state| view! { <span class=if busy { "lens__state" } else { "" }>{format!(" ({state})")}</span> })}
            </span>
        }
    };
    let words = move || match chosen.get() {
        Some(slice) => known(slice).into_any(),
        None if list.with(Option::is_some) => {
            view! { <span>"The address names a slice that does not exist here, or no longer."</span> }
                .into_any()
        }
        None => view! { <span>"Looking through a slice."</span> }.into_any(),
    };
    move || {
        (!id.with(String::is_empty)).then(|| {
            view! {
                <p class="lens" role="status">
                    <Icon glyph=Glyph::Slice/>
                    {words}
                    <button type="button" class="link" on:click=all>"Show all samples"</button>
                </p>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_slice_says_how_far_it_is() {
        let slice = |state: &str, seen: i64, to_see: i64| -> SliceView {
            serde_json::from_value(json!({
                "id": uuid::Uuid::nil(), "name": "x", "slice_type": "custom", "slice_value": null, "rule": "a exists",
                "own_rule": true, "associated_benchmarks": [], "description": null, "state": state, "error": "bad",
                "seen": seen, "to_see": to_see, "samples": 1, "updated_at": "2026-11-20T13:00:00Z"
            }))
            .unwrap()
        };
        assert_eq!(state_words(&slice("done", 4, 4)), None);
        assert!(state_words(&slice("failed", 0, 0)).unwrap().ends_with("bad"));
        assert!(state_words(&slice("running", 2, 4)).unwrap().contains("50"));
        // Almost done is not done, whatever was expected.
        assert!(state_words(&slice("running", 9, 4)).unwrap().contains("99"));
        assert!(is_busy(&slice("pending", 0, 0)) && !is_busy(&slice("done", 0, 0)));
    }
}
