//! The menu that gives a table as a file.

use std::{future::Future, pin::Pin};

use leptos::{prelude::*, task::spawn_local};

use super::toasts::{Toasts, use_toasts};
use crate::{
    api::client::{Client, use_client},
    components::{
        download::save_bytes,
        icon::Glyph,
        overlay::{Item, Menu},
        panel::Fault,
        words::Weight,
    },
    format::{Sheet, count, parquet, workbook},
};

/// The most rows of a file that is gathered page by page.
pub const MOST_ROWS: usize = 100_000;

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A table, and how many rows there are for it.
pub type Gathered = Result<(Sheet, u64), Fault>;

/// Where the rows of a table come from.
#[derive(Clone, Copy)]
pub enum Source {
    /// They are all here.
    Here(Callback<(), Sheet>),
    /// They are asked for, page by page.
    Asked(Callback<Client, Pin<Box<dyn Future<Output = Gathered>>>>),
}

impl Source {
    /// Rows that are asked for when a file is wanted.
    pub fn asked<F, Fut>(gather: F) -> Self
    where
        F: Fn(Client) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Gathered> + 'static,
    {
        let boxed = move |client| -> Pin<Box<dyn Future<Output = Gathered>>> { Box::pin(gather(client)) };
        Self::Asked(Callback::new(boxed))
    }
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Excel,
    Json,
    Parquet,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Csv, Self::Excel, Self::Json, Self::Parquet];

    /// Its name, its media type and its ending.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Csv => ("CSV", "text/csv;charset=utf-8", "csv"),
            Self::Excel => ("Excel", WORKBOOK, "xlsx"),
            Self::Json => ("JSON", "application/json", "json"),
            Self::Parquet => ("Parquet", "application/vnd.apache.parquet", "parquet"),
        }
    }

    fn bytes(self, sheet: &Sheet) -> Vec<u8> {
        match self {
            Self::Csv => sheet.csv().into_bytes(),
            Self::Excel => workbook(sheet),
            Self::Json => sheet.json().into_bytes(),
            Self::Parquet => parquet(sheet),
        }
    }
}

/// "Export": the table as it is filtered, as a file.
#[component]
pub fn ExportMenu(
    /// The file's name without its ending.
    #[prop(into)]
    name: String,
    /// The table; asked for when a kind is picked.
    #[prop(optional, into)]
    sheet: Option<Callback<(), Sheet>>,
    /// The same, where the rows are not all here.
    #[prop(optional)]
    source: Option<Source>,
) -> impl IntoView {
    let source = source.or_else(|| sheet.map(Source::Here));
    let (client, toasts) = (StoredValue::new(use_client()), use_toasts());
    let name = StoredValue::new(name);
    let offer = move |kind: Kind| match source {
        Some(Source::Here(sheet)) => save(&name.get_value(), kind, &sheet.run(())),
        Some(Source::Asked(gather)) => {
            let asked = gather.run(client.get_value());
            let name = name.get_value();
            spawn_local(async move { finish(toasts, &name, kind, asked.await) });
        }
        None => {}
    };
    let items = move |()| Vec::from(Kind::ALL.map(|kind| Item::new(kind.words().0, move || offer(kind))));
    view! { <Menu label="Export" icon=Glyph::Download items/> }
}

fn save(name: &str, kind: Kind, sheet: &Sheet) {
    let (_, media, ending) = kind.words();
    save_bytes(&format!("{name}.{ending}"), media, &kind.bytes(sheet));
}

fn finish(toasts: Toasts, name: &str, kind: Kind, gathered: Gathered) {
    match gathered {
        Ok((sheet, all)) => {
            save(name, kind, &sheet);
            if let Some(cut) = cut_words(sheet.rows.len() as u64, all) {
                toasts.push(Weight::Warn, "The file does not hold all rows.", cut, None);
            }
        }
        Err(fault) => toasts.push(Weight::Bad, "The table cannot be exported.", fault.line(), None),
    }
}

/// What is to be said of a file that holds less than there is.
fn cut_words(held: u64, all: u64) -> Option<String> {
    (held < all).then(|| {
        format!(
            "It has the first {} of {}; narrow the filters for the others.",
            count(held),
            count(all)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_says_so() {
        assert_eq!(cut_words(5, 5), None);
        let cut = cut_words(1, 2).unwrap();
        assert!(cut.starts_with("It has the first 1 of 2"), "{cut}");
    }
}
