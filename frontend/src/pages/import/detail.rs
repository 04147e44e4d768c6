//! One import: what its files are, what is to be said about them, how far it is, what came of it.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_params_map;
use types::{ImportDetail, ImportMapping, ImportStatus, ImportView, StartImport};
use uuid::Uuid;

use super::{
    drop::DropZone,
    mapping::{MappingForm, tidy},
    report::FileReport,
    sender::Sender,
    words::{plan_words, status_tone, status_word},
};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints,
        remote::{Remote, poll, remote},
    },
    components::{
        button::{Button, ButtonLink, Look},
        panel::{Empty, Fault, Panel},
        progress::Progress,
        tabs::Crumb,
        words::{Alert, StatusMark, Untrusted, Weight},
    },
    format::{bytes, count, plural},
    shell::page::{PageHead, Section, describe_page},
    url::use_carry,
};

/// How often the page is renewed while a worker is at it.
const FRESH: u32 = 1000;

/// What a viewer can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Check,
    Start,
    Cancel,
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Desk {
    id: Uuid,
    client: StoredValue<Client>,
    import: Remote<ImportDetail>,
    mapping: RwSignal<ImportMapping>,
    busy: RwSignal<Option<Step>>,
    fault: RwSignal<Option<Fault>>,
}

/// The page of one import.
#[component]
pub fn Import() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<Uuid>().ok())));
    move || {
        match id.get() {
        Some(id) => view! { <ImportPage id/> }.into_any(),
        None => view! { <Empty title="There is no such import"><span>"The address may be mistyped."</span></Empty> }.into_any(),
    }
    }
}

#[component]
fn ImportPage(id: Uuid) -> impl IntoView {
    let carry = use_carry();
    let import = remote(
        move || Some(id),
        async |client, id| endpoints::import(&client, id).await,
    );
    let value = import.value();
    let status = Memo::new(move |_| value.with(|known| known.as_ref().map(|known| known.import.status)));
    poll(import, FRESH, move || {
        status.get().is_some_and(ImportStatus::is_at_work)
    });
    let title = move || {
        value.with(|known| {
            known
                .as_ref()
                .map_or_else(|| "Import".to_owned(), |known| known.import.name.clone())
        })
    };
    describe_page(title, move || vec![Crumb::link("Import", carry("/import"))]);
    let desk = Desk {
        id,
        client: StoredValue::new(use_client()),
        import,
        mapping: RwSignal::new(ImportMapping::default()),
        busy: RwSignal::new(None),
        fault: RwSignal::new(None),
    };
    let beside = move || {
        value.get().map(|known| {
            let (tone, word) = (status_tone(&known.import), status_word(&known.import));
            view! { <StatusMark tone word=word.to_owned()/> }
        })
    };
    let lede = move || value.get().map(|known| lede_of(&known.import));
    let heading = move || view! { <Untrusted text=title()/> };
    view! {
        <PageHead title=heading beside lede actions=move || view! { <CancelButton desk status/> }/>
        {move || desk.fault.get().map(|fault| view! {
            <Alert weight=Weight::Bad cause="This could not be done." live=true>{fault.line()}</Alert>
        })}
        <Panel load=import.load on_retry=import.retry() lines=10
            children=move |detail| view! { <Stages desk detail status/> }.into_any()/>
    }
    .into_any()
}

fn lede_of(import: &ImportView) -> String {
    if import.uploaded == 0 {
        return match import.source.as_str() {
            "command" => "From the command line.".to_owned(),
            _ => "No files yet.".to_owned(),
        };
    }
    format!(
        "{} sent, {}.",
        plural(import.uploaded.unsigned_abs(), "file", "files"),
        bytes(import.bytes.unsigned_abs())
    )
}

impl Desk {
    fn ask(self, step: Step) {
        let client = self.client.get_value();
        self.busy.set(Some(step));
        self.fault.set(None);
        let how = StartImport {
            mapping: self.mapping.with_untracked(tidy),
        };
        spawn_local(async move {
            let asked = match step {
                Step::Check => endpoints::check_import(&client, self.id, &how).await,
                Step::Start => endpoints::start_import(&client, self.id, &how).await,
                Step::Cancel => endpoints::cancel_import(&client, self.id).await,
            };
            if let Err(fault) = asked {
                let _ = self.fault.try_set(Some(fault));
            }
            let _ = self.busy.try_set(None);
            self.import.reload();
        });
    }
}

#[component]
fn CancelButton(desk: Desk, status: Memo<Option<ImportStatus>>) -> impl IntoView {
    let busy = Signal::derive(move || desk.busy.get() == Some(Step::Cancel));
    let open = Memo::new(move |_| status.get().is_some_and(|status| !status.is_over()));
    move || {
        open.get().then(|| {
            view! { <Button busy on_click=move |_| desk.ask(Step::Cancel)>"Cancel the import"</Button> }
        })
    }
}

/// What is shown depends on where the import is.
#[component]
fn Stages(
    desk: Desk,
    detail: Signal<Arc<ImportDetail>>,
    status: Memo<Option<ImportStatus>>,
) -> impl IntoView {
    move || match status.get().unwrap_or(ImportStatus::Open) {
        ImportStatus::Open => view! { <Open desk/> }.into_any(),
        ImportStatus::Checking | ImportStatus::Queued | ImportStatus::Running => {
            view! { <AtWork detail/> }.into_any()
        }
        ImportStatus::Checked => view! { <Checked desk detail/> }.into_any(),
        ImportStatus::Completed | ImportStatus::Failed | ImportStatus::Cancelled => {
            view! { <Over desk detail/> }.into_any()
        }
    }
}

#[component]
fn Open(desk: Desk) -> impl IntoView {
    let sender = Sender::new(
        Some(desk.id),
        desk.mapping,
        Callback::new(move |_| desk.import.reload()),
    );
    let busy = Signal::derive(move || desk.busy.get() == Some(Step::Check));
    let none = Signal::derive(move || {
        let value = desk.import.value();
        value.with(|known| known.as_ref().is_none_or(|known| known.import.uploaded == 0))
    });
    view! {
        <DropZone sender/>
        <Button look=Look::Primary busy disabled=none on_click=move |_| desk.ask(Step::Check)>"Look at the files"</Button>
    }
    .into_any()
}

#[component]
fn AtWork(detail: Signal<Arc<ImportDetail>>) -> impl IntoView {
    let import = move || detail.with(|detail| detail.import.clone());
    let share = Signal::derive(move || {
        let import = import();
        (import.runs_total > 0).then(|| f64::from(import.runs_done) / f64::from(import.runs_total))
    });
    let words = move || progress_words(&import());
    view! {
        <Section title="Progress">
            <div class="stack" role="status">
                <span>{words}</span>
                <Progress label="Import" share/>
                <p class="small dim">"It goes on when this page is closed."</p>
            </div>
        </Section>
    }
    .into_any()
}

fn progress_words(import: &ImportView) -> String {
    let files = count(import.files_done.unsigned_abs());
    match import.status {
        ImportStatus::Queued => "It waits for a worker.".to_owned(),
        _ if import.runs_total > 0 => format!(
            "{} of {} stored, {files} files looked at.",
            count(import.runs_done.unsigned_abs()),
            plural(import.runs_total.unsigned_abs().into(), "run", "runs")
        ),
        _ => format!("{files} files looked at."),
    }
}

#[component]
fn Checked(desk: Desk, detail: Signal<Arc<ImportDetail>>) -> impl IntoView {
    let known = detail.get_untracked();
    desk.mapping.set(known.mapping.clone());
    let plan = known.plan.clone();
    let nothing = plan.runs == 0;
    let said = plan_words(&plan);
    let weight = if nothing { Weight::Warn } else { Weight::Plain };
    let busy = |step| Signal::derive(move || desk.busy.get() == Some(step));
    let sender = Sender::new(
        Some(desk.id),
        desk.mapping,
        Callback::new(move |_| desk.import.reload()),
    );
    let form = (!nothing).then(|| view! { <MappingForm plan=plan mapping=desk.mapping/> });
    view! {
        <Alert weight cause=said>"Nothing is stored yet. Say below what the files do not, then import."</Alert>
        <div class="bar import__go">
            <Button look=Look::Primary busy=busy(Step::Start) disabled=Signal::stored(nothing)
                on_click=move |_| desk.ask(Step::Start)>"Import"</Button>
            <Button busy=busy(Step::Check) on_click=move |_| desk.ask(Step::Check)>"Look again with these names"</Button>
        </div>
        {form}
        <FileReport id=desk.id over=false mapping=desk.mapping/>
        <Section title="More files"><DropZone sender/></Section>
    }
    .into_any()
}

#[component]
fn Over(desk: Desk, detail: Signal<Arc<ImportDetail>>) -> impl IntoView {
    let carry = use_carry();
    let known = detail.get_untracked();
    let why = known.import.error_message.clone().map(|why| {
        view! { <Alert weight=Weight::Bad cause="It ended early; what was stored by then stays."><Untrusted text=why/></Alert> }
    });
    let runs = known.runs.clone();
    let note = format!(
        "{} of {} stored or known",
        count(known.import.runs_done.unsigned_abs()),
        plural(known.import.runs_total.unsigned_abs().into(), "run", "runs")
    );
    let item = move |run: types::ImportedRunView| {
        let id = run.id;
        let samples = plural(run.samples.unsigned_abs(), "sample", "samples");
        view! {
            <tr>
                <th scope="row"><a class="num" href=move || carry(&format!("/runs/{id}"))><Untrusted text=run.name/></a></th>
                <td class="r muted">{samples}</td>
            </tr>
        }
    };
    let table = (!runs.is_empty()).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Runs of the import, table">
                <table class="table">
                    <thead class="vh"><tr><th scope="col">"Run"</th><th scope="col">"Samples"</th></tr></thead>
                    <tbody>{runs.into_iter().map(item).collect_view()}</tbody>
                </table>
            </div>
        }
    });
    let next = (known.import.runs_done > 0).then(|| {
        view! {
            <div class="row import__next">
                <ButtonLink href=Signal::derive(move || carry("/leaderboard"))>"Leaderboard"</ButtonLink>
                <ButtonLink href=Signal::derive(move || carry("/import"))>"Another import"</ButtonLink>
            </div>
        }
    });
    view! {
        {why}
        <Section title="Runs" note=note>{table}{next}</Section>
        <FileReport id=desk.id over=true/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn progress_is_told_by_runs_once_they_are_known() {
        let import = |status: &str, runs: i32| -> ImportView {
            serde_json::from_value(json!({
                "id": Uuid::nil(), "name": "n", "source": "upload", "status": status, "cancelling": false,
                "error_message": null, "uploaded": 1, "bytes": 5, "files_total": 0, "files_done": 7,
                "runs_total": runs, "runs_done": 1, "created_at": "2026-11-20T00:00:00Z", "completed_at": null
            }))
            .unwrap()
        };
        assert_eq!(
            progress_words(&import("running", 3)),
            "1 of 3 runs stored, 7 files looked at."
        );
        assert_eq!(progress_words(&import("checking", 0)), "7 files looked at.");
        assert_eq!(progress_words(&import("queued", 0)), "It waits for a worker.");
    }
}
