//! Results from elsewhere: files are sent, looked at, mapped, and imported in the background.

pub mod detail;
pub mod drop;
pub mod mapping;
pub mod picked;
pub mod report;
pub mod sender;
pub mod words;

use std::sync::Arc;

use leptos::prelude::*;
use types::{ImportList, ImportMapping, ImportView};

pub use detail::Import;
use drop::DropZone;
use sender::Sender;
use words::{status_tone, status_word};

use crate::{
    api::{
        endpoints,
        remote::{poll, remote},
    },
    components::{
        button::{Button, Size},
        panel::{Empty, Panel},
        time::Ago,
        words::{StatusMark, Untrusted},
    },
    format::{count, plural},
    shell::page::{PageHead, Section, describe_page},
    url::{Step, use_carry, use_go, use_param, use_set_params},
};

/// Imports of a page.
const PAGE: u32 = 50;
/// How often the list is asked for again while something moves.
const FRESH: u32 = 3000;

/// The page of all imports: where files are dropped, and what came before.
#[component]
pub fn Imports() -> impl IntoView {
    describe_page(|| "Import".to_owned(), Vec::new);
    let (carry, go) = (use_carry(), use_go());
    let finished = Callback::new(move |id: uuid::Uuid| {
        go(&untrack(|| carry(&format!("/import/{id}"))), Step::Push);
    });
    let sender = Sender::new(None, RwSignal::new(ImportMapping::default()), finished);
    let from = use_param("from");
    let offset = Memo::new(move |_| from.with(|from| from.parse::<u64>().unwrap_or(0)));
    let list = remote(
        move || Some(offset.get()),
        async |client, offset| endpoints::imports(&client, PAGE, offset).await,
    );
    let value = list.value();
    poll(list, FRESH, move || {
        value.with(|list| {
            list.as_ref()
                .is_some_and(|list| list.imports.iter().any(|import| import.status.is_at_work()))
        })
    });
    let lede = || "Output of lmms-eval from elsewhere. Nothing is stored before you have seen what it is.";
    view! {
        <PageHead title=|| "Import" lede/>
        <DropZone sender/>
        <Section title="Imports so far">
            <Panel load=list.load on_retry=list.retry() lines=6
                is_empty=Callback::new(|list: Arc<ImportList>| list.total == 0)
                empty=|| view! {
                    <Empty title="No imports yet">
                        <span>"Runs that were made elsewhere stand beside your own once they are imported: with scores, samples and failures."</span>
                    </Empty>
                }.into_any()
                children=move |list| view! { <History list offset/> }.into_any()/>
        </Section>
    }
    .into_any()
}

#[component]
fn History(list: Signal<Arc<ImportList>>, offset: Memo<u64>) -> impl IntoView {
    let set = use_set_params();
    let rows = move || list.with(|list| list.imports.iter().map(row).collect_view());
    let shown = move || {
        list.with(|list| {
            format!(
                "Showing {} of {}",
                count(list.imports.len() as u64),
                plural(list.total.unsigned_abs(), "import", "imports")
            )
        })
    };
    let more =
        move || list.with(|list| offset.get() + (list.imports.len() as u64) < list.total.unsigned_abs());
    let turn = move |to: u64| {
        let to = if to == 0 { String::new() } else { to.to_string() };
        set(&[("from", &to)], Step::Push);
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Imports, table">
            <table class="table">
                <thead><tr>
                    <th scope="col">"Import"</th><th scope="col">"Status"</th>
                    <th scope="col" class="r">"Files"</th><th scope="col" class="r">"Runs"</th><th scope="col" class="r">"When"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="pager">
            <span class="small dim">{shown}</span>
            <span class="pager__end">
                {move || (offset.get() > 0).then(|| view! { <Button size=Size::Small on_click=move |_| turn(0)>"First"</Button> })}
                {move || more().then(|| view! { <Button size=Size::Small on_click=move |_| turn(offset.get_untracked() + u64::from(PAGE))>"Next page"</Button> })}
            </span>
        </div>
    }
}

fn row(import: &ImportView) -> impl IntoView + use<> {
    let carry = use_carry();
    let id = import.id;
    let files = i64::from(import.files_total).max(import.uploaded).unsigned_abs();
    let runs = format!("{} of {}", import.runs_done, import.runs_total);
    let runs = if import.runs_total > 0 {
        runs
    } else {
        String::new()
    };
    view! {
        <tr>
            <th scope="row"><a class="num" href=move || carry(&format!("/import/{id}"))><Untrusted text=import.name.clone()/></a></th>
            <td><StatusMark tone=status_tone(import) word=status_word(import).to_owned()/></td>
            <td class="r">{count(files)}</td>
            <td class="r">{runs}</td>
            <td class="r muted"><Ago at=import.created_at.timestamp_millis() as f64/></td>
        </tr>
    }
}
