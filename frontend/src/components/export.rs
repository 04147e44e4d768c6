//! The menu that gives a table as a file.

use leptos::prelude::*;

use super::{
    download::save_bytes,
    icon::Glyph,
    overlay::{Item, Menu},
};
use crate::format::{Sheet, workbook};

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// "Export": the table as it is filtered, as a file.
#[component]
pub fn ExportMenu(
    /// The file's name without its ending.
    #[prop(into)]
    name: String,
    /// The table; asked for when a kind is picked.
    #[prop(into)]
    sheet: Callback<(), Sheet>,
) -> impl IntoView {
    let name = StoredValue::new(name);
    let offer = move |kind: &'static str, ending: &'static str, bytes: Vec<u8>| {
        save_bytes(&format!("{}.{ending}", name.get_value()), kind, &bytes);
    };
    let items = move |()| {
        vec![
            Item::new("CSV", move || {
                offer("text/csv;charset=utf-8", "csv", sheet.run(()).csv().into_bytes());
            }),
            Item::new("Excel", move || offer(WORKBOOK, "xlsx", workbook(&sheet.run(())))),
            Item::new("JSON", move || {
                offer("application/json", "json", sheet.run(()).json().into_bytes());
            }),
        ]
    };
    view! { <Menu label="Export" icon=Glyph::Download items/> }
}
