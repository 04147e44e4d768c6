//! Presets: forms that a person keeps under a name.

use leptos::prelude::*;
use leptos::task::spawn_local;
use types::{SaveView, SavedView, SavedViewList, ViewPage};

use super::{
    address::{of_params, to_params},
    desk::Desk,
    form::Form,
};
use crate::{
    api::{
        client::use_client,
        endpoints,
        query::Path,
        remote::{Remote, remote},
    },
    components::{
        button::{Button, IconButton, SubmitButton},
        field::TextField,
        icon::Glyph,
        overlay::{Dialog, Item, Menu},
        panel::{Empty, Panel},
        words::Weight,
    },
    shell::toasts::use_toasts,
};

/// The form as a query, without what belongs to one launch only.
fn query_of(form: &Form) -> String {
    let kept = Form {
        name: String::new(),
        ..form.clone()
    };
    let path = to_params(&kept)
        .into_iter()
        .fold(Path::new(""), |path, (name, value)| path.with(name, value));
    String::from(path).trim_start_matches('?').to_owned()
}

/// The form of a query.
fn form_of(query: &str) -> Form {
    let find = |name: &str| {
        let pair = query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|pair| pair.0 == name))?;
        Some(crate::url::decoded(pair.1))
    };
    of_params(find)
}

/// The menu of presets.
#[component]
pub fn Presets(
    /// What the parts of the launcher share.
    desk: Desk,
) -> impl IntoView {
    let views = remote(
        move || Some(()),
        async |client, ()| endpoints::views(&client).await,
    );
    let (saving, tidying) = (RwSignal::new(false), RwSignal::new(false));
    let items = move |()| {
        let all = presets(views);
        let item = |view: &SavedView| {
            let form = form_of(&view.query);
            Item::new(view.name.clone(), move || desk.fields.write(&form))
        };
        let mut items: Vec<Item> = all.iter().map(item).collect();
        items.push(Item::new("Save these settings…", move || saving.set(true)));
        if !all.is_empty() {
            items.push(Item::new("Forget a preset…", move || tidying.set(true)));
        }
        items
    };
    view! {
        <Menu label="Presets" items/>
        <Dialog open=saving title="Save these settings"><SaveForm desk views open=saving/></Dialog>
        <Dialog open=tidying title="Forget a preset"><Tidy views open=tidying/></Dialog>
    }
    .into_any()
}

fn presets(views: Remote<SavedViewList>) -> Vec<SavedView> {
    let list = untrack(|| views.load.with(|load| load.value.clone()));
    let of_page = |view: &&SavedView| view.page == ViewPage::Launcher;
    list.map(|list| list.views.iter().filter(of_page).cloned().collect())
        .unwrap_or_default()
}

#[component]
fn SaveForm(desk: Desk, views: Remote<SavedViewList>, open: RwSignal<bool>) -> impl IntoView {
    let client = StoredValue::new(use_client());
    let (name, busy, error) = (
        RwSignal::new(String::new()),
        RwSignal::new(false),
        RwSignal::new(None::<String>),
    );
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let query = query_of(&desk.form.get_untracked());
        let view = match types::check_name(&name.get_untracked()) {
            Ok(name) => SaveView {
                page: ViewPage::Launcher,
                name: name.to_owned(),
                query,
            },
            Err(wrong) => return error.set(Some(format!("The name {wrong}"))),
        };
        let client = client.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = endpoints::save_view(&client, &view).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    views.reload();
                    open.set(false);
                }
                Err(fault) => drop(error.try_set(Some(fault.line()))),
            }
        });
    };
    view! {
        <form on:submit=save>
            <div class="dialog__body">
                <TextField label="Name" value=name required=true error hint="model, benchmarks and settings; one of the same name is replaced"/>
            </div>
            <div class="dialog__foot">
                <Button on_click=move |_| open.set(false)>"Cancel"</Button>
                <SubmitButton busy>"Save preset"</SubmitButton>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Tidy(views: Remote<SavedViewList>, open: RwSignal<bool>) -> impl IntoView {
    let client = StoredValue::new(use_client());
    let toasts = use_toasts();
    let forget = move |view: SavedView| {
        let client = client.get_value();
        spawn_local(async move {
            match endpoints::delete_view(&client, view.id).await {
                Ok(()) => views.reload(),
                Err(fault) => toasts.push(Weight::Bad, "The preset was not forgotten", fault.line(), None),
            }
        });
    };
    let row = move |view: SavedView| {
        let label = format!("Forget {}", view.name);
        let name = view.name.clone();
        view! {
            <li class="row"><span class="grow trunc">{name}</span>
                <IconButton small=true label glyph=Glyph::X on_click=move |_| forget(view.clone())/></li>
        }
    };
    let of_page = |list: &SavedViewList| {
        list.views
            .iter()
            .filter(|view| view.page == ViewPage::Launcher)
            .cloned()
            .collect::<Vec<_>>()
    };
    let nothing = Callback::new(move |list: std::sync::Arc<SavedViewList>| of_page(&list).is_empty());
    view! {
        <div class="dialog__body">
            <Panel load=views.load on_retry=views.retry() lines=3 is_empty=nothing
                empty=|| view! { <Empty title="No presets are left">""</Empty> }.into_any()
                children=move |list| view! { <ul class="stack">{move || list.with(|list| of_page(list)).into_iter().map(row).collect_view()}</ul> }.into_any()/>
        </div>
        <div class="dialog__foot"><Button on_click=move |_| open.set(false)>"Done"</Button></div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::launcher::args::ArgRow;

    #[test]
    fn a_preset_is_the_form_without_its_name() {
        let form = Form {
            name: "once".into(),
            tasks: vec!["mme".into(), "ai2d".into()],
            model_args: vec![ArgRow {
                key: "é".into(),
                value: "a&b=c".into(),
            }],
            ..Form::default()
        };
        let query = query_of(&form);
        assert!(!query.contains("once") && !query.starts_with('?'), "{query}");
        assert_eq!(
            form_of(&query),
            Form {
                name: String::new(),
                ..form
            }
        );
        assert_eq!(form_of(""), Form::default());
    }
}
