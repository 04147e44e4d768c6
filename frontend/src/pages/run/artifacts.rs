//! The files of the run.

use leptos::prelude::*;
use types::{ArtifactView, LogStream};

use super::use_store;
use crate::{
    api::{endpoints, remote::remote},
    components::{
        code::CopyButton,
        icon::{Glyph, Icon},
        panel::{Empty, Panel},
        time::Ago,
    },
    format::bytes,
    shell::page::Section,
};

/// The files of the run.
#[component]
pub fn Artifacts() -> impl IntoView {
    let store = use_store();
    // A file appears when a benchmark is committed; that changes the number of samples or the status.
    let version = Memo::new(move |_| {
        store.detail(|run| {
            (
                run.summary.status,
                run.summary.completed_tasks,
                run.attempts.len(),
            )
        })
    });
    let files = remote(
        move || version.get(),
        move |client, _| async move { endpoints::artifacts(&client, store.id).await },
    );
    let empty = || {
        view! {
            <Empty title="No file is stored yet"><span>"Results, samples and logs are stored when a benchmark is committed."</span></Empty>
        }
        .into_any()
    };
    let nothing = Callback::new(|list: std::sync::Arc<types::ArtifactList>| list.artifacts.is_empty());
    let row = move |file: &ArtifactView| {
        let label = format!("Download {}", file.name);
        let at = file.created_at.timestamp_millis() as f64;
        let hash = file.sha256.clone().map(|hash| {
            let short: String = hash.chars().take(12).collect();
            view! { <span class="run__hash"><span class="mono dim" title=hash.clone()>{short}</span><CopyButton label="Copy the SHA-256" text=hash/></span> }
        });
        let whose = store.detail(|run| {
            let row = run
                .benchmarks
                .iter()
                .find(|row| Some(row.id) == file.run_benchmark_id);
            row.map(|row| row.name.clone()).unwrap_or_default()
        });
        view! {
            <tr>
                <th scope="row" class="reg"><a class="num" href=file.url.clone() download=file.name.clone()>{file.name.clone()}</a></th>
                <td class="dim">{file.artifact_type.as_str().replace('_', " ")}</td>
                <td class="dim">{whose.unwrap_or_default()}</td>
                <td class="r">{bytes(file.file_size.unsigned_abs())}</td>
                <td>{hash}</td>
                <td class="dim"><Ago at/></td>
                <td class="r"><a class="icon-btn icon-btn--sm" href=file.url.clone() download=file.name.clone() aria-label=label.clone() title=label><Icon glyph=Glyph::Download/></a></td>
            </tr>
        }
    };
    let note = Signal::derive(move || {
        files.load.with(|load| {
            let all = &load.value.as_ref()?.artifacts;
            let size: i64 = all.iter().map(|file| file.file_size).sum();
            Some(format!(
                "{}, {}",
                crate::format::plural(all.len() as u64, "file", "files"),
                bytes(size.unsigned_abs())
            ))
        })
    });
    view! {
        <Section title="Artifacts" note>
            <Panel
                load=files.load
                on_retry=files.retry()
                lines=6
                is_empty=nothing
                empty=empty
                children=move |list| {
                    let rows = move || list.with(|list| list.artifacts.iter().map(row).collect_view());
                    view! {
                        <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Files of this run, table">
                            <table class="table table--tight">
                                <thead><tr>
                                    <th scope="col">"Name"</th><th scope="col">"Kind"</th><th scope="col">"Benchmark"</th><th scope="col" class="r">"Size"</th>
                                    <th scope="col">"SHA-256"</th><th scope="col">"Stored"</th><th scope="col"><span class="vh">"Download"</span></th>
                                </tr></thead>
                                <tbody>{rows}</tbody>
                            </table>
                        </div>
                    }
                    .into_any()
                }
            />
            <RawLogs/>
        </Section>
    }
    .into_any()
}

/// The outputs of each attempt, byte for byte.
#[component]
fn RawLogs() -> impl IntoView {
    let store = use_store();
    let attempts = Memo::new(move |_| {
        store
            .detail(|run| {
                run.attempts
                    .iter()
                    .map(|attempt| attempt.epoch)
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let one = move |epoch: i32| {
        let button =
            move |stream: LogStream| view! { <super::console::RawButton stream attempt=Some(epoch)/> };
        view! {
            <div class="row"><span class="muted">{format!("Attempt {epoch}")}</span>{button(LogStream::Stdout)}{button(LogStream::Stderr)}</div>
        }
    };
    view! {
        <div class="stack run__raw" hidden=move || attempts.with(Vec::is_empty)>
            <h3>"Raw output"</h3>
            {move || attempts.get().into_iter().map(one).collect_view()}
        </div>
    }
}
