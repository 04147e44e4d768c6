//! The viewer's own views: a name and a query, kept by the server. The query is all there is to a view, so sending
//! its address to someone sends the view.

use leptos::{prelude::*, task::spawn_local};
use types::{SaveView, SavedView, SavedViewList, ViewPage};

use crate::{
    api::{
        client::use_client,
        endpoints,
        remote::{Remote, remote},
    },
    components::{
        button::{Button, SubmitButton},
        field::TextField,
        icon::Glyph,
        overlay::{Dialog, Item, Menu, MenuLook},
        panel::Fault,
        words::Weight,
    },
    shell::toasts::use_toasts,
    url::use_changed,
};

/// What belongs to a view; organization and slice do not.
const PARTS: [&str; 6] = ["view", "status", "search", "model", "sort", "hide"];

/// The viewer's own views.
#[derive(Clone, Copy)]
pub struct SavedViews {
    list: Remote<SavedViewList>,
}

impl SavedViews {
    /// Loads those of this page.
    pub fn load() -> Self {
        let list = remote(
            || Some(()),
            async |client, ()| {
                let mut list = endpoints::views(&client).await?;
                list.views.retain(|view| view.page == ViewPage::Runs);
                Ok(list)
            },
        );
        Self { list }
    }

    /// All of them.
    pub fn all(self) -> Vec<SavedView> {
        self.list.load.with(|load| {
            load.value
                .as_ref()
                .map(|list| list.views.clone())
                .unwrap_or_default()
        })
    }

    /// The one that this address is, if it is one.
    pub fn open(self, address: &str) -> Option<SavedView> {
        let own = view_query(address);
        self.all().into_iter().find(|saved| saved.query == own)
    }
}

/// The part of an address that makes a view: its query without what other pages share, in a fixed order.
pub fn view_query(address: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let find = |part: &str| {
        query
            .split('&')
            .find(|pair| pair.split_once('=').is_some_and(|(name, _)| name == part))
    };
    let parts: Vec<&str> = PARTS.iter().filter_map(|part| find(part)).collect();
    parts.join("&")
}

/// Saves the address as a view, or removes one.
#[component]
pub fn ViewMenu(
    /// The viewer's own views.
    saved: SavedViews,
) -> impl IntoView {
    let address = use_changed();
    let asking = RwSignal::new(false);
    let (client, toasts) = (StoredValue::new(use_client()), use_toasts());
    let remove = move |view: SavedView| {
        let client = client.get_value();
        spawn_local(async move {
            if let Err(fault) = endpoints::delete_view(&client, view.id).await {
                toasts.push(
                    Weight::Bad,
                    format!("“{}” was not removed", view.name),
                    fault.line(),
                    None,
                );
            }
            saved.list.reload();
        });
    };
    let items = move |()| {
        let here = untrack(|| address(&[]));
        let mut items = vec![Item::new("Save this view…", move || asking.set(true))];
        if let Some(view) = untrack(|| saved.open(&here)) {
            items.push(Item::new(format!("Remove “{}”", view.name), move || {
                remove(view.clone());
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
    let client = StoredValue::new(use_client());
    let (name, busy) = (RwSignal::new(String::new()), RwSignal::new(false));
    let error = RwSignal::new(None::<String>);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = name.get_untracked();
        let name = match types::check_name(&text) {
            Ok(name) => name.to_owned(),
            Err(fault) => return error.set(Some(format!("The name {fault}"))),
        };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let view = SaveView {
            page: ViewPage::Runs,
            name,
            query: view_query(&untrack(|| address(&[]))),
        };
        let client = client.get_value();
        spawn_local(async move {
            let result = endpoints::save_view(&client, &view).await;
            let _ = busy.try_set(false);
            match result {
                Ok(_) => {
                    saved.list.reload();
                    let _ = open.try_set(false);
                }
                Err(fault) => {
                    let _ = error.try_set(Some(refusal(&fault)));
                }
            }
        });
    };
    view! {
        <form on:submit=submit>
            <div class="dialog__body">
                <TextField label="Name" value=name error hint="Search, filters, order and columns are kept for you"/>
            </div>
            <div class="dialog__foot">
                <Button on_click=move |_| open.set(false)>"Keep as it is"</Button>
                <SubmitButton busy>"Save view"</SubmitButton>
            </div>
        </form>
    }
    .into_any()
}

fn refusal(fault: &Fault) -> String {
    fault
        .field("name")
        .map_or_else(|| fault.line(), |words| format!("The name {words}"))
}

#[cfg(test)]
mod tests {
    use super::view_query;

    #[test]
    fn organization_and_slice_are_no_part_of_a_view() {
        assert_eq!(
            view_query("/runs?org=o&sort=took&status=failed&slice=s"),
            "status=failed&sort=took"
        );
        assert_eq!(view_query("/runs?org=o"), "");
        assert_eq!(view_query("/runs"), "");
    }
}
