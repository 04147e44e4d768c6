//! The dialog that makes and changes a slice, with its rule checked while it is typed; and the question before one goes.

use std::str::FromStr;
use std::sync::Arc;

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use types::rule::Rule;
use types::{
    BenchmarkId, CreateSlice, PreviewSlice, SliceList, SlicePreview, SliceReport, SliceType, SliceView,
    UpdateSlice,
};

use crate::{
    api::{
        client::use_client,
        endpoints,
        remote::{Remote, remote},
    },
    components::{
        button::{Button, Look},
        choice::{Entry, SelectField},
        field::{TextArea, TextField},
        overlay::{Confirm, Dialog},
        panel::{Empty, Fault, Panel},
        words::{Alert, Weight},
    },
    format::{count, plural, text_of},
    shell::slice::use_slice,
    url::{Step, use_set_params},
};

/// How long the keys have to rest before the server is asked, in milliseconds.
const REST: u32 = 350;

/// What the dialog is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Editing {
    /// The slice that is changed; none for a new one.
    pub slice: Option<SliceView>,
}

impl Editing {
    /// A new slice.
    pub fn blank() -> Self {
        Self { slice: None }
    }

    /// A slice that is there.
    pub fn of(slice: &SliceView) -> Self {
        Self {
            slice: Some(slice.clone()),
        }
    }
}

/// What is typed.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    kind: RwSignal<String>,
    value: RwSignal<String>,
    rule: RwSignal<String>,
    description: RwSignal<String>,
    /// The benchmarks it applies to, separated by commas.
    reach: RwSignal<String>,
}

impl Draft {
    fn of(slice: Option<&SliceView>) -> Self {
        let text = |read: fn(&SliceView) -> String| RwSignal::new(slice.map(read).unwrap_or_default());
        let rule = slice
            .filter(|slice| slice.own_rule)
            .map(|slice| slice.rule.clone());
        let kind = slice.map_or(SliceType::Custom, |slice| slice.slice_type);
        Self {
            name: text(|slice| slice.name.clone()),
            kind: RwSignal::new(kind.to_string()),
            value: text(|slice| slice.slice_value.clone().unwrap_or_default()),
            rule: RwSignal::new(rule.unwrap_or_default()),
            description: text(|slice| slice.description.clone().unwrap_or_default()),
            reach: text(|slice| {
                let ids: Vec<String> = slice
                    .associated_benchmarks
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                ids.join(",")
            }),
        }
    }

    fn kind(self) -> SliceType {
        self.kind.with(|kind| kind.parse()).unwrap_or(SliceType::Custom)
    }

    /// The rule that would be kept, or what is wrong with it; nothing while nothing is typed.
    fn checked(self) -> Option<Result<Rule, String>> {
        let text = self.rule.get();
        if !text.trim().is_empty() {
            return Some(Rule::from_str(&text).map_err(|error| error.to_string()));
        }
        let value = self.value.get();
        let kind = self.kind();
        (kind != SliceType::Custom && !value.trim().is_empty())
            .then(|| kind.rule(&value).map_err(|why| format!("the value {why}")))
    }

    fn benchmarks(self) -> Vec<BenchmarkId> {
        self.reach
            .with(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect())
    }

    fn create(self) -> CreateSlice {
        let given =
            |text: RwSignal<String>| Some(text.get_untracked()).filter(|text| !text.trim().is_empty());
        CreateSlice {
            name: self.name.get_untracked(),
            slice_type: self.kind(),
            slice_value: given(self.value),
            rule: given(self.rule),
            associated_benchmarks: self.benchmarks(),
            description: given(self.description),
        }
    }

    fn change(self) -> UpdateSlice {
        UpdateSlice {
            name: Some(self.name.get_untracked()),
            slice_value: Some(self.value.get_untracked()),
            rule: Some(self.rule.get_untracked()),
            associated_benchmarks: Some(self.benchmarks()),
            description: Some(self.description.get_untracked()),
        }
    }
}

/// The dialog.
#[component]
pub fn SliceDialog(
    /// What it is about; closed without it.
    editing: RwSignal<Option<Editing>>,
    /// All slices, to be asked for again.
    slices: Remote<SliceList>,
    /// The report of the page, for the benchmark at hand.
    report: Signal<Option<Arc<SliceReport>>>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move || open.set(editing.with(Option::is_some)));
    Effect::new(move || {
        if !open.get() && editing.with_untracked(Option::is_some) {
            editing.set(None);
        }
    });
    let title = Signal::derive(move || {
        let named = editing.with(|editing| {
            editing
                .as_ref()
                .and_then(|e| e.slice.as_ref().map(|slice| slice.name.clone()))
        });
        named.map_or_else(|| "New slice".to_owned(), |name| format!("Edit {name}"))
    });
    view! {
        <Dialog open title class="dialog--wide">
            {move || editing.get().map(|editing| view! { <Form editing open slices report/> })}
        </Dialog>
    }
}

#[component]
fn Form(
    editing: Editing,
    open: RwSignal<bool>,
    slices: Remote<SliceList>,
    report: Signal<Option<Arc<SliceReport>>>,
) -> impl IntoView {
    let draft = Draft::of(editing.slice.as_ref());
    let known = editing.slice.as_ref().map(|slice| slice.id);
    let client = StoredValue::new_local(use_client());
    let (fault, busy) = (RwSignal::new(None::<Fault>), RwSignal::new(false));
    let checked = Memo::new(move |_| draft.checked());
    let of_field = move |name: &'static str| {
        Signal::derive(move || fault.with(|fault| fault.as_ref().and_then(|fault| fault.field(name))))
    };
    let rule_error = Signal::derive(move || match checked.get() {
        Some(Err(why)) => Some(why),
        _ => of_field("rule").get(),
    });
    let rule_hint = Signal::derive(move || {
        Some(match checked.get() {
            Some(Ok(rule)) => format!("kept as: {rule}"),
            _ if draft.kind() == SliceType::Custom => {
                "such as category = \"ocr\" and difficulty >= 3".to_owned()
            }
            _ => format!("leave it empty for the usual fields: {}", draft.kind().fields()),
        })
    });
    let typed = move || draft.kind() != SliceType::Custom;
    let save = move |_| {
        let client = client.get_value();
        busy.set(true);
        fault.set(None);
        spawn_local(async move {
            let answer = match known {
                Some(id) => endpoints::update_slice(&client, id, &draft.change()).await,
                None => endpoints::create_slice(&client, &draft.create()).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    slices.reload();
                    open.set(false);
                }
                Err(wrong) => drop(fault.try_set(Some(wrong))),
            }
        });
    };
    let placed = ["name", "rule", "slice_value"];
    let unplaced = move || {
        fault.with(|fault| {
            fault
                .as_ref()
                .filter(|fault| !placed.iter().any(|field| fault.field(field).is_some()))
                .map(Fault::line)
        })
    };
    let refused = Signal::derive(move || {
        matches!(checked.get(), Some(Err(_)) | None) || draft.name.with(|name| name.trim().is_empty())
    });
    let act = if known.is_some() {
        "Save slice"
    } else {
        "Make slice"
    };
    view! {
        <div class="dialog__body stack stack--4">
            <div class="grid-2">
                <TextField label="Name" value=draft.name required=true error=of_field("name") hint="unique in your organization"/>
                <Kinds draft known=known.is_some()/>
                <Show when=typed>
                    <TextField label="Value" value=draft.value error=of_field("slice_value")
                        hint=Signal::derive(move || Some(format!("such as {}; ranges are < 10, >= 20, 5..20", draft.kind().example())))/>
                </Show>
                <Reach draft report/>
            </div>
            <TextArea label="Rule" value=draft.rule rows=3 code=true error=rule_error hint=rule_hint/>
            <Found draft checked/>
            <TextArea label="Description" value=draft.description rows=2 error=of_field("description")/>
            {move || unplaced().map(|line| view! { <Alert weight=Weight::Bad cause="The slice was not kept".to_owned() live=true>{line}</Alert> })}
        </div>
        <div class="dialog__foot">
            <Button on_click=move |_| open.set(false)>"Cancel"</Button>
            <Button look=Look::Primary busy disabled=refused on_click=save>{act}</Button>
        </div>
    }
    .into_any()
}

/// What kind of property it is about; that stays as it was made.
#[component]
fn Kinds(draft: Draft, known: bool) -> impl IntoView {
    let words = |kind: SliceType| kind.as_str().replace('_', " ");
    let options: Vec<Entry> = SliceType::ALL
        .iter()
        .rev()
        .map(|kind| Entry::new(kind.as_str(), words(*kind)))
        .collect();
    let hint = if known {
        "stays as it was made"
    } else {
        "what the slice is about"
    };
    view! {
        <SelectField label="Type" options=Signal::derive(move || options.clone()) value=draft.kind hint
            on_change=move |kind: String| draft.kind.set(kind) disabled=Signal::derive(move || known)/>
    }
}

/// The benchmarks it applies to: all, or the one at hand.
#[component]
fn Reach(draft: Draft, report: Signal<Option<Arc<SliceReport>>>) -> impl IntoView {
    let options = Signal::derive(move || {
        let mut entries = vec![Entry::new("", "all benchmarks")];
        let here = report
            .get()
            .map(|report| (report.benchmark_id.to_string(), report.benchmark.clone()));
        if let Some((id, name)) = here.clone() {
            entries.push(Entry::new(id, format!("only {name}")));
        }
        let now = draft.reach.get();
        if !now.is_empty() && here.is_none_or(|(id, _)| id != now) {
            entries.push(Entry::new(
                now.clone(),
                plural(
                    now.split(',').count() as u64,
                    "benchmark, as before",
                    "benchmarks, as before",
                ),
            ));
        }
        entries
    });
    view! {
        <SelectField label="Applies to" options value=draft.reach hint="which benchmarks are looked at"
            on_change=move |ids: String| draft.reach.set(ids)/>
    }
}

/// What the rule finds in the newest runs, and what their documents hold.
#[component]
fn Found(draft: Draft, checked: Memo<Option<Result<Rule, String>>>) -> impl IntoView {
    let rested = RwSignal::new(None::<PreviewSlice>);
    let timer = StoredValue::new_local(None::<SendWrapper<Timeout>>);
    Effect::new(move || {
        let rule = match checked.get() {
            Some(Ok(rule)) => Some(rule.to_string()),
            None => None,
            // What was found last stays while the rule is being mended.
            Some(Err(_)) => return,
        };
        let wanted = PreviewSlice {
            rule,
            benchmark_ids: draft.benchmarks(),
        };
        if rested.with_untracked(Option::is_none) {
            return rested.set(Some(wanted));
        }
        let later = Timeout::new(REST, move || drop(rested.try_set(Some(wanted))));
        timer.set_value(Some(SendWrapper::new(later)));
    });
    let preview = remote(
        move || rested.get().map(Key),
        async |client, wanted: Key| endpoints::preview_slice(&client, &wanted.0).await,
    );
    view! {
        <Panel load=preview.load on_retry=preview.retry() lines=3
            is_empty=Callback::new(|found: Arc<SlicePreview>| found.seen == 0)
            empty=|| view! { <Empty title="No samples to try it on"><span>"The rule is kept; the first run with samples will be looked at with it."</span></Empty> }
            children=move |found| view! { <Count found/><Examples found/><Fields found draft/> }.into_any()/>
    }
}

/// A question to the server, as the key of what is loaded.
#[derive(Debug, Clone, PartialEq)]
struct Key(PreviewSlice);

#[component]
fn Count(found: Signal<Arc<SlicePreview>>) -> impl IntoView {
    let line = move || {
        let found = found.get();
        let places = plural(found.benchmarks.len() as u64, "benchmark", "benchmarks");
        match found.rule {
            Some(_) => format!(
                "{} of {} in the newest runs of {places} fit",
                count(found.samples),
                plural(found.seen, "sample", "samples")
            ),
            None => format!(
                "{} in the newest runs of {places}",
                plural(found.seen, "sample", "samples")
            ),
        }
    };
    let each = move || {
        let fitting = |b: &types::PreviewBenchmark| {
            format!("{}: {} of {}", b.benchmark, count(b.samples), count(b.seen))
        };
        found.with(|found| {
            let all = found
                .benchmarks
                .iter()
                .filter(|b| b.samples > 0)
                .take(6)
                .map(fitting);
            all.collect::<Vec<_>>().join(" · ")
        })
    };
    view! { <p role="status" class="slices__count"><strong>{line}</strong><br/><span class="muted">{each}</span></p> }
}

#[component]
fn Examples(found: Signal<Arc<SlicePreview>>) -> impl IntoView {
    move || {
        let found = found.get();
        (!found.examples.is_empty()).then(|| {
            let row = |example: &types::PreviewExample| {
                view! {
                    <tr>
                        <td class="dim">{example.benchmark.clone()}" "{example.doc_id}</td>
                        <td class="slices__text" title=example.input.clone()>{example.input.clone()}</td>
                        <td class="slices__text">{text_of(&example.ground_truth)}</td>
                    </tr>
                }
            };
            view! {
                <div class="scroll slices__found" tabindex="0" role="region" aria-label="Samples that fit, table">
                    <table class="table table--tight">
                        <thead><tr><th scope="col">"Sample"</th><th scope="col">"Prompt"</th><th scope="col">"Target"</th></tr></thead>
                        <tbody>{found.examples.iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            }
        })
    }
}

/// What documents hold; a click puts a field or a test of a value into the rule.
#[component]
fn Fields(found: Signal<Arc<SlicePreview>>, draft: Draft) -> impl IntoView {
    let put = move |piece: String| draft.rule.update(|rule| *rule = joined(rule, &piece));
    let fields = move || {
        let field = move |field: &types::PreviewField| {
            let (name, kind) = (field.name.clone(), field.kind.clone());
            let note = format!("{kind}, in {}", plural(field.documents, "document", "documents"));
            let value = |value: &String| {
                let piece = format!("{name} = {value}");
                let label = format!("Add {piece}");
                view! { <button type="button" class="chip" aria-label=label on:click=move |_| put(piece.clone())>{value.clone()}</button> }
            };
            let values = field.values.iter().map(value).collect_view();
            view! { <div class="slices__field"><dt><code class="mono">{name.clone()}</code>" "<small class="dim">{note}</small></dt><dd>{values}</dd></div> }
        };
        found.with(|found| found.fields.iter().map(field).collect_view())
    };
    let none = move || found.with(|found| found.fields.is_empty());
    view! {
        <details class="slices__fields">
            <summary>"What the documents hold"</summary>
            <Show when=none><p class="muted">"These samples came without their documents; a rule can use @target, @input, @input_length and @doc_id."</p></Show>
            <dl>{fields}</dl>
        </details>
    }
}

/// A rule with one more test.
fn joined(rule: &str, piece: &str) -> String {
    match rule.trim_end() {
        "" => piece.to_owned(),
        rule => format!("{rule} and {piece}"),
    }
}

/// Asks before a slice goes, and names what goes with it.
#[component]
pub fn Removal(
    /// The slice; closed without it.
    doomed: RwSignal<Option<SliceView>>,
    /// All slices, to be asked for again.
    slices: Remote<SliceList>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let (busy, fault) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let client = StoredValue::new_local(use_client());
    let (chosen, set) = (use_slice(), use_set_params());
    Effect::new(move || {
        fault.set(None);
        open.set(doomed.with(Option::is_some));
    });
    Effect::new(move || {
        if !open.get() && doomed.with_untracked(Option::is_some) {
            doomed.set(None);
        }
    });
    let title = Signal::derive(move || {
        doomed.with(|slice| {
            slice
                .as_ref()
                .map_or_else(String::new, |slice| format!("Delete the slice {}?", slice.name))
        })
    });
    let confirm = move |()| {
        let Some(slice) = doomed.get_untracked() else {
            return;
        };
        let client = client.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = endpoints::delete_slice(&client, slice.id).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => {
                    if chosen.get_untracked() == slice.id.to_string() {
                        set(&[("slice", "")], Step::Replace);
                    }
                    slices.reload();
                    open.set(false);
                }
                Err(wrong) => drop(fault.try_set(Some(wrong.line()))),
            }
        });
    };
    let lost = move || {
        doomed.get().map(|slice| {
            view! {
                <p>{format!("Its rule, {}, goes for good, and with it what was scored on it in every run ({}).", slice.rule, plural(slice.samples.unsigned_abs(), "sample is in it", "samples are in it"))}</p>
                <p>"The samples themselves and all other scores stay. Links that look through it will say that it is gone."</p>
            }
        })
    };
    view! {
        <Confirm open title keep="Keep slice" act="Delete slice" busy on_confirm=confirm>
            {lost}
            {move || fault.get().map(|line| view! { <Alert weight=Weight::Bad cause="The slice is still there".to_owned() live=true>{line}</Alert> })}
        </Confirm>
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_test_is_added_with_and() {
        assert_eq!(joined(" ", "a = 1"), "a = 1");
        assert_eq!(joined("b exists ", "a = 1"), "b exists and a = 1");
    }
}
