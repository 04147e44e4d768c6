//! Tables of keys and values that are typed: arguments, environment.

use leptos::prelude::*;

use super::{
    args::{ArgRow, kind},
    fields::{Row, Rows},
};
use crate::components::{
    button::{Button, IconButton, Look, Size},
    choice::{Entry, Select},
    icon::{Glyph, Icon},
};

/// The rows as they are typed, without tracking them.
pub fn rows_of(rows: Rows) -> Vec<ArgRow> {
    let one = |row: &Row| ArgRow {
        key: row.key.get_untracked(),
        value: row.value.get_untracked(),
    };
    rows.0.with_untracked(|rows| rows.iter().map(one).collect())
}

/// A table of typed arguments.
#[component]
pub fn ArgTable(
    /// The rows.
    rows: Rows,
    /// What a row is, for the button: `argument`.
    #[prop(into)]
    name: String,
    /// What is wrong with a row.
    fault: Callback<RwSignal<String>, Option<String>>,
) -> impl IntoView {
    let row = move |row: Row| {
        let shown = Memo::new(move |_| fault.run(row.key));
        let of = move || format!("Value of {}", named(row.key));
        view! {
            <tr>
                <td><Text label=|| "Key".to_owned() value=row.key wrong=shown/></td>
                <td><Text label=of value=row.value wrong=shown/></td>
                <td class="dim args__kind">{move || row.value.with(|value| kind(value))}</td>
                <td class="r"><Remove rows row/></td>
            </tr>
            <RowFault shown columns=4/>
        }
    };
    view! {
        <table class="table table--tight args" hidden=move || rows.0.with(Vec::is_empty)>
            <colgroup><col/><col/><col class="args__t"/><col class="args__x"/></colgroup>
            <thead class="vh"><tr><th scope="col">"Key"</th><th scope="col">"Value"</th><th scope="col">"Type"</th><th scope="col">"Remove"</th></tr></thead>
            <tbody><For each=move || rows.0.get() key=|row| row.id children=row/></tbody>
        </table>
        <Button look=Look::Quiet size=Size::Small icon=Glyph::Plus on_click=move |_| rows.add("", "", false)>{format!("Add {name}")}</Button>
    }
    .into_any()
}

/// A table of variables: plain values, or secrets by name.
#[component]
pub fn EnvTable(
    /// The rows.
    rows: Rows,
    /// The names of the organization's secrets.
    #[prop(into)]
    secrets: Signal<Vec<String>>,
    /// What is wrong with a row.
    fault: Callback<RwSignal<String>, Option<String>>,
) -> impl IntoView {
    let kinds = || vec![Entry::new("plain", "plain"), Entry::new("secret", "secret")];
    let row = move |row: Row| {
        let shown = Memo::new(move |_| fault.run(row.key));
        let of = move || format!("Value of {}", named(row.key));
        let kind = Signal::derive(move || {
            if row.secret.get() {
                "secret".to_owned()
            } else {
                "plain".to_owned()
            }
        });
        let names = Signal::derive(move || {
            let mut entries = vec![Entry::new("", "choose a secret")];
            entries.extend(
                secrets
                    .get()
                    .into_iter()
                    .map(|name| Entry::new(name.clone(), name)),
            );
            let now = row.value.get();
            if !now.is_empty() && !entries.iter().any(|entry| entry.value == now) {
                entries.push(Entry::new(now.clone(), format!("{now} (unknown)")));
            }
            entries
        });
        let value = move || {
            match row.secret.get() {
            true => view! {
                <Select label=format!("Secret of {}", named(row.key)) options=names value=row.value on_change=move |name| row.value.set(name)/>
            }
            .into_any(),
            false => view! { <Text label=of value=row.value wrong=shown/> }.into_any(),
        }
        };
        let change = move |kind: String| {
            row.value.set(String::new());
            row.secret.set(kind == "secret");
        };
        view! {
            <tr>
                <td><Text label=|| "Variable".to_owned() value=row.key wrong=shown/></td>
                <td>{value}</td>
                <td class="args__kind"><Select label="Kind of value" options=Signal::derive(kinds) value=kind on_change=change/></td>
                <td class="r"><Remove rows row/></td>
            </tr>
            <RowFault shown columns=4/>
        }
    };
    view! {
        <table class="table table--tight args" hidden=move || rows.0.with(Vec::is_empty)>
            <colgroup><col/><col/><col class="args__t"/><col class="args__x"/></colgroup>
            <thead class="vh"><tr><th scope="col">"Variable"</th><th scope="col">"Value"</th><th scope="col">"Kind"</th><th scope="col">"Remove"</th></tr></thead>
            <tbody><For each=move || rows.0.get() key=|row| row.id children=row/></tbody>
        </table>
        <Button look=Look::Quiet size=Size::Small icon=Glyph::Plus on_click=move |_| rows.add("", "", false)>"Add variable"</Button>
    }
    .into_any()
}

fn named(key: RwSignal<String>) -> String {
    key.with(|key| {
        if key.is_empty() {
            "this row".to_owned()
        } else {
            key.clone()
        }
    })
}

#[component]
fn Text(
    label: impl Fn() -> String + Send + Sync + 'static,
    value: RwSignal<String>,
    wrong: Memo<Option<String>>,
) -> impl IntoView {
    view! {
        <input
            class="input input--mono"
            type="text"
            autocomplete="off"
            spellcheck="false"
            aria-label=label
            aria-invalid=move || wrong.with(Option::is_some).then_some("true")
            prop:value=move || value.get()
            on:input:target=move |event| value.set(event.target().value())
        />
    }
}

#[component]
fn Remove(rows: Rows, row: Row) -> impl IntoView {
    let label = Signal::derive(move || format!("Remove {}", named(row.key)));
    view! { <IconButton small=true label glyph=Glyph::X on_click=move |_| rows.remove(row.id)/> }
}

/// A line below a row that says what is wrong with it.
#[component]
fn RowFault(shown: Memo<Option<String>>, columns: u32) -> impl IntoView {
    move || {
        shown.get().map(|words| {
            view! { <tr><td colspan=columns.to_string()><span class="field__error"><Icon glyph=Glyph::Bad/>{words}</span></td></tr> }
        })
    }
}
