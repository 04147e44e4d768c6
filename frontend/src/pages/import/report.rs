//! What became of each file, or would.

use std::sync::Arc;

use leptos::prelude::*;
use types::{ImportFileList, ImportFileView, ImportMapping};
use uuid::Uuid;

use super::{
    mapping::{FileFields, or_missing},
    words::{contents, fate, kind_word},
};
use crate::{
    api::{endpoints, remote::remote},
    components::{
        button::{Button, Size},
        panel::Panel,
        words::{StatusMark, Untrusted},
    },
    format::{count, plural},
    shell::page::Section,
    url::use_carry,
};

/// Files of a page.
const PAGE: u32 = 100;
/// Problems of a file that are shown before one asks for all.
const SHOWN: usize = 3;

/// The table of the files.
#[component]
pub fn FileReport(
    /// The import.
    id: Uuid,
    /// Whether the import is over.
    over: bool,
    /// What the user says, while it can be said.
    #[prop(optional)]
    mapping: Option<RwSignal<ImportMapping>>,
) -> impl IntoView {
    let offset = RwSignal::new(0_u64);
    let list = remote(
        move || Some((id, offset.get())),
        async |client, (id, offset): (Uuid, u64)| endpoints::import_files(&client, id, PAGE, offset).await,
    );
    let children = move |list: Signal<Arc<ImportFileList>>| {
        let rows = move || {
            list.with(|list| {
                list.files
                    .iter()
                    .map(|file| row(file, over, mapping))
                    .collect_view()
            })
        };
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Files, table">
                <table class="table import__files">
                    <thead><tr>
                        <th scope="col">"File"</th><th scope="col">"What it is"</th><th scope="col">"What becomes of it"</th>
                        <th scope="col">"In it"</th><th scope="col">"To know"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Pager list offset/>
        }
        .into_any()
    };
    view! {
        <Section title="Files" note="those inside of archives one by one">
            <Panel load=list.load on_retry=list.retry() lines=8
                is_empty=Callback::new(|list: Arc<ImportFileList>| list.total == 0)
                empty=|| view! { <p class="muted">"Nothing was looked at."</p> }.into_any()
                children/>
        </Section>
    }
    .into_any()
}

#[component]
fn Pager(list: Signal<Arc<ImportFileList>>, offset: RwSignal<u64>) -> impl IntoView {
    let shown = move || {
        list.with(|list| {
            format!(
                "Showing {} of {}",
                count(list.files.len() as u64),
                plural(list.total.unsigned_abs(), "file", "files")
            )
        })
    };
    let next = move || {
        let end = list.with(|list| offset.get() + list.files.len() as u64);
        (end < list.with(|list| list.total.unsigned_abs())).then_some(end)
    };
    view! {
        <div class="pager">
            <span class="small dim">{shown}</span>
            <span class="pager__end">
                {move || (offset.get() > 0).then(|| view! { <Button size=Size::Small on_click=move |_| offset.set(0)>"First"</Button> })}
                {move || next().map(|end| view! { <Button size=Size::Small on_click=move |_| offset.set(end)>"Next page"</Button> })}
            </span>
        </div>
    }
}

fn row(file: &ImportFileView, over: bool, mapping: Option<RwSignal<ImportMapping>>) -> impl IntoView + use<> {
    let carry = use_carry();
    let (tone, word) = fate(file, over);
    let run = file.run_id.map(|id| {
        view! { " "<a class="link" href=move || carry(&format!("/runs/{id}"))>"Open the run"</a> }
    });
    let about: Vec<String> = file
        .report
        .model
        .iter()
        .cloned()
        .chain(Some(file.report.tasks.join(", ")).filter(|tasks| !tasks.is_empty()))
        .collect();
    let says = is_asked(file).then_some(mapping).flatten().map(|mapping| {
        view! { <FileFields path=file.path.clone() kind=file.kind.clone() mapping/> }
    });
    view! {
        <tr>
            <th scope="row" class="import__path"><Untrusted text=file.path.clone()/></th>
            <td>{kind_word(&file.kind).to_owned()}<div class="small dim import__path"><Untrusted text=about.join(" · ")/></div></td>
            <td><StatusMark tone word=word.to_owned()/>{run}{says}</td>
            <td class="muted">{or_missing(&contents(file))}</td>
            <td class="import__why"><Problems problems=file.report.problems.clone()/></td>
        </tr>
    }
}

/// Whether the user may know what the file does not say, or may not want it.
fn is_asked(file: &ImportFileView) -> bool {
    matches!(
        file.kind.as_str(),
        "results" | "api_dump" | "samples" | "old_samples"
    ) && (file.status == "left_out" || file.kind != "samples")
}

#[component]
fn Problems(problems: Vec<String>) -> impl IntoView {
    let line = |problem: &String| view! { <li><Untrusted text=problem.clone()/></li> };
    let first = problems.iter().take(SHOWN).map(line).collect_view();
    let rest = problems.get(SHOWN..).filter(|rest| !rest.is_empty());
    let rest = rest.map(|rest| {
        let words = format!("{} more", rest.len());
        let lines = rest.iter().map(line).collect_view();
        view! { <details><summary>{words}</summary><ul>{lines}</ul></details> }
    });
    view! { <ul class="small">{first}</ul>{rest} }
}
