//! The viewer's own views: a name and an address, kept in this browser. The address is all there is to a view, so
//! sending it to someone sends the view.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    components::{
        button::{Button, SubmitButton},
        field::TextField,
        icon::Glyph,
        overlay::{Dialog, Item, Menu, MenuLook},
    },
    url::use_changed,
};

const STORED: &str = "runs.views";
/// The most views that are kept.
const MOST: usize = 20;
/// What belongs to a view; organization and slice do not.
const PARTS: [&str; 6] = ["view", "status", "search", "model", "sort", "hide"];

/// A view of the viewer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// The viewer's own views.
#[derive(Clone, Copy)]
pub struct SavedViews {
    all: RwSignal<Vec<Saved>>,
}

impl SavedViews {
    /// Those that this browser keeps.
    pub fn load() -> Self {
        let text = window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|storage| storage.get_item(STORED).ok().flatten());
        let all = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self {
            all: RwSignal::new(all),
        }
    }

    /// All of them.
    pub fn all(self) -> Vec<Saved> {
        self.all.get()
    }

    /// The name of the one that this address is, if it is one.
    pub fn open(self, address: &str) -> Option<String> {
        let own = view_address(address);
        self.all.with(|all| {
            all.iter()
                .find(|saved| saved.address == own)
                .map(|saved| saved.name.clone())
        })
    }

    fn change(self, change: impl FnOnce(&mut Vec<Saved>)) {
        self.all.update(change);
        let text = self
            .all
            .with_untracked(|all| serde_json::to_string(all))
            .unwrap_or_default();
        if let Ok(Some(storage)) = window().local_storage() {
            // Where storage is full or forbidden, the view lasts as long as the page.
            let _ = storage.set_item(STORED, &text);
        }
    }
}

/// The part of an address that makes a view, in a fixed order.
pub fn view_address(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let find = |part: &str| {
        query
            .split('&')
            .find(|pair| pair.split_once('=').is_some_and(|(name, _)| name == part))
    };
    let parts: Vec<&str> = PARTS.iter().filter_map(|part| find(part)).collect();
    if parts.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", parts.join("&"))
    }
}

/// Puts a view into the list; one of the same name is replaced, the oldest leaves when there are too many.
pub fn put(all: &mut Vec<Saved>, saved: Saved) {
    all.retain(|known| known.name != saved.name);
    all.push(saved);
    let extra = all.len().saturating_sub(MOST);
    all.drain(..extra);
}

/// Saves the address as a view, or removes one.
#[component]
pub fn ViewMenu(
    /// The viewer's own views.
    saved: SavedViews,
) -> impl IntoView {
    let address = use_changed();
    let asking = RwSignal::new(false);
    let items = move |()| {
        let here = untrack(|| address(&[]));
        let mut items = vec![Item::new("Save this view…", move || asking.set(true))];
        if let Some(name) = untrack(|| saved.open(&here)) {
            let words = format!("Remove “{name}”");
            items.push(Item::new(words, move || {
                saved.change(|all| all.retain(|known| known.name != name))
            }));
        }
        items
    };
    view! {
        <span class="tabs__menu"><Menu label="Views" look=MenuLook::Quiet icon=Glyph::Plus items/></span>
        <Dialog open=asking title="Save this view"><NameForm saved open=asking/></Dialog>
    }
}

#[component]
fn NameForm(saved: SavedViews, open: RwSignal<bool>) -> impl IntoView {
    let address = use_changed();
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match types::check_name(&name.get_untracked()) {
            Ok(name) => {
                let new = Saved {
                    name: name.to_owned(),
                    address: view_address(&untrack(|| address(&[]))),
                };
                saved.change(|all| put(all, new));
                open.set(false);
            }
            Err(fault) => error.set(Some(format!("The name {fault}"))),
        }
    };
    view! {
        <form on:submit=submit>
            <div class="dialog__body">
                <TextField label="Name" value=name error hint="Search, filters, order and columns are saved in this browser"/>
            </div>
            <div class="dialog__foot">
                <Button on_click=move |_| open.set(false)>"Keep as it is"</Button>
                <SubmitButton>"Save view"</SubmitButton>
            </div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_and_slice_are_no_part_of_a_view() {
        assert_eq!(
            view_address("/runs?org=o&sort=took&status=failed&slice=s"),
            "/runs?status=failed&sort=took"
        );
        assert_eq!(view_address("/runs?org=o"), "/runs");
        assert_eq!(view_address("/runs"), "/runs");
    }

    #[test]
    fn a_view_is_replaced_by_name_and_the_list_is_bounded() {
        let saved = |name: String, address: &str| Saved {
            name,
            address: address.to_owned(),
        };
        let mut all = Vec::new();
        put(&mut all, saved("a".into(), "/runs"));
        put(&mut all, saved("a".into(), "/runs?sort=took"));
        assert_eq!(all, [saved("a".into(), "/runs?sort=took")]);
        for number in 0..30 {
            put(&mut all, saved(number.to_string(), "/runs"));
        }
        assert_eq!(all.len(), MOST);
        assert_eq!(all[0].name, "10");
    }
}
